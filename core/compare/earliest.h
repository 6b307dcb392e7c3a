/* earliest.h - times by number, of which the next one that is before another time is found quickly. */
#ifndef VMSNAP_EARLIEST_H
#define VMSNAP_EARLIEST_H

#include <stddef.h>
#include <stdint.h>

#include "work.h"

struct earliest {
	uint64_t *least; /* a tree: [1] of all, [i] of [2 i] and [2 i + 1] */
	size_t leaves;
};
/* All of them UINT64_MAX. */
int earliest_make(struct earliest *times, size_t count, struct work *work);
void earliest_free(struct earliest *times, struct work *work);
void earliest_set(struct earliest *times, size_t index, uint64_t time);
uint64_t earliest_get(const struct earliest *times, size_t index);
/* The first from there on that is before; SIZE_MAX: none. */
size_t earliest_next(const struct earliest *times, size_t from, uint64_t before);

#endif
