#include "stream.h"

#include <stdlib.h>
#include <string.h>

#define ZLIB_CONST
#include <zlib.h>

#include "dictionary.h"
#include "file_deflate.h"

static uint64_t number_at(const uint8_t *bytes, size_t width)
{
	uint64_t value = 0;
	for (size_t i = 0; i < width; i++)
		value |= (uint64_t)bytes[i] << (8 * i);
	return value;
}

static uint8_t *copy_bytes(const uint8_t *bytes, size_t len)
{
	uint8_t *copy = malloc(len ? len : 1);
	if (!copy)
		abort();
	if (len)
		memcpy(copy, bytes, len);
	return copy;
}

static struct part *add_part(struct stream *stream, enum part_kind kind, const uint8_t *bytes, size_t len)
{
	struct part *part = &stream->parts[stream->count++];
	*part = (struct part){ .kind = kind, .bytes = copy_bytes(bytes, len), .len = len };
	return part;
}

/* ---- taking apart ---- */

/* Replaces a deflated payload by what it inflates to. */
static void unpack(struct part *part, uint64_t raw, size_t most)
{
	struct work work = { .limit = WORK_UNLIMITED };
	uint8_t *bytes = raw <= most ? malloc(raw ? (size_t)raw : 1) : NULL;
	if (!bytes || inflate_payload(part->bytes, part->len, bytes, (size_t)raw, &work)) {
		free(bytes);
		return;
	}
	/* FLG, the second byte of a zlib stream, has bit 5 set for a dictionary. */
	part->dictionary = part->bytes[1] & 0x20;
	part->packed = true;
	free(part->bytes);
	part->bytes = bytes;
	part->len = (size_t)raw;
}

/* What an END should say of the sections since the last one. */
struct since {
	uint64_t distance;
	uint32_t sections, crc;
};

static void read_end(struct part *part, const uint8_t *payload, const struct since *since)
{
	part->kind = PART_END;
	part->distance_lie = number_at(payload, 8) ^ since->distance;
	part->sections_lie = (uint32_t)number_at(payload + 8, 4) ^ since->sections;
	part->headers_lie = (uint32_t)number_at(payload + 12, 4) ^ since->crc;
}

static bool looks_like_section(const uint8_t *data, size_t left)
{
	if (left < SECTION_HEADER_BYTES || number_at(data + 8, 8) > left - SECTION_HEADER_BYTES)
		return false;
	for (size_t i = 0; i < 4; i++)
		if (data[i] < ' ' || data[i] > 'Z')
			return false;
	return true;
}

static size_t read_section(struct stream *stream, const uint8_t *data, size_t most, struct since *since)
{
	size_t stored = (size_t)number_at(data + 8, 8);
	const uint8_t *payload = data + SECTION_HEADER_BYTES;
	struct part *part = add_part(stream, PART_SECTION, payload, stored);
	part->type = (uint32_t)number_at(data, 4);
	part->flags = (uint16_t)number_at(data + 4, 2);
	part->reserved = (uint16_t)number_at(data + 6, 2);
	part->raw_lie = number_at(data + 16, 8) ^ stored;
	part->crc_lie = (uint32_t)number_at(data + 24, 4) ^ crc_of(0, payload, stored);
	part->head_crc_lie = (uint32_t)number_at(data + 28, 4) ^ crc_of(0, data, 28);
	if (part->type == SECTION_END && stored == END_PAYLOAD_BYTES) {
		read_end(part, payload, since);
		*since = (struct since){ 0 };
		return END_BYTES;
	}
	if (part->flags & SECTION_DEFLATED)
		unpack(part, number_at(data + 16, 8), most);
	if (part->packed)
		part->raw_lie = 0;
	since->distance += SECTION_HEADER_BYTES + stored;
	since->sections++;
	since->crc = crc_of(since->crc, data, SECTION_HEADER_BYTES);
	return SECTION_HEADER_BYTES + stored;
}

void stream_read(struct stream *stream, const uint8_t *data, size_t size, size_t most)
{
	struct since since = { 0 };
	size_t at = 0;
	stream->count = 0;
	while (at < size) {
		bool room = stream->count + 1 < STREAM_PARTS;
		if (room && stream_header_read(data + at, size - at) == VMSNAP_OK) {
			add_part(stream, PART_HEADER, data + at, STREAM_HEADER_BYTES);
			at += STREAM_HEADER_BYTES;
			since = (struct since){ 0 };
		} else if (room && looks_like_section(data + at, size - at)) {
			at += read_section(stream, data + at, most, &since);
		} else {
			add_part(stream, PART_BYTES, data + at, size - at);
			at = size;
		}
	}
}

void stream_free(struct stream *stream)
{
	for (size_t i = 0; i < stream->count; i++)
		free(stream->parts[i].bytes);
	stream->count = 0;
}

/* ---- putting together ---- */

struct out {
	uint8_t *bytes;
	size_t room, len;
};

static void put(struct out *out, const uint8_t *bytes, size_t len)
{
	if (len && out->len <= out->room && len <= out->room - out->len)
		memcpy(out->bytes + out->len, bytes, len);
	out->len += len;
}

/* The payload as stored; malloc'ed.  Level 1: it is to be quick. */
static uint8_t *pack(const struct part *part, size_t *len)
{
	z_stream stream = { 0 };
	uLong bound = compressBound((uLong)part->len) + 64;
	uint8_t *packed = malloc(bound);
	if (!packed || deflateInit(&stream, 1) != Z_OK)
		abort();
	if (part->dictionary)
		deflateSetDictionary(&stream, (const Bytef *)dictionary_text, DICTIONARY_BYTES);
	stream.next_in = part->bytes;
	stream.avail_in = (uInt)part->len;
	stream.next_out = packed;
	stream.avail_out = (uInt)bound;
	deflate(&stream, Z_FINISH);
	*len = stream.total_out;
	deflateEnd(&stream);
	return packed;
}

static void put_header(struct out *out, const struct part *part, const uint8_t *payload, size_t stored, uint64_t raw,
                       struct since *since)
{
	uint8_t header[SECTION_HEADER_BYTES];
	section_write(&(struct section){ .type = part->type,
	                                 .flags = part->flags,
	                                 .reserved = part->reserved,
	                                 .stored = stored,
	                                 .raw = raw ^ part->raw_lie,
	                                 .crc = crc_of(0, payload, stored) ^ part->crc_lie },
	              header);
	for (size_t i = 0; i < 4; i++)
		header[28 + i] ^= (uint8_t)(part->head_crc_lie >> (8 * i));
	put(out, header, sizeof(header));
	put(out, payload, stored);
	since->distance += SECTION_HEADER_BYTES + stored;
	since->sections++;
	since->crc = crc_of(since->crc, header, sizeof(header));
}

static void put_section(struct out *out, const struct part *part, struct since *since)
{
	if (!part->packed) {
		put_header(out, part, part->bytes, part->len, part->len, since);
		return;
	}
	size_t stored;
	uint8_t *packed = pack(part, &stored);
	put_header(out, part, packed, stored, part->len, since);
	free(packed);
}

static void put_end(struct out *out, const struct part *part, struct since *since)
{
	uint8_t payload[END_PAYLOAD_BYTES];
	uint64_t distance = since->distance ^ part->distance_lie;
	uint64_t counts = (uint64_t)(since->crc ^ part->headers_lie) << 32 | (since->sections ^ part->sections_lie);
	for (size_t i = 0; i < 8; i++) {
		payload[i] = (uint8_t)(distance >> (8 * i));
		payload[8 + i] = (uint8_t)(counts >> (8 * i));
	}
	put_header(out, part, payload, sizeof(payload), sizeof(payload), since);
	*since = (struct since){ 0 };
}

size_t stream_write(const struct stream *stream, uint8_t *bytes, size_t room)
{
	struct out out = { .bytes = bytes, .room = room };
	struct since since = { 0 };
	for (size_t i = 0; i < stream->count; i++) {
		const struct part *part = &stream->parts[i];
		if (part->kind == PART_SECTION) {
			put_section(&out, part, &since);
		} else if (part->kind == PART_END) {
			put_end(&out, part, &since);
		} else {
			put(&out, part->bytes, part->len);
			since = (struct since){ 0 };
		}
	}
	return out.len;
}

/* ---- changing ---- */

void stream_remove(struct stream *stream, size_t index)
{
	free(stream->parts[index].bytes);
	stream->count--;
	memmove(&stream->parts[index], &stream->parts[index + 1], (stream->count - index) * sizeof(struct part));
}

bool stream_insert(struct stream *stream, size_t index, const struct part *part)
{
	if (stream->count == STREAM_PARTS)
		return false;
	struct part copy = *part;
	copy.bytes = copy_bytes(part->bytes, part->len);
	memmove(&stream->parts[index + 1], &stream->parts[index], (stream->count - index) * sizeof(struct part));
	stream->parts[index] = copy;
	stream->count++;
	return true;
}

void stream_tell_truth(struct stream *stream)
{
	for (size_t i = 0; i < stream->count; i++) {
		struct part *part = &stream->parts[i];
		part->crc_lie = part->head_crc_lie = part->sections_lie = part->headers_lie = 0;
		part->raw_lie = part->distance_lie = 0;
		part->reserved = 0;
		part->flags &= SECTION_FLAGS;
	}
}
