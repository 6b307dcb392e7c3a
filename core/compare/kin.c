#include "kin.h"

#include "backing.h"
#include "facts.h"
#include "own_page.h"
#include "vma_match.h"
#include "walk.h"

static int add(struct move_list *list, const struct move *move, struct work *work)
{
	int rc = VMSNAP_OK;
	if (!WORK_ROOM(work, list->items, list->count, &list->capacity, &rc))
		return rc;
	list->items[list->count++] = *move;
	return rc;
}

/* Each range of a move that lies in one move of `between`, or in none. */
struct move_range {
	uint64_t from, to, length;
	uint64_t other; /* where the pages that are at .from in one of base and parent are in the other */
	bool nowhere;   /* they are not in it: what is at .from there is other memory */
};
static bool move_range_next(const struct move *move, const struct moves *between, bool from_parent,
                            struct move_range *s)
{
	uint64_t at = s->length ? s->from + s->length : move->from, end = move->from + move->length, until = end;
	if (at >= end)
		return false;
	const struct move *via = from_parent ? moves_to(between, at, &until) : moves_from(between, at, &until);
	const struct move *over = from_parent ? moves_from(between, at, &until) : moves_to(between, at, &until);
	*s = (struct move_range){ .from = at, .to = move->to + (at - move->from), .length = until - at, .other = at };
	s->nowhere = over && !via;
	if (via)
		s->other = from_parent ? via->from + (at - via->to) : via->to + (at - via->from);
	return true;
}

/* Adds what of a move goes neither from where nor to where `moves` knows better. */
static int add_where_free(struct move_list *more, const struct moves *moves, const struct move *move, struct work *work)
{
	int rc = VMSNAP_OK;
	for (uint64_t done = 0, next; !rc && done < move->length; done = next) {
		uint64_t from = move->from + done, to = move->to + done, left = move->length - done;
		uint64_t until_from = from + left, until_to = to + left;
		bool taken = moves_from(moves, from, &until_from);
		taken |= moves_to(moves, to, &until_to) != NULL;
		uint64_t length = until_from - from < until_to - to ? until_from - from : until_to - to;
		next = done + length;
		if (!taken)
			rc = add(more, &(struct move){ .from = from, .to = to, .length = length }, work);
	}
	return rc;
}

/* Whether two have pages in one frame at one address: then it is the same memory there. */
static int share_at(const struct vmsnap *a, const struct vmsnap *b, uint64_t start, uint64_t length, struct work *work,
                    bool *yes)
{
	struct run_cursor in_a = run_cursor_at(a, start), in_b = run_cursor_at(b, start);
	int rc = VMSNAP_OK;
	*yes = false;
	for (uint64_t at = start, until; !rc && !*yes && at < start + length; at = until) {
		until = start + length;
		uint64_t entry = run_cursor_entry(&in_a, at, &until);
		*yes = own_page_same(entry, run_cursor_entry(&in_b, at, &until));
		rc = work_step(work);
	}
	return rc;
}

/* Of one mapping that was cut, or has grown: not two that only overlap. */
static bool one_within(const struct vmsnap_vma *a, const struct vmsnap_vma *b)
{
	return (a->start <= b->start && b->end <= a->end) || (b->start <= a->start && a->end <= b->end);
}

/* Whether a snapshot has nothing at one place, and at the other what another has there.  Where the kernel moved
 * pages as well, their frames do not tell that it is the same. */
static bool only_at(const struct vmsnap *snap, uint64_t gone, const struct vmsnap *other, uint64_t at)
{
	const struct vmsnap_vma *in_snap = vmsnap_vma_at(snap, at), *in_other = vmsnap_vma_at(other, at);
	return !vmsnap_vma_at(snap, gone) && in_snap && in_other && one_within(in_snap, in_other) &&
	       vma_same_backing(in_snap, in_other);
}

/* Whether something is mapped there.  Lowers *until to where that, or what is between two mappings, ends. */
static bool mapped_at(const struct vmsnap *snap, uint64_t at, uint64_t *until)
{
	size_t index = snapshot_vma_find(snap, at);
	const struct vmsnap_vma *vma = index < snap->vma_count ? &snap->vmas[index] : NULL;
	bool inside = vma && vma->start <= at;
	uint64_t edge = !vma ? *until : inside ? vma->end : vma->start;
	*until = edge < *until ? edge : *until;
	return inside;
}

/* What `other` has at .to went there from .from: whether `snap` has it there, too.  Frames prove it.  If it has
 * nothing where that was, and the same kind where it is now, most likely it moved it as well, before the fork or
 * since, unless what it has there is what was there before, as `third` still has it. */
struct also_there {
	const struct vmsnap *snap, *other, *third;
};
static int has_it_there(const struct kin *kin, const struct also_there *who, const struct move *move, struct work *work,
                        bool *yes)
{
	bool before = false;
	int rc = VMSNAP_OK;
	*yes = false;
	if (kin->frames)
		rc = share_at(who->snap, who->other, move->to, move->length, work, yes);
	if (rc || *yes || !only_at(who->snap, move->from, who->other, move->to))
		return rc;
	if (kin->frames)
		rc = share_at(who->snap, who->third, move->to, move->length, work, &before);
	*yes = !before;
	return rc;
}

/* A range of what went from the parent to the child.  Nothing tells what the parent did, but that the base has it
 * where the child has: then, as to the child, nothing moved. */
static int add_of_base(const struct kin *kin, struct move_list *base, const struct move_range *s, struct work *work)
{
	const struct also_there who = { .snap = kin->base, .other = kin->child, .third = kin->parent };
	int rc = VMSNAP_OK;
	for (uint64_t at = s->to, end = at + s->length, until; !rc && at < end; at = until) {
		until = end;
		bool stayed = false, there = mapped_at(kin->base, at, &until);
		struct move move = { .from = s->from + (at - s->to), .to = at, .length = until - at };
		if (there && s->other == s->from)
			rc = has_it_there(kin, &who, &move, work, &stayed);
		move.from = stayed ? at : s->other + (at - s->to);
		if (!rc && !s->nowhere)
			rc = add_where_free(base, &kin->base_child, &move, work);
	}
	return rc;
}

/* What went from the parent to the child came from the base too, if the parent did not put it
 * where it had moved something away.  If the base has it where the
 * child has it, it was the parent that moved it. */
static int complete_base(const struct kin *kin, struct move_list *base, struct move_list *parent, struct work *work)
{
	const struct move_list *list = &kin->parent_child.list;
	int rc = VMSNAP_OK;
	for (size_t i = 0; !rc && i < list->count; i++)
		for (struct move_range s = { 0 };
		     !rc && move_range_next(&list->items[i], &kin->base_parent, true, &s);) {
			if (!s.nowhere && s.other == s.to)
				continue;
			rc = add(parent, &(struct move){ .from = s.from, .to = s.to, .length = s.length }, work);
			rc = rc ? rc : add_of_base(kin, base, &s, work);
		}
	return rc;
}

/* Whether the parent has something else at `from` than what the child has at `to`.  Lowers *until,
 * of the parent, to where that changes. */
static bool maps_other(const struct kin *kin, uint64_t from, uint64_t to, uint64_t *until)
{
	const struct vmsnap *parent = kin->parent, *child = kin->child;
	size_t index = snapshot_vma_find(parent, from), of_child = snapshot_vma_find(child, to);
	if (index == parent->vma_count || of_child == child->vma_count)
		return false;
	struct vmsnap_vma vma = parent->vmas[index];
	bool inside = vma.start <= from;
	uint64_t edge = inside ? vma.end : vma.start;
	*until = edge < *until ? edge : *until;
	vma.start += to - from;
	return inside && !vma_same_backing(&vma, &child->vmas[of_child]);
}

/* Adds what of a move the parent may have at `from` still, as the base did: nothing is mapped over
 * it, or was moved there. */
static int add_where_kept(const struct kin *kin, struct move_list *more, const struct move *move, bool stayed,
                          struct work *work)
{
	int rc = VMSNAP_OK;
	for (uint64_t done = 0, next; !rc && done < move->length; done = next) {
		uint64_t from = move->from + done, to = move->to + done, until = move->from + move->length;
		bool lost = maps_other(kin, from, to, &until);
		lost |= stayed && moves_to(&kin->base_parent, from, &until);
		next = until - move->from;
		if (!lost)
			rc = add_where_free(more, &kin->parent_child,
			                    &(struct move){ .from = from, .to = to, .length = until - from }, work);
	}
	return rc;
}

/* A range of what went from the base to the child: the parent has, or had, it, too. */
static int add_of_parent(const struct kin *kin, struct move_list *parent, const struct move_range *s, struct work *work)
{
	const struct also_there who = { .snap = kin->parent, .other = kin->child, .third = kin->base };
	int rc = VMSNAP_OK;
	for (uint64_t at = s->to, end = at + s->length, until; !rc && at < end; at = until) {
		until = end;
		bool here = false, there = mapped_at(kin->parent, at, &until), stayed = s->other == s->from;
		struct move move = { .from = s->from + (at - s->to), .to = at, .length = until - at };
		if (there && stayed && s->from != s->to)
			rc = has_it_there(kin, &who, &move, work, &here);
		move.from = here ? at : s->other + (at - s->to);
		if (!rc)
			rc = here ? add(parent, &move, work) : add_where_kept(kin, parent, &move, stayed, work);
	}
	return rc;
}

static int complete_parent(const struct kin *kin, struct move_list *parent, struct work *work)
{
	const struct move_list *list = &kin->base_child.list;
	int rc = VMSNAP_OK;
	for (size_t i = 0; !rc && i < list->count; i++)
		for (struct move_range s = { 0 };
		     !rc && move_range_next(&list->items[i], &kin->base_parent, false, &s);)
			if (!s.nowhere)
				rc = add_of_parent(kin, parent, &s, work);
	return rc;
}

/* What the parent moved away and back, say, so that it has it where the child does. */
static int complete_both(const struct kin *kin, struct move_list *base, struct move_list *parent, struct work *work)
{
	const struct also_there who = { .snap = kin->child, .other = kin->parent, .third = kin->base };
	const struct move_list *list = &kin->base_parent.list;
	int rc = VMSNAP_OK;
	for (size_t i = 0; !rc && i < list->count; i++) {
		const struct move *move = &list->items[i];
		for (uint64_t at = move->to, end = at + move->length, until; !rc && at < end; at = until) {
			until = end;
			bool here = false, there = mapped_at(kin->child, at, &until);
			bool taken = moves_to(&kin->base_child, at, &until);
			taken |= moves_to(&kin->parent_child, at, &until) != NULL;
			/* The child has it, and elsewhere. */
			uint64_t from = move->from + (at - move->to), until_from = from + (until - at);
			taken |= moves_from(&kin->base_child, from, &until_from) != NULL;
			until = at + (until_from - from);
			struct move both = { .from = from, .to = at, .length = until - at };
			if (there && !taken)
				rc = has_it_there(kin, &who, &both, work, &here);
			if (rc || !here)
				continue;
			rc = add(parent, &(struct move){ .from = at, .to = at, .length = until - at }, work);
			rc = rc ? rc : add_where_free(base, &kin->base_child, &both, work);
		}
	}
	return rc;
}

static int complete(struct kin *kin, struct work *work)
{
	struct move_list parent = { 0 }, base = { 0 };
	int rc = complete_base(kin, &base, &parent, work);
	rc = rc ? rc : complete_both(kin, &base, &parent, work);
	rc = rc ? rc : complete_parent(kin, &parent, work);
	for (size_t i = 0; !rc && i < base.count; i++)
		rc = add(&kin->base_child.list, &base.items[i], work);
	rc = rc ? rc : moves_sort(&kin->base_child, work);
	work_free(work, base.items, base.capacity, sizeof(*base.items));
	struct move_list *list = &kin->parent_child.list;
	work_free(work, list->items, list->capacity, sizeof(*list->items));
	*list = parent;
	return rc ? rc : moves_sort(&kin->parent_child, work);
}

/* Of moves of the child's, those of what the base had at the same address. */
static int keep_those_of_base(struct moves *moves, const struct vmsnap *base, const struct vmsnap *other,
                              struct work *work)
{
	struct move_list *list = &moves->list;
	size_t kept = 0;
	for (size_t i = 0; i < list->count; i++) {
		const struct vmsnap_vma *in_base = vmsnap_vma_at(base, list->items[i].from);
		const struct vmsnap_vma *in_other = vmsnap_vma_at(other, list->items[i].from);
		if (in_base && in_other && vma_same_backing(in_base, in_other))
			list->items[kept++] = list->items[i];
	}
	if (kept == list->count)
		return VMSNAP_OK;
	list->count = kept;
	return moves_sort(moves, work);
}

int kin_find(struct kin *kin, const struct fork_base *at_fork, const struct vmsnap *parent, const struct vmsnap *child,
             struct work *work)
{
	*kin = (struct kin){ .base = at_fork->base, .parent = parent, .child = child };
	const struct vmsnap *base = at_fork->base;
	/* What the child had where the base has it, and what became of that it knows itself best. */
	const struct vmsnap *of_child = at_fork->other ? at_fork->other : base;
	kin->frames = facts_context_of(parent, child).frames;
	int rc = vma_match_moves(parent, child, true, work, &kin->parent_child);
	if (!base) {
		kin->pairing =
		        (struct pairing){ .sides = 2, .snap = { parent, child }, .to_leader = { &kin->parent_child } };
		return rc;
	}
	rc = rc ? rc : vma_match_moves(of_child, child, false, work, &kin->base_child);
	if (!rc && at_fork->other)
		rc = keep_those_of_base(&kin->base_child, base, at_fork->other, work);
	rc = rc ? rc : vma_match_moves(base, parent, false, work, &kin->base_parent);
	rc = rc ? rc : complete(kin, work);
	kin->pairing = (struct pairing){ .sides = 3,
		                         .snap = { base, parent, child },
		                         .to_leader = { &kin->base_child, &kin->parent_child },
		                         .between = &kin->base_parent };
	return rc;
}

void kin_free(struct kin *kin, struct work *work)
{
	moves_free(&kin->parent_child, work);
	moves_free(&kin->base_child, work);
	moves_free(&kin->base_parent, work);
}
