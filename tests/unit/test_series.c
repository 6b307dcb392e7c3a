/* Snapshots in time: which mapping became which, what came and went, and what can be known of the time between. */
#include "test_diff_fixture.h"

#include <stdio.h>

enum { MOST = 8 };
struct made {
	struct vmsnap *snaps[MOST];
	size_t count;
};

#define SECOND INT64_C(1000000000)

/* One second after the one before. */
static struct vmsnap *add_snap(struct made *made, uint32_t pid)
{
	struct vmsnap *snap = make_snap();
	int64_t at = (int64_t)made->count + 1;
	snap->info.pid = snap->info.tgid = pid;
	snap->info.start_time = pid;
	snap->info.comm = "demo";
	snap->info.taken = 1700000000 * SECOND + at * SECOND;
	snap->info.monotonic = 100 * SECOND + at * SECOND;
	snap->info.boottime = (uint64_t)(100 * SECOND + at * SECOND);
	snap->info.start_stack = 0x7ffffff000;
	assert_true(made->count < MOST);
	made->snaps[made->count++] = snap;
	return snap;
}

static struct vmsnap_series *open_made(const struct made *made, int by)
{
	const struct vmsnap *snaps[MOST];
	const struct vmsnap_series_options options = { .size = sizeof(options), .by = by };
	struct vmsnap_series *series = NULL;
	for (size_t i = 0; i < made->count; i++)
		snaps[i] = made->snaps[i];
	assert_int_equal(vmsnap_series_of(snaps, made->count, &options, &series, NULL), VMSNAP_OK);
	return series;
}

static void free_made(struct made *made)
{
	for (size_t i = 0; i < made->count; i++)
		vmsnap_unref(made->snaps[i]);
	*made = (struct made){ 0 };
}

static struct vmsnap_series_step next(struct vmsnap_series *series)
{
	struct vmsnap_series_step step;
	assert_int_equal(vmsnap_series_next(series, NULL), VMSNAP_OK);
	assert_int_equal(vmsnap_series_step(series, &step), VMSNAP_OK);
	return step;
}

static void assert_end(struct vmsnap_series *series)
{
	assert_int_equal(vmsnap_series_next(series, NULL), VMSNAP_END);
	vmsnap_series_close(series);
}

static struct vmsnap_series_line line_at(const struct vmsnap_series *series, size_t index)
{
	struct vmsnap_series_line line;
	assert_int_equal(vmsnap_series_line(series, index, &line), VMSNAP_OK);
	return line;
}

static struct vmsnap_series_line line_of(const struct vmsnap_series *series, uint64_t id)
{
	struct vmsnap_series_line line = { 0 };
	for (size_t i = 0; i < vmsnap_series_line_count(series); i++)
		if ((line = line_at(series, i)).id == id)
			return line;
	fail_msg("there is no line %u", (unsigned)id);
	return line;
}

static bool has(uint32_t changes, int change)
{
	return changes & 1u << change;
}

/* ---- mappings -------------------------------------------------------------------------- */

static void the_heap_stays_one_line_as_it_grows(void **state)
{
	struct made made = { 0 };
	(void)state;
	for (uint64_t size = 4; size <= 8; size += 4) {
		struct vmsnap *snap = add_snap(&made, 5);
		add_anon(snap, 16, 16 + size, "rw-p", "[heap]");
		add_pages(snap, 16, size, OWNED(100));
	}
	struct vmsnap_series *series = open_made(&made, VMSNAP_SERIES_BY_MAPPING);
	struct vmsnap_series_step step = next(series);
	assert_int_equal(step.index, 0);
	assert_null(step.before);
	assert_false(step.elapsed_known);
	assert_int_equal(vmsnap_series_line_count(series), 1);
	struct vmsnap_series_line first = line_at(series, 0);
	assert_int_equal(first.changes, 0);
	assert_int_equal(first.bytes, 4 * PAGE);
	step = next(series);
	struct vmsnap_series_line second = line_at(series, 0);
	assert_int_equal(second.id, first.id);
	assert_int_equal(second.bytes_before, 4 * PAGE);
	assert_int_equal(second.bytes, 8 * PAGE);
	assert_int_equal(second.changes, 1u << VMSNAP_VMA_CHANGE_GROWN);
	assert_true(step.elapsed_known);
	assert_int_equal(step.elapsed, SECOND);
	assert_int_equal(step.sums.resident, 8 * PAGE);
	assert_int_equal(step.sums_before.resident, 4 * PAGE);
	assert_end(series);
	free_made(&made);
}

static void what_moves_is_the_same_line_and_says_from_where(void **state)
{
	struct made made = { 0 };
	(void)state;
	for (uint64_t at = 16; at <= 64; at += 48) {
		struct vmsnap *snap = add_snap(&made, 5);
		add_anon(snap, at, at + 40, "rw-p", "");
		add_pages(snap, at, 40, OWNED(100));
	}
	struct vmsnap_series *series = open_made(&made, VMSNAP_SERIES_BY_MAPPING);
	next(series);
	uint64_t id = line_at(series, 0).id;
	next(series);
	assert_int_equal(vmsnap_series_line_count(series), 1);
	struct vmsnap_series_line line = line_at(series, 0);
	assert_int_equal(line.id, id);
	assert_true(has(line.changes, VMSNAP_VMA_CHANGE_MOVED));
	assert_false(has(line.changes, VMSNAP_VMA_CHANGE_ADDED));
	assert_int_equal(line.from, PAGE_AT(16));
	assert_int_equal(line.start, PAGE_AT(64));
	assert_int_equal(line.bytes_before, 40 * PAGE);
	assert_end(series);
	free_made(&made);
}

static void the_parts_of_a_split_are_one_line(void **state)
{
	struct made made = { 0 };
	(void)state;
	struct vmsnap *snap = add_snap(&made, 5);
	add_anon(snap, 16, 40, "rw-p", "");
	add_pages(snap, 16, 24, OWNED(100));
	snap = add_snap(&made, 5);
	add_anon(snap, 16, 24, "rw-p", "");
	add_anon(snap, 24, 32, "r--p", "");
	add_anon(snap, 32, 40, "rw-p", "");
	add_pages(snap, 16, 24, OWNED(100));
	snap = add_snap(&made, 5);
	add_anon(snap, 16, 40, "rw-p", "");
	add_pages(snap, 16, 24, OWNED(100));
	struct vmsnap_series *series = open_made(&made, VMSNAP_SERIES_BY_MAPPING);
	next(series);
	uint64_t id = line_at(series, 0).id;
	for (size_t parts = 3; parts < 4; parts -= 2) {
		next(series);
		assert_int_equal(vmsnap_series_line_count(series), 1);
		struct vmsnap_series_line line = line_at(series, 0);
		assert_int_equal(line.id, id);
		assert_int_equal(line.vmas, parts);
		assert_int_equal(line.bytes, 24 * PAGE);
		assert_int_equal(line.bytes_before, 24 * PAGE);
		assert_true(has(line.changes, parts == 3 ? VMSNAP_VMA_CHANGE_SPLIT : VMSNAP_VMA_CHANGE_MERGED));
	}
	assert_end(series);
	free_made(&made);
}

static void what_is_merged_says_into_what(void **state)
{
	struct made made = { 0 };
	(void)state;
	struct vmsnap *snap = add_snap(&made, 5);
	add_anon(snap, 16, 24, "rw-p", "");
	add_anon(snap, 24, 32, "r--p", "");
	add_pages(snap, 16, 16, OWNED(100));
	snap = add_snap(&made, 5);
	add_anon(snap, 16, 32, "rw-p", "");
	add_pages(snap, 16, 16, OWNED(100));
	struct vmsnap_series *series = open_made(&made, VMSNAP_SERIES_BY_MAPPING);
	next(series);
	uint64_t kept = line_at(series, 0).id, other = line_at(series, 1).id;
	next(series);
	assert_int_equal(vmsnap_series_line_count(series), 2);
	assert_int_equal(line_at(series, 0).id, kept);
	struct vmsnap_series_line went = line_at(series, 1);
	assert_int_equal(went.id, other);
	assert_int_equal(went.into, kept);
	assert_int_equal(went.changes, 1u << VMSNAP_VMA_CHANGE_MERGED | 1u << VMSNAP_VMA_CHANGE_REMOVED);
	assert_end(series);
	free_made(&made);
}

static void what_comes_and_goes_has_a_number_of_its_own(void **state)
{
	struct made made = { 0 };
	(void)state;
	for (int i = 0; i < 3; i++) {
		struct vmsnap *snap = add_snap(&made, 5);
		add_anon(snap, 16, 20, "rw-p", "[heap]");
		if (i == 1)
			add_file(snap, 64, 68, "r--p", "/lib/libx.so", 9, 0);
		add_pages(snap, 16, 4, OWNED(100));
		if (i == 1)
			add_pages(snap, 64, 2, CACHED(500));
	}
	struct vmsnap_series *series = open_made(&made, VMSNAP_SERIES_BY_MAPPING);
	next(series);
	next(series);
	assert_int_equal(vmsnap_series_line_count(series), 2);
	struct vmsnap_series_line came = line_at(series, 1);
	assert_string_equal(came.name, "/lib/libx.so");
	assert_int_equal(came.changes, 1u << VMSNAP_VMA_CHANGE_ADDED);
	assert_int_equal(came.bytes, 2 * PAGE);
	assert_int_equal(came.bytes_before, 0);
	next(series);
	assert_int_equal(vmsnap_series_line_count(series), 2);
	struct vmsnap_series_line went = line_at(series, 1);
	assert_int_equal(went.id, came.id);
	assert_string_equal(went.name, "/lib/libx.so");
	assert_int_equal(went.changes, 1u << VMSNAP_VMA_CHANGE_REMOVED);
	assert_int_equal(went.bytes, 0);
	assert_int_equal(went.bytes_before, 2 * PAGE);
	assert_end(series);
	free_made(&made);
}

static void other_memory_in_the_same_place_is_another_line(void **state)
{
	struct made made = { 0 };
	(void)state;
	struct vmsnap *snap = add_snap(&made, 5);
	add_file(snap, 16, 20, "r--p", "/lib/a", 9, 0);
	snap = add_snap(&made, 5);
	add_file(snap, 16, 20, "r--p", "/lib/b", 10, 0);
	struct vmsnap_series *series = open_made(&made, VMSNAP_SERIES_BY_MAPPING);
	next(series);
	next(series);
	assert_int_equal(vmsnap_series_line_count(series), 2);
	assert_true(line_at(series, 0).id != line_at(series, 1).id);
	assert_true(has(line_at(series, 0).changes, VMSNAP_VMA_CHANGE_REPLACED));
	assert_true(has(line_at(series, 1).changes, VMSNAP_VMA_CHANGE_REMOVED));
	assert_end(series);
	free_made(&made);
}

static void another_program_has_only_new_lines(void **state)
{
	struct made made = { 0 };
	(void)state;
	for (uint64_t i = 0; i < 2; i++) {
		struct vmsnap *snap = add_snap(&made, 5);
		snap->info.start_stack += i * 0x1000;
		add_anon(snap, 16, 20, "rw-p", "[heap]");
	}
	struct vmsnap_series *series = open_made(&made, VMSNAP_SERIES_BY_MAPPING);
	next(series);
	struct vmsnap_series_step step = next(series);
	assert_int_equal(step.relation, VMSNAP_RELATION_ANOTHER_PROGRAM);
	assert_int_equal(vmsnap_series_line_count(series), 2);
	assert_int_equal(line_of(series, 2).changes, 1u << VMSNAP_VMA_CHANGE_ADDED);
	assert_int_equal(line_of(series, 1).changes, 1u << VMSNAP_VMA_CHANGE_REMOVED);
	assert_end(series);
	free_made(&made);
}

static void pages_in_gaps_count_for_the_process(void **state)
{
	struct made made = { 0 };
	(void)state;
	struct vmsnap *snap = add_snap(&made, 5);
	add_anon(snap, 16, 20, "rw-p", "[heap]");
	add_pages(snap, 4, 1, OWNED(50));
	add_pages(snap, 16, 2, OWNED(100));
	add_pages(snap, 30, 1, OWNED(60));
	for (int by = 0; by < VMSNAP_SERIES_BY_COUNT; by++) {
		struct vmsnap_series *series = open_made(&made, by);
		assert_int_equal(next(series).sums.resident, 4 * PAGE);
		assert_end(series);
	}
	free_made(&made);
}

/* ---- time and processes ---------------------------------------------------------------- */

static void time_is_unknown_if_clocks_went_backwards_or_are_not_told(void **state)
{
	struct made made = { 0 };
	(void)state;
	struct vmsnap *one = add_snap(&made, 5), *two = add_snap(&made, 5);
	two->info.boottime = one->info.boottime - 1;
	struct vmsnap_series *series = open_made(&made, VMSNAP_SERIES_BY_STATE);
	next(series);
	assert_false(next(series).elapsed_known);
	assert_end(series);
	one->info.boottime = 0;
	series = open_made(&made, VMSNAP_SERIES_BY_STATE);
	next(series);
	assert_int_equal(next(series).elapsed, SECOND);
	assert_end(series);
	one->info.monotonic = 0;
	one->info.taken = 0;
	series = open_made(&made, VMSNAP_SERIES_BY_STATE);
	next(series);
	assert_false(next(series).elapsed_known);
	assert_end(series);
	free_made(&made);
}

static void of_no_time_apart_there_is_no_time(void **state)
{
	struct made made = { 0 };
	(void)state;
	struct vmsnap *one = add_snap(&made, 5), *two = add_snap(&made, 5);
	two->info.boottime = one->info.boottime;
	struct vmsnap_series *series = open_made(&made, VMSNAP_SERIES_BY_KIND);
	next(series);
	struct vmsnap_series_step step = next(series);
	assert_true(step.elapsed_known);
	assert_int_equal(step.elapsed, 0);
	assert_end(series);
	free_made(&made);
}

static void a_number_that_was_used_again_is_another_process(void **state)
{
	struct made made = { 0 };
	(void)state;
	for (uint64_t i = 0; i < 3; i++) {
		struct vmsnap *snap = add_snap(&made, 5);
		snap->info.start_time = i ? 900 : 5;
		snap->info.boot_id = i == 2 ? "another-boot" : "this-boot";
		add_anon(snap, 16, 20, "rw-p", "[heap]");
	}
	struct vmsnap_series *series = open_made(&made, VMSNAP_SERIES_BY_MAPPING);
	assert_int_equal(vmsnap_series_process_count(series), 3);
	for (uint64_t id = 1; id <= 3; id++) {
		assert_null(next(series).before);
		assert_int_equal(line_at(series, 0).id, id);
	}
	assert_end(series);
	free_made(&made);
}

static void processes_are_followed_each_for_itself(void **state)
{
	struct made made = { 0 };
	(void)state;
	for (uint64_t i = 0; i < 4; i++) {
		struct vmsnap *snap = add_snap(&made, i % 2 ? 6 : 5);
		add_anon(snap, 16, 20, "rw-p", "[heap]");
		add_pages(snap, 16, 1 + i, OWNED(100));
	}
	struct vmsnap_series *series = open_made(&made, VMSNAP_SERIES_BY_MAPPING);
	next(series);
	next(series);
	struct vmsnap_series_step step = next(series);
	assert_ptr_equal(step.before, made.snaps[0]);
	assert_int_equal(line_at(series, 0).id, 1);
	assert_int_equal(line_at(series, 0).bytes_before, PAGE);
	step = next(series);
	assert_ptr_equal(step.before, made.snaps[1]);
	assert_int_equal(line_at(series, 0).id, 2);
	assert_end(series);
	free_made(&made);
}

static void by_process_a_step_is_an_instant(void **state)
{
	struct made made = { 0 };
	(void)state;
	/* 5 and 6 at two instants, then 5 alone. */
	for (uint64_t i = 0; i < 5; i++) {
		struct vmsnap *snap = add_snap(&made, i % 2 ? 6 : 5);
		if (i % 2) {
			snap->info.taken = made.snaps[i - 1]->info.taken;
			snap->info.monotonic = made.snaps[i - 1]->info.monotonic;
			snap->info.boottime = made.snaps[i - 1]->info.boottime;
		}
		add_anon(snap, 16, 32, "rw-p", "[heap]");
		add_pages(snap, 16, 1 + i, OWNED(100));
	}
	struct vmsnap_series *series = open_made(&made, VMSNAP_SERIES_BY_PROCESS);
	struct vmsnap_series_step step = next(series);
	assert_int_equal(step.snapshots, 2);
	assert_int_equal(step.sums.resident, 3 * PAGE);
	assert_int_equal(line_at(series, 1).pid, 6);
	assert_int_equal(line_at(series, 1).changes, 0);
	step = next(series);
	assert_int_equal(step.index, 2);
	assert_int_equal(step.sums.resident, 7 * PAGE);
	assert_int_equal(step.sums_before.resident, 3 * PAGE);
	assert_int_equal(step.elapsed, 2 * SECOND);
	step = next(series);
	assert_int_equal(step.snapshots, 1);
	assert_int_equal(vmsnap_series_line_count(series), 2);
	assert_int_equal(line_at(series, 1).id, 2);
	assert_int_equal(line_at(series, 1).changes, 1u << VMSNAP_VMA_CHANGE_REMOVED);
	assert_int_equal(line_at(series, 1).bytes_before, 4 * PAGE);
	assert_end(series);
	free_made(&made);
}

/* ---- which snapshots ------------------------------------------------------------------- */

static void one_snapshot_is_a_series_and_none_is_too(void **state)
{
	struct made made = { 0 };
	(void)state;
	struct vmsnap_series *series = open_made(&made, VMSNAP_SERIES_BY_MAPPING);
	assert_end(series);
	add_snap(&made, 5);
	series = open_made(&made, VMSNAP_SERIES_BY_MAPPING);
	assert_int_equal(next(series).index, 0);
	assert_end(series);
	free_made(&made);
}

static void a_part_of_them_and_one_process_can_be_chosen(void **state)
{
	struct made made = { 0 };
	const struct vmsnap *snaps[MOST];
	struct vmsnap_series *series;
	(void)state;
	for (size_t i = 0; i < 6; i++)
		snaps[i] = add_snap(&made, i % 2 ? 6 : 5);
	struct vmsnap_series_options options = { .size = sizeof(options), .first = 1, .count = 3, .pid = 6 };
	assert_int_equal(vmsnap_series_of(snaps, 6, &options, &series, NULL), VMSNAP_OK);
	assert_int_equal(vmsnap_series_process_count(series), 1);
	struct vmsnap_series_process process;
	assert_int_equal(vmsnap_series_process(series, 0, &process), VMSNAP_OK);
	assert_int_equal(process.first, 1);
	assert_int_equal(process.last, 3);
	assert_int_equal(process.count, 2);
	assert_string_equal(process.comm, "demo");
	assert_int_equal(next(series).index, 1);
	assert_int_equal(next(series).index, 3);
	assert_end(series);
	options.first = 4;
	assert_int_equal(vmsnap_series_of(snaps, 6, &options, &series, NULL), VMSNAP_ERR_NOT_FOUND);
	options = (struct vmsnap_series_options){ .size = sizeof(options), .pid = 7 };
	assert_int_equal(vmsnap_series_of(snaps, 6, &options, &series, NULL), VMSNAP_ERR_NOT_FOUND);
	options = (struct vmsnap_series_options){ .size = sizeof(options), .by = VMSNAP_SERIES_BY_COUNT };
	assert_int_equal(vmsnap_series_of(snaps, 6, &options, &series, NULL), VMSNAP_ERR_ARGUMENT);
	free_made(&made);
}

static void states_and_kinds_are_the_sums(void **state)
{
	struct made made = { 0 };
	(void)state;
	struct vmsnap *snap = add_snap(&made, 5);
	add_anon(snap, 16, 32, "rw-p", "[heap]");
	add_anon(snap, 40, 48, "rw-p", "");
	add_pages(snap, 16, 2, OWNED(100));
	add_pages(snap, 18, 1, ZEROPAGE);
	add_pages(snap, 20, 3, SLOT(8));
	add_pages(snap, 40, 5, ANON(200));
	struct vmsnap_series *series = open_made(&made, VMSNAP_SERIES_BY_STATE);
	next(series);
	for (size_t i = 0; i < vmsnap_series_line_count(series); i++) {
		struct vmsnap_series_line line = line_at(series, i);
		uint64_t pages = !strcmp(line.name, "exclusive") ? 2
		                 : !strcmp(line.name, "zero")    ? 1
		                 : !strcmp(line.name, "swapped") ? 3
		                                                 : 0;
		assert_int_equal(line.bytes, pages * PAGE);
	}
	assert_end(series);
	series = open_made(&made, VMSNAP_SERIES_BY_KIND);
	next(series);
	assert_int_equal(vmsnap_series_line_count(series), VMSNAP_MAPPING_KIND_COUNT);
	assert_string_equal(line_at(series, VMSNAP_MAPPING_HEAP).name, "heap");
	assert_int_equal(line_at(series, VMSNAP_MAPPING_HEAP).bytes, 3 * PAGE);
	assert_int_equal(line_at(series, VMSNAP_MAPPING_ANONYMOUS).bytes, 5 * PAGE);
	assert_end(series);
	free_made(&made);
}

/* ---- forks ------------------------------------------------------------------------------- */

/* The parent before the fork, both right after it, and at later instants; the child writes the first pages, the parent
 * those from page 32 on, of 40. */
static void add_side(struct made *made, uint32_t pid, size_t instant, size_t written)
{
	struct vmsnap *snap = add_snap(made, pid);
	int64_t at = 200 * SECOND + (int64_t)instant * SECOND;
	bool child = pid == 6;
	snap->info.taken = 1700000000 * SECOND + at;
	snap->info.monotonic = at;
	snap->info.boottime = (uint64_t)at;
	snap->info.start_time = child ? 20050 : 5; /* half a second after the first instant */
	snap->info.ppid = child ? 5 : 1;
	snap->info.faults = 100 + written;
	add_anon(snap, 16, 56, "rw-p", "");
	uint64_t shared = instant ? ANON(100) : OWNED(100);
	if (child) {
		add_pages(snap, 16, written, OWNED(1000));
		add_pages(snap, 16 + written, 40 - written, shared + written);
	} else {
		add_pages(snap, 16, 40 - written, shared);
		add_pages(snap, 56 - written, written, OWNED(2000));
	}
}

static void a_fork_is_told_by_whom_and_how_fast(void **state)
{
	struct made made = { 0 };
	const struct vmsnap *snaps[MOST];
	struct vmsnap_series_forks *forks;
	struct vmsnap_series_fork fork;
	(void)state;
	add_side(&made, 5, 0, 0);
	add_side(&made, 5, 1, 0);
	add_side(&made, 6, 1, 0);
	add_side(&made, 5, 2, 8);
	add_side(&made, 6, 2, 4);
	add_side(&made, 5, 4, 10);
	add_side(&made, 6, 4, 4);
	for (size_t i = 0; i < made.count; i++)
		snaps[i] = made.snaps[i];
	assert_int_equal(vmsnap_series_forks_of(snaps, made.count, NULL, &forks, NULL), VMSNAP_OK);
	assert_int_equal(vmsnap_series_fork(forks, &fork), VMSNAP_ERR_NOT_FOUND);
	const uint64_t by_child[] = { 0, 4, 4 }, by_parent[] = { 0, 8, 10 };
	const uint64_t elapsed[] = { SECOND / 2, SECOND, 2 * SECOND };
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(vmsnap_series_forks_next(forks, NULL), VMSNAP_OK);
		assert_int_equal(vmsnap_series_fork(forks, &fork), VMSNAP_OK);
		assert_int_equal(fork.fork, 1);
		assert_int_equal(fork.first, i == 0);
		assert_int_equal(fork.child_pid, 6);
		assert_int_equal(fork.parent_pid, 5);
		assert_int_equal(fork.by_child, by_child[i] * PAGE);
		assert_int_equal(fork.by_parent, by_parent[i] * PAGE);
		assert_int_equal(fork.copied, fork.by_child + fork.by_parent);
		assert_true(fork.has_base && !fork.before);
		assert_true(fork.elapsed_known && fork.since_known);
		assert_int_equal(fork.elapsed, elapsed[i]);
		assert_non_null(vmsnap_series_fork_cow(forks));
	}
	assert_int_equal(fork.copied_before, 12 * PAGE);
	assert_int_equal(vmsnap_series_forks_next(forks, NULL), VMSNAP_END);
	vmsnap_series_forks_close(forks);
	free_made(&made);
}

/* Nobody saw both right after it: by whom is told by the parent before it. */
static void much_that_was_copied_before_both_were_seen_is_told_by_the_parent_before(void **state)
{
	struct made made = { 0 };
	const struct vmsnap *snaps[MOST];
	struct vmsnap_series_forks *forks;
	struct vmsnap_series_fork fork;
	(void)state;
	add_side(&made, 5, 0, 0);
	add_side(&made, 5, 2, 8);
	add_side(&made, 6, 2, 4);
	for (size_t i = 0; i < made.count; i++)
		snaps[i] = made.snaps[i];
	assert_int_equal(vmsnap_series_forks_of(snaps, made.count, NULL, &forks, NULL), VMSNAP_OK);
	assert_int_equal(vmsnap_series_forks_next(forks, NULL), VMSNAP_OK);
	assert_int_equal(vmsnap_series_fork(forks, &fork), VMSNAP_OK);
	assert_true(fork.before);
	assert_int_equal(fork.by_child, 4 * PAGE);
	assert_int_equal(fork.by_parent, 8 * PAGE);
	assert_int_equal(vmsnap_series_forks_next(forks, NULL), VMSNAP_END);
	vmsnap_series_forks_close(forks);
	free_made(&made);
}

static void a_child_that_has_another_program_is_told_once(void **state)
{
	struct made made = { 0 };
	const struct vmsnap *snaps[MOST];
	struct vmsnap_series_forks *forks;
	struct vmsnap_series_fork fork;
	(void)state;
	for (size_t instant = 1; instant < 3; instant++) {
		add_side(&made, 5, instant, 0);
		add_side(&made, 6, instant, 0);
		made.snaps[made.count - 1]->info.start_stack += PAGE;
	}
	for (size_t i = 0; i < made.count; i++)
		snaps[i] = made.snaps[i];
	assert_int_equal(vmsnap_series_forks_of(snaps, made.count, NULL, &forks, NULL), VMSNAP_OK);
	assert_int_equal(vmsnap_series_forks_next(forks, NULL), VMSNAP_OK);
	assert_int_equal(vmsnap_series_fork(forks, &fork), VMSNAP_OK);
	assert_int_equal(fork.relation, VMSNAP_RELATION_ANOTHER_PROGRAM);
	assert_int_equal(vmsnap_series_forks_next(forks, NULL), VMSNAP_END);
	vmsnap_series_forks_close(forks);
	free_made(&made);
}

/* ---- a diff of mappings alone ---------------------------------------------------------------- */

static void a_diff_of_mappings_has_their_rows_and_nothing_of_pages(void **state)
{
	struct made made = { 0 };
	struct vmsnap_diff *all, *some;
	(void)state;
	for (uint64_t size = 4; size <= 8; size += 4) {
		struct vmsnap *snap = add_snap(&made, 5);
		add_anon(snap, 16, 16 + size, "rw-p", "[heap]");
		add_pages(snap, 16, size, OWNED(100));
	}
	const struct vmsnap_compare_options how = { .size = sizeof(how), .flags = VMSNAP_COMPARE_VMAS_ONLY };
	all = compare(made.snaps[0], made.snaps[1]);
	assert_int_equal(vmsnap_diff_new_with(made.snaps[0], made.snaps[1], &how, &some, NULL), VMSNAP_OK);
	assert_int_equal(vmsnap_diff_vma_count(some), vmsnap_diff_vma_count(all));
	assert_int_equal(vmsnap_diff_vma_rows(some, VMSNAP_VMA_CHANGE_GROWN), 1);
	assert_int_equal(vmsnap_diff_range_count(all), 1);
	assert_int_equal(vmsnap_diff_range_count(some), 0);
	assert_int_equal(vmsnap_diff_status_count(some), 0);
	vmsnap_diff_free(all);
	vmsnap_diff_free(some);
	free_made(&made);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_heap_stays_one_line_as_it_grows),
		cmocka_unit_test(what_moves_is_the_same_line_and_says_from_where),
		cmocka_unit_test(the_parts_of_a_split_are_one_line),
		cmocka_unit_test(what_is_merged_says_into_what),
		cmocka_unit_test(what_comes_and_goes_has_a_number_of_its_own),
		cmocka_unit_test(other_memory_in_the_same_place_is_another_line),
		cmocka_unit_test(another_program_has_only_new_lines),
		cmocka_unit_test(pages_in_gaps_count_for_the_process),
		cmocka_unit_test(time_is_unknown_if_clocks_went_backwards_or_are_not_told),
		cmocka_unit_test(of_no_time_apart_there_is_no_time),
		cmocka_unit_test(a_number_that_was_used_again_is_another_process),
		cmocka_unit_test(processes_are_followed_each_for_itself),
		cmocka_unit_test(by_process_a_step_is_an_instant),
		cmocka_unit_test(one_snapshot_is_a_series_and_none_is_too),
		cmocka_unit_test(a_part_of_them_and_one_process_can_be_chosen),
		cmocka_unit_test(states_and_kinds_are_the_sums),
		cmocka_unit_test(a_fork_is_told_by_whom_and_how_fast),
		cmocka_unit_test(much_that_was_copied_before_both_were_seen_is_told_by_the_parent_before),
		cmocka_unit_test(a_child_that_has_another_program_is_told_once),
		cmocka_unit_test(a_diff_of_mappings_has_their_rows_and_nothing_of_pages),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
