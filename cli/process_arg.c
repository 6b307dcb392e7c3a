#define _GNU_SOURCE
#include "process_arg.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

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

/* Signal 0 reaches nobody, and is for a process of that number only.  To read what /proc tells of it takes 50 us. */
static bool is_process(pid_t pid)
{
	return !syscall(SYS_tgkill, pid, pid, 0) || errno == EPERM;
}

static pid_t process_meant(pid_t pid)
{
	struct vmsnap_process process = { .size = sizeof(process) };
	if (is_process(pid) || vmsnap_process_now(pid, &process, NULL) || !process.tgid ||
	    process.tgid == (uint32_t)pid)
		return pid;
	say("%d is a thread of process %u: that is taken", (int)pid, (unsigned)process.tgid);
	return (pid_t)process.tgid;
}

static int process_number(const char *word, pid_t *number)
{
	const char *digits = process_digits(word);
	char *end;
	errno = 0;
	long value = strtol(digits, &end, 10);
	if (!*digits || digits[strspn(digits, "0123456789")])
		return trouble("'%s' is not a process: expected its number, as in 1234 or pid:1234%s", word,
		               digits == word ? ", or --match NAME" : "");
	if (errno || value < 1 || value > INT_MAX)
		return trouble("'%s' is not a process: there is no such number", word);
	*number = (pid_t)value;
	return STATUS_OK;
}

static size_t find_pid(const struct processes *processes, pid_t pid)
{
	size_t i = 0;
	while (i < processes->count && processes->pids[i] != pid)
		i++;
	return i;
}

/* Room for one more of each. */
static bool make_room(struct processes *processes)
{
	pid_t *pids = realloc(processes->pids, (processes->count + 1) * sizeof(*pids));
	processes->pids = pids ? pids : processes->pids;
	struct named_process *named = realloc(processes->named, (processes->named_count + 1) * sizeof(*named));
	processes->named = named ? named : processes->named;
	return pids && named;
}

int processes_add(struct processes *processes, const char *word, size_t *index)
{
	pid_t number = 0;
	int status = process_number(word, &number);
	for (size_t i = 0; !status && i < processes->named_count; i++) {
		if (processes->named[i].number != number)
			continue;
		*index = processes->named[i].index;
		return STATUS_OK;
	}
	if (status || !make_room(processes))
		return status ? status : trouble("out of memory");
	pid_t pid = process_meant(number);
	*index = find_pid(processes, pid);
	if (*index == processes->count)
		processes->pids[processes->count++] = pid;
	processes->named[processes->named_count++] = (struct named_process){ number, *index };
	return STATUS_OK;
}

int processes_parse(char *const *words, int count, struct processes *out)
{
	size_t index;
	int status = STATUS_OK;
	for (int i = 0; !status && i < count; i++)
		status = processes_add(out, words[i], &index);
	return status;
}

int processes_add_pid(struct processes *processes, pid_t pid)
{
	if (find_pid(processes, pid) < processes->count)
		return STATUS_OK;
	if (!make_room(processes))
		return trouble("out of memory");
	processes->pids[processes->count++] = pid;
	return STATUS_OK;
}

bool processes_were_found(const struct options *options)
{
	return options->cgroup.count || options->match.count;
}

void processes_free(struct processes *processes)
{
	free(processes->pids);
	free(processes->named);
	*processes = (struct processes){ 0 };
}
