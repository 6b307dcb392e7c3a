/* lab.h - how the programs of the labs talk: they do something, say where it lies, and wait for a word.
 *
 * Lines on standard output: "range NAME START END" and "value NAME NUMBER" in hexadecimal, "pids PARENT CHILD",
 * "cannot WHAT: WHY" (and exit status 77) if this machine does not allow it, "unable to WHAT: WHY" if that concerns the
 * last word only, and "ready" before each wait. */
#ifndef LAB_H
#define LAB_H

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

static inline void say_range(const char *name, const volatile void *start, size_t bytes)
{
	unsigned long at = (unsigned long)(uintptr_t)start;
	printf("range %s 0x%lx 0x%lx\n", name, at, at + (unsigned long)bytes);
}

static inline void say_value(const char *name, unsigned long value)
{
	printf("value %s 0x%lx\n", name, value);
}

static inline _Noreturn void cannot(const char *what)
{
	printf("cannot %s: %s\n", what, strerror(errno));
	fflush(stdout);
	_exit(77);
}

/* At the beginning: who we are.  Where Yama restricts ptrace, anybody of our user may look at us. */
static inline void begin(void)
{
	prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY);
	printf("pid %d\n", (int)getpid());
}

/* The next word that is typed; ends the program at end of file. */
static inline const char *next_word(void)
{
	static char word[64];
	puts("ready");
	fflush(stdout);
	if (scanf("%63s", word) != 1)
		exit(0);
	return word;
}

/* Memory of our own, private and anonymous, in pages of the usual size; between two that nobody may touch, so
 * that the kernel does not join it with a neighbour. */
static inline char *own_memory(size_t bytes)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	char *memory = mmap(NULL, bytes + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (memory == MAP_FAILED || mprotect(memory + page, bytes, PROT_READ | PROT_WRITE))
		cannot("have memory");
	madvise(memory + page, bytes, MADV_NOHUGEPAGE); /* an error says that there are no huge pages */
	return memory + page;
}
#endif
