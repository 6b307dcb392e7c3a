/* pagemap_marks.c - what PAGEMAP_SCAN knows of pages, and putting it into runs. */
#include <stdlib.h>

#include "array.h"
#include "error.h"
#include "pagemap.h"

int page_marks_reserve(struct page_marks *marks, size_t more)
{
	struct page_region *items = array_reserve(marks->items, marks->count + more, &marks->room, sizeof(*items));
	if (!items && marks->count + more)
		return VMSNAP_ERR_NO_MEMORY;
	marks->items = items;
	return VMSNAP_OK;
}

int page_marks_move(struct page_marks *marks, struct page_marks *from)
{
	if (from->count && page_marks_reserve(marks, from->count))
		return VMSNAP_ERR_NO_MEMORY;
	for (size_t i = 0; i < from->count; i++)
		marks->items[marks->count++] = from->items[i];
	from->count = 0;
	return VMSNAP_OK;
}

static int by_start(const void *left, const void *right)
{
	uint64_t a = ((const struct page_region *)left)->start, b = ((const struct page_region *)right)->start;
	return (a > b) - (a < b);
}

void page_marks_sort(struct page_marks *marks)
{
	for (size_t i = 1; i < marks->count; i++)
		if (marks->items[i].start < marks->items[i - 1].start) {
			qsort(marks->items, marks->count, sizeof(*marks->items), by_start);
			return;
		}
}

uint64_t pagemap_region_flags(const struct page_region *region)
{
	uint64_t flags = 0;
	if (region->categories & SCAN_ZERO)
		flags |= ENTRY_FLAG(VMSNAP_PAGE_ZERO);
	if (region->categories & SCAN_HUGE)
		flags |= ENTRY_FLAG(VMSNAP_PAGE_HUGE);
	return flags;
}

/* Appends a run cut at the borders of the marks that overlap it.  *next is the first
 * mark that may. */
static int append_marked(struct run_list *out, uint64_t page_size, const struct run *run,
                         const struct page_marks *marks, size_t *next)
{
	uint64_t at = run_start(run), end = at + run_pages(run) * page_size, entry = run->entry;
	uint64_t step = entry_step(entry);
	while (*next < marks->count && marks->items[*next].end <= at)
		++*next;
	for (size_t i = *next; at < end;) {
		const struct page_region *mark = i < marks->count ? &marks->items[i] : NULL;
		uint64_t to = end, flags = 0;
		if (mark && mark->start <= at) {
			to = mark->end < end ? mark->end : end;
			flags = entry & ENTRY_PRESENT ? pagemap_region_flags(mark) : 0;
			i++;
		} else if (mark && mark->start < end) {
			to = mark->start;
		}
		int rc = run_list_append(out, page_size, at, (to - at) / page_size, entry | flags);
		if (rc)
			return rc;
		entry += (to - at) / page_size * step;
		at = to;
	}
	return VMSNAP_OK;
}

static int append_all_marked(struct run_list *out, uint64_t page_size, const struct run_list *runs,
                             const struct page_marks *marks)
{
	size_t next = 0;
	int rc = VMSNAP_OK;
	for (size_t i = 0; !rc && i < runs->count; i++)
		rc = append_marked(out, page_size, &runs->items[i], marks, &next);
	return rc;
}

/* Pages of a run, from its first on, that no PMD maps, and how many after them one may: as many as a table of
 * 8-byte entries has, from a border of as many, in memory too, if that is known. */
static uint64_t perhaps_huge(uint64_t page_size, uint64_t at, uint64_t pages, uint64_t entry, uint64_t *head)
{
	uint64_t whole = page_size / sizeof(uint64_t), step = entry_step(entry);
	*head = (whole - at / page_size % whole) % whole;
	if (!(entry & ENTRY_PRESENT) || (entry & ENTRY_FLAG(VMSNAP_PAGE_ZERO)) ||
	    (((entry + *head * step) & ENTRY_FRAME_MASK) % whole && step) || pages < *head + whole)
		*head = pages;
	return (pages - *head) / whole * whole;
}

/* Pages that one PMD or more may map; of these the huge zero page is known by its frame. */
static int append_huge(struct run_list *out, const struct pagemap_probe *probe, uint64_t page_size, uint64_t start,
                       uint64_t pages, uint64_t entry)
{
	uint64_t whole = page_size / sizeof(uint64_t), zero = probe->huge_zero_pfn - (entry & ENTRY_FRAME_MASK);
	bool has_zero = probe->huge_zero_pfn && entry_step(entry) && zero < pages;
	uint64_t parts[] = { has_zero ? zero : pages, has_zero ? whole : 0, has_zero ? pages - zero - whole : 0 };
	for (int part = 0; part < 3; part++) {
		uint64_t flags = ENTRY_FLAG(part == 1 ? VMSNAP_PAGE_HUGE | VMSNAP_PAGE_ZERO : VMSNAP_PAGE_HUGE);
		int rc = parts[part] ? run_list_append(out, page_size, start, parts[part], entry | flags) : VMSNAP_OK;
		if (rc)
			return rc;
		start += parts[part] * page_size;
		entry += parts[part] * entry_step(entry);
	}
	return VMSNAP_OK;
}

/* Where nothing tells which pages are mapped by a PMD, those that may be are taken for such: known.huge is not
 * set, so nobody calls them huge, but their bit 56 may be about others. */
static int append_all_perhaps_huge(struct run_list *out, const struct pagemap_probe *probe, uint64_t page_size,
                                   const struct run_list *runs)
{
	for (size_t i = 0; i < runs->count;) {
		uint64_t start, pages, entry, head;
		i = run_list_joined(runs, i, page_size, UINT64_MAX, &start, &pages, &entry);
		uint64_t step = entry_step(entry), huge = perhaps_huge(page_size, start, pages, entry, &head);
		uint64_t tail = head + huge;
		int rc = head ? run_list_append(out, page_size, start, head, entry) : VMSNAP_OK;
		if (!rc && huge)
			rc = append_huge(out, probe, page_size, start + head * page_size, huge, entry + head * step);
		if (!rc && tail < pages)
			rc = run_list_append(out, page_size, start + tail * page_size, pages - tail,
			                     entry + tail * step);
		if (rc)
			return rc;
	}
	return VMSNAP_OK;
}

int pagemap_apply_marks(const struct pagemap_probe *probe, uint64_t page_size, const struct page_marks *marks,
                        struct run_list *runs)
{
	for (size_t i = 0; probe->zero_pfn && i < runs->count; i++) {
		uint64_t entry = runs->items[i].entry;
		if ((entry & ENTRY_PRESENT) && (entry & ENTRY_FRAME_MASK) == probe->zero_pfn)
			runs->items[i].entry |= ENTRY_FLAG(VMSNAP_PAGE_ZERO);
	}
	if (!marks->count && probe->known.huge)
		return VMSNAP_OK;
	struct run_list marked = { 0 };
	int rc = run_list_reserve(&marked, runs->count, false);
	rc = rc                  ? rc
	     : probe->known.huge ? append_all_marked(&marked, page_size, runs, marks)
	                         : append_all_perhaps_huge(&marked, probe, page_size, runs);
	if (rc) {
		run_list_free(&marked);
		return rc;
	}
	run_list_free(runs);
	*runs = marked;
	return VMSNAP_OK;
}
