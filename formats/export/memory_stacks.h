/* memory_stacks.h - what memory a process has, as stacks: the process, what a mapping is, and which. */
#ifndef VMSNAP_MEMORY_STACKS_H
#define VMSNAP_MEMORY_STACKS_H

#include "exporter.h"

enum memory_value { MEMORY_RESIDENT, MEMORY_EXCLUSIVE, MEMORY_SWAPPED, MEMORY_SHARED, MEMORY_VALUES };
extern const char *const memory_value_names[MEMORY_VALUES];

enum { MEMORY_LEAF_MAX = 4200 };
/* A mapping that has any of it. */
struct memory_stack {
	const struct vmsnap *snap;
	const struct vmsnap_vma *vma;
	const char *kind;           /* "library" */
	char leaf[MEMORY_LEAF_MAX]; /* "libc.so.6 r-xp" */
	uint64_t bytes[MEMORY_VALUES];
	unsigned unknown; /* as bits 1 << enum memory_value: those whose bytes say nothing */
};
typedef int (*memory_fn)(void *ctx, const struct memory_stack *stack, struct vmsnap_error *err);

int memory_stacks_each(const struct vmsnap *const *snaps, size_t count, struct work *work, memory_fn each, void *ctx,
                       struct vmsnap_error *err);
/* Those of which something is known in some mapping, as bits. */
int memory_stacks_known(const struct vmsnap *const *snaps, size_t count, struct work *work, unsigned *known,
                        struct vmsnap_error *err);

#endif
