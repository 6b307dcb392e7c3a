/* core_elf.h - an ELF core file of either class and byte order: its headers, segments and notes, read with bounded
 * reads of a file_source.  Believes nothing that the file says about sizes.  Knows layouts of the kernel's structs;
 * knows no snapshot. */
#ifndef VMSNAP_CORE_ELF_H
#define VMSNAP_CORE_ELF_H

#include <stdbool.h>

#include "file_source.h"
#include "work.h"

struct core_elf {
	const struct file_source *source;
	bool is_64, big_endian;
	uint16_t machine; /* EM_… */
	uint64_t segments_offset;
	uint32_t segment_count, section_count;
};

struct core_segment {
	uint32_t type, flags;
	uint64_t offset, address, file_size, memory_size, align;
};

/* Whether a file begins as an ELF core. */
bool core_elf_is(const struct file_source *source);
int core_elf_open(struct core_elf *elf, const struct file_source *source, struct vmsnap_error *err);
int core_elf_segment(const struct core_elf *elf, uint32_t index, struct core_segment *out, struct vmsnap_error *err);

/* A number of `len` bytes, in the file's order. */
uint64_t core_number(const struct core_elf *elf, const uint8_t *bytes, size_t len);
static inline size_t core_word_len(const struct core_elf *elf)
{
	return elf->is_64 ? 8 : 4;
}

/* One note; desc: where its contents are. */
struct core_note {
	char name[8]; /* "CORE", "LINUX"; cut */
	uint32_t type;
	uint64_t desc, len;
};
/* From *at on, which goes on to the next; VMSNAP_END after the last, also of what does not fit. */
int core_elf_note(const struct core_elf *elf, const struct core_segment *segment, uint64_t *at, struct core_note *out,
                  struct vmsnap_error *err);

/* What of the kernel's structs is where, by class and machine. */
struct core_layout {
	uint32_t status_pid, status_size; /* struct elf_prstatus; size: the least */
	uint32_t status_stack, stack_len; /* the stack pointer in it; 0: not known on this machine */
	uint32_t status_pending, status_held, word;
};
struct core_layout core_layout_of(const struct core_elf *elf);
/* As uname -m has it, as far as the file tells; "" if we do not know it. */
const char *core_machine_name(const struct core_elf *elf);

#endif
