/* print_series_forks.c - what forks cost as they go on: vmsnap_print_series_forks(). */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "alarm_text.h"
#include "emitter.h"
#include "error.h"
#include "error_record.h"
#include "fork_time.h"
#include "format_value.h"
#include "rate.h"
#include "schemas.h"
#include "snapshot_record.h"
#include "text_limit.h"
#include "when_text.h"

enum {
	FORK_FORK,
	FORK_SINCE,
	FORK_PARENT_PID,
	FORK_CHILD_PID,
	FORK_PARENT,
	FORK_CHILD,
	FORK_FIRST,
	FORK_ELAPSED,
	FORK_NOT_COMPARED,
	FORK_BASE,
	FORK_BY_CHILD,
	FORK_BY_PARENT,
	FORK_BY_BOTH,
	FORK_BY_UNKNOWN,
	FORK_NEW_IN_CHILD,
	FORK_NEW_IN_PARENT,
	FORK_ALONE,
	FORK_SHARED,
	FORK_UNKNOWN,
	FORK_INFERRED,
	FORK_COST,
	FORK_RATE,
	FORK_WARNING,
	FORK_ERROR,
};
static const struct column fork_columns[] = {
	[FORK_FORK] = { "fork", "FORK", COLUMN_COUNT, COLUMN_SECONDARY, "which fork of the series", NULL },
	[FORK_SINCE] = { "since_us", "T", COLUMN_DURATION, 0, "since the fork, to 10 ms", NULL },
	[FORK_PARENT_PID] = { "parent_pid", "PARENT", COLUMN_COUNT, COLUMN_SECONDARY, "the parent's PID", NULL },
	[FORK_CHILD_PID] = { "child_pid", "CHILD", COLUMN_COUNT, 0, "the child's PID", NULL },
	[FORK_PARENT] = { "parent", .type = COLUMN_COUNT },
	[FORK_CHILD] = { "child", "SNAPSHOT", COLUMN_COUNT, COLUMN_SECONDARY, "the child's snapshot, for FILE@N",
	                 NULL },
	[FORK_FIRST] = { "first", .type = COLUMN_BOOL },
	[FORK_ELAPSED] = { "elapsed_us", "ELAPSED", COLUMN_DURATION, COLUMN_SECONDARY, "since the row before", NULL },
	[FORK_NOT_COMPARED] = { "not_compared", "RELATION", COLUMN_WORD, COLUMN_SPARSE, "why pages are not compared",
	                        NULL },
	[FORK_BASE] = { "base", "BASE", COLUMN_WORD, COLUMN_SECONDARY,
	                "before: the parent before the fork; after: both right after it", NULL },
	[FORK_BY_CHILD] = { "by_child", "BY_CHILD", COLUMN_BYTES, 0, "copied by the child", NULL },
	[FORK_BY_PARENT] = { "by_parent", "BY_PARENT", COLUMN_BYTES, 0, "copied by the parent", NULL },
	[FORK_BY_BOTH] = { "by_both", "BY_BOTH", COLUMN_BYTES, COLUMN_SPARSE, "copied by both", NULL },
	[FORK_BY_UNKNOWN] = { "by_unknown", "EITHER", COLUMN_BYTES, COLUMN_SPARSE, "copied, it is not known by whom",
	                      NULL },
	[FORK_NEW_IN_CHILD] = { "new_in_child", "NEW_CHILD", COLUMN_BYTES, COLUMN_SPARSE,
	                        "memory of the child's that is new", NULL },
	[FORK_NEW_IN_PARENT] = { "new_in_parent", "NEW_PARENT", COLUMN_BYTES, 0, "memory of the parent's that is new",
	                         NULL },
	[FORK_ALONE] = { "alone", "IN_ONE", COLUMN_BYTES, COLUMN_SPARSE,
	                 "in one of the two only: new there, or dropped by the other", NULL },
	[FORK_SHARED] = { "shared", "SHARED", COLUMN_BYTES, COLUMN_SECONDARY, "what both still have", NULL },
	[FORK_UNKNOWN] = { "unknown", "UNKNOWN", COLUMN_BYTES, COLUMN_SPARSE, "what cannot be told", NULL },
	[FORK_INFERRED] = { "inferred", "INFERRED", COLUMN_BYTES, COLUMN_SPARSE | COLUMN_SECONDARY,
	                    "of copied and new, what is inferred", NULL },
	[FORK_COST] = { "cost", "COST", COLUMN_BYTES, COLUMN_SECONDARY, "copied, whoever did", NULL },
	[FORK_RATE] = { "rate", "RATE", COLUMN_DELTA, COLUMN_PER_SECOND, "what was copied in a second", NULL },
	[FORK_WARNING] = { "warning", .type = COLUMN_NAME },
	[FORK_ERROR] = { "error", .type = COLUMN_RECORD, .of = &error_schema },
};
const struct row_schema series_forks_schema = ROW_SCHEMA(fork_columns);

enum { COST_FORK, COST_PARENT_PID, COST_CHILD_PID, COST_COST, COST_MOST, COST_WHEN };
static const struct column cost_columns[] = {
	[COST_FORK] = { "fork", .type = COLUMN_COUNT },
	[COST_PARENT_PID] = { "parent_pid", .type = COLUMN_COUNT },
	[COST_CHILD_PID] = { "child_pid", .type = COLUMN_COUNT },
	[COST_COST] = { "cost", .type = COLUMN_BYTES },
	[COST_MOST] = { "most", .type = COLUMN_BYTES },
	[COST_WHEN] = { "when", .type = COLUMN_RECORD, .of = &when_schema },
};
static const struct row_schema cost_schema = ROW_SCHEMA(cost_columns);
enum { DOCUMENT_STEPS, DOCUMENT_FORKS };
static const struct column document_columns[] = {
	[DOCUMENT_STEPS] = { "steps", .type = COLUMN_ROWS, .of = &series_forks_schema },
	[DOCUMENT_FORKS] = { "forks", .type = COLUMN_ROWS, .of = &cost_schema },
};
const struct row_schema series_forks_document_schema = ROW_SCHEMA(document_columns);

/* What one fork has come to. */
enum { LOOKS_MOST = 256 };
struct cost {
	struct vmsnap_series_fork last;
	uint64_t most;
	bool inferred;           /* what it cost is, as frames are not known */
	struct fork_look *looks; /* counted, as many as LOOKS_MOST: of more every second one is forgotten */
	size_t look_count;
};
struct printed {
	struct vmsnap_series_forks *forks;
	struct cost *costs;
	size_t count, capacity;
	char warning[256]; /* the first */
	bool primed;       /* the first step was made already, and gave: */
	int first;
	struct vmsnap_error first_err;
	int unread;
	struct vmsnap_error unread_err;
};

static bool frames_are_known(const struct vmsnap_cow *cow)
{
	return cow && vmsnap_info(vmsnap_cow_parent(cow))->known.pfn && vmsnap_info(vmsnap_cow_child(cow))->known.pfn;
}

static int note_look(struct cost *cost, const struct vmsnap_series_fork *fork, struct work *work)
{
	int rc = VMSNAP_OK;
	if (!fork->since_known)
		return rc;
	if (!cost->looks)
		cost->looks = work_array(work, LOOKS_MOST, sizeof(*cost->looks), &rc);
	if (rc)
		return rc;
	if (!cost->look_count)
		cost->looks[cost->look_count++] = (struct fork_look){ .at = 0 }; /* the fork */
	if (cost->look_count == LOOKS_MOST) {
		for (size_t i = 0; i < LOOKS_MOST / 2; i++)
			cost->looks[i] = cost->looks[2 * i];
		cost->look_count = LOOKS_MOST / 2;
	}
	cost->looks[cost->look_count++] = (struct fork_look){ fork->since, fork->copied };
	return rc;
}

/* Without frames it is not known what was copied, and when still less. */
static struct fork_when when_of(const struct cost *cost)
{
	struct fork_when when = { .since_fork = true };
	if (!cost->inferred)
		fork_when_of(cost->looks, cost->look_count, &when);
	return when;
}

static int note_cost(struct printed *printed, const struct vmsnap_series_fork *fork, struct work *work)
{
	int rc = VMSNAP_OK;
	/* Numbered as they come. */
	if (fork->fork > printed->count) {
		if (!WORK_ROOM(work, printed->costs, printed->count, &printed->capacity, &rc))
			return rc;
		printed->costs[printed->count++] = (struct cost){ .most = 0 };
	}
	struct cost *cost = &printed->costs[fork->fork - 1];
	if (fork->relation != VMSNAP_RELATION_COMPARABLE && cost->last.fork)
		return rc;
	cost->last = *fork;
	cost->inferred = fork->copied && !frames_are_known(vmsnap_series_fork_cow(printed->forks));
	cost->most = fork->copied > cost->most ? fork->copied : cost->most;
	return fork->relation == VMSNAP_RELATION_COMPARABLE ? note_look(cost, fork, work) : rc;
}

static void put_rate(struct row *row, const struct vmsnap_series_fork *fork)
{
	bool less = fork->copied < fork->copied_before;
	uint64_t bytes = less ? fork->copied_before - fork->copied : fork->copied - fork->copied_before;
	if (!fork->elapsed_known || !fork->elapsed)
		row_put_unknown(row, FORK_RATE);
	else
		row_put_delta(row, FORK_RATE, less, rate_of(bytes, fork->elapsed));
}

static void put_some(struct row *row, unsigned column, uint64_t bytes)
{
	if (bytes || row->text->style->json)
		row_put_bytes(row, column, bytes);
}

static void put_pages(struct row *row, const struct vmsnap_series_fork *fork)
{
	if (fork->has_base)
		row_put_word(row, FORK_BASE, fork->before ? "before" : "after");
	row_put_bytes(row, FORK_BY_CHILD, fork->by_child);
	row_put_bytes(row, FORK_BY_PARENT, fork->by_parent);
	put_some(row, FORK_BY_BOTH, fork->by_both);
	put_some(row, FORK_BY_UNKNOWN, fork->by_unknown);
	put_some(row, FORK_NEW_IN_CHILD, fork->new_in_child);
	row_put_bytes(row, FORK_NEW_IN_PARENT, fork->new_in_parent);
	put_some(row, FORK_ALONE, fork->alone);
	row_put_bytes(row, FORK_SHARED, fork->shared);
	put_some(row, FORK_UNKNOWN, fork->unknown);
	put_some(row, FORK_INFERRED, fork->inferred);
	row_put_bytes(row, FORK_COST, fork->copied);
	put_rate(row, fork);
}

static void put_fork(struct row *row, const struct vmsnap_series_fork *fork)
{
	row_put_count(row, FORK_FORK, fork->fork);
	/* No more is known of it than its tick: for people as the line below and cow say it. */
	bool rounded = !row->text->style->json && fork->since < 1000000000;
	if (fork->since_known)
		row_put_duration(row, FORK_SINCE, fork->since - (rounded ? fork->since % FORK_TICK_NS : 0));
	else
		row_put_unknown(row, FORK_SINCE);
	row_put_count(row, FORK_PARENT_PID, fork->parent_pid);
	row_put_count(row, FORK_CHILD_PID, fork->child_pid);
	row_put_count(row, FORK_PARENT, fork->parent + 1);
	row_put_count(row, FORK_CHILD, fork->child + 1);
	row_put_bool(row, FORK_FIRST, fork->first);
	if (fork->elapsed_known)
		row_put_duration(row, FORK_ELAPSED, fork->elapsed);
	put_not_compared(row, FORK_NOT_COMPARED, fork->relation);
	if (fork->relation == VMSNAP_RELATION_COMPARABLE)
		put_pages(row, fork);
	row_put_name_if_any(row, FORK_WARNING, fork->warning);
	row_end(row);
}

static void put_unread(struct row *row, struct printed *printed, int rc, const struct vmsnap_error *problem)
{
	if (!printed->unread) {
		printed->unread = rc;
		printed->unread_err = *problem;
	}
	if (!row->text->style->json)
		return;
	row_put_count(row, FORK_CHILD, vmsnap_series_forks_at(printed->forks) + 1);
	put_error(row, FORK_ERROR, rc, problem);
	row_end(row);
}

static void note_warning(struct printed *printed, const char *warning)
{
	if (!*printed->warning)
		snprintf(printed->warning, sizeof(printed->warning), "%s", warning);
}

/* Whether there is any is known before anything is written. */
static int next_fork(struct printed *printed, struct vmsnap_error *err)
{
	if (!printed->primed)
		return vmsnap_series_forks_next(printed->forks, err);
	printed->primed = false;
	*err = printed->first_err;
	return printed->first;
}

static int fork_rows(struct row *row, void *ctx, struct vmsnap_error *err)
{
	struct printed *printed = ctx;
	struct vmsnap_error problem = { 0 };
	struct vmsnap_series_fork fork;
	int rc = VMSNAP_OK, next;
	while (!rc && !text_unwanted(row->text) && (next = next_fork(printed, &problem)) != VMSNAP_END) {
		if (next == VMSNAP_ERR_CANCELLED || next == VMSNAP_ERR_NO_MEMORY) {
			if (err)
				*err = problem;
			return next;
		}
		if (next || vmsnap_series_fork(printed->forks, &fork)) {
			put_unread(row, printed, next, &problem);
			continue;
		}
		rc = note_cost(printed, &fork, &row->text->work);
		rc = rc ? work_fail(&row->text->work, rc, err) : VMSNAP_OK;
		note_warning(printed, fork.warning);
		put_fork(row, &fork);
	}
	return rc;
}

static int cost_rows(struct row *row, void *ctx, struct vmsnap_error *err)
{
	const struct printed *printed = ctx;
	(void)err;
	for (size_t i = 0; i < printed->count && !text_failed(row->text); i++) {
		const struct cost *cost = &printed->costs[i];
		row_put_count(row, COST_FORK, i + 1);
		row_put_count(row, COST_PARENT_PID, cost->last.parent_pid);
		row_put_count(row, COST_CHILD_PID, cost->last.child_pid);
		if (cost->last.relation == VMSNAP_RELATION_COMPARABLE) {
			row_put_bytes(row, COST_COST, cost->last.copied);
			row_put_bytes(row, COST_MOST, cost->most);
		}
		const struct fork_when when = when_of(cost);
		row_put_when(row, COST_WHEN, &when);
		row_end(row);
	}
	return VMSNAP_OK;
}

static int fill_document(struct row *document, void *ctx, struct vmsnap_error *err)
{
	int rc = row_rows(document, DOCUMENT_STEPS, fork_rows, ctx, err);
	return rc ? rc : row_rows(document, DOCUMENT_FORKS, cost_rows, ctx, err);
}

/* ---- for people ----------------------------------------------------------------------------- */

static void put_cost(struct text *text, const struct cost *cost, bool only)
{
	struct fit_line line = fit_line(text, 0, 2);
	const struct fork_when when = when_of(cost);
	char words[96];
	if (cost->last.relation != VMSNAP_RELATION_COMPARABLE)
		return;
	if (only)
		snprintf(words, sizeof(words), "this fork cost");
	else
		snprintf(words, sizeof(words), "the fork of %" PRIu32 " from %" PRIu32 " cost", cost->last.child_pid,
		         cost->last.parent_pid);
	fit_words(&line, words);
	fit_piece(&line, word_size(text->style, cost->last.copied).text);
	if (cost->most > cost->last.copied) {
		fit_glue(&line, ",");
		fit_words(&line, "at most");
		fit_piece(&line, word_size(text->style, cost->most).text);
	}
	if (cost->inferred)
		fit_glue(&line, ",");
	fit_words(&line, cost->inferred ? "as far as it can be inferred" : "");
	if (when.known)
		fit_glue(&line, ",");
	put_when(&line, &when);
	text_string(text, "\n");
}

static int put_table(struct text *text, struct printed *printed, struct vmsnap_error *err)
{
	bool bare = text->style->raw || text->style->no_headings;
	int rc = emit_table_once(text, &series_forks_schema, fork_rows, printed, err);
	if (rc || bare)
		return rc;
	if (*printed->warning)
		put_alarm(text, printed->warning);
	if (printed->count)
		text_string(text, "T is the time since the child was made\n");
	for (size_t i = 0; i < printed->count && !text_failed(text); i++)
		put_cost(text, &printed->costs[i], printed->count == 1);
	return rc;
}

VMSNAP_API int vmsnap_print_series_forks(struct vmsnap_series_forks *forks, const struct vmsnap_output *out,
                                         struct vmsnap_error *err)
{
	struct printed printed = { .forks = forks };
	struct text text;
	int rc = text_open(&text, out, err);
	if (rc)
		return rc;
	printed.first = vmsnap_series_forks_next(forks, &printed.first_err);
	printed.primed = true;
	if (printed.first == VMSNAP_END)
		return fail(
		        err, VMSNAP_ERR_NOT_FOUND,
		        "no child is there beside its parent, of one instant: see vmsnap record --on fork, or capture "
		        "--tree");
	if (text.style->json)
		rc = emit_json(&text, "vmsnap.series_forks/1", &series_forks_document_schema, fill_document, &printed,
		               err);
	else
		rc = put_table(&text, &printed, err);
	for (size_t i = 0; i < printed.count; i++)
		free(printed.costs[i].looks);
	free(printed.costs);
	rc = rc ? rc : text_close(&text, err);
	if (!rc && printed.unread && err)
		*err = printed.unread_err;
	return rc ? rc : printed.unread;
}
