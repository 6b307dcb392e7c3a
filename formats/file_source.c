#define _GNU_SOURCE
#include "file_source.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>

#include "error.h"
#include "section.h"

enum { SLURP_START = 64 * 1024 };

static const char *word_of(int code)
{
	switch (code) {
	case VMSNAP_ERR_NOT_SNAPSHOT:
		return "not a vmsnap file";
	case VMSNAP_ERR_NEWER:
		return "written by a newer vmsnap";
	case VMSNAP_ERR_TRUNCATED:
		return "truncated";
	case VMSNAP_ERR_TOO_LARGE:
		return "too large";
	default:
		return "damaged";
	}
}

int file_bad(const char *name, struct vmsnap_error *err, int code, uint64_t offset, const char *format, ...)
{
	char detail[256];
	va_list args;
	va_start(args, format);
	vsnprintf(detail, sizeof(detail), format, args);
	va_end(args);
	/* A long path must not push the offset out of the message. */
	return fail_at(err, code, offset, "%.160s: %s: %s, at offset %" PRIu64, name, word_of(code), detail, offset);
}

/* Reads up to len bytes from a descriptor; fewer only at the end. */
static int read_some(int fd, const char *name, uint8_t *out, size_t len, size_t *got, struct vmsnap_error *err)
{
	*got = 0;
	while (*got < len) {
		ssize_t n = read(fd, out + *got, len - *got);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail_sys(err, errno, "cannot read %.200s", name);
		if (!n)
			break;
		*got += (size_t)n;
	}
	return VMSNAP_OK;
}

/* Before the rest is waited for and kept: it may be long, or have no end. */
static int check_magic(const struct file_source *source, const uint8_t *bytes, size_t len, struct vmsnap_error *err)
{
	if (stream_header_read(bytes, len) != VMSNAP_ERR_NOT_SNAPSHOT)
		return VMSNAP_OK;
	return file_bad(source->name, err, VMSNAP_ERR_NOT_SNAPSHOT, 0, "expected the bytes 89 56 4d 53");
}

static int slurp(struct file_source *source, int fd, uint64_t limit, struct vmsnap_error *err)
{
	uint8_t magic[MAGIC_BYTES];
	size_t room = SLURP_START, have = 0;
	int rc = read_some(fd, source->name, magic, sizeof(magic), &have, err);
	if (!rc)
		rc = check_magic(source, magic, have, err);
	if (rc)
		return rc;
	for (;; room *= 2) {
		uint8_t *grown = realloc(source->owned, room);
		if (!grown)
			return fail_no_memory(err);
		if (!source->owned)
			memcpy(grown, magic, have);
		source->owned = grown;
		size_t got;
		rc = read_some(fd, source->name, grown + have, room - have, &got, err);
		if (rc)
			return rc;
		have += got;
		if (have > limit)
			return file_bad(source->name, err, VMSNAP_ERR_TOO_LARGE, limit,
			                "more than %" PRIu64 " bytes of input", limit);
		if (have < room)
			break;
	}
	source->bytes = source->owned;
	source->size = have;
	return VMSNAP_OK;
}

static int open_descriptor(struct file_source *source, int fd, uint64_t limit, struct vmsnap_error *err)
{
	struct stat st;
	if (fstat(fd, &st))
		return fail_sys(err, errno, "cannot read %.200s", source->name);
	off_t at = S_ISREG(st.st_mode) ? lseek(fd, 0, SEEK_CUR) : -1;
	if (at < 0)
		return slurp(source, fd, limit, err);
	source->base = (uint64_t)at;
	source->size = st.st_size > at ? (uint64_t)(st.st_size - at) : 0;
	return VMSNAP_OK;
}

int file_source_open_fd(struct file_source *source, int fd, const char *name, uint64_t limit, struct vmsnap_error *err)
{
	*source = (struct file_source){ .name = strdup(name), .fd = fd };
	int rc = source->name ? open_descriptor(source, fd, limit, err) : fail_no_memory(err);
	if (rc)
		file_source_close(source);
	return rc;
}

int file_source_open(struct file_source *source, const char *path, uint64_t limit, struct vmsnap_error *err)
{
	if (strcmp(path, "-") == 0)
		return file_source_open_fd(source, STDIN_FILENO, "standard input", limit, err);
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return fail_sys(err, errno, "cannot open %.200s", path);
	int rc = file_source_open_fd(source, fd, path, limit, err);
	if (rc)
		close(fd);
	else
		source->owns_fd = true;
	return rc;
}

int file_source_open_memory(struct file_source *source, const void *bytes, size_t len, struct vmsnap_error *err)
{
	*source = (struct file_source){ .name = strdup("memory"), .bytes = bytes, .size = len, .fd = -1 };
	/* NULL with length 0 is an empty file, not one behind a descriptor. */
	if (!bytes)
		source->bytes = (const uint8_t *)"";
	return source->name ? VMSNAP_OK : fail_no_memory(err);
}

void file_source_close(struct file_source *source)
{
	if (source->owns_fd)
		close(source->fd);
	free(source->owned);
	free(source->name);
	*source = (struct file_source){ .fd = -1 };
}

int file_source_read(const struct file_source *source, uint64_t offset, void *out, size_t len, struct vmsnap_error *err)
{
	if (offset > source->size || len > source->size - offset)
		return file_bad(source->name, err, VMSNAP_ERR_TRUNCATED, offset, "%zu bytes are missing", len);
	if (source->bytes) {
		if (len)
			memcpy(out, source->bytes + offset, len);
		return VMSNAP_OK;
	}
	for (size_t done = 0; done < len;) {
		ssize_t n = pread(source->fd, (uint8_t *)out + done, len - done, (off_t)(source->base + offset + done));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail_sys(err, errno, "cannot read %.200s", source->name);
		if (!n)
			return file_bad(source->name, err, VMSNAP_ERR_TRUNCATED, offset,
			                "the file became shorter while it was read");
		done += (size_t)n;
	}
	return VMSNAP_OK;
}
