/* export.h - what snapshots say, in formats of other programs: databases, monitoring, profilers.
 * Included by vmsnap.h, which tells what holds for all of it. */
#ifndef VMSNAP_EXPORT_API_H
#define VMSNAP_EXPORT_API_H

#include <vmsnap/group.h>
#include <vmsnap/print.h>

#ifdef __cplusplus
extern "C" {
#endif

enum vmsnap_export_format {
	VMSNAP_EXPORT_SQLITE = 0,      /* an SQLite database (docs/schema.md) */
	VMSNAP_EXPORT_TSV = 1,         /* one table of it as tab-separated text */
	VMSNAP_EXPORT_OPENMETRICS = 2, /* text for node_exporter's folder */
	VMSNAP_EXPORT_PPROF = 3,       /* a gzipped profile.proto */
	VMSNAP_EXPORT_FOLDED = 4,      /* stacks for flame graphs, a line each */
	VMSNAP_EXPORT_COUNT
};
const char *vmsnap_export_format_name(int format); /* "sqlite"; NULL: there is none such */
enum vmsnap_export_flag {
	VMSNAP_EXPORT_RUNS = 1,       /* the table of runs of pages, too */
	VMSNAP_EXPORT_CHANGED = 2,    /* of mappings only those whose sums are not those of the snapshot before */
	VMSNAP_EXPORT_ARGUMENTS = 4,  /* command lines, too */
	VMSNAP_EXPORT_NO_HEADING = 8, /* of TSV: no line of names */
};
const char *vmsnap_export_flag_name(unsigned flag); /* of one bit: "runs" */

struct vmsnap_export_options {
	size_t size;       /* sizeof(struct vmsnap_export_options) */
	unsigned flags;    /* enum vmsnap_export_flag; one that a format has no use for is VMSNAP_ERR_ARGUMENT */
	unsigned strip;    /* enum vmsnap_strip: left out */
	const char *host;  /* what the machine is called, instead of what snapshots say; NULL: that */
	const char *table; /* of TSV, which has one */
	/* Where it goes: a file, or to a function.  Of SQLITE a file, which is added to. */
	const char *path;
	vmsnap_write_fn write;
	void *ctx;
	int dialect; /* enum vmsnap_schema_dialect: of TSV, who reads it; ClickHouse and others alike but POSTGRES */
	bool (*cancelled)(void *ctx); /* asked now and then; NULL: never cancelled */
	void *cancel_ctx;
	/* Functions in stacks as files have them, not as their language does; tables have them so in any case. */
	bool raw_symbols;
};

struct vmsnap_export;
/* VMSNAP_ERR_NOT_FOUND: a library that it needs is not there, and its name is in the message. */
int vmsnap_export_new(int format, const struct vmsnap_export_options *options, struct vmsnap_export **out,
                      struct vmsnap_error *err);
/* Those of one instant, so that what they share is told; in the order in which they were taken. */
int vmsnap_export_add(struct vmsnap_export *exported, const struct vmsnap *const *snaps, size_t count,
                      struct vmsnap_error *err);
/* The processes of a group, with what it has of their shares: where they were captured just now, it can know who else
 * maps their frames (struct vmsnap_group_options, .counts), which nobody can find out later. */
int vmsnap_export_add_group(struct vmsnap_export *exported, const struct vmsnap_group *group, struct vmsnap_error *err);
/* Once, after the last: until then a file that was there is as it was, but of SQLITE, which has all that was added
 * so far. */
int vmsnap_export_finish(struct vmsnap_export *exported, struct vmsnap_error *err);
void vmsnap_export_free(struct vmsnap_export *exported); /* NULL is fine */

/* What makes the tables and views in a database (docs/schema.md). */
enum vmsnap_schema_dialect {
	VMSNAP_SCHEMA_SQLITE,
	VMSNAP_SCHEMA_CLICKHOUSE,
	VMSNAP_SCHEMA_POSTGRES,
	VMSNAP_SCHEMA_COUNT
};
const char *vmsnap_schema_dialect_name(int dialect); /* "sqlite" */
int vmsnap_export_schema(int dialect, const struct vmsnap_output *out, struct vmsnap_error *err);

#ifdef __cplusplus
}
#endif
#endif
