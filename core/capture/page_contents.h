/* page_contents.h - what pages hold, read while the target stands: only those that are present, each once; those that
 * were copied before, and were not written since, not at all. */
#ifndef VMSNAP_PAGE_CONTENTS_H
#define VMSNAP_PAGE_CONTENTS_H

#include "page_stretches.h"
#include "precopy.h"

struct page_contents {
	const struct vmsnap_capture_options *options; /* what is wanted; NULL: nothing */
	struct vmsnap_store *store;                   /* borrowed */
	struct precopy *precopy;                      /* of this process, borrowed; NULL: nothing was copied before */
	struct contents taken;
	uint64_t left_out; /* bytes: they are above the limit */
	uint64_t copied;   /* bytes that were, before the pause */
	bool vouched;      /* it has what the copies are worth */
};
/* Whose they are, and what is known of it. */
struct page_contents_target {
	pid_t pid;           /* for messages */
	int memory, pagemap; /* descriptors of /proc/PID and of its pagemap */
	uint64_t page_size;
	bool held;               /* nothing of it runs */
	struct proc_text *smaps; /* empty: not read yet */
	const struct proc_text *maps;
	const struct pagemap_found *found; /* its page states, as they were read */
	uint64_t zero_pfn;
	const atomic_bool *cancel;
	struct watchdog *dog;
	struct realtime *realtime;
};
static inline bool page_contents_wanted(const struct page_contents *contents)
{
	return contents->options && contents->options->contents;
}
/* What cannot be read is not known. */
int page_contents_take(struct page_contents *contents, const struct page_contents_target *target,
                       struct vmsnap_error *err);
/* When it runs again: .taken, .copied. */
int page_contents_finish(struct page_contents *contents, struct vmsnap_error *err);
/* enum vmsnap_precopy */
uint32_t page_contents_precopied(const struct page_contents *contents);
void page_contents_free(struct page_contents *contents);

#endif
