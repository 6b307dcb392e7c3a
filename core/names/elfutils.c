#include "elfutils.h"

#include <dlfcn.h>
#include <string.h>

/* POSIX lets a pointer from dlsym() be a function, ISO C has no cast for it. */
static bool find(void *library, const char *name, void *function)
{
	void *found = library ? dlsym(library, name) : NULL;
	memcpy(function, &found, sizeof(found));
	return found;
}

bool elfutils_load(struct elfutils *e)
{
	bool complete = true;
	e->libelf = dlopen("libelf.so.1", RTLD_NOW | RTLD_LOCAL);
	e->libdw = dlopen("libdw.so.1", RTLD_NOW | RTLD_LOCAL);
#define ELFUTILS_FIND(library, function) complete &= find(e->library, #function, &e->function);
	ELFUTILS_FUNCTIONS(ELFUTILS_FIND)
#undef ELFUTILS_FIND
	if (!complete)
		elfutils_unload(e);
	return complete;
}

void elfutils_unload(struct elfutils *e)
{
	if (e->libdw)
		dlclose(e->libdw);
	if (e->libelf)
		dlclose(e->libelf);
	memset(e, 0, sizeof(*e));
}
