/* How large an .xz stream becomes, against streams that xz made and that we made. */
#define _GNU_SOURCE
#include "names_make.h"
#include "test_skip.h"

#include <sys/mman.h>

#include "xz.h"

/* printf 'vmsnap' | xz -9 --check=crc32 */
static const uint8_t SMALL[] = {
	0xfd, '7',  'z',  'X',  'Z',  0,   0,   1,   0x69, 0x22, 0xde, 0x36, /* header, check CRC-32 */
	0x02, 0x00, 0x21, 0x01, 0x1c, 0,   0,   0,   0x10, 0xcf, 0x58, 0xcc, /* block header */
	0x01, 0x00, 0x05, 'v',  'm',  's', 'n', 'a', 'p',  0x00, 0x00, 0x00, /* chunk, end, padding */
	1,    2,    3,    4,                                                 /* check */
	0x00, 0x01,                                                          /* index, as far as we look */
};

static bool fits(const uint8_t *bytes, size_t len, uint64_t max)
{
	int fd = memfd_create("xz", 0);
	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, bytes, len, 1000), (ssize_t)len);
	bool yes = xz_fits(fd, 1000, len, max);
	close(fd);
	return yes;
}

static void stored_chunk_is_counted_to_the_byte(void **state)
{
	(void)state;
	assert_true(fits(SMALL, sizeof(SMALL), 6));
	assert_false(fits(SMALL, sizeof(SMALL), 5));
}

static void truncated_stream_does_not_fit(void **state)
{
	(void)state;
	for (size_t len = 0; len < sizeof(SMALL) - 1; len++)
		assert_false(fits(SMALL, len, 1000));
}

static void other_streams_are_not_understood(void **state)
{
	(void)state;
	uint8_t bytes[sizeof(SMALL)];
	memcpy(bytes, SMALL, sizeof(bytes));
	bytes[0] = 0x5d; /* .lzma */
	assert_false(fits(bytes, sizeof(bytes), 1000));
	memcpy(bytes, SMALL, sizeof(bytes));
	bytes[13] = 1; /* two filters */
	assert_false(fits(bytes, sizeof(bytes), 1000));
	memcpy(bytes, SMALL, sizeof(bytes));
	bytes[24] = 0x03; /* no such chunk */
	assert_false(fits(bytes, sizeof(bytes), 1000));
}

static void streams_that_xz_made_are_measured(void **state)
{
	struct place *place = *state;
	char command[1024];
	static const char *const ways[] = { "-9", "-0 --block-size=100000", "-9e --check=sha256", "--check=none" };
	if (system("xz --version >/dev/null 2>&1"))
		skip_because("xz is not installed");
	for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++) {
		snprintf(command, sizeof(command), "seq 100000 | head -c 300001 | xz -c %s > '%s/x.xz'", ways[i],
		         place->root);
		assert_int_equal(system(command), 0);
		int fd = open(place_path(place, "/x.xz"), O_RDONLY);
		struct stat st;
		assert_int_equal(fstat(fd, &st), 0);
		assert_true(xz_fits(fd, 0, (uint64_t)st.st_size, 300001));
		assert_false(xz_fits(fd, 0, (uint64_t)st.st_size, 300000));
		close(fd);
	}
}

/* printf 'vmsnap vmsnap ...', seven times, | xz --check=crc32 */
static const uint8_t SEVEN[] = {
	0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00, 0x00, 0x01, 0x69, 0x22, 0xde, 0x36, 0x02, 0x00, 0x21, 0x01, 0x16, 0x00,
	0x00, 0x00, 0x74, 0x2f, 0xe5, 0xa3, 0xe0, 0x00, 0x2f, 0x00, 0x0e, 0x5d, 0x00, 0x3b, 0x1b, 0x4a, 0xcd, 0x9f,
	0x6d, 0x47, 0x25, 0x77, 0xec, 0xd1, 0xe0, 0x00, 0x00, 0x00, 0x00, 0x00, 0x2d, 0xcd, 0xa7, 0x62, 0x00, 0x01,
	0x26, 0x30, 0xa3, 0x06, 0x81, 0xc5, 0x90, 0x42, 0x99, 0x0d, 0x01, 0x00, 0x00, 0x00, 0x00, 0x01, 0x59, 0x5a,
};
enum { SEVEN_TIMES = 48, UNTOUCHED = 0xa5 };

/* Into room bytes, behind which nothing may be written. */
static bool inflates(const uint8_t *bytes, size_t len, uint64_t size, uint8_t *out, uint64_t room)
{
	int fd = memfd_create("xz", 0);
	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, bytes, len, 1000), (ssize_t)len);
	memset(out, UNTOUCHED, 2 * SEVEN_TIMES);
	bool yes = xz_inflate(fd, 1000, size, out, room);
	for (size_t i = room; i < 2 * SEVEN_TIMES; i++)
		assert_int_equal(out[i], UNTOUCHED);
	close(fd);
	return yes;
}

static void stream_inflates_to_its_size_and_no_other(void **state)
{
	(void)state;
	uint8_t out[2 * SEVEN_TIMES], bytes[sizeof(SEVEN)];
	assert_true(fits(SEVEN, sizeof(SEVEN), SEVEN_TIMES));
	assert_true(inflates(SEVEN, sizeof(SEVEN), sizeof(SEVEN), out, SEVEN_TIMES));
	assert_memory_equal(out, "vmsnap vmsnap vmsnap vmsnap vmsnap vmsnap vmsnap", SEVEN_TIMES);
	/* A section that says it is larger than the file. */
	assert_true(inflates(SEVEN, sizeof(SEVEN), UINT64_C(1) << 50, out, SEVEN_TIMES));
	assert_false(inflates(SEVEN, sizeof(SEVEN), sizeof(SEVEN), out, SEVEN_TIMES - 1));
	assert_false(inflates(SEVEN, sizeof(SEVEN), sizeof(SEVEN), out, SEVEN_TIMES + 1));
	for (size_t i = 0; i < sizeof(SEVEN); i++) {
		assert_false(inflates(SEVEN, i, sizeof(SEVEN), out, SEVEN_TIMES));
		assert_false(inflates(SEVEN, sizeof(SEVEN), i, out, SEVEN_TIMES));
		memcpy(bytes, SEVEN, sizeof(SEVEN));
		bytes[i] ^= 0x10;
		assert_false(inflates(bytes, sizeof(SEVEN), sizeof(SEVEN), out, SEVEN_TIMES));
	}
}

static void range_past_the_end_does_not_fit(void **state)
{
	(void)state;
	int fd = memfd_create("xz", 0);
	assert_int_equal(write(fd, SMALL, sizeof(SMALL)), (ssize_t)sizeof(SMALL));
	assert_false(xz_fits(fd, UINT64_MAX, 10, 1000));
	assert_false(xz_fits(fd, 10, UINT64_MAX, 1000));
	assert_false(xz_fits(fd, INT64_MAX, INT64_MAX, 1000));
	assert_false(xz_fits(fd, 1 << 20, 4096, 1000));
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stored_chunk_is_counted_to_the_byte),
		cmocka_unit_test(truncated_stream_does_not_fit),
		cmocka_unit_test(other_streams_are_not_understood),
		cmocka_unit_test_setup_teardown(streams_that_xz_made_are_measured, place_setup, place_teardown),
		cmocka_unit_test(stream_inflates_to_its_size_and_no_other),
		cmocka_unit_test(range_past_the_end_does_not_fit),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
