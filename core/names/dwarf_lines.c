#include "dwarf_lines.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "array.h"
#include "dwarf_bytes.h"
#include "sorted.h"

enum { FILES_MAX = 1 << 16, PATH_BYTES_MAX = 4096, FORMATS_MAX = 16 };
/* Rows of one file: the largest programs have some ten million. */
#define ROWS_MAX (UINT64_C(1) << 27)

enum {
	LNS_COPY = 1,
	LNS_ADVANCE_PC,
	LNS_ADVANCE_LINE,
	LNS_SET_FILE,
	LNS_CONST_ADD_PC = 8,
	LNS_FIXED_ADVANCE_PC,
};
enum { LNE_END_SEQUENCE = 1, LNE_SET_ADDRESS, LNE_DEFINE_FILE };
enum { CONTENT_PATH = 1, CONTENT_FOLDER };
enum {
	FORM_BLOCK2 = 0x03,
	FORM_BLOCK4 = 0x04,
	FORM_DATA2 = 0x05,
	FORM_DATA4 = 0x06,
	FORM_DATA8 = 0x07,
	FORM_STRING = 0x08,
	FORM_BLOCK = 0x09,
	FORM_BLOCK1 = 0x0a,
	FORM_DATA1 = 0x0b,
	FORM_STRP = 0x0e,
	FORM_UDATA = 0x0f,
	FORM_DATA16 = 0x1e,
	FORM_LINE_STRP = 0x1f,
};

struct named {
	const char *name; /* NULL: not known */
	uint64_t folder;
};
struct table {
	struct named *items; /* malloc'ed, as they are needed; used for one program after the other */
	size_t count, room;
};
struct row {
	uint64_t address, file, line;
};
struct program {
	const struct dwarf_sections *sections;
	struct dwarf_line *items;
	size_t count;
	struct arena *strings;
	struct work *work;
	struct table folders, files;
	struct dwarf_cursor at;
	unsigned version, offset_size, min_length, max_ops, line_range, opcode_base;
	int line_base;
	uint8_t lengths[256];
	struct row row, last;
	bool has_last;
	uint64_t rows;
	int rc;
};

/* ---- names of files ----------------------------------------------------------------- */

static void table_add(struct program *p, struct table *table, const char *name, uint64_t folder)
{
	if (table->count == FILES_MAX) {
		p->at.failed = true;
		return;
	}
	struct named *items = array_room(table->items, table->count, &table->room, sizeof(*items));
	if (!items) {
		p->rc = VMSNAP_ERR_NO_MEMORY;
		return;
	}
	table->items = items;
	table->items[table->count++] = (struct named){ name, folder };
}

static const char *string_in(const struct program *p, enum dwarf_section_id section, uint64_t offset)
{
	struct dwarf_cursor c = dwarf_cursor_at(p->sections, section, offset, UINT64_MAX);
	return (const char *)dwarf_take_string(&c);
}

/* Of a form: its text, or its number; what is neither is passed over.  False: it is not known. */
static bool take_form(struct program *p, uint64_t form, const char **text, uint64_t *number)
{
	struct dwarf_cursor *c = &p->at;
	switch (form) {
	case FORM_STRING:
		*text = (const char *)dwarf_take_string(c);
		return true;
	case FORM_STRP:
		*text = string_in(p, DWARF_STR, dwarf_take_number(c, p->offset_size));
		return true;
	case FORM_LINE_STRP:
		*text = string_in(p, DWARF_LINE_STR, dwarf_take_number(c, p->offset_size));
		return true;
	case FORM_UDATA:
		*number = dwarf_take_uleb(c);
		return true;
	case FORM_DATA1:
		*number = dwarf_take_number(c, 1);
		return true;
	case FORM_DATA2:
		*number = dwarf_take_number(c, 2);
		return true;
	case FORM_DATA4:
		*number = dwarf_take_number(c, 4);
		return true;
	case FORM_DATA8:
		*number = dwarf_take_number(c, 8);
		return true;
	case FORM_DATA16:
		dwarf_take(c, 16);
		return true;
	case FORM_BLOCK:
		dwarf_take(c, dwarf_take_uleb(c));
		return true;
	case FORM_BLOCK1:
		dwarf_take(c, dwarf_take_number(c, 1));
		return true;
	case FORM_BLOCK2:
		dwarf_take(c, dwarf_take_number(c, 2));
		return true;
	case FORM_BLOCK4:
		dwarf_take(c, dwarf_take_number(c, 4));
		return true;
	default:
		return false;
	}
}

/* DWARF 5: what each entry has, how many there are, and they. */
static bool take_table(struct program *p, struct table *table)
{
	uint64_t contents[FORMATS_MAX], forms[FORMATS_MAX], formats = dwarf_take_number(&p->at, 1);
	if (formats > FORMATS_MAX)
		return false;
	for (uint64_t i = 0; i < formats; i++) {
		contents[i] = dwarf_take_uleb(&p->at);
		forms[i] = dwarf_take_uleb(&p->at);
	}
	uint64_t count = dwarf_take_uleb(&p->at);
	for (uint64_t entry = 0; !p->rc && !p->at.failed && formats && entry < count; entry++) {
		const char *name = NULL;
		uint64_t folder = 0;
		for (uint64_t i = 0; i < formats; i++) {
			const char *text = NULL;
			uint64_t number = 0;
			if (!take_form(p, forms[i], &text, &number))
				return false;
			name = contents[i] == CONTENT_PATH ? text : name;
			folder = contents[i] == CONTENT_FOLDER ? number : folder;
		}
		table_add(p, table, name, folder);
	}
	return !p->rc && !p->at.failed;
}

/* Before: folders from 1 on, as 0 is where the compiler ran, which the program does not tell; files from 1 on. */
static bool take_old_tables(struct program *p)
{
	const char *name;
	table_add(p, &p->folders, NULL, 0);
	while ((name = (const char *)dwarf_take_string(&p->at)) && *name && !p->rc)
		table_add(p, &p->folders, name, 0);
	table_add(p, &p->files, NULL, 0);
	while (!p->rc && (name = (const char *)dwarf_take_string(&p->at)) && *name) {
		uint64_t folder = dwarf_take_uleb(&p->at);
		dwarf_take_uleb(&p->at);
		dwarf_take_uleb(&p->at);
		table_add(p, &p->files, name, folder);
	}
	return !p->rc && !p->at.failed;
}

static const char *file_name(struct program *p, uint64_t index)
{
	const struct named *file = index < p->files.count ? &p->files.items[index] : NULL;
	const char *folder = file && file->folder < p->folders.count ? p->folders.items[file->folder].name : NULL;
	char joined[PATH_BYTES_MAX];
	if (!file || !file->name)
		return NULL;
	bool whole = file->name[0] == '/' || !folder || !*folder;
	snprintf(joined, sizeof(joined), "%s%s%s", whole ? "" : folder, whole ? "" : "/", file->name);
	char *kept = arena_string(p->strings, joined);
	p->rc = kept ? p->rc : VMSNAP_ERR_NO_MEMORY;
	return kept;
}

/* ---- rows --------------------------------------------------------------------------- */

static size_t first_from(const struct program *p, uint64_t address)
{
	return SORTED_FROM(struct dwarf_line, address, p->items, p->count, address);
}

/* From the last row to this one all is of the last one's line. */
static void emit(struct program *p, bool end)
{
	const char *file = NULL;
	bool any = p->has_last && p->last.line && p->last.line <= UINT32_MAX && p->row.address > p->last.address;
	for (size_t i = any ? first_from(p, p->last.address) : p->count;
	     !p->rc && i < p->count && p->items[i].address < p->row.address; i++) {
		if (p->items[i].file)
			continue;
		file = file ? file : file_name(p, p->last.file);
		p->items[i].file = file;
		p->items[i].line = file ? (uint32_t)p->last.line : 0;
	}
	p->last = p->row;
	p->has_last = !end;
	if (++p->rows > ROWS_MAX)
		p->at.failed = true;
	p->rc = p->rc ? p->rc : work_step(p->work);
}

static void begin_sequence(struct program *p)
{
	p->row = (struct row){ .file = 1, .line = 1 };
	p->has_last = false;
}

/* The address is that of the instruction word: of machines that put several operations into one, it is the word's. */
static void advance(struct program *p, uint64_t operations)
{
	p->row.address += p->min_length * (p->max_ops > 1 ? operations / p->max_ops : operations);
}

static void extended(struct program *p)
{
	uint64_t len = dwarf_take_uleb(&p->at), begin = p->at.at;
	if (!len || len > p->at.end - p->at.at) {
		p->at.failed = true;
		return;
	}
	switch (dwarf_take_number(&p->at, 1)) {
	case LNE_END_SEQUENCE:
		emit(p, true);
		begin_sequence(p);
		break;
	case LNE_SET_ADDRESS:
		if (len - 1 <= 8)
			p->row.address = dwarf_take_number(&p->at, (unsigned)len - 1);
		break;
	default:
		break;
	}
	p->at.at = begin + len;
}

static void standard(struct program *p, unsigned opcode)
{
	switch (opcode) {
	case LNS_COPY:
		emit(p, false);
		break;
	case LNS_ADVANCE_PC:
		advance(p, dwarf_take_uleb(&p->at));
		break;
	case LNS_ADVANCE_LINE:
		p->row.line += dwarf_take_sleb(&p->at);
		break;
	case LNS_SET_FILE:
		p->row.file = dwarf_take_uleb(&p->at);
		break;
	case LNS_CONST_ADD_PC:
		advance(p, (255 - p->opcode_base) / p->line_range);
		break;
	case LNS_FIXED_ADVANCE_PC:
		p->row.address += dwarf_take_number(&p->at, 2);
		break;
	default: /* what takes so many numbers, and moves nothing */
		for (unsigned i = 0; i < p->lengths[opcode]; i++)
			dwarf_take_uleb(&p->at);
	}
}

static void run(struct program *p)
{
	begin_sequence(p);
	while (!p->rc && !p->at.failed && p->at.at < p->at.end) {
		unsigned opcode = (unsigned)dwarf_take_number(&p->at, 1);
		if (!opcode) {
			extended(p);
		} else if (opcode < p->opcode_base) {
			standard(p, opcode);
		} else {
			unsigned adjusted = opcode - p->opcode_base;
			advance(p, adjusted / p->line_range);
			p->row.line += (uint64_t)(int64_t)(p->line_base + (int)(adjusted % p->line_range));
			emit(p, false);
		}
	}
}

/* ---- one unit after the other ----------------------------------------------------------- */

static bool take_header(struct program *p)
{
	struct dwarf_cursor *c = &p->at;
	p->folders.count = p->files.count = 0;
	p->version = (unsigned)dwarf_take_number(c, 2);
	if (p->version < 2 || p->version > 5)
		return false;
	if (p->version == 5)
		dwarf_take(c, 2); /* sizes of an address and of a segment's */
	uint64_t len = dwarf_take_number(c, p->offset_size), program = c->at + len;
	p->min_length = (unsigned)dwarf_take_number(c, 1);
	p->max_ops = p->version >= 4 ? (unsigned)dwarf_take_number(c, 1) : 1;
	dwarf_take_number(c, 1);
	p->line_base = (int8_t)dwarf_take_number(c, 1);
	p->line_range = (unsigned)dwarf_take_number(c, 1);
	p->opcode_base = (unsigned)dwarf_take_number(c, 1);
	if (c->failed || !p->line_range || !p->opcode_base || len > c->end || program > c->end)
		return false;
	for (unsigned i = 1; i < p->opcode_base; i++)
		p->lengths[i] = (uint8_t)dwarf_take_number(c, 1);
	bool known = p->version == 5 ? take_table(p, &p->folders) && take_table(p, &p->files) : take_old_tables(p);
	c->at = program;
	return known;
}

int dwarf_lines_find(const struct dwarf_sections *sections, struct dwarf_line *items, size_t count,
                     struct arena *strings, struct work *work)
{
	struct program p = { .sections = sections, .items = items, .count = count, .strings = strings, .work = work };
	struct dwarf_cursor units = dwarf_cursor_at(sections, DWARF_LINE, 0, UINT64_MAX);
	while (!p.rc && !units.failed && units.at < units.end && p.rows <= ROWS_MAX) {
		uint64_t len = dwarf_take_number(&units, 4);
		p.offset_size = len == 0xffffffff ? 8 : 4;
		if (p.offset_size == 8)
			len = dwarf_take_number(&units, 8);
		if (units.failed || len > units.end - units.at)
			break;
		p.at = dwarf_cursor_at(sections, DWARF_LINE, units.at, units.at + len);
		if (take_header(&p))
			run(&p);
		units.at += len;
	}
	free(p.folders.items);
	free(p.files.items);
	return p.rc;
}
