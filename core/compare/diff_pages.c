#include "diff_pages.h"

#include "backing.h"
#include "sorted.h"

struct pairing diff_pairing(const struct vmsnap *a, const struct vmsnap *b, const struct vma_match *match)
{
	return (struct pairing){
		.sides = DIFF_SIDES, .snap = { a, b }, .to_leader = { &match->moves }, .same = &match->moves.same
	};
}

/* Whether the mappings of both may be two at this address.  Lowers *until. */
static bool doubtful_at(const struct vma_match *match, uint64_t at, uint64_t *until)
{
	size_t low = SORTED_ABOVE(struct doubtful, end, match->doubtful, match->doubtful_count, at);
	if (low == match->doubtful_count)
		return false;
	bool inside = match->doubtful[low].start <= at;
	uint64_t edge = inside ? match->doubtful[low].end : match->doubtful[low].start;
	if (edge < *until)
		*until = edge;
	return inside;
}

static void set_context(struct diff_place *place)
{
	const struct pair_member *a = &place->range.member[DIFF_A], *b = &place->range.member[DIFF_B];
	const struct pair_member *was = place->gone[DIFF_A].here ? &place->gone[DIFF_A] : a;
	uint32_t perms = (a->vma ? a->vma->perms : 0) | (b->vma ? b->vma->perms : 0) | (was->vma ? was->vma->perms : 0);
	place->executable = perms & VMSNAP_PERM_EXEC;
	place->vma = b->vma ? b->vma : was->vma;
	place->context.shared_mapping = place->vma && (place->vma->perms & VMSNAP_PERM_SHARED);
	if (!place->context.zero_a.flagged || !place->context.zero_b.flagged)
		place->context.plain = place->vma && !place->context.shared_mapping && vma_is_plain(place->vma);
	if (!b->vma || vma_is_anonymous(b->vma))
		return;
	place->context.backed = a->here && a->vma && pair_same(a, b);
	if (!vma_is_private_file(b->vma))
		return;
	place->context.private_text = place->executable;
	place->context.same_file = place->context.backed;
}

struct diff_place diff_place_of(struct pair_walk *walk, const struct pair_range *range,
                                const struct facts_context *known, const struct vma_match *match)
{
	struct diff_place place = { .range = *range, .context = *known };
	struct pair_member *a = &place.range.member[DIFF_A], *b = &place.range.member[DIFF_B];
	place.away = !a->here;
	if (range->leaves) {
		place.gone[DIFF_A] = range->left[DIFF_A];
	} else if (a->here && a->vma && b->vma && !pair_same(a, b)) {
		place.gone[DIFF_A] = *a;
		*a = (struct pair_member){ .here = false };
	}
	place.replaced = place.gone[DIFF_A].here;
	place.context.doubtful = doubtful_at(match, range->start, &place.range.end) && !range->moved;
	walk->at = place.range.end;
	set_context(&place);
	return place;
}

void diff_place_cut(struct pair_walk *walk, struct diff_place *place, struct writes *writes)
{
	const struct pair_range *range = &place->range;
	uint64_t until = range->end;
	place->equal = writes->told ? DIFF_EQUAL_READ : DIFF_EQUAL_COUNTED;
	if (!writes->contents || place->replaced || range->moved || !range->member[DIFF_A].here)
		return;
	enum writes_answer answer = writes_contents_at(writes, range->start, &until);
	walk->at = place->range.end = until;
	if (answer == WRITES_NONE)
		place->equal = DIFF_EQUAL_LEFT;
	else if (answer == WRITES_UNKNOWN && !writes->tracked)
		place->equal = DIFF_EQUAL_COUNTED;
}

struct diff_reader diff_read(struct pair_walk *walk, const struct diff_place *place, struct writes *writes)
{
	struct diff_reader reader = { .place = place, .writes = writes, .own = pair_own_memory(&place->range) };
	reader.pages = pair_pages_begin(walk, &place->range, place->range.member,
	                                !place->replaced && place->equal != DIFF_EQUAL_READ);
	if (place->equal == DIFF_EQUAL_LEFT)
		reader.pages.own = NULL;
	if (place->replaced)
		reader.gone = pair_pages_begin(walk, &place->range, place->gone, false);
	return reader;
}

enum { SHOWN = VMSNAP_PAGE_PRESENT | VMSNAP_PAGE_SWAPPED | VMSNAP_PAGE_GUARD | VMSNAP_PAGE_ZERO | VMSNAP_PAGE_FILE };

/* What their states tell. */
static struct diff_page judge(const struct diff_place *place, uint64_t a, uint64_t b)
{
	struct diff_page page = { .before = entry_flags(a) & SHOWN, .after = entry_flags(b) & SHOWN };
	if ((a | b) && !place->context.states_unknown)
		page.changes = page_facts(a, b, &place->context);
	if (page.changes)
		page.kinds = page_kinds(page.changes, a, b, &place->context);
	return page;
}

/* Of two pages that are there; where nothing tells, the writes that show in the kind are known.  This is not
 * remembered with what their states tell: pages whose entries are alike, or equal, may be written or not. */
static void judge_writes(struct diff_page *page, struct diff_reader *reader, uint64_t a, uint64_t b)
{
	const uint32_t shown = 1u << VMSNAP_KIND_NEW | 1u << VMSNAP_KIND_MAPPED | 1u << VMSNAP_KIND_COPIED;
	if (writes_none_between(reader->writes, a, b))
		return;
	uint64_t shift = reader->place->range.member[DIFF_A].shift;
	enum writes_answer answer = writes_at(reader->writes, reader->pages.start, shift, &reader->pages.end);
	page->changes |= (uint32_t)(answer == WRITES_SOME) << VMSNAP_CHANGE_WRITTEN;
	page->writes_unknown = answer == WRITES_UNKNOWN && reader->own && writes_hide(a, b) && !(page->kinds & shown);
	if (answer == WRITES_SOME)
		page->kinds = page_kinds(page->changes, a, b, &reader->place->context);
}

static void judge_gone(struct diff_page *page, uint64_t gone)
{
	if (gone & ENTRY_POPULATED) {
		page->changes |= 1u << VMSNAP_CHANGE_VANISHED;
		page->kinds |= 1u << VMSNAP_KIND_GONE;
	}
	if (entry_flags(gone) & VMSNAP_PAGE_GUARD && !(page->after & VMSNAP_PAGE_GUARD)) {
		page->changes |= 1u << VMSNAP_CHANGE_UNGUARDED;
		page->kinds |= page->kinds ? 0 : 1u << VMSNAP_KIND_OTHER;
	}
}

/* Of pages that are not swapped the facts depend on their flags, on whether their frames are known and one, and
 * on which is the zero page's.  0: on more. */
static uint64_t judge_key(const struct facts_context *context, uint64_t a, uint64_t b)
{
	uint64_t frame_a = a & ENTRY_FRAME_MASK, frame_b = b & ENTRY_FRAME_MASK;
	uint64_t alike = 1 | (uint64_t)!frame_a << 1 | (uint64_t)!frame_b << 2 | (uint64_t)(frame_a == frame_b) << 3 |
	                 (uint64_t)(frame_a == context->zero_a.pfn) << 4 |
	                 (uint64_t)(frame_b == context->zero_b.pfn) << 5;
	if ((a | b) & ENTRY_SWAPPED)
		return 0;
	return alike | (uint64_t)entry_flags(a) << 16 | (uint64_t)entry_flags(b) << 32;
}

static struct diff_page judge_again(struct diff_reader *reader, uint64_t a, uint64_t b)
{
	uint64_t key = judge_key(&reader->place->context, a, b);
	if (!key || key != reader->last_key)
		reader->last = judge(reader->place, a, b);
	reader->last_key = key;
	return reader->last;
}

/* What was put over other memory is read side by side with that. */
static uint64_t gone_here(struct diff_reader *reader)
{
	struct pair_pages *pages = &reader->pages, *gone = &reader->gone;
	if (!reader->place->replaced)
		return 0;
	if (gone->end <= pages->start && !pair_pages_next(gone))
		return 0;
	uint64_t skipped = (pages->start - gone->start) >> gone->cursor[DIFF_A].shift;
	uint64_t entry = gone->entry[DIFF_A];
	if (gone->end < pages->end)
		pages->end = gone->end;
	return entry ? entry + skipped * entry_step(entry) : 0;
}

bool diff_read_next(struct diff_reader *reader, struct diff_page *page)
{
	if (!pair_pages_next(&reader->pages))
		return false;
	uint64_t gone = gone_here(reader), a = reader->pages.entry[DIFF_A], b = reader->pages.entry[DIFF_B];
	*page = judge_again(reader, a, b);
	if (reader->place->context.states_unknown || ((a & ENTRY_POPULATED) && (b & ENTRY_POPULATED)))
		judge_writes(page, reader, a, b);
	if (gone)
		judge_gone(page, gone);
	page->start = reader->pages.start;
	page->end = reader->pages.end;
	return true;
}
