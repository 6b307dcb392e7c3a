#include "adrift.h"

#include "backing.h"
#include "walk.h"

/* What of one side is in no place of the base's, and what of the base is in no place of its. */
struct side {
	bool lost, gained;
};

static int has_pages(const struct vmsnap *snap, uint64_t start, uint64_t end, struct work *work, bool *yes)
{
	struct run_cursor cursor = run_cursor_at(snap, start);
	int rc = VMSNAP_OK;
	for (uint64_t at = start, until; !rc && !*yes && at < end; at = until) {
		until = end;
		*yes = run_cursor_entry(&cursor, at, &until) & ENTRY_POPULATED;
		rc = work_step(work);
	}
	return rc;
}

/* Whether a member is plain memory with pages in it. */
static int is_populated(const struct vmsnap *snap, const struct pair_range *range, const struct pair_member *member,
                        struct work *work, bool *yes)
{
	if (*yes || !member->here || !member->vma || !vma_is_plain(member->vma))
		return VMSNAP_OK;
	return has_pages(snap, range->start + member->shift, range->end + member->shift, work, yes);
}

static int look_at(const struct pairing *pairing, const struct pair_range *range, const struct pair_member *members,
                   size_t which, struct work *work, struct side *side)
{
	const struct pair_member *base = &members[0], *member = &members[which];
	/* Elsewhere, and it is known where; or the same. */
	if (!member->here || (base->here && pair_same(base, member)))
		return VMSNAP_OK;
	int rc = is_populated(pairing->snap[0], range, base, work, &side->lost);
	return rc ? rc : is_populated(pairing->snap[which], range, member, work, &side->gained);
}

int adrift_find(const struct pairing *pairing, struct work *work, bool *parent, bool *child)
{
	struct pair_walk walk = pair_begin(pairing, 0);
	struct side sides[PAIR_SIDES] = { 0 };
	int rc = VMSNAP_OK;
	for (struct pair_range range; !rc && pair_next(&walk, &range);) {
		for (size_t i = 1; !rc && i < pairing->sides; i++) {
			rc = look_at(pairing, &range, range.member, i, work, &sides[i]);
			if (!rc && range.leaves)
				rc = look_at(pairing, &range, range.left, i, work, &sides[i]);
		}
		rc = rc ? rc : work_step(work);
	}
	*parent = sides[1].lost && sides[1].gained;
	*child = sides[2].lost && sides[2].gained;
	return rc;
}
