/* print_cow.c - who shares and who copied: vmsnap_print_cow(). */
#include "print_cow.h"

#include "compared.h"
#include "error.h"

bool verdict_is_quiet(int verdict)
{
	return verdict == VMSNAP_VERDICT_SHARED || verdict == VMSNAP_VERDICT_ZERO_SHARED ||
	       verdict == VMSNAP_VERDICT_FILE || verdict == VMSNAP_VERDICT_SHARED_MAPPING ||
	       verdict == VMSNAP_VERDICT_SWAPPED;
}

bool cow_group_at(const struct vmsnap_cow *cow, size_t first, struct cow_group *group)
{
	struct vmsnap_cow_range range;
	*group = (struct cow_group){ .first = first };
	if (vmsnap_cow_range(cow, first, &range))
		return false;
	group->vma = range.vma;
	do {
		uint64_t pages = pages_of(vmsnap_cow_child(cow), range.end - range.start);
		(range.touched ? group->touched : group->pages)[range.verdict] += pages;
		group->count++;
	} while (!vmsnap_cow_range(cow, first + group->count, &range) && range.vma == group->vma);
	return true;
}

int cow_touched_init(struct cow_touched *touched, const struct vmsnap_cow *cow, struct work *work)
{
	const struct vmsnap *snaps[COW_SIDES] = { vmsnap_cow_parent(cow), vmsnap_cow_child(cow), vmsnap_cow_base(cow) };
	const uint64_t *totals = vmsnap_cow_touched_totals(cow);
	bool any = false;
	int rc = VMSNAP_OK;
	*touched = (struct cow_touched){ 0 };
	for (int i = 0; i < VMSNAP_VERDICT_COUNT; i++)
		any |= totals[i] != 0;
	for (int i = 0; any && !rc && i < COW_SIDES; i++)
		if (snaps[i])
			rc = touched_by_init(&touched->side[i], snaps[i], work);
	return rc;
}

void cow_touched_free(struct cow_touched *touched, struct work *work)
{
	for (int i = 0; i < COW_SIDES; i++)
		touched_by_free(&touched->side[i], work);
}

void cow_touched_reasons(const struct cow_touched *touched, const struct vmsnap_cow_range *range,
                         struct touched_reasons *reasons)
{
	for (int i = 0; range->touched && i < COW_SIDES; i++)
		touched_reasons_add(reasons, &touched->side[i], range->start, range->end);
}

static int json_ranges(struct json *json, const struct vmsnap_cow *cow, const struct cow_touched *touched,
                       struct vmsnap_names *names, struct vmsnap_error *err)
{
	struct vmsnap_cow_range range;
	for (size_t i = 0; !text_failed(json->text) && !vmsnap_cow_range(cow, i, &range); i++) {
		struct touched_reasons reasons = { .count = 0 };
		cow_touched_reasons(touched, &range, &reasons);
		json_object(json, NULL);
		json_hex(json, "start", range.start);
		json_number(json, "pages", pages_of(vmsnap_cow_child(cow), range.end - range.start));
		json_string(json, "verdict", vmsnap_verdict_name(range.verdict));
		json_bool(json, "inferred", range.inferred);
		json_string(json, "mapping", range.vma ? range.vma->name : "");
		json_touched(json, range.touched, &reasons);
		int rc = json_names(json, names, range.start, range.end, err);
		if (rc)
			return rc;
		json_end(json);
	}
	return VMSNAP_OK;
}

static void json_totals(struct json *json, const uint64_t *totals)
{
	json_object(json, "totals");
	for (int i = 0; i < VMSNAP_VERDICT_COUNT; i++)
		json_number(json, vmsnap_verdict_name(i), totals[i]);
	json_end(json);
}

/* Which of all these a debugger wrote to. */
static void json_touched_totals(struct json *json, const struct vmsnap_cow *cow)
{
	const uint64_t *totals = vmsnap_cow_touched_totals(cow);
	uint64_t pages = 0;
	for (int i = 0; i < VMSNAP_VERDICT_COUNT; i++)
		pages += totals[i];
	json_object(json, "touched_by_debugger");
	json_number(json, "pages", pages);
	json_totals(json, totals);
	json_end(json);
}

int print_cow_json(struct text *text, const struct vmsnap_cow *cow, const struct cow_touched *touched,
                   struct vmsnap_names *names, unsigned flags, struct vmsnap_error *err)
{
	const struct vmsnap *base = vmsnap_cow_base(cow);
	struct json json;
	int rc = VMSNAP_OK;
	json_begin(&json, text, "vmsnap.cow/1");
	json_snapshot(&json, "parent", vmsnap_cow_parent(cow));
	json_snapshot(&json, "child", vmsnap_cow_child(cow));
	if (base)
		json_snapshot(&json, "base", base);
	else
		json_null(&json, "base");
	json_string_or_null(&json, "warning", vmsnap_cow_warning(cow));
	json_totals(&json, vmsnap_cow_totals(cow));
	json_touched_totals(&json, cow);
	json_rows(&json, "ranges");
	if (!(flags & VMSNAP_PRINT_TOTALS_ONLY))
		rc = json_ranges(&json, cow, touched, names, err);
	if (rc)
		return rc;
	json_end(&json);
	json_finish(&json);
	return VMSNAP_OK;
}

VMSNAP_API int vmsnap_print_cow(const struct vmsnap_cow *cow, struct vmsnap_names *names, unsigned flags,
                                const struct vmsnap_output *out, struct vmsnap_error *err)
{
	struct cow_touched touched;
	struct text text;
	int rc = text_open(&text, out, err);
	if (rc)
		return rc;
	text.work.limit = cow_memory_left(cow);
	rc = cow_touched_init(&touched, cow, &text.work);
	if (rc)
		rc = work_fail(&text.work, rc, err);
	else if (text.style->json)
		rc = print_cow_json(&text, cow, &touched, names, flags, err);
	else
		rc = print_cow_text(&text, cow, &touched, names, flags, err);
	cow_touched_free(&touched, &text.work);
	return rc ? rc : text_close(&text, err);
}
