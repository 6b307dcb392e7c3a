#define _GNU_SOURCE
#include "contents_keeper.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "thread.h"

/* Fewer are kept sooner than a thread has begun. */
enum { ALONE_BATCHES = 4 };
/* To wake a thread for each takes as long as to hash it. */
enum { WAKE_AT = KEEPER_BATCHES / 2 };

int keeper_init(struct contents_keeper *keeper, struct contents *taken, size_t page_size, bool hashes)
{
	*keeper = (struct contents_keeper){ .taken = taken, .page_size = page_size, .hashes = hashes };
	pthread_mutex_init(&keeper->lock, NULL);
	pthread_cond_init(&keeper->changed, NULL);
	for (size_t i = 0; i < KEEPER_BATCHES; i++) {
		keeper->batches[i].bytes = malloc(KEEPER_BYTES);
		if (!keeper->batches[i].bytes)
			return VMSNAP_ERR_NO_MEMORY;
	}
	return VMSNAP_OK;
}

static int fail_store(int rc, struct vmsnap_error *err)
{
	if (rc == VMSNAP_ERR_SYSTEM)
		return fail_sys(err, errno, "cannot set contents of pages aside");
	return rc == VMSNAP_ERR_NO_MEMORY ? fail_no_memory(err) : fail(err, rc, "too many different pages");
}

static int keep(struct contents_keeper *keeper, const struct page_batch *batch)
{
	struct contents *taken = keeper->taken;
	struct page_hash hashes[KEEPER_PAGES_MAX];
	uint32_t numbers[KEEPER_PAGES_MAX];
	for (size_t i = 0; i < batch->count; i++)
		hashes[i] = page_hash_of(batch->bytes + i * keeper->page_size, keeper->page_size);
	int rc = store_put_all(taken->store, hashes, keeper->hashes ? NULL : batch->bytes, keeper->page_size,
	                       batch->count, numbers);
	if (rc)
		return fail_store(rc, &keeper->err);
	for (size_t i = 0; i < batch->count; i++) {
		if (!contents_add(taken, keeper->page_size, batch->addresses[i], numbers[i]))
			continue;
		store_let_go(taken->store, numbers + i + 1, batch->count - i - 1);
		return fail_no_memory(&keeper->err);
	}
	return VMSNAP_OK;
}

/* The oldest that was given.  Called and left with the lock, by one thread at a time. */
static void keep_one(struct contents_keeper *keeper)
{
	struct page_batch *batch = &keeper->batches[keeper->kept % KEEPER_BATCHES];
	int rc = keeper->rc;
	pthread_mutex_unlock(&keeper->lock);
	rc = rc ? rc : keep(keeper, batch);
	batch->count = 0;
	pthread_mutex_lock(&keeper->lock);
	keeper->rc = rc;
	keeper->kept++;
	pthread_cond_broadcast(&keeper->changed);
}

static void *run(void *context)
{
	struct contents_keeper *keeper = context;
	pthread_mutex_lock(&keeper->lock);
	while (!keeper->finished || keeper->kept < keeper->given) {
		if (keeper->kept < keeper->given)
			keep_one(keeper);
		else
			pthread_cond_wait(&keeper->changed, &keeper->lock);
	}
	pthread_mutex_unlock(&keeper->lock);
	return NULL;
}

/* Where no thread can be made it goes without. */
static void start(struct contents_keeper *keeper)
{
	keeper->threaded = !thread_start_unsignalled(&keeper->thread, run, keeper);
	keeper->alone = !keeper->threaded;
}

void keeper_prepare(struct contents_keeper *keeper)
{
	for (size_t i = 0; i < KEEPER_BATCHES; i++)
		memset(keeper->batches[i].bytes, 0, KEEPER_BYTES);
	if (!keeper->threaded && !keeper->alone)
		start(keeper);
}

int keeper_give(struct contents_keeper *keeper, struct vmsnap_error *err)
{
	if (!keeper->threaded && !keeper->alone && keeper->given >= ALONE_BATCHES)
		start(keeper);
	pthread_mutex_lock(&keeper->lock);
	keeper->given++;
	if (keeper->given - keeper->kept >= WAKE_AT)
		pthread_cond_broadcast(&keeper->changed);
	if (!keeper->threaded)
		keep_one(keeper);
	while (keeper->given - keeper->kept == KEEPER_BATCHES)
		pthread_cond_wait(&keeper->changed, &keeper->lock);
	int rc = keeper->rc;
	if (rc && err)
		*err = keeper->err;
	pthread_mutex_unlock(&keeper->lock);
	return rc;
}

static void end_thread(struct contents_keeper *keeper)
{
	pthread_mutex_lock(&keeper->lock);
	keeper->finished = true;
	pthread_cond_broadcast(&keeper->changed);
	pthread_mutex_unlock(&keeper->lock);
	if (keeper->threaded)
		pthread_join(keeper->thread, NULL);
	keeper->threaded = false;
}

int keeper_finish(struct contents_keeper *keeper, struct vmsnap_error *err)
{
	if (keeper_batch(keeper)->count)
		keeper_give(keeper, NULL);
	end_thread(keeper);
	if (keeper->rc && err)
		*err = keeper->err;
	return keeper->rc;
}

void keeper_free(struct contents_keeper *keeper)
{
	end_thread(keeper);
	for (size_t i = 0; i < KEEPER_BATCHES; i++)
		free(keeper->batches[i].bytes);
	pthread_cond_destroy(&keeper->changed);
	pthread_mutex_destroy(&keeper->lock);
}
