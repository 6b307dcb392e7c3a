/* test_writes.c - which pages were written from one snapshot to another, by tracking and by what they hold. */
#include "test_diff_fixture.h"

#define WRITTEN (1u << VMSNAP_CHANGE_WRITTEN)

/* Eight pages of a process's own, at a time; tracked since another one, if that is not 0. */
static struct vmsnap *snap_at(int64_t when, int64_t since)
{
	struct vmsnap *snap = make_snap();
	snap->info.pid = 42;
	snap->info.monotonic = when;
	snap->info.written_since = since;
	snap->info.known.written = since ? VMSNAP_WRITTEN_SOFT_DIRTY : VMSNAP_WRITTEN_UNKNOWN;
	snap->layers[VMSNAP_LAYER_WRITTEN].known = since;
	add_anon(snap, 10, 20, "rw-p", "[heap]");
	add_pages(snap, 10, 8, OWNED(100));
	return snap;
}

static void was(struct vmsnap *snap, uint64_t page, int written)
{
	struct layer *layer = &snap->layers[VMSNAP_LAYER_WRITTEN];
	assert_int_equal(layer_append(layer, PAGE_AT(page), PAGE_AT(page + 1), (uint64_t)written), VMSNAP_OK);
}

/* A letter for each page that is there: w written, ? not known, . not written; told once by the diff and page by
 * page. */
static void expect(const struct vmsnap *a, const struct vmsnap *b, const struct vmsnap *between, const char *pages)
{
	const struct vmsnap *all[] = { a, between, b };
	const struct vmsnap_compare_options options = { .size = sizeof(options),
		                                        .between = between ? all : NULL,
		                                        .between_count = between ? 3 : 0 };
	struct vmsnap_diff *diff;
	struct vmsnap_diff_range range = { 0 };
	uint64_t unknown = 0;
	size_t next = 0;
	assert_int_equal(vmsnap_diff_new_with(a, b, &options, &diff, NULL), VMSNAP_OK);
	for (uint64_t i = 0; pages[i]; i++) {
		struct vmsnap_page_diff page;
		assert_int_equal(vmsnap_page_compare(a, b, PAGE_AT(10 + i), &options, &page, NULL), VMSNAP_OK);
		assert_int_equal(page.changes & WRITTEN, pages[i] == 'w' ? WRITTEN : 0);
		assert_int_equal(page.writes_unknown, pages[i] == '?');
		while (range.end <= PAGE_AT(10 + i) && !vmsnap_diff_range(diff, next, &range))
			next++;
		bool here = range.start <= PAGE_AT(10 + i) && PAGE_AT(10 + i) < range.end;
		assert_int_equal(here && range.changes & WRITTEN, pages[i] == 'w');
		unknown += pages[i] == '?';
	}
	assert_int_equal(vmsnap_diff_total(diff, VMSNAP_TOTAL_WRITTEN_UNKNOWN), unknown);
	vmsnap_diff_free(diff);
}

static void layer_tells_since_the_snapshot_that_it_is_of(void **state)
{
	(void)state;
	struct vmsnap *a = snap_at(10, 0), *between = snap_at(15, 0), *b = snap_at(20, 10), *c = snap_at(30, 20);
	was(b, 11, VMSNAP_PAGE_WAS_WRITTEN);
	was(b, 12, VMSNAP_PAGE_MAYBE_WRITTEN);
	was(c, 10, VMSNAP_PAGE_WAS_WRITTEN);
	expect(a, b, NULL, ".w?.....");
	expect(b, c, NULL, "w.......");
	/* Since B something is known; of what was before nothing, */
	expect(a, c, NULL, "w???????");
	/* unless B is given. */
	expect(a, c, b, "ww?.....");
	/* Tracked since before that one: perhaps it was written before. */
	expect(between, b, NULL, "????????");
	expect(between, c, b, "w???????");
	expect(b, a, NULL, "????????");
	vmsnap_unref(a);
	vmsnap_unref(between);
	vmsnap_unref(b);
	vmsnap_unref(c);
}

static void layer_of_another_process_or_boot_tells_nothing(void **state)
{
	(void)state;
	struct vmsnap *a = snap_at(10, 0), *b = snap_at(20, 10);
	was(b, 11, VMSNAP_PAGE_WAS_WRITTEN);
	a->info.pid = 43;
	expect(a, b, NULL, "????????");
	a->info.pid = 42;
	a->info.boot_id = "another";
	expect(a, b, NULL, "????????");
	a->info.boot_id = b->info.boot_id;
	expect(a, b, NULL, ".w......");
	vmsnap_unref(a);
	vmsnap_unref(b);
}

/* What pages hold is asked first: the same may have been written to them. */
static void contents_come_before_tracking(void **state)
{
	(void)state;
	struct vmsnap *a = snap_at(10, 0), *b = snap_at(20, 10);
	was(b, 11, VMSNAP_PAGE_WAS_WRITTEN);
	was(b, 12, VMSNAP_PAGE_WAS_WRITTEN);
	for (uint64_t page = 10; page < 12; page++) {
		add_contents(a, NULL, page, 1);
		add_contents(b, NULL, page, page == 10 ? 2 : 1);
	}
	expect(a, b, NULL, "w.w.....");
	vmsnap_unref(a);
	vmsnap_unref(b);
}

static bool count_asked(void *ctx)
{
	++*(uint64_t *)ctx;
	return false;
}

static uint64_t asked_in(const struct vmsnap *a, const struct vmsnap *b, uint64_t written, uint64_t unknown)
{
	uint64_t asked = 0;
	struct vmsnap_compare_options options = { .size = sizeof(options),
		                                  .cancelled = count_asked,
		                                  .cancel_ctx = &asked };
	struct vmsnap_diff *diff;
	assert_int_equal(vmsnap_diff_new_with(a, b, &options, &diff, NULL), VMSNAP_OK);
	assert_int_equal(vmsnap_diff_pages(diff, VMSNAP_CHANGE_WRITTEN), written);
	assert_int_equal(vmsnap_diff_total(diff, VMSNAP_TOTAL_WRITTEN_UNKNOWN), unknown);
	vmsnap_diff_free(diff);
	return asked;
}

/* The same in all of them. */
static void add_same_contents(struct vmsnap *snap, uint64_t page, uint64_t end)
{
	uint32_t number = snap->contents.pages[0];
	for (; page < end; page++) {
		store_hold(snap->contents.store, &number, 1);
		assert_int_equal(contents_add(&snap->contents, PAGE, PAGE_AT(page), number), VMSNAP_OK);
	}
}

/* Where what pages hold is the same, or nobody kept it, equal states are passed over many at a time, as they are
 * without contents.  No frame follows the one before it: each page is a run. */
static void what_holds_the_same_is_not_looked_at_page_by_page(void **state)
{
	enum { FIRST = 10, CHANGED = 200000, KEPT = 400000, PAGES = 500000, ASKED_FEW = 3 };
	(void)state;
	struct vmsnap_store *store;
	assert_int_equal(vmsnap_store_new(&store, NULL), VMSNAP_OK);
	struct vmsnap *both[2] = { make_snap(), make_snap() };
	for (int side = 0; side < 2; side++) {
		struct vmsnap *snap = both[side];
		snap->info.monotonic = 10 + side;
		add_anon(snap, FIRST, FIRST + PAGES, "rw-p", "");
		for (uint64_t page = 0; page < PAGES; page++)
			add_pages(snap, FIRST + page, 1, OWNED(100 + 2 * page));
		add_contents(snap, store, FIRST, 0);
		add_same_contents(snap, FIRST + 1, FIRST + CHANGED);
		add_contents(snap, store, FIRST + CHANGED, (unsigned char)(1 + side));
		add_same_contents(snap, FIRST + CHANGED + 1, FIRST + KEPT);
	}
	assert_in_range(asked_in(both[0], both[1], 1, PAGES - KEPT), 0, ASKED_FEW);
	vmsnap_unref(both[0]);
	vmsnap_unref(both[1]);
	vmsnap_store_unref(store);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(layer_tells_since_the_snapshot_that_it_is_of),
		cmocka_unit_test(layer_of_another_process_or_boot_tells_nothing),
		cmocka_unit_test(contents_come_before_tracking),
		cmocka_unit_test(what_holds_the_same_is_not_looked_at_page_by_page),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
