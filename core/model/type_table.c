#include "type_table.h"

#include <string.h>

#include "sorted.h"

/* What a crafted table could make of one byte: a member in memory. */
enum { NUMBER_BITS_MAX = 64, NAME_MAX_LEN = 1024 };
enum { FLAG_BIG_ENDIAN = 1, FLAG_BASE = 1 };

struct reader {
	const uint8_t *at, *end;
	struct type_table *table;
	struct work *work;
	int rc;
};

/* ---- numbers and strings; after the first that is not there, all is 0 --------------------- */

static void fail_with(struct reader *r, int rc)
{
	if (!r->rc)
		r->rc = rc;
	r->at = r->end;
}

static uint64_t bad(struct reader *r)
{
	fail_with(r, VMSNAP_ERR_CORRUPT);
	return 0;
}

static uint8_t take_byte(struct reader *r)
{
	return r->at < r->end ? *r->at++ : (uint8_t)bad(r);
}

static uint64_t take_number(struct reader *r)
{
	uint64_t value = 0;
	for (unsigned shift = 0; shift < NUMBER_BITS_MAX; shift += 7) {
		uint8_t byte = take_byte(r);
		/* Each number is written in one way. */
		if ((shift == 63 && byte > 1) || (shift && !byte))
			return bad(r);
		value |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80))
			return value;
	}
	return bad(r);
}

static void *take_memory(struct reader *r, uint64_t count, size_t size)
{
	if (r->rc)
		return NULL;
	/* Each takes some bytes of the table. */
	if (count > (uint64_t)(r->end - r->at))
		return bad(r), NULL;
	int rc = work_charge(r->work, count * size);
	void *memory = rc ? NULL : arena_alloc(&r->table->memory, (size_t)count * size + 1);
	if (!memory) {
		fail_with(r, rc ? rc : VMSNAP_ERR_NO_MEMORY);
		return NULL;
	}
	r->table->charged += count * size;
	memset(memory, 0, (size_t)count * size);
	return memory;
}

static const char *take_string(struct reader *r)
{
	uint64_t len = take_number(r);
	if (len > NAME_MAX_LEN || len > (uint64_t)(r->end - r->at) || (len && memchr(r->at, 0, (size_t)len)))
		return bad(r), "";
	if (!len)
		return "";
	int rc = work_charge(r->work, len);
	const char *copy = rc ? NULL : arena_copy(&r->table->memory, r->at, (size_t)len);
	if (!copy) {
		fail_with(r, rc ? rc : VMSNAP_ERR_NO_MEMORY);
		return "";
	}
	r->table->charged += len;
	r->at += len;
	return copy;
}

/* ---- types -------------------------------------------------------------------------------- */

/* So many before the one that is read, from 1 on. */
static const struct value_type *take_earlier(struct reader *r, size_t index)
{
	uint64_t back = take_number(r);
	if (!back || back > index)
		return bad(r), NULL;
	return &r->table->types[index - back];
}

static void take_array(struct reader *r, struct value_type *type, size_t index)
{
	type->element = take_earlier(r, index);
	type->count = take_number(r);
	if (type->element && !type->element->size)
		bad(r);
}

/* 0: it is not known. */
static void take_pointer(struct reader *r, struct value_type *type)
{
	uint64_t number = take_number(r);
	if (number > r->table->count)
		bad(r);
	else if (number)
		type->element = &r->table->types[number - 1];
}

static bool fits(const struct value_type *whole, const struct value_member *member)
{
	enum { BYTE_BITS = 8 };
	if (member->offset > whole->size)
		return false;
	if (!member->bit_size)
		return member->type->size <= whole->size - member->offset;
	return member->bit_size <= NUMBER_BITS_MAX && member->bit_offset < UINT64_MAX / 2 &&
	       (member->bit_offset + member->bit_size + BYTE_BITS - 1) / BYTE_BITS <= whole->size;
}

static void take_members(struct reader *r, struct value_type *type, size_t index)
{
	uint64_t count = take_number(r);
	if (count > VALUE_MEMBERS_MAX)
		bad(r);
	struct value_member *members = take_memory(r, count, sizeof(*members));
	for (uint64_t i = 0; !r->rc && i < count; i++) {
		struct value_member *member = &members[i];
		member->name = take_string(r);
		member->offset = take_number(r);
		uint64_t bits = take_number(r);
		member->bit_size = bits > NUMBER_BITS_MAX ? (uint32_t)bad(r) : (uint32_t)bits;
		member->bit_offset = bits ? take_number(r) : 0;
		member->type = take_earlier(r, index);
		member->is_base = take_byte(r) & FLAG_BASE;
		if (!r->rc && !fits(type, member))
			bad(r);
	}
	type->members = members;
	type->member_count = r->rc ? 0 : (size_t)count;
}

static uint64_t of_zigzag(uint64_t value)
{
	return value >> 1 ^ -(value & 1);
}

static void take_enumerators(struct reader *r, struct value_type *type)
{
	type->is_signed = take_byte(r);
	uint64_t count = take_number(r);
	struct value_enumerator *made = take_memory(r, count, sizeof(*made));
	for (uint64_t i = 0; !r->rc && i < count; i++)
		made[i] = (struct value_enumerator){ .name = take_string(r), .value = of_zigzag(take_number(r)) };
	type->enumerators = made;
	type->enumerator_count = r->rc ? 0 : (size_t)count;
}

/* What its kind can be read of. */
static bool has_sane_size(const struct value_type *type)
{
	enum { WORD = 8, WIDEST = 16, WIDE_MOST = 4 };
	switch (type->kind) {
	case TYPE_SIGNED:
	case TYPE_UNSIGNED:
		return type->size && (type->size <= WORD || type->size == WIDEST);
	case TYPE_CHAR:
	case TYPE_UCHAR:
		return type->size == 1;
	case TYPE_WIDE:
		return type->size && type->size <= WIDE_MOST;
	case TYPE_BOOL:
	case TYPE_ENUM:
	case TYPE_POINTER:
		return type->size && type->size <= WORD;
	case TYPE_FLOAT:
		return type->size && type->size <= WIDEST && type->significant <= type->size;
	default:
		return type->size <= INT64_MAX;
	}
}

static void take_type(struct reader *r, size_t index, bool big_endian)
{
	struct value_type *type = &r->table->types[index];
	type->kind = take_byte(r);
	type->big_endian = big_endian;
	type->size = take_number(r);
	type->name = take_string(r);
	if (type->kind == TYPE_FLOAT)
		type->significant = take_byte(r);
	if (r->rc || type->kind > TYPE_ARRAY || !has_sane_size(type))
		bad(r);
	else if (type->kind == TYPE_ARRAY)
		take_array(r, type, index);
	else if (type->kind == TYPE_POINTER)
		take_pointer(r, type);
	else if (type->kind == TYPE_STRUCT || type->kind == TYPE_UNION)
		take_members(r, type, index);
	else if (type->kind == TYPE_ENUM)
		take_enumerators(r, type);
}

static void take_variables(struct reader *r)
{
	uint64_t count = take_number(r), address = 0;
	struct type_table *table = r->table;
	table->variables = take_memory(r, count, sizeof(*table->variables));
	for (uint64_t i = 0; !r->rc && i < count; i++) {
		uint64_t more = take_number(r), number = take_number(r);
		if ((i && !more) || more > UINT64_MAX - address || !number || number > table->count) {
			bad(r);
			return;
		}
		address += more;
		const struct value_type *type = &table->types[number - 1];
		if (!type->size || type->size > UINT64_MAX - address)
			bad(r);
		table->variables[i] = (struct type_variable){ address, type, take_string(r) };
	}
	table->variable_count = r->rc ? 0 : (size_t)count;
}

static int read_all(struct reader *r)
{
	if (r->at == r->end)
		return VMSNAP_OK;
	if (take_byte(r) != TYPE_TABLE_VERSION)
		bad(r);
	bool big_endian = take_byte(r) & FLAG_BIG_ENDIAN;
	uint64_t count = take_number(r);
	r->table->types = take_memory(r, count, sizeof(*r->table->types));
	r->table->count = r->rc ? 0 : (size_t)count;
	for (size_t i = 0; !r->rc && i < count; i++) {
		take_type(r, i, big_endian);
		if (!r->rc && work_step(r->work))
			fail_with(r, VMSNAP_ERR_CANCELLED);
	}
	if (!r->rc)
		take_variables(r);
	if (!r->rc && r->at != r->end)
		bad(r);
	return r->rc;
}

int type_table_read(const uint8_t *bytes, size_t len, struct work *work, struct type_table *table)
{
	*table = (struct type_table){ 0 };
	if (len > TYPE_TABLE_BYTES_MAX)
		return VMSNAP_ERR_CORRUPT;
	struct reader reader = { bytes, len ? bytes + len : bytes, table, work,
		                 VMSNAP_OK }; /* NULL if there are none */
	int rc = read_all(&reader);
	if (rc)
		type_table_free(table, work);
	return rc;
}

void type_table_free(struct type_table *table, struct work *work)
{
	arena_free(&table->memory);
	work_release(work, table->charged);
	*table = (struct type_table){ 0 };
}

const struct value_type *type_table_find(const struct type_table *table, const char *name, uint64_t size)
{
	const struct value_type *found = NULL;
	for (size_t i = 0; *name && i < table->count; i++) {
		const struct value_type *type = &table->types[i];
		if (type->size != size || strcmp(type->name, name) != 0)
			continue;
		if (found)
			return NULL;
		found = type;
	}
	return found;
}

const struct type_variable *type_table_at(const struct type_table *table, uint64_t address)
{
	size_t above = SORTED_ABOVE(struct type_variable, address, table->variables, table->variable_count, address);
	const struct type_variable *found = above ? &table->variables[above - 1] : NULL;
	return found && address - found->address < found->type->size ? found : NULL;
}
