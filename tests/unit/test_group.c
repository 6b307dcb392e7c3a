/* Groups: what is whose, exactly, of snapshots in which every frame is known. */
#include "test_diff_fixture.h"

#include "builder.h"
#include "vmsnap.h"

/* A process with private memory at 100 to 200, a library at 300 to 320 and shared memory at 400 to 420. */
static struct vmsnap *process(uint32_t pid, uint32_t ppid, int64_t taken)
{
	struct vmsnap *snap = make_snap();
	snap->info.pid = snap->info.tgid = pid;
	snap->info.ppid = ppid;
	snap->info.start_time = 1000 + pid;
	snap->info.taken = snap->info.monotonic = taken;
	snap->info.memory_known = true;
	add_anon(snap, 100, 200, "rw-p", "");
	add_file(snap, 300, 320, "r-xp", "/lib/libx.so", 7, 0);
	add_file(snap, 400, 420, "rw-s", "/dev/zero (deleted)", 9, 0);
	return snap;
}

static struct vmsnap_group *group_with(struct vmsnap *const *snaps, size_t count,
                                       const struct vmsnap_group_options *options)
{
	struct vmsnap_set *set;
	struct vmsnap_group *group;
	struct vmsnap_error err;
	if (vmsnap_set_new((const struct vmsnap *const *)snaps, count, &set, &err) ||
	    vmsnap_group_new(set, options, &group, &err))
		fail_msg("%s", err.message);
	vmsnap_set_free(set);
	for (size_t i = 0; i < count; i++)
		vmsnap_unref(snaps[i]); /* the group holds them */
	return group;
}

static struct vmsnap_group *group_of(struct vmsnap *const *snaps, size_t count)
{
	return group_with(snaps, count, NULL);
}

static struct vmsnap_group_process at(const struct vmsnap_group *group, size_t index)
{
	struct vmsnap_group_process process;
	assert_int_equal(vmsnap_group_process(group, index, &process), VMSNAP_OK);
	return process;
}

static struct vmsnap_group_mapping mapping_called(const struct vmsnap_group *group, const char *name)
{
	struct vmsnap_group_mapping mapping;
	for (size_t i = 0; !vmsnap_group_mapping(group, i, &mapping); i++)
		if (!strcmp(mapping.vma->name, name))
			return mapping;
	fail_msg("no mapping is called '%s'", name);
	return mapping;
}

/* What the kernel would say: frames below 0x1000 as the table has it, all others 1. */
struct counts {
	uint64_t of[0x1000];
	uint64_t asked; /* the highest frame, + 1 */
	int error;
};
static int read_counts(void *ctx, uint64_t frame, size_t count, uint64_t *counts)
{
	struct counts *from = ctx;
	assert_true(frame >= from->asked); /* in order, each once */
	from->asked = frame + count > from->asked ? frame + count : from->asked;
	for (size_t i = 0; i < count; i++)
		counts[i] = frame + i < 0x1000 ? from->of[frame + i] : 1;
	return from->error;
}

/* ---- one instant ---------------------------------------------------------------------------- */

/* Three processes: 12 pages that all have, 4 that two have, and each its own. */
static void make_three(struct vmsnap *snaps[3])
{
	for (uint32_t i = 0; i < 3; i++) {
		snaps[i] = process(10 + i, i ? 10 : 1, 5);
		add_pages(snaps[i], 100, 12, ANON(0x100));
		if (i < 2)
			add_pages(snaps[i], 120, 4, ANON(0x200));
		add_pages(snaps[i], 130, 2 + i, OWNED(0x300 + 16 * i));
		add_pages(snaps[i], 150, 1, ZEROPAGE);
		add_pages(snaps[i], 300, 6, CACHED(0x400));
		add_pages(snaps[i], 400, 1 + i, CACHED(0x500));
	}
}

static void who_has_what(void **state)
{
	struct vmsnap *snaps[3];
	(void)state;
	make_three(snaps);
	struct vmsnap_group *group = group_of(snaps, 3);
	struct vmsnap_group_process first = at(group, 0), last = at(group, 2);
	assert_int_equal(first.rss, (12 + 4 + 2 + 6 + 1) * PAGE);
	assert_int_equal(first.of_private, (12 + 4 + 2) * PAGE);
	assert_int_equal(first.of_cache, 6 * PAGE);
	assert_int_equal(first.of_shared, 1 * PAGE);
	assert_int_equal(first.own, 2 * PAGE);
	assert_int_equal(first.uss, 2 * PAGE);
	assert_int_equal(first.with_private, 16 * PAGE);
	assert_int_equal(first.with_cache, 6 * PAGE);
	assert_int_equal(first.with_shared, 1 * PAGE);
	/* 12/3 + 4/2 + 2 + 6/3 + 1/3 */
	assert_int_equal(first.share, (4 + 2 + 2 + 2) * PAGE + (PAGE + 1) / 3);
	/* 12/3 + 4 + 6/3 + 1/3 + 1/2 + 1 */
	assert_int_equal(last.share, (4 + 4 + 2 + 1) * PAGE + (PAGE + 1) / 3 + PAGE / 2);
	/* Who else has them was not told. */
	assert_false(first.pss_known);
	assert_int_equal(first.source, VMSNAP_GROUP_FRAMES);
	assert_int_equal(first.role, VMSNAP_GROUP_MASTER);
	assert_int_equal(last.role, VMSNAP_GROUP_WORKER);
	/* The third page of shared memory is not exclusive, and no other of them has it. */
	assert_int_equal(last.own, 4 * PAGE);
	assert_int_equal(last.outside, 1 * PAGE);
	/* Together they are all frames, but that each is told to the nearest byte. */
	uint64_t frames = vmsnap_group_total(group, VMSNAP_GROUP_TOTAL_FRAMES);
	assert_in_range(first.share + at(group, 1).share + last.share, frames - 1, frames + 1);
	vmsnap_group_free(group);
}

static void what_all_of_them_come_to(void **state)
{
	static const struct {
		int total;
		uint64_t pages;
	} totals[] = {
		{ VMSNAP_GROUP_TOTAL_RSS, (12 + 4 + 2 + 6 + 1) + (12 + 4 + 3 + 6 + 2) + (12 + 4 + 6 + 3) },
		{ VMSNAP_GROUP_TOTAL_FRAMES, 12 + 4 + 9 + 6 + 3 },
		{ VMSNAP_GROUP_TOTAL_PRIVATE, 12 + 4 + 9 },
		{ VMSNAP_GROUP_TOTAL_CACHE, 6 },
		{ VMSNAP_GROUP_TOTAL_SHARED, 3 },
		{ VMSNAP_GROUP_TOTAL_OWN, 9 + 1 },
		{ VMSNAP_GROUP_TOTAL_BY_ALL_PRIVATE, 12 },
		{ VMSNAP_GROUP_TOTAL_BY_ALL_CACHE, 6 },
		{ VMSNAP_GROUP_TOTAL_BY_ALL_SHARED, 1 },
		{ VMSNAP_GROUP_TOTAL_OUTSIDE, 1 },
		{ VMSNAP_GROUP_TOTAL_OUTSIDE_UNKNOWN, 12 + 4 + 6 + 2 },
		{ VMSNAP_GROUP_TOTAL_HIDDEN, 0 },
		{ VMSNAP_GROUP_TOTAL_USS, 34 - 1 - 24 },
	};
	struct vmsnap *snaps[3];
	(void)state;
	make_three(snaps);
	struct vmsnap_group *group = group_of(snaps, 3);
	for (size_t i = 0; i < sizeof(totals) / sizeof(totals[0]); i++)
		assert_int_equal(vmsnap_group_total(group, totals[i].total), totals[i].pages * PAGE);
	assert_int_equal(vmsnap_group_total(group, VMSNAP_GROUP_TOTAL_SPACES), 3);
	assert_int_equal(vmsnap_group_total(group, VMSNAP_GROUP_TOTAL_COUNT), 0);
	assert_int_equal(vmsnap_group_total(group, -1), 0);
	vmsnap_group_free(group);
}

static void who_shares_with_whom(void **state)
{
	struct vmsnap *snaps[3];
	(void)state;
	make_three(snaps);
	struct vmsnap_group *group = group_of(snaps, 3);
	assert_int_equal(vmsnap_group_pair(group, 0, 1, VMSNAP_MEMORY_PRIVATE), 16 * PAGE);
	assert_int_equal(vmsnap_group_pair(group, 2, 0, VMSNAP_MEMORY_PRIVATE), 12 * PAGE);
	assert_int_equal(vmsnap_group_pair(group, 1, 2, VMSNAP_MEMORY_SHARED), 2 * PAGE);
	assert_int_equal(vmsnap_group_pair(group, 1, 2, VMSNAP_MEMORY_CACHE), 6 * PAGE);
	assert_int_equal(vmsnap_group_pair(group, 1, 1, VMSNAP_MEMORY_CACHE), 0);
	assert_int_equal(vmsnap_group_pair(group, 1, 3, VMSNAP_MEMORY_CACHE), 0);
	assert_int_equal(vmsnap_group_pair(group, 1, 2, VMSNAP_MEMORY_COUNT), 0);
	vmsnap_group_free(group);
}

static void what_mappings_have(void **state)
{
	struct vmsnap *snaps[3];
	(void)state;
	make_three(snaps);
	struct vmsnap_group *group = group_of(snaps, 3);
	struct vmsnap_group_mapping anonymous = mapping_called(group, ""), file = mapping_called(group, "/lib/libx.so");
	struct vmsnap_group_mapping most;
	assert_int_equal(vmsnap_group_mapping_count(group), 3);
	assert_int_equal(anonymous.processes, 3);
	assert_int_equal(anonymous.size, 3 * 100 * PAGE);
	assert_int_equal(anonymous.rss, (18 + 19 + 16) * PAGE);
	assert_int_equal(anonymous.frames, 25 * PAGE);
	assert_int_equal(anonymous.by_all, 12 * PAGE);
	assert_int_equal(anonymous.shared, 16 * PAGE);
	assert_int_equal(anonymous.own, 9 * PAGE);
	assert_int_equal(file.frames, 6 * PAGE);
	assert_int_equal(file.shared, 6 * PAGE);
	assert_int_equal(vmsnap_group_mapping(group, 0, &most), VMSNAP_OK);
	assert_int_equal(most.frames, anonymous.frames);
	assert_int_equal(vmsnap_group_mapping_of(group, 2, 0), 0);
	assert_int_equal(vmsnap_group_mapping_of(group, 2, 3), SIZE_MAX);
	vmsnap_group_free(group);
}

/* The kernel's counts: 0x100 to 0x10b in five processes, the library in ten. */
static void pages_are_divided_by_all_who_map_them(void **state)
{
	struct counts counts = { .error = 0 };
	struct vmsnap_group_options options = { .size = sizeof(options), .counts = read_counts, .counts_ctx = &counts };
	struct vmsnap *snaps[3];
	(void)state;
	make_three(snaps);
	for (uint64_t i = 0; i < 12; i++)
		counts.of[0x100 + i] = 5;
	for (uint64_t i = 0; i < 6; i++)
		counts.of[0x400 + i] = 10;
	/* It was asked too late: one of the two has gone on to another frame. */
	for (uint64_t i = 0; i < 4; i++)
		counts.of[0x200 + i] = 1;
	counts.of[0x500] = 3;
	counts.of[0x501] = 2;
	counts.of[0x502] = 1;
	struct vmsnap_group *group = group_with(snaps, 3, &options);
	struct vmsnap_group_process first = at(group, 0), last = at(group, 2);
	assert_true(first.pss_known);
	/* 12/5 + 4/2 + 2 + 6/10 + 1/3 */
	assert_int_equal(first.pss, (PAGE * (12 * 6 + 4 * 15 + 2 * 30 + 18 + 10) + 15) / 30);
	assert_int_equal(first.outside, 18 * PAGE);
	assert_int_equal(last.own, 5 * PAGE);
	assert_int_equal(last.own_unknown, 0);
	assert_int_equal(vmsnap_group_total(group, VMSNAP_GROUP_TOTAL_OUTSIDE), 18 * PAGE);
	assert_int_equal(vmsnap_group_total(group, VMSNAP_GROUP_TOTAL_OUTSIDE_UNKNOWN), 0);
	assert_int_equal(mapping_called(group, "/lib/libx.so").outside, 6 * PAGE);
	vmsnap_group_free(group);
}

/* Of files that were captured with --kpage, each process with what it has. */
static void counts_of_the_capture_are_used(void **state)
{
	struct vmsnap *snaps[3];
	(void)state;
	make_three(snaps);
	for (size_t i = 0; i < 3; i++) {
		struct layer *layer = &snaps[i]->layers[VMSNAP_LAYER_KPAGE_COUNT];
		layer->known = true;
		assert_int_equal(layer_append(layer, PAGE_AT(100), PAGE_AT(112), 5), VMSNAP_OK);
		if (i < 2)
			assert_int_equal(layer_append(layer, PAGE_AT(120), PAGE_AT(124), 2), VMSNAP_OK);
		assert_int_equal(layer_append(layer, PAGE_AT(300), PAGE_AT(306), 10), VMSNAP_OK);
		assert_int_equal(layer_append(layer, PAGE_AT(400), PAGE_AT(401), 3), VMSNAP_OK);
	}
	struct vmsnap_group *group = group_of(snaps, 3);
	struct vmsnap_group_process first = at(group, 0), second = at(group, 1);
	assert_true(first.pss_known);
	/* 12/5 + 4/2 + 2 + 6/10 + 1/3 */
	assert_int_equal(first.pss, (PAGE * (12 * 6 + 4 * 15 + 2 * 30 + 18 + 10) + 15) / 30);
	assert_int_equal(first.outside, 18 * PAGE);
	/* Of one page nobody asked. */
	assert_false(second.pss_known);
	vmsnap_group_free(group);
}

static void what_cannot_be_counted_is_an_error(void **state)
{
	struct counts counts = { .error = 5 };
	struct vmsnap_group_options options = { .size = sizeof(options), .counts = read_counts, .counts_ctx = &counts };
	struct vmsnap *snaps[3];
	struct vmsnap_set *set;
	struct vmsnap_group *group;
	struct vmsnap_error err;
	(void)state;
	make_three(snaps);
	assert_int_equal(vmsnap_set_new((const struct vmsnap *const *)snaps, 3, &set, &err), VMSNAP_OK);
	assert_int_equal(vmsnap_group_new(set, &options, &group, &err), VMSNAP_ERR_SYSTEM);
	assert_non_null(strstr(err.message, "kpagecount"));
	vmsnap_set_free(set);
	for (size_t i = 0; i < 3; i++)
		vmsnap_unref(snaps[i]);
}

/* A frame that one process maps twice is its own, and not mapped once; and it counts once. */
static void one_process_may_map_a_frame_twice(void **state)
{
	struct vmsnap *snap = process(10, 1, 5);
	struct counts counts = { .error = 0 };
	struct vmsnap_group_options options = { .size = sizeof(options), .counts = read_counts, .counts_ctx = &counts };
	(void)state;
	add_pages(snap, 400, 2, CACHED(0x500));
	add_pages(snap, 410, 2, CACHED(0x500));
	counts.of[0x500] = 2;
	counts.of[0x501] = 4;
	struct vmsnap_group *group = group_with(&snap, 1, &options);
	struct vmsnap_group_process only = at(group, 0);
	assert_int_equal(only.rss, 4 * PAGE);
	assert_int_equal(only.own, PAGE);
	assert_int_equal(only.uss, 0);
	assert_int_equal(only.pss, PAGE + PAGE / 2);
	assert_int_equal(only.share, 2 * PAGE);
	assert_int_equal(vmsnap_group_total(group, VMSNAP_GROUP_TOTAL_FRAMES), 2 * PAGE);
	assert_int_equal(vmsnap_group_total(group, VMSNAP_GROUP_TOTAL_OWN), 2 * PAGE);
	vmsnap_group_free(group);
}

/* vfork: both numbers are shown, and count once. */
static void one_address_space_counts_once(void **state)
{
	static const uint32_t with[2] = { 11, 10 };
	struct vmsnap *snaps[3];
	(void)state;
	for (uint32_t i = 0; i < 3; i++) {
		snaps[i] = process(10 + i, 1, 5);
		add_pages(snaps[i], 100, 4, i < 2 ? OWNED(0x100) : OWNED(0x200));
	}
	for (uint32_t i = 0; i < 2; i++) {
		snaps[i]->info.memory_with = &with[i];
		snaps[i]->info.memory_with_count = 1;
	}
	struct vmsnap_group *group = group_of(snaps, 3);
	assert_int_equal(at(group, 1).space, 0);
	assert_int_equal(at(group, 2).space, 2);
	assert_int_equal(at(group, 1).own, 4 * PAGE);
	assert_int_equal(vmsnap_group_total(group, VMSNAP_GROUP_TOTAL_SPACES), 2);
	assert_int_equal(vmsnap_group_total(group, VMSNAP_GROUP_TOTAL_RSS), 8 * PAGE);
	assert_int_equal(vmsnap_group_total(group, VMSNAP_GROUP_TOTAL_FRAMES), 8 * PAGE);
	assert_int_equal(vmsnap_group_pair(group, 0, 1, VMSNAP_MEMORY_PRIVATE), 0);
	vmsnap_group_free(group);
}

/* smaps leaves out hugetlb pages, what a driver mapped, and the vvar; so do we. */
static void what_is_not_counted(void **state)
{
	static const char status[] = "HugetlbPages:\t    8 kB\n";
	const uint64_t huge = ENTRY_FLAG(VMSNAP_PAGE_HUGE);
	struct vmsnap *snap = process(10, 1, 5);
	(void)state;
	snap->info.known.huge = true;
	snap->status = status;
	snap->status_len = sizeof(status) - 1;
	add_file(snap, 500, 502, "rw-p", "/anon_hugepage (deleted)", 11, 0);
	add_file(snap, 510, 512, "rw-s", "/dev/dri/card0", 12, 0);
	add_anon(snap, 520, 522, "r--p", "[vvar]");
	add_file(snap, 530, 532, "rw-s", "/dev/shm/x", 13, 0);
	add_pages(snap, 100, 1, OWNED(0x100));
	add_pages(snap, 500, 2, OWNED(0x200) | huge);
	add_pages(snap, 510, 2, ANON(0x300));
	add_pages(snap, 520, 2, ANON(0x400));
	add_pages(snap, 530, 2, CACHED(0x500) | huge); /* a huge page, but of no hugetlb */
	struct vmsnap_group *group = group_of(&snap, 1);
	assert_int_equal(at(group, 0).rss, 3 * PAGE);
	assert_int_equal(at(group, 0).of_private, PAGE);
	assert_int_equal(vmsnap_group_total(group, VMSNAP_GROUP_TOTAL_FRAMES), 3 * PAGE);
	vmsnap_group_free(group);
}

static void without_frames_nothing_is_made_up(void **state)
{
	struct vmsnap *snaps[2];
	(void)state;
	for (uint32_t i = 0; i < 2; i++) {
		snaps[i] = process(10 + i, i ? 10 : 1, 5);
		snaps[i]->info.known.pfn = false;
		add_pages(snaps[i], 100, 4, HIDDEN(ANON(1)));
		add_pages(snaps[i], 110, 3, HIDDEN(OWNED(1)));
	}
	struct vmsnap_group *group = group_of(snaps, 2);
	assert_int_equal(at(group, 0).source, VMSNAP_GROUP_NOTHING);
	assert_int_equal(at(group, 0).rss, 7 * PAGE);
	assert_false(at(group, 0).pss_known);
	assert_int_equal(at(group, 0).own, 3 * PAGE);
	assert_int_equal(at(group, 0).own_unknown, 0);
	assert_int_equal(vmsnap_group_total(group, VMSNAP_GROUP_TOTAL_HIDDEN), 14 * PAGE);
	assert_int_equal(vmsnap_group_total(group, VMSNAP_GROUP_TOTAL_FRAMES), 0);
	vmsnap_group_free(group);
}

/* ---- against counting page by page ---------------------------------------------------------- */

enum { RANDOM_PROCESSES = 7, RANDOM_FRAMES = 0x200 };

struct naive {
	unsigned pages[RANDOM_FRAMES][RANDOM_PROCESSES];
};

static void add_random(struct vmsnap *snap, uint64_t *random, struct naive *naive, size_t index)
{
	for (uint64_t page = 100; page < 200;) {
		uint64_t len = 1 + random_below(random, 9), frame = 1 + random_below(random, RANDOM_FRAMES - 16);
		if (page + len > 200)
			break;
		add_pages(snap, page, len, ANON(0x1000 + frame));
		for (uint64_t i = 0; i < len; i++)
			naive->pages[frame + i][index]++;
		page += len + random_below(random, 3);
	}
}

static void check_naive(const struct vmsnap_group *group, const struct naive *naive)
{
	uint64_t frames = 0, by_all = 0, pairs[RANDOM_PROCESSES][RANDOM_PROCESSES] = { { 0 } };
	double share[RANDOM_PROCESSES] = { 0 };
	for (size_t frame = 0; frame < RANDOM_FRAMES; frame++) {
		unsigned members = 0, pages = 0;
		for (size_t i = 0; i < RANDOM_PROCESSES; i++) {
			members += naive->pages[frame][i] != 0;
			pages += naive->pages[frame][i];
		}
		frames += members != 0;
		by_all += members == RANDOM_PROCESSES;
		for (size_t i = 0; i < RANDOM_PROCESSES; i++) {
			share[i] += pages ? (double)naive->pages[frame][i] * PAGE / pages : 0;
			for (size_t k = 0; k < RANDOM_PROCESSES; k++)
				pairs[i][k] += i != k && naive->pages[frame][i] && naive->pages[frame][k];
		}
	}
	assert_int_equal(vmsnap_group_total(group, VMSNAP_GROUP_TOTAL_FRAMES), frames * PAGE);
	assert_int_equal(vmsnap_group_total(group, VMSNAP_GROUP_TOTAL_BY_ALL_PRIVATE), by_all * PAGE);
	for (size_t i = 0; i < RANDOM_PROCESSES; i++) {
		double apart = (double)at(group, i).share - share[i];
		assert_true(apart <= 0.51 && apart >= -0.51);
		for (size_t k = 0; k < RANDOM_PROCESSES; k++)
			assert_int_equal(vmsnap_group_pair(group, i, k, VMSNAP_MEMORY_PRIVATE), pairs[i][k] * PAGE);
	}
}

static void it_is_what_counting_page_by_page_comes_to(void **state)
{
	uint64_t random = 4711;
	(void)state;
	for (int round = 0; round < 200; round++) {
		struct naive naive = { { { 0 } } };
		struct vmsnap *snaps[RANDOM_PROCESSES];
		for (uint32_t i = 0; i < RANDOM_PROCESSES; i++) {
			snaps[i] = process(10 + i, 1, 5);
			add_random(snaps[i], &random, &naive, i);
		}
		struct vmsnap_group *group = group_of(snaps, RANDOM_PROCESSES);
		check_naive(group, &naive);
		vmsnap_group_free(group);
	}
}

/* ---- which pages ---------------------------------------------------------------------------- */

struct told {
	struct vmsnap_group_range items[16];
	size_t count, most;
};
static bool take_range(void *ctx, const struct vmsnap_group_range *range)
{
	struct told *told = ctx;
	told->items[told->count++] = *range;
	return told->count < told->most;
}

static void which_pages_are_shared(void **state)
{
	struct vmsnap *snaps[3];
	struct told told = { .most = 16 }, first = { .most = 1 };
	(void)state;
	make_three(snaps);
	struct vmsnap_group *group = group_of(snaps, 3);
	assert_int_equal(vmsnap_group_ranges(group, 0, take_range, &told, NULL), VMSNAP_OK);
	assert_int_equal(told.count, 3);
	assert_int_equal(told.items[0].start, PAGE_AT(100));
	assert_int_equal(told.items[0].end, PAGE_AT(112));
	assert_true(told.items[0].shared && told.items[1].shared && !told.items[2].shared);
	assert_int_equal(told.items[2].start, PAGE_AT(130));
	assert_int_equal(told.items[2].end, PAGE_AT(132));
	assert_int_equal(vmsnap_group_ranges(group, 0, take_range, &first, NULL), VMSNAP_OK);
	assert_int_equal(first.count, 1);
	assert_int_equal(vmsnap_group_ranges(group, 3, take_range, &first, NULL), VMSNAP_ERR_NOT_FOUND);
	vmsnap_group_free(group);
}

/* ---- two instants --------------------------------------------------------------------------- */

/* At A all three share 12 pages.  At B the third has written to the first four, all have to the last two; the second
 * went. */
static struct vmsnap_group *forked(bool later)
{
	struct vmsnap *snaps[3];
	size_t count = 0;
	for (uint32_t i = 0; i < 3; i++) {
		if (later && i == 1)
			continue;
		struct vmsnap *snap = snaps[count++] = process(10 + i, i ? 10 : 1, later ? 9 : 5);
		add_pages(snap, 100, 4, later && i == 2 ? OWNED(0x800) : ANON(0x100));
		add_pages(snap, 104, 6, ANON(0x104));
		add_pages(snap, 110, 2, later ? OWNED(0x900 + 16 * i) : ANON(0x10a));
		add_pages(snap, 300, 6, CACHED(0x400));
	}
	return group_of(snaps, count);
}

static void what_was_lost(void **state)
{
	struct vmsnap_group *a = forked(false), *b = forked(true);
	struct vmsnap_group_change *change;
	struct vmsnap_group_change_process process;
	struct vmsnap_group_lost lost;
	(void)state;
	assert_int_equal(vmsnap_group_change_new(a, b, NULL, &change, NULL), VMSNAP_OK);
	assert_int_equal(vmsnap_group_change_count(change), 3);
	/* The first has written to two, and four are left to it. */
	assert_int_equal(vmsnap_group_change_process(change, 0, &process), VMSNAP_OK);
	assert_true(process.known && process.a == 0 && process.b == 0);
	assert_int_equal(process.copied, 2 * PAGE);
	assert_int_equal(process.left, 4 * PAGE);
	assert_int_equal(vmsnap_group_change_process(change, 1, &process), VMSNAP_OK);
	assert_true(process.known && process.a == 2 && process.b == 1);
	assert_int_equal(process.copied, 6 * PAGE);
	assert_int_equal(process.left, 0);
	assert_int_equal(vmsnap_group_change_process(change, 2, &process), VMSNAP_OK);
	assert_true(!process.known && process.a == 1 && process.b == SIZE_MAX);
	assert_int_equal(vmsnap_group_change_process(change, 3, &process), VMSNAP_ERR_NOT_FOUND);
	size_t anonymous = vmsnap_group_mapping_of(b, 0, 0);
	assert_int_equal(vmsnap_group_change_lost(change, anonymous), 12 * PAGE);
	assert_int_equal(vmsnap_group_change_mapping(change, anonymous), vmsnap_group_mapping_of(a, 0, 0));
	assert_int_equal(vmsnap_group_change_lost(change, vmsnap_group_mapping_of(b, 0, 1)), 0);
	assert_int_equal(vmsnap_group_change_range(change, 0, &lost), VMSNAP_OK);
	assert_true(lost.process == 0 && lost.start == PAGE_AT(100) && lost.end == PAGE_AT(104) && !lost.copied);
	assert_int_equal(vmsnap_group_change_range(change, 4, &lost), VMSNAP_ERR_NOT_FOUND);
	vmsnap_group_change_free(change);
	vmsnap_group_free(a);
	vmsnap_group_free(b);
}

static void another_program_has_lost_nothing(void **state)
{
	struct vmsnap *before[2], *after[2];
	struct vmsnap_group_change *change;
	struct vmsnap_group_change_process told;
	(void)state;
	for (uint32_t i = 0; i < 2; i++) {
		before[i] = process(10 + i, 1, 5);
		after[i] = process(10 + i, 1, 9);
		add_pages(before[i], 100, 4, ANON(0x100));
		add_pages(after[i], 100, 4, OWNED(0x200 + 16 * i));
		before[i]->info.start_stack = 0x7000;
		after[i]->info.start_stack = i ? 0x7000 : 0x9000; /* execve(2) */
	}
	struct vmsnap_group *a = group_of(before, 2), *b = group_of(after, 2);
	assert_int_equal(vmsnap_group_change_new(a, b, NULL, &change, NULL), VMSNAP_OK);
	assert_int_equal(vmsnap_group_change_process(change, 0, &told), VMSNAP_OK);
	assert_false(told.known);
	assert_int_equal(vmsnap_group_change_process(change, 1, &told), VMSNAP_OK);
	assert_true(told.known);
	assert_int_equal(told.copied, 4 * PAGE);
	vmsnap_group_change_free(change);
	vmsnap_group_free(a);
	vmsnap_group_free(b);
}

static void two_machines_are_not_compared(void **state)
{
	struct vmsnap *here = process(10, 1, 5), *there = process(10, 1, 9);
	struct vmsnap_group_change *change;
	struct vmsnap_error err;
	(void)state;
	there->info.boot_id = "another";
	struct vmsnap_group *a = group_of(&here, 1), *b = group_of(&there, 1);
	assert_int_equal(vmsnap_group_change_new(a, b, NULL, &change, &err), VMSNAP_ERR_ARGUMENT);
	assert_non_null(strstr(err.message, "two machines"));
	vmsnap_group_free(a);
	vmsnap_group_free(b);
}

/* ---- hostile -------------------------------------------------------------------------------- */

static void frames_may_be_as_high_as_there_can_be(void **state)
{
	struct vmsnap *snaps[2];
	(void)state;
	for (uint32_t i = 0; i < 2; i++) {
		snaps[i] = make_snap();
		snaps[i]->info.pid = snaps[i]->info.tgid = 10 + i;
		snaps[i]->info.taken = snaps[i]->info.monotonic = 5;
		add_anon(snaps[i], 0x1000, 0x1000 + 4096, "rw-p", "");
		/* Runs in memory are cut at 4096 pages; the frames are as high as there can be. */
		add_pages(snaps[i], 0x1000, 4096, ANON((UINT64_C(1) << 55) - 4096 - i));
	}
	struct vmsnap_group *group = group_of(snaps, 2);
	assert_int_equal(vmsnap_group_total(group, VMSNAP_GROUP_TOTAL_FRAMES), 4097 * PAGE);
	assert_int_equal(vmsnap_group_pair(group, 0, 1, VMSNAP_MEMORY_PRIVATE), 4095 * PAGE);
	vmsnap_group_free(group);
}

static void memory_is_limited(void **state)
{
	struct vmsnap *snap = process(10, 1, 5);
	const struct vmsnap *const one[] = { snap };
	struct vmsnap_set *set;
	struct vmsnap_group *group;
	struct vmsnap_error err;
	(void)state;
	for (uint64_t page = 100; page < 200; page++)
		add_pages(snap, page, 1, ANON(0x1000 - page * 2));
	assert_int_equal(vmsnap_set_new(one, 1, &set, &err), VMSNAP_OK);
	snap->memory_limit = 8192;
	assert_int_equal(vmsnap_group_new(set, NULL, &group, &err), VMSNAP_ERR_TOO_LARGE);
	vmsnap_set_free(set);
	vmsnap_unref(snap);
}

static bool yes(void *ctx)
{
	(void)ctx;
	return true;
}

static void it_can_be_cancelled(void **state)
{
	struct vmsnap_group_options options = { .size = sizeof(options), .cancelled = yes };
	struct vmsnap *snaps[3];
	struct vmsnap_set *set;
	struct vmsnap_group *group;
	struct vmsnap_error err;
	(void)state;
	make_three(snaps);
	assert_int_equal(vmsnap_set_new((const struct vmsnap *const *)snaps, 3, &set, &err), VMSNAP_OK);
	assert_int_equal(vmsnap_group_new(set, &options, &group, &err), VMSNAP_ERR_CANCELLED);
	vmsnap_set_free(set);
	for (size_t i = 0; i < 3; i++)
		vmsnap_unref(snaps[i]);
}

static void every_word_has_a_name(void **state)
{
	(void)state;
	for (int i = 0; i < VMSNAP_GROUP_TOTAL_COUNT; i++)
		assert_non_null(vmsnap_group_total_name(i));
	for (int i = 0; i < VMSNAP_MEMORY_COUNT; i++)
		assert_non_null(vmsnap_memory_name(i));
	for (int i = 0; i < VMSNAP_GROUP_SOURCE_COUNT; i++)
		assert_non_null(vmsnap_group_source_name(i));
	assert_string_equal(vmsnap_group_role_name(VMSNAP_GROUP_WORKER), "worker");
	assert_null(vmsnap_group_role_name(VMSNAP_GROUP_ALONE));
	assert_null(vmsnap_group_total_name(VMSNAP_GROUP_TOTAL_COUNT));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_has_what),
		cmocka_unit_test(what_all_of_them_come_to),
		cmocka_unit_test(who_shares_with_whom),
		cmocka_unit_test(what_mappings_have),
		cmocka_unit_test(pages_are_divided_by_all_who_map_them),
		cmocka_unit_test(counts_of_the_capture_are_used),
		cmocka_unit_test(what_cannot_be_counted_is_an_error),
		cmocka_unit_test(one_process_may_map_a_frame_twice),
		cmocka_unit_test(one_address_space_counts_once),
		cmocka_unit_test(what_is_not_counted),
		cmocka_unit_test(without_frames_nothing_is_made_up),
		cmocka_unit_test(it_is_what_counting_page_by_page_comes_to),
		cmocka_unit_test(which_pages_are_shared),
		cmocka_unit_test(what_was_lost),
		cmocka_unit_test(another_program_has_lost_nothing),
		cmocka_unit_test(two_machines_are_not_compared),
		cmocka_unit_test(frames_may_be_as_high_as_there_can_be),
		cmocka_unit_test(memory_is_limited),
		cmocka_unit_test(it_can_be_cancelled),
		cmocka_unit_test(every_word_has_a_name),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
