#include "touched_by.h"

#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "sorted.h"

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
	return SORTED_ABOVE(struct touched_bytes, reach, by->items, by->count, address);
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

/* ---- one page ---------------------------------------------------------------------- */

int page_touched_init(struct page_touched *touched, const struct vmsnap *snap, uint64_t address, struct work *work)
{
	uint64_t page_size = vmsnap_info(snap)->page_size, start = address - address % page_size;
	uint64_t end = start < UINT64_MAX - page_size ? start + page_size : UINT64_MAX;
	*touched = (struct page_touched){ .touched = false };
	int rc = touched_by_init(&touched->by, snap, work);
	if (rc)
		return rc;
	touched_reasons_add(&touched->reasons, &touched->by, start, end);
	for (size_t i = 0; i < touched->by.count && !touched->touched; i++) {
		const struct vmsnap_annotation *bytes = touched->by.items[i].name;
		if (bytes->address >= end)
			break;
		touched->touched = bytes->address + bytes->size > start;
	}
	return VMSNAP_OK;
}

void page_touched_free(struct page_touched *touched, struct work *work)
{
	touched_by_free(&touched->by, work);
}
