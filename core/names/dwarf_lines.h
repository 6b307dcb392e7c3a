/* dwarf_lines.h - the source lines of addresses, by the line number programs of DWARF 2 to 5 (.debug_line).
 *
 * A file's programs are run once for all addresses that are asked for: each says where its lines are only as it goes.
 * Read by ourselves, as all of DWARF (dwarf_units.h). */
#ifndef VMSNAP_DWARF_LINES_H
#define VMSNAP_DWARF_LINES_H

#include "arena.h"
#include "dwarf_sections.h"
#include "work.h"

struct dwarf_line {
	uint64_t address;
	uint32_t line;    /* 0: not found, or not known */
	const char *file; /* in `strings`; NULL likewise */
};
/* items: in the order of their addresses.  What is damaged ends its program, and tells no more.  VMSNAP_OK or what
 * work.h says. */
int dwarf_lines_find(const struct dwarf_sections *sections, struct dwarf_line *items, size_t count,
                     struct arena *strings, struct work *work);

#endif
