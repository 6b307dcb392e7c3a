/* load_proof.h - whether a library is still what a process loaded, though its change time is younger: chmod,
 * chown, ln and rename change that, too.
 *
 * Nearly all pages of a library that a process has are the file's, and show what the file holds now.  A few are
 * its own since the dynamic linker wrote to them, before anything of the library ran.  Among them, with glibc,
 * is the dynamic section: where tables begin and how long they are, with addresses of the process in it. */
#ifndef VMSNAP_LOAD_PROOF_H
#define VMSNAP_LOAD_PROOF_H

#include "snapshot.h"

/* Whether the process has a copy of the file's dynamic section from when it was loaded, and the file has the
 * same still.  mappings: those of the file.  Reads nothing of the process that is not present. */
bool load_proof(const struct vmsnap *snap, struct vmsnap_vma *const *mappings, size_t count, int procdir, int file);

#endif
