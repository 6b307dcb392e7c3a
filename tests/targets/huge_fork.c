/* huge_fork - a process whose child has some of its huge pages in part: "child PID", and ranges.  The child
 * writes page 0 of the second and page 17 of the third, and gives up page 0 of the fourth; the first stays whole. */
#define _GNU_SOURCE
#include "target.h"

int main(void)
{
	die_with_parent();
	char *memory = map_aligned(4 * HUGE_PAGE, MAP_PRIVATE);
	if (madvise(memory, 4 * HUGE_PAGE, MADV_HUGEPAGE))
		cannot("ask for huge pages");
	write_pages(memory, 0, 4 * HUGE_PAGE / PAGE, 1);
	int up[2];
	char byte;
	if (pipe(up))
		cannot("pipe");
	pid_t child = fork();
	if (!child) {
		die_with_parent();
		memory[HUGE_PAGE] = 2;
		memory[2 * HUGE_PAGE + 17 * PAGE] = 2;
		if (madvise(memory + 3 * HUGE_PAGE, PAGE, MADV_DONTNEED) || write(up[1], "x", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	if (child < 0 || read(up[0], &byte, 1) != 1)
		cannot("fork");
	say("child %d\n", (int)child);
	say_range("huge", memory, 4 * HUGE_PAGE);
	stand_still();
}
