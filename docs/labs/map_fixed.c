/* map_fixed - puts a page of its own over the cosine.
 *
 *   polite   asks for that page with MAP_FIXED_NOREPLACE, and with the address as a hint only
 *   fixed    takes it, with MAP_FIXED
 *   call     calls the cosine, in a child that may die of it
 *   reserve  reserves 16 pages, and puts one with MAP_FIXED in their middle */
#define _GNU_SOURCE
#include "lab.h"
#include <dlfcn.h>
#include <sys/wait.h>

#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000 /* Linux 4.17 */
#endif

static size_t page;

static char *ask(void *where, int protection, int flags)
{
	return mmap(where, page, protection, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);
}

static void polite(void *where)
{
	static const struct {
		const char *name;
		int flags;
	} ways[] = { { "MAP_FIXED_NOREPLACE", MAP_FIXED_NOREPLACE }, { "a hint", 0 } };
	for (int i = 0; i < 2; i++) {
		/* A kernel that does not know the flag takes the address as a hint. */
		char *got = ask(where, PROT_READ | PROT_WRITE, ways[i].flags);
		printf("%s: %s\n", ways[i].name,
		       got == MAP_FAILED ? strerror(errno)
		       : got == where    ? "there"
		                         : "another address");
		if (got != MAP_FAILED && got != where)
			munmap(got, page);
	}
}

static void call(double (*cosine)(double))
{
	int status;
	fflush(stdout);
	pid_t child = fork();
	if (child < 0)
		cannot("fork");
	if (!child) {
		volatile double zero = 0;
		_exit(cosine(zero) == 1 ? 0 : 1);
	}
	waitpid(child, &status, 0);
	if (WIFSIGNALED(status))
		printf("the call died: %s\n", strsignal(WTERMSIG(status)));
	else
		printf("cos(0) is %s\n", WEXITSTATUS(status) ? "wrong" : "1");
}

static void reserve(void)
{
	char *room = mmap(NULL, 16 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (room == MAP_FAILED || ask(room + 8 * page, PROT_READ | PROT_WRITE, MAP_FIXED) == MAP_FAILED)
		cannot("mmap");
	room[8 * page] = 1;
	say_range("room", room, 16 * page);
}

int main(void)
{
	void *library = dlopen("libm.so.6", RTLD_NOW);
	union {
		void *address;
		double (*function)(double);
	} cosine = { library ? dlsym(library, "cos") : NULL };
	if (!cosine.address)
		cannot("find the cosine in libm.so.6");
	page = (size_t)sysconf(_SC_PAGESIZE);
	char *code = (char *)((uintptr_t)cosine.address / page * page);
	begin();
	say_range("cosine", code, page);
	for (;;) {
		const char *word = next_word();
		if (!strcmp(word, "polite"))
			polite(code);
		else if (!strcmp(word, "call"))
			call(cosine.function);
		else if (!strcmp(word, "reserve"))
			reserve();
		else if (!strcmp(word, "fixed")) {
			char *got = ask(code, PROT_READ | PROT_WRITE, MAP_FIXED);
			if (got == MAP_FAILED)
				cannot("mmap");
			memset(got, 7, page);
			printf("mmap gave 0x%lx and no error\n", (unsigned long)(uintptr_t)got);
		}
	}
}
