/* series_source.h - the snapshots that a series goes over, one after the other, of a file or in memory; and which
 * processes they are of, which is found out before. */
#ifndef VMSNAP_SERIES_SOURCE_H
#define VMSNAP_SERIES_SOURCE_H

#include "vmsnap.h"
#include "work.h"

/* No kernel gives a longer one. */
enum { SERIES_COMM_MAX = 64 };
struct series_process {
	struct vmsnap_series_process told; /* .comm is filled in when it is told */
	char comm[SERIES_COMM_MAX];
	char boot_id[SERIES_COMM_MAX];
	uint32_t next; /* 1 + the next one with the same hash; 0: none */
};
struct series_source {
	struct vmsnap_series_options options; /* count is that of the snapshots there are */
	const struct vmsnap_file *file;       /* or NULL, and: */
	struct vmsnap **snaps;                /* held */
	struct vmsnap_walk *walk;             /* of a file, if all of it is looked at */
	struct series_process *processes;
	size_t process_count, process_room;
	uint32_t *buckets;    /* 1 + the first process with such a hash; as many as process_room */
	uint32_t *process_of; /* for each snapshot, or one of: */
	size_t next, at;
	bool measured, sizes; /* one was loaded; and they are of core files, of which only sizes are known */
	struct work work;     /* of the above, which is less than the snapshots take in the file */
};
#define SERIES_UNREAD     UINT32_MAX
#define SERIES_NOT_WANTED (UINT32_MAX - 1)

/* One of file and snaps is given. */
int series_source_open(struct series_source *source, const struct vmsnap_file *file, const struct vmsnap *const *snaps,
                       size_t count, const struct vmsnap_series_options *options, struct vmsnap_error *err);
void series_source_close(struct series_source *source);
/* The next one, held once more; its place is source->at, also if it cannot be read.  VMSNAP_END after the last. */
int series_source_next(struct series_source *source, struct vmsnap **out, struct vmsnap_error *err);
/* Passes over it; its place is source->at. */
int series_source_pass(struct series_source *source);
static inline uint32_t series_source_process(const struct series_source *source)
{
	return source->process_of[source->at - source->options.first];
}

/* The time between two snapshots of one process, or of one machine; false: it is not known. */
bool series_elapsed(const struct vmsnap *before, const struct vmsnap *snap, uint64_t *ns);

#endif
