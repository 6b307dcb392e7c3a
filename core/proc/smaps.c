/* smaps.c - /proc/PID/smaps: after each line of maps, lines "Key:  12 kB". */
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "maps.h"
#include "scan.h"

enum { SMAPS_KEYS_MAX = 128 };
/* A kernel writes each key below each mapping, in a line of 20 bytes or more.  Who writes all keys below one mapping
 * and then nothing but mappings, through a debugger's remote target for example, would have a table made that is a
 * hundred times the text: so much of it there is only if the text is large, too. */
enum { SMAPS_BYTES_PER_CELL = 8, SMAPS_CELLS_FREE = 1 << 16 };

struct smaps_reader {
	struct vmsnap *snap;
	struct vmsnap_error *err;
	size_t room; /* of values, texts and flags, in VMAs */
	size_t next_key;
	size_t cells_most;
	bool in_vma; /* the lines are those of the last VMA; false: of one that is left out */
};

/* "Key:  value", or a line that is something else: all of it is the name then, and the value
 * empty.  Android's kernels write "Name:  [anon:...]", riscv64's "VmFlags:" without a flag. */
struct field {
	struct cursor name, value;
};

static struct field field_of(struct cursor line)
{
	/* Names are kept as strings. */
	const char *nul = memchr(line.at, '\0', (size_t)(line.end - line.at));
	line.end = nul ? nul : line.end;
	const char *colon = memchr(line.at, ':', (size_t)(line.end - line.at));
	if (!colon || colon == line.at)
		return (struct field){ line, { line.end, line.end } };
	struct cursor value = { colon + 1, line.end };
	take_spaces(&value);
	while (value.end > value.at && value.end[-1] == ' ')
		value.end--;
	return (struct field){ { line.at, colon }, value };
}

/* Whatever a key may be: only a mapping begins with two addresses, "7f00-7f10 ". */
static bool is_vma_line(const struct cursor *line)
{
	struct cursor c = *line;
	uint64_t start, end;
	return take_hex(&c, &start) && take_char(&c, '-') && take_hex(&c, &end) && take_char(&c, ' ');
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

/* A first pass: which keys there are at all.  They are the table's columns; those that are too
 * many are left out, as no kernel writes them. */
static int collect_keys(struct smaps_reader *r, struct cursor c)
{
	struct smaps *s = &r->snap->smaps;
	while (c.at < c.end && s->key_count < SMAPS_KEYS_MAX) {
		struct cursor line = take_until(&c, '\n');
		if (is_vma_line(&line)) {
			r->next_key = 0;
			continue;
		}
		struct cursor name = field_of(line).name;
		if (name.at == name.end || is_flags(&name) || find_key(r, &name) != SIZE_MAX)
			continue;
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
	size_t room = r->room ? r->room * 2 : 64, cells = room * (s->key_count + 1);
	const char **flags = realloc(s->flags, room * sizeof(*flags));
	if (flags)
		s->flags = flags;
	uint64_t *values = realloc(s->values, cells * sizeof(*values));
	if (values)
		s->values = values;
	const char **texts = s->texts ? realloc(s->texts, cells * sizeof(*texts)) : NULL;
	if (texts)
		s->texts = texts;
	if (!flags || !values || !texts != !s->texts)
		return fail_no_memory(r->err);
	r->room = room;
	return VMSNAP_OK;
}

/* A number, or a size in kB, and nothing after it. */
static bool take_value(struct cursor value, uint64_t *out)
{
	if (!take_decimal(&value, out))
		return false;
	take_spaces(&value);
	if (value.end - value.at == 2 && memcmp(value.at, "kB", 2) == 0) {
		value.at = value.end;
		if (*out > (UINT64_MAX - 1) / 1024)
			return false;
		*out *= 1024;
	}
	return value.at == value.end && *out != UINT64_MAX;
}

/* Few have any: room is made for them when the first one comes. */
static int keep_text(struct smaps_reader *r, size_t cell, const struct cursor *value)
{
	struct smaps *s = &r->snap->smaps;
	if (!s->texts)
		s->texts = calloc(r->room * (s->key_count + 1), sizeof(*s->texts));
	if (!s->texts)
		return fail_no_memory(r->err);
	s->texts[cell] = arena_copy(&r->snap->strings, value->at, (size_t)(value->end - value->at));
	return s->texts[cell] ? VMSNAP_OK : fail_no_memory(r->err);
}

static int keep_flags(struct smaps_reader *r, const struct cursor *value)
{
	const char *flags = arena_copy(&r->snap->strings, value->at, (size_t)(value->end - value->at));
	r->snap->smaps.flags[r->snap->vma_count - 1] = flags;
	return flags ? VMSNAP_OK : fail_no_memory(r->err);
}

/* Of lines with one key the last one counts. */
static int field_line(struct smaps_reader *r, struct cursor line)
{
	struct smaps *s = &r->snap->smaps;
	struct field field = field_of(line);
	if (is_flags(&field.name))
		return keep_flags(r, &field.value);
	size_t key = find_key(r, &field.name);
	if (key == SIZE_MAX)
		return VMSNAP_OK;
	size_t cell = (r->snap->vma_count - 1) * s->key_count + key;
	uint64_t value;
	if (!take_value(field.value, &value)) {
		s->values[cell] = UINT64_MAX;
		return keep_text(r, cell, &field.value);
	}
	s->values[cell] = value;
	if (s->texts)
		s->texts[cell] = NULL;
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
	r->in_vma = r->snap->vma_count != before;
	if (!r->in_vma)
		return VMSNAP_OK;
	if (s->key_count && r->snap->vma_count > r->cells_most / s->key_count)
		return fail(r->err, VMSNAP_ERR_PROC, "smaps has mappings without the lines that others have");
	rc = grow(r, r->snap->vma_count);
	if (rc)
		return rc;
	s->flags[before] = "";
	for (size_t k = 0; k < s->key_count; k++)
		s->values[before * s->key_count + k] = UINT64_MAX;
	if (s->texts && s->key_count)
		memset(&s->texts[before * s->key_count], 0, s->key_count * sizeof(*s->texts));
	r->next_key = 0;
	return VMSNAP_OK;
}

int smaps_parse(const char *text, size_t len, struct vmsnap *snap, struct vmsnap_error *err)
{
	struct smaps_reader r = { .snap = snap,
		                  .err = err,
		                  .cells_most = SMAPS_CELLS_FREE + len / SMAPS_BYTES_PER_CELL };
	struct cursor c = { text, text + len };
	snap->smaps.keys = calloc(SMAPS_KEYS_MAX, sizeof(*snap->smaps.keys));
	if (!snap->smaps.keys)
		return fail_no_memory(err);
	int rc = collect_keys(&r, c);
	for (uint64_t lineno = 1; !rc && c.at < c.end; lineno++) {
		struct cursor line = take_until(&c, '\n');
		if (is_vma_line(&line))
			rc = vma_line(&r, &line, lineno);
		else if (r.in_vma)
			rc = field_line(&r, line);
	}
	return rc;
}
