#include "file_contents_write.h"

#include <stdlib.h>
#include <string.h>

#include "block_deflater.h"
#include "error.h"
#include "file_contents.h"
#include "file_load.h"
#include "file_pipeline.h"
#include "page_places.h"
#include "section.h"

/* ---- what was written before -------------------------------------------------------------- */

/* The newest snapshot of a process in the stream. */
struct latest {
	const struct vmsnap *snap; /* held */
	uint64_t offset;
	unsigned depth;
};
/* Pages of a snapshot that are stored with it, in their order, which is that of addresses: a bit for each number in its
 * contents. */
struct own_pages {
	uint8_t *bits;
	struct bytes links; /* behind the last one that is not 0 there are none */
	size_t count;
};
/* One after another. */
struct own_walk {
	const struct contents *contents;
	const struct own_pages *own;
	size_t range, page; /* the next: of the ranges, and in it */
};
struct contents_writer {
	struct page_places places;
	/* What was written last: it is put into `places` when another snapshot comes, which mostly none does. */
	const struct vmsnap *last; /* held; NULL: nothing */
	uint64_t last_offset;
	struct own_pages last_own;
	struct latest *latest;
	size_t latest_count;
	const struct vmsnap_file *file; /* that is added to; NULL: none */
	size_t first;                   /* the first snapshot of its last stream */
	uint8_t *page, *other;          /* room for a page */
};

struct contents_writer *contents_writer_new(void)
{
	struct contents_writer *writer = calloc(1, sizeof(*writer));
	if (!writer)
		return NULL;
	writer->page = malloc(CONTENTS_BLOCK);
	writer->other = malloc(CONTENTS_BLOCK);
	if (writer->page && writer->other)
		return writer;
	contents_writer_free(writer);
	return NULL;
}

static uint32_t own_next(struct own_walk *walk)
{
	for (;;) {
		const struct contents_range *range = &walk->contents->ranges[walk->range];
		for (size_t at = range->first + walk->page; walk->page < range->pages; at++) {
			walk->page++;
			if (walk->own->bits[at / 8] & 1u << at % 8)
				return walk->contents->pages[at];
		}
		walk->range++;
		walk->page = 0;
	}
}

static uint8_t own_links(const struct own_pages *own, size_t index)
{
	return index < own->links.len ? own->links.data[index] : 0;
}

static void own_free(struct own_pages *own)
{
	free(own->bits);
	bytes_free(&own->links);
	*own = (struct own_pages){ 0 };
}

static void forget_last(struct contents_writer *writer)
{
	vmsnap_unref(writer->last);
	writer->last = NULL;
	own_free(&writer->last_own);
}

void contents_writer_free(struct contents_writer *writer)
{
	if (!writer)
		return;
	forget_last(writer);
	for (size_t i = 0; i < writer->latest_count; i++)
		vmsnap_unref(writer->latest[i].snap);
	free(writer->latest);
	page_places_free(&writer->places);
	free(writer->page);
	free(writer->other);
	free(writer);
}

static int add_table(struct contents_writer *writer, uint64_t offset, const struct contents_table *table)
{
	for (size_t i = 0; table->there && i < table->own; i++) {
		struct page_place place = { .hash = table->hashes[i],
			                    .snapshot = offset,
			                    .page_size = table->page_size,
			                    .page = (uint32_t)i,
			                    .links = table->links ? table->links[i] : 0,
			                    .bytes = table->kind == VMSNAP_CONTENTS_BYTES };
		if (!page_places_add(&writer->places, &place))
			return VMSNAP_ERR_NO_MEMORY;
	}
	return VMSNAP_OK;
}

/* The next one may have the same. */
static int place_last(struct contents_writer *writer)
{
	const struct vmsnap *last = writer->last;
	const struct own_pages *own = &writer->last_own;
	struct own_walk walk = { .contents = last ? &last->contents : NULL, .own = own };
	for (size_t i = 0; last && i < own->count; i++) {
		struct page_place place = { .hash = store_hash(last->contents.store, own_next(&walk)),
			                    .snapshot = writer->last_offset,
			                    .page_size = last->info.page_size,
			                    .page = (uint32_t)i,
			                    .links = own_links(own, i),
			                    .bytes = last->contents.bytes };
		if (!page_places_add(&writer->places, &place))
			return VMSNAP_ERR_NO_MEMORY;
	}
	forget_last(writer);
	return VMSNAP_OK;
}

int contents_writer_continue(struct contents_writer *writer, struct vmsnap_file *file, struct work *work,
                             struct vmsnap_error *err)
{
	struct vmsnap_file_entry entry, before;
	size_t count = vmsnap_file_count(file), first = count;
	int rc = count ? file_entry(file, count - 1, &entry, err) : VMSNAP_OK;
	while (!rc && first && --first) {
		rc = file_entry(file, first - 1, &before, err);
		/* Between two streams there is a header. */
		if (!rc && before.offset + before.bytes != entry.offset)
			break;
		entry = before;
	}
	for (size_t i = first; !rc && i < count; i++) {
		const struct contents_table *table;
		rc = file_entry(file, i, &entry, err);
		rc = rc ? rc : file_contents_table(file_contents_of(file), i, work, &table, err);
		if (!rc && add_table(writer, entry.offset, table))
			rc = fail_no_memory(err);
	}
	writer->file = file;
	writer->first = first;
	return rc;
}

static bool same_process(const struct vmsnap_info *a, const struct vmsnap_info *b)
{
	return a->pid == b->pid && a->start_time == b->start_time && a->page_size == b->page_size &&
	       !strcmp(a->boot_id, b->boot_id);
}

static struct latest *add_latest(struct contents_writer *writer, const struct vmsnap *snap, uint64_t offset,
                                 unsigned depth)
{
	struct latest *grown = realloc(writer->latest, (writer->latest_count + 1) * sizeof(*grown));
	if (!grown)
		return NULL;
	writer->latest = grown;
	grown[writer->latest_count] = (struct latest){ vmsnap_ref(snap), offset, depth };
	return &grown[writer->latest_count++];
}

/* In the file that is added to: the newest of that process, if it has contents. */
static int find_in_file(struct contents_writer *writer, const struct vmsnap_info *info, struct latest **out,
                        struct vmsnap_error *err)
{
	for (size_t i = writer->file ? vmsnap_file_count(writer->file) : 0; i > writer->first; i--) {
		struct vmsnap *snap;
		const struct contents_table *table;
		struct vmsnap_file_entry entry;
		struct work work = { .limit = WORK_UNLIMITED };
		if (file_load_identity(writer->file, i - 1, &snap, NULL))
			continue;
		bool same = same_process(vmsnap_info(snap), info);
		vmsnap_unref(snap);
		if (!same)
			continue;
		/* It only serves to make the new ones smaller. */
		if (file_contents_table(file_contents_of(writer->file), i - 1, &work, &table, NULL) || !table->there ||
		    vmsnap_file_load(writer->file, i - 1, &snap, NULL) || file_entry(writer->file, i - 1, &entry, NULL))
			return VMSNAP_OK;
		*out = add_latest(writer, snap, entry.offset, table->depth);
		vmsnap_unref(snap);
		return *out ? VMSNAP_OK : fail_no_memory(err);
	}
	return VMSNAP_OK;
}

/* *out is NULL if there is none. */
static int find_latest(struct contents_writer *writer, const struct vmsnap *snap, struct latest **out,
                       struct vmsnap_error *err)
{
	*out = NULL;
	for (size_t i = 0; i < writer->latest_count; i++)
		if (same_process(vmsnap_info(writer->latest[i].snap), vmsnap_info(snap)))
			*out = &writer->latest[i];
	return *out ? VMSNAP_OK : find_in_file(writer, vmsnap_info(snap), out, err);
}

/* ---- one snapshot: HASH ---------------------------------------------------------------------- */

struct deflate_block {
	struct payload payload;
	struct bytes stored;
	bool deflated;
};

struct hash_draft {
	struct contents_writer *writer;
	const struct vmsnap *snap, *base; /* base NULL: none that helps */
	const struct section_put *put;
	struct vmsnap_error *err;
	uint64_t offset, page_size;
	bool inherits, bytes;
	/* Runs as columns, and what the next one begins with. */
	struct bytes gaps, lengths, run_origins, firsts, base_origins, base_pages;
	uint64_t *origins; /* offsets */
	size_t origin_count, runs;
	uint64_t *next; /* of each origin, where its last run ended */
	uint64_t end;   /* of the last run, in pages */
	struct contents_run open;
	struct own_pages own;
	/* Of a page in the store that is there more than once: which of its own it is, from 1 on; 0: none. */
	uint32_t *own_by_number;
	struct pipeline *pipeline;
	struct deflate_block *block; /* being filled */
};

/* Numbers wait as 8 bytes each, as columns are written at once. */
static void hold(struct bytes *column, uint64_t value)
{
	put_bytes(column, &value, sizeof(value));
}

static void put_held(struct bytes *out, struct bytes *column)
{
	/* Their memory comes from realloc(), and is aligned for anything. */
	put_numbers(out, (uint64_t *)(void *)column->data, column->len / sizeof(uint64_t));
	out->failed |= column->failed;
}

/* The number of an origin by where its SNAP is; 0: no memory. */
static uint64_t origin_of(struct hash_draft *draft, uint64_t snapshot)
{
	if (snapshot == draft->offset)
		return ORIGIN_OWN;
	/* The last one is mostly meant. */
	for (size_t i = draft->origin_count; i-- > 0;)
		if (draft->origins[i] == snapshot)
			return ORIGIN_OTHERS + i;
	size_t count = draft->origin_count + 1;
	uint64_t *origins = realloc(draft->origins, count * sizeof(*origins));
	if (!origins)
		return 0;
	draft->origins = origins;
	uint64_t *next = realloc(draft->next, (ORIGIN_OTHERS + count) * sizeof(*next));
	if (!next)
		return 0;
	draft->next = next;
	origins[count - 1] = snapshot;
	next[ORIGIN_OTHERS + count - 1] = 0;
	draft->origin_count = count;
	return ORIGIN_OTHERS + count - 1;
}

static void close_run(struct hash_draft *draft)
{
	struct contents_run *run = &draft->open;
	if (!run->pages)
		return;
	uint64_t at = run->start / draft->page_size;
	hold(&draft->gaps, at - draft->end);
	hold(&draft->lengths, run->pages - 1);
	hold(&draft->run_origins, run->origin);
	hold(&draft->firsts, zigzag(run->first - draft->next[run->origin]));
	draft->next[run->origin] = run->first + run->pages;
	draft->end = at + run->pages;
	draft->runs++;
	run->pages = 0;
}

static void add_to_run(struct hash_draft *draft, uint64_t address, uint64_t origin, uint64_t page)
{
	struct contents_run *run = &draft->open;
	bool goes_on = run->pages && run->origin == origin && run->start + run->pages * draft->page_size == address &&
	               (origin == ORIGIN_NONE || run->first + run->pages == page);
	if (!goes_on) {
		close_run(draft);
		*run = (struct contents_run){ .start = address, .first = origin ? page : 0, .origin = origin };
		if (!origin)
			run->first = draft->next[ORIGIN_NONE];
	}
	run->pages++;
}

/* ---- CONT -------------------------------------------------------------------------------------- */

static void *new_worker(void)
{
	return block_deflater_new();
}

static void free_worker(void *worker)
{
	block_deflater_free(worker);
}

static void deflate_one(void *worker, void *context)
{
	struct deflate_block *block = context;
	block->deflated = block_deflate(worker, block->payload.bytes.data, block->payload.bytes.len, &block->stored);
}

static void free_block(void *context)
{
	struct deflate_block *block = context;
	payload_free(&block->payload);
	bytes_free(&block->stored);
}

static const struct pipeline_ops block_ops = { .job_size = sizeof(struct deflate_block),
	                                       .worker_new = new_worker,
	                                       .worker_free = free_worker,
	                                       .work = deflate_one,
	                                       .job_free = free_block };

static int put_finished(struct hash_draft *draft)
{
	struct deflate_block *block = pipeline_finish(draft->pipeline);
	if (!block)
		return VMSNAP_END;
	return draft->put->put(draft->put->ctx, SECTION_CONT, &block->payload, block->deflated ? &block->stored : NULL);
}

static void start_block(struct hash_draft *draft)
{
	if (draft->block)
		pipeline_start(draft->pipeline);
	draft->block = NULL;
}

static int put_page_bytes(struct hash_draft *draft, const uint8_t *page)
{
	int rc = VMSNAP_OK;
	if (draft->block && draft->block->payload.bytes.len + draft->page_size > CONTENTS_BLOCK)
		start_block(draft);
	if (!draft->pipeline)
		draft->pipeline = pipeline_new(&block_ops, pipeline_threads());
	if (!draft->pipeline)
		return fail_no_memory(draft->err);
	while (!rc && !draft->block) {
		draft->block = pipeline_next(draft->pipeline);
		if (draft->block)
			payload_clear(&draft->block->payload);
		else
			rc = put_finished(draft);
	}
	if (rc)
		return rc;
	put_bytes(&draft->block->payload.bytes, page, (size_t)draft->page_size);
	return draft->block->payload.bytes.failed ? fail_no_memory(draft->err) : VMSNAP_OK;
}

static int finish_blocks(struct hash_draft *draft)
{
	int rc = VMSNAP_OK;
	start_block(draft);
	while (!rc && draft->pipeline)
		rc = put_finished(draft);
	return rc == VMSNAP_END ? VMSNAP_OK : rc;
}

static int read_whole(const struct vmsnap *snap, uint64_t address, uint8_t *to, size_t len, struct vmsnap_error *err)
{
	size_t got;
	int rc = vmsnap_contents_read(snap, address, to, len, &got, err);
	return rc || got == len ? rc : fail(err, VMSNAP_ERR_ARGUMENT, "a page that is not known whole");
}

/* Bytes that differ; afterwards the page is the difference. */
static size_t make_difference(uint8_t *page, const uint8_t *base, size_t len)
{
	size_t count = 0;
	for (size_t i = 0; i < len; i++) {
		page[i] ^= base[i];
		count += page[i] != 0;
	}
	return count;
}

/* ---- which pages --------------------------------------------------------------------------------- */

/* The version of the page that the base has, if a difference to it pays: what deflate makes of a page is
 * a fourth of it, of a byte that differs less than two. */
static int try_difference(struct hash_draft *draft, uint64_t address, const struct page_place **base)
{
	enum { BYTES_COST = 6 };
	uint8_t hash[VMSNAP_CONTENTS_HASH_SIZE];
	struct contents_writer *writer = draft->writer;
	size_t len = (size_t)draft->page_size;
	*base = NULL;
	if (!draft->base || vmsnap_contents_hash(draft->base, address, hash))
		return VMSNAP_OK;
	struct page_hash key = page_hash_read(hash);
	const struct page_place *place = page_places_find(&writer->places, &key, draft->page_size);
	if (!place || !place->bytes || place->links >= CONTENTS_LINKS_MAX ||
	    read_whole(draft->base, address, writer->other, len, NULL))
		return VMSNAP_OK;
	if (make_difference(writer->page, writer->other, len) * BYTES_COST < len) {
		*base = place;
		return VMSNAP_OK;
	}
	make_difference(writer->page, writer->other, len); /* and back */
	return VMSNAP_OK;
}

static void put_links(struct own_pages *own, uint8_t links)
{
	static const uint8_t none;
	while (links && own->links.len < own->count && !own->links.failed)
		put_bytes(&own->links, &none, 1);
	if (links)
		put_bytes(&own->links, &links, 1);
}

/* at: of the numbers in the contents. */
static int add_new_page(struct hash_draft *draft, uint64_t address, size_t at, bool repeated)
{
	struct contents_writer *writer = draft->writer;
	struct own_pages *own = &draft->own;
	uint8_t links = 0;
	const struct page_place *base = NULL;
	int rc = draft->bytes ? read_whole(draft->snap, address, writer->page, (size_t)draft->page_size, draft->err)
	                      : VMSNAP_OK;
	if (!rc && draft->bytes)
		rc = try_difference(draft, address, &base);
	uint64_t origin = !rc && base ? origin_of(draft, base->snapshot) : ORIGIN_OWN;
	if (rc || !origin)
		return rc ? rc : fail_no_memory(draft->err);
	if (base) {
		hold(&draft->base_origins, origin);
		hold(&draft->base_pages, base->page);
		links = (uint8_t)(base->links + 1);
	}
	put_links(own, links);
	rc = draft->bytes ? put_page_bytes(draft, writer->page) : VMSNAP_OK;
	if (rc)
		return rc;
	add_to_run(draft, address, ORIGIN_OWN, own->count);
	own->bits[at / 8] |= (uint8_t)(1u << at % 8);
	own->count++;
	if (repeated)
		draft->own_by_number[draft->snap->contents.pages[at]] = (uint32_t)own->count;
	return VMSNAP_OK;
}

static bool is_inherited(const struct hash_draft *draft, uint64_t address, uint32_t number)
{
	const struct contents *contents = &draft->snap->contents,
	                      *base = draft->inherits ? &draft->base->contents : NULL;
	uint32_t before = base ? contents_page(base, draft->page_size, address) : STORE_NO_PAGE;
	if (!before || base->store == contents->store)
		return before && before == number;
	struct page_hash hash = store_hash(contents->store, number), other = store_hash(base->store, before);
	return hash.low == other.low && hash.high == other.high;
}

static int add_page(struct hash_draft *draft, uint64_t address, size_t at)
{
	const struct page_place *place = NULL;
	uint32_t number = draft->snap->contents.pages[at];
	if (is_inherited(draft, address, number))
		return VMSNAP_OK;
	/* What nobody else holds is nowhere else in this one either. */
	bool repeated = store_holders(draft->snap->contents.store, number) > 1;
	if (repeated && draft->own_by_number[number]) {
		add_to_run(draft, address, ORIGIN_OWN, draft->own_by_number[number] - 1);
		return VMSNAP_OK;
	}
	if (draft->writer->places.count) {
		struct page_hash hash = store_hash(draft->snap->contents.store, number);
		place = page_places_find(&draft->writer->places, &hash, draft->page_size);
	}
	if (!place || (draft->bytes && !place->bytes))
		return add_new_page(draft, address, at, repeated);
	uint64_t origin = origin_of(draft, place->snapshot);
	if (!origin)
		return fail_no_memory(draft->err);
	add_to_run(draft, address, origin, place->page);
	return VMSNAP_OK;
}

/* What the base knows of, from one address to another, and this one does not. */
static void take_away(struct hash_draft *draft, uint64_t from, uint64_t to)
{
	uint64_t start, end;
	while (draft->inherits && from < to && !vmsnap_contents_range(draft->base, from, &start, &end) && start < to) {
		end = end - 1 < to - 1 ? end : to;
		for (uint64_t at = start; at != end; at += draft->page_size)
			add_to_run(draft, at, ORIGIN_NONE, 0);
		if (!end)
			break;
		from = end;
	}
}

/* As many as its contents have at the most; most of it is never touched, but for what is there more than once. */
static int make_room(struct hash_draft *draft)
{
	const struct contents *contents = &draft->snap->contents;
	uint32_t highest = 0;
	for (size_t i = 0; i < contents->page_count; i++)
		highest = contents->pages[i] > highest ? contents->pages[i] : highest;
	draft->own_by_number = calloc((size_t)highest + 1, sizeof(*draft->own_by_number));
	draft->own.bits = calloc(contents->page_count / 8 + 1, 1);
	return draft->own_by_number && draft->own.bits ? VMSNAP_OK : fail_no_memory(draft->err);
}

static int add_pages(struct hash_draft *draft)
{
	const struct contents *contents = &draft->snap->contents;
	uint64_t from = 0;
	int rc = make_room(draft);
	for (size_t i = 0; !rc && i < contents->range_count; i++) {
		const struct contents_range *range = &contents->ranges[i];
		take_away(draft, from, range->start);
		for (uint64_t page = 0; !rc && page < range->pages; page++)
			rc = add_page(draft, range->start + page * draft->page_size, range->first + page);
		from = range->start + range->pages * draft->page_size;
		if (!from)
			return rc;
	}
	take_away(draft, from, UINT64_MAX & ~(draft->page_size - 1));
	return rc;
}

/* Hashes do not become smaller, and there may be more of them than of all else: they are written as they come. */
struct hash_parts {
	const struct hash_draft *draft;
	struct own_walk walk;
};

static void next_hashes(void *ctx, size_t at, uint8_t *to, size_t len)
{
	struct hash_parts *parts = ctx;
	if (!at)
		parts->walk = (struct own_walk){ .contents = &parts->draft->snap->contents, .own = &parts->draft->own };
	for (size_t done = 0; done < len; done += VMSNAP_CONTENTS_HASH_SIZE) {
		struct page_hash hash = store_hash(parts->draft->snap->contents.store, own_next(&parts->walk));
		page_hash_canonical(&hash, to + done);
	}
}

/* As a column, where there are no others of them. */
static void put_hashes(const struct hash_draft *draft, struct bytes *out)
{
	struct hash_parts parts = { .draft = draft };
	size_t len = draft->own.count * VMSNAP_CONTENTS_HASH_SIZE;
	uint8_t *at = bytes_reserve(out, len);
	if (at)
		next_hashes(&parts, 0, at, len);
	out->len += at ? len : 0;
}

static void put_behind(struct hash_draft *draft, const struct latest *latest, struct bytes *out)
{
	static const uint8_t none;
	struct bytes distances = { 0 }, *links = &draft->own.links;
	put_varint(out, draft->inherits ? latest->depth + 1 : 0);
	if (draft->inherits)
		put_varint(out, draft->offset - latest->offset);
	put_varint(out, draft->origin_count);
	for (size_t i = 0; i < draft->origin_count; i++)
		hold(&distances, draft->offset - draft->origins[i]);
	put_held(out, &distances);
	put_varint(out, draft->runs);
	put_held(out, &draft->gaps);
	put_held(out, &draft->lengths);
	put_held(out, &draft->run_origins);
	put_held(out, &draft->firsts);
	size_t links_len = draft->bytes ? draft->own.count : 0;
	put_varint(out, links_len);
	put_bytes(out, links->data, links->len);
	for (size_t i = links->len; i < links_len; i++)
		put_bytes(out, &none, 1);
	put_held(out, &draft->base_origins);
	put_held(out, &draft->base_pages);
	out->failed |= links->failed;
	bytes_free(&distances);
}

/* Where there is little but hashes it is not tried to make it smaller. */
static int put_hash_payload(struct hash_draft *draft, struct payload *before, const struct bytes *behind)
{
	enum { LITTLE = 16 };
	size_t hashes = draft->own.count * VMSNAP_CONTENTS_HASH_SIZE, len = before->bytes.len + hashes + behind->len;
	if (hashes > len - len / LITTLE) {
		struct hash_parts ctx = { .draft = draft };
		struct section_parts parts = { .before = &before->bytes,
			                       .behind = behind,
			                       .between = hashes,
			                       .next = next_hashes,
			                       .granule = VMSNAP_CONTENTS_HASH_SIZE,
			                       .ctx = &ctx };
		return draft->put->put_parts(draft->put->ctx, SECTION_HASH, &parts);
	}
	put_hashes(draft, &before->bytes);
	payload_cut(before);
	put_bytes(&before->bytes, behind->data, behind->len);
	return before->bytes.failed ? fail_no_memory(draft->err)
	                            : draft->put->put_small(draft->put->ctx, SECTION_HASH, before);
}

static int put_hash(struct hash_draft *draft, const struct latest *latest)
{
	struct payload before = { 0 };
	struct bytes behind = { 0 };
	close_run(draft);
	put_varint(&before.bytes, CONTENTS_XXH3);
	put_varint(&before.bytes, draft->bytes ? VMSNAP_CONTENTS_BYTES : VMSNAP_CONTENTS_HASHES);
	put_varint(&before.bytes, draft->own.count * VMSNAP_CONTENTS_HASH_SIZE);
	put_behind(draft, latest, &behind);
	int rc = before.bytes.failed || behind.failed ? fail_no_memory(draft->err)
	                                              : put_hash_payload(draft, &before, &behind);
	payload_free(&before);
	bytes_free(&behind);
	return rc;
}

static void draft_free(struct hash_draft *draft)
{
	struct bytes *columns[] = { &draft->gaps,   &draft->lengths,      &draft->run_origins,
		                    &draft->firsts, &draft->base_origins, &draft->base_pages };
	for (size_t i = 0; i < sizeof(columns) / sizeof(*columns); i++)
		bytes_free(columns[i]);
	pipeline_free(draft->pipeline);
	own_free(&draft->own);
	free(draft->own_by_number);
	free(draft->origins);
	free(draft->next);
}

/* The next one of this process begins with this one. */
static int remember(struct contents_writer *writer, struct latest *latest, struct hash_draft *draft,
                    struct vmsnap_error *err)
{
	unsigned depth = draft->inherits ? latest->depth + 1 : 0;
	writer->last = vmsnap_ref(draft->snap);
	writer->last_offset = draft->offset;
	writer->last_own = draft->own;
	draft->own = (struct own_pages){ 0 };
	if (!latest)
		return add_latest(writer, draft->snap, draft->offset, depth) ? VMSNAP_OK : fail_no_memory(err);
	const struct vmsnap *before = latest->snap;
	*latest = (struct latest){ vmsnap_ref(draft->snap), draft->offset, depth };
	vmsnap_unref(before);
	return VMSNAP_OK;
}

int contents_writer_put(struct contents_writer *writer, const struct vmsnap *snap, uint64_t offset,
                        const struct section_put *put, struct vmsnap_error *err)
{
	struct latest *latest;
	int kind = vmsnap_contents_kind(snap), rc = find_latest(writer, snap, &latest, err);
	if (!rc && place_last(writer))
		rc = fail_no_memory(err);
	if (rc)
		return rc;
	struct hash_draft draft = { .writer = writer,
		                    .snap = snap,
		                    .base = latest ? latest->snap : NULL,
		                    .put = put,
		                    .err = err,
		                    .offset = offset,
		                    .page_size = vmsnap_info(snap)->page_size,
		                    .bytes = kind == VMSNAP_CONTENTS_BYTES };
	draft.inherits = latest && latest->depth < CONTENTS_DEPTH_MAX && vmsnap_contents_kind(latest->snap) == kind;
	draft.next = calloc(ORIGIN_OTHERS, sizeof(*draft.next));
	rc = draft.next ? add_pages(&draft) : fail_no_memory(err);
	rc = rc ? rc : finish_blocks(&draft);
	pipeline_free(draft.pipeline);
	free(draft.own_by_number);
	draft.pipeline = NULL;
	draft.own_by_number = NULL;
	rc = rc ? rc : put_hash(&draft, latest);
	rc = rc ? rc : remember(writer, latest, &draft, err);
	draft_free(&draft);
	return rc;
}
