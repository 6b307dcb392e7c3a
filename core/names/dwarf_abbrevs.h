/* dwarf_abbrevs.h - how the entries of a unit are laid out: which attributes each kind of them has, in which form. */
#ifndef VMSNAP_DWARF_ABBREVS_H
#define VMSNAP_DWARF_ABBREVS_H

#include "dwarf_file.h"

/* The attributes that anybody here asks for; all others are passed over. */
enum dwarf_attribute {
	DWARF_AT_SIBLING,
	DWARF_AT_LOCATION,
	DWARF_AT_NAME,
	DWARF_AT_BYTE_SIZE,
	DWARF_AT_BIT_OFFSET,
	DWARF_AT_BIT_SIZE,
	DWARF_AT_DISCR,
	DWARF_AT_DISCR_VALUE,
	DWARF_AT_CONST_VALUE,
	DWARF_AT_LOWER_BOUND,
	DWARF_AT_UPPER_BOUND,
	DWARF_AT_ABSTRACT_ORIGIN,
	DWARF_AT_COUNT,
	DWARF_AT_DATA_MEMBER_LOCATION,
	DWARF_AT_DECLARATION,
	DWARF_AT_ENCODING,
	DWARF_AT_EXTERNAL,
	DWARF_AT_SPECIFICATION,
	DWARF_AT_TYPE,
	DWARF_AT_BYTE_STRIDE,
	DWARF_AT_BIT_STRIDE,
	DWARF_AT_ENDIANITY,
	DWARF_AT_DATA_BIT_OFFSET,
	DWARF_AT_SIGNATURE,
	DWARF_AT_LINKAGE_NAME,
	DWARF_AT_STR_OFFSETS_BASE,
	DWARF_AT_ADDR_BASE,
	DWARF_AT_COMP_DIR,
	DWARF_AT_DWO_NAME,
	DWARF_AT_DWO_ID,
	DWARF_AT_WANTED
};

struct dwarf_spec {
	uint16_t attribute; /* enum dwarf_attribute; DWARF_AT_WANTED: passed over */
	uint16_t form;
	int64_t implicit;
};
struct dwarf_declaration {
	uint64_t code;
	uint32_t tag;
	bool children;
	uint32_t first, count; /* in specs */
};
struct dwarf_abbrevs {
	uint64_t offset;
	struct dwarf_declaration *items; /* by code */
	size_t count, capacity;
	struct dwarf_spec *specs;
	size_t spec_count, spec_capacity;
	bool damaged;
};

/* The table at a place of .debug_abbrev, read when it is first asked for; NULL: no memory. */
const struct dwarf_abbrevs *dwarf_abbrevs_at(struct dwarf_file *file, uint64_t offset);
/* NULL: there is none of that code. */
const struct dwarf_declaration *dwarf_abbrevs_find(const struct dwarf_abbrevs *table, uint64_t code);
void dwarf_abbrevs_free(struct dwarf_abbrevs *table);
uint64_t dwarf_abbrevs_bytes(const struct dwarf_abbrevs *table);

#endif
