#define _GNU_SOURCE
#include "elf_debug.h"

#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <zlib.h>

#include "build_id.h"
#include "elf_file.h"
#include "error.h"
#include "names_path.h"

#define DEBUG_FOLDER "/usr/lib/debug"

/* The CRC is that of the whole file.  A crafted one may say that it is endless. */
#define CRC_BYTES_MAX (INT64_C(4) << 30)

static bool crc_is(int fd, uint32_t wanted, struct work *work)
{
	enum { CHUNK = 256 * 1024 };
	CLEANUP_FREE uint8_t *bytes = malloc(CHUNK);
	uLong crc = crc32(0, NULL, 0);
	off_t at = 0;
	ssize_t got = -1;
	while (bytes && at < CRC_BYTES_MAX && !work_ask(work) && (got = pread(fd, bytes, CHUNK, at)) > 0) {
		crc = crc32(crc, bytes, (uInt)got);
		at += got;
	}
	return got == 0 && (uint32_t)crc == wanted;
}

/* A program that links to itself would be read twice and bring nothing. */
static bool same_file(int a, int b)
{
	struct stat x, y;
	return fstat(a, &x) == 0 && fstat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

static bool is_wanted(int fd, const struct debug_query *q)
{
	struct elf_window window;
	struct elf_header header;
	uint8_t id[BUILD_ID_MAX];
	size_t len = 0;
	elf_window_init(&window, fd);
	if (same_file(fd, q->fd) || !elf_header_read(&window, &header))
		return false;
	bool has_one = build_id_of_sections(fd, id, sizeof(id), &len) == VMSNAP_OK;
	if (has_one && len == q->build_id_len && memcmp(id, q->build_id, len) == 0)
		return true;
	return q->link && (!has_one || !q->build_id_len) && crc_is(fd, q->link_crc, q->work);
}

/* Takes over `path`. */
static int try_path(const struct debug_query *q, char *path, char **out)
{
	int fd = path ? names_open_regular(q->root, path) : -1;
	if (fd >= 0 && is_wanted(fd, q)) {
		*out = path;
		return fd;
	}
	if (fd >= 0)
		close(fd);
	free(path);
	return -1;
}

static char *joined(const char *a, const char *folder, size_t folder_len, const char *b, const char *name)
{
	char *path = NULL;
	return asprintf(&path, "%s%.*s%s%s", a, (int)folder_len, folder, b, name) < 0 ? NULL : path;
}

static char *build_id_path(const struct debug_query *q)
{
	char hex[2 * 256 + 1];
	if (q->build_id_len < 2 || q->build_id_len > 256)
		return NULL;
	for (size_t i = 0; i < q->build_id_len; i++)
		snprintf(hex + 2 * i, 3, "%02x", q->build_id[i]);
	char *path = NULL;
	return asprintf(&path, DEBUG_FOLDER "/.build-id/%.2s/%s.debug", hex, hex + 2) < 0 ? NULL : path;
}

int debug_file_find(const struct debug_query *q, char **path)
{
	int fd = try_path(q, build_id_path(q), path);
	/* The link is a bare name: a crafted one must not wander off. */
	if (fd >= 0 || !q->link || !*q->link || strchr(q->link, '/'))
		return fd;
	const char *slash = strrchr(q->path, '/');
	size_t folder = slash ? (size_t)(slash - q->path) + 1 : 0;
	static const struct {
		const char *before, *after;
	} places[] = { { "", "" }, { "", ".debug/" }, { DEBUG_FOLDER, "" } };
	for (size_t i = 0; folder && folder < 65536 && fd < 0 && i < sizeof(places) / sizeof(*places); i++)
		fd = try_path(q, joined(places[i].before, q->path, folder, places[i].after, q->link), path);
	return fd;
}
