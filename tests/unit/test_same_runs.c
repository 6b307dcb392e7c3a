/* What two snapshots have alike is passed at once just where it would be passed run by run. */
#include "test_diff_fixture.h"

#include "pair.h"
#include "same_runs.h"

enum { PAGES = 4000, FIRST = 16 };

/* No frame follows the one before it, so that each page is a run.  Every few hundred pages one is in another
 * frame, or absent on one side. */
static void make_pair(uint64_t *random, struct vmsnap **a, struct vmsnap **b)
{
	uint64_t next = random_below(random, 700);
	*a = make_snap();
	*b = make_snap();
	for (uint64_t page = FIRST; page < FIRST + PAGES; page++) {
		bool differs = page - FIRST == next;
		uint64_t way = differs ? random_below(random, 3) : 3;
		next += differs ? 1 + random_below(random, 700) : 0;
		if (way != 1)
			add_pages(*a, page, 1, ANON(2 * page));
		if (way != 2)
			add_pages(*b, page, 1, ANON(way == 0 ? 90000 + 2 * page : 2 * page));
	}
}

/* All stretches, as who walks first finds them. */
static struct same_runs find_same(const struct vmsnap *a, const struct vmsnap *b, struct work *work)
{
	struct same_runs same = { 0 };
	struct run_cursor in_a = run_cursor_at(a, 0), in_b = run_cursor_at(b, 0);
	for (uint64_t at = 0, until; at != UINT64_MAX; at = until) {
		const struct run *from_a = in_a.run, *from_b = in_b.run;
		at = run_cursors_skip_equal(&in_a, &in_b, at, UINT64_MAX);
		assert_int_equal(same_runs_note(&same, from_a, from_b, (size_t)(in_a.run - from_a), work), VMSNAP_OK);
		until = UINT64_MAX;
		run_cursor_entry(&in_a, at, &until);
		run_cursor_entry(&in_b, at, &until);
		if (until == UINT64_MAX)
			break;
		run_cursor_pass(&in_a, until);
		run_cursor_pass(&in_b, until);
	}
	return same;
}

static void it_passes_what_is_passed_run_by_run(void **state)
{
	uint64_t random = 11, jumps = 0;
	(void)state;
	for (int round = 0; round < 200; round++) {
		struct work work = { .limit = WORK_UNLIMITED };
		struct vmsnap *a, *b;
		make_pair(&random, &a, &b);
		struct same_runs same = find_same(a, b, &work);
		struct run_cursor at_once[2] = { run_cursor_at(a, 0), run_cursor_at(b, 0) };
		struct run_cursor singly[2] = { at_once[0], at_once[1] };
		size_t next = 0;
		for (uint64_t page = 0; page < FIRST + PAGES; page += 1 + random_below(&random, 40)) {
			uint64_t at = page * 4096, end = (page + 1 + random_below(&random, 2000)) * 4096;
			uint64_t here = same_runs_skip(&same, &next, &at_once[0], &at_once[1], at, end);
			assert_int_equal(here, run_cursors_skip_equal(&singly[0], &singly[1], at, end));
			assert_ptr_equal(at_once[0].run, singly[0].run);
			assert_ptr_equal(at_once[1].run, singly[1].run);
			page = here / 4096 > page ? here / 4096 : page;
		}
		jumps += same.count;
		same_runs_free(&same, &work);
		vmsnap_unref(a);
		vmsnap_unref(b);
	}
	assert_true(jumps > 200);
}

/* What is passed and what is not, of a mapping from amid the pages on. */
static uint64_t own_pages(const struct vmsnap *a, const struct vmsnap *b, const struct same_runs *same, uint64_t *told)
{
	struct pairing pairing = { .sides = 2, .snap = { a, b }, .same = same };
	struct pair_walk walk = pair_begin(&pairing, 0);
	walk.count_own = true;
	*told = 0;
	for (struct pair_range range; pair_next(&walk, &range);) {
		struct pair_pages pages = pair_pages_begin(&walk, &range, range.member, true);
		while (pair_pages_next(&pages))
			*told += (pages.end - pages.start) / 4096 * pair_own_memory(&range);
	}
	return walk.own;
}

static void what_is_passed_at_once_is_counted(void **state)
{
	uint64_t random = 12;
	(void)state;
	for (int round = 0; round < 50; round++) {
		struct work work = { .limit = WORK_UNLIMITED };
		struct vmsnap *a, *b;
		uint64_t told, told_singly, first = FIRST + random_below(&random, PAGES / 2), pages = PAGES / 2;
		make_pair(&random, &a, &b);
		add_anon(a, first, first + pages, "rw-p", "");
		add_anon(b, first, first + pages, "rw-p", "");
		struct same_runs same = find_same(a, b, &work);
		uint64_t own = own_pages(a, b, &same, &told);
		assert_int_equal(own, own_pages(a, b, NULL, &told_singly));
		assert_int_equal(told, told_singly);
		assert_int_equal(own + told, pages);
		same_runs_free(&same, &work);
		vmsnap_unref(a);
		vmsnap_unref(b);
	}
}

static void short_stretches_are_not_worth_it(void **state)
{
	struct run runs[SAME_LEAST] = { { 0 } };
	struct work work = { .limit = WORK_UNLIMITED };
	struct same_runs same = { 0 };
	(void)state;
	assert_int_equal(same_runs_note(&same, runs, runs, SAME_LEAST - 1, &work), VMSNAP_OK);
	assert_int_equal(same.count, 0);
	assert_int_equal(same_runs_note(&same, runs, runs, SAME_LEAST, &work), VMSNAP_OK);
	assert_int_equal(same.count, 1);
	same_runs_free(&same, &work);
	assert_int_equal(work.used, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_passes_what_is_passed_run_by_run),
		cmocka_unit_test(what_is_passed_at_once_is_counted),
		cmocka_unit_test(short_stretches_are_not_worth_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
