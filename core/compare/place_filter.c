#include "place_filter.h"

enum { WORDS_MIN = 64, WORDS_MAX = 1 << 20, PAGES_A_WORD = 4 };

int place_filter_begin(struct place_filter *filter, uint64_t pages, struct work *work)
{
	int rc = VMSNAP_OK;
	filter->count = WORDS_MIN;
	while (filter->count < WORDS_MAX && filter->count * PAGES_A_WORD < pages)
		filter->count *= 2;
	filter->words = work_array(work, filter->count, sizeof(*filter->words), &rc);
	return rc;
}

void place_filter_free(struct place_filter *filter, struct work *work)
{
	work_free(work, filter->words, filter->count, sizeof(*filter->words));
	*filter = (struct place_filter){ 0 };
}

/* The bits from `place` on that are in one word, at most `pages`; how many they are. */
static uint64_t bits_of(uint64_t place, uint64_t pages, uint64_t *mask)
{
	uint64_t first = place % 64, count = 64 - first < pages ? 64 - first : pages;
	*mask = (count == 64 ? UINT64_MAX : (UINT64_C(1) << count) - 1) << first;
	return count;
}

void place_filter_add(struct place_filter *filter, uint64_t place, uint64_t pages)
{
	for (uint64_t mask, count; pages; place += count, pages -= count) {
		count = bits_of(place, pages, &mask);
		filter->words[place / 64 & (filter->count - 1)] |= mask;
	}
}

bool place_filter_maybe(const struct place_filter *filter, uint64_t place, uint64_t pages)
{
	for (uint64_t mask, count; pages; place += count, pages -= count) {
		count = bits_of(place, pages, &mask);
		if (filter->words[place / 64 & (filter->count - 1)] & mask)
			return true;
	}
	return false;
}
