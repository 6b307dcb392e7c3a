#include "print_diff_view.h"

#include <stdlib.h>
#include <string.h>

#include "error.h"

static int by_start(const void *left, const void *right, const void *ctx)
{
	const struct diff_move *a = left, *b = right;
	(void)ctx;
	return (a->start > b->start) - (a->start < b->start);
}

static int collect_moves(struct diff_view *view, struct work *work)
{
	struct vmsnap_diff_vma row;
	size_t count = vmsnap_diff_totals(view->diff)->vmas[VMSNAP_VMA_CHANGE_MOVED];
	if (!count)
		return VMSNAP_OK;
	int rc = VMSNAP_OK;
	view->moves = work_array(work, count, sizeof(*view->moves), &rc);
	for (size_t i = 0; !rc && i < vmsnap_diff_vma_count(view->diff) && view->move_count < count; i++)
		if (!vmsnap_diff_vma(view->diff, i, &row) && row.change == VMSNAP_VMA_CHANGE_MOVED && row.a && row.b)
			view->moves[view->move_count++] =
			        (struct diff_move){ row.b->start, row.b->end, row.a->start - row.b->start };
	return rc ? rc : work_sort(work, view->moves, view->move_count, sizeof(*view->moves), by_start, NULL);
}

int diff_view_init(struct diff_view *view, const struct vmsnap_diff *diff, struct work *work)
{
	const struct vmsnap *a = vmsnap_diff_a(diff), *b = vmsnap_diff_b(diff);
	const struct vmsnap_info *ia = vmsnap_info(a), *ib = vmsnap_info(b);
	*view = (struct diff_view){ .diff = diff, .a = a, .b = b, .exclusive = ia->known.exclusive };
	bool other_boot = *ia->boot_id && *ib->boot_id && strcmp(ia->boot_id, ib->boot_id) != 0;
	view->frames = ia->known.pfn && ib->known.pfn && !other_boot;
	int rc = collect_moves(view, work);
	if (!rc && vmsnap_diff_totals(diff)->touched) {
		rc = touched_by_init(&view->touched_a, a, work);
		rc = rc ? rc : touched_by_init(&view->touched_b, b, work);
	}
	return rc;
}

void diff_view_free(struct diff_view *view, struct work *work)
{
	touched_by_free(&view->touched_a, work);
	touched_by_free(&view->touched_b, work);
	free(view->moves);
}

/* How far away the page at `address` was in A. */
static uint64_t delta_at(const struct diff_view *view, uint64_t address)
{
	size_t low = 0, high = view->move_count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (view->moves[middle].end <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low < view->move_count && view->moves[low].start <= address ? view->moves[low].delta : 0;
}

/* Whether a write to such a page of a private mapping makes a copy. */
static bool write_copies(const struct diff_view *view, uint32_t flags)
{
	if (!(flags & VMSNAP_PAGE_PRESENT) || (flags & VMSNAP_PAGE_ZERO))
		return false;
	return (flags & VMSNAP_PAGE_FILE) || !view->exclusive || !(flags & VMSNAP_PAGE_EXCLUSIVE);
}

static void copied_pieces(const struct diff_view *view, const struct vmsnap_diff_range *range, diff_piece_fn fn,
                          void *ctx)
{
	uint64_t delta = delta_at(view, range->start), at = range->start;
	struct vmsnap_run_iter it;
	struct vmsnap_run run;
	vmsnap_run_iter_init(&it, view->a, range->start + delta, range->end + delta);
	while (at < range->end && vmsnap_run_next(&it, &run) == VMSNAP_OK) {
		uint64_t start = run.start - delta, end = run.end - delta;
		if (start > at)
			fn(ctx, at, start, CLASS_OTHER);
		fn(ctx, start, end, write_copies(view, run.flags) ? CLASS_COPIED : CLASS_OTHER);
		at = end;
	}
	if (at < range->end)
		fn(ctx, at, range->end, CLASS_OTHER);
}

void diff_pieces(const struct diff_view *view, const struct vmsnap_diff_range *range, diff_piece_fn fn, void *ctx)
{
	uint32_t changes = range->changes;
	if (changes & (1u << VMSNAP_CHANGE_APPEARED | 1u << VMSNAP_CHANGE_ZERO_FILLED_IN))
		fn(ctx, range->start, range->end, CLASS_NEW);
	else if (changes & 1u << VMSNAP_CHANGE_VANISHED)
		fn(ctx, range->start, range->end, CLASS_GONE);
	else if ((changes & (1u << VMSNAP_CHANGE_PFN_CHANGED | 1u << VMSNAP_CHANGE_PRIVATISED)) &&
	         !(range->vma && (range->vma->perms & VMSNAP_PERM_SHARED)))
		copied_pieces(view, range, fn, ctx);
	else
		fn(ctx, range->start, range->end, CLASS_OTHER);
}

uint64_t diff_address_in_a(const struct diff_view *view, uint64_t address)
{
	return address + delta_at(view, address);
}

void diff_touched_reasons(const struct diff_view *view, const struct vmsnap_diff_range *range,
                          struct touched_reasons *reasons)
{
	uint64_t delta = delta_at(view, range->start);
	if (!range->touched)
		return;
	touched_reasons_add(reasons, &view->touched_b, range->start, range->end);
	touched_reasons_add(reasons, &view->touched_a, range->start + delta, range->end + delta);
}

uint64_t diff_touched_code(const struct diff_view *view, struct touched_reasons *reasons)
{
	const struct vmsnap_diff_totals *totals = vmsnap_diff_totals(view->diff);
	uint64_t pages = 0;
	struct vmsnap_diff_range range;
	if (!totals->touched_pages[VMSNAP_CHANGE_PRIVATISED] || !totals->privatised_executable)
		return 0;
	for (size_t i = 0; !vmsnap_diff_range(view->diff, i, &range); i++) {
		if (!range.touched || !range.executable || !(range.changes & 1u << VMSNAP_CHANGE_PRIVATISED))
			continue;
		pages += (range.end - range.start) / vmsnap_info(view->b)->page_size;
		if (reasons)
			diff_touched_reasons(view, &range, reasons);
	}
	return pages;
}

static uint64_t shared_in(const struct diff_view *view, uint64_t start, uint64_t end)
{
	uint64_t bytes = 0;
	struct vmsnap_run_iter it;
	struct vmsnap_run run;
	vmsnap_run_iter_init(&it, view->a, start, end);
	while (vmsnap_run_next(&it, &run) == VMSNAP_OK)
		if (write_copies(view, run.flags))
			bytes += run.end - run.start;
	return bytes;
}

uint64_t diff_shared_at_a(const struct diff_view *view, const struct vmsnap_vma *vma, uint64_t start, uint64_t end)
{
	uint64_t delta = delta_at(view, start);
	return vma->perms & VMSNAP_PERM_SHARED ? 0 : shared_in(view, start + delta, end + delta);
}

uint64_t diff_total_shared_at_a(const struct diff_view *view)
{
	uint64_t bytes = 0;
	const struct vmsnap_vma *vma;
	for (size_t i = 0; (vma = vmsnap_vma(view->a, i)); i++)
		if ((vma->perms & (VMSNAP_PERM_WRITE | VMSNAP_PERM_SHARED)) == VMSNAP_PERM_WRITE)
			bytes += shared_in(view, vma->start, vma->end);
	return bytes;
}

size_t diff_range_find(const struct vmsnap_diff *diff, uint64_t address)
{
	struct vmsnap_diff_range range;
	size_t low = 0, high = vmsnap_diff_range_count(diff);
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (!vmsnap_diff_range(diff, middle, &range) && range.end <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}
