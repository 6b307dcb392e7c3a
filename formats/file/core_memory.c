#include "core_memory.h"

#include <elf.h>
#include <inttypes.h>

#include "build_id.h"
#include "core_notes.h"
#include "elf_file.h"
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

/* ---- build IDs ---------------------------------------------------------------------------- */

/* The beginning of a file, as it is mapped. */
struct mapped_file {
	const struct core_memory *memory;
	uint64_t start;
};

/* As much as there is in the core, which may have been cut off. */
static ssize_t read_mapped(void *ctx, void *into, size_t len, uint64_t offset)
{
	const struct mapped_file *file = ctx;
	const struct core_memory *memory = file->memory;
	const struct file_source *source = memory->elf->source;
	uint64_t address = file->start + offset;
	size_t index = SORTED_ABOVE(struct core_load, end, memory->loads, memory->count, address);
	const struct core_load *load = &memory->loads[index];
	if (address < offset || index == memory->count || address < load->address ||
	    address - load->address >= load->size || load->offset + (address - load->address) >= source->size)
		return 0;
	uint64_t at = load->offset + (address - load->address);
	uint64_t left = load->size - (address - load->address), there = source->size - at;
	left = there < left ? there : left;
	len = left < len ? (size_t)left : len;
	return file_source_read(source, at, into, len, NULL) ? 0 : (ssize_t)len;
}

size_t core_memory_build_id(const struct core_memory *memory, uint64_t address, uint8_t *id, size_t room)
{
	struct mapped_file file = { memory, address };
	struct elf_window window;
	size_t len;
	elf_window_init_reader(&window, read_mapped, &file);
	return build_id_in(&window, id, room, &len) ? 0 : len;
}
