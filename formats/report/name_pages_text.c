#include "name_pages_text.h"

#include <inttypes.h>
#include <string.h>

#include "name_text.h"

struct word word_pages(uint64_t start, uint64_t end, uint64_t page_size)
{
	struct word word = word_address(start);
	size_t len = strlen(word.text);
	if (end - start > page_size) {
		word.text[len++] = '-';
		memcpy(word.text + len, word_address(end).text, sizeof(word.text) - len);
	}
	return word;
}

void page_lines_init(struct page_lines *lines, struct text *text, size_t indent, unsigned flags)
{
	*lines = (struct page_lines){ .text = text, .indent = indent };
	lines->limit = flags & VMSNAP_PRINT_LONG ? SIZE_MAX : PAGE_LINES;
}

static void put_line(const struct page_lines *lines, uint64_t page_size, uint64_t start, uint64_t end,
                     const struct top_names *top)
{
	struct word where = word_pages(start, end, page_size);
	text_repeat(lines->text, ' ', lines->indent);
	text_string(lines->text, where.text);
	text_string(lines->text, "  ");
	top_names_put(top, lines->text, lines->indent + strlen(where.text) + 2);
	text_string(lines->text, "\n");
}

void page_lines_put(void *ctx, struct name_sweep *sweep, uint64_t start, uint64_t end)
{
	struct page_lines *lines = ctx;
	struct top_names top;
	size_t before = lines->groups++;
	if (!before) {
		lines->start = start;
		lines->end = end;
		name_sweep_top(sweep, &lines->first);
		return;
	}
	if (before == 1) {
		if (lines->begin)
			lines->begin(lines->ctx);
		put_line(lines, sweep->page_size, lines->start, lines->end, &lines->first);
	}
	if (before >= lines->limit || text_failed(lines->text)) {
		lines->left_out += end - start;
		return;
	}
	name_sweep_top(sweep, &top);
	put_line(lines, sweep->page_size, start, end, &top);
}

void page_lines_end(const struct page_lines *lines, uint64_t page_size)
{
	uint64_t pages = lines->left_out / page_size;
	if (!pages)
		return;
	text_repeat(lines->text, ' ', lines->indent);
	text_format(lines->text, "and %" PRIu64 " more page%s\n", pages, word_plural(pages));
}

int print_range_names(struct text *text, const struct naming *naming, uint64_t page_size, uint64_t start, uint64_t end,
                      unsigned flags, struct vmsnap_error *err)
{
	struct page_lines lines;
	struct name_sweep sweep;
	if (end - start <= page_size)
		return VMSNAP_OK;
	page_lines_init(&lines, text, 4, flags);
	name_sweep_init(&sweep, naming, &text->work, page_size, page_lines_put, &lines);
	int rc = name_sweep_add(&sweep, start, end, err);
	rc = rc ? rc : name_sweep_finish(&sweep, err);
	name_sweep_free(&sweep);
	if (!rc && lines.groups == 1 && (lines.start != start || lines.end != end))
		put_line(&lines, page_size, lines.start, lines.end, &lines.first);
	page_lines_end(&lines, page_size);
	return rc;
}
