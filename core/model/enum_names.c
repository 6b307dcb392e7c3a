/* enum_names.c - what the enumerators of vmsnap.h are called in JSON and tables. */
#include "error.h"

#define NAME_OF(names, which)                                                                                          \
	((which) >= 0 && (size_t)(which) < sizeof(names) / sizeof(*(names)) ? (names)[which] : NULL)

VMSNAP_API const char *vmsnap_rc_name(int rc)
{
	static const char *const names[] = {
		[-VMSNAP_OK] = "ok",
		[-VMSNAP_ERR_ARGUMENT] = "argument",
		[-VMSNAP_ERR_NO_MEMORY] = "no_memory",
		[-VMSNAP_ERR_SYSTEM] = "system",
		[-VMSNAP_ERR_PROC] = "proc",
		[-VMSNAP_ERR_NO_PROCESS] = "no_process",
		[-VMSNAP_ERR_KERNEL_THREAD] = "kernel_thread",
		[-VMSNAP_ERR_ZOMBIE] = "zombie",
		[-VMSNAP_ERR_PERMISSION] = "permission",
		[-VMSNAP_ERR_EXITED] = "exited",
		[-VMSNAP_ERR_EXECED] = "execed",
		[-VMSNAP_ERR_NOT_SNAPSHOT] = "not_snapshot",
		[-VMSNAP_ERR_NEWER] = "newer",
		[-VMSNAP_ERR_CORRUPT] = "corrupt",
		[-VMSNAP_ERR_TRUNCATED] = "truncated",
		[-VMSNAP_ERR_TOO_LARGE] = "too_large",
		[-VMSNAP_ERR_NOT_FOUND] = "not_found",
		[-VMSNAP_ERR_CANCELLED] = "cancelled",
	};
	return rc == VMSNAP_END ? "end" : rc > 0 || rc < -1000 ? NULL : NAME_OF(names, -rc);
}

VMSNAP_API const char *vmsnap_freeze_name(int freeze)
{
	static const char *const names[] = { "none", "full", "debugger", "partial" };
	return NAME_OF(names, freeze);
}

/* Of one bit. */
#define NAME_OF_BIT(names, bit) ((bit) && !((bit) & ((bit)-1)) ? NAME_OF(names, __builtin_ctz(bit)) : NULL)

VMSNAP_API const char *vmsnap_page_flag_name(unsigned flag)
{
	static const char *const names[] = { "soft_dirty", "exclusive", "uffd_wp", "guard",  "zero",
		                             "huge",       "file",      "swapped", "present" };
	return NAME_OF_BIT(names, flag);
}

VMSNAP_API const char *vmsnap_fault_kind_name(int kind)
{
	static const char *const names[] = { "unknown", "read", "write_new", "write_protected", "fetch", "write" };
	return NAME_OF(names, kind);
}

VMSNAP_API const char *vmsnap_fault_flag_name(unsigned flag)
{
	static const char *const names[] = { "breakpoint", "call" };
	return NAME_OF_BIT(names, flag);
}

VMSNAP_API const char *vmsnap_faults_flag_name(unsigned flag)
{
	static const char *const names[] = { "kinds", "armed", "children", "kernel", "memory" };
	return NAME_OF_BIT(names, flag);
}

VMSNAP_API const char *vmsnap_perm_name(unsigned perm)
{
	static const char *const names[] = { "read", "write", "exec", "shared" };
	return NAME_OF_BIT(names, perm);
}

VMSNAP_API const char *vmsnap_struct_name(int which)
{
	static const char *const names[VMSNAP_STRUCT_COUNT] = { "info",         "vma",        "thread",
		                                                "annotation",   "name",       "diff_status",
		                                                "elf_symbol",   "fault",      "faults_info",
		                                                "fault_object", "fault_code", "fault_thread" };
	return NAME_OF(names, which);
}

VMSNAP_API const char *vmsnap_diff_total_name(int total)
{
	static const char *const names[VMSNAP_TOTAL_COUNT] = {
		"resident_a",       "resident_b",        "shared_a",        "touched",         "privatised_executable",
		"shared_unknown_a", "exclusive_unknown", "swapped_unknown", "written_unknown", "code_written"
	};
	return NAME_OF(names, total);
}

VMSNAP_API const char *vmsnap_capture_flag_name(unsigned flag)
{
	static const char *const names[] = { "no_freeze", "smaps",    "drop_own_mappings", "watchdog", "descendants",
		                             "brief",     "realtime", "no_pages",          "kpage",    "nodes" };
	return NAME_OF_BIT(names, flag);
}

VMSNAP_API const char *vmsnap_watch_flag_name(unsigned flag)
{
	static const char *const names[] = { "fork", "exec", "exit", "children" };
	return NAME_OF_BIT(names, flag);
}

VMSNAP_API const char *vmsnap_save_flag_name(unsigned flag)
{
	static const char *const names[] = { "append", "interruptible", "regular", "no_contents", "delta" };
	return NAME_OF_BIT(names, flag);
}

VMSNAP_API const char *vmsnap_print_flag_name(unsigned flag)
{
	static const char *const names[] = { "totals_only", "long", "each_page", "picture" };
	return NAME_OF_BIT(names, flag);
}

VMSNAP_API const char *vmsnap_color_name(int color)
{
	static const char *const names[] = { "none", "16", "256", "rgb" };
	return NAME_OF(names, color);
}

VMSNAP_API const char *vmsnap_report_name(int report)
{
	static const char *const names[] = { NULL,
		                             "show",
		                             "pages",
		                             "diff",
		                             "cow",
		                             "status",
		                             "status_two",
		                             "list",
		                             "check",
		                             "snapshots",
		                             "history",
		                             "set_diff",
		                             "set_cow",
		                             "values",
		                             [VMSNAP_REPORT_SERIES] = "series",
		                             [VMSNAP_REPORT_SERIES_COW] = "series_cow",
		                             [VMSNAP_REPORT_WHO] = "who",
		                             [VMSNAP_REPORT_KINDS] = "show_by",
		                             [VMSNAP_REPORT_WHO_FILE] = "who_file",
		                             [VMSNAP_REPORT_ASLR] = "aslr",
		                             [VMSNAP_REPORT_GROUP] = "group",
		                             [VMSNAP_REPORT_GROUP_BY] = "group_by",
		                             [VMSNAP_REPORT_BLAME] = "blame" };
	return NAME_OF(names, report);
}

VMSNAP_API const char *vmsnap_annotation_kind_name(int kind)
{
	static const char *const names[] = { "local", "argument", "thread_local", "other", "debugger_write" };
	return NAME_OF(names, kind);
}

VMSNAP_API const char *vmsnap_name_kind_name(int kind)
{
	static const char *const names[] = { "variable", "function", "symbol",       "thread_stack", "mapping",
		                             "local",    "argument", "thread_local", "stack_guard",  "malloc_heap" };
	return NAME_OF(names, kind);
}

VMSNAP_API const char *vmsnap_source_name(int source)
{
	static const char *const names[VMSNAP_SOURCE_COUNT] = { "process", "core", "remote", "self" };
	return NAME_OF(names, source);
}

VMSNAP_API const char *vmsnap_memory_name(int memory)
{
	static const char *const names[VMSNAP_MEMORY_COUNT] = { "private", "cache", "shared" };
	return NAME_OF(names, memory);
}

VMSNAP_API const char *vmsnap_group_source_name(int source)
{
	static const char *const names[VMSNAP_GROUP_SOURCE_COUNT] = { "frames", "smaps", "nothing" };
	return NAME_OF(names, source);
}

VMSNAP_API const char *vmsnap_group_role_name(int role)
{
	static const char *const names[VMSNAP_GROUP_ROLE_COUNT] = { NULL, "master", "worker" };
	return NAME_OF(names, role);
}

VMSNAP_API const char *vmsnap_group_total_name(int total)
{
	static const char *const names[VMSNAP_GROUP_TOTAL_COUNT] = {
		[VMSNAP_GROUP_TOTAL_SPACES] = "address_spaces",
		[VMSNAP_GROUP_TOTAL_RSS] = "rss",
		[VMSNAP_GROUP_TOTAL_PSS] = "pss",
		[VMSNAP_GROUP_TOTAL_FRAMES] = "frames",
		[VMSNAP_GROUP_TOTAL_PRIVATE] = "private",
		[VMSNAP_GROUP_TOTAL_CACHE] = "cache",
		[VMSNAP_GROUP_TOTAL_SHARED] = "shared",
		[VMSNAP_GROUP_TOTAL_OWN] = "own",
		[VMSNAP_GROUP_TOTAL_BY_ALL_PRIVATE] = "by_all_private",
		[VMSNAP_GROUP_TOTAL_BY_ALL_CACHE] = "by_all_cache",
		[VMSNAP_GROUP_TOTAL_BY_ALL_SHARED] = "by_all_shared",
		[VMSNAP_GROUP_TOTAL_OUTSIDE] = "outside",
		[VMSNAP_GROUP_TOTAL_OUTSIDE_UNKNOWN] = "outside_unknown",
		[VMSNAP_GROUP_TOTAL_HIDDEN] = "hidden",
		[VMSNAP_GROUP_TOTAL_USS] = "uss",
	};
	return NAME_OF(names, total);
}
