/* dwarf_file.h - a file's DWARF as it is held, and how much may be done with it yet. */
#ifndef VMSNAP_DWARF_FILE_H
#define VMSNAP_DWARF_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arena.h"
#include "dwarf_sections.h"
#include "work.h"

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

/* A part that failed fails the whole: half of the variables are not to pass for all. */
void dwarf_fails(struct dwarf_file *file, int rc);
/* False when there were too many, or nobody wants them any more. */
bool dwarf_steps_left(struct dwarf_file *file, uint64_t steps);
/* Room for one more; NULL after a failure. */
void *dwarf_room(struct dwarf_file *file, void *items, size_t count, size_t *capacity, size_t size);

#endif
