#include "load_bias.h"

#include <elf.h>
#include <stdlib.h>

#include "error.h"
#include "snapshot.h"

/* A bias that one mapping and one segment suggest.  The same page of a file is
 * often mapped for two segments (the end of the code, the start of the data), so
 * one mapping alone may suggest two; the other mappings of the file decide. */
struct guess {
	uint64_t bias;
	uint32_t member;
	uint32_t weight;
	uint64_t votes;
};

enum { GUESSES_MAX = 1 << 20, WEIGHT_SAME_EXEC = 4, WEIGHT_OTHER = 1 };

static uint64_t down(const struct vmsnap *snap, uint64_t value)
{
	return value - value % snap->info.page_size;
}

static uint64_t up(const struct vmsnap *snap, uint64_t value)
{
	return down(snap, value + snap->info.page_size - 1);
}

/* The bias of a mapping that shows this segment; false if it cannot. */
static bool bias_of(const struct vmsnap *snap, const struct elf_file *elf, const struct elf_load *load,
                    uint64_t address, uint64_t offset, uint64_t *bias)
{
	if (!load->file_size || offset < down(snap, load->offset) || offset >= up(snap, load->offset + load->file_size))
		return false;
	*bias = address - offset + load->offset - load->address;
	return *bias % snap->info.page_size == 0 && (elf->header.type != ET_EXEC || *bias == 0);
}

/* Whether some segment explains the mapping's last page with the same bias.  A
 * mapping of the whole file, sections and all, has no such segment. */
static bool explains_end(const struct vmsnap *snap, const struct elf_file *elf, const struct vmsnap_vma *vma,
                         uint64_t bias)
{
	uint64_t last = vma->end - snap->info.page_size, other;
	for (size_t i = 0; i < elf->load_count; i++)
		if (bias_of(snap, elf, &elf->loads[i], last, vma->offset + (last - vma->start), &other) &&
		    other == bias)
			return true;
	return false;
}

static size_t guess_member(const struct vmsnap *snap, const struct object *object, uint32_t index,
                           struct guess *guesses)
{
	const struct elf_file *elf = &object->known->elf;
	const struct vmsnap_vma *vma = &snap->vmas[object->members[index].vma];
	size_t count = 0;
	uint64_t bias;
	for (size_t i = 0; i < elf->load_count; i++) {
		const struct elf_load *load = &elf->loads[i];
		if (!bias_of(snap, elf, load, vma->start, vma->offset, &bias) || !explains_end(snap, elf, vma, bias))
			continue;
		bool same_exec = !(load->flags & PF_X) == !(vma->perms & VMSNAP_PERM_EXEC);
		guesses[count++] = (struct guess){ .bias = bias,
			                           .member = index,
			                           .weight = same_exec ? WEIGHT_SAME_EXEC : WEIGHT_OTHER };
	}
	return count;
}

static int by_bias(const void *a, const void *b)
{
	const struct guess *x = a, *y = b;
	return x->bias < y->bias ? -1 : x->bias > y->bias;
}

/* By member, the best first. */
static int by_member(const void *a, const void *b)
{
	const struct guess *x = a, *y = b;
	if (x->member != y->member)
		return x->member < y->member ? -1 : 1;
	if (x->votes != y->votes)
		return x->votes > y->votes ? -1 : 1;
	if (x->weight != y->weight)
		return x->weight > y->weight ? -1 : 1;
	return by_bias(a, b);
}

static void count_votes(struct guess *guesses, size_t count)
{
	qsort(guesses, count, sizeof(*guesses), by_bias);
	for (size_t i = 0, next; i < count; i = next) {
		uint64_t votes = 0;
		for (next = i; next < count && guesses[next].bias == guesses[i].bias; next++)
			votes += guesses[next].weight;
		for (size_t k = i; k < next; k++)
			guesses[k].votes = votes;
	}
}

int load_bias_members(const struct vmsnap *snap, struct object *object)
{
	size_t room = object->member_count * object->known->elf.load_count;
	if (room > GUESSES_MAX)
		room = GUESSES_MAX; /* of a file mapped so often, the first mappings are placed */
	struct guess *guesses = malloc((room + 1) * sizeof(*guesses));
	if (!guesses)
		return VMSNAP_ERR_NO_MEMORY;
	size_t count = 0;
	for (uint32_t i = 0; i < object->member_count && room - count >= object->known->elf.load_count; i++)
		count += guess_member(snap, object, i, guesses + count);
	count_votes(guesses, count);
	qsort(guesses, count, sizeof(*guesses), by_member);
	for (size_t i = 0; i < count; i++) {
		struct member *member = &object->members[guesses[i].member];
		if (member->placed)
			continue;
		member->placed = true;
		member->bias = guesses[i].bias;
	}
	free(guesses);
	return VMSNAP_OK;
}

static int by_range(const void *a, const void *b)
{
	const struct segment_range *x = a, *y = b;
	return x->start < y->start ? -1 : x->start > y->start;
}

/* [start, end) in memory, as far as it lies in the VMA. */
static size_t clip(struct segment_range *out, const struct vmsnap_vma *vma, uint64_t start, uint64_t end)
{
	out->start = start > vma->start ? start : vma->start;
	out->end = end < vma->end ? end : vma->end;
	return start < end && out->start < out->end;
}

size_t load_bias_file_ranges(const struct vmsnap *snap, struct object *object, const struct member *member,
                             struct segment_range ranges[ELF_LOADS_MAX])
{
	const struct vmsnap_vma *vma = &snap->vmas[member->vma];
	const struct elf_file *elf = &object->known->elf;
	size_t count = 0;
	for (size_t i = 0; member->placed && i < elf->load_count; i++) {
		const struct elf_load *load = &elf->loads[i];
		/* The mapping shows this segment only if the offsets agree. */
		if (vma->start - vma->offset + load->offset - load->address != member->bias || !load->file_size)
			continue;
		ranges[count] = (struct segment_range){ .object = object, .bias = member->bias, .load = load };
		count += clip(&ranges[count], vma, member->bias + down(snap, load->address),
		              member->bias + up(snap, load->address + load->file_size));
	}
	qsort(ranges, count, sizeof(*ranges), by_range);
	return count;
}

size_t load_bias_bss_ranges(const struct vmsnap *snap, struct object *object, uint64_t bias,
                            const struct vmsnap_vma *vma, struct segment_range ranges[ELF_LOADS_MAX])
{
	const struct elf_file *elf = &object->known->elf;
	size_t count = 0;
	for (size_t i = 0; i < elf->load_count; i++) {
		const struct elf_load *load = &elf->loads[i];
		uint64_t start =
		        load->file_size ? up(snap, load->address + load->file_size) : down(snap, load->address);
		ranges[count] = (struct segment_range){ .object = object, .bias = bias, .load = load };
		count += clip(&ranges[count], vma, bias + start, bias + up(snap, load->address + load->memory_size));
	}
	qsort(ranges, count, sizeof(*ranges), by_range);
	return count;
}
