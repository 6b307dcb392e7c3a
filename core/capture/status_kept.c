#include "status_kept.h"

#include <string.h>

#include "scan.h"

/* A line of status with its newline; empty if there is none. */
static struct cursor status_line(const struct proc_text *status, const char *key)
{
	struct cursor c = { status->text, status->text + status->len };
	while (c.at < c.end) {
		const char *start = c.at;
		take_until(&c, '\n');
		if ((size_t)(c.at - start) > strlen(key) && memcmp(start, key, strlen(key)) == 0)
			return (struct cursor){ start, c.at };
	}
	return (struct cursor){ c.end, c.end };
}

/* Our own freeze shows in two lines: they are kept as they were right before it. */
enum { OUR_LINES = 2 };
static const char *const our_lines[OUR_LINES] = { "State:", "TracerPid:" };

int status_keep(struct vmsnap *snap, const struct proc_text *now, const struct proc_text *before)
{
	if (!before) {
		snap->status = arena_copy(&snap->strings, now->text, now->len);
		snap->status_len = now->len;
		return snap->status ? VMSNAP_OK : VMSNAP_ERR_NO_MEMORY;
	}
	size_t room = now->len + 1;
	for (size_t i = 0; i < OUR_LINES; i++) {
		struct cursor line = status_line(before, our_lines[i]);
		room += (size_t)(line.end - line.at);
	}
	char *out = arena_alloc(&snap->strings, room);
	if (!out)
		return VMSNAP_ERR_NO_MEMORY;
	const char *from = now->text, *end = from + now->len;
	size_t len = 0;
	for (size_t i = 0; i < OUR_LINES; i++) {
		struct cursor ours = status_line(now, our_lines[i]);
		struct cursor line = status_line(before, our_lines[i]);
		if (ours.at == ours.end || line.at == line.end || ours.at < from)
			continue;
		memcpy(out + len, from, (size_t)(ours.at - from));
		len += (size_t)(ours.at - from);
		memcpy(out + len, line.at, (size_t)(line.end - line.at));
		len += (size_t)(line.end - line.at);
		from = ours.end;
	}
	if (end > from)
		memcpy(out + len, from, (size_t)(end - from));
	len += (size_t)(end - from);
	out[len] = '\0';
	snap->status = out;
	snap->status_len = len;
	return VMSNAP_OK;
}
