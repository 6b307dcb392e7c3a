/* names_variables - variables of every kind, a thread, and a hole in an array, for
 * names to be found for.  Also compiled by the tests in ways of their own (not
 * position-independent, stripped, for 32 bits, …), so it needs nothing but libc. */
#define _GNU_SOURCE
#include "target.h"

#include <pthread.h>
#include <sys/auxv.h>

int global_variable = 1;
static int static_variable = 2;
int global_bss;
static char static_bss[64];
const char read_only_table[256] = "a constant";
/* Over several pages; of the second, whole pages lie in the middle. */
char big_data[4 * PAGE] = "begins here";
static char big_bss[64 * PAGE];
static __thread int thread_local_variable = 3;

int exported_function(int step)
{
	static int static_local = 4;
	static_local += step;
	say_range("static_local", &static_local, sizeof(static_local));
	return static_local;
}

static void *thread_main(void *ready)
{
	volatile char on_the_stack[16] = "local";
	pthread_setname_np(pthread_self(), "names-thread");
	say("tid %d\n", (int)syscall(SYS_gettid));
	say_range("thread_stack", on_the_stack, sizeof(on_the_stack));
	if (write(*(int *)ready, "", 1) != 1)
		_exit(1);
	for (;;)
		pause();
}

static void say_variables(void)
{
	say_range("global_variable", &global_variable, sizeof(global_variable));
	say_range("static_variable", &static_variable, sizeof(static_variable));
	say_range("global_bss", &global_bss, sizeof(global_bss));
	say_range("static_bss", static_bss, sizeof(static_bss));
	say_range("read_only_table", read_only_table, sizeof(read_only_table));
	say_range("big_data", big_data, sizeof(big_data));
	say_range("big_bss", big_bss, sizeof(big_bss));
	say_range("thread_local_variable", &thread_local_variable, sizeof(thread_local_variable));
	say_range("exported_function", (const volatile void *)(uintptr_t)exported_function, 1);
	say_range("vdso", (const volatile void *)(uintptr_t)getauxval(AT_SYSINFO_EHDR), PAGE);
}

/* Another mapping over one page of an array: it is not the array's any more. */
static void cover_a_page(void)
{
	char *page = (char *)(((uintptr_t)big_bss + 32 * PAGE) & ~((uintptr_t)PAGE - 1));
	int fd = make_file(PAGE);
	if (mmap(page, PAGE, PROT_READ, MAP_SHARED | MAP_FIXED, fd, 0) == MAP_FAILED)
		cannot("map over an array");
	close(fd);
	say_range("covered", page, PAGE);
}

int main(void)
{
	pthread_t thread;
	int ready[2];
	char byte;
	char *heap = malloc(100);
	die_with_parent();
	say_variables();
	cover_a_page();
	say_range("heap", heap, 100);
	say_range("nameless", map_private(PAGE), PAGE);
	exported_function(thread_local_variable);
	if (pipe(ready) || pthread_create(&thread, NULL, thread_main, &ready[1]) || read(ready[0], &byte, 1) != 1)
		cannot("start a thread");
	stand_still();
}
