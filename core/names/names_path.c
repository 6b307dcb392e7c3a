#define _GNU_SOURCE
#include "names_path.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "error.h"
#include "open_below.h"
#include "procdir.h"

int names_root_open(const char *sysroot)
{
	return open(sysroot, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

/* "/": its root is ours, or that of mounts that we do not see. */
static char *root_path(int procdir)
{
	char path[PATH_MAX];
	ssize_t len = readlinkat(procdir, "root", path, sizeof(path) - 1);
	path[len > 0 ? len : 0] = '\0';
	return len > 1 && path[0] == '/' ? strdup(path) : NULL;
}

int names_root_of_process(uint32_t pid, uint64_t start_time, char **path)
{
	int procdir;
	*path = NULL;
	if (procdir_open((pid_t)pid, &procdir, NULL))
		return -1;
	struct proc_stat stat;
	int root = -1;
	if (!procdir_stat(procdir, &stat, NULL) && stat.start_time == start_time)
		root = openat(procdir, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root >= 0)
		*path = root_path(procdir);
	close(procdir);
	return root;
}

int names_open_regular(int root, const char *path)
{
	if (path[0] != '/') {
		errno = ENOENT;
		return -1;
	}
	CLEANUP_CLOSE int found = root >= 0 ? open_below(root, path) : open(path, O_PATH | O_CLOEXEC);
	return found < 0 ? -1 : open_found(found);
}
