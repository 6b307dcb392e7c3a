#define _GNU_SOURCE
#include "call_rule.h"

#include <elf.h>
#include <string.h>

#include "object_file.h"
#include "process_bytes.h"

#if defined(__x86_64__)

enum { RBP = 6, RSP = 7, RETURN_ADDRESS = 16 };

/* ---- where ------------------------------------------------------------------------------ */

/* Nobody writes to what is read here, and most programs never read it themselves: its pages are not there. */
static bool object_bytes(const struct call_object *object, uint64_t address, void *out, size_t len)
{
	return object_file_bytes(object->file, address, out, len) || process_bytes(object->pid, address, out, len);
}

/* Offsets of 32 bits from where they stand, and from the table: what linkers write. */
enum { PC_RELATIVE = 0x1b, TABLE_RELATIVE = 0x3b, COUNT_32 = 0x03, ENTRY = 8 };

static void read_table(struct call_object *object, uint64_t table)
{
	enum { COUNT_MOST = 1 << 24 };
	struct {
		uint8_t version, frame, count, entries;
		int32_t frames;
		uint32_t entry_count;
	} head;
	if (!object_bytes(object, table, &head, sizeof(head)) || head.version != 1 || head.count != COUNT_32 ||
	    head.entries != TABLE_RELATIVE || head.entry_count > COUNT_MOST)
		return;
	object->table = table;
	object->count = head.entry_count;
}

void call_table_find(struct call_object *object)
{
	enum { SEGMENTS_MOST = 32 };
	Elf64_Ehdr elf;
	Elf64_Phdr segments[SEGMENTS_MOST];
	if (!object_bytes(object, object->base, &elf, sizeof(elf)) || memcmp(elf.e_ident, ELFMAG, SELFMAG) != 0 ||
	    elf.e_ident[EI_CLASS] != ELFCLASS64 || elf.e_phentsize != sizeof(*segments) ||
	    elf.e_phnum > SEGMENTS_MOST ||
	    !object_bytes(object, object->base + elf.e_phoff, segments, elf.e_phnum * sizeof(*segments)))
		return;
	uint64_t first = UINT64_MAX;
	for (size_t i = 0; i < elf.e_phnum && first == UINT64_MAX; i++)
		if (segments[i].p_type == PT_LOAD)
			first = segments[i].p_vaddr & ~UINT64_C(4095);
	for (size_t i = 0; first != UINT64_MAX && i < elf.e_phnum; i++)
		if (segments[i].p_type == PT_GNU_EH_FRAME)
			read_table(object, object->base + (segments[i].p_vaddr - first));
}

static bool entry_at(const struct call_object *object, uint64_t index, uint64_t *begin, uint64_t *frame)
{
	enum { HEAD = 12 };
	int32_t entry[2];
	if (!object_bytes(object, object->table + HEAD + index * ENTRY, entry, sizeof(entry)))
		return false;
	*begin = object->table + (uint64_t)(int64_t)entry[0];
	*frame = object->table + (uint64_t)(int64_t)entry[1];
	return true;
}

/* The last that begins at the instruction or before. */
static bool find_entry(const struct call_object *object, uint64_t at, uint64_t *frame)
{
	uint64_t low = 0, high = object->count, begin;
	while (low < high) {
		uint64_t middle = low + (high - low) / 2;
		if (!entry_at(object, middle, &begin, frame))
			return false;
		if (begin <= at)
			low = middle + 1;
		else
			high = middle;
	}
	return low && entry_at(object, low - 1, &begin, frame) && begin <= at;
}

/* ---- one entry -------------------------------------------------------------------------- */

struct bytes {
	uint8_t held[2048];
	const uint8_t *at, *end;
	uint64_t address; /* of held[0] */
	bool broken;
};

static bool read_entry(const struct call_object *object, uint64_t address, struct bytes *bytes)
{
	uint32_t length;
	*bytes = (struct bytes){ .address = address };
	if (!object_bytes(object, address, &length, sizeof(length)) || !length || length > sizeof(bytes->held) - 4 ||
	    !object_bytes(object, address, bytes->held, length + 4))
		return false;
	bytes->at = bytes->held + 4;
	bytes->end = bytes->at + length;
	return true;
}

static uint64_t take(struct bytes *bytes, size_t len)
{
	uint64_t value = 0;
	if ((size_t)(bytes->end - bytes->at) < len) {
		bytes->broken = true;
		return 0;
	}
	memcpy(&value, bytes->at, len);
	bytes->at += len;
	return value;
}

static uint64_t take_leb(struct bytes *bytes, bool is_signed)
{
	uint64_t value = 0, byte = 0x80;
	unsigned shift = 0;
	for (; byte & 0x80 && shift < 64 && !bytes->broken; shift += 7) {
		byte = take(bytes, 1);
		value |= (byte & 0x7f) << shift;
	}
	bytes->broken |= (byte & 0x80) != 0;
	return is_signed && shift < 64 && byte & 0x40 ? value | ~UINT64_C(0) << shift : value;
}

static void skip(struct bytes *bytes, uint64_t len)
{
	bytes->broken |= len > (uint64_t)(bytes->end - bytes->at);
	if (!bytes->broken)
		bytes->at += len;
}

/* What is common to several: behind it stand its instructions.  Only those of plain functions: "zR", "zPLR". */
static bool take_common(struct bytes *common, uint64_t *code_unit, int64_t *data_unit)
{
	enum { VERSION = 1, WIDTH = 0x07, WIDTH_32 = 0x03 };
	if (take(common, 4) != 0 || take(common, 1) != VERSION)
		return false;
	const char *letters = (const char *)common->at;
	size_t length = strnlen(letters, (size_t)(common->end - common->at));
	skip(common, length + 1);
	*code_unit = take_leb(common, false);
	*data_unit = (int64_t)take_leb(common, true);
	bool plain = take(common, 1) == RETURN_ADDRESS;
	if (common->broken || !plain || letters[0] != 'z')
		return false;
	uint64_t size = take_leb(common, false);
	const uint8_t *behind = common->at + size;
	if (common->broken || size > (uint64_t)(common->end - common->at))
		return false;
	bool relative = false;
	for (size_t i = 1; i < length; i++) {
		if (letters[i] == 'R')
			relative = take(common, 1) == PC_RELATIVE;
		else if (letters[i] == 'L')
			take(common, 1);
		else if (letters[i] == 'P' && (take(common, 1) & WIDTH) == WIDTH_32)
			take(common, 4);
		else
			return false;
	}
	common->at = behind;
	return relative && !common->broken;
}

/* ---- its instructions ------------------------------------------------------------------- */

struct row {
	uint64_t base; /* a register; UINT64_MAX: something else */
	int64_t frame;
	bool ra_saved, bp_saved, bp_lost;
	int64_t ra, bp;
};
struct machine {
	struct row row, first, kept[8];
	size_t depth;
	uint64_t location, at, code_unit;
	int64_t data_unit;
	bool broken;
};

static void saved(struct machine *machine, uint64_t which, int64_t offset)
{
	if (which == RETURN_ADDRESS) {
		machine->row.ra_saved = true;
		machine->row.ra = offset;
	} else if (which == RBP) {
		machine->row.bp_saved = true;
		machine->row.bp_lost = false;
		machine->row.bp = offset;
	}
}

/* As it was when the function began. */
static void restored(struct machine *machine, uint64_t which)
{
	const struct row *first = &machine->first;
	if (which == RETURN_ADDRESS) {
		machine->row.ra_saved = first->ra_saved;
		machine->row.ra = first->ra;
	} else if (which == RBP) {
		machine->row.bp_saved = first->bp_saved;
		machine->row.bp_lost = first->bp_lost;
		machine->row.bp = first->bp;
	}
}

/* It is somewhere that is not followed here. */
static void elsewhere(struct machine *machine, uint64_t which)
{
	if (which == RETURN_ADDRESS)
		machine->row.ra_saved = false;
	else if (which == RBP) {
		machine->row.bp_saved = false;
		machine->row.bp_lost = true;
	}
}

static void same(struct machine *machine, uint64_t which)
{
	elsewhere(machine, which);
	machine->row.bp_lost &= which != RBP;
}

static void keep_row(struct machine *machine)
{
	machine->broken |= machine->depth == sizeof(machine->kept) / sizeof(machine->kept[0]);
	if (!machine->broken)
		machine->kept[machine->depth++] = machine->row;
}

static void take_row(struct machine *machine)
{
	machine->broken |= !machine->depth;
	if (!machine->broken)
		machine->row = machine->kept[--machine->depth];
}

enum {
	SET_LOC = 0x01,
	ADVANCE_1,
	ADVANCE_2,
	ADVANCE_4,
	OFFSET_EXTENDED,
	RESTORE_EXTENDED,
	UNDEFINED,
	SAME_VALUE,
	IN_REGISTER,
	REMEMBER,
	RESTORE_STATE,
	DEF_CFA,
	DEF_CFA_REGISTER,
	DEF_CFA_OFFSET,
	DEF_CFA_EXPRESSION,
	EXPRESSION,
	VAL_OFFSET = 0x14,
	VAL_EXPRESSION = 0x16,
	ARGS_SIZE = 0x2e,
	ADVANCE = 0x40,
	OFFSET = 0x80,
	RESTORE = 0xc0,
	LOW_BITS = 0x3f
};

static void other_instruction(struct machine *machine, struct bytes *bytes, unsigned code)
{
	uint64_t which;
	switch (code) {
	case IN_REGISTER:
	case VAL_OFFSET:
		elsewhere(machine, take_leb(bytes, false));
		take_leb(bytes, false);
		return;
	case DEF_CFA_EXPRESSION:
		machine->row.base = UINT64_MAX;
		skip(bytes, take_leb(bytes, false));
		return;
	case EXPRESSION:
	case VAL_EXPRESSION:
		which = take_leb(bytes, false);
		elsewhere(machine, which);
		skip(bytes, take_leb(bytes, false));
		return;
	case ARGS_SIZE:
		take_leb(bytes, false);
		return;
	default:
		machine->broken |= code != 0;
	}
}

static void plain_instruction(struct machine *machine, struct bytes *bytes, unsigned code)
{
	uint64_t which;
	switch (code) {
	case ADVANCE_1:
	case ADVANCE_2:
	case ADVANCE_4:
		machine->location += take(bytes, (size_t)1 << (code - ADVANCE_1)) * machine->code_unit;
		return;
	case OFFSET_EXTENDED:
		which = take_leb(bytes, false);
		saved(machine, which, (int64_t)(take_leb(bytes, false) * (uint64_t)machine->data_unit));
		return;
	case RESTORE_EXTENDED:
		restored(machine, take_leb(bytes, false));
		return;
	case UNDEFINED:
		elsewhere(machine, take_leb(bytes, false));
		return;
	case SAME_VALUE:
		same(machine, take_leb(bytes, false));
		return;
	case REMEMBER:
		keep_row(machine);
		return;
	case RESTORE_STATE:
		take_row(machine);
		return;
	case DEF_CFA:
		machine->row.base = take_leb(bytes, false);
		machine->row.frame = (int64_t)take_leb(bytes, false);
		return;
	case DEF_CFA_REGISTER:
		machine->row.base = take_leb(bytes, false);
		return;
	case DEF_CFA_OFFSET:
		machine->row.frame = (int64_t)take_leb(bytes, false);
		return;
	default:
		other_instruction(machine, bytes, code);
	}
}

static void run(struct machine *machine, struct bytes *bytes)
{
	while (bytes->at < bytes->end && machine->location <= machine->at && !machine->broken && !bytes->broken) {
		unsigned code = (unsigned)take(bytes, 1), low = code & LOW_BITS;
		switch (code & ~(unsigned)LOW_BITS) {
		case ADVANCE:
			machine->location += low * machine->code_unit;
			break;
		case OFFSET:
			saved(machine, low, (int64_t)(take_leb(bytes, false) * (uint64_t)machine->data_unit));
			break;
		case RESTORE:
			restored(machine, low);
			break;
		default:
			plain_instruction(machine, bytes, code);
		}
	}
	machine->broken |= bytes->broken;
}

static bool take_row_of(const struct row *row, struct call_rule *rule)
{
	if (!row->ra_saved || (row->base != RSP && row->base != RBP))
		return false;
	rule->from_bp = row->base == RBP;
	rule->frame = row->frame;
	rule->ra = row->ra;
	rule->bp_saved = row->bp_saved;
	rule->bp_lost = row->bp_lost;
	rule->bp = row->bp;
	return true;
}

bool call_rule_find(const struct call_object *object, uint64_t at, struct call_rule *rule)
{
	uint64_t address;
	struct bytes common, own;
	struct machine machine = { .at = at };
	if (!find_entry(object, at, &address) || !read_entry(object, address, &own))
		return false;
	uint64_t back = take(&own, 4);
	if (!back || !read_entry(object, address + 4 - back, &common) ||
	    !take_common(&common, &machine.code_unit, &machine.data_unit))
		return false;
	uint64_t begin = own.address + (uint64_t)(own.at - own.held);
	begin += (uint64_t)(int64_t)(int32_t)take(&own, 4);
	uint64_t length = take(&own, 4);
	if (at < begin || at - begin >= length)
		return false;
	skip(&own, take_leb(&own, false));
	machine.location = begin;
	run(&machine, &common);
	machine.first = machine.row;
	run(&machine, &own);
	return !machine.broken && take_row_of(&machine.row, rule);
}

#else

void call_table_find(struct call_object *object)
{
	(void)object;
}

bool call_rule_find(const struct call_object *object, uint64_t at, struct call_rule *rule)
{
	(void)object;
	(void)at;
	(void)rule;
	return false;
}

#endif
