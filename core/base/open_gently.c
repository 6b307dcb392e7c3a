#define _GNU_SOURCE
#include "open_gently.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <linux/magic.h>

#include "open_below.h"

/* Whether all of a file is in memory, by its owner's or root's leave; others the kernel tells
 * "yes" at any rate (mincore(2), Linux 5.2). */
enum { MINCORE_PAGES_MAX = 1 << 18 }; /* a gigabyte */
static bool is_in_memory(int fd, const struct stat *st)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE), pages = ((uint64_t)st->st_size + page - 1) / page;
	bool yes = geteuid() == 0 || st->st_uid == geteuid();
	if (st->st_size <= 0 || !yes || pages > MINCORE_PAGES_MAX)
		return st->st_size == 0;
	unsigned char *told = malloc(pages);
	void *mapped = told ? mmap(NULL, (size_t)st->st_size, PROT_READ, MAP_SHARED, fd, 0) : MAP_FAILED;
	yes = mapped != MAP_FAILED && mincore(mapped, (size_t)st->st_size, told) == 0;
	for (uint64_t i = 0; yes && i < pages; i++)
		yes = told[i] & 1;
	if (mapped != MAP_FAILED)
		munmap(mapped, (size_t)st->st_size);
	free(told);
	return yes;
}

/* Reading what of a process's memory is in swap would fetch it back, for the process as well: a
 * memfd, shared memory, a program on a tmpfs, or on an overlayfs that lies on one. */
static bool may_fetch_from_swap(int fd, bool overlay)
{
	struct sysinfo info;
	struct statfs fs;
	struct stat st;
	if (!sysinfo(&info) && info.freeswap >= info.totalswap)
		return false;
	if (!fstatfs(fd, &fs) && (uint32_t)fs.f_type != (uint32_t)TMPFS_MAGIC &&
	    !(overlay && (uint32_t)fs.f_type == (uint32_t)OVERLAYFS_SUPER_MAGIC))
		return false;
	return fstat(fd, &st) || !is_in_memory(fd, &st);
}

int open_found_gently(int found, bool overlay)
{
	int fd = open_found(found);
	if (fd < 0 || !may_fetch_from_swap(fd, overlay))
		return fd;
	close(fd);
	errno = EBUSY;
	return -1;
}
