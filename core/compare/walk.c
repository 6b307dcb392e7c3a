#include "walk.h"

struct vma_walk vma_walk_from(const struct vmsnap *const *snaps, size_t sides, uint64_t at)
{
	struct vma_walk walk = { .sides = sides, .at = at };
	for (size_t i = 0; i < sides; i++) {
		walk.snap[i] = snaps[i];
		walk.next[i] = snapshot_vma_find(snaps[i], at);
	}
	return walk;
}

struct vma_walk vma_walk_begin(const struct vmsnap *const *snaps, size_t sides)
{
	return vma_walk_from(snaps, sides, 0);
}

bool vma_walk_next(struct vma_walk *walk, struct vma_range *range)
{
	if (walk->at == UINT64_MAX)
		return false;
	*range = (struct vma_range){ .start = walk->at, .end = UINT64_MAX };
	for (size_t i = 0; i < walk->sides; i++) {
		const struct vmsnap *snap = walk->snap[i];
		size_t next = walk->next[i];
		while (next < snap->vma_count && snap->vmas[next].end <= walk->at)
			next++;
		walk->next[i] = next;
		if (next == snap->vma_count)
			continue;
		const struct vmsnap_vma *vma = &snap->vmas[next];
		bool inside = vma->start <= walk->at;
		range->vma[i] = inside ? vma : NULL;
		uint64_t edge = inside ? vma->end : vma->start;
		if (edge < range->end)
			range->end = edge;
	}
	walk->at = range->end;
	return true;
}

unsigned walk_page_shift(const struct vmsnap *snap)
{
	return snap->info.page_size ? (unsigned)__builtin_ctzll(snap->info.page_size) : 12;
}

struct run_cursor run_cursor_at(const struct vmsnap *snap, uint64_t address)
{
	const struct run_list *runs = &snap->runs;
	size_t index = runs->count ? run_list_find(runs, snap->info.page_size, address) : 0;
	/* No arithmetic on the NULL of an empty list. */
	return (struct run_cursor){ .run = runs->items ? runs->items + index : NULL,
		                    .end = runs->items ? runs->items + runs->count : NULL,
		                    .shift = walk_page_shift(snap) };
}
