/* Files that are cut off, damaged, newer, hostile or too large. */
#include "test_file_sample.h"

#include "column.h"
#include "section.h"

enum { CODES = 5 };
static bool one_of_the_five(int code)
{
	static const int codes[CODES] = { VMSNAP_ERR_NOT_SNAPSHOT, VMSNAP_ERR_NEWER, VMSNAP_ERR_CORRUPT,
		                          VMSNAP_ERR_TRUNCATED, VMSNAP_ERR_TOO_LARGE };
	for (size_t i = 0; i < CODES; i++)
		if (codes[i] == code)
			return true;
	return false;
}

/* The five errors say where. */
static void assert_error(int code, const struct vmsnap_error *err, uint64_t len)
{
	char offset[64];
	snprintf(offset, sizeof(offset), "at offset %llu", (unsigned long long)err->position);
	if (!one_of_the_five(code) || err->code != code || err->position > len || !strstr(err->message, offset))
		fail_msg("code %d: %s", code, err->message);
}

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
		vmsnap_free(three->snaps[i]);
	free(three->bytes);
}

/* A copy in its own allocation, so that a sanitizer sees a step over its end. */
static uint8_t *copy_of(const uint8_t *bytes, size_t len)
{
	uint8_t *copy = malloc(len ? len : 1);
	assert_non_null(copy);
	memcpy(copy, bytes, len);
	return copy;
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
		size_t whole = (len >= three.ends[0]) + (len >= three.ends[1]);
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
			vmsnap_free(back);
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
		vmsnap_free(back);
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

static int open_bytes(const uint8_t *bytes, size_t len, struct vmsnap_error *err)
{
	struct vmsnap_file *file;
	int rc = vmsnap_file_open_memory(bytes, len, NULL, &file, err);
	if (!rc)
		vmsnap_file_close(file);
	return rc;
}

static void what_is_not_ours_is_said_to_be_so(void **state)
{
	(void)state;
	static const char *const texts[] = { "", "\x7f" "ELF\2\1\1", "hello, world, this is long enough", "\x89PNG\r\n\x1a\n",
		                             "\x89VMX" };
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		struct vmsnap_error err;
		assert_int_equal(open_bytes((const uint8_t *)texts[i], strlen(texts[i]), &err), VMSNAP_ERR_NOT_SNAPSHOT);
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

/* ---- made on purpose ---- */

struct made {
	struct bytes bytes;
	uint32_t sections, crc;
	uint64_t start;
};

static void begin_made(struct made *made)
{
	uint8_t header[STREAM_HEADER_BYTES];
	*made = (struct made){ 0 };
	stream_header_write(header);
	put_bytes(&made->bytes, header, sizeof(header));
	made->start = made->bytes.len;
}

static uint64_t add_section(struct made *made, struct section section, const void *payload)
{
	uint8_t header[SECTION_HEADER_BYTES];
	uint64_t offset = made->bytes.len;
	section.crc = crc_of(0, payload, section.stored);
	section_write(&section, header);
	made->crc = crc_of(made->crc, header, sizeof(header));
	made->sections++;
	put_bytes(&made->bytes, header, sizeof(header));
	put_bytes(&made->bytes, payload, section.stored);
	return offset;
}

static uint64_t add_plain(struct made *made, uint32_t type, const void *payload, size_t len)
{
	return add_section(made, (struct section){ .type = type, .flags = SECTION_REQUIRED, .stored = len, .raw = len },
	                   payload);
}

/* SNAP with a page size of 4096 and known PFNs, an empty STAT and no VMAS. */
static void add_start(struct made *made)
{
	begin_made(made);
	add_plain(made, SECTION_SNAP, "\x01\x02\x00\x10\x0e\x01\x01", 7);
	add_plain(made, SECTION_STAT, "", 0);
}
static void add_no_vmas(struct made *made)
{
	add_plain(made, SECTION_VMAS, "\0\0\0\0\0\0\0\0\0\0\0\0", 12);
}

static int load_made(struct made *made, uint64_t memory, struct vmsnap_error *err)
{
	uint8_t bytes[END_BYTES];
	struct section_end end = { .distance = made->bytes.len - made->start, .sections = made->sections, .crc = made->crc };
	end_write(&end, bytes);
	put_bytes(&made->bytes, bytes, sizeof(bytes));
	uint8_t *copy = copy_of(made->bytes.data, made->bytes.len);
	struct vmsnap_limits limits = { .size = sizeof(limits), .memory = memory };
	struct vmsnap_file *file;
	struct vmsnap *snap;
	int rc = vmsnap_file_open_memory(copy, made->bytes.len, &limits, &file, err);
	if (!rc) {
		rc = vmsnap_file_load(file, 0, &snap, err);
		if (!rc)
			vmsnap_free(snap);
		vmsnap_file_close(file);
	}
	free(copy);
	bytes_free(&made->bytes);
	return rc;
}

static void assert_made(struct made *made, int code, uint64_t offset)
{
	struct vmsnap_error err = { 0 };
	int rc = load_made(made, 0, &err);
	if (rc != code || (rc && err.position != offset))
		fail_msg("code %d at %llu, not %d: %s", rc, (unsigned long long)err.position, code, err.message);
}

static void smallest_snapshot_loads(void **state)
{
	(void)state;
	struct made made;
	add_start(&made);
	add_no_vmas(&made);
	assert_made(&made, VMSNAP_OK, 0);
}

static void unknown_sections_are_skipped_unless_required(void **state)
{
	(void)state;
	struct made made;
	struct section section = { .type = SECTION_TYPE('N', 'O', 'T', 'E'), .stored = 3, .raw = 3 };
	add_start(&made);
	add_section(&made, section, "hey");
	add_no_vmas(&made);
	assert_made(&made, VMSNAP_OK, 0);
	section.flags = SECTION_REQUIRED;
	add_start(&made);
	uint64_t offset = add_section(&made, section, "hey");
	add_no_vmas(&made);
	assert_made(&made, VMSNAP_ERR_NEWER, offset);
	for (int i = 0; i < 2; i++) {
		section.flags = i ? 4 : 0;
		section.reserved = (uint16_t)!i;
		add_start(&made);
		offset = add_section(&made, section, "hey");
		add_no_vmas(&made);
		assert_made(&made, VMSNAP_ERR_NEWER, offset);
	}
}

static void sections_must_be_those_of_a_snapshot(void **state)
{
	(void)state;
	struct made made;
	add_start(&made); /* without VMAS */
	assert_made(&made, VMSNAP_ERR_CORRUPT, 16);
	begin_made(&made); /* without STAT */
	add_plain(&made, SECTION_SNAP, "\x01\x02\x00\x10", 4);
	add_no_vmas(&made);
	assert_made(&made, VMSNAP_ERR_CORRUPT, 16);
	begin_made(&made); /* STAT first */
	add_plain(&made, SECTION_STAT, "", 0);
	assert_made(&made, VMSNAP_ERR_CORRUPT, 16);
	add_start(&made); /* STAT twice */
	uint64_t offset = add_plain(&made, SECTION_STAT, "", 0);
	add_no_vmas(&made);
	assert_made(&made, VMSNAP_ERR_CORRUPT, offset);
	add_start(&made); /* SNAP twice */
	offset = add_plain(&made, SECTION_SNAP, "\x01\x02\x00\x10", 4);
	add_no_vmas(&made);
	assert_made(&made, VMSNAP_ERR_CORRUPT, offset);
}

static void snap_fields_are_judged(void **state)
{
	(void)state;
	static const struct {
		const char *bytes;
		size_t len;
		int code;
	} cases[] = {
		{ "\x01\x02\x00\x10", 4, VMSNAP_OK },
		{ "\x01\x02\x00\x10\x63\x01x", 7, VMSNAP_OK },                /* an unknown key */
		{ "\x01\x02\x00\x10\x00\x00", 6, VMSNAP_OK },                 /* and another */
		{ "\x02\x01\x05", 3, VMSNAP_ERR_CORRUPT },                    /* no page size */
		{ "\x01\x02\x01\x10", 4, VMSNAP_ERR_CORRUPT },                /* 4097 */
		{ "\x01\x02\x00\x08", 4, VMSNAP_ERR_CORRUPT },                /* 2048 */
		{ "\x01\x04\x00\x00\x00\x80", 6, VMSNAP_ERR_CORRUPT },        /* 2 GiB */
		{ "\x01\x03\x00\x10\x00", 5, VMSNAP_ERR_CORRUPT },            /* a zero too many */
		{ "\x01\x02\x00\x10\x01\x02\x00\x10", 8, VMSNAP_ERR_CORRUPT }, /* twice */
		{ "\x01\x02\x00\x10\x02\x05" "aaaaa", 11, VMSNAP_ERR_CORRUPT }, /* a pid of 40 bits */
		{ "\x01\x02\x00\x10\x08\x09" "aaaaaaaaa", 15, VMSNAP_ERR_CORRUPT }, /* a number of 9 bytes */
		{ "\x01\x02\x00\x10\x0c\x01\x04", 7, VMSNAP_ERR_CORRUPT },    /* freeze 4 */
		{ "\x01\x02\x00\x10\x0d\x01\x02", 7, VMSNAP_ERR_CORRUPT },    /* consistent 2 */
		{ "\x01\x02\x00\x10\x0e\x01\x20", 7, VMSNAP_ERR_CORRUPT },    /* known bit 5 */
		{ "\x01\x02\x00\x10\x13\x03" "a\0b", 9, VMSNAP_ERR_CORRUPT }, /* a NUL in comm */
		{ "\x01\x02\x00\x10\x17\x03" "a\0b", 9, VMSNAP_OK },          /* but not in arguments */
		{ "\x01\x02\x00\x10\x13\x04" "abc", 9, VMSNAP_ERR_CORRUPT },  /* longer than there is */
		{ "\x01\x02\x00\x10\x80", 5, VMSNAP_ERR_CORRUPT },            /* half a key */
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct made made;
		begin_made(&made);
		add_plain(&made, SECTION_SNAP, cases[i].bytes, cases[i].len);
		add_plain(&made, SECTION_STAT, "", 0);
		add_no_vmas(&made);
		assert_made(&made, cases[i].code, 16);
	}
}

static void vmas_are_judged(void **state)
{
	(void)state;
	/* n, m, names, device, inode, build ID lengths, build IDs, gap, size, perms, object, offset */
	static const struct {
		const char *bytes;
		size_t len;
		int code;
	} cases[] = {
		{ "\1\1" "\1\0" "\2\0\0" "\1\0" "\1\0" "\0" "\1\1" "\1\1" "\1\3" "\1\0" "\1\0", 24, VMSNAP_OK },
		{ "\1\1" "\1\0" "\2\0\0" "\1\0" "\1\0" "\0" "\1\1" "\1\0" "\1\3" "\1\0" "\1\0", 24, VMSNAP_ERR_CORRUPT },  /* no pages */
		{ "\1\1" "\1\0" "\2\0\0" "\1\0" "\1\0" "\0" "\1\1" "\1\1" "\1\x13" "\1\0" "\1\0", 24, VMSNAP_ERR_CORRUPT }, /* permissions */
		{ "\1\1" "\1\0" "\2\0\0" "\1\0" "\1\0" "\0" "\1\1" "\1\1" "\1\3" "\1\1" "\1\0", 24, VMSNAP_ERR_CORRUPT },  /* object 1 of 1 */
		{ "\1\1" "\1x" "\2\0\0" "\1\0" "\1\0" "\0" "\1\1" "\1\1" "\1\3" "\1\0" "\1\0", 24, VMSNAP_ERR_CORRUPT },   /* no NUL */
		{ "\1\1" "\2\0\0" "\2\0\0" "\1\0" "\1\0" "\0" "\1\1" "\1\1" "\1\3" "\1\0" "\1\0", 25, VMSNAP_ERR_CORRUPT }, /* two names */
		{ "\1\1" "\1\0" "\2\0\0" "\1\0" "\1\1" "\0" "\1\1" "\1\1" "\1\3" "\1\0" "\1\0", 24, VMSNAP_ERR_CORRUPT },  /* an ID is missing */
		{ "\1\1" "\1\0" "\2\0\0" "\1\0" "\1\0" "\1x" "\1\1" "\1\1" "\1\3" "\1\0" "\1\0", 25, VMSNAP_ERR_CORRUPT }, /* an ID too many */
		{ "\1\1" "\1\0" "\2\0\0" "\1\0" "\1\0" "\0" "\1\1" "\1\1" "\1\3" "\1\0" "\1\1", 24, VMSNAP_ERR_CORRUPT },  /* offset -1 */
		{ "\1\1" "\1\0" "\2\0\0" "\1\0" "\1\0" "\0" "\1\1" "\1\1" "\1\3" "\1\0" "\1\0\0", 25, VMSNAP_ERR_CORRUPT }, /* a byte too many */
		{ "\2\1" "\1\0" "\2\0\0" "\1\0" "\1\0" "\0" "\1\1" "\1\1" "\1\3" "\1\0" "\1\0", 24, VMSNAP_ERR_CORRUPT },  /* two of them? */
		{ "\1\1" "\1\0" "\2\0\0" "\1\0" "\1\0" "\0" "\1\1" "\x08\xff\xff\xff\xff\xff\xff\xff\x07" "\1\3" "\1\0" "\1\0", 31,
		  VMSNAP_ERR_CORRUPT }, /* beyond the address space */
		{ "\xff\xff\xff\xff\x0f\0", 6, VMSNAP_ERR_CORRUPT },
		{ "\0\xff\xff\xff\xff\x0f", 6, VMSNAP_ERR_CORRUPT },
		{ "", 0, VMSNAP_ERR_CORRUPT },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct made made;
		add_start(&made);
		uint64_t offset = add_plain(&made, SECTION_VMAS, cases[i].bytes, cases[i].len);
		assert_made(&made, cases[i].code, offset);
	}
}

/* A PAGE payload of a guard page at a page number: n, b, s, and then what has no
 * frames in it. */
static uint64_t add_guard_pages(struct made *made, uint64_t page, uint64_t flags, uint64_t gap, uint64_t length)
{
	struct bytes payload = { 0 };
	put_varint(&payload, 1);
	put_varint(&payload, page);
	put_varint(&payload, 1);
	put_varint(&payload, 0); /* blocks */
	put_numbers(&payload, &flags, 1);
	put_column(&payload, "\0", 1);
	put_numbers(&payload, &gap, 1);
	put_numbers(&payload, &length, 1);
	for (int i = 0; i < 7; i++) /* nothing has a frame */
		put_column(&payload, "", 0);
	uint64_t offset = add_plain(made, SECTION_PAGE, payload.data, payload.len);
	bytes_free(&payload);
	return offset;
}

static void pages_are_judged(void **state)
{
	(void)state;
	const uint64_t top = TOP(4096) / 4096;
	static const uint64_t no_states[] = { 0, 512, 8 | 128, 8 | 256, 128 | 256, UINT64_MAX };
	struct made made;
	add_start(&made);
	add_no_vmas(&made);
	add_guard_pages(&made, 5, VMSNAP_PAGE_GUARD, 0, 0);
	add_guard_pages(&made, 6, VMSNAP_PAGE_GUARD, top - 7, 0);
	assert_made(&made, VMSNAP_OK, 0);
	for (size_t i = 0; i < sizeof(no_states) / sizeof(*no_states); i++) {
		add_start(&made);
		add_no_vmas(&made);
		uint64_t offset = add_guard_pages(&made, 5, no_states[i], 0, 0);
		assert_made(&made, VMSNAP_ERR_CORRUPT, offset);
	}
	const uint64_t beyond[][3] = { { 6, top - 6, 0 }, { 6, UINT64_MAX, 0 }, { 6, 0, UINT64_MAX }, { top, 0, 0 },
		                       { UINT64_MAX, 0, 0 }, { 0, 1, UINT64_MAX - 1 } };
	for (size_t i = 0; i < sizeof(beyond) / sizeof(*beyond); i++) {
		add_start(&made);
		add_no_vmas(&made);
		uint64_t offset = add_guard_pages(&made, beyond[i][0], VMSNAP_PAGE_GUARD, beyond[i][1], beyond[i][2]);
		assert_made(&made, VMSNAP_ERR_CORRUPT, offset);
	}
	add_start(&made); /* one over the other */
	add_no_vmas(&made);
	add_guard_pages(&made, 5, VMSNAP_PAGE_GUARD, 0, 3);
	uint64_t offset = add_guard_pages(&made, 8, VMSNAP_PAGE_GUARD, 0, 0);
	assert_made(&made, VMSNAP_ERR_CORRUPT, offset);
}

/* ---- bombs and limits ---- */

static void lengths_that_cannot_be_allocate_nothing(void **state)
{
	(void)state;
	static const struct section cases[] = {
		{ .type = SECTION_STAT, .flags = 3, .stored = 8, .raw = UINT64_MAX },
		{ .type = SECTION_STAT, .flags = 3, .stored = 8, .raw = 8 * 1032 + 1 },
		{ .type = SECTION_STAT, .flags = 3, .stored = 0, .raw = 1 },
		{ .type = SECTION_STAT, .flags = 1, .stored = 8, .raw = 9 },
		{ .type = SECTION_STAT, .flags = 1, .stored = 8, .raw = 7 },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct made made;
		begin_made(&made);
		add_plain(&made, SECTION_SNAP, "\x01\x02\x00\x10", 4);
		uint64_t offset = add_section(&made, cases[i], "12345678");
		add_no_vmas(&made);
		assert_made(&made, VMSNAP_ERR_CORRUPT, offset);
	}
}

static void deflate_stream_must_be_whole_and_alone(void **state)
{
	(void)state;
	static const char good[] = "\x78\x9c\x4b\x04\x00\x00\x62\x00\x62"; /* "a" */
	static const struct {
		size_t stored, raw;
		int code;
	} cases[] = { { 9, 1, VMSNAP_OK },          { 8, 1, VMSNAP_ERR_CORRUPT },  { 10, 1, VMSNAP_ERR_CORRUPT },
		      { 9, 2, VMSNAP_ERR_CORRUPT }, { 9, 0, VMSNAP_ERR_CORRUPT } };
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct made made;
		begin_made(&made);
		add_plain(&made, SECTION_SNAP, "\x01\x02\x00\x10", 4);
		struct section section = { .type = SECTION_STAT, .flags = 3, .stored = cases[i].stored, .raw = cases[i].raw };
		uint64_t offset = add_section(&made, section, good);
		add_no_vmas(&made);
		assert_made(&made, cases[i].code, offset);
	}
}

static void memory_limit_stops_a_run_of_the_whole_space(void **state)
{
	(void)state;
	struct made made;
	add_start(&made);
	add_no_vmas(&made);
	uint64_t offset = add_guard_pages(&made, 0, VMSNAP_PAGE_GUARD, 0, TOP(4096) / 4096 - 1);
	assert_made(&made, VMSNAP_ERR_TOO_LARGE, offset);
}

static void memory_limit_is_the_callers(void **state)
{
	(void)state;
	struct vmsnap *snap = sample_small("");
	size_t len, loaded = 0;
	uint8_t *bytes = sample_bytes(&snap, 1, &len);
	for (uint64_t limit = 1; limit < 20000; limit += 61) {
		struct vmsnap_limits limits = { .size = sizeof(limits), .memory = limit };
		struct vmsnap_file *file;
		struct vmsnap *back;
		struct vmsnap_error err = { 0 };
		assert_int_equal(vmsnap_file_open_memory(bytes, len, &limits, &file, NULL), VMSNAP_OK);
		int rc = vmsnap_file_load(file, 0, &back, &err);
		if (rc) {
			assert_int_equal(rc, VMSNAP_ERR_TOO_LARGE);
			assert_error(rc, &err, len);
			assert_int_equal(loaded, 0); /* never too large again once it fitted */
		} else {
			loaded++;
			vmsnap_free(back);
		}
		vmsnap_file_close(file);
	}
	assert_true(loaded > 0);
	vmsnap_free(snap);
	free(bytes);
}

static void input_limit_stops_a_pipe(void **state)
{
	(void)state;
	int ends[2];
	assert_int_equal(pipe(ends), 0);
	struct vmsnap *snap = sample_small("");
	assert_int_equal(vmsnap_write_fd(ends[1], (const struct vmsnap *const[]){ snap }, 1, NULL), VMSNAP_OK);
	close(ends[1]);
	struct vmsnap_limits limits = { .size = sizeof(limits), .input_bytes = 100 };
	struct vmsnap_file *file;
	struct vmsnap_error err = { 0 };
	assert_int_equal(vmsnap_file_open_fd(ends[0], &limits, &file, &err), VMSNAP_ERR_TOO_LARGE);
	assert_error(VMSNAP_ERR_TOO_LARGE, &err, 100);
	close(ends[0]);
	vmsnap_free(snap);
}

static void limits_of_another_size_are_refused(void **state)
{
	(void)state;
	struct vmsnap_limits limits = { .size = 4 };
	struct vmsnap_file *file;
	assert_int_equal(vmsnap_file_open_memory("", 0, &limits, &file, NULL), VMSNAP_ERR_ARGUMENT);
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
	vmsnap_free(back);
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

static void garbage_after_the_last_snapshot_is_damage_there(void **state)
{
	(void)state;
	struct three three = make_three();
	uint8_t *longer = calloc(1, three.len + 100);
	assert_non_null(longer);
	memcpy(longer, three.bytes, three.len);
	assert_damage(longer, three.len + 100, 3, VMSNAP_ERR_CORRUPT, three.len);
	assert_damage(longer, three.len + 20, 3, VMSNAP_ERR_TRUNCATED, three.len);
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
	struct made made;
	begin_made(&made);
	add_plain(&made, SECTION_SNAP, "\x01\x02\x00\x10", 4);
	uint8_t header[SECTION_HEADER_BYTES];
	struct section section = { .type = SECTION_TYPE('C', 'O', 'N', 'T'), .stored = three.len + 1, .raw = three.len + 1 };
	section_write(&section, header);
	put_bytes(&made.bytes, header, sizeof(header));
	put_bytes(&made.bytes, three.bytes, three.len);
	struct vmsnap_error err = { 0 };
	assert_int_equal(open_bytes(made.bytes.data, made.bytes.len, &err), VMSNAP_ERR_TRUNCATED);
	assert_int_equal(err.position, 16);
	bytes_free(&made.bytes);
	free_three(&three);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_truncation_keeps_what_is_whole),
		cmocka_unit_test(every_bit_flip_is_noticed),
		cmocka_unit_test(what_is_not_ours_is_said_to_be_so),
		cmocka_unit_test(another_version_is_newer_and_a_spoilt_header_damaged),
		cmocka_unit_test(smallest_snapshot_loads),
		cmocka_unit_test(unknown_sections_are_skipped_unless_required),
		cmocka_unit_test(sections_must_be_those_of_a_snapshot),
		cmocka_unit_test(snap_fields_are_judged),
		cmocka_unit_test(vmas_are_judged),
		cmocka_unit_test(pages_are_judged),
		cmocka_unit_test(lengths_that_cannot_be_allocate_nothing),
		cmocka_unit_test(deflate_stream_must_be_whole_and_alone),
		cmocka_unit_test(memory_limit_stops_a_run_of_the_whole_space),
		cmocka_unit_test(memory_limit_is_the_callers),
		cmocka_unit_test(input_limit_stops_a_pipe),
		cmocka_unit_test(limits_of_another_size_are_refused),
		cmocka_unit_test(file_cut_short_while_open_is_truncated),
		cmocka_unit_test(damage_in_the_middle_spoils_its_snapshot_alone),
		cmocka_unit_test(garbage_after_the_last_snapshot_is_damage_there),
		cmocka_unit_test(joined_stream_of_a_newer_version_is_not_read),
		cmocka_unit_test(snapshot_within_a_torn_section_is_not_found),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
