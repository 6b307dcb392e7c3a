/* gdb_signals ROUNDS FORKS [vfork] - counts its signals while somebody debugs it.
 *
 * Each round sends queued signals, with numbers, to a thread and to the process, and a
 * standard one if the last has come, then calls step().  FORKS children, among the rounds,
 * end with a status of their own each, and each must be told by a SIGCHLD.  What was sent
 * before the last queued signal has come when that one has; then finished() is called, and
 * `missing` and `wrong` tell what went wrong.  Exit status 0 if nothing did. */
#define _GNU_SOURCE
#include "target.h"

#include <pthread.h>
#include <stdatomic.h>

enum { ON_THEIR_WAY = 16, QUEUES = 2 };

struct queue {
	int number;
	atomic_int sent, came;
};

static struct queue queues[QUEUES];
static atomic_int standard_sent, standard_came, children_sent, children_came;
static _Atomic pid_t receiver;
static volatile pid_t told;
static volatile int told_status;
volatile int missing, wrong;

__attribute__((noinline)) void step(int round)
{
	__asm__ volatile("" : : "r"(round));
}
__attribute__((noinline)) void finished(void)
{
	__asm__ volatile("");
}

static void on_queued(int number, siginfo_t *info, void *context)
{
	struct queue *queue = &queues[number == queues[1].number];
	(void)context;
	wrong += info->si_code != SI_QUEUE || info->si_pid != getpid();
	/* A number that is left out is one that is lost. */
	wrong += info->si_value.sival_int <= queue->came;
	missing += info->si_value.sival_int - queue->came - 1;
	queue->came = info->si_value.sival_int;
}

static void on_standard(int number)
{
	(void)number;
	standard_came++;
}

static void on_child(int number, siginfo_t *info, void *context)
{
	(void)number, (void)context;
	wrong += info->si_code != CLD_EXITED;
	told_status = info->si_status;
	told = info->si_pid;
}

static void *receive(void *nothing)
{
	sigset_t mine;
	sigemptyset(&mine);
	sigaddset(&mine, SIGCHLD);
	receiver = gettid();
	for (;;)
		sigsuspend(&mine);
	return nothing;
}

static void send_queued(struct queue *queue)
{
	union sigval value = { .sival_int = ++queue->sent };
	siginfo_t info = { .si_code = SI_QUEUE };
	info.si_pid = getpid();
	info.si_value = value;
	while (queue == queues ? (int)syscall(SYS_rt_tgsigqueueinfo, getpid(), receiver, queue->number, &info)
	                       : sigqueue(getpid(), queue->number, value))
		usleep(1000);
}

static void send_all(void)
{
	if (standard_sent == standard_came) {
		standard_sent++;
		tgkill(getpid(), receiver, SIGUSR1);
	}
	for (int i = 0; i < QUEUES; i++)
		if (queues[i].sent - queues[i].came < ON_THEIR_WAY)
			send_queued(&queues[i]);
}

static void make_child(int status, int virtually)
{
	sigset_t open;
	int found = -1;
	sigfillset(&open);
	sigdelset(&open, SIGCHLD);
	told = 0;
	children_sent++;
	pid_t child = virtually ? vfork() : fork();
	if (!child)
		_exit(status);
	while (told != child)
		sigsuspend(&open);
	if (waitpid(child, &found, WNOHANG) != child || found != status << 8 || told_status != status)
		wrong++;
	children_came++;
}

static void settle(void)
{
	for (int i = 0; i < QUEUES; i++)
		send_queued(&queues[i]);
	for (int i = 0; i < QUEUES; i++)
		while (queues[i].came != queues[i].sent)
			usleep(1000);
	missing += standard_sent - standard_came + children_sent - children_came;
}

static void prepare(void)
{
	struct sigaction action = { .sa_flags = (int)(SA_RESTART | SA_SIGINFO), .sa_sigaction = on_queued };
	pthread_t thread;
	sigset_t all;
	sigfillset(&all);
	sigfillset(&action.sa_mask);
	sigdelset(&all, SIGINT);
	sigdelset(&all, SIGTRAP); /* the debugger's own */
	sigprocmask(SIG_SETMASK, &all, NULL);
	for (int i = 0; i < QUEUES; i++) {
		queues[i].number = SIGRTMIN + i;
		sigaction(queues[i].number, &action, NULL);
	}
	/* A child that is held where it was born stops.  Who wants to know that, too, may be told
	 * of both by one signal. */
	action.sa_flags |= SA_NOCLDSTOP;
	action.sa_sigaction = on_child;
	sigaction(SIGCHLD, &action, NULL);
	action.sa_flags = SA_RESTART;
	action.sa_handler = on_standard;
	sigaction(SIGUSR1, &action, NULL);
	if (pthread_create(&thread, NULL, receive, NULL))
		cannot("make a thread");
	while (!receiver)
		usleep(1000);
}

int main(int argc, char **argv)
{
	int rounds = argc > 1 ? atoi(argv[1]) : 100, forks = argc > 2 ? atoi(argv[2]) : 0;
	alarm(600);
	prepare();
	for (int round = 0; round < rounds; round++) {
		send_all();
		step(round);
		if (forks && round % (rounds / forks) == 0)
			make_child(round / (rounds / forks) + 1, argc > 3);
		usleep(500);
	}
	settle();
	finished();
	return missing || wrong;
}
