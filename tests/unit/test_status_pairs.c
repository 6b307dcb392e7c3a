/* test_status_pairs.c - which lines of two statuses differ. */
#include "test_diff_fixture.h"

static void set_status(struct vmsnap *snap, const char *text)
{
	snap->status = text;
	snap->status_len = strlen(text);
}

static void expect_status(const struct vmsnap_diff *diff, size_t index, const char *key, const char *a, const char *b)
{
	struct vmsnap_diff_status row;
	assert_int_equal(vmsnap_diff_status(diff, index, &row), VMSNAP_OK);
	assert_int_equal(row.a.key_len, a ? strlen(key) : 0);
	assert_int_equal(row.b.key_len, b ? strlen(key) : 0);
	if (a) {
		assert_memory_equal(row.a.key, key, strlen(key));
		assert_int_equal(row.a.text_len, strlen(a));
		assert_memory_equal(row.a.text, a, strlen(a));
	}
	if (b) {
		assert_memory_equal(row.b.key, key, strlen(key));
		assert_int_equal(row.b.text_len, strlen(b));
		assert_memory_equal(row.b.text, b, strlen(b));
	}
}

static void context_switches_alone_are_no_difference(void **state)
{
	(void)state;
	struct vmsnap *a = make_snap(), *b = make_snap();
	set_status(a, "voluntary_ctxt_switches:\t3\nnonvoluntary_ctxt_switches:\t0\n");
	set_status(b, "voluntary_ctxt_switches:\t5\nnonvoluntary_ctxt_switches:\t1\n");
	struct vmsnap_diff *diff = compare(a, b);
	assert_int_equal(vmsnap_diff_status_count(diff), 2);
	assert_false(vmsnap_diff_any(diff));
	vmsnap_diff_free(diff);
	vmsnap_unref(a);
	vmsnap_unref(b);
}

/* All processes of the user have a share in it. */
static void queued_signals_are_no_difference(void **state)
{
	(void)state;
	struct vmsnap *a = make_snap(), *b = make_snap();
	set_status(a, "SigQ:\t0/31190\nSigQx:\t1\n");
	set_status(b, "SigQ:\t7/31190\nSigQx:\t1\n");
	struct vmsnap_diff *diff = compare(a, b);
	assert_int_equal(vmsnap_diff_status_count(diff), 0);
	assert_false(vmsnap_diff_any(diff));
	vmsnap_diff_free(diff);
	vmsnap_unref(a);
	vmsnap_unref(b);
}

static void status_lines_that_differ_come_in_the_order_of_a(void **state)
{
	(void)state;
	struct vmsnap *a = make_snap(), *b = make_snap();
	set_status(a, "Name:\tx\nVmRSS:\t     100 kB\nThreads:\t1\nOld:\t5\nctxt:\t3\n");
	set_status(b, "Name:\tx\nThreads:\t2\nNew:\t\nVmRSS:\t     104 kB\nctxt:\t3\nNewer:\t8\n");
	struct vmsnap_diff *diff = compare(a, b);
	assert_true(vmsnap_diff_any(diff));
	assert_int_equal(vmsnap_diff_status_count(diff), 5);
	expect_status(diff, 0, "VmRSS", "100 kB", "104 kB");
	expect_status(diff, 1, "Threads", "1", "2");
	expect_status(diff, 2, "Old", "5", NULL);
	expect_status(diff, 3, "New", NULL, "");
	expect_status(diff, 4, "Newer", NULL, "8");
	struct vmsnap_diff_status row;
	assert_int_equal(vmsnap_diff_status(diff, 0, &row), VMSNAP_OK);
	assert_int_equal(row.b.number, 104 * 1024);
	assert_int_equal(vmsnap_diff_status(diff, 5, &row), VMSNAP_ERR_NOT_FOUND);
	vmsnap_diff_free(diff);
	vmsnap_unref(a);
	vmsnap_unref(b);
}

static void keys_that_come_twice_are_paired_in_order(void **state)
{
	(void)state;
	struct vmsnap *a = make_snap(), *b = make_snap();
	set_status(a, "K:\t1\nK:\t2\n");
	set_status(b, "K:\t1\nK:\t3\nK:\t4\n");
	struct vmsnap_diff *diff = compare(a, b);
	assert_int_equal(vmsnap_diff_status_count(diff), 2);
	expect_status(diff, 0, "K", "2", "3");
	expect_status(diff, 1, "K", NULL, "4");
	vmsnap_diff_free(diff);
	vmsnap_unref(a);
	vmsnap_unref(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(status_lines_that_differ_come_in_the_order_of_a),
		cmocka_unit_test(context_switches_alone_are_no_difference),
		cmocka_unit_test(queued_signals_are_no_difference),
		cmocka_unit_test(keys_that_come_twice_are_paired_in_order),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
