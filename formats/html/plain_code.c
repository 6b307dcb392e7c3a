/* For browsers without scripts: which functions copied, made and wrote pages, over all snapshots. */
#include <string.h>

#include "format_value.h"
#include "plain.h"

enum { ROWS_SHOWN = 200, VALUES = CODE_WRITTEN + 1 };
#define UNSEEN  UINT32_MAX /* in place of a function */
#define SEVERAL (UINT32_MAX - 1)

/* What had the fault, or called the kernel: then where in that it was stands before it. */
struct function {
	uint32_t name, file, line;
	uint32_t remark; /* a string plus 1; 0: none */
	uint64_t pages[VALUES];
};

static uint64_t total(const struct function *function)
{
	return function->pages[CODE_COPIED] + function->pages[CODE_NEW] + function->pages[CODE_WRITTEN];
}

static bool is_seen(const struct function *function)
{
	return function->name != UNSEEN && function->name != SEVERAL;
}

static int by_name(const void *x, const void *y, const void *ctx)
{
	const struct function *a = x, *b = y;
	(void)ctx;
	if (a->name != b->name)
		return a->name < b->name ? -1 : 1;
	if (a->file != b->file)
		return a->file < b->file ? -1 : 1;
	return (a->remark > b->remark) - (a->remark < b->remark);
}

/* Most first; what is of no function last. */
static int by_total(const void *x, const void *y, const void *ctx)
{
	const struct function *a = x, *b = y;
	(void)ctx;
	if (is_seen(a) != is_seen(b))
		return is_seen(a) ? -1 : 1;
	return (total(a) < total(b)) - (total(a) > total(b));
}

static struct function function_of(const struct report_code *code, size_t number)
{
	if (number < CODE_STACKS)
		return (struct function){ .name = number == CODE_UNSEEN ? UNSEEN : SEVERAL };
	const struct report_stack *stack = &code->stacks[number - CODE_STACKS];
	return (struct function){ .name = stack->function,
		                  .file = stack->file,
		                  .line = stack->line,
		                  .remark = stack->syscall != -1 ? code->frames[stack->first] + 1 : 0 };
}

/* One row a function of those that its stacks have; returns how many there are. */
static size_t join(struct function *functions, size_t count)
{
	size_t kept = 0;
	for (size_t i = 0; i < count; i++) {
		struct function *last = kept ? &functions[kept - 1] : NULL;
		if (last && !by_name(last, &functions[i], NULL)) {
			last->line = last->line == functions[i].line ? last->line : 0;
			for (int value = 0; value < VALUES; value++)
				last->pages[value] += functions[i].pages[value];
		} else if (total(&functions[i])) {
			functions[kept++] = functions[i];
		}
	}
	return kept;
}

static int gather(const struct report_code *code, struct function *functions, size_t *count, struct work *work)
{
	for (size_t i = 0; i < *count; i++)
		functions[i] = function_of(code, i);
	for (size_t i = 0; i < code->blamed_count; i++)
		functions[code->blamed[i].stack].pages[code->blamed[i].value] += code->blamed[i].pages;
	int rc = work_sort(work, functions, *count, sizeof(*functions), by_name, NULL);
	*count = rc ? 0 : join(functions, *count);
	return rc ? rc : work_sort(work, functions, *count, sizeof(*functions), by_total, NULL);
}

static void put_size(struct text *text, const struct vmsnap_html *html, const struct vmsnap_style *style,
                     uint64_t pages)
{
	text_format(text, "<td>%s</td>", pages ? word_size(style, pages * html->page_size).text : "");
}

/* " (set.c:7)" */
static void put_source(struct text *text, const struct string *file, uint32_t line)
{
	uint32_t begin = file->len;
	while (begin && file->bytes[begin - 1] != '/')
		begin--;
	if (begin == file->len)
		return;
	text_string(text, " (");
	plain_put_text(text, &(struct string){ .bytes = file->bytes + begin, .len = file->len - begin });
	text_format(text, line ? ":%u)" : ")", (unsigned)line);
}

static void put_function(struct text *text, const struct vmsnap_html *html, const struct function *function)
{
	if (function->name == UNSEEN)
		text_string(text, "(the kernel, or unseen)");
	if (function->name == SEVERAL)
		text_string(text, "(one of several)");
	if (!is_seen(function))
		return;
	if (function->remark) {
		plain_put_string(text, html, function->remark - 1);
		text_string(text, " ");
	}
	plain_put_string(text, html, function->name);
	put_source(text, &html->strings.items[function->file], function->line);
}

static void put_table(struct text *text, const struct vmsnap_html *html, const struct vmsnap_style *style,
                      const struct function *functions, size_t count)
{
	size_t shown = count < ROWS_SHOWN ? count : ROWS_SHOWN;
	text_string(text, "\n<p>Which code copied, made and wrote pages:</p>\n<table><tr><th>Copied</th><th>New</th>"
	                  "<th>Written</th><th>Function</th></tr>\n");
	for (size_t i = 0; i < shown; i++) {
		text_string(text, "<tr>");
		for (int value = 0; value < VALUES; value++)
			put_size(text, html, style, functions[i].pages[value]);
		text_string(text, "<td>");
		put_function(text, html, &functions[i]);
		text_string(text, "</td></tr>\n");
	}
	text_string(text, "</table>");
	if (count > shown)
		text_format(text, "\n<p>and %zu more</p>", count - shown);
}

int plain_code(struct text *text, const struct vmsnap_html *html, const struct vmsnap_style *style,
               struct vmsnap_error *err)
{
	struct work work = html->work;
	int rc = VMSNAP_OK;
	size_t room = html->code.stack_count + CODE_STACKS, count = room;
	if (!html->code.watched_count)
		return VMSNAP_OK;
	struct function *functions = work_array(&work, room, sizeof(*functions), &rc);
	rc = rc ? rc : gather(&html->code, functions, &count, &work);
	if (!rc && count)
		put_table(text, html, style, functions, count);
	work_free(&work, functions, room, sizeof(*functions));
	return rc ? work_fail(&work, rc, err) : VMSNAP_OK;
}
