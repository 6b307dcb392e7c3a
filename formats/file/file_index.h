/* file_index.h - where in a file its snapshots lie (docs/format.md, section 3).
 * Knows headers and ENDs; reads no payload. */
#ifndef VMSNAP_FILE_INDEX_H
#define VMSNAP_FILE_INDEX_H

#include "file_source.h"
#include "work.h"

struct file_index {
	struct vmsnap_file_entry *entries; /* bytes: from SNAP to the end of END */
	size_t count, capacity;
	struct vmsnap_error damage; /* code is VMSNAP_OK if there is none */
	uint64_t whole;             /* where an append goes: what lies behind is lost */
};

/* Fails on what is not ours or cannot be read at all.  A file in which something
 * was cut off is a success with damage, even if no snapshot is left. */
int file_index_find(struct file_index *index, const struct file_source *source, struct work *work,
                    struct vmsnap_error *err);
void file_index_free(struct file_index *index);

#endif
