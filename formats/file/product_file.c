#define _GNU_SOURCE
#include "product_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "error.h"

void product_file_init(struct product_file *file)
{
	memset(file, 0, sizeof(*file));
	file->fd = file->target.dir = file->target.fd = file->draft.fd = -1;
}

int product_file_write(int fd, const char *bytes, size_t len)
{
	while (len) {
		ssize_t n = write(fd, bytes, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno;
		bytes += n;
		len -= (size_t)n;
	}
	return 0;
}

static int refuse(const struct save_path *target, const struct product_kind *kind, struct vmsnap_error *err)
{
	return fail(err, VMSNAP_ERR_NOT_SNAPSHOT, "%.200s exists and is not %s; it was left alone", target->path,
	            kind->what);
}

static int check_replaceable(const struct save_path *target, const struct product_kind *kind, struct vmsnap_error *err)
{
	char bytes[64];
	struct stat st;
	size_t len = kind->begins ? strlen(kind->begins) : 0;
	CLEANUP_CLOSE int fd = -1;
	int rc = save_path_lock(target, O_RDONLY, &fd, err);
	if (rc)
		return rc == VMSNAP_ERR_NOT_FOUND ? VMSNAP_OK : rc;
	if (fstat(fd, &st) || !S_ISREG(st.st_mode))
		return refuse(target, kind, err);
	if (!st.st_size)
		return VMSNAP_OK;
	bool ours = len && len <= sizeof(bytes) && pread(fd, bytes, len, 0) == (ssize_t)len &&
	            !memcmp(bytes, kind->begins, len);
	return ours ? VMSNAP_OK : refuse(target, kind, err);
}

int product_file_open(struct product_file *file, const char *path, const struct product_kind *kind, struct work *work,
                      struct vmsnap_error *err)
{
	int rc = save_path_open(&file->target, path, err);
	if (rc) {
		product_file_init(file);
		return rc;
	}
	file->target.work = work;
	if (file->target.kind == TARGET_STREAM) {
		file->fd = file->target.fd;
		return VMSNAP_OK;
	}
	rc = file->target.kind == TARGET_EXISTING ? check_replaceable(&file->target, kind, err) : VMSNAP_OK;
	if (rc)
		return rc;
	file_draft_sweep(&file->target);
	rc = file_draft_open(&file->draft, &file->target, err);
	if (!rc)
		file->fd = file->draft.fd;
	return rc;
}

int product_file_place(struct product_file *file, bool readable, struct vmsnap_error *err)
{
	const char *path = file->target.path;
	if (!file->draft.target)
		return VMSNAP_OK;
	if (readable && fchmod(file->fd, 0644))
		return fail_sys(err, errno, "cannot write %.200s", path);
	while (fsync(file->fd))
		if (errno != EINTR)
			return fail_sys(err, errno, "cannot write %.200s", path);
	int rc = file_draft_place(&file->draft, file->target.kind == TARGET_EXISTING, err);
	if (rc == VMSNAP_END)
		rc = fail(err, VMSNAP_ERR_NOT_SNAPSHOT, "%.200s was made by somebody meanwhile; it was left alone",
		          path);
	return rc;
}

void product_file_close(struct product_file *file)
{
	if (file->draft.target)
		file_draft_close(&file->draft);
	if (file->target.path)
		save_path_close(&file->target);
	product_file_init(file);
}
