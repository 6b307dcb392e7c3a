/* inject_calls.c - the system calls that the injector knows. */
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "inject.h"

enum path { NO_PATH, PATH_FIRST, PATH_SECOND };

struct known {
	uint64_t number;
	const char *name;
	enum path path;
	bool named_only; /* made ever so often, depending on the moment: only if asked for */
};

#define CALL(name, path, named_only)                                                                                   \
	{                                                                                                              \
		SYS_##name, #name, path, named_only                                                                    \
	}

static const struct known known[] = {
	CALL(openat, PATH_SECOND, false),
	CALL(openat2, PATH_SECOND, false),
#ifdef SYS_open
	CALL(open, PATH_FIRST, false),
	CALL(access, PATH_FIRST, false),
	CALL(readlink, PATH_FIRST, false),
	CALL(poll, NO_PATH, false),
#endif
	CALL(read, NO_PATH, false),
	CALL(pread64, NO_PATH, false),
	CALL(write, NO_PATH, false),
	CALL(pwrite64, NO_PATH, false),
	CALL(writev, NO_PATH, false),
	CALL(close, NO_PATH, false),
	CALL(lseek, NO_PATH, false),
	CALL(ioctl, NO_PATH, false),
	CALL(fcntl, NO_PATH, false),
	CALL(flock, NO_PATH, false),
	CALL(fsync, NO_PATH, false),
	CALL(ftruncate, NO_PATH, false),
	CALL(fstat, NO_PATH, false),
	CALL(newfstatat, PATH_SECOND, false),
	CALL(fstatfs, NO_PATH, false),
	CALL(faccessat, PATH_SECOND, false),
	CALL(faccessat2, PATH_SECOND, false),
	CALL(readlinkat, PATH_SECOND, false),
	CALL(getdents64, NO_PATH, false),
	CALL(linkat, PATH_SECOND, false),
	CALL(unlinkat, PATH_SECOND, false),
	CALL(renameat, PATH_SECOND, false),
	CALL(renameat2, PATH_SECOND, false),
	CALL(mmap, NO_PATH, false),
	CALL(mremap, NO_PATH, false),
	CALL(mprotect, NO_PATH, false),
	CALL(madvise, NO_PATH, false),
	CALL(brk, NO_PATH, false),
	CALL(clone, NO_PATH, false),
	CALL(clone3, NO_PATH, false),
	CALL(ptrace, NO_PATH, false),
	CALL(uname, NO_PATH, false),
	CALL(prlimit64, NO_PATH, false),
	CALL(capget, NO_PATH, false),
	CALL(capset, NO_PATH, false),
	CALL(getrandom, NO_PATH, false),
	CALL(sched_getaffinity, NO_PATH, false),
	CALL(kill, NO_PATH, false),
	CALL(waitid, NO_PATH, true),
	CALL(prctl, NO_PATH, true),
	CALL(munmap, NO_PATH, true),
	CALL(futex, NO_PATH, true),
	CALL(sched_yield, NO_PATH, true),
	CALL(clock_nanosleep, NO_PATH, true),
};

static const struct known *find(uint64_t number)
{
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (known[i].number == number)
			return &known[i];
	return NULL;
}

bool call_known(size_t index, uint64_t *number)
{
	if (index >= sizeof(known) / sizeof(known[0]))
		return false;
	*number = known[index].number;
	return true;
}

const char *call_name(uint64_t number)
{
	const struct known *call = find(number);
	return call ? call->name : NULL;
}

static bool is_one_of(const char *name, const char *names)
{
	size_t len = strlen(name);
	for (const char *at = names; (at = strstr(at, name)); at += len)
		if ((at == names || at[-1] == ',') && (at[len] == ',' || !at[len]))
			return true;
	return false;
}

bool call_is_meant(const struct plan *plan, const struct call *call)
{
	const struct known *known_call = find(call->number);
	if (!known_call)
		return false;
	return plan->only ? is_one_of(known_call->name, plan->only) : !known_call->named_only;
}

void call_describe(pid_t tid, const struct call *call, char *text, size_t size)
{
	const struct known *known_call = find(call->number);
	char path[160] = "";
	if (known_call && known_call->path != NO_PATH) {
		struct iovec to = { path, sizeof(path) - 1 };
		struct iovec from = { (void *)(uintptr_t)call->args[known_call->path == PATH_SECOND],
			              sizeof(path) - 1 };
		ssize_t len = process_vm_readv(tid, &to, 1, &from, 1, 0);
		path[len > 0 ? len : 0] = '\0';
		for (char *at = path; *at; at++)
			if (*at < ' ' || *at > '~')
				*at = '?';
		snprintf(text, size, "%s %s", known_call->name, path);
		return;
	}
	snprintf(text, size, "%s %ld", known_call ? known_call->name : "?", (long)call->args[0]);
}

int call_length_argument(uint64_t number)
{
	switch (number) {
	case SYS_read:
	case SYS_pread64:
	case SYS_write:
	case SYS_pwrite64:
		return 2;
	default:
		return -1;
	}
}
