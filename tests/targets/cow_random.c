/* cow_random SEED PAGES - a process that forks, and then both sides read, write
 * and drop pages at random, one after the other.
 *
 * Says what it did.  Before the fork, for each area one line of letters, a page
 * each: "before NAME ..." with - untouched, r read, w written.  After it, once a
 * command arrives, the operations in their order: "op SIDE AREA LETTER PAGE..."
 * with SIDE p or c and LETTER r, w or d (dropped: MADV_DONTNEED).
 *
 * Areas: anonymous, never_written (anonymous, only read before the fork, so that
 * no page table of it is copied), file (private), shared (shared anonymous). */
#define _GNU_SOURCE
#include "target.h"

#include <sched.h>

enum { ROUNDS = 400, AREAS = 4 };

static struct area {
	const char *name;
	char *memory;
	const char *letters; /* what may have been done to a page before */
} areas[AREAS] = {
	{ "anonymous", NULL, "-rwwww" },
	{ "never_written", NULL, "-r" },
	{ "file", NULL, "-rw" },
	{ "shared", NULL, "-rw" },
};
static size_t pages;
static uint64_t seed;

static void act(char *page, char letter)
{
	if (letter == 'r')
		(void)*(volatile char *)page;
	else if (letter == 'w')
		*(volatile char *)page = (char)random_next(&seed);
	else if (letter == 'd')
		madvise(page, PAGE, MADV_DONTNEED);
}

static void make_areas(void)
{
	size_t bytes = pages * PAGE;
	areas[0].memory = map_apart(pages);
	areas[1].memory = map_apart(pages);
	areas[2].memory = map_memory(bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE, make_file(bytes));
	areas[3].memory = map_memory(bytes, PROT_READ | PROT_WRITE, MAP_SHARED, -1);
	for (int i = 0; i < AREAS; i++)
		madvise(areas[i].memory, bytes, MADV_NOHUGEPAGE);
}

static void act_before(const struct area *area)
{
	char *line = map_private(pages + 1);
	for (size_t page = 0; page < pages; page++) {
		line[page] = area->letters[random_next(&seed) % strlen(area->letters)];
		act(area->memory + page * PAGE, line[page]);
	}
	say_range(area->name, area->memory, pages * PAGE);
	say("before %s ", area->name);
	for (size_t page = 0; page < pages; page += 256)
		say("%.256s", line + page);
	say("\n");
	munmap(line, pages + 1);
}

/* One side's turn: the same operation on some pages of one area.  Both sides run
 * through the same random numbers, so that they agree on whose turn it is. */
static void take_turn(int side)
{
	const struct area *area = &areas[random_next(&seed) % AREAS];
	char letter = "rwwd"[random_next(&seed) % 4];
	int whose = (int)(random_next(&seed) % 2);
	size_t count = pages * 4 / ROUNDS;
	uint64_t choice = random_next(&seed);
	if (whose == side)
		say("op %c %s %c", "pc"[side], area->name, letter);
	for (size_t i = 0; i < count; i++) {
		size_t page = random_next(&choice) % pages;
		if (whose != side)
			continue;
		say(" %zu", page);
		uint64_t kept = seed;
		act(area->memory + page * PAGE, letter);
		seed = kept;
	}
	if (whose == side)
		say("\n");
}

static void pass(int fd)
{
	if (write(fd, "x", 1) != 1)
		_exit(1);
}

static void await(int fd)
{
	char byte;
	if (read(fd, &byte, 1) != 1)
		_exit(0);
}

static _Noreturn void be_child(int from_parent, int to_parent)
{
	die_with_parent();
	for (int round = 0; round < ROUNDS; round++) {
		await(from_parent);
		take_turn(1);
		pass(to_parent);
	}
	for (;;)
		pause();
}

int main(int argc, char **argv)
{
	die_with_parent();
	if (argc < 3)
		return 2;
	seed = strtoull(argv[1], NULL, 10);
	pages = strtoull(argv[2], NULL, 10);
	/* On one processor, so that no other one's lists hold a page a moment longer:
	 * the kernel would then copy it once more instead of reusing it. */
	cpu_set_t one;
	CPU_ZERO(&one);
	CPU_SET(sched_getcpu(), &one);
	sched_setaffinity(0, sizeof(one), &one);
	make_areas();
	for (int i = 0; i < AREAS; i++)
		act_before(&areas[i]);
	int down[2], up[2];
	if (pipe(down) || pipe(up))
		cannot("pipe");
	pid_t child = fork();
	if (!child)
		be_child(down[0], up[1]);
	say("child %d\n", (int)child);
	next_command();
	for (int round = 0; round < ROUNDS; round++) {
		take_turn(0);
		pass(down[1]);
		await(up[0]);
	}
	stand_still();
}
