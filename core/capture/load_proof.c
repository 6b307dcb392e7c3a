#define _GNU_SOURCE
#include "load_proof.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "elf_file.h"
#include "error.h"
#include "runs.h"

enum { DYNAMIC_BYTES_MAX = 64 * 1024 };

static bool find_dynamic(int file, struct elf_header *header, struct elf_segment *out)
{
	struct elf_window window;
	elf_window_init(&window, file);
	if (!elf_header_read(&window, header))
		return false;
	for (uint32_t i = 0; elf_segment_read(&window, header, i, out); i++)
		if (out->type == PT_DYNAMIC)
			return out->file_size && out->file_size <= DYNAMIC_BYTES_MAX && out->offset < INT64_MAX / 2;
	return false;
}

/* What is read of a page that a fork shares may be copied by both sides then; but nobody copies what is not
 * written, and with RELRO that is so. */
static bool is_own(const struct vmsnap_vma *vma, uint64_t entry)
{
	return (entry & ENTRY_PRESENT) && !(entry & ENTRY_FLAG(VMSNAP_PAGE_FILE | VMSNAP_PAGE_ZERO)) &&
	       (!(vma->perms & VMSNAP_PERM_WRITE) || (entry & ENTRY_FLAG(VMSNAP_PAGE_EXCLUSIVE)));
}

/* All of it is there, and is the process's own: in the snapshot, and now, as it runs again. */
static bool all_own(const struct vmsnap *snap, const struct vmsnap_vma *vma, int procdir, uint64_t start, uint64_t end)
{
	uint64_t page_size = snap->info.page_size;
	CLEANUP_CLOSE int pagemap = openat(procdir, "pagemap", O_RDONLY | O_CLOEXEC);
	for (uint64_t at = start - start % page_size; at < end; at += page_size) {
		uint64_t then, now;
		vmsnap_pages_read(snap, at, 1, &then);
		if (!is_own(vma, then) ||
		    pread(pagemap, &now, sizeof(now), (off_t)(at / page_size * sizeof(now))) != sizeof(now) ||
		    !is_own(vma, entry_normal(now)))
			return false;
	}
	return true;
}

/* Where the dynamic section lies in the process; 0: nowhere that it is its own. */
static uint64_t find_copy(const struct vmsnap *snap, struct vmsnap_vma *const *mappings, size_t count, int procdir,
                          const struct elf_segment *dynamic)
{
	for (size_t i = 0; i < count; i++) {
		const struct vmsnap_vma *vma = mappings[i];
		uint64_t size = vma->end - vma->start, into = dynamic->offset - vma->offset;
		if (vma->perms & VMSNAP_PERM_SHARED || dynamic->offset < vma->offset || into >= size ||
		    size - into < dynamic->file_size)
			continue;
		uint64_t start = vma->start + into;
		if (all_own(snap, vma, procdir, start, start + dynamic->file_size))
			return start;
	}
	return 0;
}

static bool read_all(int fd, void *bytes, size_t len, uint64_t at)
{
	ssize_t got;
	do
		got = pread(fd, bytes, len, (off_t)at);
	while (got < 0 && errno == EINTR);
	return got == (ssize_t)len;
}

static uint64_t word_at(const struct elf_header *header, const uint8_t *bytes)
{
	uint64_t low = elf_u32(header, bytes), high;
	if (!header->is_64)
		return low;
	high = elf_u32(header, bytes + 4);
	return header->big_endian ? low << 32 | high : high << 32 | low;
}

/* Entry by entry: what is an address is that of the file, moved to where it was loaded; and at least one is, for
 * a copy that somebody made later has none. */
static bool same_dynamic(const struct elf_header *header, const uint8_t *file, const uint8_t *memory, size_t len,
                         uint64_t bias)
{
	size_t word = header->is_64 ? 8 : 4;
	uint64_t mask = header->is_64 ? UINT64_MAX : UINT32_MAX;
	bool moved = false;
	for (size_t at = 0; at + 2 * word <= len; at += 2 * word) {
		uint64_t tag = word_at(header, file + at), value = word_at(header, file + at + word);
		uint64_t now = word_at(header, memory + at + word);
		if (word_at(header, memory + at) != tag)
			return false;
		if (tag == DT_NULL)
			return moved;
		bool here = bias && now == ((value + bias) & mask);
		/* The linker writes what it likes there. */
		if (!here && now != value && tag != DT_DEBUG)
			return false;
		moved |= here && (tag == DT_STRTAB || tag == DT_SYMTAB);
	}
	return false;
}

bool load_proof(const struct vmsnap *snap, struct vmsnap_vma *const *mappings, size_t count, int procdir, int file)
{
	struct elf_header header;
	struct elf_segment dynamic;
	if (procdir < 0 || !find_dynamic(file, &header, &dynamic))
		return false;
	uint64_t start = find_copy(snap, mappings, count, procdir, &dynamic);
	size_t len = (size_t)dynamic.file_size;
	CLEANUP_FREE uint8_t *bytes = start ? malloc(2 * len) : NULL;
	CLEANUP_CLOSE int memory = bytes ? openat(procdir, "mem", O_RDONLY | O_CLOEXEC) : -1;
	return memory >= 0 && read_all(file, bytes, len, dynamic.offset) && read_all(memory, bytes + len, len, start) &&
	       same_dynamic(&header, bytes, bytes + len, len, start - dynamic.address);
}
