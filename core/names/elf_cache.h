/* elf_cache.h - what was read of one ELF file: which file it was, its headers, its
 * symbols.  Outlives the snapshot that it was read for. */
#ifndef VMSNAP_ELF_CACHE_H
#define VMSNAP_ELF_CACHE_H

#include <stdbool.h>
#include <sys/stat.h>

#include "arena.h"
#include "dwarf_types.h"
#include "elf_file.h"
#include "elf_symbols.h"
#include "vmsnap.h"

struct elf_cache {
	struct vmsnap_vma identity; /* name, inode, device and build ID: own copies */
	struct stat stamp;          /* of the file, when the headers were read */
	struct elf_file elf;
	struct symbols symbols;
	bool symbols_tried, symbols_failed;
	struct dwarf_types *types; /* NULL: none, or not tried */
	bool types_tried;
	struct arena strings;
};

/* The headers of an open file, which the mapping is of.  VMSNAP_ERR_NOT_FOUND: it is
 * no program or library that can be read. */
int elf_cache_new(int fd, const struct vmsnap_vma *vma, struct elf_cache **out);
void elf_cache_free(struct elf_cache *known); /* NULL is fine */
/* How much memory it takes up, about. */
uint64_t elf_cache_bytes(const struct elf_cache *known);
/* Whether the file is as it was, as far as its inode tells. */
bool elf_cache_unchanged(const struct elf_cache *known, int fd);

/* Order of mapped files: by inode, device, build ID, and then by name. */
int identity_order(const struct vmsnap_vma *a, const struct vmsnap_vma *b);
/* The same, but a file that has a build ID is itself under another name, too: it may
 * have been deleted or renamed. */
int identity_order_of_file(const struct vmsnap_vma *a, const struct vmsnap_vma *b);

#endif
