/* tracker.h - what captures ask of a tracker (vmsnap/track.h). */
#ifndef VMSNAP_TRACKER_H
#define VMSNAP_TRACKER_H

#include "builder.h"
#include "uffd_tracking.h"

struct vmsnap_tracker {
	int how; /* enum vmsnap_written_by */
	pid_t pid;
	int procdir;
	uint64_t start_time;
	int64_t since;        /* when it was armed: the time of a snapshot; 0: never */
	int64_t armed_now;    /* by the look that is going on, as of that time; 0: not */
	bool peeks;           /* the look that is going on: the next one tells the same, and more */
	bool owed;            /* soft-dirty bits were cleared, and no snapshot tells yet what they were */
	int tracking;         /* enum vmsnap_tracking: of the last look */
	struct vmsnap *armed; /* soft-dirty: the snapshot at which it was */
	struct uffd_tracking uffd;
};

/* Whether it tracks the process of this directory. */
bool tracker_is_of(const struct vmsnap_tracker *tracker, int procdir);
/* Right before pages are read, and right after: looks, and arms.  now: the time of the snapshot; stands: nothing of
 * the process runs until it is let go.  Both return 0 or errno, of what cannot be helped. */
int tracker_before_pages(struct vmsnap_tracker *tracker, int64_t now, bool stands);
int tracker_after_pages(struct vmsnap_tracker *tracker, int64_t now, bool stands);
/* When it runs again, and all states are known: fills known.written, written_since and the layer, and takes away the
 * flags that are there because we track.  VMSNAP_ERR_NO_MEMORY. */
int tracker_finish(struct vmsnap_tracker *tracker, struct vmsnap *snap);
/* The snapshot is whole: it is what the next one is compared with. */
void tracker_keep(struct vmsnap_tracker *tracker, const struct vmsnap *snap);

#endif
