/* target.h - what the programs to look at share: they make something, say where
 * it lies, and stand still until they are told to go on.
 *
 * Lines on standard output: "range NAME 0xSTART 0xEND", "ready" once there is
 * nothing more to say, "cannot WHAT: WHY" (and exit status 77) if this machine
 * does not allow it.  No stdio: a buffer that comes and goes is a page that does. */
#ifndef TARGET_H
#define TARGET_H

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef TARGET_PAGE
#define TARGET_PAGE 4096 /* script/kernels builds for kernels with others, too */
#endif
enum { PAGE = TARGET_PAGE, HUGE_PAGE = PAGE / 8 * PAGE }; /* what one page table maps */

static inline __attribute__((format(printf, 1, 2))) void say(const char *format, ...)
{
	static char text[512];
	va_list args;
	va_start(args, format);
	int len = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	for (int done = 0; done < len;) {
		ssize_t wrote = write(1, text + done, (size_t)(len - done));
		if (wrote <= 0)
			_exit(1);
		done += (int)wrote;
	}
}

static inline void say_range(const char *name, const volatile void *start, size_t bytes)
{
	uintptr_t address = (uintptr_t)start;
	say("range %s 0x%lx 0x%lx\n", name, (unsigned long)address, (unsigned long)(address + bytes));
}

static inline _Noreturn void cannot(const char *what)
{
	say("cannot %s: %s\n", what, strerror(errno));
	_exit(77);
}

/* The target must not outlive the test. */
static inline void die_with_parent(void)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
}

/* Says "ready" and takes the next line; ends the process at end of file. */
static inline char *next_command(void)
{
	static char line[256];
	size_t len = 0;
	say("ready\n");
	for (;;) {
		char byte;
		ssize_t got = read(0, &byte, 1);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			_exit(0);
		if (byte == '\n')
			break;
		if (len < sizeof(line) - 1)
			line[len++] = byte;
	}
	line[len] = 0;
	return line;
}

/* Ready for good: until the test closes our standard input. */
static inline void stand_still(void)
{
	for (;;)
		next_command();
}

static inline char *map_memory(size_t bytes, int prot, int flags, int fd)
{
	char *memory = mmap(NULL, bytes, prot, flags | (fd < 0 ? MAP_ANONYMOUS : 0), fd, 0);
	if (memory == MAP_FAILED)
		cannot("mmap");
	return memory;
}

static inline char *map_private(size_t bytes)
{
	return map_memory(bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE, -1);
}

/* Memory that begins where a huge page may, in its object as well: a place is
 * found first, then the memory is mapped right there. */
static inline char *map_aligned(size_t bytes, int flags)
{
	char *place = map_memory(bytes + HUGE_PAGE, PROT_NONE, MAP_PRIVATE | MAP_NORESERVE, -1);
	uintptr_t start = ((uintptr_t)place + HUGE_PAGE - 1) & ~((uintptr_t)HUGE_PAGE - 1);
	char *memory = mmap((void *)start, bytes, PROT_READ | PROT_WRITE, flags | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	if (memory == MAP_FAILED)
		cannot("mmap");
	return memory;
}

/* Private memory between two ranges that nobody may touch, so that the kernel
 * joins it with nothing. */
static inline char *map_apart(size_t pages)
{
	char *place = map_memory((pages + 128) * PAGE, PROT_NONE, MAP_PRIVATE, -1);
	mprotect(place + 64 * PAGE, pages * PAGE, PROT_READ | PROT_WRITE);
	return place + 64 * PAGE;
}

static inline void write_pages(volatile char *memory, size_t first, size_t end, size_t step)
{
	for (size_t page = first; page < end; page += step)
		memory[page * PAGE] = (char)(page | 1);
}

static inline void read_pages(const volatile char *memory, size_t first, size_t end, size_t step)
{
	for (size_t page = first; page < end; page += step)
		(void)memory[page * PAGE];
}

/* A nameless file with `bytes` bytes of data. */
static inline int make_file(size_t bytes)
{
	char name[] = "/tmp/vmsnap-target-XXXXXX";
	int fd = mkstemp(name);
	if (fd < 0 || unlink(name))
		cannot("make a file");
	static const char block[PAGE] = "some bytes of a file";
	for (size_t done = 0; done < bytes; done += sizeof(block))
		if (write(fd, block, sizeof(block)) != (ssize_t)sizeof(block))
			cannot("write a file");
	return fd;
}

/* A small generator of its own, so that a seed means the same everywhere. */
static inline uint64_t random_next(uint64_t *state)
{
	uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));
	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

#endif
