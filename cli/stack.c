#define _GNU_SOURCE
#include "stack.h"

#include <stdint.h>
#include <sys/auxv.h>
#include <sys/resource.h>
#include <unistd.h>

#include "say.h"

/* A command takes some 100 KiB: output of 64 KiB is gathered there. */
enum { STACK_WANTED = 8 << 20, STACK_NEEDED = 128 << 10 };

/* The kernel counts arguments and environment, which lie at the beginning of the stack,
 * below the name of the program. */
static rlim_t stack_used(const void *here)
{
	uintptr_t top = getauxval(AT_EXECFN);
	return top > (uintptr_t)here ? top - (uintptr_t)here : 0;
}

int stack_prepare(void)
{
	/* say() takes more stack than there may be. */
	static const char refusal[] =
	        "vmsnap: 128 KiB of stack are needed beside what the arguments and the environment take: the hard limit "
	        "is too low (ulimit -Hs)\n";
	struct rlimit limit;
	if (getrlimit(RLIMIT_STACK, &limit) || limit.rlim_cur == RLIM_INFINITY || limit.rlim_cur >= STACK_WANTED)
		return STATUS_OK;
	/* The kernel looks at the limit whenever the stack grows, so this works at once. */
	limit.rlim_cur = limit.rlim_max < STACK_WANTED ? limit.rlim_max : STACK_WANTED;
	(void)setrlimit(RLIMIT_STACK, &limit);
	if (getrlimit(RLIMIT_STACK, &limit) || limit.rlim_cur >= STACK_NEEDED + stack_used(&limit))
		return STATUS_OK;
	(void)!write(STDERR_FILENO, refusal, sizeof(refusal) - 1);
	return STATUS_TROUBLE;
}
