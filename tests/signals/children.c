/* children.c - children of the target that end, one after the other: each with its own
 * SIGCHLD, which is a standard signal, and with the status that it gave. */
#define _GNU_SOURCE
#include "../targets/target.h"

#include "book.h"
#include "parts.h"

static volatile pid_t told;
static volatile int told_status;

static void on_child(int number, siginfo_t *info, void *context)
{
	(void)number, (void)context;
	if (info->si_code != CLD_EXITED)
		book_wrong("SIGCHLD for something else", info->si_code, CLD_EXITED);
	told_status = info->si_status;
	told = info->si_pid;
}

static void reap(pid_t child, int wanted)
{
	int status = -1;
	pid_t found = waitpid(child, &status, WNOHANG);
	if (found != child)
		book_wrong("SIGCHLD came, but not the child", found, child);
	else if (!WIFEXITED(status) || WEXITSTATUS(status) != wanted)
		book_wrong("a child ended with another status", status, wanted << 8);
	if (told_status != wanted)
		book_wrong("SIGCHLD says another status", told_status, wanted);
}

/* If its SIGCHLD is lost this waits for ever, and the counts say so. */
static void make_child(int status)
{
	sigset_t open;
	sigfillset(&open);
	sigdelset(&open, SIGCHLD);
	told = 0;
	book_sent(CHILDREN);
	pid_t child = fork();
	if (!child)
		_exit(status);
	if (child < 0) {
		book_wrong("fork() failed", errno, 0);
		return;
	}
	while (told != child)
		sigsuspend(&open);
	reap(child, status);
	book_came(CHILDREN);
}

static void *run_children(void *nothing)
{
	for (int status = 1; !book->end; status = status % 200 + 1) {
		make_child(status);
		usleep(pace.children_us);
	}
	book->busy--;
	return nothing;
}

void start_children(void)
{
	handle(SIGCHLD, on_child, SA_NOCLDSTOP);
	book->busy++;
	start(run_children, NULL, PART_STACK);
}
