/* Names that a debugger captured, next to those of files and of threads' stacks. */
#define _GNU_SOURCE
#include "names_make.h"

#include "annotate.h"

#define LIB "/lib/libmade.so"
enum { STACK = BASE + 0x100000, OTHER_STACK = BASE + 0x200000 };

static const struct lib_symbol SYMBOLS[] = {
	{ "answer", 0x3e10, 8, STB_GLOBAL, STT_OBJECT, SEC_DATA },
	{ "wide", 0x4800, 0x3000, STB_GLOBAL, STT_OBJECT, SEC_BSS },
};
static const struct lib MADE = { SYMBOLS, 2, .id = 0xaa };

static const struct vmsnap_annotation CAPTURED[] = {
	{ STACK + 0x100, 0x40, VMSNAP_ANNOTATION_LOCAL, 100, 1, "parse", "buf", "char [64]" },
	{ STACK + 0x140, 8, VMSNAP_ANNOTATION_ARGUMENT, 100, 2, "main", "argv", "char **" },
	{ STACK + 0x110, 4, VMSNAP_ANNOTATION_LOCAL, 100, 0, "inner", "part", "int" },
	{ STACK + 0x800, 0x1000, VMSNAP_ANNOTATION_DEBUGGER_WRITE, 0, 0, "", "breakpoint 2", "" },
	{ OTHER_STACK + 0x200, 4, VMSNAP_ANNOTATION_LOCAL, 101, 0, "work", "i", "int" },
	{ OTHER_STACK + 0xf00, 4, VMSNAP_ANNOTATION_THREAD_LOCAL, 101, 0, "", "errno", "int" },
	{ BASE + 0x3e10, 8, VMSNAP_ANNOTATION_OTHER, 0, 0, "", "alias of answer", "long" },
	{ BASE + 0x5000, 0x10, VMSNAP_ANNOTATION_OTHER, 0, 0, "", "inside wide", "" },
	{ BASE + 0x6000, 0x10, VMSNAP_ANNOTATION_LOCAL, 100, 0, "f", "static_one", "" },
	{ BASE + 0x900000, 8, VMSNAP_ANNOTATION_LOCAL, 100, 0, "f", "nowhere", "" },
};

static struct vmsnap *snapshot(void)
{
	static struct vmsnap_thread threads[] = { { .tid = 100, .stack_pointer = STACK + 0x100, .comm = "main" },
		                                  { .tid = 101, .stack_pointer = OTHER_STACK + 0x100, .comm = "w" } };
	struct vmsnap *snap = made_snapshot();
	made_mapping(snap, BASE, LIB, MADE.id);
	made_vma(snap, STACK, STACK + 0x3000, VMSNAP_PERM_READ | VMSNAP_PERM_WRITE, "[stack]");
	made_vma(snap, OTHER_STACK, OTHER_STACK + 0x1000, VMSNAP_PERM_READ | VMSNAP_PERM_WRITE, "");
	snap->threads = malloc(sizeof(threads));
	assert_non_null(snap->threads);
	memcpy(snap->threads, threads, sizeof(threads));
	snap->thread_count = 2;
	return snap;
}

static struct fixture fixture_new(struct place *place)
{
	struct fixture f = { .snap = snapshot() };
	place_lib(place, LIB, &MADE);
	assert_int_equal(test_annotate(f.snap, CAPTURED, sizeof(CAPTURED) / sizeof(*CAPTURED), NULL), VMSNAP_OK);
	f.names = made_names(f.snap, place->root);
	return f;
}

static void local_tells_its_function_frame_and_thread(void **state)
{
	struct fixture f = fixture_new(*state);
	struct vmsnap_name name;
	assert_int_equal(vmsnap_name_at(f.names, STACK + 0x13f, &name), VMSNAP_OK);
	assert_int_equal(name.kind, VMSNAP_NAME_LOCAL);
	assert_string_equal(name.symbol, "buf");
	assert_string_equal(name.object, "[stack]");
	assert_string_equal(name.function, "parse");
	assert_true(name.address == STACK + 0x100 && name.size == 0x40 && name.frame == 1 && name.tid == 100);
	assert_int_equal(vmsnap_name_at(f.names, STACK + 0x147, &name), VMSNAP_OK);
	assert_int_equal(name.kind, VMSNAP_NAME_ARGUMENT);
	assert_int_equal(vmsnap_name_at(f.names, OTHER_STACK + 0xf00, &name), VMSNAP_OK);
	assert_int_equal(name.kind, VMSNAP_NAME_THREAD_LOCAL);
	assert_true(name.tid == 101 && !name.function);
	fixture_free(f);
}

static void narrowest_captured_name_wins_over_stack_and_mapping(void **state)
{
	struct fixture f = fixture_new(*state);
	assert_string_equal(symbol_at(f.names, STACK + 0x10f), "buf");
	assert_string_equal(symbol_at(f.names, STACK + 0x110), "part");
	assert_string_equal(symbol_at(f.names, STACK + 0x114), "buf");
	assert_string_equal(symbol_at(f.names, STACK + 0x148), "");
	assert_string_equal(symbol_at(f.names, STACK + 0x900), ""); /* touched is no name */
	assert_string_equal(symbol_at(f.names, OTHER_STACK + 0x200), "i");
	assert_string_equal(symbol_at(f.names, OTHER_STACK + 0x204), "stack of thread 101 (w)");
	assert_null(symbol_at(f.names, BASE + 0x900000));
	fixture_free(f);
}

static void file_wins_over_a_name_of_no_certain_kind(void **state)
{
	struct fixture f = fixture_new(*state);
	assert_string_equal(symbol_at(f.names, BASE + 0x3e10), "answer");
	assert_string_equal(symbol_at(f.names, BASE + 0x5000), "wide");
	assert_string_equal(symbol_at(f.names, BASE + 0x6000), "static_one");
	fixture_free(f);
}

static void names_in_tells_all_sources_by_address(void **state)
{
	struct fixture f = fixture_new(*state);
	expect_names_in(f.names, 0, UINT64_MAX,
	                "answer alias of answer wide inside wide static_one buf part argv stack of thread 101 (w) "
	                "i errno");
	expect_names_in(f.names, STACK + 0x112, STACK + 0x141, "buf part argv");
	expect_names_in(f.names, STACK + 0x148, STACK + 0x3000, "");
	expect_names_in(f.names, BASE + 0x900000, BASE + 0x901000, "");
	fixture_free(f);
}

static bool stop_at_second(void *ctx, const struct vmsnap_name *name)
{
	(void)name;
	return ++*(int *)ctx < 2;
}

static void names_in_stops_among_captured_names(void **state)
{
	struct fixture f = fixture_new(*state);
	int calls = 0;
	assert_int_equal(vmsnap_names_in(f.names, STACK, UINT64_MAX, stop_at_second, &calls, NULL), VMSNAP_OK);
	assert_int_equal(calls, 2);
	fixture_free(f);
}

static void borrowed_names_are_told_once(void **state)
{
	struct place *place = *state;
	/* The child: its thread has another number, and the function is one frame further up. */
	static const struct vmsnap_annotation own[] = {
		{ STACK + 0x100, 0x40, VMSNAP_ANNOTATION_LOCAL, 200, 2, "parse", "buf", "char [64]" },
	};
	struct vmsnap *parent = snapshot(), *child = snapshot();
	struct vmsnap_name name;
	place_lib(place, LIB, &MADE);
	assert_int_equal(test_annotate(parent, CAPTURED, 3, NULL), VMSNAP_OK);
	assert_int_equal(test_annotate(child, own, 1, NULL), VMSNAP_OK);
	struct vmsnap_names *names = made_names(child, place->root);
	expect_names_in(names, STACK, STACK + 0x1000, "buf");
	assert_int_equal(vmsnap_names_add_fallback(names, parent, NULL), VMSNAP_OK);
	assert_int_equal(vmsnap_names_add_fallback(names, parent, NULL), VMSNAP_OK);
	assert_int_equal(vmsnap_names_add_fallback(names, child, NULL), VMSNAP_OK);
	expect_names_in(names, STACK, STACK + 0x1000, "buf part argv");
	assert_int_equal(vmsnap_name_at(names, STACK + 0x100, &name), VMSNAP_OK);
	assert_true(name.tid == 200 && name.frame == 2);
	assert_int_equal(vmsnap_names_rebind(names, child, NULL), VMSNAP_OK);
	expect_names_in(names, STACK, STACK + 0x1000, "buf");
	vmsnap_names_free(names);
	vmsnap_unref(parent);
	vmsnap_unref(child);
}

static void names_of_another_program_are_not_borrowed(void **state)
{
	(void)state;
	static const uint8_t one[] = { 1 }, two[] = { 2 };
	struct vmsnap *before = snapshot(), *after = snapshot();
	before->info.exe_build_id = one;
	after->info.exe_build_id = two;
	before->info.exe_build_id_len = after->info.exe_build_id_len = 1;
	assert_int_equal(test_annotate(before, CAPTURED, 3, NULL), VMSNAP_OK);
	struct vmsnap_names *names = made_names(after, NULL);
	assert_int_equal(vmsnap_names_add_fallback(names, before, NULL), VMSNAP_OK);
	expect_names_in(names, STACK, STACK + 0x1000, "");
	assert_non_null(strstr(vmsnap_names_warning(names), "another program"));
	vmsnap_names_free(names);
	vmsnap_unref(before);
	vmsnap_unref(after);
}

static bool count_one(void *ctx, const struct vmsnap_name *name)
{
	(void)name;
	++*(size_t *)ctx;
	return true;
}

/* Half of them cover all there is, the others begin one behind the other. */
static struct vmsnap *crowded_snapshot(uint32_t count, struct vmsnap_annotation *many)
{
	struct vmsnap *snap = made_snapshot();
	made_vma(snap, BASE, BASE + UINT64_C(0x10000000), VMSNAP_PERM_READ, "[heap]");
	for (uint32_t i = 0; i < count; i++)
		many[i] = (struct vmsnap_annotation){ .address = i % 2 ? BASE : BASE + i,
			                              .size = UINT64_MAX - BASE - i,
			                              .frame = i,
			                              .function = "f",
			                              .symbol = "wide" };
	assert_int_equal(test_annotate(snap, many, count, NULL), VMSNAP_OK);
	return snap;
}

/* Were each call a walk over all names, it would take minutes. */
static void hundred_thousand_overlapping_names_are_quick(void **state)
{
	(void)state;
	enum { COUNT = 100000, PAGES = 20000 };
	struct vmsnap_annotation *many = calloc(COUNT, sizeof(*many));
	assert_non_null(many);
	struct vmsnap *snap = crowded_snapshot(COUNT, many);
	struct vmsnap_names *names = made_names(snap, NULL);
	struct timespec start, end;
	size_t told = 0;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &start);
	for (uint64_t i = 0; i < PAGES; i++) {
		uint64_t page = BASE + i * 4096;
		assert_non_null(symbol_at(names, page));
		assert_int_equal(vmsnap_names_in(names, page, page + 4096, count_one, &told, NULL), VMSNAP_OK);
	}
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end);
	assert_true(told >= PAGES && told <= 256 * PAGES);
	assert_true(end.tv_sec - start.tv_sec < 20);
	assert_non_null(strstr(vmsnap_names_warning(names), "too many overlap"));
	vmsnap_names_free(names);
	vmsnap_unref(snap);
	free(many);
}

/* As the slots of a deep stack lie: none of them is left out. */
static void hundred_thousand_names_side_by_side_are_all_told(void **state)
{
	(void)state;
	enum { COUNT = 100000 };
	struct vmsnap_annotation *many = calloc(COUNT, sizeof(*many));
	struct vmsnap *snap = made_snapshot();
	assert_non_null(many);
	made_vma(snap, BASE, BASE + UINT64_C(0x10000000), VMSNAP_PERM_READ, "[stack]");
	for (uint32_t i = 0; i < COUNT; i++) {
		many[i] = (struct vmsnap_annotation){ .address = BASE + i / 200 * 400, .size = 300, .frame = i };
		many[i].function = many[i].symbol = "f";
	}
	assert_int_equal(test_annotate(snap, many, COUNT, NULL), VMSNAP_OK);
	struct vmsnap_names *names = made_names(snap, NULL);
	size_t told = 0;
	assert_int_equal(vmsnap_names_in(names, 0, UINT64_MAX, count_one, &told, NULL), VMSNAP_OK);
	assert_int_equal(told, COUNT);
	assert_string_equal(vmsnap_names_warning(names), "");
	vmsnap_names_free(names);
	vmsnap_unref(snap);
	free(many);
}

#define T(name) cmocka_unit_test_setup_teardown(name, place_setup, place_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(local_tells_its_function_frame_and_thread),
		T(narrowest_captured_name_wins_over_stack_and_mapping),
		T(file_wins_over_a_name_of_no_certain_kind),
		T(names_in_tells_all_sources_by_address),
		T(names_in_stops_among_captured_names),
		T(borrowed_names_are_told_once),
		T(names_of_another_program_are_not_borrowed),
		T(hundred_thousand_overlapping_names_are_quick),
		T(hundred_thousand_names_side_by_side_are_all_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
