#include "backed_pages.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "vmsnap.h"

enum { PAGE_MOST = 64 * 1024 };

struct backed_pages {
	atomic_uint holders;
	struct page_source source;
	uint64_t *places; /* of each range, in the source */
	size_t count, room;
	pthread_mutex_t lock; /* of what follows */
	/* By page; 0: not made yet.  Takes memory where it was asked for only. */
	struct page_hash *hashes;
};

struct backed_pages *backed_pages_new(const struct page_source *source)
{
	struct backed_pages *backed = calloc(1, sizeof(*backed));
	if (!backed) {
		source->free(source->ctx);
		return NULL;
	}
	atomic_init(&backed->holders, 1);
	pthread_mutex_init(&backed->lock, NULL);
	backed->source = *source;
	return backed;
}

struct backed_pages *backed_pages_ref(struct backed_pages *backed)
{
	atomic_fetch_add_explicit(&backed->holders, 1, memory_order_relaxed);
	return backed;
}

void backed_pages_unref(struct backed_pages *backed)
{
	if (!backed || atomic_fetch_sub_explicit(&backed->holders, 1, memory_order_acq_rel) != 1)
		return;
	backed->source.free(backed->source.ctx);
	pthread_mutex_destroy(&backed->lock);
	free(backed->places);
	free(backed->hashes);
	free(backed);
}

uint64_t backed_pages_memory(const struct backed_pages *backed)
{
	return backed ? sizeof(*backed) + backed->room * sizeof(*backed->places) : 0;
}

int backed_pages_add(struct backed_pages *backed, uint64_t place)
{
	if (backed->count == backed->room) {
		size_t room = backed->room < 16 ? 16 : backed->room + backed->room / 2;
		uint64_t *places = realloc(backed->places, room * sizeof(*places));
		if (!places)
			return VMSNAP_ERR_NO_MEMORY;
		backed->places = places;
		backed->room = room;
	}
	backed->places[backed->count++] = place;
	return VMSNAP_OK;
}

uint64_t backed_pages_place(const struct backed_pages *backed, size_t range)
{
	return backed->places[range];
}

int backed_pages_read(const struct backed_pages *backed, uint64_t place, void *to, size_t len, struct vmsnap_error *err)
{
	return backed->source.read(backed->source.ctx, place, to, len, err);
}

static bool is_known(struct backed_pages *backed, size_t page, struct page_hash *hash)
{
	pthread_mutex_lock(&backed->lock);
	*hash = backed->hashes ? backed->hashes[page] : (struct page_hash){ 0 };
	pthread_mutex_unlock(&backed->lock);
	return hash->low || hash->high;
}

/* Without memory for it, it is made again. */
static void keep(struct backed_pages *backed, size_t page, size_t count, const struct page_hash *hash)
{
	pthread_mutex_lock(&backed->lock);
	if (!backed->hashes)
		backed->hashes = calloc(count, sizeof(*backed->hashes));
	if (backed->hashes)
		backed->hashes[page] = *hash;
	pthread_mutex_unlock(&backed->lock);
}

int backed_pages_hash(struct backed_pages *backed, size_t page, size_t count, uint64_t place, size_t page_size,
                      struct page_hash *hash)
{
	char bytes[PAGE_MOST];
	if (is_known(backed, page, hash))
		return VMSNAP_OK;
	int rc = backed_pages_read(backed, place, bytes, page_size, NULL);
	if (rc)
		return rc;
	*hash = page_hash_of(bytes, page_size);
	keep(backed, page, count, hash);
	return VMSNAP_OK;
}
