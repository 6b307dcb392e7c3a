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

/* The field of that key; out->key_len is 0 if there is none. */
static void find_field(const struct vmsnap *snap, const struct vmsnap_status_field *key,
                       struct vmsnap_status_field *out)
{
	char name[128];
	*out = (struct vmsnap_status_field){ 0 };
	if (!snap || key->key_len >= sizeof(name))
		return;
	memcpy(name, key->key, key->key_len);
	name[key->key_len] = '\0';
	if (vmsnap_status_find(snap, name, out))
		*out = (struct vmsnap_status_field){ 0 };
}

static void each_pair(const struct pair *pair, pair_fn fn, void *ctx)
{
	struct vmsnap_status_field a, b;
	for (size_t i = 0; i < STATUS_FIELDS_MAX && !vmsnap_status_field(pair->a, i, &a); i++) {
		find_field(pair->b, &a, &b);
		fn(ctx, &a, &b);
	}
	for (size_t i = 0; pair->b && i < STATUS_FIELDS_MAX && !vmsnap_status_field(pair->b, i, &b); i++) {
		find_field(pair->a, &b, &a);
		if (!a.key_len)
			fn(ctx, &a, &b);
	}
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

static void status_json(struct text *text, const struct pair *pair)
{
	struct json json;
	json_begin(&json, text, "vmsnap.status/1");
	json_rows(&json, "status");
	each_pair(pair, pair_json, &json);
	json_end(&json);
	json_finish(&json);
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
	(void)err;
	each_pair(pair, pair_row, &status);
	return VMSNAP_OK;
}

VMSNAP_API int vmsnap_print_status(const struct vmsnap *a, const struct vmsnap *b, const struct vmsnap_output *out,
                                   struct vmsnap_error *err)
{
	struct pair pair = { .a = a, .b = b };
	struct text text;
	int rc = text_open(&text, out, err);
	if (rc)
		return rc;
	if (text.style->json)
		status_json(&text, &pair);
	else if (b)
		rc = table_print(&text, two_columns, COUNT_OF(two_columns), status_rows, &pair, err);
	else
		rc = table_print(&text, one_column, COUNT_OF(one_column), status_rows, &pair, err);
	return rc ? rc : text_close(&text, err);
}
