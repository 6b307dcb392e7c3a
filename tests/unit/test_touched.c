/* test_touched.c - the pages that a debugger wrote to. */
#include "test_diff_fixture.h"

#include "annotate.h"
#include "touched.h"

static struct work unlimited = { .limit = WORK_UNLIMITED };

static struct touched_list touched_in(const struct vmsnap *a, const struct vmsnap *b, const struct vmsnap *c)
{
	const struct vmsnap *snaps[] = { a, b, c };
	struct touched_list list;
	assert_int_equal(touched_pages(snaps, c ? 3 : b ? 2 : 1, &unlimited, &list), VMSNAP_OK);
	return list;
}

static void expect(const struct touched_list *list, size_t index, uint64_t start, uint64_t end)
{
	assert_true(index < list->count);
	assert_int_equal(list->items[index].start, start);
	assert_int_equal(list->items[index].end, end);
}

static void bytes_become_the_pages_that_hold_them(void **state)
{
	(void)state;
	struct vmsnap *snap = make_snap();
	add_touched(snap, PAGE_AT(5) + 17, 1, "breakpoint 1");
	add_touched(snap, PAGE_AT(10) - 1, 2, "inferior call");
	add_touched(snap, PAGE_AT(20), PAGE, "written from gdb");
	add_touched(snap, PAGE_AT(30) + 1, PAGE, "written from gdb");
	struct touched_list list = touched_in(snap, NULL, NULL);
	assert_int_equal(list.count, 4);
	expect(&list, 0, PAGE_AT(5), PAGE_AT(6));
	expect(&list, 1, PAGE_AT(9), PAGE_AT(11));
	expect(&list, 2, PAGE_AT(20), PAGE_AT(21));
	expect(&list, 3, PAGE_AT(30), PAGE_AT(32));
	touched_free(&list, &unlimited);
	vmsnap_unref(snap);
}

static void names_and_empty_ranges_touch_nothing(void **state)
{
	(void)state;
	struct vmsnap *snap = make_snap();
	const struct vmsnap_annotation local = { .address = 4096, .size = 8, .kind = VMSNAP_ANNOTATION_LOCAL };
	assert_int_equal(test_annotate(snap, &local, 1, NULL), VMSNAP_OK);
	add_touched(snap, PAGE_AT(5), 0, "breakpoint 1");
	struct touched_list list = touched_in(snap, NULL, NULL);
	assert_int_equal(list.count, 0);
	uint64_t until = 77;
	assert_false(touched_at(&list, PAGE_AT(5), &until));
	assert_int_equal(until, 77);
	touched_free(&list, &unlimited);
	vmsnap_unref(snap);
}

static void pages_of_several_snapshots_are_joined(void **state)
{
	(void)state;
	struct vmsnap *a = make_snap(), *b = make_snap(), *c = make_snap();
	add_touched(a, PAGE_AT(8), 1, "breakpoint 1");
	add_touched(a, PAGE_AT(40), PAGE_AT(10), "written from gdb");
	add_touched(b, PAGE_AT(9), 1, "breakpoint 2");
	add_touched(b, PAGE_AT(42), 1, "breakpoint 3"); /* within A's */
	add_touched(c, PAGE_AT(2), 1, "breakpoint 4");
	add_touched(c, PAGE_AT(8), 1, "breakpoint 1");
	add_touched(c, PAGE_AT(49), PAGE_AT(2), "written from gdb"); /* beyond A's */
	struct touched_list list = touched_in(a, b, c);
	assert_int_equal(list.count, 3);
	expect(&list, 0, PAGE_AT(2), PAGE_AT(3));
	expect(&list, 1, PAGE_AT(8), PAGE_AT(10));
	expect(&list, 2, PAGE_AT(40), PAGE_AT(51));
	touched_free(&list, &unlimited);
	vmsnap_unref(a);
	vmsnap_unref(b);
	vmsnap_unref(c);
}

static void highest_page_ends_at_the_highest_address(void **state)
{
	(void)state;
	struct vmsnap *snap = make_snap();
	add_touched(snap, UINT64_MAX - 1, 1, "breakpoint 1");
	struct touched_list list = touched_in(snap, NULL, NULL);
	assert_int_equal(list.count, 1);
	expect(&list, 0, UINT64_MAX - PAGE + 1, UINT64_MAX);
	uint64_t until = UINT64_MAX;
	assert_true(touched_at(&list, UINT64_MAX - PAGE + 1, &until));
	assert_int_equal(until, UINT64_MAX);
	touched_free(&list, &unlimited);
	vmsnap_unref(snap);
}

static void pages_are_as_large_as_the_snapshot_says(void **state)
{
	(void)state;
	struct vmsnap *snap = make_snap();
	snap->info.page_size = 65536;
	add_touched(snap, 0x2ffff, 1, "breakpoint 1");
	struct touched_list list = touched_in(snap, NULL, NULL);
	assert_int_equal(list.count, 1);
	expect(&list, 0, 0x20000, 0x30000);
	touched_free(&list, &unlimited);
	vmsnap_unref(snap);
}

static void lookup_tells_how_far_the_answer_holds(void **state)
{
	(void)state;
	static struct vmsnap_layer_range items[] = { { PAGE_AT(5), PAGE_AT(7), 1 }, { PAGE_AT(9), PAGE_AT(10), 1 } };
	const struct touched_list list = { items, 2, 2 };
	static const struct {
		uint64_t at, until, expected;
		bool touched;
	} cases[] = {
		{ 0, 100, 5, false }, { 0, 3, 3, false },  { 4, 100, 5, false },    { 5, 100, 7, true },
		{ 6, 100, 7, true },  { 5, 6, 6, true },   { 7, 100, 9, false },    { 8, 9, 9, false },
		{ 9, 100, 10, true }, { 9, 10, 10, true }, { 10, 100, 100, false }, { 99, 100, 100, false },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint64_t until = PAGE_AT(cases[i].until);
		assert_int_equal(touched_at(&list, PAGE_AT(cases[i].at), &until), cases[i].touched);
		assert_int_equal(until, PAGE_AT(cases[i].expected));
	}
}

/* A file may hold as many as it likes, one in another.  Quadratic, this would take
 * minutes. */
static void a_hundred_thousand_nested_ranges_are_one(void **state)
{
	(void)state;
	enum { COUNT = 100000 };
	struct vmsnap *snap = make_snap();
	struct vmsnap_annotation *names = calloc(COUNT, sizeof(*names));
	assert_non_null(names);
	for (uint64_t i = 0; i < COUNT; i++)
		names[i] = (struct vmsnap_annotation){ .address = PAGE_AT(i),
			                               .size = PAGE_AT(2 * (COUNT - i)),
			                               .kind = VMSNAP_ANNOTATION_DEBUGGER_WRITE };
	assert_int_equal(test_annotate(snap, names, COUNT, NULL), VMSNAP_OK);
	struct touched_list list = touched_in(snap, snap, snap);
	assert_int_equal(list.count, 1);
	expect(&list, 0, 0, PAGE_AT(2 * COUNT));
	touched_free(&list, &unlimited);
	vmsnap_unref(snap);
	free(names);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_become_the_pages_that_hold_them),
		cmocka_unit_test(names_and_empty_ranges_touch_nothing),
		cmocka_unit_test(pages_of_several_snapshots_are_joined),
		cmocka_unit_test(highest_page_ends_at_the_highest_address),
		cmocka_unit_test(pages_are_as_large_as_the_snapshot_says),
		cmocka_unit_test(lookup_tells_how_far_the_answer_holds),
		cmocka_unit_test(a_hundred_thousand_nested_ranges_are_one),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
