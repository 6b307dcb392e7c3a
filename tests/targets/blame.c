/* Writes to pages by functions that it knows: which did it, where and in which order, is in a log that the test reads.
 *
 * blame SEED OPERATIONS: random ones, so many before the first "ready", and after "go" as many again.  What memory
 * there is: "range KIND ..."; the log: "range log ...". blame flood ROUNDS [child|hidden]: after "go", writes to its
 * pages, gives them back, and writes to them again; all of it on one processor.  Then it has children, of whom the last
 * one, which writes to them too, stays; hidden: only root may look at that. blame gain PROGRAM: after "go", executes
 * "PROGRAM gained", which writes to globals of its own. blame threads COUNT: so many threads, of which each writes to a
 * page of its own after "go"; and one more is made. blame leaderless: a page is written to by one thread at each
 * command; at the second, in place of that, the main thread ends. blame adopts: a child has a child after "go", and
 * ends: that one is the target's then. blame armed: pages of its own, of which it writes to every second one after
 * "go". */
#define _GNU_SOURCE
#include "blame_target.h"

#include <pthread.h>
#include <stddef.h>

enum { PLAIN_PAGES = 64, HUGE_REGIONS = 2, LOG_MAX = 1 << 16, CHILDREN = 3 };
enum how {
	STORE,
	ADD,
	STRING,
	WIDE,
	THREAD,
	READ,
	SYSCALL,
	DROP,
	FORK,
	POPULATE,
	LOCK,
	AGAIN,
	MOVE,
	VFORK,
	COLLAPSE,
	HOWS,
	WINDOW = 100
};
struct entry {
	uint32_t pid, how;
	uint64_t address;
	uint32_t other; /* of a fork: the child; of a move: from how many pages before, as a signed number */
	uint32_t unused;
};

static struct entry *entries;
static volatile uint32_t *entry_count;
static uint64_t state;
static char globals[PLAIN_PAGES * PAGE] __attribute__((aligned(PAGE)));
static int zeros;
static bool kernel_makes_pages; /* without a fault of the program's */

struct area {
	const char *name;
	char *start;
	size_t pages;
};
static struct area areas[6];
static size_t area_count;

static unsigned number(unsigned below)
{
	state = state * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(state >> 33) % below;
}

static void note(enum how how, const void *address, pid_t other)
{
	struct entry *entry = &entries[*entry_count];
	*entry = (struct entry){ (uint32_t)getpid(), how, (uintptr_t)address, (uint32_t)other, 0 };
	++*entry_count;
}

/* ---- the functions ---------------------------------------------------------------------- */

FUNCTION write_store(volatile char *page);
FUNCTION write_add(volatile char *page);
FUNCTION write_string(volatile char *page);
FUNCTION write_wide(volatile char *page);
FUNCTION write_thread(volatile char *page);
FUNCTION read_page(volatile char *page);
FUNCTION write_syscall(volatile char *page);
FUNCTION write_vfork(volatile char *page);

FUNCTION write_store(volatile char *page)
{
	*page = 1;
}

FUNCTION write_add(volatile char *page)
{
	*(volatile long *)page += 1;
}

FUNCTION write_string(volatile char *page)
{
	static const char from[64] = "what is copied";
#if defined(__x86_64__)
	const void *source = from;
	void *to = (void *)(uintptr_t)page;
	size_t count = sizeof(from);
	__asm__ volatile("rep movsb" : "+D"(to), "+S"(source), "+c"(count) : : "memory");
#else
	page[0] = from[0];
#endif
}

FUNCTION write_wide(volatile char *page)
{
	typedef long wide __attribute__((vector_size(16)));
	*(volatile wide *)page = (wide){ 1, 2 };
}

FUNCTION write_thread(volatile char *page)
{
	page[8] = 1;
}

FUNCTION write_vfork(volatile char *page)
{
	page[16] = 1;
}

FUNCTION read_page(volatile char *page)
{
	(void)*page;
}

FUNCTION write_syscall(volatile char *page)
{
	if (pread(zeros, (void *)(uintptr_t)page, 64, 0) != 64)
		cannot("read");
}

/* ---- one operation ---------------------------------------------------------------------- */

static void *thread_main(void *page)
{
	write_thread(page);
	return NULL;
}

static void in_thread(char *page)
{
	pthread_t thread;
	if (pthread_create(&thread, NULL, thread_main, page))
		cannot("make a thread");
	pthread_join(thread, NULL);
}

static void map_again(char *page)
{
	must(munmap(page, PAGE), "unmap");
	map_small(page, PAGE, MAP_FIXED, -1);
}

/* Its child has this memory, and nobody runs in it meanwhile but that. */
static void write_in_vfork(char *page)
{
	pid_t child = vfork();
	must(child, "vfork");
	if (!child) {
		write_vfork(page);
		_exit(0);
	}
	waitpid(child, NULL, 0);
}

/* What is refused changes nothing. */
static void refuse(char *page)
{
	const int prot = PROT_READ | PROT_WRITE, own = MAP_PRIVATE | MAP_FIXED;
	if (!munmap(page + 1, PAGE) || mmap(page + 1, PAGE, prot, own | MAP_ANONYMOUS, -1, 0) != MAP_FAILED ||
	    mmap(page, PAGE, prot, own, -1, 0) != MAP_FAILED ||
	    mremap(page, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, page + 1) != MAP_FAILED ||
	    syscall(SYS_brk, PAGE) <= PAGE)
		cannot("be refused");
}

static void lock(char *page)
{
	must(mlock(page, PAGE), "lock");
	munlock(page, PAGE);
}

/* From a page of the same area; what was there is mapped anew. */
static void move(char *page, int by)
{
	char *from = page + (ptrdiff_t)by * PAGE;
	note(MOVE, page, by);
	if (mremap(from, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, page) != page)
		cannot("move");
	map_small(from, PAGE, MAP_FIXED, -1);
}

static void operate(enum how how, char *page)
{
	note(how, page, 0);
	switch (how) {
	case POPULATE:
		madvise(page, PAGE, MADV_POPULATE_WRITE);
		break;
	case LOCK:
		lock(page);
		break;
	case AGAIN:
		map_again(page);
		break;
	case VFORK:
		write_in_vfork(page);
		break;
	case COLLAPSE:
		madvise((char *)((uintptr_t)page & ~(uintptr_t)(HUGE_PAGE - 1)), HUGE_PAGE, MADV_COLLAPSE);
		break;
	case STORE:
		write_store(page);
		break;
	case ADD:
		write_add(page);
		break;
	case STRING:
		write_string(page);
		break;
	case WIDE:
		write_wide(page);
		break;
	case THREAD:
		in_thread(page);
		break;
	case READ:
		read_page(page);
		refuse(page);
		break;
	case SYSCALL:
		write_syscall(page);
		break;
	case DROP:
		madvise(page, PAGE, MADV_DONTNEED);
		break;
	default:
		break;
	}
}

static char *any_page(const struct area **area)
{
	*area = &areas[number((unsigned)area_count)];
	return (*area)->start + (size_t)number((unsigned)(*area)->pages) * PAGE;
}

/* What is rare, or not for this memory, is something else. */
static enum how choose(const struct area *area, unsigned children)
{
	bool huge = !strcmp(area->name, "huge"), mapped = !strcmp(area->name, "mapped");
	enum how how = (enum how)number(HOWS);
	if (how == FORK && (children >= CHILDREN || number(8)))
		return STORE;
	if (((how == DROP || how == LOCK) && huge) || (how == COLLAPSE && (!huge || number(8))) ||
	    ((how == AGAIN || how == MOVE) && !mapped))
		return ADD;
	if ((how == POPULATE || how == LOCK) && !kernel_makes_pages)
		return STORE;
	bool gives = how == DROP || how == POPULATE || how == LOCK || how == VFORK;
	return gives && number(3) ? ADD : how;
}

static void work(unsigned count, unsigned *children);

/* It lives as long as the parent does, begins when that has noted it, and has done its part when we go on. */
static void fork_one(unsigned count)
{
	int go[2], done[2];
	char byte;
	if (pipe(go) || pipe(done))
		cannot("make a pipe");
	pid_t child = fork();
	if (child < 0)
		cannot("fork");
	if (!child) {
		unsigned none = CHILDREN;
		die_with_parent();
		if (read(go[0], &byte, 1) != 1)
			_exit(1);
		work(count, &none);
		if (write(done[1], "", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	note(FORK, NULL, child);
	if (write(go[1], "", 1) != 1 || close(done[1]) || read(done[0], &byte, 1) != 1)
		_exit(1);
	close(done[0]);
	close(go[0]);
	close(go[1]);
}

static void work(unsigned count, unsigned *children)
{
	for (unsigned i = 0; i < count && *entry_count < LOG_MAX - 2; i++) {
		const struct area *area;
		char *page = any_page(&area);
		enum how how = choose(area, *children);
		if (how == FORK) {
			++*children;
			fork_one(count / 8);
		} else if (how == MOVE) {
			char *from = area->start + (size_t)number((unsigned)area->pages) * PAGE;
			if (from != page)
				move(page, (int)((from - page) / PAGE));
		} else {
			operate(how, page);
		}
	}
}

/* ---- memory ----------------------------------------------------------------------------- */

static void add(const char *name, char *start, size_t pages)
{
	areas[area_count++] = (struct area){ name, start, pages };
	say_range(name, start, pages * PAGE);
}

/* ---- other kinds ------------------------------------------------------------------------ */

static void stay_on_this_processor(void)
{
	cpu_set_t one;
	int cpu = sched_getcpu();
	CPU_ZERO(&one);
	CPU_SET(cpu < 0 ? 0 : (size_t)cpu, &one);
	sched_setaffinity(0, sizeof(one), &one);
}

/* The first ones fill what room there was for records that are smaller than a fault's. */
static void have_children(char *pages, bool hidden)
{
	enum { COUNT = 200 };
	for (int i = 0; i < COUNT; i++) {
		pid_t child = fork();
		if (child < 0)
			cannot("fork");
		if (!child && i < COUNT - 1)
			_exit(0);
		if (!child) {
			die_with_parent();
			if (hidden)
				prctl(PR_SET_DUMPABLE, 0);
			write_store(pages);
			for (;;)
				pause();
		}
		if (i < COUNT - 1)
			waitpid(child, NULL, 0);
	}
}

static _Noreturn void gain(const char *program)
{
	next_command();
	execl(program, program, "gained", (char *)NULL);
	cannot("execute it");
}

static _Noreturn void gained(void)
{
	alarm(600);
	for (size_t i = 0; i < PLAIN_PAGES; i++)
		write_string(globals + i * PAGE);
	stand_still();
	_exit(0);
}

static _Noreturn void flood(unsigned rounds, bool child, bool hidden)
{
	enum { PAGES = 1024 };
	char *pages = map_small(NULL, PAGES * PAGE, 0, -1);
	add("flooded", pages, PAGES);
	if (child)
		stay_on_this_processor();
	next_command();
	for (unsigned round = 0; round < rounds; round++) {
		madvise(pages, PAGES * PAGE, MADV_DONTNEED);
		for (unsigned i = 0; i < PAGES; i++)
			write_store(pages + (size_t)i * PAGE);
	}
	if (child)
		have_children(pages, hidden);
	stand_still();
	_exit(0);
}

static int begin_pipe[2];
static void *waiting_main(void *page)
{
	char byte;
	if (read(begin_pipe[0], &byte, 1) != 1)
		cannot("wait");
	write_thread(page);
	return NULL;
}

static _Noreturn void threads(unsigned count)
{
	pthread_t *all = calloc(count, sizeof(*all));
	pthread_attr_t small;
	char *pages = map_small(NULL, (count + 1) * (size_t)PAGE, 0, -1);
	if (!all || pipe(begin_pipe))
		cannot("make a pipe");
	pthread_attr_init(&small);
	pthread_attr_setstacksize(&small, 64 << 10);
	for (unsigned i = 0; i < count; i++)
		if ((errno = pthread_create(&all[i], &small, waiting_main, pages + (size_t)i * PAGE)))
			cannot("make threads");
	add("threads", pages, count + 1);
	next_command();
	for (unsigned i = 0; i < count; i++)
		if (write(begin_pipe[1], "", 1) != 1)
			cannot("go on");
	for (unsigned i = 0; i < count; i++)
		pthread_join(all[i], NULL);
	in_thread(pages + (size_t)count * PAGE);
	stand_still();
	_exit(0);
}

static void *left_main(void *pages)
{
	next_command();
	write_thread(pages);
	next_command();
	if (write(begin_pipe[1], "", 1) != 1)
		cannot("go on");
	for (char *page = pages;;) {
		next_command();
		write_thread(page += PAGE);
	}
}

static _Noreturn void leaderless(void)
{
	char byte, *pages = map_small(NULL, PLAIN_PAGES * PAGE, 0, -1);
	pthread_t thread;
	if (pipe(begin_pipe))
		cannot("make a pipe");
	add("written", pages, PLAIN_PAGES);
	if ((errno = pthread_create(&thread, NULL, left_main, pages)))
		cannot("make a thread");
	if (read(begin_pipe[0], &byte, 1) != 1)
		cannot("wait");
	pthread_exit(NULL);
}

static _Noreturn void grandchild(pid_t adopter, int answer)
{
	while (getppid() != adopter)
		usleep(1000);
	die_with_parent();
	if (write(answer, "", 1) != 1)
		cannot("answer");
	for (;;)
		pause();
}

static _Noreturn void adopts(void)
{
	pid_t adopter = getpid(), child;
	char byte;
	int answers[2];
	if (prctl(PR_SET_CHILD_SUBREAPER, 1) || pipe(begin_pipe) || pipe(answers) || (child = fork()) < 0)
		cannot("have a child");
	if (!child) {
		/* A tick later, which start times are counted in. */
		if (read(begin_pipe[0], &byte, 1) == 1 && !usleep(20000) && !fork())
			grandchild(adopter, answers[1]);
		_exit(0);
	}
	next_command();
	if (write(begin_pipe[1], "", 1) != 1 || waitpid(child, NULL, 0) != child || read(answers[0], &byte, 1) != 1)
		cannot("adopt");
	stand_still();
	_exit(0);
}

static _Noreturn void armed(void)
{
	char *pages = map_small(NULL, PLAIN_PAGES * PAGE, 0, -1);
	memset(pages, 1, PLAIN_PAGES * PAGE);
	add("armed", pages, PLAIN_PAGES);
	next_command();
	for (unsigned i = 0; i < PLAIN_PAGES; i += 2)
		write_add(pages + (size_t)i * PAGE);
	stand_still();
	_exit(0);
}

int main(int argc, char **argv)
{
	char stack[(PLAIN_PAGES + 1) * PAGE];
	unsigned children = 0, count = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 100;
	die_with_parent();
	if (argc > 1 && !strcmp(argv[1], "flood"))
		flood(count, argc > 3, argc > 3 && !strcmp(argv[3], "hidden"));
	if (argc > 2 && !strcmp(argv[1], "gain"))
		gain(argv[2]);
	if (argc > 1 && !strcmp(argv[1], "gained"))
		gained();
	if (argc > 1 && !strcmp(argv[1], "threads"))
		threads(count);
	if (argc > 1 && !strcmp(argv[1], "leaderless"))
		leaderless();
	if (argc > 1 && !strcmp(argv[1], "adopts"))
		adopts();
	if (argc > 1 && !strcmp(argv[1], "armed"))
		armed();
	state = argc > 1 ? strtoull(argv[1], NULL, 10) : 1;
	kernel_makes_pages = state % 2;
	entries = mmap(NULL, LOG_MAX * sizeof(*entries) + PAGE, PROT_READ | PROT_WRITE,
	               MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (entries == MAP_FAILED)
		cannot("map the log");
	entry_count = (volatile uint32_t *)(entries + LOG_MAX);
	zeros = make_file(PLAIN_PAGES * PAGE);
	char *heap = aligned(malloc((PLAIN_PAGES + 1) * PAGE), PAGE);
	say_range("log", entries, LOG_MAX * sizeof(*entries) + PAGE);
	add("globals", globals, PLAIN_PAGES);
	/* What the program loader had there is still there: pages that nobody here knows of. */
	madvise(aligned(stack, PAGE), PLAIN_PAGES * PAGE, MADV_DONTNEED);
	add("stack", aligned(stack, PAGE), PLAIN_PAGES);
	add("heap", heap, PLAIN_PAGES);
	add("mapped", map_small(NULL, PLAIN_PAGES * PAGE, 0, -1), PLAIN_PAGES);
	add("file", map_small(NULL, PLAIN_PAGES * PAGE, 0, make_file(PLAIN_PAGES * PAGE)), PLAIN_PAGES);
	char *huge = aligned(map_small(NULL, (HUGE_REGIONS + 1) * (size_t)HUGE_PAGE, 0, -1), HUGE_PAGE);
	madvise(huge, HUGE_REGIONS * (size_t)HUGE_PAGE, MADV_HUGEPAGE);
	add("huge", huge, HUGE_REGIONS * (size_t)HUGE_PAGE / PAGE);
	work(count, &children);
	next_command();
	note(WINDOW, NULL, 0);
	children = 0;
	work(count, &children);
	stand_still();
}
