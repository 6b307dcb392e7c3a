/* elf_lookup.c - single questions to an ELF file's own symbol table, for debuggers.  Unlike
 * the names of a snapshot's addresses this needs no elfutils: the table is read as it is, and
 * believed in nothing that it says about sizes. */
#define _GNU_SOURCE
#include <elf.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "elf_file.h"
#include "error.h"
#include "names_path.h"
#include "pread_all.h"

enum {
	TABLE_MOST = (64 << 20) - 1, /* bytes: 2.8 million symbols */
	THREAD_LOCALS_MOST = 1000,
	NAME_MOST = 200,
};

struct symbol_table {
	int fd;
	struct elf_window window;
	struct elf_header header;
	uint8_t *bytes; /* malloc'ed */
	size_t count, entry_size;
	uint64_t names, names_size; /* where they lie in the file */
	bool is_symtab;
};

struct entry {
	uint64_t value, size;
	uint32_t name;
	uint16_t section;
	uint8_t info;
};

static bool read_exactly(int fd, void *bytes, size_t len, uint64_t offset)
{
	return pread_all(fd, bytes, len, offset) == (ssize_t)len;
}

/* A section of symbols of this type, with the section of their names. */
static bool find_section(struct symbol_table *table, uint32_t type, struct elf_raw_section *symbols)
{
	struct elf_raw_section names;
	for (uint32_t i = 0; elf_section_read(&table->window, &table->header, i, symbols); i++) {
		if (symbols->type != type || symbols->size > TABLE_MOST)
			continue;
		if (!elf_section_read(&table->window, &table->header, symbols->link, &names) ||
		    names.type == SHT_NOBITS)
			continue;
		table->names = names.offset;
		table->names_size = names.size;
		table->is_symtab = type == SHT_SYMTAB;
		return true;
	}
	return false;
}

static bool read_table(struct symbol_table *table)
{
	struct elf_raw_section symbols;
	if (!find_section(table, SHT_SYMTAB, &symbols) && !find_section(table, SHT_DYNSYM, &symbols))
		return false;
	table->entry_size = table->header.is_64 ? sizeof(Elf64_Sym) : sizeof(Elf32_Sym);
	table->count = (size_t)symbols.size / table->entry_size;
	table->bytes = malloc(table->count * table->entry_size + 1);
	return table->bytes && read_exactly(table->fd, table->bytes, table->count * table->entry_size, symbols.offset);
}

static void table_close(struct symbol_table *table)
{
	free(table->bytes);
	if (table->fd >= 0)
		close(table->fd);
}
#define CLEANUP_TABLE __attribute__((cleanup(table_close)))

/* Opens the file; its symbols are read by read_table(). */
static int table_open(const char *path, struct symbol_table *out, struct vmsnap_error *err)
{
	out->fd = names_open_regular(-1, path);
	if (out->fd < 0)
		return fail_sys(err, errno, "cannot open the file");
	elf_window_init(&out->window, out->fd);
	if (!elf_header_read(&out->window, &out->header))
		return fail(err, VMSNAP_ERR_NOT_FOUND, "not an ELF file");
	return VMSNAP_OK;
}

#define FIELD(table, bytes, field)                                                                                     \
	elf_number(&(table)->header,                                                                                   \
	           (bytes) + ((table)->header.is_64 ? offsetof(Elf64_Sym, field) : offsetof(Elf32_Sym, field)),        \
	           (table)->header.is_64 ? sizeof(((Elf64_Sym *)NULL)->field) : sizeof(((Elf32_Sym *)NULL)->field))

static struct entry entry_at(const struct symbol_table *table, size_t index)
{
	const uint8_t *bytes = table->bytes + index * table->entry_size;
	return (struct entry){
		.value = FIELD(table, bytes, st_value),
		.size = FIELD(table, bytes, st_size),
		.name = (uint32_t)FIELD(table, bytes, st_name),
		.section = (uint16_t)FIELD(table, bytes, st_shndx),
		.info = (uint8_t)FIELD(table, bytes, st_info),
	};
}

/* ---- thread-local variables -------------------------------------------------- */

static bool find_tls(struct symbol_table *table, struct elf_segment *out)
{
	for (uint32_t i = 0; elf_segment_read(&table->window, &table->header, i, out); i++)
		if (out->type == PT_TLS)
			return true;
	return false;
}

static bool is_x86_64(struct symbol_table *table)
{
	const uint8_t *bytes = elf_window_at(&table->window, offsetof(Elf64_Ehdr, e_machine), sizeof(uint16_t));
	return table->header.is_64 && bytes && elf_number(&table->header, bytes, sizeof(uint16_t)) == EM_X86_64;
}

/* As lld and GNU ld count: the block ends at the thread pointer, rounded down to the
 * alignment. */
static uint64_t below_pointer(const struct elf_segment *tls)
{
	uint64_t align = tls->align ? tls->align : 1;
	return tls->memory_size + (0 - tls->address - tls->memory_size) % align;
}

/* Of a million entries perhaps three. */
static bool is_thread_local(const struct symbol_table *table, size_t index)
{
	const uint8_t *bytes = table->bytes + index * table->entry_size;
	return ELF64_ST_TYPE(FIELD(table, bytes, st_info)) == STT_TLS && FIELD(table, bytes, st_shndx) != SHN_UNDEF &&
	       FIELD(table, bytes, st_size);
}

/* Raw bytes, cut; false if there is no name. */
static bool read_name(const struct symbol_table *table, uint32_t at, char name[NAME_MOST + 1])
{
	if (at >= table->names_size)
		return false;
	uint64_t left = table->names_size - at;
	size_t len = left < NAME_MOST ? (size_t)left : NAME_MOST;
	name[len] = '\0';
	return read_exactly(table->fd, name, len, table->names + at) && name[0];
}

static void each_thread_local(const struct symbol_table *table, uint64_t block,
                              bool (*fn)(void *ctx, const struct vmsnap_elf_symbol *symbol), void *ctx)
{
	char name[NAME_MOST + 1];
	for (size_t i = 0, told = 0; i < table->count && told < THREAD_LOCALS_MOST; i++) {
		if (!is_thread_local(table, i))
			continue;
		struct entry entry = entry_at(table, i);
		if (entry.value > block || entry.size > block - entry.value || !read_name(table, entry.name, name))
			continue; /* nonsense */
		struct vmsnap_elf_symbol symbol = {
			.name = name,
			.value = entry.value,
			.size = entry.size,
			.local = ELF64_ST_BIND(entry.info) == STB_LOCAL,
		};
		told++;
		if (!fn(ctx, &symbol))
			return;
	}
}

VMSNAP_API int vmsnap_elf_thread_locals(const char *path, struct vmsnap_elf_tls *tls,
                                        bool (*fn)(void *ctx, const struct vmsnap_elf_symbol *symbol), void *ctx,
                                        struct vmsnap_error *err)
{
	CLEANUP_TABLE struct symbol_table table = { .fd = -1 };
	struct elf_segment segment;
	struct vmsnap_elf_tls found = { .size = tls->size };
	if (tls->size < sizeof(tls->size) || tls->size > sizeof(found))
		return fail(err, VMSNAP_ERR_ARGUMENT, "struct vmsnap_elf_tls: no size is %zu; expected %zu", tls->size,
		            sizeof(found));
	int rc = table_open(path, &table, err);
	if (rc)
		return rc;
	if (!find_tls(&table, &segment))
		return fail(err, VMSNAP_ERR_NOT_FOUND, "the file has no thread-local variables");
	bool has_table = read_table(&table);
	found.complete = has_table && table.is_symtab;
	found.below_pointer = is_x86_64(&table) ? below_pointer(&segment) : 0;
	memcpy(tls, &found, found.size);
	if (has_table)
		each_thread_local(&table, segment.memory_size, fn, ctx);
	return VMSNAP_OK;
}

/* ---- where a symbol lies ----------------------------------------------------- */

static bool find_symbol(const struct symbol_table *table, const char *names, const char *wanted, uint64_t *value)
{
	size_t len = strlen(wanted) + 1;
	for (size_t i = 0; i < table->count; i++) {
		struct entry entry = entry_at(table, i);
		if (entry.section == SHN_UNDEF || entry.name >= table->names_size ||
		    table->names_size - entry.name < len || memcmp(names + entry.name, wanted, len) != 0)
			continue;
		*value = entry.value;
		return true;
	}
	return false;
}

static bool offset_of(struct symbol_table *table, uint64_t value, uint64_t *offset)
{
	struct elf_segment s;
	for (uint32_t i = 0; elf_segment_read(&table->window, &table->header, i, &s); i++) {
		if (s.type != PT_LOAD || value < s.address || value - s.address >= s.file_size)
			continue;
		*offset = s.offset + (value - s.address);
		return true;
	}
	return false;
}

VMSNAP_API int vmsnap_elf_symbol_offset(const char *path, const char *symbol, uint64_t *offset,
                                        struct vmsnap_error *err)
{
	CLEANUP_TABLE struct symbol_table table = { .fd = -1 };
	CLEANUP_FREE char *names = NULL;
	uint64_t value;
	int rc = table_open(path, &table, err);
	if (rc)
		return rc;
	bool readable = read_table(&table) && table.names_size <= TABLE_MOST;
	names = readable ? malloc((size_t)table.names_size + 1) : NULL;
	if (names && read_exactly(table.fd, names, (size_t)table.names_size, table.names) &&
	    find_symbol(&table, names, symbol, &value) && offset_of(&table, value, offset))
		return VMSNAP_OK;
	return fail(err, VMSNAP_ERR_NOT_FOUND, "the file has no such symbol");
}
