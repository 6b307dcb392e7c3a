/* pages.c - reading the runs of a snapshot: iteration, one page, sums. */
#include <string.h>

#include "error.h"
#include "hidden_swap.h"
#include "options.h"
#include "snapshot.h"

VMSNAP_API void vmsnap_run_iter_init(struct vmsnap_run_iter *it, const struct vmsnap *snap, uint64_t start,
                                     uint64_t end)
{
	uint64_t mask = snap->info.page_size - 1;
	*it = (struct vmsnap_run_iter){ .snap = snap, .at = start & ~mask, .end = end };
	it->index = run_list_find(&snap->runs, snap->info.page_size, start);
}

static inline int run_next(struct vmsnap_run_iter *it, struct vmsnap_run *out)
{
	const struct run_list *runs = &it->snap->runs;
	uint64_t page_size = it->snap->info.page_size;
	if (it->index >= runs->count || run_start(&runs->items[it->index]) >= it->end)
		return VMSNAP_END;
	uint64_t start, pages, entry;
	it->index = run_list_joined(runs, it->index, page_size, it->end, &start, &pages, &entry);
	if (start < it->at) {
		uint64_t skip = (it->at - start) / page_size;
		start += skip * page_size;
		pages -= skip;
		entry += skip * entry_step(entry);
	}
	/* No division where nothing is cut: there may be a million runs. */
	if (pages * page_size > it->end - start)
		pages = (it->end - start - 1) / page_size + 1;
	run_describe(page_size, start, pages, entry, out);
	return VMSNAP_OK;
}

VMSNAP_API int vmsnap_run_next(struct vmsnap_run_iter *it, struct vmsnap_run *out)
{
	return run_next(it, out);
}

VMSNAP_API size_t vmsnap_run_read(struct vmsnap_run_iter *it, struct vmsnap_run *runs, size_t count)
{
	size_t read = 0;
	while (read < count && run_next(it, &runs[read]) == VMSNAP_OK)
		read++;
	return read;
}

VMSNAP_API int vmsnap_page_at(const struct vmsnap *snap, uint64_t address, struct vmsnap_run *page)
{
	uint64_t page_size = snap->info.page_size;
	uint64_t start = address & ~(page_size - 1);
	size_t index = run_list_find(&snap->runs, page_size, address);
	if (index >= snap->runs.count || run_start(&snap->runs.items[index]) > start)
		return VMSNAP_ERR_NOT_FOUND;
	const struct run *run = &snap->runs.items[index];
	uint64_t skip = (start - run_start(run)) / page_size;
	run_describe(page_size, start, 1, run->entry + skip * entry_step(run->entry), page);
	return VMSNAP_OK;
}

VMSNAP_API void vmsnap_pages_read(const struct vmsnap *snap, uint64_t start, size_t count, uint64_t *entries)
{
	uint64_t page_size = snap->info.page_size;
	start &= ~(page_size - 1);
	memset(entries, 0, count * sizeof(*entries));
	for (size_t i = run_list_find(&snap->runs, page_size, start); i < snap->runs.count; i++) {
		const struct run *run = &snap->runs.items[i];
		uint64_t at = run_start(run), step = entry_step(run->entry), entry = run->entry, pages = run_pages(run);
		if (at >= start && (at - start) / page_size >= count)
			return;
		if (at < start) {
			uint64_t skip = (start - at) / page_size;
			entry += skip * step;
			pages -= skip;
			at = start;
		}
		size_t first = (size_t)((at - start) / page_size);
		for (uint64_t p = 0; p < pages && first + p < count; p++)
			entries[first + p] = entry + p * step;
	}
}

static void add_bytes(struct vmsnap_sums *sums, const struct vmsnap_known *known, uint64_t entry, uint64_t bytes)
{
	uint32_t flags = entry_flags(entry);
	if (flags & VMSNAP_PAGE_SWAPPED)
		*(entry_doubtful(entry) ? &sums->swapped_unknown : &sums->swapped) += bytes;
	if (flags & VMSNAP_PAGE_GUARD)
		sums->guard += bytes;
	if (!(flags & VMSNAP_PAGE_PRESENT))
		return;
	sums->resident += bytes;
	if (!known->exclusive || !entry_exclusive_known(entry, known->pfn, known->exclusive_huge))
		sums->exclusive_unknown += bytes;
	else if (flags & VMSNAP_PAGE_EXCLUSIVE)
		sums->exclusive += bytes;
	if (flags & VMSNAP_PAGE_ZERO)
		sums->zero += bytes;
	if (flags & VMSNAP_PAGE_FILE)
		sums->file += bytes;
	if (flags & VMSNAP_PAGE_HUGE)
		sums->huge += bytes;
}

/* Passes over whole runs of pages that nobody else has: of a large process that is most, and what counts then is how
 * fast memory is read. */
static size_t sum_own(const struct run_list *runs, size_t i, uint64_t page_size, uint64_t end, uint64_t *bytes)
{
	const uint32_t own = VMSNAP_PAGE_PRESENT | VMSNAP_PAGE_EXCLUSIVE, any = VMSNAP_PAGE_SOFT_DIRTY;
	uint64_t pages = 0;
	for (; i < runs->count && (entry_flags(runs->items[i].entry) & ~any) == own; i++) {
		uint64_t from = run_start(&runs->items[i]), count = run_pages(&runs->items[i]);
		if (from >= end || count * page_size > end - from)
			break;
		pages += count;
	}
	*bytes += pages * page_size;
	return i;
}

static void sum_runs(const struct vmsnap *snap, uint64_t start, uint64_t end, struct vmsnap_sums *sums)
{
	const struct run_list *runs = &snap->runs;
	uint64_t page_size = snap->info.page_size, first = start & ~(page_size - 1), own = 0;
	for (size_t i = run_list_find(runs, page_size, start); i < runs->count; i++) {
		if (run_start(&runs->items[i]) >= first)
			i = sum_own(runs, i, page_size, end, &own);
		if (i == runs->count)
			break;
		const struct run *run = &runs->items[i];
		uint64_t from = run_start(run), bytes = run_pages(run) * page_size;
		if (from >= end)
			break;
		if (from < first) {
			bytes -= first - from;
			from = first;
		}
		if (bytes > end - from) /* whole pages */
			bytes = ((end - from - 1) / page_size + 1) * page_size;
		add_bytes(sums, &snap->info.known, run->entry, bytes);
	}
	sums->resident += own;
	*(snap->info.known.exclusive ? &sums->exclusive : &sums->exclusive_unknown) += own;
}

/* Whole pages: what is asked for may begin and end within one. */
static void sum_hidden_swap(const struct vmsnap *snap, size_t vma, uint64_t from, uint64_t to, struct vmsnap_sums *sums)
{
	struct vmsnap_sums shown = { 0 };
	uint64_t mask = snap->info.page_size - 1;
	from &= ~mask;
	to = (to + mask) & ~mask;
	sum_runs(snap, from, to, &shown);
	struct hidden_swap hidden = hidden_swap(snap, vma, from, to, &shown);
	sums->swapped += hidden.bytes;
	if (hidden.unknown)
		sums->swap_unknown += to - from - shown.resident - shown.swapped - shown.guard;
}

static uint64_t smaps_told(const struct vmsnap *snap, size_t vma, const char *key)
{
	for (size_t k = 0; k < snap->smaps.key_count; k++) {
		uint64_t value = snap->smaps.values[vma * snap->smaps.key_count + k];
		if (!strcmp(snap->smaps.keys[k], key))
			return value == UINT64_MAX ? 0 : value;
	}
	return 0;
}

/* Of a whole mapping of which no page was read smaps tells how many there are, but for zero pages. */
static void sum_unread(const struct vmsnap *snap, size_t vma, struct vmsnap_sums *sums)
{
	struct vmsnap_sums shown = { 0 };
	uint64_t start = snap->vmas[vma].start, end = snap->vmas[vma].end;
	size_t first = run_list_find(&snap->runs, snap->info.page_size, start);
	if (first == snap->runs.count || !entry_unread(snap->runs.items[first].entry))
		return;
	sum_runs(snap, start, end, &shown);
	if (shown.swapped_unknown != end - start)
		return;
	sums->resident += smaps_told(snap, vma, "Rss");
	sums->swapped += smaps_told(snap, vma, "Swap");
}

static void sum_up(const struct vmsnap *snap, uint64_t start, uint64_t end, struct vmsnap_sums *sums)
{
	*sums = (struct vmsnap_sums){ 0 };
	for (size_t i = snapshot_vma_find(snap, start); i < snap->vma_count && snap->vmas[i].start < end; i++) {
		const struct vmsnap_vma *vma = &snap->vmas[i];
		uint64_t from = vma->start > start ? vma->start : start, to = vma->end < end ? vma->end : end;
		sums->size += to - from;
		if (hidden_swap_may_be(snap, i))
			sum_hidden_swap(snap, i, from, to, sums);
		if (snap->smaps.key_count && from == vma->start && to == vma->end)
			sum_unread(snap, i, sums);
	}
	sum_runs(snap, start, end, sums);
}

VMSNAP_API void vmsnap_sum_sized(const struct vmsnap *snap, uint64_t start, uint64_t end, struct vmsnap_sums *sums,
                                 size_t size)
{
	struct vmsnap_sums all;
	sum_up(snap, start, end, &all);
	struct_give(sums, size, &all, sizeof(all));
}

/* ---- code --------------------------------------------------------------------------- */

static bool same_runs(const struct vmsnap *a, const struct vmsnap *b, uint64_t start, uint64_t end)
{
	size_t i = run_list_find(&a->runs, a->info.page_size, start);
	size_t k = run_list_find(&b->runs, b->info.page_size, start);
	for (;; i++, k++) {
		const struct run *left = i < a->runs.count ? &a->runs.items[i] : NULL;
		const struct run *right = k < b->runs.count ? &b->runs.items[k] : NULL;
		bool more = left && run_start(left) < end, more_right = right && run_start(right) < end;
		if (!more || !more_right)
			return more == more_right;
		if (left->head != right->head || left->entry != right->entry)
			return false;
	}
}

VMSNAP_API bool vmsnap_same_code(const struct vmsnap *a, const struct vmsnap *b)
{
	/* One array is of snapshots that were made of one map (vmsnap_repeat_capture()). */
	if (a->vmas != b->vmas || a->info.page_size != b->info.page_size)
		return false;
	for (size_t i = 0; i < a->vma_count; i++)
		if (a->vmas[i].perms & VMSNAP_PERM_EXEC && !same_runs(a, b, a->vmas[i].start, a->vmas[i].end))
			return false;
	return true;
}
