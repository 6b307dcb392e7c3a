/* own_maps.h - /proc/self/maps, as the kernel tells it to a test that looks at its own memory. */
#ifndef OWN_MAPS_H
#define OWN_MAPS_H

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct line {
	uint64_t start, end;
	char name[64];
};
enum { LINES = 4096 };
static struct line lines[LINES];
static size_t line_count;
static char text[1 << 20];

/* Without memory of malloc's: it would be in the map. */
static inline void read_maps(void)
{
	int fd = open("/proc/self/maps", O_RDONLY);
	size_t len = 0;
	ssize_t got;
	assert_true(fd >= 0);
	while ((got = read(fd, text + len, sizeof(text) - 1 - len)) > 0)
		len += (size_t)got;
	close(fd);
	text[len] = '\0';
	line_count = 0;
	for (char *at = text; *at; at++) {
		char *end = strchr(at, '\n');
		struct line *line = &lines[line_count++];
		assert_true(line_count < LINES);
		*end = '\0';
		line->name[0] = '\0';
		assert_true(sscanf(at, "%" SCNx64 "-%" SCNx64 " %*s %*s %*s %*s %63s", &line->start, &line->end,
		                   line->name) >= 2);
		at = end;
	}
}

static inline uint64_t page_size(void)
{
	return (uint64_t)sysconf(_SC_PAGESIZE);
}

static inline void *own(void *at, size_t len, int prot, int flags)
{
	return mmap(at, len, prot, MAP_ANONYMOUS | flags, -1, 0);
}

#endif
