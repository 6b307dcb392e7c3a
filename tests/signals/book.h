/* book.h - what was sent and what came, of each kind: memory that all processes of a
 * target share.  Counters only ever go up.
 *
 * Nothing here asks a clock whether a signal is lost.  Behind the last signal of each
 * queue a marker is sent, which the kernel hands over after them: when it comes, what
 * was sent before has come or never will. */
#ifndef SIGNALS_BOOK_H
#define SIGNALS_BOOK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

enum kind {
	QUEUED_THREAD,    /* real-time, with a value, to one thread */
	QUEUED_PROCESS,   /* the same to the process */
	STANDARD_THREAD,  /* each sent when the last has come: the kernel keeps only one */
	STANDARD_PROCESS, /* the same to the process */
	TIMERS,           /* expirations: signals and what they say was left out */
	CHILDREN,         /* that ended, each with its SIGCHLD and its status */
	OWN_FAULTS,       /* SIGSEGV, SIGFPE, SIGTRAP of what a thread did itself */
	ODD,              /* a SIGTRAP whose siginfo looks like a tracer's event */
	KINDS
};

struct book {
	atomic_ulong sent[KINDS], came[KINDS];
	atomic_ulong wrong; /* came twice, in another order, with other contents, to another thread's stack */
	atomic_int said;    /* whether .first was written */
	char first[160];    /* what was wrong first */
	atomic_bool end;    /* nothing new is sent */
	atomic_int busy;    /* parts that are not through yet */
	atomic_int ready;   /* children that have started theirs */
};

extern struct book *book;

void book_open(void);
void book_sent(enum kind kind);
void book_came(enum kind kind);
/* Safe in a signal handler. */
void book_wrong(const char *what, long found, long wanted);
void book_report(void);

#endif
