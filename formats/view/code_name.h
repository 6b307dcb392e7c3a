/* code_name.h - what code is called that page faults were in. */
#ifndef VMSNAP_CODE_NAME_H
#define VMSNAP_CODE_NAME_H

#include "vmsnap.h"

/* "dbOverwrite"; without a function, or if functions are not wanted, "libc.so.6+0x1234"; else "0x7f1234567000".
 * names: of any program, for what a function is called in its language; NULL: as its file has it. */
enum { CODE_NAME_MAX = 8200 };
void code_name(const struct vmsnap_faults *faults, int32_t pid, uint64_t address, bool functions,
               struct vmsnap_names *names, char out[CODE_NAME_MAX]);

#endif
