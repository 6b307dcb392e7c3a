/* How large an .xz stream becomes, against streams that xz made and that we made. */
#define _GNU_SOURCE
#include "names_make.h"

#include <sys/mman.h>

#include "names_xz.h"

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
	if (system("xz --version >/dev/null 2>&1")) {
		print_message("SKIP: xz is not installed\n");
		skip();
	}
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
		cmocka_unit_test(range_past_the_end_does_not_fit),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
