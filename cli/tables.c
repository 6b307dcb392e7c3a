/* The tables of commands and options.  They are all that knows their names. */
#include "commands.h"
#include "options.h"
#include "vmsnap.h"

const struct command command_table[] = {
	{ CMD_CAPTURE, "capture", "[PID...]", 0, OPERANDS_ANY, "take a snapshot of a process and save it",
	  "Saves to vmsnap-PID.vms in the current folder unless -o says otherwise. The\n"
	  "process stands still while its pages are read, a small one for a fraction of a\n"
	  "millisecond; several, related or not, stand still at one instant.\n",
	  cmd_capture, { 0 } },
	{ CMD_RECORD, "record", "[PID...] [-- COMMAND...]", 0, OPERANDS_ANY, "a process over time, into a file",
	  "Snapshots at intervals and events, each as what differs from the one before.\n"
	  "COMMAND is started and recorded; if there is a PID, that is, while COMMAND runs.\n"
	  "Ends with Ctrl-C, with the process, with COMMAND, or after --for.  --track\n"
	  "without -o prints what it writes, round by round.\n",
	  cmd_record, { 0 } },
	{ CMD_SHOW, "show", "SNAPSHOT...", 1, OPERANDS_ANY, "the address space as a table, with totals",
	  "What is resident, and who else has it; a row for each file with what belongs to\n"
	  "it, or for each mapping: -l, --raw and --json. Of several snapshots\n"
	  "(FILE@FIRST..LAST, too) a table each, in JSON an array.\n", cmd_show,
	  { VMSNAP_REPORT_SHOW, VMSNAP_REPORT_KINDS } },
	{ CMD_PAGES, "pages", "SNAPSHOT... [ADDRESS | START-END | START+LENGTH]", 1, OPERANDS_ANY, "page states, run by run",
	  "Neighbouring pages in one state make a run. Addresses are hexadecimal, with or\n"
	  "without 0x. LENGTH too, or a decimal number with K, M, G or T, or p for pages.\n"
	  "Of several snapshots a table each, in JSON an array.\n",
	  cmd_pages, { VMSNAP_REPORT_PAGES } },
	{ CMD_PAGE, "page", "SNAPSHOT ADDRESS", 2, 2, "everything about one address",
	  "The mapping, the page's state and frame, the place in the file, and the symbol\n"
	  "that lies there; for an unmapped address the gap around it.\n",
	  cmd_page, { 0 } },
	{ CMD_DUMP, "dump", "SNAPSHOT ADDRESS | START-END | START+LENGTH", 2, 2, "what memory held, as hex and text",
	  "Of a snapshot that was captured with --contents, or of a live process. Bytes\n"
	  "that are not known are ??; lines like the one before are folded into a *. They\n"
	  "may be passwords and keys.\n",
	  cmd_dump, { 0 } },
	{ CMD_DIFF, "diff", "A [B]", 1, 2, "what differs between two snapshots",
	  "With one file: between its last two snapshots, or trees (capture --tree), of\n"
	  "which a line for each process tells. The exit status is 0 if nothing differs, 1\n"
	  "if something does, 2 if something went wrong. What a process writes to pages of\n"
	  "its own shows by what they hold (capture --contents), or by capture --track.\n",
	  cmd_diff, { VMSNAP_REPORT_DIFF, VMSNAP_REPORT_SET_DIFF, VMSNAP_REPORT_VALUES, VMSNAP_REPORT_ASLR } },
	{ CMD_COW, "cow", "PARENT [CHILD]", 1, 2, "after a fork: what is shared, and who copied what",
	  "How much of the sharing is lost, to whom, where, and which variables of the\n"
	  "program lie there. With one file, it must hold two snapshots, parent and child,\n"
	  "or a tree, of which all forks are told. A verdict says who copied a page, which\n"
	  "is not always who wrote to it; --base tells it: best of the fork itself (record\n"
	  "--tree --on fork), of others the parent before it. -o and --sort are about the\n"
	  "ranges that -l lists.\n",
	  cmd_cow, { VMSNAP_REPORT_COW, VMSNAP_REPORT_SET_COW } },
	{ CMD_GROUP, "group", "PID... | SNAPSHOT...", 0, OPERANDS_ANY, "who shares how much memory with whom",
	  "Processes of one instant: live ones, or those of files. Frames are counted once.\n"
	  "With two instants (two files; a file that holds two; a file and live processes):\n"
	  "what became of the sharing.\n",
	  cmd_group, { VMSNAP_REPORT_GROUP, VMSNAP_REPORT_GROUP_BY } },
	{ CMD_MAP, "map", "A [B]", 1, 2, "the address space as a picture",
	  "With two snapshots: what became of A's pages in B.\n", cmd_map, { 0 } },
	{ CMD_STATUS, "status", "A [B]", 1, 2, "the lines of /proc/PID/status",
	  "With two snapshots: side by side.\n", cmd_status, { VMSNAP_REPORT_STATUS_ONE, VMSNAP_REPORT_STATUS_TWO } },
	{ CMD_SERIES, "series", "FILE", 1, 1, "what grew, over the snapshots of a file",
	  "A row for each snapshot of FILE or FILE@FIRST..LAST, a column for each mapping\n"
	  "that grew most: its name is for -o, too. Of a file with several processes one is\n"
	  "chosen, FILE@pid:PID, or each has a column: --by process.\n",
	  cmd_series, { VMSNAP_REPORT_SERIES, VMSNAP_REPORT_SERIES_COW } },
	{ CMD_WHO, "who", "pfn:X | phys:X | SNAPSHOT ADDRESS | PATH [FILE...]", 1, OPERANDS_ANY,
	  "which processes map a frame, a page or a file",
	  "Looks at all processes, one after the other, and stops none. pfn:X is a frame by\n"
	  "its number, phys:X by an address in it, both hexadecimal; with files behind it,\n"
	  "or behind PATH, as they were in their snapshots. Of a file also how much the\n"
	  "page cache has of it, and which processes have copies of their own of its\n"
	  "pages: patched code. Frames are known to root alone.\n",
	  cmd_who, { VMSNAP_REPORT_WHO, VMSNAP_REPORT_WHO_FILE } },
	{ CMD_BLAME, "blame", "PID...|FILE [-- COMMAND...]", 0, OPERANDS_ANY, "which code made, copied and wrote pages",
	  "Watches page faults for a while, and two snapshots tell what became of the\n"
	  "pages. COMMAND is started and watched; if there is a PID, that is, while COMMAND\n"
	  "runs. Ends with Ctrl-C, with the process, with COMMAND, or after --for. As root\n"
	  "more is known: which were reads, and faults inside system calls.\n",
	  cmd_blame, { VMSNAP_REPORT_BLAME } },
	{ CMD_REPORT, "report", "FILE...", 1, OPERANDS_ANY, "a page for a browser that shows a whole series",
	  "Writes one HTML file that needs nothing else: FILE.html in the current folder\n"
	  "unless -o says otherwise. What is resident, what changed between any two\n"
	  "snapshots, and after a fork who copied what. Several files of one boot are put\n"
	  "in order of time.\n",
	  cmd_report, { 0 } },
	{ CMD_EXPORT, "export", "--format FORMAT FILE[@WHICH]... | PROC...", 0, OPERANDS_ANY,
	  "snapshots for databases, monitoring and profilers",
	  "sqlite adds to the database that -o names; tsv prints one --table for the client\n"
	  "of another; openmetrics is text for node_exporter; pprof and folded are for\n"
	  "profilers and flame graphs. --schema ENGINE alone prints what makes the tables.\n",
	  cmd_export, { 0 } },
	{ CMD_COPY, "copy", "FILE[@WHICH]...", 1, OPERANDS_ANY, "snapshots of files into another file",
	  "All of them, or those that WHICH says (a number, a label, FIRST..LAST), in this\n"
	  "order: to take some out, to join files, to make a long series short, or to leave\n"
	  "out what is nobody else's business. FILE is replaced when all are written.\n",
	  cmd_copy, { 0 } },
	{ CMD_LIST, "list", "FILE", 1, 1, "the snapshots in a file",
	  "Their numbers and labels are what FILE@N and FILE@LABEL stand for; of several\n"
	  "processes FILE@pid:PID, FILE@pid:PID@N and FILE@pid:PID@LABEL are one's.\n", cmd_list, { VMSNAP_REPORT_LIST } },
	{ CMD_CHECK, "check", "FILE", 1, 1, "whether a file is whole",
	  "Reads everything in it. The exit status is 0 if all is well, otherwise 2.\n", cmd_check, { VMSNAP_REPORT_CHECK } },
};
const size_t command_count = sizeof(command_table) / sizeof(command_table[0]);

#define FIELD(name) offsetof(struct options, name)
enum {
	CMDS_ALL = (1 << 19) - 1,
	CMDS_PROC = CMD_CAPTURE | CMD_RECORD | CMD_BLAME,
	CMDS_PRINTING = CMDS_ALL & ~(CMD_CAPTURE | CMD_REPORT | CMD_COPY | CMD_EXPORT),
	CMDS_LIVE = CMDS_ALL & ~(CMD_LIST | CMD_CHECK | CMD_WHO | CMD_REPORT | CMD_COPY | CMD_SERIES),
	CMDS_TABLES = CMDS_PRINTING & ~(CMD_PAGE | CMD_MAP | CMD_RECORD | CMD_DUMP),
	CMDS_SYMBOLS = CMD_PAGE | CMD_DIFF | CMD_COW | CMD_RECORD | CMD_WHO | CMD_GROUP | CMD_BLAME,
	CMDS_NAMES = CMDS_SYMBOLS | CMD_SHOW | CMD_MAP | CMD_REPORT,
	CMDS_WATCHED = CMD_SHOW | CMD_DIFF | CMD_MAP | CMD_COW | CMD_GROUP,
	CMDS_FILTERED = CMD_SHOW | CMD_PAGES | CMD_MAP,
};

const struct option_row option_table[] = {
	{ "output", 'o', OPTION_TEXT, VALUE_FILE, "FILE", FIELD(file), CMD_CAPTURE | CMD_RECORD | CMD_REPORT | CMD_COPY | CMD_EXPORT,
	  "save to FILE; - is standard output" },
	{ "append", 0, OPTION_FLAG, VALUE_NONE, NULL, FIELD(append), CMD_CAPTURE,
	  "add to the file, if it exists" },
	{ "delta", 0, OPTION_FLAG, VALUE_NONE, NULL, FIELD(delta), CMD_CAPTURE | CMD_COPY,
	  "as what differs from the one before" },
	{ "full", 0, OPTION_FLAG, VALUE_NONE, NULL, FIELD(full), CMD_COPY,
	  "each whole (usual)" },
	{ "thin", 0, OPTION_TEXT, VALUE_ANY, "N/TIME", FIELD(thin), CMD_COPY,
	  "at most N of each process per s, m, h or d" },
	{ "strip", 0, OPTION_TEXT, VALUE_STRIP, "WHAT", FIELD(strip), CMD_COPY | CMD_REPORT | CMD_EXPORT,
	  "leave out pfns,cmdline,names,host,contents,faults" },
	{ "format", 0, OPTION_TEXT, VALUE_FORMAT, "FORMAT", FIELD(format), CMD_EXPORT,
	  "sqlite, tsv, openmetrics, pprof or folded" },
	{ "table", 0, OPTION_TEXT, VALUE_ANY, "TABLE", FIELD(table), CMD_EXPORT,
	  "of tsv: which table" },
	{ "schema", 0, OPTION_TEXT, VALUE_SCHEMA, "ENGINE", FIELD(schema), CMD_EXPORT,
	  "sqlite, clickhouse or postgres: print its tables" },
	{ "runs", 0, OPTION_FLAG, VALUE_NONE, NULL, FIELD(runs), CMD_EXPORT,
	  "each run of pages, too" },
	{ "changed", 0, OPTION_FLAG, VALUE_NONE, NULL, FIELD(changed), CMD_EXPORT,
	  "only mappings whose sums changed" },
	{ "arguments", 0, OPTION_FLAG, VALUE_NONE, NULL, FIELD(arguments), CMD_EXPORT,
	  "command lines, too" },
	{ "host", 0, OPTION_TEXT, VALUE_ANY, "NAME", FIELD(host), CMD_EXPORT,
	  "what this machine is called there" },
	{ "label", 0, OPTION_TEXT, VALUE_ANY, "TEXT", FIELD(label), CMD_CAPTURE,
	  "name the snapshot, for FILE@TEXT" },
	{ "tree", 0, OPTION_FLAG, VALUE_NONE, NULL, FIELD(tree), CMDS_PROC | CMD_GROUP | CMD_EXPORT,
	  "with all descendants, at one instant" },
	{ "match", 0, OPTION_LIST, VALUE_ANY, "NAME", FIELD(match), CMDS_PROC | CMD_GROUP | CMD_EXPORT,
	  "all processes that are called exactly NAME" },
	{ "cgroup", 0, OPTION_LIST, VALUE_FOLDER, "PATH", FIELD(cgroup), CMDS_PROC | CMD_GROUP | CMD_EXPORT,
	  "all in a control group and those below it" },
	{ "smaps", 0, OPTION_FLAG, VALUE_NONE, NULL, FIELD(smaps), CMD_CAPTURE,
	  "keep the fields of smaps too; slower" },
	{ "kpage", 0, OPTION_FLAG, VALUE_NONE, NULL, FIELD(kpage), CMD_CAPTURE,
	  "the kernel's flags of frames, mapcounts, nodes" },
	{ "contents", 0, OPTION_MAYBE, VALUE_CONTENTS, "WHICH", FIELD(contents), CMD_CAPTURE | CMD_RECORD,
	  "what pages hold: private (usual) or all" },
	{ "contents", 0, OPTION_FLAG, VALUE_NONE, NULL, FIELD(report_contents), CMD_REPORT,
	  "with the bytes that changed, and variables' values" },
	{ "hash", 0, OPTION_FLAG, VALUE_NONE, NULL, FIELD(hash), CMD_CAPTURE | CMD_RECORD,
	  "only hashes of that: which pages change" },
	{ "exclude", 0, OPTION_LIST, VALUE_ANY, "WHAT", FIELD(exclude), CMD_CAPTURE | CMD_RECORD,
	  "not of START-END, nor of names like WHAT" },
	{ "undumped", 0, OPTION_FLAG, VALUE_NONE, NULL, FIELD(undumped), CMD_CAPTURE | CMD_RECORD,
	  "also of what is kept out of core files" },
	{ "threads", 0, OPTION_THREADS, VALUE_ANY, "N", FIELD(threads), CMD_CAPTURE | CMD_RECORD,
	  "so many threads read; else as many as pay" },
	{ "track", 0, OPTION_MAYBE, VALUE_TRACK, "HOW", FIELD(track), CMDS_PROC,
	  "what was written: by soft-dirty or uffd" },
	{ "every", 0, OPTION_TIME, VALUE_ANY, "TIME", FIELD(every), CMD_RECORD,
	  "a snapshot each TIME: 1 (usual), 0.5, 100ms, 1m" },
	{ "for", 0, OPTION_TIME, VALUE_ANY, "TIME", FIELD(lasts), CMD_RECORD | CMD_BLAME,
	  "end after TIME" },
	{ "on", 0, OPTION_TEXT, VALUE_EVENTS, "EVENTS", FIELD(on), CMD_RECORD,
	  "also at each: fork,exec,exit,growth=10M" },
	{ "max-pause", 0, OPTION_TIME, VALUE_ANY, "TIME", FIELD(max_pause), CMD_RECORD,
	  "skip one after each pause over TIME" },
	{ "rotate", 0, OPTION_TIME, VALUE_ANY, "TIME", FIELD(rotate), CMD_RECORD,
	  "begin a new file each TIME: FILE-WHEN.vms" },
	{ "max-files", 0, OPTION_FILES, VALUE_ANY, "N", FIELD(max_files), CMD_RECORD,
	  "of these keep the newest N" },
	{ "quiet", 'q', OPTION_FLAG, VALUE_NONE, NULL, FIELD(quiet), CMD_CAPTURE | CMD_RECORD | CMD_COPY,
	  "do not say what was saved" },
	{ "each", 0, OPTION_FLAG, VALUE_NONE, NULL, FIELD(each), CMD_PAGES,
	  "a row for each page, not each run" },
	{ "by", 0, OPTION_TEXT, VALUE_BY, "WHAT", FIELD(by), CMD_SHOW,
	  "added up by kind, file or node" },
	{ "by", 0, OPTION_TEXT, VALUE_SERIES_BY, "WHAT", FIELD(by), CMD_SERIES,
	  "by mapping, kind, process or state" },
	{ "blame", 0, OPTION_FLAG, VALUE_NONE, NULL, FIELD(blame), CMD_RECORD,
	  "keep page faults: which code made or copied pages" },
	{ "save", 0, OPTION_TEXT, VALUE_FILE, "FILE", FIELD(save), CMD_BLAME,
	  "keep snapshots and faults, for blame FILE" },
	{ "by", 0, OPTION_TEXT, VALUE_BLAME_BY, "WHAT", FIELD(by), CMD_BLAME,
	  "rows by function (usual), line, mapping, ..." },
	{ "history", 0, OPTION_FLAG, VALUE_NONE, NULL, FIELD(history), CMD_PAGE,
	  "through all snapshots of FILE, or FILE@A..B" },
	{ "min", 0, OPTION_TEXT, VALUE_ANY, "SIZE", FIELD(min), CMD_SERIES,
	  "what changes by less is not told; usual: 1M" },
	{ "cow", 0, OPTION_FLAG, VALUE_NONE, NULL, FIELD(cow), CMD_SERIES,
	  "what forks cost: pages copied by whom, how fast" },
	{ "name", 0, OPTION_TEXT, VALUE_ANY, "GLOB", FIELD(name), CMDS_FILTERED,
	  "only mappings of this name: libc*, [heap]" },
	{ "perm", 0, OPTION_TEXT, VALUE_ANY, "PERM", FIELD(perm), CMDS_FILTERED,
	  "only mappings that are x, rw, w!x, r-xp, ..." },
	{ "range", 0, OPTION_TEXT, VALUE_ANY, "START-END", FIELD(range), CMDS_FILTERED | CMD_REPORT,
	  "only what lies there; or START+LENGTH" },
	{ "only", 0, OPTION_TEXT, VALUE_ANY, "STATES", FIELD(only), CMDS_FILTERED,
	  "only pages that are exclusive,!file, ..." },
	{ "pfn", 0, OPTION_TEXT, VALUE_ANY, "A-B", FIELD(pfn), CMDS_FILTERED,
	  "only pages in these frames; or one: A" },
	{ "base", 0, OPTION_TEXT, VALUE_SNAPSHOT, "SNAPSHOT", FIELD(base), CMD_COW,
	  "of the fork itself, or parent before it" },
	{ "diff", 0, OPTION_TEXT, VALUE_SNAPSHOT, "SNAPSHOT", FIELD(other), CMD_DUMP,
	  "below each line what differs in that one" },
	{ "save", 0, OPTION_TEXT, VALUE_FILE, "FILE", FIELD(save), CMD_DUMP,
	  "write the bytes to FILE, as they are" },
	{ "totals", 0, OPTION_FLAG, VALUE_NONE, NULL, FIELD(totals), CMD_DIFF | CMD_COW | CMD_GROUP,
	  "only the sums" },
	{ "written", 0, OPTION_FLAG, VALUE_NONE, NULL, FIELD(written), CMD_DIFF,
	  "only pages known to be written to" },
	{ "by", 0, OPTION_TEXT, VALUE_GROUP_BY, "WHAT", FIELD(by), CMD_GROUP,
	  "rows by mapping, or by name: variables" },
	{ "long", 'l', OPTION_FLAG, VALUE_NONE, NULL, FIELD(long_rows), CMD_SHOW,
	  "a row for each mapping, and how it was taken" },
	{ "long", 'l', OPTION_FLAG, VALUE_NONE, NULL, FIELD(long_rows), CMD_PAGES,
	  "a row for each run of frames, too" },
	{ "long", 'l', OPTION_FLAG, VALUE_NONE, NULL, FIELD(long_rows), CMD_GROUP,
	  "each with whom, and all mappings or names" },
	{ "long", 'l', OPTION_FLAG, VALUE_NONE, NULL, FIELD(long_rows), CMD_DIFF | CMD_COW,
	  "a row for each range of pages" },
	{ "long", 'l', OPTION_FLAG, VALUE_NONE, NULL, FIELD(long_rows), CMD_BLAME,
	  "all rows, also of code that only touched pages" },
	{ "map", 0, OPTION_FLAG, VALUE_NONE, NULL, FIELD(map), CMD_COW,
	  "of one fork: the child's memory as a picture" },
	{ "values", 0, OPTION_FLAG, VALUE_NONE, NULL, FIELD(values), CMD_DIFF,
	  "variables that changed: what they held and hold" },
	{ "aslr", 0, OPTION_FLAG, VALUE_NONE, NULL, FIELD(aslr), CMD_DIFF,
	  "two runs: mappings by what they are, not where" },
	{ "no-names", 0, OPTION_FLAG, VALUE_NONE, NULL, FIELD(no_names), CMDS_NAMES,
	  "do not look up names" },
	{ "no-demangle", 0, OPTION_FLAG, VALUE_NONE, NULL, FIELD(no_demangle),
	  CMDS_SYMBOLS | CMD_REPORT | CMD_EXPORT,
	  "symbols of C++ and Rust as files have them" },
	{ "sysroot", 0, OPTION_TEXT, VALUE_FOLDER, "FOLDER", FIELD(sysroot), CMDS_NAMES,
	  "look for the mapped files below FOLDER" },
	{ "no-freeze", 0, OPTION_FLAG, VALUE_NONE, NULL, FIELD(no_freeze), CMDS_LIVE,
	  "let a live process run meanwhile" },
	{ "no-realtime", 0, OPTION_FLAG, VALUE_NONE, NULL, FIELD(no_realtime), CMDS_LIVE,
	  "no real-time priority while it stands" },
	{ "json", 'J', OPTION_FLAG, VALUE_NONE, NULL, FIELD(json), CMDS_ALL & ~(CMD_REPORT | CMD_COPY | CMD_EXPORT),
	  "JSON, for programs" },
	{ "output", 'o', OPTION_TEXT, VALUE_COLUMN, "COLUMNS", FIELD(columns), CMDS_TABLES,
	  "A,B,... only these columns; +A,... these too" },
	{ "sort", 0, OPTION_TEXT, VALUE_COLUMN, "COLUMN", FIELD(sort), CMDS_TABLES,
	  "by this column; -COLUMN: the largest first" },
	{ "raw", 'r', OPTION_FLAG, VALUE_NONE, NULL, FIELD(raw), CMDS_TABLES,
	  "no padding, nothing cut, one blank between" },
	{ "raw", 'r', OPTION_FLAG, VALUE_NONE, NULL, FIELD(raw), CMD_DUMP,
	  "every line, none folded" },
	{ "bytes", 'b', OPTION_FLAG, VALUE_NONE, NULL, FIELD(bytes), CMDS_PRINTING,
	  "exact sizes, in bytes" },
	{ "noheadings", 'n', OPTION_FLAG, VALUE_NONE, NULL, FIELD(no_headings), CMDS_TABLES | CMD_EXPORT,
	  "no line of headings" },
	{ "color", 0, OPTION_COLOR, VALUE_WHEN, "WHEN", FIELD(color), CMDS_PRINTING,
	  "auto, always or never" },
	{ "color-scheme", 0, OPTION_SCHEME, VALUE_SCHEME, "SCHEME", FIELD(scheme), CMDS_PRINTING,
	  "for a terminal that is dark or light; or auto" },
	{ "ascii", 0, OPTION_FLAG, VALUE_NONE, NULL, FIELD(ascii), CMDS_PRINTING,
	  "no characters beyond ASCII" },
	{ "width", 'w', OPTION_WIDTH, VALUE_ANY, "COLUMNS", FIELD(width), CMDS_PRINTING,
	  "as if the terminal were so wide; 0: no limit" },
	{ "watch", 0, OPTION_TIME, VALUE_ANY, "TIME", FIELD(watch), CMDS_WATCHED,
	  "look again each TIME: 1 or 1s, 0.5, 100ms, 1m" },
	{ "help", 'h', OPTION_FLAG, VALUE_NONE, NULL, FIELD(help), CMDS_ALL, "this text" },
};
const size_t option_count = sizeof(option_table) / sizeof(option_table[0]);
