/* contents_reading.h - what present pages hold, read from /proc/PID/mem, and given to a keeper.
 *
 * process_vm_readv(2) pins what it reads, and pinning a page that a fork shares makes a copy of it in the
 * target.  Reading an absent page would put one there; in memory that waits for a userfaultfd it
 * would never end. */
#ifndef VMSNAP_CONTENTS_READING_H
#define VMSNAP_CONTENTS_READING_H

#include <stdatomic.h>

#include "contents_keeper.h"
#include "realtime.h"
#include "watchdog.h"

struct contents_reading {
	int memory, pagemap; /* descriptors of /proc/PID/mem and pagemap */
	uint64_t page_size;
	const atomic_bool *cancel;
	struct watchdog *dog;
	struct realtime *realtime;
	struct contents_keeper *keeper;
	struct vmsnap_error *err;
};
/* The pages of it that are present; what cannot be read is not known.  Above what was read before. */
int contents_read(struct contents_reading *reading, uint64_t start, uint64_t end);

#endif
