/* group_frames.h - the frames of several processes in one order: which processes have which.
 *
 * Each run of pages is two events, where its frames begin and where they end (of one frame that is one entry).  Between
 * two events the same processes have all frames, so that what they come to is counted once for the lot: sums go on
 * growing, and who begins to have a frame takes away what they are, and adds what they have become when it ends.  So
 * the cost is one of events, however many processes share. */
#ifndef VMSNAP_GROUP_FRAMES_H
#define VMSNAP_GROUP_FRAMES_H

#include "frames.h"
#include "radix.h"

/* Pages of frames, each once. */
enum group_sum {
	SUM_FRAMES,
	SUM_BY_ALL,
	SUM_WITH, /* shared with another member: one for each enum vmsnap_memory */
	SUM_SOLE = SUM_WITH + VMSNAP_MEMORY_COUNT,
	SUM_OWN,  /* nobody else has it */
	SUM_ONCE, /* mapped once */
	SUM_OWN_UNKNOWN,
	SUM_OUTSIDE,
	SUM_OUTSIDE_UNKNOWN,
	SUM_COUNT
};
/* Of pages, each for itself, in 2^-FRACTION_BITS pages. */
enum group_part { PART_PSS, PART_SHARE, PART_COUNT };
enum { FRACTION_BITS = 40 };
typedef unsigned __int128 group_fraction;

struct group_sums {
	uint64_t sums[SUM_COUNT];
	group_fraction parts[PART_COUNT];
	uint64_t pss_unknown; /* pages */
};

/* What a run of pages is, in 64 bits. */
enum { EVENT_MEMBER_BITS = 24, EVENT_MAPPING_BITS = 32, EVENT_MEMORY_SHIFT = 56, EVENT_EXCLUSIVE_SHIFT = 58 };
/* Of one frame: where it ends is known from where it begins.  Where no two frames are in order it is so with all. */
#define EVENT_SINGLE (UINT64_C(1) << 63)
enum group_exclusive { EXCLUSIVE_UNKNOWN, EXCLUSIVE_NO, EXCLUSIVE_YES };
static inline uint64_t group_event(size_t member, size_t mapping, int memory, int exclusive)
{
	return member | (uint64_t)mapping << EVENT_MEMBER_BITS | (uint64_t)memory << EVENT_MEMORY_SHIFT |
	       (uint64_t)exclusive << EVENT_EXCLUSIVE_SHIFT;
}
static inline int event_exclusive(uint64_t event)
{
	return event >> EVENT_EXCLUSIVE_SHIFT & 3;
}

/* How often frames are mapped by anybody. */
struct group_count {
	uint64_t first, end, count;
};
struct group_counts {
	int (*read)(void *ctx, uint64_t frame, size_t count, uint64_t *counts); /* NULL: what the list says */
	void *ctx;
	struct group_count *items; /* in order, not overlapping */
	size_t count, capacity, next;
};

/* Members that share something, as bits. */
struct group_sharers {
	uint64_t hash;
	uint64_t pages[VMSNAP_MEMORY_COUNT];
};

struct group_frames {
	struct keyed *starts, *ends, *spare; /* events; gone when they are swept */
	size_t count, end_count, capacity, ends_capacity, spare_capacity;
	struct group_counts counts;

	size_t member_count, mapping_count;
	struct group_sums *members, *mappings, all;
	uint64_t by_memory[VMSNAP_MEMORY_COUNT], by_all[VMSNAP_MEMORY_COUNT]; /* pages */
	struct frame_list shared;                                             /* frames that two members or more have */
	struct group_sharers *sharers;
	uint64_t *sharer_bits; /* `words` of each */
	size_t sharer_count, sharer_capacity, bits_capacity, words;
};

/* Room for so many runs, once, before they are added. */
int group_frames_reserve(struct group_frames *frames, size_t runs, struct work *work);
/* Pages from frame `first` on. */
int group_frames_add(struct group_frames *frames, uint64_t first, uint64_t end, uint64_t event, struct work *work);
/* Counts everything, once all are added.  Returns a code of work.h, or VMSNAP_ERR_SYSTEM with *saved_errno from
 * counts.read. */
int group_frames_sweep(struct group_frames *frames, size_t members, size_t mappings, struct work *work,
                       int *saved_errno);
void group_frames_free(struct group_frames *frames, struct work *work);

/* Puts them in order. */
int group_counts_join(struct group_counts *counts, struct work *work);

#endif
