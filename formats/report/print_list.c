/* print_list.c - what is in a file: vmsnap_print_list(). */
#include <string.h>

#include "emitter.h"
#include "error.h"
#include "error_record.h"
#include "escape.h"
#include "format_value.h"
#include "identity_columns.h"
#include "schemas.h"
#include "snapshot_record.h"
#include "text_color.h"
#include "text_limit.h"

enum {
	LIST_N,
	LIST_OFFSET,
	LIST_SIZE,
	LIST_DELTAS,
	LIST_ERROR,
	LIST_RSS,
	LIST_SNAPSHOT,
	LIST_TIME,
	LIST_PID,
	LIST_PPID,
	LIST_COMM,
	LIST_LABEL,
	LIST_WHY,
	LIST_CONTENTS,
	LIST_KEPT,
	LIST_STORED,
	LIST_IDENTITY,
};
/* Of a snapshot that cannot be read the keys behind "error" are not there. */
static const struct column list_columns[] = {
	[LIST_N] = { "index", "N", COLUMN_COUNT, 0, "its number, for FILE@N", NULL },
	[LIST_OFFSET] = { "offset", "OFFSET", COLUMN_COUNT, COLUMN_SECONDARY, "where in the file it begins", NULL },
	[LIST_SIZE] = { "bytes", "SIZE", COLUMN_BYTES, COLUMN_YIELDS, "what it takes in the file", NULL },
	[LIST_DELTAS] = { "deltas", NULL, COLUMN_COUNT, 0, NULL, NULL },
	[LIST_ERROR] = { "error", NULL, COLUMN_RECORD, 0, NULL, &error_schema },
	[LIST_RSS] = { "rss", "RSS", COLUMN_BYTES, COLUMN_OPTIONAL | COLUMN_YIELDS, "VmRSS of its status", NULL },
	[LIST_SNAPSHOT] = { NULL, NULL, COLUMN_RECORD, COLUMN_FLAT | COLUMN_OPTIONAL, NULL, &snapshot_schema },
	[LIST_TIME] = { NULL, "TIME", COLUMN_TIME, COLUMN_YIELDS, "when it was taken", NULL },
	[LIST_PID] = { NULL, "PID", COLUMN_COUNT, 0, "of the process", NULL },
	[LIST_PPID] = { NULL, "PPID", COLUMN_COUNT, COLUMN_SECONDARY, "of its parent", NULL },
	[LIST_COMM] = { NULL, "COMM", COLUMN_TEXT, 0, "the process's name, or why it is unreadable", NULL },
	[LIST_LABEL] = { NULL, "LABEL", COLUMN_NAME, COLUMN_STAYS, "for FILE@LABEL", NULL },
	[LIST_WHY] = { NULL, "WHY", COLUMN_NAME, COLUMN_SPARSE | COLUMN_LONG | COLUMN_YIELDS, "why it was taken",
	               NULL },
	[LIST_CONTENTS] = { NULL, "CONTENTS", COLUMN_WORD, COLUMN_SECONDARY,
	                    "what it keeps of what pages held: none, hashes, bytes", NULL },
	[LIST_KEPT] = { NULL, "KEPT", COLUMN_BYTES, COLUMN_SPARSE | COLUMN_YIELDS,
	                "bytes of pages whose contents these are", NULL },
	[LIST_STORED] = { NULL, "STORED", COLUMN_TEXT, COLUMN_SPARSE | COLUMN_YIELDS,
	                  "delta: as what differs from the one before of its process", NULL },
	IDENTITY_COLUMNS_OF(LIST_IDENTITY),
};
static const uint32_t list_shown[] = { LIST_N,
	                               LIST_TIME,
	                               LIST_PID,
	                               LIST_PPID,
	                               LIST_RSS,
	                               LIST_SIZE,
	                               LIST_STORED,
	                               LIST_CONTENTS,
	                               LIST_KEPT,
	                               LIST_OFFSET,
	                               LIST_COMM,
	                               LIST_LABEL,
	                               IDENTITY_SHOWN(LIST_IDENTITY),
	                               LIST_WHY };
const struct row_schema list_schema = ROW_SCHEMA_SHOWN(list_columns, list_shown);

enum { LIST_SNAPSHOTS, LIST_DAMAGE };
static const struct column document_columns[] = {
	[LIST_SNAPSHOTS] = { "snapshots", .type = COLUMN_ROWS, .of = &list_schema },
	[LIST_DAMAGE] = { "damage", .type = COLUMN_RECORD, .of = &error_schema },
};
const struct row_schema list_document_schema = ROW_SCHEMA(document_columns);

/* The file, and the first that could not be read for a reason that is not the file's. */
struct list {
	const struct vmsnap_file *file;
	int trouble;
	struct vmsnap_error err;
};

/* One of the file's snapshots, as far as it can be read; err tells why not. */
struct entry {
	struct vmsnap *snap;
	struct vmsnap_file_entry place;
	struct vmsnap_error err;
};

static void entry_read(struct entry *entry, const struct vmsnap_file *file, size_t index)
{
	*entry = (struct entry){ 0 };
	if (vmsnap_file_entry(file, index, &entry->place, &entry->err))
		return;
	if (vmsnap_file_peek(file, index, &entry->snap, &entry->err))
		entry->snap = NULL;
}

/* Not the file's fault: what could not be read now may be whole. */
static bool is_trouble(const struct entry *entry)
{
	int code = entry->snap ? VMSNAP_OK : entry->err.code;
	return code == VMSNAP_ERR_NO_MEMORY || code == VMSNAP_ERR_SYSTEM || code == VMSNAP_ERR_CANCELLED;
}

static void put_rss(struct row *row, const struct vmsnap *snap)
{
	struct vmsnap_status_field field;
	bool known = vmsnap_status_find(snap, "VmRSS", &field) == VMSNAP_OK && field.is_size;
	row_put_bytes_known(row, LIST_RSS, known ? field.number : 0, known);
}

static void put_contents(struct row *row, const struct vmsnap *snap)
{
	uint64_t bytes;
	int kind = snapshot_contents(snap, &bytes);
	if (kind >= 0)
		row_put_word(row, LIST_CONTENTS, vmsnap_contents_name(kind));
	if (kind > VMSNAP_CONTENTS_NONE)
		row_put_bytes(row, LIST_KEPT, bytes);
}

/* In a narrow window what a snapshot costs says more than its year and its milliseconds. */
static void put_time(struct row *row, int64_t taken)
{
	enum { NARROW = 72 };
	const struct vmsnap_style *style = row->text->style;
	if (style->width && style->width < NARROW && !style->columns && !style->json)
		row_put_time_briefly(row, LIST_TIME, taken);
	else
		row_put_time(row, LIST_TIME, taken);
}

static void put_entry(struct row *row, const struct vmsnap *snap)
{
	const struct vmsnap_info *info = vmsnap_info(snap);
	put_rss(row, snap);
	put_snapshot(row, LIST_SNAPSHOT, snap);
	put_time(row, info->taken);
	row_put_count(row, LIST_PID, info->pid);
	row_put_count(row, LIST_PPID, info->ppid);
	row_put_name(row, LIST_COMM, info->comm);
	row_put_name(row, LIST_LABEL, info->label);
	row_put_name(row, LIST_WHY, info->reason);
	put_contents(row, snap);
}

static void put_unreadable(struct row *row, const struct vmsnap_error *err)
{
	put_error(row, LIST_ERROR, err->code, err);
	row_text(row, LIST_COMM, "unreadable: ");
	row_text_name(row, LIST_COMM, err->message, strlen(err->message));
	row_mark(row, LIST_COMM, COLOR_ALARM);
}

static void put_row(struct row *row, const struct entry *entry, size_t index)
{
	row_put_count(row, LIST_N, index + 1);
	row_put_count(row, LIST_OFFSET, entry->place.offset);
	row_put_bytes(row, LIST_SIZE, entry->place.bytes);
	row_put_count(row, LIST_DELTAS, entry->place.deltas);
	if (entry->snap)
		put_entry(row, entry->snap);
	else
		put_unreadable(row, &entry->err);
	if (entry->place.deltas)
		row_text(row, LIST_STORED, "delta");
	if (entry->snap)
		put_identity_columns(row, LIST_IDENTITY, entry->snap);
	row_end(row);
}

static int list_rows(struct row *row, void *ctx, struct vmsnap_error *err)
{
	struct list *list = ctx;
	(void)err;
	for (size_t i = 0; i < vmsnap_file_count(list->file) && !text_unwanted(row->text); i++) {
		struct entry entry;
		entry_read(&entry, list->file, i);
		if (!list->trouble && is_trouble(&entry)) {
			list->trouble = entry.err.code;
			list->err = entry.err;
		}
		if (entry.snap)
			text_limit(row->text, (const struct vmsnap *[]){ entry.snap }, 1);
		put_row(row, &entry, i);
		vmsnap_unref(entry.snap);
	}
	return VMSNAP_OK;
}

static int fill_document(struct row *document, void *ctx, struct vmsnap_error *err)
{
	const struct list *list = ctx;
	struct vmsnap_error damage = { 0 };
	int rc = row_rows(document, LIST_SNAPSHOTS, list_rows, ctx, err);
	put_error(document, LIST_DAMAGE, vmsnap_file_damage(list->file, &damage), &damage);
	return rc;
}

static void put_damage(struct text *text, const struct vmsnap_file *file)
{
	struct vmsnap_error damage = { 0 };
	if (!vmsnap_file_damage(file, &damage) || text->style->raw)
		return;
	color_start(text, COLOR_ALARM);
	text_format(text, "Damaged from offset %s on: ", word_number(damage.position).text);
	escape_string(text, damage.message);
	color_end(text, COLOR_ALARM);
	text_string(text, "\n");
}

VMSNAP_API int vmsnap_print_list(const struct vmsnap_file *file, const struct vmsnap_output *out,
                                 struct vmsnap_error *err)
{
	struct list list = { .file = file };
	struct text text;
	int rc = text_open(&text, out, err);
	if (rc)
		return rc;
	if (text.style->json)
		rc = emit_json(&text, "vmsnap.list/1", &list_document_schema, fill_document, &list, err);
	else
		rc = emit_table(&text, &list_schema, list_rows, &list, err);
	if (!rc && !text.style->json)
		put_damage(&text, file);
	if (rc)
		return rc;
	/* The rest was told all the same. */
	rc = text_close(&text, err);
	if (list.trouble && err)
		*err = list.err;
	return list.trouble ? list.trouble : rc;
}
