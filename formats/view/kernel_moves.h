/* kernel_moves.h - whether the kernel gave pages other frames by itself between two looks (compaction, KSM): what is
 * told by frames is less certain then. */
#ifndef VMSNAP_KERNEL_MOVES_H
#define VMSNAP_KERNEL_MOVES_H

#include "vmsnap.h"

enum kernel_moves {
	KERNEL_MOVED_NONE,
	KERNEL_MOVED,
	KERNEL_MAY_HAVE_MOVED, /* one of the two does not tell */
	KERNEL_MAY_HAVE_MERGED,
};
/* pages: how many, of all processes; 0: not known. */
enum kernel_moves kernel_moves_between(const struct vmsnap *earlier, const struct vmsnap *later, uint64_t *pages);
/* Of a fork, since its base; without one, or without frames, none that matter.  base may be NULL. */
enum kernel_moves kernel_moves_of_fork(const struct vmsnap *parent, const struct vmsnap *child,
                                       const struct vmsnap *base, uint64_t *pages);

#endif
