/* print_blame.c - which code made, copied and wrote pages: vmsnap_print_blame(). */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "blame_rows.h"
#include "blame_text.h"
#include "emitter.h"
#include "error.h"
#include "mapping_label.h"
#include "schemas.h"
#include "snapshot_record.h"
#include "text_limit.h"

enum {
	ROW_COPIED,
	ROW_NEW,
	ROW_WRITTEN,
	ROW_MAYBE,
	ROW_SWAPPED_IN,
	ROW_PRIVATISED,
	ROW_FILLED,
	ROW_REPLACED,
	ROW_MAPPED,
	ROW_FAULTS,
	ROW_PID,
	ROW_TID,
	ROW_START,
	ROW_END,
	ROW_SYSCALL,
	ROW_FUNCTION,
	ROW_FILE,
	ROW_LINE,
	ROW_OBJECT,
	ROW_LABEL,
	ROW_MAPPING,
	ROW_WHO,
	ROW_ON,
	ROW_CALLED,
};
static const struct column blame_columns[] = {
	[ROW_COPIED] = { "copied", "COPIED", COLUMN_BYTES, 0, "pages that others had, too, and that were copied",
	                 NULL },
	[ROW_NEW] = { "new", "NEW", COLUMN_BYTES, 0, "pages of its own that were not there", NULL },
	[ROW_WRITTEN] = { "written", "WRITTEN", COLUMN_BYTES, COLUMN_SPARSE,
	                  "pages that were its own and were written to (--track)", NULL },
	[ROW_MAYBE] = { "exclusive", "COPIED?", COLUMN_BYTES, COLUMN_SPARSE,
	                "pages that may have been copied, or made anew, or no longer shared", NULL },
	[ROW_SWAPPED_IN] = { "swapped_in", "SWAPPED-IN", COLUMN_BYTES, COLUMN_SPARSE, "pages that came back from swap",
	                     NULL },
	[ROW_PRIVATISED] = { "privatised", "PRIVATISED", COLUMN_BYTES, COLUMN_SECONDARY,
	                     "of COPIED: pages of files that became copies of its own", NULL },
	[ROW_FILLED] = { "filled", "FILLED", COLUMN_BYTES, COLUMN_SECONDARY,
	                 "of NEW: pages that had been read before, and were the zero page", NULL },
	[ROW_REPLACED] = { "replaced", "REPLACED", COLUMN_BYTES, COLUMN_SECONDARY,
	                   "of NEW: pages that were its own before, and were made anew", NULL },
	[ROW_MAPPED] = { "mapped", "MAPPED", COLUMN_BYTES, COLUMN_SECONDARY,
	                 "pages of files, shared memory and the zero page that came in", NULL },
	[ROW_FAULTS] = { "faults", "FAULTS", COLUMN_COUNT, COLUMN_SECONDARY, "page faults, of any kind", NULL },
	[ROW_PID] = { "pid", "PID", COLUMN_COUNT, COLUMN_SECONDARY, "the process; of several, the first", NULL },
	[ROW_TID] = { "tid", "TID", COLUMN_COUNT, COLUMN_SECONDARY, "the thread; of several, the first", NULL },
	[ROW_START] = { "start", "START", COLUMN_ADDRESS, COLUMN_SPARSE, "--by page: the first byte", NULL },
	[ROW_END] = { "end", "END", COLUMN_ADDRESS, COLUMN_SPARSE | COLUMN_SECONDARY, "the first byte behind it",
	              NULL },
	[ROW_SYSCALL] = { "syscall", "SYSCALL", COLUMN_NAME, COLUMN_SECONDARY, "the system call it was in", NULL },
	[ROW_FUNCTION] = { "function", .type = COLUMN_NAME },
	[ROW_FILE] = { "file", "SOURCE", COLUMN_PATH, COLUMN_SECONDARY, "the source file", NULL },
	[ROW_LINE] = { "line", "LINE", COLUMN_COUNT, COLUMN_SECONDARY, "the line in it", NULL },
	[ROW_OBJECT] = { "object", "OBJECT", COLUMN_PATH, COLUMN_SECONDARY,
	                 "the program or library that the code is of", NULL },
	[ROW_LABEL] = { "label", "NAME", COLUMN_PATH, COLUMN_SPARSE | COLUMN_LONG,
	                "--by variable, thread, stack: what it is called", NULL },
	[ROW_MAPPING] = { "mapping", .type = COLUMN_PATH },
	[ROW_WHO] = { "known", .type = COLUMN_WORD },
	[ROW_ON] = { NULL, "ON", COLUMN_TEXT, COLUMN_SPARSE | COLUMN_LONG, "the mapping that most of the pages are in",
	             NULL },
	[ROW_CALLED] = { NULL, "FUNCTION", COLUMN_TEXT, COLUMN_SPARSE | COLUMN_LONG, "who did it", NULL },
};
static const uint32_t blame_shown[] = {
	ROW_COPIED,   ROW_NEW,    ROW_WRITTEN, ROW_MAYBE,  ROW_SWAPPED_IN, ROW_PRIVATISED, ROW_FILLED,
	ROW_REPLACED, ROW_MAPPED, ROW_FAULTS,  ROW_PID,    ROW_TID,        ROW_START,      ROW_END,
	ROW_SYSCALL,  ROW_FILE,   ROW_LINE,    ROW_OBJECT, ROW_CALLED,     ROW_LABEL,      ROW_ON,
};
const struct row_schema blame_schema = ROW_SCHEMA_SHOWN(blame_columns, blame_shown);

enum { PROCESS_SNAPSHOT, PROCESS_BEFORE, PROCESS_KNOWN };
static const struct column process_columns[] = {
	[PROCESS_SNAPSHOT] = { "after", .type = COLUMN_RECORD, .of = &snapshot_schema },
	[PROCESS_BEFORE] = { "before", .type = COLUMN_RECORD, .of = &snapshot_schema },
	[PROCESS_KNOWN] = { "known", .type = COLUMN_BOOL },
};
static const struct row_schema process_schema = ROW_SCHEMA(process_columns);

enum {
	DOCUMENT_BY,
	DOCUMENT_DURATION,
	DOCUMENT_FAULTS,
	DOCUMENT_LOST,
	DOCUMENT_UNTOLD,
	DOCUMENT_WATCHED,
	DOCUMENT_BYTES,
	DOCUMENT_UNSEEN,
	DOCUMENT_SEVERAL,
	DOCUMENT_MOVED,
	DOCUMENT_INHERITED,
	DOCUMENT_PROCESSES,
	DOCUMENT_ROWS,
};
static const struct column document_columns[] = {
	[DOCUMENT_BY] = { "by", .type = COLUMN_WORD },
	[DOCUMENT_DURATION] = { "duration_us", .type = COLUMN_DURATION },
	[DOCUMENT_FAULTS] = { "faults", .type = COLUMN_COUNT },
	[DOCUMENT_LOST] = { "lost", .type = COLUMN_COUNT },
	[DOCUMENT_UNTOLD] = { "untold", .type = COLUMN_COUNT },
	[DOCUMENT_WATCHED] = { "watched", .type = COLUMN_FLAGS },
	[DOCUMENT_BYTES] = { "bytes", .type = COLUMN_COUNTS },
	[DOCUMENT_UNSEEN] = { "unseen", .type = COLUMN_BYTES },
	[DOCUMENT_SEVERAL] = { "several", .type = COLUMN_BYTES },
	[DOCUMENT_MOVED] = { "moved", .type = COLUMN_BYTES },
	[DOCUMENT_INHERITED] = { "inherited", .type = COLUMN_BYTES },
	[DOCUMENT_PROCESSES] = { "processes", .type = COLUMN_ROWS, .of = &process_schema },
	[DOCUMENT_ROWS] = { "rows", .type = COLUMN_ROWS, .of = &blame_schema },
};
const struct row_schema blame_document_schema = ROW_SCHEMA(document_columns);

struct blamed_text {
	struct blame_rows rows;
	size_t most;
};

VMSNAP_API const char *vmsnap_blame_by_name(int by)
{
	static const char *const names[] = { "function", "line", "mapping", "variable", "page", "thread", "stack" };
	return by >= 0 && by < VMSNAP_BLAME_BY_COUNT ? names[by] : NULL;
}

/* ---- rows ------------------------------------------------------------------------------- */

static void put_sums(struct row *row, const struct blame_row *what, bool unknown)
{
	const uint64_t *bytes = what->bytes;
	if (unknown) {
		for (unsigned column = ROW_COPIED; column < ROW_FAULTS; column++)
			row_put_unknown(row, column);
		row_put_count(row, ROW_FAULTS, what->faults);
		return;
	}
	row_put_bytes(row, ROW_COPIED, bytes[VMSNAP_BECAME_COPIED] + bytes[VMSNAP_BECAME_PRIVATISED]);
	row_put_bytes(row, ROW_NEW,
	              bytes[VMSNAP_BECAME_NEW] + bytes[VMSNAP_BECAME_FILLED] + bytes[VMSNAP_BECAME_REPLACED]);
	if (bytes[VMSNAP_BECAME_WRITTEN] || row->text->style->json)
		row_put_bytes(row, ROW_WRITTEN, bytes[VMSNAP_BECAME_WRITTEN]);
	if (bytes[VMSNAP_BECAME_EXCLUSIVE] || row->text->style->json)
		row_put_bytes(row, ROW_MAYBE, bytes[VMSNAP_BECAME_EXCLUSIVE]);
	if (bytes[VMSNAP_BECAME_SWAPPED_IN] || row->text->style->json)
		row_put_bytes(row, ROW_SWAPPED_IN, bytes[VMSNAP_BECAME_SWAPPED_IN]);
	row_put_bytes(row, ROW_PRIVATISED, bytes[VMSNAP_BECAME_PRIVATISED]);
	row_put_bytes(row, ROW_FILLED, bytes[VMSNAP_BECAME_FILLED]);
	row_put_bytes(row, ROW_REPLACED, bytes[VMSNAP_BECAME_REPLACED]);
	row_put_bytes(row, ROW_MAPPED, bytes[VMSNAP_BECAME_MAPPED]);
	row_put_count(row, ROW_FAULTS, what->faults);
}

static bool by_place(int by)
{
	return by == VMSNAP_BLAME_BY_MAPPING || by == VMSNAP_BLAME_BY_VARIABLE;
}

static void put_code(struct row *row, const struct blamed_text *blamed, const struct blame_row *what)
{
	const struct vmsnap_faults *faults = vmsnap_blame_faults(blamed->rows.blame);
	bool code =
	        what->fault && (blamed->rows.by < VMSNAP_BLAME_BY_MAPPING || blamed->rows.by == VMSNAP_BLAME_BY_PAGE);
	if (code && what->fault->syscall >= 0)
		row_put_name_if_any(row, ROW_SYSCALL, vmsnap_faults_syscall_name(faults, what->fault->syscall));
	if (code)
		row_put_name_if_any(row, ROW_FUNCTION, what->function);
	row_put_name_if_any(row, ROW_FILE, code ? what->file : "");
	if (code && what->line)
		row_put_count(row, ROW_LINE, what->line);
	row_put_name_if_any(row, ROW_OBJECT, code ? what->object : "");
	row_put_name_if_any(row, ROW_LABEL, what->label);
}

static const char *who_word(enum blame_who who)
{
	return who == BLAME_SEVERAL ? "several" : who == BLAME_UNSEEN ? "unseen" : "seen";
}

static void put_row(struct row *row, struct blamed_text *blamed, const struct blame_row *what)
{
	bool others, page = blamed->rows.by == VMSNAP_BLAME_BY_PAGE;
	const struct blame_place *place = blame_row_place(what, &others);
	put_sums(row, what, blame_rows_unknown(&blamed->rows));
	if (what->pid)
		row_put_count(row, ROW_PID, (uint64_t)what->pid);
	if (what->tid)
		row_put_count(row, ROW_TID, (uint64_t)what->tid);
	if (page) {
		row_put_address(row, ROW_START, what->start);
		row_put_end(row, ROW_END, what->end);
	}
	put_code(row, blamed, what);
	if (place)
		row_put_name(row, ROW_MAPPING, place->vma->name);
	row_put_word(row, ROW_WHO, who_word(what->who));
	blame_put_place(row, ROW_ON, place, others);
	if (!by_place(blamed->rows.by))
		blame_put_called(row, ROW_CALLED, &blamed->rows, what);
	row_end(row);
}

static bool shows(const struct blamed_text *blamed, const struct blame_row *what)
{
	uint64_t bytes = blame_rows_unknown(&blamed->rows) ? what->faults : 0;
	for (int i = 0; i < VMSNAP_BECAME_COUNT; i++)
		bytes += i == VMSNAP_BECAME_MAPPED ? 0 : what->bytes[i];
	return bytes || blamed->most == SIZE_MAX;
}

static int put_rows(struct row *row, void *ctx, struct vmsnap_error *err)
{
	struct blamed_text *blamed = ctx;
	size_t told = 0;
	(void)err;
	for (size_t i = 0; i < blamed->rows.count && !text_failed(row->text); i++) {
		const struct blame_row *what = &blamed->rows.items[i];
		if (shows(blamed, what) &&
		    (told < blamed->most || what->who == BLAME_UNSEEN || what->who == BLAME_SEVERAL)) {
			put_row(row, blamed, what);
			told++;
		}
	}
	return VMSNAP_OK;
}

/* ---- JSON ------------------------------------------------------------------------------- */

static int put_processes(struct row *row, void *ctx, struct vmsnap_error *err)
{
	struct blamed_text *blamed = ctx;
	const struct vmsnap *before, *after;
	(void)err;
	for (size_t i = 0; (after = vmsnap_blame_process(blamed->rows.blame, i, &before)); i++) {
		put_snapshot(row, PROCESS_SNAPSHOT, after);
		if (before)
			put_snapshot(row, PROCESS_BEFORE, before);
		row_put_bool(row, PROCESS_KNOWN, vmsnap_blame_is_known(blamed->rows.blame, i));
		row_end(row);
	}
	return VMSNAP_OK;
}

static const char *watched_name(int bit)
{
	return vmsnap_faults_flag_name(1u << bit);
}

static int fill_document(struct row *document, void *ctx, struct vmsnap_error *err)
{
	struct blamed_text *blamed = ctx;
	const struct blame_rows *rows = &blamed->rows;
	const struct vmsnap_faults_info *info = vmsnap_faults_info(vmsnap_blame_faults(rows->blame));
	row_put_word(document, DOCUMENT_BY, vmsnap_blame_by_name(rows->by));
	row_put_duration(document, DOCUMENT_DURATION, rows->end - rows->begin);
	row_put_count(document, DOCUMENT_FAULTS, rows->faults);
	row_put_count_known(document, DOCUMENT_LOST, info->lost, info->lost != UINT64_MAX);
	uint64_t untold = vmsnap_blame_untold(rows->blame);
	row_put_count_known(document, DOCUMENT_UNTOLD, untold, untold != UINT64_MAX);
	row_put_flags(document, DOCUMENT_WATCHED, info->flags, 0, watched_name);
	bool known = !blame_rows_unknown(rows);
	row_put_counts(document, DOCUMENT_BYTES, rows->pages, VMSNAP_BECAME_COUNT, known ? 0 : UINT32_MAX,
	               vmsnap_became_name);
	row_put_bytes_known(document, DOCUMENT_UNSEEN, rows->unseen, known);
	row_put_bytes_known(document, DOCUMENT_SEVERAL, rows->several, known);
	row_put_bytes_known(document, DOCUMENT_MOVED, rows->moved, known);
	row_put_bytes_known(document, DOCUMENT_INHERITED, rows->inherited, known);
	int rc = row_rows(document, DOCUMENT_PROCESSES, put_processes, blamed, err);
	return rc ? rc : row_rows(document, DOCUMENT_ROWS, put_rows, blamed, err);
}

/* ---- for people ------------------------------------------------------------------------- */

/* Where nobody knows what became of pages, who had faults is all there is to be told. */
static void show_faults(struct column columns[ROW_CALLED + 1])
{
	columns[ROW_COPIED].flags |= COLUMN_SECONDARY;
	columns[ROW_NEW].flags |= COLUMN_SECONDARY;
	for (unsigned column = ROW_WRITTEN; column < ROW_FAULTS; column++)
		columns[column].flags |= COLUMN_SECONDARY;
	columns[ROW_FAULTS].flags &= ~(unsigned)COLUMN_SECONDARY;
}

static int print_text(struct text *text, struct blamed_text *blamed, struct vmsnap_error *err)
{
	bool bare = text->style->raw || text->style->no_headings;
	struct column columns[ROW_CALLED + 1];
	struct row_schema schema = blame_schema;
	memcpy(columns, blame_columns, sizeof(columns));
	schema.columns = columns;
	if (blame_rows_unknown(&blamed->rows))
		show_faults(columns);
	if (!bare)
		blame_put_heading(text, &blamed->rows);
	int rc = emit_table(text, &schema, put_rows, blamed, err);
	if (!rc && !bare)
		blame_put_notes(text, &blamed->rows, blamed->most);
	return rc;
}

VMSNAP_API int vmsnap_print_blame(const struct vmsnap_blame *blame, int by, struct vmsnap_names *names, unsigned flags,
                                  const struct vmsnap_output *out, struct vmsnap_error *err)
{
	enum { USUAL = 20 };
	struct blamed_text blamed = { .most = USUAL };
	struct text text;
	if (!vmsnap_blame_by_name(by))
		return fail(err, VMSNAP_ERR_ARGUMENT, "there is no blame by %d", by);
	int rc = text_open(&text, out, err);
	rc = rc ? rc : emit_table_check(&text, &blame_schema, err);
	if (rc)
		return rc;
	if (text.style->json || text.style->raw || text.style->sort || flags & VMSNAP_PRINT_LONG)
		blamed.most = SIZE_MAX;
	rc = blame_rows_make(&blamed.rows, blame, by, names, &text.work, err);
	if (!rc)
		rc = text.style->json
		             ? emit_json(&text, "vmsnap.blame/1", &blame_document_schema, fill_document, &blamed, err)
		             : print_text(&text, &blamed, err);
	blame_rows_free(&blamed.rows);
	return rc ? rc : text_close(&text, err);
}
