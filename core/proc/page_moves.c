#define _GNU_SOURCE
#include "page_moves.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "error.h"
#include "scan.h"

/* Names of /proc/vmstat; those of later kernels and other configurations are missing. */
static bool is_a_move(struct cursor name)
{
	static const char *const names[] = { "pgmigrate_success", "pswpin", "swpin_zero", "zswpin", "ksm_swpin_copy",
		                             "thp_collapse_alloc" };
	size_t len = (size_t)(name.end - name.at);
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (len == strlen(names[i]) && !memcmp(name.at, names[i], len))
			return true;
	return false;
}

uint64_t page_moves_of(const char *text, size_t len)
{
	struct cursor c = { text, text + len };
	uint64_t sum = 0, number;
	bool any = false;
	while (c.at < c.end) {
		struct cursor line = take_until(&c, '\n'), name = take_until(&line, ' ');
		if (!is_a_move(name) || !take_decimal(&line, &number))
			continue;
		any = true;
		sum += number;
	}
	return any ? sum + 1 : 0;
}

static ssize_t read_file(const char *path, char *text, size_t size)
{
	CLEANUP_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t len = 0, got = fd < 0 ? -1 : 1;
	/* The kernel gives a page of it at a time. */
	for (; got > 0 && (size_t)len<size; len += got> 0 ? got : 0)
		got = read(fd, text + len, size - (size_t)len);
	return got < 0 ? -1 : len;
}

/* Whether KSM has merged any pages: how often it does so is not counted. */
static bool any_merged(void)
{
	char text[32];
	ssize_t len = read_file("/sys/kernel/mm/ksm/pages_shared", text, sizeof(text));
	return len > 0 && text[0] != '0';
}

uint64_t page_moves_now(void)
{
	char text[16384];
	ssize_t len = any_merged() ? 0 : read_file("/proc/vmstat", text, sizeof(text));
	return len > 0 ? page_moves_of(text, (size_t)len) : 0;
}
