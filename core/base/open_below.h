/* open_below.h - opens a path as if a folder were the root: neither a symbolic link nor
 * ".." leads out of it. */
#ifndef VMSNAP_OPEN_BELOW_H
#define VMSNAP_OPEN_BELOW_H

/* A descriptor that has looked but cannot read (O_PATH); -1 and errno. */
int open_below(int root, const char *path);

/* What open_below() does where the kernel cannot: step by step. */
int open_below_by_steps(int root, const char *path);

/* Opens for reading the file that such a descriptor has found, that very one; -1 and errno.
 * EINVAL if it is not a regular file on a real file system: a FIFO would block, and opening
 * a device, or a file that the kernel makes up (of /proc, say), can do things. */
int open_found(int found);

#endif
