/* precopy.h - what pages hold, copied while the process runs, so that in the pause only what was written since its copy
 * is read, as live migration does it.
 *
 * It takes a tracker that tells page by page, and arms each at once (userfaultfd).  A page is copied after it was
 * armed; if the look in the pause does not say that it was written since, if it is private memory, not a file's, and
 * present, then it holds what its copy does: whatever puts another page in its place (a fault after MADV_DONTNEED,
 * another mapping, mremap) leaves one that is not armed, and so is found.  All else is read in the pause. */
#ifndef VMSNAP_PRECOPY_H
#define VMSNAP_PRECOPY_H

#include "contents_reading.h"
#include "contents_wanted.h"
#include "tracker.h"

struct precopy {
	struct vmsnap_tracker *tracker; /* NULL: nothing is copied before */
	const struct vmsnap_capture_options *options;
	struct vmsnap_store *store;
	int procdir; /* borrowed */
	const atomic_bool *cancel;
	struct watchdog *dog;
	struct realtime *realtime;
	int outcome;                   /* enum vmsnap_precopy */
	struct vmsnap *map;            /* mappings, and what smaps says of them, when it was read last */
	struct proc_text maps;         /* as they were then */
	struct contents copies;        /* all of one moment, but for what was written since */
	struct contents late;          /* read in the pause */
	struct contents_keeper keeper; /* of these */
	bool kept;                     /* the keeper is to be ended */
	bool flags_known;              /* smaps was read in the pause */
	struct layer wanted, read; /* in the pause: ranges whose contents are kept, and those that were read for it */
};

/* Copies until what is written meanwhile gets no less.  VMSNAP_OK also where it cannot be done: .outcome. */
int precopy_run(struct precopy *precopy, struct vmsnap_error *err);
/* Right before the pause: what was written since, and all that is made ready for what the pause will read. */
int precopy_hurry(struct precopy *precopy, struct vmsnap_error *err);
/* In the pause, after the tracker's look.  held: nothing of the process runs. */
bool precopy_vouches(const struct precopy *precopy, bool held);
/* What smaps said of a mapping of now: *flags.  False: it has to be read anew. */
bool precopy_flags(const struct precopy *precopy, const struct vmsnap_vma *vma, const char **flags);
/* Pages of a range that are wanted, not a file's and present: reads those that are not as they were copied.  anonymous
 * false: all of it. */
int precopy_read(struct precopy *precopy, struct contents_reading *reading, uint64_t start, uint64_t end,
                 bool anonymous);
/* When the process runs again: what its pages held in the pause, and how much of it had been copied before. */
int precopy_finish(struct precopy *precopy, struct contents *out, uint64_t *copied, struct vmsnap_error *err);
void precopy_free(struct precopy *precopy);

#endif
