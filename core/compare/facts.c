#include "facts.h"

#include <string.h>

bool facts_same_boot(const struct vmsnap *a, const struct vmsnap *b)
{
	return !strcmp(a->info.boot_id, b->info.boot_id);
}

static uint32_t process_of(const struct vmsnap *snap)
{
	return snap->info.tgid ? snap->info.tgid : snap->info.pid;
}

bool facts_same_process(const struct vmsnap *a, const struct vmsnap *b)
{
	return process_of(a) == process_of(b) && a->info.start_time == b->info.start_time && facts_same_boot(a, b);
}

struct facts_context facts_context_of(const struct vmsnap *a, const struct vmsnap *b)
{
	const struct vmsnap_known *in_a = &a->info.known, *in_b = &b->info.known;
	const struct vmsnap *both[] = { a, b };
	return (struct facts_context){
		.states_unknown = in_a->states_unknown || in_b->states_unknown,
		.frames = in_a->pfn && in_b->pfn && facts_same_boot(a, b),
		.exclusive = in_a->exclusive && in_b->exclusive,
		.soft_dirty = in_a->soft_dirty && in_b->soft_dirty,
		.huge = in_a->huge && in_b->huge,
		.exclusive_a = in_a->exclusive,
		.zero_a = zero_known_of(a, both, 2),
		.zero_b = zero_known_of(b, both, 2),
		.pfn_a = in_a->pfn,
		.pfn_b = in_b->pfn,
		.exclusive_huge_a = in_a->exclusive_huge,
		.exclusive_huge_b = in_b->exclusive_huge,
	};
}

static uint32_t fact(bool holds, int change)
{
	return (uint32_t)holds << change;
}

static bool has(uint64_t entry, uint32_t flag)
{
	return entry & ENTRY_FLAG(flag);
}

/* A frame of 0 is one that the kernel hid. */
static bool frames_differ(uint64_t a, uint64_t b)
{
	uint64_t frame_a = a & ENTRY_FRAME_MASK, frame_b = b & ENTRY_FRAME_MASK;
	return frame_a && frame_b && frame_a != frame_b;
}

static uint32_t both_present(uint64_t a, uint64_t b, const struct facts_context *context)
{
	uint32_t facts = fact(context->frames && frames_differ(a, b), VMSNAP_CHANGE_PFN_CHANGED);
	if (context->exclusive && entry_exclusive_known(a, context->pfn_a, context->exclusive_huge_a) &&
	    entry_exclusive_known(b, context->pfn_b, context->exclusive_huge_b)) {
		bool before = has(a, VMSNAP_PAGE_EXCLUSIVE), after = has(b, VMSNAP_PAGE_EXCLUSIVE);
		facts |= fact(!before && after, VMSNAP_CHANGE_BECAME_EXCLUSIVE) |
		         fact(before && !after, VMSNAP_CHANGE_BECAME_SHARED);
	}
	if (context->huge) {
		bool before = has(a, VMSNAP_PAGE_HUGE), after = has(b, VMSNAP_PAGE_HUGE);
		facts |= fact(before && !after, VMSNAP_CHANGE_HUGE_SPLIT) |
		         fact(!before && after, VMSNAP_CHANGE_HUGE_COLLAPSED);
	}
	bool filled = zero_page_of(a, &context->zero_a, context->plain) == ZERO_YES &&
	              zero_page_of(b, &context->zero_b, context->plain) == ZERO_NO;
	return facts | fact(filled, VMSNAP_CHANGE_ZERO_FILLED_IN);
}

/* A private page where a file's page was.  A page of text that was never seen
 * before counts too: text comes from its file, so one that is private already
 * when it first shows was written. */
static bool privatised(uint64_t a, uint64_t b, const struct facts_context *context)
{
	if (!(b & ENTRY_POPULATED) || has(b, VMSNAP_PAGE_FILE) || entry_doubtful(a) || entry_doubtful(b))
		return false;
	if (a & ENTRY_POPULATED)
		return context->same_file && has(a, VMSNAP_PAGE_FILE);
	return context->private_text;
}

/* A page that went took its protection along. */
static uint32_t write_protection(uint64_t a, uint64_t b)
{
	bool before = has(a, VMSNAP_PAGE_UFFD_WP), after = has(b, VMSNAP_PAGE_UFFD_WP);
	bool lifted = before && !after && !((a & ENTRY_POPULATED) && !(b & ENTRY_POPULATED));
	return fact(!before && after, VMSNAP_CHANGE_WRITE_PROTECTED) | fact(lifted, VMSNAP_CHANGE_WRITE_UNPROTECTED);
}

uint32_t page_facts(uint64_t a, uint64_t b, const struct facts_context *context)
{
	bool populated_a = a & ENTRY_POPULATED, populated_b = b & ENTRY_POPULATED;
	bool known = !entry_doubtful(a) && !entry_doubtful(b);
	bool guard_a = has(a, VMSNAP_PAGE_GUARD), guard_b = has(b, VMSNAP_PAGE_GUARD);
	bool kept = context->backed && has(a, VMSNAP_PAGE_FILE);
	uint32_t facts = fact(known && !populated_a && populated_b, VMSNAP_CHANGE_APPEARED) |
	                 fact(known && populated_a && !populated_b && !kept, VMSNAP_CHANGE_VANISHED) |
	                 fact(known && populated_a && !populated_b && kept, VMSNAP_CHANGE_NOT_MAPPED_NOW) |
	                 fact(!guard_a && guard_b, VMSNAP_CHANGE_GUARDED) |
	                 fact(guard_a && !guard_b, VMSNAP_CHANGE_UNGUARDED);
	if (known && populated_a && populated_b) {
		bool present_a = a & ENTRY_PRESENT, present_b = b & ENTRY_PRESENT;
		if (present_a && present_b)
			facts |= both_present(a, b, context);
		else if (present_a)
			facts |= fact(true, VMSNAP_CHANGE_SWAPPED_OUT);
		else if (present_b)
			facts |= fact(true, VMSNAP_CHANGE_SWAPPED_IN);
		else
			facts |= fact(context->frames && frames_differ(a, b), VMSNAP_CHANGE_SWAP_MOVED);
	}
	facts |= write_protection(a, b) | fact(privatised(a, b, context), VMSNAP_CHANGE_PRIVATISED);
	bool dirtied =
	        context->soft_dirty && populated_b && has(b, VMSNAP_PAGE_SOFT_DIRTY) && !has(a, VMSNAP_PAGE_SOFT_DIRTY);
	return facts | fact(dirtied, VMSNAP_CHANGE_SOFT_DIRTIED);
}

/* A page of the page cache that is in another frame was read anew. */
static bool copied(uint32_t facts, uint64_t a, uint64_t b, const struct facts_context *context)
{
	if (context->shared_mapping || context->doubtful)
		return false;
	if (has(a, VMSNAP_PAGE_FILE) && has(b, VMSNAP_PAGE_FILE))
		return false;
	/* What was the zero page is new. */
	if (zero_page_of(a, &context->zero_a, context->plain) != ZERO_NO)
		return false;
	return (facts & (1u << VMSNAP_CHANGE_PFN_CHANGED | 1u << VMSNAP_CHANGE_PRIVATISED)) &&
	       page_write_copies(a, context->exclusive_a);
}

/* What another process did, or a fork. */
enum { BY_OTHERS = 1u << VMSNAP_CHANGE_BECAME_EXCLUSIVE | 1u << VMSNAP_CHANGE_BECAME_SHARED };
enum { SWAPPED = 1u << VMSNAP_CHANGE_SWAPPED_OUT | 1u << VMSNAP_CHANGE_SWAPPED_IN | 1u << VMSNAP_CHANGE_SWAP_MOVED };

/* A page that takes no memory: the page cache has it, or it is the zero page.  Of shared memory nobody knows whether it
 * was there before, and a file may be mapped so as well. */
static bool is_of_others(uint64_t entry, const struct facts_context *context)
{
	return !context->shared_mapping &&
	       (has(entry, VMSNAP_PAGE_FILE) || zero_page_of(entry, &context->zero_b, context->plain) == ZERO_YES);
}

uint32_t page_kinds(uint32_t facts, uint64_t a, uint64_t b, const struct facts_context *context)
{
	if (facts & 1u << VMSNAP_CHANGE_APPEARED)
		return 1u << (is_of_others(b, context) ? VMSNAP_KIND_MAPPED : VMSNAP_KIND_NEW);
	if (facts & 1u << VMSNAP_CHANGE_ZERO_FILLED_IN)
		return 1u << VMSNAP_KIND_NEW;
	if (facts & 1u << VMSNAP_CHANGE_VANISHED)
		return 1u << VMSNAP_KIND_GONE;
	if (copied(facts, a, b, context))
		return 1u << VMSNAP_KIND_COPIED;
	if (facts & 1u << VMSNAP_CHANGE_WRITTEN)
		return 1u << VMSNAP_KIND_WRITTEN;
	if (facts & SWAPPED)
		return 1u << VMSNAP_KIND_SWAPPED;
	return facts & ~(uint32_t)BY_OTHERS ? 1u << VMSNAP_KIND_OTHER : 0;
}
