/* file_pipeline.h - does jobs in several threads and gives them back in order.  Knows not what
 * they are; reads and writes nothing. */
#ifndef VMSNAP_FILE_PIPELINE_H
#define VMSNAP_FILE_PIPELINE_H

#include <stddef.h>

/* Jobs are zero at first, and what they hold serves again and again. */
struct pipeline_ops {
	size_t job_size;
	void *(*worker_new)(void); /* what a thread has for itself; NULL: no memory */
	void (*worker_free)(void *worker);
	void (*work)(void *worker, void *job);
	void (*job_free)(void *job);
};

/* How many threads have a processor, beside the caller's. */
unsigned pipeline_threads(void);

struct pipeline;
/* NULL if there is no memory.  Without threads it works all the same. */
struct pipeline *pipeline_new(const struct pipeline_ops *ops, unsigned threads);
void pipeline_free(struct pipeline *pipeline);
/* A job to be filled; NULL if all are under way: finish one first. */
void *pipeline_next(struct pipeline *pipeline);
void pipeline_start(struct pipeline *pipeline); /* the one that was filled */
/* Waits for the oldest job; NULL if there is none.  It is lent until the next call. */
void *pipeline_finish(struct pipeline *pipeline);

#endif
