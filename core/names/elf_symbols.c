#define _GNU_SOURCE
#include "elf_symbols.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "build_id.h"
#include "elf_copy.h"
#include "elf_debug.h"
#include "error.h"
#include "sorted.h"
#include "vmsnap.h"

enum { RANK_LOCAL, RANK_WEAK, RANK_GLOBAL };

struct reading {
	const struct symbols_source *source;
	const struct elf_file *copied; /* what is read: the file, or its mini debug info */
	Elf *elf;
	bool is_mini;            /* no debug file belongs to it */
	bool has_debug;          /* there is a separate debug file */
	const char *unfit_debug; /* why that was left alone */
};

/* ---- what libdwfl calls back for ------------------------------------------- */

/* The standard callbacks would look by themselves, on the network too if
 * DEBUGINFOD_URLS is set.  A library must not go there unasked, nor change the
 * environment; ours know the file already. */
static int find_elf(Dwfl_Module *module, void **userdata, const char *name, Dwarf_Addr base, char **file_name,
                    Elf **elf)
{
	(void)module, (void)name, (void)base;
	struct reading *r = *userdata;
	*file_name = strdup(r->source->path);
	*elf = NULL;
	if (*file_name) {
		*elf = r->elf;
		r->elf = NULL; /* the module's from now on */
	}
	return -1;
}

static int find_debuginfo(Dwfl_Module *module, void **userdata, const char *name, Dwarf_Addr base,
                          const char *file_name, const char *link, GElf_Word crc, char **debug_name)
{
	(void)module, (void)name, (void)base, (void)file_name;
	struct reading *r = *userdata;
	uint8_t id[BUILD_ID_MAX];
	size_t id_len = 0;
	if (r->is_mini)
		return -1;
	if (build_id_of_file(r->source->fd, id, sizeof(id), &id_len))
		id_len = 0;
	struct debug_query query = {
		.root = r->source->root,
		.path = r->source->path,
		.fd = r->source->fd,
		.build_id = id,
		.build_id_len = id_len,
		.link = link,
		.link_crc = crc,
		.work = r->source->work,
	};
	int fd = debug_file_find(&query, debug_name);
	if (fd < 0)
		return -1;
	r->has_debug = true;
	/* libdwfl maps what it is given here. */
	struct arena strings = { 0 };
	struct elf_file elf;
	int copy = elf_copy(fd, &strings, &elf, &r->unfit_debug);
	arena_free(&strings);
	close(fd);
	if (copy < 0) {
		free(*debug_name);
		*debug_name = NULL;
	}
	return copy;
}

static const Dwfl_Callbacks callbacks = { .find_elf = find_elf, .find_debuginfo = find_debuginfo };

/* ---- one symbol ------------------------------------------------------------- */

static bool kind_of(const GElf_Sym *sym, uint8_t *kind)
{
	switch (GELF_ST_TYPE(sym->st_info)) {
	case STT_OBJECT:
	case STT_COMMON:
		*kind = VMSNAP_NAME_OBJECT;
		return true;
	case STT_FUNC:
	case STT_GNU_IFUNC:
		*kind = VMSNAP_NAME_FUNCTION;
		return true;
	case STT_NOTYPE:
		*kind = VMSNAP_NAME_OTHER_SYMBOL;
		return true;
	default: /* sections, files; thread-local ones have no address */
		return false;
	}
}

static uint8_t rank_of(const GElf_Sym *sym)
{
	switch (GELF_ST_BIND(sym->st_info)) {
	case STB_GLOBAL:
	case STB_GNU_UNIQUE:
		return RANK_GLOBAL;
	case STB_WEAK:
		return RANK_WEAK;
	default:
		return RANK_LOCAL;
	}
}

/* The linker's marks for ends of sections: they name nothing. */
static bool is_mark(const char *name)
{
	static const char *const marks[] = { "__bss_start", "_edata", "edata",        "_end",      "end",
		                             "_etext",      "etext",  "__data_start", "data_start" };
	for (size_t i = 0; i < sizeof(marks) / sizeof(*marks); i++)
		if (strcmp(name, marks[i]) == 0)
			return true;
	return name[0] == '$'; /* "$d", "$x": where arm and riscv mix code and data */
}

/* False if the symbol names no memory of the file. */
static bool symbol_make(const struct elf_file *elf, const GElf_Sym *sym, uint64_t address, const char *name,
                        struct symbol *out)
{
	if (!name || !*name || sym->st_shndx == SHN_UNDEF || sym->st_shndx == SHN_ABS || sym->st_shndx == SHN_COMMON ||
	    !kind_of(sym, &out->kind))
		return false;
	const struct elf_load *load = elf_file_load(elf, address);
	if (!load || (!sym->st_size && is_mark(name)))
		return false;
	uint64_t room = load->address + load->memory_size - address;
	if (!sym->st_size) { /* settled by symbols_settle() */
		const struct elf_section *section = elf_file_section(elf, address);
		uint64_t in_section = section ? section->address + section->size - address : room;
		room = in_section < room ? in_section : room; /* a section may say that it is endless */
	} else if (sym->st_size < room) {
		room = sym->st_size;
	}
	out->start = address;
	out->end = address + room;
	out->size = sym->st_size;
	out->rank = rank_of(sym);
	return true;
}

/* ---- the table ---------------------------------------------------------------- */

static int by_start(const void *a, const void *b)
{
	const struct symbol *x = a, *y = b;
	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	if (!x->size != !y->size)
		return x->size ? -1 : 1;
	if (x->end != y->end)
		return x->end > y->end ? -1 : 1;
	if (x->rank != y->rank)
		return x->rank > y->rank ? -1 : 1;
	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	/* Two names of megabytes are not read again for each of a million symbols. */
	enum { COMPARED_MAX = 1024 };
	size_t x_len = strnlen(x->name, COMPARED_MAX), y_len = strnlen(y->name, COMPARED_MAX);
	if (x_len != y_len) /* "__aio_mutex" rather than "__GI___aio_mutex" */
		return x_len < y_len ? -1 : 1;
	return x->name == y->name ? 0 : memcmp(x->name, y->name, x_len);
}

/* Sorts, and leaves one name for each place. */
static int symbols_settle(struct symbols *s)
{
	if (s->count)
		qsort(s->items, s->count, sizeof(*s->items), by_start);
	uint64_t sized_end = 0;
	size_t kept = 0;
	for (size_t i = 0; i < s->count; i++) {
		struct symbol *item = &s->items[i], *last = kept ? &s->items[kept - 1] : NULL;
		if (last && last->start == item->start && (last->end == item->end || !item->size))
			continue;
		if (!item->size && item->start < sized_end)
			continue;
		if (last && !last->size && last->end > item->start)
			last->end = item->start;
		if (item->size && item->end > sized_end)
			sized_end = item->end;
		s->items[kept++] = *item;
	}
	s->count = kept;
	struct symbol *less = realloc(s->items, kept * sizeof(*s->items) + 1);
	s->items = less ? less : s->items;
	if (name_ranges_init(&s->ranges, kept))
		return VMSNAP_ERR_NO_MEMORY;
	for (size_t i = 0; i < kept; i++)
		name_ranges_set(&s->ranges, i, s->items[i].end);
	name_ranges_settle(&s->ranges);
	return VMSNAP_OK;
}

enum { SYMBOL_BYTES = sizeof(struct symbol) + 4 * sizeof(uint64_t) }; /* with what name_ranges_init() takes */

uint64_t symbols_bytes(const struct symbols *s)
{
	return s->count * (uint64_t)SYMBOL_BYTES + s->names.total;
}

static int by_text(const void *a, const void *b)
{
	const struct symbol *x = a, *y = b;
	return (uintptr_t)x->name < (uintptr_t)y->name ? -1 : (uintptr_t)x->name > (uintptr_t)y->name;
}

/* Copies the names from item `first` on, so that nothing stays open or mapped.  Symbols
 * may share a text, or the end of one, as linkers make them: that is copied once, so that
 * the copy is no larger than the string table, however many symbols have a long name. */
static int copy_names(struct symbols *out, size_t first, uint64_t room)
{
	const char *text = NULL, *copy = NULL;
	size_t len = 0;
	if (out->count > first)
		qsort(out->items + first, out->count - first, sizeof(*out->items), by_text);
	for (size_t i = first; i < out->count; i++) {
		struct symbol *item = &out->items[i];
		if (!copy || (uintptr_t)item->name - (uintptr_t)text > len) {
			text = item->name;
			len = strlen(text);
			if (symbols_bytes(out) + len >= room)
				return VMSNAP_ERR_TOO_LARGE;
			copy = arena_copy(&out->names, text, len);
			if (!copy)
				return VMSNAP_ERR_NO_MEMORY;
		}
		item->name = copy + ((uintptr_t)item->name - (uintptr_t)text);
	}
	return VMSNAP_OK;
}

static int collect(const struct symbols_source *source, Dwfl_Module *module, int total, struct symbols *out)
{
	const struct elfutils *eu = source->elfutils;
	size_t first = out->count;
	struct symbol *items = realloc(out->items, (out->count + (size_t)total) * sizeof(*out->items) + 1);
	if (!items)
		return VMSNAP_ERR_NO_MEMORY;
	out->items = items;
	GElf_Addr bias = 0;
	if (!eu->dwfl_module_getelf(module, &bias))
		return VMSNAP_ERR_CORRUPT;
	for (int i = 0; i < total; i++) {
		GElf_Sym sym;
		GElf_Addr address;
		struct symbol item = { 0 };
		if (work_step(source->work))
			return VMSNAP_ERR_CANCELLED;
		const char *name = eu->dwfl_module_getsym_info(module, i, &sym, &address, NULL, NULL, NULL);
		if (!name || !symbol_make(source->elf, &sym, address - bias, name, &item))
			continue;
		if (symbols_bytes(out) + SYMBOL_BYTES > source->room)
			return VMSNAP_ERR_TOO_LARGE;
		item.name = name;
		out->items[out->count++] = item;
	}
	return copy_names(out, first, source->room);
}

/* libdw does not always know what is wrong. */
static int cannot_read(const char *error, char *reason)
{
	snprintf(reason, SYMBOLS_REASON_BYTES, "its symbols cannot be read (%s)", error ? error : "damaged");
	return VMSNAP_ERR_CORRUPT;
}

static int read_module(Dwfl *dwfl, struct reading *r, struct symbols *out, char *reason)
{
	const struct elfutils *eu = r->source->elfutils;
	const struct elf_file *elf = r->source->elf;
	void **userdata = NULL;
	uint64_t low = elf->loads[0].address;
	eu->dwfl_report_begin(dwfl);
	Dwfl_Module *module = eu->dwfl_report_module(dwfl, "", low, low + elf->loads[0].memory_size);
	if (eu->dwfl_report_end(dwfl, NULL, NULL) || !module)
		return VMSNAP_ERR_NO_MEMORY;
	eu->dwfl_module_info(module, &userdata, NULL, NULL, NULL, NULL, NULL, NULL);
	*userdata = r;
	int total = eu->dwfl_module_getsymtab(module);
	if (work_ask(r->source->work)) /* perhaps while a debug file was sought */
		return VMSNAP_ERR_CANCELLED;
	if (r->unfit_debug)
		snprintf(reason, SYMBOLS_REASON_BYTES, "separate debug file: %s", r->unfit_debug);
	if (total < 0 && r->copied->has_symbols && !r->unfit_debug)
		return cannot_read(eu->dwfl_errmsg(-1), reason);
	int rc = total > 0 ? collect(r->source, module, total, out) : VMSNAP_OK;
	if (rc == VMSNAP_ERR_TOO_LARGE)
		snprintf(reason, SYMBOLS_REASON_BYTES,
		         "with those of other files, its symbols would take too much memory");
	else if (rc == VMSNAP_ERR_CORRUPT)
		cannot_read(eu->dwfl_errmsg(-1), reason);
	return rc ? rc : r->unfit_debug ? VMSNAP_ERR_TOO_LARGE : VMSNAP_OK;
}

/* copy: see elf_copy.h. */
static int read_copy(struct reading *r, int copy, struct symbols *out, char *reason)
{
	const struct elfutils *eu = r->source->elfutils;
	eu->elf_version(EV_CURRENT);
	r->elf = eu->elf_begin(copy, ELF_C_READ_MMAP, NULL);
	if (!r->elf)
		return cannot_read(eu->elf_errmsg(-1), reason);
	Dwfl *dwfl = eu->dwfl_begin(&callbacks);
	int rc = dwfl ? read_module(dwfl, r, out, reason) : VMSNAP_ERR_NO_MEMORY;
	if (dwfl)
		eu->dwfl_end(dwfl);
	eu->elf_end(r->elf);
	return rc;
}

/* Of the file, or of its mini debug info. */
static int read_one(struct reading *r, struct symbols *out, char *reason, bool *more)
{
	const struct symbols_source *s = r->source;
	struct arena strings = { 0 };
	struct elf_file elf;
	const char *no;
	CLEANUP_CLOSE int copy =
	        r->is_mini ? elf_copy_mini(s->fd, s->elf, &strings, &elf, &no) : elf_copy(s->fd, &strings, &elf, &no);
	arena_free(&strings);
	if (copy < 0) {
		snprintf(reason, SYMBOLS_REASON_BYTES, "%s%s", r->is_mini ? "mini debug info: " : "", no);
		return VMSNAP_ERR_TOO_LARGE;
	}
	r->copied = &elf;
	int rc = read_copy(r, copy, out, reason);
	*more = !rc && !elf.has_symtab && !r->has_debug && s->elf->mini_size;
	return rc;
}

int symbols_read(const struct symbols_source *source, struct symbols *out, char reason[SYMBOLS_REASON_BYTES])
{
	struct reading whole = { .source = source }, mini = { .source = source, .is_mini = true };
	bool more = false, no_more;
	memset(out, 0, sizeof(*out));
	reason[0] = '\0';
	int rc = read_one(&whole, out, reason, &more);
	if (!rc && more)
		rc = read_one(&mini, out, reason, &no_more);
	rc = rc ? rc : symbols_settle(out);
	if (rc)
		symbols_free(out);
	return rc;
}

void symbols_free(struct symbols *symbols)
{
	free(symbols->items);
	name_ranges_free(&symbols->ranges);
	arena_free(&symbols->names);
	memset(symbols, 0, sizeof(*symbols));
}

/* ---- looking up ------------------------------------------------------------- */

static size_t first_above(const struct symbols *s, uint64_t address)
{
	return SORTED_ABOVE(struct symbol, start, s->items, s->count, address);
}

const struct symbol *symbols_at(const struct symbols *s, uint64_t address)
{
	const struct symbol *best = NULL;
	size_t i = first_above(s, address);
	while ((i = name_ranges_previous(&s->ranges, i, address)) < s->count) {
		const struct symbol *item = &s->items[i];
		if (best && item->start < best->start)
			break;
		if (!best || item->rank > best->rank)
			best = item;
	}
	return best;
}
