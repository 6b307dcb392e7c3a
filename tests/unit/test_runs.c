/* Runs: normal entries, appending, joining, iterating, marks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "pagemap.h"
#include "snapshot.h"

#define PAGE      UINT64_C(4096)
#define PRESENT   ENTRY_PRESENT
#define SWAPPED   ENTRY_SWAPPED
#define EXCLUSIVE ENTRY_FLAG(VMSNAP_PAGE_EXCLUSIVE)
#define FILE_PAGE ENTRY_FLAG(VMSNAP_PAGE_FILE)

static void entry_normal_tells_guards_and_markers_from_swap(void **state)
{
	(void)state;
	uint64_t guard = ENTRY_FLAG(VMSNAP_PAGE_GUARD), uffd_wp = ENTRY_FLAG(VMSNAP_PAGE_UFFD_WP);
	assert_int_equal(entry_normal(SWAPPED | guard | 0x1f | 4 << 5), guard);
	assert_int_equal(entry_normal(SWAPPED | uffd_wp | 0x1f | 1 << 5), uffd_wp);
	assert_int_equal(entry_normal(SWAPPED | uffd_wp | 3 | 1 << 5), SWAPPED | uffd_wp | 3 | 1 << 5);
	assert_int_equal(entry_normal(SWAPPED | 7), SWAPPED | 7);
	assert_int_equal(entry_normal(PRESENT | EXCLUSIVE | 9), PRESENT | EXCLUSIVE | 9);
	/* Bits 59 and 60 are the kernel's to use some day, and ours until then. */
	assert_int_equal(entry_normal(PRESENT | 3ULL << 59 | 9), PRESENT | 9);
}

/* Types by include/linux/swap.h: with 5 bits, 22 of 32 are left at the least (Linux 6.2 to 6.4 with all that
 * can be configured). */
static void entry_normal_takes_no_type_for_swap_that_no_area_has(void **state)
{
	(void)state;
	uint64_t uffd_wp = ENTRY_FLAG(VMSNAP_PAGE_UFFD_WP), soft_dirty = ENTRY_FLAG(VMSNAP_PAGE_SOFT_DIRTY);
	assert_int_equal(entry_normal(SWAPPED | 21 | 0x1234 << 5), SWAPPED | 21 | 0x1234 << 5);
	/* Without types too: a page of a file, which is on its way. */
	assert_int_equal(entry_normal(SWAPPED | FILE_PAGE), PRESENT | FILE_PAGE);
	for (uint64_t type = 22; type < 32; type++) {
		uint64_t moving = SWAPPED | type | 0x123456 << 5;
		assert_int_equal(entry_normal(moving), PRESENT);
		assert_int_equal(entry_normal(moving | FILE_PAGE | uffd_wp | soft_dirty),
		                 PRESENT | FILE_PAGE | uffd_wp | soft_dirty);
		assert_int_equal(entry_normal(moving | EXCLUSIVE), PRESENT);
		/* PTE_MARKER_POISONED, _GUARD (before 6.15 it had no bit of its own), _UFFD_WP */
		assert_int_equal(entry_normal(SWAPPED | type | 2 << 5), 0);
		assert_int_equal(entry_normal(SWAPPED | type | 4 << 5), ENTRY_FLAG(VMSNAP_PAGE_GUARD));
		assert_int_equal(entry_normal(SWAPPED | uffd_wp | type | 1 << 5), uffd_wp);
	}
}

static void what_only_looks_swapped_is_doubtful(void **state)
{
	(void)state;
	uint64_t uffd_wp = ENTRY_FLAG(VMSNAP_PAGE_UFFD_WP), huge = ENTRY_FLAG(VMSNAP_PAGE_HUGE);
	const uint64_t doubtful[] = { SWAPPED | huge, SWAPPED | uffd_wp, SWAPPED | 30 | 0x1234 << 5,
		                      SWAPPED | uffd_wp | huge };
	const uint64_t sure[] = { SWAPPED, SWAPPED | 1 | 77 << 5, SWAPPED | uffd_wp | 5 << 5, PRESENT | huge | 9, 0 };
	for (size_t i = 0; i < sizeof(doubtful) / sizeof(*doubtful); i++)
		assert_true(entry_doubtful(doubtful[i]));
	for (size_t i = 0; i < sizeof(sure) / sizeof(*sure); i++)
		assert_false(entry_doubtful(sure[i]));
	for (size_t i = 0; i < sizeof(doubtful) / sizeof(*doubtful); i++) {
		struct vmsnap_run page;
		run_describe(PAGE, 0x1000, 1, doubtful[i], &page);
		assert_false(vmsnap_swap_known(&page));
	}
}

/* However little was reserved: a half more of one is one. */
static void run_list_append_grows_what_was_reserved(void **state)
{
	(void)state;
	for (size_t reserved = 0; reserved < 4; reserved++) {
		struct run_list list = { 0 };
		assert_int_equal(run_list_reserve(&list, reserved, false), 0);
		for (uint64_t i = 0; i < 600; i++) {
			assert_int_equal(run_list_append(&list, PAGE, 0x1000 * (2 * i + 1), 1, PRESENT | i), 0);
			assert_in_range(list.count, 1, list.capacity);
		}
		assert_int_equal(list.count, 600);
		run_list_free(&list);
	}
}

static void run_list_append_joins_what_counts_on(void **state)
{
	(void)state;
	struct run_list list = { 0 };
	assert_int_equal(run_list_append(&list, PAGE, 0x1000, 2, PRESENT | 100), 0);
	assert_int_equal(run_list_append(&list, PAGE, 0x3000, 1, PRESENT | 102), 0);
	assert_int_equal(list.count, 1);
	assert_int_equal(run_pages(&list.items[0]), 3);
	assert_int_equal(run_list_append(&list, PAGE, 0x4000, 1, PRESENT | 104), 0);             /* another frame */
	assert_int_equal(run_list_append(&list, PAGE, 0x5000, 1, PRESENT | EXCLUSIVE | 105), 0); /* another state */
	assert_int_equal(run_list_append(&list, PAGE, 0x7000, 1, PRESENT | EXCLUSIVE | 106), 0); /* a gap */
	assert_int_equal(list.count, 4);
	assert_int_equal(run_list_append(&list, PAGE, 0x8000, 1, SWAPPED | 2 | 10 << 5), 0);
	assert_int_equal(run_list_append(&list, PAGE, 0x9000, 5000, SWAPPED | 2 | 11 << 5), 0);
	assert_int_equal(list.count, 6); /* joined up to RUN_PAGES_MAX, then one more */
	assert_int_equal(run_pages(&list.items[4]), RUN_PAGES_MAX);
	assert_int_equal(list.items[5].entry, SWAPPED | 2 | (10 + RUN_PAGES_MAX) << 5);
	assert_int_equal(run_pages(&list.items[5]), 5001 - RUN_PAGES_MAX);
	run_list_free(&list);
}

static struct vmsnap *snapshot_of(const struct run_list *runs)
{
	struct vmsnap *snap = snapshot_new();
	snap->info.page_size = PAGE;
	snap->runs = *runs;
	return snap;
}

static void iterator_clips_and_joins(void **state)
{
	(void)state;
	struct run_list list = { 0 };
	run_list_append(&list, PAGE, 0x10000, 10000, PRESENT | 100);
	run_list_append(&list, PAGE, 0x10000000, 3, SWAPPED | 1 | 50 << 5);
	run_list_append(&list, PAGE, UINT64_C(0xffffffffffffe000), 1, PRESENT);
	struct vmsnap *snap = snapshot_of(&list);
	struct vmsnap_run_iter it;
	struct vmsnap_run run;
	vmsnap_run_iter_init(&it, snap, 0, UINT64_MAX);
	assert_int_equal(vmsnap_run_next(&it, &run), VMSNAP_OK);
	assert_int_equal(run.start, 0x10000);
	assert_int_equal(run.end, 0x10000 + 10000 * PAGE);
	assert_int_equal(vmsnap_run_next(&it, &run), VMSNAP_OK);
	assert_int_equal(run.swap_type, 1);
	assert_int_equal(run.swap_offset, 50);
	assert_int_equal(vmsnap_run_next(&it, &run), VMSNAP_OK);
	assert_true(run.end == UINT64_C(0xfffffffffffff000));
	assert_int_equal(vmsnap_run_next(&it, &run), VMSNAP_END);

	vmsnap_run_iter_init(&it, snap, 0x10000 + 5000 * PAGE + 5, 0x10000 + 5002 * PAGE + 1);
	assert_int_equal(vmsnap_run_next(&it, &run), VMSNAP_OK);
	assert_int_equal(run.start, 0x10000 + 5000 * PAGE);
	assert_int_equal(run.end, 0x10000 + 5003 * PAGE);
	assert_int_equal(run.pfn, 5100);
	assert_int_equal(vmsnap_run_next(&it, &run), VMSNAP_END);

	assert_int_equal(vmsnap_page_at(snap, 0x10001000, &run), VMSNAP_OK);
	assert_int_equal(run.swap_offset, 51);
	assert_int_equal(vmsnap_page_at(snap, 0x10003000, &run), VMSNAP_ERR_NOT_FOUND);
	assert_int_equal(vmsnap_page_at(snap, 0, &run), VMSNAP_ERR_NOT_FOUND);
	uint64_t entries[4];
	vmsnap_pages_read(snap, 0x0ffff000, 4, entries);
	assert_int_equal(entries[0], 0);
	assert_int_equal(entries[1], SWAPPED | 1 | 50 << 5);
	assert_int_equal(entries[3], SWAPPED | 1 | 52 << 5);
	vmsnap_unref(snap);
}

static void many_runs_are_read_at_once_as_one_by_one(void **state)
{
	(void)state;
	enum { RUNS = 10 };
	struct vmsnap *snap = snapshot_new();
	struct vmsnap_run runs[RUNS + 1], one;
	struct vmsnap_run_iter it, each;
	snap->info.page_size = PAGE;
	for (uint64_t i = 0; i < RUNS; i++)
		assert_int_equal(run_list_append(&snap->runs, PAGE, 0x10000 + 3 * i * PAGE, 2,
		                                 (i % 2 ? ENTRY_PRESENT : ENTRY_SWAPPED) | (100 * (i + 1))),
		                 VMSNAP_OK);
	vmsnap_run_iter_init(&it, snap, 0x10000 + PAGE, UINT64_MAX);
	vmsnap_run_iter_init(&each, snap, 0x10000 + PAGE, UINT64_MAX);
	assert_int_equal(vmsnap_run_read(&it, runs, 4), 4);
	assert_int_equal(vmsnap_run_read(&it, runs + 4, RUNS), RUNS - 4);
	assert_int_equal(vmsnap_run_read(&it, runs, 1), 0);
	for (size_t i = 0; i < RUNS; i++) {
		assert_int_equal(vmsnap_run_next(&each, &one), VMSNAP_OK);
		assert_memory_equal(&one, &runs[i], sizeof(one));
	}
	assert_int_equal(vmsnap_run_next(&each, &one), VMSNAP_END);
	assert_int_equal(runs[0].start, 0x10000 + PAGE);
	assert_int_equal(runs[0].swap_offset, (100 >> SWAP_TYPE_BITS) + 1);
	assert_int_equal(runs[1].pfn, 200);
	vmsnap_unref(snap);
}

static void hidden_frames_do_not_count(void **state)
{
	(void)state;
	struct run_list list = { 0 };
	run_list_append(&list, PAGE, 0x1000, 2, PRESENT | FILE_PAGE);
	run_list_append(&list, PAGE, 0x3000, 5, PRESENT | FILE_PAGE);
	run_list_append(&list, PAGE, 0x8000, 5, SWAPPED);
	assert_int_equal(list.count, 2);
	struct vmsnap *snap = snapshot_of(&list);
	struct vmsnap_run run;
	assert_int_equal(vmsnap_page_at(snap, 0x5000, &run), VMSNAP_OK);
	assert_int_equal(run.pfn, 0);
	vmsnap_unref(snap);
}

static void marks_cut_runs_where_they_begin_and_end(void **state)
{
	(void)state;
	struct page_region regions[] = {
		{ 0x12000, 0x14000, SCAN_ZERO },
		{ 0x15000, 0x22000, SCAN_HUGE },
		{ 0x30000, 0x31000, SCAN_ZERO | SCAN_HUGE },
	};
	struct page_marks marks = { regions, 3, 3 };
	struct pagemap_probe probe = { .known = { .pfn = true, .huge = true }, .zero_pfn = 7 };
	struct run_list list = { 0 };
	run_list_append(&list, PAGE, 0x10000, 16, PRESENT | 100);
	run_list_append(&list, PAGE, 0x20000, 1, PRESENT | 7);
	run_list_append(&list, PAGE, 0x21000, 2, SWAPPED | 1 | 9 << 5);
	run_list_append(&list, PAGE, 0x30000, 1, PRESENT | 9);
	assert_int_equal(pagemap_apply_marks(&probe, PAGE, &marks, &list), VMSNAP_OK);
	static const struct {
		uint64_t start, pages;
		uint64_t frame;
		uint32_t flags;
	} want[] = {
		{ 0x10000, 2, 100, VMSNAP_PAGE_PRESENT },
		{ 0x12000, 2, 102, VMSNAP_PAGE_PRESENT | VMSNAP_PAGE_ZERO },
		{ 0x14000, 1, 104, VMSNAP_PAGE_PRESENT },
		{ 0x15000, 11, 105, VMSNAP_PAGE_PRESENT | VMSNAP_PAGE_HUGE },
		{ 0x20000, 1, 7, VMSNAP_PAGE_PRESENT | VMSNAP_PAGE_ZERO | VMSNAP_PAGE_HUGE },
		{ 0x21000, 2, 1 | 9 << 5, VMSNAP_PAGE_SWAPPED }, /* a mark says nothing of absent pages */
		{ 0x30000, 1, 9, VMSNAP_PAGE_PRESENT | VMSNAP_PAGE_ZERO | VMSNAP_PAGE_HUGE },
	};
	assert_int_equal(list.count, sizeof(want) / sizeof(want[0]));
	for (size_t i = 0; i < list.count; i++) {
		assert_int_equal(run_start(&list.items[i]), want[i].start);
		assert_int_equal(run_pages(&list.items[i]), want[i].pages);
		assert_int_equal(list.items[i].entry & ENTRY_FRAME_MASK, want[i].frame);
		assert_int_equal(entry_flags(list.items[i].entry), want[i].flags);
	}
	run_list_free(&list);
}

static void sums_count_every_kind(void **state)
{
	(void)state;
	struct run_list list = { 0 };
	run_list_append(&list, PAGE, 0x1000, 4, PRESENT | EXCLUSIVE | 10);
	run_list_append(&list, PAGE, 0x5000, 1, PRESENT | ENTRY_FLAG(VMSNAP_PAGE_ZERO) | 7);
	run_list_append(&list, PAGE, 0x6000, 2, SWAPPED | 33);
	run_list_append(&list, PAGE, 0x8000, 1, PRESENT | FILE_PAGE | 99);
	run_list_append(&list, PAGE, 0x9000, 1, ENTRY_FLAG(VMSNAP_PAGE_GUARD));
	struct vmsnap *snap = snapshot_of(&list);
	snap->vmas = calloc(2, sizeof(*snap->vmas));
	snap->vmas[0] = (struct vmsnap_vma){ .start = 0x1000, .end = 0x6000, .name = "" };
	snap->vmas[1] = (struct vmsnap_vma){ .start = 0x6000, .end = 0x20000, .name = "" };
	snap->vma_count = 2;
	snap->info.known.exclusive = true;
	struct vmsnap_sums sums;
	vmsnap_sum(snap, 0, UINT64_MAX, &sums);
	assert_int_equal(sums.size, 0x1f000);
	assert_int_equal(sums.resident, 6 * PAGE);
	assert_int_equal(sums.exclusive, 4 * PAGE);
	assert_int_equal(sums.zero, PAGE);
	assert_int_equal(sums.swapped, 2 * PAGE);
	assert_int_equal(sums.file, PAGE);
	assert_int_equal(sums.guard, PAGE);
	vmsnap_sum(snap, 0x2000, 0x7000, &sums);
	assert_int_equal(sums.size, 0x5000);
	assert_int_equal(sums.exclusive, 3 * PAGE);
	assert_int_equal(sums.swapped, PAGE);
	vmsnap_sum(snap, 0x2005, 0x6001, &sums); /* of half a page it is the whole */
	assert_int_equal(sums.exclusive, 3 * PAGE);
	assert_int_equal(sums.zero, PAGE);
	assert_int_equal(sums.swapped, PAGE);
	vmsnap_sum(snap, 0x3000, 0x4000, &sums); /* within one run */
	assert_int_equal(sums.resident, PAGE);
	assert_int_equal(sums.exclusive_unknown, 0);
	vmsnap_sum(snap, 0xa000, 0x20000, &sums); /* behind the last run */
	assert_int_equal(sums.resident + sums.swapped + sums.guard, 0);
	assert_null(vmsnap_vma_at(snap, 0xfff));
	assert_ptr_equal(vmsnap_vma_at(snap, 0x5fff), &snap->vmas[0]);
	assert_ptr_equal(vmsnap_vma_at(snap, 0x6000), &snap->vmas[1]);
	assert_null(vmsnap_vma_at(snap, 0x20000));
	vmsnap_unref(snap);
}

/* Bit 56 of a page that is mapped by a PMD is that of the first one of its huge page. */
static void sums_do_not_count_what_is_not_known(void **state)
{
	(void)state;
	uint64_t huge = ENTRY_FLAG(VMSNAP_PAGE_HUGE), zero = ENTRY_FLAG(VMSNAP_PAGE_ZERO);
	struct run_list list = { 0 };
	run_list_append(&list, PAGE, 0x200000, 512, PRESENT | EXCLUSIVE | huge | 0x200);
	run_list_append(&list, PAGE, 0x400000, 512, PRESENT | huge | 0x400);
	run_list_append(&list, PAGE, 0x600000, 512, PRESENT | huge | zero | 0x600);
	run_list_append(&list, PAGE, 0x800000, 2, PRESENT | EXCLUSIVE | 0x99);
	run_list_append(&list, PAGE, 0x802000, 3, PRESENT); /* just being moved */
	run_list_append(&list, PAGE, 0x805000, 4, SWAPPED | 2 | 0x99 << 5);
	run_list_append(&list, PAGE, 0x809000, 5, SWAPPED | 30 | 0x9999 << 5);
	struct vmsnap *snap = snapshot_of(&list);
	snap->info.known.exclusive = snap->info.known.pfn = true;
	struct vmsnap_sums sums;
	vmsnap_sum(snap, 0, UINT64_MAX, &sums);
	assert_int_equal(sums.exclusive, 2 * PAGE);
	assert_int_equal(sums.exclusive_unknown, (1024 + 3) * PAGE);
	assert_int_equal(sums.swapped, 4 * PAGE);
	assert_int_equal(sums.swapped_unknown, 5 * PAGE);
	vmsnap_unref(snap);
}

/* Kernels without PAGEMAP_SCAN: whole huge pages that look alike, from a border on, may be one. */
static void without_marks_what_may_be_huge_is_marked(void **state)
{
	(void)state;
	const struct page_marks none = { 0 };
	const uint64_t exclusive = ENTRY_FLAG(VMSNAP_PAGE_EXCLUSIVE);
	struct pagemap_probe probe = { .known = { .pfn = true }, .zero_pfn = 7, .huge_zero_pfn = 8 * 512 };
	struct run_list list = { 0 };
	run_list_append(&list, PAGE, 0x1ff000, 514, PRESENT | exclusive | 511); /* one page before, one after */
	run_list_append(&list, PAGE, 0x600000, 512, PRESENT | 100);             /* frames are not at a border */
	run_list_append(&list, PAGE, 0xa00000, 511, PRESENT | 1024);            /* one page is missing */
	run_list_append(&list, PAGE, 0x1000000, 512, SWAPPED | 1024);
	run_list_append(&list, PAGE, 0x1200000, 512, PRESENT | 7); /* counts on, and is not the zero page's alone */
	run_list_append(&list, PAGE, 0x1fff000, 9 * 512, PRESENT); /* moved: it has no frames */
	run_list_append(&list, PAGE, 0x4000000, 3 * 512, PRESENT | 7 * 512); /* the second is the zero page */
	assert_int_equal(pagemap_apply_marks(&probe, PAGE, &none, &list), VMSNAP_OK);
	uint64_t huge = 0, zero = 0;
	for (size_t i = 0; i < list.count; i++) {
		const struct run *run = &list.items[i];
		if (!(entry_flags(run->entry) & VMSNAP_PAGE_HUGE))
			continue;
		huge += run_pages(run);
		if (entry_flags(run->entry) & VMSNAP_PAGE_ZERO) {
			assert_int_equal(run_start(run), 0x4200000);
			zero += run_pages(run);
		}
		if (run_start(run) < 0x1000000) {
			assert_int_equal(run_start(run), 0x200000);
			assert_int_equal(run_pages(run), 512);
			assert_int_equal(run->entry & ENTRY_FRAME_MASK, 512);
		} else {
			assert_true(run_start(run) >= 0x2000000);
		}
	}
	assert_int_equal(huge, 512 + 8 * 512 + 3 * 512);
	assert_int_equal(zero, 512);
	run_list_free(&list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(entry_normal_tells_guards_and_markers_from_swap),
		cmocka_unit_test(entry_normal_takes_no_type_for_swap_that_no_area_has),
		cmocka_unit_test(what_only_looks_swapped_is_doubtful),
		cmocka_unit_test(sums_do_not_count_what_is_not_known),
		cmocka_unit_test(run_list_append_grows_what_was_reserved),
		cmocka_unit_test(run_list_append_joins_what_counts_on),
		cmocka_unit_test(iterator_clips_and_joins),
		cmocka_unit_test(many_runs_are_read_at_once_as_one_by_one),
		cmocka_unit_test(hidden_frames_do_not_count),
		cmocka_unit_test(marks_cut_runs_where_they_begin_and_end),
		cmocka_unit_test(without_marks_what_may_be_huge_is_marked),
		cmocka_unit_test(sums_count_every_kind),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
