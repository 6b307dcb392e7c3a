#include "export_schema.h"

#include <string.h>

/* Sums are in bytes.  No name is a keyword of SQL: end_addr, file_offset, freeze_mode. */
static const struct export_column snapshot_columns[] = {
	{ "snapshot", EXPORT_KEY, false },
	{ "schema_version", EXPORT_SMALL, false },
	{ "host", EXPORT_BYTES, true },
	{ "machine_hash", EXPORT_BYTES, true },
	{ "boot_id", EXPORT_BYTES, true },
	{ "pid", EXPORT_SMALL, false },
	{ "ppid", EXPORT_SMALL, false },
	{ "uid", EXPORT_SMALL, false },
	{ "ns_pid", EXPORT_SMALL, true },
	{ "start_ticks", EXPORT_NUMBER, false },
	{ "taken_ns", EXPORT_TIME, false },
	{ "monotonic_ns", EXPORT_TIME, true },
	{ "page_size", EXPORT_SMALL, false },
	{ "comm", EXPORT_BYTES, true },
	{ "exe", EXPORT_BYTES, true },
	{ "exe_build_id", EXPORT_HEX, true },
	{ "arguments", EXPORT_BYTES, true },
	{ "label", EXPORT_BYTES, true },
	{ "reason", EXPORT_BYTES, true },
	{ "cgroup", EXPORT_BYTES, true },
	{ "unit", EXPORT_BYTES, true },
	{ "container", EXPORT_BYTES, true },
	{ "kernel", EXPORT_BYTES, true },
	{ "arch", EXPORT_BYTES, true },
	{ "tool", EXPORT_BYTES, true },
	{ "freeze_mode", EXPORT_BYTES, false },
	{ "one_instant", EXPORT_FLAG, true },
	{ "pause_ns", EXPORT_NUMBER, false },
	{ "known_pfn", EXPORT_FLAG, false },
	{ "known_soft_dirty", EXPORT_FLAG, false },
	{ "known_exclusive", EXPORT_FLAG, false },
	{ "known_zero", EXPORT_FLAG, false },
	{ "known_huge", EXPORT_FLAG, false },
	{ "known_written", EXPORT_FLAG, false },
	{ "faults", EXPORT_NUMBER, true },
	{ "machine_swap_in_use", EXPORT_NUMBER, true },
	{ "threads", EXPORT_SMALL, true },
	{ "vm_peak", EXPORT_NUMBER, true },
	{ "vm_size", EXPORT_NUMBER, true },
	{ "vm_hwm", EXPORT_NUMBER, true },
	{ "vm_rss", EXPORT_NUMBER, true },
	{ "rss_anon", EXPORT_NUMBER, true },
	{ "rss_file", EXPORT_NUMBER, true },
	{ "rss_shmem", EXPORT_NUMBER, true },
	{ "vm_data", EXPORT_NUMBER, true },
	{ "vm_stack", EXPORT_NUMBER, true },
	{ "vm_pte", EXPORT_NUMBER, true },
	{ "vm_swap", EXPORT_NUMBER, true },
	{ "vmas", EXPORT_SMALL, false },
	{ "all_vmas", EXPORT_FLAG, false },
	{ "all_runs", EXPORT_FLAG, false },
	{ "mapped", EXPORT_NUMBER, false },
	{ "resident", EXPORT_NUMBER, EXPORT_SELDOM },
	{ "swapped", EXPORT_NUMBER, true },
	{ "exclusive_bytes", EXPORT_NUMBER, true },
	{ "zero", EXPORT_NUMBER, true },
	{ "huge", EXPORT_NUMBER, true },
	{ "file", EXPORT_NUMBER, EXPORT_SELDOM },
	{ "written", EXPORT_NUMBER, true },
	{ "guard", EXPORT_NUMBER, false },
};
static const struct export_column object_columns[] = {
	{ "object", EXPORT_OBJECT, false },   { "name", EXPORT_BYTES, false },   { "dev_major", EXPORT_SMALL, false },
	{ "dev_minor", EXPORT_SMALL, false }, { "inode", EXPORT_NUMBER, false }, { "build_id", EXPORT_HEX, true },
};
static const struct export_column vma_columns[] = {
	{ "snapshot", EXPORT_KEY, false },
	{ "start_addr", EXPORT_ADDRESS, false },
	{ "end_addr", EXPORT_ADDRESS, false },
	{ "object", EXPORT_OBJECT, false },
	{ "file_offset", EXPORT_NUMBER, false },
	{ "perms", EXPORT_BYTES, false },
	{ "resident", EXPORT_NUMBER, EXPORT_SELDOM },
	{ "swapped", EXPORT_NUMBER, true },
	{ "exclusive_bytes", EXPORT_NUMBER, true },
	{ "zero", EXPORT_NUMBER, true },
	{ "huge", EXPORT_NUMBER, true },
	{ "file", EXPORT_NUMBER, EXPORT_SELDOM },
	{ "written", EXPORT_NUMBER, true },
	{ "guard", EXPORT_NUMBER, false },
};
static const struct export_column run_columns[] = {
	{ "snapshot", EXPORT_KEY, false }, { "start_addr", EXPORT_ADDRESS, false }, { "pages", EXPORT_NUMBER, false },
	{ "flags", EXPORT_SMALL, false },  { "pfn", EXPORT_NUMBER, true },          { "swap", EXPORT_NUMBER, true },
};
static const struct export_column group_columns[] = {
	{ "snapshot", EXPORT_KEY, false },
	{ "members", EXPORT_SMALL, false },
	{ "role", EXPORT_BYTES, true },
	{ "source", EXPORT_BYTES, false },
	{ "rss", EXPORT_NUMBER, false },
	{ "pss", EXPORT_NUMBER, true },
	{ "uss", EXPORT_NUMBER, true },
	{ "own", EXPORT_NUMBER, true },
	{ "private_bytes", EXPORT_NUMBER, true },
	{ "cache_bytes", EXPORT_NUMBER, true },
	{ "shared_bytes", EXPORT_NUMBER, true },
	{ "private_with_others", EXPORT_NUMBER, true },
	{ "cache_with_others", EXPORT_NUMBER, true },
	{ "shared_with_others", EXPORT_NUMBER, true },
};
static const struct export_column cow_columns[] = {
	{ "parent", EXPORT_KEY, false },
	{ "child", EXPORT_KEY, false },
	{ "verdict", EXPORT_BYTES, false },
	{ "bytes", EXPORT_NUMBER, false },
};
/* One fault, fork or execution of those that were watched until the snapshot. */
static const struct export_column event_columns[] = {
	{ "snapshot", EXPORT_KEY, false },      { "event_number", EXPORT_NUMBER, false },
	{ "event_kind", EXPORT_BYTES, false },  { "event_ns", EXPORT_TIME, true },
	{ "monotonic_ns", EXPORT_TIME, false }, { "pid", EXPORT_SMALL, false },
	{ "tid", EXPORT_SMALL, true },          { "thread_name", EXPORT_BYTES, true },
	{ "child_pid", EXPORT_SMALL, true },    { "access_kind", EXPORT_BYTES, true },
	{ "fault_addr", EXPORT_ADDRESS, true }, { "page_addr", EXPORT_ADDRESS, true },
	{ "vma_addr", EXPORT_ADDRESS, true },   { "object", EXPORT_OBJECT, true },
	{ "code_addr", EXPORT_ADDRESS, true },  { "function_name", EXPORT_BYTES, true },
	{ "source_file", EXPORT_BYTES, true },  { "source_line", EXPORT_SMALL, true },
	{ "code_file", EXPORT_BYTES, true },    { "code_build_id", EXPORT_HEX, true },
	{ "code_offset", EXPORT_NUMBER, true }, { "in_system_call", EXPORT_FLAG, true },
	{ "system_call", EXPORT_BYTES, true },  { "debugger", EXPORT_BYTES, true },
	{ "stack", EXPORT_BYTES, true },
};
/* How it was watched: without a row nobody did. */
static const struct export_column watch_columns[] = {
	{ "snapshot", EXPORT_KEY, false },      { "begin_ns", EXPORT_TIME, true },
	{ "monotonic_ns", EXPORT_TIME, false }, { "watched_ns", EXPORT_NUMBER, false },
	{ "faults", EXPORT_NUMBER, false },     { "some_lost", EXPORT_FLAG, false },
	{ "faults_lost", EXPORT_NUMBER, true }, { "access_known", EXPORT_FLAG, false },
	{ "armed", EXPORT_FLAG, false },        { "children", EXPORT_FLAG, false },
	{ "system_calls", EXPORT_FLAG, false }, { "given_back", EXPORT_FLAG, false },
};

const struct export_column export_place[EXPORT_PLACE_COUNT] = {
	{ "host", EXPORT_BYTES, false },
	{ "taken_ns", EXPORT_TIME, false },
};

#define COLUMNS(of) of, sizeof(of) / sizeof((of)[0])
const struct export_table export_tables[EXPORT_TABLE_COUNT] = {
	[EXPORT_SNAPSHOT] = { "snapshot", COLUMNS(snapshot_columns), false, 1 },
	[EXPORT_OBJECTS] = { "object", COLUMNS(object_columns), false, 1 },
	[EXPORT_VMA] = { "vma", COLUMNS(vma_columns), true, 2 },
	[EXPORT_RUN] = { "run", COLUMNS(run_columns), true, 2 },
	[EXPORT_GROUP_SHARE] = { "group_share", COLUMNS(group_columns), true, 1 },
	[EXPORT_COW] = { "cow", COLUMNS(cow_columns), true, 3 },
	[EXPORT_EVENT] = { "event", COLUMNS(event_columns), true, 2 },
	[EXPORT_FAULT_WATCH] = { "fault_watch", COLUMNS(watch_columns), true, 1 },
};

int export_table_find(const char *name)
{
	int table = 0;
	while (table < EXPORT_TABLE_COUNT && strcmp(export_tables[table].name, name) != 0)
		table++;
	return table;
}

const char *export_sqlite_table(int table)
{
	return table == EXPORT_VMA ? "mapping" : export_tables[table].name;
}

const struct export_column *export_sqlite_column(int table, size_t column)
{
	static const struct export_column size = { "size", EXPORT_NUMBER, false },
	                                  perm_bits = { "perm_bits", EXPORT_SMALL, false };
	if (table == EXPORT_VMA && column == EXPORT_VMA_END)
		return &size;
	if (table == EXPORT_VMA && column == EXPORT_VMA_PERMS)
		return &perm_bits;
	return &export_tables[table].columns[column];
}
