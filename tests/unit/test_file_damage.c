/* Files that are cut off, damaged, newer or joined. */
#include "test_file_sample.h"

#include "column.h"
#include "section.h"

struct three {
	struct vmsnap *snaps[3];
	uint8_t *bytes;
	size_t len;
	uint64_t ends[3];
};

static struct three make_three(void)
{
	struct three three = { .snaps = { sample_small("one"), sample_small("two"), sample_small("three") } };
	sample_add_smaps(three.snaps[1]);
	sample_add_names(three.snaps[1]);
	three.bytes = sample_bytes(three.snaps, 3, &three.len);
	for (size_t i = 1; i <= 3; i++) {
		size_t len;
		free(sample_bytes(three.snaps, i, &len));
		three.ends[i - 1] = len;
	}
	return three;
}

static void free_three(struct three *three)
{
	for (size_t i = 0; i < 3; i++)
		vmsnap_unref(three->snaps[i]);
	free(three->bytes);
}

/* ---- cut off ---- */

static void every_truncation_keeps_what_is_whole(void **state)
{
	(void)state;
	struct three three = make_three();
	for (size_t len = 0; len < three.len; len++) {
		uint8_t *bytes = copy_of(three.bytes, len);
		struct vmsnap_file *file;
		struct vmsnap_error err = { 0 };
		size_t whole = len >= three.ends[1] ? 2 : len >= three.ends[0] ? 1 : 0;
		int rc = vmsnap_file_open_memory(bytes, len, NULL, &file, &err);
		if (rc) {
			assert_int_equal(whole, 0);
			assert_int_equal(rc, len ? VMSNAP_ERR_TRUNCATED : VMSNAP_ERR_NOT_SNAPSHOT);
			assert_error(rc, &err, len);
			assert_int_equal(err.position, len < 16 ? 0 : 16);
			free(bytes);
			continue;
		}
		assert_int_equal(vmsnap_file_count(file), whole);
		bool clean = len == 16 || len == three.ends[0] || len == three.ends[1];
		rc = vmsnap_file_damage(file, &err);
		assert_int_equal(rc, clean ? VMSNAP_OK : VMSNAP_ERR_TRUNCATED);
		if (rc)
			assert_int_equal(err.position, three.ends[whole - 1]);
		for (size_t i = 0; i < whole; i++) {
			struct vmsnap *back = sample_load(bytes, len, i);
			assert_same(three.snaps[i], back);
			vmsnap_unref(back);
		}
		vmsnap_file_close(file);
		free(bytes);
	}
	free_three(&three);
}

/* What a file with one bit wrong may do: refuse, say what is lost, or refuse a
 * snapshot; what it does give must be right. */
static void assert_right_or_refused(const struct three *three, const uint8_t *bytes)
{
	struct vmsnap_file *file;
	struct vmsnap_error err = { 0 };
	int rc = vmsnap_file_open_memory(bytes, three->len, NULL, &file, &err);
	if (rc) {
		assert_error(rc, &err, three->len);
		return;
	}
	bool bad = vmsnap_file_damage(file, &err) != VMSNAP_OK;
	if (bad)
		assert_error(err.code, &err, three->len);
	size_t good = 0;
	for (size_t i = 0; i < vmsnap_file_count(file); i++) {
		struct vmsnap *back;
		struct vmsnap_file_entry entry;
		assert_int_equal(vmsnap_file_entry(file, i, &entry, NULL), VMSNAP_OK);
		size_t which = 0;
		while (which < 2 && entry.offset >= three->ends[which])
			which++;
		rc = vmsnap_file_load(file, i, &back, &err);
		if (rc) {
			assert_error(rc, &err, three->len);
			bad = true;
			continue;
		}
		assert_same(three->snaps[which], back);
		vmsnap_unref(back);
		good++;
	}
	assert_true(bad);
	/* One bit spoils no more than one snapshot. */
	assert_true(good >= 2);
	vmsnap_file_close(file);
}

static void every_bit_flip_is_noticed(void **state)
{
	(void)state;
	struct three three = make_three();
	for (size_t bit = 0; bit < three.len * 8; bit++) {
		three.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
		uint8_t *bytes = copy_of(three.bytes, three.len);
		assert_right_or_refused(&three, bytes);
		free(bytes);
		three.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	free_three(&three);
}

static void what_is_not_ours_is_said_to_be_so(void **state)
{
	(void)state;
	static const char *const texts[] = { "", "\x7f\x45LF\2\1\1", "hello, world, this is long enough",
		                             "\x89PNG\r\n\x1a\n", "\x89VMX" };
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		struct vmsnap_error err;
		assert_int_equal(open_bytes((const uint8_t *)texts[i], strlen(texts[i]), &err),
		                 VMSNAP_ERR_NOT_SNAPSHOT);
		assert_error(VMSNAP_ERR_NOT_SNAPSHOT, &err, 0);
	}
	assert_int_equal(open_bytes(NULL, 0, NULL), VMSNAP_ERR_NOT_SNAPSHOT);
}

static void another_version_is_newer_and_a_spoilt_header_damaged(void **state)
{
	(void)state;
	uint8_t bytes[STREAM_HEADER_BYTES];
	struct vmsnap_error err;
	stream_header_write(bytes);
	assert_int_equal(open_bytes(bytes, 16, &err), VMSNAP_OK);
	bytes[8] = 2;
	assert_int_equal(open_bytes(bytes, 16, &err), VMSNAP_ERR_CORRUPT);
	uint32_t crc = crc_of(0, bytes, 12);
	for (size_t i = 0; i < 4; i++)
		bytes[12 + i] = (uint8_t)(crc >> 8 * i);
	assert_int_equal(open_bytes(bytes, 16, &err), VMSNAP_ERR_NEWER);
	assert_int_equal(err.position, 0);
}

/* ---- damage in the middle, and joined files ---- */

static void file_cut_short_while_open_is_truncated(void **state)
{
	(void)state;
	struct three three = make_three();
	FILE *temporary = tmpfile();
	assert_non_null(temporary);
	int fd = fileno(temporary);
	assert_int_equal(pwrite(fd, three.bytes, three.len, 0), three.len);
	struct vmsnap_file *file;
	struct vmsnap *back;
	struct vmsnap_error err = { 0 };
	assert_int_equal(vmsnap_file_open_fd(fd, NULL, &file, NULL), VMSNAP_OK);
	assert_int_equal(ftruncate(fd, (off_t)three.ends[1] + 40), 0);
	assert_int_equal(vmsnap_file_load(file, 2, &back, &err), VMSNAP_ERR_TRUNCATED);
	assert_error(VMSNAP_ERR_TRUNCATED, &err, three.len);
	assert_int_equal(vmsnap_file_load(file, 1, &back, &err), VMSNAP_OK);
	assert_same(three.snaps[1], back);
	vmsnap_unref(back);
	vmsnap_file_close(file);
	fclose(temporary);
	free_three(&three);
}

static void assert_damage(const uint8_t *bytes, size_t len, size_t count, int code, uint64_t position)
{
	struct vmsnap_file *file;
	struct vmsnap_error err = { 0 };
	assert_int_equal(vmsnap_file_open_memory(bytes, len, NULL, &file, &err), VMSNAP_OK);
	assert_int_equal(vmsnap_file_count(file), count);
	assert_int_equal(vmsnap_file_damage(file, &err), code);
	if (code)
		assert_int_equal(err.position, position);
	vmsnap_file_close(file);
}

static void damage_in_the_middle_spoils_its_snapshot_alone(void **state)
{
	(void)state;
	struct three three = make_three();
	uint64_t end = three.ends[1] - END_BYTES;
	three.bytes[end + 40] ^= 1; /* payload of the second END */
	assert_damage(three.bytes, three.len, 2, VMSNAP_ERR_CORRUPT, end);
	three.bytes[end + 40] ^= 1;
	three.bytes[three.ends[0]] ^= 1; /* the second SNAP: found from behind, refused when read */
	assert_damage(three.bytes, three.len, 3, VMSNAP_OK, 0);
	three.bytes[three.ends[0]] ^= 1;
	free_three(&three);
}

/* The offset of the index-th section of a type. */
static uint64_t section_at(const uint8_t *bytes, size_t len, uint32_t type, size_t index)
{
	struct section section = { 0 };
	for (uint64_t at = STREAM_HEADER_BYTES; at < len; at += SECTION_HEADER_BYTES + section.stored) {
		assert_true(section_read(bytes + at, &section));
		if (section.type == type && !index--)
			return at;
	}
	fail();
	return 0;
}

static void assert_damaged_at(const uint8_t *bytes, size_t len, uint64_t position)
{
	struct vmsnap_file *file;
	struct vmsnap *back;
	struct vmsnap_error err = { 0 };
	FILE *temporary = tmpfile();
	assert_non_null(temporary);
	assert_int_equal(fwrite(bytes, 1, len, temporary), len);
	rewind(temporary);
	for (int from_memory = 0; from_memory < 2; from_memory++) {
		int rc = from_memory ? vmsnap_file_open_memory(bytes, len, NULL, &file, &err)
		                     : vmsnap_file_open_fd(fileno(temporary), NULL, &file, &err);
		assert_int_equal(rc, VMSNAP_OK);
		assert_int_equal(vmsnap_file_load(file, 0, &back, &err), VMSNAP_ERR_CORRUPT);
		assert_int_equal(err.position, position);
		vmsnap_file_close(file);
	}
	fclose(temporary);
}

/* They are read by several threads at once. */
static void of_many_sections_the_first_that_is_damaged_is_told(void **state)
{
	(void)state;
	struct vmsnap *snap = sample_empty(4096, "many");
	for (size_t i = 0; i < 300000; i++)
		sample_add_run(snap, (i + 16) * 4096, 1, PRESENT | FLAG(EXCLUSIVE) | sample_random(1 << 30));
	size_t len;
	uint8_t *bytes = sample_bytes(&snap, 1, &len);
	uint64_t fifth = section_at(bytes, len, SECTION_PAGE, 4), seventh = section_at(bytes, len, SECTION_PAGE, 6);
	bytes[seventh + SECTION_HEADER_BYTES + 1000] ^= 1;
	assert_damaged_at(bytes, len, seventh);
	bytes[fifth + SECTION_HEADER_BYTES + 1000] ^= 1;
	assert_damaged_at(bytes, len, fifth);
	free(bytes);
	vmsnap_unref(snap);
}

static void garbage_after_the_last_snapshot_is_damage_there(void **state)
{
	(void)state;
	struct three three = make_three();
	uint8_t *longer = calloc(1, three.len + 100);
	assert_non_null(longer);
	memcpy(longer, three.bytes, three.len);
	assert_damage(longer, three.len + 100, 3, VMSNAP_ERR_CORRUPT, three.len);
	assert_damage(longer, three.len + 1, 3, VMSNAP_ERR_CORRUPT, three.len);
	memcpy(longer + three.len, "SNA", 3); /* the beginning of one more */
	assert_damage(longer, three.len + 3, 3, VMSNAP_ERR_TRUNCATED, three.len);
	/* A second END: it is the first that closes the snapshot. */
	memcpy(longer + three.len, three.bytes + three.len - END_BYTES, END_BYTES);
	assert_damage(longer, three.len + END_BYTES, 3, VMSNAP_ERR_CORRUPT, three.len);
	free(longer);
	free_three(&three);
}

static void joined_stream_of_a_newer_version_is_not_read(void **state)
{
	(void)state;
	struct three three = make_three();
	uint8_t *joined = malloc(3 * three.len);
	assert_non_null(joined);
	for (size_t i = 0; i < 3; i++)
		memcpy(joined + i * three.len, three.bytes, three.len);
	uint8_t *header = joined + three.len;
	header[8] = 9;
	uint32_t crc = crc_of(0, header, 12);
	for (size_t i = 0; i < 4; i++)
		header[12 + i] = (uint8_t)(crc >> 8 * i);
	/* The streams before and after it are. */
	assert_damage(joined, 3 * three.len, 6, VMSNAP_ERR_NEWER, three.len);
	assert_damage(joined, 2 * three.len, 3, VMSNAP_ERR_NEWER, three.len);
	free(joined);
	free_three(&three);
}

/* A snapshot that was cut off while a vmsnap file inside it was being written
 * must not give that one's snapshots for its own. */
static void snapshot_within_a_torn_section_is_not_found(void **state)
{
	(void)state;
	struct three three = make_three();
	struct bytes bytes = { 0 };
	uint8_t header[SECTION_HEADER_BYTES];
	put_bytes(&bytes, three.bytes, STREAM_HEADER_BYTES);
	struct section section = { .type = SECTION_SNAP, .stored = three.len + 1, .raw = three.len + 1 };
	section_write(&section, header);
	put_bytes(&bytes, header, sizeof(header));
	put_bytes(&bytes, three.bytes, three.len);
	struct vmsnap_error err = { 0 };
	assert_int_equal(open_bytes(bytes.data, bytes.len, &err), VMSNAP_ERR_TRUNCATED);
	assert_int_equal(err.position, 16);
	bytes_free(&bytes);
	free_three(&three);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_truncation_keeps_what_is_whole),
		cmocka_unit_test(every_bit_flip_is_noticed),
		cmocka_unit_test(what_is_not_ours_is_said_to_be_so),
		cmocka_unit_test(another_version_is_newer_and_a_spoilt_header_damaged),
		cmocka_unit_test(file_cut_short_while_open_is_truncated),
		cmocka_unit_test(damage_in_the_middle_spoils_its_snapshot_alone),
		cmocka_unit_test(of_many_sections_the_first_that_is_damaged_is_told),
		cmocka_unit_test(garbage_after_the_last_snapshot_is_damage_there),
		cmocka_unit_test(joined_stream_of_a_newer_version_is_not_read),
		cmocka_unit_test(snapshot_within_a_torn_section_is_not_found),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
