/* file_save.h - what saving to a path means: to make a file, to replace one, to add to one.  Once, or again and
 * again: then what the writer knows of the file is kept from one time to the next. */
#ifndef VMSNAP_FILE_SAVE_H
#define VMSNAP_FILE_SAVE_H

#include <sys/stat.h>

#include "file_write.h"
#include "save_path.h"

/* A file that is added to, open for reading. */
struct save_before {
	struct vmsnap_file *file; /* NULL: not needed, or it cannot be */
	int fd;                   /* which that reads */
};

/* The file that was written last, as long as nobody else wrote to it. */
struct save_kept {
	struct stream_writer *writer; /* NULL: none */
	struct save_before before;    /* which that reads */
	dev_t dev;
	ino_t ino;
	uint64_t whole; /* bytes */
};
void save_kept_free(struct save_kept *kept);

struct save {
	struct save_path target;
	const struct vmsnap *const *snaps; /* or, if there is `next`, what that gives */
	size_t count;
	/* One after another, held by nobody else; VMSNAP_END after the last. */
	int (*next)(void *ctx, struct vmsnap **out, struct vmsnap_error *err);
	void *next_ctx;
	bool no_contents, deltas;
	bool unsynced;          /* what was written need not be on the disk yet */
	struct save_kept *kept; /* NULL: once */
	struct work *work;
	struct vmsnap_error *err;
};

/* A new file, which takes the place of one that may be there. */
int save_replace(const struct save *save);
/* Behind what is there; makes the file if there is none.  If that fails, it is as it was. */
int save_append(const struct save *save);
/* One of the three, as the flags want it (enum vmsnap_save_flag) and the path is. */
int save_to(struct save *save, const char *path, unsigned flags);
/* To a pipe or a device. */
int save_stream(const struct save *save);
/* What was written, unsynced, is on the disk now. */
int save_sync(const struct save *save, struct vmsnap_error *err);

#endif
