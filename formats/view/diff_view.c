#include "diff_view.h"

#include <string.h>

#include "error.h"

bool same_boot(const struct vmsnap *a, const struct vmsnap *b)
{
	return strcmp(vmsnap_info(a)->boot_id, vmsnap_info(b)->boot_id) == 0;
}

int diff_view_init(struct diff_view *view, const struct vmsnap_diff *diff, struct work *work)
{
	const struct vmsnap *a = vmsnap_diff_a(diff), *b = vmsnap_diff_b(diff);
	const struct vmsnap_info *ia = vmsnap_info(a), *ib = vmsnap_info(b);
	*view = (struct diff_view){ .diff = diff, .a = a, .b = b, .exclusive = ia->known.exclusive };
	view->shared_more = vmsnap_diff_total(diff, VMSNAP_TOTAL_SHARED_UNKNOWN_A);
	view->frames = ia->known.pfn && ib->known.pfn && same_boot(a, b);
	int rc = VMSNAP_OK;
	if (vmsnap_diff_total(diff, VMSNAP_TOTAL_TOUCHED)) {
		rc = touched_by_init(&view->touched_a, a, work);
		rc = rc ? rc : touched_by_init(&view->touched_b, b, work);
	}
	return rc;
}

void diff_view_free(struct diff_view *view, struct work *work)
{
	touched_by_free(&view->touched_a, work);
	touched_by_free(&view->touched_b, work);
}

static bool is(const struct vmsnap_diff_range *range, int kind)
{
	return range->kinds & 1u << kind;
}

/* The one table of what happened: kinds come of facts in facts.c, and everything that shows or counts a change asks
 * here. In this order: where other memory lies, as that which is there now. */
static const struct {
	int kind, page_class;
} events[] = {
	{ VMSNAP_KIND_COPIED, CLASS_COPIED },   { VMSNAP_KIND_NEW, CLASS_NEW },
	{ VMSNAP_KIND_WRITTEN, CLASS_WRITTEN }, { VMSNAP_KIND_SWAPPED, CLASS_SWAPPED_OUT },
	{ VMSNAP_KIND_GONE, CLASS_GONE },       { VMSNAP_KIND_OTHER, CLASS_OTHER },
	{ VMSNAP_KIND_MAPPED, CLASS_FILE },
};
enum { EVENTS = sizeof(events) / sizeof(events[0]) };

static int class_of_event(const struct vmsnap_diff_range *range, size_t event)
{
	int page_class = events[event].page_class;
	if (page_class == CLASS_SWAPPED_OUT && !(range->after & VMSNAP_PAGE_SWAPPED))
		return CLASS_SWAPPED_IN;
	return page_class;
}

int diff_range_class(const struct vmsnap_diff_range *range)
{
	bool there = range->after & (VMSNAP_PAGE_PRESENT | VMSNAP_PAGE_SWAPPED);
	for (size_t i = 0; i < EVENTS; i++)
		if (is(range, events[i].kind) && events[i].kind != VMSNAP_KIND_MAPPED)
			return events[i].page_class == CLASS_GONE && there ? CLASS_OTHER : class_of_event(range, i);
	return CLASS_HOLE;
}

void diff_range_sums(const struct vmsnap_diff_range *range, uint64_t *classes)
{
	for (size_t i = 0; i < EVENTS; i++)
		if (is(range, events[i].kind))
			classes[class_of_event(range, i)] += range->end - range->start;
}

/* Whether the facts of one go on in the next: the lists of facts do not tell kinds apart. */
static bool goes_on(const struct vmsnap_diff_range *last, const struct vmsnap_diff_range *next)
{
	return last->end == next->start && last->changes == next->changes && last->vma == next->vma &&
	       last->executable == next->executable && last->touched == next->touched && last->moved == next->moved &&
	       last->end - last->start == next->from - last->from;
}

bool diff_facts_next(const struct vmsnap_diff *diff, size_t *index, struct vmsnap_diff_range *range)
{
	struct vmsnap_diff_range next;
	if (vmsnap_diff_range(diff, *index, range))
		return false;
	while (!vmsnap_diff_range(diff, ++*index, &next) && goes_on(range, &next))
		range->end = next.end;
	return true;
}

void diff_touched_reasons(const struct diff_view *view, const struct vmsnap_diff_range *range,
                          struct touched_reasons *reasons)
{
	if (!range->touched)
		return;
	touched_reasons_add(reasons, &view->touched_b, range->start, range->end);
	touched_reasons_add(reasons, &view->touched_a, range->from, range->from + (range->end - range->start));
}

uint64_t diff_touched_code(const struct diff_view *view, uint32_t changes, struct touched_reasons *reasons)
{
	uint64_t pages = 0;
	struct vmsnap_diff_range range;
	if (!vmsnap_diff_total(view->diff, VMSNAP_TOTAL_TOUCHED) ||
	    !vmsnap_diff_total(view->diff, VMSNAP_TOTAL_CODE_WRITTEN))
		return 0;
	for (size_t i = 0; !vmsnap_diff_range(view->diff, i, &range); i++) {
		if (!range.touched || !vmsnap_code_written(&range) || !(range.changes & changes))
			continue;
		pages += (range.end - range.start) / vmsnap_info(view->b)->page_size;
		if (reasons)
			diff_touched_reasons(view, &range, reasons);
	}
	return pages;
}

uint64_t diff_shared_at_a(const struct diff_view *view, uint64_t start, uint64_t end)
{
	return vmsnap_diff_shared(view->diff, start, end) * vmsnap_info(view->a)->page_size;
}

uint64_t diff_total_shared_at_a(const struct diff_view *view)
{
	return vmsnap_diff_total(view->diff, VMSNAP_TOTAL_SHARED_A) * vmsnap_info(view->a)->page_size;
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
