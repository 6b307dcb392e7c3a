#define _GNU_SOURCE
#include "value_text.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

__attribute__((format(printf, 2, 3))) static void add(struct value_words *words, const char *format, ...)
{
	size_t room = sizeof(words->text) - words->len;
	va_list args;
	va_start(args, format);
	int len = vsnprintf(words->text + words->len, room, format, args);
	va_end(args);
	if (len > 0)
		words->len += (size_t)len < room ? (size_t)len : room - 1;
}

/* What is too long ends in "...". */
static void add_bytes(struct value_words *words, const char *bytes, size_t len)
{
	size_t room = sizeof(words->text) - words->len - sizeof("...\"");
	bool cut = len > room;
	len = cut ? room : len;
	memcpy(words->text + words->len, bytes, len);
	words->len += len;
	words->text[words->len] = '\0';
	if (cut)
		add(words, "...");
}

/* ---- numbers --------------------------------------------------------------------------- */

/* Of 128 bits, 19 digits at a time. */
static void add_decimal(struct value_words *words, uint64_t high, uint64_t low)
{
	__extension__ typedef unsigned __int128 wide;
	const uint64_t digits = UINT64_C(10000000000000000000);
	wide value = (wide)high << 64 | low;
	uint64_t last = (uint64_t)(value % digits);
	wide rest = value / digits;
	if (!rest) {
		add(words, "%" PRIu64, last);
		return;
	}
	add_decimal(words, (uint64_t)(rest >> 64), (uint64_t)rest);
	add(words, "%019" PRIu64, last);
}

static void add_number(struct value_words *words, const struct vmsnap_value *value, bool is_signed)
{
	uint64_t high = value->high, low = value->number;
	if (is_signed && high >> 63) {
		add(words, "-");
		high = ~high + !low;
		low = 0 - low;
	}
	add_decimal(words, high, low);
}

static void add_hex(struct value_words *words, const struct vmsnap_value *value)
{
	for (size_t i = 0; i < value->len; i++)
		add(words, "%s%02x", i ? " " : "", value->bytes[i]);
}

/* ---- floating point --------------------------------------------------------------------- */

static uint64_t bits_of(const struct vmsnap_value *value)
{
	uint64_t bits = 0;
	for (size_t i = 0; i < value->len; i++)
		bits = bits << 8 | value->bytes[value->big_endian ? i : value->len - 1 - i];
	return bits;
}

/* A program may have a locale in which the point is another character. */
static void make_point(char *text)
{
	for (; *text; text++)
		if (!strchr("0123456789+-einfax.", *text))
			*text = '.';
}

/* The shortest of those that are read back as the same. */
static void add_double(struct value_words *words, double number)
{
	char text[64];
	for (int digits = 15; digits <= 17; digits++) {
		snprintf(text, sizeof(text), "%.*g", digits, number);
		if (!(strtod(text, NULL) < number || strtod(text, NULL) > number))
			break;
	}
	make_point(text);
	add(words, "%s", text);
}

static void add_float(struct value_words *words, float number)
{
	char text[64];
	for (int digits = 6; digits <= 9; digits++) {
		snprintf(text, sizeof(text), "%.*g", digits, (double)number);
		if (!(strtof(text, NULL) < number || strtof(text, NULL) > number))
			break;
	}
	make_point(text);
	add(words, "%s", text);
}

/* Of x86: 80 bits; a mantissa of 64, of which the first is there. */
static void add_extended(struct value_words *words, const struct vmsnap_value *value)
{
#if LDBL_MANT_DIG == 64
	long double number = 0;
	char text[64];
	memcpy(&number, value->bytes, 10);
	for (int digits = 18; digits <= 21; digits++) {
		snprintf(text, sizeof(text), "%.*Lg", digits, number);
		if (!(strtold(text, NULL) < number || strtold(text, NULL) > number))
			break;
	}
	make_point(text);
	add(words, "%s", text);
#else
	add_hex(words, value);
#endif
}

/* Which one it is tells one from another. */
static void add_nan(struct value_words *words, uint64_t bits)
{
	add(words, "nan(0x%" PRIx64 ")", bits);
}

static void add_real(struct value_words *words, const struct vmsnap_value *value)
{
	uint64_t bits = value->len <= 8 ? bits_of(value) : 0;
	uint32_t half = (uint32_t)bits;
	double number;
	float single;
	memcpy(&number, &bits, sizeof(number));
	memcpy(&single, &half, sizeof(single));
	if (value->len == sizeof(single) && isnan(single))
		add_nan(words, bits);
	else if (value->len == sizeof(single))
		add_float(words, single);
	else if (value->len == sizeof(number) && isnan(number))
		add_nan(words, bits);
	else if (value->len == sizeof(number))
		add_double(words, number);
	else if (value->len == 10 && !value->big_endian)
		add_extended(words, value);
	else
		add_hex(words, value);
}

/* ---- words ------------------------------------------------------------------------------ */

static void add_character(struct value_words *words, const struct vmsnap_value *value)
{
	add_number(words, value, true);
	if (!value->high && value->number >= 0x20 && value->number < 0x7f)
		add(words, " '%c'", (char)value->number);
}

static void add_pointer(struct value_words *words, const struct vmsnap_value *value)
{
	if (!value->number) {
		add(words, "NULL");
	} else if (!value->word) {
		add(words, "0x%" PRIx64, value->number);
	} else {
		add(words, "&");
		add_bytes(words, value->word, strnlen(value->word, VALUE_WORDS_MAX - 64));
		if (value->offset)
			add(words, "+%" PRIu64, value->offset);
	}
}

static void add_text(struct value_words *words, const struct vmsnap_value *value)
{
	add(words, "\"");
	add_bytes(words, (const char *)value->bytes, value->len);
	add(words, "\"");
}

static void add_bool(struct value_words *words, const struct vmsnap_value *value)
{
	if (value->number > 1)
		add_number(words, value, false);
	else
		add(words, "%s", value->number ? "true" : "false");
}

struct value_words value_words_of(const struct vmsnap_value *value)
{
	struct value_words words = { .len = 0 };
	words.text[0] = '\0';
	switch (value->kind) {
	case VMSNAP_VALUE_SIGNED:
		add_number(&words, value, true);
		break;
	case VMSNAP_VALUE_UNSIGNED:
		add_number(&words, value, false);
		break;
	case VMSNAP_VALUE_BOOL:
		add_bool(&words, value);
		break;
	case VMSNAP_VALUE_CHARACTER:
		add_character(&words, value);
		break;
	case VMSNAP_VALUE_FLOAT:
		add_real(&words, value);
		break;
	case VMSNAP_VALUE_ENUM:
		if (value->word)
			add_bytes(&words, value->word, strlen(value->word));
		else
			add_number(&words, value, true);
		break;
	case VMSNAP_VALUE_POINTER:
		add_pointer(&words, value);
		break;
	case VMSNAP_VALUE_TEXT:
		add_text(&words, value);
		break;
	case VMSNAP_VALUE_BYTES:
		add_hex(&words, value);
		break;
	default:
		add(&words, "?");
	}
	return words;
}
