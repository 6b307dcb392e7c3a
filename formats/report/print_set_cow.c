/* print_set_cow.c - all forks of a tree of processes: vmsnap_print_set_cow(). */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "alarm_text.h"
#include "cow_answer_text.h"
#include "cow_began.h"
#include "cow_rows.h"
#include "emitter.h"
#include "error.h"
#include "fork_time.h"
#include "format_value.h"
#include "identity_text.h"
#include "kernel_moves_text.h"
#include "page_class.h"
#include "relation_text.h"
#include "schemas.h"
#include "set_table.h"
#include "snapshot_record.h"
#include "text_color.h"
#include "text_fit.h"
#include "text_limit.h"
#include "touched_columns.h"

enum {
	FORK_PID,
	FORK_PARENT,
	FORK_COMM,
	FORK_CAME,
	FORK_NOT_COMPARED,
	FORK_SHARED,
	FORK_LOST,
	FORK_BY_CHILD,
	FORK_BY_PARENT,
	FORK_BY_BOTH,
	FORK_COPIED,
	FORK_NEW,
	FORK_ALONE,
	FORK_FILE,
	FORK_GONE,
	FORK_SWAPPED,
	FORK_UNKNOWN,
	FORK_TOUCHED,
	FORK_TOTALS,
	FORK_BY_DEBUGGER,
	FORK_INFERRED_TOTALS,
	FORK_WARNING,
	FORK_BASE,
	FORK_CHILD,
	FORK_INFERRED,
	FORK_INFERRED_BYTES,
	FORK_SINCE,
	FORK_FORKED,
	FORK_MOVES,
};
static const struct column fork_columns[] = {
	[FORK_PID] = { "pid", "PID", COLUMN_COUNT, 0, "of the process", NULL },
	[FORK_PARENT] = { "parent", "PARENT", COLUMN_COUNT, COLUMN_STAYS, "of its parent, if that is there too", NULL },
	[FORK_COMM] = { "comm", "COMM", COLUMN_NAME, COLUMN_STAYS, "the process's name", NULL },
	[FORK_CAME] = { "came", "CAME", COLUMN_BOOL, COLUMN_SPARSE | COLUMN_YIELDS, "came since the base, or nothing",
	                NULL },
	[FORK_NOT_COMPARED] = { "not_compared", "RELATION", COLUMN_WORD, COLUMN_SPARSE, "why pages are not compared",
	                        NULL },
	[FORK_SHARED] = { NULL, "SHARED", COLUMN_BYTES, COLUMN_STAYS,
	                  "pages that both still have, the zero page included", NULL },
	[FORK_LOST] = { NULL, "LOST%", COLUMN_SHARE, COLUMN_YIELDS, "copied, of what was shared", NULL },
	[FORK_BY_CHILD] = { NULL, "BY_CHILD", COLUMN_BYTES, COLUMN_SPARSE, "copied by the child", NULL },
	[FORK_BY_PARENT] = { NULL, "BY_PARENT", COLUMN_BYTES, COLUMN_SPARSE, "copied by the parent", NULL },
	[FORK_BY_BOTH] = { NULL, "BY_BOTH", COLUMN_BYTES, COLUMN_SPARSE, "copied by both", NULL },
	[FORK_COPIED] = { NULL, "COPIED", COLUMN_BYTES, COLUMN_SPARSE, "copied, it is not known by whom", NULL },
	[FORK_NEW] = { NULL, "NEW", COLUMN_BYTES, COLUMN_SPARSE,
	               "memory that is new since the fork, in the two together", NULL },
	[FORK_ALONE] = { NULL, "IN_ONE", COLUMN_BYTES, COLUMN_SPARSE,
	                 "in one of the two only, and it may have been there before", NULL },
	[FORK_FILE] = { NULL, "FILE", COLUMN_BYTES, COLUMN_SECONDARY, "page cache and shared memory", NULL },
	[FORK_GONE] = { NULL, "DROPPED", COLUMN_BYTES, COLUMN_SPARSE, "pages that one of them gave back", NULL },
	[FORK_SWAPPED] = { NULL, "SWAPPED", COLUMN_BYTES, COLUMN_SPARSE, "pages in swap", NULL },
	[FORK_UNKNOWN] = { NULL, "UNKNOWN", COLUMN_BYTES, COLUMN_SPARSE, "what cannot be told", NULL },
	[FORK_TOUCHED] = { NULL, "TOUCHED", COLUMN_BYTES, COLUMN_SPARSE | COLUMN_YIELDS,
	                   "pages that a debugger wrote to, which count nowhere else", NULL },
	[FORK_TOTALS] = { "totals", .type = COLUMN_COUNTS },
	[FORK_BY_DEBUGGER] = { "touched_by_debugger", .type = COLUMN_RECORD, .of = &touched_verdicts_schema },
	/* Pages, without those that a debugger wrote to. */
	[FORK_INFERRED_TOTALS] = { "inferred_totals", .type = COLUMN_COUNTS },
	[FORK_WARNING] = { "warning", .type = COLUMN_NAME },
	[FORK_BASE] = { "base", .type = COLUMN_RECORD, .of = &snapshot_schema },
	[FORK_CHILD] = { "snapshot", .type = COLUMN_RECORD, .of = &snapshot_schema },
	[FORK_INFERRED] = { "inferred", .type = COLUMN_COUNT },
	[FORK_INFERRED_BYTES] = { NULL, "INFERRED", COLUMN_BYTES, COLUMN_SPARSE | COLUMN_YIELDS,
	                          "pages of which that is inferred", NULL },
	[FORK_SINCE] = { "since_fork_us", "SINCE", COLUMN_DURATION, COLUMN_YIELDS, "since its fork, to 10 ms", NULL },
	[FORK_FORKED] = { "forked", "FORKED", COLUMN_TIME, COLUMN_SECONDARY, "when it was forked", NULL },
	[FORK_MOVES] = { "kernel_moves", .type = COLUMN_WORD },
};
/* As tables have them. */
static const uint32_t fork_shown[] = {
	FORK_PID,    FORK_PARENT, FORK_COMM,     FORK_CAME,      FORK_SINCE,   FORK_FORKED,  FORK_NOT_COMPARED,
	FORK_SHARED, FORK_LOST,   FORK_BY_CHILD, FORK_BY_PARENT, FORK_BY_BOTH, FORK_COPIED,  FORK_NEW,
	FORK_ALONE,  FORK_FILE,   FORK_GONE,     FORK_SWAPPED,   FORK_UNKNOWN, FORK_TOUCHED, FORK_INFERRED_BYTES,
};
const struct row_schema set_cow_schema = ROW_SCHEMA_SHOWN(fork_columns, fork_shown);

enum { DOCUMENT_PROCESSES, DOCUMENT_WENT, DOCUMENT_DISTINCT };
enum { WENT_SNAPSHOT };
static const struct column went_columns[] = {
	[WENT_SNAPSHOT] = { NULL, NULL, COLUMN_RECORD, COLUMN_FLAT, NULL, &snapshot_schema },
};
static const struct row_schema went_schema = ROW_SCHEMA(went_columns);
/* distinct: bytes for each verdict, a frame counts once; null if some frame is not known. */
static const struct column document_columns[] = {
	[DOCUMENT_PROCESSES] = { "processes", .type = COLUMN_ROWS, .of = &set_cow_schema },
	[DOCUMENT_WENT] = { "went", .type = COLUMN_ROWS, .of = &went_schema },
	[DOCUMENT_DISTINCT] = { "distinct", .type = COLUMN_COUNTS },
};
const struct row_schema set_cow_document_schema = ROW_SCHEMA(document_columns);

struct printed {
	const struct vmsnap_set_cow *cow;
	unsigned flags;
};

/* Of what the fork did not cost. */
static int column_of(int verdict)
{
	if (verdict == VMSNAP_VERDICT_UNKNOWN)
		return FORK_UNKNOWN;
	switch (verdict_class(verdict)) {
	case CLASS_SHARED:
		return FORK_SHARED;
	case CLASS_FILE:
		return FORK_FILE;
	case CLASS_GONE:
		return FORK_GONE;
	case CLASS_SWAPPED:
		return FORK_SWAPPED;
	default:
		return FORK_TOTALS;
	}
}

static uint64_t copied_by_all(const struct cow_costs *costs)
{
	uint64_t pages = 0;
	for (int i = 0; i < COST_KINDS; i++)
		pages += costs->copied[i];
	return pages;
}

/* Of one fork: what a debugger wrote to is not the program's. */
struct fork_pages {
	uint64_t all[VMSNAP_VERDICT_COUNT], touched[VMSNAP_VERDICT_COUNT], own[VMSNAP_VERDICT_COUNT],
	        inferred[VMSNAP_VERDICT_COUNT]; /* inferred: of its own */
};

static struct fork_pages fork_pages(const struct vmsnap_set_cow *cow, size_t index)
{
	struct fork_pages pages;
	for (int i = 0; i < VMSNAP_VERDICT_COUNT; i++) {
		pages.all[i] = vmsnap_set_cow_pages(cow, index, i);
		pages.touched[i] = vmsnap_set_cow_touched_pages(cow, index, i);
		pages.inferred[i] = vmsnap_set_cow_inferred_pages(cow, index, i);
		pages.own[i] = pages.all[i] - pages.touched[i];
	}
	return pages;
}

/* Nothing is known of a fork that cannot be compared; `totals` has always had zeros then. */
static void put_totals(struct row *row, const struct fork_pages *pages, enum vmsnap_relation relation)
{
	uint32_t unknown = relation == VMSNAP_RELATION_COMPARABLE ? 0 : (1u << VMSNAP_VERDICT_COUNT) - 1;
	row_put_counts(row, FORK_TOTALS, pages->all, VMSNAP_VERDICT_COUNT, 0, vmsnap_verdict_name);
	put_touched_verdicts(row, FORK_BY_DEBUGGER, pages->touched, unknown);
	row_put_counts(row, FORK_INFERRED_TOTALS, pages->inferred, VMSNAP_VERDICT_COUNT, unknown, vmsnap_verdict_name);
}

static void put_verdicts(struct row *row, const struct fork_pages *fork, uint64_t page_size)
{
	uint64_t pages[FORK_TOTALS + 1] = { 0 };
	for (int i = 0; i < VMSNAP_VERDICT_COUNT; i++) {
		pages[column_of(i)] += fork->own[i];
		pages[FORK_TOUCHED] += fork->touched[i];
	}
	struct cow_costs costs = cow_costs_of(fork->own);
	pages[FORK_BY_CHILD] = costs.copied[COST_BY_CHILD];
	pages[FORK_BY_PARENT] = costs.copied[COST_BY_PARENT];
	pages[FORK_BY_BOTH] = costs.copied[COST_BY_BOTH];
	pages[FORK_COPIED] = costs.copied[COST_BY_UNKNOWN];
	pages[FORK_NEW] = costs.made;
	pages[FORK_ALONE] = costs.alone;
	uint64_t copied = copied_by_all(&costs), all = copied + fork->own[VMSNAP_VERDICT_SHARED];
	for (unsigned i = FORK_SHARED; i <= FORK_TOUCHED; i++) {
		if (i == FORK_LOST && all)
			row_put_share(row, i, copied, all);
		else if (i != FORK_LOST && pages[i])
			row_put_bytes(row, i, pages[i] * page_size);
	}
}

static void put_fork_time(struct row *row, const struct vmsnap_set_cow_row *fork)
{
	struct fork_time time;
	uint64_t pages;
	const char *moves = kernel_moves_word(kernel_moves_of_fork(fork->parent, fork->child, fork->base, &pages));
	if (fork_time_of(fork->parent, fork->child, &time)) {
		row_put_duration(row, FORK_SINCE, time.before);
		row_put_time(row, FORK_FORKED, time.at);
	}
	if (moves)
		row_put_word(row, FORK_MOVES, moves);
}

static int fork_rows(struct row *row, void *ctx, struct vmsnap_error *err)
{
	const struct printed *printed = ctx;
	struct vmsnap_set_cow_row process;
	(void)err;
	for (size_t i = 0; !text_failed(row->text) && !vmsnap_set_cow_row(printed->cow, i, &process); i++) {
		const struct vmsnap_info *info = vmsnap_info(process.child);
		row_put_count(row, FORK_PID, info->pid);
		if (process.parent)
			row_put_count(row, FORK_PARENT, vmsnap_info(process.parent)->pid);
		row_put_name(row, FORK_COMM, info->comm);
		row_put_bool(row, FORK_CAME, process.came);
		put_not_compared(row, FORK_NOT_COMPARED, process.relation);
		struct fork_pages pages = fork_pages(printed->cow, i);
		if (process.parent) {
			put_verdicts(row, &pages, info->page_size);
			put_totals(row, &pages, (enum vmsnap_relation)process.relation);
		}
		row_put_name_if_any(row, FORK_WARNING, process.warning);
		if (process.base && row_wants(row, FORK_BASE))
			put_snapshot(row, FORK_BASE, process.base);
		if (row_wants(row, FORK_CHILD))
			put_snapshot(row, FORK_CHILD, process.child);
		if (process.inferred || (row->text->style->json && process.parent))
			row_put_count(row, FORK_INFERRED, process.inferred);
		if (process.inferred)
			row_put_bytes(row, FORK_INFERRED_BYTES, process.inferred * info->page_size);
		if (process.parent)
			put_fork_time(row, &process);
		row_end(row);
	}
	return VMSNAP_OK;
}

static int went_rows(struct row *row, void *ctx, struct vmsnap_error *err)
{
	const struct printed *printed = ctx;
	const struct vmsnap *snap;
	(void)err;
	for (size_t i = 0; !text_failed(row->text) && (snap = vmsnap_set_cow_went(printed->cow, i)); i++) {
		put_snapshot(row, WENT_SNAPSHOT, snap);
		row_end(row);
	}
	return VMSNAP_OK;
}

static int fill_document(struct row *document, void *ctx, struct vmsnap_error *err)
{
	const struct printed *printed = ctx;
	uint64_t distinct[VMSNAP_VERDICT_COUNT];
	bool only_totals = printed->flags & VMSNAP_PRINT_TOTALS_ONLY;
	int rc = row_rows(document, DOCUMENT_PROCESSES, only_totals ? rows_none : fork_rows, ctx, err);
	rc = rc ? rc : row_rows(document, DOCUMENT_WENT, only_totals ? rows_none : went_rows, ctx, err);
	for (int i = 0; i < VMSNAP_VERDICT_COUNT; i++)
		distinct[i] = vmsnap_set_cow_distinct(printed->cow, i);
	uint32_t unknown = vmsnap_set_cow_hidden(printed->cow) ? UINT32_MAX : 0;
	row_put_counts(document, DOCUMENT_DISTINCT, distinct, VMSNAP_VERDICT_COUNT, unknown, vmsnap_verdict_name);
	return rc;
}

/* ---- for people --------------------------------------------------------------------- */

/* "not compared, as another program was executed since: process 12 (of 11), …" */
static void put_relations(struct text *text, const struct vmsnap_set_cow *cow, int relation)
{
	enum { NAMED_MAX = 8 };
	struct vmsnap_set_cow_row process;
	char words[400];
	size_t count = 0, used = 0;
	for (size_t i = 0; !vmsnap_set_cow_row(cow, i, &process); i++) {
		if (process.relation != relation || count++ >= NAMED_MAX)
			continue;
		used += (size_t)snprintf(words + used, sizeof(words) - used, "%s%" PRIu32 " of parent %" PRIu32,
		                         used ? ", " : "", vmsnap_info(process.child)->pid,
		                         vmsnap_info(process.parent)->pid);
	}
	if (!count)
		return;
	char sentence[520], more[32] = "";
	if (count > NAMED_MAX)
		snprintf(more, sizeof(more), ", and %zu more", count - NAMED_MAX);
	snprintf(sentence, sizeof(sentence), "%zu of the forks %s not compared (%s): process %s%s", count,
	         count == 1 ? "is" : "are", relation_words(relation), words, more);
	put_alarm(text, sentence);
}

static bool frames_known(const struct vmsnap_set_cow_row *process)
{
	const struct vmsnap *needed[] = { process->parent, process->child, process->base };
	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++)
		if (needed[i] && !vmsnap_info(needed[i])->known.pfn)
			return false;
	return true;
}

/* What several forks are warned of is said once. */
static void put_warnings(struct text *text, const struct vmsnap_set_cow *cow)
{
	struct vmsnap_set_cow_row process;
	const char *last = "";
	bool inferred = false;
	for (int relation = VMSNAP_RELATION_COMPARABLE + 1; relation < VMSNAP_RELATION_COUNT; relation++)
		put_relations(text, cow, relation);
	for (size_t i = 0; !text_failed(text) && !vmsnap_set_cow_row(cow, i, &process); i++) {
		inferred |= process.inferred && !frames_known(&process);
		if (process.relation != VMSNAP_RELATION_COMPARABLE || !*process.warning ||
		    !strcmp(process.warning, last))
			continue;
		put_alarm(text, process.warning);
		last = process.warning;
	}
	if (inferred)
		put_alarm(text,
		          "without PFNs, who shares and who copied is inferred where it can be, and may be wrong");
}

/* Returns whether a debugger wrote to some of what was copied. */
static bool add_fork(struct cow_shares *sum, const struct vmsnap_set_cow *cow, size_t index, uint64_t page_size)
{
	struct fork_pages pages = fork_pages(cow, index);
	struct cow_costs touched = cow_costs_of(pages.touched);
	for (int i = 0; i < VMSNAP_VERDICT_COUNT; i++)
		cow_shares_add(sum, i, pages.own[i] * page_size, pages.inferred[i] * page_size);
	return copied_by_all(&touched) != 0;
}

static void note_moves(struct forks_told *told, const struct vmsnap_set_cow_row *fork)
{
	uint64_t pages;
	enum kernel_moves moves = kernel_moves_of_fork(fork->parent, fork->child, fork->base, &pages);
	told->moves = moves > told->moves ? moves : told->moves;
	told->moved = pages > told->moved ? pages : told->moved;
}

static void put_answer(struct text *text, const struct vmsnap_set_cow *cow)
{
	struct vmsnap_set_cow_row process;
	struct cow_shares shares = { .lost = 0 };
	struct forks_told told = { .moves = KERNEL_MOVED_NONE };
	uint64_t distinct[VMSNAP_VERDICT_COUNT];
	/* Frames that a debugger had copied are among the distinct ones: how many others there are nobody has counted.
	 */
	bool hidden = vmsnap_set_cow_hidden(cow) != 0;
	for (size_t i = 0; !text_failed(text) && !vmsnap_set_cow_row(cow, i, &process); i++) {
		if (!process.parent || process.relation != VMSNAP_RELATION_COMPARABLE)
			continue;
		hidden |= add_fork(&shares, cow, i, vmsnap_info(process.child)->page_size);
		note_moves(&told, &process);
		told.forks++;
	}
	for (int i = 0; i < VMSNAP_VERDICT_COUNT; i++)
		distinct[i] = vmsnap_set_cow_distinct(cow, i);
	struct cow_costs costs = cow_costs_of(distinct);
	told.distinct = hidden ? 0 : copied_by_all(&costs);
	if (told.forks)
		put_forks_answer(text, &shares, &told);
}

/* Of all forks; of one that came since, nothing was copied by then. */
static int forks_began(struct text *text, const struct vmsnap_set_cow *cow, struct cow_began *sum,
                       struct vmsnap_error *err)
{
	struct vmsnap_set_cow_row fork;
	struct cow_began began;
	bool told = true;
	*sum = (struct cow_began){ .known = false };
	for (size_t i = 0; !vmsnap_set_cow_row(cow, i, &fork); i++) {
		if (!fork.parent || fork.came || fork.relation != VMSNAP_RELATION_COMPARABLE)
			continue;
		int rc = cow_began_in(fork.base, fork.base_child, &text->work, &began, err);
		if (rc)
			return rc;
		told &= began.known;
		sum->known |= began.known;
		sum->by_base += began.by_base;
		sum->least |= began.least || !began.known;
	}
	sum->known &= told || sum->by_base;
	return VMSNAP_OK;
}

static int put_heading(struct text *text, const struct vmsnap_set_cow *cow, struct vmsnap_error *err)
{
	struct vmsnap_set_cow_row first;
	struct cow_began began;
	size_t count = vmsnap_set_cow_count(cow);
	const struct vmsnap *base = NULL;
	int rc = forks_began(text, cow, &began, err);
	if (rc)
		return rc;
	put_answer(text, cow);
	color_start(text, COLOR_DIM);
	for (size_t i = 0; !base && !vmsnap_set_cow_row(cow, i, &first); i++)
		base = first.base;
	if (base) {
		struct word taken = word_time_local(vmsnap_info(base)->taken);
		struct fit_line line = fit_line(text, 8 + strlen(taken.text), 8);
		text_format(text, "base    %s", taken.text);
		line.fresh = false;
		put_cow_began(&line, &began);
		text_string(text, "\n");
	}
	if (!vmsnap_set_cow_row(cow, 0, &first))
		text_format(text, "now     %s, %zu process%s\n", word_time_local(vmsnap_info(first.child)->taken).text,
		            count, count == 1 ? "" : "es");
	color_end(text, COLOR_DIM);
	put_warnings(text, cow);
	text_blank(text);
	return VMSNAP_OK;
}

static void put_went(struct text *text, const struct vmsnap_set_cow *cow)
{
	const struct vmsnap *snap;
	text_blank(text);
	for (size_t i = 0; !text_failed(text) && (snap = vmsnap_set_cow_went(cow, i)); i++) {
		text_string(text, "went    ");
		print_identity_line(text, snap);
		text_string(text, "\n");
	}
}

static void put_distinct(struct text *text, const struct vmsnap_set_cow *cow)
{
	bool any = false, hidden = vmsnap_set_cow_hidden(cow);
	for (int i = 0; i < VMSNAP_VERDICT_COUNT; i++) {
		uint64_t bytes = vmsnap_set_cow_distinct(cow, i);
		if (!bytes)
			continue;
		if (!any)
			text_format(text, "in distinct frames%s\n", hidden ? ", at least" : "");
		any = true;
		text_format(text, "%10s  ", word_size(text->style, bytes).text);
		color_start(text, cow_verdict_color(i));
		text_string(text, vmsnap_verdict_name(i));
		color_end(text, cow_verdict_color(i));
		text_string(text, "\n");
	}
	if (!any && hidden)
		text_string(text, "in distinct frames: unknown (root would know)\n");
}

static int set_cow_text(struct text *text, struct printed *printed, struct vmsnap_error *err)
{
	bool bare = text->style->raw || text->style->no_headings;
	int rc = set_table_check(text, &set_cow_schema, &cow_schema, err);
	if (rc)
		return rc;
	if (!bare)
		rc = put_heading(text, printed->cow, err);
	if (!rc && !(printed->flags & VMSNAP_PRINT_TOTALS_ONLY)) {
		rc = emit_table(text, &set_cow_schema, fork_rows, printed, err);
		if (!rc && !bare)
			put_went(text, printed->cow);
	}
	text_blank(text);
	if (!rc && !bare)
		put_distinct(text, printed->cow);
	return rc;
}

VMSNAP_API int vmsnap_print_set_cow(const struct vmsnap_set_cow *cow, unsigned flags, const struct vmsnap_output *out,
                                    struct vmsnap_error *err)
{
	struct printed printed = { .cow = cow, .flags = flags };
	struct vmsnap_set_cow_row first = { .base = NULL };
	struct text text;
	int rc = text_open(&text, out, err);
	if (rc)
		return rc;
	if (!vmsnap_set_cow_row(cow, 0, &first))
		text_limit(&text, (const struct vmsnap *[]){ first.child, first.base }, 2);
	if (text.style->json)
		rc = emit_json(&text, "vmsnap.set_cow/1", &set_cow_document_schema, fill_document, &printed, err);
	else
		rc = set_cow_text(&text, &printed, err);
	return rc ? rc : text_close(&text, err);
}
