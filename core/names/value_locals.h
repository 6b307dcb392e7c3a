/* value_locals.h - variables that a debugger told of, in two snapshots of one process: locals, arguments and
 * thread-locals that are there in both, with the types that came with them. */
#ifndef VMSNAP_VALUE_LOCALS_H
#define VMSNAP_VALUE_LOCALS_H

#include "snapshot.h"
#include "type_table.h"

struct value_local {
	const struct vmsnap_annotation *name; /* B's */
	const struct value_type *type;        /* NULL: not known */
};
struct value_locals {
	struct value_local *items; /* by address */
	size_t count, room;
	struct type_table types[2]; /* of A, of B */
};

/* A code of work.h; *locals is empty then. */
int value_locals_find(const struct vmsnap *a, const struct vmsnap *b, struct work *work, struct value_locals *locals);
void value_locals_free(struct value_locals *locals, struct work *work);
/* The one that a byte is of, the innermost of several; NULL: of none. */
const struct value_local *value_locals_at(const struct value_locals *locals, uint64_t address);

#endif
