/* Sorting by numbers, against sorting by comparing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "radix.h"

enum { MOST = 3000 };

static int by_key(const void *x, const void *y, const void *ctx)
{
	const struct keyed *a = x, *b = y;
	(void)ctx;
	return (a->key > b->key) - (a->key < b->key);
}

static uint64_t next(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * UINT64_C(2685821657736338717);
}

static void check(size_t count, uint64_t mask, uint64_t above, uint64_t *random)
{
	struct work work = { .limit = WORK_UNLIMITED };
	struct keyed *items = calloc(MOST, sizeof(*items)), *spare = calloc(MOST, sizeof(*spare)), expected[MOST];
	assert_true(items && spare);
	for (size_t i = 0; i < count; i++)
		items[i] = (struct keyed){ (next(random) & mask) + above, i };
	memcpy(expected, items, count * sizeof(*items));
	assert_int_equal(work_sort(&work, expected, count, sizeof(*expected), by_key, NULL), VMSNAP_OK);
	assert_int_equal(radix_sort(&work, &items, &spare, count), VMSNAP_OK);
	/* Equal ones stay in their order. */
	assert_memory_equal(items, expected, count * sizeof(*items));
	free(items);
	free(spare);
}

static void numbers_of_any_width_are_sorted(void **state)
{
	uint64_t random = 4711;
	(void)state;
	for (unsigned bits = 0; bits < 64; bits++)
		for (size_t count = 0; count < MOST; count = 2 * count + 1)
			check(count, ((UINT64_C(2) << bits) - 1), bits < 60 ? UINT64_C(1) << 61 : 0, &random);
	check(MOST, 0, 7, &random);
	check(MOST, UINT64_C(0xff) << 40 | 3, 0, &random);
}

static bool yes(void *ctx)
{
	(void)ctx;
	return true;
}

static void it_can_be_cancelled(void **state)
{
	struct work work = { .limit = WORK_UNLIMITED, .cancelled = yes };
	struct keyed one[2] = { { 5, 0 }, { 1, 1 } }, other[2], *items = one, *spare = other;
	(void)state;
	assert_int_equal(radix_sort(&work, &items, &spare, 2), VMSNAP_ERR_CANCELLED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_of_any_width_are_sorted),
		cmocka_unit_test(it_can_be_cancelled),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
