#define _GNU_SOURCE
#include "open_below.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

enum { LINKS_MAX = 40 }; /* as the kernel's */

/* The way so far, without links, "." and "..", and what is still to go. */
struct walk {
	char done[PATH_MAX], rest[PATH_MAX];
	unsigned links;
};

static void step_back(struct walk *walk)
{
	char *last = strrchr(walk->done, '/');
	if (last)
		*last = '\0';
}

/* Moves one name from rest to done.  False if the way becomes too long. */
static bool step(struct walk *walk)
{
	size_t slashes = strspn(walk->rest, "/"), len = strcspn(walk->rest + slashes, "/");
	const char *name = walk->rest + slashes;
	size_t far = strlen(walk->done);
	if (len == 2 && memcmp(name, "..", 2) == 0) {
		step_back(walk);
	} else if (len && !(len == 1 && *name == '.')) {
		if (len + 1 >= sizeof(walk->done) - far)
			return false;
		walk->done[far] = '/';
		memcpy(walk->done + far + 1, name, len);
		walk->done[far + 1 + len] = '\0';
	}
	memmove(walk->rest, name + len, strlen(name + len) + 1);
	return true;
}

/* Opens done name by name, and follows no link if one has just been put there. */
static int open_done(int root, const struct walk *walk)
{
	int fd = openat(root, ".", O_PATH | O_CLOEXEC);
	for (const char *at = walk->done; fd >= 0 && *at;) {
		char name[NAME_MAX + 1] = "";
		size_t len = strcspn(++at, "/");
		int next = -1;
		if (len <= NAME_MAX)
			next = openat(fd, memcpy(name, at, len), O_PATH | O_NOFOLLOW | O_CLOEXEC);
		else
			errno = ENAMETOOLONG;
		int error = errno;
		close(fd);
		errno = error;
		fd = next;
		at += len;
	}
	return fd;
}

/* Puts the text of the link, which done ends in, in front of the rest. */
static int follow(int link, struct walk *walk)
{
	char text[PATH_MAX];
	ssize_t len = readlinkat(link, "", text, sizeof(text));
	size_t rest = strlen(walk->rest) + 1;
	if (len < 0)
		return errno;
	if (++walk->links > LINKS_MAX)
		return ELOOP;
	if ((size_t)len + rest > sizeof(walk->rest))
		return ENAMETOOLONG;
	memmove(walk->rest + len, walk->rest, rest);
	memcpy(walk->rest, text, (size_t)len);
	if (text[0] == '/')
		walk->done[0] = '\0';
	else
		step_back(walk);
	return 0;
}

/* Looks at what stands at the end of done.  Returns 0, with *arrived, or the error that
 * ends the walk. */
static int look(int fd, struct walk *walk, bool *arrived)
{
	struct stat st;
	if (fstat(fd, &st))
		return errno;
	if (S_ISLNK(st.st_mode))
		return follow(fd, walk);
	*arrived = !walk->rest[0];
	return *arrived || S_ISDIR(st.st_mode) ? 0 : ENOTDIR;
}

int open_below_by_steps(int root, const char *path)
{
	struct walk walk = { .done = "" };
	if (!*path || strlen(path) >= sizeof(walk.rest)) {
		errno = *path ? ENAMETOOLONG : ENOENT;
		return -1;
	}
	strcpy(walk.rest, path);
	for (;;) {
		bool arrived = false;
		int error = step(&walk) ? 0 : ENAMETOOLONG;
		int fd = error ? -1 : open_done(root, &walk);
		if (!error)
			error = fd < 0 ? errno : look(fd, &walk, &arrived);
		if (arrived && !error)
			return fd;
		if (fd >= 0)
			close(fd);
		if (error) {
			errno = error;
			return -1;
		}
	}
}

int open_below(int root, const char *path)
{
	/* Since Linux 5.6; some sandboxes refuse calls that they do not know. */
	struct open_how how = { .flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS };
	int fd = (int)syscall(SYS_openat2, root, path, &how, sizeof(how));
	return fd >= 0 || (errno != ENOSYS && errno != EPERM) ? fd : open_below_by_steps(root, path);
}

/* Opening or reading a file that the kernel makes up can do things: it takes messages out
 * of /proc/kmsg, say.  None is ever mapped as a program; but a process can have a root
 * of its own where a program has such a name. */
static bool made_up(int fd)
{
	static const unsigned long magics[] = { PROC_SUPER_MAGIC,    SYSFS_MAGIC,      DEBUGFS_MAGIC,
		                                TRACEFS_MAGIC,       SECURITYFS_MAGIC, CGROUP_SUPER_MAGIC,
		                                CGROUP2_SUPER_MAGIC, BPF_FS_MAGIC,     PSTOREFS_MAGIC,
		                                EFIVARFS_MAGIC,      BINFMTFS_MAGIC };
	struct statfs fs;
	if (fstatfs(fd, &fs))
		return true;
	for (size_t i = 0; i < sizeof(magics) / sizeof(*magics); i++)
		if ((uint32_t)fs.f_type == (uint32_t)magics[i])
			return true;
	return false;
}

int open_found(int found)
{
	struct stat st;
	if (fstat(found, &st) < 0)
		return -1;
	if (!S_ISREG(st.st_mode) || made_up(found)) {
		errno = EINVAL;
		return -1;
	}
	char self[sizeof("/proc/self/fd/-2147483648")];
	snprintf(self, sizeof(self), "/proc/self/fd/%d", found);
	return open(self, O_RDONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
}
