/* events - what tracers disturb: signals with numbers, threads that come and go, forks, programs that are executed.
 *
 * Until it is told to end: then "signals SENT GOT forks FORKS wrong WRONG", and whether each child ended as it should.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdatomic.h>

#include "target.h"

enum { SPAWNERS = 3, SENDERS = 2, PAGES = 256, RESULT = 42 };

static atomic_long got, sent;
static atomic_bool stop;
static char *memory;

static void take(int number, siginfo_t *info, void *context)
{
	(void)number;
	(void)info;
	(void)context;
	atomic_fetch_add(&got, 1);
}

static void *live_briefly(void *argument)
{
	return argument;
}

static void *spawn(void *argument)
{
	while (!stop) {
		pthread_t thread;
		if (!pthread_create(&thread, NULL, live_briefly, NULL))
			pthread_join(thread, NULL);
		usleep(500);
	}
	return argument;
}

/* Each is queued by itself. */
static void *send_signals(void *argument)
{
	const union sigval value = { .sival_int = 0 };
	while (!stop) {
		if (!sigqueue(getpid(), SIGRTMIN + 1, value))
			atomic_fetch_add(&sent, 1);
		usleep(300);
	}
	return argument;
}

static bool fork_well(bool executes)
{
	int status;
	pid_t pid = fork(), waited;
	if (!pid) {
		write_pages(memory, 0, PAGES, 1);
		if (executes)
			execl("/bin/sh", "sh", "-c", "exit 42", (char *)NULL);
		_exit(RESULT);
	}
	do
		waited = waitpid(pid, &status, 0);
	while (waited < 0 && errno == EINTR);
	return waited == pid && WIFEXITED(status) && WEXITSTATUS(status) == RESULT;
}

static void *fork_on(void *argument)
{
	long *counts = argument; /* forks, and those that went wrong */
	while (!stop) {
		counts[1] += !fork_well(counts[0] % 8 == 0);
		counts[0]++;
		usleep(3000);
	}
	return argument;
}

int main(void)
{
	struct sigaction action = { .sa_sigaction = take, .sa_flags = SA_SIGINFO | SA_RESTART };
	pthread_t threads[SPAWNERS + SENDERS + 1];
	long counts[2] = { 0 };
	die_with_parent();
	memory = map_apart(PAGES);
	write_pages(memory, 0, PAGES, 1);
	sigaction(SIGRTMIN + 1, &action, NULL);
	for (size_t i = 0; i < SPAWNERS + SENDERS + 1; i++) {
		void *(*run)(void *) = i < SPAWNERS ? spawn : i < SPAWNERS + SENDERS ? send_signals : fork_on;
		if (pthread_create(&threads[i], NULL, run, run == fork_on ? counts : NULL))
			cannot("make a thread");
	}
	next_command();
	stop = true;
	for (size_t i = 0; i < SPAWNERS + SENDERS + 1; i++)
		pthread_join(threads[i], NULL);
	usleep(100000);
	say("signals %ld %ld forks %ld wrong %ld\n", (long)sent, (long)got, counts[0], counts[1]);
	stand_still();
}
