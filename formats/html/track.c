/* Until all instants have been seen, nobody knows which pages there will be.  So what changes is kept by page number:
 * varints of the gap to the change before, of the length less 1, and the byte that is to be written; and numbered in
 * the end. */
#include "track.h"

#include "error.h"

void track_init(struct track *track, bool frames, struct work *work)
{
	*track = (struct track){ .frames = frames, .work = work };
	track->values.work = track->frame_runs.work = work;
}

void track_free(struct track *track)
{
	if (!track->work)
		return;
	work_free(track->work, track->last, track->room, sizeof(*track->last));
	work_free(track->work, track->bytes, track->instant_room, sizeof(*track->bytes));
	spill_free(&track->values);
	spill_free(&track->frame_runs);
	*track = (struct track){ 0 };
}

/* ---- one instant ------------------------------------------------------------------------ */

struct merge {
	struct track *track;
	/* The same pages before and now; one of them may have no value. */
	void (*step)(struct merge *merge, const struct track_run *before, const struct track_run *now);
	struct track_run *out;
	size_t count, room;
	uint64_t value_at, frame_at, frame_next; /* where the last change ended; which frame would follow */
	size_t parent_at;                        /* in the parent's .last */
	struct track_run changed;                /* .value: what is to be written; not yet put */
	int rc;
};

static void put_changed(struct merge *merge)
{
	struct track_run *changed = &merge->changed;
	if (!changed->pages)
		return;
	struct spill *values = &merge->track->values;
	spill_varint(values, changed->page - merge->value_at);
	spill_varint(values, changed->pages - 1);
	spill_byte(values, changed->value);
	merge->value_at = changed->page + changed->pages;
	changed->pages = 0;
}

static void note_value(struct merge *merge, uint64_t page, uint64_t pages, uint8_t byte)
{
	struct track_run *changed = &merge->changed;
	if (!byte)
		return;
	if (changed->pages && changed->page + changed->pages == page && changed->value == byte) {
		changed->pages += pages;
		return;
	}
	put_changed(merge);
	*changed = (struct track_run){ .page = page, .pages = pages, .value = byte };
}

static void note_frame(struct merge *merge, uint64_t page, uint64_t pages, uint64_t frame)
{
	struct spill *frames = &merge->track->frame_runs;
	spill_varint(frames, page - merge->frame_at);
	spill_varint(frames, pages - 1);
	spill_varint(frames, zigzag(merge->frame_next, frame));
	merge->frame_at = page + pages;
	merge->frame_next = frame + pages;
}

static uint64_t lesser(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* Frames of pages that had none: those that the parent has there, too, are known of it. */
static void note_new_frames(struct merge *merge, const struct track_run *now)
{
	const struct track *parent = merge->track->parent;
	uint64_t end = now->page + now->pages, until;
	for (uint64_t page = now->page; page < end; page = until) {
		const struct track_run *theirs = NULL;
		for (; parent && merge->parent_at < parent->count; merge->parent_at++) {
			theirs = &parent->last[merge->parent_at];
			if (theirs->page + theirs->pages > page)
				break;
			theirs = NULL;
		}
		uint64_t frame = now->frame + (page - now->page);
		bool here = theirs && theirs->page <= page;
		until = !theirs ? end : lesser(end, here ? theirs->page + theirs->pages : theirs->page);
		if (!here || !theirs->frame || theirs->frame + (page - theirs->page) != frame)
			note_frame(merge, page, until - page, frame);
	}
}

static bool goes_on(const struct track_run *last, const struct track_run *next)
{
	bool frames = last->frame ? next->frame == last->frame + last->pages : !next->frame;
	return last->page + last->pages == next->page && last->value == next->value && frames;
}

static void keep(struct merge *merge, const struct track_run *run)
{
	if (merge->rc)
		return;
	if (merge->count && goes_on(&merge->out[merge->count - 1], run)) {
		merge->out[merge->count - 1].pages += run->pages;
		return;
	}
	if (!WORK_ROOM(merge->track->work, merge->out, merge->count, &merge->room, &merge->rc))
		return;
	merge->out[merge->count++] = *run;
}

static void step_instant(struct merge *merge, const struct track_run *before, const struct track_run *now)
{
	uint8_t byte = before->value ^ now->value;
	struct track_run kept = *now;
	if (!now->frame)
		kept.frame = before->frame; /* if it comes back, then in another one */
	else if (!before->frame)
		note_new_frames(merge, now);
	else if (now->frame != before->frame)
		note_frame(merge, now->page, now->pages, now->frame);
	if (now->frame && before->frame && now->frame != before->frame)
		byte |= TRACK_FRAME;
	note_value(merge, now->page, now->pages, byte);
	keep(merge, &kept);
}

static struct track_run cut(const struct track_run *run, uint64_t page, uint64_t pages)
{
	uint64_t frame = run->frame ? run->frame + (page - run->page) : 0;
	return (struct track_run){ .page = page, .pages = pages, .frame = frame, .value = run->value };
}

static uint64_t end_of(const struct track_run *run)
{
	return run->page + run->pages;
}

/* How far from `page` on neither list begins or ends anything, if at least one of them has something there. */
static uint64_t stretch(const struct track_run *a, const struct track_run *b, uint64_t page)
{
	uint64_t end = UINT64_MAX;
	const struct track_run *both[] = { a, b };
	for (int i = 0; i < 2; i++) {
		if (!both[i])
			continue;
		uint64_t edge = both[i]->page > page ? both[i]->page : end_of(both[i]);
		end = edge < end ? edge : end;
	}
	return end - page;
}

static void merge_lists(struct merge *merge, const struct track_run *runs, size_t count)
{
	const struct track *track = merge->track;
	size_t i = 0, j = 0;
	uint64_t page = 0;
	while (!merge->rc && (i < track->count || j < count)) {
		const struct track_run *a = i < track->count ? &track->last[i] : NULL, *b = j < count ? &runs[j] : NULL;
		uint64_t first = a && (!b || a->page < b->page) ? a->page : b->page;
		page = page > first ? page : first;
		uint64_t pages = stretch(a, b, page);
		struct track_run none = { .page = page, .pages = pages };
		struct track_run before = a && a->page <= page ? cut(a, page, pages) : none;
		struct track_run now = b && b->page <= page ? cut(b, page, pages) : none;
		merge->step(merge, &before, &now);
		page += pages;
		i += a && end_of(a) <= page;
		j += b && end_of(b) <= page;
		if (!merge->rc)
			merge->rc = work_step(track->work);
	}
}

/* What was made takes the place of what there was, or nothing changes. */
static int end_merge(struct merge *merge, struct vmsnap_error *err)
{
	struct track *track = merge->track;
	if (merge->rc) {
		work_free(track->work, merge->out, merge->room, sizeof(*merge->out));
		return work_fail(track->work, merge->rc, err);
	}
	work_free(track->work, track->last, track->room, sizeof(*track->last));
	track->last = merge->out;
	track->count = merge->count;
	track->room = merge->room;
	return VMSNAP_OK;
}

static int end_instant(struct track *track, struct vmsnap_error *err)
{
	int rc = VMSNAP_OK;
	if (!WORK_ROOM(track->work, track->bytes, track->instants, &track->instant_room, &rc))
		return work_fail(track->work, rc, err);
	track->bytes[track->instants++] =
	        (struct track_bytes){ .values = track->values.size, .frames = track->frame_runs.size };
	return VMSNAP_OK;
}

int track_skip(struct track *track, struct vmsnap_error *err)
{
	return end_instant(track, err);
}

int track_add(struct track *track, const struct track_run *runs, size_t count, struct vmsnap_error *err)
{
	struct merge merge = { .track = track, .step = step_instant };
	merge_lists(&merge, runs, count);
	put_changed(&merge);
	int rc = end_merge(&merge, err);
	return rc ? rc : end_instant(track, err);
}

/* ---- what moved ------------------------------------------------------------------------- */

/* The frames that the pages of one move had, at the place where they are now. */
static void add_moved(struct merge *moved, const struct track_move *move)
{
	const struct track *track = moved->track;
	for (size_t i = 0; i < track->count; i++) {
		const struct track_run *run = &track->last[i];
		uint64_t first = run->page > move->from ? run->page : move->from;
		uint64_t until = end_of(run) < move->from + move->pages ? end_of(run) : move->from + move->pages;
		if (first >= until)
			continue;
		struct track_run part = cut(run, first, until - first);
		part.page = move->to + (first - move->from);
		part.value = 0;
		keep(moved, &part);
	}
}

/* What is to be seen there is told by the next instant; until then it has what it had. */
static void step_moved(struct merge *merge, const struct track_run *before, const struct track_run *now)
{
	struct track_run kept = *before;
	if (now->frame)
		kept.frame = now->frame;
	keep(merge, &kept);
}

int track_moved(struct track *track, const struct track_move *moves, size_t count, struct vmsnap_error *err)
{
	struct merge moved = { .track = track }, merge = { .track = track, .step = step_moved };
	for (size_t i = 0; i < count; i++)
		add_moved(&moved, &moves[i]);
	merge.rc = moved.rc;
	merge_lists(&merge, moved.out, moved.count);
	work_free(track->work, moved.out, moved.room, sizeof(*moved.out));
	return end_merge(&merge, err);
}

/* ---- numbered --------------------------------------------------------------------------- */

bool track_segment(const struct track *track, size_t *index, uint64_t *page, uint64_t *pages)
{
	if (*index >= track->count)
		return false;
	*page = track->last[*index].page;
	uint64_t end = *page;
	while (*index < track->count && track->last[*index].page == end)
		end = end_of(&track->last[(*index)++]);
	*pages = end - *page;
	return true;
}

uint64_t track_pages(const struct track *track)
{
	uint64_t sum = 0;
	for (size_t i = 0; i < track->count; i++)
		sum += track->last[i].pages;
	return sum;
}

/* Goes along the segments with page numbers that rise. */
struct numbering {
	const struct track *track;
	size_t next;                 /* of track_segment() */
	uint64_t page, pages, first; /* the segment, and the number of its first page */
};

static void numbering_begin(struct numbering *numbering, const struct track *track)
{
	*numbering = (struct numbering){ .track = track };
	track_segment(track, &numbering->next, &numbering->page, &numbering->pages);
}

static uint64_t number_of(struct numbering *numbering, uint64_t page)
{
	while (page >= numbering->page + numbering->pages) {
		numbering->first += numbering->pages;
		if (!track_segment(numbering->track, &numbering->next, &numbering->page, &numbering->pages))
			break;
	}
	return numbering->first + (page - numbering->page);
}

static void put_token(struct spill *to, uint64_t pages, uint8_t byte)
{
	if (pages)
		spill_varint(to, (pages - 1) << 6 | byte);
}

static void write_values(struct spill_reader *from, uint64_t until, const struct track *track, struct spill *to)
{
	struct numbering numbering;
	uint64_t page = 0, at = 0;
	numbering_begin(&numbering, track);
	while (spill_told(from) < until && !from->saved_errno) {
		uint8_t byte = 0;
		page += spill_get_varint(from);
		uint64_t pages = spill_get_varint(from) + 1;
		spill_get(from, &byte, 1);
		uint64_t number = number_of(&numbering, page);
		put_token(to, number - at, 0);
		put_token(to, pages, byte);
		at = number + pages;
		page += pages;
	}
}

static void write_frames(struct spill_reader *from, uint64_t until, const struct track *track, struct spill *to)
{
	struct numbering numbering;
	uint64_t page = 0, at = 0;
	numbering_begin(&numbering, track);
	while (spill_told(from) < until && !from->saved_errno) {
		page += spill_get_varint(from);
		uint64_t pages = spill_get_varint(from) + 1, frame = spill_get_varint(from);
		uint64_t number = number_of(&numbering, page);
		spill_varint(to, number - at);
		spill_varint(to, pages - 1);
		spill_varint(to, frame);
		at = number + pages;
		page += pages;
	}
}

static int write_all(const struct track *track, bool frames, struct spill *to, uint64_t *bytes,
                     struct vmsnap_error *err)
{
	struct spill_reader reader;
	spill_read(&reader, frames ? &track->frame_runs : &track->values);
	for (size_t i = 0; i < track->instants; i++) {
		uint64_t before = to->size;
		if (frames)
			write_frames(&reader, track->bytes[i].frames, track, to);
		else
			write_values(&reader, track->bytes[i].values, track, to);
		bytes[i] = to->size - before;
		int rc = work_ask(track->work);
		if (rc)
			return work_fail(track->work, rc, err);
	}
	if (reader.saved_errno)
		return fail_sys(err, reader.saved_errno, "cannot read a temporary file");
	return VMSNAP_OK;
}

int track_write_values(const struct track *track, struct spill *to, uint64_t *bytes, struct vmsnap_error *err)
{
	return write_all(track, false, to, bytes, err);
}

int track_write_frames(const struct track *track, struct spill *to, uint64_t *bytes, struct vmsnap_error *err)
{
	return write_all(track, true, to, bytes, err);
}
