#include "diff_faults.h"

#include <stdlib.h>

#include "error.h"
#include "facts.h"
#include "faults_gather.h"

static bool is_between(const struct vmsnap *snap, const struct vmsnap *a, const struct vmsnap *b)
{
	return snap && snap != a && snap != b && vmsnap_faults_of(snap) && facts_same_process(snap, a) &&
	       snap->info.monotonic > a->info.monotonic && snap->info.monotonic < b->info.monotonic;
}

static void put_in_order(const struct vmsnap **snaps, size_t count, const struct vmsnap *snap)
{
	size_t at = count;
	for (; at > 0 && snaps[at - 1]->info.monotonic > snap->info.monotonic; at--)
		snaps[at] = snaps[at - 1];
	snaps[at] = snap;
}

/* Those that came between the look of A and the end of its watch A has. */
int diff_faults_find(const struct vmsnap *a, const struct vmsnap *b, const struct vmsnap_compare_options *options,
                     struct vmsnap_faults **out, struct vmsnap_error *err)
{
	*out = NULL;
	size_t room = options->between ? options->between_count : 0, count = 0;
	if (!vmsnap_faults_of(b) || !facts_same_process(a, b) || a->info.monotonic >= b->info.monotonic)
		return VMSNAP_OK;
	const struct vmsnap **snaps = calloc(room + 2, sizeof(*snaps));
	if (!snaps)
		return fail_no_memory(err);
	for (size_t i = 0; i < room; i++)
		if (is_between(options->between[i], a, b))
			put_in_order(snaps, count++, options->between[i]);
	put_in_order(snaps, count++, a);
	put_in_order(snaps, count++, b);
	int rc = faults_gather(snaps, count, out, err);
	free(snaps);
	return rc;
}
