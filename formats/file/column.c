#include "column.h"

#include <stdlib.h>
#include <string.h>

/* The loops over layers are most of the work on a big snapshot, and gcc vectorises
 * them from -O3 on (clang from -O2). */
#if defined(__GNUC__) && !defined(__clang__) && defined(__OPTIMIZE__)
#pragma GCC optimize("O3")
#endif

bool take_varint(struct cursor *cursor, uint64_t *out)
{
	uint64_t value = 0;
	const uint8_t *at = cursor->at;
	for (unsigned shift = 0; shift < 70; shift += 7) {
		if (at == cursor->end)
			return false;
		uint8_t byte = *at++;
		if (shift == 63 && byte > 1)
			return false;
		value |= (uint64_t)(byte & 0x7f) << shift;
		if (byte & 0x80)
			continue;
		if (!byte && shift)
			return false;
		cursor->at = at;
		*out = value;
		return true;
	}
	return false;
}

bool take_bytes(struct cursor *cursor, uint64_t len, const uint8_t **out)
{
	if (len > cursor_left(cursor))
		return false;
	*out = cursor->at;
	cursor->at += len;
	return true;
}

bool take_string(struct cursor *cursor, const char **out, size_t *len)
{
	size_t left = cursor_left(cursor);
	const uint8_t *nul = left ? memchr(cursor->at, '\0', left) : NULL;
	if (!nul)
		return false;
	*out = (const char *)cursor->at;
	*len = (size_t)(nul - cursor->at);
	cursor->at = nul + 1;
	return true;
}

bool take_column(struct cursor *cursor, struct cursor *column)
{
	struct cursor start = *cursor;
	uint64_t len;
	const uint8_t *bytes;
	if (!take_varint(cursor, &len) || !take_bytes(cursor, len, &bytes)) {
		*cursor = start;
		return false;
	}
	*column = cursor_of(bytes, (size_t)len);
	return true;
}

/* How many bytes have bit 7 set: eight at a time, their bits added up in the top
 * byte of a product. */
static size_t count_continued(const uint8_t *bytes, size_t len)
{
	const uint64_t ones = UINT64_C(0x0101010101010101);
	size_t total = 0, i = 0;
	for (; len - i >= sizeof(uint64_t); i += sizeof(uint64_t)) {
		uint64_t word;
		memcpy(&word, bytes + i, sizeof(word));
		total += (size_t)(((word >> 7 & ones) * ones) >> 56);
	}
	for (; i < len; i++)
		total += bytes[i] >> 7;
	return total;
}

bool numbers_open(struct numbers *numbers, struct cursor column, size_t count)
{
	*numbers = (struct numbers){ 0 };
	for (size_t k = 0; count && k < VARINT_BYTES; k++) {
		if (cursor_left(&column) < count)
			return false;
		numbers->layers[k] = column.at;
		/* A last byte of 0 could have been left out. */
		if (k && memchr(column.at, 0, count))
			return false;
		if (k == VARINT_BYTES - 1)
			for (size_t i = 0; i < count; i++)
				if (column.at[i] > 1)
					return false;
		size_t continued = count_continued(column.at, count);
		column.at += count;
		count = continued;
	}
	return !count && !cursor_left(&column);
}

/* Takes up to BLOCK numbers.  Those that go on are listed without a branch, for
 * whether a number goes on cannot be predicted. */
enum { BLOCK = 1024 };
static void next_block(struct numbers *numbers, uint64_t *out, size_t count)
{
	uint16_t continued[BLOCK];
	const uint8_t *bytes = numbers->layers[0];
	size_t left = 0;
	for (size_t i = 0; i < count; i++)
		out[i] = bytes[i] & 0x7f;
	numbers->layers[0] += count;
	if (!count_continued(bytes, count))
		return;
	for (size_t i = 0; i < count; i++) {
		continued[left] = (uint16_t)i;
		left += bytes[i] >> 7;
	}
	for (size_t k = 1; left && k < VARINT_BYTES; k++) {
		size_t kept = 0;
		bytes = numbers->layers[k];
		numbers->layers[k] += left;
		for (size_t i = 0; i < left; i++) {
			uint16_t which = continued[i];
			out[which] |= (uint64_t)(bytes[i] & 0x7f) << (7 * k);
			continued[kept] = which;
			kept += bytes[i] >> 7;
		}
		left = kept;
	}
}

void numbers_next(struct numbers *numbers, uint64_t *out, size_t count)
{
	/* Of mappings each column is read one by one, and most numbers are short. */
	if (count == 1 && *numbers->layers[0] < 0x80) {
		*out = *numbers->layers[0]++;
		return;
	}
	while (count) {
		size_t now = count < BLOCK ? count : BLOCK;
		next_block(numbers, out, now);
		out += now;
		count -= now;
	}
}

bool take_numbers(struct cursor *cursor, uint64_t *out, size_t count)
{
	struct cursor column;
	struct numbers numbers;
	if (!take_column(cursor, &column) || !numbers_open(&numbers, column, count))
		return false;
	numbers_next(&numbers, out, count);
	return true;
}

void bytes_free(struct bytes *bytes)
{
	free(bytes->data);
	*bytes = (struct bytes){ 0 };
}

uint8_t *bytes_reserve(struct bytes *bytes, size_t more)
{
	if (bytes->failed)
		return NULL;
	if (bytes->room - bytes->len < more) {
		size_t room = bytes->len + bytes->len / 2 + more;
		uint8_t *data = room >= more ? realloc(bytes->data, room) : NULL;
		if (!data && more) {
			bytes->failed = true;
			return NULL;
		}
		if (data) {
			bytes->data = data;
			bytes->room = room;
		}
	}
	return bytes->data + bytes->len;
}

void put_bytes(struct bytes *bytes, const void *data, size_t len)
{
	uint8_t *at = len ? bytes_reserve(bytes, len) : NULL;
	if (!at)
		return;
	memcpy(at, data, len);
	bytes->len += len;
}

static size_t write_varint(uint8_t *at, uint64_t value)
{
	size_t len = 0;
	while (value >= 0x80) {
		at[len++] = (uint8_t)(value | 0x80);
		value >>= 7;
	}
	at[len++] = (uint8_t)value;
	return len;
}

void put_varint(struct bytes *bytes, uint64_t value)
{
	uint8_t *at = bytes_reserve(bytes, VARINT_BYTES);
	if (at)
		bytes->len += write_varint(at, value);
}

void put_column(struct bytes *bytes, const void *data, size_t len)
{
	put_varint(bytes, len);
	put_bytes(bytes, data, len);
}

static size_t write_layers(uint8_t *out, uint64_t *values, size_t count)
{
	const uint8_t *start = out;
	while (count) {
		size_t kept = 0;
		for (size_t i = 0; i < count; i++) {
			uint64_t value = values[i], more = value > 0x7f;
			out[i] = (uint8_t)((value & 0x7f) | more << 7);
			values[kept] = value >> 7;
			kept += (size_t)more;
		}
		out += count;
		count = kept;
	}
	return (size_t)(out - start);
}

void put_numbers(struct bytes *bytes, uint64_t *values, size_t count)
{
	uint8_t *at = bytes_reserve(bytes, VARINT_BYTES + VARINT_BYTES * count);
	if (!at)
		return;
	/* The length stands first and is known last. */
	size_t len = write_layers(at + VARINT_BYTES, values, count);
	size_t prefix = write_varint(at, len);
	memmove(at + prefix, at + VARINT_BYTES, len);
	bytes->len += prefix + len;
}
