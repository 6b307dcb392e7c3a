/* track.h - a value of five bits for each page that ever had one, over all instants of a report: the states of a
 * process's pages, or verdicts on those of a fork.  One pass: what is kept in memory is what each page had last.
 *
 * Written are, of each instant, runs of pages whose value or frame is another than before: LEB128 of
 * (length - 1) << 6 | (value XOR value before), pages counted through all that the track has, those that stay as
 * they are as a run of 0.  Of a track of states bit 5 says that the frame is not the last one that was known of
 * that page, and frames follow apart. */
#ifndef VMSNAP_HTML_TRACK_H
#define VMSNAP_HTML_TRACK_H

#include "spill.h"

enum { TRACK_FRAME = 32 }; /* in what is written; values of such tracks are below it */

struct track_run {
	uint64_t page, pages;
	uint64_t frame; /* of the first page, the others follow; 0: not known, or none */
	uint8_t value;
};
struct track {
	struct track_run *last; /* what each page had last, by address; with frames that were known last */
	size_t count, room;
	bool frames;
	/* During its first instant: of another process, from which it was forked.  Frames that both have are not
	 * written. */
	const struct track *parent;
	struct spill values, frame_runs; /* by page number, of each instant: see track.c */
	struct track_bytes {
		uint64_t values, frames;
	} * bytes; /* of each instant until now */
	size_t instants, instant_room;
	struct work *work;
};
void track_init(struct track *track, bool frames, struct work *work);
void track_free(struct track *track);

/* Instant after instant: the pages that have a value then, in the order of their addresses. */
int track_add(struct track *track, const struct track_run *runs, size_t count, struct vmsnap_error *err);
/* One at which nothing is known of it. */
int track_skip(struct track *track, struct vmsnap_error *err);
/* Before track_add(): pages that went to another address take along what was known of their frames. */
struct track_move {
	uint64_t from, to, pages;
};
/* In the order of where they went to, and none over another. */
int track_moved(struct track *track, const struct track_move *moves, size_t count, struct vmsnap_error *err);

/* Pages that ever had a value: segments, in the order of their addresses. */
uint64_t track_pages(const struct track *track);
bool track_segment(const struct track *track, size_t *index, uint64_t *page, uint64_t *pages);
/* Writes them by number within the segments.  bytes: of each instant, how many it wrote. */
int track_write_values(const struct track *track, struct spill *to, uint64_t *bytes, struct vmsnap_error *err);
int track_write_frames(const struct track *track, struct spill *to, uint64_t *bytes, struct vmsnap_error *err);

#endif
