/* names_make.h - makes what the tests of names look at: small shared libraries,
 * written byte by byte below a folder that serves as sysroot, and snapshots in which
 * they are mapped. */
#ifndef NAMES_MAKE_H
#define NAMES_MAKE_H

#include <elf.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "snapshot.h"
#include "vmsnap.h"

/* How a made library lies in its file and, counted as the file does, in memory.
 * The page of the file at 0x1000 belongs to both segments, as it does in real
 * libraries. */
enum {
	LIB_BYTES = 0x6000,
	TEXT_ADDRESS = 0, /* file offset 0 */
	TEXT_SIZE = 0x1e00,
	DATA_OFFSET = 0x1e00,
	DATA_ADDRESS = 0x3e00,
	DATA_FILE_SIZE = 0x300,
	BSS_ADDRESS = DATA_ADDRESS + DATA_FILE_SIZE,
	BSS_SIZE = 0x4f00,
	BSS_PAGES = 0x5000, /* from here on the memory is anonymous */
	LIB_END = 0x9000,
	NOTE_AT = 0x200,
	LINK_AT = 0x280,
	STRINGS_AT = 0x3000, /* to 0x37ff */
	SECTION_STRINGS_AT = 0x3800,
	SYMBOLS_AT = 0x3a00,
	SECTIONS_AT = 0x5800,
	SEC_NULL = 0,
	SEC_NOTE,
	SEC_TEXT,
	SEC_DATA,
	SEC_BSS,
	SEC_SYMTAB,
	SEC_STRTAB,
	SEC_SHSTRTAB,
	SEC_LINK,
	SEC_COUNT,
	BASE = 0x70000000,
};

struct lib_symbol {
	const char *name;
	uint64_t value, size;
	uint8_t bind, type;
	uint16_t section;
};

struct lib {
	const struct lib_symbol *symbols;
	size_t symbol_count;
	uint8_t id; /* all bytes of the build ID; 0: no build ID */
	bool stripped;
	const char *link; /* for .gnu_debuglink; NULL: none */
	uint32_t link_crc;
};

static inline void lib_section(uint8_t *bytes, size_t index, const char *name, Elf64_Shdr section)
{
	size_t at = SECTION_STRINGS_AT + 1 + index * 24;
	strcpy((char *)bytes + at, name);
	section.sh_name = (Elf64_Word)(at - SECTION_STRINGS_AT);
	section.sh_addralign = 1;
	memcpy(bytes + SECTIONS_AT + index * sizeof(section), &section, sizeof(section));
}

/* A header of a section in the bytes of a library. */
static inline Elf64_Shdr *lib_section_at(uint8_t *bytes, size_t index)
{
	union {
		uint8_t *bytes;
		Elf64_Shdr *header;
	} at = { bytes + SECTIONS_AT + index * sizeof(Elf64_Shdr) };
	return at.header;
}

static inline void lib_headers(uint8_t *bytes, const struct lib *lib)
{
	Elf64_Ehdr header = {
		.e_type = ET_DYN,
		.e_machine = EM_X86_64,
		.e_version = EV_CURRENT,
		.e_phoff = sizeof(Elf64_Ehdr),
		.e_shoff = SECTIONS_AT,
		.e_ehsize = sizeof(Elf64_Ehdr),
		.e_phentsize = sizeof(Elf64_Phdr),
		.e_phnum = 3,
		.e_shentsize = sizeof(Elf64_Shdr),
		.e_shnum = SEC_COUNT,
		.e_shstrndx = SEC_SHSTRTAB,
	};
	/* The numbers are written as this machine has them. */
	memcpy(header.e_ident, __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? ELFMAG "\2\2\1" : ELFMAG "\2\1\1", 7);
	Elf64_Phdr segments[3] = {
		{ .p_type = PT_LOAD,
		  .p_flags = PF_R | PF_X,
		  .p_filesz = TEXT_SIZE,
		  .p_memsz = TEXT_SIZE,
		  .p_align = 0x1000 },
		{ .p_type = PT_LOAD,
		  .p_flags = PF_R | PF_W,
		  .p_offset = DATA_OFFSET,
		  .p_vaddr = DATA_ADDRESS,
		  .p_paddr = DATA_ADDRESS,
		  .p_filesz = DATA_FILE_SIZE,
		  .p_memsz = DATA_FILE_SIZE + BSS_SIZE,
		  .p_align = 0x1000 },
		{ .p_type = lib->id ? PT_NOTE : PT_NULL,
		  .p_flags = PF_R,
		  .p_offset = NOTE_AT,
		  .p_vaddr = NOTE_AT,
		  .p_filesz = 36,
		  .p_memsz = 36,
		  .p_align = 4 },
	};
	memcpy(bytes, &header, sizeof(header));
	memcpy(bytes + sizeof(header), segments, sizeof(segments));
	Elf64_Nhdr note = { .n_namesz = 4, .n_descsz = 20, .n_type = NT_GNU_BUILD_ID };
	memcpy(bytes + NOTE_AT, &note, sizeof(note));
	memcpy(bytes + NOTE_AT + 12, "GNU", 4);
	memset(bytes + NOTE_AT + 16, lib->id, 20);
}

static inline void lib_sections(uint8_t *bytes, const struct lib *lib)
{
	Elf64_Shdr note = { .sh_type = lib->id ? SHT_NOTE : SHT_NULL,
		            .sh_flags = SHF_ALLOC,
		            .sh_addr = NOTE_AT,
		            .sh_offset = NOTE_AT,
		            .sh_size = 36 };
	Elf64_Shdr text = { .sh_type = SHT_PROGBITS,
		            .sh_flags = SHF_ALLOC | SHF_EXECINSTR,
		            .sh_addr = 0x400,
		            .sh_offset = 0x400,
		            .sh_size = TEXT_SIZE - 0x400 };
	Elf64_Shdr data = { .sh_type = SHT_PROGBITS,
		            .sh_flags = SHF_ALLOC | SHF_WRITE,
		            .sh_addr = DATA_ADDRESS,
		            .sh_offset = DATA_OFFSET,
		            .sh_size = DATA_FILE_SIZE };
	Elf64_Shdr bss = { .sh_type = SHT_NOBITS,
		           .sh_flags = SHF_ALLOC | SHF_WRITE,
		           .sh_addr = BSS_ADDRESS,
		           .sh_offset = DATA_OFFSET + DATA_FILE_SIZE,
		           .sh_size = BSS_SIZE };
	Elf64_Shdr symtab = { .sh_type = lib->stripped ? SHT_NULL : SHT_SYMTAB,
		              .sh_offset = SYMBOLS_AT,
		              .sh_size = (lib->symbol_count + 1) * sizeof(Elf64_Sym),
		              .sh_link = SEC_STRTAB,
		              .sh_info = 1,
		              .sh_entsize = sizeof(Elf64_Sym) };
	Elf64_Shdr strtab = { .sh_type = SHT_STRTAB, .sh_offset = STRINGS_AT, .sh_size = 0x800 };
	Elf64_Shdr shstrtab = { .sh_type = SHT_STRTAB, .sh_offset = SECTION_STRINGS_AT, .sh_size = 0x200 };
	size_t link_len = lib->link ? (strlen(lib->link) + 4) / 4 * 4 : 0;
	Elf64_Shdr link = { .sh_type = lib->link ? SHT_PROGBITS : SHT_NULL,
		            .sh_offset = LINK_AT,
		            .sh_size = link_len + 4 };
	lib_section(bytes, SEC_NOTE, ".note.gnu.build-id", note);
	lib_section(bytes, SEC_TEXT, ".text", text);
	lib_section(bytes, SEC_DATA, ".data", data);
	lib_section(bytes, SEC_BSS, ".bss", bss);
	lib_section(bytes, SEC_SYMTAB, ".symtab", symtab);
	lib_section(bytes, SEC_STRTAB, ".strtab", strtab);
	lib_section(bytes, SEC_SHSTRTAB, ".shstrtab", shstrtab);
	lib_section(bytes, SEC_LINK, ".gnu_debuglink", link);
	if (lib->link) {
		strcpy((char *)bytes + LINK_AT, lib->link);
		memcpy(bytes + LINK_AT + link_len, &lib->link_crc, 4);
	}
}

static inline void lib_make(uint8_t bytes[LIB_BYTES], const struct lib *lib)
{
	memset(bytes, 0, LIB_BYTES);
	lib_headers(bytes, lib);
	lib_sections(bytes, lib);
	size_t string = 1;
	for (size_t i = 0; i < lib->symbol_count && !lib->stripped; i++) {
		const struct lib_symbol *from = &lib->symbols[i];
		Elf64_Sym sym = { .st_name = (Elf64_Word)string,
			          .st_value = from->value,
			          .st_size = from->size,
			          .st_info = (unsigned char)(from->bind << 4 | from->type),
			          .st_shndx = from->section };
		memcpy(bytes + SYMBOLS_AT + (i + 1) * sizeof(sym), &sym, sizeof(sym));
		strcpy((char *)bytes + STRINGS_AT + string, from->name);
		string += strlen(from->name) + 1;
	}
}

/* ---- a folder to look below --------------------------------------------------- */

struct place {
	char root[64];
	char path[640]; /* scratch */
};

static inline int place_setup(void **state)
{
	struct place *place = calloc(1, sizeof(*place));
	strcpy(place->root, "/tmp/vmsnap-names-XXXXXX");
	*state = place;
	return mkdtemp(place->root) ? 0 : -1;
}

static inline int place_teardown(void **state)
{
	struct place *place = *state;
	snprintf(place->path, sizeof(place->path), "rm -rf '%s'", place->root);
	int rc = system(place->path);
	free(place);
	return rc;
}

/* The real path of a name in the sysroot; makes the folders above it. */
static inline const char *place_path(struct place *place, const char *name)
{
	snprintf(place->path, sizeof(place->path), "%s%s", place->root, name);
	for (char *p = place->path + strlen(place->root) + 1; (p = strchr(p, '/')); p++) {
		*p = '\0';
		mkdir(place->path, 0700);
		*p = '/';
	}
	return place->path;
}

static inline void place_write(struct place *place, const char *name, const void *bytes, size_t len)
{
	/* A new file each time: ext4 writes a truncated one to the disk at once. */
	unlink(place_path(place, name));
	int fd = open(place->path, O_WRONLY | O_CREAT | O_EXCL, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, len), (ssize_t)len);
	close(fd);
}

static inline void place_lib(struct place *place, const char *name, const struct lib *lib)
{
	static uint8_t bytes[LIB_BYTES];
	lib_make(bytes, lib);
	place_write(place, name, bytes, sizeof(bytes));
}

/* ---- a snapshot ------------------------------------------------------------------ */

static inline struct vmsnap *made_snapshot(void)
{
	struct timespec now;
	struct vmsnap *snap = snapshot_new();
	assert_non_null(snap);
	clock_gettime(CLOCK_REALTIME, &now);
	snap->info.pid = snap->info.tgid = 100;
	snap->info.page_size = 4096;
	/* Change times are those of the last tick: a file made right now is older. */
	snap->info.taken = (now.tv_sec + 2) * INT64_C(1000000000);
	snap->info.arch = "x86_64";
	return snap;
}

static inline struct vmsnap_vma *made_vma(struct vmsnap *snap, uint64_t start, uint64_t end, uint32_t perms,
                                          const char *name)
{
	struct vmsnap_vma *vmas = realloc(snap->vmas, (snap->vma_count + 1) * sizeof(*vmas));
	assert_non_null(vmas);
	snap->vmas = vmas;
	struct vmsnap_vma *vma = &vmas[snap->vma_count++];
	*vma = (struct vmsnap_vma){ .start = start, .end = end, .perms = perms, .name = name };
	return vma;
}

static inline struct vmsnap_vma *made_file_vma(struct vmsnap *snap, uint64_t start, uint64_t end, uint32_t perms,
                                               const char *name, uint64_t offset, uint8_t id)
{
	struct vmsnap_vma *vma = made_vma(snap, start, end, perms, name);
	uint8_t bytes[20];
	memset(bytes, id, sizeof(bytes));
	vma->offset = offset;
	vma->inode = 7;
	vma->dev_minor = 1;
	if (id) {
		vma->build_id = (uint8_t *)arena_copy(&snap->strings, bytes, sizeof(bytes));
		vma->build_id_len = sizeof(bytes);
	}
	return vma;
}

/* Maps a made library as the dynamic loader does. */
static inline void made_mapping(struct vmsnap *snap, uint64_t base, const char *name, uint8_t id)
{
	made_file_vma(snap, base, base + 0x2000, VMSNAP_PERM_READ | VMSNAP_PERM_EXEC, name, 0, id);
	made_file_vma(snap, base + 0x3000, base + 0x5000, VMSNAP_PERM_READ | VMSNAP_PERM_WRITE, name, 0x1000, id);
	made_vma(snap, base + BSS_PAGES, base + LIB_END, VMSNAP_PERM_READ | VMSNAP_PERM_WRITE, "");
}

static inline struct vmsnap_names *made_names(const struct vmsnap *snap, const char *sysroot)
{
	struct vmsnap_names *names = NULL;
	struct vmsnap_error err = { 0 };
	assert_int_equal(vmsnap_names_new(snap, sysroot, &names, &err), VMSNAP_OK);
	return names;
}

/* A snapshot, and its names. */
struct fixture {
	struct vmsnap *snap;
	struct vmsnap_names *names;
};

static inline void fixture_free(struct fixture f)
{
	assert_string_equal(vmsnap_names_warning(f.names), "");
	vmsnap_names_free(f.names);
	vmsnap_unref(f.snap);
}

/* The symbol at an address, "" if there is only a mapping, NULL if nothing. */
static inline const char *symbol_at(struct vmsnap_names *names, uint64_t address)
{
	struct vmsnap_name name;
	if (vmsnap_name_at(names, address, &name))
		return NULL;
	return name.symbol ? name.symbol : "";
}

/* All names in [start, end), joined by spaces. */
static inline bool names_join(void *ctx, const struct vmsnap_name *name)
{
	char *text = ctx;
	snprintf(text + strlen(text), 1024 - strlen(text), "%s%s", *text ? " " : "", name->symbol);
	return true;
}

static inline void expect_names_in(struct vmsnap_names *names, uint64_t start, uint64_t end, const char *expected)
{
	char text[1024] = "";
	assert_int_equal(vmsnap_names_in(names, start, end, names_join, text, NULL), VMSNAP_OK);
	assert_string_equal(text, expected);
}

#endif
