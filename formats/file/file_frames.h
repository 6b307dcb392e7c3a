/* file_frames.h - the frames of a PAGE section (docs/format.md, section 4.4): near
 * one of the places where earlier runs ended, or far and then as a block and a low
 * byte.  Frames take most of a file.  On a fresh machine they count up and down from
 * run to run; on a fragmented one several such sequences are mixed, with frames
 * between them that follow nothing: those cost what their block and their place in
 * it cost, which is less than any difference. */
#ifndef VMSNAP_FILE_FRAMES_H
#define VMSNAP_FILE_FRAMES_H

#include <string.h>

#include "column.h"

enum { FRAME_HEADS = 8, FRAME_BLOCK_BITS = 8 };

/* The latest first, in a ring: most frames put one in front of all others. */
struct frame_heads {
	uint64_t ring[FRAME_HEADS];
	size_t first, count;
};

static inline uint64_t *frame_head(struct frame_heads *heads, size_t index)
{
	return &heads->ring[(heads->first + index) % FRAME_HEADS];
}

static inline void frame_heads_push(struct frame_heads *heads, size_t taken, uint64_t head)
{
	for (size_t i = taken; i > 0; i--)
		*frame_head(heads, i) = *frame_head(heads, i - 1);
	*frame_head(heads, 0) = head;
}

static inline void frame_heads_far(struct frame_heads *heads, uint64_t head)
{
	heads->first = (heads->first + FRAME_HEADS - 1) % FRAME_HEADS;
	heads->ring[heads->first] = head;
	heads->count += heads->count < FRAME_HEADS;
}

/* ---- writing ---- */

struct frame_writer {
	struct frame_heads heads;
	uint8_t *head, *near;
	uint64_t *far; /* frames; once finished, block index and low byte */
	uint64_t *blocks;
	size_t count, near_count, far_count, block_count;
	uint64_t *bits; /* scratch */
	uint32_t *before;
};
/* Room for `most` frames. */
bool frame_writer_init(struct frame_writer *writer, size_t most);
void frame_writer_free(struct frame_writer *writer);
void frame_writer_clear(struct frame_writer *writer); /* for another section */
void frame_writer_add(struct frame_writer *writer, uint64_t frame, uint64_t pages);
/* After the last one: finds the blocks. */
void frame_writer_finish(struct frame_writer *writer);
/* Bits shift to shift + 7 of each of `far`; far_count bytes. */
void frame_writer_bytes(const struct frame_writer *writer, unsigned shift, uint8_t *out);
/* The blocks, each minus the one before; block_count numbers. */
void frame_writer_gaps(const struct frame_writer *writer, uint64_t *out);

/* ---- reading ---- */

struct frame_reader {
	struct frame_heads heads;
	const uint8_t *head, *near, *low, *high, *far;
	uint64_t *blocks;
};
/* Takes the columns of `count` frames and `block_count` blocks off the payload and
 * proves their lengths and indices.  False: damage, or *no_memory. */
bool frame_reader_open(struct frame_reader *reader, struct cursor *payload, size_t count, uint64_t block_count,
                       bool *no_memory);
void frame_reader_close(struct frame_reader *reader);

/* The next frame; *bad is set where it is near a head that there is not. */
static inline uint64_t frame_reader_next(struct frame_reader *reader, uint64_t pages, bool *bad)
{
	size_t near = *reader->head++;
	uint64_t frame;
	if (!near) {
		size_t block = (size_t)(*reader->low++ | *reader->high++ << 8);
		frame = reader->blocks[block] << FRAME_BLOCK_BITS | *reader->far++;
		frame_heads_far(&reader->heads, frame + pages);
		return frame;
	}
	if (near > reader->heads.count) {
		*bad = true;
		return 0;
	}
	frame = *frame_head(&reader->heads, near - 1) + unzigzag(*reader->near++);
	frame_heads_push(&reader->heads, near - 1, frame + pages);
	return frame;
}

#endif
