/* Page faults made of what is given, and kept with a snapshot. */
#include "test_file_sample.h"

#include "test_faults.h"

static void faults_are_in_the_order_of_time_and_stacks_are_kept_once(void **state)
{
	(void)state;
	struct vmsnap_faults *faults = faults_made(1000);
	const struct vmsnap_faults_info *info = vmsnap_faults_info(faults);
	assert_int_equal(info->count, 1000);
	assert_int_equal(info->stacks, MADE_STACKS);
	assert_int_equal(info->lost, 3);
	size_t count;
	for (size_t i = 0; i < 1000; i++) {
		const struct vmsnap_fault *fault = vmsnap_faults_at(faults, i);
		assert_int_equal(fault->time, 1000 + i * 100);
		const uint64_t *frames = vmsnap_faults_stack(faults, fault->stack, &count);
		assert_int_equal(count, i % 3 ? i % 3 + 1 : 0);
		assert_true(!count || frames[0] == fault->ip);
	}
	assert_null(vmsnap_faults_at(faults, 1000));
	assert_null(vmsnap_faults_stack(faults, MADE_STACKS, &count));
	assert_string_equal(vmsnap_faults_comm(faults, 7, 8), "worker");
	assert_string_equal(vmsnap_faults_comm(faults, 7, 9), "");
	assert_string_equal(vmsnap_faults_syscall_name(faults, 0), "read");
	assert_string_equal(vmsnap_faults_syscall_name(faults, 1), "");
	vmsnap_faults_unref(faults);
}

static void many_stacks_are_told_apart(void **state)
{
	(void)state;
	struct vmsnap_faults_builder *builder;
	struct vmsnap_faults *faults, *more;
	assert_int_equal(vmsnap_faults_builder_new(NULL, &builder, NULL), VMSNAP_OK);
	for (uint64_t i = 0; i < 6000; i++) {
		const struct vmsnap_fault fault = { .time = i, .ip = i % 3000, .syscall = -1 };
		const uint64_t frames[] = { i % 3000, i % 7 };
		assert_int_equal(vmsnap_faults_builder_add(builder, &fault, frames, 2, NULL), VMSNAP_OK);
	}
	assert_int_equal(vmsnap_faults_builder_finish(builder, &faults, NULL), VMSNAP_OK);
	vmsnap_faults_builder_free(builder);
	assert_int_equal(vmsnap_faults_info(faults)->stacks, 6000);
	for (size_t i = 0; i < 6000; i++) {
		size_t count;
		const uint64_t *frames = vmsnap_faults_stack(faults, vmsnap_faults_at(faults, i)->stack, &count);
		assert_true(count == 2 && frames[0] == i % 3000 && frames[1] == i % 7);
	}
	/* Those that go on from there know them. */
	assert_int_equal(vmsnap_faults_builder_new(faults, &builder, NULL), VMSNAP_OK);
	const struct vmsnap_fault again = { .time = 9999, .ip = 5, .syscall = -1 };
	const uint64_t frames[] = { 5, 5 };
	assert_int_equal(vmsnap_faults_builder_add(builder, &again, frames, 2, NULL), VMSNAP_OK);
	assert_int_equal(vmsnap_faults_builder_finish(builder, &more, NULL), VMSNAP_OK);
	vmsnap_faults_builder_free(builder);
	assert_int_equal(vmsnap_faults_info(more)->stacks, 6000);
	assert_int_equal(vmsnap_faults_at(more, 6000)->stack, vmsnap_faults_at(more, 5)->stack);
	vmsnap_faults_unref(more);
	vmsnap_faults_unref(faults);
}

static void code_is_found_by_process_and_the_latest_word_counts(void **state)
{
	(void)state;
	struct vmsnap_faults *faults = faults_made(3), *named;
	assert_string_equal(vmsnap_faults_code_at(faults, 7, 0x401020)->function, "get");
	assert_string_equal(vmsnap_faults_code_at(faults, 8, 0x401020)->function, "other");
	assert_string_equal(vmsnap_faults_code_at(faults, 8, 0x401010)->function, "set");
	assert_null(vmsnap_faults_code_at(faults, 7, 0x401011));
	struct vmsnap_faults_builder *builder;
	const struct vmsnap_fault_code renamed = { .address = 0x401020, .function = "put" };
	assert_int_equal(vmsnap_faults_builder_new(faults, &builder, NULL), VMSNAP_OK);
	assert_int_equal(vmsnap_faults_builder_add_code(builder, &renamed, NULL), VMSNAP_OK);
	assert_int_equal(vmsnap_faults_builder_finish(builder, &named, NULL), VMSNAP_OK);
	vmsnap_faults_builder_free(builder);
	assert_string_equal(vmsnap_faults_code_at(named, 7, 0x401020)->function, "put");
	assert_string_equal(vmsnap_faults_code_at(faults, 7, 0x401020)->function, "get");
	vmsnap_faults_unref(named);
	vmsnap_faults_unref(faults);
}

static void of_one_process_there_are_its_own(void **state)
{
	(void)state;
	struct vmsnap_faults_builder *builder;
	struct vmsnap_faults *made = faults_made(30), *both, *one, *none;
	const struct vmsnap_fault other = { .time = 7, .ip = 0x401020, .pid = 8, .tid = 8, .syscall = -1 };
	const uint64_t frame = 0x401020;
	assert_int_equal(vmsnap_faults_builder_new(made, &builder, NULL), VMSNAP_OK);
	assert_int_equal(vmsnap_faults_builder_add(builder, &other, &frame, 1, NULL), VMSNAP_OK);
	assert_int_equal(vmsnap_faults_builder_add_thread(builder, 8, 8, "child", NULL), VMSNAP_OK);
	assert_int_equal(vmsnap_faults_builder_finish(builder, &both, NULL), VMSNAP_OK);
	vmsnap_faults_builder_free(builder);
	assert_int_equal(vmsnap_faults_of_process(both, 8, &one, NULL), VMSNAP_OK);
	assert_int_equal(vmsnap_faults_count(one), 1);
	assert_int_equal(vmsnap_faults_info(one)->pid, 8);
	assert_int_equal(vmsnap_faults_info(one)->lost, 3);
	assert_string_equal(vmsnap_faults_code(one, 0)->function, "other");
	assert_null(vmsnap_faults_code(one, 1));
	assert_string_equal(vmsnap_faults_thread(one, 0)->comm, "child");
	assert_null(vmsnap_faults_thread(one, 1));
	assert_int_equal(vmsnap_faults_of_process(both, 9, &none, NULL), VMSNAP_OK);
	assert_int_equal(vmsnap_faults_count(none), 0);
	vmsnap_faults_unref(none);
	vmsnap_faults_unref(one);
	vmsnap_faults_unref(both);
	vmsnap_faults_unref(made);
}

static void what_no_fault_is_is_refused_and_nothing_is_added(void **state)
{
	(void)state;
	static const struct vmsnap_fault bad[] = {
		{ .kind = VMSNAP_FAULT_KIND_COUNT },
		{ .flags = 4 },
		{ .pid = -1 },
		{ .tid = -1 },
		{ .syscall = -3 },
		{ .unused1 = 1 },
		{ .unused2 = 1 },
	};
	struct vmsnap_faults_builder *builder;
	struct vmsnap_faults *faults;
	struct vmsnap_error err;
	assert_int_equal(vmsnap_faults_builder_new(NULL, &builder, NULL), VMSNAP_OK);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_int_equal(vmsnap_faults_builder_add(builder, &bad[i], NULL, 0, &err), VMSNAP_ERR_ARGUMENT);
	static const uint64_t frames[VMSNAP_FAULT_FRAMES_MAX + 1];
	const struct vmsnap_fault fine = { .pid = 1 };
	assert_int_equal(vmsnap_faults_builder_add(builder, &fine, frames, VMSNAP_FAULT_FRAMES_MAX + 1, &err),
	                 VMSNAP_ERR_ARGUMENT);
	const struct vmsnap_fault_code nowhere = { .address = 1, .object = 0 };
	assert_int_equal(vmsnap_faults_builder_add_code(builder, &nowhere, &err), VMSNAP_ERR_ARGUMENT);
	static char name[VMSNAP_FAULT_NAME_MAX + 2];
	memset(name, 'x', sizeof(name) - 1);
	assert_int_equal(vmsnap_faults_builder_add_thread(builder, 1, 1, name, &err), VMSNAP_ERR_TOO_LARGE);
	assert_int_equal(vmsnap_faults_builder_finish(builder, &faults, NULL), VMSNAP_OK);
	assert_int_equal(vmsnap_faults_builder_add(builder, &fine, NULL, 0, &err), VMSNAP_ERR_ARGUMENT);
	vmsnap_faults_builder_free(builder);
	assert_int_equal(vmsnap_faults_count(faults), 0);
	assert_int_equal(vmsnap_faults_info(faults)->stacks, 0);
	vmsnap_faults_unref(faults);
}

static struct vmsnap *snapshot_with(const struct vmsnap_faults *faults)
{
	struct vmsnap_builder *builder;
	struct vmsnap *snap;
	struct vmsnap_info info = { .pid = 7, .page_size = 4096, .comm = "made" };
	assert_int_equal(vmsnap_builder_new(&info, &builder, NULL), VMSNAP_OK);
	assert_int_equal(vmsnap_builder_set_faults(builder, faults, NULL), VMSNAP_OK);
	assert_int_equal(vmsnap_builder_finish(builder, &snap, NULL), VMSNAP_OK);
	vmsnap_builder_free(builder);
	return snap;
}

static void snapshot_and_those_above_it_hold_them(void **state)
{
	(void)state;
	struct vmsnap_faults *faults = faults_made(50);
	struct vmsnap *snap = snapshot_with(faults), *above;
	assert_ptr_equal(vmsnap_faults_of(snap), faults);
	vmsnap_faults_unref(faults);
	struct vmsnap_builder *builder;
	assert_int_equal(vmsnap_builder_from(snap, &builder, NULL), VMSNAP_OK);
	assert_int_equal(vmsnap_builder_finish(builder, &above, NULL), VMSNAP_OK);
	vmsnap_builder_free(builder);
	vmsnap_unref(snap);
	assert_int_equal(vmsnap_faults_count(vmsnap_faults_of(above)), 50);
	vmsnap_unref(above);
}

static void names_of_code_and_all_of_them_can_be_taken_away(void **state)
{
	(void)state;
	struct vmsnap_faults *faults = faults_made(50);
	struct vmsnap *snap = snapshot_with(faults), *stripped;
	assert_int_equal(vmsnap_strip(snap, VMSNAP_STRIP_NAMES, &stripped, NULL), VMSNAP_OK);
	const struct vmsnap_faults *left = vmsnap_faults_of(stripped);
	assert_int_equal(vmsnap_faults_count(left), 50);
	assert_int_equal(vmsnap_faults_info(left)->stacks, MADE_STACKS);
	assert_null(vmsnap_faults_code(left, 0));
	assert_string_equal(vmsnap_faults_object(left, 0)->path, "/bin/made");
	vmsnap_unref(stripped);
	assert_int_equal(vmsnap_strip(snap, VMSNAP_STRIP_FAULTS, &stripped, NULL), VMSNAP_OK);
	assert_null(vmsnap_faults_of(stripped));
	vmsnap_unref(stripped);
	vmsnap_unref(snap);
	vmsnap_faults_unref(faults);
}

static void those_of_several_times_are_joined_and_marked(void **state)
{
	(void)state;
	struct vmsnap_faults *faults = faults_made(6), *joined;
	const struct vmsnap_faults *parts[] = { faults, faults };
	/* Faults 1, 3 and 5 are of thread 8, at 1100, 1300 and 1500; 2 and 3 are marked of any thread. */
	const struct vmsnap_fault_mark marks[] = { { 1250, 1500, 8, VMSNAP_FAULT_CALL },
		                                   { 1200, 1300, 0, VMSNAP_FAULT_BREAKPOINT } };
	static const uint8_t expected[] = {
		0, 0, VMSNAP_FAULT_BREAKPOINT, VMSNAP_FAULT_BREAKPOINT | VMSNAP_FAULT_CALL, 0, VMSNAP_FAULT_CALL
	};
	assert_int_equal(vmsnap_faults_join(parts, 2, marks, 2, &joined, NULL), VMSNAP_OK);
	const struct vmsnap_faults_info *info = vmsnap_faults_info(joined);
	assert_int_equal(info->count, 12);
	assert_int_equal(info->lost, 6);
	assert_int_equal(info->stacks, MADE_STACKS);
	assert_int_equal(info->flags, VMSNAP_FAULTS_KINDS | VMSNAP_FAULTS_KERNEL | VMSNAP_FAULTS_MEMORY);
	assert_int_equal(info->pid, 7);
	for (size_t i = 0; i < 12; i++) {
		const struct vmsnap_fault *fault = vmsnap_faults_at(joined, i), *one = vmsnap_faults_at(faults, i / 2);
		size_t count, one_count;
		const uint64_t *frames = vmsnap_faults_stack(joined, fault->stack, &count);
		const uint64_t *one_frames = vmsnap_faults_stack(faults, one->stack, &one_count);
		assert_int_equal(fault->address, one->address);
		assert_int_equal(fault->flags, expected[i / 2]);
		assert_int_equal(count, one_count);
		if (count)
			assert_memory_equal(frames, one_frames, count * sizeof(*frames));
	}
	assert_string_equal(vmsnap_faults_comm(joined, 7, 8), "worker");
	assert_string_equal(vmsnap_faults_syscall_name(joined, 0), "read");
	assert_null(vmsnap_faults_code(joined, 0));
	vmsnap_faults_unref(joined);
	const struct vmsnap_fault_mark wrong = { 0, 1, 0, 4 };
	assert_int_equal(vmsnap_faults_join(parts, 1, &wrong, 1, &joined, NULL), VMSNAP_ERR_ARGUMENT);
	assert_int_equal(vmsnap_faults_join(parts, 0, NULL, 0, &joined, NULL), VMSNAP_ERR_ARGUMENT);
	vmsnap_faults_unref(faults);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(faults_are_in_the_order_of_time_and_stacks_are_kept_once),
		cmocka_unit_test(many_stacks_are_told_apart),
		cmocka_unit_test(code_is_found_by_process_and_the_latest_word_counts),
		cmocka_unit_test(of_one_process_there_are_its_own),
		cmocka_unit_test(what_no_fault_is_is_refused_and_nothing_is_added),
		cmocka_unit_test(snapshot_and_those_above_it_hold_them),
		cmocka_unit_test(those_of_several_times_are_joined_and_marked),
		cmocka_unit_test(names_of_code_and_all_of_them_can_be_taken_away),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
