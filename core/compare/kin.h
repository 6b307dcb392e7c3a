/* kin.h - which memory of a parent, its child and perhaps a base is the same, wherever each of
 * them moved it. */
#ifndef VMSNAP_KIN_H
#define VMSNAP_KIN_H

#include "fork_base.h"
#include "pair.h"

struct kin {
	const struct vmsnap *base, *parent, *child;
	bool frames; /* of the two can be compared */
	struct moves parent_child, base_child, base_parent;
	struct pairing pairing; /* base, parent and child, or the last two; points to the moves */
};
/* There need be no base.  A kin must not be copied. */
int kin_find(struct kin *kin, const struct fork_base *at_fork, const struct vmsnap *parent, const struct vmsnap *child,
             struct work *work);
void kin_free(struct kin *kin, struct work *work);

#endif
