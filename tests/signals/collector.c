/* collector THREADS - a program with a garbage collector (Boehm's), which stops its other
 * threads by signals, looks at their stacks, and lets them go by signals.  One that is
 * lost makes it wait for ever, or frees what is in use.
 *
 * Each thread keeps lists of which it knows the sum.  Each line on standard input is
 * answered with "rounds N", the collections so far, and "wrong N". */
#define _GNU_SOURCE
#define GC_THREADS
#include "../targets/target.h"

#include <gc.h>
#include <pthread.h>
#include <stdatomic.h>

#include "thread_start.h" /* behind gc.h, whose threads it makes */

enum { LENGTH = 50 };

struct item {
	struct item *next;
	long number;
};

static atomic_ulong rounds, wrong;

static struct item *make_list(void)
{
	struct item *first = NULL;
	for (long i = 1; i <= LENGTH; i++) {
		struct item *item = GC_MALLOC(sizeof(*item));
		if (!item)
			cannot("allocate");
		*item = (struct item){ first, i };
		first = item;
	}
	return first;
}

static void *work(void *nothing)
{
	for (;;) {
		struct item *list = make_list();
		usleep(1000);
		long sum = 0;
		for (; list; list = list->next)
			sum += list->number;
		wrong += sum != LENGTH * (LENGTH + 1) / 2;
		usleep(1000);
	}
	return nothing;
}

static void *collect(void *nothing)
{
	for (;;) {
		GC_gcollect();
		rounds++;
		usleep(1000);
	}
	return nothing;
}

int main(int argc, char **argv)
{
	int threads = argc > 1 ? atoi(argv[1]) : 10;
	die_with_parent();
	prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY); /* where Yama restricts ptrace */
	GC_INIT();
	while (threads-- > 2)
		thread_start(work, 128);
	thread_start(collect, 128);
	for (;;) {
		next_command();
		say("rounds %lu\nwrong %lu\n", rounds, wrong);
	}
}
