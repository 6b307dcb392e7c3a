/* mapped_object.h - a file that is mapped, and where. */
#ifndef VMSNAP_MAPPED_OBJECT_H
#define VMSNAP_MAPPED_OBJECT_H

#include "elf_cache.h"
#include "vmsnap.h"

/* One mapping of a file.  bias: address in memory - address as the file counts. */
struct member {
	uint32_t vma;
	bool placed; /* bias is known */
	uint64_t bias;
};

/* OBJECT_KEPT: its file was read for another snapshot, and is judged anew when it is
 * first asked for. */
enum object_state { OBJECT_UNREAD, OBJECT_KEPT, OBJECT_READ, OBJECT_UNUSABLE };

struct object {
	const struct vmsnap_vma *vma; /* the first one: name and identity */
	struct member *members;       /* in address order */
	size_t member_count;
	enum object_state state;
	struct elf_cache *known; /* what was read of the file; NULL if nothing */
	/* For vmsnap_names_in(): up to where, in which walk, symbols were told. */
	uint64_t walk, told, told_bias;
};

/* A range of a mapping that belongs to a segment of an object: [start, end). */
struct segment_range {
	struct object *object;
	uint64_t start, end, bias;
	const struct elf_load *load;
};

#endif
