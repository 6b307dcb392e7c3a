/* print_file_history.c - how the page of one address went through the snapshots of a file:
 * vmsnap_print_file_history().  A snapshot is loaded whole only where something happened to the page: that it was moved
 * to where it is, or from where it was, other pages tell. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "file_bases.h"
#include "format_value.h"
#include "history_rows.h"
#include "series_source.h"
#include "text_limit.h"

struct file_history {
	const struct vmsnap_file *file;
	struct series_source source;
	/* One for each process of the source, as it was seen last: the page, and little around it.  .snap NULL: never,
	 * or there is no later one. */
	struct seen_last {
		struct vmsnap *snap;
		size_t index;
	} * last;
	uint64_t address;
	struct file_bases *loaded; /* two: of the page and little around it, and whole */
	size_t rows, seen;
	bool one_day;
	int unread; /* the code of the first snapshot that cannot be read */
	struct vmsnap_error unread_err;
};

/* ---- what happened ------------------------------------------------------------------------- */

/* Of two mappings of one page. */
static bool same_mapping(const struct vmsnap_vma *a, const struct vmsnap_vma *b)
{
	if (!a || !b)
		return a == b;
	/* Of a file: the same place in it. */
	bool one_place = !a->inode || a->start - a->offset == b->start - b->offset;
	return a->inode == b->inode && a->dev_major == b->dev_major && a->dev_minor == b->dev_minor &&
	       a->perms == b->perms && one_place && !strcmp(a->name, b->name);
}

static bool same_page(const struct vmsnap_run *a, const struct vmsnap_run *b)
{
	return a->flags == b->flags && a->pfn == b->pfn && a->swap_offset == b->swap_offset &&
	       a->swap_type == b->swap_type;
}

static bool same_maps(const struct vmsnap *a, const struct vmsnap *b)
{
	size_t count = vmsnap_vma_count(a);
	if (count != vmsnap_vma_count(b))
		return false;
	for (size_t i = 0; i < count; i++)
		if (vmsnap_vma(a, i)->start != vmsnap_vma(b, i)->start ||
		    vmsnap_vma(a, i)->end != vmsnap_vma(b, i)->end)
			return false;
	return true;
}

/* Whether the page and its mapping are as they were, so that it needs no others to say so.  Without frames a present
 * page may be another one that came from elsewhere, if anything went or came. */
static bool is_quiet(const struct vmsnap *last, const struct moment *now)
{
	struct moment before;
	moment_look(&before, last, now->address);
	bool frames = vmsnap_info(last)->known.pfn && vmsnap_info(now->snap)->known.pfn;
	if (!frames && !same_maps(last, now->snap))
		return false;
	return vmsnap_relation(last, now->snap) == VMSNAP_RELATION_COMPARABLE && same_page(&before.page, &now->page) &&
	       same_mapping(before.vma, now->vma);
}

static bool is_change(const struct moment *moment)
{
	const struct vmsnap_page_diff *diff = &moment->diff;
	return diff->changes || diff->moved || diff->moved_away || diff->replaced ||
	       diff->relation != VMSNAP_RELATION_COMPARABLE;
}

enum { AROUND, WHOLE, KINDS_LOADED, WHOLE_AT_ONCE = 2 };

static int compare_whole(struct file_history *history, struct moment *moment, size_t last, struct text *text,
                         struct vmsnap_error *err)
{
	struct vmsnap *a = NULL, *b = NULL;
	const struct vmsnap *around = moment->snap;
	struct file_bases *whole = &history->loaded[WHOLE];
	int rc = file_bases_load(whole, history->file, last, false, &a, err);
	rc = rc ? rc : file_bases_load(whole, history->file, moment->number - 1, false, &b, err);
	if (!rc) {
		moment->snap = b;
		rc = moment_compare(moment, a, text, err);
		moment->snap = around;
	}
	vmsnap_unref(a);
	vmsnap_unref(b);
	return rc;
}

/* ---- rows ------------------------------------------------------------------------------------ */

static int put_if_changed(struct row *row, struct file_history *history, struct moment *moment,
                          const struct seen_last *last, struct vmsnap_error *err)
{
	int rc = VMSNAP_OK;
	bool quiet = last && is_quiet(last->snap, moment);
	if (quiet)
		rc = moment_compare(moment, last->snap, row->text, err);
	else if (last)
		rc = compare_whole(history, moment, last->index, row->text, err);
	if (rc || (quiet && !is_change(moment)))
		return rc;
	history->rows++;
	return put_moment(row, moment, err);
}

/* "3", or "3 before-reload". */
static void make_name(char *name, size_t size, size_t number, const char *label)
{
	snprintf(name, size, *label ? "%zu %s" : "%zu", number, label);
}

/* The process itself, or the one that had its number before it. */
static const struct seen_last *find_last(const struct file_history *history, size_t process)
{
	const struct series_process *processes = history->source.processes;
	const struct seen_last *newest = NULL;
	if (history->last[process].snap)
		return &history->last[process];
	for (size_t i = 0; i < history->source.process_count; i++)
		if (processes[i].told.pid == processes[process].told.pid && history->last[i].snap &&
		    (!newest || history->last[i].index > newest->index))
			newest = &history->last[i];
	return newest;
}

static void remember(struct file_history *history, size_t process, const struct vmsnap *around)
{
	struct seen_last *last = &history->last[process];
	vmsnap_unref(last->snap);
	*last = (struct seen_last){ vmsnap_ref(around), history->source.at };
}

static int add_snapshot(struct row *row, struct file_history *history, const struct vmsnap *around,
                        struct vmsnap_error *err)
{
	size_t index = history->source.at, process = series_source_process(&history->source);
	const struct seen_last *last = find_last(history, process);
	struct moment moment;
	char name[300];
	if (last && !moment_same_number(last->snap, around))
		last = NULL;
	moment_look(&moment, around, history->address);
	make_name(name, sizeof(name), index + 1, vmsnap_info(around)->label);
	moment.name = name;
	moment.number = index + 1;
	moment.one_day = history->one_day;
	int rc = put_if_changed(row, history, &moment, last, err);
	history->seen++;
	remember(history, process, around);
	return rc;
}

static bool goes_on(int rc)
{
	return rc != VMSNAP_ERR_CANCELLED && rc != VMSNAP_ERR_NO_MEMORY;
}

static int file_rows(struct row *row, void *ctx, struct vmsnap_error *err)
{
	struct file_history *history = ctx;
	struct vmsnap_error problem = { 0 };
	int rc = VMSNAP_OK;
	while (!rc && !text_unwanted(row->text) && series_source_pass(&history->source) != VMSNAP_END) {
		struct vmsnap *around = NULL;
		rc = file_bases_load(&history->loaded[AROUND], history->file, history->source.at, false, &around,
		                     &problem);
		if (!rc && series_source_process(&history->source) == SERIES_UNREAD)
			rc = fail(&problem, VMSNAP_ERR_CORRUPT, "snapshot %zu could not be read before",
			          history->source.at + 1);
		if (!rc && row->text->work.limit == WORK_UNLIMITED)
			text_limit(row->text, (const struct vmsnap *const[]){ around }, 1);
		rc = rc ? rc : add_snapshot(row, history, around, &problem);
		vmsnap_unref(around);
		if (rc && err)
			*err = problem;
		if (rc && goes_on(rc) && !history->unread) {
			history->unread = rc;
			history->unread_err = problem;
		}
		rc = rc && goes_on(rc) ? VMSNAP_OK : rc;
	}
	return rc;
}

static void put_end(struct text *text, const struct file_history *history)
{
	if (text->style->json || text->style->raw || text->style->no_headings)
		return;
	text_blank(text);
	text_format(text, "%zu snapshot%s; to the page nothing happened in those that are not listed\n", history->seen,
	            history->seen == 1 ? "" : "s");
}

/* When it was taken, as it is here, to the day; "" if nobody knows. */
static struct word day_of(const struct vmsnap_file *file, size_t index)
{
	enum { DAY = 10 };
	struct word day = { "" };
	struct vmsnap *snap;
	if (vmsnap_file_peek(file, index, &snap, NULL))
		return day;
	day = word_time_local(vmsnap_info(snap)->taken);
	day.text[DAY] = '\0';
	vmsnap_unref(snap);
	return day;
}

static bool of_one_day(const struct file_history *history)
{
	const struct vmsnap_series_options *which = &history->source.options;
	return which->count && !strcmp(day_of(history->file, which->first).text,
	                               day_of(history->file, which->first + which->count - 1).text);
}

static int begin(struct file_history *history, const struct vmsnap_file *file,
                 const struct vmsnap_series_options *options, uint64_t address, struct vmsnap_error *err)
{
	*history = (struct file_history){ .file = file, .address = address };
	int rc = series_source_open(&history->source, file, NULL, 0, options, err);
	if (rc)
		return rc;
	history->one_day = of_one_day(history);
	history->last = calloc(history->source.process_count + 1, sizeof(*history->last));
	history->loaded = calloc(KINDS_LOADED, sizeof(*history->loaded));
	if (history->last && history->loaded) {
		history->loaded[AROUND].around = &history->address;
		history->loaded[WHOLE].most = WHOLE_AT_ONCE;
		return VMSNAP_OK;
	}
	free(history->last);
	free(history->loaded);
	series_source_close(&history->source);
	return fail_no_memory(err);
}

static void end(struct file_history *history)
{
	for (size_t i = 0; i < history->source.process_count; i++)
		vmsnap_unref(history->last[i].snap);
	free(history->last);
	for (size_t i = 0; i < KINDS_LOADED; i++)
		file_bases_free(&history->loaded[i]);
	free(history->loaded);
	series_source_close(&history->source);
}

VMSNAP_API int vmsnap_print_file_history(const struct vmsnap_file *file, const struct vmsnap_series_options *options,
                                         uint64_t address, const struct vmsnap_output *out, struct vmsnap_error *err)
{
	struct file_history history;
	struct text text;
	int rc = text_open(&text, out, err);
	rc = rc ? rc : begin(&history, file, options, address, err);
	if (rc)
		return rc;
	rc = put_history(&text, file_rows, true, &history, address, err);
	if (!rc && history.rows < history.seen)
		put_end(&text, &history);
	rc = rc ? rc : text_close(&text, err);
	if (!rc && history.unread && err)
		*err = history.unread_err;
	rc = rc ? rc : history.unread;
	end(&history);
	return rc;
}
