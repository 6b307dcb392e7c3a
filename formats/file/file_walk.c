/* file_walk.c - the snapshots of a file, one after another: each of which may be a difference to one before. */
#include "error.h"
#include "file_load.h"

enum { KNOWN = 64 }; /* processes whose newest snapshot is kept */
struct vmsnap_walk {
	const struct vmsnap_file *file;
	size_t next, end;
	bool check;
	struct file_known known[KNOWN]; /* held; the latest first */
	size_t known_count;
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

/* In front of the others: in the place of the one of its process, or else of the one that was not needed for
 * longest. */
static void remember(struct vmsnap_walk *walk, const struct file_known *loaded)
{
	size_t place = 0;
	while (place < walk->known_count && !vmsnap_same_process(walk->known[place].snap, loaded->snap))
		place++;
	if (place == walk->known_count && place < KNOWN)
		walk->known_count++;
	else if (place == KNOWN)
		place--;
	vmsnap_unref(walk->known[place].snap);
	for (; place; place--)
		walk->known[place] = walk->known[place - 1];
	walk->known[0] = *loaded;
	vmsnap_ref(loaded->snap);
}

VMSNAP_API int vmsnap_walk_next(struct vmsnap_walk *walk, struct vmsnap **out, size_t *index, struct vmsnap_error *err)
{
	*out = NULL;
	if (walk->next == walk->end)
		return VMSNAP_END;
	size_t at = walk->next++;
	if (index)
		*index = at;
	struct file_known loaded;
	int rc = file_load_knowing(walk->file, at, walk->check, walk->known, walk->known_count, &loaded, err);
	if (rc)
		return rc;
	remember(walk, &loaded);
	*out = loaded.snap;
	return VMSNAP_OK;
}

VMSNAP_API void vmsnap_walk_free(struct vmsnap_walk *walk)
{
	if (!walk)
		return;
	for (size_t i = 0; i < walk->known_count; i++)
		vmsnap_unref(walk->known[i].snap);
	free(walk);
}
