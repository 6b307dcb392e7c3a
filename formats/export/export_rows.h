/* export_rows.h - what snapshots of one instant say, as rows of the schema. */
#ifndef VMSNAP_EXPORT_ROWS_H
#define VMSNAP_EXPORT_ROWS_H

#include <stdint.h>

#include "export_schema.h"
#include "vmsnap.h"
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
	unsigned tables; /* those that are wanted, as bits 1 << enum export_table_id */
	unsigned strip;  /* enum vmsnap_strip */
	bool arguments, changed;
	const char *host; /* NULL: what snapshots say */
	struct work *work;
	export_row_fn row;
	void *ctx;
	struct export_share *share; /* the instant before */
	struct export_seen *seen;   /* what mappings were, of each process: for `changed` */
};
/* Object rows come before those of mappings that name them, a snapshot's own row last. */
int export_rows(struct export_rows *rows, const struct vmsnap *const *snaps, size_t count, struct vmsnap_error *err);
void export_rows_free(struct export_rows *rows);
/* The first 128 bits of SHA-256 over machine, boot, pid, start time and time: the same wherever it is made. */
enum { EXPORT_KEY_BYTES = 16 };
void export_key(const struct vmsnap *snap, const char *host, uint8_t out[EXPORT_KEY_BYTES]);

#endif
