/* smaps.c - /proc/PID/smaps: after each line of maps, lines "Key:  12 kB". */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "maps.h"
#include "scan.h"

enum { SMAPS_KEYS_MAX = 128 };

struct smaps_reader {
	struct vmsnap *snap;
	struct vmsnap_error *err;
	size_t room; /* of values and flags, in VMAs */
	size_t next_key;
};

/* Keys begin with a capital letter, addresses with a lower-case hex digit. */
static bool is_vma_line(const struct cursor *line)
{
	return line->at < line->end && hex_digit(*line->at) >= 0;
}

static bool is_flags(const struct cursor *name)
{
	return name->end - name->at == 7 && memcmp(name->at, "VmFlags", 7) == 0;
}

/* Every VMA has the same keys in the same order, so the next key is almost always
 * the one after the last. */
static size_t find_key(struct smaps_reader *r, const struct cursor *name)
{
	struct smaps *s = &r->snap->smaps;
	size_t len = (size_t)(name->end - name->at);
	for (size_t i = 0; i < s->key_count; i++) {
		size_t k = (r->next_key + i) % s->key_count;
		if (strlen(s->keys[k]) == len && memcmp(s->keys[k], name->at, len) == 0) {
			r->next_key = k + 1;
			return k;
		}
	}
	return SIZE_MAX;
}

/* A first pass: which keys there are at all.  They are the table's columns. */
static int collect_keys(struct smaps_reader *r, struct cursor c)
{
	struct smaps *s = &r->snap->smaps;
	while (c.at < c.end) {
		struct cursor line = take_until(&c, '\n');
		const char *colon = memchr(line.at, ':', (size_t)(line.end - line.at));
		if (is_vma_line(&line))
			r->next_key = 0;
		if (!colon || is_vma_line(&line) || is_flags(&(struct cursor){ line.at, colon }))
			continue;
		struct cursor name = { line.at, colon };
		if (find_key(r, &name) != SIZE_MAX)
			continue;
		if (s->key_count == SMAPS_KEYS_MAX)
			return fail(r->err, VMSNAP_ERR_PROC, "smaps has more than %d keys", SMAPS_KEYS_MAX);
		const char *key = arena_copy(&r->snap->strings, name.at, (size_t)(name.end - name.at));
		if (!key)
			return fail_no_memory(r->err);
		s->keys[s->key_count++] = key;
	}
	return VMSNAP_OK;
}

static int grow(struct smaps_reader *r, size_t vmas)
{
	struct smaps *s = &r->snap->smaps;
	if (vmas <= r->room)
		return VMSNAP_OK;
	size_t room = r->room ? r->room * 2 : 64;
	const char **flags = realloc(s->flags, room * sizeof(*flags));
	if (flags)
		s->flags = flags;
	uint64_t *values = realloc(s->values, room * (s->key_count + 1) * sizeof(*values));
	if (values)
		s->values = values;
	if (!flags || !values)
		return fail_no_memory(r->err);
	r->room = room;
	return VMSNAP_OK;
}

static int field_line(struct smaps_reader *r, struct cursor line, uint64_t lineno)
{
	struct smaps *s = &r->snap->smaps;
	size_t vma = r->snap->vma_count - 1;
	struct cursor name = take_until(&line, ':');
	take_spaces(&line);
	if (is_flags(&name)) {
		while (line.end > line.at && line.end[-1] == ' ')
			line.end--;
		s->flags[vma] = arena_copy(&r->snap->strings, line.at, (size_t)(line.end - line.at));
		return s->flags[vma] ? VMSNAP_OK : fail_no_memory(r->err);
	}
	size_t key = find_key(r, &name);
	uint64_t value;
	if (key == SIZE_MAX || !take_decimal(&line, &value))
		return fail_at(r->err, VMSNAP_ERR_PROC, lineno, "smaps line %" PRIu64 ": expected a number", lineno);
	take_spaces(&line);
	if (line.end - line.at == 2 && memcmp(line.at, "kB", 2) == 0)
		value = value > UINT64_MAX / 1024 - 1 ? UINT64_MAX - 1 : value * 1024;
	s->values[vma * s->key_count + key] = value;
	return VMSNAP_OK;
}

static int vma_line(struct smaps_reader *r, const struct cursor *line, uint64_t lineno)
{
	struct smaps *s = &r->snap->smaps;
	size_t before = r->snap->vma_count;
	int rc = maps_parse(line->at, (size_t)(line->end - line->at), r->snap, r->err);
	if (rc) {
		if (r->err)
			r->err->position = lineno;
		return rc;
	}
	if (r->snap->vma_count == before)
		return VMSNAP_OK;
	rc = grow(r, r->snap->vma_count);
	if (rc)
		return rc;
	s->flags[before] = "";
	for (size_t k = 0; k < s->key_count; k++)
		s->values[before * s->key_count + k] = UINT64_MAX;
	r->next_key = 0;
	return VMSNAP_OK;
}

int smaps_parse(const char *text, size_t len, struct vmsnap *snap, struct vmsnap_error *err)
{
	struct smaps_reader r = { .snap = snap, .err = err };
	struct cursor c = { text, text + len };
	snap->smaps.keys = calloc(SMAPS_KEYS_MAX, sizeof(*snap->smaps.keys));
	if (!snap->smaps.keys)
		return fail_no_memory(err);
	int rc = collect_keys(&r, c);
	for (uint64_t lineno = 1; !rc && c.at < c.end; lineno++) {
		struct cursor line = take_until(&c, '\n');
		if (is_vma_line(&line))
			rc = vma_line(&r, &line, lineno);
		else if (snap->vma_count)
			rc = field_line(&r, line, lineno);
	}
	return rc;
}
