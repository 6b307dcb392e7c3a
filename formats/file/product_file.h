/* product_file.h - a file that is made of snapshots and is none: a page, a table for another program.  It is
 * written beside its place and becomes what is there at one stroke, if that is nothing or of the same kind. */
#ifndef VMSNAP_PRODUCT_FILE_H
#define VMSNAP_PRODUCT_FILE_H

#include "save_path.h"

struct product_file {
	struct save_path target;
	struct file_draft draft;
	int fd; /* to be written to; -1: it is not open */
};
struct product_kind {
	const char *begins; /* what one begins with, at most 64 bytes; NULL: only an empty file is replaced */
	const char *what;   /* "a page of vmsnap's", for the message */
};

void product_file_init(struct product_file *file); /* closed: product_file_close() may be called */
int product_file_open(struct product_file *file, const char *path, const struct product_kind *kind, struct work *work,
                      struct vmsnap_error *err);
/* All of it; gives errno. */
int product_file_write(int fd, const char *bytes, size_t len);
/* `readable`: by others too, mode 0644.  Nothing is done where it went into a pipe. */
int product_file_place(struct product_file *file, bool readable, struct vmsnap_error *err);
void product_file_close(struct product_file *file);

#endif
