/* test_page_stretches.c - pages that contents ask for, found in what was read as it would be in the runs that are made
 * of it. */
#include "test_diff_fixture.h"

#include "page_stretches.h"

enum { SPACE = 4000, ZERO_PFN = 7, PIECE = 500 };

/* Of one page, by its entry and the marks. */
static uint64_t expected_of(uint64_t entry, const bool *marked, uint64_t page)
{
	uint64_t kept = entry & (ENTRY_PRESENT | ENTRY_FLAG(VMSNAP_PAGE_FILE));
	bool zero = (entry & ENTRY_FRAME_MASK) == ZERO_PFN || marked[page];
	return entry & ENTRY_PRESENT ? kept | (zero ? ENTRY_FLAG(VMSNAP_PAGE_ZERO) : 0) : 0;
}

static uint64_t random_entry(uint64_t *random)
{
	switch (random_below(random, 12)) {
	case 0:
		return 0;
	case 1:
		return ENTRY_PRESENT | ZERO_PFN;
	case 2:
		return CACHED(100 + random_below(random, 1000));
	case 3:
		return SLOT(3);
	default:
		return OWNED(100 + random_below(random, 100000));
	}
}

/* A run; that of another piece is not continued. */
static void add_one(struct run_list *runs, uint64_t page, uint64_t entry, size_t floor)
{
	struct run *last = runs->count > floor ? &runs->items[runs->count - 1] : NULL;
	uint64_t pages = last ? run_pages(last) : 0;
	if (last && run_start(last) + pages * PAGE == PAGE_AT(page) &&
	    last->entry + pages * entry_step(last->entry) == entry) {
		last->head++;
		return;
	}
	if (runs->count == runs->capacity)
		assert_int_equal(run_list_reserve(runs, 2 * runs->count + 64, false), VMSNAP_OK);
	runs->items[runs->count++] = (struct run){ PAGE_AT(page), entry };
}

struct made {
	uint64_t entries[SPACE];
	bool marked[SPACE];
	struct run_list runs;
	struct pagemap_piece pieces[SPACE / PIECE + 1];
	struct page_region marks[SPACE];
	struct pagemap_found found;
};

/* Some pieces are runs of one list, others entries. */
static void make(struct made *made, uint64_t *random)
{
	size_t count = 0, marks = 0;
	memset(made, 0, sizeof(*made));
	for (uint64_t at = 0; at < SPACE;) {
		uint64_t entry = random_entry(random), end = at + 1 + random_below(random, 30);
		/* Each page that is the zero page has its frame. */
		uint64_t step = (entry & ENTRY_FRAME_MASK) == ZERO_PFN ? 0 : entry_step(entry);
		for (; at < end && at < SPACE; at++, entry += step)
			made->entries[at] = entry;
	}
	for (uint64_t at = 0; at < SPACE; at += PIECE) {
		struct pagemap_piece piece = { .first = at, .entries = &made->entries[at], .count = PIECE };
		if (random_below(random, 2)) {
			piece = (struct pagemap_piece){ .first = at, .list = &made->runs, .run = made->runs.count };
			for (uint64_t page = at; page < at + PIECE; page++)
				if (made->entries[page])
					add_one(&made->runs, page, made->entries[page], piece.run);
			piece.count = made->runs.count - piece.run;
		}
		made->pieces[count++] = piece;
	}
	for (uint64_t at = random_below(random, 500); at + 50 < SPACE; at += 50 + random_below(random, 500)) {
		uint64_t end = at + 1 + random_below(random, 49);
		made->marks[marks++] = (struct page_region){ PAGE_AT(at), PAGE_AT(end), SCAN_ZERO | SCAN_HUGE };
		for (uint64_t page = at; page < end; page++)
			made->marked[page] = true;
	}
	made->found = (struct pagemap_found){ .pieces = { made->pieces, count, count },
		                              .marks = { made->marks, marks, marks } };
}

static void they_are_what_each_page_is(void **state)
{
	static struct made made;
	uint64_t random = 5;
	(void)state;
	for (int round = 0; round < 300; round++) {
		make(&made, &random);
		struct page_stretches stretches = { .found = &made.found, .page_size = PAGE, .zero_pfn = ZERO_PFN };
		/* Mapping after mapping; not each begins where the one before it ends. */
		for (uint64_t start = 0, end; start < SPACE; start = end + random_below(&random, 3)) {
			end = start + 1 + random_below(&random, 300);
			struct page_stretch stretch;
			uint64_t at = start;
			while (page_stretches_next(&stretches, PAGE_AT(at), PAGE_AT(end), &stretch)) {
				assert_true(stretch.start >= PAGE_AT(at) && stretch.start < stretch.end);
				assert_true(stretch.end <= PAGE_AT(end));
				for (; PAGE_AT(at) < stretch.start; at++)
					assert_false(made.entries[at] & ENTRY_PRESENT);
				for (; PAGE_AT(at) < stretch.end; at++)
					assert_int_equal(stretch.entry, expected_of(made.entries[at], made.marked, at));
			}
			for (; at < end && at < SPACE; at++)
				assert_false(made.entries[at] & ENTRY_PRESENT);
		}
		run_list_free(&made.runs);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(they_are_what_each_page_is) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
