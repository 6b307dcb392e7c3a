/* unseen_writers.h - what writes to a process's memory without its page tables, where no write protection sees it:
 * the kernel and devices, in pages that were pinned before (io_uring's registered buffers, O_DIRECT, RDMA). */
#ifndef VMSNAP_UNSEEN_WRITERS_H
#define VMSNAP_UNSEEN_WRITERS_H

#include <stdbool.h>

/* Whether the process has a descriptor open that such writes may come through.  True if that cannot be told. */
bool unseen_writers_may_be(int procdir);

#endif
