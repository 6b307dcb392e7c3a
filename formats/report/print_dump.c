/* print_dump.c - what memory held, as hexadecimal digits and text: vmsnap_print_dump(). */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "dump_rows.h"
#include "emitter.h"
#include "error.h"
#include "format_value.h"
#include "schemas.h"
#include "snapshot_record.h"
#include "text_color.h"
#include "text_limit.h"

/* ---- the document ---------------------------------------------------------------- */

enum { ROW_START, ROW_SIZE, ROW_HELD, ROW_HEX, ROW_HELD_B, ROW_HEX_B };
static const struct column row_columns[] = {
	[ROW_START] = { "start", .type = COLUMN_ADDRESS }, [ROW_SIZE] = { "size", .type = COLUMN_BYTES },
	[ROW_HELD] = { "held", .type = COLUMN_WORD },      [ROW_HEX] = { "hex", .type = COLUMN_NAME },
	[ROW_HELD_B] = { "held_b", .type = COLUMN_WORD },  [ROW_HEX_B] = { "hex_b", .type = COLUMN_NAME },
};
static const struct row_schema dump_row_schema = ROW_SCHEMA(row_columns);

enum { DOCUMENT_SNAPSHOT, DOCUMENT_B, DOCUMENT_START, DOCUMENT_END, DOCUMENT_ROWS };
static const struct column document_columns[] = {
	[DOCUMENT_SNAPSHOT] = { "snapshot", .type = COLUMN_RECORD, .of = &snapshot_schema },
	[DOCUMENT_B] = { "b", .type = COLUMN_RECORD, .of = &snapshot_schema },
	[DOCUMENT_START] = { "start", .type = COLUMN_ADDRESS },
	[DOCUMENT_END] = { "end", .type = COLUMN_ADDRESS },
	[DOCUMENT_ROWS] = { "rows", .type = COLUMN_ROWS, .of = &dump_row_schema },
};
const struct row_schema dump_document_schema = ROW_SCHEMA(document_columns);

struct printed {
	const struct vmsnap *a, *b;
	uint64_t start, end;
	struct dump_rows *rows;
};

static int put_held(struct row *row, unsigned column, const struct vmsnap *snap, int held, uint64_t at, uint64_t len,
                    struct vmsnap_error *err)
{
	static const char *const words[] = {
		[VMSNAP_HELD_UNKNOWN] = "unknown", [VMSNAP_HELD_ZEROS] = "zeros", [VMSNAP_HELD_BYTES] = "bytes"
	};
	unsigned char bytes[DUMP_BUFFER];
	char digits[2 * DUMP_BUFFER];
	size_t got;
	row_put_word(row, column, words[held]);
	if (held != VMSNAP_HELD_BYTES)
		return VMSNAP_OK;
	int rc = vmsnap_contents_read(snap, at, bytes, (size_t)len, &got, err);
	if (!rc)
		row_put_bytes_of(row, column + 1, digits, write_digits(digits, bytes, got));
	return rc;
}

/* Ranges that are held alike in both; of bytes no more than a page each. */
static int held_rows(struct row *row, void *ctx, struct vmsnap_error *err)
{
	const struct printed *printed = ctx;
	struct dump_rows *rows = printed->rows;
	int rc = VMSNAP_OK, held[DUMP_SIDES];
	dump_rows_init(rows, printed->a, printed->b, printed->start, printed->end);
	while (!rc && rows->at < rows->end && !text_failed(row->text)) {
		uint64_t len = dump_rows_alike(rows, UINT64_MAX, held);
		bool bytes = held[0] == VMSNAP_HELD_BYTES || held[1] == VMSNAP_HELD_BYTES;
		len = bytes && len > DUMP_BUFFER - rows->at % DUMP_BUFFER ? DUMP_BUFFER - rows->at % DUMP_BUFFER : len;
		row_put_address(row, ROW_START, rows->at);
		row_put_bytes(row, ROW_SIZE, len);
		rc = put_held(row, ROW_HELD, printed->a, held[0], rows->at, len, err);
		if (!rc && printed->b)
			rc = put_held(row, ROW_HELD_B, printed->b, held[1], rows->at, len, err);
		row_end(row);
		rows->at += len;
	}
	return rc;
}

static int fill_document(struct row *document, void *ctx, struct vmsnap_error *err)
{
	const struct printed *printed = ctx;
	put_snapshot(document, DOCUMENT_SNAPSHOT, printed->a);
	if (printed->b)
		put_snapshot(document, DOCUMENT_B, printed->b);
	row_put_address(document, DOCUMENT_START, printed->start);
	row_put_address(document, DOCUMENT_END, printed->end);
	return row_rows(document, DOCUMENT_ROWS, held_rows, ctx, err);
}

/* ---- for people ------------------------------------------------------------------ */

/* Whether byte i of the line is told: of B's line only what differs, or is not known in both. */
static bool is_told(const struct dump_row *row, int side, size_t i)
{
	return !side || (row->changed | (row->known[0] ^ row->known[1])) >> i & 1;
}

static void put_mark(struct text *text, const struct dump_row *row, size_t i, bool begin)
{
	if (!(row->changed >> i & 1))
		return;
	if (begin)
		color_start(text, CLASS_WRITTEN);
	else
		color_end(text, CLASS_WRITTEN);
}

static void put_digits(struct text *text, const struct dump_row *row, int side, size_t i)
{
	char digits[2] = "??";
	if (row->known[side] >> i & 1)
		write_digits(digits, &row->bytes[side][i], 1);
	put_mark(text, row, i, true);
	text_put(text, digits, 2);
	put_mark(text, row, i, false);
}

/* Nothing but ASCII that can be seen: a terminal must not obey what a process held. */
static void put_character(struct text *text, const struct dump_row *row, int side, size_t i)
{
	unsigned char byte = row->bytes[side][i];
	bool seen = byte >= ' ' && byte < 0x7f, known = row->known[side] >> i & 1;
	put_mark(text, row, i, true);
	text_put(text, (char[]){ !known ? '?' : seen ? (char)byte : '.' }, 1);
	put_mark(text, row, i, false);
}

/* How a line of 16 bytes is written: in one, or where the window is too narrow in several. */
struct layout {
	size_t column; /* of the end of addresses */
	size_t each;   /* bytes in a line */
	bool wide;     /* with gaps between eights */
};

static size_t width_of(const struct layout *layout)
{
	size_t gaps = layout->wide ? (layout->each + 7) / 8 + 1 : 0;
	return layout->column + 4 * layout->each + gaps + 3;
}

static struct layout layout_for(const struct text *text, size_t column)
{
	struct layout layout = { column, DUMP_LINE, true };
	size_t limit = text->style->width;
	if (limit >= WRAP_WIDTH_MIN && width_of(&layout) > limit)
		layout.wide = false;
	while (limit >= WRAP_WIDTH_MIN && width_of(&layout) > limit && layout.each > 1)
		layout.each /= 2;
	return layout;
}

/* The bytes from `from` on, of those of its line. */
static void put_part(struct text *text, const struct dump_row *row, int side, const struct layout *layout, size_t from)
{
	size_t first = row->address % DUMP_LINE, end = first + row->len, to = from + layout->each;
	struct word address = word_address(row->address - first + from);
	if (side)
		text_repeat(text, ' ', layout->column);
	else
		text_format(text, "%*s", (int)layout->column, address.text);
	for (size_t at = from; at < to; at++) {
		text_string(text, at % 8 || !layout->wide ? " " : "  ");
		bool inside = at >= first && at < end;
		if (inside && is_told(row, side, at - first))
			put_digits(text, row, side, at - first);
		else
			text_string(text, "  ");
	}
	text_string(text, layout->wide ? "  |" : " |");
	for (size_t at = from; at < to && at < end; at++) {
		if (at >= first && is_told(row, side, at - first))
			put_character(text, row, side, at - first);
		else
			text_string(text, " ");
	}
	text_string(text, "|\n");
}

static void put_line(struct text *text, const struct dump_row *row, const struct layout *layout, bool both)
{
	size_t first = row->address % DUMP_LINE;
	for (size_t from = first / layout->each * layout->each; from < first + row->len; from += layout->each) {
		put_part(text, row, 0, layout, from);
		if (both)
			put_part(text, row, 1, layout, from);
	}
}

static bool same_line(const struct dump_row *a, const struct dump_row *b)
{
	return a->len == DUMP_LINE && b->len == DUMP_LINE && a->known[0] == b->known[0] && a->known[1] == b->known[1] &&
	       !memcmp(a->bytes, b->bytes, sizeof(a->bytes));
}

static int put_lines(struct text *text, const struct printed *printed, struct vmsnap_error *err)
{
	struct dump_rows *rows = printed->rows;
	struct dump_row row, last = { .len = 0 };
	bool folded = false;
	int rc;
	size_t column = strlen(word_address(printed->end - 1).text);
	const struct layout layout = layout_for(text, column);
	dump_rows_init(rows, printed->a, printed->b, printed->start, printed->end);
	bool before = text_exact(text);
	while (!text_failed(text) && (rc = dump_rows_next(rows, &row, err)) != VMSNAP_END) {
		if (rc)
			return rc;
		bool like = !text->style->raw && same_line(&row, &last);
		if (like && !folded)
			text_string(text, "*\n");
		folded = like;
		if (!like) {
			bool both = printed->b && (row.changed || row.known[0] != row.known[1]);
			put_line(text, &row, &layout, both);
		}
		last = row;
		while (like && dump_rows_skip_like(rows, &last))
			;
	}
	if (folded)
		text_format(text, "%*s\n", (int)column, word_address(printed->end).text);
	text_exact_end(text, before);
	return VMSNAP_OK;
}

static int check(const struct vmsnap *a, const struct vmsnap *b, uint64_t start, uint64_t end, struct vmsnap_error *err)
{
	const struct vmsnap *both[] = { a, b };
	if (start >= end)
		return fail(err, VMSNAP_ERR_ARGUMENT, "the range is empty");
	for (int i = 0; i < DUMP_SIDES; i++) {
		int kind = both[i] ? vmsnap_contents_kind(both[i]) : VMSNAP_CONTENTS_BYTES;
		if (kind != VMSNAP_CONTENTS_BYTES)
			return fail(err, VMSNAP_ERR_NOT_FOUND,
			            "%s snapshot %s: what its pages held was not kept (capture with --contents)",
			            b ? i ? "the second" : "the first" : "the",
			            kind == VMSNAP_CONTENTS_HASHES ? "has only hashes" : "has no contents");
	}
	return VMSNAP_OK;
}

VMSNAP_API int vmsnap_print_dump(const struct vmsnap *snap, const struct vmsnap *b, uint64_t start, uint64_t end,
                                 const struct vmsnap_output *out, struct vmsnap_error *err)
{
	struct text text;
	int rc = check(snap, b, start, end, err);
	rc = rc ? rc : text_open(&text, out, err);
	if (rc)
		return rc;
	struct printed printed = { snap, b, start, end, malloc(sizeof(struct dump_rows)) };
	if (!printed.rows)
		return fail_no_memory(err);
	if (text.style->json)
		rc = emit_json(&text, "vmsnap.dump/1", &dump_document_schema, fill_document, &printed, err);
	else
		rc = put_lines(&text, &printed, err);
	free(printed.rows);
	return rc ? rc : text_close(&text, err);
}
