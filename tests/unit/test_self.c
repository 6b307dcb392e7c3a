/* Snapshots that a process takes of itself: against what the kernel says, and against each other. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#include <cmocka.h>

#include "own_maps.h"
#include "test_skip.h"
#include "vmsnap.h"

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102 /* Linux 6.13 */
#endif

static char memory[2 << 20];

static struct vmsnap_self *prepared(void *at, size_t bytes)
{
	struct vmsnap_self_options options = { .size = sizeof(options), .memory = at, .bytes = bytes, .label = "mine" };
	struct vmsnap_self *self;
	struct vmsnap_error err = { 0 };
	if (vmsnap_self_prepare(&options, &self, &err))
		fail_msg("%s", err.message);
	return self;
}

static struct vmsnap_self_told told_by(const struct vmsnap_self *self)
{
	struct vmsnap_self_told told;
	vmsnap_self_told(self, &told);
	return told;
}

static struct vmsnap *finished(struct vmsnap_self *self)
{
	struct vmsnap_error err = { 0 };
	struct vmsnap *snap;
	if (vmsnap_self_finish(self, &snap, &err))
		fail_msg("%s", err.message);
	return snap;
}

static struct vmsnap *written(struct vmsnap_self *self)
{
	struct vmsnap_error err = { 0 };
	struct vmsnap *snap = NULL;
	struct vmsnap_file *file;
	FILE *made = tmpfile();
	assert_non_null(made);
	assert_int_equal(vmsnap_self_write(self, fileno(made)), VMSNAP_OK);
	rewind(made);
	if (vmsnap_file_open_fd(fileno(made), NULL, &file, &err) || vmsnap_file_load(file, 0, &snap, &err))
		fail_msg("%s", err.message);
	vmsnap_file_close(file);
	fclose(made);
	return snap;
}

static void assert_same_run(const struct vmsnap_run *a, const struct vmsnap_run *b)
{
	if (a->start != b->start || a->end != b->end || a->pfn != b->pfn || a->flags != b->flags ||
	    a->swap_offset != b->swap_offset || a->swap_type != b->swap_type)
		fail_msg("%" PRIx64 "-%" PRIx64 " %x %" PRIx64 " is not %" PRIx64 "-%" PRIx64 " %x %" PRIx64, a->start,
		         a->end, a->flags, a->pfn, b->start, b->end, b->flags, b->pfn);
}

static void assert_same_pages(const struct vmsnap *a, const struct vmsnap *b, uint64_t from, uint64_t until)
{
	struct vmsnap_run_iter at, bt;
	struct vmsnap_run ar, br;
	vmsnap_run_iter_init(&at, a, from, until);
	vmsnap_run_iter_init(&bt, b, from, until);
	int rc;
	while (!(rc = vmsnap_run_next(&at, &ar))) {
		assert_int_equal(vmsnap_run_next(&bt, &br), VMSNAP_OK);
		assert_same_run(&ar, &br);
	}
	assert_int_equal(vmsnap_run_next(&bt, &br), rc);
}

static void assert_same_vma(const struct vmsnap_vma *a, const struct vmsnap_vma *b)
{
	if (a->start != b->start || a->end != b->end || a->offset != b->offset || a->inode != b->inode)
		fail_msg("%" PRIx64 "-%" PRIx64 " %s is not %" PRIx64 "-%" PRIx64 " %s", a->start, a->end, a->name,
		         b->start, b->end, b->name);
	assert_true(a->dev_major == b->dev_major && a->dev_minor == b->dev_minor && a->perms == b->perms);
	assert_string_equal(a->name, b->name);
	assert_int_equal(a->deleted, b->deleted);
}

static void assert_same_identity(const struct vmsnap_info *a, const struct vmsnap_info *b)
{
	assert_true(a->pid == b->pid && a->tgid == b->tgid && a->ppid == b->ppid && a->uid == b->uid);
	assert_true(a->ns_pid == b->ns_pid && a->pid_namespace == b->pid_namespace && a->start_time == b->start_time);
	assert_true(a->page_size == b->page_size && a->zero_pfn == b->zero_pfn && a->start_code == b->start_code);
	assert_true(a->start_stack == b->start_stack && a->arg_start == b->arg_start);
	assert_string_equal(a->boot_id, b->boot_id);
	assert_string_equal(a->host, b->host);
	assert_string_equal(a->kernel, b->kernel);
	assert_string_equal(a->arch, b->arch);
	assert_string_equal(a->comm, b->comm);
	assert_string_equal(a->exe, b->exe);
	assert_string_equal(a->cgroup, b->cgroup);
	assert_string_equal(a->machine_hash, b->machine_hash);
	assert_int_equal(a->cmdline_len, b->cmdline_len);
	assert_memory_equal(a->cmdline, b->cmdline, a->cmdline_len);
	assert_true(a->known.pfn == b->known.pfn && a->known.zero == b->known.zero && a->known.huge == b->known.huge);
	assert_true(a->known.soft_dirty == b->known.soft_dirty && a->known.exclusive == b->known.exclusive);
}

/* Of all kinds of runs some; and many. */
static char *make_pages(size_t pages)
{
	uint64_t size = page_size();
	char *at = own(NULL, pages * size, PROT_READ | PROT_WRITE, MAP_PRIVATE);
	assert_true(at != MAP_FAILED);
	madvise(at, pages * size, MADV_NOHUGEPAGE);
	for (size_t i = 0; i < pages; i++) {
		volatile char *page = at + i * size;
		if (i % 7 == 3)
			(void)*page;
		else if (i % 3)
			*page = 1;
	}
	(void)madvise(at + 4 * size, 2 * size, MADV_GUARD_INSTALL);
	return at;
}

static void a_file_and_a_snapshot_say_the_same(void **state)
{
	(void)state;
	enum { PAGES = 6000 };
	char *at = make_pages(PAGES);
	struct vmsnap_self *self = prepared(NULL, 0);
	assert_int_equal(vmsnap_capture_self(self), VMSNAP_OK);
	struct vmsnap_self_told told = told_by(self);
	assert_true(told.taken && !told.known_until && told.used < told.bytes);
	struct vmsnap *file = written(self), *snap = finished(self);
	assert_same_identity(vmsnap_info(file), vmsnap_info(snap));
	assert_string_equal(vmsnap_info(file)->label, "mine");
	assert_true(vmsnap_info(file)->taken == vmsnap_info(snap)->taken);
	assert_true(vmsnap_info(file)->monotonic == vmsnap_info(snap)->monotonic);
	assert_int_equal(vmsnap_info(file)->consistent, vmsnap_info(snap)->consistent);
	size_t len[2];
	const char *status = vmsnap_status_text(file, &len[0]);
	assert_memory_equal(status, vmsnap_status_text(snap, &len[1]), len[0]);
	assert_int_equal(len[0], len[1]);
	assert_int_equal(vmsnap_vma_count(file), vmsnap_vma_count(snap));
	for (size_t i = 0; i < vmsnap_vma_count(snap); i++)
		assert_same_vma(vmsnap_vma(file, i), vmsnap_vma(snap, i));
	assert_same_pages(file, snap, 0, UINT64_MAX);
	vmsnap_unref(file);
	vmsnap_unref(snap);
	vmsnap_self_free(self);
	munmap(at, PAGES * page_size());
}

/* Who it is, and each page of some that nobody touches since, as pagemap has them. */
static void it_says_what_the_kernel_says(void **state)
{
	(void)state;
	enum { PAGES = 6000 };
	static uint64_t entries[PAGES];
	uint64_t size = page_size(), pfn_mask = (UINT64_C(1) << 55) - 1;
	char *at = make_pages(PAGES);
	struct vmsnap_self *self = prepared(memory, sizeof(memory));
	assert_int_equal(vmsnap_capture_self(self), VMSNAP_OK);
	read_maps();
	struct vmsnap *snap = finished(self);
	assert_int_equal(vmsnap_info(snap)->pid, getpid());
	assert_int_equal(vmsnap_info(snap)->uid, geteuid());
	assert_int_equal(vmsnap_info(snap)->ppid, getppid());
	assert_true(vmsnap_info(snap)->consistent);
	assert_int_equal(vmsnap_vma_count(snap), line_count);
	for (size_t i = 0; i < line_count; i++)
		assert_true(vmsnap_vma(snap, i)->start == lines[i].start && vmsnap_vma(snap, i)->end == lines[i].end);
	int fd = open("/proc/self/pagemap", O_RDONLY);
	assert_int_equal(pread(fd, entries, sizeof(entries), (off_t)((uintptr_t)at / size * 8)), sizeof(entries));
	close(fd);
	for (size_t i = 0; i < PAGES; i++) {
		struct vmsnap_run page;
		int rc = vmsnap_page_at(snap, (uintptr_t)at + i * size, &page);
		if (rc) {
			assert_false(entries[i] >> 62);
			continue;
		}
		if (entries[i] >> 58 & 1) {
			assert_int_equal(page.flags, VMSNAP_PAGE_GUARD);
			continue;
		}
		assert_int_equal(!!(page.flags & VMSNAP_PAGE_PRESENT), entries[i] >> 63);
		assert_true(page.pfn == (entries[i] & pfn_mask));
		assert_int_equal(!!(page.flags & VMSNAP_PAGE_EXCLUSIVE), entries[i] >> 56 & 1);
		if (vmsnap_info(snap)->known.zero)
			assert_int_equal(!!(page.flags & VMSNAP_PAGE_ZERO), i % 7 == 3);
	}
	vmsnap_unref(snap);
	munmap(at, PAGES * size);
}

/* The page at an address, or the first that is mapped above it. */
static bool is_unread(const struct vmsnap *snap, uint64_t address)
{
	struct vmsnap_run page;
	for (size_t i = 0; i < vmsnap_vma_count(snap); i++) {
		const struct vmsnap_vma *vma = vmsnap_vma(snap, i);
		if (vma->end <= address)
			continue;
		uint64_t at = vma->start > address ? vma->start : address;
		return !vmsnap_page_at(snap, at, &page) && !(page.flags & VMSNAP_PAGE_PRESENT) &&
		       !vmsnap_swap_known(&page);
	}
	return false;
}

/* What is there is right, and the rest is said to be unknown. */
static void what_does_not_fit_is_said(void **state)
{
	(void)state;
	enum { PAGES = 8000, STEPS = 40 };
	char *at = make_pages(PAGES);
	struct vmsnap_self *whole = prepared(NULL, 0);
	unsigned cut = 0;
	for (size_t i = 0; i < STEPS; i++) {
		size_t bytes = i + 1 < STEPS ? (64 << 10) + i * 4096 + i : sizeof(memory);
		struct vmsnap_self *self = prepared(memory, bytes);
		assert_int_equal(vmsnap_capture_self(whole), VMSNAP_OK);
		assert_int_equal(vmsnap_capture_self(self), VMSNAP_OK);
		uint64_t until = told_by(self).known_until;
		struct vmsnap *all = finished(whole), *some = finished(self), *file = written(self);
		assert_true(vmsnap_info(some)->known_until == until && vmsnap_info(file)->known_until == until);
		assert_true(vmsnap_info(all)->known_until == 0);
		cut += until != 0;
		uint64_t end = until ? until : UINT64_MAX;
		/* That it is taken twice changes nothing but the memory it is taken into. */
		uint64_t mine = (uintptr_t)at, to = mine + PAGES * page_size();
		assert_same_pages(some, all, mine < end ? mine : end, to < end ? to : end);
		assert_same_pages(some, file, 0, UINT64_MAX);
		assert_true(!until || vmsnap_vma_count(some) < vmsnap_vma_count(all) || is_unread(some, until));
		assert_int_equal(vmsnap_vma_count(some), vmsnap_vma_count(file));
		for (size_t k = 0; k < vmsnap_vma_count(some); k++)
			assert_same_vma(vmsnap_vma(some, k), vmsnap_vma(all, k));
		vmsnap_unref(all);
		vmsnap_unref(some);
		vmsnap_unref(file);
	}
	assert_true(cut > 4 && cut < STEPS);
	vmsnap_self_free(whole);
	munmap(at, PAGES * page_size());
}

static void who_is_not_prepared_gets_none(void **state)
{
	(void)state;
	struct vmsnap_error err = { 0 };
	struct vmsnap *snap;
	struct vmsnap_self *self;
	struct vmsnap_self_options options = { .size = sizeof(options), .memory = memory, .bytes = 4096 };
	assert_int_equal(vmsnap_self_prepare(&options, &self, &err), VMSNAP_ERR_ARGUMENT);
	memset(memory, 0, sizeof(memory));
	assert_int_equal(vmsnap_capture_self((struct vmsnap_self *)(void *)memory), VMSNAP_ERR_ARGUMENT);
	assert_int_equal(vmsnap_capture_self(NULL), VMSNAP_ERR_ARGUMENT);
	self = prepared(memory, sizeof(memory));
	assert_int_equal(vmsnap_self_finish(self, &snap, &err), VMSNAP_ERR_NOT_FOUND);
	assert_int_equal(vmsnap_self_write(self, 1), VMSNAP_ERR_NOT_FOUND);
	assert_int_equal(vmsnap_capture_self(self), VMSNAP_OK);
	int closed = dup(1);
	close(closed);
	assert_int_equal(vmsnap_self_write(self, closed), VMSNAP_ERR_SYSTEM);
	assert_int_equal(told_by(self).system_error, EBADF);
	vmsnap_self_free(self);
	assert_int_equal(vmsnap_capture_self(self), VMSNAP_ERR_ARGUMENT);
}

/* Its own memory is empty there, the caller's is a copy: a child prepares anew. */
static void a_child_prepares_anew(void **state)
{
	(void)state;
	struct vmsnap_self *mapped = prepared(NULL, 1 << 20), *given = prepared(memory, sizeof(memory));
	assert_int_equal(vmsnap_capture_self(mapped), VMSNAP_OK);
	pid_t pid = fork();
	if (!pid) {
		bool right =
		        vmsnap_capture_self(mapped) == VMSNAP_ERR_ARGUMENT &&
		        vmsnap_capture_self(given) == VMSNAP_ERR_ARGUMENT &&
		        !vmsnap_self_prepare(&(struct vmsnap_self_options){ .size = sizeof(struct vmsnap_self_options),
		                                                            .memory = memory,
		                                                            .bytes = sizeof(memory) },
		                             &given, NULL) &&
		        !vmsnap_capture_self(given);
		_exit(right ? 0 : 1);
	}
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(vmsnap_capture_self(mapped), VMSNAP_OK);
	assert_int_equal(vmsnap_capture_self(given), VMSNAP_OK);
	vmsnap_self_free(mapped);
}

static struct vmsnap_self *for_handler;
static volatile sig_atomic_t handled;

static void on_signal(int number)
{
	(void)number;
	handled = vmsnap_capture_self(for_handler) == VMSNAP_OK ? 1 : 2;
}

static void a_signal_handler_may(void **state)
{
	(void)state;
	for_handler = prepared(memory, sizeof(memory));
	signal(SIGUSR1, on_signal);
	errno = 4711;
	raise(SIGUSR1);
	assert_int_equal(errno, 4711);
	assert_int_equal(handled, 1);
	struct vmsnap *snap = finished(for_handler);
	assert_true(vmsnap_vma_count(snap) > 0);
	vmsnap_unref(snap);
	signal(SIGUSR1, SIG_DFL);
}

static ucontext_t here, there;
static struct vmsnap_self *for_stack;
static int null_device;

static void takes_and_writes(void)
{
	(void)vmsnap_capture_self(for_stack);
	(void)vmsnap_self_write(for_stack, null_device);
}

static void it_takes_little_stack(void **state)
{
	(void)state;
	enum { PAINT = 0x5a, STACK = 64 << 10, PROMISED = 1024, OF_A_DEBUG_BUILD = 1024 };
	static unsigned char stack[STACK];
	for_stack = prepared(memory, sizeof(memory));
	null_device = open("/dev/null", O_WRONLY);
	memset(stack, PAINT, sizeof(stack));
	getcontext(&there);
	there.uc_stack.ss_sp = stack;
	there.uc_stack.ss_size = sizeof(stack);
	there.uc_link = &here;
	makecontext(&there, takes_and_writes, 0);
	swapcontext(&here, &there);
	size_t untouched = 0;
	while (untouched < STACK && stack[untouched] == PAINT)
		untouched++;
	close(null_device);
	print_message("%zu bytes of stack\n", STACK - untouched);
	assert_true(STACK - untouched < PROMISED + OF_A_DEBUG_BUILD);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_and_a_snapshot_say_the_same),
		cmocka_unit_test(it_says_what_the_kernel_says),
		cmocka_unit_test(what_does_not_fit_is_said),
		cmocka_unit_test(who_is_not_prepared_gets_none),
		cmocka_unit_test(a_child_prepares_anew),
		cmocka_unit_test(a_signal_handler_may),
		cmocka_unit_test(it_takes_little_stack),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
