/* print_written.c - what a process wrote between two looks: vmsnap_print_written(). */
#include <stdlib.h>
#include <string.h>

#include "emitter.h"
#include "error.h"
#include "format_value.h"
#include "mapping_label.h"
#include "name_columns.h"
#include "name_text.h"
#include "rate.h"
#include "schemas.h"
#include "text_limit.h"
#include "top_names.h"
#include "written.h"

enum { ROW_START, ROW_END, ROW_WRITTEN, ROW_PAGES, ROW_MAYBE, ROW_NAME, ROW_LABEL, ROW_MAPPING, ROW_NAMES, ROW_TOP };
static const struct column row_columns[] = {
	[ROW_START] = { "start", "START", COLUMN_ADDRESS, 0, "where the mapping begins", NULL },
	[ROW_END] = { "end", .type = COLUMN_ADDRESS },
	[ROW_WRITTEN] = { "written", "WRITTEN", COLUMN_BYTES, 0, "pages of it that were written", NULL },
	[ROW_PAGES] = { "pages", "PAGES", COLUMN_COUNT, 0, "how many they are", NULL },
	[ROW_MAYBE] = { "maybe", "MAYBE", COLUMN_BYTES, COLUMN_SPARSE,
	                "pages that were not tracked: of new or moved memory, or shared ones that are new here", NULL },
	[ROW_NAME] = { "name", .type = COLUMN_PATH },
	[ROW_LABEL] = { "label", .type = COLUMN_NAME },
	[ROW_MAPPING] = { NULL, "MAPPING", COLUMN_PATH, 0, "the file, or what it is called or known to be", NULL },
	[ROW_NAMES] = { "names", .type = COLUMN_LIST },
	[ROW_TOP] = { NULL, "NAMES", COLUMN_TEXT, COLUMN_SPARSE | COLUMN_LONG, "what lies on them", NULL },
};
static const struct row_schema row_schema = ROW_SCHEMA(row_columns);

enum {
	DOCUMENT_PID,
	DOCUMENT_TIME,
	DOCUMENT_DURATION,
	DOCUMENT_BY,
	DOCUMENT_WRITTEN,
	DOCUMENT_PAGES,
	DOCUMENT_MAYBE,
	DOCUMENT_RATE,
	DOCUMENT_MAPPINGS,
};
static const struct column document_columns[] = {
	[DOCUMENT_PID] = { "pid", .type = COLUMN_COUNT },
	[DOCUMENT_TIME] = { "time", .type = COLUMN_TIME },
	[DOCUMENT_DURATION] = { "duration_us", .type = COLUMN_DURATION },
	[DOCUMENT_BY] = { "by", .type = COLUMN_WORD },
	[DOCUMENT_WRITTEN] = { "written", .type = COLUMN_BYTES },
	[DOCUMENT_PAGES] = { "pages", .type = COLUMN_COUNT },
	[DOCUMENT_MAYBE] = { "maybe", .type = COLUMN_BYTES },
	[DOCUMENT_RATE] = { "bytes_per_second", .type = COLUMN_COUNT },
	[DOCUMENT_MAPPINGS] = { "mappings", .type = COLUMN_RECORDS, .of = &row_schema },
};
const struct row_schema written_document_schema = ROW_SCHEMA(document_columns);

struct round {
	const struct vmsnap *snap;
	struct naming naming;
	struct vmsnap_names *names;
	struct written total;
};

static uint64_t duration_of(const struct vmsnap *snap)
{
	const struct vmsnap_info *info = vmsnap_info(snap);
	return info->known.written && info->monotonic > info->written_since
	               ? (uint64_t)(info->monotonic - info->written_since)
	               : 0;
}

static uint64_t rate_of_round(const struct round *round)
{
	uint64_t duration = duration_of(round->snap);
	return duration ? rate_of(round->total.bytes, duration) : 0;
}

/* ---- a mapping ------------------------------------------------------------------------ */

static int find_names(const struct round *round, const struct vmsnap_vma *vma, struct top_names *top,
                      struct vmsnap_error *err)
{
	struct vmsnap_layer_range range;
	int rc = VMSNAP_OK;
	top_names_init(top, &round->naming);
	for (size_t i = written_find(round->snap, vma->start);
	     !rc && round->names && vmsnap_layer_range(round->snap, VMSNAP_LAYER_WRITTEN, i, &range) == VMSNAP_OK &&
	     range.start < vma->end;
	     i++) {
		uint64_t start = range.start > vma->start ? range.start : vma->start;
		uint64_t end = range.end < vma->end ? range.end : vma->end;
		if (range.value == VMSNAP_PAGE_WAS_WRITTEN)
			rc = top_names_add(top, start, end, err);
	}
	return rc;
}

static void put_names_list(struct row *row, const struct top_names *top)
{
	if (!row_wants(row, ROW_NAMES))
		return;
	struct row list = row_open(row, ROW_NAMES);
	for (size_t i = 0; i < top->kept; i++) {
		char *words = name_words(top->naming, &top->best[i], row->text);
		if (words)
			row_item(&list, words, strlen(words));
		name_words_free(words, row->text);
	}
	row_end(&list);
}

static int put_mapping(struct row *row, const struct round *round, size_t index, const struct written *written,
                       struct vmsnap_error *err)
{
	const struct vmsnap_vma *vma = vmsnap_vma(round->snap, index);
	struct top_names top;
	int rc = find_names(round, vma, &top, err);
	if (rc)
		return rc;
	struct mapping_label label = mapping_label(row->text, round->names, vma, index);
	row_put_address(row, ROW_START, vma->start);
	row_put_address(row, ROW_END, vma->end);
	row_put_bytes(row, ROW_WRITTEN, written->bytes);
	row_put_count(row, ROW_PAGES, written->bytes / vmsnap_info(round->snap)->page_size);
	if (written->maybe || row->text->style->json)
		row_put_bytes(row, ROW_MAYBE, written->maybe);
	row_put_name(row, ROW_NAME, vma->name);
	if (label.words)
		row_put_name(row, ROW_LABEL, label.words);
	row_put_name(row, ROW_MAPPING, *vma->name ? vma->name : label.words ? label.words : "");
	put_names_list(row, &top);
	put_top_names(row, ROW_TOP, &top);
	row_end(row);
	mapping_label_free(&label, row->text);
	return VMSNAP_OK;
}

static int mapping_rows(struct row *row, void *ctx, struct vmsnap_error *err)
{
	const struct round *round = ctx;
	int rc = VMSNAP_OK;
	for (size_t i = 0; !rc && i < vmsnap_vma_count(round->snap) && !text_failed(row->text); i++) {
		const struct vmsnap_vma *vma = vmsnap_vma(round->snap, i);
		struct written written = written_in(round->snap, vma->start, vma->end);
		if (written.bytes || written.maybe)
			rc = put_mapping(row, round, i, &written, err);
	}
	return rc;
}

/* ---- the round ------------------------------------------------------------------------ */

static int fill_document(struct row *document, void *ctx, struct vmsnap_error *err)
{
	const struct round *round = ctx;
	const struct vmsnap_info *info = vmsnap_info(round->snap);
	row_put_count(document, DOCUMENT_PID, info->tgid ? info->tgid : info->pid);
	row_put_time(document, DOCUMENT_TIME, info->taken);
	row_put_duration(document, DOCUMENT_DURATION, duration_of(round->snap));
	if (!info->known.written)
		return row_rows(document, DOCUMENT_MAPPINGS, rows_none, NULL, err);
	row_put_word(document, DOCUMENT_BY, vmsnap_written_name(info->known.written));
	row_put_bytes(document, DOCUMENT_WRITTEN, round->total.bytes);
	row_put_count(document, DOCUMENT_PAGES, round->total.bytes / info->page_size);
	row_put_bytes(document, DOCUMENT_MAYBE, round->total.maybe);
	row_put_count(document, DOCUMENT_RATE, rate_of_round(round));
	return row_rows(document, DOCUMENT_MAPPINGS, mapping_rows, ctx, err);
}

static void put_heading(struct text *text, const struct round *round)
{
	const struct vmsnap_info *info = vmsnap_info(round->snap);
	text_format(text, "%s  ", word_time_local(info->taken).text);
	if (!info->known.written) {
		text_string(text, "what was written is not known\n");
		return;
	}
	uint64_t pages = round->total.bytes / info->page_size;
	if (pages)
		text_format(text, "%s in %s page%s", word_size(text->style, round->total.bytes).text,
		            word_number(pages).text, word_plural(pages));
	else
		text_string(text, "nothing written");
	text_format(text, " in %s", word_duration(duration_of(round->snap)).text);
	if (pages)
		text_format(text, ", %s/s", word_size(text->style, rate_of_round(round)).text);
	if (round->total.maybe)
		text_format(text, "; perhaps %s more", word_size(text->style, round->total.maybe).text);
	text_string(text, "\n");
}

static int put_text(struct text *text, struct round *round, struct vmsnap_error *err)
{
	put_heading(text, round);
	if (!round->total.bytes && !round->total.maybe)
		return VMSNAP_OK;
	int rc = emit_table_once(text, &row_schema, mapping_rows, round, err);
	text_string(text, "\n");
	return rc;
}

VMSNAP_API int vmsnap_print_written(const struct vmsnap *snap, struct vmsnap_names *names,
                                    const struct vmsnap_output *out, struct vmsnap_error *err)
{
	struct round round = { .snap = snap, .names = names, .naming = naming_of(names, snap, NULL, NULL) };
	struct text text;
	int rc = text_open(&text, out, err);
	if (rc)
		return rc;
	text_limit(&text, &snap, 1);
	round.total = written_in(snap, 0, UINT64_MAX);
	if (text.style->json)
		rc = emit_json_line(&text, "vmsnap.written/1", &written_document_schema, fill_document, &round, err);
	else
		rc = put_text(&text, &round, err);
	return rc ? rc : text_close(&text, err);
}
