/* dwarf_source.h - the ELF file whose debug information is read. */
#ifndef VMSNAP_DWARF_SOURCE_H
#define VMSNAP_DWARF_SOURCE_H

#include "elf_file.h"
#include "work.h"

struct dwarf_source {
	int fd; /* stays the caller's */
	int root;
	const char *path;
	const struct elf_file *elf; /* of fd */
	uint64_t room;              /* bytes that may be kept */
	struct work *work;          /* asked whether it is still wanted, also later */
};

#endif
