#include "section.h"

#include <string.h>
#include <zlib.h>

#include "vmsnap.h"

/* Like that of PNG: a byte above 127, line ends and a DOS end-of-file catch
 * transfers that are not 8-bit clean. */
static const uint8_t magic[MAGIC_BYTES] = { 0x89, 'V', 'M', 'S', '\r', '\n', 0x1a, '\n' };
enum { FORMAT_VERSION = 1 };

static void put_number(uint8_t *bytes, uint64_t value, size_t width)
{
	for (size_t i = 0; i < width; i++)
		bytes[i] = (uint8_t)(value >> (8 * i));
}

static uint64_t get_number(const uint8_t *bytes, size_t width)
{
	uint64_t value = 0;
	for (size_t i = 0; i < width; i++)
		value |= (uint64_t)bytes[i] << (8 * i);
	return value;
}

uint32_t crc_of(uint32_t crc, const void *bytes, size_t len)
{
	return (uint32_t)crc32_z(crc, bytes, len);
}

void section_write(const struct section *section, uint8_t bytes[SECTION_HEADER_BYTES])
{
	put_number(bytes, section->type, 4);
	put_number(bytes + 4, section->flags, 2);
	put_number(bytes + 6, section->reserved, 2);
	put_number(bytes + 8, section->stored, 8);
	put_number(bytes + 16, section->raw, 8);
	put_number(bytes + 24, section->crc, 4);
	put_number(bytes + 28, crc_of(0, bytes, 28), 4);
}

bool section_read(const uint8_t bytes[SECTION_HEADER_BYTES], struct section *out)
{
	if (get_number(bytes + 28, 4) != crc_of(0, bytes, 28))
		return false;
	*out = (struct section){
		.type = (uint32_t)get_number(bytes, 4),
		.flags = (uint16_t)get_number(bytes + 4, 2),
		.reserved = (uint16_t)get_number(bytes + 6, 2),
		.stored = get_number(bytes + 8, 8),
		.raw = get_number(bytes + 16, 8),
		.crc = (uint32_t)get_number(bytes + 24, 4),
	};
	return true;
}

void end_write(const struct section_end *end, uint8_t bytes[END_BYTES])
{
	uint8_t *payload = bytes + SECTION_HEADER_BYTES;
	put_number(payload, end->distance, 8);
	put_number(payload + 8, end->sections, 4);
	put_number(payload + 12, end->crc, 4);
	struct section section = {
		.type = SECTION_END,
		.flags = SECTION_REQUIRED,
		.stored = END_PAYLOAD_BYTES,
		.raw = END_PAYLOAD_BYTES,
		.crc = crc_of(0, payload, END_PAYLOAD_BYTES),
	};
	section_write(&section, bytes);
}

bool end_read(const uint8_t bytes[END_BYTES], struct section_end *out)
{
	const uint8_t *payload = bytes + SECTION_HEADER_BYTES;
	struct section section;
	if (!section_read(bytes, &section) || section.type != SECTION_END || section.flags != SECTION_REQUIRED ||
	    section.reserved || section.stored != END_PAYLOAD_BYTES || section.raw != END_PAYLOAD_BYTES ||
	    section.crc != crc_of(0, payload, END_PAYLOAD_BYTES))
		return false;
	*out = (struct section_end){
		.distance = get_number(payload, 8),
		.sections = (uint32_t)get_number(payload + 8, 4),
		.crc = (uint32_t)get_number(payload + 12, 4),
	};
	return out->distance >= SECTION_HEADER_BYTES;
}

void stream_header_write(uint8_t bytes[STREAM_HEADER_BYTES])
{
	memcpy(bytes, magic, MAGIC_BYTES);
	put_number(bytes + 8, FORMAT_VERSION, 2);
	put_number(bytes + 10, 0, 2);
	put_number(bytes + 12, crc_of(0, bytes, 12), 4);
}

int stream_header_read(const uint8_t *bytes, size_t len)
{
	if (!len || memcmp(bytes, magic, len < MAGIC_BYTES ? len : MAGIC_BYTES) != 0)
		return VMSNAP_ERR_NOT_SNAPSHOT;
	if (len < STREAM_HEADER_BYTES)
		return VMSNAP_ERR_TRUNCATED;
	if (get_number(bytes + 12, 4) != crc_of(0, bytes, 12))
		return VMSNAP_ERR_CORRUPT;
	if (get_number(bytes + 8, 2) != FORMAT_VERSION || get_number(bytes + 10, 2))
		return VMSNAP_ERR_NEWER;
	return VMSNAP_OK;
}
