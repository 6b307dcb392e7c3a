/* threads_limit PID - the least work that the kernel can be asked for to make all threads of a process
 * stand, and to let them go: each is seized, then each interrupted, each waited for, and each let go.
 * What a capture of many threads takes is held against it.
 *
 * Prints SECONDS STOOD THREADS: of all of it, and from the first that was interrupted to the last that
 * was let go.  The process must make no threads meanwhile. */
#define _GNU_SOURCE
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <time.h>

static double now(void)
{
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static pid_t *threads;
static size_t count;

static void list(const char *pid)
{
	char path[64];
	size_t room = 0;
	snprintf(path, sizeof(path), "/proc/%s/task", pid);
	DIR *dir = opendir(path);
	if (!dir) {
		perror(path);
		exit(1);
	}
	for (struct dirent *entry; (entry = readdir(dir));) {
		int tid = atoi(entry->d_name);
		if (tid <= 0)
			continue;
		if (count == room) {
			room = room ? room * 2 : 1024;
			threads = realloc(threads, room * sizeof(*threads));
			if (!threads)
				exit(1);
		}
		threads[count++] = tid;
	}
	closedir(dir);
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: threads_limit PID\n");
		return 2;
	}
	double begun = now();
	list(argv[1]);
	for (size_t i = 0; i < count; i++)
		if (ptrace(PTRACE_SEIZE, threads[i], NULL, NULL)) {
			perror("PTRACE_SEIZE");
			return 1;
		}
	double stood = now();
	for (size_t i = 0; i < count; i++)
		ptrace(PTRACE_INTERRUPT, threads[i], NULL, NULL);
	for (size_t i = 0; i < count; i++)
		waitpid(threads[i], NULL, __WALL);
	for (size_t i = 0; i < count; i++)
		ptrace(PTRACE_DETACH, threads[i], NULL, NULL);
	double done = now();
	printf("%.7f %.7f %zu\n", done - begun, done - stood, count);
	return 0;
}
