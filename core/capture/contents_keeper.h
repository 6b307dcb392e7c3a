/* contents_keeper.h - pages that were read are hashed and kept by another thread while the next ones are
 * read: the target stands meanwhile.  Little is kept by the thread that reads. */
#ifndef VMSNAP_CONTENTS_KEEPER_H
#define VMSNAP_CONTENTS_KEEPER_H

#include <pthread.h>

#include "contents.h"

enum { KEEPER_BYTES = 256 * 1024, KEEPER_PAGES_MAX = KEEPER_BYTES / 4096, KEEPER_BATCHES = 8 };

/* Pages, one after the other, in address order. */
struct page_batch {
	char *bytes; /* KEEPER_BYTES */
	uint64_t addresses[KEEPER_PAGES_MAX];
	size_t count;
};
struct contents_keeper {
	struct contents *taken;
	size_t page_size;
	bool hashes; /* only */
	struct page_batch batches[KEEPER_BATCHES];
	size_t given, kept; /* batches; one's place is its number modulo KEEPER_BATCHES */
	int rc;             /* what went wrong first; then nothing more is kept */
	struct vmsnap_error err;
	pthread_t thread;
	bool threaded, alone, finished;
	pthread_mutex_t lock;
	pthread_cond_t changed;
};

int keeper_init(struct contents_keeper *keeper, struct contents *taken, size_t page_size, bool hashes);
/* Somebody will wait: its memory is made resident, and its thread begun. */
void keeper_prepare(struct contents_keeper *keeper);
/* The batch to be filled, which may have pages already. */
static inline struct page_batch *keeper_batch(struct contents_keeper *keeper)
{
	return &keeper->batches[keeper->given % KEEPER_BATCHES];
}
/* It is filled; waits until there is an empty one.  An error is of any batch that was given. */
int keeper_give(struct contents_keeper *keeper, struct vmsnap_error *err);
/* What was not given is; all of it is kept, or an error. */
int keeper_finish(struct contents_keeper *keeper, struct vmsnap_error *err);
void keeper_free(struct contents_keeper *keeper);

#endif
