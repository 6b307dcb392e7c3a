/* file_decode_names.c - NAME. */
#include <inttypes.h>
#include <string.h>

#include "file_decode.h"

struct names {
	struct numbers addresses, sizes, tids, frames;
	struct cursor kinds, functions, symbols, types;
	struct annotation_slots slots;
};

static bool take_numbers_of(struct cursor *payload, struct numbers *numbers, size_t count)
{
	struct cursor column;
	return take_column(payload, &column) && numbers_open(numbers, column, count);
}

static bool take_columns(struct names *in, struct cursor *payload, size_t count)
{
	return take_numbers_of(payload, &in->addresses, count) && take_numbers_of(payload, &in->sizes, count) &&
	       take_column(payload, &in->kinds) && cursor_left(&in->kinds) == count &&
	       take_numbers_of(payload, &in->tids, count) && take_numbers_of(payload, &in->frames, count) &&
	       take_column(payload, &in->functions) && take_column(payload, &in->symbols) &&
	       take_column(payload, &in->types);
}

static int set_string(struct decode *decode, struct names *in, struct cursor *column, const char **out)
{
	const char *string;
	size_t len;
	int rc = VMSNAP_OK;
	if (!take_string(column, &string, &len))
		return decode_damaged(decode, "NAME: %zu strings expected", decode->snap->annotation_count);
	if (!len) {
		*out = "";
		return VMSNAP_OK;
	}
	const char **slot = annotation_slot(&in->slots, string, len);
	if (!*slot || strcmp(*slot, string) != 0)
		*slot = decode_string(decode, string, len, &rc);
	*out = *slot;
	return rc;
}

static int set_place(struct decode *decode, struct names *in, struct vmsnap_annotation *name, uint64_t *address)
{
	uint64_t difference, tid, frame;
	numbers_next(&in->addresses, &difference, 1);
	numbers_next(&in->sizes, &name->size, 1);
	numbers_next(&in->tids, &tid, 1);
	numbers_next(&in->frames, &frame, 1);
	name->kind = *in->kinds.at++;
	if (difference > UINT64_MAX - *address || name->size > UINT64_MAX - *address - difference)
		return decode_damaged(decode, "NAME: %" PRIu64 " bytes above the highest address", name->size);
	if (name->kind >= VMSNAP_ANNOTATION_KIND_COUNT)
		return decode_damaged(decode, "NAME: kind %" PRIu32, name->kind);
	if (tid > UINT32_MAX || frame > UINT32_MAX)
		return decode_damaged(decode, "NAME: thread %" PRIu64 ", frame %" PRIu64, tid, frame);
	*address += difference;
	name->address = *address;
	name->tid = (uint32_t)tid;
	name->frame = (uint32_t)frame;
	return VMSNAP_OK;
}

static int set_name(struct decode *decode, struct names *in, struct vmsnap_annotation *name, uint64_t *address)
{
	int rc = set_place(decode, in, name, address);
	rc = rc ? rc : set_string(decode, in, &in->functions, &name->function);
	rc = rc ? rc : set_string(decode, in, &in->symbols, &name->symbol);
	rc = rc ? rc : set_string(decode, in, &in->types, &name->type);
	return rc;
}

static int set_names(struct decode *decode, struct names *in)
{
	struct vmsnap_annotation *names = decode->snap->annotations;
	uint64_t address = 0;
	for (size_t i = 0; i < decode->snap->annotation_count; i++) {
		int rc = set_name(decode, in, &names[i], &address);
		rc = rc ? rc : decode_step(decode);
		if (rc)
			return rc;
		if (i && annotation_order(&names[i - 1], &names[i]) > 0)
			return decode_damaged(decode, "NAME: names out of order");
	}
	if (cursor_left(&in->functions) || cursor_left(&in->symbols) || cursor_left(&in->types))
		return decode_damaged(decode, "NAME: more strings than names");
	return VMSNAP_OK;
}

int decode_name(struct decode *decode, struct cursor payload)
{
	struct names in = { 0 };
	uint64_t count;
	if (!take_varint(&payload, &count) || count > cursor_left(&payload) ||
	    !take_columns(&in, &payload, (size_t)count) || cursor_left(&payload))
		return decode_damaged(decode, "NAME: its columns do not fit");
	void *names;
	int rc = decode_array(decode, count, sizeof(struct vmsnap_annotation), &names);
	if (rc)
		return rc;
	decode->snap->annotations = names;
	decode->snap->annotation_count = (size_t)count;
	return set_names(decode, &in);
}

int decode_types(struct decode *decode, struct cursor payload)
{
	struct type_table table;
	const uint8_t *bytes = payload.at;
	size_t len = cursor_left(&payload);
	int rc = type_table_read(bytes, len, &decode->work, &table);
	if (rc == VMSNAP_ERR_CORRUPT)
		return decode_damaged(decode, "TYPE: no types");
	if (rc)
		return work_fail(&decode->work, rc, decode->err);
	type_table_free(&table, &decode->work);
	rc = VMSNAP_OK;
	decode->snap->types = (const uint8_t *)decode_string(decode, bytes, len, &rc);
	decode->snap->types_len = rc ? 0 : len;
	return rc;
}
