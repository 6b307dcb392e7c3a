/* Page faults that snapshots of a diff have kept, and which code they say made its pages. */
#include "test_diff_fixture.h"

enum { PID = 7, SET = 0x401010, OTHER = 0x401020 };

static struct vmsnap *snap_at(int64_t time, uint64_t pages)
{
	struct vmsnap *snap = make_snap();
	snap->info.pid = snap->info.tgid = PID;
	snap->info.monotonic = time;
	snap->info.faults = pages;
	add_anon(snap, 1, 100, "rw-p", "");
	for (uint64_t page = 1; page <= pages; page++)
		add_pages(snap, page, 1, OWNED(100 + page));
	return snap;
}

struct told {
	uint64_t time, page, ip;
	const char *function; /* NULL: nobody told */
};

static struct vmsnap_faults *watched(uint64_t begin, uint64_t end, const struct told *told, size_t count)
{
	struct vmsnap_faults_builder *builder = NULL;
	struct vmsnap_faults *faults = NULL;
	const struct vmsnap_faults_info info = {
		.begin = begin, .end = end, .pid = PID, .flags = VMSNAP_FAULTS_KINDS | VMSNAP_FAULTS_KERNEL
	};
	const struct vmsnap_fault_object object = { .path = "/bin/made", .start = 0x401000, .end = 0x402000 };
	uint32_t index;
	assert_int_equal(vmsnap_faults_builder_new(NULL, &builder, NULL), VMSNAP_OK);
	assert_int_equal(vmsnap_faults_builder_set(builder, &info, NULL), VMSNAP_OK);
	assert_int_equal(vmsnap_faults_builder_add_object(builder, &object, &index, NULL), VMSNAP_OK);
	for (size_t i = 0; i < count; i++) {
		const struct vmsnap_fault fault = { .time = told[i].time,
			                            .address = PAGE_AT(told[i].page) + 8,
			                            .ip = told[i].ip,
			                            .pid = PID,
			                            .tid = PID,
			                            .syscall = -1,
			                            .kind = VMSNAP_FAULT_WRITE_NEW };
		const struct vmsnap_fault_code code = { .address = told[i].ip,
			                                .function = told[i].function,
			                                .file = "made.c",
			                                .line = 3,
			                                .object = index };
		assert_int_equal(vmsnap_faults_builder_add(builder, &fault, &fault.ip, 1, NULL), VMSNAP_OK);
		if (code.function)
			assert_int_equal(vmsnap_faults_builder_add_code(builder, &code, NULL), VMSNAP_OK);
	}
	assert_int_equal(vmsnap_faults_builder_finish(builder, &faults, NULL), VMSNAP_OK);
	vmsnap_faults_builder_free(builder);
	return faults;
}

static void give(struct vmsnap *snap, uint64_t begin, uint64_t end, const struct told *told, size_t count)
{
	snap->faults = watched(begin, end, told, count);
}

static struct vmsnap_diff *compare_with(const struct vmsnap *a, const struct vmsnap *b,
                                        const struct vmsnap *const *between, size_t count)
{
	struct vmsnap_compare_options options = { .size = sizeof(options), .between = between, .between_count = count };
	struct vmsnap_diff *diff = NULL;
	assert_int_equal(vmsnap_diff_new_with(a, b, &options, &diff, NULL), VMSNAP_OK);
	return diff;
}

struct printed {
	char text[1 << 14];
	size_t len;
};

static int take_text(void *ctx, const char *text, size_t len)
{
	struct printed *printed = ctx;
	assert_true(len < sizeof(printed->text) - printed->len);
	memcpy(printed->text + printed->len, text, len);
	printed->len += len;
	return 0;
}

static void assert_printed(const struct vmsnap_diff *diff, bool json, const char *there, const char *not_there)
{
	struct printed printed = { .len = 0 };
	const struct vmsnap_output out = {
		.size = sizeof(out),
		.style = { .size = sizeof(out.style), .width = 120, .json = json },
		.write = take_text,
		.ctx = &printed,
	};
	assert_int_equal(vmsnap_print_diff(diff, NULL, 0, &out, NULL), VMSNAP_OK);
	if (!strstr(printed.text, there) || (not_there && strstr(printed.text, not_there)))
		fail_msg("%s", printed.text);
}

static void snapshots_without_faults_have_no_column(void **state)
{
	(void)state;
	struct vmsnap *a = snap_at(1000, 1), *b = snap_at(2000, 3);
	struct vmsnap_diff *diff = compare(a, b);
	assert_null(vmsnap_diff_faults(diff));
	assert_printed(diff, false, "NEW", " BY");
	assert_printed(diff, true, "\"new_code\": [", "\"by\": ");
	vmsnap_diff_free(diff);
	vmsnap_unref(a);
	vmsnap_unref(b);
}

static void code_that_made_the_pages_is_named(void **state)
{
	(void)state;
	const struct told told[] = { { 1500, 2, SET, "set" }, { 1600, 3, SET, "set" }, { 1700, 4, OTHER, "other" } };
	struct vmsnap *a = snap_at(1000, 1), *b = snap_at(2000, 6);
	give(b, 900, 2100, told, 3);
	struct vmsnap_diff *diff = compare(a, b);
	assert_ptr_equal(vmsnap_diff_faults(diff), vmsnap_faults_of(b));
	assert_printed(diff, false, "set (made.c:3) and 1 more, 8.00K kernel or unseen", "not all page faults");
	assert_printed(diff, true,
	               "\"by\": [{\"known\": \"seen\", \"function\": \"set\", \"file\": \"made.c\", \"line\": 3, "
	               "\"syscall\": null, \"called_by_debugger\": false, \"bytes\": 8192}, ",
	               NULL);
	assert_printed(diff, true, "\"faults\": {\"lost\": 0}", NULL);
	vmsnap_diff_free(diff);
	vmsnap_unref(a);
	vmsnap_unref(b);
}

static void watched_too_late_is_not_all(void **state)
{
	(void)state;
	const struct told told[] = { { 1500, 2, SET, "set" } };
	struct vmsnap *a = snap_at(1000, 1), *b = snap_at(2000, 2);
	give(b, 1100, 2100, told, 1);
	struct vmsnap_diff *diff = compare(a, b);
	assert_printed(diff, false, "not all page faults between A and B are known", NULL);
	assert_printed(diff, true, "\"faults\": {\"lost\": null}", NULL);
	vmsnap_diff_free(diff);
	vmsnap_unref(a);
	vmsnap_unref(b);
}

/* Some came after the look of A, and before its faults were taken: these A has. */
static void faults_of_those_in_between_belong_to_it(void **state)
{
	(void)state;
	const struct told of_a[] = { { 500, 1, OTHER, "other" }, { 1005, 2, SET, "set" } };
	const struct told between[] = { { 1005, 2, SET, "set" }, { 1500, 3, SET, "set" } };
	const struct told of_b[] = { { 2500, 4, OTHER, "other" } };
	struct vmsnap *a = snap_at(1000, 1), *m = snap_at(2000, 3), *b = snap_at(3000, 4);
	const struct vmsnap *const all[] = { b, m, a };
	give(a, 0, 1010, of_a, 2);
	give(m, 900, 2010, between, 2);
	give(b, 2010, 3010, of_b, 1);
	struct vmsnap_diff *diff = compare_with(a, b, all, 3);
	assert_int_equal(vmsnap_faults_count(vmsnap_diff_faults(diff)), 4);
	assert_int_equal(vmsnap_faults_info(vmsnap_diff_faults(diff))->lost, 0);
	assert_printed(diff, false, "set (made.c:3) and 1 more", "unseen");
	vmsnap_diff_free(diff);
	/* Without it, nobody knows what was in between. */
	diff = compare(a, b);
	assert_printed(diff, false, "not all page faults between A and B are known", NULL);
	vmsnap_diff_free(diff);
	vmsnap_unref(a);
	vmsnap_unref(m);
	vmsnap_unref(b);
}

static void code_that_is_called_otherwise_later_has_no_name(void **state)
{
	(void)state;
	const struct told between[] = { { 1500, 2, SET, "set" } }, of_b[] = { { 2500, 3, SET, "plugin_set" } };
	struct vmsnap *a = snap_at(1000, 1), *m = snap_at(2000, 2), *b = snap_at(3000, 3);
	const struct vmsnap *const all[] = { m };
	give(m, 900, 2010, between, 1);
	give(b, 2010, 3010, of_b, 1);
	struct vmsnap_diff *diff = compare_with(a, b, all, 1);
	const struct vmsnap_fault_code *code = vmsnap_faults_code_at(vmsnap_diff_faults(diff), PID, SET);
	assert_string_equal(code->function, "");
	assert_printed(diff, false, "0x401010", "set (");
	vmsnap_diff_free(diff);
	vmsnap_unref(a);
	vmsnap_unref(m);
	vmsnap_unref(b);
}

static void first_write_is_found(void **state)
{
	(void)state;
	const struct told told[] = { { 1500, 2, SET, "set" },
		                     { 1600, 2, OTHER, "other" },
		                     { 1700, 3, OTHER, "other" } };
	struct vmsnap_faults *faults = watched(0, 2000, told, 3);
	assert_int_equal(vmsnap_faults_first_write(faults, PID, PAGE_AT(2), PAGE_AT(3), 0)->ip, SET);
	assert_int_equal(vmsnap_faults_first_write(faults, PID, PAGE_AT(2), PAGE_AT(3), 1500)->ip, OTHER);
	assert_null(vmsnap_faults_first_write(faults, PID, PAGE_AT(2), PAGE_AT(3), 1600));
	assert_null(vmsnap_faults_first_write(faults, PID + 1, PAGE_AT(2), PAGE_AT(3), 0));
	assert_null(vmsnap_faults_first_write(faults, PID, PAGE_AT(2) + 9, PAGE_AT(3), 0));
	vmsnap_faults_unref(faults);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(snapshots_without_faults_have_no_column),
		cmocka_unit_test(code_that_made_the_pages_is_named),
		cmocka_unit_test(watched_too_late_is_not_all),
		cmocka_unit_test(faults_of_those_in_between_belong_to_it),
		cmocka_unit_test(code_that_is_called_otherwise_later_has_no_name),
		cmocka_unit_test(first_write_is_found),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
