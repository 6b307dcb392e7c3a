/* board.h - what a busy process says of itself while it is looked at: shared memory. */
#ifndef SOAK_BOARD_H
#define SOAK_BOARD_H

#include <stdatomic.h>
#include <stdint.h>

enum { PAIRS = 2, PAIR_PAGES = 256, SLOTS = 16, SLOT_PAGES = 4 };

/* Threads that are always there: the first, two of each pair, and one for each kind of work
 * below that is no pair, for signals one that sends and one that receives. */
enum { THREADS = 1 + 2 * PAIRS + 6 };

/* Counters only ever go up; each is one worker's. */
enum work { WORK_PAIR, WORK_SLOTS = WORK_PAIR + PAIRS, WORK_THREADS, WORK_FORKS, WORK_NOISE, WORK_SIGNALS, WORKS };

struct board {
	_Atomic uint64_t done[WORKS];
	_Atomic uint64_t broken; /* what the process found wrong with its own memory */
	_Atomic uint64_t lost;   /* signals that did not come, or not in order, or changed */
	/* Where it does it and who; constant once every worker has done something. */
	uint64_t first[PAIRS], second[PAIRS], slots;
	uint32_t tids[THREADS];
	_Atomic uint32_t begun;
};

#endif
