#include "page_places.h"

#include <stdlib.h>

void page_places_free(struct page_places *places)
{
	free(places->items);
	*places = (struct page_places){ .count = 0 };
}

/* Hashes are what a file states: where one goes is not known before. */
static struct page_place *place_slot(const struct page_places *places, const struct page_hash *hash)
{
	size_t mask = places->room - 1, at = page_hash_mixed(*hash, places->seed) & mask;
	while (places->items[at].snapshot &&
	       (places->items[at].hash.low != hash->low || places->items[at].hash.high != hash->high))
		at = (at + 1) & mask;
	return &places->items[at];
}

const struct page_place *page_places_find(const struct page_places *places, const struct page_hash *hash,
                                          uint64_t page_size)
{
	const struct page_place *place = places->room ? place_slot(places, hash) : NULL;
	return place && place->snapshot && place->page_size == page_size ? place : NULL;
}

static bool places_grow(struct page_places *places)
{
	if ((places->count + 1) * 3 < places->room * 2)
		return true;
	struct page_places grown = { .count = places->count,
		                     .room = places->room ? places->room * 2 : 1024,
		                     .seed = places->room ? places->seed : page_hash_seed(places) };
	grown.items = calloc(grown.room, sizeof(*grown.items));
	if (!grown.items)
		return false;
	for (size_t i = 0; i < places->room; i++)
		if (places->items[i].snapshot)
			*place_slot(&grown, &places->items[i].hash) = places->items[i];
	free(places->items);
	*places = grown;
	return true;
}

bool page_places_add(struct page_places *places, const struct page_place *place)
{
	if (!places_grow(places))
		return false;
	struct page_place *slot = place_slot(places, &place->hash);
	if (slot->snapshot && (slot->bytes || !place->bytes))
		return true;
	places->count += !slot->snapshot;
	*slot = *place;
	return true;
}
