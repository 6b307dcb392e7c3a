/* vdso [without] - what the vdso saves: the time, asked for with it and without it.
 *
 * "without" starts the program once more and takes the address of the vdso from what the kernel tells it
 * (AT_SYSINFO_EHDR in its auxiliary vector), so that the C library makes system calls; then it unmaps the vdso.
 *   time    asks a million times each way, and says how long one took
 *   forbid  has the kernel refuse the system call, and asks again */
#define _GNU_SOURCE
#include "lab.h"
#include <elf.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/auxv.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

static unsigned long word_at(pid_t pid, unsigned long at)
{
	errno = 0;
	unsigned long word = (unsigned long)ptrace(PTRACE_PEEKDATA, pid, (void *)at, NULL);
	if (errno)
		cannot("read the stack of the program");
	return word;
}

/* Where the stack of a program begins that has not run yet: field 28 of /proc/PID/stat. */
static unsigned long stack_of(pid_t pid)
{
	char path[32], text[1024];
	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	int fd = open(path, O_RDONLY);
	ssize_t length = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	close(fd);
	text[length < 0 ? 0 : length] = 0;
	const char *field = strrchr(text, ')');
	for (int i = 2; field && i < 28; i++)
		field = strchr(field + 1, ' ');
	return field ? strtoul(field, NULL, 10) : 0;
}

/* On that stack lie argc, argv, a 0, the environment, a 0, and the auxiliary vector. */
static void hide_vdso(pid_t pid)
{
	const unsigned long size = sizeof(unsigned long);
	unsigned long at = stack_of(pid);
	if (!at)
		cannot("find the stack of the program");
	at += (word_at(pid, at) + 2) * size;
	while (word_at(pid, at))
		at += size;
	for (at += size; word_at(pid, at) != AT_NULL; at += 2 * size)
		if (word_at(pid, at) == AT_SYSINFO_EHDR && ptrace(PTRACE_POKEDATA, pid, (void *)at, (void *)AT_IGNORE))
			cannot("write to the stack of the program");
}

/* We become the program without it: the parent stays between us and the terminal. */
static void start_without(char *program)
{
	int status;
	pid_t pid = fork();
	if (pid < 0)
		cannot("fork");
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (ptrace(PTRACE_TRACEME, 0, NULL, NULL))
			cannot("trace a program");
		execl("/proc/self/exe", program, "hidden", (char *)NULL);
		_exit(77);
	}
	waitpid(pid, &status, 0);
	if (WIFSTOPPED(status)) {
		hide_vdso(pid);
		ptrace(PTRACE_DETACH, pid, NULL, NULL);
		waitpid(pid, &status, 0);
	}
	_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
}

/* Finds a mapping by its name in /proc/self/maps. */
static int find(const char *name, unsigned long *start, unsigned long *end)
{
	char line[512];
	int found = 0;
	FILE *maps = fopen("/proc/self/maps", "r");
	while (maps && !found && fgets(line, sizeof(line), maps))
		found = strstr(line, name) && sscanf(line, "%lx-%lx", start, end) == 2;
	if (maps)
		fclose(maps);
	return found;
}

static double now(void)
{
	struct timespec time;
	syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

static void measure(void)
{
	enum { TIMES = 1000000 };
	struct timespec time;
	double start = now();
	for (int i = 0; i < TIMES; i++)
		clock_gettime(CLOCK_MONOTONIC, &time);
	double library = now();
	for (int i = 0; i < TIMES; i++)
		syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &time);
	double kernel = now();
	printf("clock_gettime() takes %.0f ns, the system call %.0f ns\n", (library - start) / TIMES,
	       (kernel - library) / TIMES);
}

/* From now on the system call fails with EPERM. */
static void forbid(void)
{
	struct sock_filter rules[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clock_gettime, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { sizeof(rules) / sizeof(rules[0]), rules };
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
		cannot("forbid system calls");
}

/* A clock that the vdso knows whatever the hardware is. */
static void ask(void)
{
	struct timespec time;
	errno = 0;
	syscall(SYS_clock_gettime, CLOCK_MONOTONIC_COARSE, &time);
	printf("the system call: %s\n", errno ? strerror(errno) : "the time");
	errno = 0;
	clock_gettime(CLOCK_MONOTONIC_COARSE, &time);
	printf("clock_gettime(): %s\n", errno ? strerror(errno) : "the time");
}

int main(int argc, char **argv)
{
	unsigned long start, end;
	if (argc > 1 && !strcmp(argv[1], "without"))
		start_without(argv[0]);
	begin();
	printf("the kernel told of a vdso: %s\n", getauxval(AT_SYSINFO_EHDR) ? "yes" : "no");
	if (find("[vdso]", &start, &end)) {
		say_range("vdso", (char *)start, end - start);
		if (argc > 1 && !strcmp(argv[1], "hidden"))
			munmap((void *)start, end - start);
	}
	if (find("[vvar]", &start, &end))
		say_range("vvar", (char *)start, end - start);
	ask();
	for (;;) {
		const char *word = next_word();
		if (!strcmp(word, "time"))
			measure();
		else if (!strcmp(word, "forbid")) {
			forbid();
			ask();
		}
	}
}
