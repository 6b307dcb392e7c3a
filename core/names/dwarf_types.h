/* dwarf_types.h - the variables of one ELF file that lie at fixed places, functions' static ones
 * too, and what their types are. */
#ifndef VMSNAP_DWARF_TYPES_H
#define VMSNAP_DWARF_TYPES_H

#include "dwarf_sections.h"
#include "dwarf_source.h"
#include "dwarf_tables.h"

/* The lines' sections of the file itself, or of its separate debug file.  VMSNAP_ERR_NOT_FOUND: there are none. */
int dwarf_source_lines(const struct dwarf_source *source, struct dwarf_sections *out, const char **reason);

/* Of the file itself, or of its separate debug file.  VMSNAP_ERR_NOT_FOUND: there is none, as of
 * most files.  *reason: the rest of a sentence that begins with the path; NULL: there is nothing to say. */
int dwarf_types_read(const struct dwarf_source *source, struct dwarf_types **out, const char **reason);
void dwarf_types_free(struct dwarf_types *types); /* NULL is fine */
uint64_t dwarf_types_bytes(const struct dwarf_types *types);

/* The last variable that begins at or below the address; its type says whether it reaches it.
 * NULL if there is none, or no memory (types->file.failed). */
const struct dwarf_variable *dwarf_types_at(struct dwarf_types *types, uint64_t address);

#endif
