/* recorded.h - a folder into which /proc/PID was copied: what it says of the machine it comes from
 * (docs/recorded.md).  What it does not say stays unknown: this machine is another one. */
#ifndef VMSNAP_RECORDED_H
#define VMSNAP_RECORDED_H

#include "procdir.h"
#include "snapshot.h"

/* Where its files are: a folder, or what somebody else reads (vmsnap/source.h). */
struct recorded_source {
	int (*read)(void *ctx, const char *name, struct proc_text *out); /* as procdir_read() */
	void *ctx;
};

/* Fills the identity in snap->info, its page size first of all, from there and from its maps,
 * which were read. */
int recorded_identity(const struct recorded_source *source, const struct proc_text *maps, struct vmsnap *snap,
                      struct vmsnap_error *err);
/* When the pages have been read: which of their flags tell something.  zero_pfn: the zero page's frame on this
 * machine, or 0. */
void recorded_known(struct vmsnap *snap, uint64_t zero_pfn);

#endif
