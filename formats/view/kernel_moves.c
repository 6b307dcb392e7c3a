#include "kernel_moves.h"

#include "diff_view.h"
#include "moves_count.h"

enum kernel_moves kernel_moves_between(const struct vmsnap *earlier, const struct vmsnap *later, uint64_t *pages)
{
	uint64_t before = vmsnap_info(earlier)->page_moves, after = vmsnap_info(later)->page_moves;
	*pages = 0;
	if (before == MOVES_MERGED || after == MOVES_MERGED)
		return KERNEL_MAY_HAVE_MERGED;
	if (!moves_between(before, after, pages))
		return KERNEL_MAY_HAVE_MOVED;
	return *pages ? KERNEL_MOVED : KERNEL_MOVED_NONE;
}

static bool frames_known(const struct vmsnap *snap)
{
	return vmsnap_info(snap)->known.pfn;
}

enum kernel_moves kernel_moves_of_fork(const struct vmsnap *parent, const struct vmsnap *child,
                                       const struct vmsnap *base, uint64_t *pages)
{
	uint64_t until_parent = 0, until_child = 0;
	*pages = 0;
	if (!base || !frames_known(base) || !frames_known(parent) || !frames_known(child) || !same_boot(base, parent) ||
	    !same_boot(base, child))
		return KERNEL_MOVED_NONE;
	enum kernel_moves of_parent = kernel_moves_between(base, parent, &until_parent),
	                  of_child = kernel_moves_between(base, child, &until_child);
	if (of_parent <= KERNEL_MOVED && of_child <= KERNEL_MOVED)
		*pages = until_parent > until_child ? until_parent : until_child;
	return of_parent > of_child ? of_parent : of_child;
}
