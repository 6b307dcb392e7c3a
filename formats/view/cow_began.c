#include "cow_began.h"

#include "cow_groups.h"

static bool frames_known(const struct vmsnap *snap)
{
	return vmsnap_info(snap)->known.pfn;
}

/* Of what had become of some pages by then nobody can tell: none of them may be said to be copied, nor none. */
static bool all_told(const struct vmsnap_cow *then)
{
	return !vmsnap_cow_pages(then, VMSNAP_VERDICT_UNKNOWN);
}

/* It takes a second comparison; that there is not enough memory left for one is no reason to tell nothing at all. */
int cow_began_in(const struct vmsnap *parent, const struct vmsnap *child, const struct work *work,
                 struct cow_began *began, struct vmsnap_error *err)
{
	struct vmsnap_compare_options options = { .size = sizeof(options),
		                                  .cancelled = work->cancelled,
		                                  .cancel_ctx = work->cancel_ctx };
	struct vmsnap_cow *then;
	*began = (struct cow_began){ .known = false };
	if (!parent || !child || !frames_known(parent) || !frames_known(child))
		return VMSNAP_OK;
	int rc = vmsnap_cow_new_between(parent, child, parent, child, &options, &then, err);
	if (rc)
		return rc == VMSNAP_ERR_CANCELLED ? rc : VMSNAP_OK;
	struct cow_costs costs = cow_costs(then);
	for (int i = 0; i < COST_KINDS; i++)
		began->by_base += costs.copied[i] * vmsnap_info(child)->page_size;
	began->known = vmsnap_cow_relation(then) == VMSNAP_RELATION_COMPARABLE && (began->by_base || all_told(then));
	began->least = !all_told(then);
	vmsnap_cow_free(then);
	return VMSNAP_OK;
}

int cow_began(const struct vmsnap_cow *cow, const struct work *work, struct cow_began *began, struct vmsnap_error *err)
{
	const struct vmsnap *base = vmsnap_cow_base(cow), *other = vmsnap_cow_base_other(cow);
	bool of_child = base && vmsnap_same_process(base, vmsnap_cow_child(cow));
	return cow_began_in(of_child ? other : base, of_child ? base : other, work, began, err);
}
