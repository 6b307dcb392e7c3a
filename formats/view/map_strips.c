#include "map_strips.h"

#include <string.h>

#include "mapping_groups.h"
#include "vma_find.h"

/* ---- what is mapped, or was at A -------------------------------------------------------- */

struct piece {
	uint64_t start, end;
	uint64_t after; /* where to go on */
	uint64_t mapped;
	size_t mappings;
	const struct vmsnap_vma *vma;
	size_t called;
};

static uint64_t mapped_between(const struct vmsnap *snap, uint64_t start, uint64_t end)
{
	const struct vmsnap_vma *vma;
	uint64_t bytes = 0;
	for (size_t i = vma_find(snap, start); (vma = vmsnap_vma(snap, i)) && vma->start < end; i++)
		bytes += (vma->end < end ? vma->end : end) - (vma->start > start ? vma->start : start);
	return bytes;
}

/* Cuts it to what is chosen; false: nothing is. */
static bool choose(const struct map *map, struct piece *piece)
{
	const struct filter_ranges *shown = &map->shown;
	if (!map->filter.any)
		return true;
	size_t first = filter_ranges_find(shown, piece->start), after = filter_ranges_find(shown, piece->end - 1);
	if (after < shown->count && shown->items[after].start < piece->end)
		after++;
	if (first >= after)
		return false;
	if (shown->items[first].start > piece->start)
		piece->start = shown->items[first].start;
	if (shown->items[after - 1].end < piece->end)
		piece->end = shown->items[after - 1].end;
	if (piece->called != SIZE_MAX)
		piece->mapped = mapped_between(map->snap, piece->start, piece->end);
	return true;
}

/* What is left in A of a mapping that is gone: as much as lies between two of B's. */
static struct piece gone_piece(const struct map_event *event, uint64_t at, uint64_t limit)
{
	const struct vmsnap_vma *was = event->vma;
	uint64_t start = was && was->start < event->start ? was->start : event->start;
	uint64_t end = was && was->end > event->end ? was->end : event->end;
	struct piece piece = { .start = start > at ? start : at, .end = end < limit ? end : limit, .vma = was };
	piece.after = piece.end;
	piece.mapped = piece.end - piece.start;
	piece.mappings = 1;
	piece.called = SIZE_MAX;
	return piece;
}

/* What lies at or above `at`, which no group contains. */
static bool next_piece(const struct map *map, uint64_t at, struct piece *piece)
{
	struct mapping_group group;
	bool found = mapping_group_at(map->snap, map->names, vma_find(map->snap, at), &group);
	uint64_t limit = found ? group.start : UINT64_MAX;
	const struct map_event *event = at < limit ? map_next_event(map, at, limit) : NULL;
	if (event) {
		*piece = gone_piece(event, at, limit);
		return true;
	}
	if (found)
		*piece = (struct piece){ .start = group.start,
			                 .end = group.end,
			                 .after = group.end,
			                 .mapped = mapped_between(map->snap, group.start, group.end),
			                 .mappings = group.count,
			                 .vma = vmsnap_vma(map->snap, group.called),
			                 .called = group.called };
	return found;
}

static bool next_chosen(const struct map *map, uint64_t at, struct piece *piece)
{
	while (next_piece(map, at, piece)) {
		at = piece->after;
		if (choose(map, piece))
			return true;
	}
	return false;
}

/* ---- strips ------------------------------------------------------------------------------ */

/* Of what is gone the segments of a file are next to each other, too. */
static bool belongs(const struct map *map, const struct map_strip *strip, const struct piece *piece)
{
	if (piece->start - strip->end < map->join)
		return true;
	bool gone = strip->called == SIZE_MAX && piece->called == SIZE_MAX && strip->vma && piece->vma;
	return gone && piece->start == strip->end && !strcmp(strip->vma->name, piece->vma->name);
}

static void add_piece(const struct map *map, struct map_strip *strip, const struct piece *piece)
{
	uint64_t address;
	strip->any = strip->any || map_next_in(map, piece->start, piece->end, &address);
	strip->end = piece->end;
	strip->mapped += piece->mapped;
	strip->mappings += piece->mappings;
	if (strip->groups++)
		return;
	strip->vma = piece->vma;
	strip->called = piece->called;
}

bool map_strip_next(struct map_walk *walk, struct map_strip *strip)
{
	struct piece piece;
	if (!next_chosen(walk->map, walk->at, &piece))
		return false;
	*strip = (struct map_strip){ .start = piece.start, .end = piece.start };
	do {
		add_piece(walk->map, strip, &piece);
		walk->at = piece.after;
	} while (next_chosen(walk->map, walk->at, &piece) && belongs(walk->map, strip, &piece));
	return true;
}

/* ---- rows of them ------------------------------------------------------------------------ */

bool map_strip_is_one_row(const struct map *map, const struct map_strip *strip)
{
	return strip->end - strip->start / map->cell * map->cell <= map_row_bytes(map);
}

bool map_strip_row(const struct map *map, const struct map_strip *strip, uint64_t from, uint64_t *start)
{
	uint64_t address, unit = map_row_bytes(map);
	if (from < strip->start)
		from = strip->start;
	if (from >= strip->end || !map_next_in(map, from, strip->end, &address))
		return false;
	if (map_strip_is_one_row(map, strip)) {
		address = strip->start;
		unit = map->cell;
	}
	*start = address / unit * unit;
	return true;
}

/* So that each page counts once. */
static void take_rest(const struct map *map, uint64_t *counts)
{
	int rest = filter_has_states(&map->filter) ? CLASS_HOLE : CLASS_UNTOUCHED;
	uint64_t told = 0;
	for (int i = CLASS_UNTOUCHED + 1; i < PAGE_CLASSES; i++)
		told += counts[i];
	counts[rest] -= told < counts[rest] ? told : counts[rest];
}

/* The height of a colour is its share of the cell, also of one that only part of the strip lies in. */
static void take_hole(const struct map *map, uint64_t *counts)
{
	uint64_t told = 0;
	for (int i = CLASS_HOLE; i < PAGE_CLASSES; i++)
		told += counts[i];
	counts[CLASS_HOLE] += told < map->cell ? map->cell - told : 0;
}

void map_strip_fill(const struct map *map, const struct map_strip *strip, uint64_t start, struct map_row *row)
{
	map_fill_between(map, start, strip->start, strip->end, row);
	for (unsigned i = 0; i < map->cells; i++) {
		take_rest(map, row->counts[i]);
		take_hole(map, row->counts[i]);
	}
}

void map_strip_sums(const struct map *map, const struct map_strip *strip, uint64_t *sums)
{
	struct map whole = *map;
	struct map_row row;
	whole.cells = 1;
	whole.cell = UINT64_C(1) << 63;
	map_strip_fill(&whole, strip, strip->start, &row);
	memcpy(sums, row.counts[0], sizeof(row.counts[0]));
}

/* ---- how large a cell is ----------------------------------------------------------------- */

/* Rows beside the first one of each strip, and lines for holes between them. */
static unsigned more_lines(const struct map *map, const struct map_strip *strip, unsigned limit)
{
	uint64_t at = strip->start, start;
	unsigned lines = 0;
	while (lines <= limit + 1 && map_strip_row(map, strip, at, &start)) {
		lines += start > at ? 2 : 1;
		at = start + map_row_bytes(map);
		if (at < start)
			break;
	}
	return lines ? lines - 1 : 0;
}

static bool strips_fit(const struct map *map, bool *too_many)
{
	const unsigned limit = map->join ? MAP_JOINED : MAP_STRIPS;
	struct map_walk walk = { .map = map };
	struct map_strip strip;
	unsigned strips = 0, lines = 0;
	while (lines <= MAP_MORE_LINES && strips <= limit && map_strip_next(&walk, &strip)) {
		if (!strip.any)
			continue;
		strips++;
		lines += more_lines(map, &strip, MAP_MORE_LINES);
	}
	*too_many = strips > limit;
	return lines <= MAP_MORE_LINES && !*too_many;
}

void map_fit_strips(struct map *map)
{
	bool too_many;
	map->cell = vmsnap_info(map->snap)->page_size;
	map->join = 0;
	while (!strips_fit(map, &too_many) && map_row_bytes(map) < UINT64_C(1) << 62) {
		map->cell *= 2;
		/* What would be in one row is one strip. */
		if (too_many || map->join)
			map->join = map_row_bytes(map);
	}
}
