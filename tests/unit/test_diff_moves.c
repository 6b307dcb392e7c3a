/* test_diff_moves.c - memory that went elsewhere is followed, page by page, in
 * random address spaces. */
#include "test_diff_fixture.h"

#include "work.h"

enum { VMAS = 60, PLACES = 200, PLACE_PAGES = 32 };

/* One mapping: where it lies in A and in B, and its frames there. */
struct mapping {
	uint64_t from, to, pages; /* places: page / PLACE_PAGES */
	uint64_t file;            /* inode, 0: anonymous */
	uint64_t frames_a[PLACE_PAGES], frames_b[PLACE_PAGES];
};

struct layout {
	struct mapping mappings[VMAS];
	struct mapping *at_a[PLACES], *at_b[PLACES];
};

static uint64_t free_place(struct mapping *const *places, uint64_t *random)
{
	uint64_t place;
	do {
		place = random_below(random, PLACES);
	} while (places[place]);
	return place;
}

/* Frames are all different, and more than half of them stay with each mapping. */
static void random_frames(struct mapping *mapping, uint64_t index, uint64_t *random)
{
	for (uint64_t page = 0; page < mapping->pages; page++) {
		uint64_t frame = 1 + (index * PLACE_PAGES + page) * 2;
		bool changed = page % 3 == 2 && random_below(random, 2);
		mapping->frames_a[page] = page % 5 == 4 && random_below(random, 2) ? 0 : frame;
		mapping->frames_b[page] = changed ? 1000000 + frame : mapping->frames_a[page];
	}
}

static void random_layout(struct layout *layout, uint64_t *random)
{
	*layout = (struct layout){ 0 };
	for (uint64_t i = 0; i < VMAS; i++) {
		struct mapping *mapping = &layout->mappings[i];
		mapping->pages = 6 + random_below(random, PLACE_PAGES - 8); /* never touching the next place */
		mapping->file = random_below(random, 3) ? 0 : 50 + i;
		mapping->from = free_place(layout->at_a, random);
		layout->at_a[mapping->from] = mapping;
		random_frames(mapping, i, random);
	}
	/* Half of them go to a place that is free in both. */
	for (size_t i = 0; i < VMAS; i++) {
		struct mapping *mapping = &layout->mappings[i];
		mapping->to = mapping->from;
		while (i % 2 && layout->at_a[mapping->to])
			mapping->to = free_place(layout->at_b, random);
		layout->at_b[mapping->to] = mapping;
	}
}

static struct vmsnap *snap_of(struct mapping *const *places, bool is_b)
{
	struct vmsnap *snap = make_snap();
	for (uint64_t place = 0; place < PLACES; place++) {
		const struct mapping *mapping = places[place];
		if (!mapping)
			continue;
		uint64_t start = place * PLACE_PAGES;
		if (mapping->file)
			add_file(snap, start, start + mapping->pages, "rw-p", "/x", mapping->file, 3);
		else
			add_anon(snap, start, start + mapping->pages, "rw-p", "");
		const uint64_t *frames = is_b ? mapping->frames_b : mapping->frames_a;
		for (uint64_t page = 0; page < mapping->pages; page++)
			if (frames[page])
				add_pages(snap, start + page, 1, OWNED(frames[page]));
	}
	return snap;
}

static uint32_t expected_at(const struct layout *layout, uint64_t page)
{
	const struct mapping *mapping = layout->at_b[page / PLACE_PAGES];
	uint64_t offset = page % PLACE_PAGES;
	if (!mapping || offset >= mapping->pages)
		return 0;
	uint64_t a = mapping->frames_a[offset], b = mapping->frames_b[offset];
	if (a == b)
		return 0;
	return a ? 1u << VMSNAP_CHANGE_PFN_CHANGED : 1u << VMSNAP_CHANGE_APPEARED;
}

static void check_rows(const struct vmsnap_diff *diff, const struct layout *layout)
{
	struct vmsnap_diff_vma row;
	for (size_t i = 0; vmsnap_diff_vma(diff, i, &row) == VMSNAP_OK; i++) {
		assert_int_equal(row.change, VMSNAP_VMA_CHANGE_MOVED);
		const struct mapping *was = layout->at_a[row.a->start / PAGE_AT(PLACE_PAGES)];
		assert_ptr_equal(was, layout->at_b[row.b->start / PAGE_AT(PLACE_PAGES)]);
	}
	assert_int_equal(vmsnap_diff_vma_rows(diff, VMSNAP_VMA_CHANGE_MOVED), VMAS / 2);
}

static void pages_that_moved_are_compared_with_where_they_came_from(void **state)
{
	(void)state;
	uint64_t random = 1234567;
	struct layout layout;
	for (int round = 0; round < 40; round++) {
		random_layout(&layout, &random);
		struct vmsnap *a = snap_of(layout.at_a, false), *b = snap_of(layout.at_b, true);
		struct vmsnap_diff *diff = NULL;
		assert_int_equal(vmsnap_diff_new(a, b, &diff, NULL), VMSNAP_OK);
		check_rows(diff, &layout);
		struct vmsnap_diff_range range = { 0 };
		size_t index = 0;
		bool more = vmsnap_diff_range(diff, index, &range) == VMSNAP_OK;
		for (uint64_t page = 0; page <= PLACES * PLACE_PAGES; page++) {
			if (more && range.end <= PAGE_AT(page))
				more = vmsnap_diff_range(diff, ++index, &range) == VMSNAP_OK;
			uint32_t expected = page < PLACES * PLACE_PAGES ? expected_at(&layout, page) : 0;
			assert_int_equal(more && range.start <= PAGE_AT(page) ? range.changes : 0, expected);
		}
		assert_false(more);
		vmsnap_diff_free(diff);
		vmsnap_unref(a);
		vmsnap_unref(b);
	}
}

/* Pages merged by KSM have one frame at many addresses, of which none is the one
 * that moved; looking must neither find it nor take for ever. */
static void one_frame_everywhere_moves_nothing(void **state)
{
	(void)state;
	struct vmsnap *a = make_snap(), *b = make_snap();
	for (uint64_t i = 0; i < 20000; i++) {
		add_anon(a, 4 * i, 4 * i + 2, "rw-p", "");
		add_pages(a, 4 * i, 1, ANON(5));
		add_anon(b, 200000 + 4 * i, 200000 + 4 * i + 2, "rw-p", "");
		add_pages(b, 200000 + 4 * i, 1, ANON(5));
	}
	struct vmsnap_diff *diff = NULL;
	assert_int_equal(vmsnap_diff_new(a, b, &diff, NULL), VMSNAP_OK);
	assert_int_equal(vmsnap_diff_vma_rows(diff, VMSNAP_VMA_CHANGE_MOVED), 0);
	assert_int_equal(vmsnap_diff_vma_rows(diff, VMSNAP_VMA_CHANGE_REMOVED), 20000);
	assert_int_equal(vmsnap_diff_vma_rows(diff, VMSNAP_VMA_CHANGE_ADDED), 20000);
	vmsnap_diff_free(diff);
	vmsnap_unref(a);
	vmsnap_unref(b);
}

static bool count_questions(void *ctx)
{
	++*(size_t *)ctx;
	return false;
}

/* Each of many parts may be all of another, and whether it is takes a look at all of its
 * runs: the questions count the looks. */
static void looking_for_moves_grows_with_runs_not_with_their_product(void **state)
{
	(void)state;
	enum { PAGES = 1 << 16, PARTS = 1 << 9 };
	struct vmsnap *a = make_snap(), *b = make_snap();
	add_anon(a, PAGES, 2 * PAGES, "rw-p", "");
	for (uint64_t i = 0; i < PAGES; i++)
		add_pages(a, PAGES + i, 1, ANON(4096 + 2 * i % 4096));
	for (uint64_t i = 0; i < PARTS; i++) {
		uint64_t start = 4 * PAGES + i * (PAGES + 1);
		add_anon(b, start, start + PAGES, "rw-p", "");
		add_pages(b, start + PAGES / 2, 1, ANON(4096 + 2 * i));
	}
	size_t questions = 0;
	struct vmsnap_compare_options options = { .size = sizeof(options),
		                                  .cancelled = count_questions,
		                                  .cancel_ctx = &questions };
	struct vmsnap_diff *diff;
	assert_int_equal(vmsnap_diff_new_with(a, b, &options, &diff, NULL), VMSNAP_OK);
	assert_true(questions && questions < 100 * (PAGES + 2 * PARTS) / WORK_STEPS);
	vmsnap_diff_free(diff);
	vmsnap_unref(a);
	vmsnap_unref(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pages_that_moved_are_compared_with_where_they_came_from),
		cmocka_unit_test(one_frame_everywhere_moves_nothing),
		cmocka_unit_test(looking_for_moves_grows_with_runs_not_with_their_product),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
