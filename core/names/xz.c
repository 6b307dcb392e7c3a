#define _GNU_SOURCE
#include "xz.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "elf_file.h"
#include "error.h"
#include "library.h"
#include "pread_all.h"

/* The sizes that an .xz index states are only checked after all is inflated, so
 * they do not help.  Those of the LZMA2 chunks do: each states, in a header
 * that the decoder obeys, how much it takes up and how much it makes.
 * The .xz File Format 1.2.0, sections 2 and 3; 5.3.1 for LZMA2, whose chunks only
 * the reference decoder describes:
 *   0x00                     the end of the block
 *   0x01, 0x02   u16         a stored chunk of u16 + 1 bytes
 *   0x80 and up  u16 u16     makes (control & 31) << 16 | u16, + 1, from u16 + 1
 *                            bytes, after a properties byte if control >= 0xc0 */
enum { STREAM_HEADER = 12, BLOCK_HEADER_MAX = 1024, CHUNK_HEADER = 5, FILTER_MASK = 3 };

struct cursor {
	struct elf_window window;
	uint64_t at, end; /* offsets in the file */
	uint64_t made;
};

static const uint8_t *peek(struct cursor *c, size_t len)
{
	return c->end - c->at < len ? NULL : elf_window_at(&c->window, c->at, len);
}

static bool skip(struct cursor *c, uint64_t len)
{
	if (len > c->end - c->at)
		return false;
	c->at += len;
	return true;
}

/* All chunks of a block.  Every chunk takes at least 3 bytes, so this ends. */
static bool walk_chunks(struct cursor *c, uint64_t max)
{
	for (;;) {
		const uint8_t *b = peek(c, 1);
		if (!b)
			return false;
		if (*b == 0)
			return skip(c, 1);
		bool stored = *b == 1 || *b == 2;
		if ((!stored && *b < 0x80) || !(b = peek(c, stored ? 3 : CHUNK_HEADER)))
			return false;
		uint64_t makes = (uint64_t)b[1] << 8 | b[2], takes = 3 + makes + 1;
		if (!stored) {
			makes |= (uint64_t)(b[0] & 0x1f) << 16;
			takes = (b[0] >= 0xc0 ? 6 : 5) + ((uint64_t)b[3] << 8 | b[4]) + 1;
		}
		c->made += makes + 1;
		if (c->made > max || !skip(c, takes))
			return false;
	}
}

bool xz_size(int fd, uint64_t offset, uint64_t size, uint64_t max, uint64_t *made)
{
	static const uint8_t magic[6] = { 0xfd, '7', 'z', 'X', 'Z', 0 };
	static const uint8_t check_sizes[16] = { 0, 4, 4, 4, 8, 8, 8, 16, 16, 16, 32, 32, 32, 64, 64, 64 };
	if (offset > INT64_MAX || size > INT64_MAX - offset)
		return false;
	struct cursor c = { .at = offset, .end = offset + size };
	elf_window_init(&c.window, fd);
	const uint8_t *bytes = peek(&c, STREAM_HEADER);
	if (!bytes || memcmp(bytes, magic, sizeof(magic)) != 0)
		return false;
	uint64_t check = check_sizes[bytes[7] & 0xf];
	skip(&c, STREAM_HEADER);
	for (;;) {
		bytes = peek(&c, 2);
		if (!bytes)
			return false;
		if (bytes[0] == 0) { /* the index: no block follows */
			*made = c.made;
			return true;
		}
		if (bytes[1] & FILTER_MASK) /* filters before LZMA2: nobody uses them here */
			return false;
		uint64_t start = c.at + ((uint64_t)bytes[0] + 1) * 4;
		if (!skip(&c, start - c.at) || !walk_chunks(&c, max))
			return false;
		uint64_t padding = (4 - (c.at - start) % 4) % 4;
		if (!skip(&c, padding + check))
			return false;
	}
}

bool xz_fits(int fd, uint64_t offset, uint64_t size, uint64_t max)
{
	uint64_t made;
	return xz_size(fd, offset, size, max, &made);
}

/* ---- inflating ------------------------------------------------------------------ */

/* lzma_stream_buffer_decode() of liblzma 5, whose header need not be installed. */
typedef int buffer_decode(uint64_t *memory_limit, uint32_t flags, const void *allocator, const uint8_t *in,
                          size_t *in_at, size_t in_size, uint8_t *out, size_t *out_at, size_t out_size);
enum { LZMA_DONE = 0 };

/* The bytes of the stream, malloc'ed; *size is cut to what the file has. */
static uint8_t *read_stream(int fd, uint64_t offset, uint64_t *size)
{
	struct stat st;
	if (fstat(fd, &st) || offset >= (uint64_t)st.st_size)
		return NULL;
	if (*size > (uint64_t)st.st_size - offset)
		*size = (uint64_t)st.st_size - offset;
	uint8_t *bytes = malloc((size_t)*size);
	ssize_t got = bytes ? pread_all(fd, bytes, (size_t)*size, offset) : 0;
	*size = got > 0 ? (uint64_t)got : 0;
	return bytes;
}

bool xz_inflate(int fd, uint64_t offset, uint64_t size, void *out, uint64_t room)
{
	CLEANUP_FREE uint8_t *in = read_stream(fd, offset, &size);
	void *library = in ? dlopen("liblzma.so.5", RTLD_NOW | RTLD_LOCAL) : NULL;
	buffer_decode *decode = NULL;
	uint64_t memory_limit = UINT64_C(256) << 20; /* a dictionary may be 64 MiB large */
	size_t in_at = 0, out_at = 0;
	bool whole = library_find(library, "lzma_stream_buffer_decode", (void *)&decode) &&
	             decode(&memory_limit, 0, NULL, in, &in_at, (size_t)size, out, &out_at, (size_t)room) == LZMA_DONE;
	if (library)
		dlclose(library);
	return whole && out_at == room;
}
