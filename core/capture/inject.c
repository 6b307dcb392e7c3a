#define _GNU_SOURCE
#include "inject.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "procdir.h"
#include "raw_syscall.h"
#include "tracee.h"

/* Of linux/ptrace.h, which cannot be included beside sys/ptrace.h. */
enum { EVENT_STOP = 128 };
enum { GET_SIGMASK = 0x420a, SET_SIGMASK = 0x420b, SUSPEND_SECCOMP = 1 << 21 };
/* How often a stop is looked for, which takes a second and more.  Not until a time: we may stand still ourselves. */
enum { PATIENCE = 15000, NAP_NS = 20000 };
#define FOR_EVER UINT64_MAX

/* ---- the machine ------------------------------------------------------------------- */

#if defined(__x86_64__) && !defined(__ILP32__)

struct registers {
	struct user_regs_struct user;
};
enum { CODE_64 = 0x33 }; /* the segment of 64-bit code */
static const unsigned char call_code[] = { 0x0f, 0x05 };
enum { CODE_STEP = 1 };

static bool is_our_kind(const struct registers *registers, size_t len)
{
	return len == sizeof(registers->user) && registers->user.cs == CODE_64;
}

static void set_call(struct registers *registers, uint64_t instruction, long number, const uint64_t a[6])
{
	struct user_regs_struct *user = &registers->user;
	user->rip = instruction;
	user->rax = (unsigned long long)number;
	user->orig_rax = (unsigned long long)-1; /* nothing to restart */
	user->rdi = a[0];
	user->rsi = a[1];
	user->rdx = a[2];
	user->r10 = a[3];
	user->r8 = a[4];
	user->r9 = a[5];
}

static long result_of(const struct registers *registers)
{
	return (long)registers->user.rax;
}

#elif defined(__aarch64__)

struct registers {
	struct user_regs_struct user;
};
static const unsigned char call_code[] = { 0x01, 0x00, 0x00, 0xd4 }; /* svc #0 */
enum { CODE_STEP = 4 };

static bool is_our_kind(const struct registers *registers, size_t len)
{
	return len == sizeof(registers->user);
}

static void set_call(struct registers *registers, uint64_t instruction, long number, const uint64_t a[6])
{
	/* The kernel has set back what is to be restarted before it told us of the stop. */
	struct user_regs_struct *user = &registers->user;
	user->pc = instruction;
	user->regs[8] = (unsigned long long)number;
	for (size_t i = 0; i < 6; i++)
		user->regs[i] = a[i];
}

static long result_of(const struct registers *registers)
{
	return (long)registers->user.regs[0];
}

#else

struct registers {
	int none;
};
static const unsigned char call_code[] = { 0 };
enum { CODE_STEP = 1, NO_MACHINE = 1 };

static bool is_our_kind(const struct registers *registers, size_t len)
{
	(void)registers, (void)len;
	return false;
}

static void set_call(struct registers *registers, uint64_t instruction, long number, const uint64_t a[6])
{
	(void)registers, (void)instruction, (void)number, (void)a;
}

static long result_of(const struct registers *registers)
{
	(void)registers;
	return -ENOSYS;
}

#endif

bool inject_possible(void)
{
#if (defined(__x86_64__) && !defined(__ILP32__)) || defined(__aarch64__)
	return true;
#else
	return false;
#endif
}

bool inject_find(const unsigned char *code, size_t len, size_t *at)
{
	for (size_t i = 0; inject_possible() && i + sizeof(call_code) <= len; i += CODE_STEP) {
		if (memcmp(code + i, call_code, sizeof(call_code)) != 0)
			continue;
		*at = i;
		return true;
	}
	return false;
}

static int get_registers(pid_t pid, struct registers *registers, size_t *len)
{
	struct iovec vector = { registers, sizeof(*registers) };
	if (ptrace(PTRACE_GETREGSET, pid, (void *)NT_PRSTATUS, &vector))
		return errno;
	*len = vector.iov_len;
	return 0;
}

static int set_registers(pid_t pid, struct registers *registers)
{
	struct iovec vector = { registers, sizeof(*registers) };
	return ptrace(PTRACE_SETREGSET, pid, (void *)NT_PRSTATUS, &vector) ? errno : 0;
}

/* ---- stops ------------------------------------------------------------------------- */

static int of_errno(int error)
{
	errno = error;
	return error == ESRCH ? INJECT_GONE : INJECT_SYSTEM;
}

static void *as_data(int number)
{
	return (void *)(intptr_t)number;
}

static void nap(void)
{
	nanosleep(&(struct timespec){ .tv_nsec = NAP_NS }, NULL);
}

static int wait_stop(struct inject *inject, pid_t tid, uint64_t looks, struct tracee_stop *stop)
{
	for (;; looks--) {
		enum tracee_state state = tracee_look(tid, stop);
		if (state == TRACEE_STOPPED)
			return INJECT_OK;
		if (state == TRACEE_ENDED)
			return INJECT_GONE;
		if (!looks) {
			inject->trouble = tid;
			return INJECT_BUSY;
		}
		nap();
	}
}

static int go_on(pid_t tid, enum __ptrace_request how, int signal)
{
	return ptrace(how, tid, NULL, as_data(signal)) ? of_errno(errno) : INJECT_OK;
}

/* What a thread does before it stands where the next thing would be an instruction of its own: signals that it was
 * about to receive are given to it, as its handler's first instruction is its own, too. */
static int wait_interrupted(struct inject *inject, pid_t tid, uint64_t looks)
{
	for (;;) {
		struct tracee_stop stop = { 0 };
		int rc = wait_stop(inject, tid, looks, &stop);
		if (rc || stop.event == EVENT_STOP)
			return rc;
		rc = go_on(tid, PTRACE_CONT, stop.event ? 0 : stop.signal);
		if (rc)
			return rc;
	}
}

static bool is_held(const struct inject *inject, pid_t tid)
{
	for (size_t i = inject->count; i > 0; i--)
		if (inject->tids[i - 1] == tid)
			return true;
	return false;
}

static int seize(struct inject *inject, pid_t tid)
{
	uintptr_t options = PTRACE_O_TRACESYSGOOD;
	if (is_held(inject, tid))
		return INJECT_OK;
	if (inject->count == inject->room) {
		inject->trouble = tid;
		return INJECT_BUSY;
	}
	if (ptrace(PTRACE_SEIZE, tid, NULL, (void *)options))
		return errno == ESRCH && tid != inject->pid ? INJECT_OK : of_errno(errno);
	inject->tids[inject->count++] = tid;
	return ptrace(PTRACE_INTERRUPT, tid, NULL, NULL) && errno != ESRCH ? of_errno(errno) : INJECT_OK;
}

/* As the kernel fills it in; without libc's opendir(), which allocates. */
struct entry {
	uint64_t inode, next;
	unsigned short len;
	unsigned char type;
	char name[];
};

static pid_t number_of(const char *name)
{
	pid_t number = 0;
	for (; *name >= '0' && *name <= '9'; name++)
		number = number * 10 + (*name - '0');
	return *name ? 0 : number;
}

/* All that are listed now become ours. */
static int seize_listed(struct inject *inject)
{
	_Alignas(8) char bytes[4096];
	int fd = openat(inject->procdir, "task", O_RDONLY | O_CLOEXEC | O_DIRECTORY), rc = INJECT_OK;
	long got = fd < 0 ? -errno : 1;
	while (!rc && got > 0) {
		got = raw_syscall4(SYS_getdents64, fd, (long)bytes, sizeof(bytes), 0);
		for (long at = 0; !rc && at < got;) {
			const struct entry *entry = (const void *)(bytes + at);
			pid_t tid = number_of(entry->name);
			rc = tid > 0 ? seize(inject, tid) : INJECT_OK;
			at += entry->len;
		}
	}
	if (fd >= 0)
		close(fd);
	return rc ? rc : got < 0 ? of_errno((int)-got) : INJECT_OK;
}

/* Each, but for the main one, in whatever stop: it goes on from there. */
static int wait_all(struct inject *inject, size_t from)
{
	for (size_t i = from; i < inject->count; i++) {
		struct tracee_stop stop;
		int rc = inject->tids[i] == inject->pid ? wait_interrupted(inject, inject->pid, PATIENCE)
		                                        : wait_stop(inject, inject->tids[i], PATIENCE, &stop);
		if (rc == INJECT_GONE && inject->tids[i] != inject->pid)
			(void)tracee_reap(inject->tids[i]);
		else if (rc)
			return rc;
	}
	return INJECT_OK;
}

/* A group that stands (SIGSTOP) shows the signal that stopped it. */
static bool is_group_stop(pid_t pid)
{
	siginfo_t info;
	return ptrace(PTRACE_GETSIGINFO, pid, NULL, &info) || info.si_signo != SIGTRAP;
}

static int block_signals(struct inject *inject)
{
	uint64_t all = ~UINT64_C(0);
	if (ptrace((enum __ptrace_request)GET_SIGMASK, inject->thread, as_data(sizeof(all)), &inject->saved_mask) ||
	    ptrace((enum __ptrace_request)SET_SIGMASK, inject->thread, as_data(sizeof(all)), &all))
		return of_errno(errno);
	return INJECT_OK;
}

static void unblock_signals(struct inject *inject)
{
	(void)ptrace((enum __ptrace_request)SET_SIGMASK, inject->thread, as_data(sizeof(inject->saved_mask)),
	             &inject->saved_mask);
}

/* What was found out before it stood may be of another program, that was there before an execve(2). */
static bool has_instruction(const struct inject *inject)
{
	unsigned char code[sizeof(long)];
	errno = 0;
	long word = ptrace(PTRACE_PEEKTEXT, inject->pid, (void *)(uintptr_t)inject->instruction, NULL); /* NOLINT */
	memcpy(code, &word, sizeof(code));
	return !errno && !memcmp(code, call_code, sizeof(call_code));
}

static bool filters_calls(const struct inject *inject)
{
	char text[16384];
	int fd = openat(inject->procdir, "status", O_RDONLY | O_CLOEXEC);
	ssize_t got = fd < 0 ? -1 : read(fd, text, sizeof(text));
	if (fd >= 0)
		close(fd);
	const char *line = got > 0 ? memmem(text, (size_t)got, "\nSeccomp:\t", 10) : NULL;
	return got <= 0 || (line && (line + 10 >= text + got || line[10] != '0'));
}

static int prepare(struct inject *inject)
{
	struct registers registers = { 0 };
	size_t len = 0;
	int error = get_registers(inject->pid, &registers, &len);
	uintptr_t options = PTRACE_O_TRACESYSGOOD | SUSPEND_SECCOMP;
	if (error)
		return of_errno(error);
	if (!is_our_kind(&registers, len))
		return INJECT_OTHER;
	if (is_group_stop(inject->pid))
		return INJECT_STANDS;
	if (!has_instruction(inject))
		return INJECT_EXECED;
	if ((inject->suspend_seccomp || filters_calls(inject)) &&
	    ptrace(PTRACE_SETOPTIONS, inject->pid, NULL, (void *)options))
		return INJECT_SECCOMP;
	return INJECT_OK;
}

int inject_begin(struct inject *inject)
{
	inject->thread = inject->pid;
	/* The main thread first: who may not have it may not have the others. */
	int rc = seize(inject, inject->pid);
	for (size_t before = 0; !rc && before < inject->count;) {
		size_t from = before;
		before = inject->count;
		rc = wait_all(inject, from);
		/* Those that it made while it was not yet standing. */
		rc = rc ? rc : seize_listed(inject);
	}
	return rc ? rc : prepare(inject);
}

/* Whether a thread that stands was about to receive a signal, of which the debugger has been told.  At an event it is
 * within a system call. */
static bool is_at_signal(struct inject *inject, pid_t tid)
{
	enum { EVENT_SHIFT = 8, SYSCALL_BIT = 0x80 };
	struct tracee_stop stop;
	siginfo_t *info = &inject->signal;
	if (tracee_look(tid, &stop) != TRACEE_RUNS || ptrace(PTRACE_GETSIGINFO, tid, NULL, info))
		return false;
	bool kernels = info->si_signo == SIGTRAP && info->si_code > 0;
	int code = info->si_code & ~SYSCALL_BIT;
	return !kernels || (code != SIGTRAP && (code >> EVENT_SHIFT == 0 || (code & 0x7f) != SIGTRAP));
}

static int choose_thread(void *ctx, pid_t tid)
{
	struct inject *inject = ctx;
	if (!is_at_signal(inject, tid))
		return 0;
	inject->thread = tid;
	return 1;
}

int inject_begin_held(struct inject *inject)
{
	struct registers registers = { 0 };
	size_t len = 0;
	inject->held = true;
	inject->thread = 0;
	(void)procdir_each_task(inject->procdir, choose_thread, inject);
	if (!inject->thread)
		return INJECT_EVENT;
	int error = get_registers(inject->thread, &registers, &len);
	return error ? of_errno(error) : is_our_kind(&registers, len) ? INJECT_OK : INJECT_OTHER;
}

/* To the entry of the call, or from there to its exit.  Whoever gave up here would let it run with our registers:
 * only its end ends the waiting. */
static int wait_call(struct inject *inject)
{
	for (int signal = 0;;) {
		struct tracee_stop stop = { 0 };
		int rc = go_on(inject->thread, PTRACE_SYSCALL, signal);
		rc = rc ? rc : wait_stop(inject, inject->thread, FOR_EVER, &stop);
		/* No signal is SIGTRAP: all are blocked, but for SIGSTOP, which stops the group, and this thread when
		 * it is let go.  A debugger is to be told of it instead. */
		if (rc || (!stop.event && stop.signal == SIGTRAP))
			return rc;
		inject->owed |= inject->held && !stop.event;
		signal = stop.event || inject->held ? 0 : stop.signal;
	}
}

/* Where it would go on after the call is nothing of its own: it must not run there. */
static int stop_seized(struct inject *inject)
{
	if (ptrace(PTRACE_INTERRUPT, inject->thread, NULL, NULL))
		return of_errno(errno);
	int rc = go_on(inject->thread, PTRACE_CONT, 0);
	return rc ? rc : wait_interrupted(inject, inject->thread, FOR_EVER);
}

/* The debugger has been told of the stop that it had, and must not be of this one: it is taken away. */
static int stop_held(struct inject *inject)
{
	siginfo_t info = { 0 };
	if (syscall(SYS_tgkill, inject->pid, inject->thread, SIGSTOP))
		return of_errno(errno);
	for (struct tracee_stop stop = { 0 }; stop.event || stop.signal != SIGSTOP;) {
		int rc = go_on(inject->thread, PTRACE_CONT, 0);
		rc = rc ? rc : wait_stop(inject, inject->thread, FOR_EVER, &stop);
		if (rc)
			return rc;
	}
	if (waitid(P_PID, (id_t)inject->thread, &info, WSTOPPED | WNOHANG | __WALL))
		return of_errno(errno);
	/* What it stands for is what it stood for. */
	return ptrace(PTRACE_SETSIGINFO, inject->thread, NULL, &inject->signal) ? of_errno(errno) : INJECT_OK;
}

static int make_call(struct inject *inject, struct registers *registers, long *result)
{
	size_t len = 0;
	int error = set_registers(inject->thread, registers);
	int rc = error ? of_errno(error) : wait_call(inject);
	rc = rc ? rc : wait_call(inject);
	if (!rc && (error = get_registers(inject->thread, registers, &len)) != 0)
		rc = of_errno(error);
	if (!rc)
		*result = result_of(registers);
	return rc ? rc : inject->held ? stop_held(inject) : stop_seized(inject);
}

int inject_call(struct inject *inject, long number, const uint64_t arguments[6], long *result)
{
	struct registers saved = { 0 }, registers;
	size_t len = 0;
	int error = get_registers(inject->thread, &saved, &len);
	int rc = error ? of_errno(error) : block_signals(inject);
	if (rc)
		return rc;
	registers = saved;
	set_call(&registers, inject->instruction, number, arguments);
	rc = make_call(inject, &registers, result);
	error = set_registers(inject->thread, &saved);
	unblock_signals(inject);
	if (inject->owed)
		(void)syscall(SYS_tgkill, inject->pid, inject->thread, SIGSTOP);
	inject->owed = false;
	return rc ? rc : error ? of_errno(error) : INJECT_OK;
}

void inject_end(struct inject *inject)
{
	while (inject->count > 0) {
		pid_t tid = inject->tids[--inject->count];
		struct tracee_stop stop = { 0 };
		if (tracee_look(tid, &stop) == TRACEE_STOPPED)
			(void)ptrace(PTRACE_DETACH, tid, NULL, as_data(stop.event ? 0 : stop.signal));
	}
}
