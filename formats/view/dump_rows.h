/* dump_rows.h - what memory held, cut into lines of 16 bytes, in one snapshot or in two side by side. */
#ifndef VMSNAP_DUMP_ROWS_H
#define VMSNAP_DUMP_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vmsnap.h"

enum { DUMP_LINE = 16, DUMP_BUFFER = 4096 };
enum { DUMP_SIDES = 2 };

/* Of one snapshot: as far as one answer holds, and what of it was read. */
struct dump_side {
	const struct vmsnap *snap; /* NULL: there is none */
	int held;                  /* enum vmsnap_held */
	uint64_t held_end;         /* 0: not asked */
	uint64_t at;               /* of the bytes in the buffer */
	size_t len;
	unsigned char buffer[DUMP_BUFFER];
};
struct dump_rows {
	struct dump_side side[DUMP_SIDES];
	uint64_t at, end;
};
/* The bytes from address to address + len: of one line, but for the first and the last one 16. */
struct dump_row {
	uint64_t address;
	size_t len;
	unsigned char bytes[DUMP_SIDES][DUMP_LINE];
	uint32_t known[DUMP_SIDES]; /* 1 << those of them that are known */
	uint32_t changed;           /* known in both, and not the same */
};
void dump_rows_init(struct dump_rows *rows, const struct vmsnap *a, const struct vmsnap *b, uint64_t start,
                    uint64_t end);
/* VMSNAP_END: there are no more. */
int dump_rows_next(struct dump_rows *rows, struct dump_row *row, struct vmsnap_error *err);
/* Passes over lines that are as the last one was, of bytes that are not kept: a terabyte is passed at once. */
bool dump_rows_skip_like(struct dump_rows *rows, const struct dump_row *last);
/* Up to where nothing changes in what is known of the byte that is next, at most `most` bytes; held: of each. */
uint64_t dump_rows_alike(struct dump_rows *rows, uint64_t most, int *held);

#endif
