#define _GNU_SOURCE
#include "tracker.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "error.h"
#include "procdir.h"
#include "soft_dirty.h"
#include "uffd_helper.h"

/* ---- making one ---------------------------------------------------------------------- */

static int open_process(pid_t pid, struct vmsnap_tracker *tracker, struct vmsnap_error *err)
{
	int fd, rc = procdir_open(pid, &fd, err);
	if (rc)
		return rc;
	pid_t process = procdir_process_of_thread(fd, pid);
	if (process) {
		close(fd);
		rc = procdir_open(process, &fd, err);
		if (rc)
			return rc;
	}
	struct proc_stat stat;
	tracker->procdir = fd;
	tracker->pid = process ? process : pid;
	rc = procdir_stat(fd, &stat, err);
	tracker->start_time = rc ? 0 : stat.start_time;
	return rc;
}

static int begin(pid_t pid, int how, struct vmsnap_tracker **out, struct vmsnap_error *err)
{
	struct vmsnap_tracker *tracker = calloc(1, sizeof(*tracker));
	if (!tracker)
		return fail_no_memory(err);
	tracker->how = how;
	tracker->procdir = -1;
	tracker->uffd = (struct uffd_tracking){ .fd = -1, .maps = -1, .pagemap = -1 };
	int rc = open_process(pid, tracker, err);
	if (rc)
		vmsnap_tracker_free(tracker);
	else
		*out = tracker;
	return rc;
}

static int check_soft_dirty(int asked, struct vmsnap_error *err)
{
	if (soft_dirty_exists())
		return VMSNAP_OK;
	return asked == VMSNAP_WRITTEN_UNKNOWN
	               ? fail(err, VMSNAP_ERR_NOT_FOUND,
	                      "this kernel has no soft-dirty bits (CONFIG_MEM_SOFT_DIRTY); userfaultfd can track "
	                      "writes, but has the process make two system calls: it has to be asked for (uffd)")
	               : fail(err, VMSNAP_ERR_NOT_FOUND, "this kernel has no soft-dirty bits (CONFIG_MEM_SOFT_DIRTY)");
}

static int begin_uffd(struct vmsnap_tracker *tracker, struct vmsnap_error *err)
{
	int uffd, rc = uffd_tracking_exists(err);
	rc = rc ? rc : uffd_helper_take(tracker->procdir, tracker->pid, &uffd, err);
	return rc ? rc : uffd_tracking_init(&tracker->uffd, uffd, tracker->procdir, tracker->pid, err);
}

VMSNAP_API int vmsnap_tracker_new(pid_t pid, int how, struct vmsnap_tracker **out, struct vmsnap_error *err)
{
	struct vmsnap_tracker *tracker;
	if (!out || how < VMSNAP_WRITTEN_UNKNOWN || how > VMSNAP_WRITTEN_UFFD)
		return fail(err, VMSNAP_ERR_ARGUMENT, "a tracker needs a way to track, and a place to go to");
	bool uffd = how == VMSNAP_WRITTEN_UFFD;
	int rc = uffd ? VMSNAP_OK : check_soft_dirty(how, err);
	rc = rc ? rc : begin(pid, uffd ? VMSNAP_WRITTEN_UFFD : VMSNAP_WRITTEN_SOFT_DIRTY, &tracker, err);
	if (rc)
		return rc;
	rc = uffd ? begin_uffd(tracker, err) : VMSNAP_OK;
	if (rc)
		vmsnap_tracker_free(tracker);
	else
		*out = tracker;
	return rc;
}

VMSNAP_API int vmsnap_tracker_adopt(pid_t pid, int uffd, struct vmsnap_tracker **out, struct vmsnap_error *err)
{
	struct vmsnap_tracker *tracker;
	if (!out || uffd < 0)
		return fail(err, VMSNAP_ERR_ARGUMENT, "a tracker needs a userfaultfd, and a place to go to");
	int rc = uffd_tracking_exists(err);
	rc = rc ? rc : begin(pid, VMSNAP_WRITTEN_UFFD, &tracker, err);
	if (rc) {
		close(uffd);
		return rc;
	}
	rc = uffd_tracking_init(&tracker->uffd, uffd, tracker->procdir, tracker->pid, err);
	if (rc)
		vmsnap_tracker_free(tracker);
	else
		*out = tracker;
	return rc;
}

VMSNAP_API void vmsnap_tracker_free(struct vmsnap_tracker *tracker)
{
	if (!tracker)
		return;
	uffd_tracking_free(&tracker->uffd);
	if (tracker->procdir >= 0)
		close(tracker->procdir);
	vmsnap_unref(tracker->armed);
	free(tracker);
}

VMSNAP_API int vmsnap_tracker_how(const struct vmsnap_tracker *tracker)
{
	return tracker->how;
}

VMSNAP_API int vmsnap_tracker_tracking(const struct vmsnap_tracker *tracker)
{
	return tracker->tracking;
}

VMSNAP_API const char *vmsnap_tracking_name(int tracking)
{
	static const char *const names[] = {
		[VMSNAP_TRACKING_TELLS] = "tells",         [VMSNAP_TRACKING_ARMED] = "armed",
		[VMSNAP_TRACKING_DISTURBED] = "disturbed", [VMSNAP_TRACKING_RAN] = "ran",
		[VMSNAP_TRACKING_EXECED] = "execed",
	};
	return tracking >= 0 && tracking <= VMSNAP_TRACKING_EXECED ? names[tracking] : NULL;
}

/* ---- for a capture ------------------------------------------------------------------- */

bool tracker_is_of(const struct vmsnap_tracker *tracker, int procdir)
{
	struct proc_stat stat;
	struct proc_text text = { 0 };
	bool same = false;
	if (tracker && !procdir_read(procdir, "stat", &text))
		same = (pid_t)strtol(text.text, NULL, 10) == tracker->pid && !procdir_stat(procdir, &stat, NULL) &&
		       stat.start_time == tracker->start_time;
	proc_text_free(&text);
	return same;
}

static int look_uffd(struct vmsnap_tracker *tracker, int64_t now)
{
	int error = uffd_tracking_look(&tracker->uffd);
	if (!error && !tracker->peeks)
		tracker->armed_now = now;
	if (error == ESRCH)
		tracker->tracking = VMSNAP_TRACKING_EXECED;
	return error == ESRCH ? 0 : error;
}

static int clear(struct vmsnap_tracker *tracker, int64_t now)
{
	int error = soft_dirty_clear(tracker->procdir);
	if (error)
		return error;
	tracker->armed_now = now;
	tracker->owed = tracker->since;
	return 0;
}

int tracker_before_pages(struct vmsnap_tracker *tracker, int64_t now, bool stands)
{
	/* What was cleared for a snapshot that came to nothing is lost. */
	if (tracker->owed)
		tracker->since = 0;
	tracker->armed_now = 0;
	tracker->owed = false;
	tracker->tracking = tracker->since ? VMSNAP_TRACKING_TELLS : VMSNAP_TRACKING_ARMED;
	if (tracker->how == VMSNAP_WRITTEN_UFFD)
		return look_uffd(tracker, now);
	/* Of one that runs, whatever is written after it was read has to be seen the next time. */
	return stands || tracker->since || tracker->peeks ? 0 : clear(tracker, now);
}

int tracker_after_pages(struct vmsnap_tracker *tracker, int64_t now, bool stands)
{
	if (tracker->how != VMSNAP_WRITTEN_SOFT_DIRTY || tracker->peeks)
		return 0;
	if (stands)
		return clear(tracker, now);
	/* What it writes after it was read would be cleared unseen. */
	if (tracker->since)
		tracker->tracking = VMSNAP_TRACKING_RAN;
	return 0;
}

/* Pages that are write-protected because we track look as they would without us. */
static void unmask(const struct uffd_tracking *tracking, struct vmsnap *snap)
{
	struct run_list *runs = &snap->runs;
	uint64_t end = 0;
	bool ours = false;
	size_t kept = 0;
	for (size_t i = 0; i < runs->count; i++) {
		struct run run = runs->items[i];
		if (run_start(&run) >= end)
			ours = uffd_tracking_protects(tracking, run_start(&run), &end);
		if (ours)
			run.entry &= ~ENTRY_FLAG(VMSNAP_PAGE_UFFD_WP);
		if (run.entry >> ENTRY_FLAGS_SHIFT)
			runs->items[kept++] = run;
	}
	runs->count = kept;
}

static int finish_uffd(struct vmsnap_tracker *tracker, struct vmsnap *snap)
{
	const struct layer *found = &tracker->uffd.found;
	unmask(&tracker->uffd, snap);
	if (tracker->tracking != VMSNAP_TRACKING_TELLS)
		return VMSNAP_OK;
	int rc = uffd_tracking_settle(&tracker->uffd) ? VMSNAP_ERR_NO_MEMORY : VMSNAP_OK;
	for (size_t i = 0; !rc && i < found->count; i++)
		rc = layer_append(&snap->layers[VMSNAP_LAYER_WRITTEN], found->items[i].start, found->items[i].end,
		                  found->items[i].value);
	return rc;
}

static int finish_soft_dirty(struct vmsnap_tracker *tracker, struct vmsnap *snap)
{
	bool tells = tracker->tracking == VMSNAP_TRACKING_TELLS || tracker->tracking == VMSNAP_TRACKING_RAN;
	if (!tells || !tracker->armed)
		return VMSNAP_OK;
	if (soft_dirty_disturbed(tracker->armed, snap)) {
		tracker->tracking = VMSNAP_TRACKING_DISTURBED;
		return VMSNAP_OK;
	}
	return soft_dirty_collect(tracker->armed, snap, &snap->layers[VMSNAP_LAYER_WRITTEN]);
}

int tracker_finish(struct vmsnap_tracker *tracker, struct vmsnap *snap)
{
	bool uffd = tracker->how == VMSNAP_WRITTEN_UFFD;
	int rc = uffd ? finish_uffd(tracker, snap) : finish_soft_dirty(tracker, snap);
	bool tells = tracker->since &&
	             (tracker->tracking == VMSNAP_TRACKING_TELLS || tracker->tracking == VMSNAP_TRACKING_RAN);
	if (rc)
		return rc;
	snap->info.known.written = tells ? (unsigned)tracker->how & 3 : VMSNAP_WRITTEN_UNKNOWN;
	/* Its own time, and nothing known: it is where tracking began. */
	snap->info.written_since = tells ? tracker->since : tracker->armed_now;
	return VMSNAP_OK;
}

void tracker_keep(struct vmsnap_tracker *tracker, const struct vmsnap *snap)
{
	/* What was found stays with what will be found. */
	if (tracker->peeks)
		return;
	uffd_tracking_told(&tracker->uffd);
	if (tracker->armed_now)
		tracker->since = tracker->armed_now;
	tracker->owed = false;
	if (tracker->how != VMSNAP_WRITTEN_SOFT_DIRTY || !tracker->armed_now)
		return;
	vmsnap_unref(tracker->armed);
	tracker->armed = vmsnap_ref(snap);
}

static bool is_of_this_boot(const struct vmsnap_info *info)
{
	char boot_id[64] = "";
	CLEANUP_CLOSE int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	ssize_t len = fd < 0 ? 0 : read(fd, boot_id, sizeof(boot_id) - 1);
	return len > 1 && strlen(info->boot_id) == (size_t)len - 1 && !memcmp(boot_id, info->boot_id, (size_t)len - 1);
}

VMSNAP_API int vmsnap_tracker_resume(struct vmsnap_tracker *tracker, const struct vmsnap *snap,
                                     struct vmsnap_error *err)
{
	const struct vmsnap_info *info = &snap->info;
	bool stood = info->freeze == VMSNAP_FREEZE_FULL || info->freeze == VMSNAP_FREEZE_DEBUGGER;
	bool armed = info->written_since && stood && info->monotonic &&
	             (info->known.written == VMSNAP_WRITTEN_SOFT_DIRTY || info->written_since == info->monotonic);
	if (tracker->how != VMSNAP_WRITTEN_SOFT_DIRTY)
		return fail(err, VMSNAP_ERR_ARGUMENT, "only soft-dirty bits outlive who tracks");
	if (!armed || !is_of_this_boot(info) || info->pid != (uint32_t)tracker->pid ||
	    info->start_time != tracker->start_time)
		return fail(err, VMSNAP_ERR_ARGUMENT,
		            "the snapshot was taken without tracking, or is of another process");
	tracker->since = info->monotonic;
	vmsnap_unref(tracker->armed);
	tracker->armed = vmsnap_ref(snap);
	return VMSNAP_OK;
}
