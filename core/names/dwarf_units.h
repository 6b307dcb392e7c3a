/* dwarf_units.h - a file's units of DWARF 2 to 5.  Read by ourselves: what libdw does with damaged ones differs from
 * version to version, and here every step is counted. */
#ifndef VMSNAP_DWARF_UNITS_H
#define VMSNAP_DWARF_UNITS_H

#include "dwarf_file.h"

/* Takes over the sections, and finds the units.  work: asked now and then. */
int dwarf_file_open(struct dwarf_sections *sections, struct work *work, struct dwarf_file *out);
void dwarf_file_close(struct dwarf_file *file);
/* Of all that it holds; the few bytes that malloc() adds to each are not counted. */
uint64_t dwarf_file_bytes(const struct dwarf_file *file);

/* The unit that a place of its section lies in; NULL: none. */
const struct dwarf_unit *dwarf_unit_at(const struct dwarf_file *file, enum dwarf_section_id section, uint64_t offset);
const struct dwarf_unit *dwarf_unit_of_signature(const struct dwarf_file *file, uint64_t signature);

#endif
