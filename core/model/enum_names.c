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

VMSNAP_API const char *vmsnap_page_flag_name(unsigned flag)
{
	static const char *const names[] = { "soft_dirty", "exclusive", "uffd_wp", "guard",  "zero",
		                             "huge",       "file",      "swapped", "present" };
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (flag == 1u << i)
			return names[i];
	return NULL;
}

VMSNAP_API const char *vmsnap_annotation_kind_name(int kind)
{
	static const char *const names[] = { "local", "argument", "thread_local", "other", "debugger_write" };
	return NAME_OF(names, kind);
}

VMSNAP_API const char *vmsnap_name_kind_name(int kind)
{
	static const char *const names[] = { "variable", "function", "symbol",   "thread_stack",
		                             "mapping",  "local",    "argument", "thread_local" };
	return NAME_OF(names, kind);
}
