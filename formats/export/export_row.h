/* export_row.h - one row in the making: its cells are put in the order of its table's columns. */
#ifndef VMSNAP_EXPORT_ROW_H
#define VMSNAP_EXPORT_ROW_H

#include <string.h>

#include "export_key.h"
#include "export_schema.h"
#include "work.h"

/* Cells of one row, in the order of its table's columns. */
struct export_cell {
	bool known;
	uint64_t number;
	const void *bytes;
	size_t len;
};
typedef int (*export_row_fn)(void *ctx, int table, const struct export_cell *cells, struct vmsnap_error *err);

struct export_rows {
	unsigned tables;               /* those that are wanted, as bits 1 << enum export_table_id */
	bool arguments, changed, runs; /* enum vmsnap_export_flag */
	const char *host;              /* NULL: what snapshots say */
	struct work *work;
	export_row_fn row;
	void *ctx;
	/* Of the snapshot whose rows come: what other tables than its own have of it in some databases. */
	const char *host_now;
	int64_t taken_now;
	struct export_share *share;       /* the instant before */
	const struct vmsnap_group *group; /* of the snapshots that come, index by index; NULL: it is made of them */
	struct export_seen *seen;   /* what mappings were, of each process: for `changed` */
};

struct row {
	struct export_rows *rows;
	int table;
	struct export_cell cells[EXPORT_COLUMNS_MAX];
	size_t count;
	uint8_t key[EXPORT_KEY_BYTES],
	        other[EXPORT_KEY_BYTES]; /* cells point here: a row is not copied once it has some */
};

static inline struct row row_begin(struct export_rows *rows, int table)
{
	return (struct row){ .rows = rows, .table = table };
}

static inline void row_put_if(struct row *row, bool known, uint64_t number)
{
	row->cells[row->count++] = (struct export_cell){ .known = known, .number = number };
}

static inline void row_put(struct row *row, uint64_t number)
{
	row_put_if(row, true, number);
}

/* Lent until the row ends; NULL is not known. */
static inline void row_put_bytes(struct row *row, const void *bytes, size_t len)
{
	row->cells[row->count++] = (struct export_cell){ .known = bytes, .bytes = bytes, .len = len };
}

/* What is "" is not known, of who a process was. */
static inline void row_put_string(struct row *row, const char *text)
{
	row_put_bytes(row, text && *text ? text : NULL, text ? strlen(text) : 0);
}

/* Whose row it is. */
static inline void row_put_key(struct row *row, const struct vmsnap *snap)
{
	const struct vmsnap_info *info = vmsnap_info(snap);
	row->rows->host_now = row->rows->host ? row->rows->host : info->host;
	row->rows->taken_now = info->taken;
	export_key(snap, row->rows->host, row->key);
	row_put_bytes(row, row->key, EXPORT_KEY_BYTES);
}

static inline void row_put_other_key(struct row *row, const struct vmsnap *snap)
{
	export_key(snap, row->rows->host, row->other);
	row_put_bytes(row, row->other, EXPORT_KEY_BYTES);
}

static inline int row_end(struct row *row, struct vmsnap_error *err)
{
	return row->rows->row(row->rows->ctx, row->table, row->cells, err);
}

#endif
