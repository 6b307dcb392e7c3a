/* who_file.h - a file as /proc/PID/maps tells it, and what the page cache has of it. */
#ifndef VMSNAP_WHO_FILE_H
#define VMSNAP_WHO_FILE_H

#include "vmsnap.h"

struct who_file {
	char *name; /* as maps shows it, without " (deleted)"; malloc'ed */
	bool known; /* which one it is: */
	uint32_t dev_major, dev_minor;
	uint64_t inode;
	uint64_t bytes;         /* its size; UINT64_MAX: not known */
	uint64_t cached, dirty; /* bytes; UINT64_MAX: not known */
	bool by_mincore;
};

/* Opens and maps it for a moment, without a look at what is in it: on overlayfs and btrfs maps shows another device
 * than stat(2).  by_name: it is not opened.  What cannot be opened is not known; what is no file is
 * VMSNAP_ERR_ARGUMENT. */
int who_file_find(const char *path, bool by_name, struct who_file *out, struct vmsnap_error *err);
void who_file_free(struct who_file *file);

/* Whether a mapping is of it; *other: of another one that has, or had, its name. */
bool who_file_is(const struct who_file *file, const struct vmsnap_vma *vma, bool *other);
/* Whether it is of a file that has, or had, this name. */
bool who_file_named(const char *name, const struct vmsnap_vma *vma);

#endif
