#include "file_load.h"

#include <inttypes.h>
#include <string.h>

#include "error.h"
#include "file_decode.h"
#include "file_deflate.h"
#include "file_delta.h"
#include "file_delta_pages.h"
#include "file_error.h"
#include "file_pages_base.h"
#include "file_pipeline.h"
#include "file_unpack.h"
#include "inflater.h"
#include "section.h"

struct loader {
	const struct file_source *source;
	const struct vmsnap_file_entry *entry;
	struct decode decode;
	struct placed *placed; /* the sections that are known */
	size_t count, capacity;
	uint32_t seen;
	bool check_skipped, has_contents, is_delta;
	unsigned threads;
	const uint64_t *around; /* NULL: all pages */
};

/* ---- which sections there are ---- */

struct kind {
	uint32_t type;
	bool once;
	int (*decode)(struct decode *, struct cursor);
};

/* In the order in which they are decoded. */
static const struct kind kinds[] = {
	{ SECTION_SNAP, true, decode_snap },          { SECTION_STAT, true, decode_stat },
	{ SECTION_VMAS, true, decode_vmas },          { SECTION_PAGE, false, decode_page },
	{ SECTION_THRD, true, decode_thrd },          { SECTION_SMAP, true, decode_smap },
	{ SECTION_NAME, true, decode_name },          { SECTION_WRIT, true, decode_writ },
	{ SECTION_KPAG, true, decode_kpag },          { SECTION_NODE, true, decode_node },
	{ SECTION_TYPES, true, decode_types },        { SECTION_EVNT, true, decode_faults },
	{ SECTION_MEVT, true, decode_memory_events }, { SECTION_DUMP, true, decode_dump },
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
	if (section->type == SECTION_DELT) {
		const struct placed *snap = &loader->placed[0];
		if (loader->is_delta || offset != snap->offset + SECTION_HEADER_BYTES + snap->section.stored)
			return bad(loader, VMSNAP_ERR_CORRUPT, offset, "a DELT comes second, and once");
		loader->is_delta = true;
		return VMSNAP_OK;
	}
	bool contents = section->type == SECTION_HASH || section->type == SECTION_CONT;
	loader->has_contents |= contents;
	if (section->flags & SECTION_REQUIRED && !contents)
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
	if (loader->is_delta && loader->seen & ~1u)
		return bad(loader, VMSNAP_ERR_CORRUPT, loader->entry->offset, "a section that should be in its DELT");
	if (!loader->is_delta && (loader->seen & needed) != needed)
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

/* While a section is decoded, both forms take memory. */
static uint64_t bytes_meanwhile(const struct loader *loader, const struct section *section)
{
	uint64_t raw = section->flags & SECTION_DEFLATED ? section->raw : 0;
	return raw + (loader->source->bytes ? 0 : section->stored); /* at most the size of a file: no overflow */
}

/* Gives what was unpacked to its decoder, or says why it was not. */
static int decode_unpacked(struct loader *loader, const struct unpacked *unpacked, const struct kind *kind)
{
	if (unpacked->rc) {
		if (loader->decode.err)
			*loader->decode.err = unpacked->err;
		return unpacked->rc;
	}
	return kind->decode(&loader->decode, unpacked->payload);
}

static int load_section(struct loader *loader, const struct placed *placed, const struct kind *kind)
{
	uint64_t meanwhile = bytes_meanwhile(loader, &placed->section);
	struct unpacked unpacked = { .source = loader->source, .placed = placed };
	loader->decode.offset = placed->offset;
	int rc = decode_charge(&loader->decode, meanwhile);
	if (rc)
		return rc;
	unpacked.rc = unpack(&unpacked, NULL, &loader->decode.work);
	rc = decode_unpacked(loader, &unpacked, kind);
	unpacked_free(&unpacked);
	work_release(&loader->decode.work, meanwhile);
	return rc;
}

/* ---- many sections of pages, unpacked by several threads --------------------------- */

static void *new_inflater(void)
{
	return inflater_new();
}

static void free_inflater(void *inflater)
{
	inflater_free(inflater);
}

static void unpack_one(void *inflater, void *context)
{
	struct unpacked *job = context;
	struct work alone = { .limit = WORK_UNLIMITED }; /* who waits is asked by the thread that decodes */
	job->rc = unpack(job, inflater, &alone);
}

static void free_unpacked(void *context)
{
	unpacked_free(context);
}

static const struct pipeline_ops unpack_ops = { .job_size = sizeof(struct unpacked),
	                                        .worker_new = new_inflater,
	                                        .worker_free = free_inflater,
	                                        .work = unpack_one,
	                                        .job_free = free_unpacked };

static size_t next_of_kind(const struct loader *loader, size_t from, const struct kind *kind)
{
	while (from < loader->count && loader->placed[from].section.type != kind->type)
		from++;
	return from;
}

static int load_ahead(struct loader *loader, const struct kind *kind, struct pipeline *pipeline)
{
	size_t next = next_of_kind(loader, 0, kind);
	struct work *work = &loader->decode.work;
	int rc = VMSNAP_OK;
	while (!rc) {
		struct unpacked *job = next < loader->count ? pipeline_next(pipeline) : NULL;
		if (job) {
			job->source = loader->source;
			job->placed = &loader->placed[next];
			next = next_of_kind(loader, next + 1, kind);
			pipeline_start(pipeline);
			continue;
		}
		job = pipeline_finish(pipeline);
		if (!job)
			break;
		uint64_t meanwhile = bytes_meanwhile(loader, &job->placed->section);
		loader->decode.offset = job->placed->offset;
		rc = work_ask(work) ? work_fail(work, VMSNAP_ERR_CANCELLED, loader->decode.err) : VMSNAP_OK;
		rc = rc ? rc : decode_charge(&loader->decode, meanwhile);
		rc = rc ? rc : decode_unpacked(loader, job, kind);
		work_release(work, rc ? 0 : meanwhile);
	}
	return rc;
}

/* Whether there is enough for a second thread to do, and room for all of it at once; one section
 * that is as large as no writer makes them could not be cancelled. */
static bool pays_ahead(const struct loader *loader, const struct kind *kind)
{
	enum { LEAST = 512 << 10, MOST_EACH = 4 << 20, RUNS_BYTES_MOST = 4 }; /* of runs for a byte of payload */
	uint64_t raw = 0, all = 0;
	for (size_t i = next_of_kind(loader, 0, kind); i < loader->count; i = next_of_kind(loader, i + 1, kind)) {
		const struct section *section = &loader->placed[i].section;
		if (section->raw > MOST_EACH || section->stored > MOST_EACH)
			return false;
		raw += section->raw;
		all += bytes_meanwhile(loader, section) + RUNS_BYTES_MOST * section->raw;
	}
	return raw >= LEAST && all <= work_left(&loader->decode.work);
}

/* Room for all runs at once. */
static void expect_runs(struct loader *loader, const struct kind *kind)
{
	enum { LEAST_EACH = 4, MOST_EACH = 8 }; /* bytes of payload, in files that vmsnap writes */
	uint64_t raw = 0;
	for (size_t i = next_of_kind(loader, 0, kind); i < loader->count; i = next_of_kind(loader, i + 1, kind))
		raw += loader->placed[i].section.raw;
	if (raw / LEAST_EACH <= work_left(&loader->decode.work) / sizeof(struct run))
		run_list_expect(&loader->decode.snap->runs, (size_t)(raw / MOST_EACH), (size_t)(raw / LEAST_EACH));
}

static int load_kind(struct loader *loader, const struct kind *kind)
{
	int rc = VMSNAP_OK;
	for (size_t i = next_of_kind(loader, 0, kind); !rc && i < loader->count; i = next_of_kind(loader, i + 1, kind))
		rc = load_section(loader, &loader->placed[i], kind);
	return rc;
}

/* Sections of pages are in the order of addresses: only the last one that begins below the address may have its page.
 * The others are passed over; if it cannot be told, none is. */
static void pass_others(struct loader *loader, const struct kind *kind)
{
	uint64_t page = *loader->around / loader->decode.snap->info.page_size, base;
	size_t wanted = loader->count;
	for (size_t i = next_of_kind(loader, 0, kind); i < loader->count; i = next_of_kind(loader, i + 1, kind)) {
		if (!file_pages_base(loader->source, &loader->placed[i], &base))
			return;
		if (base > page)
			break;
		wanted = i;
	}
	for (size_t i = next_of_kind(loader, 0, kind); i < loader->count; i = next_of_kind(loader, i + 1, kind))
		if (i != wanted)
			loader->placed[i].section.type = 0;
}

static int load_pages(struct loader *loader, const struct kind *kind)
{
	struct pipeline *pipeline = NULL;
	if (loader->around)
		pass_others(loader, kind);
	expect_runs(loader, kind);
	if (pays_ahead(loader, kind))
		pipeline = pipeline_new(&unpack_ops, loader->threads);
	int rc = pipeline ? load_ahead(loader, kind, pipeline) : load_kind(loader, kind);
	pipeline_free(pipeline);
	run_list_trim(&loader->decode.snap->runs);
	return rc;
}

static int load_sections(struct loader *loader, size_t kinds_wanted)
{
	int rc = VMSNAP_OK;
	for (size_t k = 0; !rc && k < kinds_wanted; k++)
		rc = kinds[k].type == SECTION_PAGE ? load_pages(loader, &kinds[k]) : load_kind(loader, &kinds[k]);
	return rc;
}

static int finish(struct loader *loader, struct vmsnap_builder *builder, struct vmsnap **out)
{
	int rc = builder_finish(builder, &loader->decode.work, out);
	return rc ? work_fail(&loader->decode.work, rc, loader->decode.err) : VMSNAP_OK;
}

static int load_contents(struct loader *loader, const struct file_part *part)
{
	if (!part->contents || !loader->has_contents)
		return VMSNAP_OK;
	return part->load_contents(part->contents, part->index, loader->decode.snap, loader->check_skipped,
	                           &loader->decode.work, loader->decode.err);
}

uint64_t file_usual_memory(uint64_t stored)
{
	enum { MOST_PER_BYTE = 16384 };
	uint64_t floor = UINT64_C(64) << 20, rest = FILE_MEMORY_DEFAULT - floor;
	return floor + (stored < rest / MOST_PER_BYTE ? stored * MOST_PER_BYTE : rest);
}

/* ---- a snapshot that is stored as a difference to another ---------------------------- */

bool file_section_once(uint32_t type)
{
	for (size_t i = 0; i < KINDS; i++)
		if (kinds[i].type == type)
			return kinds[i].once;
	return false;
}

static const struct file_known *find_known(const struct file_part *part, size_t index)
{
	for (size_t i = 0; i < part->known_count; i++)
		if (part->known[i].index == index)
			return &part->known[i];
	return NULL;
}

/* One that is as far from a whole one as the difference to it says; else the chain is gone down, and says what is
 * wrong. */
struct chain_of {
	const struct file_part *part;
	const struct delta_chain *chain;
};

static bool is_known(void *ctx, size_t index)
{
	const struct chain_of *of = ctx;
	const struct file_known *found = find_known(of->part, index);
	return found && of->chain->count && of->chain->links[of->chain->count - 1].delta.depth == found->depth + 1;
}

static bool same_kind(const struct vmsnap_info *a, const struct vmsnap_info *b)
{
	return a->page_size == b->page_size && a->known.pfn == b->known.pfn && !strcmp(a->boot_id, b->boot_id);
}

/* What is whole at the end of the chain must be of the same machine since it was started: of the process, or of one
 * that it has its memory from. */
static int check_base(struct loader *loader, const struct delta_chain *chain)
{
	struct vmsnap_builder builder;
	if (builder_begin(&builder))
		return fail_no_memory(loader->decode.err);
	struct decode decode = { .name = loader->decode.name, .err = loader->decode.err, .snap = builder.snap };
	decode.offset = chain->entries[chain->base].offset;
	decode.work = (struct work){ .limit = work_left(&loader->decode.work) };
	int rc = decode_snap(&decode, cursor_of(chain->base_snap.data, chain->base_snap.len));
	if (!rc && !same_kind(&builder.snap->info, &loader->decode.snap->info))
		rc = bad(loader, VMSNAP_ERR_CORRUPT, chain->links[0].offset,
		         "DELT: a difference to one of another boot or kind");
	builder_drop(&builder);
	return rc;
}

/* A SNAP that ends amid a field is damaged, whatever is put behind it. */
static bool is_whole_snap(struct cursor payload)
{
	struct bytes finding = { 0 }, others = { 0 };
	bool whole = snap_split(payload, &finding, &others);
	bytes_free(&finding);
	bytes_free(&others);
	return whole;
}

/* SNAP: what is in it, and what is in the DELT. */
static int decode_both(struct loader *loader, const struct delta_chain *chain)
{
	struct unpacked unpacked = { .source = loader->source, .placed = &loader->placed[0] };
	const struct bytes *rest = payloads_find(&chain->payloads, SECTION_SNAP);
	struct bytes all = { 0 };
	int rc = unpack(&unpacked, NULL, &loader->decode.work);
	loader->decode.offset = loader->placed[0].offset;
	if (rc && loader->decode.err)
		*loader->decode.err = unpacked.err;
	if (!rc && !is_whole_snap(unpacked.payload))
		rc = decode_damaged(&loader->decode, "SNAP: expected key, length and value");
	if (!rc) {
		put_bytes(&all, unpacked.payload.at, cursor_left(&unpacked.payload));
		if (rest)
			put_bytes(&all, rest->data, rest->len);
		rc = all.failed ? fail_no_memory(loader->decode.err)
		                : decode_snap(&loader->decode, cursor_of(all.data, all.len));
	}
	unpacked_free(&unpacked);
	/* It points into it no more: strings are copied. */
	bytes_free(&all);
	return rc;
}

static int decode_payloads(struct loader *loader, const struct delta_chain *chain, size_t kinds_wanted)
{
	int rc = VMSNAP_OK;
	loader->decode.offset = chain->links[0].offset;
	for (size_t k = 1; !rc && k < kinds_wanted; k++) {
		const struct bytes *bytes = payloads_find(&chain->payloads, kinds[k].type);
		if (bytes)
			rc = kinds[k].decode(&loader->decode, cursor_of(bytes->data, bytes->len));
		else if (k < KINDS_NEEDED)
			rc = bad(loader, VMSNAP_ERR_CORRUPT, loader->entry->offset, "a snapshot without STAT or VMAS");
	}
	return rc;
}

/* How many runs the pages of a link say they have; none has fewer bytes. */
static size_t runs_of(const struct delta_link *link)
{
	struct cursor pages = link->delta.pages, column;
	uint64_t count, sum = 0;
	for (uint64_t i = 0; i < link->delta.page_count && take_column(&pages, &column); i++)
		sum += take_varint(&column, &count) && count < cursor_left(&column) ? count : 0;
	return (size_t)sum;
}

/* The pages of one link, as a list of its own. */
static int decode_link(struct loader *loader, const struct delta_link *link, struct run_layers *layers)
{
	struct decode *decode = &loader->decode;
	struct cursor pages = link->delta.pages, column;
	struct run_list *runs = &decode->snap->runs;
	uint64_t before = decode->work.used;
	int rc = VMSNAP_OK;
	decode->offset = link->offset;
	decode->next_page = 0;
	decode->absent_too = true;
	for (uint64_t i = 0; !rc && i < link->delta.page_count && take_column(&pages, &column); i++)
		rc = decode_page(decode, column);
	decode->absent_too = false;
	decode->next_page = 0;
	if (!rc && runs->count) {
		rc = run_layers_add(layers, runs, decode->work.used - before);
		rc = rc ? work_fail(&decode->work, rc, decode->err) : VMSNAP_OK;
	}
	runs->count = 0;
	return rc;
}

/* Its runs, in the snapshot that is being loaded: the whole one's pages. */
static int load_base_pages(struct loader *loader, const struct delta_chain *chain, const struct kind *kind)
{
	loader->entry = &chain->entries[chain->base];
	loader->count = 0;
	loader->seen = 0;
	loader->is_delta = loader->check_skipped = false;
	int rc = find_sections(loader);
	return rc ? rc : load_pages(loader, kind);
}

/* Over what is known, or what was read. */
static int lay_over(struct loader *loader, const struct vmsnap *known, struct run_layers *layers)
{
	struct decode *decode = &loader->decode;
	struct run_list made, *own = &decode->snap->runs;
	if (!known && !layers->count)
		return VMSNAP_OK;
	int rc = run_layers_finish(layers, known ? &known->runs : own, &made);
	if (rc)
		return work_fail(&decode->work, rc, decode->err);
	work_release(&decode->work, known ? 0 : own->count * sizeof(struct run));
	run_list_free(own);
	*own = made;
	return VMSNAP_OK;
}

/* Each is let go of as soon as its pages are read: memory that was not used yet costs more than what is done with
 * it. */
static int load_links(struct loader *loader, struct delta_chain *chain, const struct vmsnap *known,
                      struct run_layers *layers)
{
	enum { RUN_BYTES = 3 }; /* that one takes at least in a section, mostly more */
	size_t runs = 0, base = known ? known->runs.count : (size_t)chain->whole_pages / RUN_BYTES;
	int rc = VMSNAP_OK;
	for (size_t i = 0; i < chain->count; i++)
		runs += runs_of(&chain->links[i]);
	run_layers_expect(layers, runs, base);
	for (size_t i = 0; !rc && i < chain->count; i++) {
		rc = decode_link(loader, &chain->links[i], layers);
		bytes_free(&chain->links[i].raw);
	}
	return rc;
}

static int load_delta_pages(struct loader *loader, struct delta_chain *chain, const struct vmsnap *known,
                            const struct kind *kind)
{
	struct run_layers layers = { .page_size = loader->decode.snap->info.page_size, .work = &loader->decode.work };
	int rc = load_links(loader, chain, known, &layers);
	if (!rc && !known) {
		rc = load_base_pages(loader, chain, kind);
		if (rc)
			delta_chain_tell(chain, chain->base, rc);
	}
	rc = rc ? rc : lay_over(loader, known, &layers);
	run_layers_free(&layers);
	return rc;
}

static int load_chain(struct loader *loader, const struct file_part *part, struct delta_chain *chain, size_t wanted)
{
	enum { PAGES = KINDS_NEEDED };
	bool pages = wanted > PAGES;
	struct chain_of of = { part, chain };
	int rc = delta_chain_find(chain, part->index, pages ? is_known : NULL, &of);
	rc = rc ? rc : delta_chain_make(chain);
	rc = rc ? rc : decode_both(loader, chain);
	if (!rc && chain->whole)
		rc = check_base(loader, chain);
	const struct file_known *found = rc || chain->whole ? NULL : find_known(part, chain->base);
	const struct vmsnap *known = found ? found->snap : NULL;
	if (known && loader->decode.work.limit < known->memory_limit && part->usual_limit)
		loader->decode.work.limit = known->memory_limit;
	if (!rc && known && pages && !same_kind(&known->info, &loader->decode.snap->info))
		rc = bad(loader, VMSNAP_ERR_CORRUPT, chain->links[0].offset,
		         "DELT: a difference to one of another boot or kind");
	rc = rc ? rc : decode_payloads(loader, chain, wanted);
	if (!rc)
		delta_chain_keep(chain);
	return rc || !pages ? rc : load_delta_pages(loader, chain, known, &kinds[PAGES]);
}

static int load_delta(struct loader *loader, const struct file_part *part, size_t wanted)
{
	struct delta_chain chain = { .source = part->source,
		                     .entries = part->entries,
		                     .entry_count = part->entry_count,
		                     .once = file_section_once,
		                     .states = part->states,
		                     .work = &loader->decode.work,
		                     .err = loader->decode.err,
		                     .usual_memory = part->usual_limit ? file_usual_memory : NULL };
	int rc = load_chain(loader, part, &chain, wanted);
	if (!rc && part->stored) {
		part->stored->depth = chain.links[0].delta.depth;
		part->stored->base = delta_chain_base(&chain);
	}
	loader->decode.snap->memory_limit = loader->decode.work.limit;
	delta_chain_free(&chain);
	return rc;
}

int file_load_part(const struct file_part *part, struct work work, struct vmsnap **out, struct vmsnap_error *err)
{
	struct loader loader = { .source = part->source,
		                 .entry = &part->entries[part->index],
		                 .check_skipped = part->part == FILE_LOAD_CHECK,
		                 .threads = part->threads,
		                 .around = part->around };
	loader.decode = (struct decode){ .name = part->source->name, .err = err, .work = work };
	struct vmsnap_builder builder;
	if (builder_begin(&builder))
		return fail_no_memory(err);
	loader.decode.snap = builder.snap;
	builder.snap->memory_limit = work.limit;
	size_t wanted = part->part == FILE_LOAD_SNAP ? 1 : part->part == FILE_LOAD_PEEK ? KINDS_PEEK : KINDS;
	int rc = work_ask(&loader.decode.work) ? work_fail(&work, VMSNAP_ERR_CANCELLED, err) : find_sections(&loader);
	bool has_contents = loader.has_contents;
	if (!rc)
		rc = loader.is_delta && wanted > 1 ? load_delta(&loader, part, wanted) : load_sections(&loader, wanted);
	loader.has_contents = has_contents;
	loader.check_skipped = part->part == FILE_LOAD_CHECK;
	rc = rc ? rc : load_contents(&loader, part);
	free(loader.placed);
	rc = rc ? rc : finish(&loader, &builder, out);
	builder_drop(&builder);
	return rc;
}
