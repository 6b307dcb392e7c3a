/* elf_file.h - the headers of an ELF file of either class and byte order, read
 * with bounded preads.  Believes nothing that the file says about sizes.  Knows
 * segments and sections; knows no symbols. */
#ifndef VMSNAP_ELF_FILE_H
#define VMSNAP_ELF_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "arena.h"

/* A small window on a file.  Header, program headers and notes nearly always lie
 * in the first page, so that one pread serves them all. */
enum { ELF_WINDOW_BYTES = 4096 };
/* As pread_all(): bytes until the end of the file, -1 with errno. */
typedef ssize_t (*elf_read_fn)(void *ctx, void *into, size_t len, uint64_t offset);
struct elf_window {
	elf_read_fn read; /* NULL: of fd */
	void *ctx;
	int fd;
	int sys_errno; /* of the last failed read; 0 if the file just ended */
	uint64_t offset;
	size_t len;
	uint8_t bytes[ELF_WINDOW_BYTES];
};

void elf_window_init(struct elf_window *window, int fd);
/* On a file that somebody else reads. */
void elf_window_init_reader(struct elf_window *window, elf_read_fn read, void *ctx);
/* len (at most ELF_WINDOW_BYTES) bytes of the file at offset, until the next
 * call; NULL if they are not there. */
const uint8_t *elf_window_at(struct elf_window *window, uint64_t offset, size_t len);

struct elf_header {
	bool is_64, big_endian;
	uint16_t type;
	uint64_t phdr_offset, shdr_offset;
	uint32_t phdr_count, shdr_count;
	uint32_t section_names; /* index of the section that holds them */
};

struct elf_segment {
	uint32_t type, flags;
	uint64_t offset, address, file_size, memory_size, align;
};

/* Of so many bytes, in the order of the file. */
uint64_t elf_number(const struct elf_header *header, const uint8_t *bytes, size_t len);
uint32_t elf_u32(const struct elf_header *header, const uint8_t *bytes);
/* False if the file is not ELF or not one we can read. */
bool elf_header_read(struct elf_window *window, struct elf_header *out);
bool elf_segment_read(struct elf_window *window, const struct elf_header *header, uint32_t index,
                      struct elf_segment *out);

struct elf_raw_section {
	uint32_t name, type, link;
	uint64_t flags, address, offset, size, align, entry_size;
};
/* False if there is no such section in the file. */
bool elf_section_read(struct elf_window *window, const struct elf_header *header, uint32_t index,
                      struct elf_raw_section *out);
/* The section names, NUL-terminated in any case; NULL if they cannot be read. */
char *elf_section_names(struct elf_window *window, const struct elf_header *header, struct arena *arena, size_t *len);

/* A section that is in memory when the program runs. */
struct elf_section {
	uint64_t address, size;
	const char *name;
};

/* A PT_LOAD, as it lies in memory. */
struct elf_load {
	uint32_t index, flags; /* of the program header */
	uint64_t offset, address, file_size, memory_size;
};

enum { ELF_LOADS_MAX = 64 };
struct elf_file {
	struct elf_header header;
	struct elf_load loads[ELF_LOADS_MAX]; /* in the order of the file */
	size_t load_count;
	struct elf_section *sections; /* by address; none if they cannot be read */
	size_t section_count;

	/* What reading the symbols would cost: sizes that the file claims. */
	bool has_symbols;                /* there is a symbol table */
	bool has_symtab;                 /* there is one that is not for the dynamic linker */
	bool compressed_symbols;         /* a symbol or string table is compressed, in either way */
	bool odd_symbols;                /* a symbol table's entries are not of the right size */
	uint64_t largest_table;          /* of the symbol and string tables */
	uint64_t mini_offset, mini_size; /* the first .gnu_debugdata; size 0 if there is none */
};

/* Strings go into the arena.  VMSNAP_ERR_NOT_FOUND if the file is not an ELF
 * program or shared library. */
int elf_file_read(int fd, struct arena *arena, struct elf_file *out);
/* The section that holds an address of the file's own counting; NULL if none. */
const struct elf_section *elf_file_section(const struct elf_file *elf, uint64_t address);
/* The PT_LOAD that holds it; NULL if none. */
const struct elf_load *elf_file_load(const struct elf_file *elf, uint64_t address);

#endif
