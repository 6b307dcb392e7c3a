#define _GNU_SOURCE
#include "dwarf_model.h"

#include <dwarf.h>
#include <elf.h>
#include <string.h>

#include "dwarf_words.h"
#include "vmsnap.h"

/* ---- which were made ------------------------------------------------------------------- */

/* Its place in memory tells an entry from all others. */
static const uint8_t *key_of(const struct dwarf_die *die)
{
	return die->unit->file->sections.at[die->unit->section].bytes + die->offset;
}

static struct dwarf_slot *slot_in(struct dwarf_slot *slots, size_t count, const uint8_t *key)
{
	uint64_t hash = (uint64_t)(uintptr_t)key * UINT64_C(0x9e3779b97f4a7c15);
	size_t i = (size_t)(hash >> 20) & (count - 1);
	while (slots[i].key && slots[i].key != key)
		i = (i + 1) & (count - 1);
	return &slots[i];
}

static bool grow(struct dwarf_types *types)
{
	size_t count = types->slot_count ? types->slot_count * 2 : 256;
	struct dwarf_slot *slots = calloc(count, sizeof(*slots));
	if (!slots) {
		types->file.failed = VMSNAP_ERR_NO_MEMORY;
		return false;
	}
	for (size_t i = 0; i < types->slot_count; i++)
		if (types->slots[i].key)
			*slot_in(slots, count, types->slots[i].key) = types->slots[i];
	free(types->slots);
	types->slots = slots;
	types->slot_count = count;
	return true;
}

static struct dwarf_slot *slot_of(struct dwarf_types *types, const uint8_t *key)
{
	if (types->slot_used * 2 >= types->slot_count && !grow(types))
		return NULL;
	return slot_in(types->slots, types->slot_count, key);
}

/* Memory for a part of a type; NULL, and said in failed, if there is none left. */
static void *part(struct dwarf_types *types, size_t len)
{
	if (types->memory.total + len > types->room) {
		types->file.failed = VMSNAP_ERR_TOO_LARGE;
		return NULL;
	}
	void *memory = arena_alloc(&types->memory, len ? len : 1);
	if (!memory)
		types->file.failed = VMSNAP_ERR_NO_MEMORY;
	else
		memset(memory, 0, len);
	return memory;
}

static const char *words_of(struct dwarf_types *types, const struct dwarf_die *type)
{
	struct dwarf_words words = { .len = 0 };
	words.text[0] = '\0';
	dwarf_words_of_type(&words, type, 0);
	return arena_copy(&types->memory, words.text, words.len);
}

static struct value_type *new_type(struct dwarf_types *types, enum value_type_kind kind, const char *name,
                                   uint64_t size)
{
	struct value_type *type = part(types, sizeof(*type));
	if (!type)
		return NULL;
	type->kind = (uint8_t)kind;
	type->big_endian = types->file.sections.big_endian;
	type->name = name ? name : "?";
	type->size = size;
	return type;
}

/* ---- numbers --------------------------------------------------------------------------- */

static enum value_type_kind kind_of_encoding(uint64_t encoding, uint64_t size)
{
	bool number = (size && size <= 8) || size == 16;
	switch (encoding) {
	case DW_ATE_boolean:
		return size && size <= 8 ? TYPE_BOOL : TYPE_BYTES;
	case DW_ATE_float:
	case DW_ATE_imaginary_float:
		return TYPE_FLOAT;
	case DW_ATE_signed:
		return number ? TYPE_SIGNED : TYPE_BYTES;
	case DW_ATE_unsigned:
		return number ? TYPE_UNSIGNED : TYPE_BYTES;
	case DW_ATE_signed_char:
		return size == 1 ? TYPE_CHAR : number ? TYPE_SIGNED : TYPE_BYTES;
	case DW_ATE_unsigned_char:
		return size == 1 ? TYPE_UCHAR : number ? TYPE_UNSIGNED : TYPE_BYTES;
	case DW_ATE_UTF:
		return size == 1 ? TYPE_UCHAR : size == 2 || size == 4 ? TYPE_WIDE : TYPE_BYTES;
	case DW_ATE_address:
		return size == 4 || size == 8 ? TYPE_POINTER : TYPE_BYTES;
	default:
		return TYPE_BYTES;
	}
}

/* The rest of a long double of x86 is padding. */
static uint8_t significant_of(const struct dwarf_types *types, const char *name, uint64_t size)
{
	uint16_t machine = types->file.sections.machine;
	bool extended = (machine == EM_X86_64 || machine == EM_386) && (size == 12 || size == 16);
	return extended && name && !strstr(name, "128") ? 10 : 0;
}

/* Two numbers side by side. */
static struct value_type *make_complex(struct dwarf_types *types, const char *name, uint64_t size)
{
	const char *half_name = size == 8 ? "float" : size == 16 ? "double" : "long double";
	struct value_type *type = new_type(types, TYPE_STRUCT, name, size);
	struct value_type *half = new_type(types, TYPE_FLOAT, half_name, size / 2);
	struct value_member *members = part(types, 2 * sizeof(*members));
	if (!type || !half || !members)
		return NULL;
	half->significant = significant_of(types, half_name, size / 2);
	members[0] = (struct value_member){ .name = "real", .type = half };
	members[1] = (struct value_member){ .name = "imag", .type = half, .offset = size / 2 };
	type->members = members;
	type->member_count = 2;
	return type;
}

static void take_endianity(const struct dwarf_die *die, struct value_type *type)
{
	uint64_t order;
	if (type && dwarf_unsigned(die, DWARF_AT_ENDIANITY, &order) && (order == DW_END_big || order == DW_END_little))
		type->big_endian = order == DW_END_big;
}

static struct value_type *make_base(struct dwarf_types *types, const struct dwarf_die *die, const char *name)
{
	uint64_t encoding = 0, size = 0;
	dwarf_unsigned(die, DWARF_AT_ENCODING, &encoding);
	dwarf_unsigned(die, DWARF_AT_BYTE_SIZE, &size);
	if (encoding == DW_ATE_complex_float)
		return make_complex(types, name, size);
	struct value_type *type = new_type(types, kind_of_encoding(encoding, size), name, size);
	take_endianity(die, type);
	if (type && type->kind == TYPE_FLOAT)
		type->significant = significant_of(types, name, size);
	return type;
}

static uint64_t masked(uint64_t value, uint64_t size)
{
	return size && size < 8 ? value & ((UINT64_C(1) << 8 * size) - 1) : value;
}

static size_t count_children(const struct dwarf_die *die, unsigned tag)
{
	struct dwarf_die child;
	size_t count = 0;
	uint64_t at = die->after;
	while (die->children && dwarf_die_read(die->unit, at, &child) && child.tag && count <= VALUE_MEMBERS_MAX) {
		count += !tag || child.tag == tag;
		if (!dwarf_next(&child, &at))
			break;
	}
	return count;
}

static struct value_type *make_enum(struct dwarf_types *types, const struct dwarf_die *die, const char *name)
{
	uint64_t size = 0, at = die->after;
	dwarf_unsigned(die, DWARF_AT_BYTE_SIZE, &size);
	struct dwarf_die child;
	const struct value_type *below =
	        dwarf_has(die, DWARF_AT_TYPE) ? dwarf_type_of(types, die, VALUE_DEPTH_MAX - 2) : NULL;
	size = size ? size : below ? below->size : 0;
	size_t count = count_children(die, DW_TAG_enumerator), filled = 0;
	bool fits = size && size <= 8 && count <= VALUE_MEMBERS_MAX;
	struct value_type *type = new_type(types, fits ? TYPE_ENUM : TYPE_BYTES, name, size);
	struct value_enumerator *items = fits ? part(types, count * sizeof(*items)) : NULL;
	if (!type || !items)
		return type;
	type->is_signed = below && (below->kind == TYPE_SIGNED || below->kind == TYPE_CHAR);
	while (filled < count && dwarf_die_read(die->unit, at, &child) && child.tag) {
		const char *text = dwarf_text(&child, DWARF_AT_NAME);
		bool number =
		        dwarf_has(&child, DWARF_AT_CONST_VALUE) && child.at[DWARF_AT_CONST_VALUE].class == DWARF_NUMBER;
		if (child.tag == DW_TAG_enumerator && text && number) {
			uint64_t value = child.at[DWARF_AT_CONST_VALUE].number;
			items[filled++] = (struct value_enumerator){ text, masked(value, size) };
			type->is_signed |= !child.at[DWARF_AT_CONST_VALUE].len && (int64_t)value < 0;
		}
		if (!dwarf_next(&child, &at))
			break;
	}
	type->enumerators = items;
	type->enumerator_count = filled;
	return type;
}

/* ---- members --------------------------------------------------------------------------- */

/* A number, or what older compilers wrote: an expression that adds one.  False: it is found at run time (of a
 * virtual base). */
static bool place_of(const struct dwarf_die *member, uint64_t *offset)
{
	const struct dwarf_value *value = &member->at[DWARF_AT_DATA_MEMBER_LOCATION];
	*offset = 0;
	if (!dwarf_has(member, DWARF_AT_DATA_MEMBER_LOCATION))
		return true;
	if (value->class == DWARF_NUMBER)
		return dwarf_unsigned(member, DWARF_AT_DATA_MEMBER_LOCATION, offset);
	if (value->class != DWARF_BLOCK || value->len < 2 || value->len > 10 ||
	    (value->bytes[0] != DW_OP_plus_uconst && value->bytes[0] != DW_OP_constu))
		return false;
	for (size_t i = 1; i < value->len; i++) {
		*offset |= (uint64_t)(value->bytes[i] & 0x7f) << 7 * (i - 1);
		if (!(value->bytes[i] & 0x80))
			return i + 1 == value->len;
	}
	return false;
}

/* Counted from the beginning of the struct, as the byte order counts: from the lowest bit of a byte, or from
 * the highest. */
static bool take_bits(const struct dwarf_die *die, struct value_member *member)
{
	uint64_t size, at, storage = member->type->size;
	if (!dwarf_unsigned(die, DWARF_AT_BIT_SIZE, &size))
		return true;
	if (!size || size > 64 || member->offset > UINT64_MAX / 16)
		return false;
	member->bit_size = (uint32_t)size;
	if (dwarf_unsigned(die, DWARF_AT_DATA_BIT_OFFSET, &at)) {
		member->bit_offset = 8 * member->offset + at;
		return at <= UINT64_MAX / 16;
	}
	dwarf_unsigned(die, DWARF_AT_BYTE_SIZE, &storage);
	/* Older compilers count from the highest bit of a unit of storage, also from outside of it: below 0. */
	const struct dwarf_value *told = &die->at[DWARF_AT_BIT_OFFSET];
	bool sane = dwarf_has(die, DWARF_AT_BIT_OFFSET) && told->class == DWARF_NUMBER && storage <= 16;
	int64_t from = sane ? (int64_t)told->number : 0;
	if (!sane || from < -64 || from > 64)
		return false;
	int64_t bit = member->type->big_endian ? from : (int64_t)(8 * storage - size) - from;
	if (bit < 0 && (uint64_t)-bit > 8 * member->offset)
		return false;
	member->bit_offset = 8 * member->offset + (uint64_t)bit;
	return true;
}

static bool make_member(struct dwarf_types *types, const struct dwarf_die *die, int depth, struct value_member *out)
{
	const char *name = dwarf_text(die, DWARF_AT_NAME);
	*out = (struct value_member){ .name = name ? name : "", .is_base = die->tag == DW_TAG_inheritance };
	out->type = dwarf_type_of(types, die, depth + 1);
	if (!out->type || !place_of(die, &out->offset) || !take_bits(die, out))
		return false;
	if (out->is_base)
		out->name = out->type->name;
	return true;
}

static bool is_static(const struct dwarf_die *die)
{
	return dwarf_has(die, DWARF_AT_DECLARATION) || dwarf_has(die, DWARF_AT_EXTERNAL);
}

static const struct value_type *make_variants(struct dwarf_types *types, const struct dwarf_die *die, int depth,
                                              uint64_t size);

/* One of the children; false: it is none, or not known. */
static bool member_of(struct dwarf_types *types, const struct dwarf_die *child, int depth, struct value_type *type,
                      struct value_member *out)
{
	switch (child->tag) {
	case DW_TAG_member:
		if (is_static(child))
			return false;
		break;
	case DW_TAG_inheritance:
		break;
	case DW_TAG_variant_part:
		*out = (struct value_member){ .name = "", .type = make_variants(types, child, depth, type->size) };
		type->incomplete |= !out->type;
		return out->type;
	default:
		return false;
	}
	bool known = make_member(types, child, depth, out);
	type->incomplete |= !known;
	return known;
}

static bool take_members(struct dwarf_types *types, const struct dwarf_die *die, int depth, struct value_type *type)
{
	size_t count = count_children(die, 0), filled = 0;
	uint64_t at = die->after;
	struct dwarf_die child;
	if (count > VALUE_MEMBERS_MAX)
		return false;
	struct value_member *members = part(types, count * sizeof(*members));
	while (members && filled < count && dwarf_die_read(die->unit, at, &child) && child.tag) {
		filled += member_of(types, &child, depth, type, &members[filled]);
		if (!dwarf_next(&child, &at))
			break;
	}
	type->members = members;
	type->member_count = members ? filled : 0;
	return members;
}

static struct value_type *make_struct(struct dwarf_types *types, const struct dwarf_die *die, const char *name,
                                      int depth)
{
	uint64_t size = 0;
	struct dwarf_die whole;
	bool kept_elsewhere = dwarf_has(die, DWARF_AT_DECLARATION) && dwarf_has(die, DWARF_AT_SIGNATURE);
	if (kept_elsewhere && depth < VALUE_DEPTH_MAX && dwarf_die_of(die, DWARF_AT_SIGNATURE, &whole) &&
	    !dwarf_has(&whole, DWARF_AT_DECLARATION))
		return make_struct(types, &whole, name, depth + 1);
	dwarf_unsigned(die, DWARF_AT_BYTE_SIZE, &size);
	bool is_union = die->tag == DW_TAG_union_type, told = !dwarf_has(die, DWARF_AT_DECLARATION);
	struct value_type *type = new_type(types, is_union ? TYPE_UNION : TYPE_STRUCT, name, size);
	if (type && (!told || !take_members(types, die, depth, type)))
		type->kind = TYPE_BYTES;
	return type;
}

/* ---- Rust's enums ---------------------------------------------------------------------- */

static bool is_of_variant(struct dwarf_types *types, const struct dwarf_die *variant, int depth,
                          struct value_member *out)
{
	struct dwarf_die child;
	for (uint64_t at = variant->after;
	     variant->children && dwarf_die_read(variant->unit, at, &child) && child.tag;) {
		if (child.tag == DW_TAG_member)
			return make_member(types, &child, depth, out);
		if (!dwarf_next(&child, &at))
			break;
	}
	return false;
}

/* The first member is the discriminant: one of the others is there, as it says. */
static const struct value_type *make_variants(struct dwarf_types *types, const struct dwarf_die *die, int depth,
                                              uint64_t size)
{
	struct dwarf_die child;
	size_t count = count_children(die, DW_TAG_variant), filled = 1;
	struct value_type *type = new_type(types, TYPE_VARIANT, "", size);
	struct value_member *members = count <= VALUE_MEMBERS_MAX ? part(types, (count + 1) * sizeof(*members)) : NULL;
	if (!type || !members || !dwarf_die_of(die, DWARF_AT_DISCR, &child) ||
	    !make_member(types, &child, depth, &members[0]) || !members[0].type->size || members[0].type->size > 8)
		return NULL;
	for (uint64_t at = die->after; filled <= count && dwarf_die_read(die->unit, at, &child) && child.tag;) {
		struct value_member *member = &members[filled];
		if (child.tag == DW_TAG_variant && is_of_variant(types, &child, depth, member)) {
			member->is_default = !dwarf_has(&child, DWARF_AT_DISCR_VALUE);
			member->value = member->is_default ? 0 : child.at[DWARF_AT_DISCR_VALUE].number;
			member->value = masked(member->value, members[0].type->size);
			filled++;
		}
		if (!dwarf_next(&child, &at))
			break;
	}
	type->members = members;
	type->member_count = filled;
	return type;
}

/* ---- arrays ---------------------------------------------------------------------------- */

enum { DIMENSIONS_MAX = 16 };

static struct value_type *make_array(struct dwarf_types *types, const struct dwarf_die *die, const char *name,
                                     int depth)
{
	uint64_t counts[DIMENSIONS_MAX] = { 0 }, at = die->after;
	size_t dimensions = 0;
	struct dwarf_die child;
	while (die->children && dimensions < DIMENSIONS_MAX && dwarf_die_read(die->unit, at, &child) && child.tag) {
		if (child.tag == DW_TAG_subrange_type)
			counts[dimensions++] = dwarf_dimension(&child);
		if (!dwarf_next(&child, &at))
			break;
	}
	const struct value_type *element = dwarf_type_of(types, die, depth + 1);
	bool odd = !dimensions || dwarf_has(die, DWARF_AT_BYTE_STRIDE) || dwarf_has(die, DWARF_AT_BIT_STRIDE);
	if (!element || odd)
		return new_type(types, TYPE_BYTES, name, 0);
	struct value_type *type = NULL;
	while (dimensions--) {
		type = new_type(types, TYPE_ARRAY, name, 0);
		if (!type)
			return NULL;
		type->element = element;
		type->count = counts[dimensions];
		if (__builtin_mul_overflow(type->count, element->size, &type->size))
			type->size = UINT64_MAX;
		element = type;
	}
	return type;
}

/* ---- all ------------------------------------------------------------------------------- */

static struct value_type *make_other(struct dwarf_types *types, const struct dwarf_die *die, const char *name,
                                     int depth)
{
	const struct value_type *below = dwarf_has(die, DWARF_AT_TYPE) ? dwarf_type_of(types, die, depth + 1) : NULL;
	struct value_type *type = new_type(types, TYPE_BYTES, name, 0);
	if (!type)
		return NULL;
	if (below)
		*type = *below;
	else
		dwarf_unsigned(die, DWARF_AT_BYTE_SIZE, &type->size);
	type->name = name;
	take_endianity(die, type);
	return type;
}

static struct value_type *make_pointer(struct dwarf_types *types, const struct dwarf_die *die, const char *name)
{
	uint64_t size = die->unit->address_size;
	dwarf_unsigned(die, DWARF_AT_BYTE_SIZE, &size);
	return new_type(types, size == 4 || size == 8 ? TYPE_POINTER : TYPE_BYTES, name, size);
}

/* To a member, or to a function of a class, which is two words. */
static struct value_type *make_member_pointer(struct dwarf_types *types, const struct dwarf_die *die, const char *name)
{
	struct dwarf_die target;
	uint64_t size = die->unit->address_size;
	if (dwarf_die_of(die, DWARF_AT_TYPE, &target) && target.tag == DW_TAG_subroutine_type)
		size *= 2;
	return new_type(types, TYPE_BYTES, name, size);
}

static struct value_type *make(struct dwarf_types *types, const struct dwarf_die *die, int depth)
{
	const char *name = words_of(types, die);
	switch (die->tag) {
	case DW_TAG_base_type:
		return make_base(types, die, name);
	case DW_TAG_enumeration_type:
		return make_enum(types, die, name);
	case DW_TAG_structure_type:
	case DW_TAG_class_type:
	case DW_TAG_union_type:
		return make_struct(types, die, name, depth);
	case DW_TAG_array_type:
		return make_array(types, die, name, depth);
	case DW_TAG_pointer_type:
	case DW_TAG_reference_type:
	case DW_TAG_rvalue_reference_type:
		return make_pointer(types, die, name);
	case DW_TAG_ptr_to_member_type:
		return make_member_pointer(types, die, name);
	case DW_TAG_typedef:
	case DW_TAG_const_type:
	case DW_TAG_volatile_type:
	case DW_TAG_restrict_type:
	case DW_TAG_atomic_type:
	case DW_TAG_immutable_type:
	case DW_TAG_subrange_type:
		return make_other(types, die, name, depth);
	default: {
		struct value_type *type = new_type(types, TYPE_BYTES, name, 0);
		if (type)
			dwarf_unsigned(die, DWARF_AT_BYTE_SIZE, &type->size);
		return type;
	}
	}
}

/* Where something is deeper than it may be, or goes in a circle (which no real type does, but
 * through pointers): nothing is known of it. */
static const struct value_type unknown_type = { .kind = TYPE_BYTES, .name = "?" };

const struct value_type *dwarf_type_of(struct dwarf_types *types, const struct dwarf_die *die, int depth)
{
	struct dwarf_die target;
	if (types->file.failed)
		return NULL;
	if (depth > VALUE_DEPTH_MAX || !dwarf_die_of(die, DWARF_AT_TYPE, &target))
		return types->file.failed ? NULL : &unknown_type;
	const uint8_t *key = key_of(&target);
	struct dwarf_slot *slot = slot_of(types, key);
	if (!slot)
		return NULL;
	if (slot->key)
		return slot->type ? slot->type : &unknown_type;
	slot->key = key;
	types->slot_used++;
	const struct value_type *type = make(types, &target, depth);
	slot = slot_of(types, key); /* the table may be another one by now */
	if (slot)
		slot->type = type;
	return types->file.failed ? NULL : type;
}
