/* tracee.h - what a task that we trace is doing, looked at without taking anything away.
 *
 * A ptrace stop is told to whoever of our process waits, once: wait4(2) and waitid(2) report
 * the stops of tracees to every thread, whatever options are given (WEXITED alone, too), and
 * take them away unless WNOWAIT is among them.  One that is taken away is missed by whom it
 * was meant for.  Worse: with it goes the number of the signal that the task was about to
 * receive, which the kernel delivers when the tracer ends, and does not if somebody has
 * waited (task->exit_code, as tried on Linux 6.18; other kernels were not tried).  So
 * nothing here waits without WNOWAIT, except for the end of a thread; and whoever dies
 * between any two calls has lost nothing of the target's.
 *
 * Which thread asks what:
 *   the one that freezes   PTRACE_SEIZE, PTRACE_INTERRUPT, PTRACE_GETEVENTMSG,
 *                          PTRACE_GETSIGINFO, PTRACE_GET_SYSCALL_INFO, PTRACE_DETACH; tracee_look(), tracee_reap()
 *   the one that polls     tracee_has_ended(), tracee_reap() only: for a freeze whose thread waits in SEIZE
 *   others of the caller   may call waitpid(-1, ...) at any time and then see, and take away,
 *                          what a tracee does: tracee_look_behind() finds such a stop
 *   a watch's              as the one that freezes, and PTRACE_SETOPTIONS, PTRACE_CONT, PTRACE_LISTEN; another reaps as
 *                          long as it seizes (watch_tasks.h)
 *   a debugger's own       PTRACE_GET_SYSCALL_INFO, PTRACE_GETEVENTMSG of what it holds, which take nothing (repeat.c)
 *   the helper             a process of its own, whose only children are its tracees (inject.h); of a debugger's
 *                          tracee its thread takes one stop away, that of a SIGSTOP which it sent itself
 *   whoever started it     waits for the helper, which is no tracee and tells of its end by no signal
 *   the command's own      waits for children of its own; for one that a watch of its traces with WNOWAIT until it
 *                          has ended, and otherwise not before the watch has let go (record_command.h)
 *
 * What becomes of an event that comes meanwhile:
 *   a signal for a task that stands   stays pending, with all that it carries
 *   a signal that a task was about    its stop; PTRACE_DETACH with its number goes on where it
 *   to receive                        was, with the siginfo and the action that it had
 *   SIGSTOP, SIGCONT                  are the kernel's to keep apart (JOBCTL_STOP_DEQUEUED): a
 *                                     group that stood before stands again after PTRACE_DETACH
 *   the end of a thread               told until it is reaped, by either of us
 *   the end of the main thread        its parent's: it is looked at, never taken
 *   execve(2)                         ends the other threads and waits until each was reaped
 *   fork, clone in a tree             the child is ours from birth, its parent says so in its
 *                                     own stop; whoever is not asked goes when we end
 *   our own end                       the kernel lets all go and delivers what was in hand */
#ifndef VMSNAP_TRACEE_H
#define VMSNAP_TRACEE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum tracee_state {
	TRACEE_RUNS,
	TRACEE_STOPPED,
	TRACEE_ENDED, /* a zombie, or not ours (any more) */
};

struct tracee_stop {
	int signal;      /* it is about to receive: to be given back with PTRACE_DETACH; 0: none */
	int event;       /* PTRACE_EVENT_..., 0: none */
	bool group_stop; /* it is stopped by SIGSTOP or its like */
};

/* For any thread of the tracer's process.  *stop is written for TRACEE_STOPPED. */
enum tracee_state tracee_look(pid_t tid, struct tracee_stop *stop);
/* For the tracer: one of its own, or a child, that stands or has ended, and which; TRACEE_RUNS, and *tid 0: there is
 * none. */
enum tracee_state tracee_any(pid_t *tid, struct tracee_stop *stop);
/* For the tracer only: whether it stands in a stop that somebody has waited for already,
 * and which.  The task is one that tracee_look() takes to be running. */
bool tracee_look_behind(pid_t tid, struct tracee_stop *stop);
/* For any thread: whether it has ended, or is not ours (any more). */
bool tracee_has_ended(pid_t tid);
/* For any thread: takes the end of a thread that is not its process's main one.  Whether
 * there is nothing more to come of it. */
bool tracee_reap(pid_t tid);
/* For the tracer, of a task that stands: its stack pointer; 0 if the kernel does not tell (before Linux
 * 5.3). */
uint64_t tracee_stack_pointer(pid_t tid);

#endif
