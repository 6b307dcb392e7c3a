/* gdb_steps KIND [COUNT] - does one known thing to its memory between two calls of step(),
 * for a debugger to stop at.
 *
 *   write    step(i) is called after page i of pages[] was first written to, COUNT times
 *   move     step(0), moves the pages at `moving`, step(1), unmaps the first of them, step(2)
 *   exec     step(0), then the same program again with "write COUNT"
 *   crash    step(0), then a write to address 0
 *   loop     never ends, and calls step() a hundred times a second
 *   patch    step(0), writes to the code of apart() as a hook does, step(1)
 *   lay      step(0), puts other memory in the place of apart(), which has a page of its own,
 *            step(1), maps memory that can be written to and executed, step(2)
 *   vla      step() from a function with arrays of COUNT pages and COUNT by 3 ints
 *   deep     COUNT calls of deep(), each with a local of its own, then step()
 *   frames   step() out of frames that lie in one place or another, inner_at[] tells where, and behind(); for step()
 *            the stack pointer is always the same
 * Exit status 0, or 3 after "write" with 3 pages, so that it can be told from others. */
#define _GNU_SOURCE
#include "target.h"
#include <time.h>

enum { PAGES = 64 };

struct page {
	_Alignas(PAGE) volatile int value;
	char rest[PAGE - sizeof(int)];
};

/* Not there before they are written to: on a kernel without soft-dirty bits a write to a
 * page that is ours alone changes nothing that can be seen. */
struct page pages[PAGES];
struct page other_page;
int small = 5;
struct node {
	struct node *next;
	int number;
} second = { NULL, 2 }, first = { &second, 1 };
static int hidden_static = 3;

__attribute__((noinline)) void step(int number)
{
	int doubled = 2 * number;
	register int in_register = number + 5;
	__asm__ volatile("" : : "r"(doubled), "r"(in_register));
}

/* To be called by the debugger. */
__attribute__((noinline)) int called(int number)
{
	volatile char room[2 * PAGE];
	room[0] = (char)number;
	other_page.value = number;
	return number + room[0];
}

static __attribute__((noinline)) void write_pages_of(int count)
{
	int number;
	char buffer[3 * PAGE];
	for (int round = 0; round < 2; round++) /* calls of the C library bring more pages in */
		memset(buffer, round, sizeof(buffer));
	for (number = 0; number < count; number++) {
		pages[number % PAGES].value = number + 2;
		step(number);
	}
}

char *moving, *moved_from;

static void move_pages(void)
{
	enum { COUNT = 32 };
	moving = map_apart(COUNT);
	char *place = map_apart(COUNT);
	madvise(moving, COUNT * PAGE, MADV_NOHUGEPAGE);
	for (size_t page = COUNT; page--;) /* frames that count down are no folio's */
		moving[page * PAGE] = 1;
	moved_from = moving;
	step(0);
	moving = mremap(moving, COUNT * PAGE, COUNT * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, place);
	if (moving == MAP_FAILED)
		cannot("mremap");
	step(1);
	munmap(moving, PAGE);
	step(2);
}

/* Never called: the first page of a section that holds nothing else. */
__attribute__((noinline, aligned(PAGE), section(".apart"))) int apart(int number)
{
	return number + 1;
}
__attribute__((noinline, aligned(PAGE), section(".apart"))) int behind(int number)
{
	return number + 2;
}

static void patch(void)
{
	volatile unsigned char *code = (volatile unsigned char *)(uintptr_t)apart;
	step(0);
	if (mprotect((void *)(uintptr_t)apart, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC))
		cannot("mprotect");
	code[16] ^= 0x40;
	code[17] ^= 0x40;
	if (mprotect((void *)(uintptr_t)apart, PAGE, PROT_READ | PROT_EXEC))
		cannot("mprotect");
	step(1);
}

char *both;

static void lay(void)
{
	void *place = (void *)(uintptr_t)apart;
	step(0);
	char *laid = mmap(place, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	if (laid != place)
		cannot("mmap");
	memset(laid, 0x90, PAGE);
	if (mprotect(laid, PAGE, PROT_READ | PROT_EXEC))
		cannot("mprotect");
	step(1);
	both = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (both == MAP_FAILED)
		cannot("mmap");
	both[0] = 1;
	step(2);
}

static __attribute__((noinline)) void variable_length(int rows, int columns)
{
	char line[rows * PAGE];
	int grid[rows][columns];
	memset(line, 1, sizeof(line));
	memset(grid, 1, sizeof(grid));
	step(line[0] + grid[0][0]);
}

static __attribute__((noinline)) int deep(int left)
{
	volatile char filler[PAGE];
	volatile int mine = left;
	filler[0] = (char)left;
	if (left > 1)
		return deep(left - 1) + mine + filler[0];
	step(mine);
	return mine;
}

enum { FRAMES = 8 };
const void *inner_at[FRAMES];

static __attribute__((noinline)) void inner(int number, size_t room)
{
	volatile int mine = number;
	volatile char *gap = __builtin_alloca(room);
	gap[0] = (char)number;
	inner_at[number] = (const void *)&mine;
	step(number);
	mine += gap[0];
}

static __attribute__((noinline)) void outer(int number, size_t room)
{
	volatile char *gap = __builtin_alloca(room);
	gap[0] = (char)number;
	inner(number, 8 * PAGE / FRAMES - room);
}

/* Each twice, and now and then another in between. */
static void move_frames(void)
{
	for (int number = 0; number < FRAMES; number++)
		outer(number, number % 3 == 2 ? 64 : number / 4 * 128 + 128);
	behind(0);
}

int main(int argc, char **argv)
{
	const char *kind = argc > 1 ? argv[1] : "write";
	int count = argc > 2 ? atoi(argv[2]) : 3;
	alarm(600);
	hidden_static++;
	if (!strcmp(kind, "write")) {
		write_pages_of(count);
		return count == 3 ? 3 : 0;
	}
	if (!strcmp(kind, "move"))
		move_pages();
	if (!strcmp(kind, "vla"))
		variable_length(count, 3);
	if (!strcmp(kind, "patch"))
		patch();
	if (!strcmp(kind, "lay"))
		lay();
	if (!strcmp(kind, "frames"))
		move_frames();
	if (!strcmp(kind, "deep"))
		return deep(count) < 0;
	step(0);
	if (!strcmp(kind, "exec")) {
		char text[16];
		snprintf(text, sizeof(text), "%d", count);
		execl("/proc/self/exe", argv[0], "write", text, (char *)NULL);
	}
	if (!strcmp(kind, "crash"))
		*(volatile int *)(uintptr_t)small = 0;
	for (int i = 0; !strcmp(kind, "loop"); i++) {
		struct timespec pause = { 0, 10000000 };
		nanosleep(&pause, NULL);
		pages[i % PAGES].value = i;
		step(i);
	}
	return 0;
}
