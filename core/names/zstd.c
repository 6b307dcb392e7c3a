#include "zstd.h"

#include <dlfcn.h>

#include "library.h"
#include "vmsnap.h"

typedef size_t (*decompress_fn)(void *to, size_t room, const void *packed, size_t len);
typedef unsigned (*is_error_fn)(size_t code);

int zstd_inflate(const void *packed, size_t packed_len, void *to, size_t len)
{
	void *library = dlopen("libzstd.so.1", RTLD_NOW | RTLD_LOCAL);
	decompress_fn decompress;
	is_error_fn is_error;
	int rc = VMSNAP_ERR_NOT_FOUND;
	if (library_find(library, "ZSTD_decompress", (void *)&decompress) &&
	    library_find(library, "ZSTD_isError", (void *)&is_error)) {
		size_t made = decompress(to, len, packed, packed_len);
		rc = is_error(made) || made != len ? VMSNAP_ERR_CORRUPT : VMSNAP_OK;
	}
	if (library)
		dlclose(library);
	return rc;
}
