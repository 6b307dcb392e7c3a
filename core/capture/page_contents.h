/* page_contents.h - what pages hold, read from /proc/PID/mem while the target stands: only those that are
 * present, each once.
 *
 * process_vm_readv(2) pins what it reads, and pinning a page that a fork shares makes a copy of it in the
 * target.  Reading an absent page would put one there; in memory that waits for a userfaultfd it
 * would never end. */
#ifndef VMSNAP_PAGE_CONTENTS_H
#define VMSNAP_PAGE_CONTENTS_H

#include "contents.h"
#include "procdir.h"
#include "realtime.h"
#include "runs.h"
#include "watchdog.h"

struct page_contents {
	const struct vmsnap_capture_options *options; /* what is wanted; NULL: nothing */
	struct vmsnap_store *store;                   /* borrowed */
	struct contents taken;
	uint64_t left_out; /* bytes: they are above the limit */
};
/* Whose they are, and what is known of it. */
struct page_contents_target {
	int memory, pagemap; /* descriptors of /proc/PID and of its pagemap */
	uint64_t page_size;
	const struct proc_text *smaps, *maps; /* smaps as far as it could be read */
	const struct run_list *runs;
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
void page_contents_free(struct page_contents *contents);

#endif
