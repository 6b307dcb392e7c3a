/* file_target.h - the place where a file goes: its directory, what stands there
 * now, and new files beside it that become it at one stroke or vanish. */
#ifndef VMSNAP_FILE_TARGET_H
#define VMSNAP_FILE_TARGET_H

#include <limits.h>

#include "vmsnap.h"
#include "work.h"

enum file_target_kind {
	TARGET_NEW,      /* nothing is there */
	TARGET_EXISTING, /* a regular file is */
	TARGET_STREAM,   /* a pipe or a device: fd is open for writing */
};

struct file_target {
	enum file_target_kind kind;
	bool interruptible; /* a signal ends the wait for a lock */
	struct work *work;  /* asked while a lock is waited for */
	const char *path;   /* as the user said it */
	int dir, fd;
	char base[NAME_MAX + 1];
	bool regular_only;
};

/* Follows symbolic links, but not those of other users (root's are good); and in a folder
 * where others than its owner may write, takes nothing that belongs to another user. */
int file_target_open(struct file_target *target, const char *path, struct vmsnap_error *err);
/* The same, where pipes and devices are refused. */
int file_target_open_regular(struct file_target *target, const char *path, struct vmsnap_error *err);
void file_target_close(struct file_target *target);
/* Waits for the lock on the file that is there, and opens it.  VMSNAP_ERR_NOT_FOUND
 * if there is none any more, VMSNAP_ERR_CANCELLED if a signal ended the wait. */
int file_target_lock(const struct file_target *target, int flags, int *fd, struct vmsnap_error *err);

/* A file being made.  Where the file system can, it has no name until it is
 * placed, so that nothing is left if we are killed. */
struct file_draft {
	const struct file_target *target;
	int fd;
	char name[NAME_MAX + 1]; /* "" if it has none */
};
int file_draft_open(struct file_draft *draft, const struct file_target *target, struct vmsnap_error *err);
/* Makes it the target's file.  Unless `replace`, only if nothing is there:
 * otherwise VMSNAP_END. */
int file_draft_place(struct file_draft *draft, bool replace, struct vmsnap_error *err);
void file_draft_close(struct file_draft *draft); /* and removes it, if it was not placed */
/* Removes named drafts for this target whose makers are dead. */
void file_draft_sweep(const struct file_target *target);

#endif
