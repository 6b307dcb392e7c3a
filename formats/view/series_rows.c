#include "series_rows.h"

#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "series_faults.h"
#include "sums.h"

/* ---- columns by name -------------------------------------------------------------------- */

static size_t bucket_of(const struct series_rows *rows, const char *name)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);
	for (; *name; name++)
		hash = (hash ^ (unsigned char)*name) * UINT64_C(0x100000001b3);
	return (size_t)(hash ^ hash >> 32) & (rows->column_room - 1);
}

static void put_in_bucket(struct series_rows *rows, size_t index)
{
	uint32_t *bucket = &rows->buckets[bucket_of(rows, rows->columns[index].name)];
	rows->columns[index].next = *bucket;
	*bucket = (uint32_t)index + 1;
}

static int grow(struct series_rows *rows)
{
	int rc = VMSNAP_OK;
	size_t room = rows->column_room ? 2 * rows->column_room : 64;
	if (room > UINT32_MAX / 2)
		return VMSNAP_ERR_TOO_LARGE;
	struct series_column *columns = work_array(rows->work, room, sizeof(*columns), &rc);
	uint32_t *buckets = work_array(rows->work, room, sizeof(*buckets), &rc);
	if (rc) {
		work_free(rows->work, columns, room, sizeof(*columns));
		return rc;
	}
	if (rows->column_count)
		memcpy(columns, rows->columns, rows->column_count * sizeof(*columns));
	work_free(rows->work, rows->columns, rows->column_room, sizeof(*columns));
	work_free(rows->work, rows->buckets, rows->column_room, sizeof(*buckets));
	rows->columns = columns;
	rows->buckets = buckets;
	rows->column_room = room;
	for (size_t i = 0; i < rows->column_count; i++)
		put_in_bucket(rows, i);
	return VMSNAP_OK;
}

static int find_column(struct series_rows *rows, const char *name, uint32_t *out)
{
	int rc = VMSNAP_OK;
	uint32_t at = rows->column_room ? rows->buckets[bucket_of(rows, name)] : 0;
	for (; at; at = rows->columns[at - 1].next)
		if (!strcmp(rows->columns[at - 1].name, name))
			break;
	if (!at) {
		size_t len = strlen(name) + 1;
		rc = rows->column_count == rows->column_room ? grow(rows) : VMSNAP_OK;
		rc = rc ? rc : work_charge(rows->work, len);
		char *copy = rc ? NULL : malloc(len);
		if (!copy)
			return rc ? rc : VMSNAP_ERR_NO_MEMORY;
		memcpy(copy, name, len);
		rows->columns[rows->column_count++] = (struct series_column){ .name = copy };
		put_in_bucket(rows, rows->column_count - 1);
		at = (uint32_t)rows->column_count;
	}
	*out = at - 1;
	return VMSNAP_OK;
}

/* ---- one step ------------------------------------------------------------------------------ */

static const char *name_of(const struct series_rows *rows, const struct vmsnap_series_line *line, char *room,
                           size_t size)
{
	if (rows->by == VMSNAP_SERIES_BY_PROCESS) {
		snprintf(room, size, "%u %s", (unsigned)line->pid, line->name);
		return room;
	}
	return *line->name ? line->name : "anonymous";
}

static int touch(struct series_rows *rows, uint32_t index)
{
	int rc = VMSNAP_OK;
	struct series_column *column = &rows->columns[index];
	if (column->touched)
		return rc;
	if (!WORK_ROOM(rows->work, rows->touched, rows->touched_count, &rows->touched_capacity, &rc))
		return rc;
	rows->touched[rows->touched_count++] = index;
	column->touched = true;
	column->now = 0;
	column->live = column->came = column->went = 0;
	column->unread = false;
	return rc;
}

static int add_line(struct series_rows *rows, const struct vmsnap *snap, const struct vmsnap_series_line *line,
                    struct series_row *row)
{
	char room[96];
	uint32_t index;
	int rc = find_column(rows, name_of(rows, line, room, sizeof(room)), &index);
	rc = rc ? rc : touch(rows, index);
	if (rc)
		return rc;
	struct series_column *column = &rows->columns[index];
	bool went = line->changes & 1u << VMSNAP_VMA_CHANGE_REMOVED;
	bool came = line->changes & 1u << VMSNAP_VMA_CHANGE_ADDED;
	bool there = !went && (line->vmas || line->bytes);
	column->now += went ? 0 : line->bytes;
	column->live += there;
	column->unread |= there && sums_unread(snap, &line->sums);
	column->came += came;
	/* What became a part of another has not gone. */
	column->went += went && !line->into;
	row->came += came;
	row->went += went && !line->into;
	row->moved += (line->changes & 1u << VMSNAP_VMA_CHANGE_MOVED) != 0;
	return rc;
}

/* Keeps the largest. */
static void add_change(struct series_row *row, const struct series_change *change)
{
	uint32_t at = row->top_count;
	for (; at && change->bytes > row->top[at - 1].bytes; at--)
		if (at < SERIES_TOP)
			row->top[at] = row->top[at - 1];
	if (at < SERIES_TOP)
		row->top[at] = *change;
	row->top_count += row->top_count < SERIES_TOP;
}

static int add_point(struct series_rows *rows, struct series_column *column, uint64_t bytes)
{
	int rc = VMSNAP_OK;
	if (!WORK_ROOM(rows->work, column->points, column->count, &column->capacity, &rc))
		return rc;
	column->points[column->count++] = (struct series_point){ (uint32_t)rows->row_count, bytes };
	return rc;
}

static int end_column(struct series_rows *rows, uint32_t index, struct series_row *row)
{
	struct series_column *column = &rows->columns[index];
	uint64_t before = column->last, now = column->touched && column->live ? column->now : SERIES_ABSENT;
	bool begins = !column->count, unread = column->touched && column->unread;
	uint64_t last = begins ? SERIES_ABSENT : column->points[column->count - 1].bytes;
	int rc = begins || last != now ? add_point(rows, column, now) : VMSNAP_OK;
	if (rc)
		return rc;
	uint64_t bytes = now == SERIES_ABSENT ? 0 : now;
	/* What came later was not there in the beginning. */
	if (begins) {
		bool there = row->first && !rows->row_count;
		column->first = column->peak = column->low = there ? bytes : 0;
		column->first_unread = there && unread;
	}
	/* Between two of which one is the least that it was, nobody can tell how it changed. */
	bool known = !unread && !column->last_unread;
	column->last = bytes;
	column->last_unread = unread;
	column->some_unread |= unread;
	column->peak = bytes > column->peak ? bytes : column->peak;
	column->low = bytes < column->low ? bytes : column->low;
	struct series_change change = { .column = index,
		                        .came = column->came,
		                        .went = column->went,
		                        .less = bytes < before,
		                        .all_new = column->came && column->came == column->live,
		                        .gone = column->went && !column->live,
		                        .bytes = bytes < before ? before - bytes : bytes - before };
	bool told = known && change.bytes && change.bytes >= rows->min;
	if (told && !row->first)
		add_change(row, &change);
	return VMSNAP_OK;
}

static void swap_touched(struct series_rows *rows)
{
	uint32_t *items = rows->touched;
	size_t count = rows->touched_count, capacity = rows->touched_capacity;
	rows->touched = rows->touched_before;
	rows->touched_capacity = rows->touched_before_capacity;
	rows->touched_before = items;
	rows->touched_before_count = count;
	rows->touched_before_capacity = capacity;
	rows->touched_count = 0;
}

/* Columns of this step, and those of the one before that have nothing in this one. */
static int end_columns(struct series_rows *rows, struct series_row *row)
{
	int rc = VMSNAP_OK;
	for (size_t i = 0; !rc && i < rows->touched_count; i++)
		rc = end_column(rows, rows->touched[i], row);
	for (size_t i = 0; !rc && i < rows->touched_before_count; i++)
		if (!rows->columns[rows->touched_before[i]].touched)
			rc = end_column(rows, rows->touched_before[i], row);
	for (size_t i = 0; i < rows->touched_count; i++)
		rows->columns[rows->touched[i]].touched = false;
	swap_touched(rows);
	return rc;
}

static int add_row(struct series_rows *rows, const struct series_row *row)
{
	int rc = VMSNAP_OK;
	if (!WORK_ROOM(rows->work, rows->rows, rows->row_count, &rows->row_capacity, &rc))
		return rc;
	rows->rows[rows->row_count++] = *row;
	return rc;
}

static int add_faults(struct series_rows *rows, const struct vmsnap_series *series, struct series_row *row,
                      struct vmsnap_error *err)
{
	CLEANUP_FREE struct series_faults *faults = malloc(sizeof(*faults));
	int rc = faults ? series_faults_read(faults, series, &rows->strings, rows->work, err) : VMSNAP_ERR_NO_MEMORY;
	if (rc || !faults->there)
		return rc;
	rows->watched = row->watched = true;
	row->blamed = faults->known;
	row->faults = faults->seen;
	row->lost = faults->lost;
	for (size_t i = 0; i < faults->by_count && i < SERIES_TOP; i++) {
		const struct series_blamed *by = &faults->by[i];
		row->by[i] = (struct series_by){ by->function, by->syscall, by->in_kernel,
			                         by->copied + by->made + by->written };
	}
	return VMSNAP_OK;
}

static int add_step(struct series_rows *rows, const struct vmsnap_series *series, struct vmsnap_error *err)
{
	struct vmsnap_series_step step;
	struct vmsnap_series_line line;
	int rc = vmsnap_series_step(series, &step);
	struct series_row row = { .index = step.index,
		                  .pid = vmsnap_info(step.snap)->pid,
		                  .relation = step.relation,
		                  .elapsed_known = step.elapsed_known,
		                  .elapsed = step.elapsed,
		                  .taken = vmsnap_info(step.snap)->taken,
		                  .counted = sums_counted(step.snap, &step.sums),
		                  .unread = sums_unread(step.snap, &step.sums),
		                  .unread_before = step.before ? sums_unread(step.before, &step.sums_before) : 0,
		                  .counted_before = sums_counted(step.snap, &step.sums_before),
		                  .swapped = step.sums.swapped,
		                  .first = !step.before };
	for (size_t i = 0; !rc && !vmsnap_series_line(series, i, &line); i++) {
		rc = add_line(rows, step.snap, &line, &row);
		rc = rc ? rc : work_step(rows->work);
	}
	rows->sizes = vmsnap_info(step.snap)->known.states_unknown;
	rows->span += step.elapsed_known ? step.elapsed : 0;
	rc = rc ? rc : end_columns(rows, &row);
	rc = rc ? rc : add_faults(rows, series, &row, err);
	return rc ? rc : add_row(rows, &row);
}

static bool goes_on(int rc)
{
	return rc != VMSNAP_ERR_CANCELLED && rc != VMSNAP_ERR_NO_MEMORY;
}

int series_rows_read(struct series_rows *rows, struct vmsnap_series *series, int by, uint64_t min, struct work *work,
                     struct vmsnap_error *err)
{
	struct vmsnap_error problem = { 0 };
	int rc;
	*rows = (struct series_rows){ .by = by, .min = min, .work = work };
	while ((rc = vmsnap_series_next(series, &problem)) != VMSNAP_END) {
		if (rc && !goes_on(rc)) {
			if (err)
				*err = problem;
			return rc;
		}
		if (rc && !rows->unread++) {
			rows->unread_rc = rc;
			rows->unread_err = problem;
		}
		if (!rc && work->limit == WORK_UNLIMITED) {
			struct vmsnap_series_step step;
			vmsnap_series_step(series, &step);
			work->limit = vmsnap_memory_left(&step.snap, 1);
		}
		rc = rc ? VMSNAP_OK : add_step(rows, series, err);
		if (rc)
			return work_fail(work, rc, err);
	}
	return VMSNAP_OK;
}

void series_rows_free(struct series_rows *rows)
{
	for (size_t i = 0; i < rows->column_count; i++) {
		free(rows->columns[i].name);
		free(rows->columns[i].points);
	}
	free(rows->columns);
	free(rows->buckets);
	free(rows->rows);
	free(rows->touched);
	free(rows->touched_before);
	arena_free(&rows->strings);
}

/* ---- reading it ---------------------------------------------------------------------------- */

int series_column_order(const struct series_column *a, const struct series_column *b)
{
	uint64_t grown_a = series_column_growth(a), grown_b = series_column_growth(b);
	if (grown_a != grown_b)
		return grown_a > grown_b ? -1 : 1;
	uint64_t change_a = series_column_change(a), change_b = series_column_change(b);
	if (change_a != change_b)
		return change_a > change_b ? -1 : 1;
	if (a->peak != b->peak)
		return a->peak > b->peak ? -1 : 1;
	return strcmp(a->name, b->name);
}

uint64_t series_column_at(const struct series_column *column, size_t row, size_t *at)
{
	while (*at < column->count && column->points[*at].row <= row)
		++*at;
	return *at ? column->points[*at - 1].bytes : SERIES_ABSENT;
}
