#include "blob.h"

#include <string.h>
#include <zlib.h>

#include "error.h"

struct encoder {
	uint8_t left[3]; /* bytes that do not make a group of three yet */
	size_t left_count, count;
	char text[4096];
	vmsnap_write_fn write;
	void *ctx;
	int failed; /* errno */
};

static void flush_text(struct encoder *encoder)
{
	if (!encoder->failed && encoder->count)
		encoder->failed = encoder->write(encoder->ctx, encoder->text, encoder->count);
	encoder->count = 0;
}

static void put_group(struct encoder *encoder, const uint8_t *bytes, size_t count)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	uint32_t group =
	        (uint32_t)bytes[0] << 16 | (count > 1 ? (uint32_t)bytes[1] << 8 : 0) | (count > 2 ? bytes[2] : 0);
	if (encoder->count + 4 > sizeof(encoder->text))
		flush_text(encoder);
	for (size_t i = 0; i < 4; i++)
		encoder->text[encoder->count++] = i <= count ? digits[group >> (18 - 6 * i) & 63] : '=';
}

static void put_bytes(struct encoder *encoder, const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		encoder->left[encoder->left_count++] = bytes[i];
		if (encoder->left_count == 3) {
			put_group(encoder, encoder->left, 3);
			encoder->left_count = 0;
		}
	}
}

static void deflate_some(struct encoder *encoder, z_stream *stream, int flush)
{
	uint8_t out[4096];
	do {
		stream->next_out = out;
		stream->avail_out = sizeof(out);
		deflate(stream, flush);
		put_bytes(encoder, out, sizeof(out) - stream->avail_out);
	} while (!stream->avail_out && !encoder->failed);
}

int blob_write(const struct spill *bytes, vmsnap_write_fn write, void *ctx, struct vmsnap_error *err)
{
	struct encoder encoder = { .write = write, .ctx = ctx };
	struct spill_reader reader;
	z_stream stream = { 0 };
	uint8_t in[4096];
	size_t len;
	if (deflateInit(&stream, Z_BEST_COMPRESSION) != Z_OK)
		return fail_no_memory(err);
	spill_read(&reader, bytes);
	while (!encoder.failed && (len = spill_get(&reader, in, sizeof(in)))) {
		stream.next_in = in;
		stream.avail_in = (unsigned)len;
		deflate_some(&encoder, &stream, Z_NO_FLUSH);
	}
	deflate_some(&encoder, &stream, Z_FINISH);
	deflateEnd(&stream);
	if (encoder.left_count)
		put_group(&encoder, encoder.left, encoder.left_count);
	flush_text(&encoder);
	if (reader.saved_errno)
		return fail_sys(err, reader.saved_errno, "cannot read a temporary file");
	return encoder.failed ? fail_sys(err, encoder.failed, "cannot write the page") : VMSNAP_OK;
}
