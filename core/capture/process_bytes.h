/* process_bytes.h - a few bytes of a process's memory, while it runs: of pages that are there.
 *
 * process_vm_readv(2) would do what a fault of the process's own does: an absent page would appear, one that waits for
 * a userfaultfd would be waited for; and as it pins what it reads, of a page that a fork shares the process would get a
 * copy (FAULT_FLAG_UNSHARE, Linux 5.19). */
#ifndef VMSNAP_PROCESS_BYTES_H
#define VMSNAP_PROCESS_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* All of them, or false. */
bool process_bytes(uint32_t pid, uint64_t address, void *out, size_t len);
/* As many as there are, if they end with a page; 0: none. */
size_t process_bytes_some(uint32_t pid, uint64_t address, void *out, size_t len);

#endif
