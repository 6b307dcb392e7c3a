#define _GNU_SOURCE
#include "arguments.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "maps.h"
#include "runs.h"
#include "scan.h"

enum { ARGUMENTS_MAX = 1 << 20 };

/* ---- what is mapped there ------------------------------------------------------------ */

/* The line of maps that begins at `address` or last before it.  From behind, for the
 * stack, where arguments are, is among the last. */
static struct cursor line_of(const struct proc_text *maps, uint64_t address)
{
	const char *end = maps->text + maps->len;
	while (end > maps->text) {
		const char *newline = memrchr(maps->text, '\n', (size_t)(end - 1 - maps->text));
		struct cursor line = { newline ? newline + 1 : maps->text, maps->text + maps->len };
		struct cursor c = line;
		uint64_t start;
		if (take_hex(&c, &start) && start <= address)
			return line;
		end = line.at;
	}
	return (struct cursor){ end, end };
}

/* Memory that the kernel reads arguments from.  Up to `reach` all of it is readable and
 * anonymous; more of it may follow that was not asked for.  If it is `closed` it ends
 * there and cannot grow: next comes only what the kernel itself maps above the stack. */
struct place {
	uint64_t reach;
	bool closed;
};

static struct place look_at(const struct arguments_source *source, uint64_t start, uint64_t end)
{
	struct cursor c = line_of(source->maps, start);
	struct place place = { start, true };
	while (c.at < c.end && place.reach < end) {
		struct cursor line = take_until(&c, '\n');
		struct vmsnap_vma vma;
		if (maps_parse_line(line.at, (size_t)(line.end - line.at), 0, source->page_size, source->strings, &vma,
		                    NULL))
			return (struct place){ start, false };
		if (vma.end <= start)
			continue;
		if (vma.start > place.reach || vma.inode || !(vma.perms & VMSNAP_PERM_READ)) {
			place.closed = vma.start > place.reach && strncmp(vma.name, "[v", 2) == 0;
			return place;
		}
		place.reach = vma.end;
	}
	return place;
}

/* The pages from that of `start` on that are present, up to `end` if all are; and
 * whether there is nothing to be read behind them: the next page is empty memory, or
 * nothing is mapped there. */
struct pages {
	uint64_t until;
	bool ends;
};

static struct pages present_pages(const struct arguments_source *source, uint64_t start, uint64_t end, uint64_t mapped)
{
	uint64_t entries[64];
	struct pages pages = { start & ~(source->page_size - 1), false };
	CLEANUP_CLOSE int opened = source->pagemap > 0 ? -1 : openat(source->memory, "pagemap", O_RDONLY | O_CLOEXEC);
	int fd = source->pagemap > 0 ? source->pagemap : opened;
	while (fd >= 0 && pages.until < end && pages.until < mapped) {
		off_t offset = (off_t)(pages.until / source->page_size * sizeof(*entries));
		ssize_t got = pread(fd, entries, sizeof(entries), offset);
		if (got < (ssize_t)sizeof(*entries))
			return pages;
		for (size_t i = 0; i < (size_t)got / sizeof(*entries) && pages.until < mapped; i++) {
			pages.ends = !(entries[i] & ENTRY_POPULATED);
			if (!(entries[i] & ENTRY_PRESENT))
				return pages;
			pages.until += source->page_size;
		}
	}
	pages.ends = fd >= 0 && pages.until == mapped;
	return pages;
}

/* ---- reading ------------------------------------------------------------------------- */

/* Where a title ends at the latest: it may have grown into the environment, if that
 * follows the arguments, but not beyond a page's worth. */
static uint64_t title_limit(const struct proc_stat *stat, uint64_t page_size)
{
	bool goes_on = stat->env_start == stat->arg_end && stat->env_end >= stat->env_start;
	uint64_t end = goes_on ? stat->env_end : stat->arg_end;
	return end - stat->arg_start < page_size ? end : stat->arg_start + page_size;
}

/* How many of the bytes are arguments, by the kernel's rule; 0 if some that count are
 * not among them.  It finds no more itself where they end. */
static size_t arguments_among(const char *bytes, size_t len, size_t arguments, size_t limit, bool end)
{
	if (!bytes[arguments - 1])
		return arguments;
	size_t seen = len < limit ? len : limit, title = strnlen(bytes, seen);
	if (title < seen)
		return title + 1;
	return seen == limit || end ? seen : 0;
}

/* No page but those that are present, whatever the kernel would do. */
static int read_memory(const struct arguments_source *source, const struct proc_stat *stat, const struct pages *pages,
                       struct proc_text *out)
{
	uint64_t limit = title_limit(stat, source->page_size), end = limit > stat->arg_end ? limit : stat->arg_end;
	size_t len = (size_t)((end < pages->until ? end : pages->until) - stat->arg_start);
	/* Who may not attach gets no arguments. */
	CLEANUP_CLOSE int fd = openat(source->memory, "mem", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	char *bytes = malloc(len + 1);
	if (!bytes)
		return ENOMEM;
	*out = (struct proc_text){ .text = bytes, .room = len + 1 };
	if (pread(fd, bytes, len, (off_t)stat->arg_start) == (ssize_t)len)
		out->len = arguments_among(bytes, len, (size_t)(stat->arg_end - stat->arg_start),
		                           (size_t)(limit - stat->arg_start), pages->ends);
	bytes[out->len] = '\0';
	return 0;
}

int arguments_read(const struct arguments_source *source, const struct proc_stat *stat, struct proc_text *out)
{
	uint64_t start = stat->arg_start, end = stat->arg_end, touched = start + source->page_size;
	if (!start || end <= start || end - start > ARGUMENTS_MAX || touched < start || end > INT64_MAX)
		return 0;
	if (touched < end)
		touched = end;
	struct place place = look_at(source, start, touched);
	if (place.reach < end)
		return 0;
	struct pages pages = present_pages(source, start, touched, place.reach);
	if (pages.until < end)
		return 0;
	if (pages.until < touched && !(place.closed && pages.until == place.reach))
		return read_memory(source, stat, &pages, out);
	int error = source->cmdline > 0 ? procdir_read_fd(source->cmdline, out)
	                                : procdir_read(source->memory, "cmdline", out);
	/* What cannot be read is unknown. */
	return error == ENOMEM ? error : 0;
}
