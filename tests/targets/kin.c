/* kin KIND - processes that have one address space, or had.
 *
 *   clone_vm   a child made by clone(CLONE_VM) that waits
 *   sibling    the same, but a child of our parent (CLONE_PARENT)
 *   orphan     the same, made by another that has ended
 *   fork       an ordinary child that waits
 *   exec       an ordinary child that executes this program, to wait; then, when told to, so do
 *              we, to stand still
 *   wait, stand
 */
#define _GNU_SOURCE
#include "target.h"

#include <sched.h>

enum { STACK = 65536 };

static char *area;
static int lifeline[2]; /* nobody writes to it; it ends with us */
static volatile pid_t made;

/* Not by the death of a parent, which may not be us. */
static int wait_for_the_end(void *nothing)
{
	char byte;
	(void)nothing;
	close(lifeline[1]);
	while (read(lifeline[0], &byte, 1) < 0 && errno == EINTR) {
	}
	_exit(0);
}

static pid_t clone_vm(int (*act)(void *), int flags)
{
	char *stack = map_private(STACK);
	pid_t child = clone(act, stack + STACK, CLONE_VM | flags, NULL);
	if (child < 0)
		cannot("clone");
	return child;
}

static int make_another(void *nothing)
{
	(void)nothing;
	made = clone_vm(wait_for_the_end, SIGCHLD);
	_exit(0);
}

static pid_t orphan(void)
{
	pid_t between = clone_vm(make_another, SIGCHLD);
	waitpid(between, NULL, 0);
	return made;
}

/* Comes back when the child has executed the program, if there is one. */
static pid_t forked(char **program)
{
	char byte;
	int executed[2];
	if (pipe2(executed, O_CLOEXEC))
		cannot("pipe");
	pid_t child = fork();
	close(executed[child ? 1 : 0]);
	if (child && program)
		(void)!read(executed[0], &byte, 1);
	if (child)
		return child;
	die_with_parent();
	if (program)
		execv(program[0], program);
	return wait_for_the_end(NULL);
}

int main(int argc, char **argv)
{
	const char *kind = argc > 1 ? argv[1] : "";
	char path[256] = "", *stand[] = { path, "stand", NULL }, *wait[] = { path, "wait", NULL };
	die_with_parent();
	if (!strcmp(kind, "stand"))
		stand_still();
	while (!strcmp(kind, "wait"))
		pause();
	if (readlink("/proc/self/exe", path, sizeof(path) - 1) < 0 || pipe2(lifeline, O_CLOEXEC))
		cannot("begin");
	area = map_apart(16);
	write_pages(area, 0, 16, 1);
	say_range("area", area, 16L * PAGE);
	pid_t child = !strcmp(kind, "clone_vm")  ? clone_vm(wait_for_the_end, SIGCHLD)
	              : !strcmp(kind, "sibling") ? clone_vm(wait_for_the_end, CLONE_PARENT)
	              : !strcmp(kind, "orphan")  ? orphan()
	              : !strcmp(kind, "fork")    ? forked(NULL)
	              : !strcmp(kind, "exec")    ? forked(wait)
	                                         : 0;
	if (child <= 0)
		return 2;
	say("child %d\n", (int)child);
	next_command();
	if (!strcmp(kind, "exec"))
		execv(path, stand);
	stand_still();
}
