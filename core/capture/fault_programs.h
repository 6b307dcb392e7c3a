/* fault_programs.h - two programs for the kernel (bpf(2)): one that writes down each page fault of those that are
 * watched, and one that sees processes being made, so that children are watched from their first instruction on. */
#ifndef VMSNAP_FAULT_PROGRAMS_H
#define VMSNAP_FAULT_PROGRAMS_H

#include <stdbool.h>
#include <stdint.h>

enum { PROCESS_NUMBERS = 4 << 20 }; /* PID_MAX_LIMIT: all are smaller */

struct fault_told {
	uint64_t address, error, ids, time, ip; /* ids: pid << 32 | tid; time: CLOCK_MONOTONIC */
};
struct fault_programs {
	int watched; /* a map of one value: for each number of a process a byte, whether it is watched */
	int lost;    /* a map of one number */
	int rings;   /* struct bpf_rings */
	bool children;
	bool own;                                 /* faults are told */
	int faults, faults_at, births, births_at; /* descriptors; each is -1 until it is there */
};
/* Loads both, or the second, and has them called.  0 or errno. */
int fault_programs_start(struct fault_programs *programs);
/* They are called no more, but may be running. */
void fault_programs_stop(struct fault_programs *programs);
/* How often the kernel did not call the first one, as it was running on that processor. */
uint64_t fault_programs_missed(const struct fault_programs *programs);
void fault_programs_close(struct fault_programs *programs);

#endif
