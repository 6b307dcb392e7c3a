#define _GNU_SOURCE
#include "dwarf_sections.h"

#include <elf.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "elf_file.h"
#include "error.h"
#include "zstd.h"

static const char *const section_names[DWARF_SECTION_COUNT] = {
	[DWARF_INFO] = "info", [DWARF_TYPES] = "types",       [DWARF_ABBREV] = "abbrev",
	[DWARF_STR] = "str",   [DWARF_LINE_STR] = "line_str", [DWARF_STR_OFFSETS] = "str_offsets",
	[DWARF_ADDR] = "addr", [DWARF_LINE] = "line",
};

struct loading {
	int fd;
	struct elf_header header;
	uint64_t room;
	struct work *work;
	struct dwarf_sections *out;
	unsigned wanted;    /* 1 << enum dwarf_section_id, or-ed */
	const char *suffix; /* that their names have */
	const char *reason;
};

/* Whole, or not at all. */
static int read_all(struct loading *l, void *bytes, uint64_t len, uint64_t offset)
{
	for (uint64_t done = 0; done < len;) {
		ssize_t got = offset > INT64_MAX - len ? 0
		                                       : pread(l->fd, (uint8_t *)bytes + done,
		                                               len - done < (1 << 20) ? (size_t)(len - done) : 1 << 20,
		                                               (off_t)(offset + done));
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0) {
			l->reason = "its debug information is cut short";
			return VMSNAP_ERR_CORRUPT;
		}
		if (work_ask(l->work))
			return VMSNAP_ERR_CANCELLED;
		done += (uint64_t)got;
	}
	return VMSNAP_OK;
}

/* One byte more than is asked for: NULL means that there is no memory, and strings end. */
static uint8_t *make_room(struct loading *l, uint64_t len, int *rc)
{
	if (len > l->room) {
		l->reason = "its debug information would take too much memory";
		*rc = VMSNAP_ERR_TOO_LARGE;
		return NULL;
	}
	uint8_t *bytes = malloc((size_t)len + 1);
	if (!bytes)
		*rc = VMSNAP_ERR_NO_MEMORY;
	else
		bytes[len] = 0;
	return bytes;
}

/* ELFCOMPRESS_ZSTD, which older headers lack. */
enum { COMPRESSED_ZSTD = 2 };

static int inflate_all(struct loading *l, const uint8_t *packed, size_t packed_len, uint64_t len,
                       struct dwarf_section *out)
{
	z_stream z = { 0 };
	int rc = VMSNAP_OK;
	/* No stream of zlib's becomes more than 1032 times as long. */
	if (packed_len > UINT32_MAX || len > UINT32_MAX || len / 1032 > packed_len) {
		l->reason = "its debug information is damaged";
		return VMSNAP_ERR_CORRUPT;
	}
	out->bytes = make_room(l, len, &rc);
	if (rc)
		return rc;
	out->len = (size_t)len;
	z.next_in = (Bytef *)(uintptr_t)packed;
	z.avail_in = (uInt)packed_len;
	z.next_out = out->bytes;
	z.avail_out = (uInt)len;
	if (inflateInit(&z) != Z_OK)
		return VMSNAP_ERR_NO_MEMORY;
	int end = inflate(&z, Z_FINISH);
	inflateEnd(&z);
	if (end == Z_STREAM_END && !z.avail_out)
		return VMSNAP_OK;
	l->reason = "its debug information is damaged";
	return VMSNAP_ERR_CORRUPT;
}

/* What it is to become is the file's own word, and counted against the room. */
static int inflate_zstd(struct loading *l, const uint8_t *packed, size_t packed_len, uint64_t len,
                        struct dwarf_section *out)
{
	int rc = VMSNAP_OK;
	out->bytes = make_room(l, len, &rc);
	if (rc)
		return rc;
	out->len = (size_t)len;
	rc = zstd_inflate(packed, packed_len, out->bytes, out->len);
	if (rc == VMSNAP_ERR_CORRUPT)
		l->reason = "its debug information is damaged";
	if (rc == VMSNAP_ERR_NOT_FOUND) {
		l->reason = "its debug information is compressed with zstd, and there is no libzstd";
		rc = VMSNAP_ERR_TOO_LARGE;
	}
	return rc;
}

/* ELF's own way (a header of its class), or the older GNU one: "ZLIB" and the size. */
static int unpack(struct loading *l, bool gnu, const uint8_t *bytes, size_t len, struct dwarf_section *out)
{
	size_t head = gnu ? 12 : l->header.is_64 ? sizeof(Elf64_Chdr) : sizeof(Elf32_Chdr);
	uint64_t size = 0;
	bool zstd = false;
	l->reason = "its debug information is damaged";
	if (len < head || (gnu && memcmp(bytes, "ZLIB", 4) != 0))
		return VMSNAP_ERR_CORRUPT;
	if (gnu) {
		for (size_t i = 4; i < head; i++)
			size = size << 8 | bytes[i];
	} else {
		uint64_t how = elf_number(&l->header, bytes, 4);
		zstd = how == COMPRESSED_ZSTD;
		if (how != ELFCOMPRESS_ZLIB && !zstd) {
			l->reason = "its debug information is compressed in a way that is not understood";
			return VMSNAP_ERR_TOO_LARGE;
		}
		size_t at = l->header.is_64 ? offsetof(Elf64_Chdr, ch_size) : offsetof(Elf32_Chdr, ch_size);
		size = elf_number(&l->header, bytes + at, l->header.is_64 ? 8 : 4);
	}
	l->reason = NULL;
	return zstd ? inflate_zstd(l, bytes + head, len - head, size, out)
	            : inflate_all(l, bytes + head, len - head, size, out);
}

/* A file of split DWARF, which no linker has seen, has a section for each unit of types. */
static int append(const struct dwarf_section *more, struct dwarf_section *out)
{
	if (!out->bytes) {
		*out = *more;
		return VMSNAP_OK;
	}
	int rc = VMSNAP_OK;
	uint8_t *joined = realloc(out->bytes, out->len + more->len + 1);
	if (joined) {
		memcpy(joined + out->len, more->bytes, more->len + 1);
		*out = (struct dwarf_section){ joined, out->len + more->len };
	} else {
		rc = VMSNAP_ERR_NO_MEMORY;
	}
	free(more->bytes);
	return rc;
}

static int load_section(struct loading *l, const struct elf_raw_section *s, bool gnu, struct dwarf_section *out)
{
	struct dwarf_section whole = { 0 };
	int rc = VMSNAP_OK;
	bool packed = gnu || s->flags & SHF_COMPRESSED;
	uint8_t *bytes = make_room(l, s->size, &rc);
	if (rc)
		return rc;
	l->out->read += s->size;
	rc = read_all(l, bytes, s->size, s->offset);
	if (!rc && packed) {
		rc = unpack(l, gnu, bytes, (size_t)s->size, &whole);
	} else if (!rc) {
		whole = (struct dwarf_section){ bytes, (size_t)s->size };
		bytes = NULL;
	}
	free(bytes);
	l->out->read += packed ? whole.len : 0;
	l->room -= rc ? 0 : whole.len;
	l->out->total += whole.len;
	if (!rc)
		return append(&whole, out);
	free(whole.bytes);
	return rc;
}

/* Index of the section of this name; *gnu: it is packed in the older way.  -1: none of ours. */
static int which(const char *name, const char *suffix, bool *gnu)
{
	static const char plain[] = ".debug_", packed[] = ".zdebug_";
	*gnu = strncmp(name, packed, sizeof(packed) - 1) == 0;
	if (!*gnu && strncmp(name, plain, sizeof(plain) - 1) != 0)
		return -1;
	const char *rest = name + (*gnu ? sizeof(packed) : sizeof(plain)) - 1;
	for (int i = 0; i < DWARF_SECTION_COUNT; i++) {
		size_t len = strlen(section_names[i]);
		if (strncmp(rest, section_names[i], len) == 0 && strcmp(rest + len, suffix) == 0)
			return i;
	}
	return -1;
}

static int load_all(struct loading *l, struct elf_window *window, const char *names, size_t names_len)
{
	struct elf_raw_section s;
	int rc = VMSNAP_OK;
	for (uint32_t i = 0; !rc && elf_section_read(window, &l->header, i, &s); i++) {
		bool gnu;
		int id = s.type == SHT_PROGBITS && s.name < names_len ? which(names + s.name, l->suffix, &gnu) : -1;
		bool again = *l->suffix && (id == DWARF_INFO || id == DWARF_TYPES);
		if (id >= 0 && l->wanted & 1u << id && (again || !l->out->at[id].bytes))
			rc = load_section(l, &s, gnu, &l->out->at[id]);
	}
	return rc;
}

/* Whether there is any, before megabytes of other sections are read. */
static bool has(const struct loading *l, enum dwarf_section_id id, struct elf_window *window, const char *names,
                size_t names_len)
{
	struct elf_raw_section s;
	bool gnu;
	for (uint32_t i = 0; elf_section_read(window, &l->header, i, &s); i++)
		if (s.type == SHT_PROGBITS && s.name < names_len && which(names + s.name, l->suffix, &gnu) == (int)id)
			return true;
	return false;
}

static int read_sections(int fd, uint64_t room, struct work *work, bool lines, const char *suffix,
                         struct dwarf_sections *out, const char **reason)
{
	const unsigned of_lines = 1u << DWARF_LINE | 1u << DWARF_LINE_STR | 1u << DWARF_STR;
	struct loading l = { .fd = fd, .room = room, .work = work, .out = out, .suffix = suffix };
	l.wanted = lines ? of_lines : ~(1u << DWARF_LINE);
	struct elf_window window;
	struct arena strings = { 0 };
	size_t names_len = 0;
	int rc = VMSNAP_ERR_NOT_FOUND;
	*out = (struct dwarf_sections){ 0 };
	*reason = NULL;
	elf_window_init(&window, fd);
	if (!elf_header_read(&window, &l.header))
		return rc;
	out->big_endian = l.header.big_endian;
	out->is_64 = l.header.is_64;
	const uint8_t *machine = elf_window_at(&window, offsetof(Elf64_Ehdr, e_machine), 2);
	out->machine = machine ? (uint16_t)elf_number(&l.header, machine, 2) : 0;
	const char *names = l.header.shdr_count ? elf_section_names(&window, &l.header, &strings, &names_len) : NULL;
	out->read = names_len + l.header.shdr_count * sizeof(Elf64_Shdr);
	if (names && has(&l, lines ? DWARF_LINE : DWARF_INFO, &window, names, names_len))
		rc = load_all(&l, &window, names, names_len);
	arena_free(&strings);
	if (!rc && (lines ? !out->at[DWARF_LINE].bytes : !out->at[DWARF_INFO].bytes || !out->at[DWARF_ABBREV].bytes))
		rc = VMSNAP_ERR_NOT_FOUND;
	uint64_t read = out->read;
	if (rc)
		dwarf_sections_free(out);
	out->read = read;
	*reason = l.reason;
	return rc;
}

int dwarf_sections_read(int fd, uint64_t room, struct work *work, struct dwarf_sections *out, const char **reason)
{
	return read_sections(fd, room, work, false, "", out, reason);
}

int dwarf_sections_read_split(int fd, uint64_t room, struct work *work, struct dwarf_sections *out, const char **reason)
{
	return read_sections(fd, room, work, false, ".dwo", out, reason);
}

int dwarf_sections_read_lines(int fd, uint64_t room, struct work *work, struct dwarf_sections *out, const char **reason)
{
	return read_sections(fd, room, work, true, "", out, reason);
}

void dwarf_sections_free(struct dwarf_sections *sections)
{
	for (int i = 0; i < DWARF_SECTION_COUNT; i++)
		free(sections->at[i].bytes);
	*sections = (struct dwarf_sections){ 0 };
}

/* A name, then, aligned to four, a CRC; or, right behind it, a build ID. */
static bool link_of(const struct elf_header *h, const uint8_t *bytes, size_t len, bool alternate,
                    struct dwarf_link *out)
{
	size_t name = strnlen((const char *)bytes, len);
	size_t rest = alternate ? name + 1 : (name / 4 + 1) * 4;
	if (!name || name >= sizeof(out->name) || rest >= len)
		return false;
	memcpy(out->name, bytes, name + 1);
	out->id_len = alternate && len - rest <= sizeof(out->id) ? len - rest : 0;
	memcpy(out->id, bytes + rest, out->id_len);
	out->crc = !alternate && len - rest >= 4 ? elf_u32(h, bytes + rest) : 0;
	return alternate ? out->id_len : len - rest >= 4;
}

bool dwarf_link_read(int fd, const char *section, struct dwarf_link *out)
{
	struct elf_window window;
	struct elf_header h;
	struct elf_raw_section s;
	struct arena strings = { 0 };
	size_t names_len = 0;
	bool found = false;
	*out = (struct dwarf_link){ 0 };
	elf_window_init(&window, fd);
	if (!elf_header_read(&window, &h))
		return false;
	const char *names = h.shdr_count ? elf_section_names(&window, &h, &strings, &names_len) : NULL;
	for (uint32_t i = 0; names && !found && elf_section_read(&window, &h, i, &s); i++) {
		if (s.type != SHT_PROGBITS || s.name >= names_len || strcmp(names + s.name, section) != 0 ||
		    s.size > ELF_WINDOW_BYTES)
			continue;
		const uint8_t *bytes = elf_window_at(&window, s.offset, (size_t)s.size);
		found = bytes && link_of(&h, bytes, (size_t)s.size, strcmp(section, ".gnu_debugaltlink") == 0, out);
	}
	arena_free(&strings);
	if (!found)
		out->name[0] = '\0';
	return found;
}
