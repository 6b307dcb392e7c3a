#include "dwarf_units.h"

#include <dwarf.h>
#include <stdlib.h>
#include <string.h>

#include "dwarf_abbrevs.h"
#include "dwarf_bytes.h"
#include "error.h"

/* What a crafted file may cost: each attribute that is passed over is a step.  Real files have
 * four bytes or more for each, and are gone through once or twice. */
#define STEPS_FOR_EACH_BYTE 8
#define STEPS_AT_LEAST      (UINT64_C(1) << 20)

static bool read_header(struct dwarf_file *file, enum dwarf_section_id section, uint64_t *offset,
                        struct dwarf_unit *out)
{
	struct dwarf_cursor c = dwarf_cursor_at(&file->sections, section, *offset, UINT64_MAX);
	struct dwarf_unit u = { .file = file, .section = section, .offset = *offset, .offset_size = 4 };
	uint64_t len = dwarf_take_number(&c, 4);
	if (len == UINT32_MAX) {
		len = dwarf_take_number(&c, 8);
		u.offset_size = 8;
	}
	if (c.failed || len > c.end - c.at)
		return false;
	u.end = c.end = c.at + len;
	u.version = (unsigned)dwarf_take_number(&c, 2);
	unsigned type = u.version >= 5 ? (unsigned)dwarf_take_number(&c, 1) : section == DWARF_TYPES ? DW_UT_type : 0;
	if (u.version >= 5)
		u.address_size = (unsigned)dwarf_take_number(&c, 1);
	u.abbrev_offset = dwarf_take_number(&c, u.offset_size);
	if (u.version < 5)
		u.address_size = (unsigned)dwarf_take_number(&c, 1);
	u.holds_types = type == DW_UT_type || type == DW_UT_split_type;
	if (u.holds_types) {
		u.signature = dwarf_take_number(&c, 8);
		u.type_offset = dwarf_take_number(&c, u.offset_size);
	} else if (type == DW_UT_skeleton || type == DW_UT_split_compile) {
		u.dwo_id = dwarf_take_number(&c, 8);
	}
	*offset = u.end;
	/* One of a version that we do not know is passed over. */
	bool known = u.version >= 2 && u.version <= 5 && (u.address_size == 4 || u.address_size == 8);
	u.first = c.failed || !known ? u.end : c.at;
	*out = u;
	return true;
}

static int find_units(struct dwarf_file *file, enum dwarf_section_id section)
{
	struct dwarf_unit unit;
	for (uint64_t offset = 0; read_header(file, section, &offset, &unit);) {
		struct dwarf_unit *units =
		        dwarf_room(file, file->units, file->unit_count, &file->unit_capacity, sizeof(*units));
		if (!units || !dwarf_steps_left(file, 1))
			return file->failed;
		file->units = units;
		units[file->unit_count++] = unit;
		file->signature_count += unit.holds_types;
	}
	return file->failed;
}

static int by_signature(const void *a, const void *b)
{
	const struct dwarf_unit *x = *(const struct dwarf_unit *const *)a, *y = *(const struct dwarf_unit *const *)b;
	return x->signature < y->signature ? -1 : x->signature > y->signature;
}

static int sort_signatures(struct dwarf_file *file)
{
	file->signatures = calloc(file->signature_count + 1, sizeof(*file->signatures));
	if (!file->signatures)
		return VMSNAP_ERR_NO_MEMORY;
	size_t count = 0;
	for (size_t i = 0; i < file->unit_count; i++)
		if (file->units[i].holds_types)
			file->signatures[count++] = &file->units[i];
	qsort(file->signatures, count, sizeof(*file->signatures), by_signature);
	return VMSNAP_OK;
}

int dwarf_file_open(struct dwarf_sections *sections, struct work *work, struct dwarf_file *out)
{
	*out = (struct dwarf_file){ .sections = *sections, .work = work };
	*sections = (struct dwarf_sections){ 0 };
	out->steps = STEPS_AT_LEAST + STEPS_FOR_EACH_BYTE * out->sections.total;
	int rc = find_units(out, DWARF_INFO);
	rc = rc ? rc : find_units(out, DWARF_TYPES);
	rc = rc ? rc : sort_signatures(out);
	if (rc)
		dwarf_file_close(out);
	return rc;
}

void dwarf_file_close(struct dwarf_file *file)
{
	for (size_t i = 0; i < file->table_count; i++)
		dwarf_abbrevs_free(file->tables[i]);
	free(file->tables);
	free(file->units);
	free(file->signatures);
	dwarf_sections_free(&file->sections);
	arena_free(&file->memory);
	if (file->alternate)
		dwarf_file_close(file->alternate);
	free(file->alternate);
	for (size_t i = 0; i < file->split_count; i++) {
		dwarf_file_close(file->splits[i]);
		free(file->splits[i]);
	}
	free(file->splits);
	*file = (struct dwarf_file){ .failed = file->failed };
}

uint64_t dwarf_file_bytes(const struct dwarf_file *file)
{
	uint64_t bytes = sizeof(*file) + file->sections.total + file->memory.total +
	                 file->unit_capacity * sizeof(*file->units) + file->table_capacity * sizeof(*file->tables) +
	                 (file->signature_count + 1) * sizeof(*file->signatures) +
	                 file->split_capacity * sizeof(struct dwarf_file *);
	for (size_t i = 0; i < file->table_count; i++)
		bytes += dwarf_abbrevs_bytes(file->tables[i]);
	for (size_t i = 0; i < file->split_count; i++)
		bytes += dwarf_file_bytes(file->splits[i]);
	return bytes + (file->alternate ? dwarf_file_bytes(file->alternate) : 0);
}

const struct dwarf_unit *dwarf_unit_at(const struct dwarf_file *file, enum dwarf_section_id section, uint64_t offset)
{
	size_t low = 0, high = file ? file->unit_count : 0;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct dwarf_unit *unit = &file->units[middle];
		if (unit->section < section || (unit->section == section && unit->end <= offset))
			low = middle + 1;
		else
			high = middle;
	}
	const struct dwarf_unit *unit = file && low < file->unit_count ? &file->units[low] : NULL;
	return unit && unit->section == section && offset >= unit->first ? unit : NULL;
}

const struct dwarf_unit *dwarf_unit_of_signature(const struct dwarf_file *file, uint64_t signature)
{
	struct dwarf_unit key = { .signature = signature };
	const struct dwarf_unit *wanted = &key, *const *found = NULL;
	if (file->signature_count)
		found = bsearch(&wanted, file->signatures, file->signature_count, sizeof(wanted), by_signature);
	return found ? *found : NULL;
}
