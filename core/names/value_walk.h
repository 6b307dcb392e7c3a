/* value_walk.h - which parts of a variable differ: by its type, from its bytes before and after.
 * Knows no snapshots; costs in proportion to the bytes that differ, not to the variable. */
#ifndef VMSNAP_VALUE_WALK_H
#define VMSNAP_VALUE_WALK_H

#include "value_type.h"

/* One scalar, text, or some bytes that differ. */
struct value_leaf {
	const struct value_type *type;
	uint64_t offset, size;         /* in the variable */
	uint32_t bit_offset, bit_size; /* from offset on, as its byte order counts; size 0: whole bytes */
	bool is_text;                  /* characters, up to a NUL */
	bool is_bytes;                 /* some of what is no scalar */
	const char *path;              /* "[3].qty", "" for the variable itself; until the function returns */
};

enum { VALUE_BEFORE, VALUE_AFTER, VALUE_SIDES };
enum { VALUE_PATH_MAX = 512 };
struct value_walk {
	const struct value_type *type;
	uint64_t size; /* of the variable: what its type does not say */
	/* Any bytes of the variable; false: not all of them are known. */
	bool (*read)(void *ctx, int side, uint64_t offset, void *to, size_t len);
	void (*emit)(void *ctx, const struct value_leaf *leaf);
	void *ctx;
	/* What is looked at: [start, end) of the variable, of which both sides are known. */
	uint64_t start, end;
	const uint8_t *bytes[VALUE_SIDES]; /* from start on */
	uint64_t steps;                    /* that may still be done; 0 in the end: the rest was not looked at */
	/* Its own. */
	char path[VALUE_PATH_MAX];
	size_t path_len;
};

/* Tells each part that differs, once: one that lies across several windows, in the first one in which
 * it differs.  Windows come in the order of their addresses. */
void value_walk_window(struct value_walk *walk);

/* Some bits of at most 9 bytes, as a number. */
uint64_t value_bits(const uint8_t *bytes, uint32_t bit_offset, uint32_t bit_size, bool big_endian);
/* A number of 1 to 8 bytes. */
uint64_t value_number(const uint8_t *bytes, size_t len, bool big_endian);

#endif
