/* json.h - a small streaming JSON writer.  Knows commas, quotes and nesting, and
 * nothing of snapshots.  Strings are escaped as in escape.h: what a reader gets
 * out of them holds no control character. */
#ifndef VMSNAP_JSON_H
#define VMSNAP_JSON_H

#include <stdint.h>

#include "text_out.h"

enum { JSON_DEPTH_MAX = 12 };
struct json {
	struct text *text;
	unsigned depth;
	bool keyed;    /* the key stands already */
	bool one_line; /* the document has no newline but the last */
	struct json_level {
		char close; /* '}' or ']' */
		bool lines; /* each item on a line of its own */
		bool has_item;
	} level[JSON_DEPTH_MAX];
};

/* One document is one object, which json_begin() opens with its "schema", and
 * json_finish() closes with a newline. */
void json_begin(struct json *json, struct text *text, const char *schema);
/* The same in one line, for documents that follow one another. */
void json_begin_line(struct json *json, struct text *text, const char *schema);
void json_finish(struct json *json);

/* key is NULL inside an array, or after json_key(); it is ours, and stands as it is.
 * json_rows() is an array with a line for each item. */
void json_object(struct json *json, const char *key);
void json_array(struct json *json, const char *key);
void json_rows(struct json *json, const char *key);
void json_end(struct json *json);

void json_string(struct json *json, const char *key, const char *string);
void json_bytes(struct json *json, const char *key, const char *bytes, size_t len);
void json_number(struct json *json, const char *key, uint64_t number);
void json_number_or_null(struct json *json, const char *key, uint64_t number, bool known);
/* thousandths of a unit: 12345 is written 12.345. */
void json_thousandths(struct json *json, const char *key, uint64_t number);
void json_signed(struct json *json, const char *key, bool negative, uint64_t number);
void json_hex(struct json *json, const char *key, uint64_t number); /* "0x1000" */
void json_bool(struct json *json, const char *key, bool value);
void json_null(struct json *json, const char *key);
/* For keys that come from the target: the next call gives the value, its key NULL. */
void json_key(struct json *json, const char *key, size_t len);

#endif
