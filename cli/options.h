/* options.h - the commands and their options: one table, from which come the
 * parser, the help texts and the shell completion. */
#ifndef VMSNAP_CLI_OPTIONS_H
#define VMSNAP_CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "terminal.h"

struct command;
struct vmsnap;

/* What an option was given that may be given so often: --exclude, --cgroup, --match. */
enum { WORDS_MAX = 64 };
struct word_list {
	const char *words[WORDS_MAX];
	size_t count;
};

struct options {
	const struct command *command;
	char **operands;
	int operand_count;
	int plain_count; /* of these: in front of "--" */

	bool append, delta, tree, smaps, kpage, quiet; /* capture */
	bool full;                                     /* copy */
	const char *thin;                              /* copy */
	const char *contents;                   /* which pages' are kept: "" if that was not said; NULL: none */
	bool hash, undumped;
	struct word_list exclude;
	unsigned threads;                       /* 0: the library's choice */
	bool no_freeze, no_realtime;            /* every capture, live processes too */
	bool each, totals, long_rows, no_names, written, map; /* reading */
	bool no_demangle, values, aslr;
	bool json, raw, bytes, no_headings, ascii, help; /* style */
	enum color_when color;
	enum scheme_which scheme;
	bool width_given;
	unsigned width;
	struct word_list cgroup, match; /* which processes, besides those that are named */
	const char *track;     /* how writes are tracked: "" if it was not said; NULL: they are not */
	uint64_t every, lasts, rotate, max_pause; /* record: ns; 0: not given */
	bool blame;                               /* record: page faults, too */
	unsigned max_files;                       /* 0: not given */
	const char *on;                           /* record: events */
	const char *file; /* where capture writes to */
	const char *label, *base, *sysroot, *columns, *sort;
	const char *name, *range, *perm, *only, *pfn; /* filters */
	const char *by;                               /* show, series: added up by what; group: what its rows are */
	const char *min;                              /* series: the least change that is told */
	bool cow;                                     /* series: of forks */
	bool history;                                 /* page: through the file */
	const char *strip;                            /* report, copy: what is left out */
	bool report_contents;                         /* report: what pages held */
	const char *other, *save;                     /* dump: --diff, --save; blame: --save */
	const char *format, *table, *schema, *host;   /* export */
	bool runs, changed, arguments;                /* export */
	uint64_t watch;                               /* ns between looks; 0: one */
	const struct vmsnap *first;                   /* diff --watch of one process: with what it is compared; or NULL */
};

/* Commands as bits, for the table of options. */
enum command_bit {
	CMD_CAPTURE = 1 << 0,
	CMD_SHOW = 1 << 1,
	CMD_PAGES = 1 << 2,
	CMD_PAGE = 1 << 3,
	CMD_DIFF = 1 << 4,
	CMD_COW = 1 << 5,
	CMD_MAP = 1 << 6,
	CMD_STATUS = 1 << 7,
	CMD_LIST = 1 << 8,
	CMD_CHECK = 1 << 9,
	CMD_RECORD = 1 << 10,
	CMD_DUMP = 1 << 11,
	CMD_COPY = 1 << 12,
	CMD_SERIES = 1 << 13,
	CMD_GROUP = 1 << 14,
	CMD_WHO = 1 << 15,
	CMD_REPORT = 1 << 16,
	CMD_BLAME = 1 << 17,
	CMD_EXPORT = 1 << 18,
};

enum { COMMAND_REPORTS = 4, OPERANDS_ANY = 1 << 30 };
struct command {
	unsigned bit;
	const char *name;
	const char *operands; /* as in "Usage:" */
	int operands_min, operands_max;
	const char *summary; /* one line, for `vmsnap --help` */
	const char *details; /* a few, for `vmsnap COMMAND --help` */
	int (*run)(const struct options *options);
	int reports[COMMAND_REPORTS]; /* enum vmsnap_report, of the tables that it prints; 0: none */
};

enum option_kind {
	OPTION_FLAG,    /* sets a bool */
	OPTION_TEXT,    /* keeps a string */
	OPTION_COLOR,   /* --color[=WHEN] */
	OPTION_SCHEME,  /* --color-scheme=WHICH */
	OPTION_WIDTH,   /* --width COLUMNS */
	OPTION_THREADS, /* --threads N */
	OPTION_FILES,   /* --max-files N */
	OPTION_MAYBE,   /* keeps a string, "" if there is none: --contents[=WHICH], --track[=HOW] */
	OPTION_LIST,    /* --exclude WHAT, more than once: a struct word_list */
	OPTION_TIME,    /* --every TIME */
};

/* What a value is, for completion. */
enum option_value { VALUE_NONE, VALUE_ANY, VALUE_FILE, VALUE_FOLDER, VALUE_SNAPSHOT, VALUE_WHEN, VALUE_SCHEME, VALUE_COLUMN, VALUE_CONTENTS, VALUE_TRACK, VALUE_BY, VALUE_GROUP_BY, VALUE_STRIP, VALUE_EVENTS, VALUE_SERIES_BY, VALUE_FORMAT, VALUE_SCHEMA, VALUE_BLAME_BY };

struct option_row {
	const char *name;
	char letter; /* 0: none */
	enum option_kind kind;
	enum option_value value;
	const char *placeholder; /* "FILE"; NULL: takes no value */
	size_t field;            /* in struct options */
	unsigned commands;       /* enum command_bit, or-ed */
	const char *help;
};

extern const struct command command_table[];
extern const size_t command_count;
extern const struct option_row option_table[];
extern const size_t option_count;

/* NULL if there is none of that name. */
const struct command *command_find(const char *name);
/* Says what is unknown and what may have been meant. */
int command_unknown(const char *name);

/* argv[0] is the command's name.  STATUS_OK, or STATUS_TROUBLE after saying why. */
int options_parse(struct options *options, const struct command *command, int argc, char **argv);

#endif
