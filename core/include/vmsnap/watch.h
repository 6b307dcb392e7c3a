/* watch.h - what processes do, as it happens: they fork, execute another program, end.
 * Included by vmsnap.h, which tells what holds for all of it. */
#ifndef VMSNAP_WATCH_API_H
#define VMSNAP_WATCH_API_H

#include <vmsnap/snapshot.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Processes whose forks, execs and ends are told while they stand in them, so that snapshots can be taken of that very
 * instant: a capture of processes that a watch holds finds them standing, as of a debugger's (VMSNAP_FREEZE_DEBUGGER).
 * The watch is their tracer (PTRACE_SEIZE): nobody else can trace them meanwhile, nor can a capture stop them by
 * itself; vmsnap_watch_stop() does.  All calls are made by one thread, the one that made it; if that ends, even by
 * SIGKILL, the kernel lets all of them run, with the signals that they were about to receive.  No signal is lost, and
 * who was stopped (SIGSTOP) stays so.  Each thread stands for some microseconds at each signal that it receives and for
 * each thread that it makes, and goes on when vmsnap_watch_next() is called.
 *
 * SIGCHLD tells that there may be something to ask for; who blocks it can wait with ppoll(2) or a signalfd(2). */
struct vmsnap_watch;
enum vmsnap_watch_flag {
	VMSNAP_WATCH_FORK = 1, /* not of vfork(2) and its like, whose child has the same memory */
	VMSNAP_WATCH_EXEC = 2,
	VMSNAP_WATCH_EXIT = 4,     /* while the process still has its memory */
	VMSNAP_WATCH_CHILDREN = 8, /* children that come, of all kinds, are watched from birth, too */
};
const char *vmsnap_watch_flag_name(unsigned flag); /* of one bit: "fork" */
int vmsnap_watch_new(unsigned flags, struct vmsnap_watch **out, struct vmsnap_error *err);
/* All threads of a process, which may not be traced already. */
int vmsnap_watch_add(struct vmsnap_watch *watch, pid_t pid, struct vmsnap_error *err);

/* This struct does not grow. */
struct vmsnap_watch_event {
	unsigned kind; /* enum vmsnap_watch_flag: one of the first three */
	pid_t pid;
	pid_t child; /* of a fork; else 0 */
};
/* The next event, without waiting; VMSNAP_END: there is none now.  The process, and the child of a fork, stand with all
 * their threads until vmsnap_watch_go(), before which nothing else may be asked. */
int vmsnap_watch_next(struct vmsnap_watch *watch, struct vmsnap_watch_event *event, struct vmsnap_error *err);
/* All processes stand until vmsnap_watch_go().  Threads that wait in the kernel for more than half a second, and cannot
 * be stopped, run on: then a capture will say that it is not of one instant. */
int vmsnap_watch_stop(struct vmsnap_watch *watch, struct vmsnap_error *err);
void vmsnap_watch_go(struct vmsnap_watch *watch);
/* The processes that are watched, in the order of their coming; at most `room` are written, and all are counted. */
size_t vmsnap_watch_processes(const struct vmsnap_watch *watch, pid_t *pids, size_t room);
/* Lets go of all.  NULL is fine. */
void vmsnap_watch_free(struct vmsnap_watch *watch);

#ifdef __cplusplus
}
#endif
#endif
