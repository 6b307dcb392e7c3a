/* name_ranges.h - which of many ranges, sorted by where they begin, reach beyond an
 * address.  However they overlap, finding the next one takes a logarithm of steps:
 * a name that covers everything must not make each search walk over all of them. */
#ifndef VMSNAP_NAME_RANGES_H
#define VMSNAP_NAME_RANGES_H

#include <stddef.h>
#include <stdint.h>

/* A tree of maxima: tree[1] is that of all ends, tree[leaves + i] is the end of
 * range i. */
struct name_ranges {
	uint64_t *tree; /* malloc'ed; NULL if there are no ranges */
	size_t count, leaves;
};

/* `count` ranges, whose ends are then set, in any order, and settled once. */
int name_ranges_init(struct name_ranges *ranges, size_t count);
static inline void name_ranges_set(struct name_ranges *ranges, size_t index, uint64_t end)
{
	ranges->tree[ranges->leaves + index] = end;
}
void name_ranges_settle(struct name_ranges *ranges);
void name_ranges_free(struct name_ranges *ranges);

/* The first range from index `from` on, or the last one below index `below`, that ends
 * above the address; the count if there is none. */
size_t name_ranges_next(const struct name_ranges *ranges, size_t from, uint64_t address);
size_t name_ranges_previous(const struct name_ranges *ranges, size_t below, uint64_t address);

#endif
