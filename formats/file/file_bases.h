/* file_bases.h - the snapshots of a file, loaded in any order, of which those are kept that others are likely to be
 * differences to: so that a chain is not gone down for each of them. */
#ifndef VMSNAP_FILE_BASES_H
#define VMSNAP_FILE_BASES_H

#include "file_load.h"

enum {
	FILE_BASES_NEWEST = 64,   /* of so many processes the last one, of whatever size */
	FILE_BASES_SHARED = 1024, /* and these, while they are together no larger than */
	FILE_BASES_SHARED_BYTES = 16 << 20,
};
/* Zeroed at first, but for: */
struct file_bases {
	size_t most;            /* processes, if they are fewer than FILE_BASES_NEWEST; 0: that many */
	const uint64_t *around; /* only what file_load_around() gives; NULL: all of each */
	/* Held: the newest of a process each, the latest first; then others, of which the last was wanted last. */
	struct file_known items[FILE_BASES_NEWEST + FILE_BASES_SHARED];
	size_t newest, shared;
	uint64_t shared_bytes;
	size_t missed[FILE_BASES_SHARED]; /* 1 + what was not there when it was wanted, by a hash */
};
/* As file_load_knowing(), if it is not here; *out is the caller's. */
int file_bases_load(struct file_bases *bases, const struct vmsnap_file *file, size_t index, bool check,
                    struct vmsnap **out, struct vmsnap_error *err);
void file_bases_free(struct file_bases *bases);

#endif
