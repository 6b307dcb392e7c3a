#define _GNU_SOURCE
#include "perf_map.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "array.h"
#include "error.h"
#include "open_below.h"
#include "pread_all.h"
#include "program_start.h"
#include "sorted.h"

/* ---- the text --------------------------------------------------------------------------- */

/* With or without 0x, and in letters of either size: each JIT has its way. */
static bool take_any_hex(const char **at, uint64_t *out)
{
	const char *c = *at + (((*at)[0] == '0' && ((*at)[1] | 32) == 'x') ? 2 : 0), *first = c;
	uint64_t value = 0;
	for (;; c++) {
		char letter = (char)(*c | 32);
		bool digit = *c >= '0' && *c <= '9';
		if (!digit && !(letter >= 'a' && letter <= 'f'))
			break;
		if (value >> 60)
			return false;
		value = value << 4 | (uint64_t)(digit ? *c - '0' : letter - 'a' + 10);
	}
	*at = c;
	*out = value;
	return c > first;
}

static bool take_symbol(const char *line, struct perf_symbol *out)
{
	uint64_t size;
	if (!take_any_hex(&line, &out->start) || *line++ != ' ' || !take_any_hex(&line, &size) || *line++ != ' ')
		return false;
	out->end = out->start + size;
	out->name = line;
	return size && out->end > out->start && *line;
}

/* Not memrchr(3): a sanitizer's looks at all of the text each time. */
static char *last_newline(char *text, size_t len)
{
	while (len && text[len - 1] != '\n')
		len--;
	return len ? text + len - 1 : NULL;
}

/* From the end backwards, for the newest are there: the first one is the newest. */
static int take_symbols(struct perf_map *map, size_t len, struct work *work)
{
	size_t room = 0;
	map->text[len] = '\0';
	/* A line that has no end yet is still being written. */
	char *end = last_newline(map->text, len);
	while (end && map->count < PERF_MAP_SYMBOLS_MAX) {
		*end = '\0';
		char *before = last_newline(map->text, (size_t)(end - map->text));
		struct perf_symbol symbol;
		if (work_step(work))
			return VMSNAP_ERR_CANCELLED;
		if (take_symbol(before ? before + 1 : map->text, &symbol)) {
			struct perf_symbol *items = array_room(map->items, map->count, &room, sizeof(*items));
			if (!items)
				return VMSNAP_ERR_NO_MEMORY;
			map->items = items;
			map->items[map->count++] = symbol;
		}
		end = before;
	}
	return VMSNAP_OK;
}

/* ---- what is still there ------------------------------------------------------------------- */

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return x < y ? -1 : x > y;
}

static int by_start(const void *a, const void *b)
{
	const struct perf_symbol *x = a, *y = b;
	return x->start < y->start ? -1 : x->start > y->start;
}

/* The first range from `at` on that nothing newer covers. */
static size_t uncovered(uint32_t *next, size_t at)
{
	while (next[at] != at) {
		next[at] = next[next[at]];
		at = next[at];
	}
	return at;
}

/* All addresses where something begins or ends cut the memory into ranges.  From the newest on,
 * each symbol covers its ranges; one of which a range is covered already is gone. */
static size_t drop_overwritten(struct perf_map *map, const uint64_t *bounds, size_t bound_count, uint32_t *next)
{
	size_t kept = 0;
	for (size_t i = 0; i < map->count; i++) {
		const struct perf_symbol symbol = map->items[i];
		size_t first = sorted_numbers_from(bounds, bound_count, symbol.start), covered = 0;
		size_t end = sorted_numbers_from(bounds, bound_count, symbol.end);
		for (size_t at = uncovered(next, first); at < end; at = uncovered(next, at)) {
			next[at] = (uint32_t)at + 1;
			covered++;
		}
		if (covered == end - first)
			map->items[kept++] = symbol;
	}
	return kept;
}

static int settle(struct perf_map *map)
{
	size_t count = 0;
	CLEANUP_FREE uint64_t *bounds = malloc((2 * map->count + 1) * sizeof(*bounds));
	CLEANUP_FREE uint32_t *next = malloc((2 * map->count + 1) * sizeof(*next));
	if (!bounds || !next)
		return VMSNAP_ERR_NO_MEMORY;
	for (size_t i = 0; i < map->count; i++) {
		bounds[2 * i] = map->items[i].start;
		bounds[2 * i + 1] = map->items[i].end;
	}
	if (map->count)
		qsort(bounds, 2 * map->count, sizeof(*bounds), by_value);
	for (size_t i = 0; i < 2 * map->count; i++)
		if (!i || bounds[i] != bounds[count - 1])
			bounds[count++] = bounds[i];
	for (size_t i = 0; i <= count; i++)
		next[i] = (uint32_t)i;
	map->count = drop_overwritten(map, bounds, count, next);
	if (map->count)
		qsort(map->items, map->count, sizeof(*map->items), by_start);
	return VMSNAP_OK;
}

int perf_map_parse(char *text, size_t len, struct work *work, struct perf_map *out)
{
	out->text = text;
	int rc = take_symbols(out, len, work);
	rc = rc ? rc : settle(out);
	if (rc)
		perf_map_free(out);
	return rc;
}

/* ---- the file ------------------------------------------------------------------------------ */

static int open_map(const struct names_process *process, const struct vmsnap_info *info, struct perf_map *map)
{
	bool lives = process->root >= 0;
	/* In another mount namespace its /tmp is another; of one that is gone that is not known. */
	if (!lives && info->ns_pid != info->pid)
		return -1;
	CLEANUP_CLOSE int ours = lives ? -1 : open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	CLEANUP_CLOSE int folder = open_below(lives ? process->root : ours, "/tmp");
	if (folder < 0)
		return -1;
	CLEANUP_CLOSE int found = openat(folder, strrchr(map->path, '/') + 1, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	return found < 0 ? -1 : open_found(found);
}

/* Why it is not read; NULL: it is. */
static const char *doubt(const struct stat *st, const struct vmsnap_info *info, bool lives)
{
	int64_t changed = file_written(st);
	if (st->st_uid != info->uid)
		return "does not belong to the process's user";
	if (st->st_mode & (S_IWGRP | S_IWOTH) || st->st_nlink != 1)
		return "may have been written to by somebody else";
	if (changed < program_start(-1, info->start_time))
		return "is older than the process";
	if (!lives && changed >= info->taken)
		return "was written to after the snapshot, perhaps by another process";
	return NULL;
}

/* The last bytes; *out is malloc'ed with room for a NUL. */
static ssize_t read_end(int fd, uint64_t size, char **out)
{
	size_t len = size < PERF_MAP_BYTES_MAX ? (size_t)size : PERF_MAP_BYTES_MAX;
	*out = malloc(len + 1);
	return *out ? pread_all(fd, *out, len, size - len) : -1;
}

static const char *what_is_missing(const struct stat *st, const struct vmsnap_info *info)
{
	if ((uint64_t)st->st_size > PERF_MAP_BYTES_MAX)
		return "is too large: only its last 64 MiB are read";
	if (file_written(st) >= info->taken)
		return "was written to after the snapshot: functions made since may be named, too";
	return NULL;
}

int perf_map_read(const struct names_process *process, const struct vmsnap_info *info, struct work *work,
                  struct perf_map *out, const char **why)
{
	struct stat st;
	*out = (struct perf_map){ .items = NULL };
	*why = NULL;
	snprintf(out->path, sizeof(out->path), "/tmp/perf-%" PRIu32 ".map", info->ns_pid ? info->ns_pid : info->pid);
	CLEANUP_CLOSE int fd = open_map(process, info, out);
	if (fd < 0 || fstat(fd, &st))
		return VMSNAP_ERR_NOT_FOUND;
	*why = doubt(&st, info, process->root >= 0);
	if (*why)
		return VMSNAP_ERR_NOT_FOUND;
	char *text;
	ssize_t len = read_end(fd, (uint64_t)st.st_size, &text);
	if (len < 0) {
		*why = "cannot be read";
		int rc = text ? VMSNAP_ERR_NOT_FOUND : VMSNAP_ERR_NO_MEMORY;
		free(text);
		return rc;
	}
	*why = what_is_missing(&st, info);
	/* The first line is cut. */
	const char *cut = (uint64_t)st.st_size > PERF_MAP_BYTES_MAX && len ? memchr(text, '\n', (size_t)len) : text;
	memset(text, '\n', cut ? (size_t)(cut - text) : (size_t)len);
	return perf_map_parse(text, (size_t)len, work, out);
}

void perf_map_free(struct perf_map *map)
{
	free(map->items);
	free(map->text);
	map->items = NULL;
	map->text = NULL;
	map->count = 0;
}

/* ---- looking up ------------------------------------------------------------------------- */

size_t perf_map_from(const struct perf_map *map, uint64_t address)
{
	return SORTED_ABOVE(struct perf_symbol, end, map->items, map->count, address);
}

bool perf_map_concerns(const struct vmsnap_vma *vma)
{
	bool anonymous = !vmsnap_vma_has_file(vma) && (!*vma->name || strncmp(vma->name, "[anon:", 6) == 0);
	return (vma->perms & VMSNAP_PERM_EXEC) && (anonymous || strncmp(vma->name, "/memfd:", 7) == 0);
}
