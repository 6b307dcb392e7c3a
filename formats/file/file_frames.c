#include "file_frames.h"

#include <stdlib.h>

/* As in column.c. */
#if defined(__GNUC__) && !defined(__clang__) && defined(__OPTIMIZE__)
#pragma GCC optimize("O3")
#endif

#define FRAME_BLOCK_MAX ((UINT64_C(1) << (55 - FRAME_BLOCK_BITS)) - 1)

enum {
	NEAR_MAX = 64,            /* farther than this, a block costs less */
	HEAD_COST = 8,            /* how much nearer an older head must be */
	BLOCK_SPAN_MAX = 1 << 20, /* in a table of bits: 1 TiB of memory */
};

bool frame_writer_init(struct frame_writer *writer, size_t most)
{
	enum { WORDS = BLOCK_SPAN_MAX / 64 };
	*writer = (struct frame_writer){ .far = malloc((most + 1) * sizeof(uint64_t)),
		                         .blocks = malloc((most + 1) * sizeof(uint64_t)),
		                         .bits = malloc(WORDS * sizeof(uint64_t)),
		                         .before = malloc(WORDS * sizeof(uint32_t)),
		                         .head = malloc(most + 1),
		                         .near = malloc(most + 1) };
	if (writer->far && writer->blocks && writer->bits && writer->before && writer->head && writer->near)
		return true;
	frame_writer_free(writer);
	return false;
}

void frame_writer_free(struct frame_writer *writer)
{
	free(writer->far);
	free(writer->blocks);
	free(writer->bits);
	free(writer->before);
	free(writer->head);
	free(writer->near);
	*writer = (struct frame_writer){ 0 };
}

void frame_writer_clear(struct frame_writer *writer)
{
	writer->heads.count = 0;
	writer->count = writer->near_count = writer->far_count = writer->block_count = 0;
}

void frame_writer_add(struct frame_writer *writer, uint64_t frame, uint64_t pages)
{
	uint64_t best = UINT64_MAX, difference = 0;
	size_t chosen = 0;
	for (size_t i = 0; i < writer->heads.count; i++) {
		uint64_t distance = zigzag(frame - *frame_head(&writer->heads, i));
		if (distance < NEAR_MAX && distance + i * HEAD_COST < best) {
			best = distance + i * HEAD_COST;
			difference = distance;
			chosen = i + 1;
		}
	}
	writer->head[writer->count++] = (uint8_t)chosen;
	if (chosen) {
		writer->near[writer->near_count++] = (uint8_t)difference;
		frame_heads_push(&writer->heads, chosen - 1, frame + pages);
	} else {
		writer->far[writer->far_count++] = frame;
		frame_heads_far(&writer->heads, frame + pages);
	}
}

/* ---- blocks: which there are, and the index of each in their order ------------- */

static void add_block(struct frame_writer *writer, uint64_t block)
{
	writer->blocks[writer->block_count++] = block;
}

static int by_number(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return x < y ? -1 : x > y;
}

/* For frames far apart, as no machine of today has them. */
static void blocks_by_sorting(struct frame_writer *writer)
{
	size_t count = writer->far_count;
	uint64_t *blocks = writer->blocks;
	for (size_t i = 0; i < count; i++)
		blocks[i] = writer->far[i] >> FRAME_BLOCK_BITS;
	qsort(blocks, count, sizeof(*blocks), by_number);
	for (size_t i = 0; i < count; i++)
		if (!writer->block_count || blocks[i] != blocks[writer->block_count - 1])
			add_block(writer, blocks[i]);
	for (size_t i = 0; i < count; i++) {
		uint64_t block = writer->far[i] >> FRAME_BLOCK_BITS;
		const uint64_t *found = bsearch(&block, blocks, writer->block_count, sizeof(block), by_number);
		writer->far[i] = (uint64_t)(found - blocks) << FRAME_BLOCK_BITS | (writer->far[i] & 0xff);
	}
}

/* A bit for each block, and how many bits there are before each word. */
static void blocks_by_bits(struct frame_writer *writer, uint64_t first, size_t words)
{
	memset(writer->bits, 0, words * sizeof(*writer->bits));
	for (size_t i = 0; i < writer->far_count; i++) {
		uint64_t bit = (writer->far[i] >> FRAME_BLOCK_BITS) - first;
		writer->bits[bit / 64] |= UINT64_C(1) << bit % 64;
	}
	for (size_t w = 0; w < words; w++) {
		writer->before[w] = (uint32_t)writer->block_count;
		for (uint64_t left = writer->bits[w]; left; left &= left - 1)
			add_block(writer, first + w * 64 + (uint64_t)__builtin_ctzll(left));
	}
	for (size_t i = 0; i < writer->far_count; i++) {
		uint64_t bit = (writer->far[i] >> FRAME_BLOCK_BITS) - first;
		uint64_t lower = writer->bits[bit / 64] & ((UINT64_C(1) << bit % 64) - 1);
		uint64_t index = writer->before[bit / 64] + (uint64_t)__builtin_popcountll(lower);
		writer->far[i] = index << FRAME_BLOCK_BITS | (writer->far[i] & 0xff);
	}
}

void frame_writer_finish(struct frame_writer *writer)
{
	uint64_t first = UINT64_MAX, last = 0;
	for (size_t i = 0; i < writer->far_count; i++) {
		uint64_t block = writer->far[i] >> FRAME_BLOCK_BITS;
		first = block < first ? block : first;
		last = block > last ? block : last;
	}
	if (!writer->far_count)
		return;
	if (last - first < BLOCK_SPAN_MAX)
		blocks_by_bits(writer, first, (size_t)(last - first) / 64 + 1);
	else
		blocks_by_sorting(writer);
}

void frame_writer_bytes(const struct frame_writer *writer, unsigned shift, uint8_t *out)
{
	for (size_t i = 0; i < writer->far_count; i++)
		out[i] = (uint8_t)(writer->far[i] >> shift);
}

void frame_writer_gaps(const struct frame_writer *writer, uint64_t *out)
{
	for (size_t i = 0; i < writer->block_count; i++)
		out[i] = writer->blocks[i] - (i ? writer->blocks[i - 1] : 0);
}

/* ---- reading ------------------------------------------------------------------- */

static bool take_exactly(struct cursor *payload, size_t len, const uint8_t **out)
{
	struct cursor column;
	if (!take_column(payload, &column) || cursor_left(&column) != len)
		return false;
	*out = column.at;
	return true;
}

static bool blocks_ascend(uint64_t *blocks, size_t count)
{
	uint64_t block = 0;
	for (size_t i = 0; i < count; i++) {
		if ((i && !blocks[i]) || blocks[i] > FRAME_BLOCK_MAX - block)
			return false;
		block += blocks[i];
		blocks[i] = block;
	}
	return true;
}

static bool indices_below(const struct frame_reader *reader, size_t far_count, size_t block_count)
{
	size_t highest = 0;
	for (size_t i = 0; i < far_count; i++) {
		size_t index = (size_t)(reader->low[i] | reader->high[i] << 8);
		highest = index > highest ? index : highest;
	}
	return !far_count || highest < block_count;
}

bool frame_reader_open(struct frame_reader *reader, struct cursor *payload, size_t count, uint64_t block_count,
                       bool *no_memory)
{
	*reader = (struct frame_reader){ 0 };
	if (!take_exactly(payload, count, &reader->head))
		return false;
	size_t far_count = 0;
	for (size_t i = 0; i < count; i++)
		far_count += !reader->head[i];
	if (block_count > far_count || !take_exactly(payload, count - far_count, &reader->near))
		return false;
	reader->blocks = malloc((size_t)(block_count + 1) * sizeof(uint64_t));
	if (!reader->blocks) {
		*no_memory = true;
		return false;
	}
	return take_numbers(payload, reader->blocks, (size_t)block_count) &&
	       blocks_ascend(reader->blocks, (size_t)block_count) && take_exactly(payload, far_count, &reader->low) &&
	       take_exactly(payload, far_count, &reader->high) &&
	       indices_below(reader, far_count, (size_t)block_count) && take_exactly(payload, far_count, &reader->far);
}

void frame_reader_close(struct frame_reader *reader)
{
	free(reader->blocks);
	reader->blocks = NULL;
}
