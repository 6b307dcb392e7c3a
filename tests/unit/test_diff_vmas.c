/* test_diff_vmas.c - which mapping became which: by overlap and backing. */
#include "test_diff_fixture.h"

#include <stdio.h>

struct pair {
	struct vmsnap *a, *b;
};

static int set_up(void **state)
{
	struct pair *pair = calloc(1, sizeof(*pair));
	if (!pair)
		return -1;
	pair->a = make_snap();
	pair->b = make_snap();
	*state = pair;
	return 0;
}

static int tear_down(void **state)
{
	struct pair *pair = *state;
	vmsnap_unref(pair->a);
	vmsnap_unref(pair->b);
	free(pair);
	return 0;
}

static void print_vma(char *out, size_t size, const struct vmsnap_vma *vma)
{
	if (vma)
		snprintf(out, size, "%d-%d", (int)(vma->start / PAGE), (int)(vma->end / PAGE));
	else
		snprintf(out, size, "none");
}

/* Rows as text, one a line: "grown 1-5 1-6". */
static void expect_rows(const struct pair *pair, const char *expected)
{
	struct vmsnap_diff *diff = NULL;
	assert_int_equal(vmsnap_diff_new(pair->a, pair->b, &diff, NULL), VMSNAP_OK);
	char text[4096] = "";
	size_t len = 0;
	uint64_t totals[VMSNAP_VMA_CHANGE_COUNT] = { 0 };
	struct vmsnap_diff_vma row;
	for (size_t i = 0; vmsnap_diff_vma(diff, i, &row) == VMSNAP_OK; i++) {
		char a[40], b[40];
		print_vma(a, sizeof(a), row.a);
		print_vma(b, sizeof(b), row.b);
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s %s %s\n",
		                        vmsnap_vma_change_name(row.change), a, b);
		totals[row.change]++;
	}
	assert_string_equal(text, expected);
	for (int change = 0; change < VMSNAP_VMA_CHANGE_COUNT; change++)
		assert_int_equal(totals[change], vmsnap_diff_vma_rows(diff, change));
	assert_int_equal(vmsnap_diff_any(diff), *expected || vmsnap_diff_range_count(diff));
	vmsnap_diff_free(diff);
}

static struct pair turned(const struct pair *pair)
{
	return (struct pair){ pair->b, pair->a };
}

static void equal_maps_have_no_rows(void **state)
{
	struct pair *pair = *state;
	for (int i = 0; i < 2; i++) {
		struct vmsnap *snap = i ? pair->a : pair->b;
		add_file(snap, 1, 5, "r-xp", "/bin/x", 7, 0);
		add_anon(snap, 8, 9, "rw-p", "[heap]");
		add_file(snap, 10, 12, "rw-s", "/dev/zero (deleted)", 8, 0);
		add_anon(snap, 20, 21, "r-xp", "[vdso]");
	}
	expect_rows(pair, "");
}

static void mapping_on_one_side_is_added_or_removed(void **state)
{
	struct pair *pair = *state;
	add_anon(pair->a, 1, 5, "rw-p", "");
	add_anon(pair->b, 8, 9, "rw-p", "");
	expect_rows(pair, "removed 1-5 none\nadded none 8-9\n");
}

static void heap_that_ends_higher_is_grown(void **state)
{
	struct pair *pair = *state;
	add_anon(pair->a, 1, 5, "rw-p", "[heap]");
	add_anon(pair->b, 1, 9, "rw-p", "[heap]");
	expect_rows(pair, "grown 1-5 1-9\n");
	struct pair back = turned(pair);
	expect_rows(&back, "shrunk 1-9 1-5\n");
}

static void stack_that_starts_lower_is_grown(void **state)
{
	struct pair *pair = *state;
	add_anon(pair->a, 5, 9, "rw-p", "[stack]");
	add_anon(pair->b, 3, 9, "rw-p", "[stack]");
	expect_rows(pair, "grown 5-9 3-9\n");
}

static void window_that_slid_is_grown_and_shrunk(void **state)
{
	struct pair *pair = *state;
	add_file(pair->a, 5, 9, "rw-s", "/x", 3, 5);
	add_file(pair->b, 7, 11, "rw-s", "/x", 3, 7);
	expect_rows(pair, "grown 5-9 7-11\nshrunk 5-9 7-11\n");
}

static void mprotect_of_the_middle_splits_in_three(void **state)
{
	struct pair *pair = *state;
	add_anon(pair->a, 1, 10, "rw-p", "");
	add_anon(pair->b, 1, 4, "rw-p", "");
	add_anon(pair->b, 4, 6, "r--p", "");
	add_anon(pair->b, 6, 10, "rw-p", "");
	expect_rows(pair, "split 1-10 1-4\nsplit 1-10 4-6\nprotection_changed 1-10 4-6\nsplit 1-10 6-10\n");
	struct pair back = turned(pair);
	expect_rows(&back, "merged 1-4 1-10\nmerged 4-6 1-10\nmerged 6-10 1-10\nprotection_changed 4-6 1-10\n");
}

static void mprotect_of_all_is_protection_changed(void **state)
{
	struct pair *pair = *state;
	add_file(pair->a, 1, 10, "r-xp", "/lib/x.so", 5, 2);
	add_file(pair->b, 1, 10, "rwxp", "/lib/x.so", 5, 2);
	expect_rows(pair, "protection_changed 1-10 1-10\n");
}

static void file_renamed_or_deleted_is_renamed(void **state)
{
	struct pair *pair = *state;
	add_file(pair->a, 1, 10, "r-xp", "/lib/x.so", 5, 2);
	add_file(pair->b, 1, 10, "r-xp", "/lib/x.so (deleted)", 5, 2);
	expect_rows(pair, "renamed 1-10 1-10\n");
}

static void naming_the_middle_of_memory_splits_and_renames(void **state)
{
	struct pair *pair = *state;
	add_anon(pair->a, 1, 10, "rw-p", "");
	add_anon(pair->b, 1, 4, "rw-p", "");
	add_anon(pair->b, 4, 6, "rw-p", "[anon:arena]");
	add_anon(pair->b, 6, 10, "rw-p", "");
	expect_rows(pair, "split 1-10 1-4\nsplit 1-10 4-6\nrenamed 1-10 4-6\nsplit 1-10 6-10\n");
}

static void hole_in_the_middle_is_a_split(void **state)
{
	struct pair *pair = *state;
	add_anon(pair->a, 1, 10, "rw-p", "");
	add_anon(pair->b, 1, 4, "rw-p", "");
	add_anon(pair->b, 6, 10, "rw-p", "");
	expect_rows(pair, "split 1-10 1-4\nsplit 1-10 6-10\n");
}

static void split_that_also_grew_says_both(void **state)
{
	struct pair *pair = *state;
	add_anon(pair->a, 1, 10, "rw-p", "[heap]");
	add_anon(pair->b, 1, 4, "rw-p", "[heap]");
	add_anon(pair->b, 4, 14, "rw-p", "[heap]");
	expect_rows(pair, "split 1-10 1-4\ngrown 1-10 4-14\nsplit 1-10 4-14\n");
}

static void split_and_merge_at_once_say_both(void **state)
{
	struct pair *pair = *state;
	add_anon(pair->a, 1, 5, "rw-p", "");
	add_anon(pair->a, 5, 9, "r--p", "");
	add_anon(pair->b, 1, 3, "rw-p", "");
	add_anon(pair->b, 3, 9, "r--p", "");
	expect_rows(pair, "split 1-5 1-3\nsplit 1-5 3-9\nmerged 1-5 3-9\nmerged 5-9 3-9\n"
	                  "protection_changed 1-5 3-9\n");
}

static void map_fixed_over_the_middle_is_split_and_replaced(void **state)
{
	struct pair *pair = *state;
	add_file(pair->a, 1, 10, "r-xp", "/lib/libc.so", 5, 0);
	add_file(pair->b, 1, 4, "r-xp", "/lib/libc.so", 5, 0);
	add_anon(pair->b, 4, 6, "rw-p", "");
	add_file(pair->b, 6, 10, "r-xp", "/lib/libc.so", 5, 5);
	expect_rows(pair, "split 1-10 1-4\nreplaced 1-10 4-6\nsplit 1-10 6-10\n");
}

static void map_fixed_over_all_is_replaced(void **state)
{
	struct pair *pair = *state;
	add_file(pair->a, 1, 10, "r-xp", "/lib/x.so", 5, 0);
	add_file(pair->b, 1, 10, "r-xp", "/lib/x.so", 6, 0); /* another file of that name */
	expect_rows(pair, "replaced 1-10 1-10\n");
}

static void file_of_another_device_is_replaced(void **state)
{
	struct pair *pair = *state;
	add_file(pair->a, 1, 10, "r-xp", "/lib/x.so", 5, 0);
	add_file(pair->b, 1, 10, "r-xp", "/lib/x.so", 5, 0);
	pair->b->vmas[0].dev_major = 9;
	expect_rows(pair, "replaced 1-10 1-10\n");
}

static void another_place_of_the_file_is_replaced(void **state)
{
	struct pair *pair = *state;
	add_file(pair->a, 1, 10, "rw-s", "/x", 5, 0);
	add_file(pair->b, 1, 10, "rw-s", "/x", 5, 30);
	expect_rows(pair, "replaced 1-10 1-10\n");
}

static void private_in_place_of_shared_is_replaced(void **state)
{
	struct pair *pair = *state;
	add_file(pair->a, 1, 10, "rw-s", "/x", 5, 0);
	add_file(pair->b, 1, 10, "rw-p", "/x", 5, 0);
	expect_rows(pair, "replaced 1-10 1-10\n");
}

static void special_memory_matches_only_its_name(void **state)
{
	struct pair *pair = *state;
	add_anon(pair->a, 1, 10, "r--p", "[vvar]");
	add_anon(pair->b, 1, 10, "r--p", "[vdso]");
	expect_rows(pair, "replaced 1-10 1-10\n");
}

static void file_mapped_elsewhere_is_moved(void **state)
{
	struct pair *pair = *state;
	add_file(pair->a, 1, 5, "r-xp", "/lib/x.so", 5, 3);
	add_file(pair->a, 5, 6, "rw-p", "/lib/x.so", 5, 7);
	add_file(pair->b, 21, 25, "r-xp", "/lib/x.so", 5, 3);
	add_file(pair->b, 25, 26, "rw-p", "/lib/x.so", 5, 7);
	add_pages(pair->a, 2, 1, CACHED(100));
	add_pages(pair->a, 5, 1, OWNED(200));
	add_pages(pair->b, 22, 1, CACHED(100));
	add_pages(pair->b, 25, 1, OWNED(200));
	expect_rows(pair, "moved 1-5 21-25\nmoved 5-6 25-26\n");
}

static void memory_moved_over_parts_of_other_memory_is_one_move(void **state)
{
	struct pair *pair = *state;
	add_anon(pair->a, 8, 42, "rw-p", "");
	add_anon(pair->a, 44, 56, "rw-p", "");
	add_anon(pair->a, 68, 74, "rw-p", "");
	add_anon(pair->b, 14, 41, "rw-p", "");
	add_anon(pair->b, 43, 77, "rw-p", "");
	for (uint64_t page = 0; page < 34; page += 2) {
		add_pages(pair->a, 8 + page, 1, OWNED(101 + 7 * page));
		add_pages(pair->b, 43 + page, 1, OWNED(101 + 7 * page));
	}
	add_pages(pair->a, 44, 12, OWNED(5000));
	add_pages(pair->a, 68, 6, OWNED(6000));
	expect_rows(pair, "added none 14-41\nreplaced 44-56 43-77\nreplaced 68-74 43-77\nmoved 8-42 43-77\n");
}

/* A file's page that nobody else maps is not moved by the kernel into a private one. */
static void faults_that_made_private_pages_of_a_file_are_not_those_of_a_move(void **state)
{
	struct pair *pair = *state;
	add_anon(pair->a, 1, 13, "rw-p", "");
	add_file(pair->a, 41, 61, "rw-s", "/x", 5, 0);
	add_anon(pair->b, 21, 33, "rw-p", "");
	add_file(pair->b, 41, 61, "rw-p", "/y", 6, 0);
	for (uint64_t page = 0; page < 12; page++) {
		add_pages(pair->a, 1 + page, 1, OWNED(101 + 7 * page));
		add_pages(pair->b, 21 + page, 1, OWNED(101 + 7 * page));
	}
	for (uint64_t page = 0; page < 20; page++) {
		add_pages(pair->a, 41 + page, 1, CACHED(1001 + 7 * page) | ENTRY_FLAG(VMSNAP_PAGE_EXCLUSIVE));
		add_pages(pair->b, 41 + page, 1, OWNED(2001 + 7 * page));
	}
	pair->b->info.faults = 20 + 11;
	expect_rows(pair, "moved 1-13 21-33\nreplaced 41-61 41-61\n");
	pair->b->info.faults = 20 + 12;
	expect_rows(pair, "removed 1-13 none\nadded none 21-33\npossibly_moved 1-13 21-33\nreplaced 41-61 41-61\n");
}

/* Unmapped and mapped anew looks the same: faults bring the pages of its files. */
static void file_elsewhere_whose_pages_may_be_mapped_anew_is_possibly_moved(void **state)
{
	struct pair *pair = *state;
	add_file(pair->a, 1, 5, "r-xp", "/lib/x.so", 5, 3);
	add_file(pair->b, 21, 25, "r-xp", "/lib/x.so", 5, 3);
	expect_rows(pair, "removed 1-5 none\nadded none 21-25\npossibly_moved 1-5 21-25\n");
	add_pages(pair->a, 1, 4, CACHED(100));
	add_pages(pair->b, 21, 4, CACHED(100));
	expect_rows(pair, "moved 1-5 21-25\n");
	pair->b->info.faults = 1;
	expect_rows(pair, "removed 1-5 none\nadded none 21-25\npossibly_moved 1-5 21-25\n");
}

static void file_elsewhere_with_other_pages_of_its_own_is_not_moved(void **state)
{
	struct pair *pair = *state;
	add_file(pair->a, 1, 5, "rw-p", "/lib/x.so", 5, 3);
	add_file(pair->b, 21, 25, "rw-p", "/lib/x.so", 5, 3);
	add_pages(pair->a, 1, 2, OWNED(100));
	add_pages(pair->b, 21, 2, OWNED(300));
	expect_rows(pair, "removed 1-5 none\nadded none 21-25\n");
}

static void file_views_are_paired_by_size_first(void **state)
{
	struct pair *pair = *state;
	add_file(pair->a, 1, 5, "rw-s", "/x", 5, 3);
	add_file(pair->a, 8, 10, "rw-s", "/x", 5, 3);
	add_file(pair->b, 21, 23, "rw-s", "/x", 5, 3);
	add_file(pair->b, 31, 35, "rw-s", "/x", 5, 3);
	add_pages(pair->a, 1, 4, CACHED(100));
	add_pages(pair->a, 8, 2, CACHED(100));
	add_pages(pair->b, 21, 2, CACHED(100));
	add_pages(pair->b, 31, 4, CACHED(100));
	expect_rows(pair, "moved 8-10 21-23\nmoved 1-5 31-35\n");
}

static void file_moved_and_grown_says_both(void **state)
{
	struct pair *pair = *state;
	add_file(pair->a, 1, 5, "rw-s", "/x", 5, 3);
	add_file(pair->b, 21, 29, "rw-s", "/x", 5, 3);
	add_pages(pair->a, 1, 4, CACHED(100));
	add_pages(pair->b, 21, 6, CACHED(100));
	expect_rows(pair, "grown 1-5 21-29\nmoved 1-5 21-29\n");
}

/* Neither half is what the mapping has become; which part went where is told. */
static void halves_that_changed_places_are_moved_and_not_shrunk(void **state)
{
	struct pair *pair = *state;
	add_anon(pair->a, 1, 9, "rw-p", "");
	add_anon(pair->b, 1, 5, "rw-p", "");
	add_anon(pair->b, 5, 9, "rw-p", "");
	add_pages(pair->a, 1, 4, OWNED(100));
	add_pages(pair->a, 5, 4, OWNED(200));
	add_pages(pair->b, 1, 4, OWNED(200));
	add_pages(pair->b, 5, 4, OWNED(100));
	expect_rows(pair, "moved 1-9 1-5\nmoved 1-9 5-9\n");
	struct pair back = turned(pair);
	expect_rows(&back, "moved 1-5 1-9\nmoved 5-9 1-9\n");
	static const struct vmsnap_diff_vma parts[] = {
		{ .from = PAGE_AT(5), .to = PAGE_AT(1), .length = PAGE_AT(4) },
		{ .from = PAGE_AT(1), .to = PAGE_AT(5), .length = PAGE_AT(4) },
	};
	struct vmsnap_diff *diff = NULL;
	struct vmsnap_diff_vma row;
	assert_int_equal(vmsnap_diff_new(pair->a, pair->b, &diff, NULL), VMSNAP_OK);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(vmsnap_diff_vma(diff, i, &row), VMSNAP_OK);
		assert_int_equal(row.from, parts[i].from);
		assert_int_equal(row.to, parts[i].to);
		assert_int_equal(row.length, parts[i].length);
	}
	vmsnap_diff_free(diff);
}

static void memory_with_the_same_frames_elsewhere_is_moved(void **state)
{
	struct pair *pair = *state;
	add_anon(pair->a, 1, 5, "rw-p", "");
	add_pages(pair->a, 2, 2, OWNED(100));
	add_anon(pair->b, 21, 29, "rw-p", "");
	add_pages(pair->b, 21, 1, OWNED(300)); /* touched since */
	add_pages(pair->b, 22, 2, OWNED(100));
	expect_rows(pair, "grown 1-5 21-29\nmoved 1-5 21-29\n");
}

static void one_frame_at_another_distance_is_no_move(void **state)
{
	struct pair *pair = *state;
	add_anon(pair->a, 1, 5, "rw-p", "");
	add_pages(pair->a, 2, 1, OWNED(100));
	add_anon(pair->b, 21, 25, "rw-p", "");
	add_pages(pair->b, 24, 1, OWNED(100)); /* freed and given out again */
	pair->b->info.faults = 1;
	expect_rows(pair, "removed 1-5 none\nadded none 21-25\n");
}

/* The kernel gives freed frames out again, often in the same order. */
static void new_memory_in_the_frames_of_the_old_is_no_move(void **state)
{
	struct pair *pair = *state;
	add_anon(pair->a, 1, 65, "rw-p", "");
	add_pages(pair->a, 1, 64, OWNED(1002));
	add_anon(pair->b, 201, 265, "rw-p", "");
	add_pages(pair->b, 201, 64, OWNED(1002));
	expect_rows(pair, "moved 1-65 201-265\n"); /* no page can be new */
	pair->b->info.faults = 63;
	expect_rows(pair, "moved 1-65 201-265\n");
	pair->b->info.faults = 64;
	expect_rows(pair, "removed 1-65 none\nadded none 201-265\npossibly_moved 1-65 201-265\n");
	pair->b->info.faults = UINT64_MAX;
	expect_rows(pair, "removed 1-65 none\nadded none 201-265\npossibly_moved 1-65 201-265\n");
	struct pair back = turned(pair);
	pair->b->info.faults = 60;
	expect_rows(&back, "moved 201-265 1-65\n");
}

/* Faults that made other pages did not make these. */
/* They come to other frames, which others had, without a fault. */
static void pages_that_the_kernel_moved_are_no_evidence(void **state)
{
	struct pair *pair = *state;
	add_anon(pair->a, 1, 129, "rw-p", "");
	add_pages(pair->a, 1, 64, OWNED(1002));
	add_pages(pair->a, 65, 64, OWNED(5001));
	add_anon(pair->b, 1, 129, "rw-p", "");
	add_pages(pair->b, 1, 64, OWNED(9002));
	add_pages(pair->b, 65, 64, OWNED(1002));
	expect_rows(pair, "moved 1-129 1-129\n");
	pair->b->info.page_moves += 128;
	expect_rows(pair, "");
	/* What is where nothing was took a fault each, whatever became of it then. */
	pair->a->runs.count = 1;
	expect_rows(pair, "moved 1-129 1-129\n");
}

static void pages_that_are_surely_new_take_their_share_of_faults(void **state)
{
	struct pair *pair = *state;
	add_anon(pair->a, 1, 9, "rw-p", "");
	add_pages(pair->a, 1, 8, OWNED(1002));
	add_anon(pair->b, 21, 29, "rw-p", "");
	add_anon(pair->b, 51, 151, "rw-p", "");
	add_pages(pair->b, 21, 8, OWNED(1002));
	add_pages(pair->b, 51, 100, OWNED(5000));
	pair->b->info.faults = 107;
	expect_rows(pair, "moved 1-9 21-29\nadded none 51-151\n");
	pair->b->info.faults = 108;
	expect_rows(pair, "removed 1-9 none\nadded none 21-29\npossibly_moved 1-9 21-29\nadded none 51-151\n");
}

static void without_frames_memory_of_one_shape_is_possibly_moved(void **state)
{
	struct pair *pair = *state;
	pair->a->info.known.pfn = pair->b->info.known.pfn = false;
	add_anon(pair->a, 1, 5, "rw-p", "");
	add_pages(pair->a, 2, 2, OWNED(0));
	add_anon(pair->b, 21, 25, "rw-p", "");
	add_pages(pair->b, 22, 2, OWNED(0));
	expect_rows(pair, "removed 1-5 none\nadded none 21-25\npossibly_moved 1-5 21-25\n");
	add_pages(pair->b, 24, 1, OWNED(0));
	expect_rows(pair, "removed 1-5 none\nadded none 21-25\n");
}

/* The first pages are written anew after the move, while another process has them too. */
static void moved_memory_whose_first_pages_were_copied_is_moved(void **state)
{
	struct pair *pair = *state;
	add_anon(pair->a, 1, 17, "rw-p", "");
	add_pages(pair->a, 1, 16, ANON(1002));
	add_anon(pair->b, 31, 47, "rw-p", "");
	for (uint64_t i = 0; i < 4; i++)
		add_pages(pair->b, 31 + i, 1, OWNED(5000 + 7 * i));
	add_pages(pair->b, 35, 12, ANON(1006));
	pair->b->info.faults = 4;
	expect_rows(pair, "moved 1-17 31-47\n");
}

/* MREMAP_FIXED onto memory of the same kind, which is gone then. */
static void memory_moved_onto_memory_of_its_kind_replaces_that(void **state)
{
	struct pair *pair = *state;
	add_anon(pair->a, 1, 9, "rw-p", "");
	add_anon(pair->a, 31, 39, "rw-p", "");
	add_pages(pair->a, 1, 8, OWNED(1002));
	add_pages(pair->a, 31, 8, OWNED(2000));
	add_anon(pair->b, 31, 39, "rw-p", "");
	add_pages(pair->b, 31, 8, OWNED(1002));
	expect_rows(pair, "replaced 31-39 31-39\nmoved 1-9 31-39\n");
}

static void new_memory_of_the_kind_that_moved_away_is_added(void **state)
{
	struct pair *pair = *state;
	add_anon(pair->a, 1, 9, "rw-p", "");
	add_pages(pair->a, 1, 8, OWNED(1002));
	add_anon(pair->b, 1, 9, "r--p", "");
	add_anon(pair->b, 31, 39, "rw-p", "");
	add_pages(pair->b, 1, 3, OWNED(7000));
	add_pages(pair->b, 31, 8, OWNED(1002));
	pair->b->info.faults = 3;
	expect_rows(pair, "added none 1-9\nmoved 1-9 31-39\n");
}

static void memory_with_other_permissions_and_none_of_its_pages_is_possibly_replaced(void **state)
{
	struct pair *pair = *state;
	add_anon(pair->a, 1, 10, "rw-p", "");
	add_pages(pair->a, 1, 9, OWNED(1002));
	add_anon(pair->b, 1, 4, "rw-p", "");
	add_anon(pair->b, 4, 6, "r--p", "");
	add_anon(pair->b, 6, 10, "rw-p", "");
	add_pages(pair->b, 1, 3, OWNED(1002));
	add_pages(pair->b, 6, 4, OWNED(1007));
	expect_rows(pair, "split 1-10 1-4\npossibly_replaced 1-10 4-6\nsplit 1-10 6-10\n");
	pair->b->runs.count = 0;
	add_pages(pair->b, 1, 3, OWNED(1002));
	add_pages(pair->b, 5, 1, OWNED(1006)); /* one page of it is still there */
	add_pages(pair->b, 6, 4, OWNED(1007));
	expect_rows(pair, "split 1-10 1-4\nsplit 1-10 4-6\nprotection_changed 1-10 4-6\nsplit 1-10 6-10\n");
}

/* A program gave a range back, and what it got later took that in. */
static void memory_that_grew_over_a_freed_range_is_possibly_replaced(void **state)
{
	struct pair *pair = *state;
	add_anon(pair->a, 4, 8, "rw-p", "");
	add_pages(pair->a, 4, 4, OWNED(1002));
	add_anon(pair->b, 1, 20, "rw-p", "");
	add_pages(pair->b, 1, 19, OWNED(7000));
	expect_rows(pair, "possibly_replaced 4-8 1-20\n");
	pair->b->runs.count = 0;
	add_pages(pair->b, 4, 1, OWNED(1002)); /* one page of it is still there */
	add_pages(pair->b, 5, 15, OWNED(7000));
	expect_rows(pair, "grown 4-8 1-20\n");
}

/* All pages may have been copied, when another process has them too. */
static void copied_pages_do_not_speak_against_a_mapping(void **state)
{
	struct pair *pair = *state;
	add_anon(pair->a, 1, 5, "rw-p", "");
	add_pages(pair->a, 1, 4, ANON(1002));
	add_anon(pair->b, 1, 5, "rwxp", "");
	add_pages(pair->b, 1, 4, OWNED(7000));
	expect_rows(pair, "protection_changed 1-5 1-5\n");
}

static void few_equal_frames_among_many_are_no_move(void **state)
{
	struct pair *pair = *state;
	add_anon(pair->a, 1, 9, "rw-p", "");
	add_pages(pair->a, 1, 8, OWNED(100));
	add_anon(pair->b, 21, 29, "rw-p", "");
	add_pages(pair->b, 21, 2, OWNED(100));
	add_pages(pair->b, 23, 6, OWNED(300));
	expect_rows(pair, "removed 1-9 none\nadded none 21-29\n");
}

static void frames_of_another_boot_are_no_evidence(void **state)
{
	struct pair *pair = *state;
	add_anon(pair->a, 1, 5, "rw-p", "");
	add_pages(pair->a, 1, 4, OWNED(100));
	add_anon(pair->b, 21, 25, "rw-p", "");
	add_pages(pair->b, 21, 4, OWNED(100));
	pair->b->info.boot_id = "another-boot";
	expect_rows(pair, "removed 1-5 none\nadded none 21-25\n");
}

static void zero_pages_are_no_evidence(void **state)
{
	struct pair *pair = *state;
	add_anon(pair->a, 1, 5, "rw-p", "");
	add_anon(pair->b, 21, 25, "rw-p", "");
	add_pages(pair->a, 1, 1, ZEROPAGE);
	add_pages(pair->b, 21, 1, ZEROPAGE);
	expect_rows(pair, "removed 1-5 none\nadded none 21-25\n");
}

static void tail_of_a_mapping_that_went_elsewhere_is_moved(void **state)
{
	struct pair *pair = *state;
	add_anon(pair->a, 1, 10, "rw-p", "");
	add_pages(pair->a, 1, 9, OWNED(100));
	add_anon(pair->b, 1, 6, "rw-p", "");
	add_anon(pair->b, 21, 25, "rw-p", "");
	add_pages(pair->b, 1, 5, OWNED(100));
	add_pages(pair->b, 21, 4, OWNED(105));
	expect_rows(pair, "shrunk 1-10 1-6\nmoved 1-10 21-25\n");
}

static void start_of_a_mapping_that_went_elsewhere_did_not_shrink_on_the_way(void **state)
{
	struct pair *pair = *state;
	add_anon(pair->a, 1, 10, "rw-p", "");
	add_pages(pair->a, 1, 9, OWNED(100));
	add_anon(pair->b, 5, 10, "rw-p", "");
	add_anon(pair->b, 21, 25, "rw-p", "");
	add_pages(pair->b, 5, 5, OWNED(104));
	add_pages(pair->b, 21, 4, OWNED(100));
	expect_rows(pair, "shrunk 1-10 5-10\nmoved 1-10 21-25\n");
}

static void neighbours_that_moved_apart_keep_their_own(void **state)
{
	struct pair *pair = *state;
	add_anon(pair->a, 1, 9, "rw-p", ""); /* two chunks of four pages */
	add_pages(pair->a, 1, 8, OWNED(100));
	add_anon(pair->b, 21, 31, "rw-p", ""); /* the first one has grown */
	add_anon(pair->b, 41, 45, "rw-p", "");
	add_pages(pair->b, 21, 4, OWNED(100));
	add_pages(pair->b, 41, 4, OWNED(104));
	struct vmsnap_diff *diff = NULL;
	assert_int_equal(vmsnap_diff_new(pair->a, pair->b, &diff, NULL), VMSNAP_OK);
	assert_int_equal(vmsnap_diff_vma_rows(diff, VMSNAP_VMA_CHANGE_MOVED), 2);
	assert_int_equal(vmsnap_diff_vma_rows(diff, VMSNAP_VMA_CHANGE_REMOVED), 0);
	assert_int_equal(vmsnap_diff_vma_rows(diff, VMSNAP_VMA_CHANGE_ADDED), 0);
	assert_int_equal(vmsnap_diff_range_count(diff), 0);
	vmsnap_diff_free(diff);
}

static void move_onto_another_mapping_replaces_that(void **state)
{
	struct pair *pair = *state;
	add_anon(pair->a, 1, 5, "rw-p", "");
	add_pages(pair->a, 1, 4, OWNED(100));
	add_file(pair->a, 21, 25, "r--p", "/x", 9, 0);
	add_anon(pair->b, 21, 25, "rw-p", "");
	add_pages(pair->b, 21, 4, OWNED(100));
	expect_rows(pair, "replaced 21-25 21-25\nmoved 1-5 21-25\n");
}

static void new_mapping_where_one_moved_away_is_added(void **state)
{
	struct pair *pair = *state;
	add_anon(pair->a, 1, 5, "rw-p", "");
	add_pages(pair->a, 1, 4, OWNED(100));
	add_file(pair->b, 1, 5, "r--p", "/x", 9, 0);
	add_anon(pair->b, 21, 25, "rw-p", "");
	add_pages(pair->b, 21, 4, OWNED(100));
	expect_rows(pair, "added none 1-5\nmoved 1-5 21-25\n");
}

static void sysv_segment_with_id_zero_is_not_plain_memory(void **state)
{
	struct pair *pair = *state;
	add_anon(pair->a, 1, 5, "rw-s", "/SYSV00000000 (deleted)");
	add_anon(pair->b, 1, 5, "rw-s", "");
	expect_rows(pair, "replaced 1-5 1-5\n");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(equal_maps_have_no_rows),
		TEST(mapping_on_one_side_is_added_or_removed),
		TEST(heap_that_ends_higher_is_grown),
		TEST(stack_that_starts_lower_is_grown),
		TEST(window_that_slid_is_grown_and_shrunk),
		TEST(mprotect_of_the_middle_splits_in_three),
		TEST(mprotect_of_all_is_protection_changed),
		TEST(file_renamed_or_deleted_is_renamed),
		TEST(naming_the_middle_of_memory_splits_and_renames),
		TEST(hole_in_the_middle_is_a_split),
		TEST(split_that_also_grew_says_both),
		TEST(split_and_merge_at_once_say_both),
		TEST(map_fixed_over_the_middle_is_split_and_replaced),
		TEST(map_fixed_over_all_is_replaced),
		TEST(file_of_another_device_is_replaced),
		TEST(another_place_of_the_file_is_replaced),
		TEST(private_in_place_of_shared_is_replaced),
		TEST(special_memory_matches_only_its_name),
		TEST(memory_moved_over_parts_of_other_memory_is_one_move),
		TEST(faults_that_made_private_pages_of_a_file_are_not_those_of_a_move),
		TEST(file_mapped_elsewhere_is_moved),
		TEST(file_views_are_paired_by_size_first),
		TEST(file_moved_and_grown_says_both),
		TEST(halves_that_changed_places_are_moved_and_not_shrunk),
		TEST(memory_with_the_same_frames_elsewhere_is_moved),
		TEST(one_frame_at_another_distance_is_no_move),
		TEST(few_equal_frames_among_many_are_no_move),
		TEST(frames_of_another_boot_are_no_evidence),
		TEST(zero_pages_are_no_evidence),
		TEST(tail_of_a_mapping_that_went_elsewhere_is_moved),
		TEST(start_of_a_mapping_that_went_elsewhere_did_not_shrink_on_the_way),
		TEST(neighbours_that_moved_apart_keep_their_own),
		TEST(move_onto_another_mapping_replaces_that),
		TEST(new_mapping_where_one_moved_away_is_added),
		TEST(file_elsewhere_whose_pages_may_be_mapped_anew_is_possibly_moved),
		TEST(file_elsewhere_with_other_pages_of_its_own_is_not_moved),
		TEST(new_memory_in_the_frames_of_the_old_is_no_move),
		TEST(pages_that_the_kernel_moved_are_no_evidence),
		TEST(pages_that_are_surely_new_take_their_share_of_faults),
		TEST(without_frames_memory_of_one_shape_is_possibly_moved),
		TEST(moved_memory_whose_first_pages_were_copied_is_moved),
		TEST(memory_moved_onto_memory_of_its_kind_replaces_that),
		TEST(new_memory_of_the_kind_that_moved_away_is_added),
		TEST(memory_with_other_permissions_and_none_of_its_pages_is_possibly_replaced),
		TEST(memory_that_grew_over_a_freed_range_is_possibly_replaced),
		TEST(copied_pages_do_not_speak_against_a_mapping),
		TEST(sysv_segment_with_id_zero_is_not_plain_memory),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
