/* cow_kinds - a process that forks with memory of every kind, and whose child and
 * parent then do to it what the names of the areas say.  "child PID" says who; what is
 * done is done once a command arrives. */
#define _GNU_SOURCE
#include "target.h"

enum { COUNT = 32 };

static char *thp, *hugetlb, *swapped, *plain, *unmapped, *replaced, *protected, *moved, *fresh;

static void make_areas(void)
{
	thp = map_aligned(HUGE_PAGE, MAP_PRIVATE);
	madvise(thp, HUGE_PAGE, MADV_HUGEPAGE);
	write_pages(thp, 0, 1, 1);
	say_range("thp", thp, HUGE_PAGE);
	hugetlb = mmap(NULL, HUGE_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);
	if (hugetlb != MAP_FAILED) {
		write_pages(hugetlb, 0, 1, 1);
		say_range("hugetlb", hugetlb, HUGE_PAGE);
	}
	char **all[] = { &swapped, &plain, &unmapped, &replaced, &protected, &moved };
	static const char *const names[] = { "swapped", "plain", "unmapped", "replaced", "protected", "moved_from" };
	for (int i = 0; i < 6; i++) {
		*all[i] = map_apart(COUNT);
		write_pages(*all[i], 0, COUNT, 1);
		say_range(names[i], *all[i], COUNT * PAGE);
	}
	madvise(swapped, COUNT * PAGE, 21 /* MADV_PAGEOUT */);
	fresh = map_apart(COUNT);
	say_range("moved_to", fresh, COUNT * PAGE);
}

static void act_as_child(void)
{
	write_pages(thp, 100, 103, 1);
	if (hugetlb != MAP_FAILED)
		write_pages(hugetlb, 7, 8, 1);
	write_pages(swapped, 0, 4, 1);
	write_pages(plain, 0, 5, 1);
	munmap(unmapped, COUNT * PAGE);
	mmap(replaced, COUNT * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	write_pages(replaced, 0, 3, 1);
	mprotect(protected, COUNT * PAGE, PROT_READ);
	mremap(moved, COUNT * PAGE, COUNT * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, fresh);
}

int main(void)
{
	die_with_parent();
	make_areas();
	int down[2], up[2];
	char byte;
	if (pipe(down) || pipe(up))
		cannot("pipe");
	pid_t child = fork();
	if (!child) {
		die_with_parent();
		if (read(down[0], &byte, 1) != 1)
			_exit(0);
		act_as_child();
		if (write(up[1], "x", 1) != 1)
			_exit(0);
		for (;;)
			pause();
	}
	say("child %d\n", (int)child);
	next_command();
	if (write(down[1], "x", 1) != 1 || read(up[0], &byte, 1) != 1)
		cannot("wait for the child");
	write_pages(plain, 8, 10, 1);
	write_pages(plain, 0, 2, 1); /* the second writer reuses the frame */
	stand_still();
}
