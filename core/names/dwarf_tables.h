/* dwarf_tables.h - what is kept of the DWARF of one ELF file: its variables, and the types that were
 * made. */
#ifndef VMSNAP_DWARF_TABLES_H
#define VMSNAP_DWARF_TABLES_H

#include "arena.h"
#include "dwarf_dies.h"
#include "value_type.h"

struct dwarf_variable {
	uint64_t address; /* as the file counts */
	const struct dwarf_unit *unit;
	uint64_t offset;     /* of its entry */
	uint32_t context;    /* what it is declared in: index into contexts, plus 1; 0: nothing */
	bool known;          /* the following is; see dwarf_types_at() */
	const char *name;    /* "shop::orders", "main::calls" */
	const char *linkage; /* its symbol, where that is another; NULL */
	bool unscoped;       /* the name lacks what it is declared in */
	const struct value_type *type;
};

struct dwarf_context {
	uint32_t outer; /* index plus 1 */
	const char *name;
};

struct dwarf_slot {
	const uint8_t *key;
	const struct value_type *type; /* NULL: it is being made */
};
struct dwarf_types {
	struct dwarf_file file;
	struct dwarf_variable *items; /* by address; at one address one */
	size_t count, capacity;
	struct dwarf_context *contexts;
	size_t context_count, context_capacity;
	struct dwarf_slot *slots; /* a hash table: the types that were made */
	size_t slot_count, slot_used;
	struct arena memory;
	uint64_t room; /* that memory may take */
};

#endif
