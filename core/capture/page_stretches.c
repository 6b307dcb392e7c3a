#include "page_stretches.h"

#define TELLING (ENTRY_PRESENT | ENTRY_FLAG(VMSNAP_PAGE_FILE))

static uint64_t telling(const struct page_stretches *stretches, uint64_t entry)
{
	bool zero = stretches->zero_pfn && entry & ENTRY_PRESENT && (entry & ENTRY_FRAME_MASK) == stretches->zero_pfn;
	return (entry & TELLING) | (zero ? ENTRY_FLAG(VMSNAP_PAGE_ZERO) : entry & ENTRY_FLAG(VMSNAP_PAGE_ZERO));
}

/* Of entries that are kept as they were read: none of them has a bit of ours (entries_worth_keeping()). */
static bool next_entries(struct page_stretches *stretches, const struct pagemap_piece *piece, uint64_t at, uint64_t end,
                         struct page_stretch *out)
{
	uint64_t first = at / stretches->page_size, last = end / stretches->page_size;
	uint64_t zero_pfn = stretches->zero_pfn ? stretches->zero_pfn : UINT64_MAX;
	const uint64_t *entries = piece->entries;
	size_t index = first > piece->first ? (size_t)(first - piece->first) : 0;
	size_t count = last - piece->first < piece->count ? (size_t)(last - piece->first) : piece->count;
	while (index < count && !(entries[index] & ENTRY_PRESENT))
		index++;
	if (index >= count)
		return false;
	uint64_t entry = telling(stretches, entries[index]);
	size_t until = index + 1;
	while (until < count && (entries[until] & TELLING) == entry && (entries[until] & ENTRY_FRAME_MASK) != zero_pfn)
		until++;
	*out = (struct page_stretch){ (piece->first + index) * stretches->page_size,
		                      (piece->first + until) * stretches->page_size, entry };
	return true;
}

static bool next_run(struct page_stretches *stretches, const struct pagemap_piece *piece, uint64_t at,
                     struct page_stretch *out)
{
	const struct run *runs = piece->list->items + piece->run;
	if (!stretches->index) {
		struct run_list part = { piece->list->items + piece->run, piece->count, piece->count };
		stretches->index = run_list_find(&part, stretches->page_size, at);
	}
	for (; stretches->index < piece->count; stretches->index++) {
		const struct run *run = &runs[stretches->index];
		uint64_t end = run_start(run) + run_pages(run) * stretches->page_size;
		if (end <= at || !(run->entry & ENTRY_PRESENT))
			continue;
		*out = (struct page_stretch){ run_start(run), end, telling(stretches, run->entry) };
		return true;
	}
	return false;
}

/* What PAGEMAP_SCAN knows of huge pages is about whole ones: a stretch ends where that changes. */
static void cut_to_marks(struct page_stretches *stretches, struct page_stretch *out)
{
	const struct page_marks *marks = &stretches->found->marks;
	while (stretches->mark < marks->count && marks->items[stretches->mark].end <= out->start)
		stretches->mark++;
	const struct page_region *mark = stretches->mark < marks->count ? &marks->items[stretches->mark] : NULL;
	if (!mark || mark->start >= out->end)
		return;
	if (mark->start > out->start) {
		out->end = mark->start;
		return;
	}
	out->end = mark->end < out->end ? mark->end : out->end;
	out->entry |= pagemap_region_flags(mark) & ENTRY_FLAG(VMSNAP_PAGE_ZERO);
}

bool page_stretches_next(struct page_stretches *stretches, uint64_t at, uint64_t end, struct page_stretch *out)
{
	const struct pagemap_pieces *pieces = &stretches->found->pieces;
	for (; at < end && stretches->piece < pieces->count; stretches->piece++, stretches->index = 0) {
		const struct pagemap_piece *piece = &pieces->items[stretches->piece];
		if (piece->first * stretches->page_size >= end)
			return false;
		bool ends_later = piece->entries && (piece->first + piece->count) * stretches->page_size > end;
		if (!(piece->entries ? next_entries(stretches, piece, at, end, out)
		                     : next_run(stretches, piece, at, out))) {
			if (ends_later)
				return false;
			continue;
		}
		if (out->start >= end)
			return false;
		out->start = out->start > at ? out->start : at;
		cut_to_marks(stretches, out);
		out->end = out->end < end ? out->end : end;
		return true;
	}
	return false;
}
