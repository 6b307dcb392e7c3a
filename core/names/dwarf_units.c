#define _GNU_SOURCE
#include "dwarf_units.h"

#include <dwarf.h>
#include <stdlib.h>
#include <string.h>

#include "dwarf_bytes.h"
#include "error.h"

/* What a crafted file may cost: each attribute that is passed over is a step.  Real files have
 * four bytes or more for each, and are gone through once or twice. */
#define STEPS_FOR_EACH_BYTE 8
#define STEPS_AT_LEAST      (UINT64_C(1) << 20)

enum { ATTRIBUTES_MAX = 512 };

struct spec {
	uint16_t attribute; /* enum dwarf_attribute; DWARF_AT_WANTED: passed over */
	uint16_t form;
	int64_t implicit;
};
struct declaration {
	uint64_t code;
	uint32_t tag;
	bool children;
	uint32_t first, count; /* in specs */
};
struct dwarf_abbrevs {
	uint64_t offset;
	struct declaration *items; /* by code */
	size_t count, capacity;
	struct spec *specs;
	size_t spec_count, spec_capacity;
	bool damaged;
};

/* A string of a section of them; the section ends with a NUL of ours. */
static const uint8_t *string_at(const struct dwarf_file *file, enum dwarf_section_id id, uint64_t at)
{
	const struct dwarf_section *s = file ? &file->sections.at[id] : NULL;
	return s && at < s->len ? s->bytes + at : NULL;
}

/* A part that failed fails the whole: half of the variables are not to pass for all. */
static void fails(struct dwarf_file *file, int rc)
{
	file->failed = rc;
	if (rc && file->skeleton)
		file->skeleton->file->failed = rc;
}

static bool steps_left(struct dwarf_file *file, uint64_t steps)
{
	if (file->failed)
		return false;
	if (steps > file->steps) {
		fails(file, VMSNAP_ERR_TOO_LARGE);
		return false;
	}
	file->steps -= steps;
	fails(file, work_step(file->work));
	return !file->failed;
}

/* ---- abbreviations ------------------------------------------------------------------ */

static uint16_t attribute_of(uint64_t name)
{
	static const uint16_t names[DWARF_AT_WANTED] = {
		[DWARF_AT_SIBLING] = DW_AT_sibling,
		[DWARF_AT_LOCATION] = DW_AT_location,
		[DWARF_AT_NAME] = DW_AT_name,
		[DWARF_AT_BYTE_SIZE] = DW_AT_byte_size,
		[DWARF_AT_BIT_OFFSET] = DW_AT_bit_offset,
		[DWARF_AT_BIT_SIZE] = DW_AT_bit_size,
		[DWARF_AT_DISCR] = DW_AT_discr,
		[DWARF_AT_DISCR_VALUE] = DW_AT_discr_value,
		[DWARF_AT_CONST_VALUE] = DW_AT_const_value,
		[DWARF_AT_LOWER_BOUND] = DW_AT_lower_bound,
		[DWARF_AT_UPPER_BOUND] = DW_AT_upper_bound,
		[DWARF_AT_ABSTRACT_ORIGIN] = DW_AT_abstract_origin,
		[DWARF_AT_COUNT] = DW_AT_count,
		[DWARF_AT_DATA_MEMBER_LOCATION] = DW_AT_data_member_location,
		[DWARF_AT_DECLARATION] = DW_AT_declaration,
		[DWARF_AT_ENCODING] = DW_AT_encoding,
		[DWARF_AT_EXTERNAL] = DW_AT_external,
		[DWARF_AT_SPECIFICATION] = DW_AT_specification,
		[DWARF_AT_TYPE] = DW_AT_type,
		[DWARF_AT_BYTE_STRIDE] = DW_AT_byte_stride,
		[DWARF_AT_BIT_STRIDE] = DW_AT_bit_stride,
		[DWARF_AT_ENDIANITY] = DW_AT_endianity,
		[DWARF_AT_DATA_BIT_OFFSET] = DW_AT_data_bit_offset,
		[DWARF_AT_SIGNATURE] = DW_AT_signature,
		[DWARF_AT_LINKAGE_NAME] = DW_AT_linkage_name,
		[DWARF_AT_STR_OFFSETS_BASE] = DW_AT_str_offsets_base,
		[DWARF_AT_ADDR_BASE] = DW_AT_addr_base,
		[DWARF_AT_COMP_DIR] = DW_AT_comp_dir,
		[DWARF_AT_DWO_NAME] = DW_AT_dwo_name,
		[DWARF_AT_DWO_ID] = DW_AT_GNU_dwo_id,
	};
	if (name == DW_AT_MIPS_linkage_name)
		return DWARF_AT_LINKAGE_NAME;
	if (name == DW_AT_GNU_dwo_name)
		return DWARF_AT_DWO_NAME;
	if (name == DW_AT_GNU_addr_base)
		return DWARF_AT_ADDR_BASE;
	for (uint16_t i = 0; i < DWARF_AT_WANTED; i++)
		if (names[i] == name)
			return i;
	return DWARF_AT_WANTED;
}

/* Room for one more; NULL after a failure. */
static void *room(struct dwarf_file *file, void *items, size_t count, size_t *capacity, size_t size)
{
	if (count < *capacity)
		return items;
	size_t more = *capacity ? *capacity * 2 : 16;
	void *larger = realloc(items, more * size);
	if (!larger) {
		fails(file, VMSNAP_ERR_NO_MEMORY);
		return NULL;
	}
	*capacity = more;
	return larger;
}

static bool read_spec(struct dwarf_file *file, struct dwarf_abbrevs *table, struct dwarf_cursor *c, bool *last)
{
	uint64_t name = dwarf_take_uleb(c), form = dwarf_take_uleb(c);
	uint64_t implicit = form == DW_FORM_implicit_const ? dwarf_take_sleb(c) : 0;
	*last = !name && !form;
	if (c->failed || form > UINT16_MAX || *last)
		return !c->failed && form <= UINT16_MAX;
	struct spec *specs = room(file, table->specs, table->spec_count, &table->spec_capacity, sizeof(*specs));
	if (!specs)
		return false;
	table->specs = specs;
	specs[table->spec_count++] = (struct spec){ attribute_of(name), (uint16_t)form, (int64_t)implicit };
	return true;
}

/* False where the table ends. */
static bool read_declaration(struct dwarf_file *file, struct dwarf_abbrevs *table, struct dwarf_cursor *c)
{
	struct declaration d = { .code = dwarf_take_uleb(c) };
	if (c->failed || !d.code)
		return false;
	uint64_t tag = dwarf_take_uleb(c);
	d.tag = tag <= UINT32_MAX ? (uint32_t)tag : 0;
	d.children = dwarf_take_number(c, 1);
	d.first = (uint32_t)table->spec_count;
	for (bool last = false; !last;) {
		bool sane = read_spec(file, table, c, &last) && table->spec_count - d.first <= ATTRIBUTES_MAX;
		if (!sane || !steps_left(file, 1) || table->spec_count >= UINT32_MAX) {
			table->damaged = true;
			return false;
		}
	}
	d.count = (uint32_t)table->spec_count - d.first;
	struct declaration *items = room(file, table->items, table->count, &table->capacity, sizeof(*items));
	if (!items)
		return false;
	table->items = items;
	items[table->count++] = d;
	return true;
}

static int by_code(const void *a, const void *b)
{
	const struct declaration *x = a, *y = b;
	return x->code < y->code ? -1 : x->code > y->code;
}

static struct dwarf_abbrevs *read_table(struct dwarf_file *file, uint64_t offset)
{
	struct dwarf_abbrevs *table = calloc(1, sizeof(*table));
	if (!table) {
		fails(file, VMSNAP_ERR_NO_MEMORY);
		return NULL;
	}
	table->offset = offset;
	struct dwarf_cursor c = dwarf_cursor_at(&file->sections, DWARF_ABBREV, offset, UINT64_MAX);
	bool sorted = true;
	while (read_declaration(file, table, &c))
		sorted &= table->count < 2 || table->items[table->count - 2].code < table->items[table->count - 1].code;
	if (!sorted)
		qsort(table->items, table->count, sizeof(*table->items), by_code);
	return table;
}

static const struct dwarf_abbrevs *table_at(struct dwarf_file *file, uint64_t offset)
{
	size_t low = 0, high = file->table_count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (file->tables[middle]->offset < offset)
			low = middle + 1;
		else
			high = middle;
	}
	if (low < file->table_count && file->tables[low]->offset == offset)
		return file->tables[low];
	struct dwarf_abbrevs **tables =
	        room(file, file->tables, file->table_count, &file->table_capacity, sizeof(*tables));
	struct dwarf_abbrevs *table = tables ? read_table(file, offset) : NULL;
	if (tables)
		file->tables = tables;
	if (!table)
		return NULL;
	memmove(&tables[low + 1], &tables[low], (file->table_count - low) * sizeof(*tables));
	tables[low] = table;
	file->table_count++;
	return table;
}

static const struct declaration *declaration_of(const struct dwarf_abbrevs *table, uint64_t code)
{
	/* As a rule they are numbered from 1 on. */
	if (code - 1 < table->count && table->items[code - 1].code == code)
		return &table->items[code - 1];
	struct declaration key = { .code = code };
	return table->count ? bsearch(&key, table->items, table->count, sizeof(key), by_code) : NULL;
}

/* ---- units -------------------------------------------------------------------------- */

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
		        room(file, file->units, file->unit_count, &file->unit_capacity, sizeof(*units));
		if (!units || !steps_left(file, 1))
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
	for (size_t i = 0; i < file->table_count; i++) {
		free(file->tables[i]->items);
		free(file->tables[i]->specs);
		free(file->tables[i]);
	}
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
		bytes += sizeof(*file->tables[i]) + file->tables[i]->capacity * sizeof(struct declaration) +
		         file->tables[i]->spec_capacity * sizeof(struct spec);
	for (size_t i = 0; i < file->split_count; i++)
		bytes += dwarf_file_bytes(file->splits[i]);
	return bytes + (file->alternate ? dwarf_file_bytes(file->alternate) : 0);
}

/* The unit that a place of its section lies in. */
static const struct dwarf_unit *unit_at(const struct dwarf_file *file, enum dwarf_section_id section, uint64_t offset)
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

static const struct dwarf_unit *unit_of_signature(const struct dwarf_file *file, uint64_t signature)
{
	struct dwarf_unit key = { .signature = signature };
	const struct dwarf_unit *wanted = &key, *const *found = NULL;
	if (file->signature_count)
		found = bsearch(&wanted, file->signatures, file->signature_count, sizeof(wanted), by_signature);
	return found ? *found : NULL;
}

/* ---- entries ------------------------------------------------------------------------ */

static uint64_t table_number(const struct dwarf_unit *unit, enum dwarf_section_id id, uint64_t base, uint64_t index,
                             unsigned size, bool *sane)
{
	if (index > UINT32_MAX || base > UINT64_MAX - index * size) {
		*sane = false;
		return 0;
	}
	struct dwarf_cursor c = dwarf_cursor_at(&unit->file->sections, id, base + index * size, UINT64_MAX);
	uint64_t value = dwarf_take_number(&c, size);
	*sane = !c.failed;
	return value;
}

static struct dwarf_value value_string(const uint8_t *text)
{
	return (struct dwarf_value){ .class = DWARF_STRING, .bytes = text };
}

static struct dwarf_value value_strx(const struct dwarf_unit *unit, uint64_t index)
{
	bool sane;
	uint64_t at = table_number(unit, DWARF_STR_OFFSETS, unit->str_offsets_base, index, unit->offset_size, &sane);
	return value_string(sane ? string_at(unit->file, DWARF_STR, at) : NULL);
}

static struct dwarf_value value_addrx(const struct dwarf_unit *unit, uint64_t index)
{
	bool sane;
	const struct dwarf_unit *of = unit->file->skeleton ? unit->file->skeleton : unit;
	uint64_t address = table_number(of, DWARF_ADDR, of->addr_base, index, of->address_size, &sane);
	return (struct dwarf_value){ .class = sane ? DWARF_ADDRESS : DWARF_OTHER, .number = address };
}

static struct dwarf_value value_number(struct dwarf_cursor *c, unsigned len)
{
	return (struct dwarf_value){ .class = DWARF_NUMBER, .number = dwarf_take_number(c, len), .len = len };
}

static struct dwarf_value value_block(struct dwarf_cursor *c, uint64_t len)
{
	const uint8_t *bytes = dwarf_take(c, len);
	return (struct dwarf_value){ .class = DWARF_BLOCK, .bytes = bytes, .len = bytes ? (size_t)len : 0 };
}

static struct dwarf_value value_entry(const struct dwarf_unit *unit, uint64_t offset)
{
	bool inside = unit && offset >= unit->first && offset < unit->end;
	return (struct dwarf_value){ .class = DWARF_ENTRY, .unit = inside ? unit : NULL, .number = offset };
}

static struct dwarf_value value_own_entry(const struct dwarf_unit *unit, uint64_t offset)
{
	return value_entry(unit, offset <= UINT64_MAX - unit->offset ? unit->offset + offset : UINT64_MAX);
}

static struct dwarf_value value_entry_in(const struct dwarf_file *file, uint64_t offset)
{
	return value_entry(unit_at(file, DWARF_INFO, offset), offset);
}

static struct dwarf_value value_signature(const struct dwarf_file *file, uint64_t signature)
{
	const struct dwarf_unit *unit = unit_of_signature(file, signature);
	return unit ? value_own_entry(unit, unit->type_offset) : value_entry(NULL, 0);
}

static struct dwarf_value read_reference(const struct dwarf_unit *unit, struct dwarf_cursor *c, unsigned form)
{
	switch (form) {
	case DW_FORM_ref1:
		return value_own_entry(unit, dwarf_take_number(c, 1));
	case DW_FORM_ref2:
		return value_own_entry(unit, dwarf_take_number(c, 2));
	case DW_FORM_ref4:
		return value_own_entry(unit, dwarf_take_number(c, 4));
	case DW_FORM_ref8:
		return value_own_entry(unit, dwarf_take_number(c, 8));
	case DW_FORM_ref_udata:
		return value_own_entry(unit, dwarf_take_uleb(c));
	case DW_FORM_ref_addr:
		return value_entry_in(unit->file,
		                      dwarf_take_number(c, unit->version < 3 ? unit->address_size : unit->offset_size));
	case DW_FORM_ref_sig8:
		return value_signature(unit->file, dwarf_take_number(c, 8));
	case DW_FORM_ref_sup4:
		return value_entry_in(unit->file->alternate, dwarf_take_number(c, 4));
	case DW_FORM_ref_sup8:
		return value_entry_in(unit->file->alternate, dwarf_take_number(c, 8));
	default:
		return value_entry_in(unit->file->alternate, dwarf_take_number(c, unit->offset_size));
	}
}

static struct dwarf_value read_string(const struct dwarf_unit *unit, struct dwarf_cursor *c, unsigned form)
{
	switch (form) {
	case DW_FORM_string:
		return value_string(dwarf_take_string(c));
	case DW_FORM_strp:
		return value_string(string_at(unit->file, DWARF_STR, dwarf_take_number(c, unit->offset_size)));
	case DW_FORM_line_strp:
		return value_string(string_at(unit->file, DWARF_LINE_STR, dwarf_take_number(c, unit->offset_size)));
	case DW_FORM_strx1:
		return value_strx(unit, dwarf_take_number(c, 1));
	case DW_FORM_strx2:
		return value_strx(unit, dwarf_take_number(c, 2));
	case DW_FORM_strx3:
		return value_strx(unit, dwarf_take_number(c, 3));
	case DW_FORM_strx4:
		return value_strx(unit, dwarf_take_number(c, 4));
	case DW_FORM_strx:
	case DW_FORM_GNU_str_index:
		return value_strx(unit, dwarf_take_uleb(c));
	default: /* in the other file */
		return value_string(
		        string_at(unit->file->alternate, DWARF_STR, dwarf_take_number(c, unit->offset_size)));
	}
}

static struct dwarf_value read_value(const struct dwarf_unit *unit, struct dwarf_cursor *c, unsigned form,
                                     int64_t implicit)
{
	switch (form) {
	case DW_FORM_addr:
		return (struct dwarf_value){ .class = DWARF_ADDRESS,
			                     .number = dwarf_take_number(c, unit->address_size) };
	case DW_FORM_addrx:
	case DW_FORM_GNU_addr_index:
		return value_addrx(unit, dwarf_take_uleb(c));
	case DW_FORM_addrx1:
		return value_addrx(unit, dwarf_take_number(c, 1));
	case DW_FORM_addrx2:
		return value_addrx(unit, dwarf_take_number(c, 2));
	case DW_FORM_addrx3:
		return value_addrx(unit, dwarf_take_number(c, 3));
	case DW_FORM_addrx4:
		return value_addrx(unit, dwarf_take_number(c, 4));
	case DW_FORM_block1:
		return value_block(c, dwarf_take_number(c, 1));
	case DW_FORM_block2:
		return value_block(c, dwarf_take_number(c, 2));
	case DW_FORM_block4:
		return value_block(c, dwarf_take_number(c, 4));
	case DW_FORM_block:
	case DW_FORM_exprloc:
		return value_block(c, dwarf_take_uleb(c));
	case DW_FORM_data1:
	case DW_FORM_flag:
		return value_number(c, 1);
	case DW_FORM_data2:
		return value_number(c, 2);
	case DW_FORM_data4:
		return value_number(c, 4);
	case DW_FORM_data8:
		return value_number(c, 8);
	case DW_FORM_data16:
		return value_block(c, 16);
	case DW_FORM_udata:
		return (struct dwarf_value){ .class = DWARF_NUMBER, .number = dwarf_take_uleb(c), .len = 8 };
	case DW_FORM_sdata:
		return (struct dwarf_value){ .class = DWARF_NUMBER, .number = dwarf_take_sleb(c) };
	case DW_FORM_implicit_const:
		return (struct dwarf_value){ .class = DWARF_NUMBER, .number = (uint64_t)implicit };
	case DW_FORM_flag_present:
		return (struct dwarf_value){ .class = DWARF_NUMBER, .number = 1, .len = 1 };
	case DW_FORM_sec_offset:
		/* Of lists, which we do not follow; and of the bases of tables. */
		return (struct dwarf_value){ .class = DWARF_OTHER, .number = dwarf_take_number(c, unit->offset_size) };
	case DW_FORM_loclistx:
	case DW_FORM_rnglistx:
		return (struct dwarf_value){ .class = DWARF_OTHER, .number = dwarf_take_uleb(c) };
	case DW_FORM_string:
	case DW_FORM_strp:
	case DW_FORM_line_strp:
	case DW_FORM_strx:
	case DW_FORM_strx1:
	case DW_FORM_strx2:
	case DW_FORM_strx3:
	case DW_FORM_strx4:
	case DW_FORM_GNU_str_index:
	case DW_FORM_strp_sup:
	case DW_FORM_GNU_strp_alt:
		return read_string(unit, c, form);
	case DW_FORM_ref1:
	case DW_FORM_ref2:
	case DW_FORM_ref4:
	case DW_FORM_ref8:
	case DW_FORM_ref_udata:
	case DW_FORM_ref_addr:
	case DW_FORM_ref_sig8:
	case DW_FORM_ref_sup4:
	case DW_FORM_ref_sup8:
	case DW_FORM_GNU_ref_alt:
		return read_reference(unit, c, form);
	default: /* there is no telling how long it is */
		c->failed = true;
		return (struct dwarf_value){ .class = DWARF_OTHER };
	}
}

static bool read_die(const struct dwarf_unit *unit, uint64_t offset, struct dwarf_die *out)
{
	struct dwarf_file *file = unit->file;
	struct dwarf_cursor c = dwarf_cursor_at(&file->sections, unit->section, offset, unit->end);
	if (!steps_left(file, 1) || offset < unit->first || offset >= unit->end || !unit->abbrevs)
		return false;
	uint64_t code = dwarf_take_uleb(&c);
	out->unit = unit;
	out->offset = offset;
	out->has = 0;
	out->tag = 0;
	out->children = false;
	const struct declaration *d = code ? declaration_of(unit->abbrevs, code) : NULL;
	if ((code && !d) || (d && !steps_left(file, d->count)))
		return false;
	for (uint32_t i = 0; d && i < d->count; i++) {
		const struct spec *spec = &unit->abbrevs->specs[d->first + i];
		unsigned form = spec->form;
		for (int again = 0; form == DW_FORM_indirect && again < 2; again++)
			form = (unsigned)(dwarf_take_uleb(&c) & UINT16_MAX);
		struct dwarf_value value = read_value(unit, &c, form, spec->implicit);
		if (spec->attribute == DWARF_AT_WANTED)
			continue;
		out->at[spec->attribute] = value;
		out->has |= UINT32_C(1) << spec->attribute;
	}
	out->tag = d ? d->tag : 0;
	out->children = d && d->children;
	out->after = c.at;
	return !c.failed;
}

/* What its first entry says of the tables that the others use.  Without a word of it, they begin
 * behind a header of the usual size, which they have since DWARF 5. */
static void open_unit(struct dwarf_unit *unit)
{
	struct dwarf_die die;
	unit->opened = true;
	unit->abbrevs = table_at(unit->file, unit->abbrev_offset);
	unit->addr_base = unit->str_offsets_base = unit->version < 5 ? 0 : unit->offset_size == 8 ? 16 : 8;
	if (!read_die(unit, unit->first, &die))
		return;
	if (dwarf_has(&die, DWARF_AT_STR_OFFSETS_BASE))
		unit->str_offsets_base = die.at[DWARF_AT_STR_OFFSETS_BASE].number;
	if (dwarf_has(&die, DWARF_AT_ADDR_BASE))
		unit->addr_base = die.at[DWARF_AT_ADDR_BASE].number;
}

bool dwarf_die_read(const struct dwarf_unit *unit, uint64_t offset, struct dwarf_die *out)
{
	if (!unit->opened)
		open_unit(&unit->file->units[unit - unit->file->units]);
	return read_die(unit, offset, out);
}

static bool follow(const struct dwarf_die *die, enum dwarf_attribute attribute, struct dwarf_die *out)
{
	struct dwarf_value value = { .class = DWARF_OTHER };
	if (dwarf_has(die, attribute))
		value = die->at[attribute];
	return value.class == DWARF_ENTRY && value.unit && dwarf_die_read(value.unit, value.number, out) && out->tag;
}

/* Of a type that has a unit of its own there may be nothing here but which one that is: of C not even a name. */
bool dwarf_die_of(const struct dwarf_die *die, enum dwarf_attribute attribute, struct dwarf_die *out)
{
	if (!follow(die, attribute, out))
		return false;
	bool is_stub = dwarf_has(out, DWARF_AT_SIGNATURE) && !dwarf_has(out, DWARF_AT_DECLARATION);
	return !is_stub || follow(out, DWARF_AT_SIGNATURE, out);
}

const char *dwarf_text(const struct dwarf_die *die, enum dwarf_attribute attribute)
{
	bool has = dwarf_has(die, attribute) && die->at[attribute].class == DWARF_STRING;
	return has ? (const char *)die->at[attribute].bytes : NULL;
}

bool dwarf_unsigned(const struct dwarf_die *die, enum dwarf_attribute attribute, uint64_t *out)
{
	if (!dwarf_has(die, attribute) || die->at[attribute].class != DWARF_NUMBER)
		return false;
	*out = die->at[attribute].number;
	return die->at[attribute].len || *out <= INT64_MAX;
}

bool dwarf_next(const struct dwarf_die *die, uint64_t *offset)
{
	struct dwarf_die inner;
	*offset = die->after;
	if (!die->children)
		return true;
	if (dwarf_has(die, DWARF_AT_SIBLING)) {
		const struct dwarf_value *sibling = &die->at[DWARF_AT_SIBLING];
		if (sibling->class != DWARF_ENTRY || sibling->unit != die->unit || sibling->number < die->after)
			return false;
		*offset = sibling->number;
		return true;
	}
	for (uint64_t depth = 1; depth;) {
		if (!dwarf_die_read(die->unit, *offset, &inner))
			return false;
		depth = inner.tag ? depth + inner.children : depth - 1;
		*offset = inner.after;
	}
	return true;
}

bool dwarf_address(const struct dwarf_die *die, uint64_t *out)
{
	if (!dwarf_has(die, DWARF_AT_LOCATION) || die->at[DWARF_AT_LOCATION].class != DWARF_BLOCK)
		return false;
	const struct dwarf_value *block = &die->at[DWARF_AT_LOCATION];
	struct dwarf_cursor c = { .bytes = block->bytes,
		                  .end = block->len,
		                  .big_endian = die->unit->file->sections.big_endian };
	struct dwarf_value place = { .class = DWARF_OTHER };
	uint64_t op = dwarf_take_number(&c, 1);
	if (op == DW_OP_addr)
		place = (struct dwarf_value){ .class = DWARF_ADDRESS,
			                      .number = dwarf_take_number(&c, die->unit->address_size) };
	else if (op == DW_OP_addrx || op == DW_OP_GNU_addr_index)
		place = value_addrx(die->unit, dwarf_take_uleb(&c));
	if (c.at < c.end && dwarf_take_number(&c, 1) == DW_OP_plus_uconst)
		place.number += dwarf_take_uleb(&c);
	*out = place.number;
	return place.class == DWARF_ADDRESS && !c.failed && c.at == c.end;
}
