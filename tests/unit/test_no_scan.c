/* test_no_scan.c - a capture where the kernel has no PAGEMAP_SCAN, as before Linux 6.7: a filter says so. */
#include "test_children.h"

#include <linux/filter.h>
#include <linux/seccomp.h>

#include "pagemap.h"

#ifndef SECCOMP_RET_ERRNO
#define SECCOMP_RET_ERRNO 0x00050000U
#endif

/* The lower half of the second argument lies first or last. */
enum { COMMAND = offsetof(struct seccomp_data, args[1]) + (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? 4 : 0) };

static bool scan_is_refused(void)
{
	struct sock_filter steps[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_ioctl, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, COMMAND),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)SCAN_IOCTL, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOTTY),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { sizeof(steps) / sizeof(*steps), steps };
	return !prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) && !prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

enum { AREA_PAGES = 64 };
static char *area;

/* Pages that are written, that are only read, and that are not there, by turns. */
static void has_pages(int ready)
{
	long page = sysconf(_SC_PAGESIZE);
	for (long i = 0; i < AREA_PAGES; i++) {
		if (i % 4 == 1)
			area[i * page] = 1;
		if (i % 4 == 2)
			(void)*(volatile char *)(area + i * page);
	}
	say_ready(ready);
	for (;;)
		pause();
}

static void pages_are_told_without_it(void **state)
{
	(void)state;
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	area = mmap(NULL, AREA_PAGES * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_true(area != MAP_FAILED);
	assert_int_equal(madvise(area, AREA_PAGES * page, MADV_NOHUGEPAGE), 0);
	struct pagemap_probe probe;
	assert_int_equal(pagemap_probe(&probe, NULL), VMSNAP_OK);
	assert_false(probe.scan);
	pid_t pid = child_that(has_pages);
	struct vmsnap *snap = capture_ok(pid, NULL);
	const struct vmsnap_known *known = &vmsnap_info(snap)->known;
	assert_false(known->huge);
	for (size_t i = 0; i < AREA_PAGES; i++) {
		struct vmsnap_run run;
		bool there = !vmsnap_page_at(snap, (uint64_t)(uintptr_t)area + i * page, &run) &&
		             (run.flags & VMSNAP_PAGE_PRESENT);
		assert_int_equal(there, i % 4 == 1 || i % 4 == 2);
		if (there && known->zero)
			assert_int_equal(!!(run.flags & VMSNAP_PAGE_ZERO), i % 4 == 2);
	}
	vmsnap_unref(snap);
	end(pid);
	munmap(area, AREA_PAGES * page);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(pages_are_told_without_it) };
	if (!scan_is_refused()) {
		puts("SKIP: no filter of system calls can be had here");
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
