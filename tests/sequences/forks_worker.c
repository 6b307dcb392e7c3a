/* forks_worker.c - the processes: each does what it is asked to. */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "forks.h"

const int region_pages[REGIONS] = { 40, 16, 16, 16, PAGES_MAX };
static const uint64_t region_starts[REGIONS] = { UINT64_C(0x210000000000), UINT64_C(0x211000000000),
	                                         UINT64_C(0x212000000000), UINT64_C(0x213000000000),
	                                         UINT64_C(0x214000000000) };
static const uint64_t moved_start = UINT64_C(0x215000000000);

int sockets[PROCESSES][2];
int data_file;

char *address_of(bool moved, int region, int page)
{
	uint64_t start = region == MOVABLE && moved ? moved_start : region_starts[region];
	return (char *)(uintptr_t)(start + (uint64_t)page * PAGE_BYTES);
}

bool map_all(bool huge)
{
	for (int i = 0; i < REGIONS; i++) {
		size_t size = (size_t)region_pages[i] * PAGE_BYTES;
		int flags = MAP_PRIVATE | MAP_FIXED_NOREPLACE | (i == OF_FILE ? 0 : MAP_ANONYMOUS);
		if (i == HUGE_PAGES && !huge)
			continue;
		void *at = mmap((void *)(uintptr_t)region_starts[i], size, PROT_READ | PROT_WRITE, flags,
		                i == OF_FILE ? data_file : -1, 0);
		if (at == MAP_FAILED)
			return false;
		madvise(at, size, i == HUGE_PAGES ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
	}
	return true;
}

static int touch(const struct op *op, bool moved)
{
	for (int i = 0; i < op->count; i++) {
		volatile uint32_t *page = (void *)address_of(moved, op->region, op->at + i);
		if (op->kind == OP_WRITE)
			*page = op->content == 1 ? 1 : op->content + (uint32_t)i;
		else
			(void)*page;
	}
	return 0;
}

static int move(bool *moved)
{
	size_t size = (size_t)region_pages[MOVABLE] * PAGE_BYTES;
	void *from = address_of(*moved, MOVABLE, 0), *to = address_of(!*moved, MOVABLE, 0);
	if (mremap(from, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, to) == MAP_FAILED)
		return errno;
	*moved = !*moved;
	return 0;
}

static struct answer fork_one(const struct op *op, int *self, bool moved)
{
	pid_t before = getpid(), pid = fork();
	if (pid)
		return (struct answer){ pid < 0 ? errno : 0, pid };
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != before)
		_exit(0);
	*self = op->other;
	(void)moved;
	return (struct answer){ 0, getpid() };
}

static struct answer perform(const struct op *op, int *self, bool *moved)
{
	switch (op->kind) {
	case OP_FORK:
		return fork_one(op, self, *moved);
	case OP_MOVE:
		return (struct answer){ move(moved), 0 };
	case OP_ADVISE:
		return (struct answer){ madvise(address_of(*moved, op->region, op->at), (size_t)op->count * PAGE_BYTES,
			                        op->advice)
			                        ? errno
			                        : 0,
			                0 };
	default:
		return (struct answer){ touch(op, *moved), 0 };
	}
}

void serve(int self, bool moved)
{
	/* Not in memory that matters to anybody. */
	struct op op;
	for (;;) {
		ssize_t got = recv(sockets[self][1], &op, sizeof(op), 0);
		if (got < 0 && errno == EINTR)
			continue;
		if (got != sizeof(op))
			_exit(0);
		struct answer answer = perform(&op, &self, &moved);
		if (send(sockets[self][1], &answer, sizeof(answer), MSG_NOSIGNAL) < 0)
			_exit(0);
	}
}
