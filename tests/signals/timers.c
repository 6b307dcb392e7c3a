/* timers.c - two timers that go off without end, and every expiration is accounted for:
 * a signal for one, or for several of which it says how many (timer_getoverrun(2)).
 *
 * The n-th one is due at begin + n * interval.  When a handler runs, as many have come
 * as were due when the kernel took its signal out of the queue, which is a moment ago.
 * Mostly no other one fell due in between: then the numbers are equal, at one signal out
 * of a few.  If one was lost they never are again. */
#define _GNU_SOURCE
#include "../targets/target.h"

#include <limits.h>
#include <time.h>

#include "book.h"
#include "parts.h"

struct ticks {
	int number;              /* of the signal */
	int64_t interval, begin; /* ns */
	int64_t came;
	int64_t missing; /* the least that a look has found since the end began */
};

enum { LOOKS = 2000 };
static struct ticks ticks[2];

static int64_t now_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

static void on_tick(int number, siginfo_t *info, void *context)
{
	struct ticks *of = &ticks[number == TIMER_TO_THREAD];
	(void)context;
	if (info->si_code != SI_TIMER || info->si_value.sival_ptr != of)
		book_wrong("a timer's signal is not a timer's", info->si_code, SI_TIMER);
	of->came += 1 + info->si_overrun;
	int64_t missing = (now_ns() - of->begin) / of->interval - of->came;
	if (missing < 0)
		book_wrong("a timer went off too often", (long)-missing, 0);
	if (missing < of->missing)
		of->missing = missing;
}

static timer_t set_timer(struct ticks *of, int notify, int number, int64_t interval)
{
	struct sigevent event = { .sigev_notify = notify, .sigev_signo = number, .sigev_value.sival_ptr = of };
	timer_t timer;
	event._sigev_un._tid = gettid();
	*of = (struct ticks){ .number = number, .interval = interval, .begin = now_ns() };
	int64_t first = of->begin + interval;
	struct itimerspec when = { .it_interval = { .tv_nsec = interval },
		                   .it_value = { first / 1000000000, first % 1000000000 } };
	if (timer_create(CLOCK_MONOTONIC, &event, &timer) || timer_settime(timer, TIMER_ABSTIME, &when, NULL))
		cannot("make a timer");
	return timer;
}

static void settle(struct ticks *of)
{
	sigset_t open;
	sigfillset(&open);
	sigdelset(&open, of->number);
	of->missing = INT64_MAX;
	for (int look = 0; look < LOOKS && of->missing; look++)
		sigsuspend(&open);
	atomic_fetch_add(&book->sent[TIMERS], (unsigned long)(of->came + of->missing));
	atomic_fetch_add(&book->came[TIMERS], (unsigned long)of->came);
}

static void *run_timers(void *nothing)
{
	sigset_t open;
	sigfillset(&open);
	sigdelset(&open, TIMER_TO_PROCESS);
	sigdelset(&open, TIMER_TO_THREAD);
	timer_t timers[] = { set_timer(&ticks[0], SIGEV_SIGNAL, TIMER_TO_PROCESS, pace.to_process_ns),
		             set_timer(&ticks[1], SIGEV_THREAD_ID, TIMER_TO_THREAD, pace.to_thread_ns) };
	while (!book->end)
		sigsuspend(&open);
	for (int i = 0; i < 2; i++)
		settle(&ticks[i]);
	for (int i = 0; i < 2; i++)
		timer_delete(timers[i]);
	book->busy--;
	return nothing;
}

void start_timers(void)
{
	handle(TIMER_TO_PROCESS, on_tick, 0);
	handle(TIMER_TO_THREAD, on_tick, 0);
	book->busy++;
	start(run_timers, NULL, PART_STACK);
}
