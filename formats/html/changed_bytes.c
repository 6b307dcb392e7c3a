/* What pages held before and hold now, from one instant to the next: the bytes that differ, and what variables they
 * are. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "report.h"
#include "value_text.h"

/* Equal bytes between two that differ are kept with them, if they are so few: a record takes as much. */
enum { CHANGED_GAP = 8 };
_Static_assert((int)REPORT_BYTES_MAX <= (int)SPILL_MEMORY, "what pages held never goes to a temporary file");

struct comparing {
	struct vmsnap_html *html;
	const struct vmsnap *a, *b;
	uint32_t process;
	uint8_t *before, *now; /* a page */
};

static size_t changed_end(const uint8_t *before, const uint8_t *now, size_t from, size_t size)
{
	size_t end = from;
	for (size_t i = from; i < size && i < end + CHANGED_GAP; i++)
		if (before[i] != now[i])
			end = i + 1;
	return end;
}

static void keep_bytes(struct comparing *comparing, uint64_t page, size_t from, size_t len)
{
	struct vmsnap_html *html = comparing->html;
	struct spill *bytes = &html->bytes;
	enum { NUMBERS_MAX = 5 * 10 };
	if (bytes->size + 2 * len + NUMBERS_MAX > REPORT_BYTES_MAX) {
		html->bytes_left_out += len;
		return;
	}
	spill_varint(bytes, comparing->process);
	spill_varint(bytes, html->instant_count - 1);
	spill_varint(bytes, page);
	spill_varint(bytes, from);
	spill_varint(bytes, len);
	spill_put(bytes, comparing->before + from, len);
	spill_put(bytes, comparing->now + from, len);
}

static void compare_page(struct comparing *comparing, uint64_t address)
{
	size_t size = comparing->html->page_size, got_before, got_now;
	if (vmsnap_contents_read(comparing->a, address, comparing->before, size, &got_before, NULL) ||
	    vmsnap_contents_read(comparing->b, address, comparing->now, size, &got_now, NULL) || got_before < size ||
	    got_now < size)
		return;
	for (size_t i = 0, end; i < size; i = end) {
		for (; i < size && comparing->before[i] == comparing->now[i]; i++)
			;
		end = changed_end(comparing->before, comparing->now, i, size);
		if (end > i)
			keep_bytes(comparing, address / size, i, end - i);
	}
}

static int compare_pages(struct comparing *comparing)
{
	struct vmsnap_html *html = comparing->html;
	uint64_t limit = html->options.end ? html->options.end : UINT64_MAX, end;
	bool differs;
	for (uint64_t from = html->options.start, start; from < limit; from = end) {
		if (vmsnap_contents_compare(comparing->a, comparing->b, from, &start, &end, &differs) || start >= limit)
			break;
		for (uint64_t at = start; differs && at < limit && at != end; at += html->page_size) {
			compare_page(comparing, at);
			int rc = html->bytes.failed ? html->bytes.failed : work_step(&html->work);
			if (rc)
				return rc;
		}
		if (!end)
			break;
	}
	return VMSNAP_OK;
}

static int add_bytes(struct comparing *comparing)
{
	struct vmsnap_html *html = comparing->html;
	int rc = VMSNAP_OK;
	comparing->before = work_array(&html->work, 2, html->page_size, &rc);
	if (rc)
		return rc;
	comparing->now = comparing->before + html->page_size;
	rc = compare_pages(comparing);
	work_free(&html->work, comparing->before, 2, html->page_size);
	return rc;
}

/* ---- variables -------------------------------------------------------------------------- */

static uint32_t words_of_value(struct vmsnap_html *html, const struct vmsnap_value *value)
{
	struct value_words words = value_words_of(value);
	return strings_add(&html->strings, words.text, words.len);
}

/* "answer[3]", "count in main()", "seed in thread 4712". */
static uint32_t name_of_value(struct vmsnap_html *html, const struct vmsnap *snap,
                              const struct vmsnap_value_change *change)
{
	char *text = NULL, thread[32] = "";
	bool local = change->function && *change->function;
	if (change->tid && (!local || change->tid != vmsnap_info(snap)->pid))
		snprintf(thread, sizeof(thread), local ? " of thread %u" : " in thread %u", change->tid);
	int len = asprintf(&text, "%s%s%s%s%s%s", change->symbol, change->path, local ? " in " : "",
	                   local ? change->function : "", local ? "()" : "", thread);
	uint32_t string = len < 0 ? 0 : strings_add(&html->strings, text, (size_t)len);
	free(text);
	return string;
}

static uint32_t text_of_value(struct vmsnap_html *html, const char *text)
{
	return text ? strings_add(&html->strings, text, strlen(text)) : 0;
}

static int keep_value(struct comparing *comparing, const struct vmsnap_value_change *change)
{
	struct vmsnap_html *html = comparing->html;
	uint64_t end = html->options.end ? html->options.end : UINT64_MAX;
	int rc = VMSNAP_OK;
	if (change->address < html->options.start || change->address >= end)
		return rc;
	html->values_left_out += change->more;
	if (html->value_count >= REPORT_VALUES_MAX) {
		html->values_left_out++;
		return rc;
	}
	struct report_value *value = REPORT_ROOM(html, html->values, html->value_count, html->value_room, &rc);
	if (value)
		*value = (struct report_value){ .process = comparing->process,
			                        .instant = (uint32_t)html->instant_count - 1,
			                        .address = change->address,
			                        .size = change->size,
			                        .name = name_of_value(html, comparing->b, change),
			                        .type = text_of_value(html, change->type),
			                        .object = text_of_value(html, change->object),
			                        .before = words_of_value(html, &change->before),
			                        .now = words_of_value(html, &change->after) };
	return rc ? rc : html->strings.failed;
}

static int add_values(struct comparing *comparing, struct vmsnap_names *names, struct vmsnap_error *err)
{
	struct vmsnap_html *html = comparing->html;
	struct vmsnap_value_options options = { .size = sizeof(options),
		                                .names = names,
		                                .cancelled = html->options.cancelled,
		                                .cancel_ctx = html->options.cancel_ctx,
		                                .each_most = 64 };
	struct vmsnap_value_diff *diff;
	struct vmsnap_value_change change;
	int rc = vmsnap_value_diff_new(comparing->a, comparing->b, &options, &diff, err);
	if (rc == VMSNAP_ERR_CANCELLED || rc == VMSNAP_ERR_NO_MEMORY)
		return rc;
	if (rc)
		return VMSNAP_OK; /* bytes without names are better than no page */
	for (size_t i = 0; !rc && !vmsnap_value_change(diff, i, &change); i++)
		rc = keep_value(comparing, &change);
	vmsnap_value_diff_free(diff);
	return rc ? work_fail(&html->work, rc, err) : VMSNAP_OK;
}

int changed_bytes_add(struct vmsnap_html *html, struct report_process *process, const struct vmsnap *snap,
                      struct vmsnap_error *err)
{
	struct comparing comparing = {
		.html = html, .a = process->last, .b = snap, .process = (uint32_t)(process - html->processes)
	};
	bool wanted = html->options.contents && !(html->options.strip & VMSNAP_STRIP_CONTENTS);
	if (!wanted || vmsnap_contents_kind(comparing.a) != VMSNAP_CONTENTS_BYTES ||
	    vmsnap_contents_kind(snap) != VMSNAP_CONTENTS_BYTES)
		return VMSNAP_OK;
	int rc = VMSNAP_OK;
	struct report_place *step = REPORT_ROOM(html, html->compared, html->compared_count, html->compared_room, &rc);
	if (step)
		*step = (struct report_place){ (uint32_t)html->instant_count - 1, comparing.process, 0, 0 };
	rc = rc ? rc : add_bytes(&comparing);
	if (rc)
		return work_fail(&html->work, rc, err);
	return process->names ? add_values(&comparing, process->names, err) : VMSNAP_OK;
}
