/* What is made of a snapshot out of a file counts against that file's limit. */
#include "test_work_fixture.h"

#include <sys/wait.h>

#include <sys/resource.h>

#include "test_skip.h"

/* What fits by itself, and what is made of it does not. */
static void a_comparison_counts_against_the_limits_of_its_files(void **state)
{
	(void)state;
	static const struct {
		make_fn make;
		size_t each;
	} cases[] = { { with_lines, 6 }, { with_runs, 16 }, { with_vmas, 96 } };
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct vmsnap_error err = { 0 };
		struct vmsnap_diff *diff;
		/* What is read meanwhile is more. */
		uint64_t tight = cases[i].each * MANY + cases[i].each * MANY / 2 + MIB / 4;
		struct vmsnap *much = cases[i].make(MANY, tight), *little = cases[i].make(1, 64 * 1024);
		assert_too_large(vmsnap_diff_new(much, little, &diff, &err), &err);
		assert_too_large(vmsnap_diff_new(little, much, &diff, &err), &err);
		vmsnap_unref(much);
		much = cases[i].make(MANY, UINT64_C(512) * MIB);
		if (print_both(much, little, &err))
			fail_msg("%zu: %s", i, err.message);
		vmsnap_unref(much);
		vmsnap_unref(little);
	}
}

static void verdicts_count_against_the_limits_of_their_files(void **state)
{
	(void)state;
	struct vmsnap_error err = { 0 };
	struct vmsnap_cow *cow;
	struct vmsnap *much = with_runs(MANY, 24 * MANY), *little = with_runs(1, 64 * 1024);
	for (size_t i = 0; i < much->runs.count; i++)
		much->runs.items[i].entry = ENTRY_PRESENT | (1 + i);
	assert_too_large(vmsnap_cow_new(much, little, NULL, &cow, &err), &err);
	/* What a base alone has is gone, and takes no more than a few ranges. */
	assert_int_equal(vmsnap_cow_new(little, little, much, &cow, &err), VMSNAP_OK);
	vmsnap_cow_free(cow);
	much->memory_limit *= 6;
	assert_int_equal(vmsnap_cow_new(much, little, NULL, &cow, &err), VMSNAP_OK);
	assert_true(vmsnap_cow_range_count(cow) >= MANY);
	vmsnap_cow_free(cow);
	vmsnap_unref(much);
	vmsnap_unref(little);
}

static void names_and_texts_count_too(void **state)
{
	(void)state;
	struct vmsnap_error err = { 0 };
	struct vmsnap_names *names;
	struct vmsnap_output out = { .size = sizeof(out), .style.size = sizeof(out.style), .write = write_nothing };
	struct vmsnap *much = with_vmas(MANY, 200 * MANY);
	assert_too_large(vmsnap_names_new(much, NULL, &names, &err), &err);
	vmsnap_unref(much);
	much = with_lines(MANY, 9 * MANY + MIB / 4);
	assert_too_large(vmsnap_print_status(much, much, &out, &err), &err);
	assert_too_large(vmsnap_print_map(much, much, &out, &err), &err);
	assert_int_equal(vmsnap_print_status(much, NULL, &out, &err), VMSNAP_OK);
	vmsnap_unref(much);
}

/* Nobody set a limit for a snapshot that is not of a file. */
static void what_is_no_file_s_has_no_limit(void **state)
{
	(void)state;
	struct vmsnap_error err = { 0 };
	struct vmsnap_diff *diff;
	struct vmsnap *a = with_runs(MANY, 24 * MANY), *b = with_runs(1, 64 * 1024);
	a->memory_limit = b->memory_limit = 0;
	assert_int_equal(vmsnap_diff_new(a, b, &diff, &err), VMSNAP_OK);
	assert_true(vmsnap_memory_left((const struct vmsnap *[]){ a, NULL, b }, 3) == UINT64_MAX);
	assert_true(vmsnap_diff_memory_left(diff) == UINT64_MAX);
	vmsnap_diff_free(diff);
	/* Beside one of a file it has enough for itself. */
	b->memory_limit = 64 * 1024;
	assert_int_equal(vmsnap_diff_new(a, b, &diff, &err), VMSNAP_OK);
	uint64_t left = vmsnap_memory_left((const struct vmsnap *[]){ a, b }, 2);
	assert_true(left > vmsnap_memory_left((const struct vmsnap *[]){ NULL, b }, 2) && left < UINT64_MAX);
	assert_true(vmsnap_diff_memory_left(diff) < left);
	vmsnap_diff_free(diff);
	vmsnap_unref(a);
	vmsnap_unref(b);
}

/* As programs want it nothing of it is cut. */
static void a_row_of_a_table_counts_too(void **state)
{
	(void)state;
	struct vmsnap_error err = { 0 };
	struct vmsnap_output out = {
		.size = sizeof(out), .style.size = sizeof(out.style), .write = write_nothing, .style.raw = true
	};
	struct vmsnap *snap = with_vmas(1, 4 * MIB);
	size_t len = 3 * MIB / 2;
	char *name = arena_alloc(&snap->strings, len + 1);
	memset(name, '\1', len);
	name[len] = '\0';
	snap->vmas[0].name = name;
	assert_too_large(vmsnap_print_show(snap, &out, &err), &err);
	out.style.json = true;
	assert_int_equal(vmsnap_print_show(snap, &out, &err), VMSNAP_OK);
	vmsnap_unref(snap);
}

/* ---- what it really takes ---- */

/* KiB that a process took at most, which did nothing else. */
static long peak_of(int (*work)(void *ctx), void *ctx)
{
	struct rusage usage;
	int status;
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (!pid)
		_exit(work(ctx) != 0);
	assert_int_equal(wait4(pid, &status, 0, &usage), pid);
	assert_true(WIFEXITED(status) && !WEXITSTATUS(status));
	return usage.ru_maxrss;
}

static int make_two(void *ctx)
{
	struct vmsnap **snaps = ctx;
	snaps[0] = with_status("a:1\n", 2 * 1000 * 1000, 0);
	snaps[1] = with_status("a:1\n", 2 * 1000 * 1000, 0);
	return VMSNAP_OK;
}

static int compare_two(void *ctx)
{
	struct vmsnap *snaps[2];
	struct vmsnap_error err;
	(void)ctx;
	make_two(snaps);
	return print_both(snaps[0], snaps[1], &err);
}

/* A struct vmsnap_status_field for each line would be 250 MB. */
static void a_line_of_status_takes_bytes_not_structures(void **state)
{
	(void)state;
	struct vmsnap *snaps[2];
	if (SANITIZED)
		skip_because("what a sanitizer takes for itself is not to be counted");
	long more = peak_of(compare_two, NULL) - peak_of(make_two, snaps);
	if (more > 80 * 1024)
		fail_msg("%ld KiB", more);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_comparison_counts_against_the_limits_of_its_files),
		cmocka_unit_test(verdicts_count_against_the_limits_of_their_files),
		cmocka_unit_test(names_and_texts_count_too),
		cmocka_unit_test(what_is_no_file_s_has_no_limit),
		cmocka_unit_test(a_line_of_status_takes_bytes_not_structures),
		cmocka_unit_test(a_row_of_a_table_counts_too),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
