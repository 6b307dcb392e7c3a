/* libdeflate.h - libdeflate 1.x where there is one: its header need not be installed. */
#ifndef VMSNAP_LIBDEFLATE_H
#define VMSNAP_LIBDEFLATE_H

#include <stdbool.h>
#include <stddef.h>

/* NULL: there is none.  To be given back with dlclose(); it is not unloaded then, as many files may be read or
 * written one after the other. */
void *libdeflate_load(void);
/* A function of it, into the pointer to a function that is so large. */
bool libdeflate_find(void *library, const char *name, void *function, size_t size);

#endif
