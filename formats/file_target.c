#define _GNU_SOURCE
#include "file_target.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "error.h"

static int cannot_write(const struct file_target *target, int saved_errno, struct vmsnap_error *err)
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

static int open_dir(struct file_target *target, const char *path, struct vmsnap_error *err)
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

/* In a folder where everybody may write and none may remove another's file, a
 * link is only as good as its owner (as fs.protected_symlinks has it). */
static bool link_trusted(const struct file_target *target, const struct stat *link)
{
	struct stat dir;
	if (fstat(target->dir, &dir))
		return false;
	bool everybodys = (dir.st_mode & S_ISVTX) && (dir.st_mode & S_IWOTH);
	return !everybodys || link->st_uid == geteuid() || link->st_uid == dir.st_uid;
}

static int follow_link(struct file_target *target, const struct stat *link, struct vmsnap_error *err)
{
	if (!link_trusted(target, link))
		return fail(err, VMSNAP_ERR_PERMISSION,
		            "%.200s is a symbolic link of another user in a folder open to all; it was not followed",
		            target->path);
	char *real = realpath(target->path, NULL);
	if (!real)
		return fail_sys(err, errno, "%.200s is a symbolic link that leads nowhere", target->path);
	close(target->dir);
	int rc = open_dir(target, real, err);
	free(real);
	return rc;
}

static int open_stream(struct file_target *target, struct vmsnap_error *err)
{
	target->kind = TARGET_STREAM;
	target->fd = open(target->path, O_WRONLY | O_NOCTTY | O_CLOEXEC);
	return target->fd < 0 ? cannot_write(target, errno, err) : VMSNAP_OK;
}

static int find_target(struct file_target *target, struct vmsnap_error *err)
{
	struct stat st;
	int rc = open_dir(target, target->path, err);
	if (rc)
		return rc;
	if (fstatat(target->dir, target->base, &st, AT_SYMLINK_NOFOLLOW)) {
		target->kind = TARGET_NEW;
		return errno == ENOENT ? VMSNAP_OK : cannot_write(target, errno, err);
	}
	target->kind = TARGET_EXISTING;
	bool link = S_ISLNK(st.st_mode);
	struct stat behind = st;
	if (link && stat(target->path, &behind))
		behind = st;
	if (S_ISFIFO(behind.st_mode) || S_ISCHR(behind.st_mode))
		return open_stream(target, err);
	if (link)
		rc = follow_link(target, &st, err);
	if (rc || S_ISREG(behind.st_mode))
		return rc;
	if (S_ISDIR(behind.st_mode))
		return cannot_write(target, EISDIR, err);
	return fail(err, VMSNAP_ERR_ARGUMENT, "%.200s is neither a file nor a pipe", target->path);
}

int file_target_open(struct file_target *target, const char *path, struct vmsnap_error *err)
{
	*target = (struct file_target){ .path = path, .dir = -1, .fd = -1 };
	int fd = descriptor_of(path), rc;
	if (fd >= 0) {
		target->kind = TARGET_STREAM;
		target->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
		rc = target->fd < 0 ? cannot_write(target, errno, err) : VMSNAP_OK;
	} else {
		rc = find_target(target, err);
	}
	if (rc)
		file_target_close(target);
	return rc;
}

void file_target_close(struct file_target *target)
{
	if (target->dir >= 0)
		close(target->dir);
	if (target->fd >= 0)
		close(target->fd);
	target->dir = target->fd = -1;
}

/* Some file systems have no locks; better an unlocked file than none. */
static int lock_file(int fd)
{
	while (flock(fd, LOCK_EX))
		if (errno != EINTR)
			return errno == ENOLCK || errno == EOPNOTSUPP || errno == EINVAL ? 0 : -1;
	return 0;
}

int file_target_lock(const struct file_target *target, int flags, int *out, struct vmsnap_error *err)
{
	for (;;) {
		struct stat opened, there;
		int fd = openat(target->dir, target->base, flags | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
		if (fd < 0)
			return errno == ENOENT ? VMSNAP_ERR_NOT_FOUND : cannot_write(target, errno, err);
		if (lock_file(fd) || fstat(fd, &opened)) {
			int saved = errno;
			close(fd);
			return cannot_write(target, saved, err);
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
