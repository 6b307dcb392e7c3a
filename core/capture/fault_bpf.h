/* fault_bpf.h - the page faults that processes have in their own code, as programs of ours in the kernel tell them
 * (fault_programs.h): all that the tracepoint tells by an event of perf_event_open(2), at less than half of what that
 * takes.  Not faults inside the kernel, and no call chains: those take what they take in either way.
 *
 * For root, who may as well have anything else run in the kernel; to who was lent capabilities, vmsnap lends no program
 * that is called at the faults of all.  All of it goes with our descriptors, however we end. */
#ifndef VMSNAP_FAULT_BPF_H
#define VMSNAP_FAULT_BPF_H

#include "bpf_ring.h"
#include "fault_events.h"
#include "fault_programs.h"
#include "memory_calls.h"

struct fault_bpf {
	struct fault_programs programs;
	struct bpf_rings rings;     /* of faults; none if they are not told */
	struct memory_calls memory; /* if it is open, it tells what else became of memory */
	uint8_t *watched;           /* as programs.watched, a byte for each number of a process */
	uint64_t *lost;
	uint64_t until;   /* what comes later is left out; CLOCK_MONOTONIC */
	int memory_error; /* errno, why nobody tells what became of memory; 0 */
};

/* With rings of so many bytes each; own: the faults of their own code are told.  0 or errno: then there is nothing to
 * close. */
int fault_bpf_open(struct fault_bpf *bpf, size_t bytes, bool children, bool own);
bool fault_bpf_is_open(const struct fault_bpf *bpf); /* false, too, if it is all zero */
void fault_bpf_close(struct fault_bpf *bpf);
/* All threads of a process, from now on. */
void fault_bpf_add(struct fault_bpf *bpf, pid_t pid);
void fault_bpf_stop(struct fault_bpf *bpf);
uint64_t fault_bpf_lost(const struct fault_bpf *bpf); /* since it was opened */
/* Calls fn with each fault there is now, and then the listener, until one fails. */
int fault_bpf_drain(struct fault_bpf *bpf, int (*fn)(void *ctx, const struct fault_sample *sample), void *ctx,
                    const struct memory_listener *listener);

#endif
