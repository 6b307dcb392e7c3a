/* group_change.c - what of the sharing was lost between two instants.
 *
 * At one address of one process a page was shared at A, and at B it is not: whoever wrote to it first has a copy,
 * and the last one that is left has the page to itself without having done anything. */
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "facts.h"
#include "group.h"
#include "options.h"
#include "relation.h"
#include "walk.h"

struct vmsnap_group_change {
	struct work work;
	uint64_t page_size;
	struct vmsnap_group_change_process *processes;
	size_t count;
	uint64_t *lost;    /* of each mapping of B */
	size_t *mapping_a; /* the mapping of A, of each */
	size_t mapping_count;
	struct vmsnap_group_lost *ranges;
	size_t range_count, range_capacity;
};

struct changing {
	struct vmsnap_group_change *change;
	const struct vmsnap_group *a, *b;
	size_t process; /* in the change */
	size_t place_a, place_b;
};

static int add_lost(struct changing *changing, uint64_t start, uint64_t end, size_t mapping, bool copied)
{
	struct vmsnap_group_change *change = changing->change;
	struct vmsnap_group_change_process *process = &change->processes[changing->process];
	struct vmsnap_group_lost *last = change->range_count ? &change->ranges[change->range_count - 1] : NULL;
	int rc = VMSNAP_OK;
	*(copied ? &process->copied : &process->left) += end - start;
	change->lost[mapping] += end - start;
	if (last && last->process == changing->process && last->end == start && last->copied == copied) {
		last->end = end;
		return rc;
	}
	if (!WORK_ROOM(&change->work, change->ranges, change->range_count, &change->range_capacity, &rc))
		return rc;
	change->ranges[change->range_count++] = (struct vmsnap_group_lost){ changing->process, start, end, copied };
	return rc;
}

static bool has_frame(uint64_t entry)
{
	return (entry & ENTRY_PRESENT) && (entry & ENTRY_FRAME_MASK) && !(entry & ENTRY_FLAG(VMSNAP_PAGE_ZERO));
}

/* Both have pages from `at` on, in frames that count up. */
static int compare_pages(struct changing *changing, uint64_t at, uint64_t pages, uint64_t entry_a, uint64_t entry_b,
                         size_t mapping)
{
	uint64_t frame_a = entry_a & ENTRY_FRAME_MASK, frame_b = entry_b & ENTRY_FRAME_MASK;
	uint64_t page_size = changing->change->page_size;
	int rc = VMSNAP_OK;
	for (uint64_t done = 0, some; !rc && done < pages; done += some) {
		some = pages - done;
		bool was = group_frames_shared(changing->a, frame_a + done, &some, &changing->place_a);
		bool is = group_frames_shared(changing->b, frame_b + done, &some, &changing->place_b);
		if (was && !is)
			rc = add_lost(changing, at + done * page_size, at + (done + some) * page_size, mapping,
			              frame_a != frame_b);
	}
	return rc;
}

static int compare_mapping(struct changing *changing, const struct group_process *in_a,
                           const struct group_process *in_b, size_t vma)
{
	const struct vmsnap_vma *of = &in_b->snap->vmas[vma];
	struct run_cursor cursor_a = run_cursor_at(in_a->snap, of->start),
	                  cursor_b = run_cursor_at(in_b->snap, of->start);
	const uint64_t file = ENTRY_FLAG(VMSNAP_PAGE_FILE);
	size_t mapping = changing->b->place[in_b->mapping[vma]];
	int rc = VMSNAP_OK;
	changing->place_a = changing->place_b = 0;
	if (in_b->counted.hugetlb && in_b->counted.hugetlb[vma])
		return rc;
	for (uint64_t at = of->start, until; !rc && at < of->end; at = until) {
		until = of->end;
		uint64_t a = run_cursor_entry(&cursor_a, at, &until), b = run_cursor_entry(&cursor_b, at, &until);
		rc = work_step(&changing->change->work);
		if (!rc && has_frame(a) && has_frame(b) && !(a & file) && !(b & file))
			rc = compare_pages(changing, at, (until - at) / changing->change->page_size, a, b, mapping);
	}
	return rc;
}

static const struct group_process *space_at(const struct vmsnap_group *group, size_t index)
{
	return &group->processes[group->processes[index].space];
}

static int compare_process(struct changing *changing, size_t a, size_t b)
{
	struct vmsnap_group_change *change = changing->change;
	struct vmsnap_group_change_process *process = &change->processes[changing->process];
	const struct group_process *in_a = space_at(changing->a, a), *in_b = space_at(changing->b, b);
	int rc = VMSNAP_OK;
	process->known = in_a->frames_known && in_b->frames_known && changing->b->processes[b].space == b &&
	                 !relation_parts(changing->a->processes[a].snap, changing->b->processes[b].snap);
	for (size_t vma = 0; !rc && process->known && vma < in_b->snap->vma_count; vma++)
		rc = compare_mapping(changing, in_a, in_b, vma);
	return rc;
}

/* ---- who is who ----------------------------------------------------------------------------- */

static size_t find_process(const struct vmsnap_group *group, const struct vmsnap *snap)
{
	for (size_t i = 0; i < group->count; i++)
		if (vmsnap_same_process(group->processes[i].snap, snap))
			return i;
	return SIZE_MAX;
}

static int compare_all(struct changing *changing)
{
	struct vmsnap_group_change *change = changing->change;
	int rc = VMSNAP_OK;
	for (size_t i = 0; !rc && i < changing->b->count; i++) {
		size_t in_a = find_process(changing->a, changing->b->processes[i].snap);
		changing->process = change->count++;
		change->processes[changing->process] = (struct vmsnap_group_change_process){ .a = in_a, .b = i };
		rc = in_a == SIZE_MAX ? work_step(&change->work) : compare_process(changing, in_a, i);
	}
	for (size_t i = 0; !rc && i < changing->a->count; i++)
		if (find_process(changing->b, changing->a->processes[i].snap) == SIZE_MAX)
			change->processes[change->count++] =
			        (struct vmsnap_group_change_process){ .a = i, .b = SIZE_MAX };
	return rc;
}

/* Mappings are found in the order of group_mapping_order(). */
static void match_mappings(struct changing *changing)
{
	const struct vmsnap_group *a = changing->a, *b = changing->b;
	for (size_t i = 0, k = 0; i < b->mapping_count; i++) {
		int order = 1;
		while (k < a->mapping_count &&
		       (order = group_mapping_order(a->mappings[k].told.vma, b->mappings[i].told.vma)) < 0)
			k++;
		changing->change->mapping_a[b->place[i]] = k < a->mapping_count && !order ? a->place[k] : SIZE_MAX;
	}
}

static int fill(struct changing *changing)
{
	struct vmsnap_group_change *change = changing->change;
	int rc = VMSNAP_OK;
	change->mapping_count = changing->b->mapping_count;
	change->processes =
	        work_array(&change->work, changing->a->count + changing->b->count, sizeof(*change->processes), &rc);
	change->lost = work_array(&change->work, change->mapping_count, sizeof(*change->lost), &rc);
	change->mapping_a = work_array(&change->work, change->mapping_count, sizeof(*change->mapping_a), &rc);
	if (rc)
		return rc;
	match_mappings(changing);
	return compare_all(changing);
}

VMSNAP_API int vmsnap_group_change_new(const struct vmsnap_group *a, const struct vmsnap_group *b,
                                       const struct vmsnap_group_options *options, struct vmsnap_group_change **out,
                                       struct vmsnap_error *err)
{
	struct vmsnap_group_options taken;
	int rc = group_options(&taken, options, err);
	if (rc)
		return rc;
	const struct vmsnap *first_a = a->processes[0].snap, *first_b = b->processes[0].snap;
	if (!facts_same_boot(first_a, first_b) || a->page_size != b->page_size)
		return fail(err, VMSNAP_ERR_ARGUMENT,
		            "these groups are of two machines, or of two boots of one: nothing of one is in the other");
	struct vmsnap_group_change *change = calloc(1, sizeof(*change));
	if (!change)
		return fail_no_memory(err);
	/* What was left when they were made: what they keep counts. */
	change->work = b->work.limit - b->work.used < a->work.limit - a->work.used ? b->work : a->work;
	change->work.cancelled = taken.cancelled;
	change->work.cancel_ctx = taken.cancel_ctx;
	change->page_size = b->page_size;
	struct changing changing = { .change = change, .a = a, .b = b };
	rc = fill(&changing);
	if (rc) {
		rc = work_fail(&change->work, rc, err);
		vmsnap_group_change_free(change);
		return rc;
	}
	*out = change;
	return rc;
}

VMSNAP_API void vmsnap_group_change_free(struct vmsnap_group_change *change)
{
	if (!change)
		return;
	free(change->processes);
	free(change->lost);
	free(change->mapping_a);
	free(change->ranges);
	free(change);
}

VMSNAP_API size_t vmsnap_group_change_count(const struct vmsnap_group_change *change)
{
	return change->count;
}

VMSNAP_API int vmsnap_group_change_process_sized(const struct vmsnap_group_change *change, size_t index,
                                                 struct vmsnap_group_change_process *out, size_t size)
{
	if (index >= change->count)
		return VMSNAP_ERR_NOT_FOUND;
	struct_give(out, size, &change->processes[index], sizeof(change->processes[index]));
	return VMSNAP_OK;
}

VMSNAP_API uint64_t vmsnap_group_change_lost(const struct vmsnap_group_change *change, size_t mapping)
{
	return mapping < change->mapping_count ? change->lost[mapping] : 0;
}

VMSNAP_API size_t vmsnap_group_change_mapping(const struct vmsnap_group_change *change, size_t mapping)
{
	return mapping < change->mapping_count ? change->mapping_a[mapping] : SIZE_MAX;
}

VMSNAP_API int vmsnap_group_change_range(const struct vmsnap_group_change *change, size_t index,
                                         struct vmsnap_group_lost *out)
{
	if (index >= change->range_count)
		return VMSNAP_ERR_NOT_FOUND;
	*out = change->ranges[index];
	return VMSNAP_OK;
}
