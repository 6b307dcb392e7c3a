/* export.c - which formats there are, and where their bytes go. */
#define _GNU_SOURCE
#include <stdio.h>

#include "error.h"
#include "exporter.h"
#include "options.h"
#include "states_told.h"

static const struct exporter *const exporters[VMSNAP_EXPORT_COUNT] = {
	[VMSNAP_EXPORT_SQLITE] = &exporter_sqlite,           [VMSNAP_EXPORT_TSV] = &exporter_tsv,
	[VMSNAP_EXPORT_OPENMETRICS] = &exporter_openmetrics, [VMSNAP_EXPORT_PPROF] = &exporter_pprof,
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

static int open_file(struct vmsnap_export *e, struct vmsnap_error *err)
{
	char what[64];
	struct product_kind kind = { .begins = e->exporter->begins, .what = what };
	snprintf(what, sizeof(what), "what an export to %s makes", e->exporter->name);
	return product_file_open(&e->file, e->options.path, &kind, &e->work, err);
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
	return rc || !e->exporter->open ? rc : e->exporter->open(e, err);
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
	product_file_init(&e->file);
	e->work =
	        (struct work){ .limit = WORK_UNLIMITED, .cancelled = taken.cancelled, .cancel_ctx = taken.cancel_ctx };
	rc = export_open(e, err);
	if (rc)
		vmsnap_export_free(e);
	else
		*out = e;
	return rc;
}

/* What pages held is in no format, so that it cannot give away what else is stripped. */
static int add_stripped(struct vmsnap_export *e, const struct vmsnap *const *snaps, size_t count,
                        struct vmsnap_error *err)
{
	struct vmsnap **less = calloc(count + 1, sizeof(struct vmsnap *));
	int rc = less ? VMSNAP_OK : fail_no_memory(err);
	for (size_t i = 0; !rc && i < count; i++)
		rc = vmsnap_strip(snaps[i], e->options.strip | VMSNAP_STRIP_CONTENTS, &less[i], err);
	rc = rc ? rc : e->exporter->add(e, (const struct vmsnap *const *)less, count, err);
	for (size_t i = 0; less && i < count; i++)
		vmsnap_unref(less[i]);
	free(less);
	return rc;
}

VMSNAP_API int vmsnap_export_add(struct vmsnap_export *e, const struct vmsnap *const *snaps, size_t count,
                                 struct vmsnap_error *err)
{
	if (work_ask(&e->work))
		return fail(err, VMSNAP_ERR_CANCELLED, "cancelled");
	int rc = VMSNAP_OK;
	/* Rows are of a machine and a time, by which they are told apart; a core file tells neither. */
	for (size_t i = 0; !rc && i < count; i++)
		rc = states_told(snaps[i], "an export", err);
	if (rc)
		return rc;
	return e->options.strip ? add_stripped(e, snaps, count, err) : e->exporter->add(e, snaps, count, err);
}

VMSNAP_API int vmsnap_export_add_group(struct vmsnap_export *e, const struct vmsnap_group *group,
                                       struct vmsnap_error *err)
{
	size_t count = vmsnap_group_count(group);
	CLEANUP_FREE const struct vmsnap **snaps = calloc(count + 1, sizeof(*snaps));
	struct vmsnap_group_process process;
	if (!snaps)
		return fail_no_memory(err);
	for (size_t i = 0; i < count; i++) {
		vmsnap_group_process(group, i, &process);
		snaps[i] = process.snap;
	}
	e->group = group;
	int rc = vmsnap_export_add(e, snaps, count, err);
	e->group = NULL;
	return rc;
}

VMSNAP_API int vmsnap_export_finish(struct vmsnap_export *e, struct vmsnap_error *err)
{
	if (e->finished)
		return fail(err, VMSNAP_ERR_ARGUMENT, "it is finished already");
	int rc = e->exporter->finish ? e->exporter->finish(e, err) : VMSNAP_OK;
	rc = rc || e->exporter->own_file ? rc : export_flush(e, err);
	rc = rc ? rc : product_file_place(&e->file, e->exporter->readable, err);
	e->finished = !rc;
	return rc;
}

VMSNAP_API void vmsnap_export_free(struct vmsnap_export *e)
{
	if (!e)
		return;
	if (e->state && e->exporter->free)
		e->exporter->free(e);
	product_file_close(&e->file);
	free(e->state);
	free(e->buffer);
	free(e);
}
