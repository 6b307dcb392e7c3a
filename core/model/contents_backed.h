/* contents_backed.h - contents whose bytes are in a file, in place (backed_pages.h).  For files that have pages as they
 * were, a core. */
#ifndef VMSNAP_CONTENTS_BACKED_H
#define VMSNAP_CONTENTS_BACKED_H

#include "contents.h"

struct work;

/* Takes over the source, also if it fails (VMSNAP_ERR_NO_MEMORY).  The contents are empty, and have nothing yet. */
int contents_back(struct contents *contents, const struct page_source *source);
/* Neighbouring pages, at or above the end of the last; place: of the first of them in the source. */
int contents_add_backed(struct contents *contents, uint64_t page_size, uint64_t address, uint64_t pages,
                        uint64_t place);

/* Of a page, by its address, in ranges[index], which is there: len bytes. */
int contents_read_backed(const struct contents *contents, size_t index, uint64_t address, void *to, size_t len,
                         struct vmsnap_error *err);
int contents_hash_backed(const struct contents *contents, size_t index, uint64_t page_size, uint64_t address,
                         struct page_hash *hash);

/* The same pages as numbers in a store of their own: hashed all, and their bytes left where they are.  For who writes
 * them to a file. */
int contents_store_backed(const struct contents *from, uint64_t page_size, struct work *work, struct contents *to,
                          struct vmsnap_error *err);

#endif
