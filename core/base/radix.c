#include "radix.h"

#include <string.h>

/* As many places as fit into a processor's first cache, with what is written there. */
enum { DIGIT_BITS = 12, DIGITS = 1 << DIGIT_BITS };

static unsigned digit_of(const struct keyed *item, unsigned shift, unsigned bits)
{
	return (unsigned)(item->key >> shift) & ((1u << bits) - 1);
}

/* Where items with each digit go. */
static void find_places(const struct keyed *items, size_t count, unsigned shift, unsigned bits, uint32_t *places)
{
	size_t at = 0;
	memset(places, 0, ((size_t)1 << bits) * sizeof(*places));
	for (size_t i = 0; i < count; i++)
		places[digit_of(&items[i], shift, bits)]++;
	for (size_t digit = 0; digit < (size_t)1 << bits; digit++) {
		size_t with_digit = places[digit];
		places[digit] = (uint32_t)at;
		at += with_digit;
	}
}

static void move_items(const struct keyed *from, struct keyed *to, size_t count, unsigned shift, unsigned bits,
                       uint32_t *places)
{
	for (size_t i = 0; i < count; i++)
		to[places[digit_of(&from[i], shift, bits)]++] = from[i];
}

/* The bits in which keys differ, from the lowest to the highest. */
static unsigned bits_that_differ(const struct keyed *items, size_t count)
{
	uint64_t all = UINT64_MAX, any = 0;
	for (size_t i = 0; i < count; i++) {
		all &= items[i].key;
		any |= items[i].key;
	}
	return count && all != any ? 64 - (unsigned)__builtin_clzll(all ^ any) : 0;
}

int radix_sort(struct work *work, struct keyed **items, struct keyed **spare, size_t count)
{
	uint32_t places[DIGITS];
	unsigned bits = bits_that_differ(*items, count), passes = (bits + DIGIT_BITS - 1) / DIGIT_BITS;
	unsigned each = passes ? (bits + passes - 1) / passes : 0;
	int rc = count < UINT32_MAX ? VMSNAP_OK : VMSNAP_ERR_TOO_LARGE;
	for (unsigned shift = 0; !rc && shift < bits; shift += each) {
		struct keyed *from = *items, *to = *spare;
		find_places(from, count, shift, each, places);
		move_items(from, to, count, shift, each, places);
		*items = to;
		*spare = from;
		rc = work_ask(work);
	}
	return rc;
}
