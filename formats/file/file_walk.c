/* file_walk.c - the snapshots of a file, one after another. */
#include "error.h"
#include "file_load.h"

struct vmsnap_walk {
	const struct vmsnap_file *file;
	size_t next, end;
};

VMSNAP_API int vmsnap_walk_new(const struct vmsnap_file *file, size_t first, size_t count, struct vmsnap_walk **out,
                               struct vmsnap_error *err)
{
	size_t all = vmsnap_file_count(file);
	if (first > all || count > all - first)
		return fail(err, VMSNAP_ERR_ARGUMENT, "%.160s has no %zu snapshots from the %zuth on", file_name(file),
		            count, first + 1);
	struct vmsnap_walk *walk = calloc(1, sizeof(*walk));
	if (!walk)
		return fail_no_memory(err);
	walk->file = file;
	walk->next = first;
	walk->end = first + count;
	*out = walk;
	return VMSNAP_OK;
}

VMSNAP_API int vmsnap_walk_next(struct vmsnap_walk *walk, struct vmsnap **out, size_t *index, struct vmsnap_error *err)
{
	*out = NULL;
	if (walk->next == walk->end)
		return VMSNAP_END;
	size_t at = walk->next++;
	if (index)
		*index = at;
	return vmsnap_file_load(walk->file, at, out, err);
}

VMSNAP_API void vmsnap_walk_free(struct vmsnap_walk *walk)
{
	free(walk);
}
