/* dwarf_units.h - units and entries ("DIEs") of DWARF 2 to 5.  Read by ourselves: what libdw does
 * with damaged ones differs from version to version, and here every step is counted.  Knows
 * what an attribute is, and nothing of what types mean. */
#ifndef VMSNAP_DWARF_UNITS_H
#define VMSNAP_DWARF_UNITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arena.h"
#include "dwarf_sections.h"
#include "work.h"

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

enum dwarf_value_class {
	DWARF_NUMBER,  /* .number, of .len bytes; sign extended if .len is 0 */
	DWARF_ADDRESS, /* .number */
	DWARF_BLOCK,   /* .bytes, .len */
	DWARF_STRING,  /* .bytes, which end with a NUL; NULL: damaged */
	DWARF_ENTRY,   /* .unit, .number: the entry's place in the unit's section; .unit NULL: nowhere */
	DWARF_OTHER,
};
struct dwarf_unit;
struct dwarf_value {
	enum dwarf_value_class class;
	uint64_t number;
	const uint8_t *bytes;
	size_t len;
	const struct dwarf_unit *unit;
};

struct dwarf_abbrevs;
struct dwarf_file;
struct dwarf_unit {
	struct dwarf_file *file;
	enum dwarf_section_id section;
	uint64_t offset, first, end; /* in the section: its header, its first entry */
	unsigned version, address_size, offset_size;
	bool holds_types; /* a type unit */
	uint64_t signature, type_offset, abbrev_offset;
	uint64_t dwo_id; /* of one of split DWARF; up to version 4 its first entry tells it */
	bool opened;     /* the following is known */
	const struct dwarf_abbrevs *abbrevs;
	uint64_t str_offsets_base, addr_base;
};

struct dwarf_file {
	struct dwarf_sections sections;
	struct dwarf_unit *units; /* in the order of section and offset */
	size_t unit_count, unit_capacity;
	struct dwarf_abbrevs **tables; /* in the order of their offsets */
	size_t table_count, table_capacity;
	const struct dwarf_unit **signatures; /* type units, by signature */
	size_t signature_count;
	struct dwarf_file *alternate; /* what .gnu_debugaltlink names; NULL: none, or not there */
	/* Files of split DWARF.  What such a file is part of is the unit that names it: that one has the addresses. */
	struct dwarf_file **splits;
	size_t split_count, split_capacity;
	const struct dwarf_unit *skeleton; /* NULL: it is none */
	struct arena memory;
	uint64_t steps; /* that may still be done */
	struct work *work;
	int failed; /* VMSNAP_ERR_…: no memory, cancelled, too many steps; what comes then is empty */
};

struct dwarf_die {
	const struct dwarf_unit *unit;
	uint64_t offset, after; /* its place, and where the next one begins */
	unsigned tag;           /* 0: the end of its siblings */
	bool children;
	uint32_t has; /* 1 << enum dwarf_attribute */
	struct dwarf_value at[DWARF_AT_WANTED];
};

/* Takes over the sections, and finds the units.  work: asked now and then. */
int dwarf_file_open(struct dwarf_sections *sections, struct work *work, struct dwarf_file *out);
void dwarf_file_close(struct dwarf_file *file);
/* Of all that it holds; the few bytes that malloc() adds to each are not counted. */
uint64_t dwarf_file_bytes(const struct dwarf_file *file);

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
