/* Which spans reach beyond an address, against looking at all of them. */
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
		struct name_ranges spans;
		size_t count = next_random(&seed) % SPANS_MAX, at = next_random(&seed) % (count + 2);
		assert_int_equal(spans_init(&spans, count), 0);
		for (size_t i = 0; i < count; i++) {
			ends[i] = next_random(&seed) % 8 ? next_random(&seed) % 100 : UINT64_MAX;
			spans_set(&spans, i, ends[i]);
		}
		spans_settle(&spans);
		uint64_t address = next_random(&seed) % 10 ? next_random(&seed) % 100 : UINT64_MAX - 1;
		assert_int_equal(spans_next(&spans, at, address), slow_next(ends, count, at, address));
		assert_int_equal(spans_previous(&spans, at, address), slow_previous(ends, count, at, address));
		spans_free(&spans);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(next_and_previous_agree_with_looking_at_all) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
