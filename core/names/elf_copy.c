#define _GNU_SOURCE
#include "elf_copy.h"

#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "error.h"
#include "xz.h"

/* What a crafted file may cost.  The largest real tables, those of a browser with all
 * its debug information, are some 100 MiB. */
#define TABLE_BYTES_MAX (UINT64_C(1) << 30)
#define COPY_BYTES_MAX  (UINT64_C(2) << 30)
#define MINI_BYTES_MAX  (UINT64_C(256) << 20)

enum {
	CHUNK = 256 * 1024,
	NOTE_BYTES_MAX = 64 * 1024,
	LINK_BYTES_MAX = 64 * 1024,
};

struct copy {
	int from, to;
	uint8_t *chunk;
	uint64_t left; /* bytes that may still be copied */
	const char *reason;
};

/* A file that ends early leaves zeros. */
static bool copy_range(struct copy *c, uint64_t offset, uint64_t len)
{
	if (len > c->left || len > TABLE_BYTES_MAX || offset > INT64_MAX - len) {
		c->reason = "its symbol table is too large";
		return false;
	}
	c->left -= len;
	while (len) {
		ssize_t got = pread(c->from, c->chunk, len < CHUNK ? (size_t)len : CHUNK, (off_t)offset);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		if (pwrite(c->to, c->chunk, (size_t)got, (off_t)offset) != got) {
			c->reason = "there is no memory to read its symbols";
			return false;
		}
		offset += (uint64_t)got;
		len -= (uint64_t)got;
	}
	return true;
}

static bool is_table(uint32_t type)
{
	return type == SHT_SYMTAB || type == SHT_DYNSYM || type == SHT_STRTAB || type == SHT_SYMTAB_SHNDX;
}

/* libdw goes by the name alone. */
static bool is_mini(const char *name)
{
	return strcmp(name, ".gnu_debugdata") == 0;
}

/* Whether what is in this section is copied. */
static bool is_kept(const struct elf_raw_section *s, const char *name)
{
	if (is_mini(name))
		return false;
	if (is_table(s->type))
		return true;
	if (s->type == SHT_NOTE)
		return s->size <= NOTE_BYTES_MAX;
	return s->type == SHT_PROGBITS && strcmp(name, ".gnu_debuglink") == 0 && s->size <= LINK_BYTES_MAX;
}

/* Whether elfutils may see it.  One of type SHT_NULL has bytes for libelf, those of
 * another one perhaps. */
static bool is_harmless(const struct elf_raw_section *s, const char *name)
{
	return s->type == SHT_NOBITS || is_kept(s, name) || (s->type == SHT_NULL && !is_mini(name));
}

/* Header, program headers and section headers; from here on only the copy is believed. */
static bool copy_headers(struct copy *c, struct elf_header *h)
{
	struct elf_window window;
	elf_window_init(&window, c->to);
	if (!copy_range(c, 0, sizeof(Elf64_Ehdr)) || !elf_header_read(&window, h)) {
		c->reason = c->reason ? c->reason : "its headers cannot be read";
		return false;
	}
	size_t phdr = h->is_64 ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr);
	size_t shdr = h->is_64 ? sizeof(Elf64_Shdr) : sizeof(Elf32_Shdr);
	return copy_range(c, h->phdr_offset, phdr * h->phdr_count) &&
	       copy_range(c, h->shdr_offset, shdr * h->shdr_count);
}

static bool copy_sections(struct copy *c, const struct elf_header *h, const char *names, size_t names_len)
{
	struct elf_window window;
	struct elf_raw_section s;
	elf_window_init(&window, c->to);
	for (uint32_t i = 0; elf_section_read(&window, h, i, &s); i++)
		if (is_kept(&s, s.name < names_len ? names + s.name : "") && !copy_range(c, s.offset, s.size))
			return false;
	return true;
}

/* After all is copied: a section that lies over the headers must not undo it. */
static bool empty_others(struct copy *c, const struct elf_header *h, const char *names, size_t names_len)
{
	struct elf_window window;
	struct elf_raw_section s;
	const uint8_t little[4] = { SHT_NOBITS }, big[4] = { 0, 0, 0, SHT_NOBITS };
	size_t size = h->is_64 ? sizeof(Elf64_Shdr) : sizeof(Elf32_Shdr);
	elf_window_init(&window, c->to);
	for (uint32_t i = 0; elf_section_read(&window, h, i, &s); i++) {
		if (is_harmless(&s, s.name < names_len ? names + s.name : ""))
			continue;
		/* sh_type is the second word of either class. */
		if (pwrite(c->to, h->big_endian ? big : little, 4, (off_t)(h->shdr_offset + i * size + 4)) != 4)
			return false;
	}
	return true;
}

static void put_half(const struct elf_header *h, uint8_t *at, uint32_t value)
{
	at[h->big_endian] = (uint8_t)value;
	at[!h->big_endian] = (uint8_t)(value >> 8);
}

/* What libelf would count in another way than we do is counted as we did. */
static bool put_header(struct copy *c, const struct elf_header *h, uint8_t ehdr[sizeof(Elf64_Ehdr)])
{
	put_half(h, ehdr + (h->is_64 ? offsetof(Elf64_Ehdr, e_phnum) : offsetof(Elf32_Ehdr, e_phnum)), h->phdr_count);
	put_half(h, ehdr + (h->is_64 ? offsetof(Elf64_Ehdr, e_shnum) : offsetof(Elf32_Ehdr, e_shnum)), h->shdr_count);
	size_t len = h->is_64 ? sizeof(Elf64_Ehdr) : sizeof(Elf32_Ehdr);
	return pwrite(c->to, ehdr, len, 0) == (ssize_t)len;
}

static bool drop_dynamic(struct copy *c, const struct elf_header *h)
{
	struct elf_window window;
	struct elf_segment s;
	const uint8_t unused[4] = { PT_NULL };
	size_t size = h->is_64 ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr);
	elf_window_init(&window, c->to);
	/* p_type is the first word of either class. */
	for (uint32_t i = 0; elf_segment_read(&window, h, i, &s); i++)
		if (s.type == PT_DYNAMIC && pwrite(c->to, unused, 4, (off_t)(h->phdr_offset + i * size)) != 4)
			return false;
	return true;
}

static bool copy_parts(struct copy *c, struct arena *arena)
{
	struct elf_header h;
	uint8_t ehdr[sizeof(Elf64_Ehdr)];
	if (!copy_headers(c, &h) || pread(c->to, ehdr, sizeof(ehdr), 0) <= 0)
		return false;
	struct elf_window window;
	size_t names_len = 0;
	elf_window_init(&window, c->from);
	const char *names = elf_section_names(&window, &h, arena, &names_len);
	if (!names)
		names = "";
	return copy_sections(c, &h, names, names_len) && put_header(c, &h, ehdr) && drop_dynamic(c, &h) &&
	       empty_others(c, &h, names, names_len);
}

/* libdw reads names up to their NUL, past the end of the table and of the file.  What is not
 * in the file libelf does not give it. */
static bool is_terminated(struct elf_window *window, const struct elf_raw_section *s)
{
	if (s->type != SHT_STRTAB || !s->size || s->size - 1 > INT64_MAX - s->offset)
		return true;
	const uint8_t *last = elf_window_at(window, s->offset + s->size - 1, 1);
	return !last || !*last;
}

/* Whether what lies over each other, or changed meanwhile, brought anything back. */
static bool is_clean(const struct elf_file *elf, int fd, struct arena *arena)
{
	struct elf_window window, ends;
	struct elf_segment segment;
	struct elf_raw_section s;
	size_t len = 0;
	elf_window_init(&window, fd);
	elf_window_init(&ends, fd);
	for (uint32_t i = 0; elf_segment_read(&window, &elf->header, i, &segment); i++)
		if (segment.type == PT_DYNAMIC)
			return false;
	const char *names = elf->header.shdr_count ? elf_section_names(&window, &elf->header, arena, &len) : "";
	for (uint32_t i = 0; names && elf_section_read(&window, &elf->header, i, &s); i++)
		if (!is_harmless(&s, s.name < len ? names + s.name : "") || !is_terminated(&ends, &s))
			return false;
	return names != NULL;
}

/* Why elfutils must not be let at the copy; NULL if it may. */
static const char *unfit(const struct elf_file *elf, int fd, struct arena *arena)
{
	if (elf->header.shdr_offset && !elf->header.shdr_count)
		return "its section headers are not understood";
	if (!is_clean(elf, fd, arena))
		return "its section headers are damaged";
	if (elf->odd_symbols)
		return "its symbol table is damaged";
	if (elf->largest_table > TABLE_BYTES_MAX)
		return "its symbol table is too large";
	if (elf->compressed_symbols)
		return "its symbol table is compressed";
	return NULL;
}

/* Above the limit on files' sizes, which a file in memory has too, SIGXFSZ would come. */
static int file_in_memory(uint64_t size, const char **reason)
{
	struct rlimit limit;
	if (!getrlimit(RLIMIT_FSIZE, &limit) && limit.rlim_cur != RLIM_INFINITY && size >= limit.rlim_cur) {
		*reason = "its symbols cannot be read, for the limit on files' sizes is too low (ulimit -f)";
		return -1;
	}
	int fd = memfd_create("symbols", MFD_CLOEXEC);
	if (fd >= 0 && ftruncate(fd, (off_t)size)) {
		close(fd);
		fd = -1;
	}
	return fd;
}

/* The size matters: libelf holds each table against it. */
static bool make_room(struct copy *c)
{
	struct stat st;
	if (fstat(c->from, &st))
		return false;
	c->to = file_in_memory((uint64_t)st.st_size, &c->reason);
	return c->to >= 0;
}

int elf_copy(int fd, struct arena *arena, struct elf_file *elf, const char **reason)
{
	struct copy c = { .from = fd, .to = -1, .left = COPY_BYTES_MAX };
	CLEANUP_FREE uint8_t *chunk = c.chunk = malloc(CHUNK);
	if (!chunk)
		c.reason = "there is no memory to read its symbols";
	else if (make_room(&c) && copy_parts(&c, arena))
		c.reason = elf_file_read(c.to, arena, elf) ? "it is damaged" : unfit(elf, c.to, arena);
	else if (!c.reason)
		c.reason = "its symbols cannot be read";
	*reason = c.reason;
	if (!c.reason)
		return c.to;
	if (c.to >= 0)
		close(c.to);
	return -1;
}

int elf_copy_mini(int fd, const struct elf_file *whole, struct arena *arena, struct elf_file *elf, const char **reason)
{
	uint64_t size = 0;
	*reason = "it is damaged or too large";
	if (whole->mini_size > MINI_BYTES_MAX ||
	    !xz_size(fd, whole->mini_offset, whole->mini_size, MINI_BYTES_MAX, &size) || !size)
		return -1;
	CLEANUP_CLOSE int inflated = file_in_memory(size, reason);
	if (inflated < 0)
		return -1;
	void *bytes = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_SHARED, inflated, 0);
	bool whole_one = bytes != MAP_FAILED && xz_inflate(fd, whole->mini_offset, whole->mini_size, bytes, size);
	if (bytes != MAP_FAILED)
		munmap(bytes, (size_t)size);
	return whole_one ? elf_copy(inflated, arena, elf, reason) : -1;
}
