/* record_ring.h - files that follow each other: FILE-20261127T120000Z.vms, and which of them are kept. */
#ifndef VMSNAP_CLI_RECORD_RING_H
#define VMSNAP_CLI_RECORD_RING_H

#include <stddef.h>
#include <stdint.h>

/* The name of a file that begins now: "a.vms" becomes "a-20261127T120000Z.vms".  0, or -1 if it is too long. */
int ring_name(const char *path, int64_t seconds, char *name, size_t room);
/* Removes the oldest of those that belong to `path`, are snapshot files, and are more than so many. */
void ring_trim(const char *path, unsigned max_files);

#endif
