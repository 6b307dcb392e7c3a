#include "show_groups.h"

#include <string.h>

#include "error.h"
#include "sums.h"

/* ---- of mappings -------------------------------------------------------------------- */

/* A mapping that is taken, and by what it is grouped. */
struct member {
	int kind;
	const char *name;
	const struct vmsnap_vma *file; /* whose file it is of; NULL: of none */
	size_t order;                  /* as they come */
	struct vmsnap_sums sums;
};

struct making {
	const struct vmsnap *snap;
	const struct filter *filter;
	struct vmsnap_names *names;
	struct work *work;
	int by;
	uint8_t *kinds; /* of all mappings */
	struct member *members;
	size_t count;
};

static const struct vmsnap_vma *with_file(const struct vmsnap_vma *vma)
{
	return vma && vmsnap_vma_has_file(vma) ? vma : NULL;
}

/* A .bss is of the file that is mapped below it. */
static void name_member(const struct making *making, size_t index, struct member *member)
{
	const struct vmsnap_vma *vma = vmsnap_vma(making->snap, index);
	bool code = member->kind == VMSNAP_MAPPING_PROGRAM || member->kind == VMSNAP_MAPPING_LIBRARY;
	member->name = vma->name;
	member->file = with_file(vma);
	if (*vma->name || !code || !index)
		return;
	const struct vmsnap_vma *below = vmsnap_vma(making->snap, index - 1);
	if (below->end != vma->start || !with_file(below))
		return;
	member->name = below->name;
	member->file = below;
}

static int by_kind(const void *a, const void *b, const void *ctx)
{
	const struct member *x = a, *y = b;
	(void)ctx;
	return x->kind - y->kind;
}

/* Of two files of one name one may be deleted, and both. */
static int file_order(const struct member *x, const struct member *y)
{
	if (!x->file || !y->file)
		return (x->file != NULL) - (y->file != NULL);
	if (x->file->inode != y->file->inode)
		return x->file->inode < y->file->inode ? -1 : 1;
	if (x->file->dev_major != y->file->dev_major)
		return x->file->dev_major < y->file->dev_major ? -1 : 1;
	return (x->file->dev_minor > y->file->dev_minor) - (x->file->dev_minor < y->file->dev_minor);
}

static int by_file(const void *a, const void *b, const void *ctx)
{
	const struct member *x = a, *y = b;
	int order = file_order(x, y);
	(void)ctx;
	order = order ? order : strcmp(x->name, y->name);
	return order ? order : x->kind - y->kind;
}

static int first_first(const void *a, const void *b, const void *ctx)
{
	const struct show_group *x = a, *y = b;
	(void)ctx;
	return (x->node > y->node) - (x->node < y->node);
}

static int take_members(struct making *making, struct vmsnap_error *err)
{
	size_t count = vmsnap_vma_count(making->snap);
	int rc = vmsnap_mapping_kinds(making->snap, making->names, making->kinds, err);
	for (size_t i = 0; !rc && i < count; i++) {
		const struct vmsnap_vma *vma = vmsnap_vma(making->snap, i);
		struct member member = { .kind = making->kinds[i], .name = "", .order = i };
		if (!filter_takes_vma(making->filter, vma) ||
		    !filter_sum(making->filter, making->snap, vma, &member.sums))
			continue;
		if (making->by == VMSNAP_SHOW_BY_FILE)
			name_member(making, i, &member);
		making->members[making->count++] = member;
	}
	return rc;
}

/* Those that are equal become one group; of groups by file `node` is the place of the first member meanwhile. */
static void join_members(const struct making *making, struct show_groups *groups,
                         int (*order)(const void *a, const void *b, const void *ctx))
{
	for (size_t i = 0; i < making->count; i++) {
		const struct member *member = &making->members[i];
		if (!i || order(member - 1, member, NULL) != 0)
			groups->items[groups->count++] = (struct show_group){ .kind = member->kind,
				                                              .name = member->name,
				                                              .node = member->order };
		struct show_group *group = &groups->items[groups->count - 1];
		group->mappings++;
		sums_add(&group->sums, &member->sums);
		groups->total.mappings++;
		sums_add(&groups->total.sums, &member->sums);
	}
}

static int group_members(struct making *making, struct show_groups *groups)
{
	int (*order)(const void *, const void *, const void *) = making->by == VMSNAP_SHOW_BY_FILE ? by_file : by_kind;
	int rc = work_sort(making->work, making->members, making->count, sizeof(*making->members), order, NULL);
	groups->room = making->count;
	groups->items = work_array(making->work, groups->room, sizeof(*groups->items), &rc);
	if (rc)
		return rc;
	join_members(making, groups, order);
	if (making->by == VMSNAP_SHOW_BY_FILE)
		rc = work_sort(making->work, groups->items, groups->count, sizeof(*groups->items), first_first, NULL);
	for (size_t i = 0; i < groups->count; i++)
		groups->items[i].node = UINT64_MAX;
	return rc;
}

static int by_mapping(struct making *making, struct show_groups *groups, struct vmsnap_error *err)
{
	size_t count = vmsnap_vma_count(making->snap);
	int rc = VMSNAP_OK;
	making->kinds = work_array(making->work, count, sizeof(*making->kinds), &rc);
	making->members = work_array(making->work, count, sizeof(*making->members), &rc);
	if (rc)
		rc = work_fail(making->work, rc, err);
	rc = rc ? rc : take_members(making, err);
	if (!rc && (rc = group_members(making, groups)))
		rc = work_fail(making->work, rc, err);
	work_free(making->work, making->kinds, count, sizeof(*making->kinds));
	work_free(making->work, making->members, count, sizeof(*making->members));
	return rc;
}

/* ---- of pages ----------------------------------------------------------------------- */

/* There are few of them. */
static struct show_group *group_of_node(struct show_groups *groups, struct work *work, uint64_t node, int *rc)
{
	for (size_t i = 0; i < groups->count; i++)
		if (groups->items[i].node == node)
			return &groups->items[i];
	if (!WORK_ROOM(work, groups->items, groups->count, &groups->room, rc))
		return NULL;
	groups->items[groups->count] = (struct show_group){ .kind = -1, .name = "", .node = node };
	return &groups->items[groups->count++];
}

/* Present pages of one state, cut where the node changes. */
static int add_run(const struct making *making, struct show_groups *groups, const struct vmsnap_run *run)
{
	int rc = VMSNAP_OK;
	for (uint64_t at = run->start, end; !rc && at < run->end; at = end) {
		struct vmsnap_sums sums = { 0 };
		struct vmsnap_run part = *run;
		uint64_t node;
		if (vmsnap_layer_at(making->snap, VMSNAP_LAYER_NODE, at, &node, &end))
			node = UINT64_MAX;
		end = end < run->end ? end : run->end;
		part.start = at;
		part.end = end;
		sums_add_run(&sums, &vmsnap_info(making->snap)->known, &part);
		struct show_group *group = group_of_node(groups, making->work, node, &rc);
		if (group)
			sums_add(&group->sums, &sums);
		sums_add(&groups->total.sums, &sums);
		rc = rc ? rc : work_step(making->work);
	}
	return rc;
}

static int add_mapping(const struct making *making, struct show_groups *groups, const struct vmsnap_vma *vma)
{
	struct vmsnap_run_iter it;
	struct vmsnap_run run;
	int rc = VMSNAP_OK;
	vmsnap_run_iter_init(&it, making->snap, vma->start, vma->end);
	while (!rc && vmsnap_run_next(&it, &run) == VMSNAP_OK)
		if (filter_cut_run(making->filter, vmsnap_info(making->snap)->page_size, &run) &&
		    (run.flags & VMSNAP_PAGE_PRESENT))
			rc = add_run(making, groups, &run);
	return rc;
}

static int by_node(struct making *making, struct show_groups *groups, struct vmsnap_error *err)
{
	int rc = VMSNAP_OK;
	if (!vmsnap_layer_known(making->snap, VMSNAP_LAYER_NODE))
		return fail(err, VMSNAP_ERR_ARGUMENT,
		            "this snapshot does not know the NUMA nodes of pages (capture --kpage, as root)");
	for (size_t i = 0; !rc && i < vmsnap_vma_count(making->snap); i++)
		if (filter_takes_vma(making->filter, vmsnap_vma(making->snap, i)))
			rc = add_mapping(making, groups, vmsnap_vma(making->snap, i));
	rc = rc ? rc : work_sort(making->work, groups->items, groups->count, sizeof(*groups->items), first_first, NULL);
	return rc ? work_fail(making->work, rc, err) : VMSNAP_OK;
}

int show_groups_make(struct show_groups *groups, const struct vmsnap *snap, int by, const struct filter *filter,
                     struct vmsnap_names *names, struct work *work, struct vmsnap_error *err)
{
	struct making making = { .snap = snap, .filter = filter, .names = names, .work = work, .by = by };
	*groups = (struct show_groups){ .total = { .kind = -1, .name = "", .node = UINT64_MAX } };
	return by == VMSNAP_SHOW_BY_NODE ? by_node(&making, groups, err) : by_mapping(&making, groups, err);
}

void show_groups_free(struct show_groups *groups, struct work *work)
{
	work_free(work, groups->items, groups->room, sizeof(*groups->items));
	groups->items = NULL;
}
