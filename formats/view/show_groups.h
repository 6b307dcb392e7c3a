/* show_groups.h - what an address space comes to, by what its mappings are, by file or by NUMA node. */
#ifndef VMSNAP_SHOW_GROUPS_H
#define VMSNAP_SHOW_GROUPS_H

#include "filter.h"

struct show_group {
	int kind;         /* enum vmsnap_mapping_kind; -1: by node */
	const char *name; /* by file: of the mappings, of the snapshot's or the names' memory; "" if they have none */
	uint64_t node;    /* UINT64_MAX: not known; not by node */
	size_t mappings;  /* 0: by node */
	struct vmsnap_sums sums;
};
struct show_groups {
	struct show_group *items; /* by kind: as enumerated; by file: as they come; by node: as they count */
	size_t count, room;
	struct show_group total; /* of what is taken */
};

/* by: enum vmsnap_show_by; names may be NULL.  What the snapshot does not know is VMSNAP_ERR_ARGUMENT. */
int show_groups_make(struct show_groups *groups, const struct vmsnap *snap, int by, const struct filter *filter,
                     struct vmsnap_names *names, struct work *work, struct vmsnap_error *err);
void show_groups_free(struct show_groups *groups, struct work *work);

#endif
