/* build_id.h - the build ID in an ELF file's notes.  Reads a few KiB. */
#ifndef VMSNAP_BUILD_ID_H
#define VMSNAP_BUILD_ID_H

#include <stddef.h>
#include <stdint.h>

struct elf_window;

/* Linkers make 8 to 32 bytes; the kernel hands out no more than 20. */
enum { BUILD_ID_MAX = 64 };

/* The first NT_GNU_BUILD_ID of a 32- or 64-bit ELF file of either byte order.
 * fd must be a regular file; its position does not matter and stays.
 * VMSNAP_ERR_NOT_FOUND: not an ELF file, no build ID, or one longer than room.
 * VMSNAP_ERR_SYSTEM: reading failed, see errno.  out and len are only written
 * on success. */
int build_id_of_file(int fd, uint8_t *out, size_t room, size_t *len);
/* The same of what a window shows (elf_file.h). */
int build_id_in(struct elf_window *window, uint8_t *out, size_t room, size_t *len);
/* The same from the notes' sections: in a file that holds debug information only, the
 * program headers may point at bytes that are not there. */
int build_id_of_sections(int fd, uint8_t *out, size_t room, size_t *len);

#endif
