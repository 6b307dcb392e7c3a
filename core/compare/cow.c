/* cow.c - copy-on-write verdicts for whole address spaces.  The rules are in
 * verdict.c; here the pages of parent, child and base are walked side by side. */
#include "compared.h"
#include "cow_warning.h"
#include "diff_facts.h"
#include "diff_walk.h"
#include "error.h"
#include "spare.h"
#include "touched.h"
#include "verdict.h"
#include "vma_match.h"

enum { PARENT, CHILD, BASE };

struct vmsnap_cow {
	const struct vmsnap *parent, *child, *base;
	struct vmsnap_cow_range *ranges;
	size_t count, capacity;
	uint64_t totals[VMSNAP_VERDICT_COUNT], touched_totals[VMSNAP_VERDICT_COUNT];
	char warning[1024];
	struct work work;
};

static int add_range(struct vmsnap_cow *cow, const struct vmsnap_cow_range *range, unsigned page_shift)
{
	uint64_t pages = (range->end - range->start) >> page_shift;
	cow->totals[range->verdict] += pages;
	cow->touched_totals[range->verdict] += range->touched ? pages : 0;
	struct vmsnap_cow_range *last = cow->count ? &cow->ranges[cow->count - 1] : NULL;
	if (last && last->end == range->start && last->verdict == range->verdict && last->inferred == range->inferred &&
	    last->touched == range->touched && last->vma == range->vma) {
		last->end = range->end;
		return VMSNAP_OK;
	}
	int rc = VMSNAP_OK;
	struct vmsnap_cow_range *ranges =
	        work_room(&cow->work, cow->ranges, cow->count, &cow->capacity, sizeof(*ranges), &rc);
	if (!ranges)
		return rc;
	cow->ranges = ranges;
	ranges[cow->count++] = *range;
	return VMSNAP_OK;
}

/* Pages with one verdict: those that a debugger wrote to become ranges of their own. */
static int add_pages(struct vmsnap_cow *cow, struct vmsnap_cow_range range, const struct touched_list *touched,
                     unsigned page_shift)
{
	uint64_t end = range.end;
	int rc = VMSNAP_OK;
	for (; !rc && range.start < end; range.start = range.end) {
		range.end = end;
		range.touched = touched_at(touched, range.start, &range.end);
		rc = add_range(cow, &range, page_shift);
	}
	return rc;
}

static bool same_mapping(const struct vmsnap_vma *a, const struct vmsnap_vma *b)
{
	return a && b ? vma_same_backing(a, b) : a == b;
}

/* What is the same throughout a span. */
static struct verdict_page page_of(const struct vmsnap *snap, const struct vmsnap_vma *vma)
{
	return (struct verdict_page){
		.mapped = vma,
		.shared = vma && (vma->perms & VMSNAP_PERM_SHARED),
		.file = vma && vma_is_private_file(vma),
		.frames_known = snap->info.known.pfn,
		.exclusive_known = snap->info.known.exclusive,
		.zero_known = snap->info.known.zero,
	};
}

static struct verdict_case case_of(const struct vmsnap *const *snaps, size_t sides, const struct span *span)
{
	const struct vmsnap_vma *const *vma = span->vma;
	struct verdict_case c = {
		.parent = page_of(snaps[PARENT], vma[PARENT]),
		.child = page_of(snaps[CHILD], vma[CHILD]),
		.parent_child_same = same_mapping(vma[PARENT], vma[CHILD]),
		.parent_child_frames = facts_same_boot(snaps[PARENT], snaps[CHILD]),
		.has_base = sides > BASE,
	};
	if (c.has_base) {
		c.base = page_of(snaps[BASE], vma[BASE]);
		c.parent_base_same = same_mapping(vma[PARENT], vma[BASE]);
		c.child_base_same = same_mapping(vma[CHILD], vma[BASE]);
		c.base_frames =
		        facts_same_boot(snaps[PARENT], snaps[BASE]) && facts_same_boot(snaps[CHILD], snaps[BASE]);
	}
	return c;
}

static int judge_span(struct vmsnap_cow *cow, struct run_cursor *cursors, struct verdict_case *c,
                      const struct span *span, const struct touched_list *touched)
{
	const struct vmsnap_vma *vma = span->vma[CHILD];
	vma = vma ? vma : span->vma[PARENT] ? span->vma[PARENT] : span->vma[BASE];
	int rc = work_step(&cow->work);
	for (uint64_t at = span->start, until; !rc && at < span->end; at = until) {
		until = span->end;
		rc = work_step(&cow->work);
		c->parent.entry = run_cursor_entry(&cursors[PARENT], at, &until);
		c->child.entry = run_cursor_entry(&cursors[CHILD], at, &until);
		c->base.entry = c->has_base ? run_cursor_entry(&cursors[BASE], at, &until) : 0;
		if (!(c->parent.entry | c->child.entry | c->base.entry))
			continue;
		struct verdict verdict = verdict_of(c);
		if (verdict.verdict == VERDICT_NONE)
			continue;
		struct vmsnap_cow_range range = {
			.start = at, .end = until, .verdict = verdict.verdict, .inferred = verdict.inferred, .vma = vma
		};
		rc = rc ? rc : add_pages(cow, range, touched, cursors[PARENT].shift);
	}
	return rc;
}

static int judge_all(struct vmsnap_cow *cow, const struct vmsnap *const *snaps, size_t sides)
{
	struct span_walk spans = span_walk_begin(snaps, sides);
	struct run_cursor cursors[WALK_SIDES];
	for (size_t i = 0; i < sides; i++)
		cursors[i] = run_cursor_at(snaps[i], 0);
	struct touched_list touched;
	int rc = touched_pages(snaps, sides, &cow->work, &touched);
	for (struct span span; !rc && span_next(&spans, &span);) {
		struct verdict_case c = case_of(snaps, sides, &span);
		rc = judge_span(cow, cursors, &c, &span, &touched);
	}
	touched_free(&touched, &cow->work);
	return rc;
}

VMSNAP_API int vmsnap_cow_new_with(const struct vmsnap *parent, const struct vmsnap *child, const struct vmsnap *base,
                                   const struct vmsnap_compare_options *options, struct vmsnap_cow **out,
                                   struct vmsnap_error *err)
{
	const struct vmsnap *snaps[] = { parent, child, base };
	struct work work;
	if (!parent || !child || !out)
		return fail(err, VMSNAP_ERR_ARGUMENT, "verdicts need a parent and a child");
	int rc = comparable(snaps, 3, err);
	rc = rc ? rc : work_with(&work, snaps, 3, options, err);
	if (rc)
		return rc;
	struct vmsnap_cow *cow = calloc(1, sizeof(*cow));
	if (!cow)
		return fail_no_memory(err);
	cow->parent = parent;
	cow->child = child;
	cow->base = base;
	cow->work = work;
	rc = judge_all(cow, snaps, base ? 3 : 2);
	if (rc) {
		vmsnap_cow_free(cow);
		return work_fail(&work, rc, err);
	}
	cow_warning(parent, child, base, cow->warning, sizeof(cow->warning));
	*out = cow;
	return VMSNAP_OK;
}

VMSNAP_API int vmsnap_cow_new(const struct vmsnap *parent, const struct vmsnap *child, const struct vmsnap *base,
                              struct vmsnap_cow **out, struct vmsnap_error *err)
{
	return vmsnap_cow_new_with(parent, child, base, NULL, out, err);
}

uint64_t cow_memory_left(const struct vmsnap_cow *cow)
{
	return work_left(&cow->work);
}

VMSNAP_API void vmsnap_cow_free(struct vmsnap_cow *cow)
{
	if (!cow)
		return;
	free(cow->ranges);
	free(cow);
}

VMSNAP_API const struct vmsnap *vmsnap_cow_parent(const struct vmsnap_cow *cow)
{
	return cow->parent;
}

VMSNAP_API const struct vmsnap *vmsnap_cow_child(const struct vmsnap_cow *cow)
{
	return cow->child;
}

VMSNAP_API const struct vmsnap *vmsnap_cow_base(const struct vmsnap_cow *cow)
{
	return cow->base;
}

VMSNAP_API size_t vmsnap_cow_range_count(const struct vmsnap_cow *cow)
{
	return cow->count;
}

VMSNAP_API int vmsnap_cow_range(const struct vmsnap_cow *cow, size_t index, struct vmsnap_cow_range *out)
{
	if (index >= cow->count)
		return VMSNAP_ERR_NOT_FOUND;
	*out = cow->ranges[index];
	return VMSNAP_OK;
}

VMSNAP_API const uint64_t *vmsnap_cow_totals(const struct vmsnap_cow *cow)
{
	return cow->totals;
}

VMSNAP_API const uint64_t *vmsnap_cow_touched_totals(const struct vmsnap_cow *cow)
{
	return cow->touched_totals;
}

VMSNAP_API const char *vmsnap_cow_warning(const struct vmsnap_cow *cow)
{
	return cow->warning;
}
