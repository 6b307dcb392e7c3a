#define _GNU_SOURCE
#include "build_id.h"

#include <elf.h>
#include <errno.h>
#include <string.h>

#include "elf_file.h"
#include "error.h"

/* A crafted file may hold any number of notes. */
enum { NOTES_MAX = 256, NOTE_HEADER = 12 };

static uint64_t align_up(uint64_t value, uint64_t align)
{
	return (value + align - 1) / align * align;
}

/* One note at `offset`, of which `left` bytes belong to the segment.  Returns the
 * bytes it takes, 0 if it does not fit; *found if it is the build ID. */
static uint64_t read_note(struct elf_window *window, const struct elf_header *header, uint64_t offset, uint64_t left,
                          uint64_t align, uint64_t *id_offset, uint64_t *id_len)
{
	const uint8_t *bytes = left < NOTE_HEADER ? NULL : elf_window_at(window, offset, NOTE_HEADER);
	if (!bytes)
		return 0;
	uint32_t name_len = elf_u32(header, bytes), len = elf_u32(header, bytes + 4), type = elf_u32(header, bytes + 8);
	uint64_t start = align_up((uint64_t)NOTE_HEADER + name_len, align);
	if (start > left || len > left - start)
		return 0;
	const uint8_t *name = name_len == sizeof(ELF_NOTE_GNU) && type == NT_GNU_BUILD_ID
	                              ? elf_window_at(window, offset + NOTE_HEADER, name_len)
	                              : NULL;
	if (name && memcmp(name, ELF_NOTE_GNU, sizeof(ELF_NOTE_GNU)) == 0) {
		*id_offset = offset + start;
		*id_len = len;
	}
	return align_up(start + len, align);
}

/* Looks through one PT_NOTE; *budget counts notes down over all of them. */
static bool find_in_segment(struct elf_window *window, const struct elf_header *header, const struct elf_segment *s,
                            unsigned *budget, uint64_t *id_offset, uint64_t *id_len)
{
	uint64_t align = s->align == 8 ? 8 : 4; /* 8: .note.gnu.property's kind of segment */
	uint64_t at = 0;
	if (s->offset > INT64_MAX || s->file_size > INT64_MAX - s->offset)
		return false;
	while (at < s->file_size && *budget) {
		(*budget)--;
		*id_len = 0;
		uint64_t taken = read_note(window, header, s->offset + at, s->file_size - at, align, id_offset, id_len);
		if (*id_len)
			return true;
		if (!taken)
			return false;
		at += taken;
	}
	return false;
}

/* VMSNAP_END: not in here. */
static int take_from(struct elf_window *window, const struct elf_header *header, const struct elf_segment *notes,
                     unsigned *budget, uint8_t *out, size_t room, size_t *len)
{
	uint64_t offset = 0, id_len = 0;
	if (!find_in_segment(window, header, notes, budget, &offset, &id_len))
		return VMSNAP_END;
	if (id_len > room || id_len > BUILD_ID_MAX)
		return VMSNAP_ERR_NOT_FOUND;
	const uint8_t *id = elf_window_at(window, offset, (size_t)id_len);
	if (!id)
		return window->sys_errno ? VMSNAP_ERR_SYSTEM : VMSNAP_ERR_NOT_FOUND;
	memcpy(out, id, (size_t)id_len);
	*len = (size_t)id_len;
	return VMSNAP_OK;
}

static int finish(const struct elf_window *window, int rc)
{
	if (rc == VMSNAP_END)
		rc = window->sys_errno ? VMSNAP_ERR_SYSTEM : VMSNAP_ERR_NOT_FOUND;
	errno = window->sys_errno;
	return rc;
}

int build_id_in(struct elf_window *window, uint8_t *out, size_t room, size_t *len)
{
	struct elf_header header;
	struct elf_segment segment;
	unsigned budget = NOTES_MAX;
	int rc = VMSNAP_END;
	bool is_elf = elf_header_read(window, &header);
	for (uint32_t i = 0; is_elf && rc == VMSNAP_END && elf_segment_read(window, &header, i, &segment); i++)
		if (segment.type == PT_NOTE)
			rc = take_from(window, &header, &segment, &budget, out, room, len);
	return finish(window, rc);
}

int build_id_of_file(int fd, uint8_t *out, size_t room, size_t *len)
{
	struct elf_window window;
	elf_window_init(&window, fd);
	return build_id_in(&window, out, room, len);
}

int build_id_of_sections(int fd, uint8_t *out, size_t room, size_t *len)
{
	struct elf_window window;
	struct elf_header header;
	struct elf_raw_section section;
	unsigned budget = NOTES_MAX;
	int rc = VMSNAP_END;
	elf_window_init(&window, fd);
	bool is_elf = elf_header_read(&window, &header);
	for (uint32_t i = 0; is_elf && rc == VMSNAP_END && elf_section_read(&window, &header, i, &section); i++) {
		struct elf_segment notes = { .offset = section.offset,
			                     .file_size = section.size,
			                     .align = section.align };
		if (section.type == SHT_NOTE)
			rc = take_from(&window, &header, &notes, &budget, out, room, len);
	}
	return finish(&window, rc);
}
