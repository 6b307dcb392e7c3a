/* cow.c - copy-on-write verdicts for whole address spaces.  The rules are in verdict.c, which
 * pages belong together in kin.c and pair.c. */
#include <string.h>

#include "adrift.h"
#include "backing.h"
#include "compared.h"
#include "cow_warning.h"
#include "error.h"
#include "facts.h"
#include "fork_base.h"
#include "kin.h"
#include "moves_count.h"
#include "options.h"
#include "pair.h"
#include "relation.h"
#include "spare.h"
#include "touched.h"
#include "verdict.h"

/* In the order of their time; without a base there are two, and the child leads in any case. */
enum { BASE, PARENT, CHILD, ROLES };

/* If fewer than one of so many pages was moved, though all that the kernel moved were theirs, frames that were
 * let go so are not what tells who copied. */
enum { PAGES_A_MOVE = 1000 };

struct vmsnap_cow {
	const struct vmsnap *parent, *child, *base;
	const struct vmsnap *other; /* the child at the instant of the base; or NULL */
	enum base_time base_time;
	enum kernel_moves moves;
	bool many_moves;              /* more than that these two are hardly met by any */
	bool went_on;                 /* the parent changed its memory between the base and the fork */
	bool base_after;              /* of one side, after the fork for certain */
	bool parent_idle, child_idle; /* they made no page since: see fork_base.h */
	bool parent_adrift, child_adrift;
	int relation; /* enum vmsnap_relation */
	struct vmsnap_cow_range *ranges;
	size_t count, capacity;
	uint64_t totals[VMSNAP_VERDICT_COUNT], touched_totals[VMSNAP_VERDICT_COUNT];
	char warning[1024];
	struct work work;
};

/* No two neighbouring fields after each other: compilers make one wide load of them, and so soon after
 * they were written one by one the processor waits for that. */
static bool goes_on(const struct vmsnap_cow_range *last, const struct vmsnap_cow_range *next)
{
	uint64_t pages = last->end - last->start;
	return last->end == next->start && last->verdict == next->verdict && last->vma == next->vma &&
	       last->inferred == next->inferred && next->parent_start - last->parent_start == pages &&
	       last->moved == next->moved && next->base_start - last->base_start == pages &&
	       last->touched == next->touched;
}

static int add_range(struct vmsnap_cow *cow, const struct vmsnap_cow_range *range, unsigned page_shift)
{
	uint64_t pages = (range->end - range->start) >> page_shift;
	cow->totals[range->verdict] += pages;
	cow->touched_totals[range->verdict] += range->touched ? pages : 0;
	struct vmsnap_cow_range *last = cow->count ? &cow->ranges[cow->count - 1] : NULL;
	if (last && goes_on(last, range)) {
		last->end = range->end;
		return VMSNAP_OK;
	}
	int rc = VMSNAP_OK;
	if (!WORK_ROOM(&cow->work, cow->ranges, cow->count, &cow->capacity, &rc))
		return rc;
	cow->ranges[cow->count++] = *range;
	return VMSNAP_OK;
}

/* The walk, and what each role's snapshot says was touched, by its own addresses. */
struct judging {
	struct vmsnap_cow *cow;
	struct pair_walk walk;
	size_t first; /* role of the walk's side 0 */
	struct touched_list touched[ROLES];
	struct run_cursor other;
	uint64_t other_at;                 /* it is beyond nothing below */
	uint64_t other_start, other_until; /* where the case has what is the same throughout, of the other */
	unsigned page_shift;
	struct verdict_memo memo;
};

/* Whether a debugger wrote to any of the pages that belong together.  Lowers *until. */
static bool touched_here(const struct judging *j, const struct pair_member *members, uint64_t at, uint64_t *until)
{
	bool touched = false;
	for (size_t role = j->first; role < ROLES; role++) {
		const struct pair_member *member = &members[role - j->first];
		if (!member->here || !j->touched[role].count)
			continue;
		uint64_t far = *until + member->shift;
		touched |= touched_at(&j->touched[role], at + member->shift, &far);
		*until = far - member->shift;
	}
	return touched;
}

/* Pages with one verdict: those that a debugger wrote to become ranges of their own. */
static int add_pages(struct judging *j, const struct pair_member *members, struct vmsnap_cow_range *range)
{
	uint64_t end = range->end;
	uint64_t to_parent = range->parent_start - range->start, to_base = range->base_start - range->start;
	int rc = VMSNAP_OK;
	for (; !rc && range->start < end; range->start = range->end) {
		range->end = end;
		range->parent_start = range->start + to_parent;
		range->base_start = range->start + to_base;
		range->touched = touched_here(j, members, range->start, &range->end);
		rc = add_range(j->cow, range, j->page_shift);
	}
	return rc;
}

/* What is the same throughout a range. */
static struct verdict_page page_of(const struct vmsnap *snap, const struct pair_member *member)
{
	const struct vmsnap_vma *vma = member->vma;
	return (struct verdict_page){
		.mapped = vma,
		.shared = vma && (vma->perms & VMSNAP_PERM_SHARED),
		.file = vma && vma_is_private_file(vma),
		.frames_known = snap->info.known.pfn,
		.exclusive_known = snap->info.known.exclusive,
		.zero = { .flagged = snap->info.known.zero },
	};
}

/* The same, where its pages do not say themselves which is the zero page. */
static void set_zero(struct verdict_page *page, const struct vmsnap_cow *cow, const struct vmsnap *snap,
                     const struct pair_member *member)
{
	const struct vmsnap *snaps[] = { cow->parent, cow->child, cow->base, cow->other };
	if (page->zero.flagged)
		return;
	page->zero = zero_known_of(snap, snaps, sizeof(snaps) / sizeof(*snaps));
	page->plain = member->vma && !page->shared && vma_is_plain(member->vma);
}

/* What is the same from `at` on to where the other's mapping begins or ends. */
static void set_other_place(struct judging *j, struct verdict_case *c, const struct pair_member *base, uint64_t at)
{
	const struct vmsnap *snap = j->cow->other;
	size_t index = snapshot_vma_find(snap, at);
	const struct vmsnap_vma *vma = index < snap->vma_count ? &snap->vmas[index] : NULL;
	bool inside = vma && vma->start <= at;
	struct pair_member member = { .here = true, .vma = inside ? vma : NULL };
	struct pair_member beside = { .here = true, .vma = base->vma };
	c->other = page_of(snap, &member);
	set_zero(&c->other, j->cow, snap, &member);
	c->base_other_same = pair_same(&beside, &member);
	j->other_start = at;
	j->other_until = !vma ? UINT64_MAX : inside ? vma->end : vma->start;
	verdict_memo_next(&j->memo);
}

/* The child's page beside one of the base: at the same address, as it had not moved then.  Lowers
 * *until, of the base's addresses, to where that changes. */
static void set_other(struct judging *j, struct verdict_case *c, const struct pair_member *base, uint64_t at,
                      uint64_t *until)
{
	if (at < j->other_start || at >= j->other_until)
		set_other_place(j, c, base, at);
	*until = j->other_until < *until ? j->other_until : *until;
	if (at < j->other_at)
		j->other = run_cursor_at(j->cow->other, at);
	j->other_at = at;
	c->other.entry = run_cursor_entry(&j->other, at, until);
}

static bool no_moves_between(const struct vmsnap *a, const struct vmsnap *b)
{
	uint64_t moved;
	return moves_between(a->info.page_moves, b->info.page_moves, &moved) && !moved && facts_same_boot(a, b);
}

static bool is_plain(const struct pair_member *member)
{
	return member->vma && vma_is_plain(member->vma);
}

static struct verdict_case case_of(const struct vmsnap_cow *cow, const struct pair_member *base,
                                   const struct pair_member *parent, const struct pair_member *child)
{
	struct verdict_case c = {
		.parent = page_of(cow->parent, parent),
		.child = page_of(cow->child, child),
		.parent_child_same = pair_same(parent, child),
		.parent_child_frames = facts_same_boot(cow->parent, cow->child),
		.base_time = base ? cow->base_time : BASE_NONE,
		.went_on = cow->went_on,
		.base_after = cow->base_after,
		.parent_idle = cow->parent_idle,
		.child_idle = cow->child_idle,
		.moves = cow->moves,
		.at_once = no_moves_between(cow->parent, cow->child),
		.merges = cow->parent->info.page_moves == MOVES_MERGED || cow->child->info.page_moves == MOVES_MERGED,
	};
	set_zero(&c.parent, cow, cow->parent, parent);
	set_zero(&c.child, cow, cow->child, child);
	if (base) {
		c.base = page_of(cow->base, base);
		set_zero(&c.base, cow, cow->base, base);
		c.parent_base_same = pair_same(parent, base);
		c.child_base_same = pair_same(child, base);
		c.parent_adrift = cow->parent_adrift && (is_plain(parent) || is_plain(base));
		c.child_adrift = cow->child_adrift && (is_plain(child) || is_plain(base));
		c.base_frames = facts_same_boot(cow->parent, cow->base) && facts_same_boot(cow->child, cow->base);
	}
	return c;
}

static uint64_t start_of(const struct pair_member *member, uint64_t at)
{
	return member && member->here ? at + member->shift : at;
}

/* Pages of parent, child and base, in addresses of the range, to which one verdict applies. */
struct judged {
	const struct pair_member *parent, *child, *base;
	const struct vmsnap_vma *vma;
	bool moved;
};

/* Pages that are judged and not yet told: what follows may be like them. */
struct run_of_pages {
	uint64_t start, end, key;
	struct verdict verdict;
};

static int tell_pages(struct judging *j, const struct judged *which, const struct pair_member *members,
                      const struct run_of_pages *pages)
{
	if (pages->start == pages->end || pages->verdict.verdict == VERDICT_NONE)
		return VMSNAP_OK;
	struct vmsnap_cow_range range = { .start = pages->start,
		                          .end = pages->end,
		                          .verdict = pages->verdict.verdict,
		                          .inferred = pages->verdict.inferred,
		                          .vma = which->vma,
		                          .moved = which->moved,
		                          .parent_start = start_of(which->parent, pages->start),
		                          .base_start = start_of(which->base, pages->start) };
	return add_pages(j, members, &range);
}

/* What it shows of the kernel and of the parent holds for all pages. */
static void note(struct vmsnap_cow *cow, const struct verdict *verdict)
{
	cow->went_on |= verdict->went_on;
	if (verdict->strayed && cow->many_moves && cow->moves == MOVES_ELSEWHERE)
		cow->moves = MOVES_HERE;
}

/* Judges [start, end).  What was judged before is told, unless this is like it. */
static int judge_pages(struct judging *j, const struct judged *which, const struct pair_member *members,
                       const struct verdict_case *c, uint64_t start, uint64_t end, struct run_of_pages *pending)
{
	uint64_t key = verdict_key(&j->memo, c);
	if (key && key == pending->key && start == pending->end) {
		pending->end = end;
		return VMSNAP_OK;
	}
	int rc = tell_pages(j, which, members, pending);
	pending->start = start;
	pending->end = end;
	pending->key = key;
	pending->verdict = *verdict_again(&j->memo, c, key);
	note(j->cow, &pending->verdict);
	return rc;
}

/* All of a range that counts up, a part of it at a time as the other side of the base goes on. */
static int judge_beside(struct judging *j, const struct judged *which, const struct pair_member *members,
                        struct verdict_case *c, uint64_t start, uint64_t end, struct run_of_pages *pending)
{
	const struct pair_member *base = which->base;
	int rc = VMSNAP_OK;
	for (uint64_t at = start; !rc && at < end;) {
		uint64_t shift = start_of(base, 0), until = end == UINT64_MAX ? end : end + shift;
		set_other(j, c, base, at + shift, &until);
		uint64_t next = until == UINT64_MAX ? end : until - shift, pages = (next - at) >> j->page_shift;
		rc = judge_pages(j, which, members, c, at, next, pending);
		rc = rc ? rc : work_step(&j->cow->work);
		c->parent.entry += entry_step(c->parent.entry) * pages;
		c->child.entry += entry_step(c->child.entry) * pages;
		c->base.entry += entry_step(c->base.entry) * pages;
		at = next;
	}
	return rc;
}

/* The pages of a huge one fill a table of entries of 8 bytes, which is a page. */
static bool aligned_at(uint64_t entry, uint64_t address, unsigned page_shift)
{
	uint64_t pages = (UINT64_C(1) << page_shift) / 8, apart = (address >> page_shift) ^ (entry & ENTRY_FRAME_MASK);
	return (entry & ENTRY_PRESENT) && !(apart & (pages - 1));
}

static void set_aligned(struct verdict_case *c, const struct judged *which, const struct pair_pages *pages,
                        unsigned page_shift)
{
	c->parent.aligned = aligned_at(c->parent.entry, start_of(which->parent, pages->start), page_shift);
	c->child.aligned = aligned_at(c->child.entry, start_of(which->child, pages->start), page_shift);
}

static int judge_members(struct judging *j, const struct pair_range *where, const struct pair_member *members)
{
	struct vmsnap_cow *cow = j->cow;
	const struct pair_member *base = cow->base ? &members[BASE] : NULL;
	struct judged which = { .parent = &members[PARENT - j->first],
		                .child = &members[CHILD - j->first],
		                .base = base };
	struct verdict_case c = case_of(cow, base, which.parent, which.child);
	c.possibly_moved = where->possibly_moved;
	struct pair_pages pages = pair_pages_begin(&j->walk, where, members, false);
	struct run_of_pages pending = { 0 };
	which.vma = which.child->vma ? which.child->vma : which.parent->vma;
	which.vma = !which.vma && base ? base->vma : which.vma;
	which.moved = where->moved && members == where->member;
	bool beside = cow->other && cow->base_time == BASE_BOTH && base->here;
	int rc = work_step(&cow->work);
	verdict_memo_next(&j->memo);
	j->other_until = 0;
	while (!rc && pair_pages_next(&pages)) {
		rc = work_step(&cow->work);
		c.parent.entry = pages.entry[PARENT - j->first];
		c.child.entry = pages.entry[CHILD - j->first];
		c.base.entry = base ? pages.entry[BASE] : 0;
		if (rc || !(c.parent.entry | c.child.entry | c.base.entry))
			continue;
		c.went_on = cow->went_on;
		c.moves = cow->moves;
		if (cow->moves != MOVES_NONE)
			set_aligned(&c, &which, &pages, j->page_shift);
		rc = beside ? judge_beside(j, &which, members, &c, pages.start, pages.end, &pending)
		            : judge_pages(j, &which, members, &c, pages.start, pages.end, &pending);
	}
	return rc ? rc : tell_pages(j, &which, members, &pending);
}

static int judge_all(struct vmsnap_cow *cow, const struct kin *kin)
{
	const struct vmsnap *roles[ROLES] = { cow->base, cow->parent, cow->child };
	struct judging j = { .cow = cow, .first = cow->base ? BASE : PARENT };
	int rc = VMSNAP_OK;
	for (size_t role = j.first; !rc && role < ROLES; role++)
		rc = touched_pages(&roles[role], 1, &cow->work, &j.touched[role]);
	j.walk = pair_begin(&kin->pairing, 0);
	j.page_shift = walk_page_shift(cow->parent);
	j.other_at = UINT64_MAX;
	bool knew = cow->went_on;
	enum kernel_moves moves = cow->moves;
	for (struct pair_range range;
	     !rc && cow->went_on == knew && cow->moves == moves && pair_next(&j.walk, &range);) {
		rc = judge_members(&j, &range, range.member);
		if (!rc && range.leaves)
			rc = judge_members(&j, &range, range.left);
	}
	for (size_t role = 0; role < ROLES; role++)
		touched_free(&j.touched[role], &cow->work);
	return rc;
}

static void forget_all(struct vmsnap_cow *cow)
{
	cow->count = 0;
	memset(cow->totals, 0, sizeof(cow->totals));
	memset(cow->touched_totals, 0, sizeof(cow->touched_totals));
}

static int judge_kin(struct vmsnap_cow *cow)
{
	struct kin kin;
	struct fork_base at_fork = { .base = cow->base, .other = cow->other, .time = cow->base_time };
	int rc = kin_find(&kin, &at_fork, cow->parent, cow->child, &cow->work);
	if (!rc && cow->base)
		rc = adrift_find(&kin.pairing, &cow->work, &cow->parent_adrift, &cow->child_adrift);
	rc = rc ? rc : judge_all(cow, &kin);
	/* It was seen on the way, and then what was judged already is not as sure as it was taken for.  Each of
	 * the two can be seen once. */
	for (bool knew = false, here = false; !rc && (cow->went_on != knew || (cow->moves == MOVES_HERE) != here);) {
		knew = cow->went_on;
		here = cow->moves == MOVES_HERE;
		forget_all(cow);
		rc = judge_all(cow, &kin);
	}
	kin_free(&kin, &cow->work);
	return rc;
}

/* Whenever they were seen: what one of the two has, the other has. */
static int relation_of(const struct vmsnap *parent, const struct vmsnap *child,
                       const struct vmsnap_compare_options *options)
{
	int relation = relation_with(parent, child, options);
	bool one = relation == VMSNAP_RELATION_COMPARABLE && relation_one_memory(parent, child);
	return one ? VMSNAP_RELATION_ONE_ADDRESS_SPACE : relation;
}

/* One of another program, or of another process that had the number, tells nothing of these. */
static const struct vmsnap *base_that_tells(const struct vmsnap *parent, const struct vmsnap *child,
                                            const struct vmsnap *base)
{
	return base && !relation_parts(base, parent) && !relation_parts(base, child) ? base : NULL;
}

static uint64_t pages_of(const struct vmsnap *snap)
{
	uint64_t pages = 0;
	for (size_t i = 0; i < snap->runs.count; i++)
		pages += run_pages(&snap->runs.items[i]);
	return pages;
}

/* How many pages the kernel moved between the base and another, of whomever; UINT64_MAX: some, or it is not
 * known.  False if one is of another boot. */
static bool moved_since(const struct vmsnap *base, const struct vmsnap *snap, uint64_t *moved)
{
	uint64_t before = base->info.page_moves, after = snap->info.page_moves;
	if (facts_same_boot(base, snap) && moves_between(before, after, moved))
		return true;
	*moved = UINT64_MAX;
	return facts_same_boot(base, snap) && (!before || !after);
}

/* Whether KSM may have merged pages of one of the two. */
static bool is_merged(const struct vmsnap_cow *cow)
{
	return cow->parent->info.page_moves == MOVES_MERGED || cow->child->info.page_moves == MOVES_MERGED ||
	       (cow->base && cow->base->info.page_moves == MOVES_MERGED);
}

/* What the kernel did to frames since the base, as far as it is known without a look at the pages. */
static void set_moves(struct vmsnap_cow *cow)
{
	uint64_t until_parent, until_child;
	cow->moves = MOVES_UNKNOWN;
	if (!cow->base || is_merged(cow) || !moved_since(cow->base, cow->parent, &until_parent) ||
	    !moved_since(cow->base, cow->child, &until_child))
		return;
	uint64_t moved = until_parent > until_child ? until_parent : until_child;
	cow->moves = moved ? MOVES_ELSEWHERE : MOVES_NONE;
	cow->many_moves = moved && moved > (pages_of(cow->parent) + pages_of(cow->child)) / PAGES_A_MOVE;
}

static struct vmsnap_cow *cow_make(const struct vmsnap *parent, const struct vmsnap *child,
                                   const struct fork_base *base, const struct work *work)
{
	struct vmsnap_cow *cow = calloc(1, sizeof(*cow));
	if (!cow)
		return NULL;
	cow->parent = vmsnap_ref(parent);
	cow->child = vmsnap_ref(child);
	cow->base = vmsnap_ref(base->base);
	cow->other = vmsnap_ref(base->other);
	cow->base_time = base->time;
	cow->base_after = base->after;
	cow->parent_idle = base->parent_idle;
	cow->child_idle = base->child_idle;
	set_moves(cow);
	cow->work = *work;
	return cow;
}

VMSNAP_API int vmsnap_cow_new_between(const struct vmsnap *parent, const struct vmsnap *child,
                                      const struct vmsnap *base, const struct vmsnap *other,
                                      const struct vmsnap_compare_options *options, struct vmsnap_cow **out,
                                      struct vmsnap_error *err)
{
	const struct vmsnap *snaps[] = { parent, child, base, other };
	enum { SNAPS = sizeof(snaps) / sizeof(*snaps) };
	struct work work;
	if (!parent || !child || !out)
		return fail(err, VMSNAP_ERR_ARGUMENT, "verdicts need a parent and a child");
	int rc = comparable(snaps, SNAPS, err);
	rc = rc ? rc : states_known(snaps, SNAPS, err);
	rc = rc ? rc : work_with(&work, snaps, SNAPS, options, err);
	if (rc)
		return rc;
	const struct vmsnap *used = base_that_tells(parent, child, base);
	struct fork_base at_fork = fork_base_of(parent, child, used, base_that_tells(parent, child, other));
	struct vmsnap_cow *cow = cow_make(parent, child, &at_fork, &work);
	if (!cow)
		return fail_no_memory(err);
	cow->relation = relation_of(parent, child, options);
	rc = cow->relation == VMSNAP_RELATION_COMPARABLE ? judge_kin(cow) : VMSNAP_OK;
	if (rc) {
		work = cow->work;
		vmsnap_cow_free(cow);
		return work_fail(&work, rc, err);
	}
	bool tells = cow->base && parent->info.known.pfn && child->info.known.pfn;
	const struct doubts doubts = { .base = &at_fork,
		                       .base_left_out = base && !used,
		                       .went_on = cow->went_on,
		                       .moved = tells && cow->moves == MOVES_HERE,
		                       .merged = tells && is_merged(cow),
		                       .relation = cow->relation };
	cow_warning(cow->parent, cow->child, &doubts, cow->warning, sizeof(cow->warning));
	*out = cow;
	return VMSNAP_OK;
}

VMSNAP_API int vmsnap_cow_new_with(const struct vmsnap *parent, const struct vmsnap *child, const struct vmsnap *base,
                                   const struct vmsnap_compare_options *options, struct vmsnap_cow **out,
                                   struct vmsnap_error *err)
{
	return vmsnap_cow_new_between(parent, child, base, NULL, options, out, err);
}

VMSNAP_API int vmsnap_cow_new(const struct vmsnap *parent, const struct vmsnap *child, const struct vmsnap *base,
                              struct vmsnap_cow **out, struct vmsnap_error *err)
{
	return vmsnap_cow_new_with(parent, child, base, NULL, out, err);
}

VMSNAP_API uint64_t vmsnap_cow_memory_left(const struct vmsnap_cow *cow)
{
	return cow->work.limit == WORK_UNLIMITED ? WORK_UNLIMITED : work_left(&cow->work);
}

VMSNAP_API void vmsnap_cow_free(struct vmsnap_cow *cow)
{
	if (!cow)
		return;
	free(cow->ranges);
	vmsnap_unref(cow->parent);
	vmsnap_unref(cow->child);
	vmsnap_unref(cow->base);
	vmsnap_unref(cow->other);
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

VMSNAP_API const struct vmsnap *vmsnap_cow_base_other(const struct vmsnap_cow *cow)
{
	return cow->other;
}

VMSNAP_API int vmsnap_cow_relation(const struct vmsnap_cow *cow)
{
	return cow->relation;
}

VMSNAP_API size_t vmsnap_cow_range_count(const struct vmsnap_cow *cow)
{
	return cow->count;
}

static int range_at(const struct vmsnap_cow *cow, size_t index, struct vmsnap_cow_range *out)
{
	if (index >= cow->count)
		return VMSNAP_ERR_NOT_FOUND;
	*out = cow->ranges[index];
	return VMSNAP_OK;
}

VMSNAP_API int vmsnap_cow_range_sized(const struct vmsnap_cow *cow, size_t index, struct vmsnap_cow_range *out,
                                      size_t size)
{
	struct vmsnap_cow_range all;
	int rc = range_at(cow, index, &all);
	if (!rc)
		struct_give(out, size, &all, sizeof(all));
	return rc;
}

VMSNAP_API uint64_t vmsnap_cow_pages(const struct vmsnap_cow *cow, int verdict)
{
	return verdict >= 0 && verdict < VMSNAP_VERDICT_COUNT ? cow->totals[verdict] : 0;
}

VMSNAP_API uint64_t vmsnap_cow_touched_pages(const struct vmsnap_cow *cow, int verdict)
{
	return verdict >= 0 && verdict < VMSNAP_VERDICT_COUNT ? cow->touched_totals[verdict] : 0;
}

VMSNAP_API const char *vmsnap_cow_warning(const struct vmsnap_cow *cow)
{
	return cow->warning;
}
