#define _GNU_SOURCE
/* export_tsv.c - one table as tab-separated text, as the clients of databases read it: a line of names, then one a
 * row; \t, \n, \r, \0 and \\ are escaped, \N is not known. */
#include <inttypes.h>
#include <string.h>

#include "error.h"
#include "export_rows.h"
#include "exporter.h"
#include "object_map.h"
#include "text_utf8.h"

struct tsv {
	struct export_rows rows;
	int table;
	bool is_placed;   /* machine and time stand in front of each row */
	bool is_postgres; /* no NUL and nothing that is not UTF-8, no numbers without a sign */
	struct object_map objects;
};

static void put_byte(struct vmsnap_export *e, const struct tsv *tsv, unsigned char byte)
{
	static const char escaped[] = { ['\t'] = 't', ['\n'] = 'n', ['\r'] = 'r', ['\\'] = '\\' };
	if (byte < sizeof(escaped) && escaped[byte])
		export_bytes(e, (char[]){ '\\', escaped[byte] }, 2);
	else if (byte)
		export_bytes(e, &byte, 1);
	else
		export_text(e, tsv->is_postgres ? "\\\\x00" : "\\0");
}

static void put_text(struct vmsnap_export *e, const struct tsv *tsv, const unsigned char *bytes, size_t len)
{
	for (size_t i = 0; i < len;) {
		uint32_t character;
		size_t n = utf8_decode((const char *)bytes + i, len - i, &character);
		if (!n && tsv->is_postgres) {
			export_printf(e, "\\\\x%02x", bytes[i++]);
			continue;
		}
		for (size_t end = i + (n ? n : 1); i < end; i++)
			put_byte(e, tsv, bytes[i]);
	}
}

static void put_hex(struct vmsnap_export *e, const uint8_t *bytes, size_t len)
{
	static const char digits[] = "0123456789abcdef";
	for (size_t i = 0; i < len; i++)
		export_bytes(e, (char[]){ digits[bytes[i] >> 4], digits[bytes[i] & 15] }, 2);
}

static void put_cell(struct vmsnap_export *e, const struct tsv *tsv, enum export_type type,
                     const struct export_cell *cell)
{
	if (!cell->known)
		export_text(e, "\\N");
	else if (type == EXPORT_BYTES)
		put_text(e, tsv, cell->bytes, cell->len);
	else if (type == EXPORT_HEX || type == EXPORT_KEY)
		put_hex(e, cell->bytes, cell->len);
	else if (type == EXPORT_TIME || tsv->is_postgres)
		export_printf(e, "%" PRId64, (int64_t)cell->number);
	else
		export_printf(e, "%" PRIu64, cell->number);
}

static int put_row(void *ctx, int table, const struct export_cell *cells, struct vmsnap_error *err)
{
	struct vmsnap_export *e = ctx;
	struct tsv *tsv = e->state;
	const struct export_table *schema = &export_tables[table];
	bool known = false;
	int64_t unused = 0;
	if (table != tsv->table)
		return VMSNAP_OK;
	if (table == EXPORT_OBJECTS && object_map_put(&tsv->objects, cells[0].number, &unused, &known))
		return fail_no_memory(err);
	if (known)
		return VMSNAP_OK;
	if (tsv->is_placed) {
		put_text(e, tsv, (const unsigned char *)tsv->rows.host_now, strlen(tsv->rows.host_now));
		export_printf(e, "\t%" PRId64 "\t", tsv->rows.taken_now);
	}
	for (size_t i = 0; i < schema->count; i++) {
		if (i)
			export_text(e, "\t");
		if (tsv->is_placed && !cells[i].known && schema->columns[i].maybe == EXPORT_SELDOM)
			return fail(err, VMSNAP_ERR_ARGUMENT,
			            "states of some pages could not be read, and a table of ClickHouse's has no place "
			            "for that");
		put_cell(e, tsv, schema->columns[i].type, &cells[i]);
	}
	export_text(e, "\n");
	return e->failed ? export_flush(e, err) : VMSNAP_OK;
}

static int tsv_open(struct vmsnap_export *e, struct vmsnap_error *err)
{
	struct tsv *tsv = e->state;
	const char *name = e->options.table ? e->options.table : "";
	tsv->table = export_table_find(name);
	if (!*name)
		return fail(err, VMSNAP_ERR_ARGUMENT,
		            "of which table? snapshot, object, vma, run, group_share, cow, event or fault_watch");
	if (tsv->table == EXPORT_TABLE_COUNT)
		return fail(
		        err, VMSNAP_ERR_ARGUMENT,
		        "there is no table '%.40s': snapshot, object, vma, run, group_share, cow, event or fault_watch",
		        name);
	tsv->is_postgres = e->options.dialect == VMSNAP_SCHEMA_POSTGRES;
	tsv->rows = export_rows_of(e, 1u << tsv->table, put_row);
	const struct export_table *schema = &export_tables[tsv->table];
	tsv->is_placed = schema->placed && e->options.dialect == VMSNAP_SCHEMA_CLICKHOUSE;
	if (e->options.flags & VMSNAP_EXPORT_NO_HEADING)
		return VMSNAP_OK;
	for (size_t i = 0; tsv->is_placed && i < EXPORT_PLACE_COUNT; i++)
		export_printf(e, "%s\t", export_place[i].name);
	for (size_t i = 0; i < schema->count; i++)
		export_printf(e, "%s%s", i ? "\t" : "", schema->columns[i].name);
	export_text(e, "\n");
	return VMSNAP_OK;
}

static int tsv_add(struct vmsnap_export *e, const struct vmsnap *const *snaps, size_t count, struct vmsnap_error *err)
{
	struct tsv *tsv = e->state;
	tsv->rows.group = e->group;
	return export_rows(&tsv->rows, snaps, count, err);
}

static void tsv_free(struct vmsnap_export *e)
{
	struct tsv *tsv = e->state;
	object_map_free(&tsv->objects);
	export_rows_free(&tsv->rows);
}

const struct exporter exporter_tsv = {
	.name = "tsv",
	.flags = VMSNAP_EXPORT_RUNS | VMSNAP_EXPORT_CHANGED | VMSNAP_EXPORT_ARGUMENTS | VMSNAP_EXPORT_NO_HEADING,
	.state_size = sizeof(struct tsv),
	.open = tsv_open,
	.add = tsv_add,
	.free = tsv_free,
};
