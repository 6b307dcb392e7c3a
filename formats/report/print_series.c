/* print_series.c - snapshots in time: vmsnap_print_series(). */
#include <inttypes.h>
#include <string.h>

#include "emitter.h"
#include "error.h"
#include "error_record.h"
#include "rate.h"
#include "schemas.h"
#include "series_faults.h"
#include "series_table.h"
#include "snapshot_record.h"
#include "sums.h"
#include "text_limit.h"

enum {
	LINE_ID,
	LINE_NAME,
	LINE_PID,
	LINE_START,
	LINE_END,
	LINE_MAPPINGS,
	LINE_BYTES,
	LINE_DELTA,
	LINE_SIZE,
	LINE_RESIDENT,
	LINE_SWAPPED,
	LINE_EXCLUSIVE,
	LINE_CHANGES,
	LINE_MOVED_FROM,
	LINE_INTO,
};
static const struct column line_columns[] = {
	[LINE_ID] = { "id", .type = COLUMN_COUNT },
	[LINE_NAME] = { "name", .type = COLUMN_NAME },
	[LINE_PID] = { "pid", .type = COLUMN_COUNT },
	[LINE_START] = { "start", .type = COLUMN_ADDRESS },
	[LINE_END] = { "end", .type = COLUMN_ADDRESS },
	[LINE_MAPPINGS] = { "mappings", .type = COLUMN_COUNT },
	[LINE_BYTES] = { "bytes", .type = COLUMN_BYTES },
	[LINE_DELTA] = { "delta", .type = COLUMN_DELTA },
	[LINE_SIZE] = { "size", .type = COLUMN_BYTES },
	[LINE_RESIDENT] = { "resident", .type = COLUMN_BYTES },
	[LINE_SWAPPED] = { "swapped", .type = COLUMN_BYTES },
	[LINE_EXCLUSIVE] = { "exclusive", .type = COLUMN_BYTES },
	[LINE_CHANGES] = { "changes", .type = COLUMN_FLAGS },
	[LINE_MOVED_FROM] = { "moved_from", .type = COLUMN_ADDRESS },
	[LINE_INTO] = { "into", .type = COLUMN_COUNT },
};
static const struct row_schema line_schema = ROW_SCHEMA(line_columns);

enum {
	BY_FUNCTION,
	BY_SYSCALL,
	BY_COPIED,
	BY_NEW,
	BY_WRITTEN,
	BY_FAULTS,
};
static const struct column by_columns[] = {
	[BY_FUNCTION] = { "function", .type = COLUMN_NAME }, [BY_SYSCALL] = { "syscall", .type = COLUMN_NAME },
	[BY_COPIED] = { "copied", .type = COLUMN_BYTES },    [BY_NEW] = { "new", .type = COLUMN_BYTES },
	[BY_WRITTEN] = { "written", .type = COLUMN_BYTES },  [BY_FAULTS] = { "faults", .type = COLUMN_COUNT },
};
static const struct row_schema by_schema = ROW_SCHEMA(by_columns);

enum {
	BLAME_FAULTS,
	BLAME_LOST,
	BLAME_COPIED,
	BLAME_NEW,
	BLAME_WRITTEN,
	BLAME_UNSEEN_BYTES,
	BLAME_SEVERAL_BYTES,
	BLAME_FUNCTIONS,
};
static const struct column blame_columns[] = {
	[BLAME_FAULTS] = { "faults", .type = COLUMN_COUNT },
	[BLAME_LOST] = { "lost", .type = COLUMN_COUNT },
	[BLAME_COPIED] = { "copied", .type = COLUMN_BYTES },
	[BLAME_NEW] = { "new", .type = COLUMN_BYTES },
	[BLAME_WRITTEN] = { "written", .type = COLUMN_BYTES },
	[BLAME_UNSEEN_BYTES] = { "unseen", .type = COLUMN_BYTES },
	[BLAME_SEVERAL_BYTES] = { "several", .type = COLUMN_BYTES },
	[BLAME_FUNCTIONS] = { "functions", .type = COLUMN_RECORDS, .of = &by_schema },
};
static const struct row_schema blame_step_schema = ROW_SCHEMA(blame_columns);

enum {
	STEP_SNAPSHOT,
	STEP_SNAPSHOTS,
	STEP_TAKEN,
	STEP_PID,
	STEP_COMM,
	STEP_LABEL,
	STEP_FIRST,
	STEP_ELAPSED,
	STEP_NOT_COMPARED,
	STEP_MAPPINGS,
	STEP_SIZE,
	STEP_RESIDENT,
	STEP_SWAPPED,
	STEP_EXCLUSIVE,
	STEP_DELTA,
	STEP_RATE,
	STEP_LINES,
	STEP_BLAME,
	STEP_ERROR,
};
static const struct column step_columns[] = {
	[STEP_SNAPSHOT] = { "snapshot", .type = COLUMN_COUNT },
	[STEP_SNAPSHOTS] = { "snapshots", .type = COLUMN_COUNT },
	[STEP_TAKEN] = { "taken", .type = COLUMN_TIME },
	[STEP_PID] = { "pid", .type = COLUMN_COUNT },
	[STEP_COMM] = { "comm", .type = COLUMN_NAME },
	[STEP_LABEL] = { "label", .type = COLUMN_NAME },
	[STEP_FIRST] = { "first", .type = COLUMN_BOOL },
	[STEP_ELAPSED] = { "elapsed_us", .type = COLUMN_DURATION },
	[STEP_NOT_COMPARED] = { "not_compared", .type = COLUMN_WORD },
	[STEP_MAPPINGS] = { "mappings", .type = COLUMN_COUNT },
	[STEP_SIZE] = { "size", .type = COLUMN_BYTES },
	[STEP_RESIDENT] = { "resident", .type = COLUMN_BYTES },
	[STEP_SWAPPED] = { "swapped", .type = COLUMN_BYTES },
	[STEP_EXCLUSIVE] = { "exclusive", .type = COLUMN_BYTES },
	[STEP_DELTA] = { "delta", .type = COLUMN_DELTA },
	[STEP_RATE] = { "rate", .type = COLUMN_DELTA },
	[STEP_LINES] = { "lines", .type = COLUMN_RECORDS, .of = &line_schema },
	[STEP_BLAME] = { "blame", .type = COLUMN_RECORD, .of = &blame_step_schema },
	[STEP_ERROR] = { "error", .type = COLUMN_RECORD, .of = &error_schema },
};
static const struct row_schema step_schema = ROW_SCHEMA(step_columns);

enum { DOCUMENT_BY, DOCUMENT_MIN, DOCUMENT_SNAPSHOTS };
static const struct column document_columns[] = {
	[DOCUMENT_BY] = { "by", .type = COLUMN_WORD },
	[DOCUMENT_MIN] = { "min", .type = COLUMN_BYTES },
	[DOCUMENT_SNAPSHOTS] = { "snapshots", .type = COLUMN_ROWS, .of = &step_schema },
};
const struct row_schema series_document_schema = ROW_SCHEMA(document_columns);

struct printed {
	struct vmsnap_series *series;
	int by;
	uint64_t min;
	struct vmsnap_series_step step; /* the one that is being told */
	int unread;                     /* the code of the first snapshot that cannot be read */
	struct vmsnap_error unread_err;
};

/* ---- JSON ------------------------------------------------------------------------------------ */

static void put_delta(struct row *row, unsigned column, uint64_t before, uint64_t now)
{
	row_put_delta(row, column, now < before, now < before ? before - now : now - before);
}

/* One of them is the least that it was, and so nobody can tell how it changed. */
static bool is_unread(const struct vmsnap_series_step *step, const struct vmsnap_sums *sums,
                      const struct vmsnap_sums *before)
{
	return sums_unread(step->snap, sums) || (step->before && sums_unread(step->before, before));
}

static const char *change_name(int bit)
{
	return vmsnap_vma_change_name(bit);
}

/* Of a new process, or program, all are told. */
static bool is_told(const struct printed *printed, const struct vmsnap_series_line *line)
{
	uint64_t change =
	        line->bytes > line->bytes_before ? line->bytes - line->bytes_before : line->bytes_before - line->bytes;
	return !printed->step.before || line->changes || (change && change >= printed->min);
}

/* What is resident, in swap, and nobody else's; of a core file nobody knows. */
static void put_resident(struct row *row, unsigned first, const struct vmsnap *snap, const struct vmsnap_sums *sums)
{
	if (vmsnap_info(snap)->known.states_unknown)
		return;
	row_put_bytes_least(row, first, sums->resident, sums_unread(snap, sums));
	row_put_bytes_least(row, first + 1, sums->swapped, sums->swap_unknown + sums->swapped_unknown);
	row_put_bytes_least(row, first + 2, sums->exclusive, sums->exclusive_unknown);
}

static void put_line(struct row *row, const struct printed *printed, const struct vmsnap_series_line *line)
{
	bool went = line->changes & 1u << VMSNAP_VMA_CHANGE_REMOVED, mapping = printed->by == VMSNAP_SERIES_BY_MAPPING;
	row_put_count(row, LINE_ID, line->id);
	row_put_name_if_any(row, LINE_NAME, line->name);
	row_put_count(row, LINE_PID, line->pid);
	if (mapping) {
		row_put_address(row, LINE_START, line->start);
		row_put_address(row, LINE_END, line->end);
	}
	row_put_count(row, LINE_MAPPINGS, went ? 0 : line->vmas);
	row_put_bytes(row, LINE_BYTES, line->bytes);
	if (!is_unread(&printed->step, &line->sums, &line->sums_before))
		put_delta(row, LINE_DELTA, line->bytes_before, line->bytes);
	if (printed->by != VMSNAP_SERIES_BY_STATE) {
		row_put_bytes(row, LINE_SIZE, line->sums.size);
		put_resident(row, LINE_RESIDENT, printed->step.snap, &line->sums);
	}
	row_put_flags(row, LINE_CHANGES, line->changes, 0, change_name);
	if (line->from != line->start)
		row_put_address(row, LINE_MOVED_FROM, line->from);
	if (line->into)
		row_put_count(row, LINE_INTO, line->into);
	row_end(row);
}

static int line_rows(struct row *row, void *ctx, struct vmsnap_error *err)
{
	const struct printed *printed = ctx;
	struct vmsnap_series_line line;
	(void)err;
	for (size_t i = 0; !text_failed(row->text) && !vmsnap_series_line(printed->series, i, &line); i++)
		if (is_told(printed, &line))
			put_line(row, printed, &line);
	return VMSNAP_OK;
}

static int by_rows(struct row *row, void *ctx, struct vmsnap_error *err)
{
	const struct series_faults *faults = ctx;
	(void)err;
	for (size_t i = 0; i < faults->by_count; i++) {
		const struct series_blamed *by = &faults->by[i];
		row_put_name_if_any(row, BY_FUNCTION, by->function);
		row_put_name_if_any(row, BY_SYSCALL, by->syscall);
		row_put_bytes(row, BY_COPIED, by->copied);
		row_put_bytes(row, BY_NEW, by->made);
		row_put_bytes(row, BY_WRITTEN, by->written);
		row_put_count(row, BY_FAULTS, by->faults);
		row_end(row);
	}
	return VMSNAP_OK;
}

static int put_sums(struct row *row, struct series_faults *faults, struct vmsnap_error *err)
{
	row_put_count(row, BLAME_FAULTS, faults->seen);
	row_put_count_known(row, BLAME_LOST, faults->lost, faults->lost != UINT64_MAX);
	row_put_bytes_known(row, BLAME_COPIED, faults->copied, faults->known);
	row_put_bytes_known(row, BLAME_NEW, faults->made, faults->known);
	row_put_bytes_known(row, BLAME_WRITTEN, faults->written, faults->known);
	row_put_bytes_known(row, BLAME_UNSEEN_BYTES, faults->unseen, faults->known);
	row_put_bytes_known(row, BLAME_SEVERAL_BYTES, faults->several, faults->known);
	return row_rows(row, BLAME_FUNCTIONS, by_rows, faults, err);
}

static int put_blame(struct row *row, const struct printed *printed, struct vmsnap_error *err)
{
	struct arena strings = { 0 };
	CLEANUP_FREE struct series_faults *faults = malloc(sizeof(*faults));
	int rc = faults ? series_faults_read(faults, printed->series, &strings, &row->text->work, err)
	                : fail_no_memory(err);
	if (!rc && faults->there) {
		struct row record = row_open(row, STEP_BLAME);
		rc = put_sums(&record, faults, err);
		row_end(&record);
	}
	arena_free(&strings);
	return rc;
}

static int put_step(struct row *row, struct printed *printed, struct vmsnap_error *err)
{
	const struct vmsnap_series_step *step = &printed->step;
	const struct vmsnap_info *info = vmsnap_info(step->snap);
	const struct vmsnap_sums *sums = &step->sums;
	row_put_count(row, STEP_SNAPSHOT, step->index + 1);
	row_put_count(row, STEP_SNAPSHOTS, step->snapshots);
	row_put_time(row, STEP_TAKEN, info->taken);
	row_put_count(row, STEP_PID, info->pid);
	row_put_name_if_any(row, STEP_COMM, info->comm);
	row_put_name_if_any(row, STEP_LABEL, info->label);
	row_put_bool(row, STEP_FIRST, !step->before);
	if (step->elapsed_known)
		row_put_duration(row, STEP_ELAPSED, step->elapsed);
	put_not_compared(row, STEP_NOT_COMPARED, step->relation);
	row_put_count(row, STEP_MAPPINGS, step->vmas);
	row_put_bytes(row, STEP_SIZE, sums->size);
	put_resident(row, STEP_RESIDENT, step->snap, sums);
	uint64_t before = sums_counted(step->snap, &step->sums_before), now = sums_counted(step->snap, sums);
	bool known = step->before && !is_unread(step, sums, &step->sums_before);
	if (known)
		put_delta(row, STEP_DELTA, before, now);
	if (known && step->elapsed_known && step->elapsed)
		row_put_delta(row, STEP_RATE, now < before,
		              rate_of(now < before ? before - now : now - before, step->elapsed));
	int rc = row_rows(row, STEP_LINES, line_rows, printed, err);
	rc = rc ? rc : put_blame(row, printed, err);
	row_end(row);
	return rc;
}

static void put_unread(struct row *row, struct printed *printed, int rc, const struct vmsnap_error *problem)
{
	if (!printed->unread) {
		printed->unread = rc;
		printed->unread_err = *problem;
	}
	row_put_count(row, STEP_SNAPSHOT, vmsnap_series_at(printed->series) + 1);
	put_error(row, STEP_ERROR, rc, problem);
	row_end(row);
}

static int step_rows(struct row *row, void *ctx, struct vmsnap_error *err)
{
	struct printed *printed = ctx;
	struct vmsnap_error problem = { 0 };
	int rc = VMSNAP_OK, next;
	while (!rc && !text_unwanted(row->text) &&
	       (next = vmsnap_series_next(printed->series, &problem)) != VMSNAP_END) {
		if (next == VMSNAP_ERR_CANCELLED || next == VMSNAP_ERR_NO_MEMORY) {
			if (err)
				*err = problem;
			return next;
		}
		if (next) {
			put_unread(row, printed, next, &problem);
			continue;
		}
		rc = vmsnap_series_step(printed->series, &printed->step);
		rc = rc ? rc : put_step(row, printed, err);
	}
	return rc;
}

static int fill_document(struct row *document, void *ctx, struct vmsnap_error *err)
{
	struct printed *printed = ctx;
	row_put_word(document, DOCUMENT_BY, vmsnap_series_by_name(printed->by));
	row_put_bytes(document, DOCUMENT_MIN, printed->min);
	return row_rows(document, DOCUMENT_SNAPSHOTS, step_rows, printed, err);
}

/* ---- all ---------------------------------------------------------------------------------------- */

/* Their mappings would be in one column. */
static int check_processes(const struct vmsnap_series *series, int by, struct vmsnap_error *err)
{
	struct vmsnap_series_process first, other;
	char some[160];
	size_t used = 0, count = vmsnap_series_process_count(series), told = 0;
	bool several = false;
	if (by == VMSNAP_SERIES_BY_PROCESS || vmsnap_series_process(series, 0, &first))
		return VMSNAP_OK;
	for (size_t i = 0; !vmsnap_series_process(series, i, &other); i++) {
		several |= other.pid != first.pid;
		if (used < sizeof(some) - 40)
			used += (size_t)snprintf(some + used, sizeof(some) - used, "%s%" PRIu32 " (%.16s)",
			                         told++ ? ", " : "", other.pid, other.comm);
	}
	if (!several)
		return VMSNAP_OK;
	return fail(err, VMSNAP_ERR_ARGUMENT,
	            "there are %zu processes: %s%s; choose one, as in FILE@pid:%" PRIu32 ", or have a column for each: "
	            "--by process",
	            count, some, told < count ? ", ..." : "", first.pid);
}

VMSNAP_API int vmsnap_print_series(struct vmsnap_series *series, uint64_t min, const struct vmsnap_output *out,
                                   struct vmsnap_error *err)
{
	struct printed printed = { .series = series, .by = vmsnap_series_by(series), .min = min };
	struct text text;
	int rc = text_open(&text, out, err);
	rc = rc || text.style->json ? rc : check_processes(series, printed.by, err);
	if (rc)
		return rc;
	if (text.style->json)
		rc = emit_json(&text, "vmsnap.series/1", &series_document_schema, fill_document, &printed, err);
	else
		rc = put_series_table(&text, series, printed.by, min, &printed.unread, &printed.unread_err, err);
	rc = rc ? rc : text_close(&text, err);
	if (!rc && printed.unread && err)
		*err = printed.unread_err;
	return rc ? rc : printed.unread;
}
