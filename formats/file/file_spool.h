/* file_spool.h - a stream that can be read only once, as a pipe, made one that can be read
 * at any place: a short one in memory, a longer one in a temporary file, so that it takes no
 * more memory than a file would.  (It does where the folders for such files are a tmpfs, or
 * where no file can be made in them: then a memfd serves.)  What cannot become a file of
 * ours, or becomes too long, is refused while it comes, for it may have no end; damage behind
 * a whole snapshot is for who reads the copy. */
#ifndef VMSNAP_FILE_SPOOL_H
#define VMSNAP_FILE_SPOOL_H

#include "vmsnap.h"

struct file_spool {
	uint8_t *bytes; /* malloc'ed, or NULL: behind fd */
	int fd;         /* or -1 */
	uint64_t size;
};
/* limits: with .input_bytes set. */
int file_spool_read(struct file_spool *spool, int fd, const char *name, const struct vmsnap_limits *limits,
                    struct vmsnap_error *err);

/* A file without a name, for a copy of what is called `name`; told: where it is, for messages.  VMSNAP_ERR_SYSTEM. */
enum { SPOOL_TOLD = 256 };
int file_spool_temporary(const char *name, char told[static SPOOL_TOLD], struct vmsnap_error *err);

#endif
