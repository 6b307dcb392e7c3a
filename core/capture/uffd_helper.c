#define _GNU_SOURCE
#include "uffd_helper.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "error.h"
#include "inject.h"
#include "procdir.h"
#include "raw_syscall.h"
#include "scan.h"
#include "tracer.h"

/* Older headers lack them. */
#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif
#ifndef SYS_pidfd_getfd
#define SYS_pidfd_getfd 438
#endif
#ifndef UFFD_USER_MODE_ONLY
#define UFFD_USER_MODE_ONLY 1
#endif

/* ---- before: what would not go well -------------------------------------------------- */

/* The kernel maps one vdso into all programs of a kind, so it is looked for in ours: of the process's own a page may be
 * absent.  Before it is used it is looked at there (inject.c). */
static bool find_in_vdso(size_t size, size_t *at)
{
	CLEANUP_CLOSE int memory = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
	CLEANUP_FREE unsigned char *code = malloc(size);
	unsigned long ours = getauxval(AT_SYSINFO_EHDR);
	ssize_t got = code && memory >= 0 && ours ? pread(memory, code, size, (off_t)ours) : 0;
	return got > 0 && inject_find(code, (size_t)got, at);
}

static int find_instruction(int procdir, pid_t pid, uint64_t *instruction, struct vmsnap_error *err)
{
	enum { VDSO_MOST = 1 << 20 };
	struct proc_text maps = { 0 };
	int error = procdir_read(procdir, "maps", &maps);
	if (error)
		return procdir_fail(error, pid, "maps", err);
	const char *name = memmem(maps.text, maps.len, "[vdso]\n", 7), *line = name;
	while (line && line > maps.text && line[-1] != '\n')
		line--;
	struct cursor c = { line, name };
	uint64_t start = 0, end = 0;
	bool found = line && take_hex(&c, &start) && take_char(&c, '-') && take_hex(&c, &end) && end > start &&
	             end - start <= VDSO_MOST;
	proc_text_free(&maps);
	CLEANUP_CLOSE int memory = openat(procdir, "mem", O_RDONLY | O_CLOEXEC);
	if (memory < 0) /* who may not attach */
		return procdir_fail(errno, pid, "memory", err);
	size_t at = 0;
	if (!found || !find_in_vdso((size_t)(end - start), &at))
		return fail(err, VMSNAP_ERR_SYSTEM,
		            "process %d has no vdso in which a system call could be made for it", (int)pid);
	*instruction = start + at;
	return VMSNAP_OK;
}

/* Somebody in it makes page faults of its own, by which it would see ours. */
static bool has_userfaultfd(int procdir)
{
	static const char name[] = "anon_inode:[userfaultfd]";
	char link[sizeof(name)];
	CLEANUP_CLOSE int fds = openat(procdir, "fd", O_RDONLY | O_CLOEXEC | O_DIRECTORY);
	_Alignas(8) char bytes[4096];
	long got = fds < 0 ? 0 : 1;
	while (got > 0) {
		got = raw_syscall4(SYS_getdents64, fds, (long)bytes, sizeof(bytes), 0);
		for (long at = 0; at < got; at += *(const unsigned short *)(const void *)(bytes + at + 16)) {
			ssize_t len = readlinkat(fds, bytes + at + 19, link, sizeof(link));
			if (len == (ssize_t)sizeof(name) - 1 && !memcmp(link, name, sizeof(name) - 1))
				return true;
		}
	}
	return false;
}

static int check_status(const struct proc_text *status, pid_t pid, struct inject *inject, struct vmsnap_error *err)
{
	pid_t tracer = (pid_t)proc_text_number(status, "\nTracerPid:");
	const char *state = memmem(status->text, status->len, "\nState:\t", 8);
	if (tracer && !inject->held && tracer_kind(tracer) != TRACER_CAPTURE)
		return fail(err, VMSNAP_ERR_PERMISSION,
		            "process %d is being debugged by process %d, and only its debugger can have it make a "
		            "userfaultfd (in gdb: set vmsnap track on)",
		            (int)pid, (int)tracer);
	if (state && state[8] == 'T')
		return fail(err, VMSNAP_ERR_PERMISSION,
		            "process %d is stopped, and must run to make a userfaultfd: let it go on first "
		            "(kill -CONT %d)",
		            (int)pid, (int)pid);
	if (state && (state[8] == 'Z' || state[8] == 'X'))
		return fail(err, VMSNAP_ERR_ZOMBIE,
		            "the main thread of process %d has ended: userfaultfd cannot track what lives on",
		            (int)pid);
	inject->suspend_seccomp = proc_text_number(status, "\nSeccomp:");
	if (inject->suspend_seccomp && inject->held)
		return fail(err, VMSNAP_ERR_PERMISSION,
		            "process %d filters its system calls (seccomp), and may be killed for a userfaultfd; a "
		            "debugger cannot suspend the filter",
		            (int)pid);
	inject->room = (size_t)proc_text_number(status, "\nThreads:") * 2 + 1024;
	return VMSNAP_OK;
}

static int check(int procdir, pid_t pid, struct inject *inject, struct vmsnap_error *err)
{
	struct proc_text status = { 0 };
	if (!inject_possible())
		return fail(err, VMSNAP_ERR_SYSTEM,
		            "tracking by userfaultfd: there is no code for this machine, only for x86-64 and arm64");
	bool ours = procdir_numbers_are_ours(procdir);
	if (!ours && procdir_has_ended(procdir))
		return procdir_fail(ESRCH, pid, "status", err);
	if (!ours)
		return fail(err, VMSNAP_ERR_PERMISSION, "/proc is that of another PID namespace");
	int error = procdir_read(procdir, "status", &status);
	int rc = error ? procdir_fail(error, pid, "status", err) : check_status(&status, pid, inject, err);
	proc_text_free(&status);
	if (!rc && has_userfaultfd(procdir))
		rc = fail(err, VMSNAP_ERR_PERMISSION,
		          "process %d uses userfaultfd itself; its memory cannot be tracked by another one", (int)pid);
	return rc ? rc : find_instruction(procdir, pid, &inject->instruction, err);
}

/* ---- the helper ---------------------------------------------------------------------- */

enum step { STEP_STOP, STEP_MAKE, STEP_TAKE, STEP_DONE };
struct message {
	int step, result; /* enum inject_result */
	int error;        /* errno */
	pid_t trouble;
};

static void send_message(int socket, const struct message *message, int fd)
{
	struct message copy = *message;
	struct iovec vector = { &copy, sizeof(copy) };
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = { .bytes = { 0 } };
	struct msghdr header = { .msg_iov = &vector, .msg_iovlen = 1 };
	if (fd >= 0) {
		header.msg_control = control.bytes;
		header.msg_controllen = sizeof(control.bytes);
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		control.header.cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
	}
	(void)raw_syscall4(SYS_sendmsg, socket, (long)&header, MSG_NOSIGNAL, 0);
}

/* Its descriptor becomes ours, too.  Returns it, or -errno. */
static long take_from(pid_t pid, long theirs)
{
	long pidfd = raw_syscall4(SYS_pidfd_open, pid, 0, 0, 0);
	long fd = pidfd < 0 ? pidfd : raw_syscall4(SYS_pidfd_getfd, pidfd, theirs, 0, 0);
	if (pidfd >= 0)
		close((int)pidfd);
	return fd;
}

static void make_and_take(struct inject *inject, struct message *message, int *fd)
{
	const uint64_t flags[6] = { O_CLOEXEC | O_NONBLOCK | UFFD_USER_MODE_ONLY };
	long theirs = -1, ours, closed;
	message->step = STEP_MAKE;
	message->result = inject_call(inject, SYS_userfaultfd, flags, &theirs);
	message->error = message->result ? errno : theirs < 0 ? (int)-theirs : 0;
	if (message->result || theirs < 0)
		return;
	ours = take_from(inject->pid, theirs);
	const uint64_t number[6] = { (uint64_t)theirs };
	message->step = STEP_TAKE;
	message->result = inject_call(inject, SYS_close, number, &closed);
	message->error = message->result ? errno : ours < 0 ? (int)-ours : 0;
	*fd = (int)ours;
	if (!message->error)
		message->step = STEP_DONE;
}

static _Noreturn void help(struct inject *inject, int socket)
{
	struct message message = { .step = STEP_STOP };
	int fd = -1;
	/* Nobody who ends our group, or our session, means it; and others that capture know who traces. */
	(void)raw_syscall4(SYS_setsid, 0, 0, 0, 0);
	(void)prctl(PR_SET_NAME, TRACER_THREAD_NAME);
	message.result = inject_begin(inject);
	message.error = errno;
	if (!message.result)
		make_and_take(inject, &message, &fd);
	inject_end(inject);
	message.trouble = inject->trouble;
	send_message(socket, &message, fd);
	for (;;)
		(void)raw_syscall4(SYS_exit_group, 0, 0, 0, 0);
}

/* A child that no waitpid() of the program's sees end (it has no signal to tell it), and that runs none of its
 * handlers for children. */
static pid_t start_helper(struct inject *inject, const int sockets[2])
{
	sigset_t all, before;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	long pid = raw_syscall4(SYS_clone, 0, 0, 0, 0);
	if (!pid)
		help(inject, sockets[1]);
	int error = pid < 0 ? (int)-pid : 0;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	errno = error;
	return (pid_t)pid;
}

static bool receive(int socket, struct message *message, int *fd)
{
	struct iovec vector = { message, sizeof(*message) };
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control;
	struct msghdr header = { .msg_iov = &vector,
		                 .msg_iovlen = 1,
		                 .msg_control = control.bytes,
		                 .msg_controllen = sizeof(control.bytes) };
	ssize_t got;
	do
		got = recvmsg(socket, &header, MSG_CMSG_CLOEXEC);
	while (got < 0 && errno == EINTR);
	*fd = -1;
	if (got != (ssize_t)sizeof(*message))
		return false;
	const struct cmsghdr *first = CMSG_FIRSTHDR(&header);
	if (first && first->cmsg_level == SOL_SOCKET && first->cmsg_type == SCM_RIGHTS)
		memcpy(fd, CMSG_DATA(first), sizeof(*fd));
	return true;
}

/* ---- what came of it ----------------------------------------------------------------- */

static int explain_make(const struct message *message, pid_t pid, struct vmsnap_error *err)
{
	if (message->error == EMFILE)
		return fail(err, VMSNAP_ERR_SYSTEM, "process %d has no descriptor to spare for a userfaultfd",
		            (int)pid);
	if (message->error == EPERM)
		return fail_sys(err, message->error, "process %d may not make a userfaultfd", (int)pid);
	return fail_sys(err, message->error, "process %d cannot make a userfaultfd", (int)pid);
}

static int explain(const struct message *message, pid_t pid, struct vmsnap_error *err)
{
	switch (message->result) {
	case INJECT_GONE:
		return fail(err, VMSNAP_ERR_EXITED, "process %d exited meanwhile", (int)pid);
	case INJECT_BUSY:
		return fail(err, VMSNAP_ERR_SYSTEM,
		            "thread %d of process %d does not stop (it waits in the kernel); try again",
		            (int)message->trouble, (int)pid);
	case INJECT_OTHER:
		return fail(err, VMSNAP_ERR_SYSTEM,
		            "process %d runs code of another kind (32 bits): userfaultfd cannot track it", (int)pid);
	case INJECT_STANDS:
		return fail(err, VMSNAP_ERR_PERMISSION,
		            "process %d is stopped, and must run to make a userfaultfd: let it go on first "
		            "(kill -CONT %d)",
		            (int)pid, (int)pid);
	case INJECT_EVENT:
		return fail(
		        err, VMSNAP_ERR_SYSTEM,
		        "process %d stands within a system call (at a fork, an exec, or as it enters or leaves one), "
		        "where it cannot make a userfaultfd: let it go on a step first (stepi)",
		        (int)pid);
	case INJECT_SECCOMP:
		return fail(err, VMSNAP_ERR_PERMISSION,
		            "process %d filters its system calls (seccomp), and may be killed for a userfaultfd; "
		            "root can suspend the filter",
		            (int)pid);
	case INJECT_EXECED:
		return fail(err, VMSNAP_ERR_EXECED, "process %d executed another program meanwhile; try again",
		            (int)pid);
	default:
		break;
	}
	if (message->step == STEP_STOP)
		return procdir_fail(message->error, pid, "threads", err);
	if (message->step == STEP_MAKE)
		return explain_make(message, pid, err);
	return fail_sys(err, message->error, "cannot take the userfaultfd of process %d", (int)pid);
}

static int finish(const struct message *message, pid_t pid, int *uffd, struct vmsnap_error *err)
{
	if (message->step == STEP_DONE && !message->error && *uffd >= 0)
		return VMSNAP_OK;
	if (*uffd >= 0)
		close(*uffd);
	return explain(message, pid, err);
}

static int run_helper(struct inject *inject, int sockets[2], int *uffd, struct vmsnap_error *err)
{
	struct message message = { 0 };
	pid_t helper = start_helper(inject, sockets);
	int error = errno;
	/* Only the helper has it now: when it ends, nothing more comes. */
	close(sockets[1]);
	sockets[1] = -1;
	if (helper < 0)
		return fail_sys(err, error, "cannot start a process to track with");
	bool told = receive(sockets[0], &message, uffd);
	while (waitpid(helper, NULL, __WALL) < 0 && errno == EINTR) {
	}
	if (!told)
		return fail(err, VMSNAP_ERR_SYSTEM, "the process that was to take a userfaultfd ended without a word");
	return finish(&message, inject->pid, uffd, err);
}

/* Who debugs it needs no helper, and nobody else can be one. */
static int take_held(struct inject *inject, int *uffd, struct vmsnap_error *err)
{
	struct message message = { .step = STEP_STOP };
	*uffd = -1;
	message.result = inject_begin_held(inject);
	message.error = errno;
	if (!message.result)
		make_and_take(inject, &message, uffd);
	return finish(&message, inject->pid, uffd, err);
}

static int take_by_helper(struct inject *inject, int *uffd, struct vmsnap_error *err)
{
	int sockets[2];
	CLEANUP_FREE pid_t *tids = calloc(inject->room, sizeof(*tids));
	if (!tids)
		return fail_no_memory(err);
	inject->tids = tids;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets))
		return fail_sys(err, errno, "cannot make a socket");
	int rc = run_helper(inject, sockets, uffd, err);
	close(sockets[0]);
	return rc;
}

int uffd_helper_take(int procdir, pid_t pid, int *uffd, struct vmsnap_error *err)
{
	struct inject inject = { .pid = pid, .procdir = procdir };
	struct tracer_ours ours;
	tracer_ours(procdir, &ours);
	inject.held = ours.calling_thread && ours.hold != TRACER_HOLD_NO;
	if (inject.held && ours.hold == TRACER_HOLD_RUNS)
		return fail(err, VMSNAP_ERR_PERMISSION,
		            "threads of process %d run: all of them have to stand while it makes a userfaultfd",
		            (int)pid);
	int rc = check(procdir, pid, &inject, err);
	if (rc)
		return rc;
	return inject.held ? take_held(&inject, uffd, err) : take_by_helper(&inject, uffd, err);
}
