/* contents.h - what the pages of one snapshot hold: numbers of pages in a store. */
#ifndef VMSNAP_CONTENTS_H
#define VMSNAP_CONTENTS_H

#include "layer.h"
#include "store.h"

struct vmsnap;

/* Of larger ones no contents are kept: what a file can hold (docs/format.md, HASH). */
enum { CONTENTS_PAGE_MAX = 64 * 1024 };

/* Neighbouring pages, the first of which is pages[first]. */
struct contents_range {
	uint64_t start, pages;
	size_t first;
};
struct backed_pages; /* bytes that are in a file, in place */
struct contents {
	struct vmsnap_store *store;    /* held; NULL: there are none, or they are backed */
	struct backed_pages *backed;   /* held: where bytes are that no store has; then there are no `pages` */
	struct contents_range *ranges; /* in address order, a gap between any two, unless joined in no order of pages */
	size_t range_count, range_room;
	/* By contents_range.first, of page_count; unless they are backed. */
	uint32_t *pages; /* held in the store; STORE_NO_PAGE only after contents_forget() */
	size_t page_count, page_room;
	bool bytes; /* not only hashes */
};

/* One page more, at or above the end of the last; takes over what store_put() counted.  VMSNAP_ERR_NO_MEMORY:
 * the page was let go of. */
int contents_add(struct contents *contents, uint64_t page_size, uint64_t address, uint32_t page);
/* Of these pages nothing is known any more. */
void contents_forget(struct contents *contents, uint64_t page_size, uint64_t start, uint64_t end);
/* Pages that both have become the newer ones'; of these, only those that the older did not have are left.  In time to
 * the newer ones. */
void contents_renew(struct contents *older, uint64_t page_size, struct contents *newer);
/* All pages of the newer ones, and of the older ones those that the newer do not have, as far as they are in a range of
 * `within` (NULL: all are): of one store, each in address order.  Both are empty then, also if that failed; `to` may be
 * one of them.  VMSNAP_ERR_NO_MEMORY. */
int contents_join(struct contents *to, uint64_t page_size, struct contents *older, struct contents *newer,
                  const struct layer *within);
void contents_trim(struct contents *contents); /* no more of them will come */
void contents_free(struct contents *contents);
/* The same pages, held once more. */
int contents_copy(struct contents *to, const struct contents *from);
uint64_t contents_memory(const struct contents *contents); /* without the store */
/* STORE_NO_PAGE: not known, or not in a store. */
uint32_t contents_page(const struct contents *contents, uint64_t page_size, uint64_t address);
/* Whether they are known, wherever they are. */
bool contents_has(const struct contents *contents, uint64_t page_size, uint64_t address);
/* Index of the first range that ends above an address. */
size_t contents_find(const struct contents *contents, uint64_t page_size, uint64_t address);

#endif
