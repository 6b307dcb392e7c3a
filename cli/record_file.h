/* record_file.h - where a recording goes.  A thread writes: what is recorded does not wait for the disk. */
#ifndef VMSNAP_CLI_RECORD_FILE_H
#define VMSNAP_CLI_RECORD_FILE_H

#include <stdint.h>

#include "record_blame.h"
#include "vmsnap.h"

struct record_file_options {
	const char *path;   /* "-": standard output */
	uint64_t rotate;    /* ns; 0: one file */
	unsigned max_files; /* 0: all are kept */
	bool no_contents;
	struct record_blame *blame; /* NULL: no page faults */
};
struct record_file;
/* STATUS_OK, or a status after saying why.  Nothing is written yet. */
int record_file_open(const struct record_file_options *options, struct record_file **out);
/* Snapshots of one instant, malloc'ed. */
struct record_batch {
	struct vmsnap **snaps;
	size_t count;
	struct vmsnap_faults *faults; /* until then; NULL without blame */
	bool all;                     /* of all processes that are there */
};
/* Takes what is in it over.  Waits only if two others wait already.  False: writing has
 * failed, and record_file_finish() tells. */
bool record_file_put(struct record_file *file, const struct record_batch *batch);
/* Whether something waits to be written, or is. */
bool record_file_busy(struct record_file *file);
/* Whether writing has failed; then there is no use in going on. */
bool record_file_failed(struct record_file *file);
uint64_t record_file_bytes(struct record_file *file); /* of all that was written */
/* The file that is written, or was last, into name; and how many there were. */
unsigned record_file_name(struct record_file *file, char *name, size_t room);
/* Writes what waits.  STATUS_OK, or a status after saying what went wrong.  NULL is fine. */
int record_file_finish(struct record_file *file);
void record_file_free(struct record_file *file);

#endif
