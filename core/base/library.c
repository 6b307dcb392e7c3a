#include "library.h"

#include <dlfcn.h>
#include <string.h>

/* POSIX lets a pointer from dlsym() be a function, ISO C has no cast for it. */
bool library_find(void *library, const char *name, void *function)
{
	void *found = library ? dlsym(library, name) : NULL;
	memcpy(function, &found, sizeof(found));
	return found;
}
