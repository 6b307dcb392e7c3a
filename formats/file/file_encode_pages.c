/* file_encode_pages.c - PAGE: runs to columns. */
#include <inttypes.h>
#include <string.h>

#include "error.h"
#include "file_encode.h"

enum { STATES_MAX = 256, STATE_TABLE = 512, NO_STATE = 0xffff };

/* One payload on its way. */
struct page_columns {
	struct page_encoder *encoder;
	size_t count, swapped;
	uint64_t base, page; /* first page; where the last run ended */
	uint16_t state_of[STATE_TABLE];
	uint64_t flags[STATES_MAX];
	size_t state_count;
};

static void next_batch(struct page_encoder *encoder)
{
	encoder->next = 0;
	if (!encoder->absent_too) {
		encoder->batched = vmsnap_run_read(&encoder->runs, encoder->batch, ENCODE_BATCH);
		return;
	}
	encoder->batched = encoder->given_left < ENCODE_BATCH ? encoder->given_left : ENCODE_BATCH;
	if (!encoder->batched)
		return;
	memcpy(encoder->batch, encoder->given, encoder->batched * sizeof(*encoder->batch));
	encoder->given += encoder->batched;
	encoder->given_left -= encoder->batched;
}

static int begin(struct page_encoder *encoder, const struct vmsnap *snap, struct vmsnap_error *err)
{
	encoder->page_size = vmsnap_info(snap)->page_size;
	encoder->frames_known = vmsnap_info(snap)->known.pfn;
	next_batch(encoder);
	/* Of most processes the first batch is all; room that is not used costs nothing. */
	size_t most = encoder->batched < ENCODE_BATCH ? encoder->batched : ENCODE_RUNS_MAX;
	encoder->gaps = malloc((most + 1) * (2 * sizeof(uint64_t) + 2));
	if (!encoder->gaps || !frame_writer_init(&encoder->frames, most)) {
		page_encoder_free(encoder);
		return fail_no_memory(err);
	}
	encoder->lengths = encoder->gaps + most;
	encoder->states = (uint8_t *)(encoder->lengths + most);
	encoder->swap_types = encoder->states + most;
	return VMSNAP_OK;
}

int page_encoder_init(struct page_encoder *encoder, const struct vmsnap *snap, struct vmsnap_error *err)
{
	*encoder = (struct page_encoder){ 0 };
	vmsnap_run_iter_init(&encoder->runs, snap, 0, UINT64_MAX);
	return begin(encoder, snap, err);
}

int page_encoder_init_difference(struct page_encoder *encoder, const struct vmsnap *snap, const struct vmsnap_run *runs,
                                 size_t count, struct vmsnap_error *err)
{
	*encoder = (struct page_encoder){ .given = runs, .given_left = count, .absent_too = true };
	return begin(encoder, snap, err);
}

void page_encoder_free(struct page_encoder *encoder)
{
	free(encoder->gaps);
	frame_writer_free(&encoder->frames);
	*encoder = (struct page_encoder){ 0 };
}

bool page_encoder_more(const struct page_encoder *encoder)
{
	return encoder->next < encoder->batched;
}

static inline void add_frame(struct page_columns *columns, const struct vmsnap_run *run, uint64_t pages)
{
	struct page_encoder *encoder = columns->encoder;
	if (run->flags & VMSNAP_PAGE_SWAPPED)
		encoder->swap_types[columns->swapped++] = (uint8_t)run->swap_type;
	frame_writer_add(&encoder->frames, run->flags & VMSNAP_PAGE_SWAPPED ? run->swap_offset : run->pfn, pages);
}

/* Takes runs until the payload is full. */
static bool fill(struct page_columns *columns)
{
	struct page_encoder *encoder = columns->encoder;
	unsigned shift = (unsigned)__builtin_ctzll(encoder->page_size);
	while (page_encoder_more(encoder) && columns->count < ENCODE_RUNS_MAX) {
		const struct vmsnap_run *run = &encoder->batch[encoder->next];
		uint64_t page = run->start >> shift, pages = (run->end - run->start) >> shift;
		size_t state = columns->state_of[run->flags];
		if (state == NO_STATE) {
			if (columns->state_count == STATES_MAX)
				break;
			state = columns->state_count++;
			columns->state_of[run->flags] = (uint16_t)state;
			columns->flags[state] = run->flags;
		}
		if (page < columns->page)
			return false;
		size_t row = columns->count++;
		encoder->states[row] = (uint8_t)state;
		encoder->gaps[row] = page - columns->page;
		encoder->lengths[row] = pages - 1;
		columns->page = page + pages;
		if (encoder->frames_known && run->flags & (VMSNAP_PAGE_PRESENT | VMSNAP_PAGE_SWAPPED))
			add_frame(columns, run, pages);
		if (++encoder->next == ENCODE_BATCH)
			next_batch(encoder);
	}
	return true;
}

static bool states_possible(const struct page_columns *columns)
{
	for (size_t i = 0; i < columns->state_count; i++) {
		uint64_t flags = columns->flags[i];
		bool present = flags & VMSNAP_PAGE_PRESENT, swapped = flags & VMSNAP_PAGE_SWAPPED;
		bool guard = flags & VMSNAP_PAGE_GUARD;
		if ((!flags && !columns->encoder->absent_too) || present + swapped + guard > 1)
			return false;
	}
	return true;
}

/* A layered column, and a cut at each layer: they look different. */
static void put_cut_numbers(struct payload *out, uint64_t *values, size_t count)
{
	struct bytes *bytes = &out->bytes;
	payload_cut(out);
	size_t start = bytes->len;
	put_numbers(bytes, values, count);
	struct cursor written = cursor_of(bytes->data + start, bytes->len - start), column;
	struct numbers numbers;
	if (bytes->failed || !take_column(&written, &column) || !numbers_open(&numbers, column, count))
		return;
	for (size_t k = 1; k < VARINT_BYTES && numbers.layers[k] && out->cut_count < PAYLOAD_CUTS; k++)
		out->cuts[out->cut_count++] = (size_t)(numbers.layers[k] - bytes->data);
}

/* gaps and states are written already: their memory serves once more. */
static void put_frames(struct page_encoder *encoder, struct payload *out)
{
	struct frame_writer *frames = &encoder->frames;
	struct bytes *bytes = &out->bytes;
	payload_cut(out);
	put_column(bytes, frames->head, frames->count);
	payload_cut(out);
	put_column(bytes, frames->near, frames->near_count);
	frame_writer_gaps(frames, encoder->gaps);
	put_cut_numbers(out, encoder->gaps, frames->block_count);
	for (int i = 0; i < 3; i++) {
		static const unsigned shifts[] = { FRAME_BLOCK_BITS, FRAME_BLOCK_BITS + 8, 0 };
		frame_writer_bytes(frames, shifts[i], encoder->states);
		payload_cut(out);
		put_column(bytes, encoder->states, frames->far_count);
	}
}

static void put_columns(struct page_columns *columns, struct payload *out)
{
	struct page_encoder *encoder = columns->encoder;
	struct bytes *bytes = &out->bytes;
	put_varint(bytes, columns->count);
	put_varint(bytes, columns->base);
	put_varint(bytes, columns->state_count);
	frame_writer_finish(&encoder->frames);
	put_varint(bytes, encoder->frames.block_count);
	put_numbers(bytes, columns->flags, columns->state_count);
	put_column(bytes, encoder->states, columns->count);
	put_cut_numbers(out, encoder->gaps, columns->count);
	put_cut_numbers(out, encoder->lengths, columns->count);
	put_frames(encoder, out);
	payload_cut(out);
	put_column(bytes, encoder->swap_types, columns->swapped);
}

int page_encoder_next(struct page_encoder *encoder, struct payload *out, struct vmsnap_error *err)
{
	if (!page_encoder_more(encoder))
		return VMSNAP_END;
	struct page_columns columns = { .encoder = encoder };
	columns.base = columns.page = encoder->batch[encoder->next].start / encoder->page_size;
	memset(columns.state_of, 0xff, sizeof(columns.state_of));
	frame_writer_clear(&encoder->frames);
	bool good = fill(&columns) && states_possible(&columns) &&
	            columns.page <= (0 - encoder->page_size) / encoder->page_size;
	if (!good)
		return fail(err, VMSNAP_ERR_ARGUMENT,
		            "the pages from 0x%" PRIx64 " on are in states that a file cannot hold",
		            columns.base * encoder->page_size);
	put_columns(&columns, out);
	return encode_done(out) ? fail_no_memory(err) : VMSNAP_OK;
}
