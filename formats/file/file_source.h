/* file_source.h - the bytes of a file, wherever they are: behind a descriptor that
 * can be read at any place, or in memory (of a pipe a copy is made first: file_spool.h).
 * Knows nothing of what they mean.
 *
 * Files are read with pread(), not mapped: another process may cut off a mapped
 * file under us, and that would be a SIGBUS. */
#ifndef VMSNAP_FILE_SOURCE_H
#define VMSNAP_FILE_SOURCE_H

#include <stdint.h>

#include "vmsnap.h"

struct file_source {
	char *name;           /* for messages */
	const uint8_t *bytes; /* all of it, or NULL: behind fd */
	uint8_t *owned;       /* what of `bytes` is ours to free */
	int fd;
	bool owns_fd;
	uint64_t base, size; /* the file is [base, base + size) of the descriptor */
};

/* limits: with .input_bytes set. */
int file_source_open(struct file_source *source, const char *path, const struct vmsnap_limits *limits,
                     struct vmsnap_error *err);
/* Reads from where the descriptor stands. */
int file_source_open_fd(struct file_source *source, int fd, const char *name, const struct vmsnap_limits *limits,
                        struct vmsnap_error *err);
int file_source_open_memory(struct file_source *source, const void *bytes, size_t len, struct vmsnap_error *err);
void file_source_close(struct file_source *source);

/* Exactly len bytes.  A file that has become shorter meanwhile is truncated. */
int file_source_read(const struct file_source *source, uint64_t offset, void *out, size_t len,
                     struct vmsnap_error *err);

#endif
