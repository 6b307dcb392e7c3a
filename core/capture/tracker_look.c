/* tracker_look.c - what was written, without page states: vmsnap_tracker_look(). */
#include "error.h"
#include "tracker.h"

/* Its memory is gone: whether it has another one. */
static int explain(const struct vmsnap_tracker *tracker, struct vmsnap_error *err)
{
	struct proc_stat stat;
	bool ended = procdir_stat(tracker->procdir, &stat, NULL) || stat.state == 'Z' || stat.state == 'X';
	if (ended)
		return fail(err, VMSNAP_ERR_EXITED, "process %d has ended", (int)tracker->pid);
	return fail(err, VMSNAP_ERR_EXECED, "process %d executes another program, which is not tracked",
	            (int)tracker->pid);
}

static int look(struct vmsnap_tracker *tracker, unsigned flags, struct vmsnap **out, struct vmsnap_error *err)
{
	struct vmsnap_capture_options options = { .size = sizeof(options), .tracker = tracker };
	/* Userfaultfd tells and arms page by page, each at once.  The bits of soft-dirty pages have to be read first.
	 */
	options.flags = flags | VMSNAP_CAPTURE_BRIEF |
	                (tracker->how == VMSNAP_WRITTEN_UFFD ? VMSNAP_CAPTURE_NO_FREEZE | VMSNAP_CAPTURE_NO_PAGES
	                                                     : VMSNAP_CAPTURE_REALTIME);
	struct vmsnap *snap;
	int rc = vmsnap_capture(tracker->pid, &options, &snap, err);
	if (rc)
		return rc;
	if (tracker->tracking == VMSNAP_TRACKING_EXECED) {
		vmsnap_unref(snap);
		return explain(tracker, err);
	}
	*out = snap;
	return VMSNAP_OK;
}

VMSNAP_API int vmsnap_tracker_look(struct vmsnap_tracker *tracker, struct vmsnap **out, struct vmsnap_error *err)
{
	return look(tracker, 0, out, err);
}

VMSNAP_API int vmsnap_tracker_peek(struct vmsnap_tracker *tracker, struct vmsnap **out, struct vmsnap_error *err)
{
	return look(tracker, VMSNAP_CAPTURE_PEEK, out, err);
}
