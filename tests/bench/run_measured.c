/* run_measured FD COMMAND... - runs it and prints, on that descriptor, its exit status,
 * the seconds it took and the most memory it had, in KiB.
 *
 * A small C program, because Linux counts to a process also the memory of the one
 * that started it, until it executes: an interpreter would hide the command. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now(void)
{
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

int main(int argc, char **argv)
{
	if (argc < 3)
		return 2;
	int out = atoi(argv[1]);
	fcntl(out, F_SETFD, FD_CLOEXEC);
	double begun = now();
	pid_t child = vfork();
	if (!child) {
		execvp(argv[2], argv + 2);
		_exit(127);
	}
	int status;
	struct rusage usage;
	if (child < 0 || wait4(child, &status, 0, &usage) != child)
		return 1;
	double took = now() - begun;
	dprintf(out, "%d %.7f %ld\n", WIFEXITED(status) ? WEXITSTATUS(status) : 128, took, usage.ru_maxrss);
	return 0;
}
