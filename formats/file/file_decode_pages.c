/* file_decode_pages.c - PAGE: where a big snapshot spends its time.  All columns
 * are proven first; then runs are made block by block, without a branch that
 * depends on the data but those for damage. */
#include <inttypes.h>
#include <string.h>

#include "error.h"
#include "file_decode.h"
#include "file_frames.h"

/* As in column.c. */
#if defined(__GNUC__) && !defined(__clang__) && defined(__OPTIMIZE__)
#pragma GCC optimize("O3")
#endif

enum {
	RUNS_MAX = 65536,
	STATES_MAX = 256,
	SWAP_OFFSET_BITS = ENTRY_FLAGS_SHIFT - SWAP_TYPE_BITS,
	FLAGS_MAX = 2 * VMSNAP_PAGE_PRESENT - 1,
	BLOCK = 1024,
};
#define FRAME_MAX  ENTRY_FRAME_MASK
#define OFFSET_MAX ((UINT64_C(1) << SWAP_OFFSET_BITS) - 1)

struct state {
	uint64_t flags; /* in place, as in an entry */
	uint64_t frame_max;
	uint8_t has_frame, is_swap;
};

struct pages {
	struct decode *decode;
	size_t count;
	uint64_t page; /* where the last run ended */
	struct state states[STATES_MAX];
	size_t state_count;
	struct cursor state_column, swap_types;
	struct numbers gaps, lengths;
	struct frame_reader frames;
	uint64_t block_count;
	size_t framed, swapped; /* runs that have a frame; and are swapped */
};

static int set_states(struct pages *in, struct cursor *payload)
{
	struct decode *decode = in->decode;
	uint64_t flags[STATES_MAX];
	if (!take_numbers(payload, flags, in->state_count))
		return decode_damaged(decode, "PAGE: %zu states expected", in->state_count);
	for (size_t i = 0; i < in->state_count; i++) {
		bool present = flags[i] & VMSNAP_PAGE_PRESENT, swapped = flags[i] & VMSNAP_PAGE_SWAPPED;
		bool guard = flags[i] & VMSNAP_PAGE_GUARD;
		if ((!flags[i] && !decode->absent_too) || flags[i] > FLAGS_MAX || present + swapped + guard > 1)
			return decode_damaged(decode, "PAGE: 0x%" PRIx64 " is no state", flags[i]);
		in->states[i] = (struct state){ .flags = flags[i] << ENTRY_FLAGS_SHIFT,
			                        .frame_max = swapped ? OFFSET_MAX : FRAME_MAX,
			                        .has_frame = (present || swapped) && decode->known_pfn,
			                        .is_swap = swapped && decode->known_pfn };
	}
	return VMSNAP_OK;
}

/* How many runs have a frame, and so how long the last two columns must be. */
static int count_framed(struct pages *in)
{
	const uint8_t *states = in->state_column.at;
	uint8_t highest = 0;
	for (size_t i = 0; i < in->count; i++)
		highest = states[i] > highest ? states[i] : highest;
	if (highest >= in->state_count)
		return decode_damaged(in->decode, "PAGE: state %u of %zu", highest, in->state_count);
	if (!highest) {
		in->framed = in->states[0].has_frame ? in->count : 0;
		in->swapped = in->states[0].is_swap ? in->count : 0;
		return VMSNAP_OK;
	}
	for (size_t i = 0; i < in->count; i++) {
		in->framed += in->states[states[i]].has_frame;
		in->swapped += in->states[states[i]].is_swap;
	}
	return VMSNAP_OK;
}

static bool take_numbers_of(struct cursor *payload, struct numbers *numbers, size_t count)
{
	struct cursor column;
	return take_column(payload, &column) && numbers_open(numbers, column, count);
}

static int take_columns(struct pages *in, struct cursor *payload)
{
	struct decode *decode = in->decode;
	int rc = set_states(in, payload);
	if (rc)
		return rc;
	if (!take_column(payload, &in->state_column) || cursor_left(&in->state_column) != in->count)
		return decode_damaged(decode, "PAGE: %zu bytes of state expected", in->count);
	rc = count_framed(in);
	if (rc)
		return rc;
	if (!take_numbers_of(payload, &in->gaps, in->count) || !take_numbers_of(payload, &in->lengths, in->count))
		return decode_damaged(decode, "PAGE: gap and length of %zu runs expected", in->count);
	bool no_memory = false;
	if (!frame_reader_open(&in->frames, payload, in->framed, in->block_count, &no_memory))
		return no_memory ? fail_no_memory(decode->err)
		                 : decode_damaged(decode, "PAGE: frames of %zu runs expected", in->framed);
	if (!take_column(payload, &in->swap_types) || cursor_left(&in->swap_types) != in->swapped ||
	    cursor_left(payload))
		return decode_damaged(decode, "PAGE: swap types of %zu runs expected, and nothing after", in->swapped);
	for (size_t i = 0; i < in->swapped; i++)
		if (in->swap_types.at[i] >= 1u << SWAP_TYPE_BITS)
			return decode_damaged(decode, "PAGE: swap type %u", in->swap_types.at[i]);
	return VMSNAP_OK;
}

/* A run longer than one of ours can be; rare. */
static int add_long_run(const struct pages *in, uint64_t page, uint64_t pages, uint64_t entry)
{
	struct decode *decode = in->decode;
	struct run_list *runs = &decode->snap->runs;
	uint64_t page_size = decode->snap->info.page_size;
	uint64_t parts = (pages - 1) / RUN_PAGES_MAX + 1;
	/* The first part was counted with its section. */
	int rc = decode_charge(decode, parts > SIZE_MAX / 64 ? UINT64_MAX : (parts - 1) * sizeof(struct run));
	if (rc)
		return rc;
	/* Room also for the rest of the section, which does not look. */
	size_t need = runs->count + (size_t)parts + in->count;
	if ((need > runs->capacity && run_list_reserve(runs, need + need / 2, false)) ||
	    run_list_append(runs, page_size, page * page_size, pages, entry))
		return fail_no_memory(decode->err);
	return VMSNAP_OK;
}

/* Puts the next frame into the entry; false if it or the last page's does not fit. */
static inline bool next_frame(struct frame_reader *frames, struct cursor *swap_types, const struct state *state,
                              uint64_t pages, uint64_t *entry)
{
	bool bad = false;
	uint64_t frame = frame_reader_next(frames, pages, &bad);
	uint64_t type = state->is_swap ? *swap_types->at++ : 0;
	uint64_t last = frame | type ? frame + (pages - 1) : frame;
	*entry |= state->is_swap ? frame << SWAP_TYPE_BITS | type : frame;
	return !bad && frame <= state->frame_max && last <= state->frame_max;
}

/* ---- scattered pages: of most runs there is nothing to say but a far frame --------- */

enum { ALIKE = 64 };

static bool all_zero(const uint8_t *bytes)
{
	uint64_t word, any = 0;
	for (size_t i = 0; i < ALIKE; i += sizeof(word)) {
		memcpy(&word, bytes + i, sizeof(word));
		any |= word;
	}
	return !any;
}

static bool all_zeros(const uint64_t *numbers)
{
	uint64_t any = 0;
	for (size_t i = 0; i < ALIKE; i++)
		any |= numbers[i];
	return !any;
}

/* Whether the next ALIKE runs are pages beside each other, in present state 0, in frames that are near none. */
static bool are_scattered(const struct pages *in, const struct frame_reader *frames, const uint8_t *states,
                          const uint64_t *gaps, const uint64_t *lengths)
{
	return in->states[0].has_frame && !in->states[0].is_swap && all_zero(states) && all_zeros(gaps) &&
	       all_zeros(lengths) && all_zero(frames->head);
}

/* A block and a byte are a frame that there may be (frame_reader_open()). */
static void add_scattered(const struct pages *in, struct frame_reader *frames, uint64_t page, struct run *out)
{
	unsigned shift = (unsigned)__builtin_ctzll(in->decode->snap->info.page_size);
	const uint8_t *low = frames->low, *high = frames->high, *far = frames->far;
	const uint64_t *blocks = frames->blocks;
	for (size_t i = 0; i < ALIKE; i++) {
		uint64_t frame = blocks[low[i] | high[i] << 8] << FRAME_BLOCK_BITS | far[i];
		out[i] = (struct run){ .head = (page + i) << shift, .entry = in->states[0].flags | frame };
	}
	for (size_t i = ALIKE - FRAME_HEADS; i < ALIKE; i++)
		frame_heads_far(&frames->heads, (out[i].entry & ENTRY_FRAME_MASK) + 1);
	frames->head += ALIKE;
	frames->low += ALIKE;
	frames->high += ALIKE;
	frames->far += ALIKE;
}

/* ---- any pages --------------------------------------------------------------------- */

static int add_block(struct pages *in, size_t count)
{
	uint64_t gaps[BLOCK], lengths[BLOCK];
	const uint8_t *states = in->state_column.at;
	struct run_list *runs = &in->decode->snap->runs;
	unsigned shift = (unsigned)__builtin_ctzll(in->decode->snap->info.page_size);
	uint64_t page = in->page, top = decode_top(in->decode);
	/* Copies, which nothing that is written can be a part of. */
	struct frame_reader frames = in->frames;
	struct cursor swap_types = in->swap_types;
	size_t at = runs->count;
	numbers_next(&in->gaps, gaps, count);
	numbers_next(&in->lengths, lengths, count);
	for (size_t i = 0; i < count; i++) {
		while (i % ALIKE == 0 && count - i >= ALIKE && top - page > ALIKE &&
		       are_scattered(in, &frames, states + i, gaps + i, lengths + i)) {
			add_scattered(in, &frames, page, runs->items + at);
			page += ALIKE;
			at += ALIKE;
			i += ALIKE;
		}
		if (i == count)
			break;
		const struct state *state = &in->states[states[i]];
		uint64_t pages = lengths[i] + 1, entry = state->flags;
		if (gaps[i] > top - page || lengths[i] >= top - page - gaps[i])
			return decode_damaged(in->decode, "PAGE: a run of %" PRIu64 " pages above the address space",
			                      lengths[i]);
		if (state->has_frame && !next_frame(&frames, &swap_types, state, pages, &entry))
			return decode_damaged(in->decode, "PAGE: a frame that no machine has");
		page += gaps[i];
		if (pages <= RUN_PAGES_MAX) {
			runs->items[at++] = (struct run){ .head = page << shift | (pages - 1), .entry = entry };
		} else {
			runs->count = at;
			int rc = add_long_run(in, page, pages, entry);
			if (rc)
				return rc;
			at = runs->count;
		}
		page += pages;
	}
	runs->count = at;
	in->page = page;
	in->frames = frames;
	in->swap_types = swap_types;
	in->state_column.at += count;
	return VMSNAP_OK;
}

static int add_runs(struct pages *in)
{
	struct run_list *runs = &in->decode->snap->runs;
	int rc = decode_charge(in->decode, in->count * sizeof(struct run));
	if (rc)
		return rc;
	if (run_list_reserve(runs, runs->count + in->count, false))
		return fail_no_memory(in->decode->err);
	for (size_t done = 0; !rc && done < in->count; done += BLOCK) {
		rc = add_block(in, in->count - done < BLOCK ? in->count - done : BLOCK);
		rc = rc ? rc : decode_step(in->decode);
	}
	in->decode->next_page = in->page;
	return rc;
}

int decode_page(struct decode *decode, struct cursor payload)
{
	uint64_t count, base, states;
	struct pages in = { .decode = decode };
	if (!take_varint(&payload, &count) || !take_varint(&payload, &base) || !take_varint(&payload, &states) ||
	    !take_varint(&payload, &in.block_count) || !count || count > RUNS_MAX || count > cursor_left(&payload) ||
	    !states || states > STATES_MAX)
		return decode_damaged(decode, "PAGE: expected 1 to 65536 runs in 1 to 256 states");
	if (base < decode->next_page || base > decode_top(decode))
		return decode_damaged(decode, "PAGE: begins at page %" PRIu64 ", before the last one ended", base);
	in.count = (size_t)count;
	in.state_count = (size_t)states;
	in.page = base;
	int rc = take_columns(&in, &payload);
	rc = rc ? rc : add_runs(&in);
	frame_reader_close(&in.frames);
	return rc;
}
