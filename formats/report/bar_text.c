#include "bar_text.h"

#include "text_color.h"

enum { BAR_MAX = 300, BAR_USUAL = 80, EIGHTHS = 8, PARTS_MAX = 16 };

/* A part as it is drawn: [start, end) in eighths of a cell. */
struct drawn {
	unsigned start, end;
};

/* Each part has its share of the bar, but at least a cell, which the largest gives: so no cell holds more than two.
 * pairs: two cells, if it is inferred, for the sign of that beside its letter. */
static void share_out(const struct bar_part *parts, size_t count, unsigned cells, bool pairs, struct drawn *drawn)
{
	unsigned widths[PARTS_MAX], all = cells * EIGHTHS, used = 0;
	unsigned __int128 sum = 0;
	size_t largest = 0;
	for (size_t i = 0; i < count; i++) {
		sum += parts[i].size;
		largest = parts[i].size > parts[largest].size ? i : largest;
	}
	for (size_t i = 0; i < count; i++) {
		unsigned width = (unsigned)((parts[i].size * (unsigned __int128)all + sum / 2) / sum);
		unsigned least = pairs && parts[i].inferred ? 2 * EIGHTHS : EIGHTHS;
		if (parts[i].size && width < least)
			width = least;
		widths[i] = i == largest ? 0 : width;
		used += widths[i];
	}
	widths[largest] = used < all ? all - used : 0;
	unsigned at = 0;
	for (size_t i = 0; i < count; i++) {
		drawn[i].start = at;
		at += widths[i];
		drawn[i].end = at;
	}
}

/* What lies in most of a cell, and what begins in it after something else. */
struct look {
	size_t first, second; /* parts */
	unsigned eighths;     /* of the first */
};

static struct look look_at(const struct drawn *drawn, size_t count, unsigned cell)
{
	unsigned start = cell * EIGHTHS, end = start + EIGHTHS;
	struct look look = { .eighths = EIGHTHS };
	size_t i = 0;
	while (i + 1 < count && drawn[i].end <= start)
		i++;
	look.first = look.second = i;
	if (drawn[i].end >= end)
		return look;
	look.eighths = drawn[i].end - start;
	for (i++; i + 1 < count && drawn[i].end == drawn[i].start;)
		i++;
	look.second = i < count ? i : look.first;
	return look;
}

static const char *hatched(const struct bar_part *part)
{
	return part->page_class == CLASS_HOLE ? "░" : part->inferred ? "▒" : NULL;
}

static void put_blocks(struct text *text, const struct bar_part *parts, struct look look)
{
	static const char *const blocks[] = { " ", "▏", "▎", "▍", "▌", "▋", "▊", "▉", "█" };
	const struct bar_part *first = &parts[look.first], *second = &parts[look.second];
	char sequence[COLOR_ROOM];
	/* A hatched cell has one part only: that which has most of it. */
	if (hatched(first) || hatched(second)) {
		const struct bar_part *most = look.eighths * 2 >= EIGHTHS ? first : second;
		if (most->page_class == CLASS_HOLE)
			color_start(text, COLOR_DIM);
		else
			color_start_sample(text, most->page_class);
		text_string(text, hatched(most) ? hatched(most) : "█");
	} else {
		int ground = look.second == look.first ? COLOR_DEFAULT : second->page_class;
		text_put(text, sequence,
		         color_of_cell(sequence, sizeof(sequence), text->style, first->page_class, ground));
		text_string(text, blocks[look.eighths]);
	}
	text_string(text, COLOR_RESET);
}

/* The letter comes first in what is inferred, wherever that lies: "~?~?". */
static void put_letter(struct text *text, const struct bar_part *parts, const struct drawn *drawn, struct look look,
                       unsigned cell)
{
	size_t at = look.eighths * 2 >= EIGHTHS ? look.first : look.second;
	const struct bar_part *part = &parts[at];
	unsigned first = (drawn[at].start + EIGHTHS / 2) / EIGHTHS;
	bool unsure = part->page_class == CLASS_HOLE || (part->inferred && (cell - first) % 2);
	char letter = unsure ? '?' : class_letter(part->page_class);
	color_start(text, part->page_class == CLASS_HOLE ? COLOR_DEFAULT : part->page_class);
	text_put(text, &letter, 1);
	color_end(text, part->page_class == CLASS_HOLE ? COLOR_DEFAULT : part->page_class);
}

void put_bar(struct text *text, const struct bar_part *parts, size_t count)
{
	struct bar_part some[PARTS_MAX];
	struct drawn drawn[PARTS_MAX];
	unsigned cells = text->style->width ? text->style->width : BAR_USUAL;
	size_t kept = 0;
	for (size_t i = 0; i < count && kept < PARTS_MAX; i++)
		if (parts[i].size)
			some[kept++] = parts[i];
	cells = cells < BAR_MAX ? cells : BAR_MAX;
	if (!kept || cells < kept)
		return;
	bool blocks = text->style->unicode && text->style->color != VMSNAP_COLOR_NONE;
	share_out(some, kept, cells, !blocks && cells >= kept * kept, drawn);
	bool before = text_exact(text);
	for (unsigned cell = 0; cell < cells; cell++) {
		struct look look = look_at(drawn, kept, cell);
		if (blocks)
			put_blocks(text, some, look);
		else
			put_letter(text, some, drawn, look, cell);
	}
	text_string(text, "\n");
	text_exact_end(text, before);
}
