/* instruction_access.h - whether an instruction reads or writes the memory that it names.
 *
 * Who may not be told by the kernel whether a fault was a write can see it by the instruction that had it.  Of x86-64
 * and arm64 alone, and only what compilers and C libraries use: of all else nothing is known. */
#ifndef VMSNAP_INSTRUCTION_ACCESS_H
#define VMSNAP_INSTRUCTION_ACCESS_H

#include <stddef.h>
#include <stdint.h>

enum instruction_access {
	ACCESS_UNKNOWN,
	ACCESS_READS,
	ACCESS_WRITES,  /* or both, at one address */
	ACCESS_COPIES,  /* reads what rsi points to, writes what rdi does */
};
enum { INSTRUCTION_MAX = 15 };
enum instruction_access instruction_access_x86(const uint8_t *bytes, size_t len);
enum instruction_access instruction_access_arm64(const uint8_t *bytes, size_t len);

#endif
