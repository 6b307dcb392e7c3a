/* save_path.h - the place where a file goes: its directory, what stands there
 * now, and new files beside it that become it at one stroke or vanish. */
#ifndef VMSNAP_SAVE_PATH_H
#define VMSNAP_SAVE_PATH_H

#include <limits.h>

#include "vmsnap.h"
#include "work.h"

enum save_path_kind {
	TARGET_NEW,      /* nothing is there */
	TARGET_EXISTING, /* a regular file is */
	TARGET_STREAM,   /* a pipe or a device: fd is open for writing */
};

struct save_path {
	enum save_path_kind kind;
	bool interruptible; /* a signal ends the wait for a lock */
	struct work *work;  /* asked while a lock is waited for */
	const char *path;   /* as the user said it */
	int dir, fd;
	char base[NAME_MAX + 1];
	bool regular_only;
};

/* Follows symbolic links, but not those of other users (root's are good); and in a folder
 * where others than its owner may write, takes nothing that belongs to another user. */
int save_path_open(struct save_path *target, const char *path, struct vmsnap_error *err);
/* The same, where pipes and devices are refused. */
int save_path_open_regular(struct save_path *target, const char *path, struct vmsnap_error *err);
void save_path_close(struct save_path *target);
/* Waits for the lock on the file that is there, and opens it.  VMSNAP_ERR_NOT_FOUND
 * if there is none any more, VMSNAP_ERR_CANCELLED if a signal ended the wait. */
int save_path_lock(const struct save_path *target, int flags, int *fd, struct vmsnap_error *err);

/* A file being made.  Where the file system can, it has no name until it is
 * placed, so that nothing is left if we are killed. */
struct file_draft {
	const struct save_path *target;
	int fd;
	char name[NAME_MAX + 1]; /* "" if it has none */
};
int file_draft_open(struct file_draft *draft, const struct save_path *target, struct vmsnap_error *err);
/* Makes it the target's file.  Unless `replace`, only if nothing is there:
 * otherwise VMSNAP_END. */
int file_draft_place(struct file_draft *draft, bool replace, struct vmsnap_error *err);
void file_draft_close(struct file_draft *draft); /* and removes it, if it was not placed */
/* Removes named drafts for this target whose makers are dead. */
void file_draft_sweep(const struct save_path *target);

#endif
