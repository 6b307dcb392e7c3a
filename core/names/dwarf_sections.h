/* dwarf_sections.h - the sections of an ELF file that hold its DWARF, read and inflated into
 * memory of our own.  Believes nothing that the file says about sizes. */
#ifndef VMSNAP_DWARF_SECTIONS_H
#define VMSNAP_DWARF_SECTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "work.h"

enum dwarf_section_id {
	DWARF_INFO,
	DWARF_TYPES, /* type units of DWARF 4 */
	DWARF_ABBREV,
	DWARF_STR,
	DWARF_LINE_STR,
	DWARF_STR_OFFSETS,
	DWARF_ADDR,
	DWARF_LINE, /* by dwarf_sections_read_lines() only */
	DWARF_SECTION_COUNT
};

struct dwarf_section {
	uint8_t *bytes; /* malloc'ed */
	size_t len;
};
struct dwarf_sections {
	bool big_endian, is_64;
	uint16_t machine; /* EM_… */
	struct dwarf_section at[DWARF_SECTION_COUNT];
	uint64_t total;
	uint64_t read; /* bytes that were gone through to get them: packed ones, too; told after a failure as well */
};

enum { DWARF_LINK_MAX = 4096 };
/* Of .gnu_debuglink, or .gnu_debugaltlink. */
struct dwarf_link {
	char name[DWARF_LINK_MAX]; /* "": there is none */
	uint32_t crc;
	uint8_t id[64];
	size_t id_len; /* 0: it tells none */
};

/* VMSNAP_ERR_NOT_FOUND: there is none in it (most files are stripped); VMSNAP_ERR_TOO_LARGE: it would take
 * more than `room`, or is compressed in a way that is not understood: *reason is the rest of a
 * sentence. */
int dwarf_sections_read(int fd, uint64_t room, struct work *work, struct dwarf_sections *out, const char **reason);
/* The same, of a file of split DWARF: ".debug_info.dwo", … */
int dwarf_sections_read_split(int fd, uint64_t room, struct work *work, struct dwarf_sections *out,
                              const char **reason);
/* The same, of what tells the lines of addresses alone: DWARF_LINE, DWARF_LINE_STR and DWARF_STR. */
int dwarf_sections_read_lines(int fd, uint64_t room, struct work *work, struct dwarf_sections *out,
                              const char **reason);
void dwarf_sections_free(struct dwarf_sections *sections);
/* The link of the file to another, if there is one.  section: ".gnu_debuglink", or ".gnu_debugaltlink". */
bool dwarf_link_read(int fd, const char *section, struct dwarf_link *out);

#endif
