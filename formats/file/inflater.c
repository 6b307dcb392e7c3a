#include "inflater.h"

#include <dlfcn.h>
#include <stdbool.h>
#include <stdlib.h>

#include "file_deflate.h"
#include "libdeflate.h"
#include "library.h"

typedef void *decompressor_new(void);
typedef void decompressor_free(void *decompressor);
/* Without `made` exactly as much as there is room for must come out. */
typedef int zlib_decompress(void *decompressor, const void *in, size_t in_len, void *out, size_t out_len, size_t *used,
                            size_t *made);
enum { LIBDEFLATE_DONE = 0 };

struct inflater {
	void *library, *decompressor;
	decompressor_free *free;
	zlib_decompress *inflate;
};

static void load(struct inflater *inflater)
{
	decompressor_new *new = NULL;
	inflater->library = libdeflate_load();
	if (inflater->library && library_find(inflater->library, "libdeflate_alloc_decompressor", (void *)&new) &&
	    library_find(inflater->library, "libdeflate_free_decompressor", (void *)&inflater->free) &&
	    library_find(inflater->library, "libdeflate_zlib_decompress_ex", (void *)&inflater->inflate))
		inflater->decompressor = new ();
}

struct inflater *inflater_new(void)
{
	struct inflater *inflater = calloc(1, sizeof(*inflater));
	if (inflater)
		load(inflater);
	return inflater;
}

void inflater_free(struct inflater *inflater)
{
	if (!inflater)
		return;
	if (inflater->decompressor)
		inflater->free(inflater->decompressor);
	if (inflater->library)
		dlclose(inflater->library);
	free(inflater);
}

int inflater_inflate(struct inflater *inflater, const uint8_t *stored, size_t stored_len, uint8_t *raw, size_t raw_len)
{
	struct work alone = { .limit = WORK_UNLIMITED };
	size_t used = 0;
	if (inflater->decompressor &&
	    inflater->inflate(inflater->decompressor, stored, stored_len, raw, raw_len, &used, NULL) ==
	            LIBDEFLATE_DONE &&
	    used == stored_len)
		return VMSNAP_OK;
	/* It knows no preset dictionary; and what is damage, zlib says. */
	return inflate_payload(stored, stored_len, raw, raw_len, &alone);
}
