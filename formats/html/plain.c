/* For browsers without scripts: a table of the instants, with what each process had, and the view by code. */
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "format_value.h"
#include "plain.h"

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
