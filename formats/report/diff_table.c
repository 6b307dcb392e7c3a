/* diff_table.c - the diff as `git diff --stat` would show it: a row for each
 * changed mapping; and its ranges, one by one. */
#include "diff_table.h"

#include <string.h>

#include "emitter.h"
#include "format_value.h"
#include "mapping_columns.h"
#include "mapping_label.h"
#include "page_state.h"
#include "schemas.h"
#include "touched_columns.h"

enum {
	DIFF_START,
	DIFF_END,
	DIFF_SIZE,
	DIFF_PAGES,
	DIFF_COPIED,
	DIFF_SHARE,
	DIFF_NEW,
	DIFF_MAPPED,
	DIFF_GONE,
	DIFF_WRITTEN,
	DIFF_SWAPPED,
	DIFF_OTHER,
	DIFF_CHANGE,
	DIFF_BY,
	DIFF_MAPPING,
	DIFF_VMA, /* its first, PERM, is shown here */
};
static const struct column diff_columns[] = {
	[DIFF_START] = { NULL, "START", COLUMN_ADDRESS, 0, "where the mapping begins", NULL },
	[DIFF_END] = { NULL, "END", COLUMN_ADDRESS, COLUMN_SECONDARY, "where it ends", NULL },
	[DIFF_SIZE] = { NULL, "SIZE", COLUMN_BYTES, COLUMN_YIELDS, "its size", NULL },
	[DIFF_PAGES] = { NULL, "PAGES", COLUMN_STRIP, 0, "a picture of where something happened", NULL },
	[DIFF_COPIED] = { NULL, "COPIED", COLUMN_BYTES, COLUMN_SPARSE | COLUMN_STAYS,
	                  "pages that were shared at A and got another frame", NULL },
	[DIFF_SHARE] = { NULL, "%", COLUMN_SHARE, COLUMN_SPARSE, "copied, of what was writable and shared at A", NULL },
	[DIFF_NEW] = { NULL, "NEW", COLUMN_DELTA, COLUMN_STAYS, "pages that appeared and take memory", NULL },
	[DIFF_MAPPED] = { NULL, "MAPPED", COLUMN_DELTA, COLUMN_SPARSE | COLUMN_YIELDS,
	                  "pages of privately mapped files, and zero pages, that appeared", NULL },
	[DIFF_GONE] = { NULL, "GONE", COLUMN_DELTA, COLUMN_STAYS, "pages that vanished", NULL },
	[DIFF_WRITTEN] = { NULL, "WRITTEN", COLUMN_BYTES, COLUMN_SPARSE, "pages that were there, and were written to",
	                   NULL },
	[DIFF_SWAPPED] = { NULL, "SWAPPED", COLUMN_BYTES, COLUMN_SPARSE | COLUMN_YIELDS,
	                   "pages that went to swap, or came back", NULL },
	[DIFF_OTHER] = { NULL, "OTHER", COLUMN_BYTES, COLUMN_SPARSE | COLUMN_YIELDS, "pages that changed otherwise",
	                 NULL },
	[DIFF_CHANGE] = { NULL, "CHANGE", COLUMN_TEXT, COLUMN_SPARSE | COLUMN_LONG, "of the mapping itself", NULL },
	[DIFF_BY] = { NULL, "BY", COLUMN_TEXT, COLUMN_SPARSE | COLUMN_STAYS,
	              "the line that made or first wrote to most of its pages: page faults", NULL },
	[DIFF_MAPPING] = { NULL, "MAPPING", COLUMN_PATH, COLUMN_STAYS, "the file, or what it is called", NULL },
	MAPPING_COLUMNS_AFTER_PERM(DIFF_VMA),
	[DIFF_VMA + MAPPING_PERM] = { NULL, "PERM", COLUMN_WORD, COLUMN_YIELDS,
	                              "rwx, and p for private or s for shared", NULL },
};
static const uint32_t diff_shown[] = { DIFF_START,
	                               DIFF_END,
	                               DIFF_SIZE,
	                               DIFF_VMA + MAPPING_PERM,
	                               DIFF_PAGES,
	                               DIFF_COPIED,
	                               DIFF_SHARE,
	                               DIFF_NEW,
	                               DIFF_MAPPED,
	                               DIFF_GONE,
	                               DIFF_WRITTEN,
	                               DIFF_SWAPPED,
	                               DIFF_OTHER,
	                               DIFF_CHANGE,
	                               MAPPING_SHOWN_AFTER_PERM(DIFF_VMA),
	                               DIFF_BY,
	                               DIFF_MAPPING };
const struct row_schema diff_schema = ROW_SCHEMA_SHOWN(diff_columns, diff_shown);

struct printed {
	const struct diff_view *view;
	struct diff_rows *rows;
	struct vmsnap_names *names;
	struct changed_by *by;
};

/* ---- the strip -------------------------------------------------------------------- */

struct strip_source {
	const struct diff_view *view;
	const struct diff_row *row;
};

static void quiet_pieces(struct strip *strip, const struct vmsnap *snap, uint64_t start, uint64_t end)
{
	struct page_classes it;
	struct page_range range;
	page_classes_init(&it, snap, start, end);
	while (page_classes_next(&it, &range))
		strip_add(strip, range.start, range.end, range.page_class);
}

static void fill_strip(void *ctx, struct strip *strip, bool quiet)
{
	const struct strip_source *source = ctx;
	const struct diff_row *row = source->row;
	struct vmsnap_diff_range range;
	uint64_t at = row->start; /* what lies between the events is quiet */
	for (size_t i = 0; i < row->range_count; i++) {
		if (vmsnap_diff_range(source->view->diff, row->first_range + i, &range) || !range.kinds)
			continue;
		strip_add(strip, range.start, range.end, diff_range_class(&range));
		if (quiet && at < range.start)
			quiet_pieces(strip, source->view->b, at, range.start);
		at = range.end;
	}
	if (quiet && at < row->end)
		quiet_pieces(strip, source->view->b, at, row->end);
}

static void put_strip(struct row *row, const struct diff_view *view, const struct diff_row *diff)
{
	struct strip_source source = { view, diff };
	const struct strip_of strip = { diff->start, diff->end, vmsnap_info(view->b)->page_size, fill_strip, &source };
	if (diff->range_count)
		row_put_strip(row, DIFF_PAGES, &strip);
}

/* ---- the changes of the mapping itself ---------------------------------------------- */

static void put_old_name(struct row *row, const char *words, const struct vmsnap_vma *vma)
{
	row_text(row, DIFF_CHANGE, words);
	const char *name = *vma->name ? vma->name : "anonymous";
	const char *slash = strrchr(name, '/');
	name = slash && slash[1] ? slash + 1 : name;
	row_text_name(row, DIFF_CHANGE, name, strlen(name));
}

static void put_resize(struct row *row, const struct vmsnap_diff_vma *change)
{
	uint64_t a = change->a->end - change->a->start, b = change->b->end - change->b->start;
	row_text(row, DIFF_CHANGE, change->change == VMSNAP_VMA_CHANGE_GROWN ? "grown " : "shrunk ");
	row_text_delta(row, DIFF_CHANGE, b < a, b < a ? a - b : b - a);
}

/* Where the memory at the beginning of B's mapping was, if that moved out of A's: a part of it, maybe. */
static uint64_t moved_from(const struct vmsnap_diff *diff, const struct vmsnap_diff_vma *change)
{
	uint64_t from;
	bool found = vmsnap_diff_from(diff, change->b->start, &from);
	return found && from >= change->a->start && from < change->a->end ? from : change->a->start;
}

static void put_note(struct row *row, const struct vmsnap_diff *diff, const struct vmsnap_diff_vma *change)
{
	bool both = change->a && change->b;
	if (both && (change->change == VMSNAP_VMA_CHANGE_GROWN || change->change == VMSNAP_VMA_CHANGE_SHRUNK)) {
		put_resize(row, change);
	} else if (both && change->change == VMSNAP_VMA_CHANGE_PROTECTION_CHANGED) {
		row_text(row, DIFF_CHANGE, "was ");
		row_text(row, DIFF_CHANGE, word_perms(change->a).text);
	} else if (both && change->change == VMSNAP_VMA_CHANGE_MOVED) {
		row_text(row, DIFF_CHANGE, "moved from ");
		row_text(row, DIFF_CHANGE, word_address(moved_from(diff, change)).text);
	} else if (both && change->change == VMSNAP_VMA_CHANGE_POSSIBLY_MOVED) {
		row_text(row, DIFF_CHANGE, "possibly moved from ");
		row_text(row, DIFF_CHANGE, word_address(change->a->start).text);
	} else if (both && change->change == VMSNAP_VMA_CHANGE_POSSIBLY_REPLACED) {
		put_old_name(row, "possibly replaced ", change->a);
	} else if (both && change->change == VMSNAP_VMA_CHANGE_REPLACED) {
		put_old_name(row, "replaced ", change->a);
	} else if (both && change->change == VMSNAP_VMA_CHANGE_RENAMED) {
		put_old_name(row, "was named ", change->a);
	} else {
		row_text(row, DIFF_CHANGE, vmsnap_vma_change_name(change->change));
	}
}

/* A mapping that was merged of a thousand says so once. */
enum { NOTES_MAX = 3 };

static void put_changes(struct row *row, const struct diff_view *view, const struct diff_rows *rows,
                        const struct diff_row *diff)
{
	struct vmsnap_diff_vma change;
	int last = -1;
	size_t notes = 0;
	for (size_t i = 0; i < diff->change_count && notes <= NOTES_MAX; i++) {
		if (vmsnap_diff_vma(view->diff, rows->order[diff->first_change + i], &change))
			continue;
		if (change.change == last && change.change != VMSNAP_VMA_CHANGE_REPLACED)
			continue;
		last = change.change;
		row_text(row, DIFF_CHANGE, notes ? ", " : "");
		if (notes++ == NOTES_MAX)
			row_text_more(row, DIFF_CHANGE);
		else
			put_note(row, view->diff, &change);
	}
}

/* ---- rows ---------------------------------------------------------------------------- */

static void put_sums(struct row *row, const struct diff_view *view, const struct diff_sums *sums)
{
	uint64_t copied = sums->classes[CLASS_COPIED], other = sums->classes[CLASS_OTHER];
	uint64_t written = sums->classes[CLASS_WRITTEN];
	uint64_t swapped = sums->classes[CLASS_SWAPPED_OUT] + sums->classes[CLASS_SWAPPED_IN];
	if (copied) {
		row_put_bytes(row, DIFF_COPIED, copied);
		row_mark(row, DIFF_COPIED, CLASS_COPIED);
	} else if (!view->frames && sums->shared) {
		row_put_unknown(row, DIFF_COPIED);
	}
	if (copied && view->exclusive && !view->shared_more && copied <= sums->shared)
		row_put_share(row, DIFF_SHARE, copied, sums->shared);
	row_put_delta(row, DIFF_NEW, false, sums->classes[CLASS_NEW]);
	row_mark(row, DIFF_NEW, CLASS_NEW);
	if (sums->classes[CLASS_FILE])
		row_put_delta(row, DIFF_MAPPED, false, sums->classes[CLASS_FILE]);
	row_put_delta(row, DIFF_GONE, true, sums->classes[CLASS_GONE]);
	row_mark(row, DIFF_GONE, CLASS_GONE);
	if (written) {
		row_put_bytes(row, DIFF_WRITTEN, written);
		row_mark(row, DIFF_WRITTEN, CLASS_WRITTEN);
	}
	if (swapped) {
		row_put_bytes(row, DIFF_SWAPPED, swapped);
		row_mark(row, DIFF_SWAPPED, CLASS_SWAPPED_OUT);
	}
	if (other) {
		row_put_bytes(row, DIFF_OTHER, other);
		row_mark(row, DIFF_OTHER, CLASS_OTHER);
	}
}

static void put_row(struct row *row, const struct printed *printed, const struct diff_row *diff)
{
	const struct diff_view *view = printed->view;
	struct diff_sums sums;
	diff_row_sums(view, diff, &sums);
	row_put_address(row, DIFF_START, diff->start);
	row_put_address(row, DIFF_END, diff->end);
	row_put_bytes(row, DIFF_SIZE, diff->end - diff->start);
	put_strip(row, view, diff);
	put_sums(row, view, &sums);
	put_changes(row, view, printed->rows, diff);
	put_by_text(row, DIFF_BY, printed->by, view,
	            (struct diff_by_pages){ diff->first_range, diff->range_count, diff->start, diff->end });
	if (diff->vma)
		row_put_mapping(row, DIFF_MAPPING, printed->names, view->b, diff->vma);
	put_mapping_columns(row, DIFF_VMA, diff->vma);
	row_end(row);
}

/* As they lie, for programs. */
static int rows_by_address(struct row *row, const struct printed *printed)
{
	struct diff_row diff;
	while (!text_failed(row->text) && diff_rows_next(printed->rows, &diff))
		put_row(row, printed, &diff);
	return VMSNAP_OK;
}

struct ranked {
	struct diff_row diff;
	uint64_t events; /* bytes */
};

/* Rows in which as much happened keep their order: the sort is stable. */
static int by_events(const void *left, const void *right, const void *ctx)
{
	const struct ranked *a = left, *b = right;
	(void)ctx;
	return (a->events < b->events) - (a->events > b->events);
}

/* The program's: a page with a breakpoint does not come before what it did itself. */
static uint64_t events_of(const struct diff_view *view, const struct diff_row *diff)
{
	uint64_t events = 0;
	for (size_t i = 0; i < diff->range_count; i++) {
		struct vmsnap_diff_range range;
		uint64_t classes[PAGE_CLASSES] = { 0 };
		if (vmsnap_diff_range(view->diff, diff->first_range + i, &range) || range.touched)
			continue;
		diff_range_sums(&range, classes);
		for (int k = CLASS_EVENTS; k < PAGE_CLASSES; k++)
			events += classes[k];
	}
	return events;
}

/* Where the most happened comes first. */
static int rows_by_events(struct row *row, const struct printed *printed)
{
	struct work *work = &row->text->work;
	struct ranked *ranked = NULL;
	size_t count = 0, room = 0;
	struct diff_row diff;
	int rc = VMSNAP_OK;
	while (!rc && diff_rows_next(printed->rows, &diff)) {
		if (WORK_ROOM(work, ranked, count, &room, &rc))
			ranked[count++] = (struct ranked){ diff, events_of(printed->view, &diff) };
		rc = rc ? rc : work_step(work);
	}
	rc = rc ? rc : work_sort(work, ranked, count, sizeof(*ranked), by_events, NULL);
	for (size_t i = 0; !rc && i < count && !text_failed(row->text); i++)
		put_row(row, printed, &ranked[i].diff);
	work_free(work, ranked, room, sizeof(*ranked));
	return rc;
}

static int mapping_rows(struct row *row, void *ctx, struct vmsnap_error *err)
{
	const struct printed *printed = ctx;
	const struct vmsnap_style *style = row->text->style;
	diff_rows_rewind(printed->rows);
	if (style->raw || style->no_headings)
		return rows_by_address(row, printed);
	int rc = rows_by_events(row, printed);
	return rc ? work_fail(&row->text->work, rc, err) : rc;
}

int print_diff_table(struct text *text, const struct diff_view *view, struct diff_rows *rows, struct changed_by *by,
                     struct vmsnap_names *names, struct vmsnap_error *err)
{
	struct printed printed = { .view = view, .rows = rows, .names = names, .by = by };
	return emit_table(text, &diff_schema, mapping_rows, &printed, err);
}

/* ---- range by range -------------------------------------------------------------------- */

enum { RANGE_START, RANGE_PAGES, RANGE_CHANGES, RANGE_TOUCHED, RANGE_BY, RANGE_MAPPING };
static const struct column range_columns[] = {
	[RANGE_START] = { NULL, "START", COLUMN_ADDRESS, 0, NULL, NULL },
	[RANGE_PAGES] = { NULL, "PAGES", COLUMN_COUNT, 0, NULL, NULL },
	[RANGE_CHANGES] = { NULL, "CHANGES", COLUMN_FLAGS, 0, NULL, NULL },
	[RANGE_TOUCHED] = { NULL, "TOUCHED", COLUMN_TEXT, COLUMN_SPARSE | COLUMN_LONG, NULL, NULL },
	[RANGE_BY] = { NULL, "BY", COLUMN_TEXT, COLUMN_SPARSE | COLUMN_LONG, NULL, NULL },
	[RANGE_MAPPING] = { NULL, "MAPPING", COLUMN_PATH, 0, NULL, NULL },
};
static const struct row_schema range_schema = ROW_SCHEMA(range_columns);

static int range_rows(struct row *row, void *ctx, struct vmsnap_error *err)
{
	const struct printed *printed = ctx;
	const struct diff_view *view = printed->view;
	struct vmsnap_diff_range range;
	(void)err;
	for (size_t i = 0; !text_failed(row->text) && diff_facts_next(view->diff, &i, &range);) {
		struct touched_reasons reasons = { .count = 0 };
		diff_touched_reasons(view, &range, &reasons);
		row_put_address(row, RANGE_START, range.start);
		row_put_count(row, RANGE_PAGES, pages_of(view->b, range.end - range.start));
		row_put_flags(row, RANGE_CHANGES, range.changes, 0, vmsnap_page_change_name);
		put_touched_text(row, RANGE_TOUCHED, range.touched, &reasons);
		put_by_text(row, RANGE_BY, printed->by, view,
		            (struct diff_by_pages){ diff_range_find(view->diff, range.start), SIZE_MAX / 2, range.start,
		                                    range.end });
		if (range.vma)
			row_put_mapping(row, RANGE_MAPPING, printed->names, view->b, range.vma);
		row_end(row);
	}
	return VMSNAP_OK;
}

int print_diff_ranges(struct text *text, const struct diff_view *view, struct changed_by *by,
                      struct vmsnap_names *names, struct vmsnap_error *err)
{
	struct printed printed = { .view = view, .names = names, .by = by };
	return emit_other_table(text, &range_schema, range_rows, &printed, err);
}
