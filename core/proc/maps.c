#include "maps.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "array.h"
#include "error.h"
#include "scan.h"

static int fail_line(struct vmsnap_error *err, uint64_t lineno, const char *expected, const struct cursor *c)
{
	size_t len = (size_t)(c->end - c->at);
	return fail_at(err, VMSNAP_ERR_PROC, lineno, "maps line %" PRIu64 ": expected %s, got \"%.*s\"", lineno,
	               expected, (int)(len < 20 ? len : 20), c->at);
}

/* An empty one too: Linux 2.6 was seen to tell of mappings without a byte. */
static bool take_range(struct cursor *c, struct address_range *out)
{
	return take_hex(c, &out->start) && take_char(c, '-') && take_hex(c, &out->end) && out->start <= out->end;
}

/* rwxp or rwxs, '-' for what is not allowed. */
static bool take_perms(struct cursor *c, uint32_t *out)
{
	static const struct {
		char letter, other;
		uint32_t bit;
	} places[] = {
		{ 'r', '-', VMSNAP_PERM_READ },
		{ 'w', '-', VMSNAP_PERM_WRITE },
		{ 'x', '-', VMSNAP_PERM_EXEC },
		{ 's', 'p', VMSNAP_PERM_SHARED },
	};
	*out = 0;
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		if (take_char(c, places[i].letter))
			*out |= places[i].bit;
		else if (!take_char(c, places[i].other))
			return false;
	}
	return true;
}

/* The kernel writes a newline in a name as \012, and nothing else: a real
 * backslash stands for itself, so "\012" in a file's name cannot be told apart. */
static const char *copy_name(struct arena *strings, const char *name, size_t len)
{
	char *copy = arena_copy(strings, name, len);
	if (!copy || !memchr(copy, '\\', len))
		return copy;
	size_t to = 0;
	for (size_t from = 0; from < len; to++) {
		bool newline = len - from >= 4 && memcmp(copy + from, "\\012", 4) == 0;
		copy[to] = newline ? '\n' : copy[from];
		from += newline ? 4 : 1;
	}
	copy[to] = '\0';
	return copy;
}

int maps_parse_line(const char *line, size_t len, uint64_t lineno, uint64_t page_size, struct arena *strings,
                    struct vmsnap_vma *out, struct vmsnap_error *err)
{
	struct cursor c = { line, line + len };
	struct address_range range;
	struct vmsnap_vma vma = { 0 };
	uint64_t major, minor;
	if (!take_range(&c, &range) || !take_char(&c, ' '))
		return fail_line(err, lineno, "START-END", &c);
	vma.start = range.start;
	vma.end = range.end;
	if (!take_perms(&c, &vma.perms) || !take_char(&c, ' '))
		return fail_line(err, lineno, "permissions", &c);
	if (!take_hex(&c, &vma.offset) || !take_char(&c, ' '))
		return fail_line(err, lineno, "an offset", &c);
	if (!take_hex(&c, &major) || !take_char(&c, ':') || !take_hex(&c, &minor) || !take_char(&c, ' ') ||
	    major > UINT32_MAX || minor > UINT32_MAX)
		return fail_line(err, lineno, "MAJOR:MINOR", &c);
	if (!take_decimal(&c, &vma.inode))
		return fail_line(err, lineno, "an inode", &c);
	if ((vma.start | vma.end | vma.offset) & (page_size - 1))
		return fail_at(err, VMSNAP_ERR_PROC, lineno, "maps line %" PRIu64 ": not a multiple of the page size",
		               lineno);
	vma.dev_major = (uint32_t)major;
	vma.dev_minor = (uint32_t)minor;
	/* The kernel pads with spaces; a name never begins with one: it is a path, a
	 * bracketed word or empty. */
	while (c.at < c.end && *c.at == ' ')
		c.at++;
	vma.name = copy_name(strings, c.at, (size_t)(c.end - c.at));
	if (!vma.name)
		return fail_no_memory(err);
	bool file = vma_has_file(vma.inode, vma.dev_major, vma.dev_minor);
	vma.deleted = vma_named_deleted(file, vma.name, strlen(vma.name));
	*out = vma;
	return VMSNAP_OK;
}

static int add_vma(struct vmsnap *snap, size_t *room, const struct cursor *line, uint64_t lineno,
                   struct vmsnap_error *err)
{
	if (snap->vma_count == *room) {
		size_t more = *room ? *room * 2 : 64;
		struct vmsnap_vma *vmas = realloc(snap->vmas, more * sizeof(*vmas));
		if (!vmas)
			return fail_no_memory(err);
		snap->vmas = vmas;
		*room = more;
	}
	struct vmsnap_vma *vma = &snap->vmas[snap->vma_count];
	int rc = maps_parse_line(line->at, (size_t)(line->end - line->at), lineno, snap->info.page_size, &snap->strings,
	                         vma, err);
	if (rc)
		return rc;
	/* Without a freeze the kernel may show a VMA that grew while we read again.  What is left
	 * of it lies further on in its file. */
	if (snap->vma_count && vma->start < vma[-1].end) {
		bool file = vma_has_file(vma->inode, vma->dev_major, vma->dev_minor);
		vma->offset += file || vma->offset ? vma[-1].end - vma->start : 0;
		vma->start = vma[-1].end;
	}
	snap->vma_count += vma->start < vma->end;
	return VMSNAP_OK;
}

int maps_parse(const char *text, size_t len, struct vmsnap *snap, struct vmsnap_error *err)
{
	struct cursor c = { text, text + len };
	size_t room = snap->vma_count;
	for (uint64_t lineno = 1; c.at < c.end; lineno++) {
		struct cursor line = take_until(&c, '\n');
		int rc = add_vma(snap, &room, &line, lineno, err);
		if (rc)
			return rc;
	}
	return VMSNAP_OK;
}

int maps_ranges(const char *text, size_t len, uint64_t join, struct address_range **out, size_t *count,
                struct vmsnap_error *err)
{
	struct cursor c = { text, text + len };
	struct address_range *ranges = NULL;
	size_t used = 0, room = 0;
	for (uint64_t lineno = 1; c.at < c.end; lineno++) {
		struct address_range range;
		struct cursor start = c;
		if (!take_range(&c, &range)) {
			free(ranges);
			return fail_line(err, lineno, "START-END", &start);
		}
		take_until(&c, '\n');
		if (range.start == range.end)
			continue;
		if (used && range.start <= ranges[used - 1].end + join) {
			if (range.end > ranges[used - 1].end)
				ranges[used - 1].end = range.end;
			continue;
		}
		struct address_range *more = array_room(ranges, used, &room, sizeof(*more));
		if (!more) {
			free(ranges);
			return fail_no_memory(err);
		}
		ranges = more;
		ranges[used++] = range;
	}
	*out = ranges;
	*count = used;
	return VMSNAP_OK;
}

int maps_ranges_without(const struct address_range *ranges, size_t count, const struct address_range *others,
                        size_t other_count, struct address_range **out, size_t *out_count)
{
	/* Each of the others ends one part at the most. */
	struct address_range *parts = malloc((count + other_count + 1) * sizeof(*parts));
	if (!parts)
		return VMSNAP_ERR_NO_MEMORY;
	size_t used = 0, next = 0;
	for (size_t i = 0; i < count; i++) {
		uint64_t at = ranges[i].start;
		while (next < other_count && others[next].end <= at)
			next++;
		for (size_t k = next; at < ranges[i].end; k++) {
			bool none = k == other_count || others[k].start >= ranges[i].end;
			uint64_t until = none ? ranges[i].end : others[k].start;
			if (until > at)
				parts[used++] = (struct address_range){ at, until };
			at = none ? ranges[i].end : others[k].end;
		}
	}
	*out = parts;
	*out_count = used;
	return VMSNAP_OK;
}
