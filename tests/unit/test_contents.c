/* What pages hold: kept once, written, read again, and nothing believed of a file that is damaged. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "contents.h"
#include "store.h"
#include "vmsnap.h"

enum { PAGE = 4096, PAGES = 40 };
#define START UINT64_C(0x10000000)

static void fill(uint8_t *page, unsigned seed)
{
	for (size_t i = 0; i < PAGE; i++)
		page[i] = (uint8_t)(seed + i * 7 + (i * i >> 5));
}

/* A process with PAGES pages, of which each holds what its seed says; 0: not known. */
static struct vmsnap *make(struct vmsnap_store *store, int64_t monotonic, const unsigned seeds[PAGES])
{
	struct vmsnap_info info = { .pid = 7, .tgid = 7, .start_time = 5, .page_size = PAGE, .monotonic = monotonic };
	struct vmsnap_vma vma = { .start = START, .end = START + PAGES * PAGE, .perms = 3, .name = "" };
	struct vmsnap_run run = { .start = vma.start, .end = vma.end, .pfn = 100, .flags = VMSNAP_PAGE_PRESENT };
	struct vmsnap_builder *builder;
	struct vmsnap *snap;
	uint8_t page[PAGE];
	assert_int_equal(vmsnap_builder_new(&info, &builder, NULL), VMSNAP_OK);
	assert_int_equal(vmsnap_builder_add_vma(builder, &vma, NULL), VMSNAP_OK);
	assert_int_equal(vmsnap_builder_add_run(builder, &run, NULL), VMSNAP_OK);
	for (size_t i = 0; i < PAGES; i++) {
		fill(page, seeds[i]);
		/* A small change of what it was. */
		if (seeds[i] >= 1000) {
			fill(page, seeds[i] / 1000);
			page[seeds[i] % 1000] ^= 0xff;
		}
		if (seeds[i])
			assert_int_equal(
			        vmsnap_builder_add_contents(builder, store, START + i * PAGE, page, PAGE, NULL),
			        VMSNAP_OK);
	}
	assert_int_equal(vmsnap_builder_finish(builder, &snap, NULL), VMSNAP_OK);
	vmsnap_builder_free(builder);
	return snap;
}

static void check_page(const struct vmsnap *snap, size_t index, unsigned seed)
{
	uint8_t page[PAGE], found[PAGE], hash[VMSNAP_CONTENTS_HASH_SIZE];
	size_t got;
	struct vmsnap_error err;
	int rc = vmsnap_contents_read(snap, START + index * PAGE, found, PAGE, &got, &err);
	assert_int_equal(rc, seed ? VMSNAP_OK : VMSNAP_ERR_NOT_FOUND);
	if (!seed)
		return;
	fill(page, seed < 1000 ? seed : seed / 1000);
	if (seed >= 1000)
		page[seed % 1000] ^= 0xff;
	assert_int_equal(got, PAGE);
	assert_memory_equal(found, page, PAGE);
	struct page_hash expected = page_hash_of(page, PAGE);
	assert_int_equal(vmsnap_contents_hash(snap, START + index * PAGE, hash), VMSNAP_OK);
	struct page_hash told = page_hash_read(hash);
	assert_true(told.low == expected.low && told.high == expected.high);
}

static void check(const struct vmsnap *snap, const unsigned seeds[PAGES])
{
	for (size_t i = 0; i < PAGES; i++)
		check_page(snap, i, seeds[i]);
}

static void seeds_of(unsigned seeds[PAGES], unsigned from)
{
	for (unsigned i = 0; i < PAGES; i++)
		seeds[i] = i % 10 == 9 ? 0 : from + i % 20;
}

static char path[] = "/tmp/vmsnap-contents-XXXXXX";

static int make_path(void **state)
{
	(void)state;
	int fd = mkstemp(path);
	return fd < 0 ? -1 : close(fd);
}

static int remove_path(void **state)
{
	(void)state;
	return unlink(path);
}

static void equal_pages_are_kept_once_and_go_with_the_last_who_has_them(void **state)
{
	(void)state;
	unsigned seeds[PAGES];
	struct vmsnap_store *store;
	assert_int_equal(vmsnap_store_new(&store, NULL), VMSNAP_OK);
	seeds_of(seeds, 1);
	struct vmsnap *a = make(store, 1, seeds);
	assert_int_equal(vmsnap_store_pages(store), 18); /* 20 less the two that are not known */
	seeds[0] = 500;
	struct vmsnap *b = make(store, 2, seeds);
	assert_int_equal(vmsnap_store_pages(store), 19);
	check(b, seeds);
	uint64_t start, end;
	bool differ;
	assert_int_equal(vmsnap_contents_compare(a, b, 0, &start, &end, &differ), VMSNAP_OK);
	assert_true(differ && start == START && end == START + PAGE);
	assert_int_equal(vmsnap_contents_compare(a, b, end, &start, &end, &differ), VMSNAP_OK);
	assert_true(!differ && start == START + PAGE && end == START + 9 * PAGE);
	vmsnap_unref(b);
	assert_int_equal(vmsnap_store_pages(store), 18);
	vmsnap_unref(a);
	assert_int_equal(vmsnap_store_pages(store), 0);
	vmsnap_store_unref(store);
}

/* More than is written at once, and what still waits to be. */
static void a_spool_gives_back_what_was_set_aside(void **state)
{
	(void)state;
	enum { SNAPSHOTS = 6 };
	unsigned seeds[SNAPSHOTS][PAGES];
	struct vmsnap *snaps[SNAPSHOTS];
	struct vmsnap_store *store;
	assert_int_equal(vmsnap_store_new(&store, NULL), VMSNAP_OK);
	if (vmsnap_store_spool(store, "/tmp", NULL)) {
		vmsnap_store_unref(store);
		skip();
	}
	for (unsigned i = 0; i < SNAPSHOTS; i++) {
		seeds_of(seeds[i], 1 + 20 * i);
		snaps[i] = make(store, i + 1, seeds[i]);
	}
	for (unsigned i = 0; i < SNAPSHOTS; i++)
		check(snaps[i], seeds[i]);
	for (unsigned i = 0; i < SNAPSHOTS; i++)
		vmsnap_unref(snaps[i]);
	assert_int_equal(vmsnap_store_pages(store), 0);
	vmsnap_store_unref(store);
}

static void many_pages_at_once_are_those_put_one_by_one(void **state)
{
	(void)state;
	enum { COUNT = 32 };
	static char bytes[COUNT * PAGE];
	struct page_hash hashes[COUNT];
	uint32_t numbers[COUNT], number;
	struct vmsnap_store *store;
	uint8_t found[PAGE];
	assert_int_equal(vmsnap_store_new(&store, NULL), VMSNAP_OK);
	for (unsigned i = 0; i < COUNT; i++) {
		fill((uint8_t *)bytes + (size_t)i * PAGE, i % 20);
		hashes[i] = page_hash_of(bytes + (size_t)i * PAGE, PAGE);
	}
	assert_int_equal(store_put(store, &hashes[3], bytes + 3 * PAGE, PAGE, &number), VMSNAP_OK);
	assert_int_equal(store_put_all(store, hashes, bytes, PAGE, COUNT, numbers), VMSNAP_OK);
	assert_int_equal(vmsnap_store_pages(store), 20);
	assert_int_equal(numbers[3], number);
	for (unsigned i = 0; i < COUNT; i++) {
		assert_int_equal(store_read(store, numbers[i], found, PAGE, NULL), VMSNAP_OK);
		assert_memory_equal(found, bytes + (size_t)i * PAGE, PAGE);
	}
	store_let_go(store, numbers, COUNT);
	assert_int_equal(vmsnap_store_pages(store), 1);
	store_let_go(store, &number, 1);
	assert_int_equal(vmsnap_store_pages(store), 0);
	vmsnap_store_unref(store);
}

static void hashes_are_those_of_xxh3(void **state)
{
	(void)state;
	/* xxhsum -H2 of nothing, and of 4096 zeros. */
	uint8_t zeros[PAGE] = { 0 }, bytes[VMSNAP_CONTENTS_HASH_SIZE];
	static const uint8_t of_nothing[] = { 0x99, 0xaa, 0x06, 0xd3, 0x01, 0x47, 0x98, 0xd8,
		                              0x60, 0x01, 0xc3, 0x24, 0x46, 0x8d, 0x49, 0x7f };
	struct page_hash hash = page_hash_of(zeros, 0);
	page_hash_canonical(&hash, bytes);
	assert_memory_equal(bytes, of_nothing, sizeof(bytes));
}

static void a_file_gives_back_what_was_saved(void **state)
{
	(void)state;
	enum { SNAPS = 24 };
	unsigned seeds[SNAPS][PAGES];
	struct vmsnap *snaps[SNAPS];
	for (unsigned i = 0; i < SNAPS; i++) {
		if (i)
			memcpy(seeds[i], seeds[i - 1], sizeof(seeds[i]));
		else
			seeds_of(seeds[i], 1);
		/* One changes a little, one wholly, one goes, one comes back. */
		seeds[i][i] = seeds[i][i] && seeds[i][i] < 1000 ? seeds[i][i] * 1000 + i : 33;
		seeds[i][39 - i] = i % 3 ? 100 + i : 0;
		snaps[i] = make(NULL, i + 1, seeds[i]);
	}
	for (unsigned half = 0; half < 2; half++) /* some at once, some one by one */
		for (unsigned i = half ? SNAPS / 2 : 0; i < (half ? SNAPS : 1); i++)
			assert_int_equal(vmsnap_save(path, (const struct vmsnap *const *)&snaps[i],
			                             half ? 1 : SNAPS / 2, half ? VMSNAP_SAVE_APPEND : 0, NULL),
			                 VMSNAP_OK);
	struct vmsnap_file *file;
	struct vmsnap *loaded[SNAPS];
	assert_int_equal(vmsnap_file_open(path, NULL, &file, NULL), VMSNAP_OK);
	assert_int_equal(vmsnap_file_count(file), SNAPS);
	for (unsigned i = 0; i < SNAPS; i++)
		assert_int_equal(vmsnap_file_load(file, SNAPS - 1 - i, &loaded[SNAPS - 1 - i], NULL), VMSNAP_OK);
	vmsnap_file_close(file);
	for (unsigned i = 0; i < SNAPS; i++) {
		check(loaded[i], seeds[i]);
		vmsnap_unref(loaded[i]);
		vmsnap_unref(snaps[i]);
	}
}

static void what_is_left_out_is_not_in_the_file(void **state)
{
	(void)state;
	unsigned seeds[PAGES];
	seeds_of(seeds, 1);
	struct vmsnap *snap = make(NULL, 1, seeds), *loaded;
	struct vmsnap_file *file;
	assert_int_equal(vmsnap_save(path, (const struct vmsnap *const *)&snap, 1, VMSNAP_SAVE_NO_CONTENTS, NULL),
	                 VMSNAP_OK);
	assert_int_equal(vmsnap_file_open(path, NULL, &file, NULL), VMSNAP_OK);
	assert_int_equal(vmsnap_file_load(file, 0, &loaded, NULL), VMSNAP_OK);
	assert_int_equal(vmsnap_contents_kind(loaded), VMSNAP_CONTENTS_NONE);
	vmsnap_file_close(file);
	vmsnap_unref(loaded);
	vmsnap_unref(snap);
}

/* Reads all that a file says its pages hold; whatever is said, nothing happens. */
static void read_all(const uint8_t *bytes, size_t len)
{
	struct vmsnap_limits limits = { .size = sizeof(limits), .memory = 64 << 20 };
	struct vmsnap_file *file;
	struct vmsnap *snap;
	if (vmsnap_file_open_memory(bytes, len, &limits, &file, NULL))
		return;
	for (size_t i = 0; i < vmsnap_file_count(file); i++) {
		uint8_t page[PAGE];
		size_t got;
		if (vmsnap_file_load(file, i, &snap, NULL))
			continue;
		for (size_t k = 0; k < PAGES; k++)
			(void)vmsnap_contents_read(snap, START + k * PAGE, page, PAGE, &got, NULL);
		vmsnap_unref(snap);
	}
	vmsnap_file_close(file);
}

static void damage_is_told_wherever_it_is(void **state)
{
	(void)state;
	unsigned seeds[PAGES];
	struct vmsnap *snaps[3];
	seeds_of(seeds, 1);
	for (unsigned i = 0; i < 3; i++) {
		snaps[i] = make(NULL, i + 1, seeds);
		seeds[i] = seeds[i] * 1000 + 5;
	}
	assert_int_equal(vmsnap_save(path, (const struct vmsnap *const *)snaps, 3, 0, NULL), VMSNAP_OK);
	static uint8_t bytes[1 << 20], spoiled[1 << 20];
	int fd = open(path, O_RDONLY);
	size_t len = (size_t)read(fd, bytes, sizeof(bytes));
	close(fd);
	assert_true(len > 1000 && len < sizeof(bytes));
	for (size_t at = 0; at < len; at += 3) {
		memcpy(spoiled, bytes, len);
		spoiled[at] ^= (uint8_t)(1u << at % 8);
		read_all(spoiled, len);
		read_all(bytes, at);
	}
	for (unsigned i = 0; i < 3; i++)
		vmsnap_unref(snaps[i]);
}

static void pages_must_be_whole_and_in_order(void **state)
{
	(void)state;
	struct vmsnap_info info = { .page_size = PAGE };
	struct vmsnap_builder *builder;
	uint8_t page[PAGE] = { 0 };
	assert_int_equal(vmsnap_builder_new(&info, &builder, NULL), VMSNAP_OK);
	assert_int_equal(vmsnap_builder_add_contents(builder, NULL, START, page, 100, NULL), VMSNAP_ERR_ARGUMENT);
	assert_int_equal(vmsnap_builder_add_contents(builder, NULL, START, page, PAGE, NULL), VMSNAP_OK);
	assert_int_equal(vmsnap_builder_add_contents(builder, NULL, START, page, PAGE, NULL), VMSNAP_ERR_ARGUMENT);
	vmsnap_builder_free(builder);
}

/* Contents with the pages that text has, "ab.c": of what each letter stands for; '.': none. */
static struct contents of_text(struct vmsnap_store *store, const char *text)
{
	struct contents contents = { .store = vmsnap_store_ref(store), .bytes = true };
	uint8_t page[PAGE];
	for (size_t i = 0; text[i]; i++) {
		if (text[i] == '.')
			continue;
		uint32_t number;
		fill(page, (unsigned)text[i]);
		struct page_hash hash = page_hash_of(page, PAGE);
		assert_int_equal(store_put(store, &hash, page, PAGE, &number), VMSNAP_OK);
		assert_int_equal(contents_add(&contents, PAGE, START + i * PAGE, number), VMSNAP_OK);
	}
	return contents;
}

static void check_text(const struct contents *contents, const char *text)
{
	uint8_t page[PAGE], found[PAGE];
	for (size_t i = 0; text[i]; i++) {
		uint32_t number = contents_page(contents, PAGE, START + i * PAGE);
		assert_int_equal(number != STORE_NO_PAGE, text[i] != '.');
		fill(page, (unsigned)text[i]);
		if (number && !store_read(contents->store, number, found, PAGE, NULL))
			assert_memory_equal(found, page, PAGE);
	}
}

static void contents_that_were_read_later_win_and_nothing_is_held_twice(void **state)
{
	(void)state;
	static const struct {
		const char *older, *newer, *joined;
	} cases[] = {
		{ "abc", "...", "abc" },          { "...", "abc", "abc" },   { "abc", ".x.", "axc" },
		{ "ab..ef", "..cd..", "abcdef" }, { "a.c", ".b.d", "abcd" }, { "a.c.e", "xyxyx", "xyxyx" },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct vmsnap_store *store;
		assert_int_equal(vmsnap_store_new(&store, NULL), VMSNAP_OK);
		for (int renew = 0; renew < 2; renew++) {
			struct contents older = of_text(store, cases[i].older), newer = of_text(store, cases[i].newer);
			if (renew)
				contents_renew(&older, PAGE, &newer);
			assert_int_equal(contents_join(&older, PAGE, &older, &newer, NULL), VMSNAP_OK);
			check_text(&older, cases[i].joined);
			assert_null(newer.store);
			contents_free(&older);
			assert_int_equal(vmsnap_store_pages(store), 0);
		}
		vmsnap_store_unref(store);
	}
}

static void contents_that_are_forgotten_or_outside_are_gone(void **state)
{
	(void)state;
	struct vmsnap_store *store;
	struct vmsnap_layer_range ranges[] = { { START + PAGE, START + 3 * PAGE, 1 },
		                               { START + 5 * PAGE, START + 9 * PAGE, 1 } };
	struct layer within = { .items = ranges, .count = 2 };
	assert_int_equal(vmsnap_store_new(&store, NULL), VMSNAP_OK);
	struct contents older = of_text(store, "abc.efgh"), newer = of_text(store, ".....x..y");
	contents_forget(&older, PAGE, START, START + 2 * PAGE);
	contents_forget(&older, PAGE, START + 3 * PAGE, START + 5 * PAGE);
	check_text(&older, "..c..fgh");
	assert_int_equal(contents_join(&older, PAGE, &older, &newer, &within), VMSNAP_OK);
	check_text(&older, "..c..xghy");
	assert_int_equal(older.page_count, 5);
	contents_free(&older);
	assert_int_equal(vmsnap_store_pages(store), 0);
	vmsnap_store_unref(store);
}

/* ---- hashes that a file states on purpose ---- */

static struct page_hash all_equal_above(uint64_t i)
{
	return (struct page_hash){ .low = UINT64_C(0x12345678) << 32 | i, .high = i };
}

static struct page_hash all_equal_below(uint64_t i)
{
	return (struct page_hash){ .low = i << 32, .high = 7 };
}

static struct page_hash equal_in_one_half(uint64_t i)
{
	return (struct page_hash){ .low = 5, .high = i << 44 };
}

static struct page_hash equal_in_the_other_half(uint64_t i)
{
	return (struct page_hash){ .low = i * UINT64_C(0x9e3779b97f4a7c15), .high = 0 };
}

static struct page_hash equal_in_their_sum(uint64_t i)
{
	return (struct page_hash){ .low = i, .high = 0 - i };
}

/* What is held in the end, when every second one was let go again. */
static uint64_t steps_of(struct page_hash (*hash_of)(uint64_t i), uint64_t count)
{
	struct vmsnap_store *store;
	assert_int_equal(vmsnap_store_new(&store, NULL), VMSNAP_OK);
	for (uint64_t i = 0; i < 2 * count; i++) {
		struct page_hash hash = hash_of(i), found;
		uint32_t number;
		assert_int_equal(store_put(store, &hash, NULL, PAGE, &number), VMSNAP_OK);
		found = store_hash(store, number);
		assert_memory_equal(&found, &hash, sizeof(hash));
		if (i % 2)
			store_let_go(store, &number, 1);
	}
	uint64_t steps = store_steps(store);
	assert_int_equal(vmsnap_store_pages(store), count);
	vmsnap_store_unref(store);
	return steps;
}

/* By chance each takes 1.5 where three quarters of the places are taken; all in one place, half of COUNT. */
static void hashes_made_to_meet_are_found_in_a_few_steps(void **state)
{
	(void)state;
	enum { COUNT = 20000, MOST = 4 };
	struct page_hash (*const hashes[])(uint64_t) = { all_equal_above, all_equal_below, equal_in_one_half,
		                                         equal_in_the_other_half, equal_in_their_sum };
	for (size_t i = 0; i < sizeof(hashes) / sizeof(hashes[0]); i++) {
		uint64_t steps = steps_of(hashes[i], COUNT);
		if (steps > MOST * COUNT)
			fail_msg("hashes %zu: %llu steps to %d", i, (unsigned long long)steps, COUNT);
	}
}

/* Else whoever makes a file would find out which hashes meet. */
static void where_a_hash_goes_is_another_place_in_each_store(void **state)
{
	(void)state;
	enum { STORES = 16, COUNT = 2000 };
	uint64_t first = steps_of(equal_in_their_sum, COUNT);
	bool differs = false;
	for (int i = 1; i < STORES; i++)
		differs |= steps_of(equal_in_their_sum, COUNT) != first;
	assert_true(differs);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(equal_pages_are_kept_once_and_go_with_the_last_who_has_them),
		cmocka_unit_test(a_spool_gives_back_what_was_set_aside),
		cmocka_unit_test(many_pages_at_once_are_those_put_one_by_one),
		cmocka_unit_test(hashes_are_those_of_xxh3),
		cmocka_unit_test(a_file_gives_back_what_was_saved),
		cmocka_unit_test(what_is_left_out_is_not_in_the_file),
		cmocka_unit_test(damage_is_told_wherever_it_is),
		cmocka_unit_test(pages_must_be_whole_and_in_order),
		cmocka_unit_test(contents_that_were_read_later_win_and_nothing_is_held_twice),
		cmocka_unit_test(contents_that_are_forgotten_or_outside_are_gone),
		cmocka_unit_test(hashes_made_to_meet_are_found_in_a_few_steps),
		cmocka_unit_test(where_a_hash_goes_is_another_place_in_each_store),
	};
	return cmocka_run_group_tests(tests, make_path, remove_path);
}
