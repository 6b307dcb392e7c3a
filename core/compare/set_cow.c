/* set_cow.c - all forks of a tree of processes, and what was copied in them, where a frame that
 * several map counts once. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "facts.h"
#include "fork_base.h"
#include "frames.h"
#include "options.h"
#include "set.h"

struct row {
	struct vmsnap_set_cow_row told;
	char *warning;
	uint64_t pages[VMSNAP_VERDICT_COUNT], touched[VMSNAP_VERDICT_COUNT];
	uint64_t inferred[VMSNAP_VERDICT_COUNT]; /* not of the touched ones */
};
struct vmsnap_set_cow {
	struct row *rows;
	size_t count;
	const struct vmsnap **went;
	size_t went_count;
	uint64_t distinct[VMSNAP_VERDICT_COUNT], hidden; /* bytes */
};

struct judging {
	struct vmsnap_set_cow *cow;
	const struct vmsnap_set *set, *base; /* base may be NULL */
	const struct vmsnap_compare_options *options;
	struct frame_list frames[VMSNAP_VERDICT_COUNT];
	struct work work;
	struct vmsnap_error *err;
};

/* Whose frames a verdict is about: those of who copied, wrote or kept the page. */
enum { OF_CHILD = 1, OF_PARENT = 2 };
static unsigned whose(int verdict)
{
	switch (verdict) {
	case VMSNAP_VERDICT_COPIED_BY_PARENT:
	case VMSNAP_VERDICT_NEW_IN_PARENT:
	case VMSNAP_VERDICT_ONLY_IN_PARENT:
	case VMSNAP_VERDICT_ZERO_WRITTEN_BY_PARENT:
	case VMSNAP_VERDICT_DROPPED_BY_CHILD:
		return OF_PARENT;
	case VMSNAP_VERDICT_COPIED_BY_BOTH:
	case VMSNAP_VERDICT_NEW_IN_BOTH:
	case VMSNAP_VERDICT_ZERO_WRITTEN_BY_BOTH:
		return OF_PARENT | OF_CHILD;
	case VMSNAP_VERDICT_FILE: /* of page cache either may have a page that the other has not */
	case VMSNAP_VERDICT_SHARED_MAPPING:
		return OF_PARENT | OF_CHILD;
	default:
		return OF_CHILD;
	}
}

static int add_range(struct judging *all, const struct vmsnap_set_cow_row *row, const struct vmsnap_cow_range *range)
{
	struct frame_list *frames = &all->frames[range->verdict];
	uint64_t bytes = range->end - range->start;
	unsigned of = whose(range->verdict);
	int rc = VMSNAP_OK;
	if (of & OF_CHILD)
		rc = frames_add(frames, row->child, range->start, range->end, &all->work);
	if (!rc && of & OF_PARENT)
		rc = frames_add(frames, row->parent, range->parent_start, range->parent_start + bytes, &all->work);
	return rc;
}

static void count_range(struct row *row, const struct vmsnap_cow_range *range)
{
	uint64_t pages = (range->end - range->start) / vmsnap_info(row->told.child)->page_size;
	row->told.inferred += range->inferred ? pages : 0;
	if (range->touched)
		row->touched[range->verdict] += pages;
	else if (range->inferred)
		row->inferred[range->verdict] += pages;
}

static int add_cow(struct judging *all, struct row *row, const struct vmsnap_cow *cow)
{
	struct vmsnap_cow_range range;
	int rc = VMSNAP_OK;
	for (int verdict = 0; verdict < VMSNAP_VERDICT_COUNT; verdict++)
		row->pages[verdict] = vmsnap_cow_pages(cow, verdict);
	row->warning = strdup(vmsnap_cow_warning(cow));
	if (!row->warning)
		return fail_no_memory(all->err);
	row->told.warning = row->warning;
	row->told.relation = vmsnap_cow_relation(cow);
	for (size_t i = 0; !rc && !vmsnap_cow_range(cow, i, &range); i++) {
		count_range(row, &range);
		rc = add_range(all, &row->told, &range);
	}
	return rc ? work_fail(&all->work, rc, all->err) : VMSNAP_OK;
}

static int judge_fork(struct judging *all, struct row *row)
{
	const struct vmsnap_set_cow_row *told = &row->told;
	const struct vmsnap *other = told->base_child;
	struct vmsnap_cow *cow;
	int rc = vmsnap_cow_new_between(told->parent, told->child, told->base, told->base ? other : NULL, all->options,
	                                &cow, all->err);
	if (rc)
		return rc;
	rc = add_cow(all, row, cow);
	vmsnap_cow_free(cow);
	return rc;
}

static int add_process(struct judging *all, const struct vmsnap *child)
{
	struct row *row = &all->cow->rows[all->cow->count++];
	const struct vmsnap *parent = vmsnap_set_parent(all->set, child), *base = NULL;
	const struct vmsnap *before = all->base ? vmsnap_set_same(all->base, child) : NULL;
	if (parent && all->base)
		base = vmsnap_set_same(all->base, parent);
	*row = (struct row){ .told = { .child = vmsnap_ref(child), .warning = "" } };
	row->told.parent = vmsnap_ref(parent);
	row->told.base = vmsnap_ref(base);
	row->told.base_child = vmsnap_ref(before);
	/* One that was there already was just not asked for. */
	row->told.came = all->base && !before && !fork_was_before(child, all->base);
	return parent ? judge_fork(all, row) : VMSNAP_OK;
}

static int judge_all(struct judging *all)
{
	struct vmsnap_set_cow *cow = all->cow;
	size_t base_count = all->base ? vmsnap_set_count(all->base) : 0;
	const struct vmsnap *snap;
	int rc = VMSNAP_OK;
	cow->rows = work_array(&all->work, vmsnap_set_count(all->set), sizeof(*cow->rows), &rc);
	cow->went = work_array(&all->work, base_count, sizeof(struct vmsnap *), &rc);
	if (rc)
		return work_fail(&all->work, rc, all->err);
	for (size_t i = 0; !rc && (snap = vmsnap_set_at(all->set, i)); i++)
		rc = add_process(all, snap);
	for (size_t i = 0; i < base_count; i++) {
		snap = vmsnap_set_at(all->base, i);
		if (!vmsnap_set_same(all->set, snap))
			cow->went[cow->went_count++] = vmsnap_ref(snap);
	}
	return rc;
}

static int sum_up(struct judging *all)
{
	uint64_t page_size = vmsnap_info(vmsnap_set_at(all->set, 0))->page_size;
	int rc = VMSNAP_OK;
	for (int verdict = 0; !rc && verdict < VMSNAP_VERDICT_COUNT; verdict++) {
		rc = frames_join(&all->frames[verdict], &all->work);
		all->cow->distinct[verdict] = frames_count(&all->frames[verdict]) * page_size;
		all->cow->hidden += all->frames[verdict].hidden * page_size;
	}
	return rc ? work_fail(&all->work, rc, all->err) : VMSNAP_OK;
}

VMSNAP_API int vmsnap_set_cow_new(const struct vmsnap_set *set, const struct vmsnap_set *base,
                                  const struct vmsnap_compare_options *options, struct vmsnap_set_cow **out,
                                  struct vmsnap_error *err)
{
	struct judging all = { .set = set, .base = base, .options = options, .err = err };
	int rc = set_work_with(&all.work, set, base, options, err);
	if (rc)
		return rc;
	all.cow = calloc(1, sizeof(*all.cow));
	if (!all.cow)
		return fail_no_memory(err);
	rc = judge_all(&all);
	rc = rc ? rc : sum_up(&all);
	for (int verdict = 0; verdict < VMSNAP_VERDICT_COUNT; verdict++)
		frames_free(&all.frames[verdict], &all.work);
	if (rc)
		vmsnap_set_cow_free(all.cow);
	else
		*out = all.cow;
	return rc;
}

VMSNAP_API void vmsnap_set_cow_free(struct vmsnap_set_cow *cow)
{
	if (!cow)
		return;
	for (size_t i = 0; i < cow->count; i++) {
		vmsnap_unref(cow->rows[i].told.child);
		vmsnap_unref(cow->rows[i].told.parent);
		vmsnap_unref(cow->rows[i].told.base);
		vmsnap_unref(cow->rows[i].told.base_child);
		free(cow->rows[i].warning);
	}
	for (size_t i = 0; i < cow->went_count; i++)
		vmsnap_unref(cow->went[i]);
	free(cow->rows);
	free(cow->went);
	free(cow);
}

VMSNAP_API size_t vmsnap_set_cow_count(const struct vmsnap_set_cow *cow)
{
	return cow->count;
}

VMSNAP_API int vmsnap_set_cow_row_sized(const struct vmsnap_set_cow *cow, size_t index, struct vmsnap_set_cow_row *out,
                                        size_t size)
{
	if (index >= cow->count)
		return VMSNAP_ERR_NOT_FOUND;
	struct_give(out, size, &cow->rows[index].told, sizeof(cow->rows[index].told));
	return VMSNAP_OK;
}

static bool is_there(const struct vmsnap_set_cow *cow, size_t index, int verdict)
{
	return index < cow->count && verdict >= 0 && verdict < VMSNAP_VERDICT_COUNT;
}

VMSNAP_API uint64_t vmsnap_set_cow_pages(const struct vmsnap_set_cow *cow, size_t index, int verdict)
{
	return is_there(cow, index, verdict) ? cow->rows[index].pages[verdict] : 0;
}

VMSNAP_API uint64_t vmsnap_set_cow_touched_pages(const struct vmsnap_set_cow *cow, size_t index, int verdict)
{
	return is_there(cow, index, verdict) ? cow->rows[index].touched[verdict] : 0;
}

VMSNAP_API uint64_t vmsnap_set_cow_inferred_pages(const struct vmsnap_set_cow *cow, size_t index, int verdict)
{
	return is_there(cow, index, verdict) ? cow->rows[index].inferred[verdict] : 0;
}

VMSNAP_API uint64_t vmsnap_set_cow_distinct(const struct vmsnap_set_cow *cow, int verdict)
{
	return verdict >= 0 && verdict < VMSNAP_VERDICT_COUNT ? cow->distinct[verdict] : 0;
}

VMSNAP_API uint64_t vmsnap_set_cow_hidden(const struct vmsnap_set_cow *cow)
{
	return cow->hidden;
}

VMSNAP_API const struct vmsnap *vmsnap_set_cow_went(const struct vmsnap_set_cow *cow, size_t index)
{
	return index < cow->went_count ? cow->went[index] : NULL;
}
