/* file_write.h - snapshots to a stream of sections.  Writes to a descriptor from
 * where it stands and never seeks. */
#ifndef VMSNAP_FILE_WRITE_H
#define VMSNAP_FILE_WRITE_H

#include "vmsnap.h"
#include "work.h"

struct file_stream {
	int fd;
	const char *name; /* for messages */
	const struct vmsnap *const *snaps;
	size_t count;
	bool no_contents; /* what pages hold is left out */
	/* Bytes that are in the file already, whose last stream goes on; 0: a stream begins, with its header. */
	uint64_t whole;
	struct vmsnap_file *before; /* these, for pages that need not be written again; NULL: as if there were none */
};
int file_write_stream(const struct file_stream *stream, struct work *work, struct vmsnap_error *err);

#endif
