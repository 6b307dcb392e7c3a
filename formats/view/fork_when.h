/* fork_when.h - when a fork's sharing was lost, of looks at it one after the other.  What is lost grows, as good as
 * always: so a few of many looks tell, and which are asked for is chosen by halves. */
#ifndef VMSNAP_FORK_WHEN_H
#define VMSNAP_FORK_WHEN_H

#include "cow_began.h"
#include "vmsnap.h"
#include "work.h"

/* Nobody knows what was between two looks. */
struct fork_when {
	bool known;
	bool since_fork;           /* times (ns) are since the fork, to 10 ms; else since the base */
	bool none_known;           /* there is a look at which nothing was lost yet: */
	uint64_t none, first;      /* the last such look, and the one after it */
	uint64_t first_lost, lost; /* bytes: at that, and in the end */
	uint64_t from, to,
	        most; /* so much of it from the one look to the other: nine tenths, if the first look is early */
};

struct fork_look {
	uint64_t at;   /* ns */
	uint64_t lost; /* bytes */
};
/* False: there is no answer, or no time for one; then what the others tell is told. */
typedef bool (*fork_look_fn)(void *ctx, size_t index, struct fork_look *look);
/* The first and the last look are needed. */
void fork_when(size_t count, fork_look_fn look, void *ctx, struct fork_when *when);
/* The same of looks that are there. */
void fork_when_of(const struct fork_look *looks, size_t count, struct fork_when *when);

/* Of a fork, by what is known of when it was made, by its base, and by snapshots first to end of the file that both are
 * in; file may be NULL.  A file is looked through for SECONDS at the most: then what was seen until then is told. */
struct fork_looks {
	const struct vmsnap_file *file;
	size_t first, end;
};
int cow_when(const struct vmsnap_cow *cow, const struct cow_began *began, const struct fork_looks *between,
             struct work *work, struct fork_when *when, struct vmsnap_error *err);

#endif
