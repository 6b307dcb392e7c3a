/* Which memory is a heap of malloc's, by what its header says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "malloc_heaps.h"

static const uint64_t START = 0x7f0000000000, FULL = 64 << 20, K132 = 132 * 1024;

/* The size of the heap, 0 if it is none. */
static uint64_t parsed(uint64_t arena, uint64_t before, uint64_t size, uint64_t usable, uint64_t end)
{
	const uint64_t header[5] = { arena, before, size, usable, 4096 };
	struct malloc_heap heap;
	if (!malloc_heap_parse(header, START, end, 4096, &heap))
		return 0;
	assert_int_equal(heap.start, START);
	assert_int_equal(heap.arena, arena);
	return heap.size;
}

static void first_heap_of_an_arena(void **state)
{
	(void)state;
	assert_int_equal(parsed(START + 0x30, 0, K132, K132, START + K132), K132);
	assert_int_equal(parsed(START + 0x20, 0, K132, K132, START + K132), K132); /* before glibc 2.35 */
	assert_int_equal(parsed(START + 0x30, 0, 8192, K132, START + K132), K132); /* it shrank */
	assert_int_equal(parsed(START + 0x30, 0, FULL, FULL, START + 2 * FULL), FULL);
}

static void further_heap_of_an_arena(void **state)
{
	(void)state;
	assert_int_equal(parsed(START - FULL + 0x30, START - FULL, K132, K132, START + K132), K132);
	assert_int_equal(parsed(START + 5 * FULL + 0x30, START + 3 * FULL, K132, K132, START + K132), K132);
}

static void what_is_none(void **state)
{
	(void)state;
	assert_int_equal(parsed(0, 0, 0, 0, START + K132), 0);
	assert_int_equal(parsed(START + 0x40, 0, K132, K132, START + K132), 0);
	assert_int_equal(parsed(START + 0x30, START - FULL, K132, K132, START + K132), 0); /* first, and not */
	assert_int_equal(parsed(START - FULL + 0x30, 0, K132, K132, START + K132), 0);
	assert_int_equal(parsed(START - FULL + 0x30, START - FULL + 8, K132, K132, START + K132), 0);
	assert_int_equal(parsed(START + 0x30, 0, K132 + 4096, K132, START + K132), 0);
	assert_int_equal(parsed(START + 0x30, 0, 0, K132, START + K132), 0);
	assert_int_equal(parsed(START + 0x30, 0, 5000, K132, START + K132), 0);
	assert_int_equal(parsed(START + 0x30, 0, K132, K132 + 1, START + K132), 0);
	/* What can be used is what has access: no more, no less. */
	assert_int_equal(parsed(START + 0x30, 0, K132, K132, START + K132 - 4096), 0);
	assert_int_equal(parsed(START + 0x30, 0, K132, K132, START + K132 + 4096), 0);
	assert_int_equal(parsed(START + 0x30, 0, 2 * FULL, 2 * FULL, START + 2 * FULL), 0);
	assert_int_equal(parsed(UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX, START + K132), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(first_heap_of_an_arena),
		cmocka_unit_test(further_heap_of_an_arena),
		cmocka_unit_test(what_is_none),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
