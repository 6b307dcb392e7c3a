/* names_path.h - opening a file by a name that a snapshot gave: hostile, and
 * perhaps below another root. */
#ifndef VMSNAP_NAMES_PATH_H
#define VMSNAP_NAMES_PATH_H

#include <stdint.h>

/* The folder to look below; -1 with errno if it cannot be opened. */
int names_root_open(const char *sysroot);
/* The root that a process of this boot looks at, a container's perhaps, while it still
 * lives and we may look; otherwise -1.  *path: its name as we see it, malloc'ed, if it is
 * below our root (a chroot); otherwise NULL. */
int names_root_of_process(uint32_t pid, uint64_t start_time, char **path);
/* Opens a regular file for reading; -1 with errno.  root is from
 * names_root_open(), or -1 for the machine's own.  Nothing but a regular file is
 * opened: a FIFO would block, and opening a device, or a file that the kernel makes up
 * (of /proc, say), can do things. */
int names_open_regular(int root, const char *path);

#endif
