/* exporter.h - what an export is made of: a format, and where its bytes go. */
#ifndef VMSNAP_EXPORTER_H
#define VMSNAP_EXPORTER_H

#include "export_row.h"
#include "product_file.h"
#include "vmsnap.h"
#include "work.h"

/* Of each format one, in a file of its own; a table of them is in export.c. */
struct exporter {
	const char *name;
	unsigned flags; /* enum vmsnap_export_flag that it has a use for */
	bool own_file;  /* it opens options.path itself */
	const char *
	        begins; /* a file that it may take the place of begins with this; NULL: with anything, if it is empty */
	/* state is its own: calloc'ed with state_size, and freed after free(). */
	bool readable; /* its file is for others to read, as programs of other users do: mode 0644 */
	size_t state_size;
	/* Of open, finish and free those are NULL that have nothing to do. */
	int (*open)(struct vmsnap_export *exported, struct vmsnap_error *err);
	int (*add)(struct vmsnap_export *exported, const struct vmsnap *const *snaps, size_t count,
	           struct vmsnap_error *err);
	int (*finish)(struct vmsnap_export *exported, struct vmsnap_error *err);
	void (*free)(struct vmsnap_export *exported);
};
extern const struct exporter exporter_sqlite, exporter_tsv, exporter_openmetrics, exporter_pprof, exporter_folded;

struct vmsnap_export {
	const struct exporter *exporter;
	struct vmsnap_export_options options;
	void *state;
	struct work work;
	bool finished;
	const struct vmsnap_group *group; /* lent: of those that are being added; NULL: they are their own */
	/* Its bytes: buffered, then to options.write or into options.path. */
	struct product_file file; /* not open: options.write */
	char *buffer;
	size_t buffered;
	int failed; /* errno of a write: nothing more is written then */
};

/* Rows of these tables (1 << enum export_table_id), as the options want them. */
static inline struct export_rows export_rows_of(struct vmsnap_export *exported, unsigned tables, export_row_fn row)
{
	const struct vmsnap_export_options *options = &exported->options;
	return (struct export_rows){ .tables = tables,
		                     .arguments = options->flags & VMSNAP_EXPORT_ARGUMENTS,
		                     .changed = options->flags & VMSNAP_EXPORT_CHANGED,
		                     .runs = options->flags & VMSNAP_EXPORT_RUNS,
		                     .host = options->host,
		                     .work = &exported->work,
		                     .row = row,
		                     .ctx = exported };
}

enum { EXPORT_BUFFER = 64 * 1024 };
/* Each keeps what went wrong for export_flush(). */
void export_bytes(struct vmsnap_export *exported, const void *bytes, size_t len);
void export_text(struct vmsnap_export *exported, const char *text);
__attribute__((format(printf, 2, 3))) void export_printf(struct vmsnap_export *exported, const char *format, ...);
int export_flush(struct vmsnap_export *exported, struct vmsnap_error *err);

#endif
