/* print_status.c - status fields, of one snapshot or side by side:
 * vmsnap_print_status(). */
#include <stdio.h>
#include <string.h>

#include "emitter.h"
#include "error.h"
#include "format_value.h"
#include "schemas.h"
#include "status_columns.h"
#include "status_value.h"
#include "text_color.h"
#include "text_limit.h"

static const struct column two_columns[] = {
	[STATUS_KEY] = { "key", "KEY", COLUMN_NAME, COLUMN_LONG, "of the line", NULL },
	[STATUS_A] = { "a", "A", COLUMN_STATUS, COLUMN_LONG, "its value in A", NULL },
	[STATUS_B] = { "b", "B", COLUMN_STATUS, COLUMN_LONG, "its value in B", NULL },
	[STATUS_CHANGE] = { NULL, "CHANGE", COLUMN_TEXT, COLUMN_SPARSE, "by how much, or new, gone, changed", NULL },
};
const struct row_schema status_schema = ROW_SCHEMA(two_columns);
static const struct column one_column[] = {
	[STATUS_KEY] = { "key", "KEY", COLUMN_NAME, COLUMN_LONG, "of the line", NULL },
	[STATUS_A] = { "a", "VALUE", COLUMN_STATUS, COLUMN_LONG, "its value, of one snapshot", NULL },
	[STATUS_B] = { "b", .type = COLUMN_STATUS },
};
const struct row_schema status_one_schema = ROW_SCHEMA(one_column);

enum { STATUS_ROWS };
static const struct column document_columns[] = {
	[STATUS_ROWS] = { "status", .type = COLUMN_ROWS, .of = &status_schema },
};
const struct row_schema status_document_schema = ROW_SCHEMA(document_columns);

struct pair {
	const struct vmsnap *a, *b;
	struct row *row; /* that is filled */
};

static struct word change_of(const struct vmsnap_style *style, const struct vmsnap_status_field *a,
                             const struct vmsnap_status_field *b)
{
	if (!a->key_len)
		return (struct word){ "new" };
	if (!b->key_len)
		return (struct word){ "gone" };
	if (a->text_len == b->text_len && memcmp(a->text, b->text, a->text_len) == 0)
		return (struct word){ "" };
	char sign = a->number < b->number ? '+' : '-';
	uint64_t difference = a->number < b->number ? b->number - a->number : a->number - b->number;
	if (a->is_size && b->is_size)
		return word_delta(style, sign == '-', difference);
	if (status_is_number(a) && status_is_number(b) && difference) {
		struct word word;
		snprintf(word.text, sizeof(word.text), "%c%.40s", sign, word_number(difference).text);
		return word;
	}
	return (struct word){ "changed" };
}

void put_status_columns(struct row *row, const struct vmsnap_diff_status *status)
{
	const struct vmsnap_status_field *key = status->a.key_len ? &status->a : &status->b;
	row_put_bytes_of(row, STATUS_KEY, key->key, key->key_len);
	row_put_status(row, STATUS_A, &status->a);
	row_put_status(row, STATUS_B, &status->b);
}

static bool put_row(void *ctx, const struct vmsnap_diff_status *status)
{
	const struct pair *pair = ctx;
	struct row *row = pair->row;
	put_status_columns(row, status);
	struct word change = { "" };
	if (pair->b)
		change = change_of(row->text->style, &status->a, &status->b);
	if (*change.text) {
		row_text(row, STATUS_CHANGE, change.text);
		row_mark_all(row, COLOR_BOLD);
	}
	row_end(row);
	return !text_failed(row->text);
}

static int status_rows(struct row *row, void *ctx, struct vmsnap_error *err)
{
	struct pair *pair = ctx;
	struct vmsnap_compare_options options = text_compare_options(row->text);
	pair->row = row;
	return vmsnap_status_rows(pair->a, pair->b, &options, put_row, pair, err);
}

static int fill_document(struct row *document, void *ctx, struct vmsnap_error *err)
{
	return row_rows(document, STATUS_ROWS, status_rows, ctx, err);
}

VMSNAP_API int vmsnap_print_status(const struct vmsnap *a, const struct vmsnap *b, const struct vmsnap_output *out,
                                   struct vmsnap_error *err)
{
	struct pair pair = { .a = a, .b = b };
	struct text text;
	int rc = text_open(&text, out, err);
	if (rc)
		return rc;
	text_limit(&text, (const struct vmsnap *[]){ a, b }, 2);
	if (text.style->json)
		rc = emit_json(&text, "vmsnap.status/1", &status_document_schema, fill_document, &pair, err);
	else
		rc = emit_table(&text, b ? &status_schema : &status_one_schema, status_rows, &pair, err);
	return rc ? rc : text_close(&text, err);
}
