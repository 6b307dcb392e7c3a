/* Pages that one function wrote to, and that are given back, and made anew by something else: or not.
 *
 * made_anew KIND: after "go", wrote_before() writes to "pages" of its own; what comes then is told by the kinds below.
 */
#define _GNU_SOURCE
#include "blame_target.h"

#include <link.h>
#include <linux/io_uring.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/uio.h>

enum { PAGES = 32, BYTES = PAGES * PAGE };
static char *pages, *there, *old;
static int file;

FUNCTION wrote_before(volatile char *at, size_t bytes);
FUNCTION writes_after(volatile char *at, size_t bytes);

FUNCTION wrote_before(volatile char *at, size_t bytes)
{
	for (size_t i = 0; i < bytes; i += PAGE)
		at[i] = 1;
}

FUNCTION writes_after(volatile char *at, size_t bytes)
{
	for (size_t i = 0; i < bytes; i += PAGE)
		at[i] += 2;
}

static void populate(void)
{
	must(madvise(pages, BYTES, MADV_POPULATE_WRITE), "populate");
}

static void give_back(void)
{
	must(madvise(pages, BYTES, MADV_DONTNEED), "give back");
}

/* ---- kinds -------------------------------------------------------------------------------- */

static void stays(void)
{
}

static void populated(void)
{
	give_back();
	populate();
}

static void locked(void)
{
	give_back();
	must(mlock(pages, BYTES), "lock");
}

/* Past the page cache, which no fault of the process is for. */
static void direct(void)
{
	give_back();
	must((int)pread(file, pages, BYTES, 0), "read directly");
}

static void mapped_again(void)
{
	must(munmap(pages, BYTES), "unmap");
	map_small(pages, BYTES, MAP_FIXED_NOREPLACE | MAP_POPULATE, -1);
}

/* What fails gives nothing back. */
static void refused(void)
{
	if (!munmap(pages + 1, BYTES) ||
	    mmap(pages, BYTES, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_FIXED_NOREPLACE, -1, 0) !=
	            MAP_FAILED ||
	    mmap(pages + 1, BYTES, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != MAP_FAILED ||
	    mmap(pages, BYTES, PROT_READ, MAP_PRIVATE | MAP_FIXED, -1, 0) != MAP_FAILED ||
	    mremap(old, BYTES, BYTES, MREMAP_MAYMOVE | MREMAP_FIXED, pages + 1) != MAP_FAILED)
		cannot("be refused");
}

/* For want of memory: more than it may have. */
static void too_much(void)
{
	const struct rlimit none = { PAGE, PAGE };
	must(setrlimit(RLIMIT_AS, &none), "limit memory");
	if (mmap(pages, BYTES, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != MAP_FAILED)
		cannot("be refused");
}

static void mapped_over(void)
{
	map_small(pages, BYTES, MAP_FIXED | MAP_POPULATE, -1);
}

static void moved_over(void)
{
	if (mremap(old, BYTES, BYTES, MREMAP_MAYMOVE | MREMAP_FIXED, pages) != pages)
		cannot("move");
}

static void moved_away(void)
{
	if (mremap(pages, BYTES, BYTES, MREMAP_MAYMOVE | MREMAP_FIXED, there) != there)
		cannot("move");
}

static void moved_twice(void)
{
	moved_away();
	if (mremap(there, BYTES, BYTES, MREMAP_MAYMOVE | MREMAP_FIXED, pages) != pages)
		cannot("move");
}

/* Its end is cut off, and is then made anew. */
static void shrunk(void)
{
	if (mremap(pages, BYTES, BYTES / 2, 0) != pages || mremap(pages, BYTES / 2, BYTES, 0) != pages)
		cannot("shrink and grow");
	populate();
}

static void heap(void)
{
	if (brk(pages) || brk(pages + BYTES))
		cannot("make the heap smaller and larger");
	populate();
}

/* Its end stays where it is. */
static void heap_refused(void)
{
	if (syscall(SYS_brk, PAGE) < (long)(uintptr_t)pages)
		cannot("be refused");
}

static void freed(void)
{
	must(madvise(pages, BYTES, MADV_FREE), "free");
}

/* False: there are no rings (kernel.io_uring_disabled, seccomp). */
static bool give_back_by_ring(void)
{
	struct io_uring_params params = { .flags = 0 };
	int ring = (int)syscall(SYS_io_uring_setup, 1, &params);
	if (ring < 0)
		return false;
	char *queue = mmap(NULL, params.sq_off.array + sizeof(uint32_t), PROT_READ | PROT_WRITE, MAP_SHARED, ring,
	                   IORING_OFF_SQ_RING);
	struct io_uring_sqe *entry =
	        mmap(NULL, sizeof(*entry), PROT_READ | PROT_WRITE, MAP_SHARED, ring, IORING_OFF_SQES);
	if (queue == MAP_FAILED || entry == MAP_FAILED)
		cannot("map a ring");
	*entry = (struct io_uring_sqe){ .opcode = IORING_OP_MADVISE,
		                        .fd = -1,
		                        .addr = (uintptr_t)pages,
		                        .len = BYTES,
		                        .fadvise_advice = MADV_DONTNEED };
	memset(queue + params.sq_off.array, 0, sizeof(uint32_t));
	__atomic_store_n((uint32_t *)(void *)(queue + params.sq_off.tail), 1, __ATOMIC_RELEASE);
	return syscall(SYS_io_uring_enter, ring, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) == 1;
}

/* Where there are no rings, in another way of which no more is known. */
static void by_ring(void)
{
	if (give_back_by_ring())
		populate();
	else
		freed();
}

static int from_child(void *unused)
{
	(void)unused;
	writes_after(pages, BYTES);
	return 0;
}

static pid_t with_this_memory(int (*act)(void *))
{
	static char stack[64 << 10] __attribute__((aligned(16)));
	pid_t child = clone(act, stack + sizeof(stack), CLONE_VM | SIGCHLD, NULL);
	must(child, "clone");
	return child;
}

static void by_same_memory(void)
{
	give_back();
	waitpid(with_this_memory(from_child), NULL, 0);
}

/* One that had it before. */
static int go[2], done[2];

static int had_child(void *unused)
{
	char byte;
	(void)unused;
	die_with_parent();
	if (read(go[0], &byte, 1) != 1)
		return 1;
	writes_after(there, BYTES);
	if (write(done[1], "", 1) != 1)
		return 1;
	for (;;)
		pause();
}

static void had_same_memory(void)
{
	char byte;
	if (write(go[1], "", 1) != 1 || read(done[0], &byte, 1) != 1)
		cannot("have it do that");
}

static void by_vfork(void)
{
	give_back();
	if (!vfork()) {
		from_child(NULL);
		_exit(0);
	}
}

/* By who has this memory, and with nothing there before. */
static void given_back_by_same_memory(void)
{
	if (!vfork()) {
		give_back();
		_exit(0);
	}
	populate();
}

static void collapsed(void)
{
	must(madvise(there, HUGE_PAGE, MADV_HUGEPAGE), "want huge pages");
	must(madvise(there, HUGE_PAGE, MADV_COLLAPSE), "collapse");
}

/* As another process would. */
static void collapsed_by_another(void)
{
	const struct iovec all = { there, HUGE_PAGE };
	int self = (int)syscall(SYS_pidfd_open, getpid(), 0);
	must(madvise(there, HUGE_PAGE, MADV_HUGEPAGE), "want huge pages");
	if (syscall(SYS_process_madvise, self, &all, 1, MADV_COLLAPSE, 0) < 0)
		cannot("collapse");
}

static struct {
	uintptr_t start;
	size_t size;
	off_t offset;
} code;

static int find_code(struct dl_phdr_info *info, size_t size, void *unused)
{
	(void)size, (void)unused;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *header = &info->dlpi_phdr[i];
		uintptr_t start = info->dlpi_addr + header->p_vaddr;
		if (header->p_type == PT_LOAD && (uintptr_t)&writes_after - start < header->p_memsz) {
			code.start = start & ~(uintptr_t)(PAGE - 1);
			code.size = start + header->p_memsz - code.start;
			code.offset = (off_t)(header->p_offset & ~(uint64_t)(PAGE - 1));
			return 1;
		}
	}
	return 0;
}

/* Of a copy of the code, which is unmapped, and then something is mapped there that looks like it. */
static void by_unmapped_code(void)
{
	int own = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	dl_iterate_phdr(find_code, NULL);
	char *copy = mmap(NULL, code.size, PROT_READ | PROT_EXEC, MAP_PRIVATE, own, code.offset);
	if (copy == MAP_FAILED)
		cannot("map its code");
	void (*writes)(volatile char *, size_t) =
	        (void (*)(volatile char *, size_t))(copy + ((uintptr_t)&writes_after - code.start));
	writes(there, BYTES);
	must(munmap(copy, code.size), "unmap");
	if (mmap(copy, code.size, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_FIXED_NOREPLACE, own, code.offset) != copy)
		cannot("map its code there");
}

static const struct {
	const char *name;
	void (*act)(void);
} kinds[] = {
	{ "stays", stays },
	{ "populated", populated },
	{ "locked", locked },
	{ "direct", direct },
	{ "refused", refused },
	{ "too_much", too_much },
	{ "mapped_again", mapped_again },
	{ "mapped_over", mapped_over },
	{ "moved_over", moved_over },
	{ "moved_away", moved_away },
	{ "moved_twice", moved_twice },
	{ "shrunk", shrunk },
	{ "heap", heap },
	{ "heap_refused", heap_refused },
	{ "freed", freed },
	{ "by_ring", by_ring },
	{ "by_same_memory", by_same_memory },
	{ "had_same_memory", had_same_memory },
	{ "by_vfork", by_vfork },
	{ "given_back_by_same_memory", given_back_by_same_memory },
	{ "shared_again", have_child },
	{ "collapsed", collapsed },
	{ "collapsed_by_another", collapsed_by_another },
	{ "by_unmapped_code", by_unmapped_code },
};

/* ---- before ------------------------------------------------------------------------------- */

static void open_file(void)
{
	char name[] = "/tmp/vmsnap-anew-XXXXXX";
	file = mkstemp(name);
	must(file, "make a file");
	unlink(name);
	must(ftruncate(file, BYTES), "make a file");
	fcntl(file, F_SETFL, O_DIRECT); /* tmpfs takes that from Linux 6.6 on; else it is copied in the call */
}

static void find_pages(const char *kind)
{
	pages = map_small(NULL, BYTES, 0, -1);
	there = map_small(NULL, BYTES, 0, -1);
	old = map_small(NULL, BYTES, 0, -1);
	writes_after(old, BYTES);
	if (!strncmp(kind, "heap", 4)) {
		pages = aligned(sbrk(BYTES + PAGE), PAGE);
		must(brk(pages + BYTES), "make the heap larger");
	}
	if (!strcmp(kind, "collapsed")) {
		there = aligned(map_small(NULL, 2 * HUGE_PAGE, 0, -1), HUGE_PAGE);
		writes_after(there, HUGE_PAGE - PAGE);
		pages = there + HUGE_PAGE - PAGE;
	}
	if (!strcmp(kind, "collapsed_by_another")) {
		there = aligned(map_small(NULL, 2 * HUGE_PAGE, 0, -1), HUGE_PAGE);
		pages = there + HUGE_PAGE - PAGE;
	}
	if (!strcmp(kind, "shared_again")) {
		writes_after(pages, BYTES);
		have_child();
	}
	if (!strcmp(kind, "had_same_memory")) {
		if (pipe(go) || pipe(done))
			cannot("make a pipe");
		with_this_memory(had_child);
	}
	if (!strcmp(kind, "direct"))
		open_file();
}

int main(int argc, char **argv)
{
	size_t which = 0, count = sizeof(kinds) / sizeof(*kinds);
	die_with_parent();
	while (which < count && (argc < 2 || strcmp(kinds[which].name, argv[1]) != 0))
		which++;
	if (which == count)
		return 2;
	find_pages(kinds[which].name);
	bool huge = kinds[which].act == collapsed || kinds[which].act == collapsed_by_another;
	size_t bytes = huge ? PAGE : BYTES;
	say_range("pages", pages, bytes);
	say_range("there", there, huge ? HUGE_PAGE - PAGE : BYTES);
	next_command();
	wrote_before(pages, bytes);
	kinds[which].act();
	stand_still();
}
