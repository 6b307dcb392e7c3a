#define _GNU_SOURCE
#include "group_frames.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "thread.h"

enum { WINDOW = 512 };

/* ---- how often frames are mapped by anybody --------------------------------------------- */

/* What is read of them at once. */
struct window {
	uint64_t first, counts[WINDOW];
	size_t count;
};

static int by_first(const void *x, const void *y, const void *ctx)
{
	const struct group_count *a = x, *b = y;
	(void)ctx;
	return (a->first > b->first) - (a->first < b->first);
}

int group_counts_join(struct group_counts *counts, struct work *work)
{
	int rc = work_sort(work, counts->items, counts->count, sizeof(*counts->items), by_first, NULL);
	size_t kept = 0;
	for (size_t i = 0; !rc && i < counts->count; i++) {
		struct group_count item = counts->items[i];
		struct group_count *last = kept ? &counts->items[kept - 1] : NULL;
		if (last && item.first < last->end)
			item.first = last->end;
		if (item.first >= item.end)
			continue;
		if (last && last->end == item.first && last->count == item.count)
			last->end = item.end;
		else
			counts->items[kept++] = item;
	}
	if (!rc)
		counts->count = kept;
	return rc;
}

/* ---- the sweep --------------------------------------------------------------------------- */

struct sweep {
	struct group_frames *frames;
	struct work *work;
	int *saved_errno;
	struct window window;
	uint64_t at;
	uint32_t *of_member, *of_mapping;      /* pages of each that begin and have not ended */
	size_t pages, members;                 /* of all of them; members that have any */
	size_t of_memory[VMSNAP_MEMORY_COUNT]; /* pages by whose they are */
	uint64_t event;                        /* of the only one, if there is one */
	uint64_t hash;                         /* of the members that have any */
	size_t begun;                          /* how many events that begin something were taken */
	uint32_t *table;                       /* of sharers, by hash: index + 1 */
	size_t table_size;
};

/* A number for each member, such that sets of them have others: splitmix64. */
static uint64_t hash_of_member(uint64_t member)
{
	uint64_t x = (member + 1) * UINT64_C(0x9e3779b97f4a7c15);
	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

/* How many frames from `at` on to read at once.  One costs some 80 ns, a system call some 400; what is exclusive need
 * not be read. */
static size_t window_size(const struct sweep *sweep, uint64_t at, uint64_t wanted)
{
	enum { GAP = 6 };
	const struct group_frames *frames = sweep->frames;
	uint64_t size = wanted;
	for (size_t i = sweep->begun; i < frames->count && size < WINDOW; i++) {
		uint64_t distance = frames->starts[i].key - at;
		if (distance > size + GAP)
			break;
		if (event_exclusive(frames->starts[i].value) != EXCLUSIVE_YES && distance >= size)
			size = distance + 1;
	}
	return size < WINDOW ? (size_t)size : WINDOW;
}

static int read_window(struct sweep *sweep, uint64_t at, uint64_t wanted)
{
	const struct group_counts *counts = &sweep->frames->counts;
	struct window *window = &sweep->window;
	size_t size = window_size(sweep, at, wanted);
	int error = counts->read(counts->ctx, at, size, window->counts);
	window->first = at;
	window->count = error ? 0 : size;
	return error;
}

/* How often frames from `at` on are mapped; *end is lowered to where that is so. */
static int count_at(struct sweep *sweep, uint64_t at, uint64_t *end, uint64_t *count, bool *known)
{
	struct group_counts *counts = &sweep->frames->counts;
	struct window *window = &sweep->window;
	*known = false;
	if (counts->read) {
		int error = at - window->first < window->count ? 0 : read_window(sweep, at, *end - at);
		if (error) {
			*sweep->saved_errno = error;
			return VMSNAP_ERR_SYSTEM;
		}
		size_t first = (size_t)(at - window->first), i = first + 1;
		while (i < window->count && i - first < *end - at && window->counts[i] == window->counts[first])
			i++;
		*count = window->counts[first];
		*known = true;
		*end = at + (i - first);
		return work_step(sweep->work);
	}
	while (counts->next < counts->count && counts->items[counts->next].end <= at)
		counts->next++;
	if (counts->next == counts->count)
		return VMSNAP_OK;
	const struct group_count *item = &counts->items[counts->next];
	uint64_t until = item->first > at ? item->first : item->end;
	*known = item->first <= at;
	*count = item->count;
	*end = until < *end ? until : *end;
	return VMSNAP_OK;
}

static int memory_of(const struct sweep *sweep)
{
	int memory = VMSNAP_MEMORY_COUNT - 1;
	while (memory > 0 && !sweep->of_memory[memory])
		memory--;
	return memory;
}

static int exclusive_of(const struct sweep *sweep)
{
	return sweep->pages == 1 ? event_exclusive(sweep->event) : EXCLUSIVE_NO;
}

static group_fraction divided(uint64_t pages, uint64_t by)
{
	group_fraction whole = (group_fraction)pages << FRACTION_BITS;
	return by == 1 ? whole : whole / by;
}

/* mapped: how often in all, 0: not known. */
static void count_frames(struct sweep *sweep, uint64_t pages, uint64_t mapped, int memory)
{
	struct group_frames *frames = sweep->frames;
	uint64_t *sums = frames->all.sums;
	bool by_all = sweep->members == frames->member_count, sole = sweep->members == 1;
	sums[SUM_FRAMES] += pages;
	frames->by_memory[memory] += pages;
	if (by_all) {
		sums[SUM_BY_ALL] += pages;
		frames->by_all[memory] += pages;
	}
	sums[sole ? SUM_SOLE : SUM_WITH + memory] += pages;
	group_fraction share = divided(pages, sweep->pages);
	frames->all.parts[PART_SHARE] += share;
	if (mapped)
		frames->all.parts[PART_PSS] += mapped == sweep->pages ? share : divided(pages, mapped);
	else
		frames->all.pss_unknown += pages;
	/* That it is not exclusive is known, but not how many have it. */
	bool others = mapped > sweep->pages || (!mapped && sweep->pages == 1 && exclusive_of(sweep) == EXCLUSIVE_NO);
	if (others)
		sums[SUM_OUTSIDE] += pages;
	else if (!mapped)
		sums[SUM_OUTSIDE_UNKNOWN] += pages;
	if (sole && mapped == sweep->pages)
		sums[SUM_OWN] += pages;
	if (mapped == 1)
		sums[SUM_ONCE] += pages;
	if (sole && !mapped && !others)
		sums[SUM_OWN_UNKNOWN] += pages;
}

static int count_until(struct sweep *sweep, uint64_t end, int memory)
{
	if (exclusive_of(sweep) == EXCLUSIVE_YES) {
		count_frames(sweep, end - sweep->at, 1, memory);
		return VMSNAP_OK;
	}
	int rc = VMSNAP_OK;
	for (uint64_t at = sweep->at, until; !rc && at < end; at = until) {
		uint64_t count = 0;
		bool known;
		until = end;
		rc = count_at(sweep, at, &until, &count, &known);
		/* The kernel was asked a moment later: who had it then had it. */
		uint64_t mapped = !known ? 0 : count > sweep->pages ? count : sweep->pages;
		if (!rc)
			count_frames(sweep, until - at, mapped, memory);
	}
	return rc;
}

/* ---- who shares ---- */

static int grow_table(struct sweep *sweep)
{
	size_t size = sweep->table_size ? 2 * sweep->table_size : 256;
	int rc = VMSNAP_OK;
	uint32_t *table = work_array(sweep->work, size, sizeof(*table), &rc);
	if (rc)
		return rc;
	for (size_t i = 0; i < sweep->frames->sharer_count; i++) {
		size_t place = (size_t)sweep->frames->sharers[i].hash & (size - 1);
		while (table[place])
			place = (place + 1) & (size - 1);
		table[place] = (uint32_t)i + 1;
	}
	work_free(sweep->work, sweep->table, sweep->table_size, sizeof(*table));
	sweep->table = table;
	sweep->table_size = size;
	return rc;
}

static int new_sharers(struct sweep *sweep, size_t place)
{
	struct group_frames *frames = sweep->frames;
	int rc = frames->sharer_count < UINT32_MAX - 1 ? VMSNAP_OK : VMSNAP_ERR_TOO_LARGE;
	if (!WORK_ROOM(sweep->work, frames->sharers, frames->sharer_count, &frames->sharer_capacity, &rc))
		return rc;
	frames->sharer_bits = work_grow(sweep->work, frames->sharer_bits, frames->sharer_count, &frames->bits_capacity,
	                                frames->words * sizeof(uint64_t), &rc);
	if (rc)
		return rc;
	uint64_t *bits = frames->sharer_bits + frames->sharer_count * frames->words;
	memset(bits, 0, frames->words * sizeof(*bits));
	for (size_t i = 0; i < frames->member_count; i++)
		bits[i / 64] |= (uint64_t)(sweep->of_member[i] != 0) << i % 64;
	frames->sharers[frames->sharer_count] = (struct group_sharers){ .hash = sweep->hash };
	sweep->table[place] = (uint32_t)++frames->sharer_count;
	return VMSNAP_OK;
}

static int count_sharers(struct sweep *sweep, uint64_t pages, int memory)
{
	int rc = sweep->frames->sharer_count * 2 < sweep->table_size ? VMSNAP_OK : grow_table(sweep);
	if (rc)
		return rc;
	size_t place = (size_t)sweep->hash & (sweep->table_size - 1);
	while (sweep->table[place] && sweep->frames->sharers[sweep->table[place] - 1].hash != sweep->hash)
		place = (place + 1) & (sweep->table_size - 1);
	if (!sweep->table[place])
		rc = new_sharers(sweep, place);
	if (!rc)
		sweep->frames->sharers[sweep->table[place] - 1].pages[memory] += pages;
	return rc;
}

static int note_shared(struct sweep *sweep, uint64_t end)
{
	struct frame_list *shared = &sweep->frames->shared;
	int rc = VMSNAP_OK;
	if (shared->count && shared->items[shared->count - 1].end == sweep->at) {
		shared->items[shared->count - 1].end = end;
		return rc;
	}
	if (!WORK_ROOM(sweep->work, shared->items, shared->count, &shared->capacity, &rc))
		return rc;
	shared->items[shared->count++] = (struct frame_range){ sweep->at, end };
	return rc;
}

/* ---- events ---- */

static int advance(struct sweep *sweep, uint64_t to)
{
	int rc = work_step(sweep->work);
	if (!rc && sweep->pages && to > sweep->at) {
		int memory = memory_of(sweep);
		rc = count_until(sweep, to, memory);
		if (!rc && sweep->members > 1) {
			rc = count_sharers(sweep, to - sweep->at, memory);
			rc = rc ? rc : note_shared(sweep, to);
		}
	}
	sweep->at = to;
	return rc;
}

/* What the sums are goes away when something begins, and what they have become comes when it ends. */
static inline void add_sums(uint64_t *to, const uint64_t *sums, bool begins)
{
	for (int i = 0; i < SUM_COUNT; i++)
		to[i] += begins ? 0 - sums[i] : sums[i];
}
static inline void add_parts(struct group_sums *to, const struct group_sums *sums, bool begins)
{
	for (int i = 0; i < PART_COUNT; i++)
		to->parts[i] += begins ? 0 - sums->parts[i] : sums->parts[i];
	to->pss_unknown += begins ? 0 - sums->pss_unknown : sums->pss_unknown;
}

static void take_event(struct sweep *sweep, uint64_t event, bool begins)
{
	struct group_frames *frames = sweep->frames;
	const struct group_sums *all = &frames->all;
	size_t member = event & ((1u << EVENT_MEMBER_BITS) - 1);
	size_t mapping = event >> EVENT_MEMBER_BITS & UINT32_MAX;
	size_t memory = event >> EVENT_MEMORY_SHIFT & 3;
	uint32_t step = begins ? 1 : UINT32_MAX;
	if (sweep->of_member[member] == !begins) {
		add_sums(frames->members[member].sums, all->sums, begins);
		sweep->members += begins ? 1 : SIZE_MAX;
		sweep->hash ^= hash_of_member(member);
	}
	if (sweep->of_mapping[mapping] == !begins)
		add_sums(frames->mappings[mapping].sums, all->sums, begins);
	add_parts(&frames->members[member], all, begins);
	add_parts(&frames->mappings[mapping], all, begins);
	sweep->of_member[member] += step;
	sweep->of_mapping[mapping] += step;
	sweep->of_memory[memory] += begins ? 1 : SIZE_MAX;
	sweep->pages += begins ? 1 : SIZE_MAX;
	sweep->event ^= event;
}

/* The next event that ends something: of those that were put down, or of a single frame. */
struct next_end {
	size_t ended, single; /* of ends, and of starts: those before are done */
};

static bool next_end(const struct group_frames *frames, struct next_end *next, struct keyed *out, bool *is_single)
{
	while (next->single < frames->count && !(frames->starts[next->single].value & EVENT_SINGLE))
		next->single++;
	bool longer = next->ended < frames->end_count, single = next->single < frames->count;
	uint64_t single_end = single ? frames->starts[next->single].key + 1 : 0;
	*is_single = single && (!longer || single_end < frames->ends[next->ended].key);
	if (*is_single)
		*out = (struct keyed){ single_end, frames->starts[next->single].value };
	else if (longer)
		*out = frames->ends[next->ended];
	return longer || single;
}

static int take_events(struct sweep *sweep)
{
	const struct group_frames *frames = sweep->frames;
	struct next_end next = { 0 };
	struct keyed event;
	bool single;
	int rc = VMSNAP_OK;
	while (!rc && next_end(frames, &next, &event, &single)) {
		bool begins = sweep->begun < frames->count && frames->starts[sweep->begun].key < event.key;
		if (begins)
			event = frames->starts[sweep->begun++];
		else if (single)
			next.single++;
		else
			next.ended++;
		if (event.key != sweep->at)
			rc = advance(sweep, event.key);
		if (!rc)
			take_event(sweep, event.value & ~EVENT_SINGLE, begins);
	}
	return rc;
}

/* Large ones of huge pages, where there can be: to make 20,000 small ones takes as long as to sort what is in them. */
static struct keyed *new_events(struct work *work, size_t capacity, int *rc)
{
	enum { HUGE_PAGE = 2 << 20 };
	size_t size = capacity * sizeof(struct keyed);
	if (size < HUGE_PAGE)
		return work_array(work, capacity, sizeof(struct keyed), rc);
	void *events = NULL;
	*rc = *rc                                              ? *rc
	      : capacity > SIZE_MAX / sizeof(struct keyed) / 2 ? VMSNAP_ERR_TOO_LARGE
	                                                       : work_charge(work, size);
	if (*rc)
		return NULL;
	if (posix_memalign(&events, HUGE_PAGE, size)) {
		work_release(work, size);
		*rc = VMSNAP_ERR_NO_MEMORY;
		return NULL;
	}
	(void)madvise(events, size, MADV_HUGEPAGE);
	return events;
}

int group_frames_reserve(struct group_frames *frames, size_t runs, struct work *work)
{
	int rc = VMSNAP_OK;
	frames->starts = new_events(work, runs, &rc);
	frames->ends = new_events(work, runs, &rc);
	frames->capacity = frames->starts ? runs : 0;
	frames->ends_capacity = frames->ends ? runs : 0;
	return rc;
}

int group_frames_add(struct group_frames *frames, uint64_t first, uint64_t end, uint64_t event, struct work *work)
{
	if (frames->count == frames->ends_capacity)
		return VMSNAP_ERR_TOO_LARGE;
	bool single = end - first == 1;
	frames->starts[frames->count++] = (struct keyed){ first, single ? event | EVENT_SINGLE : event };
	if (!single)
		frames->ends[frames->end_count++] = (struct keyed){ end, event };
	return work_step(work);
}

static void free_events(struct group_frames *frames, struct work *work)
{
	work_free(work, frames->starts, frames->capacity, sizeof(struct keyed));
	work_free(work, frames->ends, frames->ends_capacity, sizeof(struct keyed));
	work_free(work, frames->spare, frames->spare_capacity, sizeof(struct keyed));
	frames->starts = frames->ends = frames->spare = NULL;
	frames->capacity = frames->ends_capacity = frames->spare_capacity = 0;
}

/* One of the two arrays, sorted in a thread of its own. */
struct sorting {
	struct keyed *items, *spare;
	size_t count;
	struct work work; /* nobody is asked: that is for the caller's thread */
	int rc;
	bool threaded;
	pthread_t thread;
};

static void *sort_here(void *argument)
{
	struct sorting *sorting = argument;
	sorting->rc = radix_sort(&sorting->work, &sorting->items, &sorting->spare, sorting->count);
	return NULL;
}

/* Ends are sorted beside starts, where that is worth a thread. */
static int sort_both(struct group_frames *frames, struct keyed *ends_spare, struct work *work)
{
	enum { WORTH_A_THREAD = 1 << 16 };
	struct sorting ends = { .items = frames->ends,
		                .spare = ends_spare,
		                .count = frames->end_count,
		                .work = { .limit = WORK_UNLIMITED } };
	ends.threaded =
	        frames->end_count >= WORTH_A_THREAD && !thread_start_unsignalled(&ends.thread, sort_here, &ends);
	int rc = radix_sort(work, &frames->starts, &frames->spare, frames->count);
	if (ends.threaded)
		pthread_join(ends.thread, NULL);
	else
		sort_here(&ends);
	frames->ends = ends.items;
	work_free(work, ends.spare, frames->capacity, sizeof(struct keyed));
	return rc ? rc : ends.rc;
}

/* All have room for as many, and change places. */
static int sort_events(struct group_frames *frames, struct work *work)
{
	int rc = VMSNAP_OK;
	frames->spare = new_events(work, frames->capacity, &rc);
	frames->spare_capacity = rc ? 0 : frames->capacity;
	struct keyed *ends_spare = new_events(work, frames->capacity, &rc);
	return rc ? rc : sort_both(frames, ends_spare, work);
}

int group_frames_sweep(struct group_frames *frames, size_t members, size_t mappings, struct work *work,
                       int *saved_errno)
{
	struct sweep sweep = { .frames = frames, .work = work, .saved_errno = saved_errno };
	int rc = VMSNAP_OK;
	frames->member_count = members;
	frames->mapping_count = mappings;
	frames->words = (members + 63) / 64;
	frames->members = work_array(work, members, sizeof(*frames->members), &rc);
	frames->mappings = work_array(work, mappings, sizeof(*frames->mappings), &rc);
	sweep.of_member = work_array(work, members, sizeof(*sweep.of_member), &rc);
	sweep.of_mapping = work_array(work, mappings, sizeof(*sweep.of_mapping), &rc);
	rc = rc ? rc : sort_events(frames, work);
	rc = rc ? rc : take_events(&sweep);
	work_free(work, sweep.of_member, members, sizeof(*sweep.of_member));
	work_free(work, sweep.of_mapping, mappings, sizeof(*sweep.of_mapping));
	work_free(work, sweep.table, sweep.table_size, sizeof(*sweep.table));
	free_events(frames, work);
	return rc;
}

void group_frames_free(struct group_frames *frames, struct work *work)
{
	free_events(frames, work);
	frames_free(&frames->shared, work);
	work_free(work, frames->counts.items, frames->counts.capacity, sizeof(*frames->counts.items));
	work_free(work, frames->members, frames->member_count, sizeof(*frames->members));
	work_free(work, frames->mappings, frames->mapping_count, sizeof(*frames->mappings));
	work_free(work, frames->sharers, frames->sharer_capacity, sizeof(*frames->sharers));
	work_free(work, frames->sharer_bits, frames->bits_capacity, frames->words * sizeof(*frames->sharer_bits));
	*frames = (struct group_frames){ 0 };
}
