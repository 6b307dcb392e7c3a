#define _GNU_SOURCE
#include "file_source.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/magic.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "error.h"
#include "file_error.h"
#include "file_spool.h"
#include "pread_all.h"

/* What kind of file that is, which is not a regular one. */
static const char *kind_of(mode_t mode)
{
	return S_ISFIFO(mode) ? "a pipe" : S_ISSOCK(mode) ? "a socket" : "a device";
}

static int refuse_kind(const char *name, mode_t mode, struct vmsnap_error *err)
{
	return fail(err, VMSNAP_ERR_ARGUMENT, "%.200s is %s; only a regular file is read here", name, kind_of(mode));
}

/* A process that was recorded into a folder is read by other means. */
static int refuse_folder(const char *name, int fd, struct vmsnap_error *err)
{
	struct statfs fs;
	if (!fstatfs(fd, &fs) && fs.f_type == PROC_SUPER_MAGIC)
		return fail(err, VMSNAP_ERR_ARGUMENT,
		            "%.200s is the kernel's folder, not a snapshot file; a process that lives is named by its "
		            "number",
		            name);
	static const char means[] = "vmsnap.recorded() in Python and vmsnap_capture_at() in C read it";
	if (!faccessat(fd, "maps", F_OK, 0) && !faccessat(fd, "pagemap", F_OK, 0))
		return fail(
		        err, VMSNAP_ERR_ARGUMENT,
		        "%.200s is a folder with a process that was recorded (maps, pagemap), not a snapshot file; %s",
		        name, means);
	return fail(
	        err, VMSNAP_ERR_ARGUMENT,
	        "%.200s is a folder, not a snapshot file, and no process was recorded into it: there is no %s in it",
	        name, faccessat(fd, "maps", F_OK, 0) ? "maps" : "pagemap");
}

static int spool(struct file_source *source, int fd, const struct vmsnap_limits *limits, struct vmsnap_error *err)
{
	struct file_spool spooled;
	int rc = file_spool_read(&spooled, fd, source->name, limits, err);
	if (rc)
		return rc;
	source->bytes = source->owned = spooled.bytes;
	source->size = spooled.size;
	source->fd = spooled.fd;
	source->owns_fd = spooled.fd >= 0;
	return VMSNAP_OK;
}

static int open_descriptor(struct file_source *source, int fd, const struct vmsnap_limits *limits,
                           struct vmsnap_error *err)
{
	struct stat st;
	if (fstat(fd, &st))
		return fail_sys(err, errno, "cannot read %.200s", source->name);
	if (S_ISDIR(st.st_mode))
		return refuse_folder(source->name, fd, err);
	if (limits->regular_only && !S_ISREG(st.st_mode))
		return refuse_kind(source->name, st.st_mode, err);
	off_t at = S_ISREG(st.st_mode) ? lseek(fd, 0, SEEK_CUR) : -1;
	if (at < 0)
		return spool(source, fd, limits, err);
	source->base = (uint64_t)at;
	source->size = st.st_size > at ? (uint64_t)(st.st_size - at) : 0;
	return VMSNAP_OK;
}

int file_source_open_fd(struct file_source *source, int fd, const char *name, const struct vmsnap_limits *limits,
                        struct vmsnap_error *err)
{
	*source = (struct file_source){ .name = strdup(name), .fd = fd };
	int rc = source->name ? open_descriptor(source, fd, limits, err) : fail_no_memory(err);
	if (rc)
		file_source_close(source);
	return rc;
}

/* Looks first where only a regular file will do: to open a device may do something, and what
 * took its name meanwhile must not keep us waiting. */
static int open_path(const char *path, const struct vmsnap_limits *limits, struct vmsnap_error *err)
{
	struct stat st;
	if (limits->regular_only && !stat(path, &st) && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
		return refuse_kind(path, st.st_mode, err);
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | (limits->regular_only ? O_NONBLOCK : 0));
	return fd < 0 ? fail_sys(err, errno, "cannot open %.200s", path) : fd;
}

int file_source_open(struct file_source *source, const char *path, const struct vmsnap_limits *limits,
                     struct vmsnap_error *err)
{
	if (strcmp(path, "-") == 0)
		return file_source_open_fd(source, STDIN_FILENO, "standard input", limits, err);
	int fd = open_path(path, limits, err);
	if (fd < 0)
		return fd;
	int rc = file_source_open_fd(source, fd, path, limits, err);
	/* What was copied is not read from there any more. */
	if (rc || source->fd != fd)
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
	ssize_t got = pread_all(source->fd, out, len, source->base + offset);
	if (got < 0)
		return fail_sys(err, errno, "cannot read %.200s", source->name);
	if (got < (ssize_t)len)
		return file_bad(source->name, err, VMSNAP_ERR_TRUNCATED, offset,
		                "the file became shorter while it was read");
	return VMSNAP_OK;
}
