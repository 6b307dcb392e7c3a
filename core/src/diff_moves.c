#include "diff_moves.h"

#include <string.h>

#include "diff_array.h"
#include "diff_facts.h"
#include "diff_walk.h"
#include "vma_match.h"

static int add_move(struct move_list *out, struct part *lost, struct part *gained, struct move move)
{
	struct move *items = array_room(out->items, out->count, &out->capacity, sizeof(*items));
	if (!items)
		return VMSNAP_ERR_NO_MEMORY;
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

static int compare_keys(const void *x, const void *y)
{
	const struct file_key *a = x, *b = y;
	int order = compare_place_and_size(a, b);
	return order ? order : compare(a->start, b->start);
}

/* The keys of all parts that are not plain memory, sorted.  NULL: no memory. */
static struct file_key *file_keys(const struct vmsnap *snap, const struct part_list *parts, size_t *count)
{
	struct file_key *keys = malloc((parts->count + 1) * sizeof(*keys));
	*count = 0;
	for (size_t i = 0; keys && i < parts->count; i++) {
		struct part *part = &parts->items[i];
		const struct vmsnap_vma *vma = &snap->vmas[part->vma];
		if (vma_is_plain(vma))
			continue;
		keys[(*count)++] = (struct file_key){ .special = vma_is_anonymous(vma) ? vma->name : "",
			                              .inode = vma->inode,
			                              .offset = vma->offset + (part->start - vma->start),
			                              .size = part->end - part->start,
			                              .start = part->start,
			                              .major = vma->dev_major,
			                              .minor = vma->dev_minor,
			                              .shared = vma->perms & VMSNAP_SHARED,
			                              .part = part };
	}
	if (keys)
		qsort(keys, *count, sizeof(*keys), compare_keys);
	return keys;
}

/* Pairs off equal keys in order of address. */
static int pair_files(const struct file_key *a, size_t count_a, const struct file_key *b, size_t count_b,
                      int (*order_of)(const struct file_key *, const struct file_key *), struct move_list *out)
{
	size_t i = 0, j = 0;
	while (i < count_a && j < count_b) {
		if (a[i].part->matched) {
			i++;
			continue;
		}
		int order = b[j].part->matched ? 1 : order_of(&a[i], &b[j]);
		if (!order) {
			uint64_t length = a[i].size < b[j].size ? a[i].size : b[j].size;
			struct move move = { .from = a[i].start, .to = b[j].start, .length = length };
			int rc = add_move(out, a[i].part, b[j].part, move);
			if (rc)
				return rc;
		}
		i += order <= 0;
		j += order >= 0;
	}
	return VMSNAP_OK;
}

static int find_file_moves(const struct vmsnap *a, struct part_list *lost, const struct vmsnap *b,
                           struct part_list *gained, struct move_list *out)
{
	size_t count_a = 0, count_b = 0;
	struct file_key *keys_a = file_keys(a, lost, &count_a), *keys_b = file_keys(b, gained, &count_b);
	int rc = keys_a && keys_b ? VMSNAP_OK : VMSNAP_ERR_NO_MEMORY;
	/* First those of one size: several views of a file need not be confused. */
	if (!rc)
		rc = pair_files(keys_a, count_a, keys_b, count_b, compare_place_and_size, out);
	if (!rc)
		rc = pair_files(keys_a, count_a, keys_b, count_b, compare_place, out);
	free(keys_a);
	free(keys_b);
	return rc;
}

/* ---- plain memory: the same frames at the same distances ------------------ */

/* So many runs of each gained part are looked for, and so many finds looked
 * into: a frame may show at a million addresses of A. */
enum { SAMPLES = 4, TRIES = 8 };

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

static int compare_samples(const void *x, const void *y)
{
	const struct sample *a = x, *b = y;
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

static struct sample *take_samples(const struct vmsnap *snap, struct part_list *gained, size_t *count)
{
	*count = 0;
	if (gained->count > SIZE_MAX / SAMPLES / sizeof(struct sample) - 1)
		return NULL;
	struct sample *samples = malloc((gained->count * SAMPLES + 1) * sizeof(*samples));
	for (size_t i = 0; samples && i < gained->count; i++)
		if (vma_is_plain(&snap->vmas[gained->items[i].vma]))
			*count += samples_of(snap, &gained->items[i], samples + *count);
	if (samples) {
		qsort(samples, *count, sizeof(*samples), compare_samples);
		*count = drop_ambiguous(samples, *count);
	}
	return samples;
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
static bool is_borne_out(const struct vmsnap *a, const struct vmsnap *b, const struct move *move, bool same_start)
{
	struct run_cursor in_a = run_cursor_at(a, move->from), in_b = run_cursor_at(b, move->to);
	uint64_t equal = 0, both = 0;
	for (uint64_t at = 0, next; at < move->length; at = next) {
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

/* Looks for the frames of one run of A, from `address` to the end of the part. */
static int match_run(const struct vmsnap *a, const struct vmsnap *b, const struct sample *samples, size_t count,
                     struct part *lost, uint64_t address, uint64_t end, uint64_t entry, struct move_list *out)
{
	uint64_t first = entry & ENTRY_FRAME_MASK, pages = (end - address) >> walk_page_shift(a);
	size_t low = 0, high = count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (samples[middle].frame < first)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < count && samples[low].frame - first < pages; low++) {
		struct part *gained = samples[low].part;
		if (gained->matched || gained->tries++ >= TRIES)
			continue;
		uint64_t from = address + ((samples[low].frame - first) << walk_page_shift(a));
		struct move move = overlap_of(lost, gained, from, samples[low].address);
		bool same_start = move.from == lost->start && move.to == gained->start;
		if (!is_borne_out(a, b, &move, same_start))
			continue;
		int rc = add_move(out, lost, gained, move);
		if (rc)
			return rc;
	}
	return VMSNAP_OK;
}

static int match_part(const struct vmsnap *a, const struct vmsnap *b, const struct sample *samples, size_t count,
                      struct part *lost, struct move_list *out)
{
	struct run_cursor cursor = run_cursor_at(a, lost->start);
	int rc = VMSNAP_OK;
	for (uint64_t at = lost->start, until; !rc && at < lost->end; at = until) {
		until = lost->end;
		uint64_t entry = run_cursor_entry(&cursor, at, &until);
		if (is_evidence(entry))
			rc = match_run(a, b, samples, count, lost, at, until, entry, out);
	}
	return rc;
}

static int find_plain_moves(const struct vmsnap *a, struct part_list *lost, const struct vmsnap *b,
                            struct part_list *gained, struct move_list *out)
{
	if (!facts_context_of(a, b).frames)
		return VMSNAP_OK;
	size_t count = 0;
	struct sample *samples = take_samples(b, gained, &count);
	int rc = samples ? VMSNAP_OK : VMSNAP_ERR_NO_MEMORY;
	for (size_t i = 0; !rc && count && i < lost->count; i++)
		if (vma_is_plain(&a->vmas[lost->items[i].vma]))
			rc = match_part(a, b, samples, count, &lost->items[i], out);
	free(samples);
	return rc;
}

static int compare_from(const void *x, const void *y)
{
	const struct move *a = x, *b = y;
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
               struct move_list *out)
{
	if (!lost->count || !gained->count)
		return VMSNAP_OK;
	int rc = find_file_moves(a, lost, b, gained, out);
	if (!rc)
		rc = find_plain_moves(a, lost, b, gained, out);
	if (!rc && out->count) {
		qsort(out->items, out->count, sizeof(*out->items), compare_from);
		cut_overlaps(out);
	}
	return rc;
}
