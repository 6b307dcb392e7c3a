/* file_walk.c - the snapshots of a file, one after another: each of which may be a difference to one before. */
#include "error.h"
#include "file_bases.h"

struct vmsnap_walk {
	const struct vmsnap_file *file;
	size_t next, end;
	bool check;
	struct file_bases bases;
};

int file_walk_new(const struct vmsnap_file *file, size_t first, size_t count, bool check, struct vmsnap_walk **out,
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
	walk->check = check;
	*out = walk;
	return VMSNAP_OK;
}

VMSNAP_API int vmsnap_walk_new(const struct vmsnap_file *file, size_t first, size_t count, struct vmsnap_walk **out,
                               struct vmsnap_error *err)
{
	return file_walk_new(file, first, count, false, out, err);
}

VMSNAP_API int vmsnap_walk_next(struct vmsnap_walk *walk, struct vmsnap **out, size_t *index, struct vmsnap_error *err)
{
	*out = NULL;
	if (walk->next == walk->end)
		return VMSNAP_END;
	size_t at = walk->next++;
	if (index)
		*index = at;
	return file_bases_load(&walk->bases, walk->file, at, walk->check, out, err);
}

VMSNAP_API void vmsnap_walk_free(struct vmsnap_walk *walk)
{
	if (!walk)
		return;
	file_bases_free(&walk->bases);
	free(walk);
}
