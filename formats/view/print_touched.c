#include "print_touched.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"

static bool is_touched(const struct vmsnap_annotation *name)
{
	return name->kind == VMSNAP_ANNOTATION_DEBUGGER_WRITE && name->size;
}

int touched_by_init(struct touched_by *by, const struct vmsnap *snap, struct work *work)
{
	size_t names = vmsnap_annotation_count(snap), count = 0;
	uint64_t reach = 0;
	*by = (struct touched_by){ 0 };
	for (size_t i = 0; i < names; i++)
		count += is_touched(vmsnap_annotation(snap, i));
	if (!count)
		return VMSNAP_OK;
	int rc = VMSNAP_OK;
	by->items = work_array(work, count, sizeof(*by->items), &rc);
	by->room = count;
	for (size_t i = 0; !rc && i < names; i++) {
		const struct vmsnap_annotation *name = vmsnap_annotation(snap, i);
		if (!is_touched(name))
			continue;
		reach = name->address + name->size > reach ? name->address + name->size : reach;
		by->items[by->count++] = (struct touched_bytes){ name, reach };
	}
	return rc;
}

void touched_by_free(struct touched_by *by, struct work *work)
{
	work_free(work, by->items, by->room, sizeof(*by->items));
}

/* The first one that may reach beyond the address. */
static size_t first_beyond(const struct touched_by *by, uint64_t address)
{
	size_t low = 0, high = by->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (by->items[middle].reach <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* The texts are the plugin's: "breakpoint 2", "internal breakpoint (shlib event)", and
 * the one that the dynamic linker calls for gdb's sake. */
static bool is_breakpoint(const char *symbol)
{
	return strstr(symbol, "breakpoint") || !strcmp(symbol, "dynamic linker's hook");
}

static void add_reason(struct touched_reasons *reasons, const struct vmsnap_annotation *name)
{
	reasons->not_breakpoints |= !is_breakpoint(name->symbol);
	if (!*name->symbol)
		return;
	for (size_t i = 0; i < reasons->count; i++)
		if (!strcmp(reasons->first[i]->symbol, name->symbol))
			return;
	if (reasons->count < TOUCHED_REASONS)
		reasons->first[reasons->count++] = name;
	else
		reasons->more = true;
}

/* Bytes may lie one in another, as often as a file likes: not all are looked at. */
enum { LOOKS_MAX = 256 };

void touched_reasons_add(struct touched_reasons *reasons, const struct touched_by *by, uint64_t start, uint64_t end)
{
	for (size_t i = first_beyond(by, start); i < by->count && by->items[i].name->address < end; i++) {
		const struct vmsnap_annotation *name = by->items[i].name;
		if (reasons->looks == LOOKS_MAX) {
			reasons->more = reasons->not_breakpoints = true;
			return;
		}
		reasons->looks++;
		if (name->address + name->size > start)
			add_reason(reasons, name);
	}
}

/* ---- text ------------------------------------------------------------------------- */

enum { REASON_ROOM = 40 };

static void put_reason(struct fit_line *line, const struct vmsnap_annotation *name, const char *before,
                       const char *after, bool with_places)
{
	struct text *text = line->text;
	char place[64] = "";
	size_t width = fit_width(text, name->symbol, strlen(name->symbol));
	if (with_places)
		snprintf(place, sizeof(place), " at %s", word_address(name->address).text);
	width = width < REASON_ROOM ? width : REASON_ROOM;
	fit_next(line, strlen(before) + width + strlen(place) + strlen(after));
	text_string(text, before);
	fit_name(text, name->symbol, strlen(name->symbol), REASON_ROOM);
	text_string(text, place);
	text_string(text, after);
}

void touched_reasons_put(const struct touched_reasons *reasons, struct fit_line *line, const char *open,
                         const char *close, bool with_places)
{
	size_t shown = reasons->count < TOUCHED_REASONS_TEXT ? reasons->count : TOUCHED_REASONS_TEXT;
	bool more = reasons->more || reasons->count > shown;
	for (size_t i = 0; i < shown; i++) {
		const char *after = i + 1 < shown ? "," : more ? "" : close;
		put_reason(line, reasons->first[i], i ? "" : open, after, with_places);
	}
	if (shown && more) {
		fit_words(line, "and more");
		fit_glue(line, close);
	}
}

/* ---- tables and JSON ---------------------------------------------------------------- */

void touched_reasons_cell(const struct touched_reasons *reasons, bool touched, struct table *table, size_t column)
{
	table_literal(table, column, touched && !reasons->count ? "touched" : "");
	for (size_t i = 0; touched && i < reasons->count; i++) {
		const char *symbol = reasons->first[i]->symbol;
		table_add_literal(table, column, i ? "," : "");
		table_add_name(table, column, symbol, strlen(symbol));
	}
	table_add_literal(table, column, touched && reasons->more ? ",..." : "");
}

void json_touched(struct json *json, bool touched, const struct touched_reasons *reasons)
{
	json_bool(json, "touched_by_debugger", touched);
	json_array(json, "touched_by");
	for (size_t i = 0; i < reasons->count; i++)
		json_string(json, NULL, reasons->first[i]->symbol);
	json_end(json);
}
