/* runs.h - page states of an address space, kept as runs.  Knows the layout of
 * an entry; does no I/O.
 *
 * An entry is a pagemap entry (Documentation/admin-guide/mm/pagemap.rst):
 *   bits 0-54   PFN if present; if swapped 0-4 swap type and 5-54 swap offset
 *   bits 55-63  enum vmsnap_page_flag (59 and 60 are ours: zero, huge)
 * Stored entries are normal: see entry_normal(). */
#ifndef VMSNAP_RUNS_H
#define VMSNAP_RUNS_H

#include <stdint.h>

#include "vmsnap.h"

enum {
	ENTRY_FLAGS_SHIFT = 55,
	SWAP_TYPE_BITS = 5,
	/* No swap area has a type from here on: of its 32 the kernel keeps 5 to 10 to itself, by version and
	 * configuration, for what is in a page table and is no page there (include/linux/swap.h: MAX_SWAPFILES,
	 * SWP_MIGRATION_READ, SWP_HWPOISON, SWP_DEVICE_READ, SWP_PTE_MARKER, and their like). */
	SWAP_TYPES = 22,
	/* Such entries have the number of a frame in the place of a slot, but for markers, which have bits there
	 * (PTE_MARKER_UFFD_WP, _POISONED, _GUARD).  No frame that low is given to a process. */
	SWAP_MARKERS = 16,
	SWAP_MARKER_GUARD = 4,
};
#define ENTRY_FRAME_MASK ((UINT64_C(1) << ENTRY_FLAGS_SHIFT) - 1)
#define ENTRY_FLAG(flag) ((uint64_t)(flag) << ENTRY_FLAGS_SHIFT)
#define ENTRY_PRESENT    ENTRY_FLAG(VMSNAP_PAGE_PRESENT)
#define ENTRY_SWAPPED    ENTRY_FLAG(VMSNAP_PAGE_SWAPPED)
#define ENTRY_POPULATED  (ENTRY_PRESENT | ENTRY_SWAPPED)

/* 16 bytes a run: the low 12 bits of `head`, free because addresses are page
 * addresses, hold the number of pages - 1; no page is smaller than 4 KiB. */
struct run {
	uint64_t head;  /* address | (pages - 1) */
	uint64_t entry; /* of the first page; never 0 */
};
enum { RUN_PAGES_MAX = 4096 };

static inline uint64_t run_start(const struct run *run)
{
	return run->head & ~UINT64_C(0xfff);
}
static inline uint64_t run_pages(const struct run *run)
{
	return (run->head & 0xfff) + 1;
}
static inline uint32_t entry_flags(uint64_t entry)
{
	return (uint32_t)(entry >> ENTRY_FLAGS_SHIFT);
}
/* What the next page's entry must be more to belong to the same run: present
 * pages count PFNs, swapped ones slots.  Frame 0 is a hidden one: no counting.  Without
 * branches, as of a million runs no processor foresees which are present. */
static inline uint64_t entry_step(uint64_t entry)
{
	uint64_t counts = (entry & ENTRY_FRAME_MASK) != 0, present = (entry & ENTRY_PRESENT) != 0;
	uint64_t swapped = (entry & ENTRY_SWAPPED) != 0 && !present;
	return (counts & present) | (counts & swapped) << SWAP_TYPE_BITS;
}

/* The kernel's entry as we keep it.  What it shows as swapped (bit 62) is not all in swap: guard
 * regions and markers are not there, which is 0 for one without a flag of ours; a page that is being
 * moved to another frame, or that is on a device, is there, in a frame that is not known.  Without
 * frames there are no types, and these cannot be told from pages in swap: see ENTRY_DOUBTFUL. */
uint64_t entry_normal(uint64_t entry);

/* Put on a page that looks swapped by who found that it may not be: HUGE means nothing else there. */
#define ENTRY_DOUBTFUL (ENTRY_SWAPPED | ENTRY_FLAG(VMSNAP_PAGE_HUGE))
/* Nobody could read its state: it may be absent, there, or in swap.  For all that looks no closer it is doubtful;
 * the kernel has no such entry, as nothing in swap is the zero page. */
#define ENTRY_UNREAD (ENTRY_DOUBTFUL | ENTRY_FLAG(VMSNAP_PAGE_ZERO))
static inline bool entry_unread(uint64_t entry)
{
	return (entry & ENTRY_UNREAD) == ENTRY_UNREAD && !(entry & ENTRY_PRESENT);
}
/* Looks swapped, but whether it is in swap is not known.  Older versions kept types that no area has; and
 * where slots are hidden (no page is in slot 0 of area 0) a marker of userfaultfd looks like that. */
static inline bool entry_doubtful(uint64_t entry)
{
	uint64_t slot = entry & ENTRY_FRAME_MASK;
	if (!(entry & ENTRY_SWAPPED))
		return false;
	return (entry & ENTRY_DOUBTFUL) == ENTRY_DOUBTFUL || (slot & ((1u << SWAP_TYPE_BITS) - 1)) >= SWAP_TYPES ||
	       (!slot && (entry & ENTRY_FLAG(VMSNAP_PAGE_UFFD_WP)));
}

/* Whether EXCLUSIVE is about this page.  That of a page that is mapped by a PMD is about the first one of
 * its huge page (no matter for the zero page); that of a page on the move (no frame, where frames are
 * known) was never told.  frames, huge: as struct vmsnap_known has .pfn and .exclusive_huge. */
static inline bool entry_exclusive_known(uint64_t entry, bool frames, bool huge)
{
	bool of_first = !huge && (entry & ENTRY_FLAG(VMSNAP_PAGE_HUGE)) && !(entry & ENTRY_FLAG(VMSNAP_PAGE_ZERO));
	return (entry & ENTRY_PRESENT) && !of_first &&
	       (!frames || (entry & (ENTRY_FRAME_MASK | ENTRY_FLAG(VMSNAP_PAGE_EXCLUSIVE))));
}

struct run_list {
	struct run *items;
	size_t count, capacity;
};

/* Room for at least `capacity` runs.  With populate the memory is made resident
 * now (MADV_POPULATE_WRITE), so that appending costs no page fault. */
int run_list_reserve(struct run_list *list, size_t capacity, bool populate);
/* Before so many runs are appended, at least and at most: room for them that costs nothing until it is
 * used, of huge pages if there can be.  Only a help; what was not used is given back with run_list_trim(). */
void run_list_expect(struct run_list *list, size_t least, size_t most);
void run_list_trim(struct run_list *list);
/* Appends pages; start must not be below the end of the last run.  Joins with the
 * last run where the states continue.  Splits at RUN_PAGES_MAX. */
int run_list_append(struct run_list *list, uint64_t page_size, uint64_t start, uint64_t pages, uint64_t entry);
void run_list_free(struct run_list *list);
/* Whether a run goes on where the one before it in the list was cut. */
static inline bool run_continues(const struct run *before, const struct run *run, uint64_t page_size)
{
	uint64_t pages = run_pages(before), step = entry_step(before->entry);
	uint64_t apart = run_start(run) ^ (run_start(before) + pages * page_size);
	/* One question, which is nearly always denied: whether it follows at once is not foreseen. */
	return !(apart | (run->entry ^ (before->entry + pages * step))) && entry_step(run->entry) == step;
}

/* The run at index joined with those that continue it (in memory they are cut at
 * RUN_PAGES_MAX) and begin below `limit`: a run of terabytes is not to be walked for
 * each of its pages.  Returns the index after the last of them. */
static inline size_t run_list_joined(const struct run_list *list, size_t index, uint64_t page_size, uint64_t limit,
                                     uint64_t *start, uint64_t *pages, uint64_t *entry)
{
	const struct run *run = &list->items[index++];
	*start = run_start(run);
	*pages = run_pages(run);
	*entry = run->entry;
	for (; index < list->count; index++) {
		const struct run *next = &list->items[index];
		if (run_start(next) >= limit || !run_continues(run, next, page_size))
			break;
		run = next;
		*pages += run_pages(run);
	}
	return index;
}

/* Index of the first run that ends after address. */
size_t run_list_find(const struct run_list *list, uint64_t page_size, uint64_t address);
/* The public form of a run. */
static inline void run_describe(uint64_t page_size, uint64_t start, uint64_t pages, uint64_t entry,
                                struct vmsnap_run *out)
{
	/* Without branches: see entry_step(). */
	uint64_t present = 0 - (uint64_t)((entry & ENTRY_PRESENT) != 0);
	uint64_t swapped = 0 - (uint64_t)((entry & ENTRY_SWAPPED) != 0);
	uint64_t frame = entry & ENTRY_FRAME_MASK, slot = frame & swapped & ~present;
	*out = (struct vmsnap_run){ .start = start,
		                    .end = start + pages * page_size,
		                    .pfn = frame & present,
		                    .swap_offset = slot >> SWAP_TYPE_BITS,
		                    .swap_type = (uint32_t)(slot & ((1u << SWAP_TYPE_BITS) - 1)),
		                    .flags = entry_flags(entry) };
}

#endif
