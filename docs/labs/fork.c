/* fork - a parent, a child, and sixteen pages that both have.
 *
 *   fork    makes the child
 *   child   the child writes to pages 0 to 3, and reads 4 to 7
 *   parent  the parent writes to pages 0 and 1, where the child was first, and to 8 and 9 */
#define _GNU_SOURCE
#include "lab.h"
#include <signal.h>

enum { PAGES = 16 };

static volatile char *table;
static size_t page;

static void write_pages(int first, int end)
{
	for (int i = first; i < end; i++)
		table[(size_t)i * page] = 2;
}

static _Noreturn void be_child(int words, int answers)
{
	char byte;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (read(words, &byte, 1) == 1) {
		write_pages(0, 4);
		for (size_t i = 4; i < 8; i++)
			(void)table[i * page];
		if (write(answers, &byte, 1) != 1)
			break;
	}
	_exit(0);
}

int main(void)
{
	int words[2], answers[2];
	char byte = 0;
	page = (size_t)sysconf(_SC_PAGESIZE);
	table = own_memory(PAGES * page);
	memset((void *)table, 1, PAGES * page);
	if (pipe(words) || pipe(answers))
		cannot("pipe");
	begin();
	say_range("table", table, PAGES * page);
	for (;;) {
		const char *word = next_word();
		if (!strcmp(word, "fork")) {
			pid_t child = fork();
			if (child < 0)
				cannot("fork");
			if (!child) {
				close(words[1]);
				prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY);
				be_child(words[0], answers[1]);
			}
			printf("pids %d %d\n", (int)getpid(), (int)child);
		} else if (!strcmp(word, "child")) {
			if (write(words[1], &byte, 1) != 1 || read(answers[0], &byte, 1) != 1)
				cannot("reach the child");
		} else if (!strcmp(word, "parent")) {
			write_pages(0, 2);
			write_pages(8, 10);
		}
	}
}
