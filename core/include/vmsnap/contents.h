/* contents.h - what pages held: kept with a snapshot if that was asked for, each distinct page once.
 * Contents hold whatever the process had in its memory: keys and passwords, too.
 * Included by vmsnap.h, which tells what holds for all of it. */
#ifndef VMSNAP_CONTENTS_API_H
#define VMSNAP_CONTENTS_API_H

#include <vmsnap/snapshot.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Distinct pages, told apart by hash (XXH3-128), each kept once however many snapshots have it.  It
 * lives until its last holder lets go of it; snapshots hold the one that their pages are in.  May be
 * used by several threads at once. */
struct vmsnap_store;
int vmsnap_store_new(struct vmsnap_store **out, struct vmsnap_error *err);
struct vmsnap_store *vmsnap_store_ref(struct vmsnap_store *store);
void vmsnap_store_unref(struct vmsnap_store *store); /* NULL is fine */
/* From now on the bytes of new pages go to a file without a name in this folder, not into memory: for
 * contents that are larger than what there is of it. */
int vmsnap_store_spool(struct vmsnap_store *store, const char *folder, struct vmsnap_error *err);
uint64_t vmsnap_store_pages(const struct vmsnap_store *store);  /* distinct ones that somebody has now */
uint64_t vmsnap_store_memory(const struct vmsnap_store *store); /* bytes, without what the allocator adds */

enum vmsnap_contents {
	VMSNAP_CONTENTS_NONE,
	VMSNAP_CONTENTS_HASHES, /* which pages differ can be told, but not what they hold */
	VMSNAP_CONTENTS_BYTES,
};
const char *vmsnap_contents_name(int contents); /* "hashes" */
int vmsnap_contents_kind(const struct vmsnap *snap);

/* The first range of pages of which contents are kept that ends above `from`, clipped to begin there at the
 * earliest (at its page).  VMSNAP_END: there is none. */
int vmsnap_contents_range(const struct vmsnap *snap, uint64_t from, uint64_t *start, uint64_t *end);
/* Bytes of all pages of which contents are kept. */
uint64_t vmsnap_contents_bytes(const struct vmsnap *snap);

/* At most len bytes from an address on, as far as they are known without a gap; *got is how many.  The
 * shared zero page holds zeros, and so do pages of memory without a file that were never touched.
 * VMSNAP_ERR_NOT_FOUND: not even the first one is known. */
int vmsnap_contents_read(const struct vmsnap *snap, uint64_t address, void *to, size_t len, size_t *got,
                         struct vmsnap_error *err);
/* What is known of the byte at an address, and up to where that is so: *end. */
enum vmsnap_held {
	VMSNAP_HELD_UNKNOWN,
	VMSNAP_HELD_ZEROS, /* without being kept */
	VMSNAP_HELD_BYTES,
};
int vmsnap_contents_held(const struct vmsnap *snap, uint64_t address, uint64_t *end);
/* The XXH3-128 hash of one page, in its canonical form, the highest byte first.  VMSNAP_ERR_NOT_FOUND. */
enum { VMSNAP_CONTENTS_HASH_SIZE = 16 };
int vmsnap_contents_hash(const struct vmsnap *snap, uint64_t address, uint8_t *hash);

/* The first pages that end above `from`, at one address in both, of which both know contents: a
 * range in which all differ, or none.  VMSNAP_END: there are none.  An end of 0 is 2^64. */
int vmsnap_contents_compare(const struct vmsnap *a, const struct vmsnap *b, uint64_t from, uint64_t *start,
                            uint64_t *end, bool *differ);

/* A block of malloc's, of the GNU C library: what it gave, and may have taken back since.  This struct is of a
 * fixed size and does not grow. */
struct vmsnap_heap_block {
	uint64_t address, size; /* size 0: not known, or no block's */
	bool is_free;           /* known not to be in use; small ones may look used for a while */
};
/* The blocks that addresses lie in, which must be in order: as the chunks of the heaps tell whose bytes
 * the snapshot keeps.  A heap in which they do not make up a whole is not believed. */
int vmsnap_heap_blocks(const struct vmsnap *snap, const uint64_t *addresses, size_t count,
                       struct vmsnap_heap_block *out, struct vmsnap_error *err);

#ifdef __cplusplus
}
#endif
#endif
