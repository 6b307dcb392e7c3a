/* backed_pages.h - pages whose bytes are in a file, in place: nothing of them is read before somebody asks.  Knows
 * places and hashes; not whose pages they are. */
#ifndef VMSNAP_BACKED_PAGES_H
#define VMSNAP_BACKED_PAGES_H

#include "store.h"

/* Counted. */
struct backed_pages;
/* Takes over the source, also if there is no memory: NULL. */
struct backed_pages *backed_pages_new(const struct page_source *source);
struct backed_pages *backed_pages_ref(struct backed_pages *backed);
void backed_pages_unref(struct backed_pages *backed); /* NULL is fine, as below */
uint64_t backed_pages_memory(const struct backed_pages *backed);

/* Where the first byte of a range of pages is; ranges are numbered as they come. */
int backed_pages_add(struct backed_pages *backed, uint64_t place);
uint64_t backed_pages_place(const struct backed_pages *backed, size_t range);
int backed_pages_read(const struct backed_pages *backed, uint64_t place, void *to, size_t len,
                      struct vmsnap_error *err);
/* The hash of page `page` of `count`, which is at a place; made once.  By several threads at once. */
int backed_pages_hash(struct backed_pages *backed, size_t page, size_t count, uint64_t place, size_t page_size,
                      struct page_hash *hash);

#endif
