/* inject.h - a system call that another process makes for us: in its file table, for its memory.
 *
 * Its threads are stopped, and the main one is sent to a system call instruction that is there already, in its
 * vdso: no byte of it is changed.  For who holds it only: a process of its own that nothing ends (uffd_helper.h), for
 * if its tracer dies while the main thread's registers are ours, the kernel lets it run with them.
 *
 *   - Two stops, at the entry and at the exit of the call (PTRACE_SYSCALL), and never single steps: a pending
 *     trap would kill it if its tracer died.
 *   - Its signals are blocked meanwhile, and stay pending, with all that they carry.
 *   - Its registers are put back in a stop as of PTRACE_INTERRUPT, from which the kernel restarts the call that
 *     it was in before, as it always does.
 *   - All its threads stand: one that made a child meanwhile would give it what only we shall have.
 *
 * A debugger's own process is held by the debugger already, and by its thread that calls.  There a thread serves
 * that stands where it was about to receive a signal, which a breakpoint is, too; after the call it stands so again,
 * with the signal that it had, and the debugger does not notice.  For what PTRACE_INTERRUPT is for who seizes, there
 * is a SIGSTOP, as debuggers do it.
 *
 * x86-64 and arm64.  Allocates nothing, so that it may be called in a child of a process with threads. */
#ifndef VMSNAP_INJECT_H
#define VMSNAP_INJECT_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct inject {
	pid_t pid;
	pid_t thread; /* that makes the calls: the main one, or one that suits the debugger */
	int procdir;
	bool held;            /* by the caller, who debugs it */
	bool owed;            /* somebody sent it a SIGSTOP meanwhile */
	uint64_t instruction; /* where a system call is made in it */
	bool suspend_seccomp; /* it has a filter; the caller may suspend it */
	/* Its threads as far as they are ours: room for them is given. */
	pid_t *tids;
	size_t count, room;
	pid_t trouble; /* of a thread that did not stop */
	uint64_t saved_mask;
	siginfo_t signal; /* held: what it was about to receive */
};

enum inject_result {
	INJECT_OK,
	INJECT_SYSTEM, /* errno */
	INJECT_BUSY,   /* a thread did not stop in time */
	INJECT_OTHER,  /* not a process of our kind: of 32 bits, say */
	INJECT_GONE,
	INJECT_STANDS, /* somebody stopped it (SIGSTOP), and to make it run is not our business */
	INJECT_SECCOMP,
	INJECT_EXECED, /* another program is there, with nothing where .instruction was */
	INJECT_EVENT, /* held: each thread stands at an event (fork, exec, a system call), and none at a signal */
};

/* Whether there is code for this machine at all. */
bool inject_possible(void);
/* Where a system call instruction is in some code; false: nowhere. */
bool inject_find(const unsigned char *code, size_t len, size_t *at);

/* Stops all of it, and puts the main thread where calls can be made. */
int inject_begin(struct inject *inject);
/* The same of one that the calling thread debugs, and of which all threads stand. */
int inject_begin_held(struct inject *inject);
/* *result: what the call gave, -errno as the kernel has it. */
int inject_call(struct inject *inject, long number, const uint64_t arguments[6], long *result);
/* Lets all of it go, as it was. */
void inject_end(struct inject *inject);

#endif
