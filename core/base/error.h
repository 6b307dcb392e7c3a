/* error.h - filling struct vmsnap_error; and the few cleanups used everywhere. */
#ifndef VMSNAP_ERROR_H
#define VMSNAP_ERROR_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "vmsnap.h"

/* Each returns the code it was given, so that a caller can `return fail(…)`.
 * err may be NULL.  fail_sys() takes errno and adds its text. */
__attribute__((format(printf, 3, 4))) int fail(struct vmsnap_error *err, int code, const char *format, ...);
__attribute__((format(printf, 4, 5))) int fail_at(struct vmsnap_error *err, int code, uint64_t position,
                                                  const char *format, ...);
__attribute__((format(printf, 3, 4))) int fail_sys(struct vmsnap_error *err, int saved_errno, const char *format, ...);
int fail_no_memory(struct vmsnap_error *err);

static inline void cleanup_close_(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}
static inline void cleanup_free_(void *pointer)
{
	free(*(void **)pointer);
}
static inline void cleanup_fclose_(FILE **file)
{
	if (*file)
		fclose(*file);
}
#define CLEANUP_CLOSE  __attribute__((cleanup(cleanup_close_)))
#define CLEANUP_FREE   __attribute__((cleanup(cleanup_free_)))
#define CLEANUP_FCLOSE __attribute__((cleanup(cleanup_fclose_)))

/* What VMSNAP_API marks is in the symbol map; all else is hidden. */
#define VMSNAP_API __attribute__((visibility("default")))

#endif
