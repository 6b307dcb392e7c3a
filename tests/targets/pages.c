/* pages KIND... - memory whose pages are in every state a page can be in.
 * Without a kind, lists them. */
#define _GNU_SOURCE
#include "target.h"

#include <linux/userfaultfd.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/ipc.h>
#include <sys/shm.h>

/* Newer than the headers of some systems. */
#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102 /* Linux 6.13 */
#endif
#ifndef MADV_PAGEOUT
#define MADV_PAGEOUT 21
#endif
#ifndef UFFD_FEATURE_WP_UNPOPULATED
#define UFFD_FEATURE_WP_UNPOPULATED (1 << 13) /* Linux 6.4 */
#endif
#ifndef UFFD_USER_MODE_ONLY
#define UFFD_USER_MODE_ONLY 1
#endif

/* Written, read (the zero page) and untouched pages, in turn and in runs. */
static void make_anonymous(void)
{
	char *memory = map_private(256 * PAGE);
	write_pages(memory, 0, 64, 1);
	read_pages(memory, 64, 128, 1);
	write_pages(memory, 128, 192, 3);
	read_pages(memory, 129, 192, 3);
	say_range("anonymous", memory, 256 * PAGE);
}

static void make_zero(void)
{
	char *memory = map_private(1024 * PAGE);
	read_pages(memory, 0, 1024, 2);
	write_pages(memory, 512, 520, 1);
	say_range("zero", memory, 1024 * PAGE);
}

static void make_thp(void)
{
	char *memory = map_aligned(4 * HUGE_PAGE, MAP_PRIVATE);
	madvise(memory, 4 * HUGE_PAGE, MADV_HUGEPAGE);
	write_pages(memory, 0, 3 * HUGE_PAGE / PAGE, 512);
	say_range("thp", memory, 4 * HUGE_PAGE);
}

/* The first loses a page, the second a permission, the third its tail. */
static void make_thp_split(void)
{
	char *memory = map_aligned(4 * HUGE_PAGE, MAP_PRIVATE);
	madvise(memory, 4 * HUGE_PAGE, MADV_HUGEPAGE);
	write_pages(memory, 0, 4 * HUGE_PAGE / PAGE, 512);
	madvise(memory + 7 * PAGE, PAGE, MADV_DONTNEED);
	mprotect(memory + HUGE_PAGE + 100 * PAGE, 3 * PAGE, PROT_READ);
	munmap(memory + 3 * HUGE_PAGE - 10 * PAGE, 10 * PAGE);
	say_range("thp_split", memory, 4 * HUGE_PAGE);
}

static void make_huge_zero(void)
{
	char *memory = map_aligned(3 * HUGE_PAGE, MAP_PRIVATE);
	madvise(memory, 3 * HUGE_PAGE, MADV_HUGEPAGE);
	read_pages(memory, 0, 3 * HUGE_PAGE / PAGE, 512);
	write_pages(memory, HUGE_PAGE / PAGE, HUGE_PAGE / PAGE + 1, 1);
	say_range("huge_zero", memory, 3 * HUGE_PAGE);
}

static void make_thp_shared(void)
{
	char *memory = map_aligned(2 * HUGE_PAGE, MAP_SHARED);
	madvise(memory, 2 * HUGE_PAGE, MADV_HUGEPAGE);
	write_pages(memory, 0, 2 * HUGE_PAGE / PAGE, 512);
	say_range("thp_shared", memory, 2 * HUGE_PAGE);
}

static void make_hugetlb(void)
{
	int both[] = { MAP_PRIVATE, MAP_SHARED };
	for (int i = 0; i < 2; i++) {
		char *memory = map_memory(3 * (size_t)HUGE_PAGE, PROT_READ | PROT_WRITE, both[i] | MAP_HUGETLB, -1);
		write_pages(memory, 0, 2 * HUGE_PAGE / PAGE, 512);
		say_range(i ? "hugetlb_shared" : "hugetlb_private", memory, 3 * (size_t)HUGE_PAGE);
	}
}

/* One of 1 GiB, if the machine was started with some. */
static void make_gigantic(void)
{
	const size_t size = (size_t)1 << 30;
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
	                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB | (int)(30u << 26), -1, 0);
	if (memory == MAP_FAILED)
		cannot("map a page of 1 GiB");
	*(volatile char *)memory = 1;
	say_range("gigantic", memory, size);
}

static void make_swap(void)
{
	char *memory = map_private(512 * PAGE);
	write_pages(memory, 0, 400, 1);
	if (madvise(memory, 256 * PAGE, MADV_PAGEOUT))
		cannot("page out");
	write_pages(memory, 50, 60, 1); /* and back in */
	say_range("swap", memory, 512 * PAGE);
	char *shared = map_memory(64 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, -1);
	write_pages(shared, 0, 64, 1);
	madvise(shared, 32 * PAGE, MADV_PAGEOUT);
	say_range("swap_shared", shared, 64 * PAGE);
}

/* A program in shared memory, as a container's runtime runs one, that is swapped out. */
static void make_swap_code(void)
{
	static char block[PAGE];
	int code = open("/proc/self/exe", O_RDONLY), fd = memfd_create("a program", 0);
	ssize_t got;
	size_t bytes = 0;
	for (; code >= 0 && fd >= 0 && (got = read(code, block, sizeof(block))) > 0; bytes += PAGE)
		if (write(fd, block, (size_t)got) != got)
			cannot("write a memfd");
	char *memory = map_memory(bytes, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd);
	/* What is mapped is not swapped out: it is taken from the file itself. */
	char *shared = map_memory(bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd);
	for (int i = 0; i < 20; i++) {
		read_pages(shared, 0, bytes / PAGE, 1);
		if (madvise(shared, bytes, MADV_PAGEOUT))
			cannot("page out");
		usleep(2000);
	}
	munmap(shared, bytes);
	close(fd);
	say_range("swap_code", memory, bytes);
}

static void make_ksm(void)
{
	char *memory = map_private(256 * PAGE);
	memset(memory, 0x5a, 200 * PAGE);
	if (madvise(memory, 256 * PAGE, MADV_MERGEABLE))
		cannot("merge pages");
	for (int tries = 0; tries < 200; tries++) {
		char text[32] = "0";
		int fd = open("/proc/self/ksm_merging_pages", O_RDONLY);
		if (fd < 0 || read(fd, text, sizeof(text) - 1) < 0)
			cannot("read ksm_merging_pages");
		close(fd);
		if (atoi(text) >= 150)
			break;
		usleep(50000);
	}
	memory[17 * PAGE] = 1; /* un-merged */
	say_range("ksm", memory, 256 * PAGE);
}

static void make_guard(void)
{
	char *memory = map_private(128 * PAGE);
	write_pages(memory, 0, 64, 1);
	if (madvise(memory + 10 * PAGE, 20 * PAGE, MADV_GUARD_INSTALL) ||
	    madvise(memory + 100 * PAGE, 7 * PAGE, MADV_GUARD_INSTALL))
		cannot("install guards");
	say_range("guard", memory, 128 * PAGE);
	char *file = map_memory(32 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, make_file(32 * PAGE));
	read_pages(file, 0, 32, 1);
	if (!madvise(file + 4 * PAGE, 4 * PAGE, MADV_GUARD_INSTALL)) /* Linux 6.15 */
		say_range("guard_file", file, 32 * PAGE);
}

static void make_memfd(void)
{
	int fd = memfd_create("a memfd", 0);
	if (fd < 0 || ftruncate(fd, 128 * PAGE))
		cannot("memfd_create");
	char *shared = map_memory(128 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd);
	char *private = map_memory(128 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd);
	write_pages(shared, 0, 100, 2);
	read_pages(private, 0, 50, 1);
	write_pages(private, 20, 30, 1);
	say_range("memfd_shared", shared, 128 * PAGE);
	say_range("memfd_private", private, 128 * PAGE);
}

static void make_sysv(void)
{
	int id = shmget(IPC_PRIVATE, 64 * PAGE, IPC_CREAT | 0600);
	char *memory = id < 0 ? MAP_FAILED : shmat(id, NULL, 0);
	if (memory == MAP_FAILED)
		cannot("shmget");
	shmctl(id, IPC_RMID, NULL);
	write_pages(memory, 0, 40, 1);
	say_range("sysv", memory, 64 * PAGE);
}

/* Half of it is mapped in a child as well: not exclusive. */
static void make_shared(void)
{
	char *memory = map_memory(64 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, -1);
	write_pages(memory, 0, 48, 1);
	int up[2];
	char byte;
	if (pipe(up))
		cannot("pipe");
	if (!fork()) {
		die_with_parent();
		read_pages(memory, 0, 24, 1);
		if (write(up[1], "x", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	if (read(up[0], &byte, 1) != 1)
		cannot("fork");
	say_range("shared", memory, 64 * PAGE);
}

static void make_file_pages(void)
{
	int fd = make_file(128 * PAGE);
	char *private = map_memory(128 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd);
	char *shared = map_memory(128 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd);
	read_pages(private, 0, 40, 5);
	write_pages(private, 60, 80, 2);
	write_pages(shared, 0, 20, 1);
	say_range("file_private", private, 128 * PAGE);
	say_range("file_shared", shared, 128 * PAGE);
}

static void make_prot_none(void)
{
	char *never = map_memory(64 * PAGE, PROT_NONE, MAP_PRIVATE, -1);
	char *later = map_private(64 * PAGE);
	write_pages(later, 0, 32, 1);
	mprotect(later, 64 * PAGE, PROT_NONE);
	say_range("prot_none", never, 64 * PAGE);
	say_range("prot_none_written", later, 64 * PAGE);
}

static void uffd_protect(int fd, char *start, size_t bytes)
{
	struct uffdio_writeprotect protect = { .range = { (uintptr_t)start, bytes },
		                               .mode = UFFDIO_WRITEPROTECT_MODE_WP };
	if (ioctl(fd, UFFDIO_WRITEPROTECT, &protect))
		cannot("write-protect through userfaultfd");
}

/* Pages 0-31 are written, 32-47 read, the rest untouched; 16-63 protected. */
static void make_uffd_wp(void)
{
	int fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | UFFD_USER_MODE_ONLY);
	struct uffdio_api api = { .api = UFFD_API, .features = UFFD_FEATURE_WP_UNPOPULATED };
	if (fd < 0 || ioctl(fd, UFFDIO_API, &api))
		cannot("userfaultfd");
	char *memory = map_private(128 * PAGE);
	write_pages(memory, 0, 32, 1);
	read_pages(memory, 32, 48, 1);
	struct uffdio_register range = { .range = { (uintptr_t)memory, 128 * PAGE }, .mode = UFFDIO_REGISTER_MODE_WP };
	if (ioctl(fd, UFFDIO_REGISTER, &range))
		cannot("register with userfaultfd");
	uffd_protect(fd, memory + 16 * PAGE, 48 * PAGE);
	uffd_protect(fd, memory + 100 * PAGE, 5 * PAGE);
	say_range("uffd_wp", memory, 128 * PAGE);
}

/* Some were touched before somebody promised to make the others. */
static void make_uffd_missing(void)
{
	int fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | UFFD_USER_MODE_ONLY);
	struct uffdio_api api = { .api = UFFD_API };
	if (fd < 0 || ioctl(fd, UFFDIO_API, &api))
		cannot("userfaultfd");
	char *memory = map_private(64 * PAGE);
	write_pages(memory, 0, 32, 2);
	struct uffdio_register range = { .range = { (uintptr_t)memory, 64 * PAGE },
		                         .mode = UFFDIO_REGISTER_MODE_MISSING };
	if (ioctl(fd, UFFDIO_REGISTER, &range))
		cannot("register with userfaultfd");
	say_range("uffd_missing", memory, 64 * PAGE);
}

/* Protected first, swapped then: a real slot with the bit on. */
static void make_uffd_wp_swap(void)
{
	int fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | UFFD_USER_MODE_ONLY);
	struct uffdio_api api = { .api = UFFD_API, .features = UFFD_FEATURE_WP_UNPOPULATED };
	if (fd < 0 || ioctl(fd, UFFDIO_API, &api))
		cannot("userfaultfd");
	char *memory = map_private(64 * PAGE);
	write_pages(memory, 0, 32, 1);
	struct uffdio_register range = { .range = { (uintptr_t)memory, 64 * PAGE }, .mode = UFFDIO_REGISTER_MODE_WP };
	if (ioctl(fd, UFFDIO_REGISTER, &range))
		cannot("register with userfaultfd");
	uffd_protect(fd, memory, 48 * PAGE);
	if (madvise(memory, 16 * PAGE, MADV_PAGEOUT))
		cannot("page out");
	say_range("uffd_wp_swap", memory, 64 * PAGE);
}

/* Parent and child share frames after a fork: present, not exclusive. */
static void make_forked(void)
{
	char *memory = map_private(64 * PAGE);
	int up[2];
	char byte;
	write_pages(memory, 0, 48, 1);
	if (pipe(up))
		cannot("pipe");
	if (!fork()) {
		die_with_parent();
		write_pages(memory, 8, 16, 1);
		madvise(memory + 32 * PAGE, 4 * PAGE, MADV_DONTNEED);
		if (write(up[1], "x", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	if (read(up[0], &byte, 1) != 1)
		cannot("fork");
	say_range("forked", memory, 64 * PAGE);
}

/* Where the kernel keeps no names for memory (CONFIG_ANON_VMA_NAME), it has none. */
static void make_named(void)
{
	char *private = map_private(16 * PAGE);
	write_pages(private, 0, 8, 1);
	prctl(0x53564d41 /* PR_SET_VMA */, 0, private, 16 * PAGE, "my cache");
	say_range("named", private, 16 * PAGE);
}

/* Its own data, zeroed data and stack: touched, not touched, and given back. */
static char own_data[32 * PAGE] __attribute__((aligned(PAGE))) = { 1 };
static char own_bss[32 * PAGE] __attribute__((aligned(PAGE)));

static void __attribute__((noinline)) go_deep(void)
{
	char deep[40 * PAGE];
	char *first = (char *)(((uintptr_t)deep + PAGE) & ~((uintptr_t)PAGE - 1));
	write_pages(first, 0, 32, 1);
	if (madvise(first, 24 * PAGE, MADV_DONTNEED))
		cannot("give stack back");
	say_range("given_back_stack", first, 32 * PAGE);
}

static void make_given_back(void)
{
	write_pages(own_data, 0, 16, 1);
	write_pages(own_bss, 0, 16, 1);
	read_pages(own_data, 16, 20, 1);
	if (madvise(own_data, 8 * PAGE, MADV_DONTNEED) || madvise(own_bss, 8 * PAGE, MADV_DONTNEED))
		cannot("give data back");
	go_deep();
	say_range("given_back_data", own_data, sizeof(own_data));
	say_range("given_back_bss", own_bss, sizeof(own_bss));
}

static void *wait_forever(void *memory)
{
	*(volatile char *)memory = 1;
	while (pause())
		;
	return memory;
}

/* Their stacks are theirs alone. */
static void make_threads(void)
{
	char *memory = map_private(8 * PAGE);
	for (int i = 0; i < 8; i++) {
		pthread_t thread;
		if (pthread_create(&thread, NULL, wait_forever, memory + i * PAGE))
			cannot("make a thread");
	}
	for (int i = 0; i < 8; i++)
		while (!*(volatile char *)(memory + i * PAGE))
			usleep(100);
	say_range("threads", memory, 8 * PAGE);
}

static const struct {
	const char *name;
	void (*make)(void);
} kinds[] = {
	{ "anonymous", make_anonymous },
	{ "zero", make_zero },
	{ "thp", make_thp },
	{ "thp_split", make_thp_split },
	{ "huge_zero", make_huge_zero },
	{ "thp_shared", make_thp_shared },
	{ "hugetlb", make_hugetlb },
	{ "gigantic", make_gigantic },
	{ "swap", make_swap },
	{ "ksm", make_ksm },
	{ "guard", make_guard },
	{ "memfd", make_memfd },
	{ "sysv", make_sysv },
	{ "shared", make_shared },
	{ "file", make_file_pages },
	{ "prot_none", make_prot_none },
	{ "uffd_wp", make_uffd_wp },
	{ "uffd_wp_swap", make_uffd_wp_swap },
	{ "forked", make_forked },
	{ "swap_code", make_swap_code },
	{ "named", make_named },
	{ "uffd_missing", make_uffd_missing },
	{ "given_back", make_given_back },
	{ "threads", make_threads },
};
enum { KINDS = sizeof(kinds) / sizeof(kinds[0]) };

int main(int argc, char **argv)
{
	die_with_parent();
	for (int i = 1; i < argc; i++) {
		int k = 0;
		while (k < KINDS && strcmp(kinds[k].name, argv[i]) != 0)
			k++;
		if (k == KINDS) {
			say("no such kind: %s\n", argv[i]);
			return 2;
		}
		kinds[k].make();
	}
	if (argc == 1) {
		for (int k = 0; k < KINDS; k++)
			say("%s\n", kinds[k].name);
		return 0;
	}
	stand_still();
}
