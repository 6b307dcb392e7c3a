#define _GNU_SOURCE
#include "unseen_writers.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "procdir.h"

/* Devices that no memory is pinned for; /dev/shm and /dev/mqueue are folders of files. */
static const char *const harmless[] = {
	"null",    "zero", "full", "random",  "urandom", "tty", "ptmx",    "pts/",
	"console", "kmsg", "shm/", "mqueue/", "fuse",    "kvm", "net/tun",
};

static bool is_harmless(const char *device)
{
	for (size_t i = 0; i < sizeof(harmless) / sizeof(harmless[0]); i++)
		if (!strncmp(device, harmless[i], strlen(harmless[i])))
			return true;
	return false;
}

/* "flags:	0140000" of fdinfo, octal. */
static bool is_direct(int procdir, const char *number)
{
	char path[64];
	struct proc_text text = { 0 };
	snprintf(path, sizeof(path), "fdinfo/%.20s", number);
	int error = procdir_read(procdir, path, &text);
	const char *flags = error ? NULL : strstr(text.text, "flags:");
	/* Of one that was closed meanwhile nothing is written any more. */
	bool direct = flags ? strtoul(flags + strlen("flags:"), NULL, 8) & O_DIRECT : error != ENOENT;
	proc_text_free(&text);
	return direct;
}

static bool may_write(int procdir, int folder, const char *number)
{
	char target[64];
	ssize_t len = readlinkat(folder, number, target, sizeof(target) - 1);
	if (len < 0)
		return errno != ENOENT;
	target[len] = '\0';
	if (!strncmp(target, "anon_inode:", strlen("anon_inode:")))
		return strstr(target, "io_uring") || strstr(target, "vfio") || strstr(target, "rdma");
	if (!strncmp(target, "/dev/", strlen("/dev/")) && !is_harmless(target + strlen("/dev/")))
		return true;
	return target[0] == '/' && is_direct(procdir, number);
}

bool unseen_writers_may_be(int procdir)
{
	CLEANUP_CLOSE int fd = openat(procdir, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *folder = fd < 0 ? NULL : fdopendir(fd);
	bool found = !folder;
	if (!folder)
		return true;
	fd = -1; /* the stream's, from now on */
	for (struct dirent *entry; !found && (entry = readdir(folder));)
		found = entry->d_name[0] != '.' && may_write(procdir, dirfd(folder), entry->d_name);
	closedir(folder);
	return found;
}
