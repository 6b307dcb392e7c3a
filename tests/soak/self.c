#define _GNU_SOURCE
#include "self.h"

#include <dirent.h>
#include <inttypes.h>
#include <malloc.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* The library's memory may not grow at all; the process's may, by what malloc keeps for
 * the next time.  A leak of one byte per capture shows in the first number. */
enum { ALLOCATED_MORE = 4 << 10, RESIDENT_MORE = 4 << 20 };

void wrong(const char *format, ...)
{
	va_list args;
	va_start(args, format);
	fputs("WRONG: ", stdout);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
	exit(1);
}

void wrong_with(const char *what, const struct vmsnap_error *err)
{
	wrong("%s: %s", what, err->message);
}

unsigned self_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned count = 0;
	if (!dir)
		wrong("cannot read /proc/self/fd");
	while (readdir(dir))
		count++;
	closedir(dir);
	return count - 3; /* ".", ".." and the folder itself */
}

/* The number after the first blank of a file. */
static uint64_t number_in(const char *path)
{
	char text[1024];
	FILE *file = fopen(path, "re");
	size_t len = file ? fread(text, 1, sizeof(text) - 1, file) : 0;
	text[len] = 0;
	if (file)
		fclose(file);
	const char *blank = strchr(text, ' ');
	if (!blank)
		wrong("cannot understand %s", path);
	return strtoull(blank, NULL, 10);
}

uint64_t self_resident(void)
{
	return number_in("/proc/self/statm") * (uint64_t)sysconf(_SC_PAGESIZE);
}

uint64_t self_read(void)
{
	return number_in("/proc/self/io");
}

uint64_t self_allocated(void)
{
	struct mallinfo2 info = mallinfo2();
	return info.uordblks + info.hblkhd;
}

uint64_t now_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

struct self_before self_note(void)
{
	return (struct self_before){ self_descriptors(), self_resident(), self_allocated() };
}

void self_unchanged(const struct self_before *before, const char *since)
{
	struct self_before now = self_note();
	printf("descriptors %u -> %u, allocated %" PRIu64 " -> %" PRIu64 " bytes, resident %" PRIu64 " -> %" PRIu64
	       " KiB since %s\n",
	       before->descriptors, now.descriptors, before->allocated, now.allocated, before->resident >> 10,
	       now.resident >> 10, since);
	if (now.descriptors != before->descriptors)
		wrong("descriptors are left open");
	if (now.allocated > before->allocated + ALLOCATED_MORE)
		wrong("memory is not given back");
	if (now.resident > before->resident + RESIDENT_MORE)
		wrong("the process grows");
}

void numbers_init(struct numbers *numbers, size_t room)
{
	numbers->values = calloc(room, sizeof(numbers->values[0]));
	numbers->count = 0;
	numbers->room = room;
	if (!numbers->values)
		wrong("out of memory");
	/* Resident from now on, so that filling it does not look like growth. */
	memset(numbers->values, 0xff, room * sizeof(numbers->values[0]));
}

void numbers_add(struct numbers *numbers, uint64_t value)
{
	if (numbers->count < numbers->room)
		numbers->values[numbers->count++] = value;
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return x < y ? -1 : x > y;
}

uint64_t numbers_part(struct numbers *numbers, unsigned thousandths)
{
	if (!numbers->count)
		wrong("nothing was measured");
	qsort(numbers->values, numbers->count, sizeof(numbers->values[0]), compare);
	return numbers->values[(numbers->count - 1) * thousandths / 1000];
}

void numbers_free(struct numbers *numbers)
{
	free(numbers->values);
}
