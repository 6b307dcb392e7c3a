#define _GNU_SOURCE
#include "names_path.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "error.h"
#include "open_below.h"
#include "open_gently.h"
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

void names_process_open(uint32_t pid, uint64_t start_time, struct names_process *out)
{
	*out = (struct names_process)NAMES_NO_PROCESS;
	int procdir;
	struct proc_stat stat;
	if (procdir_open_stat((pid_t)pid, &procdir, &stat, NULL))
		return;
	if (stat.start_time != start_time) {
		close(procdir);
		return;
	}
	out->procdir = procdir;
	out->root = openat(procdir, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (out->root >= 0)
		out->jail = root_path(procdir);
}

void names_process_close(struct names_process *process)
{
	if (process->procdir >= 0)
		close(process->procdir);
	if (process->root >= 0)
		close(process->root);
	free(process->jail);
	*process = (struct names_process)NAMES_NO_PROCESS;
}

static int find_regular(int root, const char *path)
{
	if (path[0] == '/')
		return root >= 0 ? open_below(root, path) : open(path, O_PATH | O_CLOEXEC);
	errno = ENOENT;
	return -1;
}

int names_open_regular(int root, const char *path)
{
	CLEANUP_CLOSE int found = find_regular(root, path);
	return found < 0 ? -1 : open_found(found);
}

int names_open_gently(int root, const char *path)
{
	CLEANUP_CLOSE int found = find_regular(root, path);
	return found < 0 ? -1 : open_found_gently(found, true);
}

/* Through one of the kernel's links; -1 and errno if it leads to another file. */
static int open_link(int procdir, const char *link, uint64_t inode, bool gently)
{
	struct stat st;
	CLEANUP_CLOSE int found = openat(procdir, link, O_PATH | O_CLOEXEC);
	if (found < 0 || fstat(found, &st))
		return -1;
	if (st.st_ino == inode)
		return open_found_gently(found, gently);
	errno = ENOENT;
	return -1;
}

int names_open_mapped(int procdir, const struct vmsnap_vma *vma, bool exe, bool gently)
{
	char mapping[64];
	int fd = exe ? open_link(procdir, "exe", vma->inode, gently) : -1;
	if (fd >= 0 || (exe && errno == EBUSY))
		return fd;
	snprintf(mapping, sizeof(mapping), "map_files/%" PRIx64 "-%" PRIx64, vma->start, vma->end);
	return open_link(procdir, mapping, vma->inode, gently);
}
