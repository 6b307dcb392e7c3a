/* elf_debug.h - finding the separate debug file of a program or library. */
#ifndef VMSNAP_ELF_DEBUG_H
#define VMSNAP_ELF_DEBUG_H

#include <stddef.h>
#include <stdint.h>

#include "work.h"

struct debug_query {
	int root;         /* see names_path.h */
	const char *path; /* of the stripped file */
	int fd;           /* the stripped file itself */
	const uint8_t *build_id;
	size_t build_id_len; /* 0: it has none */
	const char *link;    /* the name in .gnu_debuglink; NULL if there is none */
	uint32_t link_crc;
	struct work *work; /* asked whether it is still wanted */
};

/* Looks where gdb looks: /usr/lib/debug/.build-id/xx/yyyy.debug; then for the
 * linked name in the file's own folder, in .debug below it, and in the same folder
 * below /usr/lib/debug.  A file is taken if its build ID is the same; if one of
 * the two has none, if its CRC is the one that the link states.
 * Returns a descriptor and, in *path, a malloc'ed name; -1 if there is none. */
int debug_file_find(const struct debug_query *query, char **path);

#endif
