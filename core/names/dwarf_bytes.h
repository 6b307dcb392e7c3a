/* dwarf_bytes.h - numbers and strings in the bytes of a section of debug information.  Knows their forms, and
 * no unit. */
#ifndef VMSNAP_DWARF_BYTES_H
#define VMSNAP_DWARF_BYTES_H

#include "dwarf_sections.h"

/* After the first thing that is not there, all is 0. */
struct dwarf_cursor {
	const uint8_t *bytes;
	uint64_t at, end;
	bool big_endian, failed;
};
struct dwarf_cursor dwarf_cursor_at(const struct dwarf_sections *sections, enum dwarf_section_id id, uint64_t at,
                                    uint64_t end);
const uint8_t *dwarf_take(struct dwarf_cursor *c, uint64_t len); /* NULL: there are not so many */
uint64_t dwarf_take_number(struct dwarf_cursor *c, unsigned len);
uint64_t dwarf_take_uleb(struct dwarf_cursor *c);
uint64_t dwarf_take_sleb(struct dwarf_cursor *c);
const uint8_t *dwarf_take_string(struct dwarf_cursor *c); /* NULL: it does not end */

#endif
