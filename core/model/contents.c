#include "contents.h"

#include <stdlib.h>
#include <string.h>

#include "backed_pages.h"
#include "vmsnap.h"

static void *grown(void *items, size_t *room, size_t count, size_t item_size)
{
	if (count < *room)
		return items;
	size_t more = *room < 64 ? 64 : *room + *room / 2; /* it may have been trimmed to one */
	void *larger = more <= SIZE_MAX / item_size ? realloc(items, more * item_size) : NULL;
	if (larger)
		*room = more;
	return larger;
}

static bool make_room(struct contents *contents)
{
	uint32_t *pages = grown(contents->pages, &contents->page_room, contents->page_count, sizeof(*pages));
	if (!pages)
		return false;
	contents->pages = pages;
	struct contents_range *ranges =
	        grown(contents->ranges, &contents->range_room, contents->range_count, sizeof(*ranges));
	if (!ranges)
		return false;
	contents->ranges = ranges;
	return true;
}

int contents_add(struct contents *contents, uint64_t page_size, uint64_t address, uint32_t page)
{
	if (!make_room(contents)) {
		store_let_go(contents->store, &page, 1);
		return VMSNAP_ERR_NO_MEMORY;
	}
	struct contents_range *last = contents->range_count ? &contents->ranges[contents->range_count - 1] : NULL;
	if (last && last->start + last->pages * page_size == address)
		last->pages++;
	else
		contents->ranges[contents->range_count++] = (struct contents_range){ address, 1, contents->page_count };
	contents->pages[contents->page_count++] = page;
	return VMSNAP_OK;
}

void contents_trim(struct contents *contents)
{
	if (!contents->store)
		return;
	uint32_t *pages = realloc(contents->pages, (contents->page_count + 1) * sizeof(*pages));
	if (pages) {
		contents->pages = pages;
		contents->page_room = contents->page_count + 1;
	}
	struct contents_range *ranges = realloc(contents->ranges, (contents->range_count + 1) * sizeof(*ranges));
	if (ranges) {
		contents->ranges = ranges;
		contents->range_room = contents->range_count + 1;
	}
}

void contents_free(struct contents *contents)
{
	if (contents->store && contents->page_count)
		store_let_go(contents->store, contents->pages, contents->page_count);
	vmsnap_store_unref(contents->store);
	backed_pages_unref(contents->backed);
	free(contents->pages);
	free(contents->ranges);
	*contents = (struct contents){ 0 };
}

int contents_copy(struct contents *to, const struct contents *from)
{
	*to = (struct contents){ .bytes = from->bytes };
	if (!from->store && !from->backed)
		return VMSNAP_OK;
	size_t numbers = from->backed ? 0 : from->page_count;
	to->pages = malloc((numbers + 1) * sizeof(*to->pages));
	to->ranges = malloc((from->range_count + 1) * sizeof(*to->ranges));
	if (!to->pages || !to->ranges) {
		contents_free(to);
		return VMSNAP_ERR_NO_MEMORY;
	}
	to->store = vmsnap_store_ref(from->store);
	to->backed = from->backed ? backed_pages_ref(from->backed) : NULL;
	to->page_count = from->page_count;
	to->range_count = from->range_count;
	to->page_room = numbers + 1;
	to->range_room = from->range_count + 1;
	if (from->range_count)
		memcpy(to->ranges, from->ranges, from->range_count * sizeof(*to->ranges));
	if (numbers)
		memcpy(to->pages, from->pages, numbers * sizeof(*to->pages));
	if (to->store)
		store_hold(to->store, to->pages, numbers);
	return VMSNAP_OK;
}

uint64_t contents_memory(const struct contents *contents)
{
	return backed_pages_memory(contents->backed) + contents->page_room * sizeof(*contents->pages) +
	       contents->range_room * sizeof(*contents->ranges);
}

size_t contents_find(const struct contents *contents, uint64_t page_size, uint64_t address)
{
	size_t low = 0, high = contents->range_count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct contents_range *range = &contents->ranges[middle];
		/* The last one may end at 2^64. */
		if (range->start + (range->pages * page_size - 1) < address)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

bool contents_has(const struct contents *contents, uint64_t page_size, uint64_t address)
{
	size_t index = contents_find(contents, page_size, address);
	if (index == contents->range_count || contents->ranges[index].start > address)
		return false;
	return contents->backed || contents_page(contents, page_size, address) != STORE_NO_PAGE;
}

uint32_t contents_page(const struct contents *contents, uint64_t page_size, uint64_t address)
{
	size_t index = contents_find(contents, page_size, address);
	if (contents->backed || index == contents->range_count || contents->ranges[index].start > address)
		return STORE_NO_PAGE;
	const struct contents_range *range = &contents->ranges[index];
	return contents->pages[range->first + (address - range->start) / page_size];
}
