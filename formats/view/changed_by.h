/* changed_by.h - which code made, copied or first wrote to the pages of a range, where a diff knows page faults. */
#ifndef VMSNAP_CHANGED_BY_H
#define VMSNAP_CHANGED_BY_H

#include "arena.h"
#include "vmsnap.h"

/* One line of a program, or one place in it without lines. */
struct changed_by_code {
	const char *function; /* "dbOverwrite", "libc.so.6+0x1234" */
	const char *file;     /* "" if it is not known, as is the next */
	uint32_t line;
	const char *syscall;              /* that it was in; "?": in one that is not known; NULL: in none */
	bool called;                      /* a function that a debugger called */
	uint64_t bytes;                   /* of pages */
	const struct vmsnap_fault *fault; /* the first that was found */
};
/* What its pages come to. */
enum { CHANGED_BY_MAX = 64 };
struct changed_by_sum {
	struct changed_by_code codes[CHANGED_BY_MAX]; /* those with the most pages first */
	size_t count;
	uint64_t more;    /* bytes: of others still */
	uint64_t several; /* one of several, nobody knows which */
	uint64_t unseen;  /* no fault was seen that can have done it: the kernel's doing, or unseen */
	uint64_t touched; /* likewise, and a debugger wrote there */
	uint64_t silent;  /* its own, and not protected: written to without a fault, says what the pages hold */
};

struct changed_by {
	const struct vmsnap_diff *diff;
	struct vmsnap_blame *blame; /* NULL: no faults are known */
	struct vmsnap_names *names; /* for symbols as people write them; may be NULL */
	struct arena strings;
	size_t count; /* of what the blame has */
};
/* options: what asks whether to go on. */
int changed_by_init(struct changed_by *by, const struct vmsnap_diff *diff, struct vmsnap_names *names,
                    const struct vmsnap_blame_options *options, struct vmsnap_error *err);
void changed_by_free(struct changed_by *by);
/* touched: a debugger wrote there. */
struct changed_by_part {
	uint64_t start, end;
	bool touched;
};
/* Adds a part of what is asked for; *sum begins as 0.  Parts may follow, and then changed_by_order().
 * VMSNAP_ERR_NO_MEMORY, or VMSNAP_OK. */
int changed_by_add(struct changed_by *by, struct changed_by_part part, struct changed_by_sum *sum);
void changed_by_order(struct changed_by_sum *sum);
/* Faults of the time between A and B that are not known: UINT64_MAX: some. */
uint64_t changed_by_lost(const struct changed_by *by);

#endif
