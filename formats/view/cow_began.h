/* cow_began.h - when copying began, as far as a base tells it. */
#ifndef VMSNAP_COW_BEGAN_H
#define VMSNAP_COW_BEGAN_H

#include "vmsnap.h"
#include "work.h"

struct cow_began {
	bool known;       /* the base is of both sides, with their frames: it shows what was copied by then, */
	uint64_t by_base; /* so many bytes, whoever copied them, */
	bool least;       /* or more: of some pages it is not known */
};
int cow_began(const struct vmsnap_cow *cow, const struct work *work, struct cow_began *began, struct vmsnap_error *err);
/* Of both sides as a base has them; nothing is known if one is NULL. */
int cow_began_in(const struct vmsnap *parent, const struct vmsnap *child, const struct work *work,
                 struct cow_began *began, struct vmsnap_error *err);

#endif
