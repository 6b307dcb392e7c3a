/* print_cow.c - who shares and who copied: vmsnap_print_cow(). */
#include "print_cow.h"

#include "error.h"

bool verdict_is_quiet(int verdict)
{
	return verdict == VMSNAP_SHARED_PAGE || verdict == VMSNAP_ZERO_SHARED || verdict == VMSNAP_FILE_PAGE ||
	       verdict == VMSNAP_SHARED_MAPPING_PAGE || verdict == VMSNAP_SWAPPED_PAGE;
}

bool cow_group_at(const struct vmsnap_cow *cow, size_t first, struct cow_group *group)
{
	struct vmsnap_cow_range range;
	*group = (struct cow_group){ .first = first };
	if (vmsnap_cow_range(cow, first, &range))
		return false;
	group->vma = range.vma;
	do {
		group->pages[range.verdict] += pages_of(vmsnap_cow_child(cow), range.end - range.start);
		group->count++;
	} while (!vmsnap_cow_range(cow, first + group->count, &range) && range.vma == group->vma);
	return true;
}

static int json_ranges(struct json *json, const struct vmsnap_cow *cow, struct vmsnap_names *names,
                       struct vmsnap_error *err)
{
	struct vmsnap_cow_range range;
	for (size_t i = 0; !text_failed(json->text) && !vmsnap_cow_range(cow, i, &range); i++) {
		json_object(json, NULL);
		json_hex(json, "start", range.start);
		json_number(json, "pages", pages_of(vmsnap_cow_child(cow), range.end - range.start));
		json_string(json, "verdict", vmsnap_verdict_name(range.verdict));
		json_bool(json, "inferred", range.inferred);
		json_string(json, "mapping", range.vma ? range.vma->name : "");
		int rc = json_names(json, names, range.start, range.end, err);
		if (rc)
			return rc;
		json_end(json);
	}
	return VMSNAP_OK;
}

int print_cow_json(struct text *text, const struct vmsnap_cow *cow, struct vmsnap_names *names, unsigned flags,
                   struct vmsnap_error *err)
{
	const uint64_t *totals = vmsnap_cow_totals(cow);
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
	json_object(&json, "totals");
	for (int i = 0; i < VMSNAP_VERDICTS; i++)
		json_number(&json, vmsnap_verdict_name(i), totals[i]);
	json_end(&json);
	json_rows(&json, "ranges");
	if (!(flags & VMSNAP_PRINT_TOTALS_ONLY))
		rc = json_ranges(&json, cow, names, err);
	if (rc)
		return rc;
	json_end(&json);
	json_finish(&json);
	return VMSNAP_OK;
}

VMSNAP_API int vmsnap_print_cow(const struct vmsnap_cow *cow, struct vmsnap_names *names, unsigned flags,
                                const struct vmsnap_output *out, struct vmsnap_error *err)
{
	struct text text;
	int rc = text_open(&text, out, err);
	if (rc)
		return rc;
	if (text.style->json)
		rc = print_cow_json(&text, cow, names, flags, err);
	else
		rc = print_cow_text(&text, cow, names, flags, err);
	return rc ? rc : text_close(&text, err);
}
