/* test_cell.c - a cell of a picture: the height of a colour is its share, and none wins all of the cell. */
#define _GNU_SOURCE
#include "test_print_support.h"

#include <string.h>

#include "cell.h"

static struct cell_look look_of(uint64_t private, uint64_t shared, uint64_t untouched, uint64_t copied, uint64_t new)
{
	const uint64_t counts[PAGE_CLASSES] = { [CLASS_PRIVATE] = private,
		                                [CLASS_SHARED] = shared,
		                                [CLASS_UNTOUCHED] = untouched,
		                                [CLASS_COPIED] = copied,
		                                [CLASS_NEW] = new };
	return cell_look(counts);
}

#define EXPECT(look, below, above, height)                                                                             \
	do {                                                                                                           \
		struct cell_look found = look;                                                                         \
		assert_int_equal(found.lower, below);                                                                  \
		assert_int_equal(found.ground, above);                                                                 \
		assert_int_equal(found.eighths, height);                                                               \
	} while (0)

static void what_happened_rises_as_high_as_its_share(void **state)
{
	(void)state;
	EXPECT(look_of(0, 24, 0, 8, 0), CLASS_COPIED, CLASS_SHARED, 2);
	EXPECT(look_of(0, 16, 0, 16, 0), CLASS_COPIED, CLASS_SHARED, 4);
	EXPECT(look_of(0, 0, 0, 32, 0), CLASS_COPIED, CLASS_COPIED, 8);
	EXPECT(look_of(0, 0, 24, 0, 8), CLASS_NEW, CLASS_UNTOUCHED, 2);
}

static void single_page_is_seen_and_so_is_what_is_beside_all_others(void **state)
{
	(void)state;
	EXPECT(look_of(0, 511, 0, 1, 0), CLASS_COPIED, CLASS_SHARED, 1);
	EXPECT(look_of(0, 1, 0, 511, 0), CLASS_COPIED, CLASS_SHARED, 7);
	EXPECT(look_of(1, 0, 511, 0, 0), CLASS_PRIVATE, CLASS_UNTOUCHED, 1);
}

static void what_is_resident_rises_over_what_is_not(void **state)
{
	(void)state;
	EXPECT(look_of(0, 16, 16, 0, 0), CLASS_SHARED, CLASS_UNTOUCHED, 4);
	EXPECT(look_of(0, 0, 16, 0, 0), CLASS_UNTOUCHED, CLASS_UNTOUCHED, 8);
	EXPECT(look_of(0, 0, 0, 0, 0), CLASS_HOLE, CLASS_HOLE, 0);
}

/* Or colours would change places from cell to cell. */
static void of_two_quiet_states_always_the_same_is_below(void **state)
{
	(void)state;
	EXPECT(look_of(8, 24, 0, 0, 0), CLASS_PRIVATE, CLASS_SHARED, 2);
	EXPECT(look_of(24, 8, 0, 0, 0), CLASS_PRIVATE, CLASS_SHARED, 6);
	EXPECT(look_of(0, 0, 0, 24, 8), CLASS_COPIED, CLASS_NEW, 6);
}

/* What was in swap all the time does not hide what happened beside it. */
static void swapped_pages_do_not_hide_a_copy(void **state)
{
	(void)state;
	const uint64_t swapped[PAGE_CLASSES] = { [CLASS_SWAPPED] = 28, [CLASS_COPIED] = 4 };
	const uint64_t out[PAGE_CLASSES] = { [CLASS_SWAPPED_OUT] = 8, [CLASS_PRIVATE] = 24 };
	EXPECT(cell_look(swapped), CLASS_COPIED, CLASS_SWAPPED, 1);
	EXPECT(cell_look(out), CLASS_SWAPPED_OUT, CLASS_PRIVATE, 2);
}

static void counts_may_be_of_all_memory(void **state)
{
	(void)state;
	EXPECT(look_of(0, UINT64_C(1) << 61, 0, UINT64_C(1) << 61, 0), CLASS_COPIED, CLASS_SHARED, 4);
}

static void drawing_takes_no_more_room_than_there_is(void **state)
{
	const uint64_t counts[PAGE_CLASSES] = { [CLASS_SHARED] = 24, [CLASS_COPIED] = 8 };
	struct vmsnap_style style = { .size = sizeof(style), .unicode = true };
	char out[CELL_ROOM];
	(void)state;
	for (style.color = VMSNAP_COLOR_NONE; style.color <= VMSNAP_COLOR_RGB; style.color++) {
		size_t len = cell_draw(counts, &style, out, sizeof(out));
		assert_true(len && len < sizeof(out));
	}
	style.color = VMSNAP_COLOR_RGB;
	assert_non_null(memmem(out, cell_draw(counts, &style, out, sizeof(out)), "\xe2\x96\x82", 3));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_happened_rises_as_high_as_its_share),
		cmocka_unit_test(single_page_is_seen_and_so_is_what_is_beside_all_others),
		cmocka_unit_test(what_is_resident_rises_over_what_is_not),
		cmocka_unit_test(of_two_quiet_states_always_the_same_is_below),
		cmocka_unit_test(swapped_pages_do_not_hide_a_copy),
		cmocka_unit_test(counts_may_be_of_all_memory),
		cmocka_unit_test(drawing_takes_no_more_room_than_there_is),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
