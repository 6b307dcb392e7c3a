/* repeat.h - snapshots of one process again and again, by its debugger, as at each hit of a breakpoint.
 * Included by vmsnap.h, which tells what holds for all of it. */
#ifndef VMSNAP_REPEAT_API_H
#define VMSNAP_REPEAT_API_H

#include <vmsnap/capture.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Captures as with VMSNAP_CAPTURE_BRIEF, for a thread that debugs the process and calls each time.  From one to the
 * next some files of the process stay open; and where its map reads as it did, it has the same threads, and neither its
 * name, its arguments, its cgroup nor the files that it maps have changed, a snapshot holds these together with
 * those before it, and only what is left is read: the pages, what the threads do, the status.  Otherwise all is read,
 * as by vmsnap_capture(); so of a process that has more than 16 threads or a gigabyte of addresses, has children, or
 * has huge pages.  Who learns that the process executes another program makes a new one. */
struct vmsnap_repeat;
int vmsnap_repeat_new(pid_t pid, struct vmsnap_repeat **out, struct vmsnap_error *err);
/* options: as of vmsnap_capture(); what asks for more than a brief capture tells has all of it read each time.
 * if_running: put behind the reason where some thread runs that the debugger has not stopped; NULL: nothing. */
int vmsnap_repeat_capture(struct vmsnap_repeat *repeat, const struct vmsnap_capture_options *options,
                          const char *if_running, struct vmsnap **out, struct vmsnap_error *err);
/* How many of its snapshots were made without reading all. */
uint64_t vmsnap_repeat_brief(const struct vmsnap_repeat *repeat);
void vmsnap_repeat_free(struct vmsnap_repeat *repeat); /* NULL is fine */

#ifdef __cplusplus
}
#endif
#endif
