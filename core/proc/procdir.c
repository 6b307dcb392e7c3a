#define _GNU_SOURCE
#include "procdir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/vfs.h>

#include "error.h"
#include "scan.h"

enum { FORKED_FLAG = 0x40, KERNEL_THREAD_FLAG = 0x00200000 }; /* PF_FORKNOEXEC, PF_KTHREAD: include/linux/sched.h */

void proc_text_free(struct proc_text *text)
{
	free(text->text);
	*text = (struct proc_text){ 0 };
}

uint64_t proc_text_number(const struct proc_text *status, const char *key)
{
	const char *line = status->len ? memmem(status->text, status->len, key, strlen(key)) : NULL;
	uint64_t value = 0;
	if (line) {
		struct cursor c = { line + strlen(key), status->text + status->len };
		take_spaces(&c);
		take_decimal(&c, &value);
	}
	return value;
}

int procdir_read_fd_kicking(int fd, struct proc_text *out, void (*kick)(void *ctx), void *ctx)
{
	out->len = 0;
	off_t offset = 0;
	for (;;) {
		if (kick)
			kick(ctx);
		if (out->len > PROCDIR_TEXT_MAX)
			return EFBIG;
		if (out->room - out->len < 4097) {
			size_t room = out->room ? out->room * 2 : 16384;
			char *text = realloc(out->text, room);
			if (!text)
				return ENOMEM;
			out->text = text;
			out->room = room;
		}
		ssize_t got = pread(fd, out->text + out->len, out->room - out->len - 1, offset);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return errno;
		out->len += (size_t)got;
		offset += got;
		out->text[out->len] = '\0';
		if (got == 0)
			return 0;
	}
}

int procdir_read_fd(int fd, struct proc_text *out)
{
	return procdir_read_fd_kicking(fd, out, NULL, NULL);
}

int procdir_read(int procdir, const char *name, struct proc_text *out)
{
	CLEANUP_CLOSE int fd = openat(procdir, name, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno;
	return procdir_read_fd(fd, out);
}

bool procdir_boot_is_ours(const char *boot_id)
{
	char boot[64];
	CLEANUP_CLOSE int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	ssize_t len = fd < 0 ? 0 : read(fd, boot, sizeof(boot) - 1);
	boot[len > 0 ? len : 0] = '\0';
	boot[strcspn(boot, "\n")] = '\0';
	return *boot && !strcmp(boot, boot_id);
}

int procdir_is_live(int procdir, bool *live)
{
	struct statfs fs;
	if (fstatfs(procdir, &fs))
		return errno;
	*live = fs.f_type == PROC_SUPER_MAGIC;
	return 0;
}

bool procdir_numbers_are_ours(int procdir)
{
	char text[24];
	ssize_t len = readlinkat(procdir, "../self", text, sizeof(text));
	uint64_t self = 0;
	struct cursor c = { text, text + (len > 0 ? len : 0) };
	return take_decimal(&c, &self) && self == (uint64_t)getpid();
}

bool procdir_has_ended(int procdir)
{
	return faccessat(procdir, "stat", F_OK, 0) && (errno == ESRCH || errno == ENOENT);
}

/* comm may hold newlines; the kernel adds one of its own at the end. */
const char *procdir_word(int procdir, const char *name, struct arena *strings)
{
	struct proc_text text = { 0 };
	const char *word = "";
	if (procdir_read(procdir, name, &text) == 0 && text.len)
		word = arena_copy(strings, text.text, text.len - (text.text[text.len - 1] == '\n'));
	proc_text_free(&text);
	return word;
}

const char *procdir_link(int procdir, const char *name, struct arena *strings)
{
	char path[4096 + 16];
	ssize_t len = readlinkat(procdir, name, path, sizeof(path));
	return len > 0 ? arena_copy(strings, path, (size_t)len) : "";
}

/* SIGKILL, which each thread has that is left of one that ends (zap_other_threads() in kernel/signal.c). */
static bool kill_is_pending(int procdir)
{
	static const char key[] = "\nSigPnd:\t";
	struct proc_text text = { 0 };
	const char *at = procdir_read(procdir, "status", &text) ? NULL : strstr(text.text, key);
	bool pending = at && strtoull(at + sizeof(key) - 1, NULL, 16) >> (SIGKILL - 1) & 1;
	proc_text_free(&text);
	return pending;
}

bool procdir_is_ending(pid_t pid)
{
	char path[32];
	struct proc_stat stat;
	snprintf(path, sizeof(path), "/proc/%d", (int)pid);
	int procdir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (procdir < 0)
		return errno == ENOENT || errno == ESRCH;
	int rc = procdir_stat(procdir, &stat, NULL);
	bool ending = rc ? rc == VMSNAP_ERR_EXITED
	                 : strchr("ZXx", stat.state) || (!stat.size && !stat.kernel_thread) || kill_is_pending(procdir);
	close(procdir);
	return ending;
}

static int fail_exited(pid_t pid, struct vmsnap_error *err)
{
	if (!pid)
		return fail(err, VMSNAP_ERR_EXITED, "the process exited meanwhile");
	return fail(err, VMSNAP_ERR_EXITED, "process %d exited meanwhile", (int)pid);
}

int procdir_fail(int saved_errno, pid_t pid, const char *what, struct vmsnap_error *err)
{
	switch (saved_errno) {
	case ESRCH:
	case ENOENT:
		return fail_exited(pid, err);
	case EMFILE:
		return fail_sys(err, saved_errno, "cannot read %s of a process; raise the limit with ulimit -n", what);
	case EACCES:
	case EPERM:
		if (pid && procdir_is_ending(pid))
			return fail_exited(pid, err);
		if (!geteuid())
			return fail(err, VMSNAP_ERR_PERMISSION,
			            "may not read %s of process %d, not even as root: it has capabilities that we lack "
			            "(CAP_SYS_PTRACE, and of other users CAP_DAC_READ_SEARCH, are needed), or is in "
			            "another user namespace",
			            what, (int)pid);
		return fail(err, VMSNAP_ERR_PERMISSION,
		            "may not read %s of process %d: be root or its owner, or have CAP_SYS_PTRACE and "
		            "CAP_DAC_READ_SEARCH; "
		            "a process that changed its user or is not dumpable needs root",
		            what, (int)pid);
	case EFBIG:
		return fail(err, VMSNAP_ERR_TOO_LARGE, "process %d has more than %d MiB of %s", (int)pid,
		            PROCDIR_TEXT_MAX >> 20, what);
	default:
		if (!pid)
			return fail_sys(err, saved_errno, "cannot read %s of the process", what);
		return fail_sys(err, saved_errno, "cannot read %s of process %d", what, (int)pid);
	}
}

int proc_stat_parse(const char *text, size_t len, struct proc_stat *out)
{
	/* comm, field 2, may hold anything, ')' too: the fields go on after the last one. */
	const char *close = memrchr(text, ')', len);
	if (!close)
		return VMSNAP_ERR_PROC;
	struct cursor c = { close + 1, text + len };
	*out = (struct proc_stat){ 0 };
	for (int field = 3; field <= 51; field++) {
		if (!take_char(&c, ' '))
			return field > 24 ? VMSNAP_OK : VMSNAP_ERR_PROC;
		struct cursor part = take_until(&c, ' ');
		c.at -= c.at != c.end;
		if (field == 3) {
			out->state = part.at < part.end ? *part.at : '?';
			continue;
		}
		uint64_t value = 0;
		take_decimal(&part, &value);
		if (field == 4)
			out->ppid = (uint32_t)value;
		else if (field == 9) {
			out->kernel_thread = value & KERNEL_THREAD_FLAG;
			out->forked = value & FORKED_FLAG;
		} else if (field == 10 || field == 12)
			out->faults += value;
		else if (field == 20)
			out->threads = value;
		else if (field == 22)
			out->start_time = value;
		else if (field == 23)
			out->size = value;
		else if (field == 24)
			out->resident = value;
		else if (field == 26)
			out->start_code = value == 1 ? 0 : value; /* 1: it is not told */
		else if (field == 28)
			out->start_stack = value;
		else if (field == 48)
			out->arg_start = value;
		else if (field == 49)
			out->arg_end = value;
		else if (field == 50)
			out->env_start = value;
		else if (field == 51)
			out->env_end = value;
	}
	return VMSNAP_OK;
}

int procdir_stat(int procdir, struct proc_stat *out, struct vmsnap_error *err)
{
	struct proc_text text = { 0 };
	int error = procdir_read(procdir, "stat", &text);
	int rc = VMSNAP_OK;
	if (error)
		rc = procdir_fail(error, 0, "stat", err);
	else if (proc_stat_parse(text.text, text.len, out))
		rc = fail_at(err, VMSNAP_ERR_PROC, 1, "/proc/PID/stat: expected 24 fields or more");
	proc_text_free(&text);
	return rc;
}

static int each_entry(const char *entries, size_t len, int (*fn)(void *ctx, pid_t number), void *ctx)
{
	int stop = 0;
	for (size_t at = 0; at < len && !stop;) {
		const struct dirent *entry = (const struct dirent *)(const void *)(entries + at);
		struct cursor c = { entry->d_name, entry->d_name + strlen(entry->d_name) };
		uint64_t number;
		at += entry->d_reclen;
		if (take_decimal(&c, &number) && c.at == c.end)
			stop = fn(ctx, (pid_t)number);
	}
	return stop;
}

/* Takes the descriptor over; below 0: errno says why there is none.  A stream of the C library takes three calls more
 * of the kernel, and there is a list for each ancestor of who is captured. */
static int each_number(int fd, int (*fn)(void *ctx, pid_t number), void *ctx)
{
	if (fd < 0)
		return -errno;
	enum { ENTRIES_BYTES = 16384 };
	_Alignas(struct dirent) char entries[ENTRIES_BYTES];
	int stop = 0, error = 0;
	for (ssize_t got = 1; !stop && got > 0;) {
		got = syscall(SYS_getdents64, fd, entries, sizeof(entries));
		error = got < 0 ? errno : 0;
		stop = got > 0 ? each_entry(entries, (size_t)got, fn, ctx) : 0;
	}
	close(fd);
	/* Half a list must not pass for a whole one. */
	return stop ? stop : -error;
}

int procdir_each_task(int procdir, int (*fn)(void *ctx, pid_t tid), void *ctx)
{
	return each_number(openat(procdir, "task", O_RDONLY | O_DIRECTORY | O_CLOEXEC), fn, ctx);
}

int procdir_each_process(int (*fn)(void *ctx, pid_t pid), void *ctx)
{
	return each_number(open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC), fn, ctx);
}

static int find_living_thread(void *ctx, pid_t tid)
{
	int *fds = ctx; /* the process's directory, and the result */
	char name[32];
	snprintf(name, sizeof(name), "task/%d", (int)tid);
	int fd = openat(fds[0], name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct proc_stat stat;
	if (fd < 0 || procdir_stat(fd, &stat, NULL) || stat.state == 'Z' || stat.state == 'X') {
		if (fd >= 0)
			close(fd);
		return 0;
	}
	fds[1] = fd;
	return 1;
}

int procdir_living_thread(int procdir)
{
	int fds[2] = { procdir, -1 };
	procdir_each_task(procdir, find_living_thread, fds);
	return fds[1];
}

/* Another user's, by signal 0, which reaches nobody.  Only where /proc has our own numbers: another PID
 * namespace has others. */
static bool is_hidden(pid_t pid)
{
	char self[24] = "";
	ssize_t len = readlink("/proc/self", self, sizeof(self) - 1);
	return len > 0 && strtol(self, NULL, 10) == getpid() && kill(pid, 0) && errno == EPERM;
}

/* That /proc shows no such process is no proof that there is none. */
static int fail_not_there(pid_t pid, struct vmsnap_error *err)
{
	struct statfs fs;
	if (statfs("/proc", &fs) || fs.f_type != PROC_SUPER_MAGIC)
		return fail(err, VMSNAP_ERR_NO_PROCESS,
		            "no process %d can be looked at: /proc is not mounted (mount -t proc proc /proc)",
		            (int)pid);
	if (is_hidden(pid))
		return fail(err, VMSNAP_ERR_NO_PROCESS,
		            "no process %d is shown in /proc, though there is one: it hides those of others (mount "
		            "option hidepid), and root sees them",
		            (int)pid);
	return fail(err, VMSNAP_ERR_NO_PROCESS, "no process %d (ps -e lists those that there are)", (int)pid);
}

int procdir_open_any(pid_t pid, int *out, struct vmsnap_error *err)
{
	char path[32];
	if (pid <= 0)
		return fail(err, VMSNAP_ERR_ARGUMENT, "%d is not a process ID: expected a number above 0", (int)pid);
	snprintf(path, sizeof(path), "/proc/%d", (int)pid);
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	/* ESRCH: it went between the two steps of opening its directory (seen on Linux 6.18). */
	if (fd < 0 && (errno == ENOENT || errno == ESRCH))
		return fail_not_there(pid, err);
	if (fd < 0)
		return fail_sys(err, errno, "cannot open %s", path);
	*out = fd;
	return VMSNAP_OK;
}

/* The kernel's quick answer comes first: it knows no process of a thread's number. */
pid_t procdir_process_of_thread(int procdir, pid_t pid)
{
	static const char key[] = "\nTgid:\t";
	struct proc_text text = { 0 };
	uint64_t process = 0;
	if (!syscall(SYS_tgkill, pid, pid, 0) || errno != ESRCH)
		return 0;
	const char *line = procdir_read(procdir, "status", &text) ? NULL : strstr(text.text, key);
	if (line) {
		struct cursor c = { line + sizeof(key) - 1, text.text + text.len };
		take_decimal(&c, &process);
	}
	proc_text_free(&text);
	return process == (uint64_t)pid ? 0 : (pid_t)process;
}

int procdir_open_stat(pid_t pid, int *out, struct proc_stat *stat, struct vmsnap_error *err)
{
	int fd, rc = procdir_open_any(pid, &fd, err);
	if (rc)
		return rc;
	rc = procdir_stat(fd, stat, err);
	if (!rc && stat->kernel_thread)
		rc = fail(err, VMSNAP_ERR_KERNEL_THREAD, "process %d is a kernel thread: it has no address space",
		          (int)pid);
	CLEANUP_CLOSE int living = !rc && (stat->state == 'Z' || stat->state == 'X') ? procdir_living_thread(fd) : -1;
	if (!rc && (stat->state == 'Z' || stat->state == 'X') && living < 0)
		rc = fail(err, VMSNAP_ERR_ZOMBIE,
		          "process %d is a zombie: it has exited and only waits to be reaped by process %u", (int)pid,
		          stat->ppid);
	if (rc) {
		close(fd);
		return rc;
	}
	*out = fd;
	return VMSNAP_OK;
}

int procdir_open(pid_t pid, int *out, struct vmsnap_error *err)
{
	struct proc_stat stat;
	return procdir_open_stat(pid, out, &stat, err);
}
