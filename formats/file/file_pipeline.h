/* file_pipeline.h - compresses payloads in several threads and gives them back in
 * order.  Knows no section, writes nothing. */
#ifndef VMSNAP_FILE_PIPELINE_H
#define VMSNAP_FILE_PIPELINE_H

#include "file_deflate.h"

struct pipeline;
struct pipeline_job {
	struct payload payload;
	struct bytes stored; /* if deflated */
	bool deflated;
};

/* NULL if there is no memory.  Without threads it works all the same. */
struct pipeline *pipeline_new(unsigned threads);
void pipeline_free(struct pipeline *pipeline);
/* An empty job to be filled; NULL if all are under way: finish one first. */
struct pipeline_job *pipeline_next(struct pipeline *pipeline);
void pipeline_start(struct pipeline *pipeline); /* the one that was filled */
/* Waits for the oldest job; NULL if there is none.  It is lent until the next call. */
struct pipeline_job *pipeline_finish(struct pipeline *pipeline);

#endif
