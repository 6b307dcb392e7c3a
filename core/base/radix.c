#include "radix.h"

#include <string.h>

enum { DIGIT_BITS = 11, DIGITS = 1 << DIGIT_BITS };

static unsigned digit_of(const struct keyed *item, unsigned shift)
{
	return (unsigned)(item->key >> shift) & (DIGITS - 1);
}

/* Where items with each digit go. */
static void find_places(const struct keyed *items, size_t count, unsigned shift, size_t places[DIGITS])
{
	size_t at = 0;
	memset(places, 0, DIGITS * sizeof(*places));
	for (size_t i = 0; i < count; i++)
		places[digit_of(&items[i], shift)]++;
	for (size_t digit = 0; digit < DIGITS; digit++) {
		size_t with_digit = places[digit];
		places[digit] = at;
		at += with_digit;
	}
}

int radix_sort(struct work *work, struct keyed **items, struct keyed **spare, size_t count)
{
	uint64_t all = UINT64_MAX, any = 0;
	size_t places[DIGITS];
	int rc = VMSNAP_OK;
	for (size_t i = 0; i < count; i++) {
		all &= (*items)[i].key;
		any |= (*items)[i].key;
	}
	for (unsigned shift = 0; !rc && shift < 64; shift += DIGIT_BITS) {
		if (!((all ^ any) >> shift & (DIGITS - 1)) || count < 2)
			continue;
		struct keyed *from = *items, *to = *spare;
		find_places(from, count, shift, places);
		for (size_t i = 0; i < count; i++)
			to[places[digit_of(&from[i], shift)]++] = from[i];
		*items = to;
		*spare = from;
		rc = work_ask(work);
	}
	return rc;
}
