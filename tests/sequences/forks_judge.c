/* forks_judge.c - holds verdicts against what was done. */
#include <inttypes.h>
#include <stdio.h>

#include "forks.h"

struct tally tally;
int show_most = 3;
static int shown;

/* What is known of one page. */
struct known {
	int at; /* enum state, in the parent at the fork */
	bool of_file;
	bool at_uncertain;
	const struct page *parent, *child;
	bool made_before, read_before; /* by the parent, between the base and the fork */
	/* At this one of the two places of MOVABLE, not followed to the other. */
	bool apart, at_here, parent_here, child_here;
};

static bool made(const struct page *page)
{
	return page->did & (DID_WRITE | DID_COLLAPSE);
}

static bool lost(const struct page *page)
{
	return (page->did & DID_DROP) || page->uncertain;
}

static bool has_own(const struct page *page)
{
	return page->state == OWN && !page->uncertain;
}

/* Whether it is not so; each side is named only if it did that. */
static bool contradicts(int verdict, bool inferred, const struct known *k)
{
	bool parent_made = made(k->parent), child_made = made(k->child);
	bool child_read = k->child->did & DID_READ;
	bool parent_read = (k->parent->did & DID_READ) || (inferred && k->read_before);
	bool was_own = k->at == OWN, was_bare = k->at != OWN || k->at_uncertain;
	bool was_read = k->at == READ || k->at == MAYBE_READ || k->at_uncertain;
	bool was_absent = k->at == ABSENT || k->at == MAYBE_READ || k->at_uncertain;
	switch (verdict) {
	case VMSNAP_VERDICT_SHARED:
		return !inferred &&
		       (k->parent->state != OWN || k->child->state != OWN || k->parent->content != k->child->content) &&
		       !k->parent->uncertain && !k->child->uncertain;
	case VMSNAP_VERDICT_COPIED_BY_CHILD:
		return !child_made || !(was_own || k->of_file);
	case VMSNAP_VERDICT_COPIED_BY_PARENT:
		return (!parent_made && !(inferred && k->made_before)) || !(was_own || k->of_file);
	case VMSNAP_VERDICT_COPIED_BY_BOTH:
		return !parent_made || !child_made || !(was_own || k->of_file);
	case VMSNAP_VERDICT_COPIED:
		return !inferred && (!was_own || !(parent_made || child_made));
	case VMSNAP_VERDICT_NEW_IN_CHILD:
		return !child_made || (!inferred && !was_absent);
	case VMSNAP_VERDICT_NEW_IN_PARENT:
		return (!parent_made && !(inferred && k->made_before)) || (!inferred && !was_absent);
	case VMSNAP_VERDICT_NEW_IN_BOTH:
		return !child_made || !parent_made || (!inferred && !was_absent);
	case VMSNAP_VERDICT_ONLY_IN_CHILD:
		return k->child->state != OWN || (k->parent->state == OWN && !k->parent->uncertain);
	case VMSNAP_VERDICT_ONLY_IN_PARENT:
		return k->parent->state != OWN || (k->child->state == OWN && !k->child->uncertain);
	case VMSNAP_VERDICT_ZERO_SHARED:
		return !inferred && !was_read;
	case VMSNAP_VERDICT_ZERO_IN_CHILD:
		return !child_read || (!inferred && !was_absent);
	case VMSNAP_VERDICT_ZERO_IN_PARENT:
		return !parent_read || (!inferred && !was_absent);
	case VMSNAP_VERDICT_ZERO_IN_BOTH:
		return !child_read || !parent_read || (!inferred && !was_absent);
	case VMSNAP_VERDICT_ZERO:
		return has_own(k->parent) || has_own(k->child) ||
		       (k->parent->state == ABSENT && k->child->state == ABSENT);
	case VMSNAP_VERDICT_ZERO_WRITTEN_BY_CHILD:
		return !child_made || (!inferred && !was_read);
	case VMSNAP_VERDICT_ZERO_WRITTEN_BY_PARENT:
		return (!parent_made && !(inferred && k->made_before)) || (!inferred && !was_read);
	case VMSNAP_VERDICT_ZERO_WRITTEN_BY_BOTH:
		return !child_made || !parent_made || (!inferred && !was_read);
	case VMSNAP_VERDICT_DROPPED_BY_CHILD:
		return !lost(k->child) || !was_own;
	case VMSNAP_VERDICT_DROPPED_BY_PARENT:
		return !lost(k->parent) || !was_own;
	case VMSNAP_VERDICT_DROPPED_BY_BOTH:
		return !inferred && (!lost(k->parent) || !lost(k->child) || !was_own);
	case VMSNAP_VERDICT_FILE:
		return !k->of_file || (k->parent->state == OWN && k->child->state == OWN);
	case VMSNAP_VERDICT_SHARED_MAPPING:
		return true;
	default:
		(void)was_bare;
		return false;
	}
}

/* What a side has had elsewhere since before the fork, and put here. */
static bool brought(const struct known *k, const struct page *page)
{
	return k->at == OWN && !k->at_uncertain && !(page->did & DID_DROP);
}

static bool gone(const struct page *page, bool here, bool inferred)
{
	return lost(page) || (inferred && !here);
}

static bool read_here(const struct page *page, bool here)
{
	return here && (page->did & DID_READ);
}

/* Of an address at which not all had the region all the time, where nothing is said of a move: what one brought
 * here is not new, and what it took away is not dropped, in a definite tone; nor is a side named that has nothing
 * here. */
static bool contradicts_apart(int verdict, bool inferred, const struct known *k)
{
	bool parent_made = k->parent_here && (made(k->parent) || (inferred && k->made_before));
	bool child_made = k->child_here && made(k->child);
	bool parent_new = parent_made && (inferred || !brought(k, k->parent));
	bool child_new = child_made && (inferred || !brought(k, k->child));
	bool was_own = k->at == OWN;
	bool parent_gone = gone(k->parent, k->parent_here, inferred);
	bool child_gone = gone(k->child, k->child_here, inferred);
	bool parent_has = k->parent_here && k->parent->state == OWN;
	bool child_has = k->child_here && k->child->state == OWN;
	switch (verdict) {
	case VMSNAP_VERDICT_SHARED:
		return !parent_has || !child_has;
	case VMSNAP_VERDICT_COPIED_BY_CHILD:
		return !child_made;
	case VMSNAP_VERDICT_COPIED_BY_PARENT:
		return !parent_made;
	case VMSNAP_VERDICT_COPIED_BY_BOTH:
		return !parent_made || !child_made;
	case VMSNAP_VERDICT_NEW_IN_CHILD:
		return !child_new;
	case VMSNAP_VERDICT_NEW_IN_PARENT:
		return !parent_new;
	case VMSNAP_VERDICT_NEW_IN_BOTH:
		return !parent_new || !child_new;
	case VMSNAP_VERDICT_ONLY_IN_CHILD:
		return !child_has || (parent_has && !k->parent->uncertain);
	case VMSNAP_VERDICT_ONLY_IN_PARENT:
		return !parent_has || (child_has && !k->child->uncertain);
	case VMSNAP_VERDICT_ZERO_IN_CHILD:
		return !read_here(k->child, k->child_here);
	case VMSNAP_VERDICT_ZERO_IN_PARENT:
		return !read_here(k->parent, k->parent_here);
	case VMSNAP_VERDICT_ZERO_IN_BOTH:
		return !read_here(k->parent, k->parent_here) || !read_here(k->child, k->child_here);
	case VMSNAP_VERDICT_DROPPED_BY_CHILD:
		return !was_own || !child_gone;
	case VMSNAP_VERDICT_DROPPED_BY_PARENT:
		return !was_own || !parent_gone;
	case VMSNAP_VERDICT_DROPPED_BY_BOTH:
		return !was_own || !parent_gone || !child_gone;
	default:
		return false;
	}
}

static void say_page(const char *whose, const struct vmsnap *snap, uint64_t address)
{
	struct vmsnap_run page = { 0 };
	if (!snap)
		return;
	vmsnap_page_at(snap, address, &page);
	printf("    %s: pfn %" PRIx64 ", slot %" PRIx64 ", flags %" PRIx32 "; kernel's moves %" PRIu64
	       ", faults %" PRIu64 "\n",
	       whose, page.pfn, page.swap_offset, page.flags, vmsnap_info(snap)->page_moves, vmsnap_info(snap)->faults);
}

/* at: the page, in the child. */
static void say_pages(const struct vmsnap_cow *cow, const struct vmsnap_cow_range *range, uint64_t at)
{
	say_page("base", vmsnap_cow_base(cow), range->base_start + (at - range->start));
	say_page("its other side", vmsnap_cow_base_other(cow), range->base_start + (at - range->start));
	say_page("parent", vmsnap_cow_parent(cow), range->parent_start + (at - range->start));
	say_page("child", vmsnap_cow_child(cow), at);
}

static void say_wrong(const struct judged *j, const struct vmsnap_cow *cow, const struct vmsnap_cow_range *range,
                      uint64_t at, int region, int page, const struct known *k)
{
	tally.wrong++;
	tally.wrong_moved += !j->still;
	if (!told_of_seed && ++shown > show_most)
		return;
	if (shown > show_most)
		return;
	if (!told_of_seed) {
		printf("seed %" PRIu64 ", parent %d, child %d, base %s; %s\n", seed_now, j->parent, j->child,
		       j->base_name, vmsnap_cow_warning(cow));
		for (int i = 0; i < log_count; i++)
			printf("    %s\n", log_lines[i]);
	}
	told_of_seed = true;
	printf("  region %d, page %d: %s%s, but at the fork %d%s, parent did %d is %d, child did %d is %d\n", region,
	       page, vmsnap_verdict_name(range->verdict), range->inferred ? " (inferred)" : "", k->at,
	       k->at_uncertain ? "?" : "", k->parent->did, k->parent->state, k->child->did, k->child->state);
	if (k->apart)
		printf("  at %" PRIx64 ": at the fork %s, parent %s, child %s\n", at, k->at_here ? "here" : "elsewhere",
		       k->parent_here ? "here" : "elsewhere", k->child_here ? "here" : "elsewhere");
	say_pages(cow, range, at);
}

static void check_page(const struct judged *j, const struct vmsnap_cow *cow, const struct vmsnap_cow_range *range,
                       uint64_t address, int region, int page, struct known k)
{
	const struct page *at = &j->at_fork.pages[region][page];
	k.at = at->state;
	k.at_uncertain = at->uncertain;
	k.of_file = region == OF_FILE;
	k.parent = &processes[j->parent].pages[region][page];
	k.child = &processes[j->child].pages[region][page];
	k.made_before = made(at);
	k.read_before = at->did & DID_READ;
	if (at->unsure || k.parent->unsure || k.child->unsure)
		return;
	tally.pages++;
	tally.apart += k.apart;
	tally.verdicts[range->verdict]++;
	if (j->counts) {
		j->counts->pages++;
		j->counts->doubtful +=
		        range->verdict == VMSNAP_VERDICT_UNKNOWN || range->verdict == VMSNAP_VERDICT_COPIED;
	}
	if (k.apart ? contradicts_apart(range->verdict, range->inferred, &k)
	            : contradicts(range->verdict, range->inferred, &k))
		say_wrong(j, cow, range, address, region, page, &k);
}

/* Which region an address is in, with MOVABLE at one of its places. */
static int region_at(uint64_t address, bool moved)
{
	for (int i = 0; i < REGIONS; i++) {
		uint64_t start = (uint64_t)(uintptr_t)address_of(moved, i, 0);
		if (address >= start && address - start < (uint64_t)region_pages[i] * PAGE_BYTES)
			return i;
	}
	return -1;
}

static void check_address(const struct judged *j, const struct vmsnap_cow *cow, const struct vmsnap_cow_range *range,
                          uint64_t at)
{
	const struct process *child = &processes[j->child], *parent = &processes[j->parent];
	bool there = region_at(at, !child->moved) == MOVABLE, place = there ? !child->moved : child->moved;
	int region = region_at(at, place);
	struct known k = { .at_here = j->at_fork.moved == place,
		           .parent_here = parent->moved == place,
		           .child_here = child->moved == place };
	if (region < 0 || (there && range->moved))
		return;
	/* Where frames do not tell what moved, two places are told of one page. */
	k.apart = region == MOVABLE && !range->moved && !(k.at_here && k.parent_here && k.child_here);
	uint64_t start = (uint64_t)(uintptr_t)address_of(place, region, 0);
	check_page(j, cow, range, at, region, (int)((at - start) / PAGE_BYTES), k);
}

void check_ranges(const struct judged *j, struct vmsnap_cow *cow)
{
	struct vmsnap_cow_range range;
	for (size_t i = 0; !vmsnap_cow_range(cow, i, &range); i++)
		for (uint64_t at = range.start; at < range.end; at += PAGE_BYTES)
			check_address(j, cow, &range, at);
}
