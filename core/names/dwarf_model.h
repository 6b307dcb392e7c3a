/* dwarf_model.h - types as DWARF tells them, made into ours (value_type.h). */
#ifndef VMSNAP_DWARF_MODEL_H
#define VMSNAP_DWARF_MODEL_H

#include "dwarf_tables.h"

/* The type that an entry has; made once, and kept with `types`.  What is not understood, or too
 * deep, is bytes.  NULL: no memory (types->file.failed says so). */
const struct value_type *dwarf_type_of(struct dwarf_types *types, const struct dwarf_die *die, int depth);

#endif
