/* Small files that would become much: what a reader takes stays within its limit, and
 * what does fit is shown and compared in time that grows with it. */
#include "test_file_much.h"

#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

#include "test_sanitized.h"
#include "test_time.h"

enum {
	MIB = 1 << 20,
	MANY = SANITIZED ? 100 * 1000 : 300 * 1000, /* what takes their square takes minutes */
	HANG_SECONDS = 300,
};

/* ---- loading in a process of its own, so that its memory is known ---- */

struct outcome {
	int code;
	uint64_t position;
	long peak_kib;
};

static struct outcome load_apart(struct made *made, uint64_t memory)
{
	struct outcome outcome = { 0 };
	struct rusage usage;
	int ends[2], status;
	assert_int_equal(pipe(ends), 0);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		struct vmsnap_error err = { 0 };
		outcome.code = load_made(made, memory, &err);
		outcome.position = err.position;
		_exit(write(ends[1], &outcome, sizeof(outcome)) != sizeof(outcome));
	}
	close(ends[1]);
	assert_int_equal(read(ends[0], &outcome, sizeof(outcome)), sizeof(outcome));
	close(ends[0]);
	assert_int_equal(wait4(pid, &status, 0, &usage), pid);
	assert_true(WIFEXITED(status) && !WEXITSTATUS(status));
	outcome.peak_kib = usage.ru_maxrss;
	return outcome;
}

/* Refused at `offset`, and with no more memory than a process that reads nothing
 * (and a little for what is inflated before). */
static void assert_refused(struct made *made, uint64_t memory, uint64_t offset)
{
	struct made nothing;
	add_start(&nothing);
	add_no_vmas(&nothing);
	long before = load_apart(&nothing, memory).peak_kib;
	bytes_free(&nothing.bytes);
	struct outcome outcome = load_apart(made, memory);
	bytes_free(&made->bytes);
	assert_int_equal(outcome.code, VMSNAP_ERR_TOO_LARGE);
	assert_int_equal(outcome.position, offset);
	/* It may be a little less: the kernel counts a process's pages roughly. */
	if (!SANITIZED && (int64_t)(outcome.peak_kib - before) * 1024 > (int64_t)(memory + 4 * MIB))
		fail_msg("%ld KiB more than nothing takes", outcome.peak_kib - before);
}

/* ---- refused ---- */

static void a_section_that_inflates_to_more_than_the_limit_is_refused(void **state)
{
	(void)state;
	struct made made;
	uint8_t *zeros = calloc(1, 48 * MIB);
	assert_non_null(zeros);
	begin_made(&made);
	add_plain(&made, SECTION_SNAP, "\x01\x02\x00\x10", 4);
	uint64_t offset = add_deflated(&made, SECTION_STAT, zeros, 48 * MIB);
	free(zeros);
	add_no_vmas(&made);
	assert_true(made.bytes.len < 64 * 1024);
	assert_refused(&made, 16 * MIB, offset);
}

static void tables_that_become_more_than_the_limit_are_refused(void **state)
{
	(void)state;
	struct made made;
	add_start(&made);
	uint64_t offset = add_vmas(&made, 1000 * 1000);
	assert_true(made.bytes.len < 32 * 1024);
	assert_refused(&made, 64 * MIB, offset);
	add_start(&made);
	add_no_vmas(&made);
	offset = add_threads(&made, 1000 * 1000);
	assert_refused(&made, 16 * MIB, offset);
	add_start(&made);
	add_vmas(&made, 2000);
	offset = add_smaps(&made, 2000, 2000);
	assert_refused(&made, 16 * MIB, offset);
}

static void runs_that_become_more_than_the_limit_are_refused(void **state)
{
	(void)state;
	static const uint64_t pages[] = { UINT64_C(1) << 34, UINT64_C(1) << 45, TOP(4096) / 4096 };
	for (size_t i = 0; i < 3; i++) {
		struct made made;
		add_start(&made);
		add_no_vmas(&made);
		uint64_t offset = add_run(&made, pages[i]);
		assert_refused(&made, 32 * MIB, offset);
	}
}

/* Runs in many sections: what the sections before took is not forgotten. */
static void many_sections_count_together(void **state)
{
	(void)state;
	struct made made;
	add_start(&made);
	add_no_vmas(&made);
	uint64_t offset = 0;
	for (unsigned i = 0; i < 100; i++) {
		uint64_t at = add_apart(&made, (uint64_t)i * 131072, 65536);
		/* 16 bytes each: 15 sections fit into 16 MiB with what is inflated. */
		if (i == 15)
			offset = at;
	}
	assert_true(made.bytes.len < 128 * 1024);
	assert_refused(&made, 16 * MIB, offset);
}

/* ---- what fits takes time that grows with it ---- */

static int count_bytes(void *ctx, const char *text, size_t len)
{
	(void)text;
	*(size_t *)ctx += len;
	return 0;
}

static struct vmsnap *load_one(struct made *made)
{
	end_made(made);
	struct vmsnap *snap = sample_load(made->bytes.data, made->bytes.len, 0);
	bytes_free(&made->bytes);
	return snap;
}

static void print_all(const struct vmsnap *a, const struct vmsnap *b)
{
	size_t printed = 0;
	struct vmsnap_diff *diff;
	struct vmsnap_cow *cow;
	struct vmsnap_error err = { 0 };
	struct vmsnap_output out = { .size = sizeof(out), .style.size = sizeof(out.style), .write = count_bytes, .ctx = &printed };
	out.style.size = sizeof(out.style);
	assert_int_equal(vmsnap_diff_new(a, b, &diff, &err), VMSNAP_OK);
	assert_int_equal(vmsnap_cow_new(a, b, NULL, &cow, &err), VMSNAP_OK);
	for (int json = 0; json < 2; json++) {
		out.style.json = json;
		assert_int_equal(vmsnap_print_show(a, &out, &err), VMSNAP_OK);
		assert_int_equal(vmsnap_print_map(a, b, &out, &err), VMSNAP_OK);
		for (unsigned flags = 0; flags <= VMSNAP_PRINT_LONG; flags += VMSNAP_PRINT_LONG) {
			assert_int_equal(vmsnap_print_diff(diff, NULL, flags, &out, &err), VMSNAP_OK);
			assert_int_equal(vmsnap_print_cow(cow, NULL, flags, &out, &err), VMSNAP_OK);
		}
		assert_int_equal(vmsnap_print_pages(a, 0, UINT64_MAX, false, &out, &err), VMSNAP_OK);
	}
	assert_true(printed > 0);
	vmsnap_cow_free(cow);
	vmsnap_diff_free(diff);
}

/* Something quadratic would take hours: SIGPROF ends the test. */
static int be_quick(void **state)
{
	(void)state;
	end_after(HANG_SECONDS);
	return 0;
}

static int been_quick(void **state)
{
	(void)state;
	end_after(0);
	return 0;
}

static void hundreds_of_thousands_of_mappings_are_compared_in_time(void **state)
{
	(void)state;
	struct made made;
	add_start(&made);
	add_vmas(&made, MANY);
	add_threads(&made, MANY);
	struct vmsnap *a = load_one(&made);
	assert_int_equal(vmsnap_vma_count(a), MANY);
	add_start(&made);
	add_vmas(&made, MANY - 1);
	struct vmsnap *b = load_one(&made);
	print_all(a, b);
	vmsnap_unref(a);
	vmsnap_unref(b);
}

/* Whoever looks at each mapping looks at its name: 20,000 times a long one. */
static void one_long_name_of_many_mappings_is_refused(void **state)
{
	(void)state;
	struct made made;
	add_start(&made);
	uint64_t offset = add_vmas_named(&made, 20 * 1000, 1, 4 * MIB);
	assert_true(made.bytes.len < 64 * 1024);
	assert_refused(&made, 64 * MIB, offset);
	/* As many mappings as Linux allows, with the longest path that it opens. */
	add_start(&made);
	add_vmas_named(&made, 65 * 1000, 1, 4095);
	struct vmsnap *snap = load_one(&made);
	assert_int_equal(vmsnap_vma_count(snap), 65 * 1000);
	vmsnap_unref(snap);
}

/* A petabyte in one run is a GiB of runs in memory: whoever sets no limit has one that goes
 * by how long the snapshot is in the file. */
static void a_run_of_a_petabyte_is_refused_without_a_limit(void **state)
{
	(void)state;
	struct made made;
	struct vmsnap_file *file;
	struct vmsnap *snap;
	struct vmsnap_error err;
	add_start(&made);
	add_vmas(&made, 10);
	add_run(&made, UINT64_C(1) << 38);
	end_made(&made);
	assert_int_equal(vmsnap_file_open_memory(made.bytes.data, made.bytes.len, NULL, &file, &err), VMSNAP_OK);
	assert_int_equal(vmsnap_file_load(file, 0, &snap, &err), VMSNAP_ERR_TOO_LARGE);
	vmsnap_file_close(file);
	bytes_free(&made.bytes);
}

/* 8 TiB in one run are 2^19 runs in memory. */
static void a_run_of_terabytes_is_compared_in_time(void **state)
{
	(void)state;
	struct made made;
	add_start(&made);
	add_vmas(&made, 10);
	add_run(&made, UINT64_C(1) << 31);
	struct vmsnap *a = load_one(&made);
	add_start(&made);
	add_vmas(&made, 10);
	struct vmsnap *b = load_one(&made);
	print_all(a, b);
	vmsnap_unref(a);
	vmsnap_unref(b);
}

/* Whoever looks at one mapping must not walk all of a run that spans them all. */
static void many_mappings_over_one_run_are_compared_in_time(void **state)
{
	(void)state;
	struct made made;
	struct vmsnap *snaps[2];
	for (size_t i = 0; i < 2; i++) {
		add_start(&made);
		add_vmas(&made, MANY / 10 - i);
		add_run(&made, UINT64_C(1) << 31);
		snaps[i] = load_one(&made);
	}
	print_all(snaps[0], snaps[1]);
	vmsnap_unref(snaps[0]);
	vmsnap_unref(snaps[1]);
}

/* Nor all of a mapping for each of the pieces that others leave of it. */
static void one_mapping_and_many_are_compared_in_time(void **state)
{
	(void)state;
	struct made made;
	struct vmsnap *snaps[2];
	for (size_t i = 0; i < 2; i++) {
		add_start(&made);
		add_vmas_of(&made, i ? MANY / 10 : 1, i ? 1 : UINT64_C(1) << 31);
		add_run(&made, i ? 1 : UINT64_C(1) << 31);
		snaps[i] = load_one(&made);
	}
	print_all(snaps[0], snaps[1]);
	print_all(snaps[1], snaps[0]);
	vmsnap_unref(snaps[0]);
	vmsnap_unref(snaps[1]);
}

static void a_status_of_many_lines_is_compared_in_time(void **state)
{
	(void)state;
	struct made made;
	struct vmsnap *snaps[2];
	for (int i = 0; i < 2; i++) {
		begin_made(&made);
		add_plain(&made, SECTION_SNAP, "\x01\x02\x00\x10", 4);
		add_status(&made, i ? "a:1\n" : "a:2\n", MANY);
		add_no_vmas(&made);
		snaps[i] = load_one(&made);
	}
	size_t printed = 0;
	struct vmsnap_error err = { 0 };
	struct vmsnap_output out = { .size = sizeof(out), .style.size = sizeof(out.style), .write = count_bytes, .ctx = &printed };
	out.style.size = sizeof(out.style);
	assert_int_equal(vmsnap_print_status(snaps[0], snaps[1], &out, &err), VMSNAP_OK);
	print_all(snaps[0], snaps[1]);
	vmsnap_unref(snaps[0]);
	vmsnap_unref(snaps[1]);
}

/* A file of nothing but snapshots as small as they get. */
static void many_snapshots_are_listed_in_time(void **state)
{
	(void)state;
	enum { SNAPSHOTS = SANITIZED ? 5000 : 50000 };
	struct made made;
	add_start(&made);
	add_no_vmas(&made);
	end_made(&made);
	size_t one = made.bytes.len - made.start, printed = 0, index;
	uint8_t *snapshot = copy_of(made.bytes.data + made.start, one);
	for (int i = 1; i < SNAPSHOTS; i++)
		put_bytes(&made.bytes, snapshot, one);
	free(snapshot);
	struct vmsnap_file *file;
	struct vmsnap_error err = { 0 };
	struct vmsnap_output out = { .size = sizeof(out), .style.size = sizeof(out.style), .write = count_bytes, .ctx = &printed };
	out.style.size = sizeof(out.style);
	assert_int_equal(vmsnap_file_open_memory(made.bytes.data, made.bytes.len, NULL, &file, &err), VMSNAP_OK);
	assert_int_equal(vmsnap_file_count(file), SNAPSHOTS);
	assert_int_equal(vmsnap_print_list(file, &out, &err), VMSNAP_OK);
	assert_int_equal(vmsnap_print_check(file, &out, &err), VMSNAP_OK);
	assert_int_equal(vmsnap_file_find(file, "no such label", &index, &err), VMSNAP_ERR_NOT_FOUND);
	vmsnap_file_close(file);
	bytes_free(&made.bytes);
}

#define IN_TIME(test) cmocka_unit_test_setup_teardown(test, be_quick, been_quick)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_TIME(a_section_that_inflates_to_more_than_the_limit_is_refused),
		IN_TIME(tables_that_become_more_than_the_limit_are_refused),
		IN_TIME(runs_that_become_more_than_the_limit_are_refused),
		IN_TIME(many_sections_count_together),
		IN_TIME(hundreds_of_thousands_of_mappings_are_compared_in_time),
		cmocka_unit_test(one_long_name_of_many_mappings_is_refused),
		cmocka_unit_test(a_run_of_a_petabyte_is_refused_without_a_limit),
		IN_TIME(a_run_of_terabytes_is_compared_in_time),
		IN_TIME(many_mappings_over_one_run_are_compared_in_time),
		IN_TIME(one_mapping_and_many_are_compared_in_time),
		IN_TIME(a_status_of_many_lines_is_compared_in_time),
		IN_TIME(many_snapshots_are_listed_in_time),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
