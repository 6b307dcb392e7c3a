#define _GNU_SOURCE
#include "page_moves.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "error.h"
#include "moves_count.h"
#include "scan.h"

static bool is_one_of(struct cursor name, const char *const *names, size_t count)
{
	size_t len = (size_t)(name.end - name.at);
	for (size_t i = 0; i < count; i++)
		if (len == strlen(names[i]) && !memcmp(name.at, names[i], len))
			return true;
	return false;
}

/* Names of /proc/vmstat; those of later kernels and other configurations are missing. */
static bool is_a_move(struct cursor name)
{
	static const char *const names[] = { "pgmigrate_success", "compact_isolated",  "pswpin", "swpin_zero", "zswpin",
		                             "ksm_swpin_copy",    "thp_collapse_alloc" };
	return is_one_of(name, names, sizeof(names) / sizeof(*names));
}

static bool is_a_parting(struct cursor name)
{
	static const char *const names[] = { "cow_ksm" };
	return is_one_of(name, names, sizeof(names) / sizeof(*names));
}

uint64_t page_moves_of(const char *text, size_t len)
{
	struct cursor c = { text, text + len };
	uint64_t moved = 0, parted = 0, number;
	bool any = false;
	while (c.at < c.end) {
		struct cursor line = take_until(&c, '\n'), name = take_until(&line, ' ');
		bool move = is_a_move(name), parting = is_a_parting(name);
		if (!(move || parting) || !take_decimal(&line, &number))
			continue;
		any = true;
		moved += move ? number : 0;
		parted += parting ? number : 0;
	}
	return any ? moves_count(moved, parted) : 0;
}

static ssize_t read_file(int folder, const char *path, char *text, size_t size)
{
	CLEANUP_CLOSE int fd = openat(folder, path, O_RDONLY | O_CLOEXEC);
	ssize_t len = 0, got = fd < 0 ? -1 : 1;
	/* The kernel gives a page of it at a time. */
	for (; got > 0 && (size_t)len<size; len += got> 0 ? got : 0)
		got = read(fd, text + len, size - (size_t)len);
	return got < 0 ? -1 : len;
}

uint64_t page_moves_now(void)
{
	char text[16384];
	ssize_t len = read_file(AT_FDCWD, "/proc/vmstat", text, sizeof(text));
	return len > 0 ? page_moves_of(text, (size_t)len) : 0;
}

bool page_merges_anywhere(void)
{
	static const char *const files[] = { "/sys/kernel/mm/ksm/pages_shared", "/sys/kernel/mm/ksm/ksm_zero_pages" };
	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		char text[32];
		ssize_t len = read_file(AT_FDCWD, files[i], text, sizeof(text));
		if (len > 0 && text[0] != '0')
			return true;
	}
	return false;
}

bool page_merges_of(const char *text, size_t len)
{
	static const char *const counts[] = { "ksm_rmap_items", "ksm_zero_pages", "ksm_merging_pages" };
	static const char *const words[] = { "ksm_merge_any:", "ksm_mergeable:" };
	struct cursor c = { text, text + len };
	while (c.at < c.end) {
		struct cursor line = take_until(&c, '\n'), name = take_until(&line, ' ');
		bool some = line.at < line.end && *line.at != '0' && *line.at != 'n';
		if (some && (is_one_of(name, counts, sizeof(counts) / sizeof(*counts)) ||
		             is_one_of(name, words, sizeof(words) / sizeof(*words))))
			return true;
	}
	return !len;
}

bool page_merges_of_process(int procdir)
{
	char text[1024];
	ssize_t len = read_file(procdir, "ksm_stat", text, sizeof(text));
	return page_merges_of(text, len > 0 ? (size_t)len : 0);
}
