/* Names for people: what is written as \xHH, and how wide it is. */
#include "escape.h"
#include "test_print_support.h"
#include "text_utf8.h"

#define HEART          "\xe2\x9d\xa4"
#define WOMAN          "\xf0\x9f\x91\xa9"
#define ROCKET         "\xf0\x9f\x9a\x80"
#define JOINER         "\xe2\x80\x8d"
#define EMOJI_STYLE    "\xef\xb8\x8f"
#define ESCAPED_JOINER "\\xe2\\x80\\x8d"
#define ESCAPED_STYLE  "\\xef\\xb8\\x8f"

static const struct {
	const char *name, *unicode, *ascii;
} rows[] = {
	{ "/usr/lib/libc.so.6", "/usr/lib/libc.so.6", "/usr/lib/libc.so.6" },
	{ "", "", "" },
	{ "a b", "a b", "a b" },
	{ "\033[31m", "\\x1b[31m", "\\x1b[31m" },
	{ "line\nline\r\t", "line\\x0aline\\x0d\\x09", "line\\x0aline\\x0d\\x09" },
	{ "\x7f", "\\x7f", "\\x7f" },
	{ "back\\slash \\x41", "back\\x5cslash \\x5cx41", "back\\x5cslash \\x5cx41" },
	{ "caf\xc3\xa9", "caf\xc3\xa9", "caf\\xc3\\xa9" },
	{ "\xe6\xbc\xa2\xe5\xad\x97", "\xe6\xbc\xa2\xe5\xad\x97", "\\xe6\\xbc\\xa2\\xe5\\xad\\x97" },
	/* C1 controls, in UTF-8 and as bare bytes. */
	{ "\xc2\x9b"
	  "2J",
	  "\\xc2\\x9b2J", "\\xc2\\x9b2J" },
	{ "\x9b"
	  "2J",
	  "\\x9b2J", "\\x9b2J" },
	/* Overlong, surrogate, above U+10FFFF, cut off. */
	{ "\xc0\xaf", "\\xc0\\xaf", "\\xc0\\xaf" },
	{ "\xe0\x80\xaf", "\\xe0\\x80\\xaf", "\\xe0\\x80\\xaf" },
	{ "\xed\xa0\x80", "\\xed\\xa0\\x80", "\\xed\\xa0\\x80" },
	{ "\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80", "\\xf4\\x90\\x80\\x80" },
	{ "\xe6\xbc", "\\xe6\\xbc", "\\xe6\\xbc" },
	/* Line separator, right-to-left override, isolate, zero width space. */
	{ "\xe2\x80\xa8", "\\xe2\\x80\\xa8", "\\xe2\\x80\\xa8" },
	{ "a\xe2\x80\xae"
	  "b",
	  "a\\xe2\\x80\\xaeb", "a\\xe2\\x80\\xaeb" },
	{ "\xe2\x81\xa6", "\\xe2\\x81\\xa6", "\\xe2\\x81\\xa6" },
	{ "\xe2\x80\x8b", "\\xe2\\x80\\x8b", "\\xe2\\x80\\x8b" },
	/* A woman astronaut is a woman, a joiner and a rocket; a red heart is a heart and how it is shown. */
	{ WOMAN JOINER ROCKET, WOMAN JOINER ROCKET, "\\xf0\\x9f\\x91\\xa9" ESCAPED_JOINER "\\xf0\\x9f\\x9a\\x80" },
	{ HEART EMOJI_STYLE, HEART EMOJI_STYLE, "\\xe2\\x9d\\xa4" ESCAPED_STYLE },
	{ HEART "\xef\xb8\x8e", HEART "\xef\xb8\x8e", "\\xe2\\x9d\\xa4\\xef\\xb8\\x8e" },
	{ HEART EMOJI_STYLE JOINER WOMAN, HEART EMOJI_STYLE JOINER WOMAN,
	  "\\xe2\\x9d\\xa4" ESCAPED_STYLE ESCAPED_JOINER "\\xf0\\x9f\\x91\\xa9" },
	/* Elsewhere nobody would see them: first, behind a letter, a digit, a blank, one another; joining nothing. */
	{ EMOJI_STYLE "a", ESCAPED_STYLE "a", ESCAPED_STYLE "a" },
	{ "a" EMOJI_STYLE, "a" ESCAPED_STYLE, "a" ESCAPED_STYLE },
	{ "1" EMOJI_STYLE, "1" ESCAPED_STYLE, "1" ESCAPED_STYLE },
	{ " " EMOJI_STYLE, " " ESCAPED_STYLE, " " ESCAPED_STYLE },
	{ "\xc3\xa9" EMOJI_STYLE, "\xc3\xa9" ESCAPED_STYLE, "\\xc3\\xa9" ESCAPED_STYLE },
	{ HEART EMOJI_STYLE EMOJI_STYLE, HEART EMOJI_STYLE ESCAPED_STYLE,
	  "\\xe2\\x9d\\xa4" ESCAPED_STYLE ESCAPED_STYLE },
	{ JOINER ROCKET, ESCAPED_JOINER ROCKET, ESCAPED_JOINER "\\xf0\\x9f\\x9a\\x80" },
	{ HEART JOINER "a", HEART ESCAPED_JOINER "a", "\\xe2\\x9d\\xa4" ESCAPED_JOINER "a" },
	{ HEART JOINER, HEART ESCAPED_JOINER, "\\xe2\\x9d\\xa4" ESCAPED_JOINER },
	{ HEART JOINER JOINER ROCKET, HEART ESCAPED_JOINER ESCAPED_JOINER ROCKET,
	  "\\xe2\\x9d\\xa4" ESCAPED_JOINER ESCAPED_JOINER "\\xf0\\x9f\\x9a\\x80" },
	{ HEART JOINER EMOJI_STYLE ROCKET, HEART ESCAPED_JOINER ESCAPED_STYLE ROCKET,
	  "\\xe2\\x9d\\xa4" ESCAPED_JOINER ESCAPED_STYLE "\\xf0\\x9f\\x9a\\x80" },
	{ "a" JOINER ROCKET, "a" ESCAPED_JOINER ROCKET, "a" ESCAPED_JOINER "\\xf0\\x9f\\x9a\\x80" },
};

/* First and last of what is not seen, or looks like a blank. */
static const uint32_t hidden[] = {
	0x00,    0x1f,    0x7f,    0x80,    0x9f,    0xa0,    0xad,    0x34f,    0x61c,    0x115f,  0x1160,
	0x1680,  0x17b4,  0x180b,  0x180f,  0x2000,  0x2003,  0x200a,  0x200b,   0x200c,   0x200d,  0x200f,
	0x2028,  0x202e,  0x202f,  0x205f,  0x2060,  0x2065,  0x206f,  0x2800,   0x3000,   0x3164,  0xe000,
	0xf8ff,  0xfdd0,  0xfdef,  0xfe00,  0xfe0e,  0xfe0f,  0xfeff,  0xffa0,   0xfff0,   0xfff9,  0xfffc,
	0xfffe,  0xffff,  0x13430, 0x1bca0, 0x1d159, 0x1d173, 0x1d17a, 0x1fffe,  0x2ffff,  0x3fffe, 0x40000,
	0xe0001, 0xe0041, 0xe007f, 0xe0100, 0xe01ef, 0xe0fff, 0xf0000, 0x10fffd, 0x10ffff,
};
/* Beside them, and from all over: accents, Greek, Cyrillic, Hebrew, Arabic and the signs before its numbers,
 * Devanagari, Thai, Hangul, Ethiopic, Khmer, Mongolian, punctuation, arrows, boxes, braille, kana, Han, halfwidth
 * forms, a replacement, music, emoji, flags, skin colours, an emoji of Unicode 15, Han beyond the first plane. */
static const uint32_t seen[] = {
	0x21,    0x7e,    0xa1,    0xac,    0xae,    0xff,    0x301,   0x34e,   0x350,   0x3b1,   0x44f,   0x5d0,
	0x5b8,   0x600,   0x605,   0x606,   0x61b,   0x627,   0x64b,   0x6dd,   0x6de,   0x70f,   0x890,   0x891,
	0x8e2,   0x905,   0x94d,   0xe01,   0xe31,   0x1100,  0x115e,  0x1161,  0x1200,  0x167f,  0x1681,  0x1780,
	0x17b3,  0x17b6,  0x180a,  0x1820,  0x2010,  0x2026,  0x2030,  0x2190,  0x2500,  0x27ff,  0x2801,  0x28ff,
	0x3001,  0x303f,  0x3042,  0x3163,  0x3165,  0x4e00,  0xac00,  0xd7a3,  0xf900,  0xfb01,  0xfdcf,  0xfdf0,
	0xfe10,  0xfe70,  0xff01,  0xff9f,  0xffa1,  0xffdc,  0xfffd,  0x10000, 0x110bd, 0x110cd, 0x1d15a, 0x1d172,
	0x1d17b, 0x1f1e9, 0x1f3fd, 0x1f600, 0x1fae8, 0x20000, 0x2a6df, 0x31350,
};

static size_t encode(uint32_t character, char *out)
{
	size_t len = character < 0x80 ? 1 : character < 0x800 ? 2 : character < 0x10000 ? 3 : 4;
	static const uint32_t lead[] = { 0, 0, 0xc0, 0xe0, 0xf0 };
	for (size_t i = len - 1; i; i--, character >>= 6)
		out[i] = (char)(0x80 | (character & 0x3f));
	out[0] = (char)(lead[len == 1 ? 0 : len] | character);
	return len;
}

static void check_characters(const uint32_t *characters, size_t count, bool as_they_are)
{
	for (size_t i = 0; i < count; i++) {
		char name[4];
		size_t len = encode(characters[i], name);
		struct escaped one;
		escape_one(name, len, 0, &one);
		assert_int_equal(one.used, len);
		if ((one.len == len) != as_they_are)
			fail_msg("U+%04X is %s", characters[i], as_they_are ? "escaped" : "not escaped");
		assert_int_equal(one.len, as_they_are ? len : 4 * len);
	}
}

static void escaped_is_what_is_not_seen(void **state)
{
	(void)state;
	check_characters(hidden, sizeof(hidden) / sizeof(hidden[0]), false);
	check_characters(seen, sizeof(seen) / sizeof(seen[0]), true);
}

static void escaped_writes_only_harmless_text(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct catch *caught = catch_new();
		assert_int_equal(vmsnap_print_escaped(rows[i].name, strlen(rows[i].name), &caught->out, NULL), 0);
		assert_string_equal(caught->text, rows[i].unicode);
		caught = catch_new();
		caught->out.style.unicode = false;
		assert_int_equal(vmsnap_print_escaped(rows[i].name, strlen(rows[i].name), &caught->out, NULL), 0);
		assert_string_equal(caught->text, rows[i].ascii);
	}
}

static int nibble(char c)
{
	return c <= '9' ? c - '0' : c - 'a' + 10;
}

/* Undoes the one rule: \xHH is a byte, all else itself. */
static size_t decode(const char *text, size_t len, char *out)
{
	size_t count = 0;
	for (size_t i = 0; i < len; i++) {
		if (text[i] == '\\') {
			assert_true(i + 3 < len && text[i + 1] == 'x');
			out[count++] = (char)(nibble(text[i + 2]) << 4 | nibble(text[i + 3]));
			i += 3;
		} else {
			out[count++] = text[i];
		}
	}
	return count;
}

static void escaped_can_be_undone_for_any_bytes(void **state)
{
	(void)state;
	uint32_t random = 12345;
	for (int round = 0; round < 3000; round++) {
		char name[64], back[64];
		size_t len = 0;
		for (; len < sizeof(name); len++) {
			random = random * 1664525 + 1013904223;
			/* Lead and continuation bytes often, so that valid UTF-8 comes up. */
			name[len] = (char)(random >> 28 < 8 ? random >> 16 : 0x80 | (random >> 20 & 0x3f));
		}
		struct catch *caught = catch_new();
		caught->out.style.unicode = round % 2;
		assert_int_equal(vmsnap_print_escaped(name, len, &caught->out, NULL), 0);
		assert_harmless(caught);
		assert_true(caught->len < 4 * sizeof(name) + 1);
		assert_int_equal(decode(caught->text, caught->len, back), len);
		assert_memory_equal(back, name, len);
	}
}

static void escaped_widths_are_those_of_a_terminal(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		size_t width;
	} widths[] = {
		{ "abc", 3 },
		{ "caf\xc3\xa9", 4 },
		{ "cafe\xcc\x81", 4 },             /* a combining accent */
		{ "\xe6\xbc\xa2\xe5\xad\x97", 4 }, /* two Chinese characters */
		{ "\xf0\x9f\x98\x80", 2 },         /* an emoji */
		{ "\xe2\x96\x88\xe2\x96\x81", 2 }, /* block characters */
		{ "\xea\xb0\x80", 2 },             /* Hangul */
		{ HEART EMOJI_STYLE, 1 },
		{ WOMAN JOINER ROCKET, 4 }, /* not every terminal joins them */
	};
	for (size_t i = 0; i < sizeof(widths) / sizeof(widths[0]); i++)
		assert_int_equal(utf8_text_width(widths[i].text, strlen(widths[i].text)), widths[i].width);
}

static void escaped_reports_why_a_write_failed(void **state)
{
	(void)state;
	struct catch *caught = catch_new();
	caught->refuse_with = 32; /* EPIPE */
	assert_int_equal(vmsnap_print_escaped("x", 1, &caught->out, &caught->err), VMSNAP_ERR_SYSTEM);
	assert_int_equal(caught->err.sys_errno, 32);
}

static void escaped_refuses_an_output_of_unknown_size(void **state)
{
	(void)state;
	struct catch *caught = catch_new();
	caught->out.size = 8;
	assert_int_equal(vmsnap_print_escaped("x", 1, &caught->out, &caught->err), VMSNAP_ERR_ARGUMENT);
	assert_int_equal(caught->len, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(escaped_writes_only_harmless_text),
		cmocka_unit_test(escaped_is_what_is_not_seen),
		cmocka_unit_test(escaped_can_be_undone_for_any_bytes),
		cmocka_unit_test(escaped_widths_are_those_of_a_terminal),
		cmocka_unit_test(escaped_reports_why_a_write_failed),
		cmocka_unit_test(escaped_refuses_an_output_of_unknown_size),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
