/* column.h - numbers, strings and columns of them as bytes (docs/format.md,
 * section 1), both ways.  Knows no section and does no I/O.
 *
 * Reading: a cursor never leaves its bytes; take_*() return false where it would
 * have to, or where what is there breaks the format, and leave it where it was.
 * Writing: a buffer that grows; once it could not, it stays `failed`. */
#ifndef VMSNAP_COLUMN_H
#define VMSNAP_COLUMN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { VARINT_BYTES = 10 };

static inline uint64_t zigzag(uint64_t difference)
{
	return difference << 1 ^ (0 - (difference >> 63));
}
static inline uint64_t unzigzag(uint64_t value)
{
	return value >> 1 ^ (0 - (value & 1));
}

struct cursor {
	const uint8_t *at, *end;
};
static inline struct cursor cursor_of(const void *bytes, size_t len)
{
	/* Of no bytes bytes may be NULL, to which nothing may be added. */
	return (struct cursor){ bytes, len ? (const uint8_t *)bytes + len : bytes };
}
static inline size_t cursor_left(const struct cursor *cursor)
{
	return (size_t)(cursor->end - cursor->at);
}

bool take_varint(struct cursor *cursor, uint64_t *out);
bool take_bytes(struct cursor *cursor, uint64_t len, const uint8_t **out);
/* A string with its NUL; *len excludes it. */
bool take_string(struct cursor *cursor, const char **out, size_t *len);
bool take_column(struct cursor *cursor, struct cursor *column);

/* A layered column of numbers.  numbers_open() proves all of it; after that
 * numbers_next() cannot fail, as long as no more than `count` are taken. */
struct numbers {
	const uint8_t *layers[VARINT_BYTES];
};
bool numbers_open(struct numbers *numbers, struct cursor column, size_t count);
void numbers_next(struct numbers *numbers, uint64_t *out, size_t count);
bool take_numbers(struct cursor *cursor, uint64_t *out, size_t count); /* a whole column */

struct bytes {
	uint8_t *data;
	size_t len, room;
	bool failed;
};
void bytes_free(struct bytes *bytes);
/* Room for `more` after len; NULL (and failed) if there is no memory. */
uint8_t *bytes_reserve(struct bytes *bytes, size_t more);
void put_bytes(struct bytes *bytes, const void *data, size_t len);
void put_varint(struct bytes *bytes, uint64_t value);
void put_column(struct bytes *bytes, const void *data, size_t len);
/* Writes a layered column; overwrites the values. */
void put_numbers(struct bytes *bytes, uint64_t *values, size_t count);

#endif
