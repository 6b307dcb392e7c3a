/* own_page.h - pages that only processes have, and no file: what tells them from each other.
 * Pure. */
#ifndef VMSNAP_OWN_PAGE_H
#define VMSNAP_OWN_PAGE_H

#include "runs.h"

/* A private page, in a frame or in a swap slot that is known. */
static inline bool own_page(uint64_t entry)
{
	return (entry & ENTRY_POPULATED) && (entry & ENTRY_FRAME_MASK) &&
	       !(entry & ENTRY_FLAG(VMSNAP_PAGE_FILE | VMSNAP_PAGE_ZERO));
}

/* Whether nobody else has it, as far as the kernel's bit tells: of a huge page it tells that of the first. */
static inline bool own_page_exclusive(uint64_t entry)
{
	return (entry & ENTRY_PRESENT) && (entry & ENTRY_FLAG(VMSNAP_PAGE_EXCLUSIVE));
}

/* For what is to prove something, of a page in a known frame; in one slot of swap there is one page. */
static inline bool own_page_surely_exclusive(uint64_t entry)
{
	return own_page_exclusive(entry) && entry_exclusive_known(entry, true, false);
}
static inline bool own_page_surely_shared(uint64_t entry)
{
	return !(entry & ENTRY_PRESENT) || (!own_page_exclusive(entry) && entry_exclusive_known(entry, true, false));
}

/* What it is in: frames and slots as numbers that count up by one from page to page. */
static inline uint64_t own_page_place(uint64_t entry)
{
	uint64_t frame = entry & ENTRY_FRAME_MASK, type = frame & ((1u << SWAP_TYPE_BITS) - 1);
	if (entry & ENTRY_PRESENT)
		return frame;
	return UINT64_C(1) << 63 | type << 55 | frame >> SWAP_TYPE_BITS;
}

static inline bool own_page_same(uint64_t a, uint64_t b)
{
	return own_page(a) && own_page(b) && own_page_place(a) == own_page_place(b);
}

#endif
