#define _GNU_SOURCE
#include "spill.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "error.h"

static int anonymous_file(void)
{
	const char *named = getenv("TMPDIR");
	const char *folders[] = { named && *named == '/' ? named : "/var/tmp", "/var/tmp", "/tmp" };
	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		int fd = open(folders[i], O_TMPFILE | O_RDWR | O_CLOEXEC | O_EXCL, 0600);
		if (fd >= 0)
			return fd;
	}
	return memfd_create("vmsnap-report", MFD_CLOEXEC);
}

static void spill_fail(struct spill *spill, int code, int saved_errno)
{
	if (spill->failed)
		return;
	spill->failed = code;
	spill->saved_errno = saved_errno;
}

static void write_out(struct spill *spill)
{
	if (!spill->file)
		spill->file = anonymous_file() + 1;
	size_t done = 0;
	while (spill->file && done < spill->count) {
		ssize_t n = write(spill->file - 1, spill->bytes + done, spill->count - done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			break;
		done += (size_t)n;
	}
	if (done < spill->count)
		spill_fail(spill, VMSNAP_ERR_SYSTEM, errno);
	spill->count = 0;
}

static bool make_room(struct spill *spill, size_t len)
{
	if (spill->count + len > SPILL_MEMORY)
		write_out(spill);
	if (spill->failed)
		return false;
	if (spill->count + len <= spill->room)
		return true;
	size_t room = spill->room ? 2 * spill->room : 4096;
	int rc = work_charge(spill->work, room - spill->room);
	uint8_t *bytes = rc ? NULL : realloc(spill->bytes, room);
	if (!bytes) {
		if (!rc)
			work_release(spill->work, room - spill->room);
		spill_fail(spill, rc ? rc : VMSNAP_ERR_NO_MEMORY, 0);
		return false;
	}
	spill->bytes = bytes;
	spill->room = room;
	return true;
}

void spill_put(struct spill *spill, const void *bytes, size_t len)
{
	const uint8_t *from = bytes;
	while (len && !spill->failed) {
		size_t part = len < 4096 ? len : 4096;
		if (!make_room(spill, part))
			return;
		memcpy(spill->bytes + spill->count, from, part);
		spill->count += part;
		spill->size += part;
		from += part;
		len -= part;
	}
}

void spill_byte(struct spill *spill, uint8_t byte)
{
	spill_put(spill, &byte, 1);
}

void spill_varint(struct spill *spill, uint64_t number)
{
	uint8_t bytes[10];
	size_t count = 0;
	for (; number > 127; number >>= 7)
		bytes[count++] = (uint8_t)(number & 127) | 128;
	bytes[count++] = (uint8_t)number;
	spill_put(spill, bytes, count);
}

int spill_end(struct spill *spill, struct vmsnap_error *err)
{
	if (!spill->failed && spill->file)
		write_out(spill);
	if (spill->failed == VMSNAP_ERR_SYSTEM)
		return fail_sys(err, spill->saved_errno, "cannot write a temporary file");
	return spill->failed ? work_fail(spill->work, spill->failed, err) : VMSNAP_OK;
}

void spill_free(struct spill *spill)
{
	if (spill->work)
		work_free(spill->work, spill->bytes, spill->room, 1);
	if (spill->file)
		close(spill->file - 1);
	*spill = (struct spill){ 0 };
}

void spill_read(struct spill_reader *reader, const struct spill *spill)
{
	reader->spill = spill;
	reader->at = reader->filled = 0;
	reader->read = 0;
	reader->saved_errno = 0;
}

static bool fill(struct spill_reader *reader)
{
	const struct spill *spill = reader->spill;
	uint64_t left = spill->size - reader->read;
	size_t want = left < sizeof(reader->buffer) ? (size_t)left : sizeof(reader->buffer);
	if (!want)
		return false;
	if (!spill->file) {
		memcpy(reader->buffer, spill->bytes + reader->read, want);
	} else {
		ssize_t n;
		do
			n = pread(spill->file - 1, reader->buffer, want, (off_t)reader->read);
		while (n < 0 && errno == EINTR);
		if (n <= 0) {
			reader->saved_errno = n < 0 ? errno : EIO;
			return false;
		}
		want = (size_t)n;
	}
	reader->at = 0;
	reader->filled = want;
	reader->read += want;
	return true;
}

size_t spill_get(struct spill_reader *reader, void *to, size_t len)
{
	size_t done = 0;
	while (done < len && (reader->at < reader->filled || fill(reader))) {
		size_t part = reader->filled - reader->at;
		part = part < len - done ? part : len - done;
		memcpy((uint8_t *)to + done, reader->buffer + reader->at, part);
		reader->at += part;
		done += part;
	}
	return done;
}

uint64_t spill_get_varint(struct spill_reader *reader)
{
	uint64_t number = 0;
	for (unsigned shift = 0; shift < 64; shift += 7) {
		uint8_t byte = 0;
		if (!spill_get(reader, &byte, 1))
			break;
		number |= (uint64_t)(byte & 127) << shift;
		if (!(byte & 128))
			break;
	}
	return number;
}
