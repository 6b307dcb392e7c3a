#include "unpacker.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#include "library.h"
#include "vmsnap.h"

/* zstd.h */
struct zstd_in {
	const void *bytes;
	size_t size, at;
};
struct zstd_out {
	void *bytes;
	size_t size, at;
};

struct unpacker {
	void *library, *context;
	unsigned (*is_error)(size_t code);
	/* of zstd */
	size_t (*zstd_step)(void *context, struct zstd_out *out, struct zstd_in *in);
	size_t (*zstd_free)(void *context);
	/* of LZ4 */
	size_t (*lz4_step)(void *context, void *out, size_t *out_len, const void *in, size_t *in_len,
	                   const void *options);
	size_t (*lz4_free)(void *context);
};

#define FIND(library, name, to) library_find(library, name, (void *)&(to))

static int begin_zstd(struct unpacker *unpacker)
{
	void *(*create)(void);
	unpacker->library = dlopen("libzstd.so.1", RTLD_NOW | RTLD_LOCAL);
	if (!FIND(unpacker->library, "ZSTD_createDStream", create) ||
	    !FIND(unpacker->library, "ZSTD_decompressStream", unpacker->zstd_step) ||
	    !FIND(unpacker->library, "ZSTD_isError", unpacker->is_error) ||
	    !FIND(unpacker->library, "ZSTD_freeDStream", unpacker->zstd_free))
		return VMSNAP_ERR_NOT_FOUND;
	unpacker->context = create();
	return unpacker->context ? VMSNAP_OK : VMSNAP_ERR_NO_MEMORY;
}

static int begin_lz4(struct unpacker *unpacker)
{
	enum { LZ4F_VERSION = 100 };
	size_t (*create)(void **context, unsigned version);
	unpacker->library = dlopen("liblz4.so.1", RTLD_NOW | RTLD_LOCAL);
	if (!FIND(unpacker->library, "LZ4F_createDecompressionContext", create) ||
	    !FIND(unpacker->library, "LZ4F_decompress", unpacker->lz4_step) ||
	    !FIND(unpacker->library, "LZ4F_isError", unpacker->is_error) ||
	    !FIND(unpacker->library, "LZ4F_freeDecompressionContext", unpacker->lz4_free))
		return VMSNAP_ERR_NOT_FOUND;
	return unpacker->is_error(create(&unpacker->context, LZ4F_VERSION)) ? VMSNAP_ERR_NO_MEMORY : VMSNAP_OK;
}

int unpacker_new(const char *kind, struct unpacker **out)
{
	struct unpacker *unpacker = calloc(1, sizeof(*unpacker));
	if (!unpacker)
		return VMSNAP_ERR_NO_MEMORY;
	int rc = strcmp(kind, "zstd") == 0 ? begin_zstd(unpacker) : begin_lz4(unpacker);
	if (rc)
		unpacker_free(unpacker);
	else
		*out = unpacker;
	return rc;
}

void unpacker_free(struct unpacker *unpacker)
{
	if (!unpacker)
		return;
	if (unpacker->context && unpacker->zstd_free)
		unpacker->zstd_free(unpacker->context);
	if (unpacker->context && unpacker->lz4_free)
		unpacker->lz4_free(unpacker->context);
	if (unpacker->library)
		dlclose(unpacker->library);
	free(unpacker);
}

int unpacker_step(struct unpacker *unpacker, const void *in, size_t *taken, void *out, size_t *made)
{
	if (unpacker->lz4_step)
		return unpacker->is_error(unpacker->lz4_step(unpacker->context, out, made, in, taken, NULL))
		               ? VMSNAP_ERR_CORRUPT
		               : VMSNAP_OK;
	struct zstd_in from = { in, *taken, 0 };
	struct zstd_out to = { out, *made, 0 };
	size_t code = unpacker->zstd_step(unpacker->context, &to, &from);
	*taken = from.at;
	*made = to.at;
	return unpacker->is_error(code) ? VMSNAP_ERR_CORRUPT : VMSNAP_OK;
}
