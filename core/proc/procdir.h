/* procdir.h - one process's directory in /proc, opened once.  Everything is read
 * below its descriptor, so that a recycled PID is never met: after the process is
 * gone, reads fail with ESRCH. */
#ifndef VMSNAP_PROCDIR_H
#define VMSNAP_PROCDIR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "arena.h"
#include "vmsnap.h"

/* Opens /proc/PID of a process that has an address space. */
int procdir_open(pid_t pid, int *out, struct vmsnap_error *err);
/* Of any process or thread. */
int procdir_open_any(pid_t pid, int *out, struct vmsnap_error *err);
/* The main thread may have exited while others live on: then it shows no memory,
 * but the directory of a living thread (task/TID) does.  -1 if there is none. */
int procdir_living_thread(int procdir);
/* Of a directory that was opened by its number: the process that the number is a thread of; 0 if it is
 * a process's own. */
pid_t procdir_process_of_thread(int procdir, pid_t pid);
/* Whether the descriptor lies in a proc file system; a recorded copy does not.
 * Returns 0 or errno, and leaves *live alone if it cannot be told. */
int procdir_is_live(int procdir, bool *live);

/* Whether the numbers in its /proc are those that system calls take here: in another
 * PID namespace they mean other processes.  Also false of a process that has ended: nothing is found from there. */
bool procdir_numbers_are_ours(int procdir);
bool procdir_has_ended(int procdir);
/* Whether it is gone, a zombie, or about to be: then it may not be traced any more, which is EPERM. */
bool procdir_is_ending(pid_t pid);
/* Whether a boot id, "" if unknown, is this machine's since its last boot. */
bool procdir_boot_is_ours(const char *boot_id);

/* A growing buffer; text[len] is NUL once something was read. */
struct proc_text {
	char *text;
	size_t len, room;
};
/* Reads a whole file below the directory, or one already open from its start,
 * in place of what the buffer held.  Returns 0 or errno; EFBIG if it is longer than
 * any honest process makes it: 60,000 mappings can have names of 300 kB each (8 GB of
 * that were read in 47 s, and no end).  A million usual ones are some 0.1 GB. */
enum { PROCDIR_TEXT_MAX = 256 << 20 };
int procdir_read(int procdir, const char *name, struct proc_text *out);
int procdir_read_fd(int fd, struct proc_text *out);
/* The same, with something to do between two system calls. */
int procdir_read_fd_kicking(int fd, struct proc_text *out, void (*kick)(void *ctx), void *ctx);
void proc_text_free(struct proc_text *text);
/* What a short file below the directory holds, without its newline, and where a link leads; empty if that
 * cannot be read.  NULL without memory. */
const char *procdir_word(int procdir, const char *name, struct arena *strings);
const char *procdir_link(int procdir, const char *name, struct arena *strings);
/* The number on a line of status, "\nTgid:"; 0 if there is none.  A newline in the process's name,
 * further up, is escaped there. */
uint64_t proc_text_number(const struct proc_text *status, const char *key);

/* Some of /proc/PID/stat (proc_pid_stat(5)). */
struct proc_stat {
	char state;
	uint32_t ppid;
	bool kernel_thread;
	bool forked;     /* it has executed nothing since it was made, and may have its maker's memory */
	uint64_t faults; /* minor and major */
	uint64_t threads;
	uint64_t start_time;
	uint64_t size;                    /* of its memory, bytes; 0: it has none (any more) */
	uint64_t resident;                /* pages, rough */
	uint64_t start_code, start_stack; /* 0 without permission, as are these: */
	uint64_t arg_start, arg_end, env_start, env_end;
};
static inline uint32_t proc_stat_executed(const struct proc_stat *stat)
{
	return stat->forked ? VMSNAP_EXECUTED_NOTHING : VMSNAP_EXECUTED_PROGRAM;
}
int procdir_stat(int procdir, struct proc_stat *out, struct vmsnap_error *err);
/* procdir_open(), with what it read of it. */
int procdir_open_stat(pid_t pid, int *out, struct proc_stat *stat, struct vmsnap_error *err);
int proc_stat_parse(const char *text, size_t len, struct proc_stat *out);

/* Calls fn for each thread of the process until it returns non-zero, which is
 * returned; -errno if the list cannot be read. */
int procdir_each_task(int procdir, int (*fn)(void *ctx, pid_t tid), void *ctx);
/* The same for each process that /proc shows. */
int procdir_each_process(int (*fn)(void *ctx, pid_t pid), void *ctx);

/* The error for a failed read of a process's file: gone, forbidden, or other. */
int procdir_fail(int saved_errno, pid_t pid, const char *what, struct vmsnap_error *err);

#endif
