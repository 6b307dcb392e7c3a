#include "fault_bound.h"

/* One fault on a file maps the pages around it, one on anonymous memory may make a large folio:
 * 2 MiB with pages of 4 KiB, and as many pages with larger ones. */
enum { WINDOW_BITS = 9, SMALLEST_FOLIO_BITS = 4 };

struct fault_bound fault_bound_begin(const struct vmsnap *snap)
{
	return (struct fault_bound){ .shift = (unsigned)__builtin_ctzll(snap->info.page_size) };
}

static void add_windows(struct fault_bound *bound, uint64_t address, uint64_t pages)
{
	uint64_t page = address >> bound->shift;
	uint64_t first = page >> WINDOW_BITS, next = ((page + pages - 1) >> WINDOW_BITS) + 1;
	if (first < bound->next_window)
		first = bound->next_window;
	if (first >= next)
		return;
	bound->faults += next - first;
	bound->next_window = next;
}

/* The pages of a folio lie in memory as they do in the address space, at a multiple of their
 * number in both: log2 of how many one fault can have made. */
static unsigned folio_bits(uint64_t page, uint64_t frame)
{
	uint64_t apart = page ^ frame;
	unsigned bits = apart ? (unsigned)__builtin_ctzll(apart) : WINDOW_BITS;
	if (bits < SMALLEST_FOLIO_BITS)
		return 0;
	return bits < WINDOW_BITS ? bits : WINDOW_BITS;
}

void fault_bound_add(struct fault_bound *bound, uint64_t address, uint64_t pages, uint64_t entry)
{
	uint32_t flags = entry_flags(entry);
	if (!(entry & ENTRY_POPULATED))
		return;
	if ((flags & VMSNAP_PAGE_ZERO) && !(flags & VMSNAP_PAGE_HUGE)) {
		bound->faults += pages;
		return;
	}
	if (flags & (VMSNAP_PAGE_FILE | VMSNAP_PAGE_HUGE | VMSNAP_PAGE_SWAPPED)) {
		add_windows(bound, address, pages);
		return;
	}
	unsigned bits = folio_bits(address >> bound->shift, entry & ENTRY_FRAME_MASK);
	if (bits == WINDOW_BITS)
		add_windows(bound, address, pages);
	else
		bound->faults += (pages + (UINT64_C(1) << bits) - 1) >> bits;
}
