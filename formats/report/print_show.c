/* print_show.c - the address space as a table: vmsnap_print_show(). */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "print_parts.h"
#include "text_color.h"
#include "text_fit.h"

enum {
	SHOW_START,
	SHOW_END,
	SHOW_SIZE,
	SHOW_PERM,
	SHOW_RESIDENT,
	SHOW_SWAPPED,
	SHOW_EXCL,
	SHOW_ZERO,
	SHOW_FILE,
	SHOW_HUGE,
	SHOW_GUARD,
	SHOW_OFFSET,
	SHOW_DEV,
	SHOW_INODE,
	SHOW_BUILDID,
	SHOW_MAPPING,
	SHOW_COLUMNS
};
static const struct table_column show_columns[SHOW_COLUMNS] = {
	[SHOW_START] = { "START", 0 },
	[SHOW_END] = { "END", TABLE_EXTRA },
	[SHOW_SIZE] = { "SIZE", TABLE_RIGHT },
	[SHOW_PERM] = { "PERM", 0 },
	[SHOW_RESIDENT] = { "RESIDENT", TABLE_RIGHT },
	[SHOW_SWAPPED] = { "SWAPPED", TABLE_RIGHT },
	[SHOW_EXCL] = { "EXCL", TABLE_RIGHT },
	[SHOW_ZERO] = { "ZERO", TABLE_RIGHT },
	[SHOW_FILE] = { "FILE", TABLE_RIGHT | TABLE_EXTRA },
	[SHOW_HUGE] = { "HUGE", TABLE_RIGHT | TABLE_EXTRA },
	[SHOW_GUARD] = { "GUARD", TABLE_RIGHT | TABLE_EXTRA },
	[SHOW_OFFSET] = { "OFFSET", TABLE_RIGHT | TABLE_EXTRA },
	[SHOW_DEV] = { "DEV", TABLE_EXTRA },
	[SHOW_INODE] = { "INODE", TABLE_RIGHT | TABLE_EXTRA },
	[SHOW_BUILDID] = { "BUILDID", TABLE_EXTRA },
	[SHOW_MAPPING] = { "MAPPING", TABLE_CUT_LEFT },
};

struct show {
	const struct vmsnap *snap;
	struct vmsnap_sums total;
};

static void add_sums(struct vmsnap_sums *total, const struct vmsnap_sums *more)
{
	total->size += more->size;
	total->resident += more->resident;
	total->swapped += more->swapped;
	total->exclusive += more->exclusive;
	total->zero += more->zero;
	total->file += more->file;
	total->huge += more->huge;
	total->guard += more->guard;
}

static void total_of(struct text *text, const struct vmsnap *snap, struct vmsnap_sums *total)
{
	*total = (struct vmsnap_sums){ 0 };
	for (size_t i = 0; i < vmsnap_vma_count(snap) && !text_failed(text); i++) {
		const struct vmsnap_vma *vma = vmsnap_vma(snap, i);
		struct vmsnap_sums sums;
		vmsnap_sum(snap, vma->start, vma->end, &sums);
		add_sums(total, &sums);
	}
}

/* ---- JSON --------------------------------------------------------------------- */

static void json_threads(struct json *json, const struct vmsnap *snap)
{
	json_rows(json, "threads");
	for (size_t i = 0; i < vmsnap_thread_count(snap) && !text_failed(json->text); i++) {
		const struct vmsnap_thread *thread = vmsnap_thread(snap, i);
		json_object(json, NULL);
		json_number(json, "tid", thread->tid);
		if (thread->stack_pointer)
			json_hex(json, "stack_pointer", thread->stack_pointer);
		else
			json_null(json, "stack_pointer");
		json_string(json, "comm", thread->comm);
		json_bool(json, "missed", thread->missed);
		json_end(json);
	}
	json_end(json);
}

/* Of lines with the same key the first one counts; the kernel writes none twice. */
static bool json_status_row(void *ctx, const struct vmsnap_status_field *field)
{
	struct json *json = ctx;
	json_key(json, field->key, field->key_len);
	json_status_value(json, NULL, field);
	return !text_failed(json->text);
}

static int json_status(struct json *json, const struct vmsnap *snap, struct vmsnap_error *err)
{
	struct vmsnap_compare_options options = text_compare_options(json->text);
	if (text_failed(json->text))
		return VMSNAP_OK;
	json_object(json, "status");
	int rc = vmsnap_status_keys(snap, &options, json_status_row, json, err);
	json_end(json);
	return rc;
}

static int show_json(struct text *text, const struct vmsnap *snap, struct vmsnap_error *err)
{
	struct json json;
	struct vmsnap_sums total;
	json_begin(&json, text, "vmsnap.show/1");
	json_snapshot(&json, "snapshot", snap);
	json_rows(&json, "vmas");
	for (size_t i = 0; i < vmsnap_vma_count(snap) && !text_failed(text); i++)
		json_vma(&json, NULL, snap, vmsnap_vma(snap, i), i);
	json_end(&json);
	total_of(text, snap, &total);
	json_object(&json, "total");
	json_sums(&json, snap, &total);
	json_end(&json);
	int rc = json_status(&json, snap, err);
	json_threads(&json, snap);
	json_finish(&json);
	return rc;
}

/* ---- text --------------------------------------------------------------------- */

static void put_field(struct text *text, const char *name, const char *value)
{
	if (!*value)
		return;
	text_format(text, "%-10s", name);
	fit_whole(text, value);
	text_string(text, "\n");
}

/* "3 of 1200 threads (4711, 4712, …)"; of files that do not tell which, "some thread". */
static void put_missed(struct text *text, const struct vmsnap *snap)
{
	enum { NAMED_MAX = 3 };
	size_t count = vmsnap_thread_count(snap), missed = 0;
	for (size_t i = 0; i < count; i++)
		missed += vmsnap_thread(snap, i)->missed;
	if (!missed) {
		text_string(text, "some thread");
		return;
	}
	text_format(text, "%zu of %zu thread%s (", missed, count, count == 1 ? "" : "s");
	size_t named = 0;
	for (size_t i = 0; i < count && named < NAMED_MAX; i++)
		if (vmsnap_thread(snap, i)->missed)
			text_format(text, "%s%" PRIu32, named++ ? ", " : "", vmsnap_thread(snap, i)->tid);
	text_string(text, missed > NAMED_MAX ? ", …)" : ")");
}

static void put_taken(struct text *text, const struct vmsnap *snap)
{
	const struct vmsnap_info *info = vmsnap_info(snap);
	if (info->taken)
		text_format(text, "%-10s%s\n", "taken", word_time_local(info->taken).text);
	text_format(text, "%-10s", "instant");
	if (info->freeze == VMSNAP_FREEZE_FULL)
		text_format(text, "frozen for %s", word_duration(info->pause).text);
	else if (info->freeze == VMSNAP_FREEZE_DEBUGGER)
		text_string(text, "held by a debugger");
	else if (info->freeze == VMSNAP_FREEZE_PARTIAL) {
		if (info->pause)
			text_format(text, "partly frozen for %s: ", word_duration(info->pause).text);
		else
			text_string(text, "not frozen: ");
		put_missed(text, snap);
		text_string(text, " could not be stopped");
	} else
		text_string(text, "not frozen");
	if (!info->consistent)
		text_string(text, "; INCONSISTENT: the map changed meanwhile");
	else if (info->freeze == VMSNAP_FREEZE_NONE)
		text_string(text, "; the map did not change meanwhile");
	text_string(text, "\n");
}

static void put_header(struct text *text, const struct vmsnap *snap)
{
	const struct vmsnap_info *info = vmsnap_info(snap);
	text_format(text, "%-10s%u", "process", info->pid);
	if (*info->comm) {
		text_string(text, " ");
		fit_whole(text, info->comm);
	}
	text_format(text, ", parent %u, user %u\n", info->ppid, info->uid);
	put_field(text, "exe", info->exe);
	put_field(text, "label", info->label);
	put_field(text, "why", info->reason);
	put_taken(text, snap);
	put_field(text, "kernel", info->kernel);
	print_unknown_line(text, snap);
	text_string(text, "\n");
}

static void sum_cells(struct table *table, const struct vmsnap *snap, const struct vmsnap_sums *sums)
{
	const struct vmsnap_known *known = &vmsnap_info(snap)->known;
	const struct vmsnap_style *style = table->text->style;
	table_word(table, SHOW_SIZE, word_size(style, sums->size));
	table_word(table, SHOW_RESIDENT, word_size(style, sums->resident));
	table_word(table, SHOW_SWAPPED, word_size(style, sums->swapped));
	table_word(table, SHOW_EXCL, word_size_or_unknown(style, sums->exclusive, known->exclusive));
	table_word(table, SHOW_ZERO, word_size_or_unknown(style, sums->zero, known->zero));
	table_word(table, SHOW_FILE, word_size(style, sums->file));
	table_word(table, SHOW_HUGE, word_size_or_unknown(style, sums->huge, known->huge));
	table_word(table, SHOW_GUARD, word_size(style, sums->guard));
}

static void build_id_cell(struct table *table, const struct vmsnap_vma *vma)
{
	char byte[3];
	table_literal(table, SHOW_BUILDID, "");
	for (size_t i = 0; vma->build_id && i < vma->build_id_len; i++) {
		snprintf(byte, sizeof(byte), "%02x", vma->build_id[i]);
		table_add_literal(table, SHOW_BUILDID, byte);
	}
}

/* Smaps values are not known to be sizes: most are, in bytes. */
static void smaps_cells(struct table *table, const struct vmsnap *snap, size_t index)
{
	for (size_t k = 0; k < vmsnap_smaps_key_count(snap); k++) {
		uint64_t value = vmsnap_smaps_value(snap, index, k);
		if (value != UINT64_MAX && table_shows(table, SHOW_COLUMNS + k))
			table_word(table, SHOW_COLUMNS + k, word_size(table->text->style, value));
	}
}

static void vma_row(struct table *table, struct show *show, size_t index)
{
	const struct vmsnap_vma *vma = vmsnap_vma(show->snap, index);
	struct vmsnap_sums sums;
	vmsnap_sum(show->snap, vma->start, vma->end, &sums);
	if (table_measures(table) || table->text->style->raw)
		add_sums(&show->total, &sums);
	table_word(table, SHOW_START, word_address(vma->start));
	table_word(table, SHOW_END, word_address(vma->end));
	table_word(table, SHOW_PERM, word_perms(vma));
	sum_cells(table, show->snap, &sums);
	table_word(table, SHOW_OFFSET, word_hex(vma->offset));
	table_word(table, SHOW_DEV, word_device(vma));
	table_word(table, SHOW_INODE, word_number(vma->inode));
	build_id_cell(table, vma);
	table_name(table, SHOW_MAPPING, vma->name, strlen(vma->name));
	smaps_cells(table, show->snap, index);
	table_end_row(table);
}

static int show_rows(struct table *table, void *ctx, struct vmsnap_error *err)
{
	struct show *show = ctx;
	(void)err;
	for (size_t i = 0; i < vmsnap_vma_count(show->snap) && !text_failed(table->text); i++)
		vma_row(table, show, i);
	/* Scripts that read the raw table want mappings only. */
	if (table->text->style->raw)
		return VMSNAP_OK;
	table_literal(table, SHOW_START, "total");
	sum_cells(table, show->snap, &show->total);
	struct word count = word_number(vmsnap_vma_count(show->snap));
	table_word(table, SHOW_MAPPING, count);
	table_add_literal(table, SHOW_MAPPING, vmsnap_vma_count(show->snap) == 1 ? " mapping" : " mappings");
	for (size_t i = 0; i < SHOW_COLUMNS; i++)
		table_color(table, i, COLOR_BOLD);
	table_end_row(table);
	return VMSNAP_OK;
}

static void put_status(struct text *text, const struct vmsnap *snap)
{
	static const char *const keys[] = { "VmRSS", "RssAnon", "RssFile", "RssShmem", "VmHWM", "VmSwap", "Threads" };
	struct fit_line line = fit_line(text, 10, 10);
	bool any = false;
	line.gap = 2;
	for (size_t i = 0; i < COUNT_OF(keys); i++) {
		struct vmsnap_status_field field;
		if (vmsnap_status_find(snap, keys[i], &field))
			continue;
		text_string(text, any ? "" : "\nstatus    ");
		size_t key = strlen(keys[i]) + 1, room = fit_room(text, line.indent + key);
		size_t value = status_value_width(text, &field);
		fit_next(&line, key + (value < room ? value : room));
		text_format(text, "%s ", keys[i]);
		text_status_value(text, &field, room);
		any = true;
	}
	if (any)
		text_string(text, "\n");
}

/* The fixed columns, and one for each smaps key, in capitals. */
static int all_columns(struct text *text, const struct vmsnap *snap, struct table_column **out, char **names,
                       struct vmsnap_error *err)
{
	size_t keys = vmsnap_smaps_key_count(snap), bytes = 1;
	for (size_t k = 0; k < keys; k++)
		bytes += strlen(vmsnap_smaps_key(snap, k)) + 1;
	int rc = VMSNAP_OK;
	*out = work_array(&text->work, SHOW_COLUMNS + keys, sizeof(**out), &rc);
	*names = work_array(&text->work, bytes, 1, &rc);
	if (rc)
		return work_fail(&text->work, rc, err);
	memcpy(*out, show_columns, sizeof(show_columns));
	char *at = *names;
	for (size_t k = 0; k < keys; k++) {
		(*out)[SHOW_COLUMNS + k] = (struct table_column){ at, TABLE_RIGHT | TABLE_EXTRA };
		for (const char *c = vmsnap_smaps_key(snap, k); *c; c++)
			*at++ = *c >= 'a' && *c <= 'z' ? (char)(*c - 'a' + 'A') : *c;
		*at++ = '\0';
	}
	return VMSNAP_OK;
}

static int show_text(struct text *text, const struct vmsnap *snap, struct vmsnap_error *err)
{
	struct show show = { .snap = snap };
	CLEANUP_FREE struct table_column *columns = NULL;
	CLEANUP_FREE char *names = NULL;
	size_t count = SHOW_COLUMNS + vmsnap_smaps_key_count(snap);
	int rc = all_columns(text, snap, &columns, &names, err);
	if (!rc)
		rc = table_check_columns(text->style, columns, count, err);
	if (rc)
		return rc;
	if (!text->style->raw && !text->style->no_headings)
		put_header(text, snap);
	rc = table_print(text, columns, count, show_rows, &show, err);
	if (!rc && !text->style->raw && !text->style->no_headings)
		put_status(text, snap);
	return rc;
}

VMSNAP_API int vmsnap_print_show(const struct vmsnap *snap, const struct vmsnap_output *out, struct vmsnap_error *err)
{
	struct text text;
	int rc = text_open(&text, out, err);
	if (!rc)
		text_limit(&text, &snap, 1);
	if (!rc && text.style->json)
		rc = show_json(&text, snap, err);
	else if (!rc)
		rc = show_text(&text, snap, err);
	return rc ? rc : text_close(&text, err);
}
