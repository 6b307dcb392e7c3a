#include "cow_began.h"

#include "cow_groups.h"

static bool frames_known(const struct vmsnap *snap)
{
	return vmsnap_info(snap)->known.pfn;
}

int cow_began(const struct vmsnap_cow *cow, struct cow_began *began, struct vmsnap_error *err)
{
	const struct vmsnap *base = vmsnap_cow_base(cow), *other = vmsnap_cow_base_other(cow);
	struct vmsnap_cow *then;
	*began = (struct cow_began){ .known = false };
	if (!base || !other || !frames_known(base) || !frames_known(other))
		return VMSNAP_OK;
	bool of_child = vmsnap_same_process(base, vmsnap_cow_child(cow));
	const struct vmsnap *parent = of_child ? other : base, *child = of_child ? base : other;
	int rc = vmsnap_cow_new_between(parent, child, parent, child, NULL, &then, err);
	if (rc)
		return rc;
	began->known = vmsnap_cow_relation(then) == VMSNAP_RELATION_COMPARABLE;
	struct cow_costs costs = cow_costs(then);
	for (int i = 0; i < COST_KINDS; i++)
		began->by_base += costs.copied[i] * vmsnap_info(child)->page_size;
	vmsnap_cow_free(then);
	return rc;
}
