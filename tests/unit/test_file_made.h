/* test_file_made.h - files made on purpose, section by section, with right checksums. */
#ifndef TEST_FILE_MADE_H
#define TEST_FILE_MADE_H

#include "test_file_sample.h"

#include "column.h"
#include "section.h"

struct made {
	struct bytes bytes;
	uint32_t sections, crc;
	uint64_t start;
};

static inline void begin_made(struct made *made)
{
	uint8_t header[STREAM_HEADER_BYTES];
	*made = (struct made){ 0 };
	stream_header_write(header);
	put_bytes(&made->bytes, header, sizeof(header));
	made->start = made->bytes.len;
}

static inline uint64_t add_section(struct made *made, struct section section, const void *payload)
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

static inline uint64_t add_plain(struct made *made, uint32_t type, const void *payload, size_t len)
{
	return add_section(made, (struct section){ .type = type, .flags = SECTION_REQUIRED, .stored = len, .raw = len },
	                   payload);
}

/* SNAP with a page size of 4096 and known PFNs, an empty STAT and no VMAS. */
static inline void add_start(struct made *made)
{
	begin_made(made);
	add_plain(made, SECTION_SNAP, "\x01\x02\x00\x10\x0e\x01\x01", 7);
	add_plain(made, SECTION_STAT, "", 0);
}
static inline void add_no_vmas(struct made *made)
{
	add_plain(made, SECTION_VMAS, "\0\0\0\0\0\0\0\0\0\0\0\0", 12);
}

static inline void end_made(struct made *made)
{
	uint8_t bytes[END_BYTES];
	struct section_end end = { .distance = made->bytes.len - made->start,
		                   .sections = made->sections,
		                   .crc = made->crc };
	end_write(&end, bytes);
	put_bytes(&made->bytes, bytes, sizeof(bytes));
}

static inline int load_made(struct made *made, uint64_t memory, struct vmsnap_error *err)
{
	end_made(made);
	uint8_t *copy = copy_of(made->bytes.data, made->bytes.len);
	struct vmsnap_limits limits = { .size = sizeof(limits), .memory = memory };
	struct vmsnap_file *file;
	struct vmsnap *snap;
	int rc = vmsnap_file_open_memory(copy, made->bytes.len, &limits, &file, err);
	if (!rc) {
		rc = vmsnap_file_load(file, 0, &snap, err);
		if (!rc)
			vmsnap_unref(snap);
		vmsnap_file_close(file);
	}
	free(copy);
	bytes_free(&made->bytes);
	return rc;
}

static inline void assert_made(struct made *made, int code, uint64_t offset)
{
	struct vmsnap_error err = { 0 };
	int rc = load_made(made, 0, &err);
	if (rc != code || (rc && err.position != offset))
		fail_msg("code %d at %llu, not %d: %s", rc, (unsigned long long)err.position, code, err.message);
}

#endif
