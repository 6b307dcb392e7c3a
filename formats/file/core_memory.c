#include "core_memory.h"

#include <elf.h>
#include <inttypes.h>
#include <string.h>

#include "core_notes.h"
#include "error.h"
#include "file_error.h"
#include "sorted.h"

/* ---- what there is ---------------------------------------------------------------------- */

static int by_start(const void *left, const void *right, const void *ctx)
{
	const struct core_load *a = left, *b = right;
	(void)ctx;
	return (a->start > b->start) - (a->start < b->start);
}

static int bad(const struct core_memory *memory, uint64_t address, const char *what, struct vmsnap_error *err)
{
	return file_bad(memory->elf->source->name, err, VMSNAP_ERR_CORRUPT, 0, "memory at 0x%" PRIx64 " %s", address,
	                what);
}

static int add_load(struct core_memory *memory, const struct core_segment *segment, uint64_t page_size,
                    struct work *work, struct vmsnap_error *err)
{
	uint64_t size = segment->memory_size > segment->file_size ? segment->memory_size : segment->file_size;
	int rc = VMSNAP_OK;
	if (size > UINT64_MAX - segment->address || segment->address + size > -page_size)
		return bad(memory, segment->address, "reaches beyond the highest address", err);
	if (segment->file_size > UINT64_MAX - segment->offset)
		return bad(memory, segment->address, "lies beyond all files", err);
	if (!WORK_ROOM(work, memory->loads, memory->count, &memory->room, &rc))
		return work_fail(work, rc, err);
	memory->loads[memory->count++] = (struct core_load){
		.start = segment->address & ~(page_size - 1),
		.end = (segment->address + size + page_size - 1) & ~(page_size - 1),
		.address = segment->address,
		.offset = segment->offset,
		.size = segment->file_size,
		.flags = segment->flags,
	};
	return VMSNAP_OK;
}

static int sort(struct core_memory *memory, struct work *work, struct vmsnap_error *err)
{
	int rc = work_sort(work, memory->loads, memory->count, sizeof(*memory->loads), by_start, NULL);
	return rc ? work_fail(work, rc, err) : VMSNAP_OK;
}

/* gdb has no PT_LOAD for what was not written to. */
static int add_listed(struct core_memory *memory, const struct core_notes *notes, uint64_t page_size, struct work *work,
                      struct vmsnap_error *err)
{
	size_t loads = memory->count, at = 0;
	uint64_t passed = 0;
	int rc = VMSNAP_OK;
	for (size_t i = 0; !rc && i < notes->mapped_count; i++) {
		const struct core_mapped *mapped = &notes->mapped[i];
		bool whole = mapped->start < mapped->end && !((mapped->start | mapped->end) & (page_size - 1));
		while (at < loads && memory->loads[at].end <= mapped->start)
			at++;
		bool there = at < loads && memory->loads[at].start < mapped->end;
		if (!whole || there || mapped->start < passed || mapped->end > -page_size)
			continue;
		passed = mapped->end;
		if (!WORK_ROOM(work, memory->loads, memory->count, &memory->room, &rc))
			return work_fail(work, rc, err);
		memory->loads[memory->count++] = (struct core_load){
			.start = mapped->start, .end = mapped->end, .address = mapped->start, .listed = true
		};
	}
	return memory->count > loads ? sort(memory, work, err) : rc;
}

int core_memory_read(struct core_memory *memory, const struct core_elf *elf, const struct core_notes *notes,
                     uint64_t page_size, struct work *work, struct vmsnap_error *err)
{
	int rc = VMSNAP_OK;
	*memory = (struct core_memory){ .elf = elf };
	for (uint32_t i = 0; !rc && i < elf->segment_count; i++) {
		struct core_segment segment;
		rc = core_elf_segment(elf, i, &segment, err);
		if (!rc && work_step(work))
			rc = work_fail(work, VMSNAP_ERR_CANCELLED, err);
		if (!rc && segment.type == PT_LOAD && (segment.memory_size || segment.file_size))
			rc = add_load(memory, &segment, page_size, work, err);
	}
	if (rc)
		return rc;
	rc = sort(memory, work, err);
	if (rc)
		return rc;
	for (size_t i = 1; i < memory->count; i++)
		if (memory->loads[i].start < memory->loads[i - 1].end)
			return bad(memory, memory->loads[i].start, "is there twice", err);
	return add_listed(memory, notes, page_size, work, err);
}

void core_memory_free(struct core_memory *memory, struct work *work)
{
	work_free(work, memory->loads, memory->room, sizeof(*memory->loads));
	*memory = (struct core_memory){ 0 };
}

/* ---- bytes ------------------------------------------------------------------------------ */

bool core_memory_bytes(const struct core_memory *memory, uint64_t address, void *to, size_t len)
{
	size_t index = SORTED_ABOVE(struct core_load, end, memory->loads, memory->count, address);
	const struct core_load *load = &memory->loads[index];
	if (index == memory->count || address < load->address || address - load->address > load->size ||
	    load->size - (address - load->address) < len)
		return false;
	return !file_source_read(memory->elf->source, load->offset + (address - load->address), to, len, NULL);
}

/* ---- build IDs ---------------------------------------------------------------------------- */

enum { HEADERS_MAX = 64, NOTES_BYTES = 1024 };

/* A program header of what is mapped, with its numbers in the order of that file. */
struct mapped_elf {
	struct core_elf elf;
	uint64_t base; /* what is to be added to its addresses */
	uint64_t headers;
	uint32_t count;
};

static bool mapped_header(const struct core_memory *memory, const struct mapped_elf *mapped, uint32_t index,
                          uint32_t *type, uint64_t *address, uint64_t *size)
{
	uint8_t bytes[sizeof(Elf64_Phdr)];
	bool wide = mapped->elf.is_64;
	size_t len = wide ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr);
	if (!core_memory_bytes(memory, mapped->headers + index * len, bytes, len))
		return false;
	*type = (uint32_t)core_number(&mapped->elf, bytes, 4);
	*address = core_number(&mapped->elf,
	                       bytes + (wide ? offsetof(Elf64_Phdr, p_vaddr) : offsetof(Elf32_Phdr, p_vaddr)),
	                       core_word_len(&mapped->elf));
	*size = core_number(&mapped->elf,
	                    bytes + (wide ? offsetof(Elf64_Phdr, p_filesz) : offsetof(Elf32_Phdr, p_filesz)),
	                    core_word_len(&mapped->elf));
	return true;
}

static bool open_mapped(const struct core_memory *memory, uint64_t address, struct mapped_elf *out)
{
	uint8_t bytes[sizeof(Elf64_Ehdr)];
	if (!core_memory_bytes(memory, address, bytes, sizeof(Elf32_Ehdr)) || memcmp(bytes, ELFMAG, SELFMAG) != 0)
		return false;
	bool wide = bytes[EI_CLASS] == ELFCLASS64;
	*out = (struct mapped_elf){ .elf = { .is_64 = wide, .big_endian = bytes[EI_DATA] == ELFDATA2MSB } };
	if (wide && !core_memory_bytes(memory, address, bytes, sizeof(bytes)))
		return false;
	size_t word = core_word_len(&out->elf);
	out->headers =
	        address + core_number(&out->elf,
	                              bytes + (wide ? offsetof(Elf64_Ehdr, e_phoff) : offsetof(Elf32_Ehdr, e_phoff)),
	                              word);
	out->count = (uint32_t)core_number(
	        &out->elf, bytes + (wide ? offsetof(Elf64_Ehdr, e_phnum) : offsetof(Elf32_Ehdr, e_phnum)), 2);
	uint32_t type;
	uint64_t lowest, size;
	/* The first PT_LOAD is the one that is mapped here. */
	for (uint32_t i = 0; i < out->count && i < HEADERS_MAX; i++)
		if (mapped_header(memory, out, i, &type, &lowest, &size) && type == PT_LOAD) {
			out->base = address - (lowest & ~UINT64_C(4095));
			return true;
		}
	return false;
}

static size_t id_in(const struct core_elf *elf, const uint8_t *notes, size_t len, uint8_t *id, size_t room)
{
	for (size_t at = 0; len - at >= sizeof(Elf64_Nhdr) + sizeof(ELF_NOTE_GNU);) {
		uint64_t name_len = core_number(elf, notes + at, 4), desc_len = core_number(elf, notes + at + 4, 4);
		uint64_t type = core_number(elf, notes + at + 8, 4);
		uint64_t desc = at + sizeof(Elf64_Nhdr) + ((name_len + 3) & ~UINT64_C(3));
		if (desc > len || desc_len > len - desc)
			return 0;
		if (type == NT_GNU_BUILD_ID && name_len == sizeof(ELF_NOTE_GNU) && desc_len && desc_len <= room &&
		    !memcmp(notes + at + sizeof(Elf64_Nhdr), ELF_NOTE_GNU, sizeof(ELF_NOTE_GNU))) {
			memcpy(id, notes + desc, (size_t)desc_len);
			return (size_t)desc_len;
		}
		at = (size_t)(desc + ((desc_len + 3) & ~UINT64_C(3)));
		if (at > len)
			return 0;
	}
	return 0;
}

size_t core_memory_build_id(const struct core_memory *memory, uint64_t address, uint8_t *id, size_t room)
{
	struct mapped_elf mapped;
	uint8_t notes[NOTES_BYTES];
	size_t len = 0;
	if (!open_mapped(memory, address, &mapped))
		return 0;
	for (uint32_t i = 0; !len && i < mapped.count && i < HEADERS_MAX; i++) {
		uint32_t type;
		uint64_t at, size;
		if (!mapped_header(memory, &mapped, i, &type, &at, &size) || type != PT_NOTE)
			continue;
		size = size < sizeof(notes) ? size : sizeof(notes);
		if (core_memory_bytes(memory, mapped.base + at, notes, (size_t)size))
			len = id_in(&mapped.elf, notes, (size_t)size, id, room);
	}
	return len;
}
