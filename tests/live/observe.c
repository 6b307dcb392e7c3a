/* observe PID... - what can be seen of a process's memory from outside.  Linked statically,
 * so that it shares no page of a library with anybody, and without buffers that come and
 * go.  Prints, for each process, lines "WHAT REST":
 *
 *   map      a line of maps           page     ADDRESS ENTRY, of pagemap, none that is 0
 *   rollup   a line of smaps_rollup   status   a line of status
 *   faults   MINOR MAJOR, of stat
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ENTRIES = 4096 };
static char text[16 << 20];
static uint64_t entries[ENTRIES];

static void slurp(const char *pid, const char *name)
{
	char path[64];
	snprintf(path, sizeof(path), "/proc/%s/%s", pid, name);
	int fd = open(path, O_RDONLY);
	size_t len = 0;
	ssize_t got;
	while (fd >= 0 && len < sizeof(text) - 1 && (got = read(fd, text + len, sizeof(text) - 1 - len)) > 0)
		len += (size_t)got;
	text[len] = '\0';
	if (fd < 0 || close(fd)) {
		perror(path);
		exit(1);
	}
}

static void print_pages(int pagemap, uint64_t start, uint64_t end)
{
	uint64_t page_size = (uint64_t)sysconf(_SC_PAGESIZE);
	for (uint64_t at = start / page_size; at < end / page_size; at += ENTRIES) {
		size_t count = end / page_size - at < ENTRIES ? (size_t)(end / page_size - at) : ENTRIES;
		ssize_t got = pread(pagemap, entries, count * 8, (off_t)(at * 8));
		for (size_t i = 0; got > 0 && i < (size_t)got / 8; i++)
			if (entries[i])
				printf("page %" PRIx64 " %" PRIx64 "\n", (at + i) * page_size, entries[i]);
	}
}

static void print_lines(const char *pid, const char *what, const char *name)
{
	slurp(pid, name);
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
		printf("%s %s\n", what, line);
}

static void print_maps(const char *pid)
{
	char path[64];
	snprintf(path, sizeof(path), "/proc/%s/pagemap", pid);
	int pagemap = open(path, O_RDONLY);
	slurp(pid, "maps");
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
		char *rest;
		uint64_t start = strtoull(line, &rest, 16), end = strtoull(rest + 1, NULL, 16);
		printf("map %s\n", line);
		if (end <= INT64_MAX)
			print_pages(pagemap, start, end);
	}
	close(pagemap);
}

static void print_faults(const char *pid)
{
	slurp(pid, "stat");
	char *at = strrchr(text, ')') + 2; /* field 3 */
	for (int field = 3; field < 10; field++)
		at = strchr(at, ' ') + 1;
	unsigned long minor = strtoul(at, &at, 10);
	(void)strtoul(at, &at, 10);
	printf("faults %lu %lu\n", minor, strtoul(at, NULL, 10));
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		print_faults(argv[i]);
		print_maps(argv[i]);
		print_lines(argv[i], "rollup", "smaps_rollup");
		print_lines(argv[i], "status", "status");
	}
	return fflush(stdout) != 0;
}
