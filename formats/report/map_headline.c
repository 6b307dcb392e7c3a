#include "map_headline.h"

#include "page_state.h"

#include <stdio.h>
#include <string.h>

#include "cell.h"
#include "cow_answer_text.h"
#include "diff_answer_text.h"
#include "filter_record.h"
#include "format_value.h"
#include "identity_text.h"
#include "page_shares.h"
#include "relation_text.h"
#include "text_color.h"
#include "text_fit.h"
#include "when_text.h"

/* ---- who, and when -------------------------------------------------------------------------- */

enum { NAME_ROOM = 40 };

static size_t put_name(struct text *text, const char *name)
{
	size_t width = fit_width(text, name, strlen(name));
	fit_name(text, name, strlen(name), NAME_ROOM);
	return width < NAME_ROOM ? width : NAME_ROOM;
}

/* "redis-server 3140"; returns its width. */
static size_t put_process(struct text *text, const struct vmsnap_info *info)
{
	struct word number = word_process(info);
	color_start(text, COLOR_BOLD);
	size_t width = put_name(text, *info->comm ? info->comm : "process");
	text_string(text, " ");
	text_string(text, number.text);
	color_end(text, COLOR_BOLD);
	return width + 1 + strlen(number.text);
}

/* Its label, or when it was taken: after the one before, if there is one. */
static size_t put_moment(struct text *text, const struct vmsnap_info *info, const struct vmsnap_info *before)
{
	if (*info->label) {
		text_string(text, "\"");
		size_t width = put_name(text, info->label);
		text_string(text, "\"");
		return width + 2;
	}
	bool later = before && before->taken && info->taken >= before->taken;
	struct word word = { "?" };
	if (later)
		word = word_duration((uint64_t)(info->taken - before->taken));
	else if (info->taken)
		word = word_time_local(info->taken);
	text_string(text, later ? "+" : "");
	text_string(text, word.text);
	return later + strlen(word.text);
}

static void put_one(struct text *text, const struct map *map)
{
	const struct vmsnap_info *info = vmsnap_info(map->snap);
	struct vmsnap_sums sums;
	size_t mappings = vmsnap_vma_count(map->snap);
	put_process(text, info);
	if (*info->label) {
		text_string(text, ", ");
		put_moment(text, info, NULL);
	}
	vmsnap_sum(map->snap, 0, UINT64_MAX, &sums);
	if (!map->filter.any && info->known.states_unknown) {
		text_format(text, ", %s in %zu mapping%s", word_size(text->style, sums.size).text, mappings,
		            word_plural(mappings));
	} else if (!map->filter.any) {
		text_format(text, ", %s resident of %s in %zu mapping%s",
		            word_size_least(text->style, sums.resident, pages_unread(map->snap)).text,
		            word_size(text->style, sums.size).text, mappings, word_plural(mappings));
	}
	text_string(text, "\n");
}

/* The same as a diff says it. */
static void put_copied(struct text *text, const struct map *map, size_t column)
{
	struct diff_rows rows;
	struct fit_line line = fit_line(text, column, 2);
	line.fresh = false;
	int rc = diff_rows_init(&rows, &map->view, &text->work);
	if (!rc && !put_diff_copied(&line, &map->view, &rows))
		fit_words(&line, "nothing copied");
	diff_rows_free(&rows);
	text_stop(text, rc);
}

static void put_two(struct text *text, const struct map *map)
{
	const struct vmsnap_info *a = vmsnap_info(map->view.a), *b = vmsnap_info(map->view.b);
	bool same = a->pid == b->pid && a->start_time == b->start_time;
	size_t width = put_process(text, a) + 2 + 3;
	text_string(text, ", ");
	width += put_moment(text, a, NULL);
	text_string(text, text->style->unicode ? " → " : " -> ");
	width += !text->style->unicode;
	/* A process that has executed another program is called otherwise. */
	if (!same || strcmp(a->comm, b->comm) != 0) {
		width += put_process(text, b) + 2;
		text_string(text, ", ");
	}
	width += put_moment(text, b, same || *b->label ? a : NULL);
	bool compared = vmsnap_diff_relation(map->view.diff) == VMSNAP_RELATION_COMPARABLE;
	if (compared && !map->filter.any) {
		text_string(text, ":");
		put_copied(text, map, width + 1);
	}
	text_string(text, "\n");
}

/* ---- totals ---------------------------------------------------------------------------------- */

const char *map_class_words(const struct map *map, int page_class)
{
	if (page_class == CLASS_UNREAD && vmsnap_info(map->snap)->known.states_unknown)
		return "cut off";
	if (map->view.diff && page_class == CLASS_PRIVATE)
		return "other private"; /* what was not copied here: before, or when others did */
	if (!map->cow)
		return class_words(page_class);
	switch (page_class) {
	case CLASS_COPIED:
		return "copied by parent";
	case CLASS_OTHER:
		return "copied by either"; /* or both */
	default:
		return class_words(page_class);
	}
}

static const int legend_order[] = {
	CLASS_COPIED,  CLASS_CHILD,       CLASS_OTHER,      CLASS_NEW,       CLASS_GONE,
	CLASS_WRITTEN, CLASS_SWAPPED_OUT, CLASS_SWAPPED_IN, CLASS_SHARED,    CLASS_FILE,
	CLASS_PRIVATE, CLASS_SWAPPED,     CLASS_DUMPED,     CLASS_DUMP_HOLE, CLASS_UNREAD,
};

static bool has_blocks(const struct text *text)
{
	return text->style->unicode && text->style->color != VMSNAP_COLOR_NONE;
}

static size_t put_total(struct text *text, const char *words, int page_class, struct word size)
{
	bool blocks = has_blocks(text);
	if (blocks) /* as the cells are, and not as words */
		color_start_sample(text, page_class);
	else
		color_start(text, page_class);
	if (blocks && page_class != CLASS_UNREAD) /* which is a sign in the picture, too */
		text_string(text, "█");
	else
		text_repeat(text, class_letter(page_class), 1);
	color_end(text, page_class);
	text_format(text, " %s ", words);
	color_start(text, COLOR_BOLD);
	text_string(text, size.text);
	color_end(text, COLOR_BOLD);
	return 1 + 1 + strlen(words) + 1 + strlen(size.text);
}

enum { GAP = 2 }; /* between two classes */

/* What KSM merged is drawn as what is shared otherwise. */
static size_t put_merged(struct text *text, const struct map *map, size_t column)
{
	struct page_shares shares = { .merged = 0 };
	struct vmsnap_sums sums;
	char words[64];
	bool told = !map->view.diff && !map->cow && vmsnap_layer_known(map->snap, VMSNAP_LAYER_KPAGE_FLAGS);
	for (size_t i = 0; told && i < vmsnap_vma_count(map->snap); i++) {
		const struct vmsnap_vma *vma = vmsnap_vma(map->snap, i);
		if (!filter_takes_vma(&map->filter, vma) || !filter_sum(&map->filter, map->snap, vma, &sums))
			continue;
		struct page_shares more = page_shares_of(map->snap, &map->filter, vma, &sums);
		page_shares_add(&shares, &more);
	}
	if (!shares.merged)
		return column;
	size_t width =
	        (size_t)snprintf(words, sizeof(words), "%s merged by KSM", word_size(text->style, shares.merged).text);
	bool fits = column && (!text->style->width || column + GAP + width <= text->style->width);
	text_string(text, !column ? "" : fits ? "  " : "\n");
	color_start(text, COLOR_DIM);
	text_string(text, words);
	color_end(text, COLOR_DIM);
	return (fits ? column + GAP : 0) + width;
}

/* What is mapped and nothing else: nearly the paper's colour, which is told where it is drawn. */
static size_t put_nothing(struct text *text, const uint64_t *totals, size_t column)
{
	static const char word[] = " nothing";
	uint64_t told = 0;
	for (int i = CLASS_UNTOUCHED + 1; i < PAGE_CLASSES; i++)
		told += totals[i];
	if (!column || !has_blocks(text) || told >= totals[CLASS_UNTOUCHED])
		return column;
	bool fits = !text->style->width || column + GAP + sizeof(word) <= text->style->width;
	text_string(text, fits ? "  " : "\n");
	color_start_sample(text, CLASS_UNTOUCHED);
	text_string(text, "█");
	color_end(text, CLASS_UNTOUCHED);
	text_string(text, word);
	return (fits ? column + GAP : 0) + sizeof(word);
}

static void put_totals(struct text *text, const struct map *map)
{
	uint64_t totals[PAGE_CLASSES];
	size_t column = 0, limit = text->style->width;
	bool before = text_exact(text);
	map_totals(map, totals);
	for (size_t i = 0; i < sizeof(legend_order) / sizeof(legend_order[0]); i++) {
		int page_class = legend_order[i];
		if (!totals[page_class])
			continue;
		const char *words = map_class_words(map, page_class);
		struct word size = word_size(text->style, totals[page_class]);
		size_t width = 3 + strlen(words) + strlen(size.text);
		bool fits = column && (!limit || column + GAP + width <= limit);
		text_string(text, fits ? "  " : column ? "\n" : "");
		column = (fits ? column + GAP : 0) + put_total(text, words, page_class, size);
	}
	column = put_nothing(text, totals, column);
	column = put_merged(text, map, column);
	text_string(text, column ? "\n" : "");
	text_exact_end(text, before);
}

/* As cow says it. */
static void put_fork_when(struct text *text, const struct map *map)
{
	struct fit_line line = fit_line(text, 0, 2);
	struct cow_began began = { .known = false };
	struct fork_when when = { .known = false };
	bool compared = vmsnap_cow_relation(map->cow) == VMSNAP_RELATION_COMPARABLE;
	int rc = compared ? cow_began(map->cow, &text->work, &began, NULL) : VMSNAP_OK;
	rc = rc ? rc : text_cow_when(text, map->cow, &began, &when, NULL);
	text_stop(text, rc);
	put_when(&line, &when);
	text_string(text, when.known ? "\n" : "");
}

/* "19.1% of ..." is for cow to say: here is what the picture is of. */
static void put_fork(struct text *text, const struct map *map)
{
	const struct vmsnap *base = vmsnap_cow_base(map->cow);
	text_string(text, "parent ");
	put_process(text, vmsnap_info(vmsnap_cow_parent(map->cow)));
	text_string(text, ", child ");
	put_process(text, vmsnap_info(map->snap));
	text_string(text, base ? ", base " : "");
	if (base)
		put_moment(text, vmsnap_info(base), NULL);
	text_string(text, "\n");
	put_fork_when(text, map);
	put_cow_warnings(text, map->cow);
}

void put_map_headline(struct text *text, const struct map *map)
{
	if (map->view.diff) {
		put_two(text, map);
		put_relation(text, vmsnap_diff_relation(map->view.diff), map->view.a, map->view.b);
		put_order(text, taken_later(map->view.a, map->view.b));
	} else if (map->cow) {
		put_fork(text, map);
	} else {
		put_one(text, map);
	}
	put_filter_line(text, &map->filter);
	put_filter_unknown(text, map->snap, &map->filter);
	put_totals(text, map);
}
