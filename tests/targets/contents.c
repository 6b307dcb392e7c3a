/* contents - memory of many kinds whose every byte is known: byte i of page p, filled with seed s, is
 * s + 17 p + 5 (i * i / 8) + i, modulo 256.
 *
 *   fill NAME SEED FIRST PAGES     fills pages
 *   poke NAME PAGE OFFSET VALUE    one byte
 *   drop NAME FIRST PAGES          gives pages back (MADV_DONTNEED)
 *   fork                           a child that shares all, and then stands still
 */
#define _GNU_SOURCE
#include <sys/syscall.h>

#include "target.h"

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#endif

enum { PAGES = 64, KINDS = 8 };
static struct area {
	const char *name;
	unsigned char *memory;
} areas[KINDS];
static size_t area_count;

static unsigned char *area_add(const char *name, void *memory, size_t pages)
{
	areas[area_count++] = (struct area){ name, memory };
	say_range(name, memory, pages * PAGE);
	return memory;
}

static unsigned char *area_find(const char *name)
{
	for (size_t i = 0; i < area_count; i++)
		if (!strcmp(areas[i].name, name))
			return areas[i].memory;
	exit(2);
}

static void fill(unsigned char *memory, unsigned seed, size_t first, size_t pages)
{
	for (size_t page = first; page < first + pages; page++)
		for (size_t i = 0; i < PAGE; i++)
			memory[page * PAGE + i] = (unsigned char)(seed + 17 * page + 5 * (i * i / 8) + i);
}

/* Where the kernel has such memory, and lets this user lock so much. */
static void make_secret(void)
{
#ifdef SYS_memfd_secret
	int fd = (int)syscall(SYS_memfd_secret, 0);
	void *memory = fd < 0 || ftruncate(fd, 4 * PAGE)
	                       ? MAP_FAILED
	                       : mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (memory != MAP_FAILED)
		fill(area_add("secret", memory, 4), 8, 0, 4);
#endif
}

/* Written at first, so that something is there that must not be told. */
static void make_areas(void)
{
	const int shared = MAP_SHARED | MAP_ANONYMOUS;
	unsigned char *memory = area_add("plain", map_private(PAGES * PAGE), PAGES);
	fill(memory, 1, 0, PAGES / 2);
	madvise(memory, PAGES * PAGE, MADV_NOHUGEPAGE);
	read_pages((char *)memory, PAGES / 2, PAGES * 3 / 4, 1);
	fill(area_add("shared", map_memory(8 * PAGE, PROT_READ | PROT_WRITE, shared, -1), 8), 2, 0, 8);
	int fd = make_file(8 * PAGE);
	memory = area_add("file", map_memory(8 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd), 8);
	fill(memory, 3, 0, 4);
	memory = area_add("hidden", map_private(8 * PAGE), 8);
	fill(memory, 4, 0, 8);
	madvise(memory, 8 * PAGE, MADV_DONTDUMP);
	memory = area_add("none", map_private(8 * PAGE), 8);
	fill(memory, 5, 0, 8);
	mprotect(memory, 8 * PAGE, PROT_NONE);
	memory = area_add("guarded", map_private(8 * PAGE), 8);
	fill(memory, 6, 0, 8);
	if (madvise(memory + 2 * PAGE, PAGE, MADV_GUARD_INSTALL)) /* before 6.13: nothing lies there, in another way */
		madvise(memory + 2 * PAGE, PAGE, MADV_DONTNEED);
	memory = area_add("reads", map_memory(8 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1), 8);
	fill(memory, 7, 0, 8);
	mprotect(memory, 8 * PAGE, PROT_READ);
	make_secret();
}

static bool obey(char *command)
{
	char name[32];
	unsigned a, b, c;
	if (sscanf(command, "fill %31s %u %u %u", name, &a, &b, &c) == 4)
		fill(area_find(name), a, b, c);
	else if (sscanf(command, "poke %31s %u %u %u", name, &a, &b, &c) == 4)
		area_find(name)[a * PAGE + b] = (unsigned char)c;
	else if (sscanf(command, "drop %31s %u %u", name, &a, &b) == 3)
		madvise(area_find(name) + a * PAGE, b * PAGE, MADV_DONTNEED);
	else if (!strcmp(command, "fork"))
		return true;
	return false;
}

int main(void)
{
	die_with_parent();
	make_areas();
	for (;;) {
		char *command = next_command();
		if (!command || !*command)
			stand_still();
		if (!obey(command))
			continue;
		pid_t child = fork();
		if (!child) {
			die_with_parent();
			for (;;)
				pause();
		}
		say("child %d\n", (int)child);
	}
}
