/* names_stacks.h - which memory is the stack of which thread. */
#ifndef VMSNAP_NAMES_STACKS_H
#define VMSNAP_NAMES_STACKS_H

#include <stddef.h>
#include <stdint.h>

#include "arena.h"
#include "vmsnap.h"

struct stack {
	uint64_t start, end;
	const char *name; /* "stack of thread 12 (worker)" */
	/* A mapping without access that ends where the stack begins; the stack's start if there is none. */
	uint64_t guard;
};

struct stacks {
	struct stack *items; /* malloc'ed, by address, not overlapping */
	size_t count;
};

/* A thread's stack is the mapping that its saved stack pointer lies in, between the
 * nearest guard regions (glibc 2.42 guards with those, and neighbouring stacks
 * then share one mapping).  Memory in which two threads' pointers lie is nobody's:
 * it is an arena that a run-time system makes its stacks in.  Only private
 * anonymous memory that is not [heap] or [stack] counts.  Strings go into the
 * arena. */
int stacks_find(const struct vmsnap *snap, struct arena *arena, struct stacks *out);
/* And those of the parent's threads that a fork left behind: no thread of the child runs there, but what lies there is
 * what it was. */
int stacks_add_left(const struct vmsnap *snap, const struct vmsnap *parent, struct arena *arena, struct stacks *out);
/* The stack that ends first above address; it may begin above it too.  NULL at the end. */
const struct stack *stacks_from(const struct stacks *stacks, uint64_t address);

#endif
