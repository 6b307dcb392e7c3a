/* export_schema.h - the tables that an export has (docs/schema.md), as data: SQL of any dialect and the rows
 * themselves are made of it. */
#ifndef VMSNAP_EXPORT_SCHEMA_H
#define VMSNAP_EXPORT_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>

/* Grows by one when a table or column is added, or more may be NULL; none is ever taken away or changes its meaning.
 * To an SQLite database whose tables are older than the other one nothing is added: there `vma` was no view yet. */
enum { EXPORT_SCHEMA_VERSION = 4, EXPORT_SCHEMA_SQLITE_OLDEST = 4 };

enum export_type {
	EXPORT_KEY,     /* 16 bytes: of a snapshot */
	EXPORT_OBJECT,  /* a number: of an object */
	EXPORT_NUMBER,  /* of 64 bits, without a sign */
	EXPORT_SMALL,   /* of 32 bits */
	EXPORT_ADDRESS, /* as EXPORT_NUMBER */
	EXPORT_TIME,    /* ns since 1970, with a sign */
	EXPORT_FLAG,    /* 0 or 1 */
	EXPORT_BYTES,   /* a name: bytes that may be no text */
	EXPORT_HEX,     /* a build ID, as text of hexadecimal digits */
};
/* What else there is beside true and false: NULL of pages that nobody could read, behind a debugger's remote target.
 * ClickHouse has such columns as they are, and is refused these rows: what is added up there as it comes would be NULL.
 */
enum { EXPORT_SELDOM = 2 };
struct export_column {
	const char *name;
	enum export_type type;
	unsigned char maybe; /* NULL where it is not known */
};
/* In front of all other columns in databases that keep rows in order of machine and time: ClickHouse. */
enum { EXPORT_PLACE_COUNT = 2 };
extern const struct export_column export_place[EXPORT_PLACE_COUNT];
enum export_table_id {
	EXPORT_SNAPSHOT,
	EXPORT_OBJECTS,
	EXPORT_VMA,
	EXPORT_RUN,
	EXPORT_GROUP_SHARE,
	EXPORT_COW,
	EXPORT_EVENT,
	EXPORT_FAULT_WATCH,
	EXPORT_TABLE_COUNT
};
enum { EXPORT_COLUMNS_MAX = 96 };
/* Columns of the table of snapshots that say which rows of others there are. */
enum { EXPORT_ALL_VMAS = 49, EXPORT_ALL_RUNS };
/* Columns of the table of mappings which SQLite has in a shorter form. */
enum { EXPORT_VMA_START = 1, EXPORT_VMA_END, EXPORT_VMA_PERMS = 5 };
struct export_table {
	const char *name;
	const struct export_column *columns;
	size_t count;
	bool placed; /* a snapshot's, and not its own row */
	size_t key;  /* so many columns from the first make a row's identity */
};
extern const struct export_table export_tables[EXPORT_TABLE_COUNT];
/* EXPORT_TABLE_COUNT: there is none of that name. */
int export_table_find(const char *name);
/* What SQLite has instead: of mappings, most of all rows, a table whose rows are shorter by a sixth, of which
 * `vma` is a view (sql/sqlite.sql). */
const char *export_sqlite_table(int table);
const struct export_column *export_sqlite_column(int table, size_t column);

#endif
