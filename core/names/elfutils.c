#include "elfutils.h"

#include <dlfcn.h>
#include <string.h>

#include "library.h"

bool elfutils_load(struct elfutils *e)
{
	bool complete = true;
	e->libelf = dlopen("libelf.so.1", RTLD_NOW | RTLD_LOCAL);
	e->libdw = dlopen("libdw.so.1", RTLD_NOW | RTLD_LOCAL);
#define ELFUTILS_FIND(library, function) complete &= library_find(e->library, #function, &e->function);
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
