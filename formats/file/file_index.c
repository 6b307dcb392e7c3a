#include "file_index.h"

#include <inttypes.h>
#include <string.h>

#include "error.h"
#include "file_error.h"
#include "section.h"

static int add_entry(struct file_index *index, uint64_t offset, uint64_t bytes, struct vmsnap_error *err)
{
	if (index->count == index->capacity) {
		size_t capacity = index->capacity ? index->capacity * 2 : 16;
		struct vmsnap_file_entry *entries = realloc(index->entries, capacity * sizeof(*entries));
		if (!entries)
			return fail_no_memory(err);
		index->entries = entries;
		index->capacity = capacity;
	}
	index->entries[index->count++] = (struct vmsnap_file_entry){ .offset = offset, .bytes = bytes };
	return VMSNAP_OK;
}

/* ---- from the end ---- */

struct backward {
	uint64_t at;       /* everything from here to the end of the file is whole */
	size_t of_stream;  /* entries before this one belong to a finished stream */
	bool after_header; /* a stream's header stands at `at` */
};

/* The END that closes at back->at: VMSNAP_OK and one more entry, or VMSNAP_END. */
static int step_over_snapshot(struct file_index *index, const struct file_source *source, struct backward *back,
                              struct vmsnap_error *err)
{
	uint8_t bytes[END_BYTES];
	struct section_end end;
	if (back->at < STREAM_HEADER_BYTES + SECTION_HEADER_BYTES + END_BYTES)
		return VMSNAP_END;
	uint64_t end_at = back->at - END_BYTES;
	int rc = file_source_read(source, end_at, bytes, sizeof(bytes), err);
	if (rc)
		return rc;
	if (!end_read(bytes, &end) || end.distance > end_at - STREAM_HEADER_BYTES)
		return VMSNAP_END;
	back->at = end_at - end.distance;
	back->after_header = false;
	return add_entry(index, back->at, end.distance + END_BYTES, err);
}

/* The header of a stream that ends at back->at. */
static int step_over_header(struct file_index *index, const struct file_source *source, struct backward *back,
                            struct vmsnap_error *err)
{
	uint8_t bytes[STREAM_HEADER_BYTES];
	if (back->at < STREAM_HEADER_BYTES)
		return VMSNAP_END;
	int rc = file_source_read(source, back->at - STREAM_HEADER_BYTES, bytes, sizeof(bytes), err);
	if (rc)
		return rc;
	rc = stream_header_read(bytes, sizeof(bytes));
	/* Whatever those looked like, they are not for this reader. */
	if (rc == VMSNAP_ERR_NEWER)
		index->count = back->of_stream;
	if (rc)
		return VMSNAP_END;
	back->at -= STREAM_HEADER_BYTES;
	back->after_header = true;
	back->of_stream = index->count;
	return VMSNAP_OK;
}

/* Finds entries, the last one first. */
static int go_backward(struct file_index *index, const struct file_source *source, struct backward *back,
                       struct work *work, struct vmsnap_error *err)
{
	*back = (struct backward){ .at = source->size };
	while (back->at) {
		if (work_step(work))
			return work_fail(work, VMSNAP_ERR_CANCELLED, err);
		int rc = step_over_snapshot(index, source, back, err);
		if (rc == VMSNAP_END)
			rc = step_over_header(index, source, back, err);
		if (rc == VMSNAP_END)
			return VMSNAP_OK;
		if (rc)
			return rc;
	}
	return VMSNAP_OK;
}

/* ---- from the front ---- */

struct forward {
	uint64_t at;      /* everything below is whole */
	uint64_t section; /* the section looked at */
	struct work *work;
	struct vmsnap_error *err;
};

static int damaged_at(const struct file_source *source, const struct forward *forward, int code, uint64_t offset,
                      const char *what)
{
	return file_bad(source->name, forward->err, code, offset, "%s", what);
}

/* The END at forward->section closes a snapshot of which `found` is true. */
static int step_over_end(struct file_index *index, const struct file_source *source, struct forward *forward,
                         const struct section *section, const struct section_end *found)
{
	uint64_t at = forward->section;
	uint8_t bytes[END_BYTES];
	struct section_end end;
	if (section->flags & ~SECTION_FLAGS || section->reserved)
		return damaged_at(source, forward, VMSNAP_ERR_NEWER, at, "an END that this version does not know");
	if (section->stored != END_PAYLOAD_BYTES)
		return damaged_at(source, forward, VMSNAP_ERR_CORRUPT, at, "an END has 16 bytes");
	int rc = file_source_read(source, at, bytes, sizeof(bytes), forward->err);
	if (rc)
		return rc;
	if (!end_read(bytes, &end) || end.distance != found->distance || end.sections != found->sections ||
	    end.crc != found->crc)
		return damaged_at(source, forward, VMSNAP_ERR_CORRUPT, at, "an END that does not fit its snapshot");
	uint64_t start = forward->at;
	forward->at = at + END_BYTES;
	return add_entry(index, start, forward->at - start, forward->err);
}

/* The header of the section at forward->section, if all of the section is there. */
static int look_at_section(const struct file_source *source, const struct forward *forward,
                           uint8_t bytes[SECTION_HEADER_BYTES], struct section *out)
{
	uint64_t start = forward->at, at = forward->section, left = source->size - at;
	size_t len = left < SECTION_HEADER_BYTES ? (size_t)left : SECTION_HEADER_BYTES;
	int rc = file_source_read(source, at, bytes, len, forward->err);
	if (rc)
		return rc;
	if (at == start && memcmp(bytes, "SNAP", len < 4 ? len : 4) != 0)
		return damaged_at(source, forward, VMSNAP_ERR_CORRUPT, at, "expected a SNAP section");
	if (len < SECTION_HEADER_BYTES)
		return damaged_at(source, forward, VMSNAP_ERR_TRUNCATED, start, "the file ends within a snapshot");
	if (!section_read(bytes, out))
		return damaged_at(source, forward, VMSNAP_ERR_CORRUPT, at, "expected the header of a section");
	if (out->stored > left - SECTION_HEADER_BYTES)
		return damaged_at(source, forward, VMSNAP_ERR_TRUNCATED, start, "the file ends within a snapshot");
	return VMSNAP_OK;
}

/* The sections from SNAP on, up to a right END. */
static int step_over_sections(struct file_index *index, const struct file_source *source, struct forward *forward)
{
	uint8_t bytes[SECTION_HEADER_BYTES];
	struct section section;
	struct section_end found = { 0 };
	forward->section = forward->at;
	for (;;) {
		int rc = work_step(forward->work);
		if (rc)
			return work_fail(forward->work, rc, forward->err);
		rc = look_at_section(source, forward, bytes, &section);
		if (rc)
			return rc;
		if (section.type == SECTION_END)
			return step_over_end(index, source, forward, &section, &found);
		found.crc = crc_of(found.crc, bytes, SECTION_HEADER_BYTES);
		found.sections++;
		found.distance += SECTION_HEADER_BYTES + section.stored;
		forward->section += SECTION_HEADER_BYTES + section.stored;
	}
}

/* A stream's header or a snapshot.  Between two snapshots either may stand; what
 * is neither is judged by its beginning. */
static int step_forward(struct file_index *index, const struct file_source *source, struct forward *forward)
{
	uint8_t bytes[STREAM_HEADER_BYTES];
	uint64_t left = source->size - forward->at;
	size_t len = left < sizeof(bytes) ? (size_t)left : sizeof(bytes);
	int rc = file_source_read(source, forward->at, bytes, len, forward->err);
	if (rc)
		return rc;
	switch (stream_header_read(bytes, len)) {
	case VMSNAP_OK:
		forward->at += STREAM_HEADER_BYTES;
		return VMSNAP_OK;
	case VMSNAP_ERR_TRUNCATED:
		return damaged_at(source, forward, VMSNAP_ERR_TRUNCATED, forward->at,
		                  "the file ends within the header of a stream");
	case VMSNAP_ERR_NEWER:
		return damaged_at(source, forward, VMSNAP_ERR_NEWER, forward->at, "a stream of another version");
	case VMSNAP_ERR_CORRUPT:
		return damaged_at(source, forward, VMSNAP_ERR_CORRUPT, forward->at,
		                  "wrong checksum of a stream's header");
	default:
		if (!forward->at)
			return damaged_at(source, forward, VMSNAP_ERR_NOT_SNAPSHOT, 0,
			                  source->size ? "expected the bytes 89 56 4d 53" : "it is empty");
		return step_over_sections(index, source, forward);
	}
}

static bool about_the_file(int code)
{
	return code == VMSNAP_ERR_CORRUPT || code == VMSNAP_ERR_TRUNCATED || code == VMSNAP_ERR_NEWER;
}

/* Adds the entries from offset 0 up to the first damage. */
static int go_forward(struct file_index *index, const struct file_source *source, struct work *work,
                      struct vmsnap_error *err)
{
	struct forward forward = { .work = work, .err = &index->damage };
	int rc = VMSNAP_OK;
	while (forward.at < source->size && !rc)
		rc = step_forward(index, source, &forward);
	index->whole = forward.at;
	if (!rc || (about_the_file(rc) && forward.at))
		return VMSNAP_OK;
	if (err)
		*err = index->damage;
	return rc;
}

static void reverse(struct vmsnap_file_entry *entries, size_t count)
{
	for (size_t i = 0; i < count / 2; i++) {
		struct vmsnap_file_entry other = entries[count - 1 - i];
		entries[count - 1 - i] = entries[i];
		entries[i] = other;
	}
}

/* The entries found from the front, then those from the end that lie behind the
 * damage. */
static int join_both(struct file_index *index, const struct file_source *source, const struct file_index *behind,
                     struct work *work, struct vmsnap_error *err)
{
	int rc = go_forward(index, source, work, err);
	if (rc || !index->damage.code || index->damage.code == VMSNAP_ERR_TRUNCATED)
		return rc;
	for (size_t i = 0; i < behind->count; i++) {
		if (behind->entries[i].offset <= index->damage.position)
			continue;
		rc = add_entry(index, behind->entries[i].offset, behind->entries[i].bytes, err);
		if (rc)
			return rc;
		index->whole = source->size;
	}
	return VMSNAP_OK;
}

int file_index_find(struct file_index *index, const struct file_source *source, struct work *work,
                    struct vmsnap_error *err)
{
	*index = (struct file_index){ 0 };
	struct file_index behind = { 0 };
	struct backward back;
	/* Before all else: is it ours? */
	uint8_t bytes[STREAM_HEADER_BYTES];
	size_t len = source->size < sizeof(bytes) ? (size_t)source->size : sizeof(bytes);
	int rc = file_source_read(source, 0, bytes, len, err);
	if (!rc && stream_header_read(bytes, len)) {
		struct forward forward = { .work = work, .err = err };
		return step_forward(index, source, &forward);
	}
	rc = rc ? rc : go_backward(&behind, source, &back, work, err);
	reverse(behind.entries, behind.count);
	if (!rc && !back.at && back.after_header) {
		*index = behind;
		index->whole = source->size;
		return VMSNAP_OK;
	}
	rc = rc ? rc : join_both(index, source, &behind, work, err);
	file_index_free(&behind);
	if (rc)
		file_index_free(index);
	return rc;
}

void file_index_free(struct file_index *index)
{
	free(index->entries);
	*index = (struct file_index){ 0 };
}
