/* uffd_helper.h - a userfaultfd of another process's memory.  Only the process itself can make one: a helper, a
 * process of its own, has it make that (inject.h), takes it, has it closed there, and hands it over.  Nothing that
 * happens to us ends the helper; it ends itself after some hundred microseconds. */
#ifndef VMSNAP_UFFD_HELPER_H
#define VMSNAP_UFFD_HELPER_H

#include "vmsnap.h"

/* Of the process whose directory it is, on whose memory nothing else may be going on: see track.h for what is
 * refused, and with which words.  *uffd has had no UFFDIO_API yet. */
int uffd_helper_take(int procdir, pid_t pid, int *uffd, struct vmsnap_error *err);

#endif
