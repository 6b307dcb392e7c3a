/* dwarf_split.h - split DWARF (gcc -gsplit-dwarf): the .dwo files to which the units of a file leave what they tell of
 * variables and types.  Such a unit is a skeleton: it has the addresses, and the name of a .dwo file. */
#ifndef VMSNAP_DWARF_SPLIT_H
#define VMSNAP_DWARF_SPLIT_H

#include "dwarf_source.h"
#include "dwarf_units.h"

/* Opens the .dwo files that `file`'s skeletons name: file->splits.  One is looked for where it was compiled to, and
 * then beside the program.  *reason: the rest of a sentence, if some are not there, or not the ones; file's. */
int dwarf_split_load(const struct dwarf_source *source, struct dwarf_file *file, const char **reason);

#endif
