/* core_memory.h - the PT_LOADs of a core file: what was mapped, and where its bytes are. */
#ifndef VMSNAP_CORE_MEMORY_H
#define VMSNAP_CORE_MEMORY_H

#include "core_elf.h"

struct core_load {
	uint64_t start, end;   /* addresses, whole pages */
	uint64_t address;      /* of the first byte in the file, which is at `offset` */
	uint64_t offset, size; /* bytes that the file has, or should have */
	uint32_t flags;        /* PF_… */
	bool listed;           /* there is none: it is only listed as a mapped file */
};
struct core_memory {
	const struct core_elf *elf;
	struct core_load *loads; /* in the order of addresses, not overlapping */
	size_t count, room;
};

struct core_notes;
/* notes: whose mapped files become loads of their own where there is none. */
int core_memory_read(struct core_memory *memory, const struct core_elf *elf, const struct core_notes *notes,
                     uint64_t page_size, struct work *work, struct vmsnap_error *err);
void core_memory_free(struct core_memory *memory, struct work *work);
/* The build ID of the ELF file that is mapped at an address, from its headers there; 0: there is none, or it is not in
 * the core.  Gives its length. */
size_t core_memory_build_id(const struct core_memory *memory, uint64_t address, uint8_t *id, size_t room);

#endif
