/* value_blocks.h - bytes that changed and are no variable's, by the block of malloc's that they lie in. */
#ifndef VMSNAP_VALUE_BLOCKS_H
#define VMSNAP_VALUE_BLOCKS_H

#include "vmsnap.h"
#include "work.h"

/* Eight bytes that begin where the size of a chunk, or what is in it, may begin. */
struct value_unit {
	uint64_t address;
	unsigned changed; /* of them */
};
struct value_blocks {
	struct value_unit *units; /* in order */
	size_t unit_count, unit_room;
	struct vmsnap_value_block *items;
	size_t count, room;
};
/* A byte at a higher address than those before. */
int value_blocks_add(struct value_blocks *blocks, uint64_t address, struct work *work);
/* All have been added: finds the blocks, as snap, the later one, has them. */
int value_blocks_find(struct value_blocks *blocks, const struct vmsnap *snap, struct work *work,
                      struct vmsnap_error *err);
void value_blocks_free(struct value_blocks *blocks);

#endif
