/* own_mappings.h - giving back the pages of files that this process maps.
 *
 * A page of libc.so that only the target uses is exclusive to it (pagemap, bit 56).
 * But we are linked to libc as well, and the kernel maps 16 pages around each that
 * we touch: just by looking, the page would be shared.  So right before page tables
 * are read, our own mappings of files are emptied with MADV_DONTNEED.  Nothing is
 * lost: what is used again is mapped again from the page cache.
 *
 * That is the dearest part of a small process's pause, and of no use for files that it does not map. */
#ifndef VMSNAP_OWN_MAPPINGS_H
#define VMSNAP_OWN_MAPPINGS_H

#include "maps.h"
#include "procdir.h"

struct own_mappings {
	struct own_mapping {
		struct address_range range;
		const struct vmsnap_vma *file; /* of `self` */
	} * items;                             /* malloc'ed */
	size_t count;
	struct vmsnap *self; /* our own map; NULL: those of another */
};

/* Finds the mappings that may be emptied: private, not writable, of a file, and
 * without a page of their own (relocated data have some).  The library's own text is
 * left out: it is running.  Best effort: there may be none. */
void own_mappings_find(struct own_mappings *own);
/* Those of them whose file may be mapped by a process with this map: one of the same number or name.  On
 * overlay file systems one file has several devices. */
void own_mappings_shared(const struct own_mappings *own, const struct proc_text *maps, struct own_mappings *out);
/* Empties them; no libc is used in it.  Others may run meanwhile. */
void own_mappings_drop(const struct own_mappings *own);
void own_mappings_free(struct own_mappings *own);

#endif
