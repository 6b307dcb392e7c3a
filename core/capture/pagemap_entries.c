#include "pagemap_entries.h"

/* What the kernel shows as swapped, and what bits 59 and 60 would be, is looked at twice. */
#define ENTRY_ODD (ENTRY_SWAPPED | ENTRY_FLAG(VMSNAP_PAGE_ZERO | VMSNAP_PAGE_HUGE))

/* ---- runs ---------------------------------------------------------------------------- */

/* As many of the first entries as the last run has room for, if they continue it. */
static size_t join_last(const struct entries *entries, uint64_t page_size, struct run_list *runs, size_t floor)
{
	struct run *last = runs->count > floor ? &runs->items[runs->count - 1] : NULL;
	if (!last || !(last->entry & ENTRY_POPULATED))
		return 0;
	uint64_t pages = run_pages(last), step = entry_step(last->entry), expected = last->entry + pages * step;
	if (run_start(last) + pages * page_size != entries->first * page_size)
		return 0;
	size_t joined = 0;
	while (joined < entries->count && pages + joined < RUN_PAGES_MAX && entries->items[joined] == expected) {
		joined++;
		expected += step;
	}
	last->head += joined;
	return joined;
}

/* The innermost loop of a capture.  An entry with only bit 55 set is an absent page of a mapping that
 * is soft-dirty as a whole. */
int64_t entries_decode(const struct entries *in, uint64_t page_size, struct run_list *runs, size_t floor,
                       unsigned *seen)
{
	size_t most = runs->count + in->count, count = in->count;
	if (most > runs->capacity && run_list_reserve(runs, most + most / 2, false))
		return -1;
	const uint64_t *entries = in->items;
	size_t joined = join_last(in, page_size, runs, floor);
	struct run *out = runs->items + runs->count;
	uint64_t address = in->first * page_size;
	int64_t populated = (int64_t)joined;
	for (size_t i = joined; i < count;) {
		uint64_t entry = entries[i];
		if (!(entry & ENTRY_POPULATED)) {
			i++;
			continue;
		}
		uint64_t normal = entry;
		if (entry & ENTRY_ODD) {
			normal = entry_normal(entry);
			*seen |= normal & ENTRY_SWAPPED ? PAGEMAP_SWAPPED : 0;
			*seen |= normal & ENTRY_PRESENT && entry & ENTRY_SWAPPED ? PAGEMAP_MOVING : 0;
		}
		uint64_t step = entry_step(normal), expected = entry + step;
		size_t end = count - i < RUN_PAGES_MAX ? count : i + RUN_PAGES_MAX;
		size_t next = i + 1;
		while (next < end && entries[next] == expected) {
			next++;
			expected += step;
		}
		out->head = (address + i * page_size) | (next - i - 1);
		out->entry = normal;
		out += normal != 0;
		populated += (int64_t)(next - i);
		i = next;
	}
	runs->count = (size_t)(out - runs->items);
	return populated;
}

/* A run has the room of two entries.  Which it is is asked of some: where frames count up, runs are made
 * at once, in less time than it takes to write the entries to memory. */
bool entries_worth_keeping(const struct entries *entries)
{
	enum { SAMPLES = 64, BREAKS = SAMPLES / 2, COUNT_MIN = 1024 };
	const uint64_t *items = entries->items;
	size_t stride = entries->count / SAMPLES, breaks = 0;
	if (entries->count < COUNT_MIN)
		return false;
	for (size_t i = 0; i < SAMPLES; i++) {
		uint64_t entry = items[i * stride], next = items[i * stride + 1];
		breaks += (entry & ENTRY_PRESENT) && next != entry + entry_step(entry);
	}
	if (breaks < BREAKS)
		return false;
	uint64_t all = 0;
	for (size_t i = 0; i < entries->count; i++)
		all |= items[i];
	return !(all & ENTRY_ODD);
}

/* ---- what PAGEMAP_SCAN has to be asked ------------------------------------------------ */

/* Whether a PMD's worth of entries may be one huge page: all there, frames that count up from a multiple
 * of it.  Some are looked at; who is asked in vain does no harm. */
static bool may_be_huge(const uint64_t *items, uint64_t pmd)
{
	const size_t places[] = { pmd - 1, pmd / 2, pmd / 3 };
	uint64_t first = items[0], frame = first & ENTRY_FRAME_MASK, step = entry_step(first);
	uint64_t kept = frame ? ENTRY_PRESENT | ENTRY_FRAME_MASK : UINT64_MAX;
	if (!(first & ENTRY_PRESENT) || frame % pmd)
		return false;
	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++)
		if ((items[places[i]] ^ (first + places[i] * step)) & kept)
			return false;
	return true;
}

/* The zero page is never exclusive and never a file's (its huge sister looks like
 * one, but is found as a huge page).  With PFNs it is known by its own. */
static bool may_be_zero(const struct pagemap_probe *probe, uint64_t entry)
{
	uint32_t telling = VMSNAP_PAGE_PRESENT | VMSNAP_PAGE_SWAPPED | VMSNAP_PAGE_EXCLUSIVE | VMSNAP_PAGE_FILE;
	if (probe->zero_pfn && (entry & ENTRY_FRAME_MASK))
		return false;
	return (entry_flags(entry) & telling) == VMSNAP_PAGE_PRESENT;
}

/* From the first to the last of them that may be. */
static bool zeros_among(const uint64_t *items, size_t count, const struct pagemap_probe *probe, size_t *from,
                        size_t *to)
{
	*from = *to = 0;
	for (size_t i = 0; i < count; i++)
		if (may_be_zero(probe, items[i])) {
			*from = *to ? *from : i;
			*to = i + 1;
		}
	return *to;
}

bool entries_next_question(const struct entries *entries, const struct pagemap_probe *probe, uint64_t page_size,
                           uint64_t *at, struct address_range *out)
{
	uint64_t pmd = page_size / sizeof(uint64_t), end = entries->first + entries->count;
	/* By far the most are passed over at a glance. */
	bool zeros = !probe->zero_pfn || !probe->known.pfn;
	while (*at < end) {
		uint64_t first = *at, next = (first / pmd + 1) * pmd;
		const uint64_t *items = entries->items + (first - entries->first);
		size_t from = 0, to = (size_t)((next < end ? next : end) - first);
		*at = next;
		if ((to == pmd && may_be_huge(items, pmd)) || (zeros && zeros_among(items, to, probe, &from, &to))) {
			*out = (struct address_range){ (first + from) * page_size, (first + to) * page_size };
			return true;
		}
	}
	return false;
}
