/* stream.h - a vmsnap file taken apart so that it can be changed and put together
 * again with right lengths and checksums; what was wrong before stays as wrong as it
 * was, unless told otherwise. */
#ifndef VMSNAP_FUZZ_STREAM_H
#define VMSNAP_FUZZ_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "section.h"
#include "vmsnap.h"

enum { STREAM_PARTS = 96 };

enum part_kind { PART_HEADER, PART_SECTION, PART_END, PART_BYTES };

struct part {
	enum part_kind kind;
	/* Of a section.  Lies are xor-ed to what is right. */
	uint32_t type, crc_lie, head_crc_lie;
	uint16_t flags, reserved;
	uint64_t raw_lie;
	bool packed;     /* deflated when written; otherwise the bytes are as stored */
	bool dictionary; /* and with the preset dictionary */
	/* Of an END. */
	uint64_t distance_lie;
	uint32_t sections_lie, headers_lie;
	uint8_t *bytes; /* payload, inflated if packed; or just bytes */
	size_t len;
};

struct stream {
	struct part parts[STREAM_PARTS];
	size_t count;
};

/* Never fails: what is not understood is bytes.  Payloads above `most` inflated bytes
 * stay as they are stored. */
void stream_read(struct stream *stream, const uint8_t *data, size_t size, size_t most);
void stream_free(struct stream *stream);
/* Returns the bytes needed; nothing is written beyond `room`. */
size_t stream_write(const struct stream *stream, uint8_t *out, size_t room);

void stream_remove(struct stream *stream, size_t index);
/* A copy of a part (of this stream or another) before `index`; false if there are too
 * many. */
bool stream_insert(struct stream *stream, size_t index, const struct part *part);
void stream_tell_truth(struct stream *stream);

#endif
