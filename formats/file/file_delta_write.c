#include "file_delta_write.h"

#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "file_delta.h"
#include "file_delta_pages.h"
#include "file_delta_work.h"
#include "file_encode.h"
#include "file_load.h"
#include "patch.h"

/* One that others are differences to. */
struct base {
	const struct vmsnap *snap; /* held; NULL: there is none */
	struct payloads payloads;
	struct file_stored stored;
};
/* The newest snapshot of a process in the stream, and the whole one that its chain ends at: when that has become long
 * one is stored as the difference to the whole one again, as long as that is much smaller than another whole one. */
struct newest {
	struct base base, whole; /* whole: NULL if it takes too much memory, or is in the file still */
	uint64_t used;           /* when */
};
/* Of a tree whose processes come and go not all are kept. */
enum { NEWEST_MOST = 64 };
struct delta_writer {
	struct newest newest[NEWEST_MOST];
	size_t count;
	/* What the next one is a difference to: .base or .whole of its process, or of a relative. */
	struct newest *from;
	bool on_whole;
	uint64_t work; /* to load what was made last */
	uint64_t clock;
	uint64_t held;              /* bytes of whole ones */
	struct vmsnap_file *before; /* the file that is added to; NULL: none */
	size_t first;               /* the first snapshot of its last stream */
};

static size_t first_of_stream(const struct vmsnap_file *file)
{
	struct vmsnap_file_entry entry, before;
	size_t first = vmsnap_file_count(file);
	if (!first || file_entry(file, --first, &entry, NULL))
		return first;
	/* Between two streams there is a header. */
	while (first && !file_entry(file, first - 1, &before, NULL) && before.offset + before.bytes == entry.offset) {
		entry = before;
		first--;
	}
	return first;
}

struct delta_writer *delta_writer_new(struct vmsnap_file *before)
{
	struct delta_writer *writer = calloc(1, sizeof(*writer));
	if (!writer)
		return NULL;
	writer->before = before;
	writer->first = before ? first_of_stream(before) : 0;
	return writer;
}

static void drop_base(struct base *base)
{
	vmsnap_unref(base->snap);
	payloads_free(&base->payloads);
	*base = (struct base){ 0 };
}

static uint64_t bytes_held(const struct base *base)
{
	return base->snap ? base->snap->runs.count * sizeof(struct run) + payloads_size(&base->payloads) : 0;
}

static void drop_whole(struct delta_writer *writer, struct newest *newest)
{
	writer->held -= bytes_held(&newest->whole);
	drop_base(&newest->whole);
}

static void forget(struct delta_writer *writer, struct newest *newest)
{
	drop_base(&newest->base);
	drop_whole(writer, newest);
	*newest = (struct newest){ 0 };
}

void delta_writer_free(struct delta_writer *writer)
{
	if (!writer)
		return;
	for (size_t i = 0; i < writer->count; i++)
		forget(writer, &writer->newest[i]);
	free(writer);
}

/* ---- the newest of a process ------------------------------------------------------------ */

static struct newest *place_for(struct delta_writer *writer)
{
	struct newest *oldest = &writer->newest[0];
	if (writer->count < NEWEST_MOST)
		return &writer->newest[writer->count++];
	for (size_t i = 1; i < writer->count; i++)
		oldest = writer->newest[i].used < oldest->used ? &writer->newest[i] : oldest;
	forget(writer, oldest);
	return oldest;
}

static bool load_base(const struct vmsnap_file *file, size_t index, struct base *out)
{
	struct vmsnap *snap;
	*out = (struct base){ 0 };
	if (!file_load_stored(file, index, &out->payloads, &out->stored, NULL) &&
	    !vmsnap_file_load(file, index, &snap, NULL)) {
		out->snap = snap;
		return true;
	}
	payloads_free(&out->payloads);
	return false;
}

/* In the file that is added to.  It only serves to make the new ones smaller: what cannot be read is passed
 * over. */
static struct newest *find_in_file(struct delta_writer *writer, const struct vmsnap *snap)
{
	for (size_t i = writer->before ? vmsnap_file_count(writer->before) : 0; i > writer->first; i--) {
		struct vmsnap *there;
		if (file_load_identity(writer->before, i - 1, &there, NULL))
			continue;
		bool same = vmsnap_same_process(there, snap);
		vmsnap_unref(there);
		if (!same)
			continue;
		struct base found;
		if (!load_base(writer->before, i - 1, &found))
			return NULL;
		struct newest *place = place_for(writer);
		*place = (struct newest){ .base = found };
		return place;
	}
	return NULL;
}

static struct newest *find_newest(struct delta_writer *writer, const struct vmsnap *snap)
{
	struct newest *found = NULL;
	for (size_t i = 0; i < writer->count && !found; i++)
		if (vmsnap_same_process(writer->newest[i].base.snap, snap))
			found = &writer->newest[i];
	return found ? found : find_in_file(writer, snap);
}

/* How much a snapshot has in common with one of a process: after fork(2) nearly all.  0: nothing is known of that. */
static int kinship(const struct vmsnap *snap, const struct vmsnap *other)
{
	const struct vmsnap_info *a = vmsnap_info(snap), *b = vmsnap_info(other);
	if (strcmp(a->boot_id, b->boot_id) != 0 || !a->ppid)
		return 0;
	if (a->ppid == b->pid && b->start_time <= a->start_time)
		return 2;
	return a->ppid == b->ppid && !strcmp(a->comm, b->comm);
}

/* For the first one of a process: its parent, or one that has the same. */
static struct newest *find_relative(struct delta_writer *writer, const struct vmsnap *snap)
{
	struct newest *found = NULL;
	int closest = 0;
	for (size_t i = 0; i < writer->count; i++) {
		int near = kinship(snap, writer->newest[i].base.snap);
		if (near > closest) {
			closest = near;
			found = &writer->newest[i];
		}
	}
	return found;
}

/* ---- DELT ---------------------------------------------------------------------------------- */

static void put_word(struct bytes *out, uint32_t word)
{
	uint8_t bytes[4] = { (uint8_t)word, (uint8_t)(word >> 8), (uint8_t)(word >> 16), (uint8_t)(word >> 24) };
	put_bytes(out, bytes, sizeof(bytes));
}

static bool alike(const struct bytes *a, const struct bytes *b)
{
	return a && b && a->len == b->len && (!a->len || !memcmp(a->data, b->data, a->len));
}

static void put_patch(uint32_t type, const struct bytes *base, const struct bytes *own, struct bytes *out)
{
	static const struct bytes nothing;
	struct bytes steps = { 0 };
	put_word(out, type);
	put_varint(out, own ? own->len + 1 : 0);
	if (!own)
		return;
	base = base ? base : &nothing;
	patch_make(cursor_of(base->data, base->len), cursor_of(own->data, own->len), &steps);
	put_column(out, steps.data, steps.len);
	out->failed |= steps.failed;
	bytes_free(&steps);
}

static void put_patches(const struct payloads *base, const struct payloads *own, struct payload *out)
{
	struct bytes patches = { 0 };
	uint64_t count = 0;
	for (size_t i = 0; i < own->count; i++) {
		uint32_t type = own->items[i].type;
		const struct bytes *before = payloads_find(base, type);
		if (alike(before, &own->items[i].bytes))
			continue;
		put_patch(type, before, &own->items[i].bytes, &patches);
		count++;
	}
	for (size_t i = 0; i < base->count; i++) {
		if (payloads_find(own, base->items[i].type))
			continue;
		put_patch(base->items[i].type, NULL, NULL, &patches);
		count++;
	}
	put_varint(&out->bytes, count);
	put_bytes(&out->bytes, patches.data, patches.len);
	out->bytes.failed |= patches.failed;
	bytes_free(&patches);
}

/* A payload as a column, with the places where it looks different. */
static void put_inner(const struct payload *inner, struct payload *out)
{
	put_varint(&out->bytes, inner->bytes.len);
	size_t start = out->bytes.len;
	put_bytes(&out->bytes, inner->bytes.data, inner->bytes.len);
	for (size_t i = 0; i < inner->cut_count && out->cut_count < PAYLOAD_CUTS; i++)
		out->cuts[out->cut_count++] = start + inner->cuts[i];
}

static int put_pages(const struct vmsnap *snap, const struct run_difference *pages, struct payload *out,
                     struct vmsnap_error *err)
{
	struct page_encoder encoder;
	struct payload all = { 0 }, one = { 0 };
	uint64_t count = 0;
	int rc = page_encoder_init_difference(&encoder, snap, pages->items, pages->count, err);
	while (!rc) {
		payload_clear(&one);
		rc = page_encoder_next(&encoder, &one, err);
		if (!rc) {
			put_inner(&one, &all);
			count++;
		}
	}
	page_encoder_free(&encoder);
	if (rc == VMSNAP_END) {
		put_varint(&out->bytes, count);
		payload_cut(out);
		size_t start = out->bytes.len;
		put_bytes(&out->bytes, all.bytes.data, all.bytes.len);
		for (size_t i = 0; i < all.cut_count && out->cut_count < PAYLOAD_CUTS; i++)
			out->cuts[out->cut_count++] = start + all.cuts[i];
		rc = all.bytes.failed || one.bytes.failed || out->bytes.failed ? fail_no_memory(err) : VMSNAP_OK;
	}
	payload_free(&all);
	payload_free(&one);
	return rc;
}

/* ---- which one it differs from ------------------------------------------------------------- */

/* What it would take to store it whole: a run more takes at least so many bytes, mostly more. */
static uint64_t whole_now(const struct file_stored *stored, const struct vmsnap *snap)
{
	enum { RUN_BYTES = 3 };
	uint64_t runs = snap->runs.count;
	if (runs >= stored->whole_runs)
		return stored->whole_bytes + RUN_BYTES * (runs - stored->whole_runs);
	return (uint64_t)((double)stored->whole_bytes * (double)runs / (double)stored->whole_runs);
}

/* A chain that is full already, or whose differences are half as large again as a whole one would be. */
static bool is_due(const struct file_stored *stored, const struct vmsnap *snap)
{
	return stored->depth == DELTA_DEPTH_MAX || stored->delta_bytes >= whole_now(stored, snap) * 3 / 2;
}

/* How much there would be to do to load it, were it whole: its pages are taken to be like those of the last one. */
static uint64_t work_if_whole(const struct file_stored *stored, const struct vmsnap *snap, const struct payloads *own)
{
	double pages = (double)stored->whole_pages * (double)snap->runs.count;
	return delta_work_whole(payloads_size(own),
	                        stored->whole_runs ? (uint64_t)(pages / (double)stored->whole_runs) : 0);
}

/* Whether it takes no more than three times as long to load as if it were whole: by this much the estimate may be too
 * small; measured, it was a tenth to a half too large. */
static bool is_quick(uint64_t work, uint64_t whole)
{
	enum { MOST = 28 }; /* tenths */
	return work / MOST <= whole / 10;
}

/* The whole one, if it may be one's base again: not too much hangs on it yet. */
static struct base *whole_again(struct delta_writer *writer, struct newest *newest)
{
	enum { SINCE_MOST = 2 };
	const struct file_stored *stored = &newest->base.stored;
	if (!stored->depth || (stored->offset - stored->whole_offset) / SINCE_MOST > stored->whole_bytes)
		return NULL;
	if (!newest->whole.snap && writer->before && load_base(writer->before, stored->whole, &newest->whole))
		writer->held += bytes_held(&newest->whole);
	return newest->whole.snap ? &newest->whole : NULL;
}

static void choose_from(struct delta_writer *writer, const struct vmsnap *snap)
{
	struct newest *own = find_newest(writer, snap);
	writer->from = own ? own : find_relative(writer, snap);
	writer->on_whole = false;
	if (writer->from)
		writer->from->used = ++writer->clock;
}

/* As the whole one of those to come.  It only serves to make them smaller. */
static void keep_whole(struct delta_writer *writer, struct newest *newest, const struct base *of)
{
	enum { HELD_MOST = 32 << 20 };
	struct base whole = { .snap = vmsnap_ref(of->snap), .stored = of->stored };
	if (!payloads_copy(&whole.payloads, &of->payloads) || writer->held + bytes_held(&whole) > HELD_MOST) {
		drop_base(&whole);
		return;
	}
	newest->whole = whole;
	writer->held += bytes_held(&whole);
}

static bool same_kind(const struct vmsnap_info *a, const struct vmsnap_info *b)
{
	return a->page_size == b->page_size && a->known.pfn == b->known.pfn;
}

/* What is being made: a difference to `base`, of which no more than a part of its runs may differ. */
struct difference {
	const struct base *base;
	const struct vmsnap *snap;
	const struct payloads *own;
	uint64_t offset;
	size_t runs_most;
};

static int put_difference(const struct difference *of, struct payload *out, struct vmsnap_error *err)
{
	struct run_difference pages;
	int rc = run_difference_make(&pages, of->base->snap, of->snap, of->runs_most);
	if (rc == VMSNAP_ERR_NO_MEMORY)
		rc = fail_no_memory(err);
	if (!rc) {
		put_varint(&out->bytes, of->base->stored.depth + 1);
		put_varint(&out->bytes, of->offset - of->base->stored.offset);
		put_word(&out->bytes, of->base->stored.crc);
		put_patches(&of->base->payloads, of->own, out);
		rc = put_pages(of->snap, &pages, out, err);
	}
	run_difference_free(&pages);
	return rc;
}

/* VMSNAP_END also if it would take too long to load. */
static int make_on(struct delta_writer *writer, const struct difference *of, struct payload *out,
                   struct vmsnap_error *err)
{
	struct delta made;
	payload_clear(out);
	if (!of->base || !same_kind(vmsnap_info(of->base->snap), vmsnap_info(of->snap)))
		return VMSNAP_END;
	int rc = put_difference(of, out, err);
	if (rc || !delta_take(cursor_of(out->bytes.data, out->bytes.len), &made))
		return rc ? rc : VMSNAP_END;
	writer->work = of->base->stored.work + delta_work_link(made, out->bytes.len);
	uint64_t whole = work_if_whole(&writer->from->base.stored, of->snap, of->own);
	return is_quick(writer->work, whole) ? VMSNAP_OK : VMSNAP_END;
}

int delta_writer_make(struct delta_writer *writer, const struct vmsnap *snap, uint64_t offset,
                      const struct payloads *own, struct payload *out, struct vmsnap_error *err)
{
	enum { FEW = 64 };
	size_t runs = snap->runs.count;
	choose_from(writer, snap);
	if (!writer->from)
		return VMSNAP_END;
	struct difference of = { &writer->from->base, snap, own, offset, runs / 2 + FEW };
	int rc = is_due(&of.base->stored, snap) ? VMSNAP_END : make_on(writer, &of, out, err);
	if (rc != VMSNAP_END)
		return rc;
	of.base = whole_again(writer, writer->from);
	of.runs_most = runs / 4 + FEW;
	writer->on_whole = true;
	return make_on(writer, &of, out, err);
}

/* Where it is and what hangs on what, of a difference to what choose_base() gave. */
static void note_difference(const struct delta_writer *writer, uint64_t bytes, struct file_stored *out)
{
	const struct file_stored *before = &writer->from->base.stored;
	const struct file_stored *on = writer->on_whole ? &writer->from->whole.stored : before;
	out->depth = on->depth + 1;
	out->delta_bytes = on->delta_bytes + bytes;
	out->whole_bytes = on->whole_bytes;
	out->whole_runs = before->whole_runs;
	out->whole_pages = before->whole_pages;
	out->work = writer->work;
	out->whole = before->whole;
	out->whole_offset = before->whole_offset;
}

void delta_writer_wrote(struct delta_writer *writer, const struct vmsnap *snap, const struct delta_written *as,
                        struct payloads *own)
{
	struct newest *newest = find_newest(writer, snap), *from = writer->from;
	struct base next = { .snap = vmsnap_ref(snap), .payloads = *own };
	*own = (struct payloads){ 0 };
	bool whole = as->whole;
	next.stored = (struct file_stored){ .crc = as->crc,
		                            .offset = as->offset,
		                            .whole_bytes = as->bytes,
		                            .whole = SIZE_MAX,
		                            .whole_offset = as->offset,
		                            .whole_runs = snap->runs.count,
		                            .whole_pages = as->pages,
		                            .work = delta_work_whole(payloads_size(&next.payloads), as->pages) };
	if (!whole)
		note_difference(writer, as->bytes, &next.stored);
	bool fresh = !newest;
	if (fresh)
		newest = place_for(writer); /* not that of a relative: it was used last */
	else if (whole)
		forget(writer, newest);
	else
		drop_base(&newest->base);
	newest->base = next;
	newest->used = ++writer->clock;
	if (whole)
		keep_whole(writer, newest, &newest->base);
	else if (fresh && from->whole.snap)
		keep_whole(writer, newest, &from->whole);
}
