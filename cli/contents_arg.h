/* contents_arg.h - what of the pages' contents a capture keeps: --contents, --hash, --exclude. */
#ifndef VMSNAP_CLI_CONTENTS_ARG_H
#define VMSNAP_CLI_CONTENTS_ARG_H

#include "options.h"
#include "vmsnap.h"

struct contents_arg {
	unsigned wanted; /* enum vmsnap_contents_wanted */
	const char *exclude[WORDS_MAX];
	struct vmsnap_range exclude_ranges[WORDS_MAX];
	size_t exclude_count, exclude_range_count;
	struct vmsnap_store *store;
};
/* path: where the snapshot goes; what is large waits beside it.  STATUS_OK, or STATUS_TROUBLE after saying
 * why. */
int contents_parse(const struct options *options, const char *path, struct contents_arg *out);
void contents_apply(const struct contents_arg *contents, struct vmsnap_capture_options *to);
/* Says which names that were to be left out no mapping has: what was meant may be in there. */
void contents_tell_unmatched(const struct contents_arg *contents, const struct vmsnap *const *snaps, size_t count);
void contents_release(struct contents_arg *contents);

#endif
