/* name_pages_text.h - names page by page, as lines of text below the line that told
 * the best of all. */
#ifndef VMSNAP_NAME_PAGES_TEXT_H
#define VMSNAP_NAME_PAGES_TEXT_H

#include "format_value.h"
#include "name_sweep.h"
#include "text_out.h"

/* "555555559000" or "555555559000-55555555c000" */
struct word word_pages(uint64_t start, uint64_t end, uint64_t page_size);

/* A list: a line for each group of neighbouring pages with the same names.  A list of
 * one group need not be one: the first line waits until there is a second, and only
 * then `begin` is called, which writes what stands above. */
enum { PAGE_LINES = 8 }; /* if not asked for all */
struct page_lines {
	struct text *text;
	size_t indent, limit; /* limit: how many lines */
	void (*begin)(void *ctx);
	void *ctx;
	size_t groups;
	uint64_t start, end;    /* the first group */
	struct top_names first; /* its names */
	uint64_t left_out;      /* bytes */
};
/* flags: enum vmsnap_print_flag */
void page_lines_init(struct page_lines *lines, struct text *text, size_t indent, unsigned flags);
void page_lines_put(void *ctx, struct name_sweep *sweep, uint64_t start, uint64_t end); /* a name_sweep_fn */
/* "and 12 more pages", if there are any. */
void page_lines_end(const struct page_lines *lines, uint64_t page_size);

/* Lines for one range, of which the line above told the best names: nothing if these lie
 * on all of its pages. */
int print_range_names(struct text *text, const struct naming *naming, uint64_t page_size, uint64_t start, uint64_t end,
                      unsigned flags, struct vmsnap_error *err);

#endif
