/* diff.c - what differs between two snapshots.  The facts of a page are decided
 * in facts.c; here they are gathered into ranges, in a merge walk over the
 * runs of both sides. */
#include <string.h>

#include "compared.h"
#include "diff_faults.h"
#include "diff_pages.h"
#include "error.h"
#include "options.h"
#include "relation.h"
#include "spare.h"
#include "status_pairs.h"
#include "touched.h"

/* Pages, and VMA rows. */
struct totals {
	uint64_t pages[VMSNAP_CHANGE_COUNT], touched_pages[VMSNAP_CHANGE_COUNT];
	uint64_t kinds[VMSNAP_KIND_COUNT], vmas[VMSNAP_VMA_CHANGE_COUNT];
	uint64_t others[VMSNAP_TOTAL_COUNT];
};

struct vmsnap_diff {
	const struct vmsnap *a, *b;
	int relation; /* enum vmsnap_relation */
	struct vma_match match;
	struct vmsnap_diff_range *ranges;
	size_t range_count, range_capacity;
	struct status_pair *status; /* those that differ */
	size_t status_count, status_capacity;
	struct totals totals;
	struct work work;
	unsigned flags;               /* enum vmsnap_compare_flag */
	struct vmsnap_faults *faults; /* NULL: none */
};

static bool written_only(const struct vmsnap_diff *diff)
{
	return diff->flags & VMSNAP_COMPARE_WRITTEN_ONLY;
}

struct walk {
	struct vmsnap_diff *diff;
	struct pair_walk pairs;
	struct facts_context known;
	struct writes writes;
	struct touched_list touched_a, touched_b; /* each by its own addresses */
};

/* In this order for the reason that cow.c has. */
static bool goes_on(const struct vmsnap_diff_range *last, const struct vmsnap_diff_range *next)
{
	return last->end == next->start && last->changes == next->changes && last->vma == next->vma &&
	       last->executable == next->executable && last->kinds == next->kinds && last->touched == next->touched &&
	       last->before == next->before && last->moved == next->moved && last->after == next->after &&
	       last->end - last->start == next->from - last->from;
}

static int add_range(struct vmsnap_diff *diff, const struct vmsnap_diff_range *range)
{
	struct vmsnap_diff_range *last = diff->range_count ? &diff->ranges[diff->range_count - 1] : NULL;
	if (last && goes_on(last, range)) {
		last->end = range->end;
		return VMSNAP_OK;
	}
	int rc = VMSNAP_OK;
	if (!WORK_ROOM(&diff->work, diff->ranges, diff->range_count, &diff->range_capacity, &rc))
		return rc;
	diff->ranges[diff->range_count++] = *range;
	return VMSNAP_OK;
}

/* Whether a debugger wrote to the page at `at`, or in A to the one that it is compared with.  Of code that was written
 * to, B alone says whether it was the debugger: what that did before A does not explain it.
 * Lowers *until to where that changes. */
static bool touched_here(const struct walk *walk, const struct diff_place *place, uint64_t at, bool code,
                         uint64_t *until)
{
	const struct pair_member *a = place->replaced ? &place->gone[DIFF_A] : &place->range.member[DIFF_A];
	bool touched = touched_at(&walk->touched_b, at, until);
	if (code || !a->here || !walk->touched_a.count)
		return touched;
	uint64_t until_a = *until + a->shift;
	touched |= touched_at(&walk->touched_a, at + a->shift, &until_a);
	*until = until_a - a->shift;
	return touched;
}

/* Pages with the same facts: those that a debugger wrote to become ranges of their own. */
static int add_pages(struct walk *walk, const struct diff_place *place, const struct diff_page *page)
{
	uint64_t shift = place->range.member[DIFF_A].here ? place->range.member[DIFF_A].shift : 0;
	struct vmsnap_diff_range range = { .changes = page->changes,
		                           .kinds = page->kinds,
		                           .before = page->before,
		                           .after = page->after,
		                           .executable = place->executable,
		                           .vma = place->vma,
		                           .moved = shift };
	int rc = VMSNAP_OK;
	for (uint64_t at = page->start; !rc && at < page->end; at = range.end) {
		range.start = at;
		range.from = at + shift;
		range.end = page->end;
		range.touched = touched_here(walk, place, at, vmsnap_code_written(&range), &range.end);
		rc = add_range(walk->diff, &range);
	}
	return rc;
}

static int tell_pages(struct walk *walk, const struct diff_place *place, const struct diff_page *page)
{
	struct vmsnap_diff *diff = walk->diff;
	if (page->writes_unknown)
		diff->totals.others[VMSNAP_TOTAL_WRITTEN_UNKNOWN] +=
		        (page->end - page->start) >> walk_page_shift(diff->b);
	bool told = written_only(diff) ? page->changes & 1u << VMSNAP_CHANGE_WRITTEN : page->changes;
	return told ? add_pages(walk, place, page) : VMSNAP_OK;
}

static int compare_range(struct walk *walk, const struct pair_range *range)
{
	if (!walk->writes.told && pair_skip_same(&walk->pairs, range))
		return work_step(&walk->diff->work);
	struct diff_place place = diff_place_of(&walk->pairs, range, &walk->known, &walk->diff->match);
	diff_place_cut(&walk->pairs, &place, &walk->writes);
	struct diff_reader reader = diff_read(&walk->pairs, &place, &walk->writes);
	struct work *work = &walk->diff->work;
	struct diff_page page;
	int rc = work_step(work);
	while (!rc && diff_read_next(&reader, &page)) {
		rc = tell_pages(walk, &place, &page);
		rc = rc ? rc : work_step(work);
	}
	return rc;
}

static int compare_pages(const struct vmsnap *a, const struct vmsnap *b, const struct vmsnap_compare_options *options,
                         struct vmsnap_diff *diff)
{
	struct walk walk = { .diff = diff, .known = facts_context_of(a, b), .writes = writes_between(a, b, options) };
	struct pairing pairing = diff_pairing(a, b, &diff->match);
	walk.pairs = pair_begin(&pairing, 0);
	/* Equal entries are of one frame: at one instant that is one page, if frames are known. */
	walk.pairs.count_own = !walk.writes.one_look && !(walk.writes.one_instant && walk.writes.frames);
	int rc = touched_pages(&a, 1, &diff->work, &walk.touched_a);
	rc = rc ? rc : touched_pages(&b, 1, &diff->work, &walk.touched_b);
	for (struct pair_range range; !rc && pair_next(&walk.pairs, &range);)
		rc = compare_range(&walk, &range);
	diff->totals.others[VMSNAP_TOTAL_WRITTEN_UNKNOWN] += walk.pairs.own;
	touched_free(&walk.touched_a, &diff->work);
	touched_free(&walk.touched_b, &diff->work);
	return rc;
}

static void sum_ranges(struct vmsnap_diff *diff, unsigned page_shift)
{
	struct totals *totals = &diff->totals;
	for (size_t i = 0; i < diff->range_count; i++) {
		const struct vmsnap_diff_range *range = &diff->ranges[i];
		uint64_t pages = (range->end - range->start) >> page_shift;
		totals->others[VMSNAP_TOTAL_TOUCHED] += range->touched ? pages : 0;
		for (uint32_t left = range->changes; left; left &= left - 1) {
			totals->pages[__builtin_ctz(left)] += pages;
			totals->touched_pages[__builtin_ctz(left)] += range->touched ? pages : 0;
		}
		for (uint32_t left = range->kinds; left; left &= left - 1)
			totals->kinds[__builtin_ctz(left)] += pages;
		if (range->executable && (range->changes & 1u << VMSNAP_CHANGE_PRIVATISED))
			totals->others[VMSNAP_TOTAL_PRIVATISED_EXECUTABLE] += pages;
		if (vmsnap_code_written(range))
			totals->others[VMSNAP_TOTAL_CODE_WRITTEN] += pages;
	}
}

/* Adds pages of which a fact is not known. */
static void count_unknown(const struct run *run, const struct vmsnap_known *known, struct totals *totals)
{
	if ((run->entry & ENTRY_PRESENT) && !entry_exclusive_known(run->entry, known->pfn, known->exclusive_huge))
		totals->others[VMSNAP_TOTAL_EXCLUSIVE_UNKNOWN] += run_pages(run);
	else if (entry_doubtful(run->entry))
		totals->others[VMSNAP_TOTAL_SWAPPED_UNKNOWN] += run_pages(run);
}

/* Passes over runs of which there is nothing to say but how many pages are resident: nobody else has
 * them.  Of a large process that is most, and what counts then is how fast memory is read. */
static const struct run *pass_own(const struct run *run, const struct run *end, uint64_t *resident)
{
	const uint64_t own = ENTRY_PRESENT | ENTRY_FLAG(VMSNAP_PAGE_EXCLUSIVE);
	const uint64_t telling = own | ENTRY_SWAPPED | ENTRY_FLAG(VMSNAP_PAGE_HUGE | VMSNAP_PAGE_FILE);
	while (end - run >= 4 &&
	       !(((run[0].entry ^ own) | (run[1].entry ^ own) | (run[2].entry ^ own) | (run[3].entry ^ own)) &
	         telling)) {
		*resident += run_pages(&run[0]) + run_pages(&run[1]) + run_pages(&run[2]) + run_pages(&run[3]);
		run += 4;
	}
	return run;
}

static uint64_t count_resident(const struct vmsnap *snap, struct totals *totals)
{
	uint64_t pages = 0;
	const struct run *run = snap->runs.items, *end = run ? run + snap->runs.count : NULL;
	for (; run < end; run++) {
		run = pass_own(run, end, &pages);
		if (run == end)
			break;
		pages += run->entry & ENTRY_PRESENT ? run_pages(run) : 0;
		count_unknown(run, &snap->info.known, totals);
	}
	return pages;
}

/* Pages of [start, end) in A that a write would copy, were they in private mappings. */
static uint64_t count_shared(const struct vmsnap *a, uint64_t start, uint64_t end)
{
	struct run_cursor cursor = run_cursor_at(a, start);
	uint64_t pages = 0, passed = 0;
	for (const struct run *run = cursor.run; run < cursor.end; run++) {
		if (a->info.known.exclusive)
			run = pass_own(run, cursor.end, &passed);
		if (run == cursor.end || run_start(run) >= end)
			break;
		if (!page_write_copies(run->entry, a->info.known.exclusive))
			continue;
		uint64_t first = run_start(run) > start ? run_start(run) : start;
		uint64_t last = run_last(run, cursor.shift) < end - 1 ? run_last(run, cursor.shift) : end - 1;
		pages += ((last - first) >> cursor.shift) + 1;
	}
	return pages;
}

/* Of [start, last], the pages that are in writable private mappings.  *vma: the first that may have any. */
static uint64_t count_writable(const struct vmsnap *snap, uint64_t start, uint64_t last, unsigned shift, size_t *vma)
{
	uint64_t pages = 0;
	while (*vma < snap->vma_count && snap->vmas[*vma].end <= start)
		++*vma;
	for (size_t i = *vma; i < snap->vma_count && snap->vmas[i].start <= last; i++) {
		const struct vmsnap_vma *in = &snap->vmas[i];
		if ((in->perms & (VMSNAP_PERM_WRITE | VMSNAP_PERM_SHARED)) != VMSNAP_PERM_WRITE)
			continue;
		uint64_t first_here = in->start > start ? in->start : start;
		uint64_t last_here = in->end - 1 < last ? in->end - 1 : last;
		pages += ((last_here - first_here) >> shift) + 1;
	}
	return pages;
}

/* What becomes of pages when they are written. */
enum on_write { ON_WRITE_KEPT, ON_WRITE_COPIED, ON_WRITE_UNKNOWN };

static enum on_write on_write(uint64_t entry, bool exclusive_known)
{
	if (page_write_copies(entry, exclusive_known))
		return ON_WRITE_COPIED;
	return page_write_may_copy(entry) ? ON_WRITE_UNKNOWN : ON_WRITE_KEPT;
}

/* In one pass: of a large process it is the memory that takes the time. */
static void count_pages(const struct vmsnap *a, struct totals *totals)
{
	bool exclusive_known = a->info.known.exclusive;
	unsigned shift = walk_page_shift(a);
	uint64_t resident = 0, pages[ON_WRITE_UNKNOWN + 1] = { 0 };
	size_t vma = 0;
	const struct run *run = a->runs.items, *end = run ? run + a->runs.count : NULL;
	while (run < end) {
		run = exclusive_known ? pass_own(run, end, &resident) : run;
		if (run == end)
			break;
		/* Neighbours with one fate are looked up once. */
		enum on_write fate = on_write(run->entry, exclusive_known);
		uint64_t start = run_start(run), last = start - 1;
		for (; run < end && run_start(run) == last + 1 && on_write(run->entry, exclusive_known) == fate;
		     run++) {
			resident += run->entry & ENTRY_PRESENT ? run_pages(run) : 0;
			count_unknown(run, &a->info.known, totals);
			last = run_last(run, shift);
		}
		pages[fate] += fate == ON_WRITE_KEPT ? 0 : count_writable(a, start, last, shift, &vma);
	}
	totals->others[VMSNAP_TOTAL_RESIDENT_A] = resident;
	totals->others[VMSNAP_TOTAL_SHARED_A] = pages[ON_WRITE_COPIED];
	totals->others[VMSNAP_TOTAL_SHARED_UNKNOWN_A] = pages[ON_WRITE_UNKNOWN];
}

/* Stopping and letting go adds to these two: a process that slept all the time would
 * differ just because it was looked at. */
static bool counts_our_looks(const struct vmsnap_status_field *field)
{
	static const char suffix[] = "voluntary_ctxt_switches";
	size_t len = sizeof(suffix) - 1;
	return field->key_len >= len && !memcmp(field->key + field->key_len - len, suffix, len);
}

static const struct vmsnap_status_field *key_of(const struct vmsnap_diff_status *row)
{
	return row->a.key_len ? &row->a : &row->b;
}

/* How many signals wait for all processes of the user: it says nothing of this one. */
static bool is_of_others(const struct vmsnap_status_field *field)
{
	return field->key_len == strlen("SigQ") && !memcmp(field->key, "SigQ", field->key_len);
}

/* What a core file does not tell did not become so. */
static bool is_untold(const struct vmsnap_diff *diff, const struct vmsnap_diff_status *row)
{
	return (!row->a.key_len && snapshot_is_core(diff->a)) || (!row->b.key_len && snapshot_is_core(diff->b));
}

static bool same_text(const struct vmsnap_diff_status *row)
{
	return row->a.key_len && row->b.key_len && row->a.text_len == row->b.text_len &&
	       !memcmp(row->a.text, row->b.text, row->a.text_len);
}

static int add_status(void *ctx, struct status_pair pair)
{
	struct vmsnap_diff *diff = ctx;
	struct vmsnap_diff_status row;
	int rc = VMSNAP_OK;
	status_pair_read(diff->a, diff->b, pair, &row);
	if (same_text(&row) || is_of_others(key_of(&row)) || is_untold(diff, &row))
		return rc;
	if (!WORK_ROOM(&diff->work, diff->status, diff->status_count, &diff->status_capacity, &rc))
		return rc;
	diff->status[diff->status_count++] = pair;
	return rc;
}

static int compare_all(const struct vmsnap *a, const struct vmsnap *b, const struct vmsnap_compare_options *options,
                       struct vmsnap_diff *diff)
{
	bool apart = diff->relation != VMSNAP_RELATION_COMPARABLE;
	int rc = apart ? vma_match_maps(a, b, &diff->work, &diff->match) : vma_match(a, b, &diff->work, &diff->match);
	for (size_t i = 0; !rc && i < vmsnap_diff_vma_count(diff); i++)
		diff->totals.vmas[diff->match.rows[i].change]++;
	if (rc || diff->flags & VMSNAP_COMPARE_VMAS_ONLY)
		return rc;
	rc = apart ? rc : compare_pages(a, b, options, diff);
	rc = rc || written_only(diff) ? rc : status_pairs_each(a, b, &diff->work, add_status, diff);
	sum_ranges(diff, walk_page_shift(b));
	count_pages(a, &diff->totals);
	diff->totals.others[VMSNAP_TOTAL_RESIDENT_B] = count_resident(b, &diff->totals);
	return rc;
}

VMSNAP_API int vmsnap_diff_new_with(const struct vmsnap *a, const struct vmsnap *b,
                                    const struct vmsnap_compare_options *options, struct vmsnap_diff **out,
                                    struct vmsnap_error *err)
{
	const struct vmsnap *both[] = { a, b };
	struct vmsnap_compare_options taken;
	struct work work;
	if (!a || !b || !out)
		return fail(err, VMSNAP_ERR_ARGUMENT, "a diff needs two snapshots");
	int rc = comparable(both, 2, err);
	rc = rc ? rc : options_take(&taken, sizeof(taken), options, "struct vmsnap_compare_options", err);
	rc = rc ? rc : work_with(&work, both, 2, options, err);
	if (rc)
		return rc;
	struct vmsnap_diff *diff = calloc(1, sizeof(*diff));
	if (!diff)
		return fail_no_memory(err);
	diff->a = vmsnap_ref(a);
	diff->b = vmsnap_ref(b);
	diff->work = work;
	diff->relation = relation_with(a, b, options);
	diff->flags = taken.flags;
	rc = compare_all(a, b, &taken, diff);
	if (rc)
		work_fail(&work, rc, err);
	rc = rc ? rc : diff_faults_find(a, b, &taken, &diff->faults, err);
	if (rc) {
		vmsnap_diff_free(diff);
		return rc;
	}
	*out = diff;
	return VMSNAP_OK;
}

VMSNAP_API int vmsnap_diff_new(const struct vmsnap *a, const struct vmsnap *b, struct vmsnap_diff **out,
                               struct vmsnap_error *err)
{
	return vmsnap_diff_new_with(a, b, NULL, out, err);
}

VMSNAP_API void vmsnap_diff_free(struct vmsnap_diff *diff)
{
	if (!diff)
		return;
	vma_match_free(&diff->match);
	free(diff->ranges);
	free(diff->status);
	vmsnap_faults_unref(diff->faults);
	vmsnap_unref(diff->a);
	vmsnap_unref(diff->b);
	free(diff);
}

VMSNAP_API uint64_t vmsnap_diff_memory_left(const struct vmsnap_diff *diff)
{
	return diff->work.limit == WORK_UNLIMITED ? WORK_UNLIMITED : work_left(&diff->work);
}

VMSNAP_API const struct vmsnap_faults *vmsnap_diff_faults(const struct vmsnap_diff *diff)
{
	return diff->faults;
}

VMSNAP_API unsigned vmsnap_diff_flags(const struct vmsnap_diff *diff)
{
	return diff->flags;
}

VMSNAP_API size_t vmsnap_diff_vma_count(const struct vmsnap_diff *diff)
{
	return written_only(diff) ? 0 : diff->match.count;
}

static int vma_at(const struct vmsnap_diff *diff, size_t index, struct vmsnap_diff_vma *out)
{
	if (index >= vmsnap_diff_vma_count(diff))
		return VMSNAP_ERR_NOT_FOUND;
	*out = diff->match.rows[index];
	return VMSNAP_OK;
}

VMSNAP_API int vmsnap_diff_vma_sized(const struct vmsnap_diff *diff, size_t index, struct vmsnap_diff_vma *out,
                                     size_t size)
{
	struct vmsnap_diff_vma all;
	int rc = vma_at(diff, index, &all);
	if (!rc)
		struct_give(out, size, &all, sizeof(all));
	return rc;
}

VMSNAP_API size_t vmsnap_diff_range_count(const struct vmsnap_diff *diff)
{
	return diff->range_count;
}

static int range_at(const struct vmsnap_diff *diff, size_t index, struct vmsnap_diff_range *out)
{
	if (index >= diff->range_count)
		return VMSNAP_ERR_NOT_FOUND;
	*out = diff->ranges[index];
	return VMSNAP_OK;
}

VMSNAP_API int vmsnap_diff_range_sized(const struct vmsnap_diff *diff, size_t index, struct vmsnap_diff_range *out,
                                       size_t size)
{
	struct vmsnap_diff_range all;
	int rc = range_at(diff, index, &all);
	if (!rc)
		struct_give(out, size, &all, sizeof(all));
	return rc;
}

VMSNAP_API bool vmsnap_diff_from(const struct vmsnap_diff *diff, uint64_t address, uint64_t *from)
{
	struct pairing pairing = diff_pairing(diff->a, diff->b, &diff->match);
	struct pair_walk walk = pair_begin(&pairing, address);
	struct facts_context known = facts_context_of(diff->a, diff->b);
	struct pair_range range;
	if (diff->relation != VMSNAP_RELATION_COMPARABLE || !pair_next(&walk, &range))
		return false;
	struct diff_place place = diff_place_of(&walk, &range, &known, &diff->match);
	const struct pair_member *a = &place.range.member[DIFF_A];
	*from = address + a->shift;
	return a->here;
}

VMSNAP_API uint64_t vmsnap_diff_shared(const struct vmsnap_diff *diff, uint64_t start, uint64_t end)
{
	struct pairing pairing = diff_pairing(diff->a, diff->b, &diff->match);
	struct pair_walk walk = pair_begin(&pairing, start);
	struct facts_context known = facts_context_of(diff->a, diff->b);
	uint64_t pages = 0;
	if (diff->relation != VMSNAP_RELATION_COMPARABLE)
		return 0;
	for (struct pair_range range; pair_next(&walk, &range) && range.start < end;) {
		struct diff_place place = diff_place_of(&walk, &range, &known, &diff->match);
		const struct pair_member *a = &place.range.member[DIFF_A];
		uint64_t until = place.range.end < end ? place.range.end : end;
		if (a->here && !place.context.shared_mapping)
			pages += count_shared(diff->a, range.start + a->shift, until + a->shift);
	}
	return pages;
}

VMSNAP_API const struct vmsnap *vmsnap_diff_a(const struct vmsnap_diff *diff)
{
	return diff->a;
}

VMSNAP_API const struct vmsnap *vmsnap_diff_b(const struct vmsnap_diff *diff)
{
	return diff->b;
}

VMSNAP_API int vmsnap_diff_relation(const struct vmsnap_diff *diff)
{
	return diff->relation;
}

static uint64_t total_at(const uint64_t *totals, int count, int index)
{
	return index >= 0 && index < count ? totals[index] : 0;
}

VMSNAP_API uint64_t vmsnap_diff_pages(const struct vmsnap_diff *diff, int change)
{
	return total_at(diff->totals.pages, VMSNAP_CHANGE_COUNT, change);
}

VMSNAP_API uint64_t vmsnap_diff_touched_pages(const struct vmsnap_diff *diff, int change)
{
	return total_at(diff->totals.touched_pages, VMSNAP_CHANGE_COUNT, change);
}

VMSNAP_API uint64_t vmsnap_diff_kind_pages(const struct vmsnap_diff *diff, int kind)
{
	return total_at(diff->totals.kinds, VMSNAP_KIND_COUNT, kind);
}

VMSNAP_API uint64_t vmsnap_diff_vma_rows(const struct vmsnap_diff *diff, int change)
{
	return total_at(diff->totals.vmas, VMSNAP_VMA_CHANGE_COUNT, change);
}

VMSNAP_API uint64_t vmsnap_diff_total(const struct vmsnap_diff *diff, int total)
{
	return total_at(diff->totals.others, VMSNAP_TOTAL_COUNT, total);
}

VMSNAP_API bool vmsnap_diff_any(const struct vmsnap_diff *diff)
{
	if (vmsnap_diff_vma_count(diff) || diff->range_count || diff->relation > VMSNAP_RELATION_ONE_ADDRESS_SPACE)
		return true;
	struct vmsnap_diff_status row;
	for (size_t i = 0; !vmsnap_diff_status(diff, i, &row); i++)
		if (!row.incidental)
			return true;
	return false;
}

VMSNAP_API size_t vmsnap_diff_status_count(const struct vmsnap_diff *diff)
{
	return diff->status_count;
}

static int status_at(const struct vmsnap_diff *diff, size_t index, struct vmsnap_diff_status *out)
{
	if (index >= diff->status_count)
		return VMSNAP_ERR_NOT_FOUND;
	status_pair_read(diff->a, diff->b, diff->status[index], out);
	out->incidental = counts_our_looks(key_of(out));
	return VMSNAP_OK;
}

VMSNAP_API int vmsnap_diff_status_sized(const struct vmsnap_diff *diff, size_t index, struct vmsnap_diff_status *out,
                                        size_t size)
{
	struct vmsnap_diff_status all;
	int rc = status_at(diff, index, &all);
	if (!rc)
		struct_give(out, size, &all, sizeof(all));
	return rc;
}

VMSNAP_API const char *vmsnap_vma_change_name(int change)
{
	static const char *const names[VMSNAP_VMA_CHANGE_COUNT] = {
		[VMSNAP_VMA_CHANGE_ADDED] = "added",
		[VMSNAP_VMA_CHANGE_REMOVED] = "removed",
		[VMSNAP_VMA_CHANGE_GROWN] = "grown",
		[VMSNAP_VMA_CHANGE_SHRUNK] = "shrunk",
		[VMSNAP_VMA_CHANGE_SPLIT] = "split",
		[VMSNAP_VMA_CHANGE_MERGED] = "merged",
		[VMSNAP_VMA_CHANGE_REPLACED] = "replaced",
		[VMSNAP_VMA_CHANGE_PROTECTION_CHANGED] = "protection_changed",
		[VMSNAP_VMA_CHANGE_MOVED] = "moved",
		[VMSNAP_VMA_CHANGE_RENAMED] = "renamed",
		[VMSNAP_VMA_CHANGE_POSSIBLY_MOVED] = "possibly_moved",
		[VMSNAP_VMA_CHANGE_POSSIBLY_REPLACED] = "possibly_replaced",
	};
	return change >= 0 && change < VMSNAP_VMA_CHANGE_COUNT ? names[change] : "?";
}

VMSNAP_API const char *vmsnap_page_change_name(int change)
{
	static const char *const names[VMSNAP_CHANGE_COUNT] = {
		[VMSNAP_CHANGE_APPEARED] = "appeared",
		[VMSNAP_CHANGE_VANISHED] = "vanished",
		[VMSNAP_CHANGE_PFN_CHANGED] = "pfn_changed",
		[VMSNAP_CHANGE_BECAME_EXCLUSIVE] = "became_exclusive",
		[VMSNAP_CHANGE_BECAME_SHARED] = "became_shared",
		[VMSNAP_CHANGE_SWAPPED_OUT] = "swapped_out",
		[VMSNAP_CHANGE_SWAPPED_IN] = "swapped_in",
		[VMSNAP_CHANGE_SWAP_MOVED] = "swap_moved",
		[VMSNAP_CHANGE_ZERO_FILLED_IN] = "zero_filled_in",
		[VMSNAP_CHANGE_PRIVATISED] = "privatised",
		[VMSNAP_CHANGE_SOFT_DIRTIED] = "soft_dirtied",
		[VMSNAP_CHANGE_GUARDED] = "guarded",
		[VMSNAP_CHANGE_UNGUARDED] = "unguarded",
		[VMSNAP_CHANGE_WRITE_PROTECTED] = "write_protected",
		[VMSNAP_CHANGE_WRITE_UNPROTECTED] = "write_unprotected",
		[VMSNAP_CHANGE_HUGE_SPLIT] = "huge_split",
		[VMSNAP_CHANGE_HUGE_COLLAPSED] = "huge_collapsed",
		[VMSNAP_CHANGE_NOT_MAPPED_NOW] = "not_mapped_now",
		[VMSNAP_CHANGE_WRITTEN] = "written",
	};
	return change >= 0 && change < VMSNAP_CHANGE_COUNT ? names[change] : "?";
}

VMSNAP_API const char *vmsnap_page_kind_name(int kind)
{
	static const char *const names[VMSNAP_KIND_COUNT] = {
		[VMSNAP_KIND_NEW] = "new",       [VMSNAP_KIND_GONE] = "gone",       [VMSNAP_KIND_COPIED] = "copied",
		[VMSNAP_KIND_OTHER] = "other",   [VMSNAP_KIND_WRITTEN] = "written", [VMSNAP_KIND_SWAPPED] = "swapped",
		[VMSNAP_KIND_MAPPED] = "mapped",
	};
	return kind >= 0 && kind < VMSNAP_KIND_COUNT ? names[kind] : "?";
}
