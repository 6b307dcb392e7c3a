/* emit_json.c - rows as JSON, which is written as they come. */
#include "emitter.h"
#include "format_value.h"
#include "json.h"
#include "status_value.h"

struct json_emitter {
	struct emitter emitter;
	struct json json;
	bool own; /* the next value has no key in any schema */
};

static struct json_emitter *of(struct emitter *emitter)
{
	return (struct json_emitter *)emitter;
}

static bool json_wants(const struct emitter *emitter, const struct column *column)
{
	(void)emitter;
	return column->key;
}

static void put_flags(struct json *json, const char *key, const struct value *value)
{
	json_array(json, key);
	for (uint64_t left = value->number; left; left &= left - 1)
		json_string(json, NULL, value->name(__builtin_ctzll(left)));
	json_end(json);
}

static void put_build_id(struct json *json, const char *key, const struct value *value)
{
	char hex[2 * BUILD_ID_MAX];
	if (value->len > BUILD_ID_MAX)
		json_null(json, key);
	else
		json_bytes(json, key, hex, write_digits(hex, value->of, value->len));
}

static void put_status(struct json *json, const char *key, const struct vmsnap_status_field *field)
{
	char copy[STATUS_VALUE_MAX];
	if (field->is_size || status_is_number(field))
		json_number(json, key, field->number);
	else
		json_bytes(json, key, copy, status_value_copy(field, copy));
}

static void put_counts(struct json *json, const struct column *column, const struct value *value)
{
	const uint64_t *counts = value->of;
	if (!(column->flags & COLUMN_FLAT))
		json_object(json, column->key);
	for (int i = 0; i < (int)value->number; i++)
		json_number_or_null(json, value->name(i), counts[i], !(value->more & UINT64_C(1) << i));
	if (!(column->flags & COLUMN_FLAT))
		json_end(json);
}

static void put_hex(struct json *json, const char *key, const struct value *value)
{
	if (value->special) /* the end of the last gap, which a half-open range must say */
		json_string(json, key, "0x10000000000000000");
	else
		json_hex(json, key, value->number);
}

static void put_value(struct json *json, const struct column *column, const struct value *value)
{
	const char *key = column->key;
	switch (column->type) {
	case COLUMN_ADDRESS:
	case COLUMN_HEX:
		put_hex(json, key, value);
		break;
	case COLUMN_BYTES:
		json_number_or_null(json, key, value->number, !value->special);
		break;
	case COLUMN_OFFSET:
	case COLUMN_COUNT:
		json_number(json, key, value->number);
		break;
	case COLUMN_DELTA:
		json_signed(json, key, value->special, value->number);
		break;
	case COLUMN_BOOL:
		json_bool(json, key, value->number);
		break;
	case COLUMN_WORD:
	case COLUMN_NAME:
	case COLUMN_PATH:
		json_bytes(json, key, value->bytes, value->len);
		break;
	case COLUMN_FLAGS:
		put_flags(json, key, value);
		break;
	case COLUMN_BUILD_ID:
		put_build_id(json, key, value);
		break;
	case COLUMN_TIME:
		json_string(json, key, word_time_utc((int64_t)value->number).text);
		break;
	case COLUMN_DURATION:
		json_thousandths(json, key, value->number);
		break;
	case COLUMN_STATUS:
		put_status(json, key, value->of);
		break;
	case COLUMN_COUNTS:
		put_counts(json, column, value);
		break;
	case COLUMN_CHANGE:
	case COLUMN_SHARE:
	case COLUMN_FRAME:
	case COLUMN_TEXT:
	case COLUMN_STRIP:
		/* For people. */
	case COLUMN_RECORD:
	case COLUMN_RECORDS:
	case COLUMN_ROWS:
	case COLUMN_LIST:
	case COLUMN_OPEN:
		/* Opened, not put. */
		break;
	}
}

static void json_put(struct emitter *emitter, const struct column *column, const struct value *value)
{
	struct json_emitter *self = of(emitter);
	if (!column->key && !self->own && !(column->flags & COLUMN_FLAT))
		return;
	self->own = false;
	if (value->unknown)
		json_null(&self->json, column->key);
	else
		put_value(&self->json, column, value);
}

static void json_pass(struct emitter *emitter, const struct column *column)
{
	if (column->key && !(column->flags & COLUMN_OPTIONAL))
		json_null(&of(emitter)->json, column->key);
}

static bool json_open(struct emitter *emitter, const struct column *column)
{
	struct json *json = &of(emitter)->json;
	if (!column->key)
		return false;
	if (column->type == COLUMN_ROWS)
		json_rows(json, column->key);
	else if (column->type == COLUMN_RECORDS || column->type == COLUMN_LIST)
		json_array(json, column->key);
	else
		json_object(json, column->key);
	return true;
}

static void json_close(struct emitter *emitter)
{
	json_end(&of(emitter)->json);
}

static void json_begin_row(struct emitter *emitter)
{
	json_object(&of(emitter)->json, NULL);
}

static void json_end_row(struct emitter *emitter, bool total)
{
	(void)total;
	json_end(&of(emitter)->json);
}

static void json_own_key(struct emitter *emitter, const char *key, size_t len)
{
	struct json_emitter *self = of(emitter);
	if (key)
		json_key(&self->json, key, len);
	self->own = true;
}

static const struct emitter_ops json_ops = {
	.wants = json_wants,
	.put = json_put,
	.pass = json_pass,
	.open = json_open,
	.close = json_close,
	.begin_row = json_begin_row,
	.end_row = json_end_row,
	.key = json_own_key,
};

static int emit(struct text *text, const char *name, bool one_line, const struct row_schema *schema, rows_fn fill,
                void *ctx, struct vmsnap_error *err)
{
	struct json_emitter self = { .emitter = { .ops = &json_ops, .text = text } };
	struct row document = { .emitter = &self.emitter, .text = text, .schema = schema, .begun = true };
	if (one_line)
		json_begin_line(&self.json, text, name);
	else
		json_begin(&self.json, text, name);
	int rc = fill(&document, ctx, err);
	if (rc)
		return rc;
	row_end(&document);
	text_string(text, "\n");
	return VMSNAP_OK;
}

int emit_json(struct text *text, const char *name, const struct row_schema *schema, rows_fn fill, void *ctx,
              struct vmsnap_error *err)
{
	return emit(text, name, false, schema, fill, ctx, err);
}

int emit_json_line(struct text *text, const char *name, const struct row_schema *schema, rows_fn fill, void *ctx,
                   struct vmsnap_error *err)
{
	return emit(text, name, true, schema, fill, ctx, err);
}
