#include "map_strips.h"

#include <string.h>

#include "vma_find.h"

/* Segments of one file may have holes between them. */
enum { FILE_HOLE = 4 << 20 };

/* ---- what is mapped, or was at A -------------------------------------------------------- */

struct piece {
	uint64_t start, end;
	const struct vmsnap_vma *vma;
};

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
	return true;
}

/* What lies at or above `at`: a mapping of B, or what is left in A of one that is gone. */
static bool next_piece(const struct map *map, uint64_t at, struct piece *piece)
{
	const struct vmsnap_vma *vma = vmsnap_vma(map->snap, vma_find(map->snap, at));
	struct vmsnap_diff_range range;
	uint64_t limit = vma ? vma->start : UINT64_MAX;
	if (at < limit && map_next_event(map, at, limit, &range)) {
		const struct vmsnap_vma *was = range.vma;
		uint64_t start = was && was->start < range.start ? was->start : range.start;
		uint64_t end = was && was->end > range.end ? was->end : range.end;
		*piece = (struct piece){ start > at ? start : at, end < limit ? end : limit, was };
		return true;
	}
	if (vma)
		*piece = (struct piece){ vma->start > at ? vma->start : at, vma->end, vma };
	return vma;
}

static bool next_chosen(const struct map *map, uint64_t at, struct piece *piece)
{
	while (next_piece(map, at, piece)) {
		at = piece->end;
		if (choose(map, piece))
			return true;
	}
	return false;
}

/* ---- strips ------------------------------------------------------------------------------ */

static const char *name_of(const struct vmsnap_vma *vma)
{
	return vma ? vma->name : "";
}

static bool belongs(const struct map *map, const struct map_strip *strip, const struct piece *piece)
{
	const char *of_strip = name_of(strip->vma), *name = name_of(piece->vma);
	uint64_t hole = piece->start - strip->end;
	if (hole < map->join)
		return true;
	if (*name)
		return hole < FILE_HOLE && !strcmp(name, of_strip);
	return !hole && (!*of_strip || *of_strip == '/');
}

static void add_piece(const struct map *map, struct map_strip *strip, const struct piece *piece)
{
	uint64_t address;
	strip->any = strip->any || map_next_in(map, piece->start, piece->end, &address);
	strip->end = piece->end;
	strip->mapped += piece->end - piece->start;
	strip->mappings++;
	if (!strip->vma || (!*strip->vma->name && piece->vma && *piece->vma->name))
		strip->vma = piece->vma;
}

bool map_strip_next(struct map_walk *walk, struct map_strip *strip)
{
	struct piece piece;
	if (!next_chosen(walk->map, walk->at, &piece))
		return false;
	*strip = (struct map_strip){ .start = piece.start, .end = piece.start };
	do {
		add_piece(walk->map, strip, &piece);
		walk->at = piece.end;
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

void map_strip_fill(const struct map *map, const struct map_strip *strip, uint64_t start, struct map_row *row)
{
	map_fill_between(map, start, strip->start, strip->end, row);
	for (unsigned i = 0; i < map->cells; i++)
		take_rest(map, row->counts[i]);
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
