/* status.c - the lines of /proc/PID/status.  Knows the text; opens nothing.
 * Source: proc_pid_status(5). */
#include <string.h>

#include "error.h"
#include "status.h"

static void describe_value(struct vmsnap_status_field *field)
{
	struct cursor c = { field->text, field->text + field->text_len };
	uint64_t number;
	take_spaces(&c);
	if (!take_decimal(&c, &number))
		return;
	if (c.at == c.end) {
		field->is_number = true;
		field->number = number;
	} else if (c.end - c.at == 3 && memcmp(c.at, " kB", 3) == 0 && number <= UINT64_MAX / 1024) {
		field->is_size = true;
		field->number = number * 1024;
	}
}

struct cursor status_begin(const struct vmsnap *snap)
{
	return (struct cursor){ snap->status, snap->status + snap->status_len };
}

bool status_next(struct cursor *c, struct vmsnap_status_field *out)
{
	while (c->at < c->end) {
		struct cursor line = take_until(c, '\n');
		const char *colon = memchr(line.at, ':', (size_t)(line.end - line.at));
		if (!colon || colon == line.at)
			continue;
		const char *text = colon + 1;
		while (text < line.end && (*text == ' ' || *text == '\t'))
			text++;
		*out = (struct vmsnap_status_field){ .key = line.at,
			                             .key_len = (size_t)(colon - line.at),
			                             .text = text,
			                             .text_len = (size_t)(line.end - text) };
		describe_value(out);
		return true;
	}
	return false;
}

VMSNAP_API const char *vmsnap_status_text(const struct vmsnap *snap, size_t *len)
{
	if (len)
		*len = snap->status_len;
	return snap->status;
}

VMSNAP_API size_t vmsnap_status_count(const struct vmsnap *snap)
{
	struct cursor c = status_begin(snap);
	struct vmsnap_status_field field;
	size_t count = 0;
	while (status_next(&c, &field))
		count++;
	return count;
}

VMSNAP_API int vmsnap_status_field(const struct vmsnap *snap, size_t index, struct vmsnap_status_field *out)
{
	struct cursor c = status_begin(snap);
	struct vmsnap_status_field field;
	while (status_next(&c, &field)) {
		if (!index--) {
			*out = field;
			return VMSNAP_OK;
		}
	}
	return VMSNAP_ERR_NOT_FOUND;
}

VMSNAP_API int vmsnap_status_find(const struct vmsnap *snap, const char *key, struct vmsnap_status_field *out)
{
	struct cursor c = status_begin(snap);
	struct vmsnap_status_field field;
	size_t len = strlen(key);
	while (status_next(&c, &field)) {
		if (field.key_len == len && memcmp(field.key, key, len) == 0) {
			*out = field;
			return VMSNAP_OK;
		}
	}
	return VMSNAP_ERR_NOT_FOUND;
}
