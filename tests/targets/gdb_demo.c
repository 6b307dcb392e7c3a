/* gdb_demo [WORKERS] - a small server, for docs/gdb.md and script/demo to look at in gdb.
 *
 * It reads a table of 16 pages, a quarter of it for now, and forks WORKERS (usually one).
 * Each worker handles one request: it writes to `counter`, to `answer`, a local variable of
 * main, and to one page more of the table.  Then it waits until its parent is done, which
 * meanwhile counts in `started`.  With 0 workers it handles five requests itself. */
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PAGE = 4096, ROWS = 16, ROW_INTS = PAGE / sizeof(int), READ_ROWS = 4 };

/* Each on a page of its own, so that one write is one page. */
_Alignas(PAGE) int counter;
_Alignas(PAGE) int started;
_Alignas(PAGE) int table[ROWS][ROW_INTS];

static int words[2], stop[2]; /* from the workers; at its end they end */

static void read_table(void)
{
	for (int row = 0; row < READ_ROWS; row++)
		table[row][0] = row + 1;
	counter = started = 1;
}

static void handle(int request, char *answer)
{
	counter += request;
	table[READ_ROWS + request][0] = request;
	memset(answer, 'a' + request, 3 * PAGE);
}

static void wait_for_parent(void)
{
	char byte = 0;
	if (write(words[1], &byte, 1) == 1)
		while (read(stop[0], &byte, 1) > 0)
			;
}

static _Noreturn void work(int request, char *answer)
{
	close(stop[1]);
	handle(request, answer);
	wait_for_parent();
	_exit(0);
}

static void wait_for_workers(int workers)
{
	char byte;
	while (workers-- > 0 && read(words[0], &byte, 1) == 1)
		;
}

static void finish(void)
{
	close(stop[1]);
	while (wait(NULL) > 0)
		;
}

int main(int argc, char **argv)
{
	char question[3 * PAGE], answer[3 * PAGE];
	int workers = argc > 1 ? atoi(argv[1]) : 1;
	memset(question, '?', sizeof(question));
	memset(answer, '.', sizeof(answer));
	alarm(600); /* forgotten in a debugger, it ends by itself */
	if (pipe(words) || pipe(stop))
		return 2;

	read_table();
	for (int i = 0; workers == 0 && i < 5; i++)
		handle(i, answer);
	for (int i = 0; i < workers; i++) {
		if (fork() == 0)
			work(i, answer);
		started++;
	}
	wait_for_workers(workers);
	finish();
	return question[0] != '?';
}
