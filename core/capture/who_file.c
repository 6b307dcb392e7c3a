#define _GNU_SOURCE
#include "who_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "error.h"
#include "maps.h"
#include "procdir.h"

#define DELETED_MARK " (deleted)"

/* ---- which file it is ----------------------------------------------------------------- */

/* Of a path that is not opened, what it leads to; one that leads nowhere may be a name of a deleted file, whose folder
 * there still is, or one that never was a path. */
static char *name_of_path(const char *path)
{
	char *real = realpath(path, NULL), *name = NULL;
	const char *slash = strrchr(path, '/'), *last = slash ? slash + 1 : path;
	if (real)
		return real;
	char *folder = slash ? strndup(path, slash == path ? 1 : (size_t)(slash - path)) : strdup(".");
	real = folder ? realpath(folder, NULL) : NULL;
	if (real && asprintf(&name, "%s/%s", strcmp(real, "/") ? real : "", last) < 0)
		name = NULL;
	free(folder);
	free(real);
	return name ? name : strdup(path);
}

static char *name_of_open(int fd)
{
	char link[64], name[PATH_MAX];
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	ssize_t len = readlink(link, name, sizeof(name));
	return len > 0 && (size_t)len < sizeof(name) ? strndup(name, (size_t)len) : NULL;
}

static void drop_mark(char *name)
{
	size_t len = strlen(name), mark = strlen(DELETED_MARK);
	if (len > mark && !strcmp(name + len - mark, DELETED_MARK))
		name[len - mark] = '\0';
}

/* What maps says of this mapping of ours. */
static bool look_up_own(const void *memory, struct who_file *out)
{
	struct proc_text text = { 0 };
	CLEANUP_CLOSE int self = open("/proc/self", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct vmsnap *own = snapshot_new();
	if (own && self >= 0 && !procdir_read(self, "maps", &text)) {
		own->info.page_size = (uint64_t)sysconf(_SC_PAGESIZE);
		int rc = maps_parse(text.text, text.len, own, NULL);
		const struct vmsnap_vma *vma = rc ? NULL : vmsnap_vma_at(own, (uintptr_t)memory);
		out->known = vma != NULL;
		if (vma) {
			out->dev_major = vma->dev_major;
			out->dev_minor = vma->dev_minor;
			out->inode = vma->inode;
		}
	}
	proc_text_free(&text);
	vmsnap_unref(own);
	return out->known;
}

/* hugetlbfs maps huge pages only, and would keep one ready for us. */
static bool is_of_huge_pages(int fd, size_t *page)
{
	enum { HUGETLBFS = 0x958458f6 };
	struct statfs fs;
	*page = (size_t)sysconf(_SC_PAGESIZE);
	if (fstatfs(fd, &fs) || (uint32_t)fs.f_type != HUGETLBFS)
		return false;
	*page = (size_t)fs.f_bsize;
	return true;
}

static void identify(int fd, struct who_file *out)
{
	size_t page;
	(void)is_of_huge_pages(fd, &page);
	void *memory = mmap(NULL, page, PROT_READ, MAP_SHARED | MAP_NORESERVE, fd, 0);
	if (memory == MAP_FAILED)
		return;
	look_up_own(memory, out);
	munmap(memory, page);
}

/* ---- the page cache ------------------------------------------------------------------- */

/* Linux 6.5; older headers lack it. */
#ifndef SYS_cachestat
#define SYS_cachestat 451
#endif
struct cache_range {
	uint64_t offset, length; /* length 0: to the end */
};
struct cache_stat {
	uint64_t cached, dirty, writeback, evicted, recently_evicted;
};

/* The cache of a file on overlayfs is that of the file below. */
static bool is_overlay(int fd)
{
	enum { OVERLAYFS = 0x794c7630 };
	struct statfs fs;
	return !fstatfs(fd, &fs) && fs.f_type == OVERLAYFS;
}

/* Without this mincore says of every page that it is there (Linux 5.2), to who neither owns the file nor may write to
 * it. */
static bool mincore_tells(int fd, const struct stat *stat)
{
	char link[64];
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	return stat->st_uid == geteuid() || !faccessat(AT_FDCWD, link, W_OK, AT_EACCESS);
}

static uint64_t cached_in(int fd, uint64_t offset, size_t len, size_t page)
{
	enum { CHUNK = 4096 };
	unsigned char there[CHUNK];
	uint64_t pages = 0, count = (len + page - 1) / page;
	char *memory = mmap(NULL, len, PROT_READ, MAP_SHARED, fd, (off_t)offset);
	if (memory == MAP_FAILED)
		return UINT64_MAX;
	for (uint64_t at = 0; pages != UINT64_MAX && at < count; at += CHUNK) {
		uint64_t some = count - at < CHUNK ? count - at : CHUNK;
		if (mincore(memory + at * page, some * page, there)) {
			pages = UINT64_MAX;
			break;
		}
		for (uint64_t i = 0; i < some; i++)
			pages += there[i] & 1;
	}
	munmap(memory, len);
	return pages == UINT64_MAX ? pages : pages * page;
}

static void ask_mincore(int fd, const struct stat *stat, struct who_file *out)
{
	const size_t window = (size_t)1 << 30, page = (size_t)sysconf(_SC_PAGESIZE);
	uint64_t size = (uint64_t)stat->st_size, sum = 0;
	if (!mincore_tells(fd, stat))
		return;
	for (uint64_t at = 0; at < size; at += window) {
		uint64_t part = cached_in(fd, at, size - at < window ? (size_t)(size - at) : window, page);
		if (part == UINT64_MAX)
			return;
		sum += part;
	}
	out->cached = sum;
	out->by_mincore = true;
}

static void ask_cache(int fd, const struct stat *stat, struct who_file *out)
{
	struct cache_range all = { 0, 0 };
	struct cache_stat found;
	size_t page_size;
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	if (!is_overlay(fd) && !syscall(SYS_cachestat, fd, &all, &found, 0)) {
		out->cached = found.cached * page;
		out->dirty = found.dirty * page;
		return;
	}
	/* Of huge pages mincore tells only what we ourselves map; what the file has is all in memory. */
	if (is_of_huge_pages(fd, &page_size))
		out->cached = (uint64_t)stat->st_blocks * 512;
	else
		ask_mincore(fd, stat, out);
}

/* ---- all of it -------------------------------------------------------------------------- */

/* -1 with errno.  That we look does not show in its time of access, where that is permitted. */
static int open_file(const char *path)
{
	const int flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
	int fd = open(path, flags | O_NOATIME);
	return fd < 0 && errno == EPERM ? open(path, flags) : fd;
}

static int look_at_open(int fd, const char *path, struct who_file *out, struct vmsnap_error *err)
{
	struct stat stat;
	if (fstat(fd, &stat))
		return fail_sys(err, errno, "cannot look at %s", path);
	if (!S_ISREG(stat.st_mode))
		return fail(err, VMSNAP_ERR_ARGUMENT, "%s is not a regular file", path);
	out->name = name_of_open(fd);
	out->bytes = (uint64_t)stat.st_size;
	identify(fd, out);
	ask_cache(fd, &stat, out);
	return VMSNAP_OK;
}

int who_file_find(const char *path, bool by_name, struct who_file *out, struct vmsnap_error *err)
{
	struct stat stat;
	*out = (struct who_file){ .bytes = UINT64_MAX, .cached = UINT64_MAX, .dirty = UINT64_MAX };
	/* To open a device may do something. */
	if (!by_name && !fstatat(AT_FDCWD, path, &stat, 0) && !S_ISREG(stat.st_mode))
		return fail(err, VMSNAP_ERR_ARGUMENT, "%s is not a regular file", path);
	CLEANUP_CLOSE int fd = by_name ? -1 : open_file(path);
	int rc = fd < 0 ? VMSNAP_OK : look_at_open(fd, path, out, err);
	if (!rc && !out->name)
		out->name = name_of_path(path);
	if (!rc && !out->name)
		rc = fail_no_memory(err);
	if (!rc)
		drop_mark(out->name);
	return rc;
}

void who_file_free(struct who_file *file)
{
	free(file->name);
	file->name = NULL;
}

static bool has_name(const char *name, const char *of)
{
	size_t len = strlen(name);
	return !strncmp(of, name, len) && (!of[len] || !strcmp(of + len, DELETED_MARK));
}

bool who_file_is(const struct who_file *file, const struct vmsnap_vma *vma, bool *other)
{
	*other = false;
	if (!vma_has_file(vma->inode, vma->dev_major, vma->dev_minor))
		return false;
	if (file->known && file->inode == vma->inode && file->dev_major == vma->dev_major &&
	    file->dev_minor == vma->dev_minor)
		return true;
	*other = file->known && has_name(file->name, vma->name);
	return *other || (!file->known && has_name(file->name, vma->name));
}

bool who_file_named(const char *name, const struct vmsnap_vma *vma)
{
	return vmsnap_vma_has_file(vma) &&
	       has_name(name, vma->name); /* also where only the name is known, as of core files */
}
