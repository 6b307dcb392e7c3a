#define _GNU_SOURCE
#include "map_caption.h"

#include <stdio.h>
#include <string.h>

#include "format_value.h"
#include "map_headline.h"
#include "text_color.h"
#include "text_fit.h"

static void set_name(struct text *text, const struct map *map, const struct map_strip *strip, struct caption *caption)
{
	caption->name = strip->vma ? strip->vma->name : "";
	caption->named = *caption->name;
	caption->others = strip->groups - 1;
	if (!caption->named && map->names && strip->called != SIZE_MAX)
		caption->label = mapping_label(text, map->names, strip->vma, strip->called);
	if (caption->label.words) {
		caption->name = caption->label.words;
		caption->named = true;
	}
	if (!*caption->name)
		caption->name = "anonymous";
	caption->len = strlen(caption->name);
	const char *slash = memrchr(caption->name, '/', caption->len);
	if (slash && slash[1]) {
		caption->len -= (size_t)(slash + 1 - caption->name);
		caption->name = slash + 1;
	}
}

static void set_size(struct text *text, const struct map_strip *strip, struct caption *caption)
{
	struct word size = word_size(text->style, strip->mapped);
	const char *times = text->style->unicode ? "×" : "x";
	if (strip->mappings == 1 && strip->vma)
		snprintf(caption->size, sizeof(caption->size), "%s %s", size.text, word_perms(strip->vma).text);
	else
		snprintf(caption->size, sizeof(caption->size), "%s %s%zu", size.text, times, strip->mappings);
}

/* Copies first, for they cost memory; else what there is most of. */
static int main_event(const uint64_t *sums)
{
	int best = CLASS_COPIED;
	for (int i = CLASS_EVENTS; !sums[CLASS_COPIED] && i < PAGE_CLASSES; i++)
		if (sums[i] > sums[best])
			best = i;
	return best;
}

static void set_event(struct text *text, const struct map *map, const struct map_strip *strip, struct caption *caption)
{
	uint64_t sums[PAGE_CLASSES], bytes = 0;
	map_strip_sums(map, strip, sums);
	const char *what = map->filter.any ? "chosen" : "resident";
	if (map->view.diff || map->cow) {
		int event = main_event(sums);
		bytes = sums[event];
		what = map_class_words(map, event);
	} else if (vmsnap_info(map->snap)->known.states_unknown) {
		bytes = sums[CLASS_DUMPED];
		what = class_words(CLASS_DUMPED);
	} else {
		bytes = sums[CLASS_PRIVATE] + sums[CLASS_FILE] + sums[CLASS_SHARED];
	}
	caption->changed = bytes && (map->view.diff || map->cow);
	if (map->cow && sums[CLASS_COPIED] && sums[CLASS_CHILD])
		snprintf(caption->event, sizeof(caption->event), "%s by parent, %s by child",
		         word_size(text->style, sums[CLASS_COPIED]).text,
		         word_size(text->style, sums[CLASS_CHILD]).text);
	else if (bytes)
		snprintf(caption->event, sizeof(caption->event), "%s %s", word_size(text->style, bytes).text, what);
}

struct caption caption_of(struct text *text, const struct map *map, const struct map_strip *strip)
{
	struct caption caption = { .name = "" };
	set_name(text, map, strip, &caption);
	set_size(text, strip, &caption);
	set_event(text, map, strip, &caption);
	return caption;
}

void caption_free(struct caption *caption, struct text *text)
{
	mapping_label_free(&caption->label, text);
}

/* ---- how it is written ------------------------------------------------------------------- */

enum { GAP = 2 };

static size_t others_width(const struct caption *caption)
{
	return caption->others ? 2 + strlen(word_number(caption->others).text) : 0;
}

size_t caption_name_width(struct text *text, const struct caption *caption)
{
	return fit_width(text, caption->name, caption->len) + others_width(caption);
}

static size_t columns(const char *words)
{
	size_t count = 0;
	for (; *words; words++)
		count += ((unsigned char)*words & 0xc0) != 0x80;
	return count;
}

size_t caption_width(struct text *text, const struct caption *caption)
{
	size_t event = *caption->event ? GAP + columns(caption->event) : 0;
	return caption_name_width(text, caption) + GAP + columns(caption->size) + event;
}

bool caption_fits_beside(struct text *text, const struct caption *caption, unsigned lines, size_t room)
{
	if (caption_name_width(text, caption) > room)
		return false;
	return !caption->changed || (lines == 1 ? caption_width(text, caption) : columns(caption->event)) <= room;
}

static size_t put_name(struct text *text, const struct caption *caption, size_t room)
{
	size_t width = caption_name_width(text, caption), others = others_width(caption);
	int color = caption->named ? COLOR_BOLD : COLOR_DEFAULT;
	if (others >= room)
		others = 0;
	color_start(text, color);
	fit_name(text, caption->name, caption->len, room - others);
	color_end(text, color);
	if (others)
		text_format(text, " +%zu", caption->others);
	return width < room ? width : room;
}

static size_t put_dim(struct text *text, const char *words, size_t room)
{
	size_t width = columns(words);
	if (!*words || width + GAP > room)
		return 0;
	color_start(text, COLOR_DIM);
	text_format(text, "%*s%s", GAP, "", words);
	color_end(text, COLOR_DIM);
	return width + GAP;
}

size_t caption_put(struct text *text, const struct caption *caption, size_t room)
{
	size_t used = put_name(text, caption, room);
	used += put_dim(text, caption->size, room - used);
	return used + put_dim(text, caption->event, room - used);
}

void caption_put_line(struct text *text, const struct caption *caption, unsigned line, size_t gap, size_t room)
{
	const char *words = line == 1 ? caption->size : caption->event;
	if (!line) {
		text_repeat(text, ' ', gap);
		put_name(text, caption, room);
		return;
	}
	if (!*words || columns(words) > room)
		return;
	text_repeat(text, ' ', gap);
	color_start(text, COLOR_DIM);
	text_string(text, words);
	color_end(text, COLOR_DIM);
}
