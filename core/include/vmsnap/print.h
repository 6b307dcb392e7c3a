/* print.h - all of that as text for people and as JSON.
 * Included by vmsnap.h, which tells what holds for all of it. */
#ifndef VMSNAP_PRINT_API_H
#define VMSNAP_PRINT_API_H

#include <vmsnap/abilities.h>
#include <vmsnap/aslr.h>
#include <vmsnap/blame.h>
#include <vmsnap/compare.h>
#include <vmsnap/file.h>
#include <vmsnap/group.h>
#include <vmsnap/names.h>
#include <vmsnap/series.h>
#include <vmsnap/values.h>
#include <vmsnap/who.h>

#ifdef __cplusplus
extern "C" {
#endif

/* How to print.  The same texts serve the command line and gdb. */
enum vmsnap_color {
	VMSNAP_COLOR_NONE,
	VMSNAP_COLOR_16,
	VMSNAP_COLOR_256,
	VMSNAP_COLOR_RGB,
	VMSNAP_COLOR_LIGHT = 16, /* or-ed with one of these: for a terminal with a light background */
};
const char *vmsnap_color_name(int color); /* "rgb" */
struct vmsnap_style {
	size_t size;    /* sizeof(struct vmsnap_style) */
	int color;      /* enum vmsnap_color */
	unsigned width; /* columns; 0: unlimited */
	bool unicode, json, raw, bytes, no_headings;
	const char *columns; /* "START,SIZE" or "+PSS"; NULL: the usual ones */
	const char *sort;    /* "SIZE", or "-SIZE": the largest first; NULL: as they come */
};

/* Which mappings and pages are told of; NULL and 0: all.  What a mapping must be and what a page
 * must be hold together. */
struct vmsnap_filter {
	size_t size;         /* sizeof(struct vmsnap_filter) */
	const char *name;    /* the mapping is called so, or its name or the last part of it fits this as a
	                      * pattern of *, ? and [a-z]; "": it has none */
	const char *perm;    /* "x", "rw", "s!w": letters of rwxps that the mapping has, behind a ! those that it
	                      * has not; "r-xp": these and no others */
	const char *only;    /* "exclusive,!file": what the page is or, behind a !, is not: words of
	                      * vmsnap_page_flag_name().  Not exclusive, not zero, not huge is what is present.
	                      * "exclusive?": it is not known whether it is.  Pages that are left out for not
	                      * being known are counted in the text, and in "filter" of JSON */
	const char *pfn;     /* "1a2b-1cff": the page lies in one of these frames, the last included; "1a2b": in
	                      * that one; hexadecimal */
	uint64_t start, end; /* the page overlaps [start, end); end 0: any */
};
/* Whether it says something, without a snapshot: VMSNAP_ERR_ARGUMENT. */
int vmsnap_filter_check(const struct vmsnap_filter *filter, struct vmsnap_error *err);

/* Receives the text piece by piece; returns 0, or an errno to stop with. */
typedef int (*vmsnap_write_fn)(void *ctx, const char *text, size_t len);

struct vmsnap_output {
	size_t size; /* sizeof(struct vmsnap_output) */
	struct vmsnap_style style;
	vmsnap_write_fn write;
	void *ctx;
	bool (*cancelled)(void *ctx); /* asked now and then, also while nothing is written; NULL:
	                                 never cancelled */
	void *cancel_ctx;
	/* Of show, pages and map; of others, what is not NULL is VMSNAP_ERR_ARGUMENT, and so is what
	 * the snapshot does not know (frames, without privilege). */
	const struct vmsnap_filter *filter;
	/* Of the snapshot, or of B: what show and map call anonymous memory by
	 * (vmsnap_name_of_mapping()); NULL: by nothing. */
	struct vmsnap_names *names;
	/* Of show and pages, where there are several: what this one is called, in a line above.  NULL: no line. */
	const char *title;
	/* Of cow: a file, and which of its snapshots lie between the base and what is compared: by them it is told when
	 * most of it was copied.  Only a few of them are looked at, and none after two seconds.  NULL: by none. */
	const struct vmsnap_file *file;
	size_t first, end;
};

int vmsnap_print_show(const struct vmsnap *snap, const struct vmsnap_output *out, struct vmsnap_error *err);
/* The same; flags: enum vmsnap_print_flag.  Without VMSNAP_PRINT_LONG the mappings of one file are one row, and so are
 * others that people take for one, where that is for people; with it, as vmsnap_print_show() has it, a row each. */
int vmsnap_print_show_with(const struct vmsnap *snap, unsigned flags, const struct vmsnap_output *out,
                           struct vmsnap_error *err);
/* The same, added up by what mappings are (enum vmsnap_mapping_kind), by file, or by the NUMA node of each page.
 * out->names: without them .bss is anonymous. */
enum vmsnap_show_by { VMSNAP_SHOW_BY_KIND, VMSNAP_SHOW_BY_FILE, VMSNAP_SHOW_BY_NODE, VMSNAP_SHOW_BY_COUNT };
const char *vmsnap_show_by_name(int by); /* "kind" */
int vmsnap_print_show_by(const struct vmsnap *snap, int by, const struct vmsnap_output *out, struct vmsnap_error *err);
int vmsnap_print_pages(const struct vmsnap *snap, uint64_t start, uint64_t end, bool each_page,
                       const struct vmsnap_output *out, struct vmsnap_error *err);
/* The same; flags: enum vmsnap_print_flag.  Without VMSNAP_PRINT_LONG neighbouring runs that differ in nothing but
 * their frames are one row, where that is for people: without frames then.  VMSNAP_PRINT_EACH_PAGE: as each_page. */
int vmsnap_print_pages_with(const struct vmsnap *snap, uint64_t start, uint64_t end, unsigned flags,
                            const struct vmsnap_output *out, struct vmsnap_error *err);
int vmsnap_print_page(const struct vmsnap *snap, struct vmsnap_names *names, uint64_t address,
                      const struct vmsnap_output *out, struct vmsnap_error *err);
enum vmsnap_print_flag {
	VMSNAP_PRINT_TOTALS_ONLY = 1,
	VMSNAP_PRINT_LONG = 2,
	VMSNAP_PRINT_EACH_PAGE = 4,
	VMSNAP_PRINT_PICTURE = 8, /* of a fork: the child's address space as vmsnap_print_map() draws it, by verdicts */
};
const char *vmsnap_print_flag_name(unsigned flag); /* of one bit: "long" */
/* names: of B (of the child); may be NULL. */
int vmsnap_print_diff(const struct vmsnap_diff *diff, struct vmsnap_names *names, unsigned flags,
                      const struct vmsnap_output *out, struct vmsnap_error *err);
int vmsnap_print_cow(const struct vmsnap_cow *cow, struct vmsnap_names *names, unsigned flags,
                     const struct vmsnap_output *out, struct vmsnap_error *err);
/* Of trees, a line for each process. */
int vmsnap_print_set_diff(const struct vmsnap_set_diff *diff, unsigned flags, const struct vmsnap_output *out,
                          struct vmsnap_error *err);
int vmsnap_print_set_cow(const struct vmsnap_set_cow *cow, unsigned flags, const struct vmsnap_output *out,
                         struct vmsnap_error *err);
/* Two runs; VMSNAP_PRINT_LONG: what does not differ, too. */
int vmsnap_print_aslr(const struct vmsnap_aslr *aslr, unsigned flags, const struct vmsnap_output *out,
                      struct vmsnap_error *err);
/* Processes of one instant, and who shares how much with whom.  before, change: an earlier instant, and what was
 * lost since; both or neither. */
int vmsnap_print_group(const struct vmsnap_group *group, const struct vmsnap_group *before,
                       const struct vmsnap_group_change *change, unsigned flags, const struct vmsnap_output *out,
                       struct vmsnap_error *err);
/* The same by what is shared: mappings, or what has a name in private memory. */
enum vmsnap_group_by { VMSNAP_GROUP_BY_MAPPING, VMSNAP_GROUP_BY_NAME };
/* names: of any of these processes; they go from one to the next.  May be NULL. */
int vmsnap_print_group_by(const struct vmsnap_group *group, const struct vmsnap_group *before,
                          const struct vmsnap_group_change *change, int by, struct vmsnap_names *names, unsigned flags,
                          const struct vmsnap_output *out, struct vmsnap_error *err);
/* Which variables changed, and from what to what. */
int vmsnap_print_values(const struct vmsnap_value_diff *diff, const struct vmsnap_output *out,
                        struct vmsnap_error *err);
int vmsnap_print_status(const struct vmsnap *a, const struct vmsnap *b, const struct vmsnap_output *out,
                        struct vmsnap_error *err); /* b may be NULL */
int vmsnap_print_map(const struct vmsnap *a, const struct vmsnap *b, const struct vmsnap_output *out,
                     struct vmsnap_error *err); /* b may be NULL */
/* What the process wrote since the look before, by mapping, with what lies there: of a snapshot that was taken with a
 * tracker.  JSON is in one line.  names may be NULL. */
int vmsnap_print_written(const struct vmsnap *snap, struct vmsnap_names *names, const struct vmsnap_output *out,
                         struct vmsnap_error *err);
/* What bytes of [start, end) held, 16 in a line, as hexadecimal digits and as ASCII; "??" is not known.  Lines
 * like the one before are folded into one "*", but not for raw.  b: NULL, or another snapshot: where its bytes
 * differ, these stand below. */
int vmsnap_print_dump(const struct vmsnap *snap, const struct vmsnap *b, uint64_t start, uint64_t end,
                      const struct vmsnap_output *out, struct vmsnap_error *err);
/* What may be known here, an ability a line. */
int vmsnap_print_abilities(const struct vmsnap_abilities *abilities, const struct vmsnap_output *out,
                           struct vmsnap_error *err);
/* Who maps a frame or a file.  names: of any of the processes; they are bound to one after the other, and to the
 * last in the end.  NULL: none. */
int vmsnap_print_who(const struct vmsnap_who *who, struct vmsnap_names *names, const struct vmsnap_output *out,
                     struct vmsnap_error *err);
/* Which code made, copied and wrote pages; or the same added up by where they lie.  names: of any of the processes; they
 * go from one to the next.  NULL: symbols of C++ and Rust are as files have them, and variables have no names. */
enum vmsnap_blame_by {
	VMSNAP_BLAME_BY_FUNCTION,
	VMSNAP_BLAME_BY_LINE,
	VMSNAP_BLAME_BY_MAPPING,
	VMSNAP_BLAME_BY_VARIABLE,
	VMSNAP_BLAME_BY_PAGE,
	VMSNAP_BLAME_BY_THREAD,
	VMSNAP_BLAME_BY_STACK,
	VMSNAP_BLAME_BY_COUNT
};
const char *vmsnap_blame_by_name(int by); /* "function" */
int vmsnap_print_blame(const struct vmsnap_blame *blame, int by, struct vmsnap_names *names, unsigned flags,
                       const struct vmsnap_output *out, struct vmsnap_error *err);
/* Snapshots that are in memory, a line each.  names: what they are called here, or
 * NULL for their labels. */
int vmsnap_print_snapshots(const struct vmsnap *const *snaps, const char *const *names, size_t count,
                           const struct vmsnap_output *out, struct vmsnap_error *err);
/* How the page of an address went through snapshots, a line each. */
int vmsnap_print_history(const struct vmsnap *const *snaps, const char *const *names, size_t count, uint64_t address,
                         const struct vmsnap_output *out, struct vmsnap_error *err);
/* The same through a file, a line for each snapshot in which something happened to it, and the first of each process.
 * options: which snapshots; .by is not looked at.  What is stored of other pages is not read where that can be avoided.
 * If some snapshots cannot be read, that is the failure, after all of the text. */
int vmsnap_print_file_history(const struct vmsnap_file *file, const struct vmsnap_series_options *options,
                              uint64_t address, const struct vmsnap_output *out, struct vmsnap_error *err);
/* A series that was just opened, to its end: for people a row for each snapshot, a column for each of those lines that
 * grew most, which are those of one name together, and their way from the first to the last; changes of less than
 * `min` bytes are not told one by one.  Mappings and kinds of several processes are not shown beside each other:
 * VMSNAP_ERR_ARGUMENT, but for JSON, in which each snapshot has the lines that changed by `min` or came or went.
 * If some snapshots cannot be read, that is the failure, after all of the text. */
int vmsnap_print_series(struct vmsnap_series *series, uint64_t min, const struct vmsnap_output *out,
                        struct vmsnap_error *err);
/* What forks cost as they go on. */
int vmsnap_print_series_forks(struct vmsnap_series_forks *forks, const struct vmsnap_output *out,
                              struct vmsnap_error *err);
int vmsnap_print_list(const struct vmsnap_file *file, const struct vmsnap_output *out, struct vmsnap_error *err);
/* Reads everything there is; the return value is that of the worst finding. */
int vmsnap_print_check(const struct vmsnap_file *file, const struct vmsnap_output *out, struct vmsnap_error *err);
/* The columns of a table, for style.columns and style.sort: their names and what they mean,
 * in the order in which they stand, NULL after the last; and whether they are shown unless
 * asked for.  Show has one more for each key of smaps, in capitals. */
enum vmsnap_report {
	VMSNAP_REPORT_SHOW = 1,
	VMSNAP_REPORT_PAGES,
	VMSNAP_REPORT_DIFF,
	VMSNAP_REPORT_COW,
	VMSNAP_REPORT_STATUS_ONE, /* of one snapshot */
	VMSNAP_REPORT_STATUS_TWO,
	VMSNAP_REPORT_LIST,
	VMSNAP_REPORT_CHECK,
	VMSNAP_REPORT_SNAPSHOTS,
	VMSNAP_REPORT_HISTORY,
	VMSNAP_REPORT_SET_DIFF,
	VMSNAP_REPORT_SET_COW,
	VMSNAP_REPORT_VALUES,
	VMSNAP_REPORT_SERIES = 14, /* without the columns that a series has */
	VMSNAP_REPORT_SERIES_COW = 15,
	VMSNAP_REPORT_WHO = 18,   /* of a frame */
	VMSNAP_REPORT_KINDS = 20, /* show --by */
	VMSNAP_REPORT_WHO_FILE = 21,
	VMSNAP_REPORT_ASLR = 19,
	VMSNAP_REPORT_GROUP = 16,
	VMSNAP_REPORT_GROUP_BY = 17,
	VMSNAP_REPORT_BLAME = 22,
};
const char *vmsnap_report_name(int report); /* "show" */
const char *vmsnap_report_column_name(int report, size_t index);
const char *vmsnap_report_column_help(int report, size_t index);
bool vmsnap_report_column_usual(int report, size_t index);

/* Writes `text` so that it cannot move a cursor, forge a line or be mistaken for
 * anything else: control characters, invalid UTF-8 and '\\' as \xHH. */
int vmsnap_print_escaped(const char *text, size_t len, const struct vmsnap_output *out, struct vmsnap_error *err);

#ifdef __cplusplus
}
#endif
#endif
