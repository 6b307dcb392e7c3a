/* print_group.c - processes of one instant, and who shares how much with whom: vmsnap_print_group(). */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "emitter.h"
#include "error.h"
#include "format_value.h"
#include "group_text.h"
#include "schemas.h"
#include "text_color.h"

enum { WITH_PID, WITH_PRIVATE, WITH_CACHE, WITH_SHARED };
static const struct column with_columns[] = {
	[WITH_PID] = { "pid", .type = COLUMN_COUNT },
	[WITH_PRIVATE] = { "private", .type = COLUMN_BYTES },
	[WITH_CACHE] = { "cache", .type = COLUMN_BYTES },
	[WITH_SHARED] = { "shared", .type = COLUMN_BYTES },
};
static const struct row_schema with_schema = ROW_SCHEMA(with_columns);

enum { BEFORE_RSS, BEFORE_PSS, BEFORE_SHARE, BEFORE_USS, BEFORE_OWN };
static const struct column before_columns[] = {
	[BEFORE_RSS] = { "rss", .type = COLUMN_BYTES },     [BEFORE_PSS] = { "pss", .type = COLUMN_BYTES },
	[BEFORE_SHARE] = { "share", .type = COLUMN_BYTES }, [BEFORE_USS] = { "uss", .type = COLUMN_BYTES },
	[BEFORE_OWN] = { "own", .type = COLUMN_BYTES },
};
static const struct row_schema before_schema = ROW_SCHEMA(before_columns);

enum {
	PROCESS_PID,
	PROCESS_PARENT,
	PROCESS_START_TIME,
	PROCESS_ROLE,
	PROCESS_COMM,
	PROCESS_CHANGE,
	PROCESS_SOURCE,
	PROCESS_MEMORY_OF,
	PROCESS_RSS,
	PROCESS_PSS,
	PROCESS_SHARE,
	PROCESS_USS,
	PROCESS_OWN,
	PROCESS_OWN_NOW,
	PROCESS_LOST,
	PROCESS_COPIED,
	PROCESS_LEFT,
	PROCESS_PRIVATE,
	PROCESS_CACHE,
	PROCESS_SHARED,
	PROCESS_WITH_PRIVATE,
	PROCESS_WITH_CACHE,
	PROCESS_WITH_SHARED,
	PROCESS_OUTSIDE,
	PROCESS_HIDDEN,
	PROCESS_BEFORE,
	PROCESS_WITH,
	PROCESS_WITH_WHOM,
};
static const struct column process_columns[] = {
	[PROCESS_PID] = { "pid", "PID", COLUMN_COUNT, 0, "of the process", NULL },
	[PROCESS_PARENT] = { "parent", "PARENT", COLUMN_COUNT, COLUMN_SECONDARY, "of its parent", NULL },
	[PROCESS_START_TIME] = { "start_time", "STARTED", COLUMN_COUNT, COLUMN_SECONDARY, "clock ticks after boot",
	                         NULL },
	[PROCESS_ROLE] = { "role", "ROLE", COLUMN_WORD, COLUMN_SPARSE, "master or worker, by who is whose parent",
	                   NULL },
	[PROCESS_COMM] = { "comm", "COMM", COLUMN_NAME, COLUMN_SPARSE, "the process's name, where they differ", NULL },
	[PROCESS_CHANGE] = { "change", "CHANGE", COLUMN_WORD, COLUMN_SPARSE, "came or went, or nothing", NULL },
	[PROCESS_SOURCE] = { "source", "SOURCE", COLUMN_WORD, COLUMN_SECONDARY,
	                     "what numbers are made of: frames, smaps or nothing", NULL },
	[PROCESS_MEMORY_OF] = { "memory_of", "MEMORY_OF", COLUMN_COUNT, COLUMN_SPARSE,
	                        "the process whose address space it has: that counts once", NULL },
	[PROCESS_RSS] = { "rss", "RSS", COLUMN_BYTES, 0, "resident pages", NULL },
	[PROCESS_PSS] = { "pss", "PSS", COLUMN_BYTES, COLUMN_SPARSE,
	                  "each page divided by how many processes map it, all there are", NULL },
	[PROCESS_SHARE] = { "share", "SHARE", COLUMN_BYTES, COLUMN_SPARSE,
	                    "without PSS: each page divided by how many of these map it", NULL },
	[PROCESS_USS] = { "uss", "USS", COLUMN_BYTES, COLUMN_SECONDARY, "pages that are mapped once", NULL },
	[PROCESS_OWN] = { "own", .type = COLUMN_BYTES },
	[PROCESS_OWN_NOW] = { NULL, "OWN", COLUMN_CHANGE, 0, "pages that no other process maps; before and now", NULL },
	[PROCESS_LOST] = { "lost", "LOST", COLUMN_BYTES, COLUMN_SPARSE, "anonymous pages shared before, and no more",
	                   NULL },
	[PROCESS_COPIED] = { "copied", "COPIED", COLUMN_BYTES, COLUMN_SECONDARY | COLUMN_SPARSE,
	                     "of these, in other frames: it wrote to them", NULL },
	[PROCESS_LEFT] = { "left", "LEFT", COLUMN_BYTES, COLUMN_SECONDARY | COLUMN_SPARSE,
	                   "of these, in the same frames: all others left them", NULL },
	[PROCESS_PRIVATE] = { "private", "PRIVATE", COLUMN_BYTES, COLUMN_SECONDARY, "pages of no file", NULL },
	[PROCESS_CACHE] = { "cache", "CACHE", COLUMN_BYTES, COLUMN_SECONDARY, "page cache, mapped privately", NULL },
	[PROCESS_SHARED] = { "shared", "SHARED", COLUMN_BYTES, COLUMN_SECONDARY, "pages of shared mappings", NULL },
	[PROCESS_WITH_PRIVATE] = { "with_private", "WITH_PRIVATE", COLUMN_BYTES, COLUMN_SECONDARY,
	                           "anonymous pages that others of these map", NULL },
	[PROCESS_WITH_CACHE] = { "with_cache", "WITH_CACHE", COLUMN_BYTES, COLUMN_SECONDARY,
	                         "page cache that others of these map", NULL },
	[PROCESS_WITH_SHARED] = { "with_shared", "WITH_SHARED", COLUMN_BYTES, COLUMN_SECONDARY,
	                          "shared memory that others of these map", NULL },
	[PROCESS_OUTSIDE] = { "outside", "OUTSIDE", COLUMN_BYTES, COLUMN_SECONDARY,
	                      "pages that processes map which are none of these", NULL },
	[PROCESS_HIDDEN] = { "hidden", "HIDDEN", COLUMN_BYTES, COLUMN_SECONDARY, "pages whose frames are not known",
	                     NULL },
	[PROCESS_BEFORE] = { "before", .type = COLUMN_RECORD, .of = &before_schema },
	[PROCESS_WITH] = { "with", .type = COLUMN_RECORDS, .of = &with_schema },
	[PROCESS_WITH_WHOM] = { NULL, "SHARED_WITH", COLUMN_TEXT, COLUMN_LONG, "how much with whom, without page cache",
	                        NULL },
};
const struct row_schema sharing_schema = ROW_SCHEMA(process_columns);

enum { DOCUMENT_TAKEN, DOCUMENT_TAKEN_BEFORE, DOCUMENT_PROCESSES, DOCUMENT_TOTALS, DOCUMENT_BEFORE, DOCUMENT_LOST };
static const struct column document_columns[] = {
	[DOCUMENT_TAKEN] = { "taken", .type = COLUMN_TIME },
	[DOCUMENT_TAKEN_BEFORE] = { "taken_before", .type = COLUMN_TIME },
	[DOCUMENT_PROCESSES] = { "processes", .type = COLUMN_ROWS, .of = &sharing_schema },
	[DOCUMENT_TOTALS] = { "totals", .type = COLUMN_COUNTS },
	[DOCUMENT_BEFORE] = { "totals_before", .type = COLUMN_COUNTS },
	[DOCUMENT_LOST] = { "lost", .type = COLUMN_BYTES },
};
const struct row_schema sharing_document_schema = ROW_SCHEMA(document_columns);

/* ---- who shares with it ----------------------------------------------------------------- */

struct partner {
	size_t index;
	uint64_t bytes;
	bool worker;
};
/* Those that it shares memory with, most first, but for its parent. */
struct partners {
	struct partner *items;
	size_t count, workers;
	struct partner parent; /* bytes 0: it shares nothing with one */
};

static uint64_t pair_memory(const struct vmsnap_group *group, size_t a, size_t b)
{
	return vmsnap_group_pair(group, a, b, VMSNAP_MEMORY_PRIVATE) +
	       vmsnap_group_pair(group, a, b, VMSNAP_MEMORY_SHARED);
}

static int by_bytes(const void *x, const void *y, const void *ctx)
{
	const struct partner *a = x, *b = y;
	(void)ctx;
	return (a->bytes < b->bytes) - (a->bytes > b->bytes);
}

static int find_partners(const struct vmsnap_group *group, size_t index, struct partners *out, struct work *work)
{
	struct vmsnap_group_process of, other;
	int rc = VMSNAP_OK;
	*out = (struct partners){ .items = work_array(work, vmsnap_group_count(group), sizeof(*out->items), &rc) };
	if (rc || vmsnap_group_process(group, index, &of))
		return rc;
	for (size_t i = 0; !vmsnap_group_process(group, i, &other); i++) {
		struct partner partner = { i, pair_memory(group, index, i), other.role == VMSNAP_GROUP_WORKER };
		bool parent =
		        of.role == VMSNAP_GROUP_WORKER && vmsnap_info(other.snap)->pid == vmsnap_info(of.snap)->ppid;
		if (!partner.bytes || other.space != i)
			continue;
		out->workers += partner.worker && !parent;
		if (parent)
			out->parent = partner;
		else
			out->items[out->count++] = partner;
	}
	return work_sort(work, out->items, out->count, sizeof(*out->items), by_bytes, NULL);
}

static void put_partner(struct row *row, const struct vmsnap_group *group, const struct partner *partner, bool *any)
{
	struct vmsnap_group_process process;
	bool by_role = !vmsnap_group_process(group, partner->index, &process) && process.role == VMSNAP_GROUP_MASTER;
	bool raw = row->text->style->raw; /* one word, and numbers only */
	row_text(row, PROCESS_WITH_WHOM, *any ? raw ? "," : ", " : "");
	row_text(row, PROCESS_WITH_WHOM, by_role && !raw ? "master" : word_number(vmsnap_info(process.snap)->pid).text);
	row_text(row, PROCESS_WITH_WHOM, raw ? ":" : " ");
	row_text(row, PROCESS_WITH_WHOM, word_size(row->text->style, partner->bytes).text);
	*any = true;
}

/* "3 workers 58.0M-59.1M" */
static void put_several(struct row *row, const struct partners *partners, bool *any)
{
	struct word most = word_size(row->text->style, partners->items[0].bytes);
	struct word least = word_size(row->text->style, partners->items[partners->count - 1].bytes);
	row_text(row, PROCESS_WITH_WHOM, *any ? ", " : "");
	row_text(row, PROCESS_WITH_WHOM, word_number(partners->count).text);
	row_text(row, PROCESS_WITH_WHOM, partners->workers == partners->count ? " workers " : " others ");
	if (strcmp(most.text, least.text) != 0) {
		row_text(row, PROCESS_WITH_WHOM, least.text);
		row_text(row, PROCESS_WITH_WHOM, "-");
	}
	row_text(row, PROCESS_WITH_WHOM, most.text);
	*any = true;
}

static int put_with_whom(struct row *row, const struct grouped *grouped, size_t index)
{
	enum { NAMED = 2, NAMED_WORKERS = 1 };
	struct work *work = &row->text->work;
	struct partners partners;
	bool any = false, each = grouped->flags & VMSNAP_PRINT_LONG || row->text->style->raw;
	int rc = find_partners(grouped->group, index, &partners, work);
	if (!rc && partners.parent.bytes)
		put_partner(row, grouped->group, &partners.parent, &any);
	bool workers = partners.count && partners.workers == partners.count;
	if (!rc && !each && partners.count > (workers ? NAMED_WORKERS : NAMED))
		put_several(row, &partners, &any);
	else
		for (size_t i = 0; !rc && i < partners.count; i++)
			put_partner(row, grouped->group, &partners.items[i], &any);
	if (!rc && !any)
		row_text(row, PROCESS_WITH_WHOM, "nobody");
	work_free(work, partners.items, vmsnap_group_count(grouped->group), sizeof(*partners.items));
	return rc;
}

struct with {
	const struct vmsnap_group *group;
	size_t index;
};

static int with_rows(struct row *row, void *ctx, struct vmsnap_error *err)
{
	const struct with *with = ctx;
	struct vmsnap_group_process other;
	(void)err;
	for (size_t i = 0; !text_failed(row->text) && !vmsnap_group_process(with->group, i, &other); i++) {
		uint64_t of_private = vmsnap_group_pair(with->group, with->index, i, VMSNAP_MEMORY_PRIVATE);
		uint64_t of_cache = vmsnap_group_pair(with->group, with->index, i, VMSNAP_MEMORY_CACHE);
		uint64_t of_shared = vmsnap_group_pair(with->group, with->index, i, VMSNAP_MEMORY_SHARED);
		if (!of_private && !of_cache && !of_shared)
			continue;
		row_put_count(row, WITH_PID, vmsnap_info(other.snap)->pid);
		row_put_bytes(row, WITH_PRIVATE, of_private);
		row_put_bytes(row, WITH_CACHE, of_cache);
		row_put_bytes(row, WITH_SHARED, of_shared);
		row_end(row);
	}
	return VMSNAP_OK;
}

/* ---- a process -------------------------------------------------------------------------- */

/* What became of one; a SIZE_MAX: it came, b: it went. */
static struct vmsnap_group_change_process change_of(const struct grouped *grouped, size_t index)
{
	struct vmsnap_group_change_process process = { .a = SIZE_MAX, .b = index };
	if (grouped->change && vmsnap_group_change_process(grouped->change, index, &process))
		process = (struct vmsnap_group_change_process){ .a = SIZE_MAX, .b = index };
	return process;
}

static bool alike(const struct vmsnap_group *group)
{
	struct vmsnap_group_process first, other;
	for (size_t i = 1; !vmsnap_group_process(group, 0, &first) && !vmsnap_group_process(group, i, &other); i++)
		if (strcmp(vmsnap_info(first.snap)->comm, vmsnap_info(other.snap)->comm) != 0)
			return false;
	return true;
}

static void put_who(struct row *row, const struct grouped *grouped, const struct vmsnap_group_process *process,
                    size_t index)
{
	const struct vmsnap_info *info = vmsnap_info(process->snap);
	struct vmsnap_group_process of_memory;
	bool json = row->text->style->json;
	row_put_count(row, PROCESS_PID, info->pid);
	row_put_count(row, PROCESS_PARENT, info->ppid);
	row_put_count(row, PROCESS_START_TIME, info->start_time);
	if (process->role != VMSNAP_GROUP_ALONE)
		row_put_word(row, PROCESS_ROLE, vmsnap_group_role_name(process->role));
	if (json || row->text->style->columns || !alike(grouped->group))
		row_put_name(row, PROCESS_COMM, info->comm);
	if (grouped->change && change_of(grouped, index).a == SIZE_MAX)
		row_put_word(row, PROCESS_CHANGE, "came");
	row_put_word(row, PROCESS_SOURCE, vmsnap_group_source_name(process->source));
	if (process->space != index && !vmsnap_group_process(grouped->group, process->space, &of_memory))
		row_put_count(row, PROCESS_MEMORY_OF, vmsnap_info(of_memory.snap)->pid);
}

static void put_own(struct row *row, const struct vmsnap_group_process *was, const struct vmsnap_group_process *process)
{
	bool known = !process->own_unknown;
	row_put_bytes_known(row, PROCESS_USS, process->uss, known);
	row_put_bytes_known(row, PROCESS_OWN, process->own, known);
	if (!known && !process->own)
		row_put_unknown(row, PROCESS_OWN_NOW);
	else
		row_put_change(row, PROCESS_OWN_NOW, was ? &was->own : NULL, process->own);
}

static void put_lost(struct row *row, const struct vmsnap_group_change_process *change)
{
	if (change->a == SIZE_MAX)
		return;
	row_put_bytes_known(row, PROCESS_LOST, change->copied + change->left, change->known);
	row_put_bytes_known(row, PROCESS_COPIED, change->copied, change->known);
	row_put_bytes_known(row, PROCESS_LEFT, change->left, change->known);
}

static void put_before(struct row *row, const struct vmsnap_group_process *was)
{
	bool frames = was->source == VMSNAP_GROUP_FRAMES;
	struct row record = row_open(row, PROCESS_BEFORE);
	row_put_bytes(&record, BEFORE_RSS, was->rss);
	row_put_bytes_known(&record, BEFORE_PSS, was->pss, was->pss_known);
	row_put_bytes_known(&record, BEFORE_SHARE, was->share, frames);
	row_put_bytes_known(&record, BEFORE_USS, was->uss, !was->own_unknown);
	row_put_bytes_known(&record, BEFORE_OWN, was->own, !was->own_unknown);
	row_end(&record);
}

static void put_parts(struct row *row, const struct vmsnap_group_process *process)
{
	bool known = process->source == VMSNAP_GROUP_FRAMES;
	row_put_bytes(row, PROCESS_PRIVATE, process->of_private);
	row_put_bytes(row, PROCESS_CACHE, process->of_cache);
	row_put_bytes(row, PROCESS_SHARED, process->of_shared);
	row_put_bytes_known(row, PROCESS_WITH_PRIVATE, process->with_private, known);
	row_put_bytes_known(row, PROCESS_WITH_CACHE, process->with_cache, known);
	row_put_bytes_known(row, PROCESS_WITH_SHARED, process->with_shared, known);
	row_put_bytes_known(row, PROCESS_OUTSIDE, process->outside, known && process->pss_known);
	row_put_bytes(row, PROCESS_HIDDEN, process->hidden);
}

static int put_process(struct row *row, const struct grouped *grouped, size_t index,
                       const struct vmsnap_group_process *process, struct vmsnap_error *err)
{
	struct vmsnap_group_change_process change = change_of(grouped, index);
	struct vmsnap_group_process before;
	bool frames = process->source == VMSNAP_GROUP_FRAMES;
	const struct vmsnap_group_process *was =
	        grouped->before && !vmsnap_group_process(grouped->before, change.a, &before) ? &before : NULL;
	put_who(row, grouped, process, index);
	row_put_bytes(row, PROCESS_RSS, process->rss);
	if (row->text->style->json || process->pss_known || !frames)
		row_put_bytes_known(row, PROCESS_PSS, process->pss, process->pss_known);
	if (row->text->style->json || (frames && !process->pss_known))
		row_put_bytes_known(row, PROCESS_SHARE, process->share, frames);
	put_own(row, was, process);
	put_lost(row, &change);
	put_parts(row, process);
	if (was && row_wants(row, PROCESS_BEFORE))
		put_before(row, was);
	struct with with = { grouped->group, index };
	int rc = VMSNAP_OK;
	if (frames && row_wants(row, PROCESS_WITH))
		rc = row_rows(row, PROCESS_WITH, with_rows, &with, err);
	if (!frames)
		row_put_unknown(row, PROCESS_WITH_WHOM);
	else if (!rc && row_wants(row, PROCESS_WITH_WHOM))
		rc = put_with_whom(row, grouped, index);
	row_end(row);
	text_stop(row->text, rc);
	return VMSNAP_OK;
}

/* One that is gone. */
static void put_went(struct row *row, const struct grouped *grouped, size_t index)
{
	struct vmsnap_group_process was;
	if (vmsnap_group_process(grouped->before, index, &was))
		return;
	const struct vmsnap_info *info = vmsnap_info(was.snap);
	row_put_count(row, PROCESS_PID, info->pid);
	row_put_count(row, PROCESS_PARENT, info->ppid);
	row_put_count(row, PROCESS_START_TIME, info->start_time);
	if (was.role != VMSNAP_GROUP_ALONE)
		row_put_word(row, PROCESS_ROLE, vmsnap_group_role_name(was.role));
	row_put_name(row, PROCESS_COMM, info->comm);
	row_put_word(row, PROCESS_CHANGE, "went");
	if (row_wants(row, PROCESS_BEFORE))
		put_before(row, &was);
	row_end(row);
}

static int process_rows(struct row *row, void *ctx, struct vmsnap_error *err)
{
	const struct grouped *grouped = ctx;
	struct vmsnap_group_process process;
	struct vmsnap_group_change_process change;
	size_t i = 0;
	int rc = VMSNAP_OK;
	for (; !rc && !text_failed(row->text) && !vmsnap_group_process(grouped->group, i, &process); i++)
		rc = put_process(row, grouped, i, &process, err);
	for (; !rc && !text_failed(row->text) && grouped->change &&
	       !vmsnap_group_change_process(grouped->change, i, &change);
	     i++)
		put_went(row, grouped, change.a);
	return rc;
}

static void put_totals(struct row *document, unsigned column, const struct vmsnap_group *group)
{
	uint64_t totals[VMSNAP_GROUP_TOTAL_COUNT];
	uint32_t unknown = 0, frames = 1u << VMSNAP_GROUP_TOTAL_USS;
	for (int i = 0; i < VMSNAP_GROUP_TOTAL_COUNT; i++)
		totals[i] = vmsnap_group_total(group, i);
	for (int i = VMSNAP_GROUP_TOTAL_FRAMES; i <= VMSNAP_GROUP_TOTAL_OUTSIDE_UNKNOWN; i++)
		frames |= 1u << i;
	if (totals[VMSNAP_GROUP_TOTAL_HIDDEN])
		unknown |= frames;
	if (totals[VMSNAP_GROUP_TOTAL_OUTSIDE_UNKNOWN])
		unknown |= 1u << VMSNAP_GROUP_TOTAL_OUTSIDE | 1u << VMSNAP_GROUP_TOTAL_USS;
	if (!group_pss_known(group))
		unknown |= 1u << VMSNAP_GROUP_TOTAL_PSS;
	row_put_counts(document, column, totals, VMSNAP_GROUP_TOTAL_COUNT, unknown, vmsnap_group_total_name);
}

static int64_t taken_of(const struct vmsnap_group *group)
{
	struct vmsnap_group_process first;
	return vmsnap_group_process(group, 0, &first) ? 0 : vmsnap_info(first.snap)->taken;
}

static int fill_document(struct row *document, void *ctx, struct vmsnap_error *err)
{
	const struct grouped *grouped = ctx;
	row_put_time(document, DOCUMENT_TAKEN, taken_of(grouped->group));
	if (grouped->before)
		row_put_time(document, DOCUMENT_TAKEN_BEFORE, taken_of(grouped->before));
	int rc = row_rows(document, DOCUMENT_PROCESSES,
	                  grouped->flags & VMSNAP_PRINT_TOTALS_ONLY ? rows_none : process_rows, ctx, err);
	put_totals(document, DOCUMENT_TOTALS, grouped->group);
	if (grouped->before) {
		put_totals(document, DOCUMENT_BEFORE, grouped->before);
		row_put_bytes(document, DOCUMENT_LOST, group_lost(grouped));
	}
	return rc;
}

static int group_text(struct text *text, struct grouped *grouped, struct vmsnap_error *err)
{
	bool bare = text->style->raw || text->style->no_headings;
	int rc = emit_table_check(text, &sharing_schema, err);
	if (rc)
		return rc;
	if (!bare)
		put_group_heading(text, grouped);
	return grouped->flags & VMSNAP_PRINT_TOTALS_ONLY ? VMSNAP_OK
	                                                 : emit_table(text, &sharing_schema, process_rows, grouped, err);
}

VMSNAP_API int vmsnap_print_group(const struct vmsnap_group *group, const struct vmsnap_group *before,
                                  const struct vmsnap_group_change *change, unsigned flags,
                                  const struct vmsnap_output *out, struct vmsnap_error *err)
{
	struct grouped grouped = { group, change ? before : NULL, before ? change : NULL, flags };
	struct text text;
	int rc = text_open(&text, out, err);
	if (rc)
		return rc;
	text_limit_group(&text, &grouped);
	rc = text.style->json ? emit_json(&text, "vmsnap.group/1", &sharing_document_schema, fill_document, &grouped, err)
	                      : group_text(&text, &grouped, err);
	return rc ? rc : text_close(&text, err);
}
