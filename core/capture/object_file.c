#define _GNU_SOURCE
#include "object_file.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "error.h"
#include "open_below.h"
#include "open_gently.h"
#include "pread_all.h"

enum { RANGES = 16 };
struct object_file {
	int fd;
	size_t count;
	struct object_range ranges[RANGES];
};

/* -1 if there is none, or another file. */
static int open_found_if(int found, uint64_t inode)
{
	struct stat st;
	return found >= 0 && !fstat(found, &st) && st.st_ino == inode ? open_found_gently(found, true) : -1;
}

/* Who is not the administrator has only its name (proc_pid_map_files(5)). */
static int open_mapped(uint32_t pid, const struct object_range *range, const char *name, uint64_t inode)
{
	char path[80];
	snprintf(path, sizeof(path), "/proc/%u/map_files/%" PRIx64 "-%" PRIx64, (unsigned)pid, range->start,
	         range->end);
	CLEANUP_CLOSE int mapped = open(path, O_PATH | O_CLOEXEC);
	int fd = open_found_if(mapped, inode);
	if (mapped >= 0 || name[0] != '/')
		return fd;
	snprintf(path, sizeof(path), "/proc/%u/root", (unsigned)pid);
	CLEANUP_CLOSE int root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	CLEANUP_CLOSE int found = root >= 0 ? open_below(root, name) : -1;
	return open_found_if(found, inode);
}

struct object_file *object_file_open(uint32_t pid, const struct object_range *range, const char *name, uint64_t inode)
{
	int fd = open_mapped(pid, range, name, inode);
	struct object_file *file = fd >= 0 ? malloc(sizeof(*file)) : NULL;
	if (fd >= 0 && !file)
		close(fd);
	if (file)
		*file = (struct object_file){ .fd = fd };
	return file;
}

void object_file_add(struct object_file *file, const struct object_range *range)
{
	if (file && file->count < RANGES)
		file->ranges[file->count++] = *range;
}

bool object_file_bytes(const struct object_file *file, uint64_t address, void *out, size_t len)
{
	for (size_t i = 0; file && i < file->count; i++) {
		const struct object_range *range = &file->ranges[i];
		if (address >= range->start && address < range->end && len <= range->end - address)
			return pread_all(file->fd, out, len, range->offset + (address - range->start)) == (ssize_t)len;
	}
	return false;
}

void object_file_close(struct object_file *file)
{
	if (!file)
		return;
	close(file->fd);
	free(file);
}
