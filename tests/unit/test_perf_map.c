/* The functions that a process made itself, by what it wrote of them. */
#define _GNU_SOURCE
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "perf_map.h"

static struct work unlimited = { .limit = WORK_UNLIMITED };

/* "start-end name" of all, joined by ", ". */
static void expect_len(const char *text, size_t len, const char *expected)
{
	struct perf_map map = { .items = NULL };
	char *copy = malloc(len + 1), found[4096] = "";
	memcpy(copy, text, len);
	assert_int_equal(perf_map_parse(copy, len, &unlimited, &map), VMSNAP_OK);
	for (size_t i = 0; i < map.count; i++)
		snprintf(found + strlen(found), sizeof(found) - strlen(found), "%s%" PRIx64 "-%" PRIx64 " %s",
		         i ? ", " : "", map.items[i].start, map.items[i].end, map.items[i].name);
	assert_string_equal(found, expected);
	perf_map_free(&map);
}

static void expect(const char *text, const char *expected)
{
	expect_len(text, strlen(text), expected);
}

static void lines_are_address_length_and_name(void **state)
{
	(void)state;
	expect("", "");
	expect("1000 20 f\n", "1000-1020 f");
	expect("00007F6A7C0A1560 30 void [app] A::b(int)\n0x1000 0x10 f\n",
	       "1000-1010 f, 7f6a7c0a1560-7f6a7c0a1590 void [app] A::b(int)");
}

static void what_is_no_line_is_passed_over(void **state)
{
	(void)state;
	expect("\n\n", "");
	expect("1000 0 empty\n1000 10 \n1000 10\n1000\nx 10 f\n 1000 10 f\n1000  10 f\n1000 10 good\n",
	       "1000-1010 good");
	expect("fffffffffffffff0 20 around\n", "");
	expect("10000000000000000 10 wide\n1000 10000000000000000 wide\n", "");
	expect("1000 10 f\n2000 10 being writ", "1000-1010 f");
	expect_len("1000 10 a\0b\n2000 10 c\n", 22, "1000-1010 a, 2000-2010 c");
}

static void what_came_later_is_in_the_place_of_what_came_before(void **state)
{
	(void)state;
	expect("1000 10 old\n1000 10 new\n", "1000-1010 new");
	expect("1000 100 old\n1010 10 new\n", "1010-1020 new");
	expect("1000 100 old\n1100 10 beside\n0ff0 10 before\n", "ff0-1000 before, 1000-1100 old, 1100-1110 beside");
	/* What the oldest had been overwritten with is gone, too: nobody knows what is there now. */
	expect("1030 10 oldest\n1000 100 old\n1010 10 new\n", "1010-1020 new");
	expect("1000 100 a\n1080 100 b\n1100 100 c\n", "1100-1200 c");
}

/* The same by trying each against each. */
static void agrees_with_the_slow_way(void **state)
{
	uint32_t random = 7;
	(void)state;
	for (int round = 0; round < 300; round++) {
		struct {
			uint64_t start, end;
		} all[40];
		char text[4096] = "", expected[4096] = "";
		size_t count = 1 + (size_t)round % 40;
		for (size_t i = 0; i < count; i++) {
			random = random * 1664525 + 1013904223;
			all[i].start = 0x1000 + (random >> 8) % 200;
			all[i].end = all[i].start + 1 + (random >> 20) % 30;
			snprintf(text + strlen(text), sizeof(text) - strlen(text), "%" PRIx64 " %" PRIx64 " f%zu\n",
			         all[i].start, all[i].end - all[i].start, i);
		}
		for (uint64_t at = 0x1000; at < 0x1100; at++)
			for (size_t i = 0; i < count; i++) {
				bool gone = all[i].start != at;
				for (size_t k = i + 1; k < count; k++)
					gone |= all[k].start < all[i].end && all[i].start < all[k].end;
				if (!gone)
					snprintf(expected + strlen(expected), sizeof(expected) - strlen(expected),
					         "%s%" PRIx64 "-%" PRIx64 " f%zu", *expected ? ", " : "", all[i].start,
					         all[i].end, i);
			}
		expect(text, expected);
	}
}

static void addresses_are_found(void **state)
{
	struct perf_map map = { .items = NULL };
	(void)state;
	char *text = strdup("1000 10 a\n1010 10 b\n2000 10 c\n");
	assert_int_equal(perf_map_parse(text, strlen(text), &unlimited, &map), VMSNAP_OK);
	assert_int_equal(perf_map_from(&map, 0), 0);
	assert_int_equal(perf_map_from(&map, 0x100f), 0);
	assert_int_equal(perf_map_from(&map, 0x1010), 1);
	assert_int_equal(perf_map_from(&map, 0x1020), 2);
	assert_int_equal(perf_map_from(&map, 0x2010), 3);
	perf_map_free(&map);
}

static void only_the_newest_of_very_many_are_kept(void **state)
{
	struct perf_map map = { .items = NULL };
	size_t lines = PERF_MAP_SYMBOLS_MAX + 10, len = 0;
	(void)state;
	char *text = malloc(lines * 16);
	for (size_t i = 0; i < lines; i++)
		len += (size_t)sprintf(text + len, "%zx 1 f\n", 0x1000 + i);
	assert_int_equal(perf_map_parse(text, len, &unlimited, &map), VMSNAP_OK);
	assert_int_equal(map.count, PERF_MAP_SYMBOLS_MAX);
	assert_int_equal(map.items[0].start, 0x1000 + 10);
	perf_map_free(&map);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_are_address_length_and_name),
		cmocka_unit_test(what_is_no_line_is_passed_over),
		cmocka_unit_test(what_came_later_is_in_the_place_of_what_came_before),
		cmocka_unit_test(agrees_with_the_slow_way),
		cmocka_unit_test(addresses_are_found),
		cmocka_unit_test(only_the_newest_of_very_many_are_kept),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
