/* print_show.c - the address space as a table: vmsnap_print_show(), vmsnap_print_show_with(). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "emitter.h"
#include "error.h"
#include "filter_record.h"
#include "format_value.h"
#include "mapping_groups.h"
#include "mapping_label.h"
#include "page_shares.h"
#include "page_state.h"
#include "schemas.h"
#include "show_text.h"
#include "snapshot_record.h"
#include "strip_key.h"
#include "sums.h"
#include "text_color.h"
#include "text_limit.h"
#include "vma_record.h"
#include "written.h"

enum {
	SHOW_SUMS = VMA_COLUMNS,
	SHOW_MAPPING = SHOW_SUMS + SUMS_COLUMNS,
	SHOW_LABEL_KIND,
	SHOW_LABEL,
	SHOW_WRITTEN,
	SHOW_SMAPS,
	SHOW_PAGES,
	SHOW_SHARED,
	SHOW_OWN,
	SHOW_MERGED,
	SHOW_COLUMNS, /* behind them one for each key of smaps, in tables */
};
static const struct column show_columns[] = {
	[VMA_START] = { "start", "START", COLUMN_ADDRESS, 0, "where the mapping begins", NULL },
	[VMA_END] = { "end", "END", COLUMN_ADDRESS, COLUMN_SECONDARY, "where it ends", NULL },
	[VMA_PERM] = { "perms", "PERM", COLUMN_WORD, COLUMN_YIELDS,
	               "rwx, and p for private or s for shared; or how many", NULL },
	[VMA_OFFSET] = { "offset", "OFFSET", COLUMN_OFFSET, COLUMN_SECONDARY, "where in the file it begins", NULL },
	[VMA_DEV] = { "dev", "DEV", COLUMN_WORD, COLUMN_SECONDARY, "the file's device", NULL },
	[VMA_INODE] = { "inode", "INODE", COLUMN_COUNT, COLUMN_SECONDARY, "the file's inode", NULL },
	[VMA_NAME] = { "name", .type = COLUMN_PATH },
	[VMA_DELETED] = { "deleted", .type = COLUMN_BOOL },
	[VMA_BUILD_ID] = { "build_id", "BUILDID", COLUMN_BUILD_ID, COLUMN_SECONDARY, "of the file", NULL },
	[SHOW_SUMS + SUMS_SIZE] = { "size", "SIZE", COLUMN_BYTES, 0, "of the mapping", NULL },
	[SHOW_SUMS + SUMS_RESIDENT] = { "resident", "RESIDENT", COLUMN_BYTES, COLUMN_STAYS | COLUMN_NONZERO,
	                                "present pages", NULL },
	[SHOW_SUMS + SUMS_SWAPPED] = { "swapped", "SWAPPED", COLUMN_BYTES,
	                               COLUMN_YIELDS | COLUMN_SPARSE | COLUMN_NONZERO, "pages in swap", NULL },
	[SHOW_SUMS + SUMS_EXCLUSIVE] = { "exclusive", "EXCL", COLUMN_BYTES, COLUMN_SECONDARY | COLUMN_NONZERO,
	                                 "present pages mapped here only, those of files too", NULL },
	[SHOW_SUMS + SUMS_ZERO] = { "zero", "ZERO", COLUMN_BYTES, COLUMN_SECONDARY | COLUMN_NONZERO,
	                            "pages that are the zero page", NULL },
	[SHOW_SUMS + SUMS_FILE] = { "file", "FILE", COLUMN_BYTES, COLUMN_SECONDARY | COLUMN_NONZERO,
	                            "pages of files or shared memory", NULL },
	[SHOW_SUMS + SUMS_HUGE] = { "huge", "HUGE", COLUMN_BYTES, COLUMN_SECONDARY | COLUMN_NONZERO,
	                            "pages in huge ones", NULL },
	[SHOW_SUMS + SUMS_GUARD] = { "guard", "GUARD", COLUMN_BYTES, COLUMN_SECONDARY | COLUMN_NONZERO, "guard pages",
	                             NULL },
	[SHOW_SUMS + SUMS_EXCLUSIVE_UNKNOWN] = { "exclusive_unknown", "EXCL?", COLUMN_BYTES,
	                                         COLUMN_SECONDARY | COLUMN_NONZERO,
	                                         "pages of which it is not known whether they are", NULL },
	[SHOW_SUMS + SUMS_SWAPPED_UNKNOWN] = { "swapped_unknown", "SWAPPED?", COLUMN_BYTES,
	                                       COLUMN_SECONDARY | COLUMN_NONZERO,
	                                       "pages that look swapped, and may not be", NULL },
	[SHOW_MAPPING] = { NULL, "MAPPING", COLUMN_PATH, COLUMN_STAYS, "the file, or what it is called or known to be",
	                   NULL },
	[SHOW_LABEL_KIND] = { "label_kind", .type = COLUMN_WORD },
	[SHOW_LABEL] = { "label", "LABEL", COLUMN_NAME, COLUMN_SECONDARY, "what memory without a name is known to be",
	                 NULL },
	[SHOW_WRITTEN] = { "written", "WRITTEN", COLUMN_BYTES, COLUMN_SPARSE | COLUMN_OPTIONAL,
	                   "pages written since the snapshot before", NULL },
	[SHOW_SMAPS] = { "smaps", NULL, COLUMN_OPEN, COLUMN_OPTIONAL, NULL, NULL },
	[SHOW_PAGES] = { NULL, "PAGES", COLUMN_STRIP, 0, "a picture of what is there", NULL },
	[SHOW_SHARED] = { NULL, "SHARED", COLUMN_BYTES, COLUMN_NONZERO,
	                  "private memory that other processes have, too, and the zero page", NULL },
	[SHOW_OWN] = { NULL, "OWN", COLUMN_BYTES, COLUMN_NONZERO, "private memory that nobody else has", NULL },
	[SHOW_MERGED] = { "merged", "MERGED", COLUMN_BYTES, COLUMN_SPARSE | COLUMN_NONZERO | COLUMN_OPTIONAL,
	                  "shared pages that KSM merged (capture --kpage)", NULL },
};
static const uint32_t show_shown[] = {
	VMA_START,
	VMA_END,
	SHOW_SUMS + SUMS_SIZE,
	VMA_PERM,
	SHOW_PAGES,
	SHOW_SUMS + SUMS_RESIDENT,
	SHOW_SHARED,
	SHOW_OWN,
	SHOW_MERGED,
	SHOW_SUMS + SUMS_SWAPPED,
	SHOW_SUMS + SUMS_EXCLUSIVE,
	SHOW_SUMS + SUMS_ZERO,
	SHOW_SUMS + SUMS_FILE,
	SHOW_SUMS + SUMS_HUGE,
	SHOW_SUMS + SUMS_GUARD,
	SHOW_SUMS + SUMS_EXCLUSIVE_UNKNOWN,
	SHOW_SUMS + SUMS_SWAPPED_UNKNOWN,
	VMA_OFFSET,
	VMA_DEV,
	VMA_INODE,
	VMA_BUILD_ID,
	SHOW_LABEL,
	SHOW_MAPPING,
	SHOW_WRITTEN,
};
enum { SHOW_SHOWN = sizeof(show_shown) / sizeof(show_shown[0]) };
const struct row_schema show_schema = ROW_SCHEMA_SHOWN(show_columns, show_shown);

enum { THREAD_TID, THREAD_STACK_POINTER, THREAD_COMM, THREAD_MISSED };
static const struct column thread_columns[] = {
	[THREAD_TID] = { "tid", .type = COLUMN_COUNT },
	[THREAD_STACK_POINTER] = { "stack_pointer", .type = COLUMN_ADDRESS },
	[THREAD_COMM] = { "comm", .type = COLUMN_NAME },
	[THREAD_MISSED] = { "missed", .type = COLUMN_BOOL },
};
static const struct row_schema thread_schema = ROW_SCHEMA(thread_columns);

enum { DOCUMENT_SNAPSHOT, DOCUMENT_FILTER, DOCUMENT_VMAS, DOCUMENT_TOTAL, DOCUMENT_STATUS, DOCUMENT_THREADS };
enum { TOTAL_SMAPS = SUMS_COLUMNS };
static const struct column total_columns[] = {
	[SUMS_SIZE] = { "size", .type = COLUMN_BYTES },
	[SUMS_RESIDENT] = { "resident", .type = COLUMN_BYTES },
	[SUMS_SWAPPED] = { "swapped", .type = COLUMN_BYTES },
	[SUMS_EXCLUSIVE] = { "exclusive", .type = COLUMN_BYTES },
	[SUMS_ZERO] = { "zero", .type = COLUMN_BYTES },
	[SUMS_FILE] = { "file", .type = COLUMN_BYTES },
	[SUMS_HUGE] = { "huge", .type = COLUMN_BYTES },
	[SUMS_GUARD] = { "guard", .type = COLUMN_BYTES },
	[SUMS_EXCLUSIVE_UNKNOWN] = { "exclusive_unknown", .type = COLUMN_BYTES },
	[SUMS_SWAPPED_UNKNOWN] = { "swapped_unknown", .type = COLUMN_BYTES },
	[TOTAL_SMAPS] = { "smaps", .type = COLUMN_OPEN, .flags = COLUMN_OPTIONAL },
};
static const struct row_schema total_schema = ROW_SCHEMA(total_columns);

static const struct column document_columns[] = {
	[DOCUMENT_SNAPSHOT] = { "snapshot", .type = COLUMN_RECORD, .of = &snapshot_schema },
	[DOCUMENT_FILTER] = { "filter", NULL, COLUMN_RECORD, COLUMN_OPTIONAL, NULL, &filter_schema },
	[DOCUMENT_VMAS] = { "vmas", .type = COLUMN_ROWS, .of = &show_schema },
	[DOCUMENT_TOTAL] = { "total", .type = COLUMN_RECORD, .of = &total_schema },
	[DOCUMENT_STATUS] = { "status", .type = COLUMN_OPEN },
	[DOCUMENT_THREADS] = { "threads", .type = COLUMN_ROWS, .of = &thread_schema },
};
const struct row_schema show_document_schema = ROW_SCHEMA(document_columns);

struct show {
	const struct vmsnap *snap;
	struct filter filter;
	struct vmsnap_sums total;  /* of the rows that were put */
	size_t count;              /* of them */
	uint64_t written;          /* the same; bytes */
	uint64_t *smaps_total;     /* the same of each key of smaps; UINT64_MAX: its values do not add up */
	bool smaps_blank;          /* some value is not told, as it is that of a whole mapping */
	unsigned flags;            /* enum vmsnap_print_flag */
	struct page_shares shares; /* of the rows that were put */
};

/* Whether a key is of sizes of memory, in kB, and not of something that a mapping has. */
static bool adds_up(const char *key)
{
	static const char page_size[] = "PageSize";
	size_t len = strlen(key), end = sizeof(page_size) - 1;
	return strcmp(key, "THPeligible") != 0 && strcmp(key, "ProtectionKey") != 0 &&
	       (len < end || strcmp(key + len - end, page_size) != 0);
}

static void begin_totals(struct show *show)
{
	show->total = (struct vmsnap_sums){ 0 };
	for (size_t k = 0; k < vmsnap_smaps_key_count(show->snap); k++)
		show->smaps_total[k] = adds_up(vmsnap_smaps_key(show->snap, k)) ? 0 : UINT64_MAX;
}

/* Whether a value of smaps is that of what is told of a mapping: sizes are those of all of its pages, all else
 * (KernelPageSize, VmFlags, ...) its parts have, too. */
static bool smaps_holds(const struct show *show, size_t index, size_t key)
{
	return filter_takes_whole(&show->filter, vmsnap_vma(show->snap, index)) ||
	       vmsnap_smaps_text(show->snap, index, key) || !adds_up(vmsnap_smaps_key(show->snap, key));
}

/* What is no whole number of KiB is no size: a key of later kernels that this does not know. */
static void add_smaps(struct show *show, size_t index)
{
	for (size_t k = 0; k < vmsnap_smaps_key_count(show->snap); k++) {
		uint64_t value = vmsnap_smaps_value(show->snap, index, k), *total = &show->smaps_total[k];
		if (vmsnap_smaps_text(show->snap, index, k) || !smaps_holds(show, index, k) ||
		    (value != UINT64_MAX && (value % 1024 || value > UINT64_MAX - 1 - *total)))
			*total = UINT64_MAX;
		else if (*total != UINT64_MAX && value != UINT64_MAX)
			*total += value;
	}
}

static int totals_init(struct show *show, struct text *text, struct vmsnap_error *err)
{
	int rc = VMSNAP_OK;
	show->smaps_total =
	        work_array(&text->work, vmsnap_smaps_key_count(show->snap) + 1, sizeof(*show->smaps_total), &rc);
	return rc ? work_fail(&text->work, rc, err) : VMSNAP_OK;
}

/* ---- mappings -------------------------------------------------------------------- */

/* What is told in one row: a mapping, or several that people take for one. */
struct told {
	size_t count, first, last; /* of those that are taken */
	size_t called;             /* by whose name, if there are several */
	uint64_t start, end;
	struct vmsnap_sums sums;
	struct page_shares shares;
};

static void put_smaps(struct row *row, const struct show *show, size_t index)
{
	const struct vmsnap *snap = show->snap;
	size_t keys = vmsnap_smaps_key_count(snap);
	if (!keys || !row_wants(row, SHOW_SMAPS))
		return;
	struct row open = row_open(row, SHOW_SMAPS);
	for (size_t k = 0; k < keys; k++) {
		uint64_t value = vmsnap_smaps_value(snap, index, k);
		const char *text = vmsnap_smaps_text(snap, index, k);
		if (text)
			row_own_name(&open, vmsnap_smaps_key(snap, k), text, strlen(text));
		else
			row_own_count(&open, vmsnap_smaps_key(snap, k), value,
			              value != UINT64_MAX && smaps_holds(show, index, k));
	}
	const char *flags = vmsnap_smaps_flags(snap, index);
	if (*flags)
		row_own_name(&open, "VmFlags", flags, strlen(flags));
	row_end(&open);
}

/* The columns that only a table has.  Values are not known to be sizes: most are, in bytes. */
static void put_smaps_columns(struct row *row, struct show *show, size_t index)
{
	const struct vmsnap *snap = show->snap;
	for (unsigned column = SHOW_COLUMNS; column < row->schema->count; column++) {
		size_t key = column - SHOW_COLUMNS;
		uint64_t value = vmsnap_smaps_value(snap, index, key);
		const char *text = vmsnap_smaps_text(snap, index, key);
		if (text)
			row_text_name(row, column, text, strlen(text));
		else if (value != UINT64_MAX && smaps_holds(show, index, key))
			row_put_bytes(row, column, value);
		else if (value != UINT64_MAX)
			show->smaps_blank |= row_wants(row, column);
	}
}

/* For scripts the kernel's word is left alone. */
static void put_label(struct row *row, const struct vmsnap_vma *vma, size_t index)
{
	struct mapping_label label = mapping_label(row->text, row->text->out.names, vma, index);
	const char *words = label.words ? label.words : "";
	bool anonymous = !*vma->name && !label.words && !row->text->style->raw;
	bool unknown = anonymous && vma->unknown & VMSNAP_VMA_UNKNOWN_SHARED;
	if (unknown)
		row_put_unknown(row, SHOW_MAPPING);
	else
		row_put_name(row, SHOW_MAPPING,
		             anonymous                             ? "anonymous"
		             : *vma->name || row->text->style->raw ? vma->name
		                                                   : words);
	if (anonymous)
		row_mark(row, SHOW_MAPPING, COLOR_DIM);
	if (label.words) {
		row_put_word(row, SHOW_LABEL_KIND, label.kind);
		row_put_name(row, SHOW_LABEL, label.words);
	}
	mapping_label_free(&label, row->text);
}

/* Of a mapping of which not all is told, nothing. */
static void put_written(struct row *row, struct show *show, const struct told *told)
{
	uint64_t bytes = 0;
	if (!vmsnap_info(show->snap)->known.written)
		return;
	for (size_t i = told->first; i <= told->last; i++) {
		const struct vmsnap_vma *vma = vmsnap_vma(show->snap, i);
		if (!filter_takes_whole(&show->filter, vma))
			return;
		bytes += written_in(show->snap, vma->start, vma->end).bytes;
	}
	show->written += bytes;
	row_put_bytes(row, SHOW_WRITTEN, bytes);
}

/* ---- the picture of a row, and who has what is in it --------------------------------- */

struct strip_source {
	const struct show *show;
	const struct told *told;
};

/* Which pages are asked for by their states cannot be told of a core file, and is refused. */
static void dumped_pieces(struct strip *strip, const struct show *show, const struct vmsnap_vma *vma)
{
	struct page_classes it;
	struct page_range range;
	uint64_t start = vma->start > show->filter.start ? vma->start : show->filter.start;
	page_classes_init(&it, show->snap, start, vma->end < show->filter.end ? vma->end : show->filter.end);
	while (page_classes_next(&it, &range))
		strip_add(strip, range.start, range.end, range.page_class);
}

/* Of neighbours that differ by their frames alone there may be a million. */
static void state_pieces(struct strip *strip, const struct show *show, const struct vmsnap_vma *vma)
{
	struct page_range range = { 0, 0, CLASS_UNTOUCHED };
	struct vmsnap_run_iter it;
	struct vmsnap_run run;
	vmsnap_run_iter_init(&it, show->snap, vma->start, vma->end);
	while (filter_next(&show->filter, &it, &run)) {
		int page_class = page_quiet_class(show->snap, &run);
		if (run.start != range.end || page_class != range.page_class) {
			strip_add(strip, range.start, range.end, range.page_class);
			range = (struct page_range){ run.start, run.end, page_class };
		}
		range.end = run.end;
	}
	strip_add(strip, range.start, range.end, range.page_class);
}

/* The class of all of its pages, if they are of one; otherwise CLASS_HOLE. */
static int only_class(const struct told *told)
{
	uint64_t bytes = told->end - told->start;
	const struct page_shares *shares = &told->shares;
	if (told->sums.zero || told->sums.size != bytes)
		return CLASS_HOLE;
	return shares->file == bytes                    ? CLASS_FILE
	       : shares->own + shares->unknown == bytes ? CLASS_PRIVATE
	       : shares->shared == bytes                ? CLASS_SHARED
	                                                : CLASS_HOLE;
}

static void fill_strip(void *ctx, struct strip *strip, bool quiet)
{
	const struct strip_source *source = ctx;
	const struct show *show = source->show;
	int all = only_class(source->told);
	if (all != CLASS_HOLE) {
		strip_add(strip, source->told->start, source->told->end, all);
		return;
	}
	const struct vmsnap_info *info = vmsnap_info(show->snap);
	(void)quiet; /* nothing happens in one snapshot */
	for (size_t i = source->told->first; i <= source->told->last; i++) {
		const struct vmsnap_vma *vma = vmsnap_vma(show->snap, i);
		if (filter_takes_vma(&show->filter, vma) && info->known.states_unknown)
			dumped_pieces(strip, show, vma);
		else if (filter_takes_vma(&show->filter, vma))
			state_pieces(strip, show, vma);
	}
}

static void put_strip(struct row *row, const struct show *show, const struct told *told)
{
	struct strip_source source = { show, told };
	const struct strip_of strip = { told->start, told->end, vmsnap_info(show->snap)->page_size, fill_strip,
		                        &source };
	if (row_wants(row, SHOW_PAGES))
		row_put_strip(row, SHOW_PAGES, &strip);
}

static void put_shares(struct row *row, const struct vmsnap *snap, const struct page_shares *shares)
{
	if (vmsnap_info(snap)->known.states_unknown) {
		row_put_unknown(row, SHOW_SHARED);
		row_put_unknown(row, SHOW_OWN);
		return;
	}
	row_put_bytes_least(row, SHOW_SHARED, shares->shared, shares->unknown + shares->unread);
	row_put_bytes_least(row, SHOW_OWN, shares->own, shares->unknown + shares->unread);
	if (vmsnap_layer_known(snap, VMSNAP_LAYER_KPAGE_FLAGS))
		row_put_bytes(row, SHOW_MERGED, shares->merged);
}

/* ---- rows ---------------------------------------------------------------------------- */

/* "×6" */
static struct word how_many(const struct vmsnap_style *style, size_t count)
{
	struct word word;
	snprintf(word.text, sizeof(word.text), "%s%zu", style->unicode ? "\u00d7" : "x", count);
	return word;
}

/* Where several are one row, it has the first one's file and the name that they are called by. */
static void put_told(struct row *row, struct show *show, const struct told *told)
{
	struct vmsnap_vma vma = *vmsnap_vma(show->snap, told->first);
	size_t called = told->count > 1 ? told->called : told->first;
	vma.start = told->start;
	vma.end = told->end;
	struct word perms = told->count > 1 ? how_many(row->text->style, told->count) : word_perms(&vma);
	put_vma_columns_as(row, &vma, perms.text);
	put_sums_columns(row, SHOW_SUMS, show->snap, &told->sums);
	put_label(row, vmsnap_vma(show->snap, called), called);
	put_written(row, show, told);
	if (told->count == 1)
		put_smaps(row, show, told->first);
	put_strip(row, show, told);
	put_shares(row, show->snap, &told->shares);
	if (told->count == 1)
		put_smaps_columns(row, show, told->first);
	row_end(row);
}

/* Adds a mapping to what is told in one row, if it is taken. */
static void take(struct row *row, struct show *show, size_t index, struct told *told)
{
	const struct vmsnap_vma *vma = vmsnap_vma(show->snap, index);
	struct vmsnap_sums sums;
	if (!filter_takes_vma(&show->filter, vma) || !filter_sum(&show->filter, show->snap, vma, &sums))
		return;
	if (!told->count++) {
		told->first = index;
		told->start = vma->start;
	}
	told->last = index;
	told->end = vma->end;
	sums_add(&told->sums, &sums);
	sums_add(&show->total, &sums);
	show->count++;
	add_smaps(show, index);
	if (row_wants(row, SHOW_SHARED) || row_wants(row, SHOW_OWN) || row_wants(row, SHOW_MERGED)) {
		struct page_shares shares = page_shares_of(show->snap, &show->filter, vma, &sums);
		page_shares_add(&told->shares, &shares);
		page_shares_add(&show->shares, &shares);
	}
}

static void put_total(struct row *row, const struct show *show)
{
	char words[64];
	size_t count = vmsnap_vma_count(show->snap);
	/* They stand above, but for columns that were asked for. */
	if (!(show->flags & VMSNAP_PRINT_LONG) && !row->text->style->columns && !row->text->style->no_headings)
		return;
	if (!row_total(row))
		return;
	if (show->filter.any)
		snprintf(words, sizeof(words), "%zu of %zu mapping%s", show->count, count, word_plural(count));
	else
		snprintf(words, sizeof(words), "%zu mapping%s", count, word_plural(count));
	row_total_label(row, VMA_START, "total");
	put_sums_columns(row, SHOW_SUMS, show->snap, &show->total);
	row_total_label(row, SHOW_MAPPING, words);
	if (vmsnap_info(show->snap)->known.written)
		row_put_bytes(row, SHOW_WRITTEN, show->written);
	put_shares(row, show->snap, &show->shares);
	for (unsigned column = SHOW_COLUMNS; column < row->schema->count; column++)
		if (show->smaps_total[column - SHOW_COLUMNS] != UINT64_MAX)
			row_put_bytes(row, column, show->smaps_total[column - SHOW_COLUMNS]);
	row_end_total(row);
}

/* Not where somebody asks for what each mapping has for itself. */
static bool folds(const struct row *row, const struct show *show)
{
	const struct vmsnap_style *style = row->text->style;
	if (style->raw || style->json || show->flags & VMSNAP_PRINT_LONG || row_wants(row, VMA_OFFSET))
		return false;
	for (unsigned column = SHOW_COLUMNS; column < row->schema->count; column++)
		if (row_wants(row, column))
			return false;
	return true;
}

/* Every process has it, nothing ever lies there, and its address alone would make all rows wider. */
static bool is_vsyscall(const struct vmsnap *snap, const struct told *told)
{
	return told->start >> 63 && !told->sums.resident && !strcmp(vmsnap_vma(snap, told->first)->name, "[vsyscall]");
}

static int mapping_rows(struct row *row, void *ctx, struct vmsnap_error *err)
{
	struct show *show = ctx;
	struct mapping_group group = { .count = 0 };
	bool fold = folds(row, show);
	(void)err;
	show->count = 0;
	show->written = 0;
	show->shares = (struct page_shares){ 0 };
	begin_totals(show);
	for (size_t i = 0; i < vmsnap_vma_count(show->snap) && !text_failed(row->text); i += group.count) {
		struct told told = { .count = 0 };
		group = (struct mapping_group){ .first = i, .count = 1, .called = i };
		if (fold)
			mapping_group_at(show->snap, row->text->out.names, i, &group);
		told.called = group.called;
		for (size_t k = 0; k < group.count; k++)
			take(row, show, i + k, &told);
		if (told.count && !(fold && is_vsyscall(show->snap, &told)))
			put_told(row, show, &told);
	}
	put_total(row, show);
	return VMSNAP_OK;
}

/* ---- the document ---------------------------------------------------------------- */

static int thread_rows(struct row *row, void *ctx, struct vmsnap_error *err)
{
	const struct vmsnap *snap = ((const struct show *)ctx)->snap;
	(void)err;
	for (size_t i = 0; i < vmsnap_thread_count(snap) && !text_failed(row->text); i++) {
		const struct vmsnap_thread *thread = vmsnap_thread(snap, i);
		row_put_count(row, THREAD_TID, thread->tid);
		if (thread->stack_pointer)
			row_put_address(row, THREAD_STACK_POINTER, thread->stack_pointer);
		row_put_name(row, THREAD_COMM, thread->comm);
		row_put_bool(row, THREAD_MISSED, thread->missed);
		row_end(row);
	}
	return VMSNAP_OK;
}

/* Of lines with the same key the first one counts; the kernel writes none twice. */
static bool put_status_key(void *ctx, const struct vmsnap_status_field *field)
{
	struct row *open = ctx;
	row_own_status(open, field);
	return !text_failed(open->text);
}

static int put_status(struct row *document, const struct vmsnap *snap, struct vmsnap_error *err)
{
	struct vmsnap_compare_options options = text_compare_options(document->text);
	if (text_failed(document->text))
		return VMSNAP_OK;
	struct row open = row_open(document, DOCUMENT_STATUS);
	int rc = vmsnap_status_keys(snap, &options, put_status_key, &open, err);
	row_end(&open);
	return rc;
}

static void put_document_total(struct row *document, const struct show *show)
{
	size_t keys = vmsnap_smaps_key_count(show->snap);
	struct row record = row_open(document, DOCUMENT_TOTAL);
	put_sums_columns(&record, 0, show->snap, &show->total);
	if (keys) {
		struct row open = row_open(&record, TOTAL_SMAPS);
		for (size_t k = 0; k < keys; k++)
			if (show->smaps_total[k] != UINT64_MAX)
				row_own_count(&open, vmsnap_smaps_key(show->snap, k), show->smaps_total[k], true);
		row_end(&open);
	}
	row_end(&record);
}

static int fill_document(struct row *document, void *ctx, struct vmsnap_error *err)
{
	struct show *show = ctx;
	put_snapshot(document, DOCUMENT_SNAPSHOT, show->snap);
	put_filter(document, DOCUMENT_FILTER, show->snap, &show->filter);
	int rc = row_rows(document, DOCUMENT_VMAS, mapping_rows, show, err);
	put_document_total(document, show);
	rc = rc ? rc : put_status(document, show->snap, err);
	return rc ? rc : row_rows(document, DOCUMENT_THREADS, thread_rows, show, err);
}

/* ---- the table ------------------------------------------------------------------- */

/* The columns that are always there, and one for each key of smaps, in capitals. */
struct all_columns {
	struct row_schema schema;
	struct column *columns;
	uint32_t *shown;
	char *names;
};

static void all_columns_free(struct all_columns *all)
{
	free(all->columns);
	free(all->shown);
	free(all->names);
}

static void add_smaps_columns(struct all_columns *all, const struct vmsnap *snap)
{
	char *at = all->names;
	for (size_t k = 0; k < vmsnap_smaps_key_count(snap); k++) {
		all->columns[SHOW_COLUMNS + k] =
		        (struct column){ .heading = at, .type = COLUMN_BYTES, .flags = COLUMN_SECONDARY };
		all->shown[SHOW_SHOWN + k] = (uint32_t)(SHOW_COLUMNS + k);
		for (const char *c = vmsnap_smaps_key(snap, k); *c; c++)
			*at++ = *c >= 'a' && *c <= 'z' ? (char)(*c - 'a' + 'A') : *c;
		*at++ = '\0';
	}
}

static int all_columns_init(struct all_columns *all, struct text *text, const struct vmsnap *snap,
                            struct vmsnap_error *err)
{
	size_t keys = vmsnap_smaps_key_count(snap), bytes = 1;
	for (size_t k = 0; k < keys; k++)
		bytes += strlen(vmsnap_smaps_key(snap, k)) + 1;
	int rc = VMSNAP_OK;
	all->columns = work_array(&text->work, SHOW_COLUMNS + keys, sizeof(*all->columns), &rc);
	all->shown = work_array(&text->work, SHOW_SHOWN + keys, sizeof(*all->shown), &rc);
	all->names = work_array(&text->work, bytes, 1, &rc);
	if (rc)
		return work_fail(&text->work, rc, err);
	memcpy(all->columns, show_columns, sizeof(show_columns));
	memcpy(all->shown, show_shown, sizeof(show_shown));
	add_smaps_columns(all, snap);
	all->schema = (struct row_schema){ all->columns, SHOW_COLUMNS + keys, all->shown, SHOW_SHOWN + keys };
	return VMSNAP_OK;
}

/* What the columns do not come to. */
static const char *rest_of_resident(const struct text *text, const struct vmsnap *snap)
{
	struct vmsnap_sums sums;
	vmsnap_sum(snap, 0, UINT64_MAX, &sums);
	bool told = !text->style->columns && vmsnap_info(snap)->known.exclusive && sums.file;
	return told ? "rest of RESIDENT: files, shared memory" : NULL;
}

static int show_table(struct text *text, struct show *show, struct vmsnap_error *err)
{
	struct all_columns all = { .columns = NULL };
	bool bare = text->style->raw || text->style->no_headings;
	int rc = all_columns_init(&all, text, show->snap, err);
	rc = rc ? rc : emit_table_check(text, &all.schema, err);
	if (!rc && !bare)
		put_show_heading(text, show->snap, &show->filter, show->flags);
	rc = rc ? rc : emit_table(text, &all.schema, mapping_rows, show, err);
	if (!rc && !bare)
		put_strip_key(text, class_words, rest_of_resident(text, show->snap));
	if (!rc && !bare && show->smaps_blank)
		text_string(text,
		            "\nblank     smaps tells of whole mappings: nothing of those that are told in part\n");
	if (!rc && !bare && show->flags & VMSNAP_PRINT_LONG)
		put_show_status(text, show->snap);
	all_columns_free(&all);
	return rc;
}

VMSNAP_API int vmsnap_print_show(const struct vmsnap *snap, const struct vmsnap_output *out, struct vmsnap_error *err)
{
	return vmsnap_print_show_with(snap, VMSNAP_PRINT_LONG, out, err);
}

VMSNAP_API int vmsnap_print_show_with(const struct vmsnap *snap, unsigned flags, const struct vmsnap_output *out,
                                      struct vmsnap_error *err)
{
	struct show show = { .snap = snap, .flags = flags };
	struct text text;
	int rc = text_open_filtered(&text, out, err);
	rc = rc ? rc : filter_init(&show.filter, text.out.filter, err);
	rc = rc ? rc : filter_fit(&show.filter, snap, err);
	if (rc)
		return rc;
	text_limit(&text, &snap, 1);
	rc = filter_count_unknown(&show.filter, snap, 0, UINT64_MAX, &text.work);
	rc = rc ? work_fail(&text.work, rc, err) : totals_init(&show, &text, err);
	if (rc)
		return rc;
	if (text.style->json)
		rc = emit_json(&text, "vmsnap.show/1", &show_document_schema, fill_document, &show, err);
	else
		rc = show_table(&text, &show, err);
	work_free(&text.work, show.smaps_total, vmsnap_smaps_key_count(snap) + 1, sizeof(*show.smaps_total));
	return rc ? rc : text_close(&text, err);
}
