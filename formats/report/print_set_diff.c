/* print_set_diff.c - what changed in a tree of processes: vmsnap_print_set_diff(). */
#include <inttypes.h>
#include <stdio.h>

#include "emitter.h"
#include "error.h"
#include "format_value.h"
#include "page_class.h"
#include "page_state.h"
#include "parts_text.h"
#include "relation_text.h"
#include "schemas.h"
#include "set_table.h"
#include "snapshot_record.h"
#include "text_color.h"
#include "text_fit.h"
#include "text_limit.h"
#include "writes_text.h"

enum {
	PROCESS_PID,
	PROCESS_START_TIME,
	PROCESS_COMM,
	PROCESS_CHANGE,
	PROCESS_NOT_COMPARED,
	PROCESS_RESIDENT_A,
	PROCESS_RESIDENT_B,
	PROCESS_COPIED,
	PROCESS_NEW,
	PROCESS_GONE,
	PROCESS_WRITTEN,
	PROCESS_OTHER,
	PROCESS_VMAS,
	PROCESS_A,
	PROCESS_B,
	PROCESS_WRITTEN_UNKNOWN,
	PROCESS_SWAPPED,
	PROCESS_MAPPED,
};
static const struct column process_columns[] = {
	[PROCESS_PID] = { "pid", "PID", COLUMN_COUNT, 0, "of the process", NULL },
	[PROCESS_START_TIME] = { "start_time", "STARTED", COLUMN_COUNT, COLUMN_SECONDARY, "clock ticks after boot",
	                         NULL },
	[PROCESS_COMM] = { "comm", "COMM", COLUMN_NAME, COLUMN_STAYS, "the process's name", NULL },
	[PROCESS_CHANGE] = { "change", "CHANGE", COLUMN_WORD, COLUMN_STAYS, "came, went, changed, same, or only_in_b",
	                     NULL },
	[PROCESS_NOT_COMPARED] = { "not_compared", "RELATION", COLUMN_WORD, COLUMN_SPARSE, "why pages are not compared",
	                           NULL },
	[PROCESS_RESIDENT_A] = { "resident_a", "A", COLUMN_BYTES, 0, "present pages in A", NULL },
	[PROCESS_RESIDENT_B] = { "resident_b", "B", COLUMN_BYTES, 0, "present pages in B", NULL },
	[PROCESS_COPIED] = { "copied", "COPIED", COLUMN_BYTES, COLUMN_SPARSE,
	                     "pages that were shared at A and got another frame", NULL },
	[PROCESS_NEW] = { "new", "NEW", COLUMN_DELTA, 0, "pages that appeared and take memory", NULL },
	[PROCESS_GONE] = { "gone", "GONE", COLUMN_DELTA, 0, "pages that vanished", NULL },
	[PROCESS_WRITTEN] = { "written", "WRITTEN", COLUMN_BYTES, COLUMN_SPARSE,
	                      "pages that were there, and were written to", NULL },
	[PROCESS_OTHER] = { "other", "OTHER", COLUMN_BYTES, COLUMN_SPARSE | COLUMN_YIELDS,
	                    "pages that changed otherwise", NULL },
	[PROCESS_VMAS] = { "vmas", "MAPPINGS", COLUMN_COUNT, COLUMN_SPARSE | COLUMN_YIELDS, "changes of mappings",
	                   NULL },
	[PROCESS_A] = { "a", .type = COLUMN_RECORD, .of = &snapshot_schema },
	[PROCESS_B] = { "b", .type = COLUMN_RECORD, .of = &snapshot_schema },
	[PROCESS_WRITTEN_UNKNOWN] = { "written_unknown", .type = COLUMN_BYTES },
	[PROCESS_SWAPPED] = { "swapped", "SWAPPED", COLUMN_BYTES, COLUMN_SPARSE | COLUMN_YIELDS,
	                      "pages that went to swap, or came back", NULL },
	[PROCESS_MAPPED] = { "mapped", "MAPPED", COLUMN_BYTES, COLUMN_SPARSE | COLUMN_YIELDS,
	                     "pages of privately mapped files, and zero pages, that appeared", NULL },
};
const struct row_schema set_diff_schema = ROW_SCHEMA(process_columns);

/* In bytes, a frame counts once; null if some frame is not known. */
enum { TOTALS_A, TOTALS_B, TOTALS_COPIED, TOTALS_NEW, TOTALS_GONE, TOTALS_CAME, TOTALS_WENT, TOTALS_WRITTEN };
static const struct column totals_columns[] = {
	[TOTALS_A] = { "distinct_a", .type = COLUMN_BYTES },  [TOTALS_B] = { "distinct_b", .type = COLUMN_BYTES },
	[TOTALS_COPIED] = { "copied", .type = COLUMN_BYTES }, [TOTALS_NEW] = { "new", .type = COLUMN_BYTES },
	[TOTALS_GONE] = { "gone", .type = COLUMN_BYTES },     [TOTALS_CAME] = { "came", .type = COLUMN_BYTES },
	[TOTALS_WENT] = { "went", .type = COLUMN_BYTES },     [TOTALS_WRITTEN] = { "written", .type = COLUMN_BYTES },
};
static const struct row_schema totals_schema = ROW_SCHEMA(totals_columns);
static const int total_of[] = {
	[TOTALS_A] = VMSNAP_SET_TOTAL_DISTINCT_A,  [TOTALS_B] = VMSNAP_SET_TOTAL_DISTINCT_B,
	[TOTALS_COPIED] = VMSNAP_SET_TOTAL_COPIED, [TOTALS_NEW] = VMSNAP_SET_TOTAL_NEW,
	[TOTALS_GONE] = VMSNAP_SET_TOTAL_GONE,     [TOTALS_CAME] = VMSNAP_SET_TOTAL_CAME,
	[TOTALS_WENT] = VMSNAP_SET_TOTAL_WENT,     [TOTALS_WRITTEN] = VMSNAP_SET_TOTAL_WRITTEN,
};

enum { DOCUMENT_PROCESSES, DOCUMENT_TOTALS };
static const struct column document_columns[] = {
	[DOCUMENT_PROCESSES] = { "processes", .type = COLUMN_ROWS, .of = &set_diff_schema },
	[DOCUMENT_TOTALS] = { "totals", .type = COLUMN_RECORD, .of = &totals_schema },
};
const struct row_schema set_diff_document_schema = ROW_SCHEMA(document_columns);

struct printed {
	const struct vmsnap_set_diff *diff;
	unsigned flags;
};

static const char *change_of(const struct vmsnap_set_diff_row *process)
{
	if (!process->a)
		return process->was_there ? "only_in_b" : "came";
	return !process->b ? "went" : process->differs ? "changed" : "same";
}

static void put_pages(struct row *row, const struct vmsnap_set_diff *diff, size_t index,
                      const struct vmsnap_set_diff_row *process)
{
	const struct vmsnap *snap = process->b;
	uint64_t bytes[VMSNAP_KIND_COUNT];
	for (int kind = 0; kind < VMSNAP_KIND_COUNT; kind++)
		bytes[kind] = vmsnap_set_diff_pages(diff, index, kind) * vmsnap_info(snap)->page_size;
	bool json = row->text->style->json, compared = process->relation == VMSNAP_RELATION_COMPARABLE;
	if (json || bytes[VMSNAP_KIND_COPIED])
		row_put_bytes_known(row, PROCESS_COPIED, bytes[VMSNAP_KIND_COPIED],
		                    process->copied_known || bytes[VMSNAP_KIND_COPIED]);
	if (compared) {
		row_put_delta(row, PROCESS_NEW, false, bytes[VMSNAP_KIND_NEW]);
		row_put_delta(row, PROCESS_GONE, true, bytes[VMSNAP_KIND_GONE]);
	}
	uint64_t unknown = process->written_unknown * vmsnap_info(snap)->page_size;
	if (compared && (json || bytes[VMSNAP_KIND_WRITTEN]))
		row_put_bytes_known(row, PROCESS_WRITTEN, bytes[VMSNAP_KIND_WRITTEN],
		                    !unknown || bytes[VMSNAP_KIND_WRITTEN]);
	if (compared && (json || bytes[VMSNAP_KIND_OTHER]))
		row_put_bytes(row, PROCESS_OTHER, bytes[VMSNAP_KIND_OTHER]);
	if (json || process->vmas)
		row_put_count(row, PROCESS_VMAS, process->vmas);
}

static void put_last(struct row *row, const struct vmsnap_set_diff *diff, size_t index,
                     const struct vmsnap_set_diff_row *process)
{
	uint64_t size = vmsnap_info(process->b)->page_size;
	uint64_t swapped = vmsnap_set_diff_pages(diff, index, VMSNAP_KIND_SWAPPED) * size;
	row_put_bytes(row, PROCESS_WRITTEN_UNKNOWN, process->written_unknown * size);
	if (swapped || row->text->style->json)
		row_put_bytes(row, PROCESS_SWAPPED, swapped);
	uint64_t mapped = vmsnap_set_diff_pages(diff, index, VMSNAP_KIND_MAPPED) * size;
	if (mapped || row->text->style->json)
		row_put_bytes(row, PROCESS_MAPPED, mapped);
}

static int process_rows(struct row *row, void *ctx, struct vmsnap_error *err)
{
	const struct vmsnap_set_diff *diff = ((const struct printed *)ctx)->diff;
	struct vmsnap_set_diff_row process;
	(void)err;
	for (size_t i = 0; !text_failed(row->text) && !vmsnap_set_diff_row(diff, i, &process); i++) {
		const struct vmsnap *snap = process.b ? process.b : process.a;
		row_put_count(row, PROCESS_PID, vmsnap_info(snap)->pid);
		row_put_count(row, PROCESS_START_TIME, vmsnap_info(snap)->start_time);
		row_put_name(row, PROCESS_COMM, vmsnap_info(snap)->comm);
		row_put_word(row, PROCESS_CHANGE, change_of(&process));
		put_not_compared(row, PROCESS_NOT_COMPARED, process.relation);
		if (process.a)
			row_put_bytes(row, PROCESS_RESIDENT_A, process.resident_a);
		if (process.b)
			row_put_bytes(row, PROCESS_RESIDENT_B, process.resident_b);
		if (process.a && process.b)
			put_pages(row, diff, i, &process);
		if (process.a && row_wants(row, PROCESS_A))
			put_snapshot(row, PROCESS_A, process.a);
		if (process.b && row_wants(row, PROCESS_B))
			put_snapshot(row, PROCESS_B, process.b);
		if (process.a && process.b && process.relation == VMSNAP_RELATION_COMPARABLE)
			put_last(row, diff, i, &process);
		row_end(row);
	}
	return VMSNAP_OK;
}

static int fill_document(struct row *document, void *ctx, struct vmsnap_error *err)
{
	const struct printed *printed = ctx;
	const struct vmsnap_set_diff *diff = printed->diff;
	bool known = !vmsnap_set_diff_total(diff, VMSNAP_SET_TOTAL_HIDDEN);
	bool only_totals = printed->flags & VMSNAP_PRINT_TOTALS_ONLY;
	int rc = row_rows(document, DOCUMENT_PROCESSES, only_totals ? rows_none : process_rows, ctx, err);
	struct row record = row_open(document, DOCUMENT_TOTALS);
	for (unsigned i = 0; i < sizeof(total_of) / sizeof(total_of[0]); i++)
		row_put_bytes_known(&record, i, vmsnap_set_diff_total(diff, total_of[i]), known);
	row_end(&record);
	return rc;
}

/* ---- for people -------------------------------------------------------------------- */

struct counts {
	size_t a, b, came, went, changed, only_b, parted;
	uint64_t swapped, other, vmas; /* bytes, the other changed otherwise; changes of mappings: of each process */
	uint64_t unknown;              /* pages of which it is not known whether they were written to */
	const struct vmsnap *first_a, *first_b;
};

static struct counts count_processes(const struct vmsnap_set_diff *diff)
{
	struct counts counts = { 0 };
	struct vmsnap_set_diff_row process;
	for (size_t i = 0; !vmsnap_set_diff_row(diff, i, &process); i++) {
		counts.a += process.a != NULL;
		counts.b += process.b != NULL;
		counts.came += !process.a && !process.was_there;
		counts.only_b += process.was_there;
		counts.parted += process.relation != VMSNAP_RELATION_COMPARABLE;
		counts.went += !process.b;
		counts.changed += process.differs;
		counts.vmas += process.vmas;
		counts.unknown += process.written_unknown;
		if (process.a && process.b) {
			uint64_t size = vmsnap_info(process.b)->page_size;
			counts.swapped += vmsnap_set_diff_pages(diff, i, VMSNAP_KIND_SWAPPED) * size;
			counts.other += vmsnap_set_diff_pages(diff, i, VMSNAP_KIND_OTHER) * size;
		}
		counts.first_a = counts.first_a ? counts.first_a : process.a;
		counts.first_b = counts.first_b ? counts.first_b : process.b;
	}
	return counts;
}

/* "A  5 processes, 2026-11-26 12:00:00.000 +0000, 69.6M in distinct frames" */
static void put_side(struct text *text, const char *side, size_t count, const struct vmsnap *first, uint64_t distinct,
                     uint64_t hidden)
{
	if (!first)
		return;
	text_format(text, "%s  %zu process%s, %s", side, count, count == 1 ? "" : "es",
	            word_time_local(vmsnap_info(first)->taken).text);
	if (distinct)
		text_format(text, ", %s%s in distinct frames", hidden ? "at least " : "",
		            word_size(text->style, distinct).text);
	text_string(text, "\n");
}

static void put_frames(struct text *text, const struct vmsnap_set_diff *diff, const struct counts *counts)
{
	struct fit_line line = fit_line(text, 0, 2);
	bool any = false;
	if (!vmsnap_set_diff_total(diff, VMSNAP_SET_TOTAL_DISTINCT_B)) {
		text_string(text, "In distinct frames: unknown (root would know)\n");
		return;
	}
	bool hidden = vmsnap_set_diff_total(diff, VMSNAP_SET_TOTAL_HIDDEN);
	fit_words(&line, hidden ? "In distinct frames, at least:" : "In distinct frames:");
	put_part(&line, &any, "", vmsnap_set_diff_total(diff, VMSNAP_SET_TOTAL_COPIED), "copied");
	put_part(&line, &any, "", vmsnap_set_diff_total(diff, VMSNAP_SET_TOTAL_WRITTEN), "written");
	put_part(&line, &any, "+", vmsnap_set_diff_total(diff, VMSNAP_SET_TOTAL_NEW), "new");
	put_part(&line, &any, "-", vmsnap_set_diff_total(diff, VMSNAP_SET_TOTAL_GONE), "gone");
	put_part(&line, &any, "+", vmsnap_set_diff_total(diff, VMSNAP_SET_TOTAL_CAME),
	         counts->only_b ? "of those that A has not" : "of those that came");
	put_part(&line, &any, "-", vmsnap_set_diff_total(diff, VMSNAP_SET_TOTAL_WENT), "of those that went");
	fit_words(&line, any ? "" : "nothing copied, new or gone, and nothing known to be written");
	text_string(text, "\n");
}

static void put_sentence(struct text *text, const struct counts *counts)
{
	struct fit_line line = fit_line(text, 0, 2);
	char words[160];
	snprintf(words, sizeof(words), "%zu of %zu process%s changed, %zu came, %zu went%s", counts->changed,
	         counts->b + counts->went, counts->b + counts->went == 1 ? "" : "es", counts->came, counts->went,
	         counts->only_b ? "," : ".");
	fit_words(&line, words);
	if (counts->only_b) {
		snprintf(words, sizeof(words), "%zu only in B: there when A was taken, but not in A.", counts->only_b);
		fit_words(&line, words);
	}
	if (counts->parted) {
		snprintf(words, sizeof(words), "%zu not compared page by page (column RELATION).", counts->parted);
		fit_words(&line, words);
	}
	text_string(text, "\n");
}

/* What the rows have besides, and no frames. */
static void put_others(struct text *text, const struct counts *counts)
{
	struct fit_line line = fit_line(text, 0, 2);
	bool any = false;
	char words[64];
	if (!counts->swapped && !counts->other && !counts->vmas)
		return;
	fit_words(&line, "In each process for itself:");
	put_part(&line, &any, "", counts->swapped, "swapped out or in");
	put_part(&line, &any, "", counts->other, "changed otherwise");
	if (counts->vmas) {
		fit_glue(&line, any ? "," : "");
		snprintf(words, sizeof(words), "%" PRIu64 " change%s of mappings", counts->vmas,
		         counts->vmas == 1 ? "" : "s");
		fit_words(&line, words);
	}
	text_string(text, "\n");
}

static int set_diff_text(struct text *text, struct printed *printed, struct vmsnap_error *err)
{
	const struct vmsnap_set_diff *diff = printed->diff;
	bool bare = text->style->raw || text->style->no_headings;
	struct counts counts = count_processes(diff);
	uint64_t hidden = vmsnap_set_diff_total(diff, VMSNAP_SET_TOTAL_HIDDEN);
	int rc = set_table_check(text, &set_diff_schema, &diff_schema, err);
	if (rc)
		return rc;
	if (!bare) {
		put_side(text, "A", counts.a, counts.first_a, vmsnap_set_diff_total(diff, VMSNAP_SET_TOTAL_DISTINCT_A),
		         hidden);
		put_side(text, "B", counts.b, counts.first_b, vmsnap_set_diff_total(diff, VMSNAP_SET_TOTAL_DISTINCT_B),
		         hidden);
		put_order(text, counts.first_a && counts.first_b && taken_later(counts.first_a, counts.first_b));
		text_blank(text);
	}
	if (!(printed->flags & VMSNAP_PRINT_TOTALS_ONLY)) {
		rc = emit_table(text, &set_diff_schema, process_rows, printed, err);
	}
	text_blank(text);
	if (!bare && !rc) {
		put_sentence(text, &counts);
		put_frames(text, diff, &counts);
		put_others(text, &counts);
		if (counts.unknown)
			put_writes_unknown(text, counts.unknown, vmsnap_info(counts.first_b)->page_size,
			                   WRITES_OF_PROCESSES);
	}
	return rc;
}

VMSNAP_API int vmsnap_print_set_diff(const struct vmsnap_set_diff *diff, unsigned flags,
                                     const struct vmsnap_output *out, struct vmsnap_error *err)
{
	struct printed printed = { .diff = diff, .flags = flags };
	struct counts counts = count_processes(diff);
	struct text text;
	int rc = text_open(&text, out, err);
	if (rc)
		return rc;
	text_limit(&text, (const struct vmsnap *[]){ counts.first_a, counts.first_b }, 2);
	if (text.style->json)
		rc = emit_json(&text, "vmsnap.set_diff/1", &set_diff_document_schema, fill_document, &printed, err);
	else
		rc = set_diff_text(&text, &printed, err);
	return rc ? rc : text_close(&text, err);
}
