/* store.h - pages by what they hold: each distinct one once, whoever has it.  Knows bytes and hashes;
 * not whose pages they are. */
#ifndef VMSNAP_STORE_H
#define VMSNAP_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vmsnap.h"

/* XXH3-128: two pages of one size with one hash are taken for one. */
struct page_hash {
	uint64_t low, high;
};
struct page_hash page_hash_of(const void *bytes, size_t len);
void page_hash_canonical(const struct page_hash *hash, uint8_t *bytes);
struct page_hash page_hash_read(const uint8_t *bytes);
/* For tables of them.  Files say hashes, of whatever they like, which may be equal in any part of them: all of it is
 * mixed once more, with a seed of the table's own, so that nobody knows before where they go. */
uint64_t page_hash_seed(const void *table);
uint64_t page_hash_mixed(struct page_hash hash, uint64_t seed);

/* Where bytes are that are not in memory: a file that was loaded. */
struct page_source {
	/* One page; VMSNAP_OK or a code, err filled.  By several threads at once. */
	int (*read)(void *ctx, uint64_t place, void *to, size_t len, struct vmsnap_error *err);
	void (*free)(void *ctx);
	void *ctx;
};
enum { STORE_SOURCES_MAX = 1 << 14, STORE_NO_PAGE = 0 };

/* A page that somebody has is a number above 0, equal for pages that hold the same; each of these counts a
 * holder more.  VMSNAP_ERR_NO_MEMORY, or VMSNAP_ERR_SYSTEM where a spool is full.
 * bytes NULL: only the hash is known, if it was not kept before. */
int store_put(struct vmsnap_store *store, const struct page_hash *hash, const void *bytes, size_t len, uint32_t *page);
/* Pages one after the other; of all of them or of none. */
int store_put_all(struct vmsnap_store *store, const struct page_hash *hashes, const char *bytes, size_t len,
                  size_t count, uint32_t *pages);
/* Bytes, len of them, that are somewhere else.  The store has the source from store_add_source() on, whose number this
 * is. */
int store_put_place(struct vmsnap_store *store, const struct page_hash *hash, size_t len, unsigned source,
                    uint64_t place, uint32_t *page);
int store_add_source(struct vmsnap_store *store, const struct page_source *source, unsigned *number);
void store_hold(struct vmsnap_store *store, const uint32_t *pages, size_t count);
void store_let_go(struct vmsnap_store *store, const uint32_t *pages, size_t count);

struct page_hash store_hash(struct vmsnap_store *store, uint32_t page);
/* Of all pages together, how many others are looked at before each is found: what looking for them takes. */
uint64_t store_steps(const struct vmsnap_store *store);
uint32_t store_holders(struct vmsnap_store *store, uint32_t page);
/* The first len bytes of it.  VMSNAP_ERR_NOT_FOUND: only its hash is known. */
int store_read(struct vmsnap_store *store, uint32_t page, void *to, size_t len, struct vmsnap_error *err);

#endif
