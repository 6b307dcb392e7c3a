/* fault_access.h - whether faults were reads or writes, where the kernel does not tell: by their instructions, which
 * are read from the process's memory once each. */
#ifndef VMSNAP_FAULT_ACCESS_H
#define VMSNAP_FAULT_ACCESS_H

#include <stdint.h>

#include "fault_events.h"
#include "pid_list.h"

enum { FAULT_ACCESS_SLOTS = 1 << 14 };
struct fault_access {
	struct fault_access_slot {
		uint32_t pid;
		uint8_t access; /* enum instruction_access */
		uint64_t ip;
	} * slots; /* malloc'ed when first needed */
};
/* enum vmsnap_fault_kind */
int fault_access_kind(struct fault_access *access, const struct fault_sample *sample);
/* These processes have ended, or execute another program. */
void fault_access_forget(struct fault_access *access, const struct pid_list *pids);
void fault_access_free(struct fault_access *access);

#endif
