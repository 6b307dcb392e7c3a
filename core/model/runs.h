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

enum { ENTRY_FLAGS_SHIFT = 55, SWAP_TYPE_BITS = 5, SWAP_TYPE_MARKER = 31 };
#define ENTRY_FRAME_MASK  ((UINT64_C(1) << ENTRY_FLAGS_SHIFT) - 1)
#define ENTRY_FLAG(flag)  ((uint64_t)(flag) << ENTRY_FLAGS_SHIFT)
#define ENTRY_PRESENT     ENTRY_FLAG(VMSNAP_PAGE_PRESENT)
#define ENTRY_SWAPPED     ENTRY_FLAG(VMSNAP_PAGE_SWAPPED)
#define ENTRY_POPULATED   (ENTRY_PRESENT | ENTRY_SWAPPED)

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
 * pages count PFNs, swapped ones slots.  Frame 0 is a hidden one: no counting. */
static inline uint64_t entry_step(uint64_t entry)
{
	if (!(entry & ENTRY_FRAME_MASK))
		return 0;
	if (entry & ENTRY_PRESENT)
		return 1;
	return entry & ENTRY_SWAPPED ? UINT64_C(1) << SWAP_TYPE_BITS : 0;
}

/* The kernel's entry as we keep it: guard regions and userfaultfd markers are
 * not swap, though the kernel sets bit 62 for them. */
uint64_t entry_normal(uint64_t entry);

struct run_list {
	struct run *items;
	size_t count, capacity;
};

/* Room for at least `capacity` runs.  With populate the memory is made resident
 * now (MADV_POPULATE_WRITE), so that appending costs no page fault. */
int run_list_reserve(struct run_list *list, size_t capacity, bool populate);
/* Appends pages; start must not be below the end of the last run.  Joins with the
 * last run where the states continue.  Splits at RUN_PAGES_MAX. */
int run_list_append(struct run_list *list, uint64_t page_size, uint64_t start, uint64_t pages, uint64_t entry);
void run_list_free(struct run_list *list);
/* Whether a run goes on where the one before it in the list was cut. */
static inline bool run_continues(const struct run *before, const struct run *run, uint64_t page_size)
{
	uint64_t pages = run_pages(before), step = entry_step(before->entry);
	return run_start(run) == run_start(before) + pages * page_size &&
	       run->entry == before->entry + pages * step && entry_step(run->entry) == step;
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
	uint64_t frame = entry & ENTRY_FRAME_MASK;
	uint32_t flags = entry_flags(entry);
	*out = (struct vmsnap_run){ .start = start, .end = start + pages * page_size, .flags = flags };
	if (flags & VMSNAP_PAGE_PRESENT) {
		out->pfn = frame;
	} else if (flags & VMSNAP_PAGE_SWAPPED) {
		out->swap_type = (uint32_t)(frame & ((1u << SWAP_TYPE_BITS) - 1));
		out->swap_offset = frame >> SWAP_TYPE_BITS;
	}
}

#endif
