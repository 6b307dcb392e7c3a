#include "file_pages_base.h"

#include <string.h>

/* The input pointers of zlib become const with this. */
#define ZLIB_CONST
#include <zlib.h>

/* Two numbers take twenty bytes at the most; the tables of a deflate block come before them. */
enum { RAW_BYTES = 20, STORED_BYTES = 1024 };

static size_t inflate_some(const uint8_t *stored, size_t stored_len, uint8_t *raw)
{
	z_stream stream = { .next_in = stored, .avail_in = (uInt)stored_len, .next_out = raw, .avail_out = RAW_BYTES };
	if (inflateInit(&stream) != Z_OK)
		return 0;
	int rc = inflate(&stream, Z_SYNC_FLUSH);
	inflateEnd(&stream);
	return rc == Z_OK || rc == Z_STREAM_END || rc == Z_BUF_ERROR ? RAW_BYTES - stream.avail_out : 0;
}

static bool take_beginning(const struct file_source *source, const struct placed *placed, uint64_t *count,
                           uint64_t *base)
{
	uint8_t stored[STORED_BYTES], raw[RAW_BYTES];
	const struct section *section = &placed->section;
	size_t len = section->stored < STORED_BYTES ? (size_t)section->stored : STORED_BYTES;
	if (file_source_read(source, placed->offset + SECTION_HEADER_BYTES, stored, len, NULL))
		return false;
	if (section->flags & SECTION_DEFLATED) {
		len = inflate_some(stored, len, raw);
	} else {
		len = len < RAW_BYTES ? len : RAW_BYTES;
		memcpy(raw, stored, len);
	}
	struct cursor begin = cursor_of(raw, len);
	return take_varint(&begin, count) && take_varint(&begin, base);
}

bool file_pages_base(const struct file_source *source, const struct placed *placed, uint64_t *base)
{
	uint64_t count;
	return take_beginning(source, placed, &count, base);
}

uint64_t file_pages_runs(const struct file_source *source, const struct vmsnap_file_entry *entry)
{
	uint64_t runs = 0, at = entry->offset, end = at + entry->bytes - END_BYTES;
	while (at < end && end - at >= SECTION_HEADER_BYTES) {
		uint8_t bytes[SECTION_HEADER_BYTES];
		struct placed placed = { .offset = at };
		uint64_t count, base;
		if (file_source_read(source, at, bytes, sizeof(bytes), NULL) || !section_read(bytes, &placed.section) ||
		    placed.section.stored > end - at - SECTION_HEADER_BYTES)
			break;
		if (placed.section.type == SECTION_PAGE && take_beginning(source, &placed, &count, &base))
			runs += count;
		at += SECTION_HEADER_BYTES + placed.section.stored;
	}
	return runs;
}
