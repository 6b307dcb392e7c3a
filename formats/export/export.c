/* export.c - which formats there are, and where their bytes go. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "error.h"
#include "exporter.h"
#include "options.h"

static const struct exporter *const exporters[VMSNAP_EXPORT_COUNT] = {
	[VMSNAP_EXPORT_SQLITE] = &exporter_sqlite,
	[VMSNAP_EXPORT_TSV] = &exporter_tsv,
	[VMSNAP_EXPORT_OPENMETRICS] = &exporter_openmetrics,
	[VMSNAP_EXPORT_PPROF] = &exporter_pprof,
	[VMSNAP_EXPORT_FOLDED] = &exporter_folded,
};

VMSNAP_API const char *vmsnap_export_format_name(int format)
{
	return format >= 0 && format < VMSNAP_EXPORT_COUNT && exporters[format] ? exporters[format]->name : NULL;
}

VMSNAP_API const char *vmsnap_export_flag_name(unsigned flag)
{
	switch (flag) {
	case VMSNAP_EXPORT_RUNS:
		return "runs";
	case VMSNAP_EXPORT_CHANGED:
		return "changed";
	case VMSNAP_EXPORT_ARGUMENTS:
		return "arguments";
	case VMSNAP_EXPORT_NO_HEADING:
		return "no_heading";
	default:
		return NULL;
	}
}

/* ---- its file ---- */

static int refuse(const struct vmsnap_export *e, struct vmsnap_error *err)
{
	return fail(err, VMSNAP_ERR_NOT_SNAPSHOT,
	            "%.200s exists and is not what an export to %s makes; it was left alone", e->target.path,
	            e->exporter->name);
}

static int check_replaceable(const struct vmsnap_export *e, struct vmsnap_error *err)
{
	char bytes[64];
	struct stat st;
	const char *begins = e->exporter->begins;
	size_t len = begins ? strlen(begins) : 0;
	CLEANUP_CLOSE int fd = -1;
	int rc = save_path_lock(&e->target, O_RDONLY, &fd, err);
	if (rc)
		return rc == VMSNAP_ERR_NOT_FOUND ? VMSNAP_OK : rc;
	if (fstat(fd, &st) || !S_ISREG(st.st_mode))
		return refuse(e, err);
	if (!st.st_size)
		return VMSNAP_OK;
	bool ours = len && pread(fd, bytes, len, 0) == (ssize_t)len && !memcmp(bytes, begins, len);
	return ours ? VMSNAP_OK : refuse(e, err);
}

static int open_file(struct vmsnap_export *e, struct vmsnap_error *err)
{
	int rc = save_path_open(&e->target, e->options.path, err);
	if (rc) {
		e->target = (struct save_path){ .dir = -1, .fd = -1 };
		return rc;
	}
	e->target.work = &e->work;
	if (e->target.kind == TARGET_STREAM) {
		e->fd = e->target.fd;
		return VMSNAP_OK;
	}
	rc = e->target.kind == TARGET_EXISTING ? check_replaceable(e, err) : VMSNAP_OK;
	if (rc)
		return rc;
	file_draft_sweep(&e->target);
	rc = file_draft_open(&e->draft, &e->target, err);
	if (!rc)
		e->fd = e->draft.fd;
	return rc;
}

static int place_file(struct vmsnap_export *e, struct vmsnap_error *err)
{
	if (!e->draft.target)
		return VMSNAP_OK;
	if (e->exporter->readable && fchmod(e->fd, 0644))
		return fail_sys(err, errno, "cannot write %.200s", e->target.path);
	while (fsync(e->fd))
		if (errno != EINTR)
			return fail_sys(err, errno, "cannot write %.200s", e->target.path);
	int rc = file_draft_place(&e->draft, e->target.kind == TARGET_EXISTING, err);
	if (rc == VMSNAP_END)
		rc = fail(err, VMSNAP_ERR_NOT_SNAPSHOT, "%.200s was made by somebody meanwhile; it was left alone",
		          e->target.path);
	return rc;
}

/* ---- the whole ---- */

static int check_options(int format, const struct vmsnap_export_options *options, struct vmsnap_error *err)
{
	if (!vmsnap_export_format_name(format))
		return fail(err, VMSNAP_ERR_ARGUMENT, "there is no format %d", format);
	const struct exporter *exporter = exporters[format];
	if (options->flags & ~exporter->flags)
		return fail(err, VMSNAP_ERR_ARGUMENT, "a flag that an export to %s has no use for", exporter->name);
	if (exporter->own_file ? !options->path : !options->path == !options->write)
		return fail(err, VMSNAP_ERR_ARGUMENT, "an export goes to a file%s",
		            exporter->own_file ? "" : " or to a function");
	return VMSNAP_OK;
}

static int export_open(struct vmsnap_export *e, struct vmsnap_error *err)
{
	e->buffer = malloc(EXPORT_BUFFER);
	e->state = calloc(1, e->exporter->state_size ? e->exporter->state_size : 1);
	if (!e->buffer || !e->state)
		return fail_no_memory(err);
	int rc = e->options.path && !e->exporter->own_file ? open_file(e, err) : VMSNAP_OK;
	return rc ? rc : e->exporter->open(e, err);
}

VMSNAP_API int vmsnap_export_new(int format, const struct vmsnap_export_options *options, struct vmsnap_export **out,
                                 struct vmsnap_error *err)
{
	struct vmsnap_export_options taken;
	int rc = options_take(&taken, sizeof(taken), options, "struct vmsnap_export_options", err);
	rc = rc ? rc : check_options(format, &taken, err);
	if (rc)
		return rc;
	struct vmsnap_export *e = calloc(1, sizeof(*e));
	if (!e)
		return fail_no_memory(err);
	e->exporter = exporters[format];
	e->options = taken;
	e->fd = e->target.dir = e->target.fd = e->draft.fd = -1;
	e->work =
	        (struct work){ .limit = WORK_UNLIMITED, .cancelled = taken.cancelled, .cancel_ctx = taken.cancel_ctx };
	rc = export_open(e, err);
	if (rc)
		vmsnap_export_free(e);
	else
		*out = e;
	return rc;
}

VMSNAP_API int vmsnap_export_add(struct vmsnap_export *e, const struct vmsnap *const *snaps, size_t count,
                                 struct vmsnap_error *err)
{
	if (work_ask(&e->work))
		return fail(err, VMSNAP_ERR_CANCELLED, "cancelled");
	return e->exporter->add(e, snaps, count, err);
}

VMSNAP_API int vmsnap_export_finish(struct vmsnap_export *e, struct vmsnap_error *err)
{
	if (e->finished)
		return fail(err, VMSNAP_ERR_ARGUMENT, "it is finished already");
	int rc = e->exporter->finish ? e->exporter->finish(e, err) : VMSNAP_OK;
	rc = rc || e->exporter->own_file ? rc : export_flush(e, err);
	rc = rc ? rc : place_file(e, err);
	e->finished = !rc;
	return rc;
}

VMSNAP_API void vmsnap_export_free(struct vmsnap_export *e)
{
	if (!e)
		return;
	if (e->state && e->exporter->free)
		e->exporter->free(e);
	if (e->draft.target)
		file_draft_close(&e->draft);
	if (e->target.path)
		save_path_close(&e->target);
	free(e->state);
	free(e->buffer);
	free(e);
}
