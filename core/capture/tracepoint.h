/* tracepoint.h - the kernel's tracepoints as tracefs tells of them: their numbers, and where their fields are. */
#ifndef VMSNAP_TRACEPOINT_H
#define VMSNAP_TRACEPOINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tracepoint_field {
	const char *name;
	size_t size;    /* what is expected; at another all is refused */
	size_t *offset; /* filled in: less than 256 */
};
/* "exceptions/page_fault_user".  False: tracefs cannot be read, or this is not what is there. */
bool tracepoint_find(const char *name, const struct tracepoint_field *fields, size_t count, uint64_t *id);

#endif
