/* elf_verify.h - whether the file found under a name today is the one that was
 * mapped then. */
#ifndef VMSNAP_ELF_VERIFY_H
#define VMSNAP_ELF_VERIFY_H

#include <stdbool.h>

#include "vmsnap.h"

/* What is known of this machine, against the one that the snapshot is from. */
struct here {
	bool same_boot;    /* the very same kernel instance */
	bool same_machine; /* device and inode numbers mean the same */
	int64_t start;     /* when the program began: see program_start.h */
	bool gently;       /* for now, only what is surely not in swap is read */
};
struct here elf_verify_here(const struct vmsnap_info *info);

/* Opens the file of a VMA under `path`; -1 if it is not there or not believed, and
 * then *reason says why. */
int elf_verify_open(int root, const char *path, const struct vmsnap_vma *vma, const struct vmsnap_info *info,
                    struct here here, const char **reason);
/* The same of what the living process itself has: a file that was deleted, or replaced by
 * another, or had no name ever (memfd).  *reason: NULL if it has it no more, or does not let us
 * have it; *for_root: that the administrator could.  See names_open_mapped(). */
int elf_verify_open_of_process(int procdir, const struct vmsnap_vma *vma, const struct vmsnap_info *info,
                               struct here here, const char **reason, bool *for_root);

#endif
