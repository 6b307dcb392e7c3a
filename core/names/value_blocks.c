#include "value_blocks.h"

#include <stdlib.h>

#include "error.h"

/* What is beyond is not told by the block. */
enum { UNIT = 8, UNITS_MOST = 1 << 18 };

int value_blocks_add(struct value_blocks *blocks, uint64_t address, struct work *work)
{
	uint64_t start = address & ~(uint64_t)(UNIT - 1);
	struct value_unit *last = blocks->unit_count ? &blocks->units[blocks->unit_count - 1] : NULL;
	int rc = VMSNAP_OK;
	if (last && last->address == start) {
		last->changed++;
		return rc;
	}
	if (blocks->unit_count == UNITS_MOST || (last && last->address > start))
		return rc;
	if (!WORK_ROOM(work, blocks->units, blocks->unit_count, &blocks->unit_room, &rc))
		return rc;
	blocks->units[blocks->unit_count++] = (struct value_unit){ start, 1 };
	return rc;
}

static int add_block(struct value_blocks *blocks, const struct vmsnap_heap_block *block, unsigned changed,
                     struct work *work)
{
	struct vmsnap_value_block *last = blocks->count ? &blocks->items[blocks->count - 1] : NULL;
	int rc = VMSNAP_OK;
	if (!block->size)
		return rc;
	if (last && last->block.address == block->address) {
		last->changed += changed;
		return rc;
	}
	if (!WORK_ROOM(work, blocks->items, blocks->count, &blocks->room, &rc))
		return rc;
	blocks->items[blocks->count++] = (struct vmsnap_value_block){ *block, changed };
	return rc;
}

int value_blocks_find(struct value_blocks *blocks, const struct vmsnap *snap, struct work *work,
                      struct vmsnap_error *err)
{
	size_t count = blocks->unit_count;
	int rc = VMSNAP_OK;
	if (!count)
		return rc;
	uint64_t *addresses = work_array(work, count, sizeof(*addresses), &rc);
	struct vmsnap_heap_block *found = work_array(work, count, sizeof(*found), &rc);
	for (size_t i = 0; !rc && i < count; i++)
		addresses[i] = blocks->units[i].address;
	if (rc)
		work_fail(work, rc, err);
	else
		rc = vmsnap_heap_blocks(snap, addresses, count, found, err);
	for (size_t i = 0; !rc && i < count; i++) {
		rc = add_block(blocks, &found[i], blocks->units[i].changed, work);
		if (rc)
			work_fail(work, rc, err);
	}
	work_free(work, addresses, count, sizeof(*addresses));
	work_free(work, found, count, sizeof(*found));
	return rc;
}

void value_blocks_free(struct value_blocks *blocks)
{
	free(blocks->units);
	free(blocks->items);
}
