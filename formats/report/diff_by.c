#include "diff_by.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "format_value.h"

enum { BY_KNOWN, BY_FUNCTION, BY_FILE, BY_LINE, BY_SYSCALL, BY_CALLED, BY_BYTES };
static const struct column by_columns[] = {
	[BY_KNOWN] = { "known", .type = COLUMN_WORD },     [BY_FUNCTION] = { "function", .type = COLUMN_NAME },
	[BY_FILE] = { "file", .type = COLUMN_PATH },       [BY_LINE] = { "line", .type = COLUMN_COUNT },
	[BY_SYSCALL] = { "syscall", .type = COLUMN_NAME }, [BY_CALLED] = { "called_by_debugger", .type = COLUMN_BOOL },
	[BY_BYTES] = { "bytes", .type = COLUMN_BYTES },
};
const struct row_schema diff_by_schema = ROW_SCHEMA(by_columns);

/* ---- as records ------------------------------------------------------------------------- */

struct records {
	const struct changed_by_sum *sum;
};

static void put_code_record(struct row *row, const struct changed_by_code *code)
{
	row_put_word(row, BY_KNOWN, "seen");
	row_put_name_if_any(row, BY_FUNCTION, code->function);
	row_put_name_if_any(row, BY_FILE, code->file);
	if (code->line)
		row_put_count(row, BY_LINE, code->line);
	if (code->syscall)
		row_put_name(row, BY_SYSCALL, code->syscall);
	row_put_bool(row, BY_CALLED, code->called);
	row_put_bytes(row, BY_BYTES, code->bytes);
	row_end(row);
}

static void put_other_record(struct row *row, const char *known, uint64_t bytes)
{
	if (!bytes)
		return;
	row_put_word(row, BY_KNOWN, known);
	row_put_bytes(row, BY_BYTES, bytes);
	row_end(row);
}

static int put_records(struct row *row, void *ctx, struct vmsnap_error *err)
{
	const struct changed_by_sum *sum = ((struct records *)ctx)->sum;
	(void)err;
	for (size_t i = 0; i < sum->count; i++)
		put_code_record(row, &sum->codes[i]);
	put_other_record(row, "more", sum->more);
	put_other_record(row, "several", sum->several);
	put_other_record(row, "unseen", sum->unseen);
	put_other_record(row, "unseen_or_debugger", sum->touched);
	put_other_record(row, "no_fault", sum->silent);
	return VMSNAP_OK;
}

void put_by_records(struct row *row, unsigned column, struct changed_by *by, const struct vmsnap_diff_range *range)
{
	struct changed_by_sum sum = { .count = 0 };
	struct records records = { &sum };
	if (!by->blame)
		return;
	if (changed_by_add(by, (struct changed_by_part){ range->start, range->end, range->touched }, &sum)) {
		text_fail(row->text, ENOMEM);
		return;
	}
	changed_by_order(&sum);
	row_rows(row, column, put_records, &records, NULL);
}

/* ---- for people ------------------------------------------------------------------------- */

static void put_code(struct row *row, unsigned column, const struct changed_by_code *code)
{
	const char *slash = strrchr(code->file, '/'), *file = slash && slash[1] ? slash + 1 : code->file;
	char words[64];
	if (code->syscall && !strcmp(code->syscall, "?")) {
		row_text(row, column, "(inside the kernel) ");
	} else if (code->syscall) {
		snprintf(words, sizeof(words), "(inside %.40s(2)) ", code->syscall);
		row_text(row, column, words);
	}
	row_text_name(row, column, code->function, strlen(code->function));
	if (*file) {
		row_text(row, column, " (");
		row_text_name(row, column, file, strlen(file));
		snprintf(words, sizeof(words), code->line ? ":%" PRIu32 ")" : ")", code->line);
		row_text(row, column, words);
	}
	if (code->called)
		row_text(row, column, " called by gdb");
}

static void put_rest(struct row *row, unsigned column, const char *before, uint64_t bytes, const char *what, bool alone)
{
	char words[96];
	if (!bytes)
		return;
	snprintf(words, sizeof(words), "%s%s%s%s", before, alone ? "" : word_size(row->text->style, bytes).text,
	         alone ? "" : " ", what);
	row_text(row, column, words);
}

static void put_sum(struct row *row, unsigned column, const struct changed_by_sum *sum)
{
	bool alone = !sum->count + !sum->several + !sum->unseen + !sum->touched + !sum->silent == 4;
	const char *comma = "";
	char words[48];
	if (sum->count) {
		put_code(row, column, &sum->codes[0]);
		comma = ", ";
	}
	if (sum->count > 1 || sum->more) {
		snprintf(words, sizeof(words), " and %zu%s more", sum->count - 1, sum->more ? "+" : "");
		row_text(row, column, words);
	}
	put_rest(row, column, comma, sum->several, "one of several", alone);
	comma = sum->several ? ", " : comma;
	put_rest(row, column, comma, sum->unseen, "kernel or unseen", alone);
	comma = sum->unseen ? ", " : comma;
	put_rest(row, column, comma, sum->touched, "gdb or unseen", alone);
	comma = sum->touched ? ", " : comma;
	put_rest(row, column, comma, sum->silent, "no fault", alone);
}

void put_by_text(struct row *row, unsigned column, struct changed_by *by, const struct diff_view *view,
                 struct diff_by_pages pages)
{
	struct changed_by_sum sum = { .count = 0 };
	struct vmsnap_diff_range range;
	if (!by->blame || !row_wants(row, column))
		return;
	for (size_t i = pages.first; i < pages.first + pages.count && !vmsnap_diff_range(view->diff, i, &range); i++) {
		struct changed_by_part part = { .touched = range.touched };
		if (range.start >= pages.end)
			break;
		part.start = range.start > pages.start ? range.start : pages.start;
		part.end = range.end < pages.end ? range.end : pages.end;
		if (changed_by_add(by, part, &sum)) {
			text_fail(row->text, ENOMEM);
			return;
		}
	}
	changed_by_order(&sum);
	put_sum(row, column, &sum);
}

void put_by_lost(struct text *text, const struct changed_by *by)
{
	uint64_t lost = by->blame ? changed_by_lost(by) : 0;
	if (lost == UINT64_MAX)
		text_string(text,
		            "code      not all page faults between A and B are known: not all of them were watched, or "
		            "some were lost\n");
	else if (lost)
		text_format(text, "code      %" PRIu64 " page fault%s lost: the kernel's buffers were full\n", lost,
		            lost == 1 ? " was" : "s were");
}
