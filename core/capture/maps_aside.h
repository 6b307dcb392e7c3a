/* maps_aside.h - the map of a process once more, while pages are read of what was mapped before.  Whichever
 * thread has the time reads it, without libc (raw_syscall.h). */
#ifndef VMSNAP_MAPS_ASIDE_H
#define VMSNAP_MAPS_ASIDE_H

#include "procdir.h"
#include "realtime.h"

/* What is read at once; the kernel gives a page at a time. */
enum { MAPS_ASIDE_BYTES = 8192 };

struct maps_aside {
	int maps; /* descriptor, at its start */
	const struct proc_text *before;
	struct realtime *realtime; /* to check */
	struct proc_text *text;    /* where it goes, but if it is the same; does not grow */
	int error;                 /* ENOSPC: there is more of it */
	bool same;                 /* as before */
};

/* As struct pagemap_aside has it done. */
void maps_aside_read(void *aside);

#endif
