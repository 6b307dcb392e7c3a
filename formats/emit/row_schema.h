/* row_schema.h - what columns a row has, and what an emitter does with what is put into them.
 * Reports say the first, emitters are the second; rows (row.h) lie between them. */
#ifndef VMSNAP_ROW_SCHEMA_H
#define VMSNAP_ROW_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "text_out.h"

enum column_type {
	/* in a table, in JSON */
	COLUMN_ADDRESS,  /* 7f1a40000000, "0x7f1a40000000" */
	COLUMN_HEX,      /* 0x1f, "0x1f" */
	COLUMN_OFFSET,   /* 0x1000, 4096 */
	COLUMN_BYTES,    /* 4.00K, 4096 */
	COLUMN_DELTA,    /* +4.00K, 4096; empty for 0 */
	COLUMN_COUNT,    /* 17, 17 */
	COLUMN_BOOL,     /* the key or nothing, true or false */
	COLUMN_WORD,     /* shared, "shared": one of our own words */
	COLUMN_FLAGS,    /* file,exclusive?, ["file"] */
	COLUMN_BUILD_ID, /* hexadecimal digits in both */
	COLUMN_NAME,     /* bytes of the target, escaped in both */
	COLUMN_PATH,     /* the same; what is cut is cut on the left */
	COLUMN_TIME,     /* local, UTC */
	COLUMN_DURATION, /* 1.23 ms, 1230.000 */
	COLUMN_STATUS,   /* a size, a number or a text, as the line of status is one */
	/* in a table only */
	COLUMN_SHARE,  /* 31.8% */
	COLUMN_FRAME,  /* 0x1f, 1:0x4d */
	COLUMN_TEXT,   /* words of ours and names */
	COLUMN_CHANGE, /* 4.00K → 8.00K: bytes before and now */
	COLUMN_STRIP,  /* a little picture */
	/* in JSON only */
	COLUMN_RECORD,  /* an object */
	COLUMN_RECORDS, /* an array of them, in one line */
	COLUMN_ROWS,    /* an array of them, a line each */
	COLUMN_LIST,    /* an array of names */
	COLUMN_COUNTS,  /* an object: a number for each of an enumeration */
	COLUMN_OPEN,    /* an object whose keys no schema knows: the kernel's */
};

enum column_flag {
	COLUMN_SECONDARY = 1,    /* shown only if asked for */
	COLUMN_SPARSE = 2,       /* not shown if no row has anything in it, unless asked for */
	COLUMN_LONG = 4,         /* the first to give way where the line is too short */
	COLUMN_OPTIONAL = 8,     /* no key, instead of null, if nothing is put */
	COLUMN_YIELDS = 32,      /* the first to be left out where the line is too short */
	COLUMN_STAYS = 64,       /* the last; as the path at the end is */
	COLUMN_PER_SECOND = 128, /* of a delta: "/s" behind it, but with --raw */
	COLUMN_NONZERO = 256,    /* of bytes: 0 is an empty cell, where people read it */
	COLUMN_FLAT = 16,        /* of a record or counts: its keys stand in the object around it */
};

struct row_schema;
struct column {
	const char *key;     /* in JSON; NULL: for people only */
	const char *heading; /* in tables, for -o and --sort; NULL: for programs only */
	enum column_type type;
	unsigned flags;              /* enum column_flag */
	const char *help;            /* what --help says of it */
	const struct row_schema *of; /* what a record, or each of several, is made of */
};
struct row_schema {
	const struct column *columns;
	size_t count;
	const uint32_t *shown; /* the columns with a heading, as they stand in the table; NULL: as above */
	size_t shown_count;
};
#define ROW_SCHEMA(columns)                                                                                            \
	{                                                                                                              \
		(columns), sizeof(columns) / sizeof((columns)[0]), NULL, 0                                             \
	}
#define ROW_SCHEMA_SHOWN(columns, order)                                                                               \
	{                                                                                                              \
		(columns), sizeof(columns) / sizeof((columns)[0]), (order), sizeof(order) / sizeof((order)[0])         \
	}

struct emitter;
/* What was put into a column, as its type says. */
struct value {
	bool unknown;
	bool special; /* an end is 2^64; a time is of one day; a delta is negative; bytes may be more; there is a
	               * before */
	uint64_t number, more; /* more: what a share is of, what flags are unknown, what was before; the day of
	                        * a time, too */
	const char *bytes;
	size_t len;
	const char *(*name)(int index);
	const void *of; /* counts, a page, a status field, a strip */
};

struct emitter_ops {
	bool (*wants)(const struct emitter *emitter, const struct column *column);
	void (*put)(struct emitter *emitter, const struct column *column, const struct value *value);
	/* Nothing was put.  NULL: nothing is done about it. */
	void (*pass)(struct emitter *emitter, const struct column *column);
	/* More of a COLUMN_TEXT, from the target or not. */
	void (*piece)(struct emitter *emitter, const struct column *column, const char *bytes, size_t len, bool ours);
	void (*mark)(struct emitter *emitter, const struct column *column, int color); /* column NULL: all */
	void (*begin_row)(struct emitter *emitter);
	void (*end_row)(struct emitter *emitter, bool total);
	bool (*total)(const struct emitter *emitter); /* whether it shows totals */
	/* What holds others; false: it does not show them. */
	bool (*open)(struct emitter *emitter, const struct column *column);
	void (*close)(struct emitter *emitter);
	void (*key)(struct emitter *emitter, const char *key, size_t len); /* of a COLUMN_OPEN */
};
struct emitter {
	const struct emitter_ops *ops;
	struct text *text;
};

/* The columns with a heading, in the order of the table. */
size_t schema_shown_count(const struct row_schema *schema);
const struct column *schema_shown(const struct row_schema *schema, size_t index);

#endif
