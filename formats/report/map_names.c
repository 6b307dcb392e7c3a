#include "map_names.h"

#include <stdlib.h>
#include <string.h>

#include "mapping_label.h"
#include "vma_find.h"

/* Of what is in the picture. */
static bool any_resident(const struct map *map, const struct vmsnap_vma *vma, uint64_t start, uint64_t end)
{
	const struct vmsnap *snap = map->snap;
	struct vmsnap_run_iter it;
	struct vmsnap_run run;
	if (map->filter.any && !filter_takes_vma(&map->filter, vma))
		return false;
	vmsnap_run_iter_init(&it, snap, start > vma->start ? start : vma->start, end < vma->end ? end : vma->end);
	while (vmsnap_run_next(&it, &run) == VMSNAP_OK)
		if ((run.flags & VMSNAP_PAGE_PRESENT) &&
		    (!map->filter.any || filter_cut_run(&map->filter, vmsnap_info(snap)->page_size, &run)))
			return true;
	return false;
}

void map_row_names(struct text *text, const struct map *map, uint64_t start,
                   bool (*fn)(void *ctx, const char *name, size_t len), void *ctx)
{
	struct mapping_label last = { .words = NULL };
	const struct vmsnap_vma *vma, *named = NULL; /* the mapping that `last` is of, or has the name itself */
	uint64_t bytes = map_row_bytes(map), end = start + bytes > start ? start + bytes : UINT64_MAX;
	size_t told = 0;
	bool more = text->out.names;
	for (size_t i = vma_find(map->snap, start);
	     more && told < MAP_NAMES_MAX && (vma = vmsnap_vma(map->snap, i)) && vma->start < end; i++) {
		if (!any_resident(map, vma, start, end))
			continue;
		struct mapping_label label = mapping_label(text, text->out.names, vma, i);
		const char *before = last.words ? last.words : named ? named->name : "";
		const char *name = label.words ? label.words : vma->name;
		if (*name && strcmp(name, before) != 0) {
			more = fn(ctx, name, strlen(name));
			told++;
		}
		mapping_label_free(&last, text);
		last = label;
		named = vma;
	}
	mapping_label_free(&last, text);
}
