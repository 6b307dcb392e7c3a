/* contents_join.c - contents that were read one after the other become those of one instant. */
#include <stdlib.h>

#include "contents.h"
#include "vmsnap.h"

/* A page of contents, one after the other; those that were forgotten are not there. */
struct cursor_page {
	const struct contents *contents;
	uint64_t page_size;
	size_t range;
	uint64_t index; /* in it */
	uint64_t address;
	uint32_t page; /* STORE_NO_PAGE: there are no more */
};

static void step(struct cursor_page *at)
{
	const struct contents *contents = at->contents;
	at->page = STORE_NO_PAGE;
	while (!at->page && at->range < contents->range_count) {
		const struct contents_range *range = &contents->ranges[at->range];
		if (at->index == range->pages) {
			at->range++;
			at->index = 0;
			continue;
		}
		at->address = range->start + at->index * at->page_size;
		at->page = contents->pages[range->first + at->index++];
	}
}

static struct cursor_page first_of(const struct contents *contents, uint64_t page_size)
{
	struct cursor_page at = { .contents = contents, .page_size = page_size };
	step(&at);
	return at;
}

/* Asked in the order of addresses; *index is where it stands. */
static bool is_within(const struct layer *within, uint64_t address, size_t *index)
{
	if (!within)
		return true;
	while (*index < within->count && within->items[*index].end <= address)
		++*index;
	return *index < within->count && within->items[*index].start <= address;
}

static void forget_one(struct contents *contents, size_t index)
{
	store_let_go(contents->store, &contents->pages[index], 1);
	contents->pages[index] = STORE_NO_PAGE;
}

void contents_forget(struct contents *contents, uint64_t page_size, uint64_t start, uint64_t end)
{
	for (size_t i = contents_find(contents, page_size, start);
	     i < contents->range_count && contents->ranges[i].start < end; i++) {
		const struct contents_range *range = &contents->ranges[i];
		uint64_t from = start > range->start ? (start - range->start) / page_size : 0;
		uint64_t to = (end - range->start) / page_size;
		to = to < range->pages ? to : range->pages;
		for (uint64_t page = from; page < to; page++)
			forget_one(contents, range->first + page);
	}
}

/* Where a page's number is; NULL if there is no place for it. */
static uint32_t *place_of(struct contents *contents, uint64_t page_size, uint64_t address)
{
	size_t index = contents_find(contents, page_size, address);
	const struct contents_range *range = &contents->ranges[index];
	if (index == contents->range_count || range->start > address)
		return NULL;
	return &contents->pages[range->first + (address - range->start) / page_size];
}

void contents_renew(struct contents *older, uint64_t page_size, struct contents *newer)
{
	size_t left = 0;
	for (size_t i = 0; i < newer->range_count; i++) {
		const struct contents_range *range = &newer->ranges[i];
		for (uint64_t page = 0; page < range->pages; page++) {
			uint32_t *from = &newer->pages[range->first + page];
			uint32_t *to = place_of(older, page_size, range->start + page * page_size);
			left += !to;
			if (!to || !*from)
				continue;
			store_let_go(older->store, to, 1);
			*to = *from;
			*from = STORE_NO_PAGE;
		}
	}
	if (left)
		return;
	newer->page_count = newer->range_count = 0;
}

/* What the pages are numbered by has been passed on, or let go of. */
static void drop_arrays(struct contents *contents)
{
	contents->page_count = 0;
	contents_free(contents);
}

int contents_join(struct contents *to, uint64_t page_size, struct contents *older, struct contents *newer,
                  const struct layer *within)
{
	struct vmsnap_store *store = older->store ? older->store : newer->store;
	struct contents joined = { .store = vmsnap_store_ref(store), .bytes = older->bytes || newer->bytes };
	struct cursor_page old = first_of(older, page_size), new = first_of(newer, page_size);
	size_t index = 0;
	int rc = VMSNAP_OK;
	while (old.page || new.page) {
		bool same = old.page && new.page &&old.address == new.address;
		bool take_new = new.page && (same || !old.page || new.address < old.address);
		struct cursor_page *next = take_new ? &new : &old;
		if (same) {
			store_let_go(store, &old.page, 1);
			step(&old);
		}
		if (rc || !is_within(within, next->address, &index))
			store_let_go(store, &next->page, 1);
		else
			rc = contents_add(&joined, page_size, next->address, next->page);
		step(next);
	}
	drop_arrays(older);
	drop_arrays(newer);
	if (rc)
		contents_free(&joined);
	*to = joined;
	return rc;
}
