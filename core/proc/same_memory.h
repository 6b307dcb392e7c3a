/* same_memory.h - whether two processes have one address space (vfork, CLONE_VM). */
#ifndef VMSNAP_SAME_MEMORY_H
#define VMSNAP_SAME_MEMORY_H

#include <sys/types.h>

enum same_memory {
	SAME_MEMORY_NO,
	SAME_MEMORY_YES,
	SAME_MEMORY_MAYBE, /* the kernel does not tell us, and they look alike */
};
enum same_memory same_memory(pid_t a, pid_t b);

/* By the kernel's own order of address spaces: below, equal to or above 0.  Returns 0, or errno if
 * the kernel does not tell (ENOSYS, EPERM), or one of them is gone (ESRCH).  Of a process whose main
 * thread has exited it tells nothing that is true. */
int same_memory_order(pid_t a, pid_t b, int *order);

#endif
