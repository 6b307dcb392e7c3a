/* fault_events.h - the kernel's events of page faults, opened for threads, and what a record of one says.
 *
 * Where tracefs can be read, these are the tracepoints exceptions:page_fault_user and _kernel, which tell reads from
 * writes; else the software event page-faults, and of that, for who may not watch the kernel
 * (kernel.perf_event_paranoid 2), only the faults of programs themselves.  One is opened for each thread and processor,
 * for an event of all processors can have no ring if new threads are to inherit it. */
#ifndef VMSNAP_FAULT_EVENTS_H
#define VMSNAP_FAULT_EVENTS_H

#include <stdbool.h>

#include "perf_ring.h"

struct fault_events {
	struct perf_event_attr attrs[2]; /* of the program's own faults, of those inside the kernel */
	size_t attr_count;
	bool tracepoints, kernel;           /* faults inside the kernel are seen, too */
	bool children;                      /* those that are forked meanwhile inherit them */
	bool lost_told;                     /* the kernel counts what was lost (Linux 6.0) */
	size_t address_at, error_at, ip_at; /* in the raw data of a tracepoint */
	int *fds;                           /* malloc'ed */
	size_t count, room;
};

/* What is permitted: nothing is opened yet. */
int fault_events_choose(struct fault_events *events, unsigned frames, bool children, struct vmsnap_error *err);
/* Of those that were chosen, not those of programs' own faults, which are told in another way (fault_bpf.h). */
void fault_events_leave_own(struct fault_events *events);
/* For a thread and those that it will make.  VMSNAP_OK too if it has ended. */
int fault_events_add(struct fault_events *events, pid_t tid, const struct perf_rings *rings, struct vmsnap_error *err);
void fault_events_stop(const struct fault_events *events);
uint64_t fault_events_lost(const struct fault_events *events); /* since they were opened */
void fault_events_close(struct fault_events *events);

struct fault_sample {
	uint64_t address, time;
	uint32_t pid, tid;
	bool error_known;
	uint64_t error; /* bits of the processor's error code: enum fault_error */
	bool in_kernel;
	bool pointers_known; /* .rdi and .rsi, of x86-64, of the program's own that no tracepoint tells */
	uint64_t rdi, rsi, rsp, rbp;
	uint64_t ip;                               /* where the user's chain is only that */
	const uint64_t *kernel_chain, *user_chain; /* innermost first */
	size_t kernel_count, user_count;
	const uint64_t *stack; /* the program's words from .rsp on, inside the kernel, of x86-64; NULL: not told */
	size_t stack_count;
};
enum fault_error { FAULT_PRESENT = 1, FAULT_WRITE = 2, FAULT_FETCH = 16 };
/* False: it is not what it should be. */
bool fault_sample_read(const struct fault_events *events, const struct perf_event_header *record,
                       struct fault_sample *out);

#endif
