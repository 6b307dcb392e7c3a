/* Arrays whose memory is counted: how they are sorted, and how they grow (work.h). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "work.h"

/* ---- sorting ---- */

static int by_tens(const void *a, const void *b, const void *ctx)
{
	const uint16_t *x = a, *y = b;
	(void)ctx;
	return *x / 10 - *y / 10;
}

static void sorting_keeps_the_order_of_equals_and_counts_what_it_takes(void **state)
{
	(void)state;
	for (size_t count = 0; count < 70; count++) {
		uint16_t items[70];
		struct work work = { .limit = sizeof(items) };
		for (size_t i = 0; i < count; i++)
			items[i] = (uint16_t)((i * 7919) % 100 / 10 * 10 + i % 10);
		uint16_t before[70];
		memcpy(before, items, sizeof(items));
		assert_int_equal(work_sort(&work, items, count, sizeof(*items), by_tens, NULL), VMSNAP_OK);
		assert_int_equal(work.used, 0);
		size_t at = 0;
		for (uint16_t ten = 0; ten < 10; ten++)
			for (size_t i = 0; i < count; i++)
				if (before[i] / 10 == ten)
					assert_int_equal(items[at++], before[i]);
		assert_int_equal(at, count);
		work.limit = count ? count * sizeof(*items) - 1 : 0;
		memcpy(items, before, sizeof(items));
		int rc = work_sort(&work, items, count, sizeof(*items), by_tens, NULL);
		assert_true(rc == VMSNAP_ERR_TOO_LARGE || rc == VMSNAP_OK);
	}
}

/* ---- arrays that grow ---- */

static const size_t FIRST_ROOM = 32;

static size_t fill(struct work *work, uint64_t **items, size_t *room, int *rc)
{
	size_t count = 0;
	while (WORK_ROOM(work, *items, count, room, rc)) {
		(*items)[count] = count;
		count++;
	}
	return count;
}

static void an_array_is_as_it_was_when_there_is_no_room_for_more(void **state)
{
	struct work work = { .limit = 100 * sizeof(uint64_t) };
	uint64_t *items = NULL;
	size_t room = 0;
	int rc = VMSNAP_OK;
	(void)state;
	size_t count = fill(&work, &items, &room, &rc);
	assert_int_equal(rc, VMSNAP_ERR_TOO_LARGE);
	assert_in_range(count, FIRST_ROOM, 100);
	assert_non_null(items);
	assert_int_equal(room, count);
	assert_int_equal(work.used, room * sizeof(*items));
	for (size_t i = 0; i < count; i++)
		assert_int_equal(items[i], i);
	work_free(&work, items, room, sizeof(*items));
	assert_int_equal(work.used, 0);
}

static void a_failure_before_leaves_an_array_that_has_room(void **state)
{
	struct work work = { .limit = WORK_UNLIMITED };
	uint64_t *items = NULL;
	size_t room = 0;
	int rc = VMSNAP_OK;
	(void)state;
	assert_true(WORK_ROOM(&work, items, 0, &room, &rc));
	uint64_t *before = items;
	rc = VMSNAP_ERR_CANCELLED;
	assert_true(!WORK_ROOM(&work, items, 1, &room, &rc));
	assert_true(!WORK_ROOM(&work, items, room, &room, &rc));
	assert_int_equal(rc, VMSNAP_ERR_CANCELLED);
	assert_ptr_equal(items, before);
	assert_int_equal(room, FIRST_ROOM);
	work_free(&work, items, room, sizeof(*items));
	assert_int_equal(work.used, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sorting_keeps_the_order_of_equals_and_counts_what_it_takes),
		cmocka_unit_test(an_array_is_as_it_was_when_there_is_no_room_for_more),
		cmocka_unit_test(a_failure_before_leaves_an_array_that_has_room),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
