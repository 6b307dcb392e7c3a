#include "json.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "escape.h"
#include "format_value.h"

/* How many bytes need no thought. */
static size_t plain(const char *bytes, size_t len)
{
	size_t count = 0;
	while (count < len && bytes[count] >= ' ' && bytes[count] <= '~' && bytes[count] != '"' && bytes[count] != '\\')
		count++;
	return count;
}

static void quoted(struct json *json, const char *bytes, size_t len)
{
	struct escaped one;
	text_put(json->text, "\"", 1);
	for (; !text_failed(json->text); bytes += one.used, len -= one.used) {
		size_t easy = plain(bytes, len);
		text_put(json->text, bytes, easy);
		bytes += easy;
		len -= easy;
		if (!len)
			break;
		escape_one(bytes, len, 0, &one);
		for (size_t i = 0; i < one.len; i++) {
			if (one.text[i] == '"' || one.text[i] == '\\')
				text_put(json->text, "\\", 1);
			text_put(json->text, &one.text[i], 1);
		}
	}
	text_put(json->text, "\"", 1);
}

/* What stands before an item: comma, newline and indentation. */
static void separate(struct json *json)
{
	unsigned depth = json->depth;
	if (!depth)
		return;
	if (json->level[depth - 1].has_item)
		text_put(json->text, ",", 1);
	if (json->level[depth - 1].lines) {
		text_put(json->text, "\n", 1);
		text_repeat(json->text, ' ', depth);
	} else if (json->level[depth - 1].has_item) {
		text_put(json->text, " ", 1);
	}
	json->level[depth - 1].has_item = true;
}

void json_key(struct json *json, const char *key, size_t len)
{
	separate(json);
	quoted(json, key, len);
	text_put(json->text, ": ", 2);
	json->keyed = true;
}

/* Most of what is written is this, so it is one piece. */
static void own_key(struct json *json, const char *key)
{
	enum { KEY_MAX = 48 };
	char piece[KEY_MAX + 8];
	size_t len = strlen(key), used = 0;
	assert(len <= KEY_MAX);
	struct json_level *level = &json->level[json->depth - 1];
	if (level->lines) {
		separate(json);
	} else if (level->has_item) {
		piece[used++] = ',';
		piece[used++] = ' ';
	}
	level->has_item = true;
	piece[used++] = '"';
	memcpy(piece + used, key, len);
	memcpy(piece + used + len, "\": ", 3);
	text_put(json->text, piece, used + len + 3);
}

static void item(struct json *json, const char *key)
{
	if (key)
		own_key(json, key);
	else if (!json->keyed)
		separate(json);
	json->keyed = false;
}

static void open_level(struct json *json, const char *key, const char *brackets, bool lines)
{
	item(json, key);
	text_put(json->text, brackets, 1);
	assert(json->depth < JSON_DEPTH_MAX); /* the program's doing, never the input's */
	json->level[json->depth].close = brackets[1];
	json->level[json->depth].lines = lines && !json->one_line;
	json->level[json->depth].has_item = false;
	json->depth++;
}

void json_begin(struct json *json, struct text *text, const char *schema)
{
	*json = (struct json){ .text = text };
	open_level(json, NULL, "{}", true);
	json_string(json, "schema", schema);
}

void json_begin_line(struct json *json, struct text *text, const char *schema)
{
	*json = (struct json){ .text = text, .one_line = true };
	open_level(json, NULL, "{}", true);
	json_string(json, "schema", schema);
}

void json_finish(struct json *json)
{
	while (json->depth)
		json_end(json);
	text_put(json->text, "\n", 1);
}

void json_object(struct json *json, const char *key)
{
	open_level(json, key, "{}", false);
}

void json_array(struct json *json, const char *key)
{
	open_level(json, key, "[]", false);
}

void json_rows(struct json *json, const char *key)
{
	open_level(json, key, "[]", true);
}

void json_end(struct json *json)
{
	unsigned depth = --json->depth;
	if (json->level[depth].lines && json->level[depth].has_item) {
		text_put(json->text, "\n", 1);
		text_repeat(json->text, ' ', depth);
	}
	text_put(json->text, &json->level[depth].close, 1);
}

void json_bytes(struct json *json, const char *key, const char *bytes, size_t len)
{
	item(json, key);
	quoted(json, bytes, len);
}

void json_string(struct json *json, const char *key, const char *string)
{
	json_bytes(json, key, string, strlen(string));
}

void json_number(struct json *json, const char *key, uint64_t number)
{
	item(json, key);
	char digits[24];
	text_put(json->text, digits, write_decimal(digits, number));
}

void json_number_or_null(struct json *json, const char *key, uint64_t number, bool known)
{
	if (known)
		json_number(json, key, number);
	else
		json_null(json, key);
}

void json_thousandths(struct json *json, const char *key, uint64_t number)
{
	item(json, key);
	/* Not %f: its point depends on the locale. */
	text_format(json->text, "%" PRIu64 ".%03u", number / 1000, (unsigned)(number % 1000));
}

void json_signed(struct json *json, const char *key, bool negative, uint64_t number)
{
	item(json, key);
	text_format(json->text, "%s%" PRIu64, negative && number ? "-" : "", number);
}

void json_hex(struct json *json, const char *key, uint64_t number)
{
	item(json, key);
	char digits[24] = "\"0x";
	size_t len = 3 + write_hex(digits + 3, number);
	digits[len] = '"';
	text_put(json->text, digits, len + 1);
}

void json_bool(struct json *json, const char *key, bool value)
{
	item(json, key);
	text_string(json->text, value ? "true" : "false");
}

void json_null(struct json *json, const char *key)
{
	item(json, key);
	text_put(json->text, "null", 4);
}
