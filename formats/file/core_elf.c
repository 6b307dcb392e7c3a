#include "core_elf.h"

#include <elf.h>
#include <string.h>

#include "error.h"
#include "file_error.h"

/* The field of a record that starts at `bytes`, in the layout of its class. */
#define FIELD(elf, bytes, record, field)                                                                               \
	((bytes) + ((elf)->is_64 ? offsetof(Elf64_##record, field) : offsetof(Elf32_##record, field)))
#define NUMBER(elf, bytes, record, field)                                                                              \
	core_number((elf), FIELD(elf, bytes, record, field),                                                           \
	            (elf)->is_64 ? sizeof(((Elf64_##record *)0)->field) : sizeof(((Elf32_##record *)0)->field))

uint64_t core_number(const struct core_elf *elf, const uint8_t *bytes, size_t len)
{
	uint64_t value = 0;
	for (size_t i = 0; i < len; i++)
		value = value << 8 | bytes[elf->big_endian ? i : len - 1 - i];
	return value;
}

static size_t header_len(const struct core_elf *elf)
{
	return elf->is_64 ? sizeof(Elf64_Ehdr) : sizeof(Elf32_Ehdr);
}

static size_t segment_len(const struct core_elf *elf)
{
	return elf->is_64 ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr);
}

/* Of the first bytes: whose they are, and how they are to be read. */
static bool identify(struct core_elf *elf, const uint8_t *bytes)
{
	elf->is_64 = bytes[EI_CLASS] == ELFCLASS64;
	elf->big_endian = bytes[EI_DATA] == ELFDATA2MSB;
	return memcmp(bytes, ELFMAG, SELFMAG) == 0 && (elf->is_64 || bytes[EI_CLASS] == ELFCLASS32) &&
	       (elf->big_endian || bytes[EI_DATA] == ELFDATA2LSB) &&
	       core_number(elf, bytes + offsetof(Elf64_Ehdr, e_type), 2) == ET_CORE;
}

bool core_elf_is(const struct file_source *source)
{
	uint8_t bytes[offsetof(Elf64_Ehdr, e_machine)];
	struct core_elf elf = { .source = source };
	return source->size >= sizeof(bytes) && !file_source_read(source, 0, bytes, sizeof(bytes), NULL) &&
	       identify(&elf, bytes);
}

/* 65,535 segments or more are counted in section 0. */
static int count_segments(struct core_elf *elf, uint64_t sections_offset, struct vmsnap_error *err)
{
	uint8_t bytes[sizeof(Elf64_Shdr)] = { 0 };
	if (elf->segment_count != PN_XNUM)
		return VMSNAP_OK;
	int rc = file_source_read(elf->source, sections_offset, bytes,
	                          elf->is_64 ? sizeof(Elf64_Shdr) : sizeof(Elf32_Shdr), err);
	elf->segment_count = (uint32_t)NUMBER(elf, bytes, Shdr, sh_info);
	return rc;
}

int core_elf_open(struct core_elf *elf, const struct file_source *source, struct vmsnap_error *err)
{
	uint8_t bytes[sizeof(Elf64_Ehdr)] = { 0 };
	*elf = (struct core_elf){ .source = source };
	int rc = file_source_read(source, 0, bytes, EI_NIDENT + 2, err);
	if (!rc && !identify(elf, bytes))
		rc = file_bad(source->name, err, VMSNAP_ERR_CORRUPT, 0, "not an ELF core file");
	rc = rc ? rc : file_source_read(source, 0, bytes, header_len(elf), err);
	if (rc)
		return rc;
	elf->machine = (uint16_t)NUMBER(elf, bytes, Ehdr, e_machine);
	elf->segments_offset = NUMBER(elf, bytes, Ehdr, e_phoff);
	elf->segment_count = (uint32_t)NUMBER(elf, bytes, Ehdr, e_phnum);
	elf->section_count = (uint32_t)NUMBER(elf, bytes, Ehdr, e_shnum);
	rc = count_segments(elf, NUMBER(elf, bytes, Ehdr, e_shoff), err);
	if (rc)
		return rc;
	if (!elf->segment_count || NUMBER(elf, bytes, Ehdr, e_phentsize) != segment_len(elf))
		return file_bad(source->name, err, VMSNAP_ERR_CORRUPT, 0, "a core file without program headers");
	uint64_t left = elf->segments_offset < source->size ? source->size - elf->segments_offset : 0;
	if (elf->segment_count > left / segment_len(elf))
		return file_bad(source->name, err, VMSNAP_ERR_TRUNCATED, source->size,
		                "the core file ends within its program headers");
	return VMSNAP_OK;
}

int core_elf_segment(const struct core_elf *elf, uint32_t index, struct core_segment *out, struct vmsnap_error *err)
{
	uint8_t bytes[sizeof(Elf64_Phdr)];
	int rc = file_source_read(elf->source, elf->segments_offset + (uint64_t)index * segment_len(elf), bytes,
	                          segment_len(elf), err);
	if (rc)
		return rc;
	*out = (struct core_segment){ .type = (uint32_t)NUMBER(elf, bytes, Phdr, p_type),
		                      .flags = (uint32_t)NUMBER(elf, bytes, Phdr, p_flags),
		                      .offset = NUMBER(elf, bytes, Phdr, p_offset),
		                      .address = NUMBER(elf, bytes, Phdr, p_vaddr),
		                      .file_size = NUMBER(elf, bytes, Phdr, p_filesz),
		                      .memory_size = NUMBER(elf, bytes, Phdr, p_memsz),
		                      .align = NUMBER(elf, bytes, Phdr, p_align) };
	return VMSNAP_OK;
}

/* ---- notes --------------------------------------------------------------------------- */

static uint64_t aligned(uint64_t value)
{
	return (value + 3) & ~UINT64_C(3);
}

int core_elf_note(const struct core_elf *elf, const struct core_segment *segment, uint64_t *at, struct core_note *out,
                  struct vmsnap_error *err)
{
	uint8_t header[sizeof(Elf64_Nhdr)];
	const struct file_source *source = elf->source;
	uint64_t size = source->size > segment->offset ? source->size - segment->offset : 0;
	size = size < segment->file_size ? size : segment->file_size;
	if (*at > size || size - *at < sizeof(header))
		return VMSNAP_END;
	int rc = file_source_read(source, segment->offset + *at, header, sizeof(header), err);
	if (rc)
		return rc;
	uint64_t name_len = core_number(elf, header, 4), len = core_number(elf, header + 4, 4);
	uint64_t begin = *at + sizeof(header), desc = begin + aligned(name_len);
	if (desc > size || len > size - desc)
		return VMSNAP_END;
	*out = (struct core_note){ .type = (uint32_t)core_number(elf, header + 8, 4),
		                   .desc = segment->offset + desc,
		                   .len = len };
	size_t kept = name_len < sizeof(out->name) ? (size_t)name_len : sizeof(out->name) - 1;
	rc = file_source_read(source, segment->offset + begin, out->name, kept, err);
	*at = desc + aligned(len);
	return rc;
}

/* ---- by machine ----------------------------------------------------------------------- */

/* Where the stack pointer is among the registers, bytes; from the kernel's struct user_regs_struct, or what a machine
 * has in its place. */
static const struct machine {
	uint16_t machine;
	bool is_64;
	uint32_t stack, len;
	const char *name;
} machines[] = {
	{ EM_X86_64, true, 152, 8, "x86_64" }, { EM_X86_64, false, 152, 8, "x86_64" }, /* x32 */
	{ EM_386, false, 60, 4, "i686" },      { EM_AARCH64, true, 248, 8, "aarch64" },
	{ EM_ARM, false, 52, 4, "arm" },       { EM_S390, true, 136, 8, "s390x" },
	{ EM_S390, false, 68, 4, "s390" },     { EM_PPC64, true, 8, 8, "ppc64" },
	{ EM_PPC, false, 4, 4, "ppc" },        { EM_RISCV, true, 16, 8, "riscv64" },
	{ EM_RISCV, false, 8, 4, "riscv32" },  { 258 /* EM_LOONGARCH */, true, 24, 8, "loongarch64" },
	{ EM_MIPS, true, 232, 8, "mips64" },   { EM_MIPS, false, 140, 4, "mips" },
};

static const struct machine *machine_of(const struct core_elf *elf)
{
	for (size_t i = 0; i < sizeof(machines) / sizeof(*machines); i++)
		if (machines[i].machine == elf->machine && machines[i].is_64 == elf->is_64)
			return &machines[i];
	return NULL;
}

const char *core_machine_name(const struct core_elf *elf)
{
	const struct machine *machine = machine_of(elf);
	if (elf->machine == EM_PPC64 && !elf->big_endian)
		return "ppc64le";
	return machine ? machine->name : "";
}

/* siginfo (12 bytes), the signal (2), pending and held signals (a word each), four numbers of processes, four times
 * (two words each), registers. */
struct core_layout core_layout_of(const struct core_elf *elf)
{
	const struct machine *machine = machine_of(elf);
	struct core_layout layout = { .word = elf->is_64 ? 8 : 4, .status_pending = 16 };
	layout.status_held = layout.status_pending + layout.word;
	layout.status_pid = layout.status_held + layout.word;
	layout.status_size = layout.status_pid + 16 + 8 * layout.word;
	if (machine) {
		layout.status_stack = layout.status_size + machine->stack;
		layout.stack_len = machine->len;
	}
	return layout;
}
