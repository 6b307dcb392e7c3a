#define _GNU_SOURCE
#include "file_packed.h"

#include <elf.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "error.h"
#include "file_error.h"
#include "file_sink.h"
#include "file_spool.h"
#include "unpacker.h"

/* So many zeros may come out for each byte of data that may: a terabyte of them costs nothing but time. */
enum { ZEROS_FACTOR = 64, OUT_BYTES = 1 << 20, IN_BYTES = 256 << 10, BLOCK = 4096 };

struct unpacking {
	const struct file_source *from;
	struct unpacker *unpacker;
	struct work *work;
	struct vmsnap_error *err;
	uint64_t read, made, data, limit;
	int to;
	char to_name[SPOOL_TOLD];
	uint8_t *in, *out;
};

static bool is_zero(const uint8_t *bytes, size_t len)
{
	static const uint8_t zeros[BLOCK];
	return !memcmp(bytes, zeros, len);
}

/* Whole blocks of zeros are passed over; the end of the file is set when all has come. */
static int write_block(struct unpacking *u, const uint8_t *bytes, size_t len)
{
	if (is_zero(bytes, len)) {
		u->made += len;
		return VMSNAP_OK;
	}
	u->data += len;
	if (u->data > u->limit)
		return file_bad(u->from->name, u->err, VMSNAP_ERR_TOO_LARGE, u->read,
		                "more than %" PRIu64 " bytes are packed in it", u->limit);
	for (size_t done = 0; done < len;) {
		ssize_t put = pwrite(u->to, bytes + done, len - done, (off_t)(u->made + done));
		if (put < 0 && errno != EINTR)
			return fail_sys(u->err, errno, "cannot write %s", u->to_name);
		done += put > 0 ? (size_t)put : 0;
	}
	u->made += len;
	return VMSNAP_OK;
}

static int write_out(struct unpacking *u, size_t len)
{
	int rc = VMSNAP_OK;
	if (!u->made && (len < SELFMAG || memcmp(u->out, ELFMAG, SELFMAG) != 0))
		return file_bad(u->from->name, u->err, VMSNAP_ERR_NOT_SNAPSHOT, 0,
		                "it is compressed, and what is packed in it is no core file");
	if (u->made / ZEROS_FACTOR > u->limit)
		return file_bad(u->from->name, u->err, VMSNAP_ERR_TOO_LARGE, u->read, "too much is packed in it");
	for (size_t at = 0; !rc && at < len; at += BLOCK)
		rc = write_block(u, u->out + at, len - at < BLOCK ? len - at : BLOCK);
	if (!rc && work_ask(u->work))
		rc = work_fail(u->work, VMSNAP_ERR_CANCELLED, u->err);
	return rc;
}

/* A part of the input; blocks are whole, but for the last. */
static int unpack_part(struct unpacking *u, size_t len, size_t *held)
{
	int rc = VMSNAP_OK;
	for (size_t used = 0; !rc;) {
		size_t taken = len - used, made = OUT_BYTES - *held;
		if (unpacker_step(u->unpacker, u->in + used, &taken, u->out + *held, &made))
			return file_bad(u->from->name, u->err, VMSNAP_ERR_CORRUPT, u->read,
			                "what is compressed cannot be unpacked");
		used += taken;
		*held += made;
		if (*held == OUT_BYTES) {
			rc = write_out(u, *held);
			*held = 0;
		} else if (used == len && !made) {
			return rc;
		} else if (!taken && !made) {
			return rc;
		}
	}
	return rc;
}

static int unpack_all(struct unpacking *u)
{
	size_t held = 0;
	int rc = VMSNAP_OK;
	while (!rc && u->read < u->from->size) {
		uint64_t left = u->from->size - u->read;
		size_t len = left < IN_BYTES ? (size_t)left : IN_BYTES;
		rc = file_source_read(u->from, u->read, u->in, len, u->err);
		rc = rc ? rc : unpack_part(u, len, &held);
		u->read += len;
	}
	if (!rc && (held || !u->made))
		rc = write_out(u, held);
	if (!rc && ftruncate(u->to, (off_t)u->made))
		rc = fail_sys(u->err, errno, "cannot write %s", u->to_name);
	return rc;
}

/* The whole file takes the place of the packed one; what an end that is missing held is cut off of it. */
static void replace(struct file_source *source, const struct unpacking *u)
{
	char *name = source->name;
	source->name = NULL;
	file_source_close(source);
	*source = (struct file_source){ .name = name, .fd = u->to, .owns_fd = true, .size = u->made };
}

static const char *packed_as(const uint8_t *magic, bool *can)
{
	static const struct {
		uint8_t magic[4];
		size_t len;
		const char *name;
		bool can;
	} kinds[] = {
		{ { 0x28, 0xb5, 0x2f, 0xfd }, 4, "zstd", true }, { { 0x04, 0x22, 0x4d, 0x18 }, 4, "lz4", true },
		{ { 0xfd, '7', 'z', 'X' }, 4, "xz", false },     { { 0x1f, 0x8b }, 2, "gzip", false },
		{ { 'B', 'Z', 'h' }, 3, "bzip2", false },
	};
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		*can = kinds[i].can;
		if (!memcmp(magic, kinds[i].magic, kinds[i].len))
			return kinds[i].name;
	}
	return NULL;
}

static int unpack(struct file_source *source, const struct vmsnap_limits *limits, struct unpacking *u)
{
	u->limit = limits->input_bytes;
	u->in = malloc(IN_BYTES);
	u->out = malloc(OUT_BYTES);
	int fd = u->in && u->out ? file_spool_temporary(source->name, u->to_name, u->err) : fail_no_memory(u->err);
	if (fd < 0)
		return fd;
	u->to = fd;
	int rc = unpack_all(u);
	if (rc)
		close(fd);
	else
		replace(source, u);
	return rc;
}

int file_packed_open(struct file_source *source, const struct vmsnap_limits *limits, struct work *work,
                     struct vmsnap_error *err)
{
	uint8_t magic[4];
	bool can;
	const char *kind = source->size >= sizeof(magic) && !file_source_read(source, 0, magic, sizeof(magic), NULL)
	                           ? packed_as(magic, &can)
	                           : NULL;
	if (!kind)
		return VMSNAP_OK;
	if (!can)
		return file_bad(source->name, err, VMSNAP_ERR_NOT_SNAPSHOT, 0,
		                "it is compressed with %s: a core file in it is to be unpacked first", kind);
	struct unpacking u = { .from = source, .work = work, .err = err, .to = -1 };
	int rc = unpacker_new(kind, &u.unpacker);
	if (rc == VMSNAP_ERR_NOT_FOUND)
		return file_bad(
		        source->name, err, VMSNAP_ERR_NOT_SNAPSHOT, 0,
		        "it is compressed with %s, and the library of that is not there (lib%s): a core file in it "
		        "is to be unpacked first",
		        kind, kind);
	rc = rc ? fail_no_memory(err) : unpack(source, limits, &u);
	unpacker_free(u.unpacker);
	free(u.in);
	free(u.out);
	return rc;
}
