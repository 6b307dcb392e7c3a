/* Which ranges reach beyond an address, against looking at all of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "name_ranges.h"

static uint32_t next_random(uint32_t *seed)
{
	*seed = *seed * 1664525 + 1013904223;
	return *seed >> 8;
}

enum { SPANS_MAX = 70 };

static size_t slow_next(const uint64_t *ends, size_t count, size_t from, uint64_t address)
{
	while (from < count && ends[from] <= address)
		from++;
	return from < count ? from : count;
}

static size_t slow_previous(const uint64_t *ends, size_t count, size_t below, uint64_t address)
{
	for (size_t i = below < count ? below : count; i-- > 0;)
		if (ends[i] > address)
			return i;
	return count;
}

static void next_and_previous_agree_with_looking_at_all(void **state)
{
	(void)state;
	uint32_t seed = 1;
	for (int round = 0; round < 3000; round++) {
		uint64_t ends[SPANS_MAX];
		struct name_ranges ranges;
		size_t count = next_random(&seed) % SPANS_MAX, at = next_random(&seed) % (count + 2);
		assert_int_equal(name_ranges_init(&ranges, count), 0);
		for (size_t i = 0; i < count; i++) {
			ends[i] = next_random(&seed) % 8 ? next_random(&seed) % 100 : UINT64_MAX;
			name_ranges_set(&ranges, i, ends[i]);
		}
		name_ranges_settle(&ranges);
		uint64_t address = next_random(&seed) % 10 ? next_random(&seed) % 100 : UINT64_MAX - 1;
		assert_int_equal(name_ranges_next(&ranges, at, address), slow_next(ends, count, at, address));
		assert_int_equal(name_ranges_previous(&ranges, at, address), slow_previous(ends, count, at, address));
		name_ranges_free(&ranges);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(next_and_previous_agree_with_looking_at_all) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
