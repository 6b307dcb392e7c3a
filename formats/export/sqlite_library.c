#include "sqlite_library.h"

#include <dlfcn.h>
#include <string.h>

#include "library.h"

bool sqlite_load(struct sqlite_library *sqlite)
{
	bool complete = true;
	sqlite->handle = dlopen("libsqlite3.so.0", RTLD_NOW | RTLD_LOCAL);
#define SQLITE_FIND(function) complete &= library_find(sqlite->handle, "sqlite3_" #function, &sqlite->function);
	SQLITE_FUNCTIONS(SQLITE_FIND)
#undef SQLITE_FIND
	if (!complete)
		sqlite_unload(sqlite);
	return complete;
}

void sqlite_unload(struct sqlite_library *sqlite)
{
	if (sqlite->handle)
		dlclose(sqlite->handle);
	memset(sqlite, 0, sizeof(*sqlite));
}
