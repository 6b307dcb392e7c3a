/* test_file_much.h - small files that say much: columns of a million equal numbers. */
#ifndef TEST_FILE_MUCH_H
#define TEST_FILE_MUCH_H

#include "test_file_made.h"

#include <zlib.h>

static inline uint64_t add_deflated(struct made *made, uint32_t type, const void *payload, size_t len)
{
	uLongf stored = compressBound((uLong)len);
	uint8_t *bytes = malloc(stored);
	assert_non_null(bytes);
	assert_int_equal(compress2(bytes, &stored, payload, (uLong)len, 9), Z_OK);
	struct section section = {
		.type = type, .flags = SECTION_REQUIRED | SECTION_DEFLATED, .stored = stored, .raw = len
	};
	uint64_t offset = add_section(made, section, bytes);
	free(bytes);
	return offset;
}

static inline void put_repeated(struct bytes *bytes, uint8_t value, size_t count)
{
	uint8_t *at = bytes_reserve(bytes, count + 1);
	assert_non_null(at);
	memset(at, value, count);
	bytes->len += count;
}

static inline void put_column_of(struct bytes *bytes, uint8_t value, size_t count)
{
	put_varint(bytes, count);
	put_repeated(bytes, value, count);
}

/* `count` mappings with a page between, all of one object, whose name has so many letters. */
static inline uint64_t add_vmas_named(struct made *made, size_t count, uint64_t pages, size_t letters)
{
	struct bytes bytes = { 0 };
	put_varint(&bytes, count);
	put_varint(&bytes, 1);
	put_varint(&bytes, letters + 1); /* name */
	put_repeated(&bytes, 'n', letters);
	put_bytes(&bytes, "", 1);
	put_column(&bytes, "\0\0", 2);   /* device */
	put_column(&bytes, "\0", 1);     /* inode */
	put_column(&bytes, "\0", 1);     /* build ID length */
	put_column(&bytes, "", 0);       /* build ID */
	put_column_of(&bytes, 1, count); /* gap */
	if (pages == 1) {
		put_column_of(&bytes, 1, count); /* size */
	} else {
		assert_int_equal(count, 1);
		put_numbers(&bytes, &pages, 1);
	}
	put_column_of(&bytes, 3, count); /* permissions */
	put_column_of(&bytes, 0, count); /* object */
	put_column_of(&bytes, 0, count); /* offset */
	uint64_t offset = add_deflated(made, SECTION_VMAS, bytes.data, bytes.len);
	bytes_free(&bytes);
	return offset;
}

static inline uint64_t add_vmas_of(struct made *made, size_t count, uint64_t pages)
{
	return add_vmas_named(made, count, pages, 0);
}

static inline uint64_t add_vmas(struct made *made, size_t count)
{
	return add_vmas_of(made, count, 1);
}

static inline uint64_t add_threads(struct made *made, size_t count)
{
	struct bytes bytes = { 0 };
	put_varint(&bytes, count);
	put_column_of(&bytes, 2, count); /* tid */
	put_column_of(&bytes, 0, count); /* stack pointer */
	put_column_of(&bytes, 0, count); /* comm */
	uint64_t offset = add_deflated(made, SECTION_THRD, bytes.data, bytes.len);
	bytes_free(&bytes);
	return offset;
}

/* A table of `keys` keys for `vmas` mappings. */
static inline uint64_t add_smaps(struct made *made, size_t keys, size_t vmas)
{
	struct bytes bytes = { 0 };
	put_varint(&bytes, keys);
	put_column_of(&bytes, 0, keys); /* names */
	put_column_of(&bytes, 0, keys); /* units */
	for (size_t i = 0; i < keys; i++)
		put_column_of(&bytes, 0, vmas);
	put_column_of(&bytes, 0, vmas); /* VmFlags */
	uint64_t offset = add_deflated(made, SECTION_SMAP, bytes.data, bytes.len);
	bytes_free(&bytes);
	return offset;
}

/* One run of guard pages. */
static inline uint64_t add_run(struct made *made, uint64_t pages)
{
	struct bytes bytes = { 0 };
	uint64_t numbers[] = { VMSNAP_PAGE_GUARD, 0, pages - 1 };
	put_bytes(&bytes, "\1\0\1\0", 4); /* runs, first page, states, blocks */
	put_numbers(&bytes, &numbers[0], 1);
	put_column(&bytes, "\0", 1);
	put_numbers(&bytes, &numbers[1], 1);
	put_numbers(&bytes, &numbers[2], 1);
	put_repeated(&bytes, 0, 7); /* columns of frames, all empty */
	uint64_t offset = add_plain(made, SECTION_PAGE, bytes.data, bytes.len);
	bytes_free(&bytes);
	return offset;
}

/* So many guard pages (65536 at the most in a section), each with a hole behind it, from the
 * page `base` on. */
static inline uint64_t add_apart(struct made *made, uint64_t base, size_t count)
{
	struct bytes bytes = { 0 };
	put_varint(&bytes, count);
	put_varint(&bytes, base);
	put_bytes(&bytes, "\1\0\1\x08", 4); /* states, blocks; a guard page */
	put_column_of(&bytes, 0, count);
	put_column_of(&bytes, 1, count); /* so that none joins another */
	put_column_of(&bytes, 0, count);
	put_repeated(&bytes, 0, 7);
	uint64_t offset = add_deflated(made, SECTION_PAGE, bytes.data, bytes.len);
	bytes_free(&bytes);
	return offset;
}

/* A status of so many lines, each `text`. */
static inline uint64_t add_status(struct made *made, const char *text, size_t count)
{
	struct bytes bytes = { 0 };
	for (size_t i = 0; i < count; i++)
		put_bytes(&bytes, text, strlen(text));
	uint64_t offset = add_deflated(made, SECTION_STAT, bytes.data, bytes.len);
	bytes_free(&bytes);
	return offset;
}

#endif
