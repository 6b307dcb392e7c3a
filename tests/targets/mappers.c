/* mappers - processes that map one page, one memfd and one library, by numbers that are known:
 *
 *   page     private memory that four children had from their parent; child 0 has written there since
 *   ring     a memfd that the parent maps twice, and children 1 and 2 once
 *   patched  the page of a function of the C library, that child 3 has written to
 *
 * "child N PID", "companion PID": of one that has the parent's memory (CLONE_VM), "ring FD". */
#define _GNU_SOURCE
#include <sched.h>

#include "target.h"

/* arm64 has no poll(2) of old. */
#ifdef SYS_poll
#define WAIT_FOR_EVER() syscall(SYS_poll, NULL, 0, -1)
#else
#define WAIT_FOR_EVER() syscall(SYS_ppoll, NULL, 0, NULL, NULL, 0)
#endif

enum { CHILDREN = 4, RING_PAGES = 3 };

static char *page_of(const void *address)
{
	uintptr_t at = (uintptr_t)address;
	return (char *)(at - at % PAGE);
}

/* Nobody calls it, and it is as it was afterwards. */
static char *patched_page(void)
{
	char *(*function)(char *) = strfry;
	void *address;
	memcpy(&address, &function, sizeof(address));
	return page_of(address);
}

static void patch(void)
{
	char *page = patched_page();
	if (mprotect(page, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC))
		cannot("patch a library");
	*(volatile char *)page = *(volatile char *)page;
	if (mprotect(page, PAGE, PROT_READ | PROT_EXEC))
		cannot("patch a library");
}

static void touch(volatile char *memory)
{
	memory[0] = 1;
}

static _Noreturn void be_child(int number, int ring, char *page, int done)
{
	die_with_parent();
	if (number == 0)
		touch(page);
	if (number == 1 || number == 2)
		touch(map_memory(RING_PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, ring));
	if (number == 3)
		patch();
	if (write(done, "x", 1) != 1)
		_exit(1);
	for (;;)
		pause();
}

/* It runs on a page of its own, and uses nothing else of the memory. */
static int be_companion(void *argument)
{
	(void)argument;
	syscall(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	for (;;)
		WAIT_FOR_EVER();
	return 0;
}

int main(void)
{
	die_with_parent();
	char *page = map_apart(1);
	int ring = memfd_create("ring", MFD_CLOEXEC), done[2];
	if (ring < 0 || ftruncate(ring, RING_PAGES * PAGE) || pipe2(done, O_CLOEXEC))
		cannot("make a memfd");
	touch(page);
	char *first = map_memory(RING_PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, ring);
	char *second = map_memory(RING_PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, ring);
	for (int i = 0; i < CHILDREN; i++) {
		pid_t pid = fork();
		if (pid == 0) {
			/* What the parent has mapped of it is not the child's. */
			munmap(first, RING_PAGES * PAGE);
			munmap(second, RING_PAGES * PAGE);
			be_child(i, ring, page, done[1]);
		}
		char byte;
		if (pid < 0 || read(done[0], &byte, 1) != 1)
			cannot("fork");
		say("child %d %d\n", i, (int)pid);
	}
	touch(first);
	touch(second);
	char *stack = map_private(16 * PAGE);
	pid_t companion = clone(be_companion, stack + 16 * PAGE, CLONE_VM | SIGCHLD, NULL);
	if (companion < 0)
		cannot("clone");
	say("companion %d\n", (int)companion);
	say("ring %d\n", ring);
	say_range("page", page, PAGE);
	say_range("first", first, RING_PAGES * PAGE);
	say_range("second", second, RING_PAGES * PAGE);
	say_range("patched", patched_page(), PAGE);
	stand_still();
}
