/* inject.h - what the injector does to the command's system calls, and to which. */
#ifndef INJECT_H
#define INJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum action {
	ACTION_LIST,  /* nothing: only tells which calls there are */
	ACTION_FAIL,  /* the call is not made and returns an error */
	ACTION_SHORT, /* a read or write of many bytes becomes one of few */
	ACTION_KILL,  /* SIGKILL right before the call */
	ACTION_ASK,   /* says where it stands and waits for an answer */
};

struct plan {
	enum action action;
	int error;
	uint64_t first;     /* the number of the first call that is meant, from 1 */
	bool all_later;     /* and all that follow it */
	const char *only;   /* names of calls, comma-separated; NULL: all that can fail */
};

/* One entry to a system call.  args are the six. */
struct call {
	uint64_t number;
	uint64_t args[6];
};

/* A run of the command under that plan: where it is. */
struct watch {
	struct plan plan;
	int report; /* -1: nobody wants to know */
	bool in_main;
	uint64_t count;
};

enum { INJECT_CANNOT = 77 };

/* Says why, by errno, and exits. */
_Noreturn void cannot(const char *what);
/* Counts and reports the call.  Whether it is now to be spoiled. */
bool watch_call(struct watch *watch, pid_t tid, const struct call *call);
/* Whether it is the first thing that the command's main() does. */
bool call_begins_main(const struct call *call);
/* Runs the command with a filter that asks, and not under ptrace; its exit status. */
int run_by_seccomp(struct watch *watch, char **argv);

/* The number of the index-th call that is known, from 0; false: there are no more. */
bool call_known(size_t index, uint64_t *number);
/* NULL: none of those that can fail and are made the same way each time. */
const char *call_name(uint64_t number);
bool call_is_meant(const struct plan *plan, const struct call *call);
/* "openat /etc/passwd", as far as it can be told. */
void call_describe(pid_t tid, const struct call *call, char *text, size_t size);
/* Which of the arguments is the number of bytes, or -1. */
int call_length_argument(uint64_t number);

#endif
