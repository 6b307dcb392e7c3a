/* Names on pages that changed, and then, as far as there is room, of all variables, to be searched for. */
#include <string.h>

#include "error.h"
#include "report.h"

struct finding {
	struct vmsnap_html *html;
	struct vmsnap_names *names;
	uint32_t process;
	size_t found;
	int rc;
};

static bool keep_name(void *ctx, const struct vmsnap_name *name)
{
	struct finding *finding = ctx;
	struct vmsnap_html *html = finding->html;
	if (!name->symbol || name->kind == VMSNAP_NAME_MAPPING || name->kind == VMSNAP_NAME_FUNCTION)
		return true;
	if (html->name_count >= REPORT_NAMES_MAX || finding->found >= REPORT_NAMES_OF_RANGE) {
		html->names_left_out = true;
		return false;
	}
	const char *demangled = vmsnap_names_demangle(finding->names, name->symbol);
	const char *symbol = demangled ? demangled : name->symbol, *kind = vmsnap_name_kind_name(name->kind);
	struct report_name *item = REPORT_ROOM(html, html->names, html->name_count, html->name_room, &finding->rc);
	if (!item)
		return false;
	*item = (struct report_name){
		.address = name->address,
		.size = name->size,
		.symbol = strings_add(&html->strings, symbol, strlen(symbol)),
		.kind = strings_add(&html->strings, kind, strlen(kind)),
		.object = name->object ? strings_add(&html->strings, name->object, strlen(name->object)) : 0,
		.process = finding->process,
	};
	finding->found++;
	return true;
}

static int by_place(const void *x, const void *y, const void *ctx)
{
	const struct report_name *a = x, *b = y;
	(void)ctx;
	if (a->process != b->process)
		return a->process < b->process ? -1 : 1;
	if (a->address != b->address)
		return a->address < b->address ? -1 : 1;
	return a->symbol < b->symbol ? -1 : a->symbol > b->symbol;
}

void names_sort(struct vmsnap_html *html, int *rc)
{
	size_t kept = 0;
	*rc = work_sort(&html->work, html->names, html->name_count, sizeof(*html->names), by_place, NULL);
	for (size_t i = 0; !*rc && i < html->name_count; i++) {
		bool again = kept && !by_place(&html->names[kept - 1], &html->names[i], NULL);
		if (!again)
			html->names[kept++] = html->names[i];
	}
	html->name_count = *rc ? html->name_count : kept;
}

/* The same variables change again and again: what is there twice goes when there is no more room. */
int names_of_pages(struct vmsnap_html *html, struct report_process *process, uint64_t start, uint64_t end,
                   struct vmsnap_error *err)
{
	struct finding finding = { .html = html,
		                   .names = process->names,
		                   .process = (uint32_t)(process - html->processes) };
	if (!process->names)
		return VMSNAP_OK;
	if (html->name_count >= REPORT_NAMES_MAX)
		names_sort(html, &finding.rc);
	if (!finding.rc &&
	    vmsnap_names_in(process->names, start, end, keep_name, &finding, err) == VMSNAP_ERR_CANCELLED)
		return VMSNAP_ERR_CANCELLED;
	return finding.rc ? work_fail(&html->work, finding.rc, err) : VMSNAP_OK;
}

static bool is_child(const struct vmsnap_html *html, size_t process)
{
	for (size_t i = 0; i < html->fork_count; i++)
		if (html->forks[i].child == process)
			return true;
	return false;
}

/* Variables of a program or library: a mapping of its file, and what lies right behind it (.bss). */
static int names_of_variables(struct vmsnap_html *html, struct report_process *process, struct vmsnap_error *err)
{
	size_t count = vmsnap_vma_count(process->last);
	uint64_t end = 0; /* of the last mapping of a file */
	int rc = VMSNAP_OK;
	for (size_t i = 0; !rc && i < count; i++) {
		const struct vmsnap_vma *vma = vmsnap_vma(process->last, i);
		bool here = !html->options.end || (vma->start < html->options.end && vma->end > html->options.start);
		bool of_file = vma->inode || vma->start == end;
		end = of_file ? vma->end : end;
		if (here && of_file && vma->perms & VMSNAP_PERM_WRITE && !(vma->perms & VMSNAP_PERM_SHARED))
			rc = names_of_pages(html, process, vma->start, vma->end, err);
	}
	return rc;
}

int names_to_search(struct vmsnap_html *html, struct vmsnap_error *err)
{
	int rc = VMSNAP_OK;
	for (size_t i = 0; !rc && i < html->process_count; i++)
		if (!is_child(html, i))
			rc = names_of_variables(html, &html->processes[i], err);
	return rc;
}
