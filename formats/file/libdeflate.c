#include "libdeflate.h"

#include <dlfcn.h>
#include <string.h>

void *libdeflate_load(void)
{
	return dlopen("libdeflate.so.0", RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
}

bool libdeflate_find(void *library, const char *name, void *function, size_t size)
{
	void *found = dlsym(library, name);
	memcpy(function, &found, size); /* as in elfutils.c */
	return found;
}
