/* writes - writes, reads and moves pages of all kinds, one command a line, and nothing else of them:
 *
 *   write NAME FIRST END    a byte of each page         read NAME FIRST END
 *   kernel NAME FIRST END   the kernel does, in a system call (read(2))
 *   drop NAME FIRST END     they go (MADV_DONTNEED)      child NAME FIRST END   a child writes them, and ends
 *   map NAME PAGES          private memory               move NAME              it goes elsewhere (mremap)
 *   exec                    itself, anew                 end
 *   uffd                    makes a userfaultfd, and says its number; close NUMBER
 *   seccomp                 from now on it is killed for making one
 *   threads COUNT           more threads, that make others all the time
 *
 * There are: anon, shared, private_file, shared_file, huge, stack, data and reserved, 1 TiB. */
#define _GNU_SOURCE
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stddef.h>

#include "target.h"

enum { PAGES = 64, HUGES = 2, NAMED_MOST = 32 };

struct named {
	char name[24];
	char *memory;
	size_t pages;
};
static struct named named[NAMED_MOST];
static size_t named_count;
static _Alignas(PAGE) char data[PAGES * PAGE];

static void tell(const struct named *it)
{
	say_range(it->name, it->memory, it->pages * PAGE);
}

static void add(const char *name, char *memory, size_t pages)
{
	struct named *it = &named[named_count++];
	snprintf(it->name, sizeof(it->name), "%s", name);
	it->memory = memory;
	it->pages = pages;
	tell(it);
}

static struct named *find(const char *name)
{
	for (size_t i = 0; i < named_count; i++)
		if (!strcmp(named[i].name, name))
			return &named[i];
	say("unknown %s\n", name);
	_exit(1);
}

static void write_by_kernel(const struct named *it, size_t first, size_t end)
{
	int zeros = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	for (size_t page = first; page < end; page++)
		if (zeros < 0 || read(zeros, it->memory + page * PAGE, 1) != 1)
			cannot("read /dev/zero");
	close(zeros);
}

static void write_in_child(const struct named *it, size_t first, size_t end)
{
	pid_t child = fork();
	if (!child) {
		write_pages(it->memory, first, end, 1);
		_exit(0);
	}
	waitpid(child, NULL, 0);
}

static void move(struct named *it)
{
	char *place = map_memory(it->pages * PAGE, PROT_NONE, MAP_PRIVATE, -1);
	it->memory = mremap(it->memory, it->pages * PAGE, it->pages * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, place);
	if (it->memory == MAP_FAILED)
		cannot("mremap");
	tell(it);
}

static void filter_calls(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_userfaultfd, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { sizeof(code) / sizeof(*code), code };
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
		cannot("filter system calls");
}

static void *live_briefly(void *argument)
{
	usleep(100);
	return argument;
}

static void *make_threads(void *argument)
{
	for (;;) {
		pthread_t thread;
		if (!pthread_create(&thread, NULL, live_briefly, NULL))
			pthread_join(thread, argument);
	}
	return NULL;
}

static void start_threads(unsigned long count)
{
	pthread_t thread;
	while (count--)
		if (pthread_create(&thread, NULL, make_threads, NULL))
			cannot("make a thread");
}

static void obey(const char *line)
{
	char verb[16] = "", name[24] = "";
	unsigned long first = 0, end = 0;
	int words = sscanf(line, "%15s %23s %lu %lu", verb, name, &first, &end);
	if (!strcmp(verb, "exec"))
		execl("/proc/self/exe", "writes", (char *)NULL);
	else if (!strcmp(verb, "end"))
		_exit(0);
	else if (!strcmp(verb, "uffd"))
		say("uffd %ld\n", syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK | 1));
	else if (!strcmp(verb, "close"))
		close(atoi(name));
	else if (!strcmp(verb, "seccomp"))
		filter_calls();
	else if (!strcmp(verb, "threads"))
		start_threads(strtoul(name, NULL, 10));
	else if (!strcmp(verb, "map"))
		add(name, map_apart(first), first);
	else if (!strcmp(verb, "move"))
		move(find(name));
	else if (!strcmp(verb, "write"))
		write_pages(find(name)->memory, first, end, 1);
	else if (!strcmp(verb, "read"))
		read_pages(find(name)->memory, first, end, 1);
	else if (!strcmp(verb, "kernel"))
		write_by_kernel(find(name), first, end);
	else if (!strcmp(verb, "drop"))
		madvise(find(name)->memory + first * PAGE, (end - first) * PAGE, MADV_DONTNEED);
	else if (!strcmp(verb, "child"))
		write_in_child(find(name), first, end);
	else if (words > 0)
		say("unknown %s\n", verb);
}

int main(void)
{
	/* Its own pages of stack, which nothing else of it comes near to. */
	_Alignas(PAGE) char stack[PAGES * PAGE];
	die_with_parent();
	add("anon", map_apart(PAGES), PAGES);
	add("shared", map_memory(PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, -1), PAGES);
	add("private_file", map_memory(PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, make_file(PAGES * PAGE)),
	    PAGES);
	add("shared_file", map_memory(PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, make_file(PAGES * PAGE)),
	    PAGES);
	char *huge = map_aligned(HUGES * HUGE_PAGE, MAP_PRIVATE);
	madvise(huge, HUGES * HUGE_PAGE, MADV_HUGEPAGE);
	add("huge", huge, HUGES * HUGE_PAGE / PAGE);
	add("stack", stack, PAGES);
	add("data", data, PAGES);
	add("reserved", map_memory((size_t)1 << 40, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_NORESERVE, -1),
	    ((size_t)1 << 40) / PAGE);
	for (;;)
		obey(next_command());
}
