#define _GNU_SOURCE
#include "file_contents.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "file_deflate.h"
#include "file_error.h"
#include "file_unpack.h"

/* Blocks that were inflated last: neighbouring pages are asked for one after the other, each of which may
 * need one more for each link. */
enum { BLOCKS_KEPT = 2 * (CONTENTS_LINKS_MAX + 1) };
struct kept_block {
	size_t snapshot, block;
	uint64_t used; /* 0: empty; else when */
	struct bytes bytes;
};

struct file_contents {
	atomic_uint holders;
	pthread_mutex_t lock;
	struct file_source source; /* its own descriptor; of what is in memory, the file's, as long as that is open */
	bool lazy;                 /* bytes are read when somebody asks */
	struct vmsnap_file_entry *entries;
	size_t count;
	struct contents_table *tables;  /* of each snapshot, when it was needed */
	uint8_t *read;                  /* whether that was */
	uint64_t memory, tables_memory; /* how much tables may take, and do */
	struct vmsnap_store *store;     /* the file's until it is closed; NULL: not yet */
	unsigned source_number;
	struct inflater *inflater;
	struct kept_block kept[BLOCKS_KEPT];
	uint64_t clock;
	uint8_t whole[CONTENTS_BLOCK], other[CONTENTS_BLOCK]; /* pages in the making; empty at first */
};

/* ---- one for each file ------------------------------------------------------------- */

static void contents_free_all(struct file_contents *contents)
{
	for (size_t i = 0; contents->tables && i < contents->count; i++)
		contents_table_free(&contents->tables[i]);
	for (size_t i = 0; i < BLOCKS_KEPT; i++)
		bytes_free(&contents->kept[i].bytes);
	inflater_free(contents->inflater);
	file_source_close(&contents->source);
	pthread_mutex_destroy(&contents->lock);
	free(contents->entries);
	free(contents->tables);
	free(contents->read);
	free(contents);
}

static void file_contents_unref(struct file_contents *contents)
{
	if (contents && atomic_fetch_sub_explicit(&contents->holders, 1, memory_order_acq_rel) == 1)
		contents_free_all(contents);
}

struct file_contents *file_contents_new(const struct file_source *source, const struct vmsnap_file_entry *entries,
                                        size_t count, uint64_t memory)
{
	/* Most files are read without: that much zeroed memory takes as long as to read a small one. */
	struct file_contents *contents = malloc(sizeof(*contents));
	if (!contents)
		return NULL;
	memset(contents, 0, offsetof(struct file_contents, whole));
	atomic_init(&contents->holders, 1);
	pthread_mutex_init(&contents->lock, NULL);
	contents->source = *source;
	contents->source.owned = NULL;
	contents->source.owns_fd = false;
	contents->source.name = strdup(source->name);
	contents->lazy = !source->bytes;
	contents->count = count;
	contents->memory = memory;
	contents->entries = malloc((count + 1) * sizeof(*contents->entries));
	contents->tables = calloc(count + 1, sizeof(*contents->tables));
	contents->read = calloc(count + 1, 1);
	if (!contents->source.name || !contents->entries || !contents->tables || !contents->read) {
		file_contents_unref(contents);
		return NULL;
	}
	if (count)
		memcpy(contents->entries, entries, count * sizeof(*entries));
	return contents;
}

/* Tables stay until the file and all of its snapshots are gone, so that all of them together count.
 * work: who may cancel; NULL: nobody. */
static struct work table_work(const struct file_contents *contents, const struct work *work)
{
	return (struct work){ .limit = contents->memory,
		              .used = contents->tables_memory,
		              .cancelled = work ? work->cancelled : NULL,
		              .cancel_ctx = work ? work->cancel_ctx : NULL };
}

static int read_table(struct file_contents *contents, size_t index, const struct work *work, struct vmsnap_error *err)
{
	if (contents->read[index])
		return VMSNAP_OK;
	struct work own = table_work(contents, work);
	int rc = contents_table_read(&contents->source, contents->entries, contents->count, index, &own,
	                             &contents->tables[index], err);
	if (rc) {
		contents_table_free(&contents->tables[index]);
		return rc;
	}
	contents->read[index] = 1;
	contents->tables_memory = own.used;
	return VMSNAP_OK;
}

void file_contents_close(struct file_contents *contents)
{
	if (!contents)
		return;
	/* Snapshots that live on hold the store, and that holds this. */
	struct vmsnap_store *store = contents->store;
	contents->store = NULL;
	vmsnap_store_unref(store);
	file_contents_unref(contents);
}

int file_contents_table(struct file_contents *contents, size_t index, struct work *work,
                        const struct contents_table **out, struct vmsnap_error *err)
{
	pthread_mutex_lock(&contents->lock);
	int rc = read_table(contents, index, work, err);
	pthread_mutex_unlock(&contents->lock);
	*out = &contents->tables[index];
	return rc;
}

/* ---- bytes --------------------------------------------------------------------------- */

static int bad(const struct file_contents *contents, uint64_t offset, const char *what, struct vmsnap_error *err)
{
	return file_bad(contents->source.name, err, VMSNAP_ERR_CORRUPT, offset, "CONT: %s", what);
}

static int read_block(struct file_contents *contents, uint64_t offset, struct bytes *out, struct vmsnap_error *err)
{
	uint8_t header[SECTION_HEADER_BYTES];
	struct placed placed = { .offset = offset };
	int rc = file_source_read(&contents->source, offset, header, sizeof(header), err);
	if (rc)
		return rc;
	if (!section_read(header, &placed.section) || placed.section.type != SECTION_CONT ||
	    placed.section.raw > CONTENTS_BLOCK || placed.section.stored > CONTENTS_BLOCK)
		return bad(contents, offset, "a block that cannot be", err);
	struct unpacked unpacked = { .source = &contents->source, .placed = &placed };
	struct work alone = { .limit = WORK_UNLIMITED };
	rc = unpack(&unpacked, contents->inflater, &alone);
	if (rc && err)
		*err = unpacked.err;
	out->len = 0;
	if (!rc)
		put_bytes(out, unpacked.payload.at, (size_t)(unpacked.payload.end - unpacked.payload.at));
	unpacked_free(&unpacked);
	return !rc && out->failed ? fail_no_memory(err) : rc;
}

static int block_at(struct file_contents *contents, size_t snapshot, size_t block, const struct bytes **out,
                    struct vmsnap_error *err)
{
	struct kept_block *oldest = &contents->kept[0];
	for (size_t i = 0; i < BLOCKS_KEPT; i++) {
		struct kept_block *kept = &contents->kept[i];
		if (kept->used && kept->snapshot == snapshot && kept->block == block) {
			kept->used = ++contents->clock;
			*out = &kept->bytes;
			return VMSNAP_OK;
		}
		oldest = kept->used < oldest->used ? kept : oldest;
	}
	oldest->used = 0;
	int rc = read_block(contents, contents->tables[snapshot].blocks[block], &oldest->bytes, err);
	if (rc)
		return rc;
	*oldest = (struct kept_block){ snapshot, block, ++contents->clock, oldest->bytes };
	*out = &oldest->bytes;
	return VMSNAP_OK;
}

/* As it is in its block: whole, or a difference. */
static int read_stored(struct file_contents *contents, size_t snapshot, uint64_t page, uint8_t *to,
                       struct vmsnap_error *err)
{
	const struct contents_table *table = &contents->tables[snapshot];
	size_t page_size = (size_t)table->page_size, each = CONTENTS_BLOCK / page_size;
	const struct bytes *bytes;
	size_t block = (size_t)(page / each), at = (size_t)(page % each) * page_size;
	int rc = block_at(contents, snapshot, block, &bytes, err);
	if (rc)
		return rc;
	if (bytes->len < at + page_size || bytes->len % page_size || bytes->len > each * page_size)
		return bad(contents, table->blocks[block], "a page that it lacks", err);
	memcpy(to, bytes->data + at, page_size);
	return VMSNAP_OK;
}

/* Which snapshot, of the file, an origin is. */
static size_t origin_index(const struct contents_table *table, size_t own, uint64_t origin)
{
	return origin == ORIGIN_OWN ? own : table->origins[origin - ORIGIN_OTHERS];
}

static void differ(uint8_t *page, const uint8_t *by, size_t len)
{
	for (size_t i = 0; i < len; i++)
		page[i] ^= by[i];
}

/* The page that it is, after at most eight links: all of them are differences to each other. */
static int read_page(struct file_contents *contents, size_t snapshot, uint64_t page, uint8_t *to,
                     struct vmsnap_error *err)
{
	const struct contents_table *table = &contents->tables[snapshot];
	size_t len = (size_t)table->page_size;
	int rc = read_stored(contents, snapshot, page, to, err);
	unsigned links = table->links ? table->links[page] : 0;
	while (!rc && links) {
		const struct contents_base base = table->bases[page];
		snapshot = origin_index(table, snapshot, base.origin);
		rc = read_table(contents, snapshot, NULL, err);
		if (rc)
			return rc;
		table = &contents->tables[snapshot];
		page = base.page;
		if (!table->there || table->kind != VMSNAP_CONTENTS_BYTES || table->page_size != len ||
		    page >= table->own || (table->links ? table->links[page] : 0) != links - 1)
			return bad(contents, contents->entries[snapshot].offset, "a difference to another page", err);
		rc = read_stored(contents, snapshot, page, contents->other, err);
		if (!rc)
			differ(to, contents->other, len);
		links--;
	}
	return rc;
}

static bool is_checked(const struct contents_table *table, uint64_t page)
{
	return table->checked && table->checked[page];
}

/* Leaves the page where pages are in the making. */
static int read_and_check(struct file_contents *contents, size_t origin, uint64_t page, struct vmsnap_error *err)
{
	const struct contents_table *table = &contents->tables[origin];
	struct page_hash told = table->hashes[page];
	int rc = read_page(contents, origin, page, contents->whole, err);
	if (rc)
		return rc;
	struct page_hash made = page_hash_of(contents->whole, (size_t)table->page_size);
	if (made.low != told.low || made.high != told.high)
		return bad(contents, contents->entries[origin].offset, "a page that is not what its hash says", err);
	if (table->checked)
		table->checked[page] = 1;
	return VMSNAP_OK;
}

/* A place: the snapshot that the page came with, and which of its own it is. */
static uint64_t place_of(size_t snapshot, uint64_t page)
{
	return (uint64_t)snapshot << 32 | page;
}

static int read_place(void *ctx, uint64_t place, void *to, size_t len, struct vmsnap_error *err)
{
	struct file_contents *contents = ctx;
	size_t snapshot = (size_t)(place >> 32);
	uint64_t page = place & UINT32_MAX;
	pthread_mutex_lock(&contents->lock);
	int rc = read_and_check(contents, snapshot, page, err);
	if (!rc && len > contents->tables[snapshot].page_size)
		rc = bad(contents, contents->entries[snapshot].offset, "a page that is too small", err);
	if (!rc)
		memcpy(to, contents->whole, len);
	pthread_mutex_unlock(&contents->lock);
	return rc;
}

static void free_source(void *ctx)
{
	file_contents_unref(ctx);
}

/* ---- which pages a snapshot has --------------------------------------------------------- */

/* Runs with the snapshot of the file that their pages came with. */
struct flat_run {
	uint64_t start, end; /* end: of its last page, inclusive: all of it may be the highest */
	size_t snapshot;     /* SIZE_MAX: not known */
	uint64_t first;
};
struct flat {
	struct flat_run *items;
	size_t count, room;
};

static int flat_add(struct flat *flat, struct flat_run run, struct work *work)
{
	int rc = VMSNAP_OK;
	if (!WORK_ROOM(work, flat->items, flat->count, &flat->room, &rc))
		return rc;
	flat->items[flat->count++] = run;
	return work_step(work);
}

/* What of a run lies from `from` on, up to and with `to`. */
static struct flat_run part_of(const struct flat_run *run, uint64_t from, uint64_t to, uint64_t page_size)
{
	struct flat_run part = *run;
	if (from > run->start) {
		part.first += (from - run->start) / page_size;
		part.start = from;
	}
	if (to < run->end)
		part.end = to;
	return part;
}

/* The runs of a snapshot over those of its base. */
static int lay_over(const struct flat *below, const struct contents_table *table, size_t own, struct flat *out,
                    struct work *work)
{
	size_t next = 0;
	uint64_t from = 0;
	int rc = VMSNAP_OK;
	for (size_t i = 0; !rc && i <= table->run_count; i++) {
		const struct contents_run *run = i < table->run_count ? &table->runs[i] : NULL;
		uint64_t limit = run ? run->start : UINT64_MAX;
		/* All of those below that begin before it; of the last one the part that does. */
		while (!rc && next < below->count && below->items[next].start < limit) {
			const struct flat_run *low = &below->items[next];
			uint64_t to = low->end < limit ? low->end : limit - 1;
			if (low->end >= from && to >= from)
				rc = flat_add(out, part_of(low, from, to, table->page_size), work);
			if (low->end >= limit)
				break;
			next++;
		}
		if (rc || !run)
			break;
		uint64_t end = run->start + (run->pages * table->page_size - 1);
		if (run->origin != ORIGIN_NONE)
			rc = flat_add(
			        out,
			        (struct flat_run){ run->start, end, origin_index(table, own, run->origin), run->first },
			        work);
		from = end + 1;
		while (next < below->count && below->items[next].end <= end)
			next++;
	}
	return rc;
}

static void flat_free(struct flat *flat, struct work *work)
{
	work_free(work, flat->items, flat->room, sizeof(*flat->items));
	*flat = (struct flat){ 0 };
}

/* From the deepest base to the snapshot itself. */
static int flatten(struct file_contents *contents, size_t index, struct flat *out, struct work *work,
                   struct vmsnap_error *err)
{
	size_t chain[CONTENTS_DEPTH_MAX + 1] = { index };
	unsigned depth = contents->tables[index].depth;
	for (unsigned i = 0; i < depth; i++) {
		const struct contents_table *table = &contents->tables[chain[i]];
		chain[i + 1] = table->base;
		int rc = read_table(contents, table->base, work, err);
		if (rc)
			return rc;
		const struct contents_table *base = &contents->tables[table->base];
		if (!base->there || base->depth + 1 != table->depth || base->page_size != table->page_size)
			return bad(contents, contents->entries[chain[i]].offset, "a base that is none", err);
	}
	int rc = VMSNAP_OK;
	for (unsigned i = depth + 1; !rc && i-- > 0;) {
		struct flat below = *out;
		*out = (struct flat){ 0 };
		rc = lay_over(&below, &contents->tables[chain[i]], chain[i], out, work);
		flat_free(&below, work);
	}
	return rc ? work_fail(work, rc, err) : VMSNAP_OK;
}

/* What the store takes for a page, and the snapshot; and for a range of them, while its list grows. */
enum { STORE_COST = 64, RANGE_COST = 64, READ_STEPS = WORK_STEPS / 64 };

/* A few bytes can name a page a million times, and reading one may take nine blocks: each is compared once. */
static int remember_checked(struct file_contents *contents, size_t origin, struct vmsnap_error *err)
{
	struct contents_table *table = &contents->tables[origin];
	struct work own = table_work(contents, NULL);
	int rc = VMSNAP_OK;
	if (table->checked)
		return VMSNAP_OK;
	table->checked = work_array(&own, table->own + 1, 1, &rc);
	contents->tables_memory = own.used;
	return rc ? work_fail(&own, rc, err) : VMSNAP_OK;
}

static int put_page(struct file_contents *contents, size_t origin, uint64_t page, bool bytes, bool check,
                    uint32_t *number, struct vmsnap_error *err)
{
	const struct contents_table *table = &contents->tables[origin];
	const struct page_hash *hash = &table->hashes[page];
	size_t len = (size_t)table->page_size;
	if (!bytes)
		return store_put(contents->store, hash, NULL, len, number);
	int rc = VMSNAP_OK;
	if (!contents->lazy || (check && !is_checked(table, page)))
		rc = read_and_check(contents, origin, page, err);
	if (rc)
		return rc;
	return contents->lazy ? store_put_place(contents->store, hash, len, contents->source_number,
	                                        place_of(origin, page), number)
	                      : store_put(contents->store, hash, contents->whole, len, number);
}

struct filling {
	struct file_contents *contents;
	struct contents *out;
	bool bytes, check;
	uint64_t page_size;
	struct work *work;
	struct vmsnap_error *err;
};

static int fill_run(struct filling *filling, const struct flat_run *run)
{
	struct file_contents *contents = filling->contents;
	const struct contents_table *table = &contents->tables[run->snapshot];
	uint64_t pages = (run->end - run->start) / filling->page_size + 1;
	int rc = read_table(contents, run->snapshot, filling->work, filling->err);
	if (rc)
		return rc;
	if (!table->there || table->page_size != filling->page_size || run->first >= table->own ||
	    pages > table->own - run->first || (filling->bytes && table->kind != VMSNAP_CONTENTS_BYTES))
		return bad(contents, contents->entries[run->snapshot].offset, "pages that it does not have",
		           filling->err);
	if (filling->bytes && filling->check)
		rc = remember_checked(contents, run->snapshot, filling->err);
	if (!rc && (rc = work_charge(filling->work, RANGE_COST)))
		work_fail(filling->work, rc, filling->err);
	if (rc)
		return rc;
	uint64_t each = STORE_COST + (contents->lazy || !filling->bytes ? 0 : filling->page_size);
	for (uint64_t i = 0; i < pages; i++) {
		uint32_t number;
		rc = work_charge(filling->work, each);
		if (filling->bytes && (filling->check || !contents->lazy))
			work_count(filling->work, READ_STEPS);
		rc = rc ? rc : work_step(filling->work);
		if (rc)
			return work_fail(filling->work, rc, filling->err);
		rc = put_page(contents, run->snapshot, run->first + i, filling->bytes, filling->check, &number,
		              filling->err);
		if (rc == VMSNAP_ERR_NO_MEMORY)
			return fail_no_memory(filling->err);
		if (!rc && contents_add(filling->out, filling->page_size, run->start + i * filling->page_size, number))
			return fail_no_memory(filling->err);
		if (rc)
			return rc;
	}
	return VMSNAP_OK;
}

/* Snapshots are read when the file is closed already. */
static int keep_open(struct file_contents *contents, struct vmsnap_error *err)
{
	struct inflater *inflater = inflater_new();
	if (!inflater)
		return fail_no_memory(err);
	int fd = contents->lazy ? fcntl(contents->source.fd, F_DUPFD_CLOEXEC, 3) : -1;
	if (contents->lazy && fd < 0) {
		int code = errno;
		inflater_free(inflater);
		return fail_sys(err, code, "cannot keep %.200s open", contents->source.name);
	}
	contents->inflater = inflater; /* the mark of all that: the next one who loads tries again */
	contents->source.fd = fd;
	contents->source.owns_fd = contents->lazy;
	return VMSNAP_OK;
}

/* The store has this as a source, and so holds it; this only knows where it is. */
static int make_store(struct file_contents *contents, struct vmsnap_error *err)
{
	struct page_source source = { .read = read_place, .free = free_source, .ctx = contents };
	int rc = contents->inflater ? VMSNAP_OK : keep_open(contents, err);
	rc = rc ? rc : vmsnap_store_new(&contents->store, err);
	if (rc)
		return rc;
	atomic_fetch_add_explicit(&contents->holders, 1, memory_order_relaxed);
	rc = store_add_source(contents->store, &source, &contents->source_number);
	if (rc) {
		file_contents_unref(contents);
		vmsnap_store_unref(contents->store);
		contents->store = NULL;
		return fail_no_memory(err);
	}
	return VMSNAP_OK;
}

static int load(struct file_contents *contents, size_t index, struct vmsnap *snap, bool check, struct work *work,
                struct vmsnap_error *err)
{
	int rc = read_table(contents, index, work, err);
	const struct contents_table *table = &contents->tables[index];
	if (rc || !table->there)
		return rc;
	struct flat flat = { 0 };
	rc = contents->store ? VMSNAP_OK : make_store(contents, err);
	rc = rc ? rc : flatten(contents, index, &flat, work, err);
	struct filling filling = { .contents = contents,
		                   .out = &snap->contents,
		                   .page_size = table->page_size,
		                   .bytes = table->kind == VMSNAP_CONTENTS_BYTES,
		                   .check = check,
		                   .work = work,
		                   .err = err };
	if (!rc) {
		snap->contents.store = vmsnap_store_ref(contents->store);
		snap->contents.bytes = filling.bytes;
	}
	for (size_t i = 0; !rc && i < flat.count; i++)
		rc = fill_run(&filling, &flat.items[i]);
	flat_free(&flat, work);
	contents_trim(&snap->contents);
	return rc;
}

int file_contents_load(struct file_contents *contents, size_t index, struct vmsnap *snap, bool check, struct work *work,
                       struct vmsnap_error *err)
{
	pthread_mutex_lock(&contents->lock);
	int rc = load(contents, index, snap, check, work, err);
	pthread_mutex_unlock(&contents->lock);
	return rc;
}
