/* worker.c - the process that does what was planned, and its child. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sequences.h"

uintptr_t arena_start;
size_t page_bytes;

struct batch {
	int count;
	struct op ops[OPS_MAX];
};
struct answer {
	int failed; /* index of the operation, or -1 */
	pid_t child;
};

static struct {
	int files[FILES];
	int socket, child_socket;
	pid_t child;
	struct batch batch; /* not on the stack, which would copy pages that matter to nobody */
} self;

static char *address(int page)
{
	return (char *)(arena_start + (size_t)page * page_bytes);
}

static size_t bytes(int pages)
{
	return (size_t)pages * page_bytes;
}

static int prot(uint8_t perms)
{
	return (perms & MAY_READ ? PROT_READ : 0) | (perms & MAY_WRITE ? PROT_WRITE : 0);
}

static bool do_map(const struct op *op)
{
	bool anonymous = op->memory == PRIVATE_ANON || op->memory == SHARED_ANON;
	bool shared = op->memory == SHARED_ANON || op->memory == SHARED_FILE;
	int flags = (anonymous ? MAP_ANONYMOUS : 0) | (shared ? MAP_SHARED : MAP_PRIVATE) | MAP_FIXED;
	int fd = anonymous ? -1 : self.files[op->file];
	off_t offset = anonymous ? 0 : (off_t)bytes(op->index);
	return mmap(address(op->at), bytes(op->count), prot(op->perms), flags, fd, offset) != MAP_FAILED;
}

static bool do_touch(const struct op *op)
{
	for (int i = 0; i < op->count; i += op->step) {
		int last = (op->count - 1) / op->step * op->step;
		volatile char *page = address(op->at + (op->down ? last - i : i));
		if (op->kind == OP_WRITE)
			*page = (char)(*page + 1);
		else
			(void)*page;
	}
	return true;
}

/* The child goes on with the other socket. */
static bool do_fork(void)
{
	pid_t before = getpid(), pid = fork();
	if (pid)
		self.child = pid;
	if (pid)
		return pid > 0;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != before)
		_exit(0);
	self.socket = self.child_socket;
	self.batch.count = 0;
	return true;
}

static bool do_reap(void)
{
	if (self.child <= 0)
		return true;
	kill(self.child, SIGKILL);
	waitpid(self.child, NULL, 0);
	self.child = 0;
	return true;
}

static bool perform(const struct op *op)
{
	switch (op->kind) {
	case OP_MAP:
		return do_map(op);
	case OP_UNMAP:
	case OP_CLEAR:
		return !munmap(address(op->at), bytes(op->count));
	case OP_MOVE:
		return mremap(address(op->at), bytes(op->count), bytes(op->size), MREMAP_MAYMOVE | MREMAP_FIXED,
		              address(op->to)) != MAP_FAILED;
	case OP_PROTECT:
		return !mprotect(address(op->at), bytes(op->count), prot(op->perms));
	case OP_DROP:
		return !madvise(address(op->at), bytes(op->count), MADV_DONTNEED);
	case OP_FORK:
		return do_fork();
	case OP_REAP:
		return do_reap();
	default:
		return do_touch(op);
	}
}

static _Noreturn void work(void)
{
	for (;;) {
		ssize_t got = recv(self.socket, &self.batch, sizeof(self.batch), 0);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			_exit(0);
		struct answer answer = { -1, 0 };
		int here = self.socket;
		for (int i = 0; i < self.batch.count && answer.failed < 0; i++)
			if (!perform(&self.batch.ops[i]))
				answer.failed = i;
		answer.child = self.child;
		if (self.socket == here && send(here, &answer, sizeof(answer), MSG_NOSIGNAL) < 0)
			_exit(0);
	}
}

static int file_make(bool in_memory)
{
	char name[] = "/tmp/vmsnap-sequences-XXXXXX";
	int fd = in_memory ? memfd_create("sequences", MFD_CLOEXEC) : mkostemp(name, O_CLOEXEC);
	if (fd < 0 || (!in_memory && unlink(name)))
		return -1;
	for (size_t at = 0; at < bytes(FILE_PAGES); at += page_bytes)
		if (pwrite(fd, "some bytes", 10, (off_t)(at + page_bytes - 10)) != 10)
			return -1;
	return fd;
}

/* Where nothing is, nor will be: far from all that the kernel chooses itself. */
static uintptr_t arena_find(void)
{
	static const uint64_t places[] = { UINT64_C(0x200000000000), UINT64_C(0x2000000000), 0x50000000 };
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		void *wanted = (void *)(uintptr_t)places[i];
		if (places[i] > UINTPTR_MAX)
			continue;
		void *got =
		        mmap(wanted, bytes(ARENA), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
		if (got != MAP_FAILED)
			munmap(got, bytes(ARENA));
		if (got == wanted)
			return (uintptr_t)got;
	}
	return 0;
}

static bool prepare(int sockets[2][2])
{
	page_bytes = (size_t)sysconf(_SC_PAGESIZE);
	arena_start = arena_start ? arena_start : arena_find();
	for (int i = 0; i < FILES; i++)
		if (self.files[i] <= 0)
			self.files[i] = file_make(i & 1);
	for (int i = 0; i < 2; i++)
		if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets[i]))
			return false;
	return arena_start && self.files[0] > 0 && self.files[1] > 0;
}

bool worker_start(struct worker *worker)
{
	int sockets[2][2];
	*worker = (struct worker){ 0 };
	if (!prepare(sockets))
		return false;
	pid_t driver = getpid();
	worker->pid = fork();
	if (!worker->pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		/* Huge pages are put together and taken apart when the kernel likes. */
		prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
		if (getppid() != driver)
			_exit(0);
		close(sockets[0][0]);
		close(sockets[1][0]);
		self.socket = sockets[0][1];
		self.child_socket = sockets[1][1];
		work();
	}
	for (int i = 0; i < 2; i++) {
		close(sockets[i][1]);
		worker->to[i] = sockets[i][0];
	}
	return worker->pid > 0;
}

void worker_end(struct worker *worker)
{
	if (worker->pid <= 0)
		return;
	/* The child goes with its parent: PDEATHSIG. */
	kill(worker->pid, SIGKILL);
	waitpid(worker->pid, NULL, 0);
	close(worker->to[0]);
	close(worker->to[1]);
	worker->pid = 0;
}

bool worker_do(struct worker *worker, int side, const struct op *ops, int count, int *failed)
{
	static struct batch batch;
	struct answer answer;
	*failed = -1;
	if (!count)
		return true;
	batch.count = count;
	memcpy(batch.ops, ops, (size_t)count * sizeof(ops[0]));
	if (send(worker->to[side], &batch, sizeof(batch), MSG_NOSIGNAL) != (ssize_t)sizeof(batch))
		return false;
	ssize_t got;
	while ((got = recv(worker->to[side], &answer, sizeof(answer), 0)) < 0 && errno == EINTR)
		;
	if (got != (ssize_t)sizeof(answer))
		return false;
	*failed = answer.failed;
	if (!side)
		worker->child = answer.child;
	return answer.failed < 0;
}
