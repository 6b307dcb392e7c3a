/* inject_seccomp.c - the injector without ptrace: the kernel asks it about each call.
 *
 * For commands that are built with a sanitizer.  It looks for leaks by stopping every
 * thread with ptrace, and a thread can have one tracer only.  What the sanitizer calls
 * for itself is neither counted nor spoiled: it would end the command, or stop looking.
 * That is told by where the call comes from, as everybody else's go through the C library. */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "inject.h"

enum { FILTER_MAX = 200, PLACES_MAX = 16 };

/* Code that calls come from. */
struct place {
	uint64_t start, end;
	bool c_library;
};

struct supervisor {
	struct watch *watch;
	pid_t leader;
	int listener, ended; /* readable when there is a question, when the leader has ended */
	size_t place_count;
	struct place places[PLACES_MAX];
};

/* ---- the command's side ---- */

/* close() gives the descriptor back even if it fails, brk() has no errors; what is
 * answered for the kernel can be neither. */
static bool can_fail(const struct plan *plan, uint64_t number)
{
	struct call call = { .number = number };
	return call_is_meant(plan, &call) && number != SYS_close && number != SYS_brk;
}

/* Asks about these calls, and about the one that main() begins with. */
static unsigned short make_filter(const struct plan *plan, struct sock_filter *filter)
{
	unsigned short len = 0;
	uint64_t number;
	filter[len++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
	for (size_t i = 0; call_known(i, &number); i++) {
		if (number != SYS_fcntl && !can_fail(plan, number))
			continue;
		if (len + 3 > FILTER_MAX)
			cannot("filter so many calls");
		filter[len++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)number, 0, 1);
		filter[len++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF);
	}
	filter[len++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	return len;
}

union descriptor_message {
	struct cmsghdr header;
	char room[CMSG_SPACE(sizeof(int))];
};

static void send_descriptor(int to, int fd)
{
	union descriptor_message control = { .room = { 0 } };
	char byte = 0;
	struct iovec data = { &byte, 1 };
	struct msghdr message = {
		.msg_iov = &data, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)
	};
	control.header = (struct cmsghdr){ .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS };
	control.header.cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
	if (sendmsg(to, &message, MSG_NOSIGNAL) != 1)
		_exit(INJECT_CANNOT);
}

static _Noreturn void be_command(const struct plan *plan, int to, char **argv)
{
	struct sock_filter filter[FILTER_MAX];
	struct sock_fprog program = { .len = make_filter(plan, filter), .filter = filter };
	/* Who may not administrate the machine must promise this before. */
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		cannot("give up privileges to come");
	int listener = (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &program);
	if (listener < 0)
		cannot("be asked about system calls by seccomp");
	send_descriptor(to, listener);
	execvp(argv[0], argv);
	_exit(INJECT_CANNOT);
}

/* ---- our side ---- */

static int receive_descriptor(int from)
{
	union descriptor_message control;
	char byte;
	int fd;
	struct iovec data = { &byte, 1 };
	struct msghdr message = {
		.msg_iov = &data, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)
	};
	if (recvmsg(from, &message, MSG_CMSG_CLOEXEC) != 1 || !message.msg_controllen)
		return -1;
	memcpy(&fd, CMSG_DATA(&control.header), sizeof(fd));
	return fd;
}

static bool start(struct supervisor *supervisor, char **argv)
{
	int ends[2];
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends))
		cannot("make a socket");
	supervisor->leader = fork();
	if (supervisor->leader < 0)
		cannot("fork");
	if (!supervisor->leader)
		be_command(&supervisor->watch->plan, ends[1], argv);
	close(ends[1]);
	supervisor->ended = (int)syscall(SYS_pidfd_open, supervisor->leader, 0);
	if (supervisor->ended < 0)
		cannot("watch a process");
	supervisor->listener = receive_descriptor(ends[0]);
	close(ends[0]);
	return supervisor->listener >= 0;
}

/* "libc.so.6" and "libc-2.31.so", and the loader, which opens libraries later too. */
static bool is_c_library(const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	return !strncmp(name, "libc.", 5) || !strncmp(name, "libc-", 5) || !strncmp(name, "libpthread", 10) ||
	       !strncmp(name, "ld-", 3) || !strncmp(name, "ld.", 3);
}

static struct place find_place(pid_t tid, uint64_t address)
{
	struct place place = { 0 };
	char path[64], line[512];
	snprintf(path, sizeof(path), "/proc/%d/maps", (int)tid);
	FILE *maps = fopen(path, "re");
	while (maps && fgets(line, sizeof(line), maps)) {
		unsigned long start, end;
		if (sscanf(line, "%lx-%lx", &start, &end) != 2 || address < start || address >= end)
			continue;
		place = (struct place){ .start = start, .end = end, .c_library = is_c_library(line) };
		break;
	}
	if (maps)
		fclose(maps);
	return place;
}

static bool from_c_library(struct supervisor *supervisor, pid_t tid, uint64_t address)
{
	for (size_t i = 0; i < supervisor->place_count; i++) {
		const struct place *place = &supervisor->places[i];
		if (address >= place->start && address < place->end)
			return place->c_library;
	}
	struct place place = find_place(tid, address);
	if (place.end && supervisor->place_count < PLACES_MAX)
		supervisor->places[supervisor->place_count++] = place;
	return place.c_library;
}

/* Whether this call is to fail. */
static bool is_spoiled(struct supervisor *supervisor, const struct seccomp_notif *asked)
{
	struct call call = { .number = (uint64_t)asked->data.nr };
	for (size_t i = 0; i < 6; i++)
		call.args[i] = asked->data.args[i];
	supervisor->watch->in_main |= call_begins_main(&call);
	/* Where code lies is known for good from then on. */
	return supervisor->watch->in_main && can_fail(&supervisor->watch->plan, call.number) &&
	       from_c_library(supervisor, (pid_t)asked->pid, asked->data.instruction_pointer) &&
	       watch_call(supervisor->watch, (pid_t)asked->pid, &call);
}

static void answer(struct supervisor *supervisor)
{
	struct seccomp_notif asked;
	memset(&asked, 0, sizeof(asked));
	if (ioctl(supervisor->listener, SECCOMP_IOCTL_NOTIF_RECV, &asked)) {
		if (errno != ENOENT && errno != EINTR)
			cannot("take a question");
		return;
	}
	struct seccomp_notif_resp answer = { .id = asked.id, .flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE };
	if (is_spoiled(supervisor, &asked)) {
		answer.flags = 0;
		answer.error = -supervisor->watch->plan.error;
	}
	/* ENOENT: it was killed meanwhile. */
	if (ioctl(supervisor->listener, SECCOMP_IOCTL_NOTIF_SEND, &answer) && errno != ENOENT)
		cannot("answer");
}

int run_by_seccomp(struct watch *watch, char **argv)
{
	struct supervisor supervisor = { .watch = watch };
	int status;
	if (watch->plan.action != ACTION_LIST && watch->plan.action != ACTION_FAIL) {
		errno = EINVAL;
		cannot("do that by seccomp");
	}
	bool started = start(&supervisor, argv);
	while (started) {
		struct pollfd ready[] = { { .fd = supervisor.listener, .events = POLLIN },
			                  { .fd = supervisor.ended, .events = POLLIN } };
		if (poll(ready, 2, -1) < 0 && errno != EINTR)
			cannot("wait");
		if (ready[0].revents & POLLIN)
			answer(&supervisor);
		else if (ready[1].revents)
			break;
	}
	if (waitpid(supervisor.leader, &status, 0) != supervisor.leader)
		cannot("wait");
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
