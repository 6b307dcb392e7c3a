#define _GNU_SOURCE
#include "elf_file.h"

#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "error.h"
#include "pread_all.h"
#include "sorted.h"

/* Real files stay far below these; they bound the work that a crafted one makes.
 * The kernel itself refuses to start a program with more than 64 KiB of program
 * headers. */
enum {
	SEGMENTS_MAX = 2048,
	SECTIONS_MAX = 65536,
	SECTION_NAMES_MAX = 4 * 1024 * 1024,
};

static void init(struct elf_window *window, elf_read_fn read, void *ctx, int fd)
{
	window->read = read;
	window->ctx = ctx;
	window->fd = fd;
	window->sys_errno = 0;
	window->offset = 0;
	window->len = 0;
}

void elf_window_init(struct elf_window *window, int fd)
{
	init(window, NULL, NULL, fd);
}

void elf_window_init_reader(struct elf_window *window, elf_read_fn read, void *ctx)
{
	init(window, read, ctx, -1);
}

static size_t read_full(struct elf_window *window, void *bytes, size_t len, uint64_t offset)
{
	ssize_t got = window->read ? window->read(window->ctx, bytes, len, offset)
	                           : pread_all(window->fd, bytes, len, offset);
	window->sys_errno = got < 0 ? errno : 0;
	return got < 0 ? 0 : (size_t)got;
}

const uint8_t *elf_window_at(struct elf_window *window, uint64_t offset, size_t len)
{
	if (len > ELF_WINDOW_BYTES)
		return NULL;
	if (offset < window->offset || offset - window->offset > window->len ||
	    window->len - (size_t)(offset - window->offset) < len) {
		window->offset = offset;
		window->len = read_full(window, window->bytes, ELF_WINDOW_BYTES, offset);
	}
	size_t at = (size_t)(offset - window->offset);
	return window->len - at >= len ? window->bytes + at : NULL;
}

uint64_t elf_number(const struct elf_header *header, const uint8_t *bytes, size_t len)
{
	uint64_t value = 0;
	for (size_t i = 0; i < len; i++)
		value = value << 8 | bytes[header->big_endian ? i : len - 1 - i];
	return value;
}

uint32_t elf_u32(const struct elf_header *header, const uint8_t *bytes)
{
	return (uint32_t)elf_number(header, bytes, 4);
}

static uint16_t elf_u16(const struct elf_header *header, const uint8_t *bytes)
{
	return (uint16_t)elf_number(header, bytes, 2);
}

/* An address, offset or size: a word of the class. */
static uint64_t elf_word(const struct elf_header *header, const uint8_t *bytes)
{
	return elf_number(header, bytes, header->is_64 ? 8 : 4);
}

/* The field of a record that starts at `bytes`, in the layout of its class. */
#define FIELD(header, bytes, record, field)                                                                            \
	((bytes) + ((header)->is_64 ? offsetof(Elf64_##record, field) : offsetof(Elf32_##record, field)))

bool elf_header_read(struct elf_window *window, struct elf_header *out)
{
	const uint8_t *bytes = elf_window_at(window, 0, sizeof(Elf32_Ehdr));
	if (!bytes || memcmp(bytes, ELFMAG, SELFMAG) != 0)
		return false;
	struct elf_header h = { .is_64 = bytes[EI_CLASS] == ELFCLASS64, .big_endian = bytes[EI_DATA] == ELFDATA2MSB };
	if ((!h.is_64 && bytes[EI_CLASS] != ELFCLASS32) || (!h.big_endian && bytes[EI_DATA] != ELFDATA2LSB))
		return false;
	if (h.is_64 && !(bytes = elf_window_at(window, 0, sizeof(Elf64_Ehdr))))
		return false;
	h.type = elf_u16(&h, bytes + offsetof(Elf64_Ehdr, e_type));
	h.phdr_offset = elf_word(&h, FIELD(&h, bytes, Ehdr, e_phoff));
	h.shdr_offset = elf_word(&h, FIELD(&h, bytes, Ehdr, e_shoff));
	h.phdr_count = elf_u16(&h, FIELD(&h, bytes, Ehdr, e_phnum));
	h.shdr_count = elf_u16(&h, FIELD(&h, bytes, Ehdr, e_shnum));
	h.section_names = elf_u16(&h, FIELD(&h, bytes, Ehdr, e_shstrndx));
	uint16_t phdr_size = elf_u16(&h, FIELD(&h, bytes, Ehdr, e_phentsize));
	uint16_t shdr_size = elf_u16(&h, FIELD(&h, bytes, Ehdr, e_shentsize));
	if (phdr_size != (h.is_64 ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr)))
		h.phdr_count = 0;
	/* More than 65,279 sections are counted elsewhere (section 0); no program
	 * has them, and without sections we still know the segments. */
	if (shdr_size != (h.is_64 ? sizeof(Elf64_Shdr) : sizeof(Elf32_Shdr)) || h.section_names >= h.shdr_count)
		h.shdr_count = 0;
	if (h.phdr_count > SEGMENTS_MAX)
		h.phdr_count = SEGMENTS_MAX;
	*out = h;
	return true;
}

bool elf_segment_read(struct elf_window *window, const struct elf_header *h, uint32_t index, struct elf_segment *out)
{
	size_t size = h->is_64 ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr);
	if (index >= h->phdr_count || h->phdr_offset > INT64_MAX)
		return false;
	const uint8_t *bytes = elf_window_at(window, h->phdr_offset + index * size, size);
	if (!bytes)
		return false;
	*out = (struct elf_segment){
		.type = elf_u32(h, FIELD(h, bytes, Phdr, p_type)),
		.flags = elf_u32(h, FIELD(h, bytes, Phdr, p_flags)),
		.offset = elf_word(h, FIELD(h, bytes, Phdr, p_offset)),
		.address = elf_word(h, FIELD(h, bytes, Phdr, p_vaddr)),
		.file_size = elf_word(h, FIELD(h, bytes, Phdr, p_filesz)),
		.memory_size = elf_word(h, FIELD(h, bytes, Phdr, p_memsz)),
		.align = elf_word(h, FIELD(h, bytes, Phdr, p_align)),
	};
	return true;
}

/* Ranges that wrap around are no segments. */
static bool load_is_sane(const struct elf_segment *s)
{
	const uint64_t page_room = UINT64_C(1) << 32;
	return s->type == PT_LOAD && s->memory_size && s->file_size <= s->memory_size &&
	       s->address <= UINT64_MAX - page_room && s->memory_size <= UINT64_MAX - page_room - s->address &&
	       s->offset <= UINT64_MAX - page_room && s->file_size <= UINT64_MAX - page_room - s->offset;
}

static void read_loads(struct elf_window *window, struct elf_file *elf)
{
	struct elf_segment s;
	for (uint32_t i = 0; elf_segment_read(window, &elf->header, i, &s); i++) {
		if (!load_is_sane(&s) || elf->load_count == ELF_LOADS_MAX)
			continue;
		elf->loads[elf->load_count++] = (struct elf_load){
			.index = i,
			.flags = s.flags,
			.offset = s.offset,
			.address = s.address,
			.file_size = s.file_size,
			.memory_size = s.memory_size,
		};
	}
}

bool elf_section_read(struct elf_window *window, const struct elf_header *h, uint32_t index,
                      struct elf_raw_section *out)
{
	size_t size = h->is_64 ? sizeof(Elf64_Shdr) : sizeof(Elf32_Shdr);
	if (index >= h->shdr_count || h->shdr_offset > INT64_MAX)
		return false;
	const uint8_t *bytes = elf_window_at(window, h->shdr_offset + index * size, size);
	if (!bytes)
		return false;
	*out = (struct elf_raw_section){
		.name = elf_u32(h, FIELD(h, bytes, Shdr, sh_name)),
		.type = elf_u32(h, FIELD(h, bytes, Shdr, sh_type)),
		.link = elf_u32(h, FIELD(h, bytes, Shdr, sh_link)),
		.flags = elf_word(h, FIELD(h, bytes, Shdr, sh_flags)),
		.address = elf_word(h, FIELD(h, bytes, Shdr, sh_addr)),
		.offset = elf_word(h, FIELD(h, bytes, Shdr, sh_offset)),
		.size = elf_word(h, FIELD(h, bytes, Shdr, sh_size)),
		.align = elf_word(h, FIELD(h, bytes, Shdr, sh_addralign)),
		.entry_size = elf_word(h, FIELD(h, bytes, Shdr, sh_entsize)),
	};
	return true;
}

/* Notes what a section means for reading the symbols. */
static void section_weigh(struct elf_file *elf, const struct elf_raw_section *s, const char *name)
{
	if (s->type == SHT_SYMTAB || s->type == SHT_DYNSYM) {
		elf->has_symbols = true;
		elf->has_symtab |= s->type == SHT_SYMTAB;
		/* Without a size it is no table to libdw. */
		uint64_t entry = elf->header.is_64 ? sizeof(Elf64_Sym) : sizeof(Elf32_Sym);
		elf->odd_symbols |= s->entry_size && s->entry_size != entry;
	}
	if (s->type == SHT_SYMTAB || s->type == SHT_DYNSYM || s->type == SHT_STRTAB || s->type == SHT_SYMTAB_SHNDX) {
		if (s->size > elf->largest_table)
			elf->largest_table = s->size;
		/* GNU's own way is told by the name. */
		if (s->flags & SHF_COMPRESSED || strncmp(name, ".zdebug", strlen(".zdebug")) == 0)
			elf->compressed_symbols = true;
	}
	if (!elf->mini_size && s->type != SHT_NOBITS && strcmp(name, ".gnu_debugdata") == 0) {
		elf->mini_offset = s->offset;
		elf->mini_size = s->size;
	}
}

char *elf_section_names(struct elf_window *window, const struct elf_header *h, struct arena *arena, size_t *len)
{
	struct elf_raw_section s;
	if (!elf_section_read(window, h, h->section_names, &s) || s.type == SHT_NOBITS || s.size > SECTION_NAMES_MAX)
		return NULL;
	char *names = arena_alloc(arena, (size_t)s.size + 1);
	if (!names)
		return NULL;
	*len = read_full(window, names, (size_t)s.size, s.offset);
	names[*len] = '\0';
	return names;
}

static int by_address(const void *a, const void *b)
{
	const struct elf_section *x = a, *y = b;
	return x->address < y->address ? -1 : x->address > y->address;
}

static void read_sections(struct elf_window *window, struct arena *arena, struct elf_file *elf)
{
	const struct elf_header *h = &elf->header;
	size_t names_len = 0;
	char *names = h->shdr_count ? elf_section_names(window, h, arena, &names_len) : NULL;
	elf->sections = names ? arena_alloc(arena, h->shdr_count * sizeof(*elf->sections)) : NULL;
	struct elf_raw_section s;
	for (uint32_t i = 0; elf_section_read(window, h, i, &s); i++) {
		const char *name = names && s.name < names_len ? names + s.name : "";
		section_weigh(elf, &s, name);
		/* .tbss takes up no addresses: each thread has its own elsewhere. */
		bool no_memory = !(s.flags & SHF_ALLOC) || (s.type == SHT_NOBITS && (s.flags & SHF_TLS));
		if (!elf->sections || no_memory || !s.size || s.size > UINT64_MAX - s.address)
			continue;
		elf->sections[elf->section_count++] =
		        (struct elf_section){ .address = s.address, .size = s.size, .name = name };
	}
	if (elf->section_count)
		qsort(elf->sections, elf->section_count, sizeof(*elf->sections), by_address);
}

int elf_file_read(int fd, struct arena *arena, struct elf_file *out)
{
	struct elf_window window;
	elf_window_init(&window, fd);
	memset(out, 0, sizeof(*out));
	if (!elf_header_read(&window, &out->header) || (out->header.type != ET_EXEC && out->header.type != ET_DYN))
		return window.sys_errno ? VMSNAP_ERR_SYSTEM : VMSNAP_ERR_NOT_FOUND;
	read_loads(&window, out);
	read_sections(&window, arena, out);
	return out->load_count ? VMSNAP_OK : VMSNAP_ERR_NOT_FOUND;
}

const struct elf_section *elf_file_section(const struct elf_file *elf, uint64_t address)
{
	size_t low = SORTED_ABOVE(struct elf_section, address, elf->sections, elf->section_count, address);
	const struct elf_section *s = low ? &elf->sections[low - 1] : NULL;
	return s && address - s->address < s->size ? s : NULL;
}

const struct elf_load *elf_file_load(const struct elf_file *elf, uint64_t address)
{
	for (size_t i = 0; i < elf->load_count; i++) {
		const struct elf_load *load = &elf->loads[i];
		if (address >= load->address && address - load->address < load->memory_size)
			return load;
	}
	return NULL;
}
