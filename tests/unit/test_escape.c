/* Names for people: what is written as \xHH, and how wide it is. */
#include "escape.h"
#include "test_print_support.h"
#include "text_utf8.h"

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
	{ "\xc2\x9b" "2J", "\\xc2\\x9b2J", "\\xc2\\x9b2J" },
	{ "\x9b" "2J", "\\x9b2J", "\\x9b2J" },
	/* Overlong, surrogate, above U+10FFFF, cut off. */
	{ "\xc0\xaf", "\\xc0\\xaf", "\\xc0\\xaf" },
	{ "\xe0\x80\xaf", "\\xe0\\x80\\xaf", "\\xe0\\x80\\xaf" },
	{ "\xed\xa0\x80", "\\xed\\xa0\\x80", "\\xed\\xa0\\x80" },
	{ "\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80", "\\xf4\\x90\\x80\\x80" },
	{ "\xe6\xbc", "\\xe6\\xbc", "\\xe6\\xbc" },
	/* Line separator, right-to-left override, isolate, zero width space. */
	{ "\xe2\x80\xa8", "\\xe2\\x80\\xa8", "\\xe2\\x80\\xa8" },
	{ "a\xe2\x80\xae" "b", "a\\xe2\\x80\\xaeb", "a\\xe2\\x80\\xaeb" },
	{ "\xe2\x81\xa6", "\\xe2\\x81\\xa6", "\\xe2\\x81\\xa6" },
	{ "\xe2\x80\x8b", "\\xe2\\x80\\x8b", "\\xe2\\x80\\x8b" },
};

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
		{ "cafe\xcc\x81", 4 },                 /* a combining accent */
		{ "\xe6\xbc\xa2\xe5\xad\x97", 4 },     /* two Chinese characters */
		{ "\xf0\x9f\x98\x80", 2 },             /* an emoji */
		{ "\xe2\x96\x88\xe2\x96\x81", 2 },     /* block characters */
		{ "\xea\xb0\x80", 2 },                 /* Hangul */
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
		cmocka_unit_test(escaped_can_be_undone_for_any_bytes),
		cmocka_unit_test(escaped_widths_are_those_of_a_terminal),
		cmocka_unit_test(escaped_reports_why_a_write_failed),
		cmocka_unit_test(escaped_refuses_an_output_of_unknown_size),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
