/* print_values.c - which variables changed, and from what to what: vmsnap_print_values(). */
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>

#include "emitter.h"
#include "error.h"
#include "format_value.h"
#include "identity_text.h"
#include "schemas.h"
#include "shorten.h"
#include "snapshot_record.h"
#include "text_limit.h"
#include "value_text.h"

enum {
	VALUE_ADDRESS,
	VALUE_SIZE,
	VALUE_VARIABLE,
	VALUE_PATH,
	VALUE_NAME,
	VALUE_CHANGE,
	VALUE_TYPE,
	VALUE_KIND,
	VALUE_BEFORE,
	VALUE_AFTER,
	VALUE_OBJECT,
	VALUE_MORE,
	VALUE_FUNCTION,
	VALUE_TID,
};
static const struct column value_columns[] = {
	[VALUE_ADDRESS] = { "address", "ADDRESS", COLUMN_ADDRESS, COLUMN_SECONDARY, "where it lies in B", NULL },
	[VALUE_SIZE] = { "size", "SIZE", COLUMN_BYTES, COLUMN_SECONDARY, "how many bytes it has", NULL },
	[VALUE_VARIABLE] = { "name", NULL, COLUMN_NAME, 0, NULL, NULL },
	[VALUE_PATH] = { "path", NULL, COLUMN_NAME, 0, NULL, NULL },
	[VALUE_NAME] = { NULL, "NAME", COLUMN_NAME, COLUMN_LONG, "the variable, and which part of it", NULL },
	[VALUE_CHANGE] = { NULL, "CHANGE", COLUMN_TEXT, COLUMN_LONG, "what it held, and what it holds", NULL },
	[VALUE_TYPE] = { "type", "TYPE", COLUMN_NAME, COLUMN_SPARSE | COLUMN_LONG, "as the program declares it", NULL },
	[VALUE_KIND] = { "kind", "KIND", COLUMN_WORD, COLUMN_SECONDARY, "signed, pointer, text, bytes, …", NULL },
	[VALUE_BEFORE] = { "before", "BEFORE", COLUMN_NAME, COLUMN_SECONDARY, "what it held", NULL },
	[VALUE_AFTER] = { "after", "AFTER", COLUMN_NAME, COLUMN_SECONDARY, "what it holds", NULL },
	[VALUE_OBJECT] = { "object", "OBJECT", COLUMN_PATH, COLUMN_SECONDARY | COLUMN_LONG, "the file it is of", NULL },
	[VALUE_MORE] = { "more", NULL, COLUMN_COUNT, 0, NULL, NULL },
	[VALUE_FUNCTION] = { "function", NULL, COLUMN_NAME, 0, NULL, NULL },
	[VALUE_TID] = { "tid", NULL, COLUMN_COUNT, 0, NULL, NULL },
};
static const uint32_t values_shown[] = { VALUE_NAME, VALUE_CHANGE, VALUE_TYPE,  VALUE_ADDRESS, VALUE_SIZE,
	                                 VALUE_KIND, VALUE_BEFORE, VALUE_AFTER, VALUE_OBJECT };
const struct row_schema values_schema = ROW_SCHEMA_SHOWN(value_columns, values_shown);

enum { BLOCK_ADDRESS, BLOCK_SIZE, BLOCK_CHANGED, BLOCK_IS_FREE };
static const struct column block_columns[] = {
	[BLOCK_ADDRESS] = { "address", .type = COLUMN_ADDRESS },
	[BLOCK_SIZE] = { "size", .type = COLUMN_BYTES },
	[BLOCK_CHANGED] = { "bytes_changed", .type = COLUMN_BYTES },
	[BLOCK_IS_FREE] = { "free", .type = COLUMN_BOOL },
};
static const struct row_schema block_schema = ROW_SCHEMA(block_columns);

enum { DOCUMENT_A, DOCUMENT_B, DOCUMENT_VALUES, DOCUMENT_UNNAMED, DOCUMENT_UNKNOWN, DOCUMENT_BLOCKS };
static const struct column document_columns[] = {
	[DOCUMENT_A] = { "a", .type = COLUMN_RECORD, .of = &snapshot_schema },
	[DOCUMENT_B] = { "b", .type = COLUMN_RECORD, .of = &snapshot_schema },
	[DOCUMENT_VALUES] = { "values", .type = COLUMN_ROWS, .of = &values_schema },
	[DOCUMENT_UNNAMED] = { "unnamed_bytes", .type = COLUMN_BYTES },
	[DOCUMENT_UNKNOWN] = { "unknown_pages", .type = COLUMN_COUNT },
	[DOCUMENT_BLOCKS] = { "heap_blocks", .type = COLUMN_ROWS, .of = &block_schema },
};
const struct row_schema values_document_schema = ROW_SCHEMA(document_columns);

/* "answer[3] in main()", "x in work() of thread 4712", "seed in thread 4712"; the main thread's needs no number. */
static int words_of(const struct vmsnap_value_change *change, uint32_t pid, char **words)
{
	const char *path = change->path, *function = change->function;
	if (*function && change->tid && change->tid != pid)
		return asprintf(words, "%s%s in %s() of thread %u", change->symbol, path, function, change->tid);
	if (*function)
		return asprintf(words, "%s%s in %s()", change->symbol, path, function);
	if (change->tid)
		return asprintf(words, "%s%s in thread %u", change->symbol, path, change->tid);
	return asprintf(words, "%s%s", change->symbol, path);
}

static void put_name_of(struct row *row, const struct vmsnap_value_change *change, uint32_t pid)
{
	char *words = NULL;
	int len = row_wants(row, VALUE_NAME) ? words_of(change, pid, &words) : -1;
	if (len < 0)
		return;
	if (!row->text->style->raw)
		shorten_templates(words);
	row_put_name(row, VALUE_NAME, words);
	free(words);
}

static void put_value(struct row *row, unsigned column, const struct vmsnap_value *value,
                      const struct value_words *words)
{
	if (value->kind == VMSNAP_VALUE_UNKNOWN)
		row_put_unknown(row, column);
	else
		row_put_bytes_of(row, column, words->text, words->len);
}

static void put_change(struct row *row, const struct value_words *before, const struct value_words *after,
                       uint64_t more)
{
	char many[48];
	row_text_name(row, VALUE_CHANGE, before->text, before->len);
	row_text(row, VALUE_CHANGE, row->text->style->unicode ? " → " : " -> ");
	row_text_name(row, VALUE_CHANGE, after->text, after->len);
	if (!more)
		return;
	snprintf(many, sizeof(many), ", and %llu more", (unsigned long long)more);
	row_text(row, VALUE_CHANGE, many);
}

static int value_rows(struct row *row, void *ctx, struct vmsnap_error *err)
{
	const struct vmsnap_value_diff *diff = ctx;
	struct vmsnap_value_change change;
	(void)err;
	for (size_t i = 0; !text_failed(row->text) && !vmsnap_value_change(diff, i, &change); i++) {
		struct value_words before = value_words_of(&change.before), after = value_words_of(&change.after);
		row_put_address(row, VALUE_ADDRESS, change.address);
		row_put_bytes(row, VALUE_SIZE, change.size);
		row_put_name(row, VALUE_VARIABLE, change.symbol);
		row_put_name(row, VALUE_PATH, change.path);
		put_name_of(row, &change, vmsnap_info(vmsnap_value_diff_b(diff))->pid);
		put_change(row, &before, &after, change.more);
		if (change.type)
			row_put_name(row, VALUE_TYPE, change.type);
		row_put_word(row, VALUE_KIND, vmsnap_value_kind_name(change.after.kind));
		put_value(row, VALUE_BEFORE, &change.before, &before);
		put_value(row, VALUE_AFTER, &change.after, &after);
		row_put_name(row, VALUE_OBJECT, change.object);
		row_put_count(row, VALUE_MORE, change.more);
		if (*change.function)
			row_put_name(row, VALUE_FUNCTION, change.function);
		if (change.tid)
			row_put_count(row, VALUE_TID, change.tid);
		row_end(row);
	}
	return VMSNAP_OK;
}

static int block_rows(struct row *row, void *ctx, struct vmsnap_error *err)
{
	const struct vmsnap_value_diff *diff = ctx;
	struct vmsnap_value_block block;
	(void)err;
	for (size_t i = 0; !text_failed(row->text) && !vmsnap_value_diff_block(diff, i, &block); i++) {
		row_put_address(row, BLOCK_ADDRESS, block.block.address);
		row_put_bytes(row, BLOCK_SIZE, block.block.size);
		row_put_bytes(row, BLOCK_CHANGED, block.changed);
		row_put_bool(row, BLOCK_IS_FREE, block.block.is_free);
		row_end(row);
	}
	return VMSNAP_OK;
}

static int fill_document(struct row *document, void *ctx, struct vmsnap_error *err)
{
	const struct vmsnap_value_diff *diff = ctx;
	put_snapshot(document, DOCUMENT_A, vmsnap_value_diff_a(diff));
	put_snapshot(document, DOCUMENT_B, vmsnap_value_diff_b(diff));
	int rc = row_rows(document, DOCUMENT_VALUES, value_rows, ctx, err);
	row_put_bytes(document, DOCUMENT_UNNAMED, vmsnap_value_diff_unnamed(diff));
	row_put_count(document, DOCUMENT_UNKNOWN, vmsnap_value_diff_unknown_pages(diff));
	return rc ? rc : row_rows(document, DOCUMENT_BLOCKS, block_rows, ctx, err);
}

/* ---- for people ------------------------------------------------------------------------- */

enum { BLOCKS_TOLD = 20 };

/* Gives how many bytes of them changed. */
static uint64_t put_blocks(struct text *text, const struct vmsnap_value_diff *diff)
{
	struct vmsnap_value_block found;
	uint64_t changed = 0;
	size_t count = vmsnap_value_diff_block_count(diff);
	if (count)
		text_blank(text);
	for (size_t i = 0; !vmsnap_value_diff_block(diff, i, &found); i++) {
		changed += found.changed;
		if (i < BLOCKS_TOLD)
			text_format(text, "%s block of %llu bytes at 0x%llx  %llu byte%s changed\n",
			            found.block.is_free ? "free heap" : "heap", (unsigned long long)found.block.size,
			            (unsigned long long)found.block.address, (unsigned long long)found.changed,
			            found.changed == 1 ? "" : "s");
	}
	if (count > BLOCKS_TOLD)
		text_format(text, "and %zu more heap blocks\n", count - BLOCKS_TOLD);
	return changed;
}

static void put_rest(struct text *text, const struct vmsnap_value_diff *diff)
{
	uint64_t unnamed = vmsnap_value_diff_unnamed(diff), unknown = vmsnap_value_diff_unknown_pages(diff);
	unnamed -= put_blocks(text, diff);
	text_blank(text);
	if (unnamed)
		text_format(text, "%llu byte%s differ%s where no variable is known (heap, stacks, ...).\n",
		            (unsigned long long)unnamed, unnamed == 1 ? "" : "s", unnamed == 1 ? "s" : "");
	if (unknown)
		text_format(text, "Of %llu page%s only one snapshot knows what %s held.\n", (unsigned long long)unknown,
		            unknown == 1 ? "" : "s", unknown == 1 ? "it" : "they");
}

static int values_text(struct text *text, const struct vmsnap_value_diff *diff, struct vmsnap_error *err)
{
	union {
		const struct vmsnap_value_diff *diff;
		void *ctx;
	} ctx = { .diff = diff };
	bool bare = text->style->raw || text->style->no_headings;
	int rc = emit_table_check(text, &values_schema, err);
	if (rc)
		return rc;
	if (!bare) {
		text_string(text, "A  ");
		print_identity_line(text, vmsnap_value_diff_a(diff));
		text_string(text, "\nB  ");
		print_identity_line(text, vmsnap_value_diff_b(diff));
		text_string(text, "\n");
		text_blank(text);
	}
	if (vmsnap_value_diff_count(diff) || bare)
		rc = emit_table(text, &values_schema, value_rows, ctx.ctx, err);
	else
		text_string(text, "No variable that is known changed.\n");
	if (!rc && !bare)
		put_rest(text, diff);
	return rc;
}

VMSNAP_API int vmsnap_print_values(const struct vmsnap_value_diff *diff, const struct vmsnap_output *out,
                                   struct vmsnap_error *err)
{
	struct text text;
	union {
		const struct vmsnap_value_diff *diff;
		void *ctx;
	} ctx = { .diff = diff };
	const struct vmsnap *both[] = { vmsnap_value_diff_a(diff), vmsnap_value_diff_b(diff) };
	int rc = text_open(&text, out, err);
	if (rc)
		return rc;
	text_limit(&text, both, 2);
	rc = text.style->json
	             ? emit_json(&text, "vmsnap.values/1", &values_document_schema, fill_document, ctx.ctx, err)
	             : values_text(&text, diff, err);
	return rc ? rc : text_close(&text, err);
}
