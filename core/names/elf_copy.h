/* elf_copy.h - what elfutils needs of an ELF file, as a file of our own. */
#ifndef VMSNAP_ELF_COPY_H
#define VMSNAP_ELF_COPY_H

#include "elf_file.h"

/* The file may be its target's, which can cut it short while libdw has it mapped
 * (SIGBUS) or enlarge a table after we judged it.  So elfutils is given a copy in
 * memory that nobody else can reach: headers, symbols, strings, notes and the link to
 * a debug file, at the offsets where they were.  All other sections are marked as empty
 * (SHT_NOBITS), however large they say they are, and the dynamic segment is marked as
 * unused: libdw 0.188 counts symbols by it with as many steps as a hole has room for.
 *
 * Returns its descriptor, and in *elf its headers, whose strings go into the arena; -1
 * and in *reason the rest of a sentence that begins with the path.  fd stays the
 * caller's. */
int elf_copy(int fd, struct arena *arena, struct elf_file *elf, const char **reason);
/* The same of the ELF file that is the mini debug info of `whole`, which is in fd.  libdw
 * never sees it there: 0.188 reads memory that it has freed if it is damaged, and inflates
 * what is compressed within it, however large. */
int elf_copy_mini(int fd, const struct elf_file *whole, struct arena *arena, struct elf_file *elf, const char **reason);

#endif
