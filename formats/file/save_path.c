#define _GNU_SOURCE
#include "save_path.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "error.h"

static int cannot_write(const struct save_path *target, int saved_errno, struct vmsnap_error *err)
{
	return fail_sys(err, saved_errno, "cannot write %.200s", target->path);
}

/* The descriptor that names like /dev/stdout stand for; -1 if it is not such a
 * name.  Opened by name, a file behind it would be another open file. */
static int descriptor_of(const char *path)
{
	static const char *const folders[] = { "/dev/fd/", "/proc/self/fd/" };
	if (strcmp(path, "/dev/stdout") == 0)
		return STDOUT_FILENO;
	for (size_t i = 0; i < 2; i++) {
		size_t len = strlen(folders[i]);
		const char *digits = path + len;
		if (strncmp(path, folders[i], len) == 0 && *digits && strlen(digits) < 9 &&
		    !digits[strspn(digits, "0123456789")])
			return atoi(digits);
	}
	return -1;
}

static void split_path(const char *path, char dir[PATH_MAX], const char **base)
{
	const char *slash = strrchr(path, '/');
	*base = slash ? slash + 1 : path;
	if (slash)
		snprintf(dir, PATH_MAX, "%.*s", slash == path ? 1 : (int)(slash - path), path);
	else
		strcpy(dir, ".");
}

static int open_dir(struct save_path *target, const char *path, struct vmsnap_error *err)
{
	char dir[PATH_MAX];
	const char *base;
	split_path(path, dir, &base);
	size_t len = strlen(base);
	if (strlen(path) >= PATH_MAX || len > NAME_MAX)
		return cannot_write(target, ENAMETOOLONG, err);
	if (!len)
		return cannot_write(target, EISDIR, err);
	memcpy(target->base, base, len + 1);
	target->dir = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return target->dir < 0 ? cannot_write(target, errno, err) : VMSNAP_OK;
}

/* Where others than its owner may write, what is there is only as good as its owner: a
 * FIFO or a file that waits under the name that we were expected to use would carry what
 * we know to who made it.  An ACL that lets others write shows as the group's bit.  The
 * kernel has the same rule (fs.protected_fifos, fs.protected_regular), but it is often
 * switched off, is only for folders with the sticky bit, and only for O_CREAT. */
static bool set_by_others(const struct save_path *target, const struct stat *there)
{
	struct stat dir;
	if (there->st_uid == geteuid())
		return false;
	return fstat(target->dir, &dir) || ((dir.st_mode & (S_IWGRP | S_IWOTH)) && there->st_uid != dir.st_uid);
}

static int refuse_others(const struct save_path *target, struct vmsnap_error *err)
{
	return fail(err, VMSNAP_ERR_PERMISSION,
	            "%.200s belongs to another user, in a folder where others may write; it was left alone",
	            target->path);
}

/* In any folder: who can make a link there may aim it at what only we may write to. */
static bool link_trusted(const struct stat *link)
{
	return link->st_uid == geteuid() || !link->st_uid;
}

static int follow_link(struct save_path *target, const struct stat *link, struct vmsnap_error *err)
{
	if (!link_trusted(link))
		return fail(err, VMSNAP_ERR_PERMISSION,
		            "%.200s is a symbolic link of another user; it was not followed", target->path);
	char *real = realpath(target->path, NULL);
	if (!real)
		return fail_sys(err, errno, "%.200s is a symbolic link that leads nowhere", target->path);
	close(target->dir);
	int rc = open_dir(target, real, err);
	free(real);
	return rc;
}

/* O_PATH looks without opening; through /proc/self/fd the very same is opened, whatever
 * has taken its name meanwhile. */
static int open_stream(struct save_path *target, int found, struct vmsnap_error *err)
{
	char self[sizeof("/proc/self/fd/-2147483648")];
	snprintf(self, sizeof(self), "/proc/self/fd/%d", found);
	target->kind = TARGET_STREAM;
	target->fd = open(self, O_WRONLY | O_NOCTTY | O_CLOEXEC);
	return target->fd < 0 ? cannot_write(target, errno, err) : VMSNAP_OK;
}

static int refuse_stream(const struct save_path *target, struct vmsnap_error *err)
{
	return fail(err, VMSNAP_ERR_ARGUMENT, "%.200s is a pipe or a device; only a regular file is written here",
	            target->path);
}

static int classify(struct save_path *target, int found, const struct stat *st, struct vmsnap_error *err)
{
	target->kind = TARGET_EXISTING;
	if (S_ISDIR(st->st_mode))
		return cannot_write(target, EISDIR, err);
	if (set_by_others(target, st))
		return refuse_others(target, err);
	if (S_ISREG(st->st_mode))
		return VMSNAP_OK;
	if (target->regular_only)
		return refuse_stream(target, err);
	if (S_ISFIFO(st->st_mode) || S_ISCHR(st->st_mode))
		return open_stream(target, found, err);
	return fail(err, VMSNAP_ERR_ARGUMENT, "%.200s is neither a file nor a pipe", target->path);
}

static int look(const struct save_path *target, int *found, struct stat *st)
{
	*found = openat(target->dir, target->base, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	return *found < 0 || fstat(*found, st) ? errno : 0;
}

/* What a link leads to. */
static int find_behind(struct save_path *target, const struct stat *link, struct vmsnap_error *err)
{
	CLEANUP_CLOSE int found = -1;
	struct stat st;
	int rc = follow_link(target, link, err);
	if (rc)
		return rc;
	int error = look(target, &found, &st);
	if (error)
		return cannot_write(target, error, err);
	/* realpath() has just resolved all of them. */
	if (S_ISLNK(st.st_mode))
		return cannot_write(target, ELOOP, err);
	return classify(target, found, &st, err);
}

static int find_target(struct save_path *target, struct vmsnap_error *err)
{
	CLEANUP_CLOSE int found = -1;
	struct stat st;
	int rc = open_dir(target, target->path, err);
	if (rc)
		return rc;
	int error = look(target, &found, &st);
	target->kind = TARGET_NEW;
	if (error)
		return error == ENOENT ? VMSNAP_OK : cannot_write(target, error, err);
	return S_ISLNK(st.st_mode) ? find_behind(target, &st, err) : classify(target, found, &st, err);
}

static int open_target(struct save_path *target, const char *path, bool regular_only, struct vmsnap_error *err)
{
	*target = (struct save_path){ .path = path, .dir = -1, .fd = -1, .regular_only = regular_only };
	int fd = descriptor_of(path), rc;
	if (fd >= 0 && regular_only) {
		rc = refuse_stream(target, err);
	} else if (fd >= 0) {
		target->kind = TARGET_STREAM;
		target->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
		rc = target->fd < 0 ? cannot_write(target, errno, err) : VMSNAP_OK;
	} else {
		rc = find_target(target, err);
	}
	if (rc)
		save_path_close(target);
	return rc;
}

int save_path_open(struct save_path *target, const char *path, struct vmsnap_error *err)
{
	return open_target(target, path, false, err);
}

int save_path_open_regular(struct save_path *target, const char *path, struct vmsnap_error *err)
{
	return open_target(target, path, true, err);
}

void save_path_close(struct save_path *target)
{
	if (target->dir >= 0)
		close(target->dir);
	if (target->fd >= 0)
		close(target->fd);
	target->dir = target->fd = -1;
}

/* Who can be asked is asked: a caller may keep signals from itself. */
static int wait_for_lock(const struct save_path *target, int fd)
{
	enum { MILLISECONDS = 20 };
	if (!target->work || !target->work->cancelled)
		return flock(fd, LOCK_EX);
	while (flock(fd, LOCK_EX | LOCK_NB)) {
		if (errno != EWOULDBLOCK)
			return -1;
		if (work_ask(target->work)) {
			errno = ECANCELED;
			return -1;
		}
		poll(NULL, 0, MILLISECONDS);
	}
	return 0;
}

/* Some file systems have no locks; better an unlocked file than none. */
static int lock_file(const struct save_path *target, int fd)
{
	while (wait_for_lock(target, fd))
		if (errno != EINTR || target->interruptible)
			return errno == ENOLCK || errno == EOPNOTSUPP || errno == EINVAL ? 0 : -1;
	return 0;
}

static int cannot_lock(const struct save_path *target, int saved_errno, struct vmsnap_error *err)
{
	if (saved_errno != EINTR && saved_errno != ECANCELED)
		return cannot_write(target, saved_errno, err);
	return fail(err, VMSNAP_ERR_CANCELLED, "interrupted while %.200s was being written by another process",
	            target->path);
}

int save_path_lock(const struct save_path *target, int flags, int *out, struct vmsnap_error *err)
{
	for (;;) {
		struct stat opened, there;
		int fd = openat(target->dir, target->base, flags | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
		if (fd < 0)
			return errno == ENOENT ? VMSNAP_ERR_NOT_FOUND : cannot_write(target, errno, err);
		bool known = !fstat(fd, &opened);
		/* Another's file might be kept locked for ever. */
		bool refused = known && set_by_others(target, &opened);
		if (!known || refused || lock_file(target, fd)) {
			int saved = errno;
			close(fd);
			return refused ? refuse_others(target, err) : cannot_lock(target, saved, err);
		}
		/* While we waited, another may have taken its place. */
		if (!fstatat(target->dir, target->base, &there, AT_SYMLINK_NOFOLLOW) && there.st_ino == opened.st_ino &&
		    there.st_dev == opened.st_dev) {
			*out = fd;
			return VMSNAP_OK;
		}
		close(fd);
	}
}
