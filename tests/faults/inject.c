/* inject [OPTION]... COMMAND [ARGUMENT]... - runs the command and makes one of its
 * system calls fail, or ends it there.
 *
 *   -a ACTION   list, fail=ERRNO, short, kill or ask
 *   -n NUMBER   at the call of this number, from 1 (-N: at it and all that follow)
 *   -c NAMES    counts calls of these names only
 *   -o FILE     where to say which calls were meant
 *   -u FIFO     where an answer comes from
 *   -s          by seccomp and not by ptrace: list and fail only, see inject_seccomp.c
 *
 * Calls are counted from the start of main(), over all threads; those whose number
 * depends on the moment (waiting, giving way) only if named.  By ptrace and not by a
 * library, because the command makes some system calls without one.  Exits as the
 * command does; 77 if it cannot work here. */
#define _GNU_SOURCE
#include "inject.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TASKS_MAX = 64, SHORT_BYTES = 8, EVENT_STOP = 128 };

/* What is put right when the call of a thread returns. */
struct change {
	pid_t tid;
	bool fails;
	long result; /* if it fails */
	int argument;
	uint64_t before; /* of the argument: to the program a call changes none */
};

struct injector {
	struct watch watch;
	pid_t leader;
	int until;
	struct change changes[TASKS_MAX];
};

_Noreturn void cannot(const char *what)
{
	fprintf(stderr, "inject: cannot %s: %s\n", what, strerror(errno));
	exit(INJECT_CANNOT);
}

/* ---- the machine's registers ---- */

#ifdef __x86_64__
static unsigned long long *argument_of(struct user_regs_struct *regs, int argument)
{
	unsigned long long *const args[] = { &regs->rdi, &regs->rsi, &regs->rdx, &regs->r10, &regs->r8, &regs->r9 };
	return args[argument];
}

/* No such call is made, and the kernel says so. */
static void drop_call(pid_t tid)
{
	struct user_regs_struct regs;
	if (ptrace(PTRACE_GETREGS, tid, NULL, &regs))
		return;
	regs.orig_rax = (unsigned long long)-1;
	ptrace(PTRACE_SETREGS, tid, NULL, &regs);
}

static void change_argument(pid_t tid, int argument, uint64_t value)
{
	struct user_regs_struct regs;
	if (ptrace(PTRACE_GETREGS, tid, NULL, &regs))
		return;
	*argument_of(&regs, argument) = value;
	ptrace(PTRACE_SETREGS, tid, NULL, &regs);
}

static void change_result(pid_t tid, long result)
{
	struct user_regs_struct regs;
	if (ptrace(PTRACE_GETREGS, tid, NULL, &regs))
		return;
	regs.rax = (unsigned long long)result;
	ptrace(PTRACE_SETREGS, tid, NULL, &regs);
}
#else
static void drop_call(pid_t tid)
{
	(void)tid;
	errno = ENOSYS;
	cannot("change system calls on this kind of machine");
}

static void change_argument(pid_t tid, int argument, uint64_t value)
{
	(void)argument, (void)value;
	drop_call(tid);
}

static void change_result(pid_t tid, long result)
{
	(void)result;
	drop_call(tid);
}
#endif

/* ---- at a call ---- */

static void report(const struct watch *watch, pid_t tid, const struct call *call)
{
	char what[200], line[256];
	if (watch->report < 0)
		return;
	call_describe(tid, call, what, sizeof(what));
	int len = snprintf(line, sizeof(line), "%lu %s\n", (unsigned long)watch->count, what);
	if (write(watch->report, line, (size_t)len) != len)
		cannot("report");
}

/* The command's main() begins by looking whether descriptor 0 is open. */
bool call_begins_main(const struct call *call)
{
	return call->number == SYS_fcntl && call->args[0] == STDIN_FILENO && call->args[1] == F_GETFD;
}

bool watch_call(struct watch *watch, pid_t tid, const struct call *call)
{
	const struct plan *plan = &watch->plan;
	watch->in_main |= call_begins_main(call);
	if (!watch->in_main || !call_is_meant(plan, call))
		return false;
	watch->count++;
	bool now = plan->all_later ? watch->count >= plan->first : watch->count == plan->first;
	if (plan->action != ACTION_LIST && !now)
		return false;
	report(watch, tid, call);
	return plan->action != ACTION_LIST;
}

static struct change *change_of(struct injector *injector, pid_t tid)
{
	for (size_t i = 0; i < TASKS_MAX; i++)
		if (injector->changes[i].tid == tid)
			return &injector->changes[i];
	return NULL;
}

static void remember(struct injector *injector, struct change change)
{
	struct change *free_one = change_of(injector, 0);
	if (!free_one)
		cannot("keep track of so many threads");
	*free_one = change;
}

static void with_argument(struct injector *injector, pid_t tid, const struct call *call, int argument, uint64_t value)
{
	change_argument(tid, argument, value);
	remember(injector, (struct change){ .tid = tid, .argument = argument, .before = call->args[argument] });
}

static void fail(struct injector *injector, pid_t tid, const struct call *call)
{
	if (call->number == SYS_brk) {
		/* It has no errors: it returns where the end of the heap stays, as for 0. */
		with_argument(injector, tid, call, 0, 0);
		return;
	}
	/* close() gives the descriptor back even if it fails. */
	if (call->number != SYS_close)
		drop_call(tid);
	remember(injector, (struct change){ .tid = tid, .fails = true, .result = -injector->watch.plan.error });
}

static void shorten(struct injector *injector, pid_t tid, const struct call *call)
{
	int argument = call_length_argument(call->number);
	if (argument >= 0 && call->args[argument] > SHORT_BYTES)
		with_argument(injector, tid, call, argument, SHORT_BYTES);
}

static void ask(const struct injector *injector)
{
	char answer;
	if (read(injector->until, &answer, 1) != 1)
		cannot("get an answer");
}

static void at_entry(struct injector *injector, pid_t tid, const struct call *call)
{
	enum action action = injector->watch.plan.action;
	if (!watch_call(&injector->watch, tid, call))
		return;
	if (action == ACTION_FAIL)
		fail(injector, tid, call);
	else if (action == ACTION_SHORT)
		shorten(injector, tid, call);
	else if (action == ACTION_KILL)
		kill(injector->leader, SIGKILL);
	else if (action == ACTION_ASK)
		ask(injector);
}

static void at_exit(struct injector *injector, pid_t tid)
{
	struct change *change = change_of(injector, tid);
	if (!change)
		return;
	if (change->fails)
		change_result(tid, change->result);
	else
		change_argument(tid, change->argument, change->before);
	change->tid = 0;
}

static void at_call(struct injector *injector, pid_t tid)
{
	struct __ptrace_syscall_info info;
	if (ptrace(PTRACE_GET_SYSCALL_INFO, tid, sizeof(info), &info) <= 0)
		return;
	if (info.op == PTRACE_SYSCALL_INFO_EXIT) {
		at_exit(injector, tid);
	} else if (info.op == PTRACE_SYSCALL_INFO_ENTRY) {
		struct call call = { .number = info.entry.nr };
		memcpy(call.args, info.entry.args, sizeof(call.args));
		at_entry(injector, tid, &call);
	}
}

/* ---- running ---- */

static void start(struct injector *injector, char **argv)
{
	int gate[2];
	char byte = 0;
	if (pipe2(gate, O_CLOEXEC))
		cannot("make a pipe");
	injector->leader = fork();
	if (injector->leader < 0)
		cannot("fork");
	if (!injector->leader) {
		if (read(gate[0], &byte, 1) == 1)
			execvp(argv[0], argv);
		_exit(INJECT_CANNOT);
	}
	long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL;
	if (ptrace(PTRACE_SEIZE, injector->leader, NULL, options) ||
	    ptrace(PTRACE_INTERRUPT, injector->leader, NULL, NULL))
		cannot("trace");
	if (write(gate[1], &byte, 1) != 1)
		cannot("start");
	close(gate[0]);
	close(gate[1]);
}

/* A child without the signal of one is told of as a thread is.  It is on its own: the fault is not its. */
static bool is_thread(const struct injector *injector, pid_t tid)
{
	char path[64];
	snprintf(path, sizeof(path), "/proc/%d/task/%d", (int)injector->leader, (int)tid);
	return !access(path, F_OK);
}

/* A stop: returns the signal to hand on. */
static int at_stop(struct injector *injector, pid_t tid, int status)
{
	int event = status >> 16;
	if (WSTOPSIG(status) == (SIGTRAP | 0x80)) {
		at_call(injector, tid);
		return 0;
	}
	return event ? 0 : WSTOPSIG(status);
}

static int run(struct injector *injector)
{
	for (;;) {
		int status;
		pid_t tid = waitpid(-1, &status, __WALL);
		if (tid < 0)
			cannot("wait");
		if (WIFSTOPPED(status) && status >> 16 == EVENT_STOP && !is_thread(injector, tid)) {
			ptrace(PTRACE_DETACH, tid, NULL, NULL);
		} else if (WIFSTOPPED(status)) {
			int signal = at_stop(injector, tid, status);
			ptrace(PTRACE_SYSCALL, tid, NULL, (unsigned long)signal);
		} else if (tid == injector->leader) {
			return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
		}
	}
}

static void set_action(struct plan *plan, const char *text)
{
	static const char *const names[] = { "list", "fail=", "short", "kill", "ask" };
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strncmp(text, names[i], strlen(names[i])))
			continue;
		plan->action = (enum action)i;
		if (plan->action == ACTION_FAIL)
			plan->error = atoi(text + strlen(names[i]));
		return;
	}
	errno = EINVAL;
	cannot("do that");
}

int main(int argc, char **argv)
{
	struct injector injector = { .until = -1, .watch = { .report = -1, .plan = { .first = 1 } } };
	struct plan *plan = &injector.watch.plan;
	bool by_seccomp = false;
	for (int option; (option = getopt(argc, argv, "+a:n:N:c:o:u:s")) != -1;) {
		switch (option) {
		case 'a':
			set_action(plan, optarg);
			break;
		case 'n':
		case 'N':
			plan->first = strtoull(optarg, NULL, 10);
			plan->all_later = option == 'N';
			break;
		case 'c':
			plan->only = optarg;
			break;
		case 'o':
			injector.watch.report = open(optarg, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
			break;
		case 'u':
			injector.until = open(optarg, O_RDWR | O_CLOEXEC);
			break;
		case 's':
			by_seccomp = true;
			break;
		default:
			return INJECT_CANNOT;
		}
	}
	if (optind >= argc)
		return INJECT_CANNOT;
	if (by_seccomp)
		return run_by_seccomp(&injector.watch, argv + optind);
	start(&injector, argv + optind);
	return run(&injector);
}
