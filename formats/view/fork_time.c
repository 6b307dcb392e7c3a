#include "fork_time.h"

static bool began(const struct vmsnap *child, uint64_t *ns)
{
	uint64_t start = vmsnap_info(child)->start_time;
	*ns = start * FORK_TICK_NS;
	return start && start <= UINT64_MAX / FORK_TICK_NS;
}

bool fork_before(const struct vmsnap *child, const struct vmsnap *snap, uint64_t *ns)
{
	uint64_t start, taken = vmsnap_info(snap)->boottime;
	if (!taken || !began(child, &start) || taken < start)
		return false;
	*ns = taken - start;
	return true;
}

bool fork_is_after(const struct vmsnap *child, const struct vmsnap *snap)
{
	uint64_t start, taken = vmsnap_info(snap)->boottime;
	return taken && began(child, &start) && taken < start;
}

bool fork_time_of(const struct vmsnap *parent, const struct vmsnap *child, struct fork_time *time)
{
	const struct vmsnap_info *of_parent = vmsnap_info(parent), *of_child = vmsnap_info(child);
	uint32_t father = of_parent->tgid ? of_parent->tgid : of_parent->pid;
	if (of_child->ppid != father || of_child->taken <= 0 || !fork_before(child, child, &time->before) ||
	    time->before > (uint64_t)of_child->taken)
		return false;
	time->at = (of_child->taken - (int64_t)time->before) / FORK_TICK_NS * FORK_TICK_NS;
	return true;
}
