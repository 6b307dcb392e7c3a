/* print_who.c - who maps a frame or a file: vmsnap_print_who(). */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "emitter.h"
#include "error.h"
#include "format_value.h"
#include "name_columns.h"
#include "name_text.h"
#include "page_state.h"
#include "schemas.h"
#include "top_names.h"
#include "who_text.h"

/* ---- of JSON ------------------------------------------------------------------------ */

enum { PLACE_START, PLACE_END, PLACE_PERM, PLACE_OFFSET, PLACE_NAME, PLACE_FLAGS, PLACE_NAMES, PLACE_TOTAL };
static const struct column place_columns[] = {
	[PLACE_START] = { "start", .type = COLUMN_ADDRESS }, [PLACE_END] = { "end", .type = COLUMN_ADDRESS },
	[PLACE_PERM] = { "perms", .type = COLUMN_WORD },     [PLACE_OFFSET] = { "offset", .type = COLUMN_OFFSET },
	[PLACE_NAME] = { "name", .type = COLUMN_PATH },      [PLACE_FLAGS] = { "flags", .type = COLUMN_FLAGS },
	[PLACE_NAMES] = { "names", .type = COLUMN_LIST },    [PLACE_TOTAL] = { "names_total", .type = COLUMN_COUNT },
};
static const struct row_schema place_schema = ROW_SCHEMA(place_columns);

enum {
	PROCESS_PID,
	PROCESS_COMM,
	PROCESS_UID,
	PROCESS_START_TIME,
	PROCESS_ADDRESS,
	PROCESS_MAPPINGS,
	PROCESS_SIZE,
	PROCESS_RESIDENT,
	PROCESS_COPIED,
	PROCESS_CODE,
	PROCESS_MEMORY_OF,
	PROCESS_SELF,
	PROCESS_OTHER,
	PROCESS_FILE,
	PROCESS_SNAPSHOT,
	PROCESS_ADDED,
	PROCESS_TAKEN,
	PROCESS_LABEL,
	PROCESS_NOTE,
	PROCESS_PLACES,
};
static const struct column process_columns[] = {
	[PROCESS_PID] = { "pid", "PID", COLUMN_COUNT, 0, "of the process", NULL },
	[PROCESS_COMM] = { "comm", "COMM", COLUMN_NAME, 0, "the process's name", NULL },
	[PROCESS_UID] = { "uid", "UID", COLUMN_COUNT, COLUMN_SECONDARY, "whose it is", NULL },
	[PROCESS_START_TIME] = { "start_time", "STARTED", COLUMN_COUNT, COLUMN_SECONDARY, "clock ticks after boot",
	                         NULL },
	[PROCESS_ADDRESS] = { "address", "ADDRESS", COLUMN_ADDRESS, 0, "where the first mapping of the file begins",
	                      NULL },
	[PROCESS_MAPPINGS] = { "mappings", "MAPPINGS", COLUMN_COUNT, 0, "how many mappings of the file it has", NULL },
	[PROCESS_SIZE] = { "size", "SIZE", COLUMN_BYTES, COLUMN_SECONDARY, "of the mappings", NULL },
	[PROCESS_RESIDENT] = { "resident", "RESIDENT", COLUMN_BYTES, 0, "pages of the page cache that it maps", NULL },
	[PROCESS_COPIED] = { "copied", "OWN", COLUMN_BYTES, 0,
	                     "pages of its own in place of the file's: it wrote there", NULL },
	[PROCESS_CODE] = { "copied_code", "CODE", COLUMN_BYTES, 0, "those in executable mappings: patched", NULL },
	[PROCESS_MEMORY_OF] = { "memory_of", .type = COLUMN_COUNT },
	[PROCESS_SELF] = { "self", .type = COLUMN_BOOL },
	[PROCESS_OTHER] = { "other_file", .type = COLUMN_BOOL },
	[PROCESS_FILE] = { "file", "FILE", COLUMN_PATH, COLUMN_SPARSE, "that the snapshot is of, of several", NULL },
	[PROCESS_SNAPSHOT] = { "file_snapshot", "SNAPSHOT", COLUMN_COUNT, COLUMN_SPARSE, "its number in the file", NULL },
	[PROCESS_ADDED] = { "snapshot", .type = COLUMN_COUNT },
	[PROCESS_TAKEN] = { "taken", "TAKEN", COLUMN_TIME, COLUMN_SPARSE, "when the snapshot was", NULL },
	[PROCESS_LABEL] = { "label", "LABEL", COLUMN_NAME, COLUMN_SPARSE, "of the snapshot", NULL },
	[PROCESS_NOTE] = { NULL, "NOTE", COLUMN_TEXT, COLUMN_SPARSE, "another file of this name, or whose memory it is",
	                   NULL },
	[PROCESS_PLACES] = { "places", NULL, COLUMN_RECORDS, 0, NULL, &place_schema },
};
const struct row_schema who_file_schema = ROW_SCHEMA(process_columns);

/* ---- of a table of places -------------------------------------------------------------- */

enum {
	AT_PID,
	AT_COMM,
	AT_UID,
	AT_FILE,
	AT_SNAPSHOT,
	AT_TAKEN,
	AT_LABEL,
	AT_ADDRESS,
	AT_SIZE,
	AT_PERM,
	AT_FLAGS,
	AT_MAPPING,
	AT_NOTE,
	AT_NAMES,
};
static const struct column at_columns[] = {
	[AT_PID] = { NULL, "PID", COLUMN_COUNT, 0, "of the process", NULL },
	[AT_COMM] = { NULL, "COMM", COLUMN_NAME, 0, "the process's name", NULL },
	[AT_UID] = { NULL, "UID", COLUMN_COUNT, COLUMN_SECONDARY, "whose it is", NULL },
	[AT_FILE] = { NULL, "FILE", COLUMN_PATH, COLUMN_SPARSE, "that the snapshot is of, of several", NULL },
	[AT_SNAPSHOT] = { NULL, "SNAPSHOT", COLUMN_COUNT, COLUMN_SPARSE, "its number in the file", NULL },
	[AT_TAKEN] = { NULL, "TAKEN", COLUMN_TIME, COLUMN_SPARSE, "when the snapshot was", NULL },
	[AT_LABEL] = { NULL, "LABEL", COLUMN_NAME, COLUMN_SPARSE, "of the snapshot", NULL },
	[AT_ADDRESS] = { NULL, "ADDRESS", COLUMN_ADDRESS, 0, "where it is mapped", NULL },
	[AT_SIZE] = { NULL, "SIZE", COLUMN_BYTES, COLUMN_SECONDARY, "of pages in a row that it is mapped at", NULL },
	[AT_PERM] = { NULL, "PERM", COLUMN_WORD, 0, "of the mapping", NULL },
	[AT_FLAGS] = { NULL, "FLAGS", COLUMN_FLAGS, COLUMN_SECONDARY, "of the page, as its process has it", NULL },
	[AT_MAPPING] = { NULL, "MAPPING", COLUMN_PATH, 0, "the file, or what it is called", NULL },
	[AT_NOTE] = { NULL, "NOTE", COLUMN_TEXT, COLUMN_SPARSE, "whose memory it is, or that it is this look", NULL },
	[AT_NAMES] = { NULL, "NAMES", COLUMN_TEXT, COLUMN_SPARSE | COLUMN_LONG, "what lies on the page", NULL },
};
const struct row_schema who_schema = ROW_SCHEMA(at_columns);

/* ---- the document ---------------------------------------------------------------------- */

enum { SWAP_TYPE, SWAP_OFFSET };
static const struct column slot_columns[] = {
	[SWAP_TYPE] = { "type", .type = COLUMN_COUNT },
	[SWAP_OFFSET] = { "offset", .type = COLUMN_COUNT },
};
static const struct row_schema slot_schema = ROW_SCHEMA(slot_columns);

enum {
	FILE_PATH,
	FILE_BY_NAME,
	FILE_DEV,
	FILE_INODE,
	FILE_OFFSET,
	FILE_BYTES,
	FILE_CACHED,
	FILE_DIRTY,
	FILE_CACHED_BY,
};
static const struct column file_columns[] = {
	[FILE_PATH] = { "path", .type = COLUMN_PATH },
	[FILE_BY_NAME] = { "by_name", .type = COLUMN_BOOL },
	[FILE_DEV] = { "dev", .type = COLUMN_WORD },
	[FILE_INODE] = { "inode", .type = COLUMN_COUNT },
	[FILE_OFFSET] = { "offset", .type = COLUMN_OFFSET },
	[FILE_BYTES] = { "bytes", .type = COLUMN_BYTES },
	[FILE_CACHED] = { "cached", .type = COLUMN_BYTES },
	[FILE_DIRTY] = { "dirty", .type = COLUMN_BYTES },
	[FILE_CACHED_BY] = { "cached_by", .type = COLUMN_WORD },
};
static const struct row_schema file_schema = ROW_SCHEMA(file_columns);

enum {
	DOCUMENT_KIND,
	DOCUMENT_LIVE,
	DOCUMENT_PFN,
	DOCUMENT_PHYSICAL,
	DOCUMENT_FLAGS,
	DOCUMENT_COUNTED,
	DOCUMENT_COUNTED_THEN,
	DOCUMENT_EXACT,
	DOCUMENT_MOVED,
	DOCUMENT_SWAP,
	DOCUMENT_FILE,
	DOCUMENT_FOUND,
	DOCUMENT_LOOKED,
	DOCUMENT_UNREADABLE,
	DOCUMENT_WENT,
	DOCUMENT_CAME,
	DOCUMENT_FRAMES_KNOWN,
	DOCUMENT_PROCESSES,
};
static const struct column document_columns[] = {
	[DOCUMENT_KIND] = { "kind", .type = COLUMN_WORD },
	[DOCUMENT_LIVE] = { "live", .type = COLUMN_BOOL },
	[DOCUMENT_PFN] = { "pfn", .type = COLUMN_HEX },
	[DOCUMENT_PHYSICAL] = { "physical", .type = COLUMN_HEX },
	[DOCUMENT_FLAGS] = { "flags", .type = COLUMN_FLAGS },
	[DOCUMENT_COUNTED] = { "counted", .type = COLUMN_COUNT },
	[DOCUMENT_COUNTED_THEN] = { "counted_before", .type = COLUMN_COUNT },
	[DOCUMENT_EXACT] = { "count_exact", .type = COLUMN_BOOL },
	[DOCUMENT_MOVED] = { "moved", .type = COLUMN_BOOL },
	[DOCUMENT_SWAP] = { "swap", .type = COLUMN_RECORD, .of = &slot_schema },
	[DOCUMENT_FILE] = { "file", .type = COLUMN_RECORD, .of = &file_schema },
	[DOCUMENT_FOUND] = { "found", .type = COLUMN_COUNT },
	[DOCUMENT_LOOKED] = { "looked", .type = COLUMN_COUNT },
	[DOCUMENT_UNREADABLE] = { "unreadable", .type = COLUMN_COUNT },
	[DOCUMENT_WENT] = { "went", .type = COLUMN_COUNT },
	[DOCUMENT_CAME] = { "came", .type = COLUMN_COUNT },
	[DOCUMENT_FRAMES_KNOWN] = { "frames_known", .type = COLUMN_BOOL },
	[DOCUMENT_PROCESSES] = { "processes", .type = COLUMN_ROWS, .of = &who_file_schema },
};
const struct row_schema who_document_schema = ROW_SCHEMA(document_columns);

struct told {
	const struct vmsnap_who *who;
	struct vmsnap_who_info info;
	struct vmsnap_names *names;
	/* Of the process that is told of: */
	struct vmsnap_who_process process;
	struct vmsnap_names *bound; /* the names, of it; NULL: none */
};

/* Of the process with this index; false: there is none. */
static bool begin_process(struct told *told, size_t index, int *rc, struct vmsnap_error *err)
{
	told->bound = NULL;
	if (vmsnap_who_process(told->who, index, &told->process))
		return false;
	if (!told->names || !told->process.snap)
		return true;
	*rc = vmsnap_names_rebind(told->names, told->process.snap, err);
	told->bound = *rc ? NULL : told->names;
	return !*rc;
}

/* What is on a page of data that many processes have differs from one to the next; of a file only code is named. */
static struct vmsnap_names *names_for(const struct told *told, const struct vmsnap_who_place *place)
{
	bool wanted = told->info.kind != VMSNAP_WHO_FILE || (place->vma.perms & VMSNAP_PERM_EXEC);
	return wanted ? told->bound : NULL;
}

static uint32_t flags_of(const struct vmsnap_who_place *place)
{
	return page_flag_bits(place->flags);
}

static void put_names_list(struct row *row, const struct top_names *top)
{
	struct row list = row_open(row, PLACE_NAMES);
	for (size_t i = 0; i < top->kept; i++) {
		char *words = name_words(top->naming, &top->best[i], row->text);
		if (words)
			row_item(&list, words, strlen(words));
		name_words_free(words, row->text);
	}
	row_end(&list);
}

/* What lies in a place, as `naming` has it, which stays as long as it is used. */
static int find_names(const struct told *told, const struct vmsnap_who_place *place, struct naming *naming,
                      struct top_names *top, struct vmsnap_error *err)
{
	*naming = naming_of(names_for(told, place), told->process.snap, NULL, NULL);
	top_names_init(top, naming);
	return naming->names ? top_names_add(top, place->start, place->end, err) : VMSNAP_OK;
}

static int place_records(struct row *row, void *ctx, struct vmsnap_error *err)
{
	const struct told *told = ctx;
	struct vmsnap_who_place place;
	struct naming naming;
	struct top_names top;
	int rc = VMSNAP_OK;
	for (size_t i = 0; !rc && i < told->process.places && !text_failed(row->text); i++) {
		vmsnap_who_place(told->who, told->process.first + i, &place);
		rc = find_names(told, &place, &naming, &top, err);
		row_put_address(row, PLACE_START, place.start);
		row_put_end(row, PLACE_END, place.end);
		row_put_word(row, PLACE_PERM, word_perms(&place.vma).text);
		row_put_offset(row, PLACE_OFFSET,
		               place.vma.inode ? place.vma.offset + (place.start - place.vma.start) : 0);
		row_put_name(row, PLACE_NAME, place.vma.name);
		row_put_flags(row, PLACE_FLAGS, flags_of(&place), 0, page_flag_name);
		put_names_list(row, &top);
		row_put_count_known(row, PLACE_TOTAL, top.total, naming.names);
		row_end(row);
	}
	return rc;
}

static void put_note(struct row *row, unsigned column, const struct vmsnap_who_process *process)
{
	char pid[16];
	if (process->other_file)
		row_text(row, column, "another file of this name");
	else if (process->memory_of) {
		row_text(row, column, "memory of ");
		snprintf(pid, sizeof(pid), "%" PRIu32, process->memory_of);
		row_text(row, column, pid);
	} else if (process->self)
		row_text(row, column, "this look");
}

/* People know which, if there is one. */
static void put_its_file(struct row *row, unsigned column, const struct told *told)
{
	if (*told->process.file && (row->text->style->json || told->info.files > 1))
		row_put_name(row, column, told->process.file);
}

static int process_rows(struct row *row, void *ctx, struct vmsnap_error *err)
{
	struct told *told = ctx;
	const struct vmsnap_who_process *process = &told->process;
	bool file = told->info.kind == VMSNAP_WHO_FILE, live = told->info.live;
	int rc = VMSNAP_OK;
	for (size_t i = 0; !rc && !text_failed(row->text) && begin_process(told, i, &rc, err); i++) {
		row_put_count(row, PROCESS_PID, process->pid);
		row_put_name(row, PROCESS_COMM, process->comm);
		row_put_count(row, PROCESS_UID, process->uid);
		row_put_count(row, PROCESS_START_TIME, process->start_time);
		if (file)
			row_put_address(row, PROCESS_ADDRESS, process->address);
		row_put_count(row, PROCESS_MAPPINGS, process->mappings);
		if (file) {
			row_put_bytes(row, PROCESS_SIZE, process->size);
			row_put_bytes_known(row, PROCESS_RESIDENT, process->resident, process->pages_known);
			row_put_bytes_known(row, PROCESS_COPIED, process->copied, process->pages_known);
			row_put_bytes_known(row, PROCESS_CODE, process->copied_code, process->pages_known);
		}
		if (process->memory_of)
			row_put_count(row, PROCESS_MEMORY_OF, process->memory_of);
		row_put_bool(row, PROCESS_SELF, process->self);
		row_put_bool(row, PROCESS_OTHER, process->other_file);
		if (!live) {
			put_its_file(row, PROCESS_FILE, told);
			row_put_count(row, PROCESS_SNAPSHOT, process->file_snapshot + 1);
			row_put_count(row, PROCESS_ADDED, process->snapshot + 1);
			row_put_time(row, PROCESS_TAKEN, process->taken);
			row_put_name_if_any(row, PROCESS_LABEL, process->label);
		}
		put_note(row, PROCESS_NOTE, process);
		if (row_wants(row, PROCESS_PLACES))
			rc = row_rows(row, PROCESS_PLACES, place_records, told, err);
		row_end(row);
	}
	return rc;
}

static void put_file(struct row *document, const struct vmsnap_who_info *info)
{
	struct row record = row_open(document, DOCUMENT_FILE);
	const struct vmsnap_vma id = { .dev_major = info->dev_major, .dev_minor = info->dev_minor };
	row_put_name(&record, FILE_PATH, info->path);
	row_put_bool(&record, FILE_BY_NAME, info->by_name);
	if (!info->by_name) {
		row_put_word(&record, FILE_DEV, word_device(&id).text);
		row_put_count(&record, FILE_INODE, info->inode);
	}
	row_put_offset(&record, FILE_OFFSET, info->offset);
	row_put_bytes_known(&record, FILE_BYTES, info->bytes, info->bytes != UINT64_MAX);
	row_put_bytes_known(&record, FILE_CACHED, info->cached, info->cached != UINT64_MAX);
	row_put_bytes_known(&record, FILE_DIRTY, info->dirty, info->dirty != UINT64_MAX);
	if (info->cached != UINT64_MAX)
		row_put_word(&record, FILE_CACHED_BY,
		             info->cached_by_mincore     ? "mincore"
		             : info->dirty != UINT64_MAX ? "cachestat"
		                                         : "stat");
	row_end(&record);
}

static void put_frame(struct row *document, const struct vmsnap_who_info *info)
{
	row_put_hex(document, DOCUMENT_PFN, info->pfn);
	row_put_hex(document, DOCUMENT_PHYSICAL, info->pfn * info->page_size);
	if (info->flags != UINT64_MAX)
		row_put_flags(document, DOCUMENT_FLAGS, (uint32_t)info->flags, 0, vmsnap_kpage_flag_name);
	row_put_count_known(document, DOCUMENT_COUNTED, info->counted, info->counted != UINT64_MAX);
	row_put_count_known(document, DOCUMENT_COUNTED_THEN, info->counted_then, info->counted_then != UINT64_MAX);
	row_put_bool(document, DOCUMENT_EXACT, info->count_exact);
	row_put_bool(document, DOCUMENT_MOVED, info->moved);
}

static int fill_document(struct row *document, void *ctx, struct vmsnap_error *err)
{
	const struct vmsnap_who_info *info = &((const struct told *)ctx)->info;
	row_put_word(document, DOCUMENT_KIND, vmsnap_who_kind_name((int)info->kind));
	row_put_bool(document, DOCUMENT_LIVE, info->live);
	if (info->kind == VMSNAP_WHO_FRAME)
		put_frame(document, info);
	if (info->kind == VMSNAP_WHO_SWAP) {
		struct row slot = row_open(document, DOCUMENT_SWAP);
		row_put_count(&slot, SWAP_TYPE, info->swap_type);
		row_put_count(&slot, SWAP_OFFSET, info->swap_offset);
		row_end(&slot);
	}
	if (info->kind == VMSNAP_WHO_FILE)
		put_file(document, info);
	row_put_count(document, DOCUMENT_FOUND, info->found);
	row_put_count(document, DOCUMENT_LOOKED, info->looked);
	row_put_count(document, DOCUMENT_UNREADABLE, info->unreadable);
	row_put_count(document, DOCUMENT_WENT, info->went);
	row_put_count(document, DOCUMENT_CAME, info->came);
	row_put_bool(document, DOCUMENT_FRAMES_KNOWN, info->frames_known);
	return row_rows(document, DOCUMENT_PROCESSES, process_rows, ctx, err);
}

/* ---- for people ------------------------------------------------------------------------ */

static int put_place(struct row *row, const struct told *told, const struct vmsnap_who_place *place,
                     struct vmsnap_error *err)
{
	const struct vmsnap_who_process *process = &told->process;
	struct naming naming;
	struct top_names top;
	int rc = find_names(told, place, &naming, &top, err);
	row_put_count(row, AT_PID, process->pid);
	row_put_name(row, AT_COMM, process->comm);
	row_put_count(row, AT_UID, process->uid);
	if (!told->info.live) {
		put_its_file(row, AT_FILE, told);
		row_put_count(row, AT_SNAPSHOT, process->file_snapshot + 1);
		row_put_time(row, AT_TAKEN, process->taken);
		row_put_name_if_any(row, AT_LABEL, process->label);
	}
	row_put_address(row, AT_ADDRESS, place->start);
	row_put_bytes(row, AT_SIZE, place->end - place->start);
	row_put_word(row, AT_PERM, word_perms(&place->vma).text);
	row_put_flags(row, AT_FLAGS, flags_of(place), 0, page_flag_name);
	row_put_name(row, AT_MAPPING, place->vma.name);
	put_note(row, AT_NOTE, process);
	put_top_names(row, AT_NAMES, &top);
	row_end(row);
	return rc;
}

/* Only those in mappings that are executable, of a file: others every program has, by relocation. */
static int place_rows(struct row *row, void *ctx, struct vmsnap_error *err)
{
	struct told *told = ctx;
	struct vmsnap_who_place place;
	int rc = VMSNAP_OK;
	for (size_t i = 0; !rc && !text_failed(row->text) && begin_process(told, i, &rc, err); i++)
		for (size_t p = 0; !rc && p < told->process.places && !text_failed(row->text); p++) {
			vmsnap_who_place(told->who, told->process.first + p, &place);
			if (told->info.kind != VMSNAP_WHO_FILE || (place.vma.perms & VMSNAP_PERM_EXEC))
				rc = put_place(row, told, &place, err);
		}
	return rc;
}

/* Whether anybody has patched the file's code. */
static bool any_code(const struct vmsnap_who *who)
{
	struct vmsnap_who_process process;
	for (size_t i = 0; !vmsnap_who_process(who, i, &process); i++)
		if (process.copied_code)
			return true;
	return false;
}

static int put_tables(struct text *text, struct told *told, struct vmsnap_error *err)
{
	bool file = told->info.kind == VMSNAP_WHO_FILE, bare = text->style->raw || text->style->no_headings;
	struct vmsnap_who_process process;
	int rc = emit_table_check(text, file ? &who_file_schema : &who_schema, err);
	if (!rc && !bare)
		put_who_heading(text, told->who);
	if (rc || vmsnap_who_process(told->who, 0, &process))
		return rc;
	if (!file)
		return emit_table_once(text, &who_schema, place_rows, told, err);
	rc = emit_table_once(text, &who_file_schema, process_rows, told, err);
	if (rc || bare || !any_code(told->who))
		return rc;
	text_blank(text);
	text_string(text, "code that was written to:\n");
	return emit_other_table(text, &who_schema, place_rows, told, err);
}

VMSNAP_API int vmsnap_print_who(const struct vmsnap_who *who, struct vmsnap_names *names,
                                const struct vmsnap_output *out, struct vmsnap_error *err)
{
	struct told told = { .who = who, .names = names };
	struct text text;
	int rc = text_open(&text, out, err);
	if (rc)
		return rc;
	vmsnap_who_info(who, &told.info);
	if (text.style->json)
		rc = emit_json(&text, "vmsnap.who/1", &who_document_schema, fill_document, &told, err);
	else
		rc = put_tables(&text, &told, err);
	return rc ? rc : text_close(&text, err);
}
