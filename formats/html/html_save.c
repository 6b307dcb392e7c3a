/* html_save.c - a page into a file: beside its place first, and then at one stroke. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "error.h"
#include "report.h"
#include "save_path.h"

/* What a page of ours begins with. */
static const char begins[] = "<!doctype html>\n<!-- vmsnap report";

static int write_some(void *ctx, const char *text, size_t len)
{
	const int *fd = ctx;
	while (len) {
		ssize_t n = write(*fd, text, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno;
		text += n;
		len -= (size_t)n;
	}
	return 0;
}

static int refuse(const struct save_path *target, struct vmsnap_error *err)
{
	return fail(err, VMSNAP_ERR_NOT_SNAPSHOT, "%.200s exists and is not a page of vmsnap's; it was left alone",
	            target->path);
}

static int check_replaceable(const struct save_path *target, struct vmsnap_error *err)
{
	char bytes[sizeof(begins) - 1];
	struct stat st;
	CLEANUP_CLOSE int fd = -1;
	int rc = save_path_lock(target, O_RDONLY, &fd, err);
	if (rc)
		return rc == VMSNAP_ERR_NOT_FOUND ? VMSNAP_OK : rc;
	if (fstat(fd, &st) || !S_ISREG(st.st_mode))
		return refuse(target, err);
	if (!st.st_size)
		return VMSNAP_OK;
	ssize_t len = pread(fd, bytes, sizeof(bytes), 0);
	bool ours = len == sizeof(bytes) && !memcmp(bytes, begins, sizeof(bytes));
	return ours ? VMSNAP_OK : refuse(target, err);
}

static int sync_draft(int fd, const char *path, struct vmsnap_error *err)
{
	while (fsync(fd))
		if (errno != EINTR)
			return fail_sys(err, errno, "cannot write %.200s", path);
	return VMSNAP_OK;
}

static int save_draft(struct vmsnap_html *html, const struct save_path *target, struct vmsnap_error *err)
{
	struct file_draft draft;
	file_draft_sweep(target);
	int rc = file_draft_open(&draft, target, err);
	if (rc)
		return rc;
	rc = vmsnap_html_write(html, write_some, &draft.fd, err);
	rc = rc ? rc : sync_draft(draft.fd, target->path, err);
	rc = rc ? rc : file_draft_place(&draft, target->kind == TARGET_EXISTING, err);
	if (rc == VMSNAP_END)
		rc = fail(err, VMSNAP_ERR_NOT_SNAPSHOT, "%.200s was made by somebody meanwhile; it was left alone",
		          target->path);
	file_draft_close(&draft);
	return rc;
}

VMSNAP_API int vmsnap_html_save(struct vmsnap_html *html, const char *path, struct vmsnap_error *err)
{
	struct save_path target;
	int rc = save_path_open(&target, path, err);
	if (rc)
		return rc;
	target.work = &html->work;
	if (target.kind == TARGET_STREAM) {
		rc = vmsnap_html_write(html, write_some, &target.fd, err);
	} else {
		rc = target.kind == TARGET_EXISTING ? check_replaceable(&target, err) : VMSNAP_OK;
		rc = rc ? rc : save_draft(html, &target, err);
	}
	save_path_close(&target);
	return rc;
}
