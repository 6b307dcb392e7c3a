/* print_check.c - is a file whole: vmsnap_print_check().  Each snapshot is read
 * once; for people there is a line for each as it is read, and a table if they ask for one. */
#include <inttypes.h>
#include <string.h>

#include "emitter.h"
#include "error.h"
#include "error_record.h"
#include "escape.h"
#include "file_load.h"
#include "format_value.h"
#include "schemas.h"
#include "text_color.h"

enum { CHECK_N, CHECK_OK, CHECK_OFFSET, CHECK_SIZE, CHECK_ERROR, CHECK_PROBLEM };
static const struct column check_columns[] = {
	[CHECK_N] = { "index", "N", COLUMN_COUNT, 0, "its number, for FILE@N", NULL },
	[CHECK_OK] = { "ok", "OK", COLUMN_BOOL, 0, "ok, or nothing", NULL },
	[CHECK_OFFSET] = { "offset", "OFFSET", COLUMN_COUNT, 0, "where in the file it begins", NULL },
	[CHECK_SIZE] = { "bytes", "SIZE", COLUMN_BYTES, 0, "what it takes in the file", NULL },
	[CHECK_ERROR] = { "error", NULL, COLUMN_RECORD, 0, NULL, &error_schema },
	[CHECK_PROBLEM] = { NULL, "PROBLEM", COLUMN_TEXT, COLUMN_SPARSE | COLUMN_LONG, "what is wrong with it", NULL },
};
static const uint32_t check_shown[] = { CHECK_N, CHECK_OFFSET, CHECK_SIZE, CHECK_OK, CHECK_PROBLEM };
const struct row_schema check_schema = ROW_SCHEMA_SHOWN(check_columns, check_shown);

enum { DOCUMENT_SNAPSHOTS, DOCUMENT_DAMAGE, DOCUMENT_OK };
static const struct column document_columns[] = {
	[DOCUMENT_SNAPSHOTS] = { "snapshots", .type = COLUMN_ROWS, .of = &check_schema },
	[DOCUMENT_DAMAGE] = { "damage", .type = COLUMN_RECORD, .of = &error_schema },
	[DOCUMENT_OK] = { "ok", .type = COLUMN_BOOL },
};
const struct row_schema check_document_schema = ROW_SCHEMA(document_columns);

/* What was found; the first failing snapshot is what check fails with. */
struct findings {
	const struct vmsnap_file *file;
	struct vmsnap_walk *walk; /* so that what is a difference to others is read beside them */
	int rc;
	struct vmsnap_error err;
	size_t good, bad;
};

static void note(struct findings *findings, int rc, const struct vmsnap_error *err)
{
	if (!rc)
		return;
	if (!findings->rc) {
		findings->rc = rc;
		findings->err = *err;
	}
}

static int check_one(struct text *text, const struct vmsnap_file *file, size_t index, struct vmsnap_file_entry *place,
                     struct vmsnap_error *err, struct findings *findings)
{
	*place = (struct vmsnap_file_entry){ 0 };
	*err = (struct vmsnap_error){ 0 };
	struct vmsnap *snap = NULL;
	int rc = file_entry(file, index, place, err);
	int checked = vmsnap_walk_next(findings->walk, &snap, NULL, rc ? NULL : err);
	vmsnap_unref(snap);
	rc = rc ? rc : checked;
	/* That says nothing about the file. */
	if (rc == VMSNAP_ERR_CANCELLED)
		text_stop(text, rc);
	findings->good += !rc;
	findings->bad += rc != 0;
	note(findings, rc, err);
	return rc;
}

static int check_rows(struct row *row, void *ctx, struct vmsnap_error *err)
{
	struct findings *findings = ctx;
	(void)err;
	for (size_t i = 0; i < vmsnap_file_count(findings->file) && !text_unwanted(row->text); i++) {
		struct vmsnap_file_entry place;
		struct vmsnap_error problem;
		int rc = check_one(row->text, findings->file, i, &place, &problem, findings);
		row_put_count(row, CHECK_N, i + 1);
		row_put_bool(row, CHECK_OK, !rc);
		row_put_count(row, CHECK_OFFSET, place.offset);
		row_put_bytes(row, CHECK_SIZE, place.bytes);
		put_error(row, CHECK_ERROR, rc, &problem);
		if (rc) {
			row_put_name(row, CHECK_PROBLEM, problem.message);
			row_mark(row, CHECK_PROBLEM, COLOR_ALARM);
		}
		row_end(row);
	}
	return VMSNAP_OK;
}

static int find_damage(struct findings *findings, struct vmsnap_error *err)
{
	*err = (struct vmsnap_error){ 0 };
	int damage = vmsnap_file_damage(findings->file, err);
	note(findings, damage, err);
	return damage;
}

static int fill_document(struct row *document, void *ctx, struct vmsnap_error *err)
{
	struct findings *findings = ctx;
	struct vmsnap_error problem;
	int rc = row_rows(document, DOCUMENT_SNAPSHOTS, check_rows, findings, err);
	int damage = find_damage(findings, &problem);
	put_error(document, DOCUMENT_DAMAGE, damage, &problem);
	row_put_bool(document, DOCUMENT_OK, !findings->rc);
	return rc;
}

static void put_finding(struct text *text, const struct vmsnap_error *err)
{
	color_start(text, COLOR_ALARM);
	escape_string(text, err->message);
	color_end(text, COLOR_ALARM);
	text_string(text, "\n");
}

static int put_damage(struct text *text, struct findings *findings)
{
	struct vmsnap_error err;
	int damage = find_damage(findings, &err);
	if (!damage || text->style->raw)
		return damage;
	text_format(text, "lost from offset %" PRIu64 " on: ", err.position);
	put_finding(text, &err);
	return damage;
}

static void put_lines(struct text *text, struct findings *findings)
{
	struct vmsnap_file_entry place;
	struct vmsnap_error err;
	for (size_t i = 0; i < vmsnap_file_count(findings->file) && !text_unwanted(text); i++) {
		int rc = check_one(text, findings->file, i, &place, &err, findings);
		text_format(text, "snapshot %zu at offset %" PRIu64 ", %s: ", i + 1, place.offset,
		            word_size(text->style, place.bytes).text);
		if (rc)
			put_finding(text, &err);
		else
			text_string(text, "ok\n");
	}
	int damage = put_damage(text, findings);
	text_format(text, "%zu snapshot%s whole", findings->good, word_plural(findings->good));
	if (findings->bad)
		text_format(text, ", %zu damaged", findings->bad);
	text_string(text, damage ? ", the end of the file is damaged\n" : "\n");
}

static int check_table(struct text *text, struct findings *findings, struct vmsnap_error *err)
{
	int rc = emit_table_once(text, &check_schema, check_rows, findings, err);
	if (!rc)
		(void)put_damage(text, findings);
	return rc;
}

VMSNAP_API int vmsnap_print_check(const struct vmsnap_file *file, const struct vmsnap_output *out,
                                  struct vmsnap_error *err)
{
	struct findings findings = { .file = file };
	struct text text;
	int rc = file_walk_new(file, 0, vmsnap_file_count(file), true, &findings.walk, err);
	rc = rc ? rc : text_open(&text, out, err);
	if (rc) {
		vmsnap_walk_free(findings.walk);
		return rc;
	}
	if (text.style->json)
		rc = emit_json(&text, "vmsnap.check/1", &check_document_schema, fill_document, &findings, err);
	else if (emit_table_is_asked(&text))
		rc = check_table(&text, &findings, err);
	else
		put_lines(&text, &findings);
	vmsnap_walk_free(findings.walk);
	rc = rc ? rc : text_close(&text, err);
	if (rc)
		return rc;
	if (findings.rc && err)
		*err = findings.err;
	return findings.rc;
}
