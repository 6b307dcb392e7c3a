#define _GNU_SOURCE
#include "runs.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23 /* Linux 5.14 */
#endif

static uint64_t present_somewhere(uint64_t entry)
{
	return ENTRY_PRESENT | (entry & ENTRY_FLAG(VMSNAP_PAGE_UFFD_WP | VMSNAP_PAGE_SOFT_DIRTY | VMSNAP_PAGE_FILE));
}

/* Of a type that no swap area has. */
static uint64_t normal_special(uint64_t entry)
{
	uint64_t bits = (entry & ENTRY_FRAME_MASK) >> SWAP_TYPE_BITS, uffd_wp = ENTRY_FLAG(VMSNAP_PAGE_UFFD_WP);
	if (bits < SWAP_MARKERS)
		return bits & SWAP_MARKER_GUARD ? ENTRY_FLAG(VMSNAP_PAGE_GUARD) : entry & uffd_wp;
	return present_somewhere(entry);
}

/* Guard regions have a bit of their own since Linux 6.15, for all users.  What is a file's or shared (bit 61) is
 * a page, wherever it is: an entry of swap has none. */
uint64_t entry_normal(uint64_t entry)
{
	entry &= ~ENTRY_FLAG(VMSNAP_PAGE_ZERO | VMSNAP_PAGE_HUGE);
	if (!(entry & ENTRY_SWAPPED))
		return entry;
	if (entry & ENTRY_FLAG(VMSNAP_PAGE_GUARD))
		return ENTRY_FLAG(VMSNAP_PAGE_GUARD);
	if (entry & ENTRY_FLAG(VMSNAP_PAGE_FILE))
		return present_somewhere(entry);
	return (entry & ((1u << SWAP_TYPE_BITS) - 1)) < SWAP_TYPES ? entry : normal_special(entry);
}

/* Only a help: without it the pages come when they are written. */
static void advise(struct run *items, size_t capacity, int advice)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	uintptr_t start = ((uintptr_t)items + page - 1) & ~(page - 1);
	uintptr_t end = (uintptr_t)(items + capacity) & ~(page - 1);
	if (end > start)
		(void)madvise((void *)start, end - start, advice);
}

int run_list_reserve(struct run_list *list, size_t capacity, bool populate)
{
	if (capacity <= list->capacity)
		return VMSNAP_OK;
	if (capacity > SIZE_MAX / sizeof(struct run))
		return VMSNAP_ERR_NO_MEMORY;
	struct run *items = realloc(list->items, capacity * sizeof(*items));
	if (!items)
		return VMSNAP_ERR_NO_MEMORY;
	list->items = items;
	list->capacity = capacity;
	if (populate)
		advise(items, capacity, MADV_POPULATE_WRITE);
	return VMSNAP_OK;
}

/* Page faults would take a third of the time in which a large file is read. */
void run_list_expect(struct run_list *list, size_t least, size_t most)
{
	enum { HUGE_PAGE = 2 << 20 };
	if (least >= HUGE_PAGE / sizeof(struct run) && !run_list_reserve(list, most, false))
		advise(list->items, least, MADV_HUGEPAGE);
}

void run_list_trim(struct run_list *list)
{
	struct run *items =
	        list->count < list->capacity && list->count ? realloc(list->items, list->count * sizeof(*items)) : NULL;
	if (!items)
		return;
	list->items = items;
	list->capacity = list->count;
}

static int append_one(struct run_list *list, uint64_t start, uint64_t pages, uint64_t entry)
{
	if (list->count == list->capacity) {
		enum { LEAST = 256 }; /* a half of one that was reserved is none */
		int rc = run_list_reserve(list, list->capacity < LEAST ? LEAST : list->capacity + list->capacity / 2,
		                          false);
		if (rc)
			return rc;
	}
	list->items[list->count++] = (struct run){ .head = start | (pages - 1), .entry = entry };
	return VMSNAP_OK;
}

int run_list_append(struct run_list *list, uint64_t page_size, uint64_t start, uint64_t pages, uint64_t entry)
{
	uint64_t step = entry_step(entry);
	struct run *last = list->count ? &list->items[list->count - 1] : NULL;
	if (last && entry_step(last->entry) == step) {
		uint64_t have = run_pages(last);
		if (run_start(last) + have * page_size == start && last->entry + have * step == entry) {
			uint64_t more = RUN_PAGES_MAX - have < pages ? RUN_PAGES_MAX - have : pages;
			last->head += more;
			start += more * page_size;
			entry += more * step;
			pages -= more;
		}
	}
	while (pages) {
		uint64_t now = pages < RUN_PAGES_MAX ? pages : RUN_PAGES_MAX;
		int rc = append_one(list, start, now, entry);
		if (rc)
			return rc;
		start += now * page_size;
		entry += now * step;
		pages -= now;
	}
	return VMSNAP_OK;
}

void run_list_free(struct run_list *list)
{
	free(list->items);
	*list = (struct run_list){ 0 };
}

size_t run_list_find(const struct run_list *list, uint64_t page_size, uint64_t address)
{
	size_t low = 0, high = list->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct run *run = &list->items[middle];
		/* The last byte, not the end: the end of the highest page wraps to 0. */
		if (run_start(run) + run_pages(run) * page_size - 1 < address)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}
