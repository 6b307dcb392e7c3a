#define _GNU_SOURCE
#include "value_make.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "error.h"

char *value_copy(const struct value_maker *maker, const void *bytes, size_t len, int *rc)
{
	if (*rc)
		return NULL;
	*rc = work_charge(maker->work, len + 1);
	char *copy = *rc ? NULL : arena_copy(maker->strings, bytes, len);
	if (!*rc && !copy)
		*rc = VMSNAP_ERR_NO_MEMORY;
	return copy;
}

static uint64_t low_bits(uint64_t value, uint32_t bits)
{
	return bits < 64 ? value & ((UINT64_C(1) << bits) - 1) : value;
}

/* The bits of the number, to 128 of them. */
static void take_number(const struct value_leaf *leaf, const uint8_t *bytes, bool is_signed, struct vmsnap_value *out)
{
	bool big = leaf->type->big_endian;
	uint32_t bits = leaf->bit_size ? leaf->bit_size : leaf->size > 8 ? 64 : (uint32_t)(8 * leaf->size);
	if (leaf->bit_size) {
		out->number = value_bits(bytes, leaf->bit_offset, leaf->bit_size, big);
	} else if (leaf->size == 16) {
		out->number = value_number(bytes + (big ? 8 : 0), 8, big);
		out->high = value_number(bytes + (big ? 0 : 8), 8, big);
		return;
	} else {
		out->number = value_number(bytes, (size_t)leaf->size, big);
	}
	if (!is_signed || !(out->number >> (bits - 1) & 1))
		return;
	out->number |= bits < 64 ? UINT64_MAX << bits : 0;
	out->high = UINT64_MAX;
}

/* ---- enumerations --------------------------------------------------------------------- */

static bool one_bit(uint64_t value)
{
	return value && !(value & (value - 1));
}

/* Whether its values are bits that can be or-ed: as many of one bit as of anything else, at the least. */
static bool are_flags(const struct value_type *type)
{
	size_t bits = 0, others = 0;
	for (size_t i = 0; i < type->enumerator_count; i++) {
		bits += one_bit(type->enumerators[i].value);
		others += type->enumerators[i].value && !one_bit(type->enumerators[i].value);
	}
	return bits > 1 && bits >= others;
}

static const char *enumerator_of(const struct value_type *type, uint64_t value, uint32_t bits)
{
	for (size_t i = 0; i < type->enumerator_count; i++)
		if (low_bits(type->enumerators[i].value, bits) == value)
			return type->enumerators[i].name;
	return NULL;
}

/* "READ | WRITE | 0x40"; false if it is none of them. */
static bool flags_of(const struct value_type *type, uint64_t value, char *words, size_t room)
{
	size_t len = 0;
	for (size_t i = 0; i < type->enumerator_count && value; i++) {
		const struct value_enumerator *e = &type->enumerators[i];
		if (!one_bit(e->value) || !(value & e->value))
			continue;
		int more = snprintf(words + len, room - len, "%s%s", len ? " | " : "", e->name);
		if (more < 0 || (size_t)more >= room - len)
			return false;
		len += (size_t)more;
		value &= ~e->value;
	}
	int more = value && len ? snprintf(words + len, room - len, " | 0x%" PRIx64, value) : 0;
	return len && more >= 0 && (size_t)more < room - len;
}

static int take_enum(const struct value_maker *maker, const struct value_leaf *leaf, struct vmsnap_value *out)
{
	enum { WORDS_MAX = 512 };
	char words[WORDS_MAX];
	int rc = VMSNAP_OK;
	uint32_t bits = leaf->bit_size ? leaf->bit_size : (uint32_t)(8 * leaf->size);
	uint64_t value = low_bits(out->number, bits);
	const char *name = enumerator_of(leaf->type, value, bits);
	if (!name && are_flags(leaf->type) && flags_of(leaf->type, value, words, sizeof(words)))
		name = words;
	if (name)
		out->word = value_copy(maker, name, strnlen(name, WORDS_MAX), &rc);
	return rc;
}

/* Of Rust: which of the variants is there. */
static int take_variant(const struct value_maker *maker, const struct value_leaf *leaf, struct vmsnap_value *out)
{
	const struct value_type *type = leaf->type;
	int rc = VMSNAP_OK;
	const char *name = NULL;
	for (size_t i = 1; i < type->member_count; i++) {
		if (!type->members[i].is_default && type->members[i].value == out->number) {
			name = type->members[i].name;
			break;
		}
		name = type->members[i].is_default ? type->members[i].name : name;
	}
	if (name)
		out->word = value_copy(maker, name, strnlen(name, VALUE_LEAF_MAX), &rc);
	return rc;
}

/* ---- pointers ------------------------------------------------------------------------- */

/* Of a global whose type and name came with a snapshot. */
static int take_stored_name(const struct value_maker *maker, struct vmsnap_value *out)
{
	int rc = VMSNAP_OK;
	for (int side = 2; maker->types && !out->word && !rc && side-- > 0;) {
		const struct type_variable *found = type_table_at(&maker->types[side], out->number);
		if (!found)
			continue;
		out->offset = out->number - found->address;
		out->word = value_copy(maker, found->name, strlen(found->name), &rc);
	}
	return rc;
}

static int take_pointer(const struct value_maker *maker, struct vmsnap_value *out)
{
	struct vmsnap_name name;
	int rc = VMSNAP_OK;
	if (!maker->names || !out->number)
		return rc;
	int found = vmsnap_name_at(maker->names, out->number, &name);
	if (found == VMSNAP_ERR_NO_MEMORY || found == VMSNAP_ERR_CANCELLED)
		return found;
	bool symbol = !found && name.symbol &&
	              (name.kind == VMSNAP_NAME_OBJECT || name.kind == VMSNAP_NAME_FUNCTION ||
	               name.kind == VMSNAP_NAME_OTHER_SYMBOL || name.kind == VMSNAP_NAME_LOCAL ||
	               name.kind == VMSNAP_NAME_ARGUMENT || name.kind == VMSNAP_NAME_THREAD_LOCAL);
	if (!symbol)
		return take_stored_name(maker, out);
	const char *demangled = vmsnap_names_demangle(maker->names, name.symbol);
	const char *words = demangled ? demangled : name.symbol;
	out->offset = out->number - name.address;
	out->word = value_copy(maker, words, strlen(words), &rc);
	return rc;
}

/* ---- all ------------------------------------------------------------------------------ */

static int kind_of(const struct value_leaf *leaf)
{
	if (leaf->is_text)
		return VMSNAP_VALUE_TEXT;
	if (leaf->is_bytes)
		return VMSNAP_VALUE_BYTES;
	switch (leaf->type->kind) {
	case TYPE_SIGNED:
		return VMSNAP_VALUE_SIGNED;
	case TYPE_UNSIGNED:
		return VMSNAP_VALUE_UNSIGNED;
	case TYPE_BOOL:
		return VMSNAP_VALUE_BOOL;
	case TYPE_CHAR:
	case TYPE_UCHAR:
	case TYPE_WIDE:
		return VMSNAP_VALUE_CHARACTER;
	case TYPE_FLOAT:
		return VMSNAP_VALUE_FLOAT;
	case TYPE_ENUM:
	case TYPE_VARIANT:
		return VMSNAP_VALUE_ENUM;
	case TYPE_POINTER:
		return VMSNAP_VALUE_POINTER;
	default:
		return VMSNAP_VALUE_BYTES;
	}
}

static bool is_number(int kind)
{
	return kind != VMSNAP_VALUE_TEXT && kind != VMSNAP_VALUE_BYTES && kind != VMSNAP_VALUE_FLOAT;
}

int value_make(const struct value_maker *maker, const struct value_leaf *leaf, const uint8_t *bytes,
               struct vmsnap_value *out)
{
	int rc = VMSNAP_OK;
	*out = (struct vmsnap_value){ .kind = bytes ? kind_of(leaf) : VMSNAP_VALUE_UNKNOWN,
		                      .big_endian = leaf->type->big_endian };
	if (!bytes)
		return rc;
	out->len = (size_t)leaf->size;
	if (out->kind == VMSNAP_VALUE_TEXT)
		out->len = strnlen((const char *)bytes, out->len);
	else if (leaf->type->significant && !leaf->is_bytes)
		out->len = leaf->type->significant;
	out->bytes = (const uint8_t *)value_copy(maker, bytes, out->len, &rc);
	if (rc || !is_number(out->kind))
		return rc;
	const struct value_type *type = leaf->type;
	bool is_signed =
	        type->kind == TYPE_SIGNED || type->kind == TYPE_CHAR || (type->kind == TYPE_ENUM && type->is_signed);
	take_number(leaf, bytes, is_signed, out);
	if (type->kind == TYPE_VARIANT)
		return take_variant(maker, leaf, out);
	if (out->kind == VMSNAP_VALUE_ENUM)
		return take_enum(maker, leaf, out);
	return out->kind == VMSNAP_VALUE_POINTER ? take_pointer(maker, out) : VMSNAP_OK;
}

VMSNAP_API const char *vmsnap_value_kind_name(int kind)
{
	static const char *const names[VMSNAP_VALUE_KIND_COUNT] = {
		[VMSNAP_VALUE_UNKNOWN] = "unknown", [VMSNAP_VALUE_BYTES] = "bytes",
		[VMSNAP_VALUE_SIGNED] = "signed",   [VMSNAP_VALUE_UNSIGNED] = "unsigned",
		[VMSNAP_VALUE_BOOL] = "bool",       [VMSNAP_VALUE_CHARACTER] = "character",
		[VMSNAP_VALUE_FLOAT] = "float",     [VMSNAP_VALUE_ENUM] = "enum",
		[VMSNAP_VALUE_POINTER] = "pointer", [VMSNAP_VALUE_TEXT] = "text",
	};
	return kind >= 0 && kind < VMSNAP_VALUE_KIND_COUNT ? names[kind] : NULL;
}
