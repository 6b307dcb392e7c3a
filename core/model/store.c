#define _GNU_SOURCE
#include "store.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "error.h"
#include "pread_all.h"

/* ---- hashes ----------------------------------------------------------------- */

struct page_hash page_hash_of(const void *bytes, size_t len)
{
	XXH128_hash_t hash = XXH3_128bits(bytes, len);
	return (struct page_hash){ hash.low64, hash.high64 };
}

void page_hash_canonical(const struct page_hash *hash, uint8_t *bytes)
{
	for (unsigned i = 0; i < 8; i++) {
		bytes[i] = (uint8_t)(hash->high >> (56 - 8 * i));
		bytes[8 + i] = (uint8_t)(hash->low >> (56 - 8 * i));
	}
}

struct page_hash page_hash_read(const uint8_t *bytes)
{
	struct page_hash hash = { 0 };
	for (unsigned i = 0; i < 8; i++) {
		hash.high = hash.high << 8 | bytes[i];
		hash.low = hash.low << 8 | bytes[8 + i];
	}
	return hash;
}

uint64_t page_hash_seed(const void *table)
{
	uint64_t seed;
	struct timespec now = { 0 };
	if (getrandom(&seed, sizeof(seed), GRND_NONBLOCK) == sizeof(seed))
		return seed;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uintptr_t)table ^ (uint64_t)now.tv_nsec << 32 ^ (uint64_t)now.tv_sec;
}

uint64_t page_hash_mixed(struct page_hash hash, uint64_t seed)
{
	return XXH3_64bits_withSeed(&hash, sizeof(hash), seed);
}

/* ---- the store --------------------------------------------------------------- */

/* Where the bytes of a page are. */
enum { IN_MEMORY = 0, IN_SPOOL = 1, IN_SOURCES = 2 };

#if defined(__SANITIZE_ADDRESS__)
enum { STORED_ALIGNED = 8 }; /* LeakSanitizer looks for pointers nowhere else */
#else
enum { STORED_ALIGNED = 4 };
#endif
/* 28 bytes, of which there may be millions.  Bytes in memory: place is the pointer, 0 if only the hash is known. */
struct __attribute__((packed, aligned(STORED_ALIGNED))) stored {
	struct page_hash hash;
	uint64_t place;
	uint32_t holders; /* 0: free, and place is the next free one */
};
/* What most pages have in common. */
struct kind {
	uint16_t where;  /* IN_MEMORY, IN_SPOOL, or IN_SOURCES and the number of a source */
	uint16_t blocks; /* of 4 KiB: its size */
};

/* Pages are in chunks that stay where they are: growing copies nothing, and costs no second array. */
enum { CHUNK_BITS = 12, CHUNK = 1 << CHUNK_BITS, CHUNKS_MAX = 1 << (32 - CHUNK_BITS), BLOCK = 4096 };
struct chunk {
	struct kind kind;   /* of all, unless: */
	struct kind *kinds; /* of each; NULL: there was no need */
	struct stored pages[CHUNK];
};
enum { PENDING = 256 * 1024 };

struct vmsnap_store {
	atomic_uint holders;
	pthread_mutex_t lock;
	struct chunk **chunks;
	size_t chunk_count, kinds_count; /* of which so many have kinds */
	uint32_t top, free, count;       /* the highest page + 1; a list of free ones; pages that somebody has */
	uint32_t *slots;                 /* by hash; 0: nothing */
	size_t slot_count;               /* below 2^32 */
	uint64_t seed;                   /* of places of hashes */
	uint64_t bytes;                  /* of pages in memory */
	int spool;                       /* -1: none */
	uint64_t spooled;                /* bytes in it */
	char *pending;                   /* what comes after these, so that one call writes many pages */
	size_t pending_len;
	struct page_source *sources;
	size_t source_count;
};

static struct stored *stored_at(const struct vmsnap_store *store, uint32_t page)
{
	return &store->chunks[page >> CHUNK_BITS]->pages[page & (CHUNK - 1)];
}

static struct kind kind_of(const struct vmsnap_store *store, uint32_t page)
{
	const struct chunk *chunk = store->chunks[page >> CHUNK_BITS];
	return chunk->kinds ? chunk->kinds[page & (CHUNK - 1)] : chunk->kind;
}

static bool same_kind(struct kind a, struct kind b)
{
	return a.where == b.where && a.blocks == b.blocks;
}

static int set_kind(struct vmsnap_store *store, uint32_t page, struct kind kind)
{
	struct chunk *chunk = store->chunks[page >> CHUNK_BITS];
	if (!chunk->kinds && same_kind(chunk->kind, kind))
		return VMSNAP_OK;
	if (!chunk->kinds) {
		chunk->kinds = malloc(CHUNK * sizeof(*chunk->kinds));
		if (!chunk->kinds)
			return VMSNAP_ERR_NO_MEMORY;
		store->kinds_count++;
		for (size_t i = 0; i < CHUNK; i++)
			chunk->kinds[i] = chunk->kind;
	}
	chunk->kinds[page & (CHUNK - 1)] = kind;
	return VMSNAP_OK;
}

VMSNAP_API int vmsnap_store_new(struct vmsnap_store **out, struct vmsnap_error *err)
{
	if (!out)
		return fail(err, VMSNAP_ERR_ARGUMENT, "a store needs a place to go to");
	struct vmsnap_store *store = calloc(1, sizeof(*store));
	if (!store)
		return fail_no_memory(err);
	atomic_init(&store->holders, 1);
	pthread_mutex_init(&store->lock, NULL);
	store->spool = -1;
	store->top = 1;
	store->seed = page_hash_seed(store);
	*out = store;
	return VMSNAP_OK;
}

VMSNAP_API struct vmsnap_store *vmsnap_store_ref(struct vmsnap_store *store)
{
	if (store)
		atomic_fetch_add_explicit(&store->holders, 1, memory_order_relaxed);
	return store;
}

static void free_bytes(struct vmsnap_store *store, uint32_t page)
{
	const struct stored *stored = stored_at(store, page);
	struct kind kind = kind_of(store, page);
	if (kind.where != IN_MEMORY || !stored->place)
		return;
	free((void *)(uintptr_t)stored->place); /* NOLINT: it was one */
	store->bytes -= (uint64_t)kind.blocks * BLOCK;
}

static void store_free(struct vmsnap_store *store)
{
	for (uint32_t page = 1; store->chunks && page < store->top; page++)
		if (stored_at(store, page)->holders)
			free_bytes(store, page);
	for (size_t i = 0; store->chunks && i < store->chunk_count; i++) {
		free(store->chunks[i]->kinds);
		free(store->chunks[i]);
	}
	for (size_t i = 0; i < store->source_count; i++)
		store->sources[i].free(store->sources[i].ctx);
	if (store->spool >= 0)
		close(store->spool);
	free(store->pending);
	free(store->sources);
	free(store->chunks);
	free(store->slots);
	pthread_mutex_destroy(&store->lock);
	free(store);
}

VMSNAP_API void vmsnap_store_unref(struct vmsnap_store *store)
{
	if (store && atomic_fetch_sub_explicit(&store->holders, 1, memory_order_acq_rel) == 1)
		store_free(store);
}

VMSNAP_API int vmsnap_store_spool(struct vmsnap_store *store, const char *folder, struct vmsnap_error *err)
{
	if (!store || !folder)
		return fail(err, VMSNAP_ERR_ARGUMENT, "a spool needs a store, and a folder");
	int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (fd < 0)
		return fail_sys(err, errno, "cannot make a file without a name in %s", folder);
	pthread_mutex_lock(&store->lock);
	bool there = store->spool >= 0;
	if (!there)
		store->spool = fd;
	pthread_mutex_unlock(&store->lock);
	if (there)
		close(fd);
	return VMSNAP_OK;
}

/* Locks, though it only looks: others may be adding. */
static void lock(const struct vmsnap_store *store)
{
	pthread_mutex_lock((pthread_mutex_t *)(uintptr_t)&store->lock);
}

static void unlock(const struct vmsnap_store *store)
{
	pthread_mutex_unlock((pthread_mutex_t *)(uintptr_t)&store->lock);
}

VMSNAP_API uint64_t vmsnap_store_pages(const struct vmsnap_store *store)
{
	lock(store);
	uint64_t count = store->count;
	unlock(store);
	return count;
}

VMSNAP_API uint64_t vmsnap_store_memory(const struct vmsnap_store *store)
{
	lock(store);
	uint64_t bytes = store->bytes + (store->pending ? PENDING : 0) + store->chunk_count * sizeof(struct chunk) +
	                 store->kinds_count * CHUNK * sizeof(struct kind) + store->slot_count * sizeof(*store->slots) +
	                 sizeof(*store);
	unlock(store);
	return bytes;
}

/* ---- by hash ------------------------------------------------------------------ */

static uint16_t blocks_of(size_t len)
{
	return (uint16_t)((len + BLOCK - 1) / BLOCK);
}

/* A file may say one hash of pages of two sizes: whoever asked for the larger one would get too little. */
static bool same_page(const struct vmsnap_store *store, uint32_t page, const struct page_hash *hash, uint16_t blocks)
{
	const struct stored *stored = stored_at(store, page);
	return stored->hash.low == hash->low && stored->hash.high == hash->high &&
	       kind_of(store, page).blocks == blocks;
}

static size_t home_of(const struct vmsnap_store *store, struct page_hash hash)
{
	uint64_t mixed = page_hash_mixed(hash, store->seed);
	return (size_t)((mixed >> 32) * store->slot_count >> 32);
}

static size_t next_slot(const struct vmsnap_store *store, size_t slot)
{
	return slot + 1 < store->slot_count ? slot + 1 : 0;
}

/* The slot that has this page, or the free one where it belongs. */
static size_t slot_of(const struct vmsnap_store *store, const struct page_hash *hash, uint16_t blocks)
{
	size_t slot = home_of(store, *hash);
	while (store->slots[slot] && !same_page(store, store->slots[slot], hash, blocks))
		slot = next_slot(store, slot);
	return slot;
}

static size_t slot_of_stored(const struct vmsnap_store *store, uint32_t page)
{
	struct page_hash hash = stored_at(store, page)->hash;
	return slot_of(store, &hash, kind_of(store, page).blocks);
}

/* Of a hash that is in none: what others are there need not be looked at. */
static size_t free_slot_of(const struct vmsnap_store *store, uint32_t page)
{
	size_t slot = home_of(store, stored_at(store, page)->hash);
	while (store->slots[slot])
		slot = next_slot(store, slot);
	return slot;
}

/* Its place is anywhere, and waiting for memory is most of what a look at it takes. */
static void fetch_slot(const struct vmsnap_store *store, struct page_hash hash)
{
	__builtin_prefetch(&store->slots[home_of(store, hash)]);
}

enum { AHEAD = 8 };

static void fill_slots(struct vmsnap_store *store)
{
	for (uint32_t page = 1; page < store->top; page++) {
		if (store->top - page > AHEAD)
			fetch_slot(store, stored_at(store, page + AHEAD)->hash);
		if (stored_at(store, page)->holders)
			store->slots[free_slot_of(store, page)] = page;
	}
}

/* To where they are three fifths full: twice as many would take more than what is known of some pages; and the old ones
 * go before. */
static int grow_slots(struct vmsnap_store *store)
{
	enum { LEAST = 1024 };
	size_t needed = (size_t)store->count + 1, count = needed * 5 / 3;
	if (needed * 4 < store->slot_count * 3)
		return VMSNAP_OK;
	count = count < LEAST ? LEAST : count;
	free(store->slots);
	store->slots = calloc(count, sizeof(*store->slots));
	store->slot_count = store->slots ? count : 0;
	if (!store->slots)
		return VMSNAP_ERR_NO_MEMORY;
	fill_slots(store);
	return VMSNAP_OK;
}

static size_t slots_between(const struct vmsnap_store *store, size_t from, size_t to)
{
	return to >= from ? to - from : to + store->slot_count - from;
}

static size_t steps_to(const struct vmsnap_store *store, size_t slot)
{
	return slots_between(store, home_of(store, stored_at(store, store->slots[slot])->hash), slot);
}

/* Those that come after it close the gap: there are no marks of what was there. */
static void clear_slot(struct vmsnap_store *store, size_t gap)
{
	for (size_t at = next_slot(store, gap); store->slots[at]; at = next_slot(store, at)) {
		if (steps_to(store, at) >= slots_between(store, gap, at)) {
			store->slots[gap] = store->slots[at];
			gap = at;
		}
	}
	store->slots[gap] = STORE_NO_PAGE;
}

uint64_t store_steps(const struct vmsnap_store *store)
{
	uint64_t sum = 0;
	lock(store);
	for (size_t slot = 0; slot < store->slot_count; slot++)
		sum += store->slots[slot] ? steps_to(store, slot) : 0;
	unlock(store);
	return sum;
}

static int new_chunk(struct vmsnap_store *store, struct kind kind)
{
	if (store->top < store->chunk_count << CHUNK_BITS)
		return VMSNAP_OK;
	size_t needed = store->chunk_count + 1;
	if (needed > CHUNKS_MAX - 1)
		return VMSNAP_ERR_TOO_LARGE;
	struct chunk **grown = store->chunks;
	if (!(needed & (needed - 1)))
		grown = realloc(store->chunks, needed * 2 * sizeof(*grown));
	if (!grown)
		return VMSNAP_ERR_NO_MEMORY;
	store->chunks = grown;
	grown[needed - 1] = calloc(1, sizeof(**grown));
	if (!grown[needed - 1])
		return VMSNAP_ERR_NO_MEMORY;
	grown[needed - 1]->kind = kind;
	store->chunk_count = needed;
	return VMSNAP_OK;
}

static int new_page(struct vmsnap_store *store, struct kind kind, uint32_t *page)
{
	if (store->free) {
		*page = store->free;
		store->free = (uint32_t)stored_at(store, *page)->place;
		return VMSNAP_OK;
	}
	int rc = new_chunk(store, kind);
	if (!rc)
		*page = store->top++;
	return rc;
}

static void give_back(struct vmsnap_store *store, uint32_t page)
{
	struct stored *stored = stored_at(store, page);
	*stored = (struct stored){ .place = store->free };
	store->free = page;
}

/* ---- bytes --------------------------------------------------------------------- */

static int flush_spool(struct vmsnap_store *store)
{
	for (size_t done = 0; done < store->pending_len;) {
		ssize_t put = pwrite(store->spool, store->pending + done, store->pending_len - done,
		                     (off_t)(store->spooled + done));
		if (put < 0 && errno != EINTR)
			return VMSNAP_ERR_SYSTEM;
		done += put > 0 ? (size_t)put : 0;
	}
	store->spooled += store->pending_len;
	store->pending_len = 0;
	return VMSNAP_OK;
}

/* The last pages are never written, unless more come. */
static int add_to_spool(struct vmsnap_store *store, const void *bytes, size_t len, uint64_t *place)
{
	if (len > PENDING)
		return VMSNAP_ERR_TOO_LARGE;
	int rc = store->pending_len + len > PENDING ? flush_spool(store) : VMSNAP_OK;
	if (rc)
		return rc;
	if (!store->pending)
		store->pending = malloc(PENDING);
	if (!store->pending)
		return VMSNAP_ERR_NO_MEMORY;
	memcpy(store->pending + store->pending_len, bytes, len);
	*place = store->spooled + store->pending_len;
	store->pending_len += len;
	return VMSNAP_OK;
}

static int keep_bytes(struct vmsnap_store *store, struct kind kind, const void *bytes, size_t len, uint64_t *place)
{
	if (kind.where == IN_SPOOL)
		return add_to_spool(store, bytes, len, place);
	void *copy = malloc(len);
	if (!copy)
		return VMSNAP_ERR_NO_MEMORY;
	memcpy(copy, bytes, len);
	*place = (uintptr_t)copy;
	store->bytes += (uint64_t)kind.blocks * BLOCK;
	return VMSNAP_OK;
}

static bool has_bytes(const struct stored *stored, struct kind kind)
{
	return kind.where != IN_MEMORY || stored->place;
}

/* What is given of a page beside its hash. */
struct given {
	const void *bytes;
	size_t len;
	unsigned source; /* IN_SOURCES and a number; 0: none */
	uint64_t place;
};

static struct kind kind_given(const struct vmsnap_store *store, const struct given *given)
{
	unsigned of_bytes = store->spool >= 0 ? IN_SPOOL : IN_MEMORY;
	return (struct kind){ .where = (uint16_t)(given->bytes ? of_bytes : given->source),
		              .blocks = blocks_of(given->len) };
}

static int fill(struct vmsnap_store *store, uint32_t page, const struct given *given)
{
	struct kind before = kind_of(store, page), kind = kind_given(store, given);
	uint64_t place = given->place;
	int rc = set_kind(store, page, kind);
	if (rc || !given->bytes) {
		stored_at(store, page)->place = rc ? 0 : place;
		return rc;
	}
	rc = keep_bytes(store, kind, given->bytes, given->len, &place);
	if (rc)
		set_kind(store, page, before); /* for which there is room */
	stored_at(store, page)->place = rc ? 0 : place;
	return rc;
}

static int put_new(struct vmsnap_store *store, const struct page_hash *hash, const struct given *given, uint32_t *page)
{
	int rc = new_page(store, kind_given(store, given), page);
	if (rc)
		return rc;
	struct stored *stored = stored_at(store, *page);
	*stored = (struct stored){ .hash = *hash };
	rc = fill(store, *page, given);
	if (rc)
		give_back(store, *page);
	else
		stored->holders = 1;
	return rc;
}

static int put(struct vmsnap_store *store, const struct page_hash *hash, const struct given *given, uint32_t *page)
{
	int rc = grow_slots(store);
	if (rc)
		return rc;
	size_t slot = slot_of(store, hash, blocks_of(given->len));
	uint32_t there = store->slots[slot];
	if (there) {
		struct stored *stored = stored_at(store, there);
		rc = has_bytes(stored, kind_of(store, there)) ? VMSNAP_OK : fill(store, there, given);
		if (rc)
			return rc;
		stored->holders++;
		*page = there;
		return VMSNAP_OK;
	}
	rc = put_new(store, hash, given, page);
	if (rc)
		return rc;
	store->slots[slot] = *page;
	store->count++;
	return VMSNAP_OK;
}

static void let_go(struct vmsnap_store *store, uint32_t page)
{
	if (--stored_at(store, page)->holders)
		return;
	if (store->slots)
		clear_slot(store, slot_of_stored(store, page));
	free_bytes(store, page);
	give_back(store, page);
	store->count--;
}

int store_put(struct vmsnap_store *store, const struct page_hash *hash, const void *bytes, size_t len, uint32_t *page)
{
	pthread_mutex_lock(&store->lock);
	int rc = put(store, hash, &(struct given){ .bytes = bytes, .len = len }, page);
	pthread_mutex_unlock(&store->lock);
	return rc;
}

int store_put_all(struct vmsnap_store *store, const struct page_hash *hashes, const char *bytes, size_t len,
                  size_t count, uint32_t *pages)
{
	size_t done = 0;
	int rc = VMSNAP_OK;
	pthread_mutex_lock(&store->lock);
	for (; !rc && done < count; done += !rc) {
		if (store->slots && done + AHEAD < count)
			fetch_slot(store, hashes[done + AHEAD]);
		rc = put(store, &hashes[done],
		         &(struct given){ .bytes = bytes ? bytes + done * len : NULL, .len = len }, &pages[done]);
	}
	for (size_t i = 0; rc && i < done; i++)
		let_go(store, pages[i]);
	pthread_mutex_unlock(&store->lock);
	return rc;
}

int store_put_place(struct vmsnap_store *store, const struct page_hash *hash, size_t len, unsigned source,
                    uint64_t place, uint32_t *page)
{
	pthread_mutex_lock(&store->lock);
	int rc = put(store, hash, &(struct given){ .len = len, .source = IN_SOURCES + source, .place = place }, page);
	pthread_mutex_unlock(&store->lock);
	return rc;
}

int store_add_source(struct vmsnap_store *store, const struct page_source *source, unsigned *number)
{
	pthread_mutex_lock(&store->lock);
	int rc = store->source_count < STORE_SOURCES_MAX ? VMSNAP_OK : VMSNAP_ERR_TOO_LARGE;
	struct page_source *grown = rc ? NULL : realloc(store->sources, (store->source_count + 1) * sizeof(*grown));
	if (!rc && !grown)
		rc = VMSNAP_ERR_NO_MEMORY;
	if (!rc) {
		store->sources = grown;
		*number = (unsigned)store->source_count;
		grown[store->source_count++] = *source;
	}
	pthread_mutex_unlock(&store->lock);
	return rc;
}

void store_hold(struct vmsnap_store *store, const uint32_t *pages, size_t count)
{
	pthread_mutex_lock(&store->lock);
	for (size_t i = 0; i < count; i++)
		if (pages[i])
			stored_at(store, pages[i])->holders++;
	pthread_mutex_unlock(&store->lock);
}

void store_let_go(struct vmsnap_store *store, const uint32_t *pages, size_t count)
{
	pthread_mutex_lock(&store->lock);
	for (size_t i = 0; i < count; i++)
		if (pages[i])
			let_go(store, pages[i]);
	pthread_mutex_unlock(&store->lock);
}

struct page_hash store_hash(struct vmsnap_store *store, uint32_t page)
{
	pthread_mutex_lock(&store->lock);
	struct page_hash hash = stored_at(store, page)->hash;
	pthread_mutex_unlock(&store->lock);
	return hash;
}

uint32_t store_holders(struct vmsnap_store *store, uint32_t page)
{
	pthread_mutex_lock(&store->lock);
	uint32_t holders = stored_at(store, page)->holders;
	pthread_mutex_unlock(&store->lock);
	return holders;
}

static int read_spool(struct vmsnap_store *store, uint64_t place, void *to, size_t len, struct vmsnap_error *err)
{
	pthread_mutex_lock(&store->lock);
	bool pending = place >= store->spooled;
	if (pending)
		memcpy(to, store->pending + (place - store->spooled), len);
	pthread_mutex_unlock(&store->lock);
	ssize_t got = pending ? (ssize_t)len : pread_all(store->spool, to, len, place);
	if (got != (ssize_t)len)
		return fail_sys(err, got < 0 ? errno : EIO, "cannot read contents that were set aside");
	return VMSNAP_OK;
}

static int read_stored(struct vmsnap_store *store, const struct stored *stored, struct kind kind, void *to, size_t len,
                       struct vmsnap_error *err)
{
	if (!has_bytes(stored, kind))
		return fail(err, VMSNAP_ERR_NOT_FOUND, "only a hash is kept of the page");
	if (kind.where == IN_SPOOL)
		return read_spool(store, stored->place, to, len, err);
	if (kind.where == IN_MEMORY) {
		memcpy(to, (const void *)(uintptr_t)stored->place, len); /* NOLINT: it was one */
		return VMSNAP_OK;
	}
	pthread_mutex_lock(&store->lock);
	struct page_source source = store->sources[kind.where - IN_SOURCES];
	pthread_mutex_unlock(&store->lock);
	return source.read(source.ctx, stored->place, to, len, err);
}

int store_read(struct vmsnap_store *store, uint32_t page, void *to, size_t len, struct vmsnap_error *err)
{
	/* Whoever asks holds the page, so that its bytes stay where they are; a source has a lock of its own. */
	pthread_mutex_lock(&store->lock);
	struct stored stored = *stored_at(store, page);
	struct kind kind = kind_of(store, page);
	pthread_mutex_unlock(&store->lock);
	return read_stored(store, &stored, kind, to, len, err);
}
