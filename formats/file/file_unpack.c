#include "file_unpack.h"

#include "error.h"
#include "file_deflate.h"
#include "file_error.h"

void unpacked_free(struct unpacked *unpacked)
{
	bytes_free(&unpacked->copy);
	bytes_free(&unpacked->raw);
}

/* Room for so many bytes, and one more: nothing needs a place, too. */
static uint8_t *room_for(struct bytes *bytes, uint64_t len)
{
	return len < SIZE_MAX ? bytes_reserve(bytes, (size_t)len + 1) : NULL;
}

/* The payload as stored: in place if the file is in memory, else a copy. */
static int read_stored(struct unpacked *unpacked, const uint8_t **stored)
{
	const struct file_source *source = unpacked->source;
	const struct placed *placed = unpacked->placed;
	uint64_t at = placed->offset + SECTION_HEADER_BYTES, len = placed->section.stored;
	if (source->bytes) {
		*stored = source->bytes + at;
	} else {
		uint8_t *copy = room_for(&unpacked->copy, len);
		if (!copy)
			return fail_no_memory(&unpacked->err);
		int rc = file_source_read(source, at, copy, (size_t)len, &unpacked->err);
		if (rc)
			return rc;
		*stored = copy;
	}
	if (crc_of(0, *stored, (size_t)len) != placed->section.crc)
		return file_bad(source->name, &unpacked->err, VMSNAP_ERR_CORRUPT, placed->offset, "%s",
		                "wrong checksum of a section");
	return VMSNAP_OK;
}

int unpack(struct unpacked *unpacked, struct inflater *inflater, struct work *work)
{
	const struct placed *placed = unpacked->placed;
	const struct section *section = &placed->section;
	const uint8_t *stored = NULL;
	int rc = read_stored(unpacked, &stored);
	if (rc)
		return rc;
	unpacked->payload = cursor_of(stored, (size_t)section->stored);
	if (!(section->flags & SECTION_DEFLATED))
		return VMSNAP_OK;
	uint8_t *raw = room_for(&unpacked->raw, section->raw);
	if (!raw)
		return fail_no_memory(&unpacked->err);
	size_t stored_len = (size_t)section->stored, raw_len = (size_t)section->raw;
	rc = inflater ? inflater_inflate(inflater, stored, stored_len, raw, raw_len)
	              : inflate_payload(stored, stored_len, raw, raw_len, work);
	if (rc == VMSNAP_ERR_CORRUPT)
		return file_bad(unpacked->source->name, &unpacked->err, rc, placed->offset, "%s",
		                "a section that does not inflate");
	unpacked->payload = cursor_of(raw, (size_t)section->raw);
	return rc ? work_fail(work, rc, &unpacked->err) : VMSNAP_OK;
}
