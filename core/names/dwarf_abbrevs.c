#include "dwarf_abbrevs.h"

#include <dwarf.h>
#include <stdlib.h>
#include <string.h>

#include "dwarf_bytes.h"
#include "error.h"

enum { ATTRIBUTES_MAX = 512 };

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

static bool read_spec(struct dwarf_file *file, struct dwarf_abbrevs *table, struct dwarf_cursor *c, bool *last)
{
	uint64_t name = dwarf_take_uleb(c), form = dwarf_take_uleb(c);
	uint64_t implicit = form == DW_FORM_implicit_const ? dwarf_take_sleb(c) : 0;
	*last = !name && !form;
	if (c->failed || form > UINT16_MAX || *last)
		return !c->failed && form <= UINT16_MAX;
	struct dwarf_spec *specs =
	        dwarf_room(file, table->specs, table->spec_count, &table->spec_capacity, sizeof(*specs));
	if (!specs)
		return false;
	table->specs = specs;
	specs[table->spec_count++] = (struct dwarf_spec){ attribute_of(name), (uint16_t)form, (int64_t)implicit };
	return true;
}

/* False where the table ends. */
static bool read_declaration(struct dwarf_file *file, struct dwarf_abbrevs *table, struct dwarf_cursor *c)
{
	struct dwarf_declaration d = { .code = dwarf_take_uleb(c) };
	if (c->failed || !d.code)
		return false;
	uint64_t tag = dwarf_take_uleb(c);
	d.tag = tag <= UINT32_MAX ? (uint32_t)tag : 0;
	d.children = dwarf_take_number(c, 1);
	d.first = (uint32_t)table->spec_count;
	for (bool last = false; !last;) {
		bool sane = read_spec(file, table, c, &last) && table->spec_count - d.first <= ATTRIBUTES_MAX;
		if (!sane || !dwarf_steps_left(file, 1) || table->spec_count >= UINT32_MAX) {
			table->damaged = true;
			return false;
		}
	}
	d.count = (uint32_t)table->spec_count - d.first;
	struct dwarf_declaration *items =
	        dwarf_room(file, table->items, table->count, &table->capacity, sizeof(*items));
	if (!items)
		return false;
	table->items = items;
	items[table->count++] = d;
	return true;
}

static int by_code(const void *a, const void *b)
{
	const struct dwarf_declaration *x = a, *y = b;
	return x->code < y->code ? -1 : x->code > y->code;
}

static struct dwarf_abbrevs *read_table(struct dwarf_file *file, uint64_t offset)
{
	struct dwarf_abbrevs *table = calloc(1, sizeof(*table));
	if (!table) {
		dwarf_fails(file, VMSNAP_ERR_NO_MEMORY);
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

const struct dwarf_abbrevs *dwarf_abbrevs_at(struct dwarf_file *file, uint64_t offset)
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
	        dwarf_room(file, file->tables, file->table_count, &file->table_capacity, sizeof(*tables));
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

const struct dwarf_declaration *dwarf_abbrevs_find(const struct dwarf_abbrevs *table, uint64_t code)
{
	/* As a rule they are numbered from 1 on. */
	if (code - 1 < table->count && table->items[code - 1].code == code)
		return &table->items[code - 1];
	struct dwarf_declaration key = { .code = code };
	return table->count ? bsearch(&key, table->items, table->count, sizeof(key), by_code) : NULL;
}

void dwarf_abbrevs_free(struct dwarf_abbrevs *table)
{
	free(table->items);
	free(table->specs);
	free(table);
}

uint64_t dwarf_abbrevs_bytes(const struct dwarf_abbrevs *table)
{
	return sizeof(*table) + table->capacity * sizeof(struct dwarf_declaration) +
	       table->spec_capacity * sizeof(struct dwarf_spec);
}
