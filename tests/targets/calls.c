/* Functions that let the kernel write to pages of their own, by functions of the C library.
 *
 * calls: after "go", each does so once; then, with another thread there, each again, as then the library's functions
 * are other ones.  Where: "range NAME ..." of the function.
 * calls dropped: before, it has none of the pages of its files that are neither code nor written to, as when nobody has
 * looked at unwind tables yet. */
#define _GNU_SOURCE
#include "target.h"

#include <link.h>
#include <pthread.h>
#include <sys/socket.h>

enum { FUNCTIONS = 4, PAGES = 2 * FUNCTIONS };
static int zeros, sockets[2];
static FILE *stream;

/* Each does something behind the call, so that it is no jump. */
#define FUNCTION __attribute__((noinline, noclone)) size_t
FUNCTION call_read(char *page);
FUNCTION call_recv(char *page);
FUNCTION call_fread(char *page);
FUNCTION call_pread(char *page);

FUNCTION call_read(char *page)
{
	return (size_t)read(zeros, page, PAGE) + 1;
}

FUNCTION call_recv(char *page)
{
	return (size_t)recv(sockets[0], page, PAGE, 0) + 1;
}

/* Through several functions of the library. */
FUNCTION call_fread(char *page)
{
	return fread(page, 1, PAGE, stream) + 1;
}

FUNCTION call_pread(char *page)
{
	return (size_t)pread(zeros, page, PAGE, 0) + 1;
}

static void call_all(char *pages)
{
	char page[PAGE] = "sent";
	if (send(sockets[1], page, PAGE, 0) != PAGE)
		cannot("send");
	size_t all = call_read(pages) + call_recv(pages + PAGE) + call_fread(pages + 2 * PAGE) +
	             call_pread(pages + 3 * PAGE);
	if (all != 4 * (PAGE + 1))
		cannot("read");
}

static void *wait_for_ever(void *unused)
{
	pause();
	return unused;
}

static int drop(struct dl_phdr_info *info, size_t size, void *unused)
{
	(void)size, (void)unused;
	for (size_t i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
		uintptr_t start = (info->dlpi_addr + segment->p_vaddr) & ~(uintptr_t)(PAGE - 1);
		if (segment->p_type == PT_LOAD && segment->p_flags == PF_R)
			madvise((void *)start, info->dlpi_addr + segment->p_vaddr + segment->p_memsz - start,
			        MADV_DONTNEED);
	}
	return 0;
}

int main(int argc, char **argv)
{
	static const char *const names[] = { "call_read", "call_recv", "call_fread", "call_pread" };
	pthread_t thread;
	die_with_parent();
	char *pages = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	zeros = open("/dev/zero", O_RDONLY);
	stream = fopen("/dev/zero", "r");
	if (pages == MAP_FAILED || zeros < 0 || !stream || socketpair(AF_UNIX, SOCK_STREAM, 0, sockets))
		cannot("begin");
	setvbuf(stream, NULL, _IOFBF, PAGE);
	madvise(pages, PAGES * PAGE, MADV_NOHUGEPAGE);
	for (size_t i = 0; i < PAGES; i++) {
		char name[32];
		snprintf(name, sizeof(name), "%s%s", names[i % FUNCTIONS], i < FUNCTIONS ? "" : "_again");
		say_range(name, pages + i * PAGE, PAGE);
	}
	next_command();
	if (argc > 1 && !strcmp(argv[1], "dropped"))
		dl_iterate_phdr(drop, NULL);
	call_all(pages);
	if (pthread_create(&thread, NULL, wait_for_ever, NULL))
		cannot("make a thread");
	call_all(pages + FUNCTIONS * PAGE);
	stand_still();
}
