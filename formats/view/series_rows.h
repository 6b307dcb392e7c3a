/* series_rows.h - a series, gone over once: what is shown of it.  Lines of one name are one column; of each is kept
 * where it changed, not what it was at every step. */
#ifndef VMSNAP_SERIES_ROWS_H
#define VMSNAP_SERIES_ROWS_H

#include "arena.h"
#include "vmsnap.h"
#include "work.h"

/* Bytes from a row on. */
struct series_point {
	uint32_t row;
	uint64_t bytes; /* SERIES_ABSENT: there is no such line */
};
#define SERIES_ABSENT UINT64_MAX
struct series_column {
	char *name; /* raw bytes */
	struct series_point *points;
	size_t count, capacity;
	uint64_t first, last, peak, low; /* 0 where it is absent */
	bool first_unread, last_unread;  /* these are the least that it was; */
	bool some_unread;                /* or some in between */
	uint32_t next;                   /* 1 + the next one with the same hash */
	/* Of the step that is read: */
	uint64_t now;
	uint32_t live, came, went;
	bool touched, unread;
};
/* What changed most in a step. */
enum { SERIES_TOP = 3 };
struct series_change {
	uint32_t column;
	uint32_t came, went; /* mappings */
	bool less, all_new, gone;
	uint64_t bytes;
};
struct series_row {
	size_t index; /* of its snapshot */
	uint32_t pid;
	int relation;
	bool elapsed_known, first; /* first: there is none of its process before */
	int64_t taken;
	uint64_t elapsed;
	uint64_t counted, counted_before; /* resident, or size */
	uint64_t swapped;
	/* Of these bytes nobody could tell whether they are resident, and of these whether they were. */
	uint64_t unread, unread_before;
	uint32_t came, went, moved; /* lines in all */
	uint32_t top_count;
	struct series_change top[SERIES_TOP];
	bool watched; /* page faults are kept with it */
	bool blamed;  /* and what became of pages is known */
	uint64_t faults, lost;
	struct series_by {
		const char *function, *syscall;
		bool in_kernel;
		uint64_t bytes;
	} by[SERIES_TOP]; /* copied, made and wrote the most */
};
struct series_rows {
	int by;
	uint64_t min; /* what changes by less is not told in a row */
	struct series_column *columns;
	size_t column_count, column_room;
	uint32_t *buckets; /* as many as column_room */
	struct series_row *rows;
	size_t row_count, row_capacity;
	uint32_t *touched, *touched_before; /* columns */
	size_t touched_count, touched_capacity, touched_before_count, touched_before_capacity;
	size_t unread; /* snapshots */
	int unread_rc; /* of the first of them */
	struct vmsnap_error unread_err;
	uint64_t span; /* ns, of all elapsed times that are known */
	bool one_day;
	bool sizes;   /* what is counted: they are of core files */
	bool watched; /* one of them at least */
	struct arena strings;
	struct work *work;
};
/* Goes over the series.  What cannot be read is counted. */
int series_rows_read(struct series_rows *rows, struct vmsnap_series *series, int by, uint64_t min, struct work *work,
                     struct vmsnap_error *err);
void series_rows_free(struct series_rows *rows);

/* By how much it grew at the most; those that did not are in the order of how much they shrank. */
int series_column_order(const struct series_column *a, const struct series_column *b);
static inline uint64_t series_column_growth(const struct series_column *column)
{
	return column->peak - column->first;
}
static inline uint64_t series_column_change(const struct series_column *column)
{
	return column->peak - column->low;
}

/* Reads a column row by row, from *at == 0 on. */
uint64_t series_column_at(const struct series_column *column, size_t row, size_t *at);

#endif
