#include "block_deflater.h"

#include <dlfcn.h>
#include <stdlib.h>

/* The input pointers of zlib become const with this. */
#define ZLIB_CONST
#include <zlib.h>

#include "libdeflate.h"
#include "library.h"

enum { LEVEL = 1 };

typedef void *compressor_new(int level);
typedef void compressor_free(void *compressor);
typedef size_t zlib_compress(void *compressor, const void *in, size_t in_len, void *out, size_t room);

struct block_deflater {
	void *library, *compressor;
	compressor_free *free;
	zlib_compress *compress;
	z_stream stream; /* without a library */
	bool stream_made;
};

static void load(struct block_deflater *deflater)
{
	compressor_new *new = NULL;
	deflater->library = libdeflate_load();
	if (deflater->library && library_find(deflater->library, "libdeflate_alloc_compressor", (void *)&new) &&
	    library_find(deflater->library, "libdeflate_free_compressor", (void *)&deflater->free) &&
	    library_find(deflater->library, "libdeflate_zlib_compress", (void *)&deflater->compress))
		deflater->compressor = new (LEVEL);
}

struct block_deflater *block_deflater_new(void)
{
	struct block_deflater *deflater = calloc(1, sizeof(*deflater));
	if (!deflater)
		return NULL;
	load(deflater);
	if (deflater->compressor)
		return deflater;
	deflater->stream_made = deflateInit(&deflater->stream, LEVEL) == Z_OK;
	if (!deflater->stream_made) {
		block_deflater_free(deflater);
		return NULL;
	}
	return deflater;
}

void block_deflater_free(struct block_deflater *deflater)
{
	if (!deflater)
		return;
	if (deflater->compressor)
		deflater->free(deflater->compressor);
	if (deflater->library)
		dlclose(deflater->library);
	if (deflater->stream_made)
		deflateEnd(&deflater->stream);
	free(deflater);
}

static size_t deflate_zlib(z_stream *stream, const uint8_t *raw, size_t len, uint8_t *to, size_t room)
{
	if (deflateReset(stream) != Z_OK)
		return 0;
	stream->next_in = raw;
	stream->avail_in = (uInt)len;
	stream->next_out = to;
	stream->avail_out = (uInt)room;
	return deflate(stream, Z_FINISH) == Z_STREAM_END ? room - stream->avail_out : 0;
}

bool block_deflate(struct block_deflater *deflater, const uint8_t *raw, size_t len, struct bytes *out)
{
	out->len = 0;
	uint8_t *to = bytes_reserve(out, len);
	if (!to || len < 2)
		return false;
	/* 0: there is not enough room, as it must become smaller. */
	out->len = deflater->compressor ? deflater->compress(deflater->compressor, raw, len, to, len - 1)
	                                : deflate_zlib(&deflater->stream, raw, len, to, len - 1);
	return out->len;
}
