/* new_code.h - executable memory that B has and A had not, and that neither a program nor its
 * libraries bring: what a hook, an unpacker or a compiler at run time leaves.  Pages of code that
 * were written to are facts of the diff itself. */
#ifndef VMSNAP_NEW_CODE_H
#define VMSNAP_NEW_CODE_H

#include "vmsnap.h"

enum new_code_kind {
	/* Other memory lies over part of a file's code, the rest of which is still there: not a
	 * library that was unloaded. */
	NEW_CODE_LAID_OVER,
	/* It can be written to and executed, and could not before; not one that has grown. */
	NEW_CODE_WRITABLE,
	NEW_CODE_KINDS
};
/* "laid_over" */
const char *new_code_kind_name(int kind);

struct new_code {
	int kind;
	uint64_t start, end;
	const struct vmsnap_vma *vma;  /* in B */
	const struct vmsnap_vma *over; /* in A; NULL if it lies over nothing */
};

/* By address; takes time in proportion to the mappings of both. */
struct new_code_walk {
	const struct vmsnap *a, *b;
	size_t at_b, first_a, at_a; /* mappings: B's that is looked at, A's first beyond it, and A's */
	uint64_t was, writable;     /* bytes of B's that A had, and could write to and execute */
};
struct new_code_walk new_code_begin(const struct vmsnap *a, const struct vmsnap *b);
bool new_code_next(struct new_code_walk *walk, struct new_code *out);

#endif
