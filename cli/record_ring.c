#define _GNU_SOURCE
#include "record_ring.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "say.h"

/* "-20261127T120000Z": names in the order of time are in order, whatever the clocks of summer do. */
enum { STAMP = 17 };
static const char stamp_shape[] = "-ddddddddTddddddZ";

/* What of a path's last part is in front of the time, and what behind. */
struct shape {
	char folder[PATH_MAX];
	const char *base;
	size_t front; /* of base */
	const char *tail;
};

static int shape_of(const char *path, struct shape *out)
{
	const char *slash = strrchr(path, '/');
	size_t len = slash ? (size_t)(slash - path) : 0;
	out->base = slash ? slash + 1 : path;
	const char *dot = strrchr(out->base, '.');
	out->tail = dot && dot != out->base ? dot : out->base + strlen(out->base);
	out->front = (size_t)(out->tail - out->base);
	if (len >= sizeof(out->folder))
		return -1;
	snprintf(out->folder, sizeof(out->folder), "%.*s", slash ? (len ? (int)len : 1) : 1, slash ? path : ".");
	return 0;
}

int ring_name(const char *path, int64_t seconds, char *name, size_t room)
{
	struct shape shape;
	struct tm tm;
	char stamp[STAMP + 8];
	time_t when = (time_t)seconds;
	if (shape_of(path, &shape) || !gmtime_r(&when, &tm) ||
	    strftime(stamp, sizeof(stamp), "-%Y%m%dT%H%M%SZ", &tm) != STAMP)
		return -1;
	int len = snprintf(name, room, "%.*s%s%s", (int)(shape.tail - path), path, stamp, shape.tail);
	return len < 0 || (size_t)len >= room ? -1 : 0;
}

static bool is_stamp(const char *text)
{
	for (size_t i = 0; i < STAMP; i++)
		if (stamp_shape[i] == 'd' ? text[i] < '0' || text[i] > '9' : text[i] != stamp_shape[i])
			return false;
	return true;
}

static bool is_of_ring(const struct shape *shape, const char *name)
{
	size_t len = strlen(name), tail = strlen(shape->tail);
	return len == shape->front + STAMP + tail && !strncmp(name, shape->base, shape->front) &&
	       is_stamp(name + shape->front) && !strcmp(name + shape->front + STAMP, shape->tail);
}

/* What is of another kind is left alone, whatever it is called. */
static bool is_snapshot_file(int folder, const char *name)
{
	static const unsigned char magic[8] = { 0x89, 'V', 'M', 'S', '\r', '\n', 0x1a, '\n' };
	unsigned char begin[sizeof(magic)];
	struct stat st;
	int fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	bool yes = fd >= 0 && !fstat(fd, &st) && S_ISREG(st.st_mode) &&
	           read(fd, begin, sizeof(begin)) == (ssize_t)sizeof(begin) && !memcmp(begin, magic, sizeof(magic));
	if (fd >= 0)
		close(fd);
	return yes;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static size_t list_ring(DIR *dir, const struct shape *shape, char ***out)
{
	const struct dirent *entry;
	size_t count = 0;
	*out = NULL;
	while ((entry = readdir(dir))) {
		if (!is_of_ring(shape, entry->d_name) || !is_snapshot_file(dirfd(dir), entry->d_name))
			continue;
		char **names = realloc(*out, (count + 1) * sizeof(*names));
		char *name = strdup(entry->d_name);
		*out = names ? names : *out;
		if (!names || !name) {
			free(name);
			break;
		}
		names[count++] = name;
	}
	return count;
}

void ring_trim(const char *path, unsigned max_files)
{
	struct shape shape;
	DIR *dir = shape_of(path, &shape) ? NULL : opendir(shape.folder);
	if (!dir)
		return;
	char **names;
	size_t count = list_ring(dir, &shape, &names);
	if (count)
		qsort(names, count, sizeof(*names), by_name);
	for (size_t i = 0; i < count; i++) {
		if (i + max_files < count)
			unlinkat(dirfd(dir), names[i], 0);
		free(names[i]);
	}
	free(names);
	closedir(dir);
}
