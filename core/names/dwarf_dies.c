#include "dwarf_dies.h"

#include <dwarf.h>
#include <string.h>

#include "dwarf_bytes.h"

/* A string of a section of them; the section ends with a NUL of ours. */
static const uint8_t *string_at(const struct dwarf_file *file, enum dwarf_section_id id, uint64_t at)
{
	const struct dwarf_section *s = file ? &file->sections.at[id] : NULL;
	return s && at < s->len ? s->bytes + at : NULL;
}

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
	return value_entry(dwarf_unit_at(file, DWARF_INFO, offset), offset);
}

static struct dwarf_value value_signature(const struct dwarf_file *file, uint64_t signature)
{
	const struct dwarf_unit *unit = dwarf_unit_of_signature(file, signature);
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
	if (!dwarf_steps_left(file, 1) || offset < unit->first || offset >= unit->end || !unit->abbrevs)
		return false;
	uint64_t code = dwarf_take_uleb(&c);
	out->unit = unit;
	out->offset = offset;
	out->has = 0;
	out->tag = 0;
	out->children = false;
	const struct dwarf_declaration *d = code ? dwarf_abbrevs_find(unit->abbrevs, code) : NULL;
	if ((code && !d) || (d && !dwarf_steps_left(file, d->count)))
		return false;
	for (uint32_t i = 0; d && i < d->count; i++) {
		const struct dwarf_spec *spec = &unit->abbrevs->specs[d->first + i];
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
	unit->abbrevs = dwarf_abbrevs_at(unit->file, unit->abbrev_offset);
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
