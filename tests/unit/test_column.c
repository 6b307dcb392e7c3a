/* Numbers, strings and columns; and the dictionary. */
#include "test_file_sample.h"

#include "column.h"
#include "dictionary.h"

static void varint_comes_back(void **state)
{
	(void)state;
	for (unsigned shift = 0; shift < 64; shift++) {
		for (int delta = -1; delta <= 1; delta++) {
			uint64_t value = (UINT64_C(1) << shift) + (uint64_t)delta, out;
			struct bytes bytes = { 0 };
			put_varint(&bytes, value);
			struct cursor cursor = cursor_of(bytes.data, bytes.len);
			assert_true(take_varint(&cursor, &out) && out == value && !cursor_left(&cursor));
			cursor = cursor_of(bytes.data, bytes.len - 1);
			assert_false(take_varint(&cursor, &out));
			assert_int_equal(cursor_left(&cursor), bytes.len - 1);
			bytes_free(&bytes);
		}
	}
}

static void varint_refuses_what_is_too_long(void **state)
{
	(void)state;
	static const struct {
		const char *bytes;
		size_t len;
	} bad[] = {
		{ "", 0 },
		{ "\x80", 1 },
		{ "\x80\x00", 2 },                                      /* 0 in two bytes */
		{ "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 10 },     /* 2^65 - 1 */
		{ "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01", 11 }, /* eleven bytes */
	};
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct cursor cursor = cursor_of(bad[i].bytes, bad[i].len);
		uint64_t out;
		assert_false(take_varint(&cursor, &out));
	}
}

static void zigzag_comes_back(void **state)
{
	(void)state;
	assert_int_equal(zigzag(0), 0);
	assert_int_equal(zigzag((uint64_t)-1), 1);
	assert_int_equal(zigzag(1), 2);
	assert_true(zigzag(UINT64_C(1) << 63) == UINT64_MAX);
	for (int i = 0; i < 1000; i++) {
		uint64_t value = sample_random(UINT64_MAX) >> sample_random(64);
		assert_true(unzigzag(zigzag(value)) == value && zigzag(unzigzag(value)) == value);
	}
}

static void column_is_layered_as_documented(void **state)
{
	(void)state;
	uint64_t values[] = { 1, 300, 5, 70000 };
	static const uint8_t expected[] = { 7, 0x01, 0xac, 0x05, 0xf0, 0x02, 0xa2, 0x04 };
	struct bytes bytes = { 0 };
	put_numbers(&bytes, values, 4);
	assert_int_equal(bytes.len, sizeof(expected));
	assert_memory_equal(bytes.data, expected, sizeof(expected));
	bytes_free(&bytes);
}

static void column_comes_back(void **state)
{
	(void)state;
	enum { MOST = 5000 };
	uint64_t *values = calloc(MOST, sizeof(*values)), *work = calloc(MOST, sizeof(*work));
	assert_true(values && work);
	for (size_t round = 0; round < 300; round++) {
		size_t count = sample_random(round % 3 ? 50 : MOST);
		unsigned bits = (unsigned)sample_random(64) + 1;
		for (size_t i = 0; i < count; i++)
			values[i] = sample_random(UINT64_MAX) >> (sample_random(4) ? 64 - bits : sample_random(64));
		memcpy(work, values, count * sizeof(*values));
		struct bytes bytes = { 0 };
		put_numbers(&bytes, work, count);
		struct cursor cursor = cursor_of(bytes.data, bytes.len);
		assert_true(take_numbers(&cursor, work, count));
		assert_int_equal(cursor_left(&cursor), 0);
		for (size_t i = 0; i < count; i++)
			assert_true(work[i] == values[i]);
		cursor = cursor_of(bytes.data, bytes.len);
		assert_false(take_numbers(&cursor, work, count + 1));
		bytes_free(&bytes);
	}
	free(values);
	free(work);
}

static void column_refuses_what_a_number_cannot_be(void **state)
{
	(void)state;
	static const struct {
		const char *bytes;
		size_t len, count;
	} bad[] = {
		{ "\x01\x02", 2, 1 },         /* too much */
		{ "\x01", 1, 2 },             /* too little */
		{ "\x81", 1, 1 },             /* the second layer is missing */
		{ "\x81\x00", 2, 1 },         /* 1 in two bytes */
		{ "\x81\x82\x01\x00", 4, 2 }, /* one of two is longer than it need be */
		{ "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 10, 1 },
		{ "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x81\x01", 11, 1 },
		{ "\x00", 1, 0 },
	};
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct numbers numbers;
		assert_false(numbers_open(&numbers, cursor_of(bad[i].bytes, bad[i].len), bad[i].count));
	}
}

static void string_needs_its_nul(void **state)
{
	(void)state;
	struct cursor cursor = cursor_of("ab\0cd", 5);
	const char *string;
	size_t len;
	assert_true(take_string(&cursor, &string, &len));
	assert_string_equal(string, "ab");
	assert_int_equal(len, 2);
	assert_false(take_string(&cursor, &string, &len));
	assert_int_equal(cursor_left(&cursor), 2);
}

static void column_longer_than_its_bytes_is_refused(void **state)
{
	(void)state;
	struct cursor cursor = cursor_of("\x03"
	                                 "ab",
	                                 3),
	              column;
	assert_false(take_column(&cursor, &column));
	assert_int_equal(cursor_left(&cursor), 3);
	cursor = cursor_of("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"
	                   "ab",
	                   12);
	assert_false(take_column(&cursor, &column));
}

/* The text between the fences of docs/format.md, with \t as a tab. */
static char *documented_dictionary(size_t *len)
{
	FILE *page = fopen(SOURCE_DIR "/docs/format.md", "r");
	assert_non_null(page);
	char line[1024];
	char *text = calloc(1, 1 << 16);
	assert_non_null(text);
	bool inside = false;
	*len = 0;
	while (fgets(line, sizeof(line), page)) {
		if (strncmp(line, "```", 3) == 0) {
			inside = strcmp(line, "```dictionary\n") == 0;
			continue;
		}
		for (const char *at = line; inside && *at; at++) {
			bool tab = at[0] == '\\' && at[1] == 't';
			text[(*len)++] = tab ? '\t' : *at;
			at += tab;
		}
	}
	fclose(page);
	return text;
}

static void dictionary_is_the_documented_one(void **state)
{
	(void)state;
	size_t len;
	char *text = documented_dictionary(&len);
	assert_int_equal(len, DICTIONARY_BYTES);
	assert_int_equal(strlen(dictionary_text), DICTIONARY_BYTES);
	assert_memory_equal(text, dictionary_text, DICTIONARY_BYTES);
	free(text);
	uint32_t a = 1, b = 0;
	for (size_t i = 0; i < DICTIONARY_BYTES; i++) {
		a = (a + (uint8_t)dictionary_text[i]) % 65521;
		b = (b + a) % 65521;
	}
	assert_int_equal(b << 16 | a, DICTIONARY_ADLER);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(varint_comes_back),
		cmocka_unit_test(varint_refuses_what_is_too_long),
		cmocka_unit_test(zigzag_comes_back),
		cmocka_unit_test(column_is_layered_as_documented),
		cmocka_unit_test(column_comes_back),
		cmocka_unit_test(column_refuses_what_a_number_cannot_be),
		cmocka_unit_test(string_needs_its_nul),
		cmocka_unit_test(column_longer_than_its_bytes_is_refused),
		cmocka_unit_test(dictionary_is_the_documented_one),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
