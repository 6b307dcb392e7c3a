/* left.c - what the kernel says of a process after a capture. */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "driver.h"

/* For a thread to be seen running once: somebody else may stop the process, too. */
enum { LOOKS = 120000 };

/* The start of a file of /proc; "" if the thread is gone. */
static void read_text(const char *path, char *text, size_t room)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t len = fd < 0 ? -1 : read(fd, text, room - 1);
	if (fd >= 0)
		close(fd);
	text[len > 0 ? len : 0] = 0;
}

static char state_of(const char *status)
{
	const char *line = strstr(status, "\nState:\t");
	return line ? line[8] : 'X';
}

static void check_thread(const char *path)
{
	char status[4096];
	read_text(path, status, sizeof(status));
	const char *tracer = strstr(status, "\nTracerPid:\t");
	if (tracer && atoi(tracer + 12)) {
		wrong("%s: traced by %d", path, atoi(tracer + 12));
		return;
	}
	for (int look = 0; state_of(status) == 'T' || state_of(status) == 't'; look++) {
		if (look == LOOKS) {
			wrong("%s: left stopped", path);
			return;
		}
		usleep(1000);
		read_text(path, status, sizeof(status));
	}
}

/* Calls check_thread() for each, and itself for its children. */
static void check_process(int pid, bool tree)
{
	char path[64], children[4096];
	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	DIR *dir = opendir(path);
	if (!dir)
		return; /* a child that has ended; that the target has not, it will say itself */
	for (struct dirent *entry; (entry = readdir(dir));) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "/proc/%d/task/%.20s/status", pid, entry->d_name);
		check_thread(path);
	}
	closedir(dir);
	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", pid, pid);
	read_text(path, children, tree ? sizeof(children) : 1);
	char *rest = children;
	for (char *word; (word = strtok_r(rest, " ", &rest));)
		check_process(atoi(word), tree);
}

/* Before ten thousand threads that all want a processor, where we may: only the look is in a hurry, not what is
 * looked at.  Without it most of the time of a capture went by here. */
void left_as_it_was(const struct plan *plan)
{
	int niceness = getpriority(PRIO_PROCESS, 0);
	(void)setpriority(PRIO_PROCESS, 0, -20); /* of this thread alone */
	check_process((int)plan->pid, plan->tree);
	(void)setpriority(PRIO_PROCESS, 0, niceness);
}
