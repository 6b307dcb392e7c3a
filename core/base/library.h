/* library.h - functions of libraries that are loaded when they are needed, and done without where they are not. */
#ifndef VMSNAP_LIBRARY_H
#define VMSNAP_LIBRARY_H

#include <stdbool.h>

/* `function` is a pointer to a pointer to a function: NULL in it, and false, where `library` (as dlopen() gives
 * it, NULL too) has none of that name. */
bool library_find(void *library, const char *name, void *function);

#endif
