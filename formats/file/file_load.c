#include "file_load.h"

#include <inttypes.h>
#include <string.h>

#include "error.h"
#include "file_decode.h"
#include "file_deflate.h"
#include "file_error.h"
#include "section.h"

struct placed {
	struct section section;
	uint64_t offset; /* of the header */
};

struct loader {
	const struct file_source *source;
	const struct vmsnap_file_entry *entry;
	struct decode decode;
	struct placed *placed; /* the sections that are known */
	size_t count, capacity;
	uint32_t seen;
	bool check_skipped;
};

/* ---- which sections there are ---- */

struct kind {
	uint32_t type;
	bool once;
	int (*decode)(struct decode *, struct cursor);
};

/* In the order in which they are decoded. */
static const struct kind kinds[] = {
	{ SECTION_SNAP, true, decode_snap },  { SECTION_STAT, true, decode_stat }, { SECTION_VMAS, true, decode_vmas },
	{ SECTION_PAGE, false, decode_page }, { SECTION_THRD, true, decode_thrd }, { SECTION_SMAP, true, decode_smap },
	{ SECTION_NAME, true, decode_name },
};
enum { KINDS = sizeof(kinds) / sizeof(*kinds), KINDS_NEEDED = 3, KINDS_PEEK = 2 };

static int bad(struct loader *loader, int code, uint64_t offset, const char *what)
{
	return file_bad(loader->source->name, loader->decode.err, code, offset, "%s", what);
}

static int remember(struct loader *loader, const struct section *section, uint64_t offset)
{
	loader->decode.offset = offset;
	if (loader->count == loader->capacity) {
		size_t capacity = loader->capacity ? loader->capacity * 2 : 16;
		int rc = decode_charge(&loader->decode, (capacity - loader->capacity) * sizeof(struct placed));
		if (rc)
			return rc;
		struct placed *placed = realloc(loader->placed, capacity * sizeof(*placed));
		if (!placed)
			return fail_no_memory(loader->decode.err);
		loader->placed = placed;
		loader->capacity = capacity;
	}
	loader->placed[loader->count++] = (struct placed){ .section = *section, .offset = offset };
	return VMSNAP_OK;
}

/* The checksum of a payload that nobody decodes; it may be large. */
static int check_skipped(struct loader *loader, const struct section *section, uint64_t offset)
{
	enum { CHUNK = 16 * 1024 };
	uint8_t bytes[CHUNK];
	uint64_t at = offset + SECTION_HEADER_BYTES, left = section->stored;
	uint32_t crc = 0;
	while (left) {
		size_t len = left < CHUNK ? (size_t)left : CHUNK;
		int rc = file_source_read(loader->source, at, bytes, len, loader->decode.err);
		rc = rc ? rc : decode_step(&loader->decode);
		if (rc)
			return rc;
		crc = crc_of(crc, bytes, len);
		at += len;
		left -= len;
	}
	return crc == section->crc ? VMSNAP_OK : bad(loader, VMSNAP_ERR_CORRUPT, offset, "wrong checksum of a section");
}

/* What a header says on its own, and whether its section may stand here. */
static int check_header(struct loader *loader, const struct section *section, uint64_t offset)
{
	bool first = offset == loader->entry->offset;
	if (section->flags & ~SECTION_FLAGS || section->reserved)
		return bad(loader, VMSNAP_ERR_NEWER, offset, "a section with unknown flags");
	if (section->type == SECTION_END)
		return bad(loader, VMSNAP_ERR_CORRUPT, offset, "an END within a snapshot");
	if (first != (section->type == SECTION_SNAP))
		return bad(loader, VMSNAP_ERR_CORRUPT, offset, "a snapshot has one SNAP, and it comes first");
	bool deflated = section->flags & SECTION_DEFLATED;
	uint64_t least = section->raw / DEFLATE_RATIO + (section->raw % DEFLATE_RATIO != 0);
	if (deflated ? section->stored < least : section->stored != section->raw)
		return bad(loader, VMSNAP_ERR_CORRUPT, offset, "a section's lengths that cannot be");
	for (size_t i = 0; i < KINDS; i++) {
		if (kinds[i].type != section->type)
			continue;
		if (kinds[i].once && loader->seen & 1u << i)
			return bad(loader, VMSNAP_ERR_CORRUPT, offset, "a section that comes twice");
		loader->seen |= 1u << i;
		return remember(loader, section, offset);
	}
	if (section->flags & SECTION_REQUIRED)
		return bad(loader, VMSNAP_ERR_NEWER, offset, "a required section of unknown type");
	return loader->check_skipped ? check_skipped(loader, section, offset) : VMSNAP_OK;
}

static int check_end(struct loader *loader, uint64_t offset, uint32_t sections, uint32_t crc)
{
	uint8_t bytes[END_BYTES];
	struct section_end end;
	int rc = file_source_read(loader->source, offset, bytes, sizeof(bytes), loader->decode.err);
	if (rc)
		return rc;
	if (!end_read(bytes, &end) || end.sections != sections || end.crc != crc)
		return bad(loader, VMSNAP_ERR_CORRUPT, offset, "an END that does not fit its snapshot");
	uint32_t needed = (1u << KINDS_NEEDED) - 1;
	if ((loader->seen & needed) != needed)
		return bad(loader, VMSNAP_ERR_CORRUPT, loader->entry->offset, "a snapshot without STAT or VMAS");
	return VMSNAP_OK;
}

static int find_sections(struct loader *loader)
{
	uint64_t at = loader->entry->offset, end = at + loader->entry->bytes - END_BYTES;
	uint8_t bytes[SECTION_HEADER_BYTES];
	struct section section;
	uint32_t sections = 0, crc = 0;
	while (at < end) {
		if (end - at < sizeof(bytes))
			return bad(loader, VMSNAP_ERR_CORRUPT, at, "a section that reaches beyond its snapshot");
		int rc = file_source_read(loader->source, at, bytes, sizeof(bytes), loader->decode.err);
		if (rc)
			return rc;
		if (!section_read(bytes, &section))
			return bad(loader, VMSNAP_ERR_CORRUPT, at, "expected the header of a section");
		if (section.stored > end - at - sizeof(bytes))
			return bad(loader, VMSNAP_ERR_CORRUPT, at, "a section that reaches beyond its snapshot");
		rc = check_header(loader, &section, at);
		rc = rc ? rc : decode_step(&loader->decode);
		if (rc)
			return rc;
		crc = crc_of(crc, bytes, sizeof(bytes));
		sections++;
		at += sizeof(bytes) + section.stored;
	}
	return check_end(loader, end, sections, crc);
}

/* ---- one section ---- */

/* The payload as stored: in place if the file is in memory, else a copy. */
static int read_stored(struct loader *loader, const struct placed *placed, uint8_t **copy, const uint8_t **stored)
{
	uint64_t at = placed->offset + SECTION_HEADER_BYTES, len = placed->section.stored;
	if (loader->source->bytes) {
		*stored = loader->source->bytes + at;
	} else {
		*copy = malloc(len ? (size_t)len : 1);
		if (!*copy)
			return fail_no_memory(loader->decode.err);
		int rc = file_source_read(loader->source, at, *copy, (size_t)len, loader->decode.err);
		if (rc)
			return rc;
		*stored = *copy;
	}
	if (crc_of(0, *stored, (size_t)len) != placed->section.crc)
		return bad(loader, VMSNAP_ERR_CORRUPT, placed->offset, "wrong checksum of a section");
	return VMSNAP_OK;
}

static int decode_stored(struct loader *loader, const struct placed *placed, const struct kind *kind,
                         const uint8_t *stored)
{
	const struct section *section = &placed->section;
	if (!(section->flags & SECTION_DEFLATED))
		return kind->decode(&loader->decode, cursor_of(stored, (size_t)section->stored));
	CLEANUP_FREE uint8_t *raw = malloc(section->raw ? (size_t)section->raw : 1);
	if (!raw)
		return fail_no_memory(loader->decode.err);
	struct work *work = &loader->decode.work;
	int rc = inflate_payload(stored, (size_t)section->stored, raw, (size_t)section->raw, work);
	if (rc == VMSNAP_ERR_CORRUPT)
		return bad(loader, rc, placed->offset, "a section that does not inflate");
	if (rc)
		return work_fail(work, rc, loader->decode.err);
	return kind->decode(&loader->decode, cursor_of(raw, (size_t)section->raw));
}

static int load_section(struct loader *loader, const struct placed *placed, const struct kind *kind)
{
	/* While it is decoded, both forms take memory. */
	const struct section *section = &placed->section;
	uint64_t meanwhile = section->flags & SECTION_DEFLATED ? section->raw : 0;
	if (!loader->source->bytes)
		meanwhile += section->stored; /* at most the size of a file: no overflow */
	loader->decode.offset = placed->offset;
	int rc = decode_charge(&loader->decode, meanwhile);
	if (rc)
		return rc;
	uint8_t *copy = NULL;
	const uint8_t *stored = NULL;
	rc = read_stored(loader, placed, &copy, &stored);
	rc = rc ? rc : decode_stored(loader, placed, kind, stored);
	free(copy);
	work_release(&loader->decode.work, meanwhile);
	return rc;
}

static int load_sections(struct loader *loader, size_t kinds_wanted)
{
	for (size_t k = 0; k < kinds_wanted; k++) {
		for (size_t i = 0; i < loader->count; i++) {
			if (loader->placed[i].section.type != kinds[k].type)
				continue;
			int rc = load_section(loader, &loader->placed[i], &kinds[k]);
			if (rc)
				return rc;
		}
	}
	return VMSNAP_OK;
}

static int finish(struct loader *loader, struct vmsnap_builder *builder, struct vmsnap **out)
{
	int rc = builder_finish(builder, &loader->decode.work, out);
	return rc ? work_fail(&loader->decode.work, rc, loader->decode.err) : VMSNAP_OK;
}

int file_load_part(const struct file_source *source, const struct vmsnap_file_entry *entry, struct work work,
                   enum file_load_part part, struct vmsnap **out, struct vmsnap_error *err)
{
	struct loader loader = { .source = source, .entry = entry, .check_skipped = part == FILE_LOAD_CHECK };
	loader.decode = (struct decode){ .name = source->name, .err = err, .work = work };
	struct vmsnap_builder builder;
	if (builder_begin(&builder))
		return fail_no_memory(err);
	loader.decode.snap = builder.snap;
	builder.snap->memory_limit = work.limit;
	size_t wanted = part == FILE_LOAD_SNAP ? 1 : part == FILE_LOAD_PEEK ? KINDS_PEEK : KINDS;
	int rc = work_ask(&loader.decode.work) ? work_fail(&work, VMSNAP_ERR_CANCELLED, err) : find_sections(&loader);
	rc = rc ? rc : load_sections(&loader, wanted);
	free(loader.placed);
	rc = rc ? rc : finish(&loader, &builder, out);
	builder_drop(&builder);
	return rc;
}
