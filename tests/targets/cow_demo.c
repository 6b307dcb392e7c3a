/* cow_demo [wait] - forks, and lets one side write when told to.
 *
 * With "wait" it is ready once before it forks, and forks after the next word.  Then
 * it says "pids PARENT CHILD", and obeys:
 *   write   the child writes to global_counter, to a local variable and to three
 *           of the 16 pages of table
 *   parent  the parent writes to the last page of table */
#define _GNU_SOURCE
#include "target.h"

enum { ROWS = 16, ROW_INTS = PAGE / sizeof(int) };

/* On pages that nothing else writes to. */
_Alignas(PAGE) int global_counter = 1;
static _Alignas(PAGE) int table[ROWS][ROW_INTS];

/* A local variable alone on its page: the frames of functions that are called
 * lie below it, those of our callers above. */
struct roomy {
	char below[2 * PAGE];
	volatile int counter;
	char above[2 * PAGE];
};

static void child_main(int commands, int answers, struct roomy *local)
{
	char byte;
	die_with_parent();
	while (read(commands, &byte, 1) == 1) {
		global_counter = 42;
		local->counter = 42;
		for (int row = 3; row < 6; row++)
			table[row][0] = 42;
		if (write(answers, &byte, 1) != 1)
			break;
	}
	_exit(0);
}

static _Noreturn void obey(int commands, int answers)
{
	for (char byte = 0;;) {
		const char *word = next_command();
		if (!strcmp(word, "write")) {
			if (write(commands, &byte, 1) != 1 || read(answers, &byte, 1) != 1)
				cannot("reach the child");
		} else if (!strcmp(word, "parent")) {
			table[ROWS - 1][0] = 7;
		}
	}
}

int main(int argc, char **argv)
{
	struct roomy local;
	int commands[2], answers[2];
	memset(&local, 1, sizeof(local));
	for (int row = 0; row < ROWS; row++)
		table[row][1] = row;
	/* Where Yama restricts ptrace, whoever may read us may stop us, too. */
	prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY);
	if (pipe(commands) || pipe(answers))
		cannot("make a pipe");

	say_range("global_counter", &global_counter, sizeof(global_counter));
	say_range("local_counter", &local.counter, sizeof(local.counter));
	say_range("table", table, sizeof(table));
	if (argc > 1 && !strcmp(argv[1], "wait"))
		next_command();

	pid_t child = fork();
	if (child < 0)
		cannot("fork");
	if (!child) {
		close(commands[1]);
		close(answers[0]);
		child_main(commands[0], answers[1], &local);
	}
	close(commands[0]);
	close(answers[1]);
	say("pids %d %d\n", (int)getpid(), (int)child);
	obey(commands[1], answers[0]);
}
