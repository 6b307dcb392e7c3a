/* file_write.h - snapshots to a stream of sections.  Writes to a descriptor from
 * where it stands and never seeks. */
#ifndef VMSNAP_FILE_WRITE_H
#define VMSNAP_FILE_WRITE_H

#include "vmsnap.h"
#include "work.h"

struct file_stream {
	const char *name; /* for messages */
	bool no_contents; /* what pages hold is left out */
	bool deltas;      /* as what differs from the one before of the process, where that is shorter */
	/* Bytes that are in the file already, whose last stream goes on; 0: a stream begins, with its header. */
	uint64_t whole;
	struct vmsnap_file *before; /* these, for what need not be written again; NULL: as if there were none */
};
/* One stream that is being written.  The name and `before` are borrowed, and `work` is asked. */
struct stream_writer;
int stream_writer_new(const struct file_stream *stream, struct work *work, struct stream_writer **out,
                      struct vmsnap_error *err);
/* To where fd stands.  After a failure it can only be freed. */
int stream_writer_add(struct stream_writer *writer, int fd, const struct vmsnap *const *snaps, size_t count,
                      struct vmsnap_error *err);
/* Of the file, with what was in it before. */
uint64_t stream_writer_bytes(const struct stream_writer *writer);
void stream_writer_free(struct stream_writer *writer); /* NULL is fine */

#endif
