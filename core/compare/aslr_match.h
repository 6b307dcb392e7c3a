/* aslr_match.h - which mapping of one run of a program is which of another: the rules are in docs/verdicts.md. */
#ifndef VMSNAP_ASLR_MATCH_H
#define VMSNAP_ASLR_MATCH_H

#include "aslr_items.h"

enum { ASLR_A, ASLR_B, ASLR_SIDES };

/* Finds .partner of all items and .group of all names; cuts items where the other side has several for one.
 * *groups: how many there are.  Gives the codes of work.h. */
int aslr_match(struct aslr_side sides[ASLR_SIDES], struct work *work, size_t *groups);
/* Whether the pages of two that are matched lie at the same distances from their ends, not their starts: of what
 * grows down. */
static inline bool aslr_from_end(const struct aslr_item *item)
{
	return item->kind == VMSNAP_ASLR_STACK || item->kind == VMSNAP_ASLR_THREAD_STACK;
}

#endif
