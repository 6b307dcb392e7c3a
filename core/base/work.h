/* work.h - what one piece of work may cost: memory, which is counted before it is taken,
 * and time, for somebody may wait who does not want it any more.
 *
 * What is made of a snapshot out of a file counts against the limit of that file: a few
 * kilobytes can say a million things, and whoever compares them would take more for each
 * than the reader was allowed.  See work_on() in spare.h. */
#ifndef VMSNAP_WORK_H
#define VMSNAP_WORK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "vmsnap.h"

struct work {
	uint64_t limit, used;         /* bytes; WORK_UNLIMITED */
	bool (*cancelled)(void *ctx); /* asked now and then; NULL: never cancelled */
	void *cancel_ctx;
	unsigned steps; /* since that was asked */
};
#define WORK_UNLIMITED UINT64_MAX

/* VMSNAP_OK, or VMSNAP_ERR_TOO_LARGE: then nothing was counted. */
int work_charge(struct work *work, uint64_t bytes);
static inline void work_release(struct work *work, uint64_t bytes)
{
	work->used -= bytes;
}
static inline uint64_t work_left(const struct work *work)
{
	return work->limit > work->used ? work->limit - work->used : 0;
}

/* Asks at once: VMSNAP_OK or VMSNAP_ERR_CANCELLED. */
int work_ask(struct work *work);
/* For loops: asks once in a while. */
enum { WORK_STEPS = 4096 };
static inline int work_step(struct work *work)
{
	return ++work->steps < WORK_STEPS ? VMSNAP_OK : work_ask(work);
}
/* For what cannot end in between: it took as long as so many steps, and the next one asks. */
static inline void work_count(struct work *work, size_t steps)
{
	work->steps = steps < WORK_STEPS - work->steps ? work->steps + (unsigned)steps : WORK_STEPS;
}

/* A zeroed array, counted; to be given back with work_free().  If *rc is a failure already, or becomes one, NULL. */
void *work_array(struct work *work, size_t count, size_t item_size, int *rc);
static inline void work_free(struct work *work, void *array, size_t count, size_t item_size)
{
	if (array)
		work_release(work, (uint64_t)count * item_size);
	free(array);
}
/* The array, with room for one more item after `count`; after a failure, also one before, as it was: *rc says so. */
void *work_grow(struct work *work, void *items, size_t count, size_t *capacity, size_t item_size, int *rc);
/* Makes such room in the array, a variable or a member; false after a failure. */
#define WORK_ROOM(work, array, count, capacity, rc)                                                                    \
	((array) = work_grow(work, array, count, capacity, sizeof(*(array)), rc), *(rc) == VMSNAP_OK)

/* Sorts like qsort_r(), equal items in the order they were in; meanwhile it takes as much
 * memory again, counted too.  What is in order already costs one look. */
typedef int (*work_order_fn)(const void *a, const void *b, const void *ctx);
int work_sort(struct work *work, void *items, size_t count, size_t item_size, work_order_fn order, const void *ctx);

/* Says what one of the codes above means; gives it back. */
int work_fail(const struct work *work, int code, struct vmsnap_error *err);

#endif
