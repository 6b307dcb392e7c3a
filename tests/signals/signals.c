/* signals THREADS [CHILDREN] - counts its signals: how many were sent, how many came, and
 * whether each came with its contents, once, in order and where it was meant to.
 * CHILDREN are processes that do the same with a few threads.
 *
 * Each line on standard input makes it end all that and say "count KIND SENT CAME" for each
 * kind, "wrong …" if something was, and "lost N". */
#define _GNU_SOURCE
#include "../targets/target.h"

#include <pthread.h>

#include "book.h"
#include "parts.h"

struct pace pace = { 300, 100, 2000, 3000000, 2000000 };
static const struct pace many_threads = { 50000, 2000, 500000, 30000000, 20000000 };
static const struct pace beside_many = { 20000, 2000, 20000, 30000000, 20000000 }; /* in a tree with such */

enum { OTHERS = 6, RECEIVERS_MIN = 8, RECEIVERS_MAX = 200 };

void let_in(int number)
{
	sigset_t one;
	sigemptyset(&one);
	sigaddset(&one, number);
	pthread_sigmask(SIG_UNBLOCK, &one, NULL);
}

void handle(int number, void (*handler)(int, siginfo_t *, void *), int flags)
{
	struct sigaction action = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO | flags };
	sigfillset(&action.sa_mask);
	if (sigaction(number, &action, NULL))
		cannot("handle a signal");
}

void start(void *(*run)(void *), void *argument, size_t stack)
{
	pthread_t thread;
	pthread_attr_t attr;
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attr, stack);
	errno = pthread_create(&thread, &attr, run, argument);
	if (errno)
		cannot("make so many threads");
	pthread_attr_destroy(&attr);
}

const char *use_other_stack(void)
{
	stack_t stack = { .ss_sp = map_private(PART_STACK), .ss_size = PART_STACK };
	if (sigaltstack(&stack, NULL))
		cannot("use another stack");
	return stack.ss_sp;
}

void check_sender(const siginfo_t *info, int code)
{
	if (info->si_code != code)
		book_wrong("a signal came with another code", info->si_code, code);
	if (info->si_pid != getpid())
		book_wrong("a signal came from another process", info->si_pid, getpid());
}

static void do_all(int threads)
{
	int receivers = threads / 4;
	receivers = receivers < RECEIVERS_MIN ? RECEIVERS_MIN : receivers > RECEIVERS_MAX ? RECEIVERS_MAX : receivers;
	int idle = threads - receivers - OTHERS;
	start_queued(receivers, idle > 0 ? idle : 0);
	start_timers();
	start_own();
	start_children();
}

/* Those of a tree, with a pace of their own; they end with their parent. */
static void make_children(int count, const struct pace *beside)
{
	atomic_fetch_add(&book->busy, count); /* until each has its parts */
	for (int i = 0; i < count; i++) {
		pid_t child = fork();
		if (child < 0)
			cannot("fork");
		if (child)
			continue;
		die_with_parent();
		pace = *beside;
		do_all(RECEIVERS_MIN + OTHERS);
		atomic_fetch_add(&book->ready, 1);
		book->busy--;
		for (;;)
			pause();
	}
	while (book->ready < count)
		usleep(1000);
}

/* Parts end when their markers have come.  Without them they never do, and the test has
 * to be told some time: a minute without a single one of them getting on. */
static void finish(void)
{
	enum { SECONDS = 60 };
	book->end = true;
	for (int waited = 0, before = -1; book->busy && waited < SECONDS * 100; waited++) {
		if (book->busy != before)
			waited = 0;
		before = book->busy;
		usleep(10000);
	}
	book_report();
}

int main(int argc, char **argv)
{
	int threads = argc > 1 ? atoi(argv[1]) : 10, children = argc > 2 ? atoi(argv[2]) : 0;
	sigset_t all;
	die_with_parent();
	prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY); /* where Yama restricts ptrace */
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	book_open();
	make_children(children, threads > 1000 ? &beside_many : &pace);
	if (threads > 1000)
		pace = many_threads;
	do_all(threads);
	for (;;) {
		next_command();
		finish();
	}
}
