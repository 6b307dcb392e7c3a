#include "map_cells.h"

#include <string.h>

#include "page_state.h"
#include "vma_find.h"

/* ---- finding rows ------------------------------------------------------------------- */

/* The first page in [from, limit).  Looked for in windows, each twice as large: only where
 * a run begins matters, and it may be long. */
static bool next_page_below(const struct map *map, uint64_t from, uint64_t limit, uint64_t *address)
{
	struct page_classes it;
	struct page_range range;
	for (uint64_t bytes = map_row_bytes(map), end = from; end < limit; bytes *= 2) {
		end = bytes && bytes < limit - from ? from + bytes : limit;
		page_classes_init(&it, map->snap, from, end);
		if (!page_classes_next(&it, &range))
			continue;
		*address = range.start > from ? range.start : from;
		return true;
	}
	return false;
}

const struct map_event *map_next_event(const struct map *map, uint64_t from, uint64_t limit)
{
	size_t found = map_events_find(&map->events, from);
	const struct map_event *event = found < map->events.count ? &map->events.items[found] : NULL;
	return event && event->start < limit ? event : NULL;
}

/* The lowest address in [from, limit) of a page or a change. */
static bool next_address_below(const struct map *map, uint64_t from, uint64_t limit, uint64_t *address)
{
	bool found = next_page_below(map, from, limit, address);
	const struct map_event *event = map_next_event(map, from, found ? *address : limit);
	if (!event)
		return found;
	*address = event->start > from ? event->start : from;
	return true;
}

bool map_next_in(const struct map *map, uint64_t from, uint64_t until, uint64_t *address)
{
	const struct filter_ranges *shown = &map->shown;
	if (!map->filter.any)
		return next_address_below(map, from, until, address);
	for (size_t i = filter_ranges_find(shown, from); i < shown->count && shown->items[i].start < until; i++) {
		uint64_t start = shown->items[i].start > from ? shown->items[i].start : from;
		uint64_t end = shown->items[i].end < until ? shown->items[i].end : until;
		if (next_address_below(map, start, end, address))
			return true;
	}
	return false;
}

bool map_next_row(const struct map *map, uint64_t from, uint64_t *start)
{
	uint64_t address = 0; /* gcc at -O2 thinks it might stay unset */
	if (!map_next_in(map, from, UINT64_MAX, &address))
		return false;
	*start = address & ~(map_row_bytes(map) - 1);
	return true;
}

/* Lines that the picture would take: rows, and one for each hole between them. */
static bool fits(const struct map *map)
{
	uint64_t bytes = map_row_bytes(map), at = 0, start;
	unsigned lines = 0;
	while (map_next_row(map, at, &start)) {
		lines += lines && start != at ? 2 : 1;
		if (lines > MAP_LINES)
			return false;
		at = start + bytes;
		if (!at)
			break;
	}
	return true;
}

void map_choose_cell(struct map *map)
{
	map->cell = vmsnap_info(map->snap)->page_size;
	/* A row must stay below 2^63, so that the end of each but the last fits. */
	while (!fits(map) && map_row_bytes(map) < UINT64_C(1) << 62)
		map->cell *= 2;
}

/* ---- filling them --------------------------------------------------------------------- */

struct filling {
	const struct map *map;
	struct map_row *row;
	uint64_t last;        /* address of the row's last byte */
	uint64_t from, until; /* nothing else counts */
};

static void add_all(struct filling *filling, uint64_t start, uint64_t end, int page_class, bool take_away)
{
	uint64_t cell_bytes = filling->map->cell, first = filling->row->start;
	if (start < filling->from)
		start = filling->from;
	if (end > filling->until)
		end = filling->until;
	if (start >= end)
		return;
	if (start < first)
		start = first;
	if (end - 1 > filling->last)
		end = filling->last + 1; /* may wrap to 0: only compared as end - 1 */
	while (start <= end - 1) {
		uint64_t cell = (start - first) / cell_bytes, last = first + (cell + 1) * cell_bytes - 1;
		if (last > end - 1 || last < start) /* or beyond 2^64 */
			last = end - 1;
		uint64_t *count = &filling->row->counts[cell][page_class];
		uint64_t bytes = last - start + 1;
		*count = take_away ? *count - (bytes < *count ? bytes : *count) : *count + bytes;
		start = last + 1;
		if (!start)
			break;
	}
}

/* Of what is shown. */
static void add(struct filling *filling, uint64_t start, uint64_t end, int page_class, bool take_away)
{
	const struct filter_ranges *shown = &filling->map->shown;
	if (!filling->map->filter.any) {
		add_all(filling, start, end, page_class, take_away);
		return;
	}
	uint64_t from = start > filling->row->start ? start : filling->row->start;
	for (size_t i = filter_ranges_find(shown, from); i < shown->count; i++) {
		const struct filter_range *range = &shown->items[i];
		uint64_t first = range->start > start ? range->start : start,
		         until = range->end < end ? range->end : end;
		if (range->start >= end || first > filling->last)
			break;
		if (first < until)
			add_all(filling, first, until, page_class, take_away);
	}
}

static void add_pages(struct filling *filling, uint64_t start, uint64_t end, bool take_away)
{
	struct page_classes it;
	struct page_range range;
	page_classes_init(&it, filling->map->snap, start, end);
	while (page_classes_next(&it, &range))
		add(filling, range.start, range.end, range.page_class, take_away);
}

/* Where parent and child are not compared, there are none: then it is told what the child's pages are. */
static bool by_verdicts(const struct map *map)
{
	return map->cow && vmsnap_cow_relation(map->cow) == VMSNAP_RELATION_COMPARABLE;
}

/* What is copied or new is there at B too, but counts once; after a fork the verdicts tell all. */
static void add_event(struct filling *filling, const struct map_event *event)
{
	uint64_t start = event->start, end = event->end;
	if ((!by_verdicts(filling->map) && event->page_class == CLASS_OTHER) || start > filling->last ||
	    end - 1 < filling->row->start)
		return;
	uint64_t last = end - 1 < filling->last ? end - 1 : filling->last;
	add(filling, start, end, event->page_class, false);
	if (!by_verdicts(filling->map))
		add_pages(filling, start > filling->row->start ? start : filling->row->start, last + 1, true);
}

/* Beside pages that are chosen there are others: nothing is said of them. */
static void add_mapped(struct filling *filling)
{
	bool chosen = filter_has_states(&filling->map->filter);
	const struct vmsnap *snap = filling->map->snap;
	size_t low = vma_find(snap, filling->row->start);
	const struct vmsnap_vma *vma;
	for (; (vma = vmsnap_vma(snap, low)) && vma->start <= filling->last; low++)
		if (chosen)
			add_all(filling, vma->start, vma->end, CLASS_HOLE, false);
		else
			add(filling, vma->start, vma->end, CLASS_UNTOUCHED, false);
}

void map_fill_between(const struct map *map, uint64_t start, uint64_t from, uint64_t until, struct map_row *row)
{
	struct filling filling = {
		.map = map, .row = row, .last = start + map_row_bytes(map) - 1, .from = from, .until = until
	};
	memset(row, 0, sizeof(*row));
	row->start = start;
	if (filling.last < start)
		filling.last = UINT64_MAX;
	add_mapped(&filling);
	/* The page at 2^64 - page_size cannot be mapped: an end never wraps. */
	uint64_t end = filling.last == UINT64_MAX ? UINT64_MAX : filling.last + 1, first = start > from ? start : from;
	if (!by_verdicts(map))
		add_pages(&filling, first, end < until ? end : until, false);
	for (size_t i = map_events_find(&map->events, first);
	     i < map->events.count && map->events.items[i].start <= filling.last && map->events.items[i].start < until;
	     i++)
		add_event(&filling, &map->events.items[i]);
}

void map_fill_row(const struct map *map, uint64_t start, struct map_row *row)
{
	map_fill_between(map, start, 0, UINT64_MAX, row);
}

void map_totals(const struct map *map, uint64_t *totals)
{
	struct map whole = *map;
	struct map_row row;
	uint64_t at = 0, start;
	whole.cells = 1;
	whole.cell = UINT64_C(1) << 46;
	memset(totals, 0, PAGE_CLASSES * sizeof(*totals));
	while (map_next_row(&whole, at, &start)) {
		map_fill_row(&whole, start, &row);
		for (int i = 0; i < PAGE_CLASSES; i++)
			totals[i] += row.counts[0][i];
		at = start + map_row_bytes(&whole);
		if (!at)
			break;
	}
}

int map_cell_class(const uint64_t *counts)
{
	int best = CLASS_HOLE;
	for (int i = CLASS_EVENTS; i < PAGE_CLASSES; i++)
		if (counts[i] && (best == CLASS_HOLE || counts[i] > counts[best]))
			best = i;
	if (best != CLASS_HOLE)
		return best;
	/* Any page at all says more than the untouched room around it. */
	for (int i = CLASS_PRIVATE; i < CLASS_EVENTS; i++)
		if (counts[i] && (best == CLASS_HOLE || counts[i] > counts[best]))
			best = i;
	return best == CLASS_HOLE && counts[CLASS_UNTOUCHED] ? CLASS_UNTOUCHED : best;
}
