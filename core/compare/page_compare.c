/* page_compare.c - what a diff would say of one page, for who does not want all of it. */
#include "backing.h"
#include "compared.h"
#include "diff_pages.h"
#include "error.h"
#include "options.h"
#include "own_page.h"
#include "relation.h"
#include "spare.h"

static uint64_t entry_at(const struct vmsnap *snap, uint64_t address)
{
	uint64_t entry;
	vmsnap_pages_read(snap, address, 1, &entry);
	return entry;
}

static bool same_mapping(const struct vmsnap *a, const struct vmsnap *b, uint64_t address)
{
	const struct vmsnap_vma *in_a = vmsnap_vma_at(a, address), *in_b = vmsnap_vma_at(b, address);
	return in_a && in_b ? vma_same_backing(in_a, in_b) : in_a == in_b;
}

/* Most often nothing happened to the page.  Then it cannot have moved either, if there is one:
 * its frame is where it was. */
static bool stayed(const struct vmsnap *a, const struct vmsnap *b, uint64_t page)
{
	uint64_t before = entry_at(a, page), after = entry_at(b, page);
	return before == after && own_page(after) && facts_context_of(a, b).frames && same_mapping(a, b, page);
}

/* Of a page that stayed, where nothing else tells. */
static bool stayed_unknown(const struct vmsnap *b, const struct writes *writes, uint64_t page)
{
	uint64_t entry = entry_at(b, page);
	const struct vmsnap_vma *vma = vmsnap_vma_at(b, page);
	uint32_t perms = vma ? vma->perms & (VMSNAP_PERM_WRITE | VMSNAP_PERM_SHARED) : 0;
	return perms == VMSNAP_PERM_WRITE && writes_hide(entry, entry) && !writes_none_between(writes, entry, entry);
}

static bool frames_unknown(const struct pair_pages *pages, const struct facts_context *known)
{
	uint64_t a = pages->entry[DIFF_A], b = pages->entry[DIFF_B];
	if (!(a & b & ENTRY_PRESENT))
		return false;
	return !known->frames || !(a & ENTRY_FRAME_MASK) || !(b & ENTRY_FRAME_MASK);
}

static void compare_page(const struct vmsnap *a, const struct vmsnap *b, uint64_t page, const struct vma_match *match,
                         struct writes *writes, struct vmsnap_page_diff *out)
{
	struct pairing pairing = diff_pairing(a, b, match);
	struct pair_walk walk = pair_begin(&pairing, page);
	struct facts_context known = facts_context_of(a, b);
	struct pair_range range;
	struct diff_page found;
	uint64_t until = UINT64_MAX;
	if (!pair_next(&walk, &range))
		return;
	struct diff_place place = diff_place_of(&walk, &range, &known, match);
	struct diff_reader reader = diff_read(&walk, &place, writes);
	/* What is equal is asked for, too. */
	reader.pages.skip_equal = false;
	if (diff_read_next(&reader, &found)) {
		out->changes = found.changes;
		out->kinds = found.kinds;
		out->writes_unknown = found.writes_unknown;
		out->frames_unknown = frames_unknown(&reader.pages, &known);
	}
	const struct pair_member *member = &place.range.member[DIFF_A];
	out->replaced = place.replaced;
	out->moved = member->here && member->shift;
	out->from = member->here ? page + member->shift : page;
	const struct move *away = moves_from(&match->moves, page, &until);
	out->moved_away = away;
	out->to = away ? page + (away->to - away->from) : page;
}

VMSNAP_API int vmsnap_page_compare_sized(const struct vmsnap *a, const struct vmsnap *b, uint64_t address,
                                         const struct vmsnap_compare_options *options, struct vmsnap_page_diff *out,
                                         size_t size, struct vmsnap_error *err)
{
	const struct vmsnap *both[] = { a, b };
	struct vma_match match;
	struct work work;
	if (!a || !b || !out)
		return fail(err, VMSNAP_ERR_ARGUMENT, "a page is compared in two snapshots");
	int rc = comparable(both, 2, err);
	struct vmsnap_compare_options taken;
	rc = rc ? rc : options_take(&taken, sizeof(taken), options, "struct vmsnap_compare_options", err);
	rc = rc ? rc : work_with(&work, both, 2, options, err);
	if (rc)
		return rc;
	uint64_t page = address & ~(b->info.page_size - 1);
	struct vmsnap_page_diff found = { .from = page, .to = page, .relation = relation_with(a, b, options) };
	struct writes writes = writes_between(a, b, &taken);
	if (found.relation == VMSNAP_RELATION_COMPARABLE && !writes.told && stayed(a, b, page)) {
		found.writes_unknown = stayed_unknown(b, &writes, page);
	} else if (found.relation == VMSNAP_RELATION_COMPARABLE) {
		rc = vma_match(a, b, &work, &match);
		if (rc)
			return work_fail(&work, rc, err);
		compare_page(a, b, page, &match, &writes, &found);
		vma_match_free(&match);
	}
	struct_give(out, size, &found, sizeof(found));
	return rc;
}

/* ---- against the page as it is now ------------------------------------------------- */

static uint64_t entry_of(const struct vmsnap_run *page)
{
	if (!page)
		return 0;
	uint64_t flags = ENTRY_FLAG(page->flags);
	if (page->flags & VMSNAP_PAGE_PRESENT)
		return flags | (page->pfn & ENTRY_FRAME_MASK);
	if (page->flags & VMSNAP_PAGE_SWAPPED)
		return flags | ((page->swap_offset << SWAP_TYPE_BITS | page->swap_type) & ENTRY_FRAME_MASK);
	return flags;
}

static bool has_frame(const struct vmsnap *snap, uint64_t entry)
{
	uint64_t place = own_page_place(entry);
	for (size_t i = 0; own_page(entry) && i < snap->runs.count; i++) {
		const struct run *run = &snap->runs.items[i];
		uint64_t first = own_page_place(run->entry);
		if (own_page(run->entry) && place >= first && place - first < run_pages(run))
			return true;
	}
	return false;
}

VMSNAP_API uint32_t vmsnap_page_changes(const struct vmsnap *a, uint64_t address, const struct vmsnap_run *page,
                                        const struct vmsnap_known *known, bool *elsewhere)
{
	const struct vmsnap_vma *vma = vmsnap_vma_at(a, address);
	uint64_t before = entry_at(a, address), after = entry_of(page);
	struct vmsnap now = { .info = { .known = *known, .boot_id = a->info.boot_id } };
	struct facts_context context = facts_context_of(a, &now);
	context.backed = vma && !vma_is_anonymous(vma);
	context.plain = vma && vma_is_plain(vma) && !(vma->perms & VMSNAP_PERM_SHARED);
	if (vma && vma_is_private_file(vma)) {
		context.same_file = true;
		context.private_text = vma->perms & VMSNAP_PERM_EXEC;
	}
	uint32_t changes = (before | after) && !context.states_unknown ? page_facts(before, after, &context) : 0;
	/* Where A's page is now is not known, only where the frame of this one was. */
	*elsewhere = changes && context.frames && (own_page(before) || has_frame(a, after));
	return changes;
}
