/* test_cow.c - verdicts of whole snapshots: ranges, totals, warnings. */
#include "test_diff_fixture.h"

#include <stdio.h>

#include "backing.h"
#include "moves_count.h"
#include "verdict.h"

enum { TICK = 10000000, FORKED = 11 * TICK };

/* Before 11 was forked, if it is a base. */
static struct vmsnap *family_member(uint32_t pid, uint32_t ppid)
{
	struct vmsnap *snap = make_snap();
	snap->info.pid = snap->info.tgid = pid;
	snap->info.ppid = ppid;
	snap->info.start_time = pid;
	snap->info.boottime = FORKED - TICK;
	add_anon(snap, 16, 32, "rw-p", "");
	return snap;
}

static void one_write_by_the_child_copies_one_page(void **state)
{
	(void)state;
	struct vmsnap *base = family_member(10, 1), *parent = family_member(10, 1), *child = family_member(11, 10);
	add_pages(base, 16, 16, ANON(100));
	add_pages(parent, 16, 5, ANON(100));
	add_pages(parent, 21, 1, OWNED(105));
	add_pages(parent, 22, 10, ANON(106));
	add_pages(child, 16, 5, ANON(100));
	add_pages(child, 21, 1, OWNED(900));
	add_pages(child, 22, 10, ANON(106));
	struct vmsnap_cow *cow = NULL;
	assert_int_equal(vmsnap_cow_new(parent, child, base, &cow, NULL), VMSNAP_OK);
	assert_int_equal(vmsnap_cow_range_count(cow), 3);
	struct vmsnap_cow_range range;
	assert_int_equal(vmsnap_cow_range(cow, 1, &range), VMSNAP_OK);
	assert_int_equal(range.start, PAGE_AT(21));
	assert_int_equal(range.end, PAGE_AT(22));
	assert_int_equal(range.verdict, VMSNAP_VERDICT_COPIED_BY_CHILD);
	assert_ptr_equal(range.vma, vmsnap_vma(child, 0));
	assert_int_equal(vmsnap_cow_range(cow, 3, &range), VMSNAP_ERR_NOT_FOUND);
	assert_int_equal(vmsnap_cow_pages(cow, VMSNAP_VERDICT_SHARED), 15);
	assert_string_equal(vmsnap_cow_warning(cow), "");
	vmsnap_cow_free(cow);
	vmsnap_unref(base);
	vmsnap_unref(parent);
	vmsnap_unref(child);
}

/* At a fork gdb lifts its breakpoints out of the child: the text of the two differs
 * although neither wrote to it. */
static void breakpoint_page_is_a_range_of_its_own(void **state)
{
	(void)state;
	struct vmsnap *base = family_member(10, 1), *parent = family_member(10, 1), *child = family_member(11, 10);
	add_pages(base, 16, 8, ANON(100));
	add_pages(parent, 16, 8, ANON(100));
	add_pages(child, 16, 4, ANON(100));
	add_pages(child, 20, 4, ANON(900));
	add_touched(parent, PAGE_AT(21) + 0x151, 1, "breakpoint 1");
	add_touched(child, PAGE_AT(17), 1, "breakpoint 2");
	add_touched(base, PAGE_AT(23) + 1, 1, "breakpoint 3");
	struct vmsnap_cow *cow = NULL;
	assert_int_equal(vmsnap_cow_new(parent, child, base, &cow, NULL), VMSNAP_OK);
	static const struct {
		uint64_t start, end;
		int verdict;
		bool touched;
	} expected[] = {
		{ 16, 17, VMSNAP_VERDICT_SHARED, false },         { 17, 18, VMSNAP_VERDICT_SHARED, true },
		{ 18, 20, VMSNAP_VERDICT_SHARED, false },         { 20, 21, VMSNAP_VERDICT_COPIED_BY_CHILD, false },
		{ 21, 22, VMSNAP_VERDICT_COPIED_BY_CHILD, true }, { 22, 23, VMSNAP_VERDICT_COPIED_BY_CHILD, false },
		{ 23, 24, VMSNAP_VERDICT_COPIED_BY_CHILD, true },
	};
	assert_int_equal(vmsnap_cow_range_count(cow), 7);
	for (size_t i = 0; i < 7; i++) {
		struct vmsnap_cow_range range;
		assert_int_equal(vmsnap_cow_range(cow, i, &range), VMSNAP_OK);
		assert_int_equal(range.start, PAGE_AT(expected[i].start));
		assert_int_equal(range.end, PAGE_AT(expected[i].end));
		assert_int_equal(range.verdict, expected[i].verdict);
		assert_int_equal(range.touched, expected[i].touched);
	}
	assert_int_equal(vmsnap_cow_pages(cow, VMSNAP_VERDICT_COPIED_BY_CHILD), 4);
	assert_int_equal(vmsnap_cow_touched_pages(cow, VMSNAP_VERDICT_COPIED_BY_CHILD), 2);
	assert_int_equal(vmsnap_cow_touched_pages(cow, VMSNAP_VERDICT_SHARED), 1);
	vmsnap_cow_free(cow);
	vmsnap_unref(base);
	vmsnap_unref(parent);
	vmsnap_unref(child);
}

/* "1-5 shared from 11" and such, a line each.  tone: "shared?" is inferred. */
static void expect_told(const struct vmsnap *parent, const struct vmsnap *child, const struct vmsnap *base,
                        const struct vmsnap *other, bool tone, const char *expected)
{
	struct vmsnap_cow *cow = NULL;
	assert_int_equal(vmsnap_cow_new_between(parent, child, base, other, NULL, &cow, NULL), VMSNAP_OK);
	char text[2048] = "";
	size_t len = 0;
	struct vmsnap_cow_range range;
	for (size_t i = 0; vmsnap_cow_range(cow, i, &range) == VMSNAP_OK; i++) {
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%d-%d %s%s", (int)(range.start / PAGE),
		                        (int)(range.end / PAGE), vmsnap_verdict_name(range.verdict),
		                        tone && range.inferred ? "?" : "");
		if (range.moved)
			len += (size_t)snprintf(text + len, sizeof(text) - len, " from %d",
			                        (int)(range.parent_start / PAGE));
		len += (size_t)snprintf(text + len, sizeof(text) - len, "\n");
	}
	assert_string_equal(text, expected);
	vmsnap_cow_free(cow);
}

static void expect_ranges_between(const struct vmsnap *parent, const struct vmsnap *child, const struct vmsnap *base,
                                  const struct vmsnap *other, const char *expected)
{
	expect_told(parent, child, base, other, false, expected);
}

static void expect_ranges(const struct vmsnap *parent, const struct vmsnap *child, const struct vmsnap *base,
                          const char *expected)
{
	expect_ranges_between(parent, child, base, NULL, expected);
}

/* The child moved pages 16 to 31 to 116 and wrote to two of them; the parent wrote to one. */
static void memory_that_the_child_moved_is_judged_at_its_new_place(void **state)
{
	(void)state;
	struct vmsnap *base = family_member(10, 1), *parent = family_member(10, 1), *child = family_member(11, 10);
	add_pages(base, 16, 16, ANON(103));
	add_pages(parent, 16, 8, ANON(103));
	add_pages(parent, 24, 1, OWNED(700));
	add_pages(parent, 25, 7, ANON(112));
	child->vma_count = 0;
	add_anon(child, 116, 132, "rw-p", "");
	add_pages(child, 116, 2, OWNED(800));
	add_pages(child, 118, 6, ANON(105));
	add_pages(child, 124, 1, OWNED(111));
	add_pages(child, 125, 7, ANON(112));
	expect_ranges(parent, child, base,
	              "116-118 copied_by_child from 16\n118-124 shared from 18\n"
	              "124-125 copied_by_parent from 24\n125-132 shared from 25\n");
	expect_ranges(parent, child, NULL,
	              "116-118 copied from 16\n118-124 shared from 18\n124-125 copied from 24\n"
	              "125-132 shared from 25\n");
	vmsnap_unref(base);
	vmsnap_unref(parent);
	vmsnap_unref(child);
}

/* It is met at the address that the child has it at still. */
static void memory_that_the_parent_moved_is_judged_at_its_old_place(void **state)
{
	(void)state;
	struct vmsnap *base = family_member(10, 1), *parent = family_member(10, 1), *child = family_member(11, 10);
	add_pages(base, 16, 16, ANON(103));
	parent->vma_count = 0;
	add_anon(parent, 216, 232, "rw-p", "");
	add_pages(parent, 216, 16, ANON(103));
	add_pages(child, 16, 15, ANON(103));
	add_pages(child, 31, 1, OWNED(900));
	expect_ranges(parent, child, base, "16-31 shared from 216\n31-32 copied_by_child from 231\n");
	vmsnap_unref(base);
	vmsnap_unref(parent);
	vmsnap_unref(child);
}

/* Both map plain memory at most of its places, with pages that others have too. */
static void memory_that_slid_less_than_its_length_is_followed(void **state)
{
	(void)state;
	struct vmsnap *base = family_member(10, 1), *parent = family_member(10, 1), *child = family_member(11, 10);
	for (uint64_t page = 0; page < 16; page++) {
		add_pages(base, 16 + page, 1, OWNED(101 + 3 * page));
		add_pages(parent, 18 + page, 1, page == 5 ? OWNED(700) : ANON(101 + 3 * page));
		add_pages(child, 16 + page, 1, page == 5 ? OWNED(116) : ANON(101 + 3 * page));
	}
	parent->vma_count = 0;
	add_anon(parent, 18, 34, "rw-p", "");
	expect_ranges(parent, child, base,
	              "16-21 shared from 18\n21-22 copied_by_parent from 23\n22-32 shared from 24\n");
	expect_ranges(parent, child, NULL, "16-21 shared from 18\n21-22 copied from 23\n22-32 shared from 24\n");
	vmsnap_unref(base);
	vmsnap_unref(parent);
	vmsnap_unref(child);
}

/* The parent moved pages 16 to 31 to 216 and mapped new ones there; the child moved both, and
 * wrote to a page of each.  The base has nothing of what was new. */
static void what_the_parent_put_over_what_it_moved_is_not_of_the_base(void **state)
{
	(void)state;
	struct vmsnap *base = family_member(10, 1), *parent = family_member(10, 1), *child = family_member(11, 10);
	struct vmsnap_cow *cow = NULL;
	struct vmsnap_cow_range range;
	add_pages(base, 16, 16, OWNED(103));
	add_anon(parent, 216, 232, "rw-p", "");
	add_pages(parent, 16, 16, ANON(503));
	add_pages(parent, 216, 16, ANON(103));
	child->vma_count = 0;
	add_anon(child, 316, 332, "rw-p", "");
	add_anon(child, 416, 432, "rw-p", "");
	add_pages(child, 316, 15, ANON(103));
	add_pages(child, 331, 1, OWNED(901));
	add_pages(child, 416, 15, ANON(503));
	add_pages(child, 431, 1, OWNED(900));
	assert_int_equal(vmsnap_cow_new(parent, child, base, &cow, NULL), VMSNAP_OK);
	for (size_t i = 0; vmsnap_cow_range(cow, i, &range) == VMSNAP_OK; i++) {
		bool of_base = range.start < PAGE_AT(400);
		assert_true(range.moved);
		assert_int_equal(range.parent_start, range.start - PAGE_AT(of_base ? 100 : 400));
		assert_int_equal(range.base_start, of_base ? range.start - PAGE_AT(300) : range.start);
	}
	vmsnap_cow_free(cow);
	expect_ranges(parent, child, base,
	              "316-331 shared from 216\n331-332 copied_by_child from 231\n"
	              "416-431 shared from 16\n431-432 copied from 31\n");
	vmsnap_unref(base);
	vmsnap_unref(parent);
	vmsnap_unref(child);
}

static void what_the_child_moved_memory_over_is_dropped(void **state)
{
	(void)state;
	struct vmsnap *base = family_member(10, 1), *parent = family_member(10, 1), *child = family_member(11, 10);
	struct vmsnap *both[] = { base, parent };
	for (int i = 0; i < 2; i++) {
		add_anon(both[i], 40, 44, "rw-p", "");
		add_pages(both[i], 16, 4, ANON(103));
		add_pages(both[i], 40, 4, ANON(203));
	}
	child->vmas[0].start = PAGE_AT(20);
	add_anon(child, 40, 44, "rw-p", "");
	add_pages(child, 40, 4, ANON(103));
	expect_ranges(parent, child, base, "40-44 shared from 16\n40-44 dropped_by_child\n");
	vmsnap_unref(base);
	vmsnap_unref(parent);
	vmsnap_unref(child);
}

/* The parent moved pages 16 to 31 over others, the child elsewhere, of which it unmapped some: it has what the parent
 * moved them over still, which only looks as if it had moved them there as well. */
static void what_the_parent_moved_memory_over_the_child_has_still(void **state)
{
	(void)state;
	struct vmsnap *base = family_member(10, 1), *parent = family_member(10, 1), *child = family_member(11, 10);
	add_anon(base, 40, 48, "rw-p", "");
	add_anon(base, 52, 56, "rw-p", "");
	add_pages(base, 16, 16, OWNED(103));
	add_pages(base, 40, 8, OWNED(203));
	add_pages(base, 52, 4, OWNED(303));
	parent->vma_count = child->vma_count = 0;
	add_anon(parent, 40, 56, "rw-p", "");
	add_pages(parent, 40, 16, ANON(103));
	add_anon(child, 40, 48, "rw-p", "");
	add_anon(child, 52, 56, "rw-p", "");
	add_anon(child, 116, 120, "rw-p", "");
	add_anon(child, 124, 132, "rw-p", "");
	add_pages(child, 40, 8, OWNED(203));
	add_pages(child, 52, 4, OWNED(303));
	add_pages(child, 116, 4, ANON(103));
	add_pages(child, 124, 8, ANON(111));
	expect_ranges(parent, child, base,
	              "20-24 dropped_by_child from 44\n40-48 dropped_by_parent\n52-56 dropped_by_parent\n"
	              "116-120 shared from 40\n124-132 shared from 48\n");
	vmsnap_unref(base);
	vmsnap_unref(parent);
	vmsnap_unref(child);
}

/* Both moved some of it to one place, and the parent the rest beside it. */
static void what_both_moved_to_one_place_is_no_more_than_that(void **state)
{
	(void)state;
	struct vmsnap *base = family_member(10, 1), *parent = family_member(10, 1), *child = family_member(11, 10);
	base->vmas[0].end = PAGE_AT(48);
	add_pages(base, 16, 32, ANON(103)); /* nothing shows that it was taken before the fork */
	parent->vma_count = child->vma_count = 0;
	add_anon(parent, 216, 248, "rw-p", "");
	add_pages(parent, 216, 32, ANON(103));
	add_anon(child, 16, 17, "rw-p", "");
	add_anon(child, 19, 48, "rw-p", "");
	add_anon(child, 217, 219, "rw-p", "");
	add_pages(child, 16, 1, ANON(103));
	add_pages(child, 19, 29, ANON(106));
	add_pages(child, 217, 2, ANON(104));
	expect_ranges(parent, child, base, "16-17 shared from 216\n19-48 shared from 219\n217-219 shared from 217\n");
	vmsnap_unref(base);
	vmsnap_unref(parent);
	vmsnap_unref(child);
}

/* Both moved pages 16 to 18, a mapping each, to 116 since the base of both sides, and the child wrote to them.  The
 * parent had more page faults than it takes to make them anew; it can only have made the last. */
static void what_may_have_been_moved_by_both_is_new_in_neither(void **state)
{
	(void)state;
	for (int at_fork = 0; at_fork < 2; at_fork++) {
		struct vmsnap *base = family_member(10, 1), *parent = family_member(10, 1);
		struct vmsnap *other = family_member(11, 10), *child = family_member(11, 10);
		struct vmsnap *before[] = { base, other }, *after[] = { parent, child };
		for (int i = 0; i < 2; i++) {
			before[i]->vma_count = after[i]->vma_count = 0;
			before[i]->info.boottime = FORKED + TICK;
			before[i]->info.freeze = at_fork ? VMSNAP_FREEZE_DEBUGGER : VMSNAP_FREEZE_NONE;
			for (uint64_t page = 16; page < 19; page++) {
				add_anon(before[i], page, page + 1, page == 17 ? "r--p" : "rw-p", "");
				add_anon(after[i], page + 100, page + 101, page == 17 ? "r--p" : "rw-p", "");
				add_pages(before[i], page, 1, ANON(100 + 2 * page));
			}
			add_anon(after[i], 119, 120, "r--p", "");
		}
		for (uint64_t page = 16; page < 20; page++) {
			add_pages(parent, page + 100, 1, page < 19 ? ANON(100 + 2 * page) : OWNED(700));
			add_pages(child, page + 100, 1, OWNED(900 + 2 * page));
		}
		parent->info.faults = 9;
		child->info.faults = 9;
		expect_ranges_between(parent, child, base, other,
		                      "16-17 dropped_by_both\n17-18 dropped_by_both\n18-19 dropped_by_both\n"
		                      "116-117 copied\n117-118 copied\n118-119 copied\n119-120 new_in_both\n");
		for (int i = 0; i < 2; i++) {
			vmsnap_unref(before[i]);
			vmsnap_unref(after[i]);
		}
	}
}

/* A fork that a debugger held: a mapping of pages 16 to 31, which parent and child have, too. */
enum { BASE, OTHER, PARENT, CHILD, FORK_MEMBERS };
static void make_fork(struct vmsnap *fork[FORK_MEMBERS])
{
	for (int i = 0; i < FORK_MEMBERS; i++) {
		bool of_child = i == OTHER || i == CHILD;
		fork[i] = of_child ? family_member(11, 10) : family_member(10, 1);
		fork[i]->info.boottime = FORKED + TICK;
		fork[i]->info.freeze = VMSNAP_FREEZE_DEBUGGER;
		if (i < PARENT)
			add_pages(fork[i], 16, 16, ANON(100));
		else
			fork[i]->info.faults = 99;
	}
}

/* Pages 16 to 31 are 100 pages further on. */
static void move_all(struct vmsnap *snap)
{
	snap->vma_count = 0;
	add_anon(snap, 116, 132, "rw-p", "");
}

static void free_fork(struct vmsnap *fork[FORK_MEMBERS])
{
	for (int i = 0; i < FORK_MEMBERS; i++)
		vmsnap_unref(fork[i]);
}

static void expect_of_fork(struct vmsnap *fork[FORK_MEMBERS], const char *expected)
{
	expect_told(fork[PARENT], fork[CHILD], fork[BASE], fork[OTHER], true, expected);
	free_fork(fork);
}

/* It was moved, and all written to; or unmapped, and other memory mapped. */
static void what_one_lacks_and_has_elsewhere_may_be_moved(void **state)
{
	(void)state;
	struct vmsnap *fork[FORK_MEMBERS];
	make_fork(fork);
	move_all(fork[CHILD]);
	add_pages(fork[PARENT], 16, 16, ANON(100));
	add_pages(fork[CHILD], 116, 16, OWNED(900));
	expect_of_fork(fork, "16-32 dropped_by_child?\n116-132 new_in_child?\n");

	make_fork(fork);
	move_all(fork[PARENT]);
	add_pages(fork[PARENT], 116, 16, OWNED(900));
	add_pages(fork[CHILD], 16, 16, ANON(100));
	expect_of_fork(fork, "16-32 dropped_by_parent?\n116-132 new_in_parent?\n");
}

static void what_has_a_frame_of_what_is_lacking_is_not_new(void **state)
{
	(void)state;
	struct vmsnap *fork[FORK_MEMBERS];
	make_fork(fork);
	move_all(fork[CHILD]);
	add_pages(fork[PARENT], 16, 16, OWNED(700));
	add_pages(fork[CHILD], 116, 2, OWNED(100));
	add_pages(fork[CHILD], 118, 14, OWNED(900));
	expect_of_fork(fork, "16-32 dropped_by_child?\n116-118 only_in_child\n118-132 new_in_child?\n");
}

/* The parent left one page as it was. */
static void what_both_moved_and_wrote_to_is_not_new_for_a_fact(void **state)
{
	(void)state;
	struct vmsnap *fork[FORK_MEMBERS];
	make_fork(fork);
	move_all(fork[PARENT]);
	move_all(fork[CHILD]);
	add_pages(fork[PARENT], 116, 1, OWNED(100));
	add_pages(fork[PARENT], 117, 15, OWNED(700));
	add_pages(fork[CHILD], 116, 16, OWNED(900));
	expect_of_fork(fork, "16-32 dropped_by_both?\n116-117 copied?\n117-132 new_in_both?\n");
}

static void what_may_have_moved_is_new_to_nobody_who_sees_no_frames(void **state)
{
	(void)state;
	struct vmsnap *fork[FORK_MEMBERS];
	make_fork(fork);
	move_all(fork[CHILD]);
	add_pages(fork[PARENT], 16, 16, ANON(0));
	add_pages(fork[CHILD], 116, 16, OWNED(0));
	for (int i = 0; i < FORK_MEMBERS; i++)
		fork[i]->info.known.pfn = false;
	expect_of_fork(fork, "16-32 only_in_parent\n116-132 only_in_child\n");
}

/* The child gave its pages back, and mapped some more. */
static void what_is_lacking_nowhere_has_not_moved(void **state)
{
	(void)state;
	struct vmsnap *fork[FORK_MEMBERS];
	make_fork(fork);
	add_anon(fork[CHILD], 116, 132, "rw-p", "");
	add_pages(fork[PARENT], 16, 16, ANON(100));
	add_pages(fork[CHILD], 116, 16, OWNED(900));
	expect_of_fork(fork, "16-32 dropped_by_child\n116-132 new_in_child\n");
}

static void frames_of_another_boot_are_not_compared(void **state)
{
	(void)state;
	struct vmsnap *parent = family_member(10, 1), *child = family_member(11, 10);
	add_pages(parent, 16, 4, ANON(100));
	add_pages(child, 16, 4, ANON(500));
	child->info.boot_id = "another-boot";
	struct vmsnap_cow *cow = NULL;
	assert_int_equal(vmsnap_cow_new(parent, child, NULL, &cow, NULL), VMSNAP_OK);
	assert_int_equal(vmsnap_cow_pages(cow, VMSNAP_VERDICT_SHARED), 4); /* by exclusive bits */
	struct vmsnap_cow_range range;
	assert_int_equal(vmsnap_cow_range(cow, 0, &range), VMSNAP_OK);
	assert_true(range.inferred);
	assert_non_null(strstr(vmsnap_cow_warning(cow), "different boots"));
	vmsnap_cow_free(cow);
	vmsnap_unref(parent);
	vmsnap_unref(child);
}

static int verdict_of_first_page(const struct vmsnap *parent, const struct vmsnap *child, const struct vmsnap *base)
{
	struct vmsnap_cow *cow = NULL;
	assert_int_equal(vmsnap_cow_new(parent, child, base, &cow, NULL), VMSNAP_OK);
	struct vmsnap_cow_range range;
	assert_int_equal(vmsnap_cow_range(cow, 0, &range), VMSNAP_OK);
	vmsnap_cow_free(cow);
	return range.verdict;
}

static void base_of_another_boot_does_not_tell_who_copied(void **state)
{
	(void)state;
	struct vmsnap *base = family_member(10, 1), *parent = family_member(10, 1), *child = family_member(11, 10);
	add_pages(base, 16, 1, ANON(100));
	add_pages(parent, 16, 1, OWNED(100));
	add_pages(child, 16, 1, OWNED(200));
	assert_int_equal(verdict_of_first_page(parent, child, base), VMSNAP_VERDICT_COPIED_BY_CHILD);
	base->info.boot_id = "another-boot";
	assert_int_equal(verdict_of_first_page(parent, child, base), VMSNAP_VERDICT_COPIED);
	vmsnap_unref(base);
	vmsnap_unref(parent);
	vmsnap_unref(child);
}

/* A base before the fork, and one page of which parent and child have two. */
struct two_frames {
	struct vmsnap *base, *parent, *child;
};

/* strayed: parent and child share the other pages, but not where the base had them. */
static struct two_frames make_two_frames(uint64_t pages, bool strayed, uint64_t moves)
{
	struct two_frames f = { family_member(10, 1), family_member(10, 1), family_member(11, 10) };
	uint64_t now = strayed ? 300000 : 100000;
	add_anon(f.base, 32, 32 + pages, "rw-p", "");
	add_anon(f.parent, 32, 32 + pages, "rw-p", "");
	add_anon(f.child, 32, 32 + pages, "rw-p", "");
	add_pages(f.base, 16, 1, OWNED(100));
	add_pages(f.base, 32, pages, OWNED(100000));
	add_pages(f.parent, 16, 1, OWNED(100));
	add_pages(f.parent, 17, 1, OWNED(77)); /* the child has none: nothing that was moved */
	add_pages(f.parent, 32, pages, ANON(now));
	add_pages(f.child, 16, 1, OWNED(901));
	add_pages(f.child, 32, pages, ANON(now));
	f.parent->info.page_moves = f.child->info.page_moves = f.base->info.page_moves + moves;
	return f;
}

static void expect_first(struct two_frames f, int verdict, bool inferred)
{
	struct vmsnap_cow *cow = NULL;
	struct vmsnap_cow_range range;
	assert_int_equal(vmsnap_cow_new(f.parent, f.child, f.base, &cow, NULL), VMSNAP_OK);
	assert_int_equal(vmsnap_cow_range(cow, 0, &range), VMSNAP_OK);
	assert_int_equal(range.start / PAGE, 16);
	assert_string_equal(vmsnap_verdict_name(range.verdict), vmsnap_verdict_name(verdict));
	assert_int_equal(range.inferred, inferred);
	vmsnap_cow_free(cow);
	vmsnap_unref(f.base);
	vmsnap_unref(f.parent);
	vmsnap_unref(f.child);
}

/* Where the kernel moved pages of theirs, a frame that was let go may have been given to a copy of the very
 * page that had been in it: then the other side, which has the page still, would be told to have copied it. */
static void a_frame_that_may_have_been_given_out_again_names_nobody(void **state)
{
	(void)state;
	expect_first(make_two_frames(16, true, 0), VMSNAP_VERDICT_COPIED_BY_CHILD, false);
	expect_first(make_two_frames(16, true, 20), VMSNAP_VERDICT_COPIED, true);
	expect_first(make_two_frames(16, false, 20), VMSNAP_VERDICT_COPIED_BY_CHILD, true);
	/* Fewer than they could be met by. */
	expect_first(make_two_frames(16000, true, 20), VMSNAP_VERDICT_COPIED_BY_CHILD, true);
	expect_first(make_two_frames(16000, true, 40), VMSNAP_VERDICT_COPIED, true);
}

/* It has no frame, but not because the kernel was moving it. */
static void a_page_that_is_gone_does_not_show_that_others_moved(void **state)
{
	(void)state;
	struct two_frames f = make_two_frames(16, false, 20);
	struct vmsnap *all[] = { f.base, f.parent, f.child };
	for (unsigned i = 0; i < 3; i++)
		add_anon(all[i], 64, 66, "rw-p", "");
	add_pages(f.base, 64, 2, OWNED(500));
	add_pages(f.parent, 64, 1, OWNED(500));
	add_pages(f.child, 65, 1, OWNED(501));
	expect_first(f, VMSNAP_VERDICT_COPIED_BY_CHILD, true);
}

static void what_ksm_may_have_merged_names_nobody(void **state)
{
	(void)state;
	/* Of others, since these two take no part. */
	expect_first(make_two_frames(16, false, moves_count(0, 1) - 1), VMSNAP_VERDICT_COPIED_BY_CHILD, true);
	struct two_frames f = make_two_frames(16, false, 0);
	f.parent->info.page_moves = f.child->info.page_moves = MOVES_MERGED;
	expect_first(f, VMSNAP_VERDICT_COPIED, true);
}

/* After it gave the page back the parent forked, and then wrote the page. */
static void what_was_in_swap_before_the_fork_was_not_always_there_at_it(void **state)
{
	(void)state;
	struct two_frames f = { family_member(10, 1), family_member(10, 1), family_member(11, 10) };
	add_pages(f.base, 16, 1, SLOT(3));
	add_pages(f.parent, 16, 1, OWNED(100));
	add_pages(f.parent, 17, 1, ANON(7));
	add_pages(f.child, 17, 1, ANON(7));
	expect_first(f, VMSNAP_VERDICT_ONLY_IN_PARENT, false);
}

/* It gave the page back, forked, and made it anew in the frame that it had had: two page faults, or one. */
static void a_frame_that_was_freed_before_the_fork_may_come_again(void **state)
{
	(void)state;
	static const struct {
		uint64_t faults_of_base, faults_of_parent;
		int verdict;
	} cases[] = {
		{ 40, 40, VMSNAP_VERDICT_DROPPED_BY_CHILD },
		{ 40, 41, VMSNAP_VERDICT_ONLY_IN_PARENT },
		{ UINT64_MAX, UINT64_MAX, VMSNAP_VERDICT_ONLY_IN_PARENT }, /* not known */
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct two_frames f = { family_member(10, 1), family_member(10, 1), family_member(11, 10) };
		f.base->info.faults = cases[i].faults_of_base;
		f.parent->info.faults = cases[i].faults_of_parent;
		add_pages(f.base, 16, 1, OWNED(100));
		add_pages(f.parent, 16, 1, OWNED(100));
		expect_first(f, cases[i].verdict, false);
	}
	struct two_frames f = make_two_frames(16, false, 0);
	f.parent->info.faults = 1;
	expect_first(f, VMSNAP_VERDICT_COPIED_BY_CHILD, true);
}

static void what_is_not_known_is_not_believed(void **state)
{
	(void)state;
	struct vmsnap *parent = family_member(10, 1), *child = family_member(11, 10);
	add_pages(parent, 16, 1, OWNED(100));
	add_pages(child, 16, 1, OWNED(100));
	assert_int_equal(verdict_of_first_page(parent, child, NULL), VMSNAP_VERDICT_SHARED);
	parent->info.known.pfn = false;
	assert_int_equal(verdict_of_first_page(parent, child, NULL), VMSNAP_VERDICT_COPIED);
	parent->info.known.exclusive = false;
	assert_int_equal(verdict_of_first_page(parent, child, NULL), VMSNAP_VERDICT_UNKNOWN);
	parent->runs.items[0].entry = child->runs.items[0].entry = ZEROPAGE;
	assert_int_equal(verdict_of_first_page(parent, child, NULL), VMSNAP_VERDICT_ZERO_SHARED);
	parent->info.known.zero = child->info.known.zero = false;
	assert_int_equal(verdict_of_first_page(parent, child, NULL), VMSNAP_VERDICT_UNKNOWN);
	vmsnap_unref(parent);
	vmsnap_unref(child);
}

static struct vmsnap *recorded_member(uint32_t pid, uint32_t ppid, const char *boot)
{
	struct vmsnap *snap = family_member(pid, ppid);
	snap->info.known.zero = snap->info.known.huge = false;
	snap->info.boot_id = boot;
	return snap;
}

/* In a recording any page that is not exclusive may be the zero page; its frame tells, where that is known. */
static void the_zero_page_of_a_recording(void **state)
{
	static const struct {
		const char *name, *boot;
		uint64_t zero_pfn, parent, child, base;
		int verdict;
		bool inferred;
	} cases[] = {
		{ "of another machine", "another", 9, ANON(9), ZEROPAGE, 0, VMSNAP_VERDICT_UNKNOWN, 0 },
		{ "frame not known", "this-boot", 0, ANON(9), ZEROPAGE, 0, VMSNAP_VERDICT_UNKNOWN, 0 },
		{ "its frame", "this-boot", 9, ANON(9), ZEROPAGE, 0, VMSNAP_VERDICT_ZERO_SHARED, 1 },
		{ "another frame", "this-boot", 9, ANON(8), ZEROPAGE, 0, VMSNAP_VERDICT_ONLY_IN_PARENT, 0 },
		{ "exclusive", "another", 9, OWNED(9), ZEROPAGE, 0, VMSNAP_VERDICT_ONLY_IN_PARENT, 0 },
		{ "huge", "another", 0, CACHED(512), ZEROPAGE | ENTRY_FLAG(VMSNAP_PAGE_HUGE), 0,
		  VMSNAP_VERDICT_ZERO_SHARED, 1 },
		{ "alone", "another", 0, ANON(9), 0, 0, VMSNAP_VERDICT_UNKNOWN, 0 },
		{ "alone, its frame", "this-boot", 9, ANON(9), 0, 0, VMSNAP_VERDICT_ZERO, 0 },
		{ "one frame", "this-boot", 0, ANON(9), ANON(9), 0, VMSNAP_VERDICT_SHARED, 1 },
		{ "in swap", "another", 9, SLOT(3), ZEROPAGE, 0, VMSNAP_VERDICT_ONLY_IN_PARENT, 0 },
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct vmsnap *parent = recorded_member(10, 1, cases[i].boot), *child = family_member(11, 10);
		struct vmsnap_cow *cow;
		struct vmsnap_cow_range range;
		child->info.zero_pfn = cases[i].zero_pfn;
		add_pages(parent, 16, 1, cases[i].parent);
		if (cases[i].child)
			add_pages(child, 16, 1, cases[i].child);
		assert_int_equal(vmsnap_cow_new(parent, child, NULL, &cow, NULL), VMSNAP_OK);
		assert_int_equal(vmsnap_cow_range(cow, 0, &range), VMSNAP_OK);
		if (range.verdict != cases[i].verdict || range.inferred != cases[i].inferred)
			fail_msg("%s: %s", cases[i].name, vmsnap_verdict_name(range.verdict));
		vmsnap_cow_free(cow);
		vmsnap_unref(parent);
		vmsnap_unref(child);
	}
}

/* Of two recordings: one frame is one page, whatever it is. */
static void what_may_be_the_zero_page_in_both_is_shared_at_most(void **state)
{
	static const struct {
		uint64_t parent, child;
		int verdict;
	} cases[] = {
		{ ANON(9), ANON(9), VMSNAP_VERDICT_SHARED },
		{ ANON(9), ANON(8), VMSNAP_VERDICT_COPIED },
		{ ANON(9), OWNED(8), VMSNAP_VERDICT_COPIED },
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct vmsnap *parent = recorded_member(10, 1, "this-boot"),
		              *child = recorded_member(11, 10, "this-boot");
		struct vmsnap_cow *cow;
		struct vmsnap_cow_range range;
		add_pages(parent, 16, 1, cases[i].parent);
		add_pages(child, 16, 1, cases[i].child);
		assert_int_equal(vmsnap_cow_new(parent, child, NULL, &cow, NULL), VMSNAP_OK);
		assert_int_equal(vmsnap_cow_range(cow, 0, &range), VMSNAP_OK);
		assert_int_equal(range.verdict, cases[i].verdict);
		assert_true(range.inferred);
		vmsnap_cow_free(cow);
		vmsnap_unref(parent);
		vmsnap_unref(child);
	}
}

/* Files by name only: what they hold is anonymous memory. */
static void private_mappings_of_dev_zero_and_huge_pages_are_not_of_a_file(void **state)
{
	(void)state;
	static const char *const names[] = { "/dev/zero", "/anon_hugepage (deleted)", "/lib/x.so" };
	for (size_t i = 0; i < 3; i++) {
		struct vmsnap *snaps[3];
		for (int k = 0; k < 3; k++) {
			snaps[k] = family_member(k == 1 ? 11 : 10, k == 1 ? 10 : 1);
			snaps[k]->vma_count = 0;
			add_file(snaps[k], 16, 32, "rw-p", names[i], 77, 0);
		}
		add_pages(snaps[1], 16, 1, OWNED(100));
		snaps[2]->info.tgid = snaps[2]->info.pid = 11;
		snaps[2]->info.start_time = 11;
		snaps[2]->info.faults = 1;
		assert_int_equal(verdict_of_first_page(snaps[0], snaps[1], snaps[2]),
		                 i < 2 ? VMSNAP_VERDICT_NEW_IN_CHILD : VMSNAP_VERDICT_COPIED_BY_CHILD);
		for (int k = 0; k < 3; k++)
			vmsnap_unref(snaps[k]);
	}
}

static void expect_warning(const struct vmsnap *parent, const struct vmsnap *child, const struct vmsnap *base,
                           const char *text)
{
	struct vmsnap_cow *cow = NULL;
	assert_int_equal(vmsnap_cow_new(parent, child, base, &cow, NULL), VMSNAP_OK);
	assert_string_equal(vmsnap_cow_warning(cow), text);
	vmsnap_cow_free(cow);
}

static void warnings_say_what_makes_verdicts_doubtful(void **state)
{
	(void)state;
	struct vmsnap *parent = family_member(10, 1), *child = family_member(11, 10), *base = family_member(10, 1);
	expect_warning(parent, child, base, "");
	child->info.ppid = 1;
	expect_warning(parent, child, NULL,
	               "these two are not known to be parent and child: the parent of process 11 is 1, not 10");
	child->info.ppid = 10;
	expect_warning(parent, base, NULL, "parent and child are the same process, 10: diff tells what changed in it");
	base->info.pid = base->info.tgid = 12;
	expect_warning(parent, child, base,
	               "the base is of process 12, which is neither parent nor child, and tells nothing");
	base->info.pid = base->info.tgid = 10;
	parent->info.monotonic = child->info.monotonic = 1; /* 0 is that of a recording: unknown */
	base->info.monotonic = 5;
	expect_warning(parent, child, base, "the base was taken after the others");
	base->info.monotonic = 0;
	child->info.monotonic = 2340000001;
	expect_warning(parent, child, NULL, "parent and child were looked at 2.3 s apart");
	parent->info.freeze = child->info.freeze = VMSNAP_FREEZE_DEBUGGER;
	expect_warning(parent, child, NULL, "");
	parent->info.consistent = false;
	child->info.known.pfn = false;
	expect_warning(parent, child, NULL, "the parent changed while it was looked at; PFNs are not known");
	vmsnap_unref(parent);
	vmsnap_unref(child);
	vmsnap_unref(base);
}

static void snapshots_of_other_page_sizes_are_refused(void **state)
{
	(void)state;
	struct vmsnap *parent = family_member(10, 1), *child = family_member(11, 10);
	child->info.page_size = 65536;
	struct vmsnap_cow *cow = NULL;
	struct vmsnap_error err;
	assert_int_equal(vmsnap_cow_new(parent, child, NULL, &cow, &err), VMSNAP_ERR_ARGUMENT);
	assert_null(cow);
	assert_non_null(strstr(err.message, "65536"));
	assert_int_equal(vmsnap_cow_new(parent, NULL, NULL, &cow, NULL), VMSNAP_ERR_ARGUMENT);
	vmsnap_cow_free(NULL);
	vmsnap_unref(parent);
	vmsnap_unref(child);
}

static void empty_snapshots_have_no_ranges(void **state)
{
	(void)state;
	struct vmsnap *parent = make_snap(), *child = make_snap();
	struct vmsnap_cow *cow = NULL;
	assert_int_equal(vmsnap_cow_new(parent, child, parent, &cow, NULL), VMSNAP_OK);
	assert_int_equal(vmsnap_cow_range_count(cow), 0);
	vmsnap_cow_free(cow);
	vmsnap_unref(parent);
	vmsnap_unref(child);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_write_by_the_child_copies_one_page),
		cmocka_unit_test(breakpoint_page_is_a_range_of_its_own),
		cmocka_unit_test(memory_that_the_child_moved_is_judged_at_its_new_place),
		cmocka_unit_test(memory_that_the_parent_moved_is_judged_at_its_old_place),
		cmocka_unit_test(memory_that_slid_less_than_its_length_is_followed),
		cmocka_unit_test(what_the_parent_put_over_what_it_moved_is_not_of_the_base),
		cmocka_unit_test(what_the_child_moved_memory_over_is_dropped),
		cmocka_unit_test(what_the_parent_moved_memory_over_the_child_has_still),
		cmocka_unit_test(what_both_moved_to_one_place_is_no_more_than_that),
		cmocka_unit_test(what_may_have_been_moved_by_both_is_new_in_neither),
		cmocka_unit_test(what_one_lacks_and_has_elsewhere_may_be_moved),
		cmocka_unit_test(what_has_a_frame_of_what_is_lacking_is_not_new),
		cmocka_unit_test(what_both_moved_and_wrote_to_is_not_new_for_a_fact),
		cmocka_unit_test(what_may_have_moved_is_new_to_nobody_who_sees_no_frames),
		cmocka_unit_test(what_is_lacking_nowhere_has_not_moved),
		cmocka_unit_test(frames_of_another_boot_are_not_compared),
		cmocka_unit_test(base_of_another_boot_does_not_tell_who_copied),
		cmocka_unit_test(a_frame_that_may_have_been_given_out_again_names_nobody),
		cmocka_unit_test(a_page_that_is_gone_does_not_show_that_others_moved),
		cmocka_unit_test(what_ksm_may_have_merged_names_nobody),
		cmocka_unit_test(what_was_in_swap_before_the_fork_was_not_always_there_at_it),
		cmocka_unit_test(a_frame_that_was_freed_before_the_fork_may_come_again),
		cmocka_unit_test(what_is_not_known_is_not_believed),
		cmocka_unit_test(the_zero_page_of_a_recording),
		cmocka_unit_test(what_may_be_the_zero_page_in_both_is_shared_at_most),
		cmocka_unit_test(private_mappings_of_dev_zero_and_huge_pages_are_not_of_a_file),
		cmocka_unit_test(warnings_say_what_makes_verdicts_doubtful),
		cmocka_unit_test(snapshots_of_other_page_sizes_are_refused),
		cmocka_unit_test(empty_snapshots_have_no_ranges),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
