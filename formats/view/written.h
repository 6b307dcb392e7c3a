/* written.h - how much of a process's memory it wrote to since the snapshot before. */
#ifndef VMSNAP_WRITTEN_H
#define VMSNAP_WRITTEN_H

#include "vmsnap.h"

/* Bytes of the pages of [start, end) that are known to be written. */
uint64_t written_bytes(const struct vmsnap *snap, uint64_t start, uint64_t end);

#endif
