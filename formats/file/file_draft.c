#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "error.h"
#include "save_path.h"

/* A draft's name is .NAME.vmsnap-PID-RANDOM; what would be too long is cut. */
enum { BASE_MAX = 200 };

static int draft_prefix(const struct save_path *target, char prefix[NAME_MAX + 1])
{
	return snprintf(prefix, NAME_MAX + 1, ".%.*s.vmsnap-", BASE_MAX, target->base);
}

static void draft_name(const struct save_path *target, char name[NAME_MAX + 1])
{
	char prefix[NAME_MAX + 1];
	uint32_t number = 0;
	draft_prefix(target, prefix);
	if (getrandom(&number, sizeof(number), 0) < 0)
		number = (uint32_t)(uintptr_t)&number;
	snprintf(name, NAME_MAX + 1, "%.220s%d-%08" PRIx32, prefix, (int)getpid(), number);
}

static int cannot_write(const struct file_draft *draft, int saved_errno, struct vmsnap_error *err)
{
	return fail_sys(err, saved_errno, "cannot write %.200s", draft->target->path);
}

static int open_named(struct file_draft *draft, struct vmsnap_error *err)
{
	for (int tries = 0; tries < 100; tries++) {
		draft_name(draft->target, draft->name);
		draft->fd = openat(draft->target->dir, draft->name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
		                   0600);
		if (draft->fd >= 0) {
			/* Who finds it locked knows that we live. */
			(void)flock(draft->fd, LOCK_EX | LOCK_NB);
			return VMSNAP_OK;
		}
		if (errno != EEXIST)
			break;
	}
	draft->name[0] = '\0';
	return cannot_write(draft, errno, err);
}

int file_draft_open(struct file_draft *draft, const struct save_path *target, struct vmsnap_error *err)
{
	*draft = (struct file_draft){ .target = target };
	draft->fd = openat(target->dir, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (draft->fd >= 0) {
		(void)flock(draft->fd, LOCK_EX | LOCK_NB);
		return VMSNAP_OK;
	}
	/* Not every file system can (NFS, FAT, overlayfs before Linux 6.6). */
	if (errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL)
		return open_named(draft, err);
	return cannot_write(draft, errno, err);
}

static int link_as(const struct file_draft *draft, const char *name)
{
	char self[32];
	snprintf(self, sizeof(self), "/proc/self/fd/%d", draft->fd);
	if (!linkat(AT_FDCWD, self, draft->target->dir, name, AT_SYMLINK_FOLLOW))
		return 0;
	/* Without /proc; needs CAP_DAC_READ_SEARCH. */
	return errno == ENOENT ? linkat(draft->fd, "", draft->target->dir, name, AT_EMPTY_PATH) : -1;
}

/* A name for a draft that has none. */
static int give_name(struct file_draft *draft)
{
	for (int tries = 0; tries < 100; tries++) {
		draft_name(draft->target, draft->name);
		if (!link_as(draft, draft->name))
			return 0;
		if (errno != EEXIST)
			break;
	}
	draft->name[0] = '\0';
	return -1;
}

static int place_new(struct file_draft *draft)
{
	int dir = draft->target->dir;
	const char *base = draft->target->base;
	if (!draft->name[0])
		return link_as(draft, base);
	int rc = renameat2(dir, draft->name, dir, base, RENAME_NOREPLACE);
	if (rc && errno == EINVAL && !linkat(dir, draft->name, dir, base, 0))
		rc = unlinkat(dir, draft->name, 0);
	return rc;
}

static int place_over(struct file_draft *draft)
{
	if (!draft->name[0] && give_name(draft))
		return -1;
	return renameat(draft->target->dir, draft->name, draft->target->dir, draft->target->base);
}

int file_draft_place(struct file_draft *draft, bool replace, struct vmsnap_error *err)
{
	if (replace ? place_over(draft) : place_new(draft))
		return errno == EEXIST && !replace ? VMSNAP_END : cannot_write(draft, errno, err);
	draft->name[0] = '\0';
	return VMSNAP_OK;
}

void file_draft_close(struct file_draft *draft)
{
	if (draft->name[0])
		unlinkat(draft->target->dir, draft->name, 0);
	if (draft->fd >= 0)
		close(draft->fd);
	draft->fd = -1;
	draft->name[0] = '\0';
}

/* Ours, abandoned: its maker's pid is dead here, and (it might live in another
 * pid namespace) nobody holds it locked. */
static bool abandoned(int dir, const char *name, const char *digits)
{
	char *end;
	long pid = strtol(digits, &end, 10);
	if (end == digits || *end != '-' || pid <= 0 || !kill((pid_t)pid, 0) || errno != ESRCH)
		return false;
	CLEANUP_CLOSE int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st;
	return fd >= 0 && !fstat(fd, &st) && S_ISREG(st.st_mode) && st.st_uid == geteuid() &&
	       !flock(fd, LOCK_EX | LOCK_NB);
}

void file_draft_sweep(const struct save_path *target)
{
	char prefix[NAME_MAX + 1];
	size_t len = (size_t)draft_prefix(target, prefix);
	int fd = openat(target->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *folder = fd >= 0 ? fdopendir(fd) : NULL;
	if (!folder) {
		if (fd >= 0)
			close(fd);
		return;
	}
	const struct dirent *entry;
	while ((entry = readdir(folder)))
		if (strncmp(entry->d_name, prefix, len) == 0 &&
		    abandoned(target->dir, entry->d_name, entry->d_name + len))
			unlinkat(target->dir, entry->d_name, 0);
	closedir(folder);
}
