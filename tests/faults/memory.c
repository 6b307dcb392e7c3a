#define _GNU_SOURCE
#include "memory.h"

#include <dirent.h>
#include <dlfcn.h>
#include <elfutils/libdwfl.h>
#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <zlib.h>

static atomic_ulong requests, fails_at;
static atomic_long live;

void memory_fail_at(unsigned long number)
{
	requests = 0;
	fails_at = number;
}

bool memory_failed(void)
{
	return fails_at && requests >= fails_at;
}

long memory_live(void)
{
	return live;
}

static bool fails(void)
{
	if (++requests != fails_at)
		return false;
	errno = ENOMEM;
	return true;
}

static void *counted(void *block)
{
	live += block != NULL;
	return block;
}

/* ---- what the linker puts in the place of the library's calls ---- */

#define WRAPPED(type, name, ...)    \
	type __real_##name(__VA_ARGS__); \
	type __wrap_##name(__VA_ARGS__); \
	type __wrap_##name(__VA_ARGS__)

WRAPPED(void *, malloc, size_t size)
{
	return fails() ? NULL : counted(__real_malloc(size));
}

WRAPPED(void *, calloc, size_t count, size_t size)
{
	return fails() ? NULL : counted(__real_calloc(count, size));
}

WRAPPED(void *, realloc, void *old, size_t size)
{
	if (fails())
		return NULL;
	void *block = __real_realloc(old, size);
	live += block && !old;
	return block;
}

WRAPPED(char *, strdup, const char *text)
{
	return fails() ? NULL : counted(__real_strdup(text));
}

WRAPPED(char *, realpath, const char *path, char *resolved)
{
	return fails() ? NULL : resolved ? __real_realpath(path, resolved) : counted(__real_realpath(path, resolved));
}

__attribute__((format(printf, 2, 0))) static int counted_format(char **out, const char *format, va_list args)
{
	int len = fails() ? -1 : vasprintf(out, format, args);
	live += len >= 0;
	return len;
}

__attribute__((format(printf, 2, 3))) int __wrap_asprintf(char **out, const char *format, ...);
WRAPPED(int, asprintf, char **out, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	int len = counted_format(out, format, args);
	va_end(args);
	return len;
}

/* The same two as optimised builds call them (_FORTIFY_SOURCE). */
__attribute__((format(printf, 3, 4))) int __wrap___asprintf_chk(char **out, int flag, const char *format, ...);
WRAPPED(int, __asprintf_chk, char **out, int flag, const char *format, ...)
{
	va_list args;
	(void)flag;
	va_start(args, format);
	int len = counted_format(out, format, args);
	va_end(args);
	return len;
}

WRAPPED(char *, __realpath_chk, const char *path, char *resolved, size_t room)
{
	(void)room;
	return fails() ? NULL : counted(__real_realpath(path, resolved));
}

WRAPPED(void, free, void *block)
{
	live -= block != NULL;
	__real_free(block);
}

WRAPPED(void *, mmap64, void *at, size_t len, int prot, int flags, int fd, off_t offset)
{
	return fails() ? MAP_FAILED : __real_mmap64(at, len, prot, flags, fd, offset);
}

WRAPPED(DIR *, fdopendir, int fd)
{
	return fails() ? NULL : __real_fdopendir(fd);
}

WRAPPED(int, pthread_create, pthread_t *thread, const pthread_attr_t *attr, void *(*run)(void *), void *argument)
{
	return fails() ? EAGAIN : __real_pthread_create(thread, attr, run, argument);
}

WRAPPED(int, deflateInit2_, z_streamp stream, int level, int method, int bits, int memory, int strategy,
        const char *version, int size)
{
	return fails() ? Z_MEM_ERROR :
	                 __real_deflateInit2_(stream, level, method, bits, memory, strategy, version, size);
}

WRAPPED(int, inflateInit_, z_streamp stream, const char *version, int size)
{
	return fails() ? Z_MEM_ERROR : __real_inflateInit_(stream, version, size);
}

/* ---- what libdw gets from the library and gives back by itself ----
 *
 * It is loaded later, so the linker cannot put anything in the place of its free().  The
 * names of files that its callbacks hand over are taken off the account there and then;
 * whether libdw frees them, a sanitizer tells. */

static const Dwfl_Callbacks *callbacks;
static Dwfl *(*begin)(const Dwfl_Callbacks *);

static int find_elf(Dwfl_Module *module, void **userdata, const char *name, Dwarf_Addr base, char **file_name,
                    Elf **elf)
{
	int fd = callbacks->find_elf(module, userdata, name, base, file_name, elf);
	live -= *file_name != NULL;
	return fd;
}

static int find_debuginfo(Dwfl_Module *module, void **userdata, const char *name, Dwarf_Addr base,
                          const char *file_name, const char *link, GElf_Word crc, char **debug_name)
{
	int fd = callbacks->find_debuginfo(module, userdata, name, base, file_name, link, crc, debug_name);
	live -= fd >= 0 && *debug_name;
	return fd;
}

static Dwfl *begin_counted(const Dwfl_Callbacks *wanted)
{
	static Dwfl_Callbacks counting;
	callbacks = wanted;
	counting = *wanted;
	counting.find_elf = find_elf;
	counting.find_debuginfo = find_debuginfo;
	return begin(&counting);
}

WRAPPED(void *, dlsym, void *library, const char *name)
{
	void *found = __real_dlsym(library, name);
	if (!found || strcmp(name, "dwfl_begin"))
		return found;
	/* ISO C has no cast from a function to a pointer, or back. */
	Dwfl *(*instead)(const Dwfl_Callbacks *) = begin_counted;
	memcpy(&begin, &found, sizeof(begin));
	memcpy(&found, &instead, sizeof(found));
	return found;
}
