/* perf_ring.h - the rings that the kernel writes events of perf_event_open(2) into, one for each processor, and what
 * comes out of them.  Knows nothing of what the events are.
 *
 * A ring belongs to an event of our own thread that never happens, so that it does not end with whoever is watched. */
#ifndef VMSNAP_PERF_RING_H
#define VMSNAP_PERF_RING_H

#include <linux/perf_event.h>
#include <stddef.h>
#include <stdint.h>

#include "vmsnap.h"

struct perf_ring {
	int fd;
	unsigned cpu;
	struct perf_event_mmap_page *page;
	size_t bytes; /* of data: a power of two, behind one page */
};
struct perf_rings {
	struct perf_ring *items; /* malloc'ed */
	size_t count;
	void *scratch; /* for a record that goes round the end */
};

int perf_event_open_fd(const struct perf_event_attr *attr, pid_t tid, int cpu); /* -1 with errno */
/* One for each processor that is online.  As large as is allowed, and at most `most` bytes. */
int perf_rings_open(struct perf_rings *rings, size_t most, struct vmsnap_error *err);
void perf_rings_close(struct perf_rings *rings);
/* Until something comes, or so to another descriptor (-1: none); 0 waits not. */
void perf_rings_wait(const struct perf_rings *rings, int another, int timeout_ms);
/* Calls fn with each record there is now, until it fails. */
int perf_rings_drain(struct perf_rings *rings, int (*fn)(void *ctx, const struct perf_event_header *record), void *ctx);

#endif
