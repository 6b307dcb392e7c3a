#include "file_contents.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "file_decode.h"
#include "file_error.h"
#include "file_unpack.h"
#include "sorted.h"

/* ---- which sections -------------------------------------------------------------- */

struct table_reader {
	const struct file_source *source;
	const struct vmsnap_file_entry *entries;
	size_t count, index;
	struct work *work;
	struct contents_table *table;
	struct placed hash;
	size_t block_room;
	struct vmsnap_error *err;
};

static int bad(const struct table_reader *reader, uint64_t offset, const char *what)
{
	return file_bad(reader->source->name, reader->err, VMSNAP_ERR_CORRUPT, offset, "HASH: %s", what);
}

static int add_block(struct table_reader *reader, uint64_t offset)
{
	struct contents_table *table = reader->table;
	int rc = VMSNAP_OK;
	if (!WORK_ROOM(reader->work, table->blocks, table->block_count, &reader->block_room, &rc))
		return work_fail(reader->work, rc, reader->err);
	table->blocks[table->block_count++] = offset;
	return VMSNAP_OK;
}

static int find_sections(struct table_reader *reader)
{
	const struct vmsnap_file_entry *entry = &reader->entries[reader->index];
	uint64_t at = entry->offset, end = at + entry->bytes - END_BYTES;
	int rc = VMSNAP_OK;
	while (!rc && at < end) {
		uint8_t bytes[SECTION_HEADER_BYTES];
		struct section section;
		rc = file_source_read(reader->source, at, bytes, sizeof(bytes), reader->err);
		if (rc)
			return rc;
		if (!section_read(bytes, &section) || section.stored > end - at)
			return bad(reader, at, "expected the header of a section");
		if (section.type == SECTION_HASH && reader->table->there)
			return bad(reader, at, "it comes twice");
		if (section.type == SECTION_HASH) {
			reader->hash = (struct placed){ section, at };
			reader->table->there = true;
		} else if (section.type == SECTION_CONT) {
			rc = add_block(reader, at);
		}
		at += sizeof(bytes) + section.stored;
		rc = rc || !work_step(reader->work) ? rc : work_fail(reader->work, VMSNAP_ERR_CANCELLED, reader->err);
	}
	return rc;
}

/* ---- HASH -------------------------------------------------------------------------- */

/* The snapshot so many bytes before this one; SIZE_MAX: none begins there. */
static size_t snapshot_before(const struct table_reader *reader, uint64_t distance)
{
	uint64_t offset = reader->entries[reader->index].offset;
	if (!distance || distance > offset)
		return SIZE_MAX;
	offset -= distance;
	size_t low = SORTED_ABOVE(struct vmsnap_file_entry, offset, reader->entries, reader->count, offset - !!offset);
	return low < reader->index && reader->entries[low].offset == offset ? low : SIZE_MAX;
}

/* A column of numbers; its items are to be freed with work_free(). */
static int take_array(struct table_reader *reader, struct cursor *payload, size_t count, uint64_t **out)
{
	int rc = VMSNAP_OK;
	if (count > cursor_left(payload))
		return bad(reader, reader->hash.offset, "more items than bytes");
	*out = work_array(reader->work, count + 1, sizeof(**out), &rc);
	if (rc)
		return work_fail(reader->work, rc, reader->err);
	return take_numbers(payload, *out, count) ? VMSNAP_OK
	                                          : bad(reader, reader->hash.offset, "a column that does not fit");
}

static int take_origins(struct table_reader *reader, struct cursor *payload)
{
	struct contents_table *table = reader->table;
	uint64_t depth, distance, count, *distances = NULL;
	if (!take_varint(payload, &depth) || depth > CONTENTS_DEPTH_MAX || (depth && !take_varint(payload, &distance)))
		return bad(reader, reader->hash.offset, "a depth that cannot be");
	table->depth = (unsigned)depth;
	table->base = depth ? snapshot_before(reader, distance) : SIZE_MAX;
	if (depth && table->base == SIZE_MAX)
		return bad(reader, reader->hash.offset, "no snapshot where its base should be");
	if (!take_varint(payload, &count) || count > cursor_left(payload))
		return bad(reader, reader->hash.offset, "more origins than bytes");
	int rc = take_array(reader, payload, (size_t)count, &distances);
	table->origins = rc ? NULL : work_array(reader->work, (size_t)count + 1, sizeof(*table->origins), &rc);
	for (size_t i = 0; !rc && i < count; i++) {
		table->origins[i] = snapshot_before(reader, distances[i]);
		if (table->origins[i] == SIZE_MAX)
			rc = bad(reader, reader->hash.offset, "no snapshot where an origin should be");
	}
	if (rc == VMSNAP_ERR_TOO_LARGE || rc == VMSNAP_ERR_NO_MEMORY)
		work_fail(reader->work, rc, reader->err);
	table->origin_count = rc ? 0 : (size_t)count;
	work_free(reader->work, distances, (size_t)count + 1, sizeof(*distances));
	return rc;
}

/* Columns of runs: gap, length, origin, first. */
enum { RUN_GAP, RUN_LENGTH, RUN_ORIGIN, RUN_FIRST, RUN_COLUMNS };

static int make_runs(struct table_reader *reader, uint64_t *const columns[RUN_COLUMNS], uint64_t *next, size_t count)
{
	struct contents_table *table = reader->table;
	uint64_t at = 0, top = (0 - table->page_size) / table->page_size, origins = table->origin_count + ORIGIN_OTHERS;
	for (size_t i = 0; i < count; i++) {
		uint64_t gap = columns[RUN_GAP][i], length = columns[RUN_LENGTH][i], origin = columns[RUN_ORIGIN][i];
		if (gap > top - at || length >= top - at - gap || origin >= origins)
			return bad(reader, reader->hash.offset, "a run that cannot be");
		uint64_t first = next[origin] + unzigzag(columns[RUN_FIRST][i]);
		at += gap;
		table->runs[i] = (struct contents_run){ at * table->page_size, length + 1, first, origin };
		at += length + 1;
		next[origin] = first + length + 1;
	}
	table->run_count = count;
	return VMSNAP_OK;
}

static int take_runs(struct table_reader *reader, struct cursor *payload)
{
	struct contents_table *table = reader->table;
	uint64_t count, *columns[RUN_COLUMNS] = { NULL };
	if (!take_varint(payload, &count) || count > cursor_left(payload))
		return bad(reader, reader->hash.offset, "more runs than bytes");
	int rc = VMSNAP_OK;
	for (size_t i = 0; !rc && i < RUN_COLUMNS; i++)
		rc = take_array(reader, payload, (size_t)count, &columns[i]);
	size_t origins = table->origin_count + ORIGIN_OTHERS;
	uint64_t *next = rc ? NULL : work_array(reader->work, origins, sizeof(*next), &rc);
	table->runs = rc ? NULL : work_array(reader->work, (size_t)count + 1, sizeof(*table->runs), &rc);
	rc = rc ? rc : make_runs(reader, columns, next, (size_t)count);
	if (rc == VMSNAP_ERR_TOO_LARGE || rc == VMSNAP_ERR_NO_MEMORY)
		work_fail(reader->work, rc, reader->err);
	work_free(reader->work, next, origins, sizeof(*next));
	for (size_t i = 0; i < RUN_COLUMNS; i++)
		work_free(reader->work, columns[i], (size_t)count + 1, sizeof(*columns[i]));
	return rc;
}

static int take_links(struct table_reader *reader, struct cursor *payload, size_t own)
{
	struct contents_table *table = reader->table;
	struct cursor links;
	size_t linked = 0;
	if (!take_column(payload, &links) || (cursor_left(&links) && cursor_left(&links) != own))
		return bad(reader, reader->hash.offset, "a number of links for each page expected");
	for (const uint8_t *link = links.at; link < links.end; link++) {
		if (*link > CONTENTS_LINKS_MAX)
			return bad(reader, reader->hash.offset, "too many links");
		linked += *link != 0;
	}
	uint64_t *origins = NULL, *pages = NULL;
	int rc = take_array(reader, payload, linked, &origins);
	rc = rc ? rc : take_array(reader, payload, linked, &pages);
	if (!rc && linked) {
		table->links = work_array(reader->work, own, sizeof(*table->links), &rc);
		table->bases = rc ? NULL : work_array(reader->work, own, sizeof(*table->bases), &rc);
		if (rc)
			work_fail(reader->work, rc, reader->err);
	}
	for (size_t i = 0, next = 0; !rc && linked && i < own; i++) {
		table->links[i] = links.at[i];
		if (!links.at[i])
			continue;
		table->bases[i] = (struct contents_base){ origins[next], pages[next] };
		if (origins[next] == ORIGIN_NONE || origins[next] >= table->origin_count + ORIGIN_OTHERS ||
		    (origins[next] == ORIGIN_OWN && pages[next] >= i))
			rc = bad(reader, reader->hash.offset, "a difference to no page");
		next++;
	}
	work_free(reader->work, origins, linked + 1, sizeof(*origins));
	work_free(reader->work, pages, linked + 1, sizeof(*pages));
	return rc;
}

static int take_hashes(struct table_reader *reader, struct cursor column)
{
	struct contents_table *table = reader->table;
	int rc = VMSNAP_OK;
	size_t own = cursor_left(&column) / VMSNAP_CONTENTS_HASH_SIZE;
	if (own > UINT32_MAX)
		return bad(reader, reader->hash.offset, "more pages than there can be");
	table->hashes = work_array(reader->work, own + 1, sizeof(*table->hashes), &rc);
	if (rc)
		return work_fail(reader->work, rc, reader->err);
	for (size_t i = 0; i < own; i++)
		table->hashes[i] = page_hash_read(column.at + i * VMSNAP_CONTENTS_HASH_SIZE);
	table->own = own;
	return VMSNAP_OK;
}

/* Hashes come last in it, but say how many pages there are. */
static int decode_hash(struct table_reader *reader, struct cursor payload)
{
	uint64_t algorithm, kind;
	struct cursor hashes;
	if (!take_varint(&payload, &algorithm) || !take_varint(&payload, &kind))
		return bad(reader, reader->hash.offset, "expected what it is made with");
	if (algorithm != CONTENTS_XXH3) { /* of a later time: nothing is known */
		reader->table->there = false;
		return VMSNAP_OK;
	}
	if (kind != VMSNAP_CONTENTS_HASHES && kind != VMSNAP_CONTENTS_BYTES)
		return bad(reader, reader->hash.offset, "neither hashes nor bytes");
	reader->table->kind = (unsigned)kind;
	if (!take_column(&payload, &hashes) || cursor_left(&hashes) % VMSNAP_CONTENTS_HASH_SIZE)
		return bad(reader, reader->hash.offset, "expected whole hashes");
	int rc = take_hashes(reader, hashes);
	rc = rc ? rc : take_origins(reader, &payload);
	rc = rc ? rc : take_runs(reader, &payload);
	rc = rc ? rc : take_links(reader, &payload, reader->table->own);
	return rc || !cursor_left(&payload) ? rc : bad(reader, reader->hash.offset, "more than its columns");
}

/* SNAP comes first. */
static int page_size_of(struct table_reader *reader)
{
	uint8_t bytes[SECTION_HEADER_BYTES];
	struct placed placed = { .offset = reader->entries[reader->index].offset };
	struct decode decode = { .name = reader->source->name,
		                 .err = reader->err,
		                 .offset = placed.offset,
		                 .work = { .limit = work_left(reader->work) } };
	int rc = file_source_read(reader->source, placed.offset, bytes, sizeof(bytes), reader->err);
	if (rc || !section_read(bytes, &placed.section))
		return rc ? rc : bad(reader, placed.offset, "expected a SNAP");
	struct vmsnap_builder builder;
	if (builder_begin(&builder))
		return fail_no_memory(reader->err);
	decode.snap = builder.snap;
	struct unpacked unpacked = { .source = reader->source, .placed = &placed };
	rc = unpack(&unpacked, NULL, reader->work);
	if (rc && reader->err)
		*reader->err = unpacked.err;
	rc = rc ? rc : decode_snap(&decode, unpacked.payload);
	reader->table->page_size = builder.snap->info.page_size;
	unpacked_free(&unpacked);
	builder_drop(&builder);
	return rc;
}

/* All blocks but the last are full. */
static int check_blocks(const struct table_reader *reader)
{
	const struct contents_table *table = reader->table;
	uint64_t each = CONTENTS_BLOCK / table->page_size;
	if (table->page_size > CONTENTS_BLOCK)
		return bad(reader, reader->hash.offset, "pages that are larger than a block");
	size_t needed = table->kind == VMSNAP_CONTENTS_BYTES ? (table->own + each - 1) / each : 0;
	if (table->block_count != needed)
		return bad(reader, reader->hash.offset, "a block for its pages is missing, or there is one more");
	return VMSNAP_OK;
}

int contents_table_read(const struct file_source *source, const struct vmsnap_file_entry *entries, size_t count,
                        size_t index, struct work *work, struct contents_table *out, struct vmsnap_error *err)
{
	*out = (struct contents_table){ .base = SIZE_MAX };
	struct table_reader reader = { .source = source,
		                       .entries = entries,
		                       .count = count,
		                       .index = index,
		                       .work = work,
		                       .table = out,
		                       .err = err };
	int rc = find_sections(&reader);
	if (!rc && !out->there && out->block_count)
		return bad(&reader, out->blocks[0], "bytes of pages that no HASH tells of");
	if (rc || !out->there)
		return rc;
	rc = page_size_of(&reader);
	struct unpacked unpacked = { .source = source, .placed = &reader.hash };
	uint64_t meanwhile = reader.hash.section.stored + reader.hash.section.raw;
	if (!rc && (rc = work_charge(work, meanwhile)))
		work_fail(work, rc, err);
	if (rc)
		return rc;
	rc = unpack(&unpacked, NULL, work);
	if (rc && err)
		*err = unpacked.err;
	rc = rc ? rc : decode_hash(&reader, unpacked.payload);
	rc = rc || !out->there ? rc : check_blocks(&reader);
	unpacked_free(&unpacked);
	work_release(work, meanwhile);
	return rc;
}

void contents_table_free(struct contents_table *table)
{
	free(table->origins);
	free(table->runs);
	free(table->hashes);
	free(table->links);
	free(table->bases);
	free(table->blocks);
	free(table->checked);
	*table = (struct contents_table){ 0 };
}
