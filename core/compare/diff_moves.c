#include "diff_moves.h"

#include <string.h>

#include "diff_facts.h"
#include "diff_walk.h"
#include "vma_match.h"

/* What all of the search needs. */
struct search {
	const struct vmsnap *a, *b;
	struct part_list *lost, *gained;
	struct work *work;
	struct move_list *out;
	uint64_t looks; /* at runs, that are left: see LOOKS_EACH */
	int rc;
};

static int add_move(const struct search *search, struct part *lost, struct part *gained, struct move move)
{
	struct move_list *out = search->out;
	int rc = VMSNAP_OK;
	struct move *items = work_room(search->work, out->items, out->count, &out->capacity, sizeof(*items), &rc);
	if (!items)
		return rc;
	out->items = items;
	lost->matched = gained->matched = true;
	move.a = lost->vma;
	move.b = gained->vma;
	items[out->count++] = move;
	return VMSNAP_OK;
}

/* ---- files: the same place of the same file ------------------------------ */

struct file_key {
	const char *special; /* "[vdso]" and such have no file, but a name of their own */
	uint64_t inode, offset, size, start;
	uint32_t major, minor;
	bool shared;
	struct part *part;
};

static int compare(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

static int compare_place(const struct file_key *a, const struct file_key *b)
{
	int order = strcmp(a->special, b->special);
	order = order ? order : compare(a->major, b->major);
	order = order ? order : compare(a->minor, b->minor);
	order = order ? order : compare(a->inode, b->inode);
	order = order ? order : compare(a->shared, b->shared);
	return order ? order : compare(a->offset, b->offset);
}

static int compare_place_and_size(const struct file_key *a, const struct file_key *b)
{
	int order = compare_place(a, b);
	return order ? order : compare(a->size, b->size);
}

static int compare_keys(const void *x, const void *y, const void *ctx)
{
	const struct file_key *a = x, *b = y;
	(void)ctx;
	int order = compare_place_and_size(a, b);
	return order ? order : compare(a->start, b->start);
}

struct file_keys {
	struct file_key *items;
	size_t count, room;
};

/* The keys of all parts that are not plain memory, sorted. */
static int file_keys(const struct vmsnap *snap, const struct part_list *parts, struct work *work, struct file_keys *out)
{
	int rc = VMSNAP_OK;
	for (size_t i = 0; i < parts->count; i++)
		out->room += !vma_is_plain(&snap->vmas[parts->items[i].vma]);
	out->items = work_array(work, out->room, sizeof(*out->items), &rc);
	for (size_t i = 0; !rc && i < parts->count; i++) {
		struct part *part = &parts->items[i];
		const struct vmsnap_vma *vma = &snap->vmas[part->vma];
		if (vma_is_plain(vma))
			continue;
		out->items[out->count++] = (struct file_key){ .special = vma_is_anonymous(vma) ? vma->name : "",
			                                      .inode = vma->inode,
			                                      .offset = vma->offset + (part->start - vma->start),
			                                      .size = part->end - part->start,
			                                      .start = part->start,
			                                      .major = vma->dev_major,
			                                      .minor = vma->dev_minor,
			                                      .shared = vma->perms & VMSNAP_PERM_SHARED,
			                                      .part = part };
	}
	return rc ? rc : work_sort(work, out->items, out->count, sizeof(*out->items), compare_keys, NULL);
}

/* Pairs off equal keys in order of address. */
static int pair_files(const struct search *search, const struct file_keys *of_a, const struct file_keys *of_b,
                      int (*order_of)(const struct file_key *, const struct file_key *))
{
	const struct file_key *a = of_a->items, *b = of_b->items;
	size_t i = 0, j = 0;
	int rc = VMSNAP_OK;
	while (!rc && i < of_a->count && j < of_b->count) {
		if (a[i].part->matched) {
			i++;
			continue;
		}
		int order = b[j].part->matched ? 1 : order_of(&a[i], &b[j]);
		if (!order) {
			uint64_t length = a[i].size < b[j].size ? a[i].size : b[j].size;
			struct move move = { .from = a[i].start, .to = b[j].start, .length = length };
			rc = add_move(search, a[i].part, b[j].part, move);
		}
		i += order <= 0;
		j += order >= 0;
		rc = rc ? rc : work_step(search->work);
	}
	return rc;
}

static int find_file_moves(const struct search *search)
{
	struct work *work = search->work;
	struct file_keys of_a = { 0 }, of_b = { 0 };
	int rc = file_keys(search->a, search->lost, work, &of_a);
	rc = rc ? rc : file_keys(search->b, search->gained, work, &of_b);
	/* First those of one size: several views of a file need not be confused. */
	rc = rc ? rc : pair_files(search, &of_a, &of_b, compare_place_and_size);
	rc = rc ? rc : pair_files(search, &of_a, &of_b, compare_place);
	work_free(work, of_a.items, of_a.room, sizeof(*of_a.items));
	work_free(work, of_b.items, of_b.room, sizeof(*of_b.items));
	return rc;
}

/* ---- plain memory: the same frames at the same distances ------------------ */

/* So many runs of each gained part are looked for, and so many finds looked
 * into: a frame may show at a million addresses of A. */
enum { SAMPLES = 4, TRIES = 8 };
/* And, of all together, so many looks for each run and each part that there is: each try
 * goes over the runs of both parts, which crafted ones could have a million of. */
enum { LOOKS_EACH = 64 };

struct sample {
	uint64_t frame, address;
	struct part *part;
};

/* Frames that only this process can have: not of a file, nor the zero page. */
static bool is_evidence(uint64_t entry)
{
	return (entry & ENTRY_PRESENT) && (entry & ENTRY_FRAME_MASK) &&
	       !(entry & ENTRY_FLAG(VMSNAP_PAGE_FILE | VMSNAP_PAGE_ZERO));
}

static int compare_samples(const void *x, const void *y, const void *ctx)
{
	const struct sample *a = x, *b = y;
	(void)ctx;
	int order = compare(a->frame, b->frame);
	return order ? order : compare(a->address, b->address);
}

static size_t samples_of(const struct vmsnap *snap, struct part *part, struct sample *out)
{
	struct run_cursor at = run_cursor_at(snap, part->start);
	size_t count = 0;
	while (count < SAMPLES && at.run < at.end && run_start(at.run) < part->end) {
		uint64_t address = run_start(at.run) > part->start ? run_start(at.run) : part->start;
		uint64_t until = part->end, entry = run_cursor_entry(&at, address, &until);
		if (is_evidence(entry))
			out[count++] = (struct sample){ entry & ENTRY_FRAME_MASK, address, part };
		at.run++;
	}
	return count;
}

/* A frame that several places share (KSM) tells nothing. */
static size_t drop_ambiguous(struct sample *samples, size_t count)
{
	size_t kept = 0;
	for (size_t i = 0, next; i < count; i = next) {
		for (next = i + 1; next < count && samples[next].frame == samples[i].frame; next++)
			;
		if (next == i + 1)
			samples[kept++] = samples[i];
	}
	return kept;
}

struct samples {
	struct sample *items;
	size_t count, room;
};

static int take_samples(const struct search *search, struct samples *out)
{
	const struct vmsnap *snap = search->b;
	const struct part_list *gained = search->gained;
	int rc = VMSNAP_OK;
	for (size_t i = 0; i < gained->count; i++)
		out->room += vma_is_plain(&snap->vmas[gained->items[i].vma]) ? SAMPLES : 0;
	out->items = work_array(search->work, out->room, sizeof(*out->items), &rc);
	for (size_t i = 0; !rc && i < gained->count; i++) {
		if (vma_is_plain(&snap->vmas[gained->items[i].vma]))
			out->count += samples_of(snap, &gained->items[i], out->items + out->count);
		rc = work_step(search->work);
	}
	rc = rc ? rc : work_sort(search->work, out->items, out->count, sizeof(*out->items), compare_samples, NULL);
	if (!rc)
		out->count = drop_ambiguous(out->items, out->count);
	return rc;
}

/* What moves if the page at `from` went to `to`. */
static struct move overlap_of(const struct part *lost, const struct part *gained, uint64_t from, uint64_t to)
{
	uint64_t before = from - lost->start < to - gained->start ? from - lost->start : to - gained->start;
	uint64_t after = lost->end - from < gained->end - to ? lost->end - from : gained->end - to;
	return (struct move){ .from = from - before, .to = to - before, .length = before + after };
}

/* A frame set free is soon given out again, so that one equal frame may be
 * chance: most of the pages have to agree, and more than one of them if the
 * parts do not begin together. */
static bool is_borne_out(struct search *search, const struct move *move, bool same_start)
{
	struct run_cursor in_a = run_cursor_at(search->a, move->from), in_b = run_cursor_at(search->b, move->to);
	uint64_t equal = 0, both = 0;
	for (uint64_t at = 0, next; at < move->length; at = next) {
		search->rc = work_step(search->work);
		if (search->rc || !search->looks)
			return false;
		search->looks--;
		uint64_t until_a = move->from + move->length, until_b = move->to + move->length;
		uint64_t entry_a = run_cursor_entry(&in_a, move->from + at, &until_a);
		uint64_t entry_b = run_cursor_entry(&in_b, move->to + at, &until_b);
		next = until_a - move->from < until_b - move->to ? until_a - move->from : until_b - move->to;
		if (!(entry_a & entry_b & ENTRY_PRESENT))
			continue;
		uint64_t pages = (next - at) >> in_a.shift;
		both += pages;
		if (is_evidence(entry_a) && (entry_a & ENTRY_FRAME_MASK) == (entry_b & ENTRY_FRAME_MASK))
			equal += pages;
	}
	return equal >= (same_start ? 1 : 2) && equal >= both - equal;
}

/* Index of the first sample of that frame or one above. */
static size_t sample_find(const struct samples *samples, uint64_t frame)
{
	size_t low = 0, high = samples->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (samples->items[middle].frame < frame)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Looks for the frames of one run of A, from `address` to the end of the part. */
static int match_run(struct search *search, const struct samples *samples, struct part *lost, uint64_t address,
                     uint64_t end, uint64_t entry)
{
	unsigned shift = walk_page_shift(search->a);
	uint64_t first = entry & ENTRY_FRAME_MASK, pages = (end - address) >> shift;
	int rc = work_step(search->work);
	for (size_t i = sample_find(samples, first); !rc && search->looks && i < samples->count; i++) {
		const struct sample *sample = &samples->items[i];
		struct part *gained = sample->part;
		if (sample->frame - first >= pages)
			break;
		search->looks--;
		if (gained->matched || gained->tries++ >= TRIES)
			continue;
		uint64_t from = address + ((sample->frame - first) << shift);
		struct move move = overlap_of(lost, gained, from, sample->address);
		bool same_start = move.from == lost->start && move.to == gained->start;
		bool moved = is_borne_out(search, &move, same_start);
		rc = moved ? add_move(search, lost, gained, move) : search->rc;
	}
	return rc;
}

static int match_part(struct search *search, const struct samples *samples, struct part *lost)
{
	struct run_cursor cursor = run_cursor_at(search->a, lost->start);
	int rc = VMSNAP_OK;
	for (uint64_t at = lost->start, until; !rc && at < lost->end; at = until) {
		until = lost->end;
		uint64_t entry = run_cursor_entry(&cursor, at, &until);
		if (is_evidence(entry))
			rc = match_run(search, samples, lost, at, until, entry);
	}
	return rc;
}

static int find_plain_moves(struct search *search)
{
	if (!facts_context_of(search->a, search->b).frames)
		return VMSNAP_OK;
	struct samples samples = { 0 };
	int rc = take_samples(search, &samples);
	for (size_t i = 0; !rc && samples.count && i < search->lost->count; i++)
		if (vma_is_plain(&search->a->vmas[search->lost->items[i].vma]))
			rc = match_part(search, &samples, &search->lost->items[i]);
	work_free(search->work, samples.items, samples.room, sizeof(*samples.items));
	return rc;
}

static int compare_from(const void *x, const void *y, const void *ctx)
{
	const struct move *a = x, *b = y;
	(void)ctx;
	int order = compare(a->from, b->from);
	return order ? order : compare(a->to, b->to);
}

/* Two moves out of one part: where the first has grown at its new place, it must
 * not claim what the second took along. */
static void cut_overlaps(struct move_list *moves)
{
	size_t kept = 0;
	for (size_t i = 0; i < moves->count; i++) {
		struct move move = moves->items[i];
		if (i + 1 < moves->count && moves->items[i + 1].from - move.from < move.length)
			move.length = moves->items[i + 1].from - move.from;
		if (move.length)
			moves->items[kept++] = move;
	}
	moves->count = kept;
}

int moves_find(const struct vmsnap *a, struct part_list *lost, const struct vmsnap *b, struct part_list *gained,
               struct work *work, struct move_list *out)
{
	struct search search = { a, b, lost, gained, work, out, 0, VMSNAP_OK };
	if (!lost->count || !gained->count)
		return VMSNAP_OK;
	search.looks = LOOKS_EACH * ((uint64_t)a->runs.count + b->runs.count + lost->count + gained->count);
	int rc = find_file_moves(&search);
	rc = rc ? rc : find_plain_moves(&search);
	rc = rc ? rc : work_sort(work, out->items, out->count, sizeof(*out->items), compare_from, NULL);
	if (!rc)
		cut_overlaps(out);
	return rc;
}
