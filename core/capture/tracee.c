#define _GNU_SOURCE
#include "tracee.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* The last PTRACE_EVENT_*, which older headers lack. */
enum { EVENT_STOP = 128, EVENT_SHIFT = 8, SIGNAL_MASK = 0x7f };

static bool tells_end(const siginfo_t *info)
{
	return info->si_code == CLD_EXITED || info->si_code == CLD_KILLED || info->si_code == CLD_DUMPED;
}

/* As waitpid() would have it in the upper bytes of its status: the signal, the event
 * above it. */
static struct tracee_stop stop_of(int status)
{
	int event = status >> EVENT_SHIFT, signal = status & SIGNAL_MASK;
	bool stopping = signal == SIGSTOP || signal == SIGTSTP || signal == SIGTTIN || signal == SIGTTOU;
	return (struct tracee_stop){ .event = event,
		                     .signal = event ? 0 : signal,
		                     .group_stop = event == EVENT_STOP && stopping };
}

static enum tracee_state state_of(const siginfo_t *info, struct tracee_stop *stop)
{
	if (!info->si_pid)
		return TRACEE_RUNS;
	if (tells_end(info))
		return TRACEE_ENDED;
	*stop = stop_of(info->si_status);
	return TRACEE_STOPPED;
}

enum tracee_state tracee_look(pid_t tid, struct tracee_stop *stop)
{
	siginfo_t info = { 0 };
	if (waitid(P_PID, (id_t)tid, &info, WSTOPPED | WEXITED | WNOWAIT | WNOHANG | __WALL))
		return errno == ECHILD ? TRACEE_ENDED : TRACEE_RUNS;
	return state_of(&info, stop);
}

enum tracee_state tracee_any(pid_t *tid, struct tracee_stop *stop)
{
	siginfo_t info = { 0 };
	if (waitid(P_ALL, 0, &info, WSTOPPED | WEXITED | WNOWAIT | WNOHANG | __WALL | __WNOTHREAD))
		info.si_pid = 0;
	*tid = info.si_pid;
	return state_of(&info, stop);
}

/* In a stop for an event the kernel makes the siginfo up: the code is what it would have
 * told waitpid(), who and of which user is there, and nothing else (as seen on
 * Linux 6.18).  A process can send itself a signal that looks like one, and then it is its
 * own fault if it loses it. */
static bool made_up(const siginfo_t *info)
{
	int event = info->si_code >> EVENT_SHIFT;
	if (event <= 0 || event > EVENT_STOP || (info->si_code & SIGNAL_MASK) != info->si_signo || info->si_errno)
		return false;
	const unsigned char *bytes = (const unsigned char *)info;
	for (size_t i = offsetof(siginfo_t, si_uid) + sizeof(info->si_uid); i < sizeof(*info); i++)
		if (bytes[i])
			return false;
	return true;
}

bool tracee_look_behind(pid_t tid, struct tracee_stop *stop)
{
	siginfo_t info;
	memset(&info, 0, sizeof(info));
	if (ptrace(PTRACE_GETSIGINFO, tid, NULL, &info))
		return false;
	*stop = stop_of(made_up(&info) ? info.si_code : info.si_signo);
	return true;
}

bool tracee_has_ended(pid_t tid)
{
	siginfo_t info = { 0 };
	if (waitid(P_PID, (id_t)tid, &info, WEXITED | WNOWAIT | WNOHANG | __WALL))
		return errno == ECHILD;
	return info.si_pid && tells_end(&info);
}

bool tracee_reap(pid_t tid)
{
	siginfo_t info = { 0 };
	/* The end of a thread stays until it is taken; a stop would be taken, too. */
	if (!tracee_has_ended(tid))
		return false;
	return waitid(P_PID, (id_t)tid, &info, WEXITED | WNOHANG | __WALL) || info.si_pid;
}

uint64_t tracee_stack_pointer(pid_t tid)
{
	/* From linux/ptrace.h, which cannot be included beside sys/ptrace.h; older ones lack it. */
	enum { GET_SYSCALL_INFO = 0x420e };
	struct {
		uint8_t op, pad[3];
		uint32_t arch;
		uint64_t instruction, stack, rest[8];
	} info = { 0 };
	long size = syscall(SYS_ptrace, GET_SYSCALL_INFO, tid, sizeof(info), &info);
	return size >= (long)offsetof(__typeof__(info), rest) ? info.stack : 0;
}
