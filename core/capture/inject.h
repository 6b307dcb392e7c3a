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
 * x86-64 and arm64.  Allocates nothing, so that it may be called in a child of a process with threads. */
#ifndef VMSNAP_INJECT_H
#define VMSNAP_INJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct inject {
	pid_t pid;
	int procdir;
	uint64_t instruction; /* where a system call is made in it */
	bool suspend_seccomp; /* it has a filter; the caller may suspend it */
	/* Its threads as far as they are ours: room for them is given. */
	pid_t *tids;
	size_t count, room;
	pid_t trouble; /* of a thread that did not stop */
	uint64_t saved_mask;
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
};

/* Whether there is code for this machine at all. */
bool inject_possible(void);
/* Where a system call instruction is in some code; false: nowhere. */
bool inject_find(const unsigned char *code, size_t len, size_t *at);

/* Stops all of it, and puts the main thread where calls can be made. */
int inject_begin(struct inject *inject);
/* *result: what the call gave, -errno as the kernel has it. */
int inject_call(struct inject *inject, long number, const uint64_t arguments[6], long *result);
/* Lets all of it go, as it was. */
void inject_end(struct inject *inject);

#endif
