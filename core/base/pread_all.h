/* pread_all.h - reads a part of a file, whole. */
#ifndef VMSNAP_PREAD_ALL_H
#define VMSNAP_PREAD_ALL_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* How many of `len` bytes there are from `offset` on: fewer only at the end of the file.  -1: errno says why. */
ssize_t pread_all(int fd, void *bytes, size_t len, uint64_t offset);

#endif
