#include "file_bases.h"

#include <string.h>

/* ---- those that several hang on -------------------------------------------------------- */

static struct file_known *first_shared(struct file_bases *bases)
{
	return &bases->items[bases->newest];
}

static void take_out(struct file_bases *bases, size_t place)
{
	size_t end = bases->newest + bases->shared;
	memmove(&bases->items[place], &bases->items[place + 1], (end - place - 1) * sizeof(*bases->items));
}

/* Takes it over. */
static void add_shared(struct file_bases *bases, const struct file_known *known)
{
	uint64_t bytes = vmsnap_memory(known->snap);
	if (bytes > FILE_BASES_SHARED_BYTES) {
		vmsnap_unref(known->snap);
		return;
	}
	while (bases->shared == FILE_BASES_SHARED || bases->shared_bytes + bytes > FILE_BASES_SHARED_BYTES) {
		struct vmsnap *oldest = first_shared(bases)->snap;
		bases->shared_bytes -= vmsnap_memory(oldest);
		vmsnap_unref(oldest);
		take_out(bases, bases->newest);
		bases->shared--;
	}
	bases->items[bases->newest + bases->shared++] = *known;
	bases->shared_bytes += bytes;
}

/* NULL: it is not here.  The pointer is good until something is loaded. */
static const struct file_known *find(struct file_bases *bases, size_t index)
{
	size_t place = 0, end = bases->newest + bases->shared;
	while (place < end && bases->items[place].index != index)
		place++;
	if (place == end)
		return NULL;
	if (place < bases->newest)
		return &bases->items[place];
	struct file_known wanted = bases->items[place];
	take_out(bases, place);
	bases->items[end - 1] = wanted;
	return &bases->items[end - 1];
}

/* ---- the newest of each process ------------------------------------------------------------ */

/* In front of the others: in the place of the one of its process.  Of more processes than there are places the one that
 * was not needed for longest has to fit beside those that are shared. */
static void remember(struct file_bases *bases, const struct file_known *loaded)
{
	size_t place = 0, most = bases->most ? bases->most : FILE_BASES_NEWEST;
	while (place < bases->newest && !vmsnap_same_process(bases->items[place].snap, loaded->snap))
		place++;
	struct file_known before = { 0 };
	if (place == most)
		place--;
	if (place < bases->newest) {
		before = bases->items[place];
		take_out(bases, place);
		bases->newest--;
	}
	memmove(&bases->items[1], &bases->items[0], (bases->newest + bases->shared) * sizeof(*bases->items));
	bases->items[0] = *loaded;
	bases->newest++;
	vmsnap_ref(loaded->snap);
	if (before.snap && !vmsnap_same_process(before.snap, loaded->snap))
		add_shared(bases, &before);
	else
		vmsnap_unref(before.snap);
}

/* ---- loading --------------------------------------------------------------------------------- */

static int load(struct file_bases *bases, const struct vmsnap_file *file, size_t index, bool check,
                struct file_known *out, struct vmsnap_error *err)
{
	size_t count = bases->newest + bases->shared;
	return bases->around ? file_load_around(file, index, *bases->around, bases->items, count, out, err)
	                     : file_load_knowing(file, index, check, bases->items, count, out, err);
}

/* Once is no reason: so it is where a chain of one process ends and the next one begins at what is whole. */
static bool is_missed_again(struct file_bases *bases, size_t index)
{
	size_t *missed = &bases->missed[index % FILE_BASES_SHARED];
	bool again = *missed == index + 1;
	*missed = again ? 0 : index + 1;
	return again;
}

/* If it is too large to be kept beside others, in the place of what hangs on it, which is not far from it: so that
 * there are never more than two of a process. */
static void keep_base(struct file_bases *bases, const struct vmsnap_file *file, size_t index)
{
	struct file_known base = { 0 };
	if (load(bases, file, index, false, &base, NULL))
		return;
	if (vmsnap_memory(base.snap) > FILE_BASES_SHARED_BYTES) {
		remember(bases, &base);
		vmsnap_unref(base.snap);
	} else {
		add_shared(bases, &base);
	}
}

int file_bases_load(struct file_bases *bases, const struct vmsnap_file *file, size_t index, bool check,
                    struct vmsnap **out, struct vmsnap_error *err)
{
	struct file_known loaded;
	const struct file_known *there = check ? NULL : find(bases, index);
	if (there) {
		*out = vmsnap_ref(there->snap);
		return VMSNAP_OK;
	}
	int rc = load(bases, file, index, check, &loaded, err);
	if (rc)
		return rc;
	bool missed = loaded.depth && !find(bases, loaded.base) && is_missed_again(bases, loaded.base);
	remember(bases, &loaded);
	if (missed)
		keep_base(bases, file, loaded.base);
	*out = loaded.snap;
	return VMSNAP_OK;
}

void file_bases_free(struct file_bases *bases)
{
	for (size_t i = 0; i < bases->newest + bases->shared; i++)
		vmsnap_unref(bases->items[i].snap);
	bases->newest = bases->shared = 0;
}
