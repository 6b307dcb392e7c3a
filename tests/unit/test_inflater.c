/* test_inflater.c - what inflates fast says what zlib says, of whole streams and of damaged ones; but
 * for codes that stand for nothing, where the checksum is right. */
#include "test_file_sample.h"

#include <zlib.h>

#include "file_deflate.h"
#include "inflater.h"

static struct inflater *inflater;

static int begin(void **state)
{
	(void)state;
	inflater = inflater_new();
	return inflater ? 0 : -1;
}

static int end(void **state)
{
	(void)state;
	inflater_free(inflater);
	return 0;
}

/* Of the bytes that a zlib stream is of. */
static uint64_t checksum_of(const uint8_t *stored, size_t len)
{
	uint64_t sum = 0;
	for (size_t i = len - 4; i < len; i++)
		sum = sum << 8 | stored[i];
	return sum;
}

static void assert_as_zlib(const uint8_t *stored, size_t stored_len, size_t raw_len)
{
	struct work work = { .limit = WORK_UNLIMITED };
	uint8_t *fast = calloc(1, raw_len + 1), *plain = calloc(1, raw_len + 1), *copy = copy_of(stored, stored_len);
	assert_true(fast && plain);
	int rc = inflate_payload(copy, stored_len, plain, raw_len, &work);
	int fast_rc = inflater_inflate(inflater, copy, stored_len, fast, raw_len);
	if (!rc)
		assert_memory_equal(fast, plain, raw_len);
	if (rc && !fast_rc)
		assert_int_equal(checksum_of(copy, stored_len), adler32(1, fast, (uInt)raw_len));
	else
		assert_int_equal(fast_rc, rc);
	free(fast);
	free(plain);
	free(copy);
}

/* Some columns of equal bytes, some of any, some between. */
static void fill(struct payload *payload)
{
	size_t columns = 1 + sample_random(8);
	for (size_t c = 0; c < columns; c++) {
		size_t len = sample_random(6000);
		uint64_t values = sample_random(3) ? 1 + sample_random(30) : 256;
		uint8_t *at = bytes_reserve(&payload->bytes, len + 1);
		assert_non_null(at);
		for (size_t i = 0; i < len; i++)
			at[i] = (uint8_t)sample_random(values);
		payload->bytes.len += len;
		payload_cut(payload);
	}
}

static void try_damage(struct bytes *stored, size_t raw_len)
{
	uint8_t *bytes = stored->data;
	size_t len = stored->len, at = sample_random(len);
	uint8_t was = bytes[at];
	bytes[at] ^= (uint8_t)(1 << sample_random(8));
	assert_as_zlib(bytes, len, raw_len);
	bytes[at] = was;
	assert_as_zlib(bytes, sample_random(len), raw_len);
	assert_as_zlib(bytes, len, raw_len + 1);
	assert_as_zlib(bytes, len, raw_len ? raw_len - 1 : 0);
	put_bytes(stored, "", 1); /* something follows */
	assert_as_zlib(stored->data, len + 1, raw_len);
	stored->len = len;
}

static void damage_is_what_zlib_takes_for_it(void **state)
{
	(void)state;
	struct deflater *deflater = deflater_new();
	struct payload payload = { 0 };
	struct bytes stored = { 0 };
	assert_non_null(deflater);
	for (size_t i = 0; i < 300; i++) {
		payload_clear(&payload);
		fill(&payload);
		enum deflate_effort effort = i % 2 ? DEFLATE_FAST : i % 10 ? DEFLATE_SMALL : DEFLATE_SMALL_TEXT;
		if (!deflate_payload(deflater, &payload, effort, &stored))
			continue;
		assert_as_zlib(stored.data, stored.len, payload.bytes.len);
		for (size_t k = 0; k < 10; k++)
			try_damage(&stored, payload.bytes.len);
	}
	assert_as_zlib((const uint8_t *)"", 0, 0);
	bytes_free(&stored);
	payload_free(&payload);
	deflater_free(deflater);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(damage_is_what_zlib_takes_for_it, begin, end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
