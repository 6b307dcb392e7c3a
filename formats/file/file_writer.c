/* file_writer.c - a file that grows, snapshot by snapshot. */
#define _GNU_SOURCE
#include <string.h>

#include "error.h"
#include "file_save.h"
#include "options.h"

struct vmsnap_writer {
	struct save save;
	struct save_kept kept;
	struct work work;
	char *path;
	unsigned flags;
};

static int check_options(const struct vmsnap_writer_options *options, struct vmsnap_writer_options *out,
                         struct vmsnap_error *err)
{
	static const struct vmsnap_writer_options none = { .size = sizeof(none) };
	unsigned known = VMSNAP_SAVE_APPEND | VMSNAP_SAVE_INTERRUPTIBLE | VMSNAP_SAVE_REGULAR |
	                 VMSNAP_SAVE_NO_CONTENTS | VMSNAP_SAVE_DELTA;
	int rc = options_take(out, sizeof(*out), options ? options : &none, "struct vmsnap_writer_options", err);
	if (!rc && out->flags & ~known)
		rc = fail(err, VMSNAP_ERR_ARGUMENT, "expected known flags");
	return rc;
}

static int begin(struct vmsnap_writer *writer, const struct vmsnap_writer_options *options, struct vmsnap_error *err)
{
	struct save *save = &writer->save;
	bool regular = options->flags & VMSNAP_SAVE_REGULAR;
	int rc = regular ? save_path_open_regular(&save->target, writer->path, err)
	                 : save_path_open(&save->target, writer->path, err);
	if (rc)
		return rc;
	writer->work = (struct work){ .limit = WORK_UNLIMITED,
		                      .cancelled = options->cancelled,
		                      .cancel_ctx = options->cancel_ctx };
	writer->flags = options->flags;
	save->target.interruptible = options->flags & VMSNAP_SAVE_INTERRUPTIBLE;
	save->target.work = save->work = &writer->work;
	save->no_contents = options->flags & VMSNAP_SAVE_NO_CONTENTS;
	save->deltas = options->flags & VMSNAP_SAVE_DELTA;
	save->unsynced = !options->sync;
	save->kept = &writer->kept;
	return VMSNAP_OK;
}

VMSNAP_API int vmsnap_writer_open(const char *path, const struct vmsnap_writer_options *options,
                                  struct vmsnap_writer **out, struct vmsnap_error *err)
{
	struct vmsnap_writer_options taken;
	if (!path || !*path || !out)
		return fail(err, VMSNAP_ERR_ARGUMENT, "expected the name of a file");
	int rc = check_options(options, &taken, err);
	if (rc)
		return rc;
	struct vmsnap_writer *writer = calloc(1, sizeof(*writer));
	if (!writer)
		return fail_no_memory(err);
	writer->path = strdup(path);
	rc = writer->path ? begin(writer, &taken, err) : fail_no_memory(err);
	if (rc) {
		free(writer->path);
		free(writer);
		return rc;
	}
	*out = writer;
	return VMSNAP_OK;
}

VMSNAP_API int vmsnap_writer_add(struct vmsnap_writer *writer, const struct vmsnap *const *snaps, size_t count,
                                 struct vmsnap_error *err)
{
	struct save *save = &writer->save;
	save->snaps = snaps;
	save->count = count;
	save->err = err;
	if (err)
		*err = (struct vmsnap_error){ 0 };
	if (save->target.kind == TARGET_STREAM)
		return save_stream(save);
	/* What was there is replaced once; from then on this is the file. */
	int rc = writer->flags & VMSNAP_SAVE_APPEND ? save_append(save) : save_replace(save);
	if (!rc)
		writer->flags |= VMSNAP_SAVE_APPEND;
	return rc;
}

VMSNAP_API uint64_t vmsnap_writer_bytes(const struct vmsnap_writer *writer)
{
	return writer->kept.whole;
}

VMSNAP_API int vmsnap_writer_close(struct vmsnap_writer *writer, struct vmsnap_error *err)
{
	if (!writer)
		return VMSNAP_OK;
	int rc = writer->save.target.kind == TARGET_STREAM || !writer->save.unsynced || !writer->kept.writer
	                 ? VMSNAP_OK
	                 : save_sync(&writer->save, err);
	save_kept_free(&writer->kept);
	save_path_close(&writer->save.target);
	free(writer->path);
	free(writer);
	return rc;
}
