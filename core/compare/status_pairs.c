#include "status_pairs.h"

#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "spare.h"
#include "status.h"

/* Eight bytes a line: a file of kilobytes may say millions. */
struct line {
	uint32_t at;
	uint32_t partner; /* in the other text, or STATUS_NO_LINE */
};
struct lines {
	const struct vmsnap *snap;
	struct line *items;
	size_t count;
};

static size_t count_lines(const struct vmsnap *snap, struct work *work, int *rc)
{
	struct cursor c = status_begin(snap);
	struct vmsnap_status_field field;
	size_t count = 0;
	while (!*rc && status_next(&c, &field)) {
		count++;
		*rc = work_step(work);
	}
	return count;
}

static int read_lines(const struct vmsnap *snap, struct work *work, struct lines *out)
{
	struct cursor c = status_begin(snap);
	struct vmsnap_status_field field;
	int rc = snap->status_len < UINT32_MAX ? VMSNAP_OK : VMSNAP_ERR_TOO_LARGE;
	*out = (struct lines){ .snap = snap };
	size_t count = rc ? 0 : count_lines(snap, work, &rc);
	out->items = work_array(work, count, sizeof(*out->items), &rc);
	for (; !rc && out->count < count && status_next(&c, &field); rc = work_step(work)) {
		uint32_t at = (uint32_t)(field.key - snap->status);
		out->items[out->count++] = (struct line){ at, STATUS_NO_LINE };
	}
	return rc;
}

/* ---- which belong together ------------------------------------------------------------ */

static struct vmsnap_status_field field_at(const struct vmsnap *snap, uint32_t at)
{
	struct vmsnap_status_field field = { 0 };
	struct cursor c = { snap->status + at, snap->status + snap->status_len };
	if (at != STATUS_NO_LINE)
		(void)status_next(&c, &field);
	return field;
}

/* No further than both are the same, for a file may have a key of megabytes among thousands
 * of short ones: what is sorted then costs no more than the bytes there are, at each merge. */
static int key_order(const struct vmsnap *snap_a, const struct line *a, const struct vmsnap *snap_b,
                     const struct line *b, struct work *work)
{
	enum { STEP_BYTES = 64 };
	const char *key_a = snap_a->status + a->at, *key_b = snap_b->status + b->at;
	size_t same = 0;
	/* Each has a colon behind it. */
	while (key_a[same] == key_b[same] && key_a[same] != ':')
		same++;
	work_count(work, same / STEP_BYTES);
	if (key_a[same] == key_b[same])
		return 0;
	if (key_a[same] == ':' || key_b[same] == ':')
		return key_a[same] == ':' ? -1 : 1;
	return (unsigned char)key_a[same] < (unsigned char)key_b[same] ? -1 : 1;
}

struct sorting {
	const struct vmsnap *snap;
	struct work *work;
};

static int by_key(const void *x, const void *y, const void *ctx)
{
	const struct line *a = x, *b = y;
	const struct sorting *sorting = ctx;
	return key_order(sorting->snap, a, sorting->snap, b, sorting->work);
}

static int by_place(const void *x, const void *y, const void *ctx)
{
	const struct line *a = x, *b = y;
	(void)ctx;
	return (a->at > b->at) - (a->at < b->at);
}

/* Merges two lists sorted by key. */
static int pair_up(const struct lines *a, const struct lines *b, struct work *work)
{
	int rc = VMSNAP_OK;
	for (size_t i = 0, j = 0; !rc && i < a->count && j < b->count; rc = work_step(work)) {
		int order = key_order(a->snap, &a->items[i], b->snap, &b->items[j], work);
		if (!order) {
			a->items[i].partner = b->items[j].at;
			b->items[j].partner = a->items[i].at;
		}
		i += order <= 0;
		j += order >= 0;
	}
	return rc;
}

static int sort_lines(const struct lines *lines, work_order_fn order, struct work *work)
{
	const struct sorting sorting = { lines->snap, work };
	return work_sort(work, lines->items, lines->count, sizeof(*lines->items), order, &sorting);
}

static int find_partners(const struct lines *a, const struct lines *b, struct work *work)
{
	int rc = sort_lines(a, by_key, work);
	rc = rc ? rc : sort_lines(b, by_key, work);
	rc = rc ? rc : pair_up(a, b, work);
	rc = rc ? rc : sort_lines(a, by_place, work);
	return rc ? rc : sort_lines(b, by_place, work);
}

static int tell_all(const struct lines *a, const struct lines *b, struct work *work, status_pair_fn fn, void *ctx)
{
	int rc = VMSNAP_OK;
	for (size_t i = 0; !rc && i < a->count; i++) {
		rc = fn(ctx, (struct status_pair){ a->items[i].at, a->items[i].partner });
		rc = rc ? rc : work_step(work);
	}
	for (size_t i = 0; !rc && i < b->count; i++) {
		if (b->items[i].partner == STATUS_NO_LINE)
			rc = fn(ctx, (struct status_pair){ STATUS_NO_LINE, b->items[i].at });
		rc = rc ? rc : work_step(work);
	}
	return rc;
}

int status_pairs_each(const struct vmsnap *a, const struct vmsnap *b, struct work *work, status_pair_fn fn, void *ctx)
{
	struct lines in_a, in_b = { 0 };
	int rc = read_lines(a, work, &in_a);
	rc = rc ? rc : read_lines(b, work, &in_b);
	rc = rc ? rc : find_partners(&in_a, &in_b, work);
	rc = rc ? rc : tell_all(&in_a, &in_b, work, fn, ctx);
	work_free(work, in_a.items, in_a.count, sizeof(*in_a.items));
	work_free(work, in_b.items, in_b.count, sizeof(*in_b.items));
	return rc;
}

void status_pair_read(const struct vmsnap *a, const struct vmsnap *b, struct status_pair pair,
                      struct vmsnap_diff_status *out)
{
	out->a = field_at(a, pair.a);
	out->b = field_at(b, pair.b);
}

/* ---- each key once ---------------------------------------------------------------------- */

/* Afterwards the partner of a line whose key has come before is that line. */
static int find_repeated(const struct lines *lines, struct work *work)
{
	int rc = sort_lines(lines, by_key, work);
	size_t first = 0;
	for (size_t i = 1; !rc && i < lines->count; i++) {
		if (key_order(lines->snap, &lines->items[first], lines->snap, &lines->items[i], work))
			first = i;
		else
			lines->items[i].partner = lines->items[first].at;
		rc = work_step(work);
	}
	return rc ? rc : sort_lines(lines, by_place, work);
}

static int tell_keys(const struct vmsnap *snap, struct work *work,
                     bool (*fn)(void *ctx, const struct vmsnap_status_field *field), void *ctx)
{
	struct lines lines;
	int rc = read_lines(snap, work, &lines);
	rc = rc ? rc : find_repeated(&lines, work);
	for (size_t i = 0; !rc && i < lines.count; i++) {
		struct vmsnap_status_field field = field_at(snap, lines.items[i].at);
		bool told = lines.items[i].partner != STATUS_NO_LINE || fn(ctx, &field);
		rc = told ? work_step(work) : VMSNAP_END;
	}
	work_free(work, lines.items, lines.count, sizeof(*lines.items));
	return rc;
}

/* ---- for callers outside ---------------------------------------------------------------- */

struct telling {
	const struct vmsnap *a, *b;
	bool (*fn)(void *ctx, const struct vmsnap_diff_status *row);
	void *ctx;
};

static int tell(void *ctx, struct status_pair pair)
{
	const struct telling *telling = ctx;
	struct vmsnap_diff_status row;
	status_pair_read(telling->a, telling->b, pair, &row);
	return telling->fn(telling->ctx, &row) ? VMSNAP_OK : VMSNAP_END;
}

/* One text needs no memory. */
static int tell_one(const struct telling *telling, struct work *work)
{
	struct cursor c = status_begin(telling->a);
	struct vmsnap_diff_status row = { 0 };
	int rc = VMSNAP_OK;
	while (!rc && status_next(&c, &row.a))
		rc = telling->fn(telling->ctx, &row) ? work_step(work) : VMSNAP_END;
	return rc;
}

VMSNAP_API int vmsnap_status_rows(const struct vmsnap *a, const struct vmsnap *b,
                                  const struct vmsnap_compare_options *options,
                                  bool (*fn)(void *ctx, const struct vmsnap_diff_status *row), void *ctx,
                                  struct vmsnap_error *err)
{
	const struct vmsnap *both[] = { a, b };
	struct telling telling = { a, b, fn, ctx };
	struct work work;
	if (!a || !fn)
		return fail(err, VMSNAP_ERR_ARGUMENT, "fields need a snapshot and a function");
	int rc = work_with(&work, both, 2, options, err);
	if (rc)
		return rc;
	rc = b ? status_pairs_each(a, b, &work, tell, &telling) : tell_one(&telling, &work);
	return rc < 0 ? work_fail(&work, rc, err) : VMSNAP_OK;
}

VMSNAP_API int vmsnap_status_keys(const struct vmsnap *snap, const struct vmsnap_compare_options *options,
                                  bool (*fn)(void *ctx, const struct vmsnap_status_field *field), void *ctx,
                                  struct vmsnap_error *err)
{
	struct work work;
	if (!snap || !fn)
		return fail(err, VMSNAP_ERR_ARGUMENT, "fields need a snapshot and a function");
	int rc = work_with(&work, &snap, 1, options, err);
	if (rc)
		return rc;
	rc = tell_keys(snap, &work, fn, ctx);
	return rc < 0 ? work_fail(&work, rc, err) : VMSNAP_OK;
}
