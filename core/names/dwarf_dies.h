/* dwarf_dies.h - entries ("DIEs") of DWARF units.  Knows what an attribute is, and nothing of what types mean. */
#ifndef VMSNAP_DWARF_DIES_H
#define VMSNAP_DWARF_DIES_H

#include "dwarf_abbrevs.h"
#include "dwarf_units.h"

enum dwarf_value_class {
	DWARF_NUMBER,  /* .number, of .len bytes; sign extended if .len is 0 */
	DWARF_ADDRESS, /* .number */
	DWARF_BLOCK,   /* .bytes, .len */
	DWARF_STRING,  /* .bytes, which end with a NUL; NULL: damaged */
	DWARF_ENTRY,   /* .unit, .number: the entry's place in the unit's section; .unit NULL: nowhere */
	DWARF_OTHER,
};
struct dwarf_value {
	enum dwarf_value_class class;
	uint64_t number;
	const uint8_t *bytes;
	size_t len;
	const struct dwarf_unit *unit;
};

struct dwarf_die {
	const struct dwarf_unit *unit;
	uint64_t offset, after; /* its place, and where the next one begins */
	unsigned tag;           /* 0: the end of its siblings */
	bool children;
	uint32_t has; /* 1 << enum dwarf_attribute */
	struct dwarf_value at[DWARF_AT_WANTED];
};

/* False at the end of the unit, and where something is damaged. */
bool dwarf_die_read(const struct dwarf_unit *unit, uint64_t offset, struct dwarf_die *out);
static inline bool dwarf_has(const struct dwarf_die *die, enum dwarf_attribute attribute)
{
	return die->has & UINT32_C(1) << attribute;
}
/* What an attribute leads to; false if it is not there, or leads nowhere. */
bool dwarf_die_of(const struct dwarf_die *die, enum dwarf_attribute attribute, struct dwarf_die *out);
/* The text; NULL if there is none. */
const char *dwarf_text(const struct dwarf_die *die, enum dwarf_attribute attribute);
/* A number that is not below 0; false if it is none, or not told as a constant. */
bool dwarf_unsigned(const struct dwarf_die *die, enum dwarf_attribute attribute, uint64_t *out);
/* Where an entry that follows the last one of the children begins: a child is read at .after, and
 * the next one at what this gives. */
bool dwarf_next(const struct dwarf_die *die, uint64_t *offset);
/* A static place in memory. */
bool dwarf_address(const struct dwarf_die *die, uint64_t *out);

#endif
