#define _GNU_SOURCE
#include "fault_access.h"

#include <stdlib.h>

#include "instruction_access.h"
#include "process_bytes.h"

static enum instruction_access read_instruction(uint32_t pid, uint64_t ip)
{
	uint8_t bytes[INSTRUCTION_MAX];
	size_t got = process_bytes_some(pid, ip, bytes, sizeof(bytes));
#if defined(__x86_64__)
	return instruction_access_x86(bytes, got);
#elif defined(__aarch64__)
	return instruction_access_arm64(bytes, got);
#else
	(void)got;
	return ACCESS_UNKNOWN;
#endif
}

static enum instruction_access access_of(struct fault_access *access, uint32_t pid, uint64_t ip)
{
	if (!access->slots)
		access->slots = calloc(FAULT_ACCESS_SLOTS, sizeof(*access->slots));
	if (!access->slots)
		return ACCESS_UNKNOWN;
	struct fault_access_slot *slot =
	        &access->slots[((ip ^ (uint64_t)pid << 32) * 0x9e3779b97f4a7c15) >> 50 & (FAULT_ACCESS_SLOTS - 1)];
	if (slot->pid != pid || slot->ip != ip)
		*slot = (struct fault_access_slot){ .pid = pid,
			                            .ip = ip,
			                            .access = (uint8_t)read_instruction(pid, ip) };
	return slot->access;
}

static bool lies_at(uint64_t address, uint64_t pointer)
{
	enum { STEP = 64 }; /* what is moved at a time */
	return address >= pointer && address - pointer < STEP;
}

int fault_access_kind(struct fault_access *access, const struct fault_sample *sample)
{
	if (sample->in_kernel || !sample->user_count)
		return VMSNAP_FAULT_UNKNOWN;
	uint64_t ip = sample->user_chain[0], address = sample->address;
	/* An instruction that lies on two pages is fetched from both. */
	if (address >= ip && address - ip < INSTRUCTION_MAX)
		return VMSNAP_FAULT_FETCH;
	switch (access_of(access, sample->pid, ip)) {
	case ACCESS_READS:
		return VMSNAP_FAULT_READ;
	case ACCESS_WRITES:
		return VMSNAP_FAULT_WRITE;
	case ACCESS_COPIES:
		if (!sample->pointers_known || lies_at(address, sample->rdi) == lies_at(address, sample->rsi))
			return VMSNAP_FAULT_UNKNOWN;
		return lies_at(address, sample->rdi) ? VMSNAP_FAULT_WRITE : VMSNAP_FAULT_READ;
	default:
		return VMSNAP_FAULT_UNKNOWN;
	}
}

void fault_access_forget(struct fault_access *access, const struct pid_list *pids)
{
	for (size_t i = 0; access->slots && i < FAULT_ACCESS_SLOTS; i++)
		if (access->slots[i].pid && pid_list_has(pids, access->slots[i].pid))
			access->slots[i] = (struct fault_access_slot){ .pid = 0 };
}

void fault_access_free(struct fault_access *access)
{
	free(access->slots);
	access->slots = NULL;
}
