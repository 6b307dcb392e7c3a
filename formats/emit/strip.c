#include "strip.h"

#include <string.h>

void strip_init(struct strip *strip, uint64_t start, uint64_t end, uint64_t page_size, unsigned cells)
{
	strip->start = start;
	strip->page_size = page_size;
	strip->pages = (end - start) / page_size;
	strip->cells = cells < STRIP_CELLS_MAX ? cells : STRIP_CELLS_MAX;
	if (strip->pages < strip->cells)
		strip->cells = (unsigned)strip->pages;
	/* There is one for each row, and most have few cells. */
	memset(strip->counts, 0, strip->cells * sizeof(strip->counts[0]));
}

/* The first page of a cell: pages are dealt out as evenly as they can be. */
static uint64_t cell_first(const struct strip *strip, uint64_t cell)
{
	return (uint64_t)(((unsigned __int128)strip->pages * cell + strip->cells - 1) / strip->cells);
}

void strip_add(struct strip *strip, uint64_t start, uint64_t end, int page_class)
{
	uint64_t strip_end = strip->start + strip->pages * strip->page_size;
	start = start > strip->start ? start : strip->start;
	end = end < strip_end ? end : strip_end;
	if (start >= end || !strip->cells)
		return;
	uint64_t first = (start - strip->start) / strip->page_size, last = (end - strip->start) / strip->page_size;
	uint64_t cell = (uint64_t)((unsigned __int128)first * strip->cells / strip->pages);
	while (first < last) {
		uint64_t next = cell_first(strip, cell + 1);
		uint64_t until = next < last ? next : last;
		strip->counts[cell][page_class] += until - first;
		first = until;
		cell++;
	}
}

uint64_t strip_events(const struct strip *strip)
{
	uint64_t pages = 0;
	for (unsigned cell = 0; cell < strip->cells; cell++)
		for (int i = CLASS_EVENTS; i < PAGE_CLASSES; i++)
			pages += strip->counts[cell][i];
	return pages;
}

/* Blocks without colours: how much of it changed; of a strip in which nothing did, how much is there, or in the core
 * file. */
static bool is_plain(const struct vmsnap_style *style)
{
	return style->unicode && !style->raw && style->color == VMSNAP_COLOR_NONE;
}

unsigned strip_columns(const struct vmsnap_style *style)
{
	return is_plain(style) ? 1 : cell_columns(style);
}

static size_t draw_plain(const uint64_t *counts, uint64_t pages, bool quiet, char *out)
{
	static const char *const blocks[] = { " ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█" };
	int first = quiet ? CLASS_PRIVATE : CLASS_EVENTS, end = quiet ? CLASS_EVENTS : PAGE_CLASSES;
	uint64_t changed = 0;
	for (int i = first; i < end; i++)
		changed += i == CLASS_UNREAD || i == CLASS_DUMP_HOLE ? 0 : counts[i];
	if (quiet && counts[CLASS_UNREAD] > pages / 2) {
		out[0] = class_letter(CLASS_UNREAD);
		return 1;
	}
	if (changed > pages)
		changed = pages;
	/* An event in a single page must be seen. */
	size_t height = pages ? (size_t)((changed * 8 + pages - 1) / pages) : 0;
	memcpy(out, blocks[height], strlen(blocks[height]));
	return strlen(blocks[height]);
}

static uint64_t cell_pages(const struct strip *strip, unsigned cell)
{
	return cell_first(strip, cell + 1) - cell_first(strip, cell);
}

static void count_cell(const struct strip *strip, unsigned cell, uint64_t counts[PAGE_CLASSES])
{
	uint64_t pages = cell_pages(strip, cell), told = 0;
	memcpy(counts, strip->counts[cell], sizeof(strip->counts[cell]));
	for (int i = 0; i < PAGE_CLASSES; i++)
		told += counts[i];
	counts[CLASS_UNTOUCHED] += told < pages ? pages - told : 0;
}

static size_t draw_cell(const struct strip *strip, unsigned cell, bool quiet, const struct vmsnap_style *style,
                        char *out, size_t room)
{
	uint64_t counts[PAGE_CLASSES];
	if (is_plain(style))
		return draw_plain(strip->counts[cell], cell_pages(strip, cell), quiet, out);
	count_cell(strip, cell, counts);
	return cell_draw(counts, style, out, room);
}

uint32_t strip_shows(const struct strip *strip, const struct vmsnap_style *style)
{
	uint64_t counts[PAGE_CLASSES];
	uint32_t shown = 0;
	if (is_plain(style))
		return 1u << (strip_events(strip) ? CLASS_EVENTS : CLASS_PRIVATE);
	for (unsigned i = 0; i < strip->cells; i++) {
		count_cell(strip, i, counts);
		struct cell_look look = cell_look(counts);
		/* A letter is of what rises; of the rest of its cell nothing is told. */
		shown |= 1u << look.lower;
		shown |= cell_columns(style) == 1 ? 1u << look.ground : 0;
		/* What happened is in the sums, also where more of each cell is something else. */
		for (int event = CLASS_EVENTS; event < PAGE_CLASSES; event++)
			shown |= counts[event] ? 1u << event : 0;
	}
	return shown & ~(1u << CLASS_HOLE);
}

size_t strip_draw(const struct strip *strip, const struct vmsnap_style *style, char *out, size_t room)
{
	size_t len = 0;
	bool quiet = !strip_events(strip);
	for (unsigned i = 0; i < strip->cells && room - len >= CELL_ROOM; i++)
		len += draw_cell(strip, i, quiet, style, out + len, CELL_ROOM);
	return len;
}
