/* track.h - which pages a process writes to: tracking, armed from one look to the next.
 * Included by vmsnap.h, which tells what holds for all of it. */
#ifndef VMSNAP_TRACK_API_H
#define VMSNAP_TRACK_API_H

#include <vmsnap/snapshot.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Write tracking of one process's memory, from one look to the next, until it is freed; to be used by one thread at a
 * time.  It is given to captures (struct vmsnap_capture_options, .tracker): each finds what was written since the one
 * before, and arms all pages anew in the same pause.  The first knows nothing, and arms.
 *
 * By soft-dirty bits (VMSNAP_WRITTEN_SOFT_DIRTY): 4 is written to /proc/PID/clear_refs, of which a process has
 * but one: whoever else does so takes away what was written until then.  Where that can be seen, as a page that must
 * have been written is clean, what was written is unknown (VMSNAP_TRACKING_DISTURBED).
 *
 * By userfaultfd (VMSNAP_WRITTEN_UFFD): all of its memory is write-protected; the first write to a page is a page
 * fault that the kernel handles by itself.  The descriptor has to be made by the process: a helper, a process of its
 * own, stops it for some hundred microseconds and has it make two system calls (userfaultfd, close).  Refused, before
 * anything is done to it, is a process that is debugged, stopped, of 32 bits, that uses userfaultfd itself, or that
 * filters its system calls (seccomp; where the caller may not suspend that); and any before Linux 6.7.  Memory that is
 * mapped later is tracked from the next look on; children are not.
 *
 * A thread that debugs the process itself and holds all of it, as gdb's does while its prompt is shown, needs no
 * helper: there one of the threads that stand at a signal, which a breakpoint is, too, makes the two calls, and stands
 * as before.  Refused are a process of which threads run, whose threads all stand within system calls (at a fork, say),
 * and one that filters its system calls. */
struct vmsnap_tracker;
/* how: enum vmsnap_written_by; VMSNAP_WRITTEN_UNKNOWN: soft-dirty bits, where the kernel has them, and else
 * VMSNAP_ERR_NOT_FOUND, as userfaultfd is only for who asks for it. */
int vmsnap_tracker_new(pid_t pid, int how, struct vmsnap_tracker **out, struct vmsnap_error *err);
/* With a userfaultfd of the process's memory, of which nobody has asked anything (UFFDIO_API) yet: for who has the
 * process make one in another way and takes it with pidfd_getfd(2).  The descriptor is the tracker's, also if that
 * failed. */
int vmsnap_tracker_adopt(pid_t pid, int uffd, struct vmsnap_tracker **out, struct vmsnap_error *err);
int vmsnap_tracker_how(const struct vmsnap_tracker *tracker); /* enum vmsnap_written_by */
/* Of soft-dirty bits, which are the kernel's: goes on from a snapshot of the same process that was taken with a
 * tracker; VMSNAP_ERR_ARGUMENT if it was not, or is of another process. */
int vmsnap_tracker_resume(struct vmsnap_tracker *tracker, const struct vmsnap *snap, struct vmsnap_error *err);

/* Why the last look did not tell what was written; or that it did. */
enum vmsnap_tracking {
	VMSNAP_TRACKING_TELLS,
	VMSNAP_TRACKING_ARMED,     /* it was the first: from now on */
	VMSNAP_TRACKING_DISTURBED, /* somebody else has cleared soft-dirty bits */
	VMSNAP_TRACKING_RAN,       /* it could not be stopped, and soft-dirty bits cannot be read and cleared at once:
	                            * what was found is since the look before, and so will the next be */
	VMSNAP_TRACKING_EXECED,    /* the process executes another program, or has ended: free the tracker */
};
int vmsnap_tracker_tracking(const struct vmsnap_tracker *tracker);
const char *vmsnap_tracking_name(int tracking); /* "disturbed" */

/* A look without page states: a snapshot that has mappings, threads and VMSNAP_LAYER_WRITTEN, to be asked what was
 * written, and for names.  All of its pages are absent; it is not for files.  By userfaultfd the process is not
 * stopped for it.  VMSNAP_ERR_EXECED, _EXITED: there is nothing to track any more. */
int vmsnap_tracker_look(struct vmsnap_tracker *tracker, struct vmsnap **out, struct vmsnap_error *err);
/* The same, and the next look or capture tells all of it, too: nothing is armed anew. */
int vmsnap_tracker_peek(struct vmsnap_tracker *tracker, struct vmsnap **out, struct vmsnap_error *err);

/* Gives everything back: no page is protected any more, no descriptor left.  Of many gigabytes that takes tens of
 * milliseconds.  NULL is fine. */
void vmsnap_tracker_free(struct vmsnap_tracker *tracker);

#ifdef __cplusplus
}
#endif
#endif
