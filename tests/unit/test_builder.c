/* Snapshots made from what is given, and kept by several holders. */
#include "test_file_sample.h"

#include <sys/wait.h>

#include <sys/resource.h>

#include "test_sanitized.h"
#include "test_skip.h"

static struct vmsnap_builder *begun(void)
{
	struct vmsnap_builder *builder = NULL;
	struct vmsnap_info info = { .pid = 7, .page_size = 4096, .comm = "made", .known = { .pfn = true } };
	assert_int_equal(vmsnap_builder_new(&info, &builder, NULL), VMSNAP_OK);
	return builder;
}

static struct vmsnap *finished(struct vmsnap_builder *builder)
{
	struct vmsnap *snap = NULL;
	assert_int_equal(vmsnap_builder_finish(builder, &snap, NULL), VMSNAP_OK);
	vmsnap_builder_free(builder);
	return snap;
}

static struct vmsnap *made(void)
{
	struct vmsnap_builder *builder = begun();
	char name[] = "[heap]";
	struct vmsnap_vma vma = { .start = 0x1000, .end = 0x9000, .perms = VMSNAP_PERM_READ, .name = name };
	struct vmsnap_run first = { .start = 0x2000, .end = 0x4000, .pfn = 77, .flags = VMSNAP_PAGE_PRESENT };
	struct vmsnap_run second = {
		.start = 0x5000, .end = 0x6000, .swap_type = 2, .swap_offset = 9, .flags = VMSNAP_PAGE_SWAPPED
	};
	struct vmsnap_thread thread = { .tid = 7, .comm = "main" };
	assert_int_equal(vmsnap_builder_add_vma(builder, &vma, NULL), VMSNAP_OK);
	assert_int_equal(vmsnap_builder_add_run(builder, &first, NULL), VMSNAP_OK);
	assert_int_equal(vmsnap_builder_add_run(builder, &second, NULL), VMSNAP_OK);
	assert_int_equal(vmsnap_builder_add_thread(builder, &thread, NULL), VMSNAP_OK);
	assert_int_equal(vmsnap_builder_set_status(builder, "Pid:\t7\n", 7, NULL), VMSNAP_OK);
	name[1] = 'X'; /* it was copied */
	return finished(builder);
}

/* What of it was written: nothing, 0x2000 to 0x4000 in two ranges that are one, 0x4000 perhaps. */
static struct vmsnap *made_written(unsigned who)
{
	struct vmsnap_builder *builder = NULL;
	struct vmsnap_info info = {
		.pid = 7, .page_size = 4096, .monotonic = 9, .written_since = 5, .known = { .written = who & 3 }
	};
	struct vmsnap_vma private = { .start = 0x1000, .end = 0x9000 },
	                  shared = { .start = 0x9000, .end = 0xa000, .perms = VMSNAP_PERM_SHARED };
	const struct vmsnap_layer_range ranges[] = { { 0x2000, 0x3000, 1 },
		                                     { 0x3000, 0x4000, 1 },
		                                     { 0x4000, 0x5000, 2 } };
	assert_int_equal(vmsnap_builder_new(&info, &builder, NULL), VMSNAP_OK);
	assert_int_equal(vmsnap_builder_add_vma(builder, &private, NULL), VMSNAP_OK);
	assert_int_equal(vmsnap_builder_add_vma(builder, &shared, NULL), VMSNAP_OK);
	for (size_t i = 0; who && i < 3; i++)
		assert_int_equal(vmsnap_builder_add_written(builder, &ranges[i], NULL), VMSNAP_OK);
	return finished(builder);
}

static void a_page_was_written_or_not_or_that_is_not_known(void **state)
{
	(void)state;
	static const struct {
		uint64_t address, end;
		int written;
	} wanted[] = {
		{ 0, 0x1000, VMSNAP_PAGE_MAYBE_WRITTEN },          { 0x1fff, 0x2000, VMSNAP_PAGE_NOT_WRITTEN },
		{ 0x2000, 0x4000, VMSNAP_PAGE_WAS_WRITTEN },       { 0x3fff, 0x4000, VMSNAP_PAGE_WAS_WRITTEN },
		{ 0x4000, 0x5000, VMSNAP_PAGE_MAYBE_WRITTEN },     { 0x5000, 0x9000, VMSNAP_PAGE_NOT_WRITTEN },
		{ 0x9000, 0xa000, VMSNAP_PAGE_MAYBE_WRITTEN }, /* others may have */
		{ 0xa000, UINT64_MAX, VMSNAP_PAGE_MAYBE_WRITTEN },
	};
	struct vmsnap *snap = made_written(VMSNAP_WRITTEN_UFFD), *none = made_written(VMSNAP_WRITTEN_UNKNOWN);
	struct vmsnap_builder *above = NULL;
	uint64_t end;
	assert_int_equal(vmsnap_builder_from(snap, &above, NULL), VMSNAP_OK);
	struct vmsnap *over = finished(above);
	assert_int_equal(vmsnap_layer_range_count(snap, VMSNAP_LAYER_WRITTEN), 2);
	for (size_t i = 0; i < sizeof(wanted) / sizeof(*wanted); i++) {
		assert_int_equal(vmsnap_written_at(snap, wanted[i].address, &end), wanted[i].written);
		assert_int_equal(end, wanted[i].end);
		assert_int_equal(vmsnap_written_at(over, wanted[i].address, NULL), wanted[i].written);
		assert_int_equal(vmsnap_written_at(none, wanted[i].address, NULL), VMSNAP_PAGE_MAYBE_WRITTEN);
	}
	assert_true(vmsnap_layer_known(snap, VMSNAP_LAYER_WRITTEN) && vmsnap_layer_known(over, VMSNAP_LAYER_WRITTEN));
	assert_false(vmsnap_layer_known(none, VMSNAP_LAYER_WRITTEN));
	assert_true(vmsnap_info(over)->written_since == 5);
	vmsnap_unref(none);
	vmsnap_unref(snap);
	assert_int_equal(vmsnap_written_at(over, 0x3000, NULL), VMSNAP_PAGE_WAS_WRITTEN);
	vmsnap_unref(over);
}

static void what_was_written_is_refused_where_nobody_tells_it(void **state)
{
	(void)state;
	static const struct vmsnap_layer_range wrong[] = {
		{ 0x1000, 0x1000, 1 }, { 0x1001, 0x3000, 1 }, { 0x1000, 0x2000, 0 }, { 0x1000, 0x2000, 3 }
	};
	struct vmsnap_info info = { .page_size = 4096, .known = { .written = VMSNAP_WRITTEN_SOFT_DIRTY } };
	const struct vmsnap_layer_range right = { 0x4000, 0x5000, 1 }, before = { 0x1000, 0x2000, 1 };
	struct vmsnap_builder *builder = NULL, *unknown = begun();
	assert_int_equal(vmsnap_builder_add_written(unknown, &right, NULL), VMSNAP_ERR_ARGUMENT);
	assert_int_equal(vmsnap_builder_new(&info, &builder, NULL), VMSNAP_OK);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		assert_int_equal(vmsnap_builder_add_written(builder, &wrong[i], NULL), VMSNAP_ERR_ARGUMENT);
	assert_int_equal(vmsnap_builder_add_written(builder, &right, NULL), VMSNAP_OK);
	assert_int_equal(vmsnap_builder_add_written(builder, &before, NULL), VMSNAP_ERR_ARGUMENT);
	vmsnap_builder_free(builder);
	vmsnap_builder_free(unknown);
	info.known.written = 3;
	assert_int_equal(vmsnap_builder_new(&info, &builder, NULL), VMSNAP_ERR_ARGUMENT);
}

static void a_made_snapshot_has_what_was_given(void **state)
{
	(void)state;
	struct vmsnap *snap = made();
	struct vmsnap_run page;
	struct vmsnap_status_field pid;
	assert_string_equal(vmsnap_info(snap)->comm, "made");
	assert_string_equal(vmsnap_info(snap)->exe, "");
	assert_string_equal(vmsnap_vma(snap, 0)->name, "[heap]");
	assert_string_equal(vmsnap_thread(snap, 0)->comm, "main");
	assert_int_equal(vmsnap_page_at(snap, 0x3000, &page), VMSNAP_OK);
	assert_int_equal(page.pfn, 78);
	assert_int_equal(vmsnap_page_at(snap, 0x5000, &page), VMSNAP_OK);
	assert_int_equal(page.swap_type, 2);
	assert_int_equal(page.swap_offset, 9);
	assert_int_equal(vmsnap_page_at(snap, 0x4000, &page), VMSNAP_ERR_NOT_FOUND);
	assert_int_equal(vmsnap_status_find(snap, "Pid", &pid), VMSNAP_OK);
	assert_int_equal(pid.number, 7);
	assert_false(vmsnap_layer_known(snap, VMSNAP_LAYER_DEBUGGER_WRITES));
	vmsnap_unref(snap);
}

static void what_a_process_is_known_by_is_copied(void **state)
{
	(void)state;
	char cmdline[] = "made\0-x";
	uint8_t id[] = { 1, 2, 3 };
	uint32_t with[] = { 8, 9 };
	struct vmsnap_info info = { .pid = 7,
		                    .page_size = 4096,
		                    .cmdline = cmdline,
		                    .cmdline_len = sizeof(cmdline),
		                    .exe_build_id = id,
		                    .exe_build_id_len = sizeof(id),
		                    .memory_with = with,
		                    .memory_with_count = 2,
		                    .memory_known = true };
	struct vmsnap_builder *builder;
	assert_int_equal(vmsnap_builder_new(&info, &builder, NULL), VMSNAP_OK);
	memset(cmdline, 0, sizeof(cmdline));
	id[0] = 0;
	with[0] = 0;
	struct vmsnap *snap = finished(builder);
	const struct vmsnap_info *kept = vmsnap_info(snap);
	assert_int_equal(kept->cmdline_len, sizeof(cmdline));
	assert_memory_equal(kept->cmdline, "made\0-x", sizeof(cmdline));
	assert_memory_equal(kept->exe_build_id, "\1\2\3", 3);
	assert_int_equal(kept->memory_with[0], 8);
	assert_int_equal(kept->memory_with[1], 9);
	vmsnap_unref(snap);
	/* In the order of their numbers, and known. */
	with[0] = 10;
	assert_int_equal(vmsnap_builder_new(&info, &builder, NULL), VMSNAP_ERR_ARGUMENT);
	with[0] = 8;
	info.memory_known = false;
	assert_int_equal(vmsnap_builder_new(&info, &builder, NULL), VMSNAP_ERR_ARGUMENT);
}

static void what_cannot_be_is_refused_and_changes_nothing(void **state)
{
	(void)state;
	struct vmsnap_builder *builder = begun();
	struct vmsnap_error err;
	struct vmsnap_vma good = { .start = 0x1000, .end = 0x3000 };
	assert_int_equal(vmsnap_builder_add_vma(builder, &good, NULL), VMSNAP_OK);
	static const struct vmsnap_vma vmas[] = {
		{ .start = 0x3000, .end = 0x3000 },
		{ .start = 0x4000, .end = 0x3000 },
		{ .start = 0x3001, .end = 0x4000 },
		{ .start = 0x2000, .end = 0x4000 },
		{ .start = 0x3000, .end = 0x4000, .offset = 1 },
		{ .start = 0x3000, .end = 0x4000, .perms = 16 },
		{ .start = 0x3000, .end = 0x4000, .build_id = (const uint8_t *)"x", .build_id_len = 256 },
	};
	for (size_t i = 0; i < sizeof(vmas) / sizeof(*vmas); i++)
		assert_int_equal(vmsnap_builder_add_vma(builder, &vmas[i], &err), VMSNAP_ERR_ARGUMENT);
	static const struct vmsnap_run runs[] = {
		{ .start = 0x1000, .end = 0x2000 },                  /* no state */
		{ .start = 0x1000, .end = 0x2000, .flags = 1 << 9 }, /* an unknown one */
		{ .start = 0x1000, .end = 0x2000, .flags = VMSNAP_PAGE_PRESENT | VMSNAP_PAGE_SWAPPED },
		{ .start = 0x1000, .end = 0x2000, .flags = VMSNAP_PAGE_PRESENT, .pfn = UINT64_C(1) << 55 },
		{ .start = 0x1000, .end = 0x2000, .flags = VMSNAP_PAGE_SWAPPED, .swap_type = 32 },
		{ .start = 0x1000, .end = 0x2000, .flags = VMSNAP_PAGE_PRESENT | VMSNAP_PAGE_GUARD },
		{ .start = 0x2000, .end = 0x1000, .flags = VMSNAP_PAGE_PRESENT },
	};
	for (size_t i = 0; i < sizeof(runs) / sizeof(*runs); i++)
		assert_int_equal(vmsnap_builder_add_run(builder, &runs[i], &err), VMSNAP_ERR_ARGUMENT);
	struct vmsnap *snap = finished(builder);
	assert_int_equal(vmsnap_vma_count(snap), 1);
	struct vmsnap_run_iter it;
	struct vmsnap_run run;
	vmsnap_run_iter_init(&it, snap, 0, UINT64_MAX);
	assert_int_equal(vmsnap_run_next(&it, &run), VMSNAP_END);
	vmsnap_unref(snap);
	static const struct vmsnap_info infos[] = {
		{ .page_size = 0 },
		{ .page_size = 2048 },
		{ .page_size = 4097 },
		{ .page_size = UINT64_C(1) << 31 },
		{ .page_size = 4096, .freeze = VMSNAP_FREEZE_PARTIAL + 1 },
		{ .page_size = 4096, .known = { .later = 1 } },
	};
	for (size_t i = 0; i < sizeof(infos) / sizeof(*infos); i++)
		assert_int_equal(vmsnap_builder_new(&infos[i], &builder, &err), VMSNAP_ERR_ARGUMENT);
}

/* In a process of its own, which may have a gigabyte, and is to take next to nothing of it. */
static void a_run_of_all_addresses_does_not_take_all_memory(void **state)
{
	(void)state;
	if (SANITIZED)
		skip_because("a sanitizer needs more address space than can be allowed");
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		struct rlimit limit = { 1 << 30, 1 << 30 };
		struct rusage before, after;
		struct vmsnap_builder *builder = begun();
		struct vmsnap_run run = { .start = 0, .end = -(uint64_t)4096, .flags = VMSNAP_PAGE_PRESENT };
		setrlimit(RLIMIT_AS, &limit);
		getrusage(RUSAGE_SELF, &before);
		int rc = vmsnap_builder_add_run(builder, &run, NULL);
		getrusage(RUSAGE_SELF, &after);
		_exit(rc != VMSNAP_ERR_NO_MEMORY || after.ru_maxrss > before.ru_maxrss + 64 * 1024);
	}
	int status = -1;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void a_finished_builder_takes_nothing_more(void **state)
{
	(void)state;
	struct vmsnap_builder *builder = begun();
	struct vmsnap *snap = NULL, *again = NULL;
	struct vmsnap_vma vma = { .start = 0x1000, .end = 0x3000 };
	struct vmsnap_annotation annotation = { .address = 0x1000, .size = 1 };
	assert_int_equal(vmsnap_builder_finish(builder, &snap, NULL), VMSNAP_OK);
	assert_int_equal(vmsnap_builder_finish(builder, &again, NULL), VMSNAP_ERR_ARGUMENT);
	assert_int_equal(vmsnap_builder_add_vma(builder, &vma, NULL), VMSNAP_ERR_ARGUMENT);
	assert_int_equal(vmsnap_builder_add_annotations(builder, &annotation, 1, NULL), VMSNAP_ERR_ARGUMENT);
	vmsnap_builder_free(builder);
	vmsnap_unref(snap);
}

static void a_length_without_bytes_is_unknown(void **state)
{
	(void)state;
	struct vmsnap_builder *builder = NULL;
	struct vmsnap_info info = { .page_size = 4096, .exe_build_id_len = 20, .cmdline_len = 9 };
	struct vmsnap_vma vma = { .start = 0x1000, .end = 0x3000, .inode = 5, .name = "/file", .build_id_len = 20 };
	assert_int_equal(vmsnap_builder_new(&info, &builder, NULL), VMSNAP_OK);
	assert_int_equal(vmsnap_builder_add_vma(builder, &vma, NULL), VMSNAP_OK);
	struct vmsnap *snap = finished(builder);
	assert_null(vmsnap_info(snap)->exe_build_id);
	assert_int_equal(vmsnap_info(snap)->exe_build_id_len, 0);
	assert_null(vmsnap_info(snap)->cmdline);
	assert_int_equal(vmsnap_info(snap)->cmdline_len, 0);
	assert_null(vmsnap_vma(snap, 0)->build_id);
	assert_int_equal(vmsnap_vma(snap, 0)->build_id_len, 0);
	vmsnap_unref(snap);
}

static void that_a_file_is_deleted_says_its_name(void **state)
{
	(void)state;
	struct vmsnap_builder *builder = begun();
	const struct vmsnap_vma vmas[] = {
		{ .start = 0x1000, .end = 0x2000, .inode = 5, .name = "/file", .deleted = true },
		{ .start = 0x2000, .end = 0x3000, .inode = 6, .name = "/file (deleted)" },
		{ .start = 0x3000, .end = 0x4000, .name = "/file (deleted)", .deleted = true },
		/* A SysV segment with the id 0. */
		{ .start = 0x4000, .end = 0x5000, .dev_minor = 1, .name = "/SYSV00000000 (deleted)" },
		{ .start = 0x5000, .end = 0x6000, .inode = 7, .name = " (deleted)", .deleted = true },
	};
	for (size_t i = 0; i < sizeof(vmas) / sizeof(*vmas); i++)
		assert_int_equal(vmsnap_builder_add_vma(builder, &vmas[i], NULL), VMSNAP_OK);
	struct vmsnap *snap = finished(builder);
	for (size_t i = 0; i < sizeof(vmas) / sizeof(*vmas); i++)
		assert_int_equal(vmsnap_vma(snap, i)->deleted, i == 1 || i == 3);
	vmsnap_unref(snap);
}

static void what_is_not_given_is_an_argument_error(void **state)
{
	(void)state;
	struct vmsnap_builder *builder = begun(), *other = NULL;
	const struct vmsnap_info info = { .page_size = 4096 };
	struct vmsnap *snap = NULL;
	assert_int_equal(vmsnap_builder_new(NULL, &other, NULL), VMSNAP_ERR_ARGUMENT);
	assert_int_equal(vmsnap_builder_new(&info, NULL, NULL), VMSNAP_ERR_ARGUMENT);
	assert_int_equal(vmsnap_builder_from(NULL, &other, NULL), VMSNAP_ERR_ARGUMENT);
	assert_int_equal(vmsnap_builder_add_vma(builder, NULL, NULL), VMSNAP_ERR_ARGUMENT);
	assert_int_equal(vmsnap_builder_add_run(builder, NULL, NULL), VMSNAP_ERR_ARGUMENT);
	assert_int_equal(vmsnap_builder_add_thread(builder, NULL, NULL), VMSNAP_ERR_ARGUMENT);
	assert_int_equal(vmsnap_builder_set_status(builder, NULL, 5, NULL), VMSNAP_ERR_ARGUMENT);
	assert_int_equal(vmsnap_builder_set_status(builder, NULL, 0, NULL), VMSNAP_OK);
	assert_int_equal(vmsnap_builder_add_annotations(builder, NULL, 3, NULL), VMSNAP_ERR_ARGUMENT);
	assert_int_equal(vmsnap_builder_add_annotations(builder, NULL, 0, NULL), VMSNAP_OK);
	assert_int_equal(vmsnap_builder_finish(builder, NULL, NULL), VMSNAP_ERR_ARGUMENT);
	assert_int_equal(vmsnap_builder_finish(NULL, &snap, NULL), VMSNAP_ERR_ARGUMENT);
	vmsnap_unref(finished(builder));
}

/* ---- from a snapshot that is there ------------------------------------------ */

static struct vmsnap *annotated(const struct vmsnap *snap, const struct vmsnap_annotation *annotations, size_t count)
{
	struct vmsnap_builder *builder = NULL;
	assert_int_equal(vmsnap_builder_from(snap, &builder, NULL), VMSNAP_OK);
	assert_int_equal(vmsnap_builder_add_annotations(builder, annotations, count, NULL), VMSNAP_OK);
	return finished(builder);
}

static void a_label_makes_another_snapshot(void **state)
{
	(void)state;
	char name[] = "later";
	struct vmsnap *first = made(), *second;
	struct vmsnap_builder *builder = NULL;
	assert_int_equal(vmsnap_builder_from(first, &builder, NULL), VMSNAP_OK);
	assert_int_equal(vmsnap_builder_set_label(builder, name, NULL), VMSNAP_OK);
	assert_int_equal(vmsnap_builder_set_label(builder, NULL, NULL), VMSNAP_ERR_ARGUMENT);
	assert_int_equal(vmsnap_builder_set_label(NULL, name, NULL), VMSNAP_ERR_ARGUMENT);
	second = finished(builder);
	name[0] = '?';
	assert_string_equal(vmsnap_info(second)->label, "later");
	assert_string_not_equal(vmsnap_info(first)->label, "later");
	vmsnap_unref(first);
	assert_true(vmsnap_vma_count(second) > 0);
	vmsnap_unref(second);
}

static void annotations_make_another_snapshot_that_holds_the_first(void **state)
{
	(void)state;
	static const struct vmsnap_annotation one = { .address = 0x2010, .size = 4, .symbol = "x" };
	static const struct vmsnap_annotation two[] = {
		{ .address = 0x2008, .size = 0x2000, .kind = VMSNAP_ANNOTATION_DEBUGGER_WRITE, .symbol = "print" },
		{ .address = 0x3010, .size = 1, .kind = VMSNAP_ANNOTATION_DEBUGGER_WRITE },
	};
	struct vmsnap *first = made(), *second = annotated(first, &one, 1), *third = annotated(second, two, 2);
	assert_int_equal(vmsnap_annotation_count(first), 0);
	assert_int_equal(vmsnap_annotation_count(second), 1);
	assert_int_equal(vmsnap_annotation_count(third), 3);
	assert_true(vmsnap_memory(third) > vmsnap_memory(first));
	vmsnap_unref(first);
	vmsnap_unref(second);
	assert_string_equal(vmsnap_vma(third, 0)->name, "[heap]");
	assert_string_equal(vmsnap_annotation(third, 0)->symbol, "print");
	assert_string_equal(vmsnap_annotation(third, 1)->symbol, "x");
	struct vmsnap_layer_range range;
	assert_true(vmsnap_layer_known(third, VMSNAP_LAYER_DEBUGGER_WRITES));
	assert_int_equal(vmsnap_layer_range_count(third, VMSNAP_LAYER_DEBUGGER_WRITES), 1);
	assert_int_equal(vmsnap_layer_range(third, VMSNAP_LAYER_DEBUGGER_WRITES, 0, &range), VMSNAP_OK);
	assert_int_equal(range.start, 0x2000);
	assert_int_equal(range.end, 0x5000);
	assert_int_equal(range.value, 1);
	assert_int_equal(vmsnap_layer_range(third, VMSNAP_LAYER_DEBUGGER_WRITES, 1, &range), VMSNAP_END);
	vmsnap_unref(third);
}

static void what_is_there_cannot_be_added_to(void **state)
{
	(void)state;
	struct vmsnap *snap = made();
	struct vmsnap_builder *builder = NULL;
	struct vmsnap_vma vma = { .start = 0x10000, .end = 0x12000 };
	assert_int_equal(vmsnap_builder_from(snap, &builder, NULL), VMSNAP_OK);
	assert_int_equal(vmsnap_builder_add_vma(builder, &vma, NULL), VMSNAP_ERR_ARGUMENT);
	assert_int_equal(vmsnap_builder_set_status(builder, "", 0, NULL), VMSNAP_ERR_ARGUMENT);
	vmsnap_builder_free(builder);
	vmsnap_unref(snap);
}

static void a_layer_that_there_is_not_has_nothing(void **state)
{
	(void)state;
	struct vmsnap *snap = made();
	for (int layer = -1; layer <= VMSNAP_LAYER_COUNT; layer += VMSNAP_LAYER_COUNT + 1) {
		struct vmsnap_layer_range range;
		assert_false(vmsnap_layer_known(snap, layer));
		assert_int_equal(vmsnap_layer_range_count(snap, layer), 0);
		assert_int_equal(vmsnap_layer_range(snap, layer, 0, &range), VMSNAP_END);
		assert_null(vmsnap_layer_name(layer));
	}
	assert_string_equal(vmsnap_layer_name(VMSNAP_LAYER_DEBUGGER_WRITES), "debugger_writes");
	vmsnap_unref(snap);
}

/* ---- programs of other versions ----------------------------------------------- */

static void a_struct_of_another_version_is_taken_as_far_as_both_know_it(void **state)
{
	(void)state;
	struct newer {
		struct vmsnap_vma known;
		uint64_t unknown;
	} newer[] = { { .known = { .start = 0x1000, .end = 0x2000, .perms = VMSNAP_PERM_READ } },
		      { .known = { .start = 0x2000, .end = 0x3000 }, .unknown = 1 } };
	struct vmsnap_builder *builder = begun();
	const struct vmsnap_vma *first = &newer[0].known, *second = &newer[1].known;
	assert_int_equal(vmsnap_builder_add_vma_sized(builder, first, sizeof(*newer), NULL), VMSNAP_OK);
	assert_int_equal(vmsnap_builder_add_vma_sized(builder, second, sizeof(*newer), NULL), VMSNAP_ERR_ARGUMENT);
	/* One that ends before .perms does not say what they are. */
	struct vmsnap_vma older = { .start = 0x4000, .end = 0x5000, .perms = VMSNAP_PERM_EXEC };
	size_t size = offsetof(struct vmsnap_vma, perms);
	assert_int_equal(vmsnap_builder_add_vma_sized(builder, &older, size, NULL), VMSNAP_OK);
	struct vmsnap *snap = finished(builder);
	assert_int_equal(vmsnap_vma_count(snap), 2);
	assert_int_equal(vmsnap_vma(snap, 0)->perms, VMSNAP_PERM_READ);
	assert_int_equal(vmsnap_vma(snap, 1)->perms, 0);
	vmsnap_unref(snap);
}

static void annotations_of_another_size_are_taken_one_by_one(void **state)
{
	(void)state;
	struct newer {
		struct vmsnap_annotation known;
		uint64_t unknown;
	} newer[] = { { .known = { .address = 0x2000, .size = 8, .symbol = "b" } },
		      { .known = { .address = 0x1000, .size = 8, .symbol = "a" } } };
	struct vmsnap_builder *builder = begun();
	assert_int_equal(vmsnap_builder_add_annotations_sized(builder, &newer[0].known, 2, sizeof(*newer), NULL),
	                 VMSNAP_OK);
	newer[1].unknown = 1;
	assert_int_equal(vmsnap_builder_add_annotations_sized(builder, &newer[0].known, 2, sizeof(*newer), NULL),
	                 VMSNAP_ERR_ARGUMENT);
	struct vmsnap *snap = finished(builder);
	assert_int_equal(vmsnap_annotation_count(snap), 2);
	assert_string_equal(vmsnap_annotation(snap, 0)->symbol, "a");
	vmsnap_unref(snap);
}

static void what_is_given_is_as_long_as_the_program_says(void **state)
{
	(void)state;
	struct vmsnap *snap = made();
	struct newer {
		struct vmsnap_sums known;
		uint64_t unknown[2];
	} newer;
	memset(&newer, 0xff, sizeof(newer));
	vmsnap_sum_sized(snap, 0, UINT64_MAX, &newer.known, sizeof(newer.known) + sizeof(newer.unknown[0]));
	assert_int_equal(newer.known.size, 0x8000);
	assert_int_equal(newer.known.resident, 0x2000);
	assert_int_equal(newer.unknown[0], 0);
	assert_int_equal(newer.unknown[1], UINT64_MAX);
	struct vmsnap_sums older;
	memset(&older, 0xff, sizeof(older));
	vmsnap_sum_sized(snap, 0, UINT64_MAX, &older, offsetof(struct vmsnap_sums, resident));
	assert_int_equal(older.size, 0x8000);
	assert_int_equal(older.resident, UINT64_MAX);
	assert_int_equal(sizeof(struct vmsnap_known), 8);
	assert_int_equal(vmsnap_struct_size(VMSNAP_STRUCT_VMA), sizeof(struct vmsnap_vma));
	for (int i = 0; i < VMSNAP_STRUCT_COUNT; i++)
		assert_true(vmsnap_struct_size(i) > 0);
	assert_int_equal(vmsnap_struct_size(VMSNAP_STRUCT_COUNT), 0);
	vmsnap_unref(snap);
}

static void enumerators_have_names(void **state)
{
	(void)state;
	for (int i = VMSNAP_ERR_CANCELLED; i <= VMSNAP_END; i++)
		assert_non_null(vmsnap_rc_name(i));
	for (int i = 0; i < VMSNAP_ANNOTATION_KIND_COUNT; i++)
		assert_non_null(vmsnap_annotation_kind_name(i));
	for (int i = 0; i <= VMSNAP_NAME_THREAD_LOCAL; i++)
		assert_non_null(vmsnap_name_kind_name(i));
	for (unsigned flag = 1; flag <= VMSNAP_PAGE_PRESENT; flag <<= 1)
		assert_non_null(vmsnap_page_flag_name(flag));
	for (int i = 0; i < VMSNAP_STRUCT_COUNT; i++)
		assert_non_null(vmsnap_struct_name(i));
	for (int i = 0; i < VMSNAP_TOTAL_COUNT; i++)
		assert_non_null(vmsnap_diff_total_name(i));
	for (int i = VMSNAP_REPORT_SHOW; vmsnap_report_column_name(i, 0); i++)
		assert_non_null(vmsnap_report_name(i));
	assert_string_equal(vmsnap_perm_name(VMSNAP_PERM_SHARED), "shared");
	assert_string_equal(vmsnap_struct_name(VMSNAP_STRUCT_DIFF_STATUS), "diff_status");
	assert_string_equal(vmsnap_diff_total_name(VMSNAP_TOTAL_PRIVATISED_EXECUTABLE), "privatised_executable");
	assert_string_equal(vmsnap_capture_flag_name(VMSNAP_CAPTURE_WATCHDOG), "watchdog");
	assert_string_equal(vmsnap_save_flag_name(VMSNAP_SAVE_REGULAR), "regular");
	assert_string_equal(vmsnap_print_flag_name(VMSNAP_PRINT_LONG), "long");
	assert_string_equal(vmsnap_color_name(VMSNAP_COLOR_RGB), "rgb");
	assert_string_equal(vmsnap_report_name(VMSNAP_REPORT_HISTORY), "history");
	assert_null(vmsnap_perm_name(0));
	assert_null(vmsnap_perm_name(VMSNAP_PERM_READ | VMSNAP_PERM_WRITE));
	assert_string_equal(vmsnap_save_flag_name(VMSNAP_SAVE_DELTA), "delta");
	assert_null(vmsnap_save_flag_name(32));
	assert_null(vmsnap_report_name(0));
	assert_string_equal(vmsnap_rc_name(VMSNAP_ERR_NO_PROCESS), "no_process");
	assert_string_equal(vmsnap_freeze_name(VMSNAP_FREEZE_PARTIAL), "partial");
	assert_string_equal(vmsnap_page_flag_name(VMSNAP_PAGE_SWAPPED), "swapped");
	assert_null(vmsnap_rc_name(VMSNAP_ERR_CANCELLED - 1));
	assert_null(vmsnap_rc_name(2));
	assert_null(vmsnap_freeze_name(-1));
	assert_null(vmsnap_freeze_name(4));
	assert_null(vmsnap_page_flag_name(3));
	assert_null(vmsnap_annotation_kind_name(VMSNAP_ANNOTATION_KIND_COUNT));
	assert_null(vmsnap_name_kind_name(-1));
}

/* ---- holders ------------------------------------------------------------------ */

static void names_hold_their_snapshots(void **state)
{
	(void)state;
	struct vmsnap *snap = made();
	struct vmsnap_names *names = NULL;
	struct vmsnap_name name;
	assert_int_equal(vmsnap_names_new(snap, NULL, &names, NULL), VMSNAP_OK);
	vmsnap_unref(snap);
	assert_int_equal(vmsnap_name_at(names, 0x2000, &name), VMSNAP_OK);
	assert_string_equal(name.object, "[heap]");
	vmsnap_names_free(names);
}

static void a_snapshot_lives_until_the_last_holder_lets_go(void **state)
{
	(void)state;
	struct vmsnap *snap = made(), *same = vmsnap_ref(snap);
	assert_ptr_equal(snap, same);
	vmsnap_unref(snap);
	assert_string_equal(vmsnap_info(same)->comm, "made");
	vmsnap_unref(same);
	assert_null(vmsnap_ref(NULL));
	vmsnap_unref(NULL);
}

static void what_the_kernel_knows_of_pages_is_given_by_layer(void **state)
{
	(void)state;
	struct vmsnap_info info = { .pid = 1, .page_size = 4096 };
	struct vmsnap_builder *builder;
	struct vmsnap *snap;
	uint64_t value, end;
	const struct vmsnap_layer_range low = { 0x1000, 0x3000, 7 }, high = { 0x5000, 0x6000, 0 },
	                                odd = { 0x7001, 0x8000, 1 };
	assert_int_equal(vmsnap_builder_new(&info, &builder, NULL), VMSNAP_OK);
	assert_int_equal(vmsnap_builder_add_layer(builder, VMSNAP_LAYER_NODE, &low, NULL), VMSNAP_OK);
	assert_int_equal(vmsnap_builder_add_layer(builder, VMSNAP_LAYER_NODE, &high, NULL), VMSNAP_OK);
	assert_int_equal(vmsnap_builder_add_layer(builder, VMSNAP_LAYER_NODE, &low, NULL), VMSNAP_ERR_ARGUMENT);
	assert_int_equal(vmsnap_builder_add_layer(builder, VMSNAP_LAYER_NODE, &odd, NULL), VMSNAP_ERR_ARGUMENT);
	assert_int_equal(vmsnap_builder_add_layer(builder, VMSNAP_LAYER_KPAGE_COUNT, NULL, NULL), VMSNAP_OK);
	assert_int_equal(vmsnap_builder_add_layer(builder, VMSNAP_LAYER_WRITTEN, &low, NULL), VMSNAP_ERR_ARGUMENT);
	assert_int_equal(vmsnap_builder_add_layer(builder, VMSNAP_LAYER_COUNT, &low, NULL), VMSNAP_ERR_ARGUMENT);
	assert_int_equal(vmsnap_builder_add_layer(builder, VMSNAP_LAYER_DUMPED, &high, NULL), VMSNAP_ERR_ARGUMENT);
	assert_int_equal(vmsnap_builder_add_layer(builder, VMSNAP_LAYER_DUMPED, &low, NULL), VMSNAP_ERR_ARGUMENT);
	assert_int_equal(vmsnap_builder_finish(builder, &snap, NULL), VMSNAP_OK);
	vmsnap_builder_free(builder);
	assert_true(vmsnap_layer_known(snap, VMSNAP_LAYER_NODE) && vmsnap_layer_known(snap, VMSNAP_LAYER_KPAGE_COUNT));
	assert_false(vmsnap_layer_known(snap, VMSNAP_LAYER_KPAGE_FLAGS));
	assert_int_equal(vmsnap_layer_at(snap, VMSNAP_LAYER_NODE, 0x2fff, &value, &end), VMSNAP_OK);
	assert_true(value == 7 && end == 0x3000);
	assert_int_equal(vmsnap_layer_at(snap, VMSNAP_LAYER_NODE, 0x3000, &value, &end), VMSNAP_ERR_NOT_FOUND);
	assert_true(end == 0x5000);
	assert_int_equal(vmsnap_layer_at(snap, VMSNAP_LAYER_NODE, 0x6000, &value, &end), VMSNAP_ERR_NOT_FOUND);
	assert_true(end == UINT64_MAX);
	assert_int_equal(vmsnap_layer_at(snap, -1, 0, &value, NULL), VMSNAP_ERR_NOT_FOUND);
	vmsnap_unref(snap);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_the_kernel_knows_of_pages_is_given_by_layer),
		cmocka_unit_test(a_made_snapshot_has_what_was_given),
		cmocka_unit_test(a_page_was_written_or_not_or_that_is_not_known),
		cmocka_unit_test(what_was_written_is_refused_where_nobody_tells_it),
		cmocka_unit_test(what_a_process_is_known_by_is_copied),
		cmocka_unit_test(what_cannot_be_is_refused_and_changes_nothing),
		cmocka_unit_test(a_run_of_all_addresses_does_not_take_all_memory),
		cmocka_unit_test(a_finished_builder_takes_nothing_more),
		cmocka_unit_test(a_length_without_bytes_is_unknown),
		cmocka_unit_test(that_a_file_is_deleted_says_its_name),
		cmocka_unit_test(what_is_not_given_is_an_argument_error),
		cmocka_unit_test(a_label_makes_another_snapshot),
		cmocka_unit_test(annotations_make_another_snapshot_that_holds_the_first),
		cmocka_unit_test(what_is_there_cannot_be_added_to),
		cmocka_unit_test(a_layer_that_there_is_not_has_nothing),
		cmocka_unit_test(a_struct_of_another_version_is_taken_as_far_as_both_know_it),
		cmocka_unit_test(annotations_of_another_size_are_taken_one_by_one),
		cmocka_unit_test(what_is_given_is_as_long_as_the_program_says),
		cmocka_unit_test(enumerators_have_names),
		cmocka_unit_test(names_hold_their_snapshots),
		cmocka_unit_test(a_snapshot_lives_until_the_last_holder_lets_go),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
