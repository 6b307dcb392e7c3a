/* For browsers without scripts: a table of the instants, with what each process had, and the view by code. */
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "escape.h"
#include "format_value.h"
#include "plain.h"

enum { SHOWN_MAX = 200 }; /* of a label, in a table with a row for each snapshot */

/* Names come from the target: nothing they hold becomes markup. */
void plain_put_text(struct text *text, const struct string *string)
{
	struct escaped one;
	const char *bytes = string->bytes;
	size_t left = string->len < SHOWN_MAX ? string->len : SHOWN_MAX;
	for (; left && !text_failed(text); bytes += one.used, left -= one.used) {
		escape_one(bytes, left, 0, &one);
		for (size_t i = 0; i < one.len; i++) {
			char c = one.text[i];
			if (c == '<' || c == '>' || c == '&' || c == '"' || c == '\'')
				text_format(text, "&#%d;", c);
			else
				text_put(text, &c, 1);
		}
	}
}

void plain_put_string(struct text *text, const struct vmsnap_html *html, uint32_t string)
{
	plain_put_text(text, &html->strings.items[string]);
}

static void put_value(struct text *text, const struct vmsnap_html *html, const struct report_process *process,
                      const char *key, uint32_t instant)
{
	text_string(text, "<td>");
	for (size_t i = 0; i < process->status_count; i++) {
		const struct report_status *status = &process->status[i];
		const struct string *name = &html->strings.items[status->key];
		bool wanted = name->len == strlen(key) && !memcmp(name->bytes, key, name->len);
		if (wanted && instant < status->room && status->values[instant])
			plain_put_string(text, html, status->values[instant] - 1);
	}
	text_string(text, "</td>");
}

static void put_row(struct text *text, const struct vmsnap_html *html, const struct report_place *place)
{
	const struct report_process *process = &html->processes[place->process];
	const char *comm = vmsnap_info(process->last)->comm;
	text_format(text, "<tr><td>%llu</td><td>", (unsigned long long)place->number);
	plain_put_string(text, html, html->instants[place->instant].label);
	text_format(text, "</td><td>%u ", vmsnap_info(process->last)->pid);
	plain_put_text(text, &(struct string){ .bytes = (char *)(uintptr_t)comm, .len = (uint32_t)strlen(comm) });
	text_string(text, "</td>");
	put_value(text, html, process, "VmRSS", place->instant);
	put_value(text, html, process, "VmSwap", place->instant);
	text_string(text, "</tr>\n");
}

int plain_write(const struct vmsnap_html *html, vmsnap_write_fn write, void *ctx, struct vmsnap_error *err)
{
	struct vmsnap_output out = {
		.size = sizeof(out), .write = write, .ctx = ctx, .style = { .size = sizeof(out.style), .unicode = true }
	};
	struct text text;
	int rc = text_open(&text, &out, err);
	if (rc)
		return rc;
	text_string(&text, "<p>This page draws with scripts, which are off. In short:</p>\n<table><tr><th>Number</th>"
	                   "<th>Label</th><th>Process</th><th>VmRSS</th><th>VmSwap</th></tr>\n");
	for (size_t i = 0; i < html->place_count; i++)
		put_row(&text, html, &html->places[i]);
	text_string(&text, "</table>");
	rc = plain_code(&text, html, &out.style, err);
	int failed = text_close(&text, rc ? NULL : err);
	return rc ? rc : failed;
}
