/* written.h - how much of a process's memory it wrote to since the snapshot before. */
#ifndef VMSNAP_WRITTEN_H
#define VMSNAP_WRITTEN_H

#include "vmsnap.h"

/* Of the pages of [start, end), in bytes. */
struct written {
	uint64_t bytes; /* known to be written */
	uint64_t maybe; /* of which it is not known */
};
struct written written_in(const struct vmsnap *snap, uint64_t start, uint64_t end);
/* Index of the first range of the layer that ends above an address. */
size_t written_find(const struct vmsnap *snap, uint64_t address);

#endif
