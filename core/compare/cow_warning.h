/* cow_warning.h - what makes copy-on-write verdicts doubtful, in one line. */
#ifndef VMSNAP_COW_WARNING_H
#define VMSNAP_COW_WARNING_H

#include "fork_base.h"

struct doubts {
	const struct fork_base *base; /* that is used, if one is */
	bool base_left_out;           /* one was given, and is of another program or process */
	bool went_on;                 /* the parent changed its memory between the base and the fork */
	bool moved;                   /* the kernel gave pages of them other frames since the base, most likely */
	bool merged;                  /* KSM may have */
	int relation;                 /* enum vmsnap_relation */
};
/* "" if nothing does. */
void cow_warning(const struct vmsnap *parent, const struct vmsnap *child, const struct doubts *doubts, char *out,
                 size_t size);

#endif
