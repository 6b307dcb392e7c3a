/* test_print_fork.h - a parent at the fork and a child that wrote, to be printed. */
#ifndef VMSNAP_TEST_PRINT_FORK_H
#define VMSNAP_TEST_PRINT_FORK_H

#include "test_print_support.h"

static const uint32_t rw = VMSNAP_PERM_READ | VMSNAP_PERM_WRITE, rx = VMSNAP_PERM_READ | VMSNAP_PERM_EXEC;
static const uint32_t shared = VMSNAP_PAGE_PRESENT, own = VMSNAP_PAGE_PRESENT | VMSNAP_PAGE_EXCLUSIVE,
                      cache = VMSNAP_PAGE_PRESENT | VMSNAP_PAGE_FILE;

/* Right after the fork: 64 pages of heap, all shared, and program text. */
static inline struct vmsnap *at_fork(uint32_t pid)
{
	struct vmsnap *snap = bare_snapshot();
	snap->info.pid = pid;
	put_vma(snap, 0x10000, 0x12000, rx, 7, "/bin/demo");
	put_vma(snap, 0x100000, 0x180000, rw, 0, "[heap]");
	put_vma(snap, 0x200000, 0x204000, VMSNAP_PERM_READ, 9, HOSTILE);
	put_pages(snap, 0x10000, 2, ENTRY(cache, 0x100));
	put_pages(snap, 0x100000, 64, ENTRY(shared, 0x1000));
	put_status(snap, "Name:\tdemo\nVmRSS:\t 264 kB\nThreads:\t1\n");
	return snap;
}

/* The child copied 16 pages, dropped 4, has 8 new ones, put a breakpoint into its
 * text, and unmapped the file. */
static inline struct vmsnap *child_later(void)
{
	struct vmsnap *snap = bare_snapshot();
	snap->info.pid = 43;
	snap->info.ppid = 42;
	put_vma(snap, 0x10000, 0x12000, rx, 7, "/bin/demo");
	put_vma(snap, 0x100000, 0x180000, rw, 0, "[heap]");
	put_vma(snap, 0x300000, 0x301000, rw, 0, "[anon:\033 fresh]");
	put_pages(snap, 0x10000, 1, ENTRY(cache, 0x100));
	put_pages(snap, 0x11000, 1, ENTRY(own, 0x777));
	put_pages(snap, 0x100000, 44, ENTRY(shared, 0x1000));
	put_pages(snap, 0x12c000, 16, ENTRY(own, 0x2000));
	put_pages(snap, 0x140000, 8, ENTRY(own, 0x3000));
	put_status(snap, "Name:\tdemo\nVmRSS:\t 280 kB\nThreads:\t1\n");
	return snap;
}

struct fixture {
	struct vmsnap *a, *b;
	struct vmsnap_diff *diff;
	struct vmsnap_cow *cow;
};

static inline int make_fork(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	assert_non_null(f);
	f->a = at_fork(42);
	f->b = child_later();
	assert_int_equal(vmsnap_diff_new(f->a, f->b, &f->diff, NULL), VMSNAP_OK);
	f->cow = cow_since(f->a, f->b, f->a);
	*state = f;
	return 0;
}

static inline int unmake_fork(void **state)
{
	struct fixture *f = *state;
	vmsnap_cow_free(f->cow);
	vmsnap_diff_free(f->diff);
	vmsnap_unref(f->a);
	vmsnap_unref(f->b);
	free(f);
	return 0;
}

#endif
