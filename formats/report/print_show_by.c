/* print_show_by.c - the address space, added up: vmsnap_print_show_by(). */
#include "emitter.h"
#include "error.h"
#include "filter_record.h"
#include "schemas.h"
#include "show_groups.h"
#include "show_text.h"
#include "snapshot_record.h"
#include "text_limit.h"
#include "vma_record.h"

enum { GROUP_KIND, GROUP_NODE, GROUP_NAME, GROUP_MAPPINGS, GROUP_SUMS, GROUP_COLUMNS = GROUP_SUMS + SUMS_COLUMNS };
static const struct column group_columns[] = {
	[GROUP_KIND] = { "kind", "KIND", COLUMN_WORD, 0, "program, library, heap, stack, ...", NULL },
	[GROUP_NODE] = { "node", "NODE", COLUMN_COUNT, 0, "the NUMA node of the pages", NULL },
	[GROUP_NAME] = { "name", "MAPPING", COLUMN_PATH, COLUMN_SPARSE, "the file, or what mappings are called", NULL },
	[GROUP_MAPPINGS] = { "mappings", "MAPPINGS", COLUMN_COUNT, 0, "how many there are", NULL },
	[GROUP_SUMS + SUMS_SIZE] = { "size", "SIZE", COLUMN_BYTES, 0, "of the mappings", NULL },
	[GROUP_SUMS + SUMS_RESIDENT] = { "resident", "RESIDENT", COLUMN_BYTES, COLUMN_NONZERO, "present pages", NULL },
	[GROUP_SUMS + SUMS_SWAPPED] = { "swapped", "SWAPPED", COLUMN_BYTES, COLUMN_NONZERO, "pages in swap", NULL },
	[GROUP_SUMS + SUMS_EXCLUSIVE] = { "exclusive", "EXCL", COLUMN_BYTES, COLUMN_NONZERO,
	                                  "present pages mapped here only", NULL },
	[GROUP_SUMS +
	        SUMS_ZERO] = { "zero", "ZERO", COLUMN_BYTES, COLUMN_NONZERO, "pages that are the zero page", NULL },
	[GROUP_SUMS + SUMS_FILE] = { "file", "FILE", COLUMN_BYTES, COLUMN_SECONDARY | COLUMN_NONZERO,
	                             "pages of files or shared memory", NULL },
	[GROUP_SUMS + SUMS_HUGE] = { "huge", "HUGE", COLUMN_BYTES, COLUMN_SECONDARY | COLUMN_NONZERO,
	                             "pages in huge ones", NULL },
	[GROUP_SUMS + SUMS_GUARD] = { "guard", "GUARD", COLUMN_BYTES, COLUMN_SECONDARY | COLUMN_NONZERO, "guard pages",
	                              NULL },
	[GROUP_SUMS + SUMS_EXCLUSIVE_UNKNOWN] = { "exclusive_unknown", "EXCL?", COLUMN_BYTES,
	                                          COLUMN_SECONDARY | COLUMN_NONZERO,
	                                          "pages of which it is not known whether they are", NULL },
	[GROUP_SUMS + SUMS_SWAPPED_UNKNOWN] = { "swapped_unknown", "SWAPPED?", COLUMN_BYTES,
	                                        COLUMN_SECONDARY | COLUMN_NONZERO,
	                                        "pages that look swapped, and may not be", NULL },
};
static const uint32_t group_shown[] = {
	GROUP_KIND,
	GROUP_MAPPINGS,
	GROUP_SUMS + SUMS_SIZE,
	GROUP_SUMS + SUMS_RESIDENT,
	GROUP_SUMS + SUMS_SWAPPED,
	GROUP_SUMS + SUMS_EXCLUSIVE,
	GROUP_SUMS + SUMS_ZERO,
	GROUP_SUMS + SUMS_FILE,
	GROUP_SUMS + SUMS_HUGE,
	GROUP_SUMS + SUMS_GUARD,
	GROUP_SUMS + SUMS_EXCLUSIVE_UNKNOWN,
	GROUP_SUMS + SUMS_SWAPPED_UNKNOWN,
	GROUP_NAME,
};
const struct row_schema show_by_schema = ROW_SCHEMA_SHOWN(group_columns, group_shown);
static const uint32_t node_shown[] = {
	GROUP_NODE,
	GROUP_SUMS + SUMS_RESIDENT,
	GROUP_SUMS + SUMS_EXCLUSIVE,
	GROUP_SUMS + SUMS_ZERO,
	GROUP_SUMS + SUMS_FILE,
	GROUP_SUMS + SUMS_HUGE,
	GROUP_SUMS + SUMS_EXCLUSIVE_UNKNOWN,
};
static const struct row_schema show_by_node_schema = ROW_SCHEMA_SHOWN(group_columns, node_shown);

enum { DOCUMENT_SNAPSHOT, DOCUMENT_FILTER, DOCUMENT_BY, DOCUMENT_GROUPS, DOCUMENT_TOTAL };
static const struct column document_columns[] = {
	[DOCUMENT_SNAPSHOT] = { "snapshot", .type = COLUMN_RECORD, .of = &snapshot_schema },
	[DOCUMENT_FILTER] = { "filter", NULL, COLUMN_RECORD, COLUMN_OPTIONAL, NULL, &filter_schema },
	[DOCUMENT_BY] = { "by", .type = COLUMN_WORD },
	[DOCUMENT_GROUPS] = { "groups", .type = COLUMN_ROWS, .of = &show_by_schema },
	[DOCUMENT_TOTAL] = { "total", .type = COLUMN_RECORD, .of = &show_by_schema },
};
const struct row_schema show_by_document_schema = ROW_SCHEMA(document_columns);

struct show_by {
	const struct vmsnap *snap;
	int by;
	struct filter filter;
	struct show_groups groups;
};

VMSNAP_API const char *vmsnap_show_by_name(int by)
{
	static const char *const names[] = { "kind", "file", "node" };
	return by >= 0 && by < VMSNAP_SHOW_BY_COUNT ? names[by] : NULL;
}

/* A node has pages, and no mappings, nor what is in swap. */
static void put_sums(struct row *row, const struct show_by *show, const struct show_group *group)
{
	if (show->by != VMSNAP_SHOW_BY_NODE) {
		row_put_count(row, GROUP_MAPPINGS, group->mappings);
		put_sums_columns(row, GROUP_SUMS, show->snap, &group->sums);
		return;
	}
	const struct vmsnap_sums *sums = &group->sums;
	const struct vmsnap_known *known = &vmsnap_info(show->snap)->known;
	row_put_bytes(row, GROUP_SUMS + SUMS_RESIDENT, sums->resident);
	row_put_bytes_least(row, GROUP_SUMS + SUMS_EXCLUSIVE, sums->exclusive,
	                    sums->exclusive_unknown + !known->exclusive);
	row_put_bytes_known(row, GROUP_SUMS + SUMS_ZERO, sums->zero, known->zero);
	row_put_bytes(row, GROUP_SUMS + SUMS_FILE, sums->file);
	row_put_bytes_known(row, GROUP_SUMS + SUMS_HUGE, sums->huge, known->huge);
	row_put_bytes(row, GROUP_SUMS + SUMS_EXCLUSIVE_UNKNOWN, sums->exclusive_unknown);
}

static int group_rows(struct row *row, void *ctx, struct vmsnap_error *err)
{
	const struct show_by *show = ctx;
	(void)err;
	for (size_t i = 0; i < show->groups.count && !text_failed(row->text); i++) {
		const struct show_group *group = &show->groups.items[i];
		if (show->by == VMSNAP_SHOW_BY_NODE)
			row_put_count_known(row, GROUP_NODE, group->node, group->node != UINT64_MAX);
		else
			row_put_word(row, GROUP_KIND, vmsnap_mapping_kind_name(group->kind));
		if (show->by == VMSNAP_SHOW_BY_FILE)
			row_put_name(row, GROUP_NAME, group->name);
		put_sums(row, show, group);
		row_end(row);
	}
	if (row_total(row)) {
		row_total_label(row, show->by == VMSNAP_SHOW_BY_NODE ? GROUP_NODE : GROUP_KIND, "total");
		put_sums(row, show, &show->groups.total);
		row_end_total(row);
	}
	return VMSNAP_OK;
}

static int fill_document(struct row *document, void *ctx, struct vmsnap_error *err)
{
	struct show_by *show = ctx;
	put_snapshot(document, DOCUMENT_SNAPSHOT, show->snap);
	put_filter(document, DOCUMENT_FILTER, show->snap, &show->filter);
	row_put_word(document, DOCUMENT_BY, vmsnap_show_by_name(show->by));
	int rc = row_rows(document, DOCUMENT_GROUPS, group_rows, show, err);
	struct row record = row_open(document, DOCUMENT_TOTAL);
	put_sums(&record, show, &show->groups.total);
	row_end(&record);
	return rc;
}

static int show_by_table(struct text *text, struct show_by *show, struct vmsnap_error *err)
{
	bool bare = text->style->raw || text->style->no_headings;
	const struct row_schema *schema = show->by == VMSNAP_SHOW_BY_NODE ? &show_by_node_schema : &show_by_schema;
	int rc = emit_table_check(text, schema, err);
	if (!rc && !bare)
		put_show_heading(text, show->snap, &show->filter, VMSNAP_PRINT_TOTALS_ONLY);
	rc = rc ? rc : emit_table(text, schema, group_rows, show, err);
	if (!rc && !bare)
		put_show_status(text, show->snap);
	return rc;
}

static int show_by_print(struct text *text, struct show_by *show, struct vmsnap_error *err)
{
	int rc = filter_count_unknown(&show->filter, show->snap, 0, UINT64_MAX, &text->work);
	if (rc)
		return work_fail(&text->work, rc, err);
	rc = show_groups_make(&show->groups, show->snap, show->by, &show->filter, text->out.names, &text->work, err);
	if (!rc && text->style->json)
		rc = emit_json(text, "vmsnap.show_by/1", &show_by_document_schema, fill_document, show, err);
	else if (!rc)
		rc = show_by_table(text, show, err);
	show_groups_free(&show->groups, &text->work);
	return rc;
}

VMSNAP_API int vmsnap_print_show_by(const struct vmsnap *snap, int by, const struct vmsnap_output *out,
                                    struct vmsnap_error *err)
{
	struct show_by show = { .snap = snap, .by = by };
	struct text text;
	if (!vmsnap_show_by_name(by))
		return fail(err, VMSNAP_ERR_ARGUMENT, "%d is nothing to show by", by);
	int rc = text_open_filtered(&text, out, err);
	rc = rc ? rc : filter_init(&show.filter, text.out.filter, err);
	rc = rc ? rc : filter_fit(&show.filter, snap, err);
	if (rc)
		return rc;
	text_limit(&text, &snap, 1);
	rc = show_by_print(&text, &show, err);
	return rc ? rc : text_close(&text, err);
}
