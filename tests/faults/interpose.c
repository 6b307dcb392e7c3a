/* interpose.so, for LD_PRELOAD: makes the command run out of memory.
 *
 *   VMSNAP_FAIL=malloc:17    the 17th allocation of the process fails
 *   VMSNAP_FAIL=malloc:17+   it and all that follow
 *   VMSNAP_FAIL_TOLD=FILE    how many allocations there were, if it ends by itself
 *
 * Counts whatever allocates, the C library and zlib included, from when libraries
 * are loaded.  The C library's own functions do the work under their other names, for
 * dlsym() allocates. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);
void *__libc_memalign(size_t alignment, size_t size);

static atomic_ulong count;
static unsigned long fails_at; /* 0: none */
static bool later_too;

__attribute__((constructor)) static void begin(void)
{
	const char *plan = getenv("VMSNAP_FAIL");
	if (!plan || strncmp(plan, "malloc:", 7))
		return;
	char *end;
	unsigned long number = strtoul(plan + 7, &end, 10);
	later_too = *end == '+';
	count = 0;
	fails_at = number;
}

__attribute__((destructor)) static void tell(void)
{
	const char *path = getenv("VMSNAP_FAIL_TOLD");
	int fd = path ? open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600) : -1;
	char text[32];
	int len = snprintf(text, sizeof(text), "%lu\n", (unsigned long)count);
	if (fd >= 0 && write(fd, text, (size_t)len) == len)
		close(fd);
}

static bool fails(void)
{
	unsigned long number = ++count;
	if (!fails_at || (later_too ? number < fails_at : number != fails_at))
		return false;
	errno = ENOMEM;
	return true;
}

void *malloc(size_t size)
{
	return fails() ? NULL : __libc_malloc(size);
}

void *calloc(size_t members, size_t size)
{
	return fails() ? NULL : __libc_calloc(members, size);
}

void *realloc(void *old, size_t size)
{
	return fails() ? NULL : __libc_realloc(old, size);
}

void *memalign(size_t alignment, size_t size)
{
	return fails() ? NULL : __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
	return memalign(alignment, size);
}

int posix_memalign(void **out, size_t alignment, size_t size)
{
	void *memory = memalign(alignment, size);
	if (!memory)
		return ENOMEM;
	*out = memory;
	return 0;
}
