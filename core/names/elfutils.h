/* elfutils.h - libelf and libdw, loaded when names are first asked for.
 *
 * They are not linked, because a capture must not map what its target may map too:
 * a page of libdw.so in gdb would not be exclusive to gdb while we look.  It also
 * saves a capture the time to load them. */
#ifndef VMSNAP_ELFUTILS_H
#define VMSNAP_ELFUTILS_H

#include <elfutils/libdwfl.h>
#include <libelf.h>
#include <stdbool.h>

#define ELFUTILS_FUNCTIONS(FN)            \
	FN(libelf, elf_version)           \
	FN(libelf, elf_begin)             \
	FN(libelf, elf_end)               \
	FN(libelf, elf_errmsg)            \
	FN(libdw, dwfl_begin)             \
	FN(libdw, dwfl_end)               \
	FN(libdw, dwfl_errmsg)            \
	FN(libdw, dwfl_module_getelf)     \
	FN(libdw, dwfl_module_getsym_info) \
	FN(libdw, dwfl_module_getsymtab)  \
	FN(libdw, dwfl_module_info)       \
	FN(libdw, dwfl_report_begin)      \
	FN(libdw, dwfl_report_end)        \
	FN(libdw, dwfl_report_module)

struct elfutils {
	void *libelf, *libdw;
#define ELFUTILS_MEMBER(library, function) __typeof__(function) *function;
	ELFUTILS_FUNCTIONS(ELFUTILS_MEMBER)
#undef ELFUTILS_MEMBER
};

/* False if they are not installed (or too old); nothing is loaded then. */
bool elfutils_load(struct elfutils *elfutils);
void elfutils_unload(struct elfutils *elfutils);

#endif
