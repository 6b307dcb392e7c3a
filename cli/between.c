#include "between.h"

#include <stdlib.h>

#include "say.h"
#include "sources.h"

/* Whether it is one that tells, of pages that were written, or of page faults; it is looked into before all of it is
 * read. */
static int is_wanted(const char *word, const struct vmsnap_file *file, size_t index, const struct vmsnap *of, bool *yes)
{
	struct vmsnap *peeked;
	struct vmsnap_error err;
	if (vmsnap_file_peek(file, index, &peeked, &err))
		return trouble_with(word, &err);
	*yes = (vmsnap_info(peeked)->known.written || vmsnap_faults_of(of)) && vmsnap_same_process(peeked, of);
	vmsnap_unref(peeked);
	return STATUS_OK;
}

int between_load(const char *word, const struct vmsnap_file *file, size_t first, size_t last, const struct vmsnap *of,
                 struct between *out)
{
	int status = STATUS_OK;
	*out = (struct between){ 0 };
	if (last <= first + 1 || !(vmsnap_info(of)->known.written || vmsnap_faults_of(of)))
		return status;
	out->snaps = calloc(last - first - 1, sizeof(*out->snaps));
	if (!out->snaps)
		return trouble("out of memory");
	for (size_t i = first + 1; !status && i < last; i++) {
		bool wanted = false;
		status = is_wanted(word, file, i, of, &wanted);
		if (!status && wanted)
			status = file_load(word, file, i, &out->snaps[out->count]);
		out->count += !status && wanted;
	}
	if (status)
		between_drop(out);
	return status;
}

void between_drop(struct between *between)
{
	for (size_t i = 0; i < between->count; i++)
		vmsnap_unref(between->snaps[i]);
	free(between->snaps);
	*between = (struct between){ 0 };
}
