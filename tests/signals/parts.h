/* parts.h - what the program `signals` does, each part with threads of its own. */
#ifndef SIGNALS_PARTS_H
#define SIGNALS_PARTS_H

#include <signal.h>
#include <stddef.h>

enum { IDLE_STACK = 16 << 10, PART_STACK = 64 << 10 };

/* Of real-time signals each way to receive them has two, see queued.c; then these. */
#define TIMER_TO_PROCESS (SIGRTMIN + 8)
#define TIMER_TO_THREAD  (SIGRTMIN + 9)

/* All signals are blocked in every thread; a part lets in those that are meant for it. */
void let_in(int number);
void handle(int number, void (*handler)(int, siginfo_t *, void *), int flags);
void start(void *(*run)(void *), void *argument, size_t stack);
const char *use_other_stack(void); /* sigaltstack(2): PART_STACK bytes, from where */
/* Of what was sent to ourselves nobody else is the sender. */
void check_sender(const siginfo_t *info, int code);

/* How long each part rests between its rounds.  Among thousands of threads longer: what is sent to the process the
 * kernel offers to one after the other, with interrupts off, and a child takes a copy of all their stacks.  Without a
 * rest that was all that went on, and a capture had no turn. */
struct pace {
	unsigned sending_us, own_us, children_us;
	long to_process_ns, to_thread_ns; /* timers */
};
extern struct pace pace;

/* Each starts its threads and counts itself in book->busy until it is through. */
void start_queued(int receivers, int idle); /* and so many idle threads among them */
void start_timers(void);
void start_children(void);
void start_own(void);

#endif
