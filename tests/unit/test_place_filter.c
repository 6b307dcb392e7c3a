/* A filter of frames never denies what it was given, and mostly denies what it was not. */
#include "place_filter.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct place_filter begin(uint64_t pages)
{
	struct work work = { .limit = WORK_UNLIMITED };
	struct place_filter filter;
	assert_int_equal(place_filter_begin(&filter, pages, &work), VMSNAP_OK);
	return filter;
}

static void end(struct place_filter *filter)
{
	struct work work = { .limit = WORK_UNLIMITED, .used = UINT32_MAX };
	place_filter_free(filter, &work);
}

static void what_was_added_is_found_whole_and_in_part(void **state)
{
	static const uint64_t starts[] = {
		0, 1, 63, 64, 4095, 1u << 20, UINT64_C(1) << 63 | 5, (UINT64_C(1) << 55) - 1
	};
	static const uint64_t lengths[] = { 1, 2, 63, 64, 65, 512, 4096 };
	(void)state;
	for (size_t i = 0; i < sizeof(starts) / sizeof(*starts); i++)
		for (size_t j = 0; j < sizeof(lengths) / sizeof(*lengths); j++) {
			struct place_filter filter = begin(lengths[j]);
			uint64_t last = starts[i] + lengths[j] - 1;
			place_filter_add(&filter, starts[i], lengths[j]);
			assert_true(place_filter_maybe(&filter, starts[i], 1));
			assert_true(place_filter_maybe(&filter, last, 1));
			assert_true(place_filter_maybe(&filter, last, 4096));
			assert_true(place_filter_maybe(&filter, starts[i] + lengths[j] / 2, 1));
			if (starts[i] >= 10)
				assert_true(place_filter_maybe(&filter, starts[i] - 10, 11));
			end(&filter);
		}
}

static void what_was_not_added_is_mostly_denied(void **state)
{
	struct place_filter filter = begin(1000);
	uint64_t place = 1, maybe = 0;
	(void)state;
	for (int i = 0; i < 1000; i++, place = place * UINT64_C(6364136223846793005) + 1)
		place_filter_add(&filter, place >> 20, 1);
	for (int i = 0; i < 10000; i++, place = place * UINT64_C(6364136223846793005) + 1)
		maybe += place_filter_maybe(&filter, place >> 20, 1);
	assert_in_range(maybe, 0, 2000);
	assert_false(place_filter_maybe(&filter, 0, 0));
	end(&filter);
}

static void one_of_endless_pages_takes_no_more_memory_than_eight_mib(void **state)
{
	struct place_filter filter = begin(UINT64_MAX);
	(void)state;
	assert_int_equal(filter.count * sizeof(*filter.words), 8 << 20);
	end(&filter);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_added_is_found_whole_and_in_part),
		cmocka_unit_test(what_was_not_added_is_mostly_denied),
		cmocka_unit_test(one_of_endless_pages_takes_no_more_memory_than_eight_mib),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
