/* elf_symbols.h - the symbols of one ELF file, sorted by address.  Knows
 * elfutils; knows nothing of snapshots. */
#ifndef VMSNAP_ELF_SYMBOLS_H
#define VMSNAP_ELF_SYMBOLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arena.h"
#include "elf_file.h"
#include "elfutils.h"
#include "name_ranges.h"
#include "work.h"

/* Addresses as the file counts them.  A symbol without a size (size 0) reaches to
 * the next symbol or the end of its section, whichever comes first, and never
 * lies inside one that has a size: those names are only said where nothing better
 * is known. */
struct symbol {
	uint64_t start, end;
	uint64_t size; /* as the file states it; 0: unknown */
	const char *name;
	uint8_t kind; /* enum vmsnap_name_kind */
	uint8_t rank; /* of its binding: global, weak, local */
};

struct symbols {
	struct symbol *items; /* malloc'ed; by start; at one start the widest first */
	size_t count;
	struct name_ranges ranges;
	struct arena names;
};

struct symbols_source {
	const struct elfutils *elfutils; /* loaded */
	int fd;                          /* stays the caller's */
	int root;
	const char *path;
	const struct elf_file *elf; /* of fd */
	uint64_t room;              /* how many bytes may be kept */
	struct work *work;          /* asked whether it is still wanted */
};

enum { SYMBOLS_REASON_BYTES = 128 };

/* Reads the symbol table of the file, of its separate debug file, or of its mini
 * debug info; a file without any gives no symbols and VMSNAP_OK.  Otherwise a
 * code and, in reason, the rest of a sentence that begins with the path.
 * VMSNAP_ERR_TOO_LARGE also where there is not enough room. */
int symbols_read(const struct symbols_source *source, struct symbols *out, char reason[SYMBOLS_REASON_BYTES]);
void symbols_free(struct symbols *symbols);
/* How much memory they take up, about. */
uint64_t symbols_bytes(const struct symbols *symbols);

/* The symbol that names an address: one with a size before one without, then the
 * innermost, then the more global.  NULL if none covers it. */
const struct symbol *symbols_at(const struct symbols *symbols, uint64_t address);
/* Index of the next symbol, from index `from` on, that reaches beyond start; go on
 * while .start is below the end. */
static inline size_t symbols_next(const struct symbols *symbols, size_t from, uint64_t start)
{
	return name_ranges_next(&symbols->ranges, from, start);
}

#endif
