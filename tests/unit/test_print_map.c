/* map of two snapshots: a parent at the fork and a child that wrote. */
#include "test_print_fork.h"

static void map_of_two_says_what_a_process_is_called_now(void **state)
{
	(void)state;
	struct vmsnap *before = at_fork(42), *now = at_fork(42);
	struct catch *caught = catch_new();
	assert_int_equal(vmsnap_print_map(before, now, &caught->out, NULL), VMSNAP_OK);
	assert_lacks(caught, "\xe2\x86\x92 demo");
	now->info.comm = "sleep";
	caught = catch_new();
	assert_int_equal(vmsnap_print_map(before, now, &caught->out, NULL), VMSNAP_OK);
	assert_has(caught, "demo 42, 2023-11-14 22:13:20.123 +0000 \xe2\x86\x92 sleep 42, ");
	vmsnap_unref(before);
	vmsnap_unref(now);
}

static void map_of_two_shows_events(void **state)
{
	const struct fixture *f = *state;
	struct catch *caught = catch_new();
	caught->out.style.unicode = false;
	assert_int_equal(vmsnap_print_map(f->a, f->b, &caught->out, NULL), VMSNAP_OK);
	assert_has(
	        caught,
	        "00100000      ========================================================================================"
	        "################################--------\n"
	        "00140000      ++++++++++++++++"
	        "......................................................................................................"
	        "..........\n");
	/* Copied and new pages are not counted again as private. */
	assert_has(caught, "\n# copied 68.0K  + new 32.0K  - gone 16.0K  = shared 176K  f file 4.00K\n");
	assert_has(caught, ": 68.0K copied of 260K writable and shared at A (26.2%)\n");
	caught = catch_new();
	caught->out.style.json = true;
	assert_int_equal(vmsnap_print_map(f->a, f->b, &caught->out, NULL), VMSNAP_OK);
	assert_has(caught, "\"schema\": \"vmsnap.map/1\"");
	assert_has(caught, "{\"start\": \"0x140000\", \"cells\": \"++++++++....");
	assert_has(caught, "\"copied\": 69632,");
	assert_harmless(caught);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(map_of_two_shows_events),
		cmocka_unit_test(map_of_two_says_what_a_process_is_called_now),
	};
	return cmocka_run_group_tests(tests, make_fork, unmake_fork);
}
