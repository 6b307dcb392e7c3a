/* type_table.h - types that somebody who knew them gave to a snapshot, as bytes (docs/format.md, TYPE): read into
 * value_type.h's.  Believes nothing that they say: what has parts has them of types before it, so that nothing contains
 * itself. */
#ifndef VMSNAP_TYPE_TABLE_H
#define VMSNAP_TYPE_TABLE_H

#include "arena.h"
#include "value_type.h"
#include "work.h"

enum { TYPE_TABLE_BYTES_MAX = 1 << 24, TYPE_TABLE_VERSION = 1 };

/* A global or static one, as its language names it. */
struct type_variable {
	uint64_t address;
	const struct value_type *type;
	const char *name;
};
struct type_table {
	struct value_type *types;
	size_t count;
	struct type_variable *variables; /* by address, each another one */
	size_t variable_count;
	struct arena memory; /* names, members, enumerators */
	uint64_t charged;
};

/* VMSNAP_ERR_CORRUPT, or a code of work.h; *table is empty then.  len 0: an empty one. */
int type_table_read(const uint8_t *bytes, size_t len, struct work *work, struct type_table *table);
void type_table_free(struct type_table *table, struct work *work);
/* The one that is called so and has the size; NULL: there is none, or there are several. */
const struct value_type *type_table_find(const struct type_table *table, const char *name, uint64_t size);
/* The variable that a byte is of; NULL: none is known. */
const struct type_variable *type_table_at(const struct type_table *table, uint64_t address);

#endif
