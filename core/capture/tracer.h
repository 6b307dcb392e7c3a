/* tracer.h - who traces a process, and whether it stands because of that. */
#ifndef VMSNAP_TRACER_H
#define VMSNAP_TRACER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Captures name the thread that traces so, for other captures to know it. */
#define TRACER_THREAD_NAME "vmsnap-capture"

enum tracer_kind {
	TRACER_GONE,    /* or there is none */
	TRACER_CAPTURE, /* another capture */
	TRACER_OTHER,
};
enum tracer_kind tracer_kind(pid_t tracer);

/* TracerPid of a status file below the directory; 0: none, or not readable. */
pid_t tracer_of(int procdir, const char *status_name);
/* The letter in the stat file of one of its threads; X if it is gone, ? if not readable. */
char tracer_task_state(int procdir, pid_t tid);
/* Whether every thread that has not exited is in a tracing stop. */
bool tracer_all_stopped(int procdir);
/* Whether every one either is, or waits in the kernel where nothing wakes it up but what it waits
 * for (the parent of a vfork). */
bool tracer_none_runs(int procdir);

/* Whether the calling process traces another: it is a debugger, and we are its
 * library.  Such threads cannot be stopped by us, and must not be: which of them run
 * is the debugger's matter. */
enum tracer_hold {
	TRACER_HOLD_NO,   /* some thread is not traced by us */
	TRACER_HOLD_RUNS, /* all are ours, and some run */
	TRACER_HOLD_ALL,  /* all are ours and stand */
};
/* A larger target takes long, for which threads of our own are better, and who waits may want to cancel. */
#define TRACER_HELD_BYTES_MAX (UINT64_C(1) << 30)
struct tracer_ours {
	enum tracer_hold hold;
	bool calling_thread; /* is the tracer: without it nothing can go on */
	uint64_t size;       /* VmSize, bytes */
};
void tracer_ours(int procdir, struct tracer_ours *out);

#endif
