/* A server that forks before it serves: prefork WORKERS MIB WRITTEN [kinds].
 * All have MIB of private memory; worker N of 1 writes to WRITTEN percent of its pages, those whose number p has
 * (p * 2654435761 + N * 40503) / 65536 % 100 < WRITTEN, in 32 bits; and on each line of input to twice as many.
 * kinds: besides, shared memory (anonymous, memfd, System V), of which worker N has N pages, and huge pages. */
#define _GNU_SOURCE
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/shm.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SHARED_PAGES = 64, HUGE_SIZE = 4 << 20 };

struct areas {
	char *memory, *anonymous, *memfd, *sysv, *huge;
};
static struct areas at;
static size_t page, pages;

static void write_some(unsigned worker, unsigned percent)
{
	for (uint32_t i = 0; i < pages; i++)
		if ((i * 2654435761u + worker * 40503u) / 65536 % 100 < percent)
			at.memory[i * page] = (char)(worker + percent);
}

static void use_kinds(unsigned worker)
{
	char *const shared[] = { at.anonymous, at.memfd, at.sysv };
	for (size_t kind = 0; kind < 3; kind++)
		for (unsigned i = 0; i < worker && i < SHARED_PAGES; i++)
			*(volatile char *)(shared[kind] + i * page);
	if (worker == 1)
		at.huge[0] = 2; /* the others keep it whole */
}

static void work(unsigned worker, unsigned percent, int from, int to)
{
	char byte;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (at.huge)
		use_kinds(worker);
	do {
		write_some(worker, percent);
		percent *= 2;
		if (write(to, "r", 1) != 1)
			break;
	} while (read(from, &byte, 1) == 1);
	_exit(0);
}

static void tell_range(const char *name, const char *start, size_t size)
{
	printf("range %s %lx %lx\n", name, (unsigned long)start, (unsigned long)(start + size));
}

/* Returns 0 if it can. */
static int make_kinds(void)
{
	size_t size = SHARED_PAGES * page;
	int fd = memfd_create("prefork", 0), id = shmget(IPC_PRIVATE, size, 0600);
	if (fd < 0 || ftruncate(fd, (off_t)size) || id < 0)
		return -1;
	at.anonymous = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	at.memfd = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	at.sysv = shmat(id, NULL, 0);
	shmctl(id, IPC_RMID, NULL);
	char *huge = mmap(NULL, 2 * HUGE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (at.anonymous == MAP_FAILED || at.memfd == MAP_FAILED || at.sysv == (char *)-1 || huge == MAP_FAILED)
		return -1;
	at.huge = huge + (HUGE_SIZE - (uintptr_t)huge % HUGE_SIZE);
	madvise(at.huge, HUGE_SIZE, MADV_HUGEPAGE);
	memset(at.huge, 1, HUGE_SIZE);
	memset(at.anonymous, 1, size);
	memset(at.memfd, 1, size);
	memset(at.sysv, 1, size);
	tell_range("anonymous", at.anonymous, size);
	tell_range("memfd", at.memfd, size);
	tell_range("sysv", at.sysv, size);
	tell_range("huge", at.huge, HUGE_SIZE);
	return 0;
}

static int make_memory(size_t size)
{
	page = (size_t)sysconf(_SC_PAGESIZE);
	pages = size / page;
	at.memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (at.memory == MAP_FAILED)
		return -1;
	madvise(at.memory, size, MADV_NOHUGEPAGE);
	for (size_t i = 0; i < pages; i++)
		at.memory[i * page] = 1;
	tell_range("memory", at.memory, size);
	return 0;
}

struct worker {
	pid_t pid;
	int go[2];
};

static int fork_workers(struct worker *workers, unsigned count, unsigned percent, int done)
{
	printf("pids %d", (int)getpid());
	fflush(stdout);
	for (unsigned i = 0; i < count; i++) {
		if (pipe(workers[i].go))
			return -1;
		workers[i].pid = fork();
		if (!workers[i].pid) {
			close(workers[i].go[1]);
			work(i + 1, percent, workers[i].go[0], done);
		}
	}
	for (unsigned i = 0; i < count; i++)
		printf(" %d", (int)workers[i].pid);
	printf("\n");
	return 0;
}

/* One turn of all workers, and a line of input. */
static int turn(const struct worker *workers, unsigned count, int done)
{
	char line[16], byte;
	for (unsigned i = 0; i < count; i++)
		if (read(done, &byte, 1) != 1)
			return -1;
	printf("ready\n");
	fflush(stdout);
	if (!fgets(line, sizeof(line), stdin))
		return -1;
	for (unsigned i = 0; i < count; i++)
		if (write(workers[i].go[1], "g", 1) != 1)
			return -1;
	return 0;
}

int main(int argc, char **argv)
{
	unsigned count = argc > 1 ? (unsigned)atoi(argv[1]) : 4, percent = argc > 3 ? (unsigned)atoi(argv[3]) : 25;
	int done[2];
	struct worker *workers = calloc(count, sizeof(*workers));
	if (!workers || pipe(done) || make_memory((size_t)(argc > 2 ? atoi(argv[2]) : 8) << 20))
		return 1;
	if (argc > 4 && make_kinds()) {
		printf("cannot make shared memory of all kinds\n");
		return 1;
	}
	if (fork_workers(workers, count, percent, done[1]))
		return 1;
	while (!turn(workers, count, done[0]))
		;
	for (unsigned i = 0; i < count; i++) {
		kill(workers[i].pid, SIGKILL);
		waitpid(workers[i].pid, NULL, 0);
	}
	free(workers);
	return 0;
}
