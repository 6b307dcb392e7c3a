#define _GNU_SOURCE
#include "names_path.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "error.h"
#include "open_below.h"
#include "procdir.h"

int names_root_open(const char *sysroot)
{
	return open(sysroot, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

int names_root_of_process(uint32_t pid, uint64_t start_time)
{
	int procdir;
	if (procdir_open((pid_t)pid, &procdir, NULL))
		return -1;
	struct proc_stat stat;
	int root = -1;
	if (!procdir_stat(procdir, &stat, NULL) && stat.start_time == start_time)
		root = openat(procdir, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
	close(procdir);
	return root;
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

int names_open_regular(int root, const char *path)
{
	if (path[0] != '/') {
		errno = ENOENT;
		return -1;
	}
	CLEANUP_CLOSE int found = root >= 0 ? open_below(root, path) : open(path, O_PATH | O_CLOEXEC);
	struct stat st;
	if (found < 0 || fstat(found, &st) < 0)
		return -1;
	if (!S_ISREG(st.st_mode) || made_up(found)) {
		errno = EINVAL;
		return -1;
	}
	/* O_PATH has looked, but cannot read; this opens the very same file. */
	char self[sizeof("/proc/self/fd/-2147483648")];
	snprintf(self, sizeof(self), "/proc/self/fd/%d", found);
	return open(self, O_RDONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
}
