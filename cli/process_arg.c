#include "process_arg.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "say.h"
#include "vmsnap.h"

static const char *process_digits(const char *word)
{
	return strncmp(word, "pid:", 4) ? word : word + 4;
}

bool word_is_process(const char *word)
{
	const char *digits = process_digits(word);
	/* What begins with "pid:" is meant as a process, even if it is a bad one. */
	return digits != word || (*digits && digits[strspn(digits, "0123456789")] == '\0');
}

static pid_t process_meant(pid_t pid)
{
	struct vmsnap_process process = { .size = sizeof(process) };
	if (vmsnap_process_now(pid, &process, NULL) || !process.tgid || process.tgid == (uint32_t)pid)
		return pid;
	say("%d is a thread of process %u: that is taken", (int)pid, (unsigned)process.tgid);
	return (pid_t)process.tgid;
}

int process_parse(const char *word, pid_t *pid)
{
	const char *digits = process_digits(word);
	char *end;
	errno = 0;
	long number = strtol(digits, &end, 10);
	if (!*digits || digits[strspn(digits, "0123456789")])
		return trouble("'%s' is not a process: expected its number, as in 1234 or pid:1234", word);
	if (errno || number < 1 || number > INT_MAX)
		return trouble("'%s' is not a process: there is no such number", word);
	*pid = process_meant((pid_t)number);
	return STATUS_OK;
}

int processes_add(struct processes *processes, pid_t pid)
{
	for (size_t i = 0; i < processes->count; i++)
		if (processes->pids[i] == pid)
			return (int)i;
	pid_t *pids = realloc(processes->pids, (processes->count + 1) * sizeof(*pids));
	if (!pids)
		return -1;
	processes->pids = pids;
	pids[processes->count] = pid;
	return (int)processes->count++;
}

int processes_parse(char *const *words, int count, struct processes *out)
{
	for (int i = 0; i < count; i++) {
		pid_t pid;
		int status = process_parse(words[i], &pid);
		if (status)
			return status;
		if (processes_add(out, pid) < 0)
			return trouble("out of memory");
	}
	return STATUS_OK;
}
