/* print_list.c - what is in a file: vmsnap_print_list(). */
#include <string.h>

#include "error.h"
#include "escape.h"
#include "print_parts.h"
#include "text_color.h"

enum {
	LIST_N,
	LIST_TIME,
	LIST_PID,
	LIST_PPID,
	LIST_RSS,
	LIST_SIZE,
	LIST_OFFSET,
	LIST_COMM,
	LIST_LABEL,
	LIST_WHY,
	LIST_COLUMNS
};
static const struct table_column list_columns[LIST_COLUMNS] = {
	[LIST_N] = { "N", TABLE_RIGHT },
	[LIST_TIME] = { "TIME", 0 },
	[LIST_PID] = { "PID", TABLE_RIGHT },
	[LIST_PPID] = { "PPID", TABLE_RIGHT | TABLE_EXTRA },
	[LIST_RSS] = { "RSS", TABLE_RIGHT },
	[LIST_SIZE] = { "SIZE", TABLE_RIGHT },
	[LIST_OFFSET] = { "OFFSET", TABLE_RIGHT | TABLE_EXTRA },
	[LIST_COMM] = { "COMM", 0 },
	[LIST_LABEL] = { "LABEL", 0 },
	[LIST_WHY] = { "WHY", TABLE_HIDE_EMPTY | TABLE_CUT_RIGHT },
};

/* One of the file's snapshots, as far as it can be read; err tells why not. */
struct entry {
	struct vmsnap *snap;
	struct vmsnap_file_entry place;
	struct vmsnap_error err;
};

static void entry_read(struct entry *entry, const struct vmsnap_file *file, size_t index)
{
	*entry = (struct entry){ 0 };
	if (vmsnap_file_entry(file, index, &entry->place, &entry->err))
		return;
	if (vmsnap_file_peek(file, index, &entry->snap, &entry->err))
		entry->snap = NULL;
}

/* Not the file's fault: what could not be read now may be whole. */
static bool is_trouble(const struct entry *entry)
{
	int code = entry->snap ? VMSNAP_OK : entry->err.code;
	return code == VMSNAP_ERR_NO_MEMORY || code == VMSNAP_ERR_SYSTEM || code == VMSNAP_ERR_CANCELLED;
}

static int tell_trouble(const struct entry *entry, struct vmsnap_error *err)
{
	if (err)
		*err = entry->err;
	return entry->err.code;
}

static void json_rss(struct json *json, const struct vmsnap *snap)
{
	struct vmsnap_status_field field;
	bool known = vmsnap_status_find(snap, "VmRSS", &field) == VMSNAP_OK && field.is_size;
	json_number_or_null(json, "rss", known ? field.number : 0, known);
}

static void json_damage(struct json *json, const struct vmsnap_file *file)
{
	struct vmsnap_error damage = { 0 };
	int rc = vmsnap_file_damage(file, &damage);
	json_error(json, "damage", rc, &damage);
}

static int list_json(struct text *text, const struct vmsnap_file *file, struct vmsnap_error *err)
{
	struct json json;
	int rc = VMSNAP_OK;
	json_begin(&json, text, "vmsnap.list/1");
	json_rows(&json, "snapshots");
	for (size_t i = 0; i < vmsnap_file_count(file) && !text_unwanted(text); i++) {
		struct entry entry;
		entry_read(&entry, file, i);
		if (!rc && is_trouble(&entry))
			rc = tell_trouble(&entry, err);
		json_object(&json, NULL);
		json_number(&json, "index", i + 1);
		json_number(&json, "offset", entry.place.offset);
		json_number(&json, "bytes", entry.place.bytes);
		json_error(&json, "error", entry.snap ? VMSNAP_OK : entry.err.code, &entry.err);
		if (entry.snap) {
			json_rss(&json, entry.snap);
			json_snapshot_keys(&json, entry.snap);
		}
		json_end(&json);
		vmsnap_unref(entry.snap);
	}
	json_end(&json);
	json_damage(&json, file);
	json_finish(&json);
	return rc;
}

static void snapshot_cells(struct table *table, const struct vmsnap *snap)
{
	const struct vmsnap_info *info = vmsnap_info(snap);
	struct vmsnap_status_field field;
	if (info->taken)
		table_word(table, LIST_TIME, word_time_local(info->taken));
	table_word(table, LIST_PID, word_number(info->pid));
	table_word(table, LIST_PPID, word_number(info->ppid));
	bool known = vmsnap_status_find(snap, "VmRSS", &field) == VMSNAP_OK && field.is_size;
	table_word(table, LIST_RSS, word_size_or_unknown(table->text->style, known ? field.number : 0, known));
	table_name(table, LIST_COMM, info->comm, strlen(info->comm));
	table_name(table, LIST_LABEL, info->label, strlen(info->label));
	table_name(table, LIST_WHY, info->reason, strlen(info->reason));
}

static int list_rows(struct table *table, void *ctx, struct vmsnap_error *err)
{
	const struct vmsnap_file *file = ctx;
	for (size_t i = 0; i < vmsnap_file_count(file) && !text_unwanted(table->text); i++) {
		struct entry entry;
		entry_read(&entry, file, i);
		if (is_trouble(&entry))
			return tell_trouble(&entry, err);
		table_word(table, LIST_N, word_number(i + 1));
		table_word(table, LIST_SIZE, word_size(table->text->style, entry.place.bytes));
		table_word(table, LIST_OFFSET, word_number(entry.place.offset));
		if (entry.snap) {
			text_limit(table->text, (const struct vmsnap *[]){ entry.snap }, 1);
			snapshot_cells(table, entry.snap);
		} else {
			table_literal(table, LIST_COMM, "unreadable: ");
			table_add_name(table, LIST_COMM, entry.err.message, strlen(entry.err.message));
			table_color(table, LIST_COMM, COLOR_ALARM);
		}
		table_end_row(table);
		vmsnap_unref(entry.snap);
	}
	return VMSNAP_OK;
}

static void put_damage(struct text *text, const struct vmsnap_file *file)
{
	struct vmsnap_error damage = { 0 };
	if (!vmsnap_file_damage(file, &damage) || text->style->raw)
		return;
	color_start(text, COLOR_ALARM);
	text_format(text, "Damaged from offset %s on: ", word_number(damage.position).text);
	escape_string(text, damage.message);
	color_end(text, COLOR_ALARM);
	text_string(text, "\n");
}

VMSNAP_API int vmsnap_print_list(const struct vmsnap_file *file, const struct vmsnap_output *out,
                                 struct vmsnap_error *err)
{
	struct text text;
	int rc = text_open(&text, out, err);
	if (rc)
		return rc;
	if (text.style->json) {
		rc = list_json(&text, file, err);
	} else {
		/* Only read, but a table's context is not const. */
		struct vmsnap_file *same = (struct vmsnap_file *)(uintptr_t)file;
		rc = table_print(&text, list_columns, LIST_COLUMNS, list_rows, same, err);
		if (!rc)
			put_damage(&text, file);
	}
	if (!rc)
		return text_close(&text, err);
	(void)text_close(&text, NULL);
	return rc;
}
