#include "rust_symbol.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "punycode.h"

enum { STEPS_MAX = 20000, DEPTH_MAX = 96 };

uint64_t rust_left(const struct cursor *c)
{
	return (uint64_t)(c->end - c->at);
}

void rust_put_bytes(struct rust *r, const char *bytes, size_t len)
{
	if (r->failed || r->silent)
		return;
	if (len >= r->room - r->len) {
		r->failed = true;
		return;
	}
	memcpy(r->out + r->len, bytes, len);
	r->len += len;
	r->out[r->len] = '\0';
}

void rust_put(struct rust *r, const char *text)
{
	rust_put_bytes(r, text, strlen(text));
}

void rust_put_number(struct rust *r, uint64_t value)
{
	char text[24];
	snprintf(text, sizeof(text), "%" PRIu64, value);
	rust_put(r, text);
}

void rust_put_character(struct rust *r, uint32_t code)
{
	char bytes[4];
	size_t len = 0;
	if (code < 0x80) {
		bytes[len++] = (char)code;
	} else if (code < 0x800) {
		bytes[len++] = (char)(0xc0 | code >> 6);
	} else if (code < 0x10000) {
		bytes[len++] = (char)(0xe0 | code >> 12);
		bytes[len++] = (char)(0x80 | (code >> 6 & 0x3f));
	} else {
		bytes[len++] = (char)(0xf0 | code >> 18);
		bytes[len++] = (char)(0x80 | (code >> 12 & 0x3f));
		bytes[len++] = (char)(0x80 | (code >> 6 & 0x3f));
	}
	if (code >= 0x80)
		bytes[len++] = (char)(0x80 | (code & 0x3f));
	if (code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
		r->failed = true;
	rust_put_bytes(r, bytes, len);
}
/* ---- what is read ----------------------------------------------------------------------- */

bool rust_step(struct rust *r)
{
	r->failed |= ++r->steps > STEPS_MAX;
	return !r->failed;
}

bool rust_enter(struct rust *r)
{
	r->failed |= ++r->depth > DEPTH_MAX;
	return rust_step(r);
}

char rust_next(struct rust *r)
{
	if (r->c.at < r->c.end && !r->failed)
		return *r->c.at++;
	r->failed = true;
	return '\0';
}

bool rust_take(struct rust *r, char wanted)
{
	return !r->failed && take_char(&r->c, wanted);
}

uint64_t rust_take_base_62(struct rust *r)
{
	uint64_t value = 0;
	if (rust_take(r, '_'))
		return 0;
	while (!r->failed) {
		char c = rust_next(r);
		uint64_t digit = 62;
		if (c == '_')
			return value + 1;
		if (c >= '0' && c <= '9')
			digit = (uint64_t)(c - '0');
		else if (c >= 'a' && c <= 'z')
			digit = (uint64_t)(c - 'a') + 10;
		else if (c >= 'A' && c <= 'Z')
			digit = (uint64_t)(c - 'A') + 36;
		r->failed |= digit == 62 || value > (UINT64_MAX - 62) / 62 - 1;
		value = value * 62 + digit;
	}
	return 0;
}

uint64_t rust_take_optional(struct rust *r, char tag)
{
	if (!rust_take(r, tag))
		return 0;
	uint64_t value = rust_take_base_62(r);
	r->failed |= value == UINT64_MAX;
	return value + 1;
}

struct rust_identifier rust_take_plain_identifier(struct rust *r)
{
	struct rust_identifier id = { .punycode = rust_take(r, 'u') };
	uint64_t len = 0;
	/* "0" is a whole number: a digit behind it is the next one's. */
	if (r->failed || (!take_char(&r->c, '0') && !take_decimal(&r->c, &len))) {
		r->failed = true;
		return id;
	}
	take_char(&r->c, '_');
	if (len > rust_left(&r->c)) {
		r->failed = true;
		return id;
	}
	id.at = r->c.at;
	id.len = (size_t)len;
	r->c.at += len;
	return id;
}

struct rust_identifier rust_take_identifier(struct rust *r)
{
	uint64_t disambiguator = rust_take_optional(r, 's');
	struct rust_identifier id = rust_take_plain_identifier(r);
	id.disambiguator = disambiguator;
	return id;
}
void rust_put_identifier(struct rust *r, const struct rust_identifier *id)
{
	uint32_t codes[PUNYCODE_MAX + 1];
	size_t count;
	if (r->failed || r->silent)
		return;
	if (!id->punycode) {
		rust_put_bytes(r, id->at, id->len);
	} else if (punycode_decode(id->at, id->len, codes, &count)) {
		for (size_t i = 0; i < count; i++)
			rust_put_character(r, codes[i]);
	} else {
		rust_put(r, "punycode{");
		rust_put_bytes(r, id->at, id->len);
		rust_put(r, "}");
	}
}
