/* code.c - which code copied, made and wrote pages (code_blamed.h). */
#include <string.h>

#include "code_name.h"
#include "error.h"
#include "json.h"
#include "report.h"

#define CODE_ROOM(html, items, count, room, rc)                                                                        \
	REPORT_ROOM(html, (html)->code.items, (html)->code.count, (html)->code.room, rc)

static bool wanted(const struct vmsnap_html *html)
{
	return !(html->options.strip & VMSNAP_STRIP_FAULTS);
}

int code_note(struct vmsnap_html *html, const struct vmsnap *snap, struct vmsnap_error *err)
{
	int rc = VMSNAP_OK;
	if (!wanted(html))
		return VMSNAP_OK;
	const struct vmsnap **item = CODE_ROOM(html, now, now_count, now_room, &rc);
	if (!item)
		return work_fail(&html->work, rc, err);
	*item = vmsnap_ref(snap);
	return VMSNAP_OK;
}

/* ---- stacks ------------------------------------------------------------------------------ */

static uint32_t string_of(struct vmsnap_html *html, const char *text)
{
	return strings_add(&html->strings, text, strlen(text));
}

static void add_frame(struct vmsnap_html *html, const char *name, int *rc)
{
	uint32_t *frame = CODE_ROOM(html, frames, frame_count, frame_room, rc);
	if (frame)
		*frame = string_of(html, name);
}

static void add_remark(struct vmsnap_html *html, const struct vmsnap_faults *faults, const struct vmsnap_fault *fault,
                       int *rc)
{
	char text[80];
	const char *name = fault->syscall >= 0 ? vmsnap_faults_syscall_name(faults, fault->syscall) : "";
	snprintf(text, sizeof(text), *name ? "(inside %.48s)" : "(inside the kernel)", name);
	if (fault->syscall != -1)
		add_frame(html, text, rc);
}

/* What a function is called in its language those of any process tell. */
static struct vmsnap_names *names_of_any(const struct vmsnap_html *html)
{
	for (size_t i = 0; i < html->process_count; i++)
		if (html->processes[i].names)
			return html->processes[i].names;
	return NULL;
}

static void fill_stack(struct vmsnap_html *html, struct report_stack *stack, const struct vmsnap_faults *faults,
                       const struct vmsnap_fault *fault, int *rc)
{
	char name[CODE_NAME_MAX];
	size_t count;
	bool functions = !(html->options.strip & VMSNAP_STRIP_NAMES);
	const uint64_t *frames = vmsnap_faults_stack(faults, fault->stack, &count);
	const struct vmsnap_fault_code *code = vmsnap_faults_code_at(faults, (uint32_t)fault->pid, fault->ip);
	stack->first = (uint32_t)html->code.frame_count;
	stack->file = string_of(html, functions && code ? code->file : "");
	stack->line = functions && code ? code->line : 0;
	code_name(faults, fault->pid, fault->ip, functions, names_of_any(html), name);
	stack->function = string_of(html, name);
	add_remark(html, faults, fault, rc);
	if (!count)
		add_frame(html, name, rc);
	for (size_t i = 0; !*rc && i < count; i++) {
		code_name(faults, fault->pid, frames[i], functions, names_of_any(html), name);
		add_frame(html, name, rc);
	}
	stack->count = (uint32_t)html->code.frame_count - stack->first;
}

/* Faults of one object that have the same stack are neighbours often; else a stack may be there twice. */
static uint32_t stack_of(struct vmsnap_html *html, const struct vmsnap_faults *faults, const struct vmsnap_fault *fault,
                         int *rc)
{
	enum { LOOK = 64 };
	struct report_code *code = &html->code;
	uint32_t watched = (uint32_t)code->watched_count;
	size_t least = code->stack_count > LOOK ? code->stack_count - LOOK : 0;
	for (size_t i = code->stack_count; i-- > least;) {
		const struct report_stack *stack = &code->stacks[i];
		if (stack->faults == watched && stack->number == fault->stack && stack->syscall == fault->syscall)
			return CODE_STACKS + (uint32_t)i;
	}
	struct report_stack *stack = CODE_ROOM(html, stacks, stack_count, stack_room, rc);
	if (!stack)
		return CODE_UNSEEN;
	stack->faults = watched;
	stack->number = fault->stack;
	stack->syscall = fault->syscall;
	fill_stack(html, stack, faults, fault, rc);
	return CODE_STACKS + (uint32_t)code->stack_count - 1;
}

static uint32_t stack_of_range(struct vmsnap_html *html, const struct vmsnap_blame *blame,
                               const struct vmsnap_blamed *range, int *rc)
{
	const struct vmsnap_fault *first = range->count ? vmsnap_blame_fault(blame, range->first) : NULL;
	if (range->doubtful)
		return CODE_SEVERAL;
	for (size_t i = 0; i < range->count; i++) {
		const struct vmsnap_fault *fault = vmsnap_blame_fault(blame, range->first + i);
		if (fault->kind == VMSNAP_FAULT_UNKNOWN || fault->stack != first->stack ||
		    fault->syscall != first->syscall)
			return CODE_SEVERAL;
	}
	return first ? stack_of(html, vmsnap_blame_faults(blame), first, rc) : CODE_UNSEEN;
}

/* ---- pages ------------------------------------------------------------------------------- */

static int value_of(int became)
{
	switch (became) {
	case VMSNAP_BECAME_COPIED:
	case VMSNAP_BECAME_PRIVATISED:
		return CODE_COPIED;
	case VMSNAP_BECAME_NEW:
	case VMSNAP_BECAME_FILLED:
	case VMSNAP_BECAME_REPLACED:
		return CODE_NEW;
	case VMSNAP_BECAME_WRITTEN:
		return CODE_WRITTEN;
	default:
		return -1;
	}
}

static uint32_t process_of(const struct vmsnap_html *html, const struct vmsnap *snap)
{
	size_t i = 0;
	while (i + 1 < html->process_count && html->processes[i].last != snap)
		i++;
	return (uint32_t)i;
}

static void add_row(struct vmsnap_html *html, const struct report_blamed *row, int *rc)
{
	struct report_code *code = &html->code;
	struct report_blamed *last = code->blamed_count ? &code->blamed[code->blamed_count - 1] : NULL;
	if (last && last->instant == row->instant && last->process == row->process && last->value == row->value &&
	    last->stack == row->stack && last->page + last->pages == row->page) {
		last->pages += row->pages;
		return;
	}
	if (code->blamed_count == CODE_ROWS_MAX) {
		code->left_out += row->pages;
		return;
	}
	struct report_blamed *added = CODE_ROOM(html, blamed, blamed_count, blamed_room, rc);
	if (added)
		*added = *row;
}

static void add_range(struct vmsnap_html *html, const struct vmsnap_blame *blame, const struct vmsnap_blamed *range,
                      int *rc)
{
	uint64_t low = html->options.start, high = html->options.end ? html->options.end : UINT64_MAX;
	uint64_t start = range->start > low ? range->start : low, end = range->end < high ? range->end : high;
	int value = value_of(range->became);
	if (value < 0 || start >= end || range->inherited)
		return;
	const struct report_blamed row = { .instant = (uint32_t)html->instant_count - 1,
		                           .process = process_of(html, range->snap),
		                           .value = (uint32_t)value,
		                           .stack = stack_of_range(html, blame, range, rc),
		                           .page = start / html->page_size,
		                           .pages = (end - start) / html->page_size };
	if (!*rc)
		add_row(html, &row, rc);
}

static int add_blame(struct vmsnap_html *html, const struct vmsnap_blame *blame, struct vmsnap_error *err)
{
	const struct vmsnap_blamed *range;
	int rc = VMSNAP_OK;
	struct report_watched *watched = CODE_ROOM(html, watched, watched_count, watched_room, &rc);
	if (watched) {
		const struct vmsnap_faults_info *info = vmsnap_faults_info(vmsnap_blame_faults(blame));
		watched->instant = (uint32_t)html->instant_count - 1;
		watched->lost = info->lost;
		watched->faults = info->count;
	}
	for (size_t i = 0; !rc && (range = vmsnap_blame_at(blame, i)); i++) {
		add_range(html, blame, range, &rc);
		rc = rc ? rc : work_step(&html->work);
	}
	return rc ? work_fail(&html->work, rc, err) : VMSNAP_OK;
}

/* ---- instants ---------------------------------------------------------------------------- */

static int remember(struct vmsnap_html *html, const struct vmsnap *snap)
{
	struct report_code *code = &html->code;
	int rc = VMSNAP_OK;
	for (size_t i = 0; i < code->before_count; i++)
		if (vmsnap_same_process(code->before[i], snap)) {
			vmsnap_unref(code->before[i]);
			code->before[i] = snap;
			return VMSNAP_OK;
		}
	const struct vmsnap **item = CODE_ROOM(html, before, before_count, before_room, &rc);
	if (item)
		*item = snap;
	else
		vmsnap_unref(snap);
	return rc;
}

int code_end_instant(struct vmsnap_html *html, struct vmsnap_error *err)
{
	struct report_code *code = &html->code;
	const struct vmsnap_blame_options how = { .size = sizeof(how),
		                                  .cancelled = html->options.cancelled,
		                                  .cancel_ctx = html->options.cancel_ctx };
	struct vmsnap_blame *blame;
	int rc = vmsnap_blame_stored(code->before, code->before_count, code->now, code->now_count, &how, &blame, err);
	if (!rc) {
		rc = add_blame(html, blame, err);
		vmsnap_blame_free(blame);
	}
	if (rc && rc != VMSNAP_ERR_NOT_FOUND)
		return rc;
	rc = VMSNAP_OK;
	while (code->now_count) {
		int failed = remember(html, code->now[--code->now_count]);
		rc = rc ? rc : failed;
	}
	return rc ? work_fail(&html->work, rc, err) : VMSNAP_OK;
}

void code_free(struct vmsnap_html *html)
{
	struct report_code *code = &html->code;
	for (size_t i = 0; i < code->before_count; i++)
		vmsnap_unref(code->before[i]);
	for (size_t i = 0; i < code->now_count; i++)
		vmsnap_unref(code->now[i]);
	free(code->before);
	free(code->now);
	free(code->watched);
	free(code->blamed);
	free(code->stacks);
	free(code->frames);
}

/* ---- the data ---------------------------------------------------------------------------- */

static void write_stacks(const struct report_code *code, struct json *json)
{
	json_array(json, "stacks"); /* file, line, functions from the innermost on */
	for (size_t i = 0; i < code->stack_count; i++) {
		const struct report_stack *stack = &code->stacks[i];
		json_array(json, NULL);
		json_number(json, NULL, stack->file);
		json_number(json, NULL, stack->line);
		for (size_t k = 0; k < stack->count; k++)
			json_number(json, NULL, code->frames[stack->first + k]);
		json_end(json);
	}
	json_end(json);
}

void code_write(const struct vmsnap_html *html, struct json *json)
{
	const struct report_code *code = &html->code;
	if (!code->watched_count)
		return;
	json_object(json, "code");
	json_array(json, "watched"); /* instant, faults, lost plus 1 (0: some) */
	for (size_t i = 0; i < code->watched_count; i++) {
		json_number(json, NULL, code->watched[i].instant);
		json_number(json, NULL, code->watched[i].faults);
		json_number(json, NULL, code->watched[i].lost < CODE_LOST_MAX ? code->watched[i].lost + 1 : 0);
	}
	json_end(json);
	write_stacks(code, json);
	json_array(json, "blamed"); /* instant, process, page, pages, value, stack */
	for (size_t i = 0; i < code->blamed_count; i++) {
		const struct report_blamed *row = &code->blamed[i];
		json_number(json, NULL, row->instant);
		json_number(json, NULL, row->process);
		json_number(json, NULL, row->page);
		json_number(json, NULL, row->pages);
		json_number(json, NULL, row->value);
		json_number(json, NULL, row->stack);
	}
	json_end(json);
	json_number(json, "left_out", code->left_out);
	json_end(json);
}
