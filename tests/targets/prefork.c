/* A server that forks before it serves: prefork WORKERS MIB WRITTEN [PIECE].  Each worker writes to WRITTEN percent of
 * the memory, in pieces of PIECE pages (1) here and there, and each to others.  Prints "ready MASTER PID..." and the
 * address of the memory; on each line of standard input all workers write to twice as much; ends with its input. */
#define _GNU_SOURCE
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static char *memory;
static size_t page, pages, piece;

/* Every piece whose number, multiplied by something odd, falls into the worker's share. */
static void write_some(unsigned worker, unsigned percent)
{
	for (size_t at = 0; at < pages; at += piece) {
		uint64_t hash = (at / piece + 1) * UINT64_C(0x9e3779b97f4a7c15) + worker * UINT64_C(0xbf58476d1ce4e5b9);
		hash ^= hash >> 29;
		if (hash % 100 >= percent)
			continue;
		for (size_t i = at; i < at + piece && i < pages; i++)
			memory[i * page] = (char)(worker + percent);
	}
}

static void work(unsigned worker, unsigned percent, int from, int to)
{
	char byte;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	do {
		write_some(worker, percent);
		percent *= 2;
		if (write(to, "r", 1) != 1)
			break;
	} while (read(from, &byte, 1) == 1);
	_exit(0);
}

int main(int argc, char **argv)
{
	unsigned workers = argc > 1 ? (unsigned)atoi(argv[1]) : 4, percent = argc > 3 ? (unsigned)atoi(argv[3]) : 25;
	size_t size = (size_t)(argc > 2 ? atoi(argv[2]) : 8) << 20;
	int go[2], done[2];
	char line[16], byte;
	page = (size_t)sysconf(_SC_PAGESIZE);
	pages = size / page;
	piece = argc > 4 ? (size_t)atoi(argv[4]) : 1;
	memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED || pipe(go) || pipe(done))
		return 1;
	madvise(memory, size, MADV_NOHUGEPAGE);
	for (size_t i = 0; i < pages; i++)
		memory[i * page] = 1;
	pid_t *pids = calloc(workers, sizeof(*pids));
	for (unsigned i = 0; i < workers; i++) {
		pids[i] = fork();
		if (!pids[i]) {
			close(go[1]);
			work(i, percent, go[0], done[1]);
		}
	}
	do {
		for (unsigned i = 0; i < workers; i++)
			if (read(done[0], &byte, 1) != 1)
				return 1;
		printf("ready %d", (int)getpid());
		for (unsigned i = 0; i < workers; i++)
			printf(" %d", (int)pids[i]);
		printf(" %p\n", (void *)memory);
		fflush(stdout);
		if (!fgets(line, sizeof(line), stdin))
			break;
		for (unsigned i = 0; i < workers; i++)
			if (write(go[1], "g", 1) != 1)
				return 1;
	} while (1);
	for (unsigned i = 0; i < workers; i++) {
		kill(pids[i], SIGKILL);
		waitpid(pids[i], NULL, 0);
	}
	free(pids);
	return 0;
}
