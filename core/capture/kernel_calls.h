/* kernel_calls.h - which system call a thread was in, by the functions of the kernel that it was in.
 *
 * What the kernel tells of an event has no number of the system call; but it has the kernel's functions, and of these
 * the outermost is that of the call: __x64_sys_read, ksys_read, ...  Their names are in /proc/kallsyms, with addresses
 * for root (kptr_restrict). */
#ifndef VMSNAP_KERNEL_CALLS_H
#define VMSNAP_KERNEL_CALLS_H

#include <stddef.h>
#include <stdint.h>

struct kernel_function {
	uint64_t start;
	int32_t number; /* of the system call that it is; -1: of none */
};
struct kernel_calls {
	struct kernel_function *items; /* malloc'ed; by address */
	size_t count;
};
/* Where they are not told, or there is no memory, there are none. */
void kernel_calls_read(struct kernel_calls *calls);
void kernel_calls_free(struct kernel_calls *calls);
/* Of a call chain in the kernel, innermost first; -1: none of them is a system call's. */
int32_t kernel_calls_find(const struct kernel_calls *calls, const uint64_t *chain, size_t count);

/* "read"; NULL: there is no such number on this machine's architecture, or it is newer than this program. */
const char *syscall_name(int32_t number);
/* -1: there is none of that name. */
int32_t syscall_number(const char *name, size_t len);

#endif
