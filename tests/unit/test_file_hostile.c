/* Files made on purpose, section by section: each rule broken once, bombs, and the
 * caller's limits. */
#include "test_file_made.h"

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

static int say_nothing(void *ctx, const char *text, size_t len)
{
	(void)ctx;
	(void)text;
	(void)len;
	return 0;
}

/* What nobody reads may be spoiled; who asks whether the file is whole is told. */
static void checksum_of_a_skipped_section_is_checked_by_check_alone(void **state)
{
	(void)state;
	struct made made;
	struct vmsnap_file *file;
	struct vmsnap *snap;
	struct vmsnap_error err = { 0 };
	struct vmsnap_output out = { .size = sizeof(out), .style.size = sizeof(out.style), .write = say_nothing };
	add_start(&made);
	uint8_t large[50000] = { 1, 2, 3 };
	uint64_t offset = add_section(&made,
	                              (struct section){ .type = SECTION_TYPE('X', 'T', 'R', 'A'),
	                                                .stored = sizeof(large),
	                                                .raw = sizeof(large) },
	                              large);
	add_no_vmas(&made);
	end_made(&made);
	for (int spoiled = 0; spoiled < 2; spoiled++) {
		made.bytes.data[offset + SECTION_HEADER_BYTES + sizeof(large) - 1] ^= (uint8_t)spoiled;
		assert_int_equal(vmsnap_file_open_memory(made.bytes.data, made.bytes.len, NULL, &file, &err),
		                 VMSNAP_OK);
		assert_int_equal(vmsnap_file_load(file, 0, &snap, &err), VMSNAP_OK);
		vmsnap_unref(snap);
		assert_int_equal(vmsnap_print_check(file, &out, &err), spoiled ? VMSNAP_ERR_CORRUPT : VMSNAP_OK);
		vmsnap_file_close(file);
	}
	assert_error(VMSNAP_ERR_CORRUPT, &err, made.bytes.len);
	assert_int_equal(err.position, offset);
	bytes_free(&made.bytes);
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

/* A string literal and its length, NULs and all. */
#define LITERAL(text) (text), sizeof(text) - 1

static void snap_fields_are_judged(void **state)
{
	(void)state;
	static const struct {
		const char *bytes;
		size_t len;
		int code;
	} cases[] = {
		{ LITERAL("\x01\x02\x00\x10"), VMSNAP_OK },
		{ LITERAL("\x01\x02\x00\x10\x63\x01x"), VMSNAP_OK },                 /* an unknown key */
		{ LITERAL("\x01\x02\x00\x10\x00\x00"), VMSNAP_OK },                  /* and another */
		{ LITERAL("\x02\x01\x05"), VMSNAP_ERR_CORRUPT },                     /* no page size */
		{ LITERAL("\x01\x02\x01\x10"), VMSNAP_ERR_CORRUPT },                 /* 4097 */
		{ LITERAL("\x01\x02\x00\x08"), VMSNAP_ERR_CORRUPT },                 /* 2048 */
		{ LITERAL("\x01\x04\x00\x00\x00\x80"), VMSNAP_ERR_CORRUPT },         /* 2 GiB */
		{ LITERAL("\x01\x03\x00\x10\x00"), VMSNAP_ERR_CORRUPT },             /* a zero too many */
		{ LITERAL("\x01\x02\x00\x10\x01\x02\x00\x10"), VMSNAP_ERR_CORRUPT }, /* twice */
		{ LITERAL("\x01\x02\x00\x10\x02\x05"
		          "aaaaa"),
		  VMSNAP_ERR_CORRUPT }, /* a pid of 40 bits */
		{ LITERAL("\x01\x02\x00\x10\x08\x09"
		          "aaaaaaaaa"),
		  VMSNAP_ERR_CORRUPT },                                          /* a number of 9 bytes */
		{ LITERAL("\x01\x02\x00\x10\x0c\x01\x04"), VMSNAP_ERR_CORRUPT }, /* freeze 4 */
		{ LITERAL("\x01\x02\x00\x10\x0d\x01\x02"), VMSNAP_ERR_CORRUPT }, /* consistent 2 */
		{ LITERAL("\x01\x02\x00\x10\x0e\x01\x20"), VMSNAP_ERR_CORRUPT }, /* known bit 5 */
		{ LITERAL("\x01\x02\x00\x10\x13\x03"
		          "a\0b"),
		  VMSNAP_ERR_CORRUPT }, /* a NUL in comm */
		{ LITERAL("\x01\x02\x00\x10\x17\x03"
		          "a\0b"),
		  VMSNAP_OK }, /* but not in arguments */
		{ LITERAL("\x01\x02\x00\x10\x13\x04"
		          "abc"),
		  VMSNAP_ERR_CORRUPT },                                  /* longer than there is */
		{ LITERAL("\x01\x02\x00\x10\x80"), VMSNAP_ERR_CORRUPT }, /* half a key */
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
		{ LITERAL("\1\1"
		          "\1\0"
		          "\2\0\0"
		          "\1\0"
		          "\1\0"
		          "\0"
		          "\1\1"
		          "\1\1"
		          "\1\3"
		          "\1\0"
		          "\1\0"),
		  VMSNAP_OK },
		{ LITERAL("\1\1"
		          "\1\0"
		          "\2\0\0"
		          "\1\0"
		          "\1\0"
		          "\0"
		          "\1\1"
		          "\1\0"
		          "\1\3"
		          "\1\0"
		          "\1\0"),
		  VMSNAP_ERR_CORRUPT }, /* no pages */
		{ LITERAL("\1\1"
		          "\1\0"
		          "\2\0\0"
		          "\1\0"
		          "\1\0"
		          "\0"
		          "\1\1"
		          "\1\1"
		          "\1\x13"
		          "\1\0"
		          "\1\0"),
		  VMSNAP_ERR_CORRUPT }, /* permissions */
		{ LITERAL("\1\1"
		          "\1\0"
		          "\2\0\0"
		          "\1\0"
		          "\1\0"
		          "\0"
		          "\1\1"
		          "\1\1"
		          "\1\3"
		          "\1\1"
		          "\1\0"),
		  VMSNAP_ERR_CORRUPT }, /* object 1 of 1 */
		{ LITERAL("\1\1"
		          "\1x"
		          "\2\0\0"
		          "\1\0"
		          "\1\0"
		          "\0"
		          "\1\1"
		          "\1\1"
		          "\1\3"
		          "\1\0"
		          "\1\0"),
		  VMSNAP_ERR_CORRUPT }, /* no NUL */
		{ LITERAL("\1\1"
		          "\2\0\0"
		          "\2\0\0"
		          "\1\0"
		          "\1\0"
		          "\0"
		          "\1\1"
		          "\1\1"
		          "\1\3"
		          "\1\0"
		          "\1\0"),
		  VMSNAP_ERR_CORRUPT }, /* two names */
		{ LITERAL("\1\1"
		          "\1\0"
		          "\2\0\0"
		          "\1\0"
		          "\1\1"
		          "\0"
		          "\1\1"
		          "\1\1"
		          "\1\3"
		          "\1\0"
		          "\1\0"),
		  VMSNAP_ERR_CORRUPT }, /* an ID is missing */
		{ LITERAL("\1\1"
		          "\1\0"
		          "\2\0\0"
		          "\1\0"
		          "\1\0"
		          "\1x"
		          "\1\1"
		          "\1\1"
		          "\1\3"
		          "\1\0"
		          "\1\0"),
		  VMSNAP_ERR_CORRUPT }, /* an ID too many */
		{ LITERAL("\1\1"
		          "\1\0"
		          "\2\0\0"
		          "\1\0"
		          "\1\0"
		          "\0"
		          "\1\1"
		          "\1\1"
		          "\1\3"
		          "\1\0"
		          "\1\1"),
		  VMSNAP_ERR_CORRUPT }, /* offset -1 */
		{ LITERAL("\1\1"
		          "\1\0"
		          "\2\0\0"
		          "\1\0"
		          "\1\0"
		          "\0"
		          "\1\1"
		          "\1\1"
		          "\1\3"
		          "\1\0"
		          "\1\0\0"),
		  VMSNAP_ERR_CORRUPT }, /* a byte too many */
		{ LITERAL("\2\1"
		          "\1\0"
		          "\2\0\0"
		          "\1\0"
		          "\1\0"
		          "\0"
		          "\1\1"
		          "\1\1"
		          "\1\3"
		          "\1\0"
		          "\1\0"),
		  VMSNAP_ERR_CORRUPT }, /* two of them? */
		{ LITERAL("\1\1"
		          "\1\0"
		          "\2\0\0"
		          "\1\0"
		          "\1\0"
		          "\0"
		          "\1\1"
		          "\x08\xff\xff\xff\xff\xff\xff\xff\x07"
		          "\1\3"
		          "\1\0"
		          "\1\0"),
		  VMSNAP_ERR_CORRUPT }, /* beyond the address space */
		{ LITERAL("\xff\xff\xff\xff\x0f\0"), VMSNAP_ERR_CORRUPT },
		{ LITERAL("\0\xff\xff\xff\xff\x0f"), VMSNAP_ERR_CORRUPT },
		{ LITERAL(""), VMSNAP_ERR_CORRUPT },
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
	const uint64_t beyond[][3] = { { 6, top - 6, 0 }, { 6, UINT64_MAX, 0 }, { 6, 0, UINT64_MAX },
		                       { top, 0, 0 },     { UINT64_MAX, 0, 0 }, { 0, 1, UINT64_MAX - 1 } };
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
	} cases[] = { { 9, 1, VMSNAP_OK },
		      { 8, 1, VMSNAP_ERR_CORRUPT },
		      { 10, 1, VMSNAP_ERR_CORRUPT },
		      { 9, 2, VMSNAP_ERR_CORRUPT },
		      { 9, 0, VMSNAP_ERR_CORRUPT } };
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct made made;
		begin_made(&made);
		add_plain(&made, SECTION_SNAP, "\x01\x02\x00\x10", 4);
		struct section section = {
			.type = SECTION_STAT, .flags = 3, .stored = cases[i].stored, .raw = cases[i].raw
		};
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
			vmsnap_unref(back);
		}
		vmsnap_file_close(file);
	}
	assert_true(loaded > 0);
	vmsnap_unref(snap);
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
	vmsnap_unref(snap);
}

static void limits_of_another_size_are_refused(void **state)
{
	(void)state;
	struct vmsnap_limits limits = { .size = 4 };
	struct vmsnap_file *file;
	assert_int_equal(vmsnap_file_open_memory("", 0, &limits, &file, NULL), VMSNAP_ERR_ARGUMENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(smallest_snapshot_loads),
		cmocka_unit_test(unknown_sections_are_skipped_unless_required),
		cmocka_unit_test(checksum_of_a_skipped_section_is_checked_by_check_alone),
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
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
