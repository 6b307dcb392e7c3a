/* print_group_by.c - a group of processes by what is shared: vmsnap_print_group_by(). */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "emitter.h"
#include "error.h"
#include "format_value.h"
#include "group_names.h"
#include "schemas.h"

enum { BEFORE_FRAMES, BEFORE_BY_ALL, BEFORE_SHARED, BEFORE_OWN };
static const struct column before_columns[] = {
	[BEFORE_FRAMES] = { "frames", .type = COLUMN_BYTES },
	[BEFORE_BY_ALL] = { "by_all", .type = COLUMN_BYTES },
	[BEFORE_SHARED] = { "shared", .type = COLUMN_BYTES },
	[BEFORE_OWN] = { "own", .type = COLUMN_BYTES },
};
static const struct row_schema before_schema = ROW_SCHEMA(before_columns);

enum {
	ROW_NAME,
	ROW_OBJECT,
	ROW_INODE,
	ROW_PROCESSES,
	ROW_SIZE,
	ROW_RSS,
	ROW_PSS,
	ROW_FRAMES,
	ROW_FRAMES_NOW,
	ROW_BY_ALL,
	ROW_BY_ALL_NOW,
	ROW_SHARED,
	ROW_SHARED_NOW,
	ROW_OWN,
	ROW_OWN_NOW,
	ROW_LOST,
	ROW_OUTSIDE,
	ROW_HIDDEN,
	ROW_BEFORE,
	ROW_CALLED,
	ROW_IN,
};
static const struct column by_columns[] = {
	[ROW_NAME] = { "name", .type = COLUMN_NAME },
	[ROW_OBJECT] = { "object", .type = COLUMN_PATH },
	[ROW_INODE] = { "inode", "INODE", COLUMN_COUNT, COLUMN_SECONDARY, "of the mapped file", NULL },
	[ROW_PROCESSES] = { "processes", "PROCESSES", COLUMN_COUNT, COLUMN_SECONDARY, "how many have it", NULL },
	[ROW_SIZE] = { "size", "SIZE", COLUMN_BYTES, COLUMN_SECONDARY, "of the mappings of all of them", NULL },
	[ROW_RSS] = { "rss", "RSS", COLUMN_BYTES, COLUMN_SPARSE, "resident pages, in all processes", NULL },
	[ROW_PSS] = { "pss", "PSS", COLUMN_BYTES, COLUMN_SECONDARY, "the same, divided by how many map them", NULL },
	[ROW_FRAMES] = { "frames", .type = COLUMN_BYTES },
	[ROW_FRAMES_NOW] = { NULL, "FRAMES", COLUMN_CHANGE, COLUMN_SPARSE, "each frame once; before and now", NULL },
	[ROW_BY_ALL] = { "by_all", .type = COLUMN_BYTES },
	[ROW_BY_ALL_NOW] = { NULL, "BY_ALL", COLUMN_CHANGE, COLUMN_SPARSE | COLUMN_SECONDARY,
	                     "of these, what all processes map", NULL },
	[ROW_SHARED] = { "shared", .type = COLUMN_BYTES },
	[ROW_SHARED_NOW] = { NULL, "SHARED", COLUMN_CHANGE, 0,
	                     "what two or more map: in frames; by name, pages of each process", NULL },
	[ROW_OWN] = { "own", .type = COLUMN_BYTES },
	[ROW_OWN_NOW] = { NULL, "OWN", COLUMN_CHANGE, 0, "what only one of them maps", NULL },
	[ROW_LOST] = { "lost", "LOST", COLUMN_BYTES, COLUMN_SPARSE,
	               "anonymous pages shared before and no more, in all processes", NULL },
	[ROW_OUTSIDE] = { "outside", "OUTSIDE", COLUMN_BYTES, COLUMN_SECONDARY,
	                  "frames that processes map which are none of these", NULL },
	[ROW_HIDDEN] = { "hidden", "HIDDEN", COLUMN_BYTES, COLUMN_SECONDARY | COLUMN_SPARSE,
	                 "pages whose frames are not known", NULL },
	[ROW_BEFORE] = { "before", .type = COLUMN_RECORD, .of = &before_schema },
	[ROW_CALLED] = { NULL, "NAME", COLUMN_PATH, COLUMN_LONG, "the mapping, or the variable", NULL },
	[ROW_IN] = { NULL, "IN", COLUMN_PATH, COLUMN_SPARSE | COLUMN_LONG, "the file that the variable is of", NULL },
};
const struct row_schema sharing_by_schema = ROW_SCHEMA(by_columns);

enum { DOCUMENT_BY, DOCUMENT_TAKEN, DOCUMENT_TAKEN_BEFORE, DOCUMENT_KNOWN, DOCUMENT_ROWS };
static const struct column document_columns[] = {
	[DOCUMENT_BY] = { "by", .type = COLUMN_WORD },
	[DOCUMENT_TAKEN] = { "taken", .type = COLUMN_TIME },
	[DOCUMENT_TAKEN_BEFORE] = { "taken_before", .type = COLUMN_TIME },
	[DOCUMENT_KNOWN] = { "known", .type = COLUMN_BOOL },
	[DOCUMENT_ROWS] = { "rows", .type = COLUMN_ROWS, .of = &sharing_by_schema },
};
const struct row_schema sharing_by_document_schema = ROW_SCHEMA(document_columns);

struct listed {
	struct grouped grouped;
	int by;
	struct group_names names;
	uint32_t *order; /* of mappings: most lost first, then as they are */
	size_t count, most;
};

/* ---- by mapping ------------------------------------------------------------------------- */

/* Who shares is told by frames: where none of them is known, nothing is. */
static bool frames_known(const struct vmsnap_group_mapping *mapping)
{
	return !mapping->hidden || mapping->frames;
}

static void put_mapping_before(struct row *row, const struct vmsnap_group_mapping *was)
{
	bool known = frames_known(was);
	struct row record = row_open(row, ROW_BEFORE);
	row_put_bytes_known(&record, BEFORE_FRAMES, was->frames, known);
	row_put_bytes_known(&record, BEFORE_BY_ALL, was->by_all, known);
	row_put_bytes_known(&record, BEFORE_SHARED, was->shared, known);
	row_put_bytes_known(&record, BEFORE_OWN, was->own, known);
	row_end(&record);
}

/* As it is now, in column, and for people what it was, in the one beside it. */
static void put_now(struct row *row, unsigned column, const uint64_t *was, uint64_t bytes, bool known)
{
	row_put_bytes_known(row, column, bytes, known);
	if (known)
		row_put_change(row, column + 1, was, bytes);
	else
		row_put_unknown(row, column + 1);
}

/* Of something that there was not, 0. */
static const struct vmsnap_group_mapping *mapping_before(const struct listed *listed, size_t index,
                                                         struct vmsnap_group_mapping *before)
{
	const struct grouped *grouped = &listed->grouped;
	if (!grouped->change)
		return NULL;
	*before = (struct vmsnap_group_mapping){ .vma = NULL };
	(void)vmsnap_group_mapping(grouped->before, vmsnap_group_change_mapping(grouped->change, index), before);
	return before;
}

static void put_mapping(struct row *row, const struct listed *listed, size_t index,
                        const struct vmsnap_group_mapping *mapping)
{
	struct vmsnap_group_mapping before;
	const struct vmsnap_group_mapping *was = mapping_before(listed, index, &before);
	const struct vmsnap_group_mapping *shown = was && frames_known(was) ? was : NULL;
	bool known = frames_known(mapping);
	row_put_name(row, ROW_NAME, mapping->vma->name);
	row_put_count(row, ROW_INODE, mapping->vma->inode);
	row_put_count(row, ROW_PROCESSES, mapping->processes);
	row_put_bytes(row, ROW_SIZE, mapping->size);
	row_put_bytes(row, ROW_RSS, mapping->rss);
	row_put_bytes_known(row, ROW_PSS, mapping->pss, mapping->pss_known);
	put_now(row, ROW_FRAMES, shown ? &shown->frames : NULL, mapping->frames, known);
	put_now(row, ROW_BY_ALL, shown ? &shown->by_all : NULL, mapping->by_all, known);
	put_now(row, ROW_SHARED, shown ? &shown->shared : NULL, mapping->shared, known);
	put_now(row, ROW_OWN, shown ? &shown->own : NULL, mapping->own, known);
	if (was)
		row_put_bytes_known(row, ROW_LOST, vmsnap_group_change_lost(listed->grouped.change, index),
		                    known && shown);
	row_put_bytes_known(row, ROW_OUTSIDE, mapping->outside, mapping->pss_known);
	if (mapping->hidden || row->text->style->json)
		row_put_bytes(row, ROW_HIDDEN, mapping->hidden);
	if (was && was->vma && row_wants(row, ROW_BEFORE))
		put_mapping_before(row, was);
	row_put_name(row, ROW_CALLED, *mapping->vma->name ? mapping->vma->name : "anonymous");
	row_end(row);
}

static int mapping_rows(struct row *row, void *ctx, struct vmsnap_error *err)
{
	const struct listed *listed = ctx;
	struct vmsnap_group_mapping mapping;
	(void)err;
	for (size_t i = 0; i < listed->count && i < listed->most && !text_failed(row->text); i++)
		if (!vmsnap_group_mapping(listed->grouped.group, listed->order[i], &mapping) && mapping.rss)
			put_mapping(row, listed, listed->order[i], &mapping);
	return VMSNAP_OK;
}

static int by_lost(const void *x, const void *y, const void *ctx)
{
	const struct listed *listed = ctx;
	uint64_t a = vmsnap_group_change_lost(listed->grouped.change, *(const uint32_t *)x);
	uint64_t b = vmsnap_group_change_lost(listed->grouped.change, *(const uint32_t *)y);
	return (a < b) - (a > b);
}

static int order_mappings(struct text *text, struct listed *listed)
{
	int rc = VMSNAP_OK;
	listed->count = vmsnap_group_mapping_count(listed->grouped.group);
	listed->order = work_array(&text->work, listed->count, sizeof(*listed->order), &rc);
	for (size_t i = 0; !rc && i < listed->count; i++)
		listed->order[i] = (uint32_t)i;
	if (!rc && listed->grouped.change)
		rc = work_sort(&text->work, listed->order, listed->count, sizeof(*listed->order), by_lost, listed);
	return rc;
}

/* ---- by name ---------------------------------------------------------------------------- */

/* Without frames it is not known of any page who shares it, and so of no name. */
static bool sharing_known(const struct listed *listed)
{
	struct vmsnap_group_process process;
	for (size_t i = 0; !vmsnap_group_process(listed->grouped.group, i, &process); i++)
		if (process.source == VMSNAP_GROUP_FRAMES)
			return true;
	return false;
}

static void put_unknown_name(struct row *row)
{
	row_put_unknown(row, ROW_SHARED_NOW);
	row_put_unknown(row, ROW_OWN_NOW);
	row_put_unknown(row, ROW_CALLED);
	row_end(row);
}

static int name_rows(struct row *row, void *ctx, struct vmsnap_error *err)
{
	const struct listed *listed = ctx;
	(void)err;
	if (!sharing_known(listed) && !row->text->style->json)
		put_unknown_name(row);
	for (size_t i = 0; i < listed->names.count && i < listed->most && !text_failed(row->text); i++) {
		const struct group_name *name = &listed->names.items[i];
		row_put_name(row, ROW_NAME, name->name);
		row_put_name_if_any(row, ROW_OBJECT, name->object);
		row_put_count(row, ROW_PROCESSES, name->processes);
		row_put_bytes(row, ROW_SHARED, name->shared);
		row_put_change(row, ROW_SHARED_NOW, NULL, name->shared);
		row_put_bytes(row, ROW_OWN, name->own);
		row_put_change(row, ROW_OWN_NOW, NULL, name->own);
		if (listed->grouped.change)
			row_put_bytes(row, ROW_LOST, name->lost);
		row_put_name(row, ROW_CALLED, name->name);
		row_put_name_if_any(row, ROW_IN, name->object);
		row_end(row);
	}
	return VMSNAP_OK;
}

/* ---- both ------------------------------------------------------------------------------- */

static const char *by_word(int by)
{
	return by == VMSNAP_GROUP_BY_NAME ? "name" : "mapping";
}

static rows_fn rows_of(const struct listed *listed)
{
	return listed->by == VMSNAP_GROUP_BY_NAME ? name_rows : mapping_rows;
}

static int64_t taken_of(const struct vmsnap_group *group)
{
	struct vmsnap_group_process first;
	return vmsnap_group_process(group, 0, &first) ? 0 : vmsnap_info(first.snap)->taken;
}

static int fill_document(struct row *document, void *ctx, struct vmsnap_error *err)
{
	const struct listed *listed = ctx;
	row_put_word(document, DOCUMENT_BY, by_word(listed->by));
	row_put_time(document, DOCUMENT_TAKEN, taken_of(listed->grouped.group));
	if (listed->grouped.before)
		row_put_time(document, DOCUMENT_TAKEN_BEFORE, taken_of(listed->grouped.before));
	row_put_bool(document, DOCUMENT_KNOWN, sharing_known(listed));
	return row_rows(document, DOCUMENT_ROWS, rows_of(listed), ctx, err);
}

static void put_rest(struct text *text, const struct listed *listed)
{
	struct vmsnap_group_mapping mapping;
	size_t count = listed->by == VMSNAP_GROUP_BY_NAME ? listed->names.count : 0;
	for (size_t i = 0; listed->by != VMSNAP_GROUP_BY_NAME && i < listed->count; i++)
		count += !vmsnap_group_mapping(listed->grouped.group, i, &mapping) && mapping.rss;
	if (count > listed->most)
		text_format(text, "and %zu more (--long)\n", count - listed->most);
	if (listed->by == VMSNAP_GROUP_BY_NAME && count) {
		text_blank(text);
		text_string(text, "Of anonymous memory, in pages of each process; a page counts for each name on it.\n");
	}
}

static int by_text(struct text *text, struct listed *listed, struct vmsnap_error *err)
{
	bool bare = text->style->raw || text->style->no_headings;
	if (!bare)
		put_group_heading(text, &listed->grouped);
	int rc = emit_table(text, &sharing_by_schema, rows_of(listed), listed, err);
	if (!rc && !bare)
		put_rest(text, listed);
	return rc;
}

static int print_listed(struct text *text, struct listed *listed, struct vmsnap_names *names, struct vmsnap_error *err)
{
	enum { USUAL = 20 };
	const struct vmsnap_style *style = text->style;
	bool all = style->json || style->raw || style->sort || listed->grouped.flags & VMSNAP_PRINT_LONG;
	int rc = emit_table_check(text, &sharing_by_schema, err);
	listed->most = all ? SIZE_MAX : USUAL;
	if (!rc && listed->by == VMSNAP_GROUP_BY_NAME)
		rc = group_names_find(&listed->names, text, &listed->grouped, names, err);
	else if (!rc) {
		rc = order_mappings(text, listed);
		rc = rc ? work_fail(&text->work, rc, err) : rc;
	}
	if (rc)
		return rc;
	return style->json
	               ? emit_json(text, "vmsnap.group_by/1", &sharing_by_document_schema, fill_document, listed, err)
	               : by_text(text, listed, err);
}

VMSNAP_API int vmsnap_print_group_by(const struct vmsnap_group *group, const struct vmsnap_group *before,
                                     const struct vmsnap_group_change *change, int by, struct vmsnap_names *names,
                                     unsigned flags, const struct vmsnap_output *out, struct vmsnap_error *err)
{
	struct listed listed = { .grouped = { group, change ? before : NULL, before ? change : NULL, flags },
		                 .by = by };
	struct text text;
	if (by != VMSNAP_GROUP_BY_MAPPING && by != VMSNAP_GROUP_BY_NAME)
		return fail(err, VMSNAP_ERR_ARGUMENT, "a group is told by mapping or by name");
	int rc = text_open(&text, out, err);
	if (rc)
		return rc;
	text_limit_group(&text, &listed.grouped);
	listed.names.text = &text;
	rc = print_listed(&text, &listed, names, err);
	group_names_free(&listed.names);
	work_free(&text.work, listed.order, listed.count, sizeof(*listed.order));
	return rc ? rc : text_close(&text, err);
}
