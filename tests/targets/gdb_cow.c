/* gdb_cow KIND [COUNT] - forks, and both sides write what is known, for a debugger to stop at.
 *
 *   fork     both sides live until the parent has come past parent_done()
 *   thread   the same, but another thread than the first forks
 *   vfork    the child writes into the parent's memory and ends
 *   double   the child forks a grandchild, which writes, and ends
 *   many     COUNT children one after the other, each writes and ends
 *   brief    the child ends at once
 *   mixed    the same, and then a vfork
 *   two      two children, both of which live until the parent has come past parent_done()
 *
 * last() is called before the parent ends.
 *
 * The child writes first.  At parent_done() the verdicts must be: by_nobody shared,
 * by_child and by_both copied_by_child (the frame is the parent's alone by the time that
 * it writes), by_parent copied_by_parent, fresh_child new_in_child, fresh_parent
 * new_in_parent, zero_child zero_written_by_child; the locals of work(): child_local
 * copied_by_child, parent_local copied_by_parent, quiet_local shared.
 * Exit status 0: everything went as it does without a debugger. */
#define _GNU_SOURCE
#include "target.h"
#include <pthread.h>

struct page {
	_Alignas(PAGE) volatile int value;
	char rest[PAGE - sizeof(int)];
};

struct page by_nobody = { .value = 1 }, by_child = { .value = 1 }, by_parent = { .value = 1 }, by_both = { .value = 1 };
struct page by_grandchild = { .value = 1 };
struct page fresh_child, fresh_parent, zero_child;

/* A local variable alone on its page. */
struct roomy {
	char below[PAGE];
	volatile int counter;
	char above[PAGE];
};

static int to_parent[2], to_child[2];
static const char *kind = "fork";
static int count = 1;
static int result;

__attribute__((noinline)) void before_fork(void) { __asm__ volatile(""); }
__attribute__((noinline)) void child_done(void) { __asm__ volatile(""); }
__attribute__((noinline)) void parent_done(void) { __asm__ volatile(""); }
__attribute__((noinline)) void last(void) { __asm__ volatile(""); }

static void touch_all(void)
{
	struct page *pages[] = { &by_nobody, &by_child, &by_parent, &by_both, &by_grandchild };
	for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++)
		pages[i]->value = 2;
	(void)zero_child.value; /* read only: the zero page */
}

static _Noreturn void grandchild_side(void)
{
	char byte = 0;
	by_grandchild.value = 42;
	child_done();
	_exit(write(to_parent[1], &byte, 1) != 1);
}

static _Noreturn void child_side(struct roomy *local)
{
	char byte = 0;
	close(to_child[1]);
	if (!strcmp(kind, "brief") || !strcmp(kind, "mixed"))
		_exit(0);
	by_child.value = 42;
	by_both.value = 42;
	fresh_child.value = 42;
	zero_child.value = 42;
	local->counter = 42;
	if (!strcmp(kind, "many"))
		_exit(0);
	if (!strcmp(kind, "double")) {
		if (!fork())
			grandchild_side();
		_exit(0);
	}
	/* The parent is told first and waits for nothing else: a child that a debugger holds
	 * at child_done() holds nobody up. */
	if (write(to_parent[1], &byte, 1) != 1)
		_exit(1);
	child_done();
	while (read(to_child[0], &byte, 1) > 0)
		;
	_exit(0);
}

static void wait_for_child(pid_t child)
{
	int status = 0;
	if (waitpid(child, &status, 0) != child || status)
		result = 2;
}

static bool is_one_of(const char *const *kinds)
{
	while (*kinds && strcmp(kind, *kinds))
		kinds++;
	return *kinds;
}

static void parent_side(pid_t child, struct roomy *local)
{
	static const char *const silent[] = { "many", "brief", "mixed", NULL };
	char byte;
	if (!is_one_of(silent) && read(to_parent[0], &byte, 1) != 1)
		result = 1;
	by_parent.value = 7;
	by_both.value = 7;
	fresh_parent.value = 7;
	local->counter = 7;
	if (!strcmp(kind, "two") || !strcmp(kind, "mixed"))
		return;
	parent_done();
	close(to_child[1]);
	wait_for_child(child);
}

static __attribute__((noinline)) void fork_many(struct roomy *local)
{
	for (int i = 0; i < count; i++) {
		int status;
		pid_t child = fork();
		if (!child)
			child_side(local);
		if (child < 0 || waitpid(child, &status, 0) != child || status)
			result = 3;
	}
	parent_done();
}

static __attribute__((noinline)) void vfork_once(void)
{
	int status;
	pid_t child = vfork();
	if (!child) {
		by_child.value = 42;
		_exit(0);
	}
	if (waitpid(child, &status, 0) != child || status || by_child.value != 42)
		result = 4;
	parent_done();
}

/* Children that were told nothing yet wait for the other end of this to be closed, by each who
 * has it: the second child too. */
static void finish_two(pid_t first, pid_t second)
{
	parent_done();
	close(to_child[1]);
	wait_for_child(first);
	wait_for_child(second);
}

static __attribute__((noinline)) void *work(void *unused)
{
	struct roomy child_local, parent_local, quiet_local;
	memset(&child_local, 1, sizeof(child_local));
	memset(&parent_local, 1, sizeof(parent_local));
	memset(&quiet_local, 1, sizeof(quiet_local));
	touch_all();
	before_fork();
	if (!strcmp(kind, "many")) {
		fork_many(&child_local);
	} else if (!strcmp(kind, "vfork")) {
		vfork_once();
	} else {
		pid_t child = fork();
		if (!child)
			child_side(&child_local);
		parent_side(child, &parent_local);
		if (!strcmp(kind, "mixed")) {
			wait_for_child(child);
			vfork_once();
		}
		if (!strcmp(kind, "two")) {
			pid_t second = fork();
			if (!second)
				child_side(&child_local);
			parent_side(second, &parent_local);
			finish_two(child, second);
		}
	}
	return unused;
}

int main(int argc, char **argv)
{
	if (argc > 1)
		kind = argv[1];
	if (argc > 2)
		count = atoi(argv[2]);
	alarm(300); /* the parent of a detached child is not to be outlived for long */
	if (pipe(to_parent) || pipe(to_child))
		return 5;
	if (!strcmp(kind, "thread")) {
		pthread_t thread;
		if (pthread_create(&thread, NULL, work, NULL) || pthread_join(thread, NULL))
			return 6;
	} else {
		work(NULL);
	}
	last();
	return result;
}
