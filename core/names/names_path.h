/* names_path.h - opening a file by a name that a snapshot gave: hostile, and
 * perhaps below another root. */
#ifndef VMSNAP_NAMES_PATH_H
#define VMSNAP_NAMES_PATH_H

#include <stdbool.h>
#include <stdint.h>

#include "vmsnap.h"

/* The folder to look below; -1 with errno if it cannot be opened. */
int names_root_open(const char *sysroot);
/* A process of this boot, while it still lives. */
struct names_process {
	int procdir; /* -1: it does not, or we may not look */
	/* The root that it looks at, a container's perhaps; -1: none is known. */
	int root;
	char *jail; /* the name of that as we see it, malloc'ed, if it is below our root (a chroot) */
};
#define NAMES_NO_PROCESS                                                                                               \
	{                                                                                                              \
		.procdir = -1, .root = -1, .jail = NULL                                                                \
	}
void names_process_open(uint32_t pid, uint64_t start_time, struct names_process *out);
void names_process_close(struct names_process *process);
/* Opens a regular file for reading; -1 with errno.  root is from
 * names_root_open(), or -1 for the machine's own.  Nothing but a regular file is
 * opened: a FIFO would block, and opening a device, or a file that the kernel makes up
 * (of /proc, say), can do things. */
int names_open_regular(int root, const char *path);
/* The same, but not what may be shared memory of which something is in swap: EBUSY. */
int names_open_gently(int root, const char *path);
/* The very file that a living process has mapped, whatever its name leads to by now: its
 * program (`exe`), which its owner may open, or any other, which takes the administrator.
 * EPERM: as nobody else does. */
int names_open_mapped(int procdir, const struct vmsnap_vma *vma, bool exe, bool gently);

#endif
