/* Snapshots of one instant: who is in a set, what it comes to where a frame counts once, and what
 * two sets differ in. */
#include "test_diff_fixture.h"

#include "vmsnap.h"

/* A process with a private mapping of 8 pages at 100 and a shared one of 8 at 200. */
static struct vmsnap *process(uint32_t pid, uint32_t ppid, int64_t taken)
{
	struct vmsnap *snap = make_snap();
	snap->info.pid = snap->info.tgid = pid;
	snap->info.ppid = ppid;
	snap->info.start_time = 1000 + pid;
	snap->info.taken = snap->info.monotonic = taken;
	add_anon(snap, 100, 108, "rw-p", "");
	add_file(snap, 200, 208, "rw-s", "/dev/zero (deleted)", 7, 0);
	return snap;
}

static struct vmsnap_set *set_of(struct vmsnap *const *snaps, size_t count)
{
	struct vmsnap_set *set;
	struct vmsnap_error err;
	if (vmsnap_set_new((const struct vmsnap *const *)snaps, count, &set, &err))
		fail_msg("%s", err.message);
	for (size_t i = 0; i < count; i++)
		vmsnap_unref(snaps[i]); /* the set holds them */
	return set;
}

static void refuse(struct vmsnap *a, struct vmsnap *b, const char *says)
{
	const struct vmsnap *const both[] = { a, b };
	struct vmsnap_set *set;
	struct vmsnap_error err = { 0 };
	assert_int_equal(vmsnap_set_new(both, 2, &set, &err), VMSNAP_ERR_ARGUMENT);
	if (!strstr(err.message, says))
		fail_msg("%s", err.message);
	vmsnap_unref(a);
	vmsnap_unref(b);
}

static void a_set_is_of_one_instant_and_has_nobody_twice(void **state)
{
	(void)state;
	refuse(process(1, 0, 5), process(2, 1, 6), "process 1 and process 2 were not captured at one instant");
	refuse(process(1, 0, 0), process(2, 1, 0), "not captured at one instant");
	refuse(process(1, 0, 5), process(1, 0, 5), "process 1 is there twice");
	struct vmsnap *other_boot = process(2, 1, 5);
	other_boot->info.boot_id = "another";
	refuse(process(1, 0, 5), other_boot, "not captured at one instant");
	struct vmsnap_set *set;
	assert_int_equal(vmsnap_set_new(NULL, 0, NULL, NULL), VMSNAP_ERR_ARGUMENT);
	assert_int_equal(vmsnap_set_new(NULL, 0, &set, NULL), VMSNAP_ERR_ARGUMENT);
}

static void who_is_in_it(void **state)
{
	struct vmsnap *const snaps[] = { process(30, 1, 5), process(10, 30, 5), process(20, 10, 5) };
	struct vmsnap *later = process(10, 30, 9), *reused = process(20, 10, 9);
	struct vmsnap_set *set = set_of(snaps, 3);
	(void)state;
	reused->info.start_time = 5000;
	assert_int_equal(vmsnap_set_count(set), 3);
	assert_ptr_equal(vmsnap_set_at(set, 1), snaps[1]);
	assert_null(vmsnap_set_at(set, 3));
	assert_ptr_equal(vmsnap_set_same(set, later), snaps[1]);
	assert_null(vmsnap_set_same(set, reused));
	assert_ptr_equal(vmsnap_set_parent(set, snaps[2]), snaps[1]);
	assert_ptr_equal(vmsnap_set_parent(set, snaps[1]), snaps[0]);
	assert_null(vmsnap_set_parent(set, snaps[0]));
	vmsnap_set_free(set);
	vmsnap_unref(later);
	vmsnap_unref(reused);
}

/* Pages 0x500… of the pool are in all of them; the zero page is nobody's. */
static void a_frame_counts_once(void **state)
{
	struct vmsnap *snaps[4];
	(void)state;
	for (uint32_t i = 0; i < 4; i++) {
		snaps[i] = process(10 + i, 1, 5);
		add_pages(snaps[i], 100, 2, OWNED(0x100 + 16 * i));
		add_pages(snaps[i], 102, 1, ZEROPAGE);
		/* In another order, and not all of them, in each. */
		add_pages(snaps[i], 200 + i, 2, CACHED(0x500 + i));
		add_pages(snaps[i], 206, 1, CACHED(0x506));
	}
	struct vmsnap_set *set = set_of(snaps, 4);
	struct vmsnap_set_sums sums;
	assert_int_equal(vmsnap_set_sums(set, &sums, NULL), VMSNAP_OK);
	assert_int_equal(sums.resident, 4 * 6 * PAGE);
	/* 4 × 2 of their own, 0x500 to 0x504, and 0x506. */
	assert_int_equal(sums.distinct, (8 + 5 + 1) * PAGE);
	assert_int_equal(sums.hidden, 0);
	vmsnap_set_free(set);
}

static void frames_that_are_not_known_are_not_counted(void **state)
{
	struct vmsnap *const snaps[] = { process(10, 1, 5), process(11, 10, 5) };
	struct vmsnap_set_sums sums;
	(void)state;
	add_pages(snaps[0], 100, 4, OWNED(0x100));
	add_pages(snaps[1], 100, 4, HIDDEN(OWNED(1)));
	struct vmsnap_set *set = set_of(snaps, 2);
	assert_int_equal(vmsnap_set_sums(set, &sums, NULL), VMSNAP_OK);
	assert_int_equal(sums.resident, 8 * PAGE);
	assert_int_equal(sums.distinct, 4 * PAGE);
	assert_int_equal(sums.hidden, 4 * PAGE);
	vmsnap_set_free(set);
}

/* At A a parent (10) and two children (11, 12); at B 12 went and 13 came.  All have the pool, of
 * which each sees four pages more at B. */
static struct vmsnap_set *tree(bool later)
{
	static const uint32_t pids[2][3] = { { 10, 11, 12 }, { 10, 11, 13 } };
	struct vmsnap *snaps[3];
	for (int i = 0; i < 3; i++) {
		uint32_t pid = pids[later][i];
		snaps[i] = process(pid, pid == 10 ? 1 : 10, later ? 9 : 5);
		/* The heap of all is one until 11 copies a page of it. */
		add_pages(snaps[i], 100, 1, later && pid == 11 ? OWNED(0x900) : ANON(0x100));
		if (later && pid == 13)
			add_pages(snaps[i], 101, 3, OWNED(0xa00));
		if (later && pid == 10)
			add_pages(snaps[i], 104, 2, OWNED(0xc00));
		if (!later && pid == 12)
			add_pages(snaps[i], 101, 2, OWNED(0xb00));
		add_pages(snaps[i], 200, later ? 8 : 4, CACHED(0x500));
	}
	return set_of(snaps, 3);
}

static void two_trees_are_compared_process_by_process(void **state)
{
	struct vmsnap_set *a = tree(false), *b = tree(true);
	struct vmsnap_set_diff *diff;
	struct vmsnap_set_diff_row row;
	static const struct {
		uint32_t pid;
		bool a, b;
		uint64_t copied, new_pages, mapped;
	} expected[] = { { 10, true, true, 0, 6, 0 },
		         { 11, true, true, 1, 4, 0 },
		         { 13, false, true, 0, 0, 0 },
		         { 12, true, false, 0, 0, 0 } };
	(void)state;
	assert_int_equal(vmsnap_set_diff_new(a, b, NULL, &diff, NULL), VMSNAP_OK);
	assert_int_equal(vmsnap_set_diff_count(diff), 4);
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(vmsnap_set_diff_row(diff, i, &row), VMSNAP_OK);
		assert_int_equal(vmsnap_info(row.b ? row.b : row.a)->pid, expected[i].pid);
		assert_int_equal(row.a != NULL, expected[i].a);
		assert_int_equal(row.b != NULL, expected[i].b);
		assert_int_equal(vmsnap_set_diff_pages(diff, i, VMSNAP_KIND_COPIED), expected[i].copied);
		assert_int_equal(vmsnap_set_diff_pages(diff, i, VMSNAP_KIND_NEW), expected[i].new_pages);
		assert_int_equal(vmsnap_set_diff_pages(diff, i, VMSNAP_KIND_MAPPED), expected[i].mapped);
		assert_true(row.differs == (row.a && row.b));
	}
	assert_int_equal(vmsnap_set_diff_row(diff, 4, &row), VMSNAP_ERR_NOT_FOUND);
	static const uint64_t totals[VMSNAP_SET_TOTAL_COUNT] = {
		[VMSNAP_SET_TOTAL_DISTINCT_A] = (1 + 2 + 4) * PAGE,
		[VMSNAP_SET_TOTAL_DISTINCT_B] = (1 + 1 + 3 + 2 + 8) * PAGE,
		[VMSNAP_SET_TOTAL_COPIED] = 1 * PAGE,
		[VMSNAP_SET_TOTAL_NEW] = 6 * PAGE,
		[VMSNAP_SET_TOTAL_CAME] = 3 * PAGE,
		[VMSNAP_SET_TOTAL_WENT] = 2 * PAGE,
	};
	for (int i = 0; i < VMSNAP_SET_TOTAL_COUNT; i++)
		assert_int_equal(vmsnap_set_diff_total(diff, i), totals[i]);
	assert_true(vmsnap_set_diff_any(diff));
	vmsnap_set_diff_free(diff);
	assert_int_equal(vmsnap_set_diff_new(a, a, NULL, &diff, NULL), VMSNAP_OK);
	assert_false(vmsnap_set_diff_any(diff));
	vmsnap_set_diff_free(diff);
	vmsnap_set_free(a);
	vmsnap_set_free(b);
}

static void all_forks_of_a_tree_are_told(void **state)
{
	struct vmsnap_set *a = tree(false), *b = tree(true);
	struct vmsnap_set_cow *cow;
	struct vmsnap_set_cow_row row;
	(void)state;
	assert_int_equal(vmsnap_set_cow_new(b, a, NULL, &cow, NULL), VMSNAP_OK);
	assert_int_equal(vmsnap_set_cow_count(cow), 3);
	assert_int_equal(vmsnap_set_cow_row(cow, 0, &row), VMSNAP_OK);
	assert_null(row.parent);
	assert_int_equal(vmsnap_set_cow_row(cow, 1, &row), VMSNAP_OK);
	assert_ptr_equal(row.parent, vmsnap_set_at(b, 0));
	assert_ptr_equal(row.base, vmsnap_set_at(a, 0));
	assert_false(row.came);
	assert_int_equal(vmsnap_set_cow_pages(cow, 1, VMSNAP_VERDICT_COPIED_BY_CHILD), 1);
	assert_int_equal(vmsnap_set_cow_row(cow, 2, &row), VMSNAP_OK);
	assert_true(row.came);
	assert_int_equal(vmsnap_set_cow_pages(cow, 2, VMSNAP_VERDICT_SHARED), 1);
	assert_int_equal(vmsnap_set_cow_distinct(cow, VMSNAP_VERDICT_COPIED_BY_CHILD), PAGE);
	assert_int_equal(vmsnap_set_cow_distinct(cow, VMSNAP_VERDICT_SHARED_MAPPING), 8 * PAGE);
	assert_int_equal(vmsnap_set_cow_hidden(cow), 0);
	assert_int_equal(row.inferred, 0);
	assert_ptr_equal(vmsnap_set_cow_went(cow, 0), vmsnap_set_at(a, 2));
	assert_null(vmsnap_set_cow_went(cow, 1));
	vmsnap_set_cow_free(cow);
	vmsnap_set_free(a);
	vmsnap_set_free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_set_is_of_one_instant_and_has_nobody_twice),
		cmocka_unit_test(who_is_in_it),
		cmocka_unit_test(a_frame_counts_once),
		cmocka_unit_test(frames_that_are_not_known_are_not_counted),
		cmocka_unit_test(two_trees_are_compared_process_by_process),
		cmocka_unit_test(all_forks_of_a_tree_are_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
