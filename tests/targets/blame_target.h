/* blame_target.h - what the programs share that have functions of theirs write to pages, for vmsnap blame. */
#ifndef BLAME_TARGET_H
#define BLAME_TARGET_H

#include "target.h"

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif
#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif

/* One that a fault is told of by its own name. */
#define FUNCTION __attribute__((noinline, noclone)) void

static inline void must(int result, const char *what)
{
	if (result < 0)
		cannot(what);
}

static inline char *aligned(char *at, size_t to)
{
	return (char *)(((uintptr_t)at + to - 1) & ~(uintptr_t)(to - 1));
}

/* Private memory of small pages, but for what MAP_POPULATE has made by then; fd -1: anonymous. */
static inline char *map_small(char *at, size_t bytes, int flags, int fd)
{
	char *made = mmap(at, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | (fd < 0 ? MAP_ANONYMOUS : 0) | flags, fd, 0);
	if (made == MAP_FAILED)
		cannot("map memory");
	if (!(flags & MAP_POPULATE))
		madvise(made, bytes, MADV_NOHUGEPAGE);
	return made;
}

/* One that does nothing, and has what there is by now. */
static inline void have_child(void)
{
	pid_t child = fork();
	must(child, "fork");
	if (child)
		return;
	die_with_parent();
	for (;;)
		pause();
}

#endif
