#include "dump_rows.h"

#include <string.h>

#include "error.h"

void dump_rows_init(struct dump_rows *rows, const struct vmsnap *a, const struct vmsnap *b, uint64_t start,
                    uint64_t end)
{
	rows->at = start;
	rows->end = end;
	for (int i = 0; i < DUMP_SIDES; i++) {
		rows->side[i].snap = i ? b : a;
		rows->side[i].held_end = rows->side[i].len = 0;
	}
}

/* Of the byte at `at`, which never goes back. */
static int held_at(struct dump_side *side, uint64_t at)
{
	if (at >= side->held_end)
		side->held = vmsnap_contents_held(side->snap, at, &side->held_end);
	return side->held;
}

/* Bytes that are kept, from `at` on; *len: how many, at least one. */
static int bytes_at(struct dump_side *side, uint64_t at, const unsigned char **bytes, size_t *len,
                    struct vmsnap_error *err)
{
	if (at < side->at || at - side->at >= side->len) {
		uint64_t left = side->held_end - at;
		int rc = vmsnap_contents_read(side->snap, at, side->buffer,
		                              left < DUMP_BUFFER ? (size_t)left : DUMP_BUFFER, &side->len, err);
		if (rc)
			return rc;
		side->at = at;
	}
	*bytes = side->buffer + (at - side->at);
	*len = side->len - (size_t)(at - side->at);
	return VMSNAP_OK;
}

static int fill_side(struct dump_side *side, struct dump_row *row, int which, struct vmsnap_error *err)
{
	size_t len = 0;
	for (size_t done = 0; done < row->len; done += len) {
		uint64_t at = row->address + done;
		int held = held_at(side, at), rc = VMSNAP_OK;
		const unsigned char *bytes = NULL;
		len = side->held_end - at < row->len - done ? (size_t)(side->held_end - at) : row->len - done;
		size_t kept = len;
		if (held == VMSNAP_HELD_BYTES)
			rc = bytes_at(side, at, &bytes, &kept, err);
		if (rc)
			return rc;
		len = kept < len ? kept : len;
		if (bytes)
			memcpy(row->bytes[which] + done, bytes, len);
		if (held != VMSNAP_HELD_UNKNOWN)
			row->known[which] |= ((1u << len) - 1) << done;
	}
	return VMSNAP_OK;
}

int dump_rows_next(struct dump_rows *rows, struct dump_row *row, struct vmsnap_error *err)
{
	if (rows->at >= rows->end)
		return VMSNAP_END;
	*row = (struct dump_row){ .address = rows->at, .len = DUMP_LINE - rows->at % DUMP_LINE };
	if (row->len > rows->end - rows->at)
		row->len = (size_t)(rows->end - rows->at);
	int rc = VMSNAP_OK;
	for (int i = 0; !rc && i < DUMP_SIDES; i++)
		if (rows->side[i].snap)
			rc = fill_side(&rows->side[i], row, i, err);
	for (size_t i = 0; !rc && i < row->len; i++)
		if ((row->known[0] & row->known[1]) >> i & 1 && row->bytes[0][i] != row->bytes[1][i])
			row->changed |= 1u << i;
	rows->at += row->len;
	return rc;
}

uint64_t dump_rows_alike(struct dump_rows *rows, uint64_t most, int *held)
{
	uint64_t len = most;
	if (len > rows->end - rows->at)
		len = rows->end - rows->at;
	for (int i = 0; i < DUMP_SIDES; i++) {
		held[i] = VMSNAP_HELD_UNKNOWN;
		if (!rows->side[i].snap)
			continue;
		held[i] = held_at(&rows->side[i], rows->at);
		if (rows->side[i].held_end - rows->at < len)
			len = rows->side[i].held_end - rows->at;
	}
	return len;
}

/* Whether all bytes of the line are of that kind. */
static bool is_all(const struct dump_row *row, int side, int held)
{
	static const unsigned char zeros[DUMP_LINE];
	if (held == VMSNAP_HELD_UNKNOWN)
		return !row->known[side];
	return held == VMSNAP_HELD_ZEROS && row->known[side] == (1u << DUMP_LINE) - 1 &&
	       !memcmp(row->bytes[side], zeros, DUMP_LINE);
}

bool dump_rows_skip_like(struct dump_rows *rows, const struct dump_row *last)
{
	int held[DUMP_SIDES];
	uint64_t len = dump_rows_alike(rows, UINT64_MAX, held) & ~(uint64_t)(DUMP_LINE - 1);
	bool like = last->len == DUMP_LINE && rows->at % DUMP_LINE == 0 && is_all(last, 0, held[0]) &&
	            is_all(last, 1, held[1]);
	if (!like || !len)
		return false;
	rows->at += len;
	return true;
}
