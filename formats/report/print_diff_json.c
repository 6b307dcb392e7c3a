/* print_diff_json.c - a diff as JSON. */
#include "print_diff.h"
#include "print_names.h"

static void json_changes(struct json *json, const struct diff_view *view)
{
	struct vmsnap_diff_vma change;
	json_rows(json, "vmas");
	for (size_t i = 0; !text_failed(json->text) && !vmsnap_diff_vma(view->diff, i, &change); i++) {
		json_object(json, NULL);
		json_string(json, "change", vmsnap_vma_change_name(change.change));
		json_vma(json, "a", view->a, change.a, SIZE_MAX);
		json_vma(json, "b", view->b, change.b, SIZE_MAX);
		json_end(json);
	}
	json_end(json);
}

/* One item for each fact: a range with two facts comes twice. */
static int json_range(struct json *json, const struct diff_view *view, const struct vmsnap_diff_range *range,
                      struct vmsnap_names *names, struct vmsnap_error *err)
{
	struct touched_reasons reasons = { .count = 0 };
	diff_touched_reasons(view, range, &reasons);
	int rc = VMSNAP_OK;
	for (int change = 0; !rc && change < VMSNAP_CHANGE_COUNT; change++) {
		if (!(range->changes & 1u << change))
			continue;
		json_object(json, NULL);
		json_hex(json, "start", range->start);
		json_number(json, "pages", pages_of(view->b, range->end - range->start));
		json_string(json, "change", vmsnap_page_change_name(change));
		json_touched(json, range->touched, &reasons);
		rc = json_names(json, names, range->start, range->end, err);
		json_end(json);
	}
	return rc;
}

static int json_pages(struct json *json, const struct diff_view *view, struct vmsnap_names *names,
                      struct vmsnap_error *err)
{
	struct vmsnap_diff_range range;
	int rc = VMSNAP_OK;
	for (size_t i = 0; !rc && !text_failed(json->text) && !vmsnap_diff_range(view->diff, i, &range); i++)
		rc = json_range(json, view, &range, names, err);
	return rc;
}

/* Whether both snapshots know what the fact is made of. */
static bool fact_known(const struct diff_view *view, int change)
{
	const struct vmsnap_known *a = &vmsnap_info(view->a)->known, *b = &vmsnap_info(view->b)->known;
	switch (change) {
	case VMSNAP_CHANGE_PFN_CHANGED:
	case VMSNAP_CHANGE_SWAP_MOVED:
		return view->frames;
	case VMSNAP_CHANGE_BECAME_EXCLUSIVE:
	case VMSNAP_CHANGE_BECAME_SHARED:
		return a->exclusive && b->exclusive;
	case VMSNAP_CHANGE_ZERO_FILLED_IN:
		return a->zero && b->zero;
	case VMSNAP_CHANGE_SOFT_DIRTIED:
		return a->soft_dirty && b->soft_dirty;
	default:
		return true;
	}
}

static void json_counts(struct json *json, const struct diff_view *view, const uint64_t *pages)
{
	json_object(json, "totals");
	for (int i = 0; i < VMSNAP_CHANGE_COUNT; i++)
		json_number_or_null(json, vmsnap_page_change_name(i), pages[i], pages[i] || fact_known(view, i));
}

static void json_totals(struct json *json, const struct diff_view *view)
{
	const struct vmsnap_diff_totals *totals = vmsnap_diff_totals(view->diff);
	json_counts(json, view, totals->pages);
	json_object(json, "vmas");
	for (int i = 0; i < VMSNAP_VMA_CHANGE_COUNT; i++)
		json_number(json, vmsnap_vma_change_name(i), totals->vmas[i]);
	json_end(json);
	json_number(json, "privatised_executable", totals->privatised_executable);
	json_number(json, "resident_a", totals->resident_a);
	json_number(json, "resident_b", totals->resident_b);
	json_end(json);
}

/* Which of all these a debugger wrote to. */
static void json_touched_totals(struct json *json, const struct diff_view *view)
{
	const struct vmsnap_diff_totals *totals = vmsnap_diff_totals(view->diff);
	json_object(json, "touched_by_debugger");
	json_number(json, "pages", totals->touched);
	json_counts(json, view, totals->touched_pages);
	json_number(json, "privatised_executable", diff_touched_code(view, NULL));
	json_end(json);
	json_end(json);
}

static void json_status(struct json *json, const struct diff_view *view)
{
	struct vmsnap_diff_status status;
	json_rows(json, "status");
	for (size_t i = 0; !text_failed(json->text) && !vmsnap_diff_status(view->diff, i, &status); i++) {
		const struct vmsnap_status_field *key = status.a.key_len ? &status.a : &status.b;
		json_object(json, NULL);
		json_bytes(json, "key", key->key, key->key_len);
		json_status_value(json, "a", &status.a);
		json_status_value(json, "b", &status.b);
		json_end(json);
	}
	json_end(json);
}

int print_diff_json(struct text *text, const struct diff_view *view, struct vmsnap_names *names, unsigned flags,
                    struct vmsnap_error *err)
{
	struct json json;
	int rc = VMSNAP_OK;
	json_begin(&json, text, "vmsnap.diff/1");
	json_snapshot(&json, "a", view->a);
	json_snapshot(&json, "b", view->b);
	json_changes(&json, view);
	json_rows(&json, "pages");
	if (!(flags & VMSNAP_PRINT_TOTALS_ONLY))
		rc = json_pages(&json, view, names, err);
	if (rc)
		return rc;
	json_end(&json);
	json_totals(&json, view);
	json_touched_totals(&json, view);
	json_status(&json, view);
	json_finish(&json);
	return VMSNAP_OK;
}
