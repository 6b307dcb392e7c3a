#define _GNU_SOURCE
#include "same_memory.h"

#include <errno.h>
#include <stdbool.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "error.h"
#include "procdir.h"

enum { KCMP_VM = 1 }; /* linux/kcmp.h */

int same_memory_order(pid_t a, pid_t b, int *order)
{
	/* 0: one; 1: a's comes first; 2: b's does; 3: they have no order. */
	long found = syscall(SYS_kcmp, a, b, KCMP_VM, 0, 0);
	if (found < 0)
		return errno;
	*order = found == 1 ? -1 : found != 0;
	return 0;
}

/* What they run is laid out alike, and as large, as far as it shows; a child soon has other pages.
 * One that runs may change while the two are looked at, one after the other. */
static bool look_alike(pid_t a, pid_t b)
{
	enum { LOOKS = 3 };
	CLEANUP_CLOSE int in_a = -1, in_b = -1;
	if (procdir_open_any(a, &in_a, NULL) || procdir_open_any(b, &in_b, NULL))
		return false;
	for (int look = 0; look < LOOKS; look++) {
		struct proc_stat of_a, of_b;
		if (procdir_stat(in_a, &of_a, NULL) || procdir_stat(in_b, &of_b, NULL) || !of_a.size || !of_b.size)
			return false;
		bool told = of_a.start_stack && of_b.start_stack;
		if (told && (of_a.start_stack != of_b.start_stack || of_a.start_code != of_b.start_code))
			return false;
		if (of_a.size == of_b.size && of_a.resident == of_b.resident)
			return true;
	}
	return false;
}

enum same_memory same_memory(pid_t a, pid_t b)
{
	int order = 0, error = same_memory_order(a, b, &order);
	if (!error)
		return order ? SAME_MEMORY_NO : SAME_MEMORY_YES;
	return error != ESRCH && look_alike(a, b) ? SAME_MEMORY_MAYBE : SAME_MEMORY_NO;
}
