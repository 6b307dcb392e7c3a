/* print_status.c - status fields, of one snapshot or side by side:
 * vmsnap_print_status(). */
#include <string.h>

#include "error.h"
#include "print_parts.h"
#include "text_color.h"

enum { STATUS_KEY, STATUS_A, STATUS_B, STATUS_CHANGE, STATUS_COLUMNS };
static const struct table_column two_columns[STATUS_COLUMNS] = {
	[STATUS_KEY] = { "KEY", TABLE_CUT_RIGHT },
	[STATUS_A] = { "A", TABLE_CUT_RIGHT },
	[STATUS_B] = { "B", TABLE_CUT_RIGHT },
	[STATUS_CHANGE] = { "CHANGE", TABLE_HIDE_EMPTY },
};
static const struct table_column one_column[] = {
	[STATUS_KEY] = { "KEY", TABLE_CUT_RIGHT },
	[STATUS_A] = { "VALUE", TABLE_CUT_RIGHT },
};

struct pair {
	const struct vmsnap *a, *b;
};

typedef void (*pair_fn)(void *ctx, const struct vmsnap_status_field *a, const struct vmsnap_status_field *b);
struct walk {
	struct text *text;
	pair_fn fn;
	void *ctx;
};

static bool walk_row(void *ctx, const struct vmsnap_diff_status *row)
{
	const struct walk *walk = ctx;
	walk->fn(walk->ctx, &row->a, &row->b);
	return !text_failed(walk->text);
}

static int each_pair(struct text *text, const struct pair *pair, pair_fn fn, void *ctx, struct vmsnap_error *err)
{
	struct vmsnap_compare_options options = text_compare_options(text);
	struct walk walk = { text, fn, ctx };
	return vmsnap_status_rows(pair->a, pair->b, &options, walk_row, &walk, err);
}

static void pair_json(void *ctx, const struct vmsnap_status_field *a, const struct vmsnap_status_field *b)
{
	struct json *json = ctx;
	const struct vmsnap_status_field *key = a->key_len ? a : b;
	json_object(json, NULL);
	json_bytes(json, "key", key->key, key->key_len);
	json_status_value(json, "a", a);
	json_status_value(json, "b", b);
	json_end(json);
}

static int status_json(struct text *text, const struct pair *pair, struct vmsnap_error *err)
{
	struct json json;
	json_begin(&json, text, "vmsnap.status/1");
	json_rows(&json, "status");
	int rc = each_pair(text, pair, pair_json, &json, err);
	json_end(&json);
	json_finish(&json);
	return rc;
}

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
		return word_signed_size(style, sign, difference);
	if (status_is_number(a) && status_is_number(b) && difference) {
		struct word word;
		snprintf(word.text, sizeof(word.text), "%c%.40s", sign, word_number(difference).text);
		return word;
	}
	return (struct word){ "changed" };
}

struct status_table {
	struct table *table;
	bool two;
};

static void pair_row(void *ctx, const struct vmsnap_status_field *a, const struct vmsnap_status_field *b)
{
	struct status_table *status = ctx;
	struct table *table = status->table;
	const struct vmsnap_status_field *key = a->key_len ? a : b;
	table_name(table, STATUS_KEY, key->key, key->key_len);
	table_status_value(table, STATUS_A, a);
	if (status->two) {
		table_status_value(table, STATUS_B, b);
		struct word change = change_of(table->text->style, a, b);
		table_word(table, STATUS_CHANGE, change);
		if (*change.text)
			for (size_t i = 0; i < STATUS_COLUMNS; i++)
				table_color(table, i, COLOR_BOLD);
	}
	table_end_row(table);
}

static int status_rows(struct table *table, void *ctx, struct vmsnap_error *err)
{
	const struct pair *pair = ctx;
	struct status_table status = { .table = table, .two = pair->b };
	return each_pair(table->text, pair, pair_row, &status, err);
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
		rc = status_json(&text, &pair, err);
	else if (b)
		rc = table_print(&text, two_columns, COUNT_OF(two_columns), status_rows, &pair, err);
	else
		rc = table_print(&text, one_column, COUNT_OF(one_column), status_rows, &pair, err);
	return rc ? rc : text_close(&text, err);
}
