/* same_runs.h - where two snapshots have the same runs, many in a row: who walks both first finds it, and who
 * walks them after that need not read it again.  Of a large process the memory is what takes the time. */
#ifndef VMSNAP_SAME_RUNS_H
#define VMSNAP_SAME_RUNS_H

#include "walk.h"
#include "work.h"

/* A stretch is worth its 24 bytes from so many runs on: there are few then, whatever is compared. */
enum { SAME_LEAST = 256 };

/* So many runs of A and of B are equal to the bit. */
struct same_stretch {
	const struct run *a, *b;
	size_t count;
};
struct same_runs {
	struct same_stretch *items; /* in order; what is between them may be equal, too */
	size_t count, capacity;
};
/* Notes what was passed from `a` and `b` on, if it is worth it. */
int same_runs_note(struct same_runs *same, const struct run *a, const struct run *b, size_t count, struct work *work);
void same_runs_free(struct same_runs *same, struct work *work);

/* As run_cursors_skip_equal().  *next: the first stretch that may be met, of what is walked upwards. */
uint64_t same_runs_skip(const struct same_runs *same, size_t *next, struct run_cursor *a, struct run_cursor *b,
                        uint64_t at, uint64_t end);

#endif
