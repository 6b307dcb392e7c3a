#include "libdeflate.h"

#include <dlfcn.h>

void *libdeflate_load(void)
{
	return dlopen("libdeflate.so.0", RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
}
