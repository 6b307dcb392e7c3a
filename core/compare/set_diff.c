/* set_diff.c - two trees of processes: who came and went, what changed in each, and what that comes
 * to where a frame that several map counts once. */
#include <stdlib.h>

#include "error.h"
#include "facts.h"
#include "fork_base.h"
#include "frames.h"
#include "options.h"
#include "set.h"

struct row {
	struct vmsnap_set_diff_row told;
	uint64_t pages[VMSNAP_KIND_COUNT];
};
struct vmsnap_set_diff {
	struct row *rows;
	size_t count;
	uint64_t totals[VMSNAP_SET_TOTAL_COUNT]; /* bytes */
	bool any;
};

/* Frames of one side, by whose they are. */
struct side {
	struct frame_list paired, alone, all;
};
struct comparing {
	struct vmsnap_set_diff *diff;
	const struct vmsnap_compare_options *options;
	struct frame_list kinds[VMSNAP_KIND_COUNT];
	struct side a, b;
	struct work work;
	struct vmsnap_error *err;
};

/* ---- one process ------------------------------------------------------------------ */

/* Where what is gone lay in A: below what was put over it, or where it had moved from. */
static uint64_t gone_from(const struct vmsnap_diff_range *range)
{
	bool there = range->after & (VMSNAP_PAGE_PRESENT | VMSNAP_PAGE_SWAPPED);
	return range->before && !there ? range->from : range->start;
}

static int add_range(struct comparing *all, const struct vmsnap *a, const struct vmsnap *b,
                     const struct vmsnap_diff_range *range)
{
	static const int of_b[] = { VMSNAP_KIND_NEW, VMSNAP_KIND_COPIED, VMSNAP_KIND_WRITTEN };
	int rc = VMSNAP_OK;
	for (size_t i = 0; !rc && i < sizeof(of_b) / sizeof(of_b[0]); i++)
		if (range->kinds & 1u << of_b[i])
			rc = frames_add(&all->kinds[of_b[i]], b, range->start, range->end, &all->work);
	if (rc || !(range->kinds & 1u << VMSNAP_KIND_GONE))
		return rc;
	uint64_t from = gone_from(range);
	return frames_add(&all->kinds[VMSNAP_KIND_GONE], a, from, from + (range->end - range->start), &all->work);
}

static int add_diff(struct comparing *all, struct row *row, const struct vmsnap_diff *diff)
{
	struct vmsnap_diff_range range;
	int rc = VMSNAP_OK;
	for (int kind = 0; kind < VMSNAP_KIND_COUNT; kind++)
		row->pages[kind] = vmsnap_diff_kind_pages(diff, kind);
	row->told.vmas = vmsnap_diff_vma_count(diff);
	row->told.written_unknown = vmsnap_diff_total(diff, VMSNAP_TOTAL_WRITTEN_UNKNOWN);
	row->told.differs = vmsnap_diff_any(diff);
	for (size_t i = 0; !rc && !vmsnap_diff_range(diff, i, &range); i++)
		rc = add_range(all, row->told.a, row->told.b, &range);
	return rc ? work_fail(&all->work, rc, all->err) : VMSNAP_OK;
}

static int compare_pair(struct comparing *all, struct row *row)
{
	struct vmsnap_diff *diff;
	int rc = vmsnap_diff_new_with(row->told.a, row->told.b, all->options, &diff, all->err);
	if (rc)
		return rc;
	row->told.relation = vmsnap_diff_relation(diff);
	row->told.copied_known =
	        facts_context_of(row->told.a, row->told.b).frames && row->told.relation == VMSNAP_RELATION_COMPARABLE;
	rc = add_diff(all, row, diff);
	vmsnap_diff_free(diff);
	return rc;
}

static int add_side(struct comparing *all, struct side *side, const struct vmsnap *snap, bool paired,
                    uint64_t *resident)
{
	struct vmsnap_sums sums;
	if (!snap)
		return VMSNAP_OK;
	vmsnap_sum(snap, 0, UINT64_MAX, &sums);
	*resident = sums.resident;
	int rc = frames_add(paired ? &side->paired : &side->alone, snap, 0, UINT64_MAX, &all->work);
	rc = rc ? rc : frames_add(&side->all, snap, 0, UINT64_MAX, &all->work);
	return rc ? work_fail(&all->work, rc, all->err) : VMSNAP_OK;
}

static int add_process(struct comparing *all, const struct vmsnap *a, const struct vmsnap *b)
{
	struct row *row = &all->diff->rows[all->diff->count++];
	bool both = a && b;
	*row = (struct row){ .told = { .a = vmsnap_ref(a), .b = vmsnap_ref(b) } };
	int rc = both ? compare_pair(all, row) : VMSNAP_OK;
	rc = rc ? rc : add_side(all, &all->a, a, both, &row->told.resident_a);
	rc = rc ? rc : add_side(all, &all->b, b, both, &row->told.resident_b);
	all->diff->any |= !both || row->told.differs;
	return rc;
}

/* ---- all of them ------------------------------------------------------------------ */

static int compare_all(struct comparing *all, const struct vmsnap_set *a, const struct vmsnap_set *b)
{
	const struct vmsnap *snap;
	int rc = VMSNAP_OK;
	for (size_t i = 0; !rc && (snap = vmsnap_set_at(b, i)); i++) {
		const struct vmsnap *same = vmsnap_set_same(a, snap);
		rc = add_process(all, same, snap);
		all->diff->rows[i].told.was_there = !same && fork_was_before(snap, a);
	}
	for (size_t i = 0; !rc && (snap = vmsnap_set_at(a, i)); i++)
		if (!vmsnap_set_same(b, snap))
			rc = add_process(all, snap, NULL);
	return rc;
}

static int join_side(struct comparing *all, struct side *side)
{
	int rc = frames_join(&side->paired, &all->work);
	rc = rc ? rc : frames_join(&side->alone, &all->work);
	return rc ? rc : frames_join(&side->all, &all->work);
}

static int sum_up(struct comparing *all, uint64_t page_size)
{
	static const struct {
		int kind, total;
	} sums[] = { { VMSNAP_KIND_NEW, VMSNAP_SET_TOTAL_NEW },
		     { VMSNAP_KIND_GONE, VMSNAP_SET_TOTAL_GONE },
		     { VMSNAP_KIND_COPIED, VMSNAP_SET_TOTAL_COPIED },
		     { VMSNAP_KIND_WRITTEN, VMSNAP_SET_TOTAL_WRITTEN } };
	uint64_t *totals = all->diff->totals;
	int rc = join_side(all, &all->a);
	rc = rc ? rc : join_side(all, &all->b);
	for (size_t i = 0; !rc && i < sizeof(sums) / sizeof(sums[0]); i++) {
		struct frame_list *frames = &all->kinds[sums[i].kind];
		rc = frames_join(frames, &all->work);
		totals[sums[i].total] = frames_count(frames) * page_size;
	}
	totals[VMSNAP_SET_TOTAL_DISTINCT_A] = frames_count(&all->a.all) * page_size;
	totals[VMSNAP_SET_TOTAL_DISTINCT_B] = frames_count(&all->b.all) * page_size;
	totals[VMSNAP_SET_TOTAL_HIDDEN] = (all->a.all.hidden + all->b.all.hidden) * page_size;
	totals[VMSNAP_SET_TOTAL_CAME] = frames_count_without(&all->b.alone, &all->b.paired) * page_size;
	totals[VMSNAP_SET_TOTAL_WENT] = frames_count_without(&all->a.alone, &all->a.paired) * page_size;
	return rc ? work_fail(&all->work, rc, all->err) : VMSNAP_OK;
}

static void free_side(struct side *side, struct work *work)
{
	frames_free(&side->paired, work);
	frames_free(&side->alone, work);
	frames_free(&side->all, work);
}

static int compare_sets(struct comparing *all, const struct vmsnap_set *a, const struct vmsnap_set *b)
{
	int rc = VMSNAP_OK;
	all->diff->rows = work_array(&all->work, vmsnap_set_count(a) + vmsnap_set_count(b), sizeof(struct row), &rc);
	rc = rc ? work_fail(&all->work, rc, all->err) : compare_all(all, a, b);
	rc = rc ? rc : sum_up(all, vmsnap_info(vmsnap_set_at(b, 0))->page_size);
	for (int kind = 0; kind < VMSNAP_KIND_COUNT; kind++)
		frames_free(&all->kinds[kind], &all->work);
	free_side(&all->a, &all->work);
	free_side(&all->b, &all->work);
	return rc;
}

VMSNAP_API int vmsnap_set_diff_new(const struct vmsnap_set *a, const struct vmsnap_set *b,
                                   const struct vmsnap_compare_options *options, struct vmsnap_set_diff **out,
                                   struct vmsnap_error *err)
{
	struct comparing all = { .options = options, .err = err };
	int rc = set_work_with(&all.work, a, b, options, err);
	if (rc)
		return rc;
	all.diff = calloc(1, sizeof(*all.diff));
	if (!all.diff)
		return fail_no_memory(err);
	rc = compare_sets(&all, a, b);
	if (rc)
		vmsnap_set_diff_free(all.diff);
	else
		*out = all.diff;
	return rc;
}

VMSNAP_API void vmsnap_set_diff_free(struct vmsnap_set_diff *diff)
{
	if (!diff)
		return;
	for (size_t i = 0; i < diff->count; i++) {
		vmsnap_unref(diff->rows[i].told.a);
		vmsnap_unref(diff->rows[i].told.b);
	}
	free(diff->rows);
	free(diff);
}

VMSNAP_API size_t vmsnap_set_diff_count(const struct vmsnap_set_diff *diff)
{
	return diff->count;
}

VMSNAP_API int vmsnap_set_diff_row_sized(const struct vmsnap_set_diff *diff, size_t index,
                                         struct vmsnap_set_diff_row *out, size_t size)
{
	if (index >= diff->count)
		return VMSNAP_ERR_NOT_FOUND;
	struct_give(out, size, &diff->rows[index].told, sizeof(diff->rows[index].told));
	return VMSNAP_OK;
}

VMSNAP_API uint64_t vmsnap_set_diff_pages(const struct vmsnap_set_diff *diff, size_t index, int kind)
{
	return index < diff->count && kind >= 0 && kind < VMSNAP_KIND_COUNT ? diff->rows[index].pages[kind] : 0;
}

VMSNAP_API uint64_t vmsnap_set_diff_total(const struct vmsnap_set_diff *diff, int total)
{
	return total >= 0 && total < VMSNAP_SET_TOTAL_COUNT ? diff->totals[total] : 0;
}

VMSNAP_API bool vmsnap_set_diff_any(const struct vmsnap_set_diff *diff)
{
	return diff->any;
}
