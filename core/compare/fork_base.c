#include "fork_base.h"

#include "facts.h"

/* USER_HZ, in which the kernel tells times to programs: 100 wherever vmsnap runs. */
enum { TICK_NS = 10000000 };
/* As fork() returns, the kernel writes the child's number into its memory, which is a fault.
 * Whatever runs then writes to its stack, which is another. */
enum { FAULTS_OF_A_NEWBORN = 1 };

enum fork_order fork_order(const struct vmsnap *child, const struct vmsnap *snap)
{
	uint64_t start = child->info.start_time, taken = snap->info.boottime;
	if (!start || start > UINT64_MAX / TICK_NS - 1)
		return FORK_UNKNOWN;
	/* Without the time that the machine was suspended it is at least so late. */
	uint64_t least = taken ? taken : snap->info.monotonic > 0 ? (uint64_t)snap->info.monotonic : 0;
	if (least >= (start + 1) * TICK_NS)
		return FORK_EARLIER;
	return taken && taken < start * TICK_NS ? FORK_LATER : FORK_UNKNOWN;
}

bool fork_was_before(const struct vmsnap *child, const struct vmsnap_set *set)
{
	const struct vmsnap *any = vmsnap_set_at(set, 0);
	return any && facts_same_boot(any, child) && fork_order(child, any) == FORK_EARLIER;
}

static bool newborn(const struct vmsnap *child)
{
	return child->info.faults <= FAULTS_OF_A_NEWBORN;
}

static bool held(const struct vmsnap *snap)
{
	return snap->info.freeze == VMSNAP_FREEZE_DEBUGGER;
}

static enum base_time time_of_both(const struct vmsnap *parent, const struct vmsnap *child)
{
	return newborn(child) && held(child) && held(parent) ? BASE_AT : BASE_BOTH;
}

static enum base_time time_of_one(const struct vmsnap *parent, const struct vmsnap *child, const struct vmsnap *base)
{
	if (facts_same_process(base, parent))
		return fork_order(child, base) == FORK_LATER ? BASE_BEFORE : BASE_PARENT_LATE;
	if (!facts_same_process(base, child))
		return BASE_OF_ANOTHER;
	return newborn(base) ? BASE_AT_CHILD : BASE_CHILD_LATE;
}

static bool parent_idle(const struct vmsnap *parent, const struct vmsnap *base)
{
	uint64_t faults = base->info.faults;
	return facts_same_process(base, parent) && faults != UINT64_MAX && parent->info.faults == faults;
}

static struct fork_base of_one_or_two(const struct vmsnap *parent, const struct vmsnap *child, const struct vmsnap *one,
                                      const struct vmsnap *two)
{
	if (!one) {
		one = two;
		two = NULL;
	}
	if (one && two && facts_same_process(two, parent) && facts_same_process(one, child)) {
		const struct vmsnap *first = one;
		one = two;
		two = first;
	}
	if (!one)
		return (struct fork_base){ .time = BASE_NONE };
	if (two && facts_same_process(one, parent) && facts_same_process(two, child) && facts_same_boot(one, two))
		return (struct fork_base){ .base = one, .other = two, .time = time_of_both(one, two) };
	return (struct fork_base){ .base = one, .time = time_of_one(parent, child, one) };
}

struct fork_base fork_base_of(const struct vmsnap *parent, const struct vmsnap *child, const struct vmsnap *one,
                              const struct vmsnap *two)
{
	struct fork_base found = of_one_or_two(parent, child, one, two);
	found.parent_idle = found.base && parent_idle(parent, found.base);
	found.child_idle = newborn(child);
	found.after = found.base && facts_same_boot(found.base, child) &&
	              (facts_same_process(found.base, child) || fork_order(child, found.base) == FORK_EARLIER);
	return found;
}
