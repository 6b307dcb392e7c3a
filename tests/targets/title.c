/* title HOW - a process whose arguments are not as exec left them.  What reading
 * /proc/PID/cmdline would do to it:
 *
 *   absent     a title up to the last byte of the arguments: read the absent page behind
 *   uffd       the same, which a userfaultfd promises and nobody makes
 *   swapped    the same, and fetch the page behind from swap
 *   within     a title that ends before, the page behind absent: read it all the same
 *   ordinary   arguments as they were, the page behind absent: nothing
 *   grown      a title that goes on in the environment: nothing
 *   alone      arguments at the very end of the stack: nothing
 *   below      arguments right below a hole and memory that grows downwards: perhaps make it grow
 *   file       arguments in a file's page: nothing
 */
#define _GNU_SOURCE
#include "target.h"

#include <linux/userfaultfd.h>
#include <sys/ioctl.h>

#ifndef UFFD_USER_MODE_ONLY
#define UFFD_USER_MODE_ONLY 1
#endif

/* Its arguments before those that the title is made of. */
static void execute_anew(char **argv)
{
	static char big[65536];
	memset(big, 'e', sizeof(big) - 1);
	memcpy(big, "BIG=", 4);
	char *next[] = { argv[0], argv[1], "arguments-of-a-process", NULL };
	char *nothing[] = { NULL }, *much[] = { big, NULL };
	execve("/proc/self/exe", next, !strcmp(argv[1], "alone") ? nothing : much);
	cannot("execute");
}

static char *page_behind(char *last)
{
	return (char *)(((uintptr_t)last + PAGE) & ~((uintptr_t)PAGE - 1));
}

static void register_missing(char *page)
{
	int fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | UFFD_USER_MODE_ONLY);
	struct uffdio_api api = { .api = UFFD_API };
	if (fd < 0 || ioctl(fd, UFFDIO_API, &api))
		cannot("userfaultfd");
	struct uffdio_register range = { .range = { (uintptr_t)page, PAGE }, .mode = UFFDIO_REGISTER_MODE_MISSING };
	if (ioctl(fd, UFFDIO_REGISTER, &range))
		cannot("register with userfaultfd");
}

static bool is_swapped(const char *page)
{
	uint64_t entry = 0;
	int fd = open("/proc/self/pagemap", O_RDONLY);
	if (fd < 0 || pread(fd, &entry, sizeof(entry), (off_t)((uintptr_t)page / PAGE * 8)) != sizeof(entry))
		cannot("read pagemap");
	close(fd);
	return entry >> 62 & 1;
}

/* Again and again: a page that is on its way to the LRU lists stays. */
static void page_out(char *page)
{
	for (int i = 0; i < 40 && !is_swapped(page); i++) {
		madvise(page, PAGE, 21 /* MADV_PAGEOUT */);
		usleep(5000);
	}
	if (!is_swapped(page))
		cannot("page out the page behind the arguments");
}

/* The numbers of /proc/self/stat that come after the name, from field 3 on. */
static void own_stat(unsigned long *fields, int count)
{
	static char text[2048];
	int fd = open("/proc/self/stat", O_RDONLY);
	ssize_t len = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	char *at = len > 0 ? strrchr(text, ')') : NULL;
	if (!at)
		cannot("read stat");
	close(fd);
	at += 3; /* the state is a letter */
	for (int i = 1; i < count; i++)
		fields[i] = strtoul(at + 1, &at, 10);
}

static void move_arguments(char *start, char *end)
{
	unsigned long field[52] = { 0 };
	own_stat(field + 3, 49);
	struct prctl_mm_map map = {
		.start_code = field[26],
		.end_code = field[27],
		.start_stack = field[28],
		.start_data = field[45],
		.end_data = field[46],
		.start_brk = field[47],
		.brk = (uintptr_t)sbrk(0),
		.arg_start = (uintptr_t)start,
		.arg_end = (uintptr_t)end,
		.env_start = (uintptr_t)end,
		.env_end = (uintptr_t)end,
		.exe_fd = (uint32_t)-1,
	};
	if (prctl(PR_SET_MM, PR_SET_MM_MAP, &map, sizeof(map), 0))
		cannot("move its arguments");
}

/* One page, a page that is not mapped, and the beginning of what grows into it. */
static void be_below(void)
{
	char *place = map_memory(1024 * (size_t)PAGE, PROT_NONE, MAP_PRIVATE, -1), *grows = place + 768 * PAGE;
	munmap(place, 1024 * (size_t)PAGE);
	if (mmap(grows, 8 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_GROWSDOWN, -1,
	         0) != grows)
		cannot("map memory that grows");
	/* The kernel leaves a gap of 256 pages to what lies below, unless that is none to write to. */
	char *page = grows - 2 * PAGE;
	if (mmap(page, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != page)
		cannot("map a page");
	memset(page, 'x', PAGE);
	write_pages(grows, 0, 8, 1);
	move_arguments(page + PAGE - 16, page + PAGE);
	say_range("behind", page + PAGE, PAGE);
}

static void be_file(void)
{
	char *file = map_memory(4 * PAGE, PROT_READ, MAP_PRIVATE, make_file(4 * PAGE));
	read_pages(file, 0, 4, 1);
	move_arguments(file, file + 16);
}

int main(int argc, char **argv)
{
	die_with_parent();
	if (argc == 2)
		execute_anew(argv);
	if (argc < 3)
		return 2;
	char how[16] = "";
	strncpy(how, argv[1], sizeof(how) - 1); /* the title goes over it */
	bool is_ordinary = !strcmp(how, "ordinary") || !strcmp(how, "alone");
	char *last = argv[2] + strlen(argv[2]), *page = page_behind(last);
	bool drop =
	        !strcmp(how, "absent") || !strcmp(how, "uffd") || !strcmp(how, "within") || !strcmp(how, "ordinary");
	if (!strcmp(how, "below"))
		be_below();
	else if (!strcmp(how, "file"))
		be_file();
	else if (!is_ordinary)
		memset(argv[0], 'T', (size_t)(last - argv[0]) + 1);
	if (!strcmp(how, "within"))
		last[-5] = '\0';
	if (!strcmp(how, "grown"))
		memcpy(last + 1, "and more", 9);
	if (drop && madvise(page, PAGE, MADV_DONTNEED))
		cannot("drop a page of its stack");
	if (!strcmp(how, "uffd"))
		register_missing(page);
	if (!strcmp(how, "swapped"))
		page_out(page);
	if (drop || !strcmp(how, "swapped"))
		say_range("behind", page, PAGE);
	stand_still();
}
