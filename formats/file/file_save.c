/* file_save.c - what saving to a path means: make, replace or append. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#include "error.h"
#include "file_index.h"
#include "file_save.h"
#include "file_write.h"
#include "options.h"
#include "section.h"

/* ---- what is written ---- */

static void close_before(struct save_before *before)
{
	vmsnap_file_close(before->file);
	if (before->file)
		close(before->fd);
	*before = (struct save_before){ 0 };
}

static void drop_kept(struct save_kept *kept)
{
	stream_writer_free(kept->writer);
	close_before(&kept->before);
	*kept = (struct save_kept){ 0 };
}

void save_kept_free(struct save_kept *kept)
{
	drop_kept(kept);
}

/* Takes over the writer and the file that it reads. */
static void keep(struct save_kept *kept, int fd, struct stream_writer *writer, const struct save_before *before)
{
	struct stat st = { 0 };
	drop_kept(kept);
	(void)fstat(fd, &st);
	*kept = (struct save_kept){ .writer = writer,
		                    .before = *before,
		                    .dev = st.st_dev,
		                    .ino = st.st_ino,
		                    .whole = stream_writer_bytes(writer) };
}

/* A file that was just written to, and that nobody added to since. */
static bool is_kept(const struct save *save, int fd)
{
	struct stat st;
	const struct save_kept *kept = save->kept;
	return kept && kept->writer && !fstat(fd, &st) && S_ISREG(st.st_mode) && st.st_dev == kept->dev &&
	       st.st_ino == kept->ino && (uint64_t)st.st_size == kept->whole;
}

static int write_on(const struct save *save, int fd)
{
	struct save_kept *kept = save->kept;
	int rc = stream_writer_add(kept->writer, fd, save->snaps, save->count, save->err);
	if (rc)
		drop_kept(kept);
	else
		kept->whole = stream_writer_bytes(kept->writer);
	return rc;
}

static int write_each(const struct save *save, struct stream_writer *writer, int fd)
{
	struct vmsnap *snap;
	int rc = stream_writer_add(writer, fd, NULL, 0, save->err); /* the header, if nothing comes */
	while (!rc) {
		rc = save->next(save->next_ctx, &snap, save->err);
		if (rc)
			break;
		rc = stream_writer_add(writer, fd, (const struct vmsnap *const *)&snap, 1, save->err);
		vmsnap_unref(snap);
	}
	return rc == VMSNAP_END ? VMSNAP_OK : rc;
}

/* Takes over `before`, too. */
static int write_behind(const struct save *save, int fd, uint64_t whole, struct save_before *before)
{
	struct file_stream stream = { .name = save->target.path,
		                      .no_contents = save->no_contents,
		                      .deltas = save->deltas,
		                      .whole = whole,
		                      .before = before->file };
	struct stream_writer *writer = NULL;
	int rc = stream_writer_new(&stream, save->work, &writer, save->err);
	if (!rc)
		rc = save->next ? write_each(save, writer, fd)
		                : stream_writer_add(writer, fd, save->snaps, save->count, save->err);
	if (!rc && save->kept) {
		keep(save->kept, fd, writer, before);
		return VMSNAP_OK;
	}
	stream_writer_free(writer);
	close_before(before);
	return rc;
}

static int write_to(const struct save *save, int fd)
{
	struct save_before none = { 0 };
	return write_behind(save, fd, 0, &none);
}

static int sync_now(const struct save *save, int fd, struct vmsnap_error *err)
{
	/* A file system that cannot is not a failure; a disk that cannot is. */
	if (fsync(fd) && errno != EINVAL && errno != EROFS && errno != ENOSYS)
		return fail_sys(err, errno, "cannot write %.200s", save->target.path);
	return VMSNAP_OK;
}

static int sync_file(const struct save *save, int fd)
{
	return save->unsynced ? VMSNAP_OK : sync_now(save, fd, save->err);
}

int save_sync(const struct save *save, struct vmsnap_error *err)
{
	CLEANUP_CLOSE int fd = -1;
	int rc = save_path_lock(&save->target, O_RDONLY, &fd, err);
	/* What somebody took away needs no disk. */
	return rc == VMSNAP_ERR_NOT_FOUND ? VMSNAP_OK : rc ? rc : sync_now(save, fd, err);
}

static int refuse(const struct save *save)
{
	return fail(save->err, VMSNAP_ERR_NOT_SNAPSHOT, "%.200s exists and is not a vmsnap file; it was left alone",
	            save->target.path);
}

/* ---- make and replace ---- */

/* Only what is ours may be replaced; damaged or newer, it is ours still. */
static int check_replaceable(const struct save *save, int fd)
{
	uint8_t bytes[STREAM_HEADER_BYTES];
	struct stat st;
	if (fstat(fd, &st) || !S_ISREG(st.st_mode))
		return refuse(save);
	ssize_t len = pread(fd, bytes, sizeof(bytes), 0);
	if (len < 0)
		return fail_sys(save->err, errno, "cannot read %.200s", save->target.path);
	/* mktemp(1) makes such, and nothing is lost with it. */
	if (!len && !st.st_size)
		return VMSNAP_OK;
	int rc = stream_header_read(bytes, (size_t)len);
	return rc == VMSNAP_ERR_NOT_SNAPSHOT || rc == VMSNAP_ERR_TRUNCATED ? refuse(save) : VMSNAP_OK;
}

/* Locks what is to be replaced, so that nobody appends to a file that is about to
 * go.  *old is -1 if there is nothing. */
static int lock_replaceable(const struct save *save, int *old)
{
	int fd, rc = save_path_lock(&save->target, O_RDONLY, &fd, save->err);
	if (rc == VMSNAP_ERR_NOT_FOUND)
		return VMSNAP_OK;
	if (rc)
		return rc;
	rc = check_replaceable(save, fd);
	if (rc)
		close(fd);
	else
		*old = fd;
	return rc;
}

static int write_draft(const struct save *save, struct file_draft *draft, int *old)
{
	int rc = write_to(save, draft->fd);
	rc = rc ? rc : sync_file(save, draft->fd);
	/* VMSNAP_END: somebody made a file there meanwhile. */
	while (!rc) {
		rc = file_draft_place(draft, *old >= 0, save->err);
		if (rc != VMSNAP_END)
			return rc;
		rc = lock_replaceable(save, old);
	}
	return rc;
}

/* *old is locked, or -1 if there is nothing to be replaced. */
static int replace_old(const struct save *save, int *old)
{
	struct file_draft draft;
	file_draft_sweep(&save->target);
	int rc = file_draft_open(&draft, &save->target, save->err);
	if (rc)
		return rc;
	rc = write_draft(save, &draft, old);
	file_draft_close(&draft);
	return rc;
}

int save_replace(const struct save *save)
{
	CLEANUP_CLOSE int old = -1;
	int rc = save->target.kind == TARGET_EXISTING ? lock_replaceable(save, &old) : VMSNAP_OK;
	return rc ? rc : replace_old(save, &old);
}

/* ---- append ---- */

/* What stands in a file that is to be added to. */
struct standing {
	uint64_t whole, lost;       /* bytes; what an append that was cut off left lies behind the whole ones */
	struct vmsnap_error damage; /* which is what this tells */
};

static int judge(const struct save *save, const struct file_index *index, uint64_t size, struct standing *out)
{
	*out = (struct standing){ .whole = index->whole, .lost = size - index->whole, .damage = index->damage };
	/* A torn end is cut off.  Of other damage nobody knows what lies behind it. */
	bool torn = index->damage.code == VMSNAP_ERR_TRUNCATED;
	if (index->damage.code != VMSNAP_ERR_NEWER && (torn || !out->lost))
		return VMSNAP_OK;
	if (save->err)
		*save->err = index->damage;
	return index->damage.code;
}

static int look_at_file(const struct save *save, int fd, struct standing *out)
{
	struct file_source source;
	struct file_index index;
	struct stat st;
	if (fstat(fd, &st) || !S_ISREG(st.st_mode))
		return refuse(save);
	const struct vmsnap_limits limits = { .size = sizeof(limits), .regular_only = true };
	int rc = file_source_open_fd(&source, fd, save->target.path, &limits, save->err);
	if (rc)
		return rc;
	rc = file_index_find(&index, &source, save->work, save->err);
	file_source_close(&source);
	if (rc)
		return rc == VMSNAP_ERR_NOT_SNAPSHOT ? refuse(save) : rc;
	rc = judge(save, &index, (uint64_t)st.st_size, out);
	file_index_free(&index);
	return rc;
}

/* Not an error, but nothing goes in silence. */
static void tell_dropped(const struct save *save, const struct standing *before)
{
	if (before->lost && save->err)
		fail_at(save->err, VMSNAP_ERR_TRUNCATED, before->whole,
		        "%.400s; the %" PRIu64 " bytes from there on were dropped", before->damage.message,
		        before->lost);
}

/* Pages that are in the file need not be written again.  One that cannot be opened has none. */
static struct save_before open_before(const struct save *save, int fd)
{
	const struct vmsnap_limits limits = { .size = sizeof(limits), .regular_only = true };
	struct save_before before = { .fd = -1 };
	bool needed = save->kept || save->deltas || save->next;
	for (size_t i = 0; i < save->count; i++)
		needed |= vmsnap_contents_kind(save->snaps[i]) && !save->no_contents;
	/* It may be read from when fd is closed; a copy of fd would keep the lock. */
	struct stat locked, opened;
	if (!needed || fstat(fd, &locked))
		return before;
	before.fd = openat(save->target.dir, save->target.base, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (before.fd < 0)
		return before;
	bool same = !fstat(before.fd, &opened) && opened.st_dev == locked.st_dev && opened.st_ino == locked.st_ino;
	if (!same || vmsnap_file_open_fd(before.fd, &limits, &before.file, NULL))
		close(before.fd);
	return before;
}

static int append_behind(const struct save *save, int fd, uint64_t whole)
{
	bool goes_on = is_kept(save, fd);
	struct save_before before = { .fd = -1 };
	if (!goes_on)
		before = open_before(save, fd);
	if (ftruncate(fd, (off_t)whole) || lseek(fd, (off_t)whole, SEEK_SET) < 0) {
		int rc = fail_sys(save->err, errno, "cannot write %.200s", save->target.path);
		close_before(&before);
		return rc;
	}
	int rc = goes_on ? write_on(save, fd) : write_behind(save, fd, whole, &before);
	return rc ? rc : sync_file(save, fd);
}

static int append_to(const struct save *save, int fd)
{
	struct standing before = { .whole = save->kept ? save->kept->whole : 0 };
	int rc = is_kept(save, fd) ? VMSNAP_OK : look_at_file(save, fd, &before);
	if (rc)
		return rc;
	rc = append_behind(save, fd, before.whole);
	if (!rc) {
		tell_dropped(save, &before);
		return VMSNAP_OK;
	}
	/* If even this fails, the next append does it. */
	if (save->kept)
		drop_kept(save->kept);
	int ignored = ftruncate(fd, (off_t)before.whole);
	(void)ignored;
	return rc;
}

static bool is_empty(int fd)
{
	struct stat st;
	return !fstat(fd, &st) && S_ISREG(st.st_mode) && !st.st_size;
}

/* An empty file is replaced, so that nobody sees it half full; and what only looks
 * empty (many a file of /proc does) is not written to. */
static int append(const struct save *save)
{
	CLEANUP_CLOSE int fd = -1;
	int rc = save_path_lock(&save->target, O_RDWR, &fd, save->err);
	if (rc)
		return rc;
	if (!is_empty(fd))
		return append_to(save, fd);
	rc = check_replaceable(save, fd);
	return rc ? rc : replace_old(save, &fd);
}

/* Makes the file if there is none; if one appears meanwhile, appends to it. */
int save_append(const struct save *save)
{
	for (;;) {
		int rc = append(save);
		if (rc != VMSNAP_ERR_NOT_FOUND)
			return rc;
		struct file_draft draft;
		file_draft_sweep(&save->target);
		rc = file_draft_open(&draft, &save->target, save->err);
		if (rc)
			return rc;
		rc = write_to(save, draft.fd);
		rc = rc ? rc : sync_file(save, draft.fd);
		rc = rc ? rc : file_draft_place(&draft, false, save->err);
		file_draft_close(&draft);
		if (rc != VMSNAP_END)
			return rc;
	}
}

int save_stream(const struct save *save)
{
	return save->kept && save->kept->writer ? write_on(save, save->target.fd) : write_to(save, save->target.fd);
}

int save_to(struct save *save, const char *path, unsigned flags)
{
	unsigned known = VMSNAP_SAVE_APPEND | VMSNAP_SAVE_INTERRUPTIBLE | VMSNAP_SAVE_REGULAR |
	                 VMSNAP_SAVE_NO_CONTENTS | VMSNAP_SAVE_DELTA;
	if (!path || !*path || flags & ~known)
		return fail(save->err, VMSNAP_ERR_ARGUMENT, "expected the name of a file and known flags");
	if (save->err)
		*save->err = (struct vmsnap_error){ 0 };
	int rc = flags & VMSNAP_SAVE_REGULAR ? save_path_open_regular(&save->target, path, save->err)
	                                     : save_path_open(&save->target, path, save->err);
	if (rc)
		return rc;
	save->target.interruptible = flags & VMSNAP_SAVE_INTERRUPTIBLE;
	save->target.work = save->work;
	if (save->target.kind == TARGET_STREAM)
		rc = save_stream(save);
	else if (flags & VMSNAP_SAVE_APPEND)
		rc = save_append(save);
	else
		rc = save_replace(save);
	save_path_close(&save->target);
	return rc;
}

VMSNAP_API int vmsnap_save_with(const char *path, const struct vmsnap *const *snaps, size_t count,
                                const struct vmsnap_save_options *options, struct vmsnap_error *err)
{
	struct vmsnap_save_options taken;
	if (!options)
		return fail(err, VMSNAP_ERR_ARGUMENT, "expected a struct vmsnap_save_options");
	int rc = options_take(&taken, sizeof(taken), options, "struct vmsnap_save_options", err);
	if (rc)
		return rc;
	struct work work = { .limit = WORK_UNLIMITED, .cancelled = taken.cancelled, .cancel_ctx = taken.cancel_ctx };
	struct save save = { .snaps = snaps,
		             .count = count,
		             .no_contents = taken.flags & VMSNAP_SAVE_NO_CONTENTS,
		             .deltas = taken.flags & VMSNAP_SAVE_DELTA,
		             .work = &work,
		             .err = err };
	return save_to(&save, path, taken.flags);
}

VMSNAP_API int vmsnap_save(const char *path, const struct vmsnap *const *snaps, size_t count, unsigned flags,
                           struct vmsnap_error *err)
{
	const struct vmsnap_save_options options = { .size = sizeof(options), .flags = flags };
	return vmsnap_save_with(path, snaps, count, &options, err);
}
