/* mutate.c - how libFuzzer changes a vmsnap file: mostly within payloads and columns,
 * with everything around them put right again, or no input would get past the first
 * checksum; now and then with a lie in a header; sometimes byte by byte as ever. */
#include <string.h>

#include "column.h"
#include "fuzz.h"
#include "stream.h"

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);
size_t LLVMFuzzerCustomCrossOver(const uint8_t *data1, size_t size1, const uint8_t *data2, size_t size2, uint8_t *out,
                                 size_t max_out_size, unsigned seed);

enum { INFLATED_MAX = 1 << 16, GROWTH = 64 };

static uint64_t random_state;
static uint64_t random_below(uint64_t below)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return below ? random_state % below : 0;
}
static bool one_in(uint64_t chances)
{
	return !random_below(chances);
}

/* Numbers near which arithmetic goes wrong. */
static uint64_t odd_number(uint64_t before)
{
	switch (random_below(6)) {
	case 0:
		return before + 1;
	case 1:
		return before - 1;
	case 2:
		return random_below(4);
	case 3:
		return (UINT64_C(1) << random_below(64)) - random_below(2);
	case 4:
		return 0 - random_below(4) - (UINT64_C(1) << random_below(32));
	default:
		return before ^ (UINT64_C(1) << random_below(64));
	}
}

/* ---- payloads ---- */

static void set_bytes(struct part *part, const struct bytes *bytes)
{
	free(part->bytes);
	part->len = bytes->len;
	part->bytes = malloc(part->len ? part->len : 1);
	FUZZ_CHECK(part->bytes && !bytes->failed);
	if (part->len)
		memcpy(part->bytes, bytes->data, part->len);
}

/* libFuzzer's own ways, with room to grow. */
static void mutate_bytes(struct bytes *out, const uint8_t *data, size_t len)
{
	uint8_t *at = bytes_reserve(out, len + GROWTH);
	FUZZ_CHECK(at);
	if (len)
		memcpy(at, data, len);
	out->len += LLVMFuzzerMutate(at, len, len + GROWTH);
}

static void mutate_payload(struct part *part)
{
	struct bytes bytes = { 0 };
	mutate_bytes(&bytes, part->bytes, part->len);
	set_bytes(part, &bytes);
	bytes_free(&bytes);
}

/* Each number of a layered column ends in one byte without bit 7. */
static size_t count_numbers(const uint8_t *data, size_t len)
{
	size_t count = 0;
	for (size_t i = 0; i < len; i++)
		count += data[i] < 0x80;
	return count;
}

/* One number of a layered column replaced; false if it is none. */
static bool change_number(struct bytes *out, struct cursor column)
{
	uint64_t values[4096];
	struct numbers numbers;
	size_t count = count_numbers(column.at, cursor_left(&column));
	if (!count || count > 4096 || !numbers_open(&numbers, column, count))
		return false;
	numbers_next(&numbers, values, count);
	size_t which = random_below(count);
	values[which] = odd_number(values[which]);
	put_numbers(out, values, count);
	return true;
}

static void mutate_column(struct bytes *out, struct cursor column)
{
	if (one_in(2) && change_number(out, column))
		return;
	struct bytes content = { 0 };
	mutate_bytes(&content, column.at, cursor_left(&column));
	/* Most columns must keep their length. */
	if (!one_in(4) && content.len > cursor_left(&column))
		content.len = cursor_left(&column);
	put_column(out, content.data, content.len);
	bytes_free(&content);
}

static size_t leading_numbers(uint32_t type)
{
	return type == SECTION_PAGE ? 4 : type == SECTION_VMAS ? 2 : 1;
}

/* SNAP is a list of key, length, bytes; all others are a few numbers and columns. */
enum element { ELEMENT_NUMBER, ELEMENT_COLUMN };
static enum element element_of(uint32_t type, size_t index)
{
	if (type == SECTION_SNAP)
		return index % 2 ? ELEMENT_COLUMN : ELEMENT_NUMBER;
	return index < leading_numbers(type) ? ELEMENT_NUMBER : ELEMENT_COLUMN;
}

static size_t count_elements(const struct part *part)
{
	struct cursor payload = cursor_of(part->bytes, part->len), column;
	uint64_t number;
	size_t count = 0;
	while (cursor_left(&payload) &&
	       (element_of(part->type, count) == ELEMENT_NUMBER ? take_varint(&payload, &number)
	                                                        : take_column(&payload, &column)))
		count++;
	return count;
}

/* One number or column changed, the rest as it was. */
static void mutate_element(struct part *part)
{
	struct cursor payload = cursor_of(part->bytes, part->len), column;
	struct bytes bytes = { 0 };
	uint64_t number;
	size_t count = count_elements(part);
	if (!count) {
		mutate_payload(part);
		return;
	}
	size_t chosen = random_below(count);
	bool drop = one_in(30), twice = one_in(30);
	for (size_t i = 0; i < count; i++) {
		const uint8_t *start = payload.at;
		bool is_number = element_of(part->type, i) == ELEMENT_NUMBER;
		if (is_number)
			take_varint(&payload, &number);
		else
			take_column(&payload, &column);
		if (i != chosen || twice)
			put_bytes(&bytes, start, (size_t)(payload.at - start));
		if (i != chosen || drop)
			continue;
		if (is_number)
			put_varint(&bytes, odd_number(number));
		else
			mutate_column(&bytes, column);
	}
	put_bytes(&bytes, payload.at, cursor_left(&payload));
	set_bytes(part, &bytes);
	bytes_free(&bytes);
}

/* ---- sections ---- */

static void mutate_flags(struct part *part)
{
	switch (random_below(4)) {
	case 0:
		part->flags ^= SECTION_REQUIRED;
		break;
	case 1:
		part->flags ^= SECTION_DEFLATED;
		part->packed = part->flags & SECTION_DEFLATED;
		part->dictionary = one_in(2);
		break;
	case 2:
		part->flags ^= (uint16_t)(1u << random_below(16));
		break;
	default:
		part->reserved ^= (uint16_t)(1u << random_below(16));
	}
}

static void mutate_type(struct part *part)
{
	static const uint32_t types[] = { SECTION_SNAP,
		                          SECTION_DELT,
		                          SECTION_STAT,
		                          SECTION_VMAS,
		                          SECTION_PAGE,
		                          SECTION_THRD,
		                          SECTION_SMAP,
		                          SECTION_WRIT,
		                          SECTION_KPAG,
		                          SECTION_NODE,
		                          SECTION_DUMP,
		                          SECTION_TYPES,
		                          SECTION_EVNT,
		                          SECTION_MEVT,
		                          SECTION_END,
		                          SECTION_TYPE('N', 'A', 'M', 'E'),
		                          SECTION_TYPE('N', 'O', 'T', 'E') };
	part->type = types[random_below(sizeof(types) / sizeof(*types))];
}

static void add_lie(struct part *part)
{
	switch (random_below(6)) {
	case 0:
		part->crc_lie ^= 1u << random_below(32);
		break;
	case 1:
		part->head_crc_lie ^= 1u << random_below(32);
		break;
	case 2:
		part->raw_lie ^= odd_number(part->raw_lie);
		break;
	case 3:
		part->distance_lie ^= odd_number(0);
		break;
	case 4:
		part->sections_lie ^= (uint32_t)odd_number(0);
		break;
	default:
		part->headers_lie ^= 1u << random_below(32);
	}
}

static void swap_parts(struct stream *stream, size_t a, size_t b)
{
	struct part kept = stream->parts[a];
	stream->parts[a] = stream->parts[b];
	stream->parts[b] = kept;
}

/* From a header or an END up to the next END. */
static size_t snapshot_end(const struct stream *stream, size_t start)
{
	size_t end = start;
	while (end < stream->count && stream->parts[end].kind != PART_END)
		end++;
	return end < stream->count ? end + 1 : end;
}

/* Copies the snapshot that `from` lies in behind itself, or behind all. */
static void copy_snapshot(struct stream *stream, const struct stream *from, size_t at)
{
	size_t start = at, end = snapshot_end(from, at);
	while (start && from->parts[start - 1].kind == PART_SECTION)
		start--;
	size_t to = from == stream && one_in(2) ? end : stream->count;
	for (size_t i = start; i < end; i++) {
		struct part part = from->parts[i]; /* inserting moves the parts */
		if (!stream_insert(stream, to++, &part))
			return;
	}
}

static void mutate_order(struct stream *stream, size_t at)
{
	switch (random_below(5)) {
	case 0:
		stream_remove(stream, at);
		break;
	case 1:
		swap_parts(stream, at, random_below(stream->count));
		break;
	case 2: {
		struct part part = stream->parts[at];
		stream_insert(stream, random_below(stream->count + 1), &part);
		break;
	}
	default:
		copy_snapshot(stream, stream, at);
	}
}

/* Mostly a section: with its header or its END spoiled, nothing of a file is read. */
static size_t choose_part(const struct stream *stream)
{
	size_t at = random_below(stream->count);
	for (int tries = 0; tries < 4 && stream->parts[at].kind != PART_SECTION; tries++)
		at = random_below(stream->count);
	return at;
}

static void mutate_part(struct stream *stream)
{
	size_t at = choose_part(stream);
	struct part *part = &stream->parts[at];
	uint64_t way = random_below(100);
	if (way < 55 && part->kind == PART_SECTION)
		mutate_element(part);
	else if (way < 70 && part->kind != PART_END)
		mutate_payload(part);
	else if (way < 76)
		mutate_flags(part);
	else if (way < 80)
		mutate_type(part);
	else if (way < 85)
		add_lie(part);
	else
		mutate_order(stream, at);
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
	struct stream stream;
	random_state = (uint64_t)seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
	if (one_in(12))
		return LLVMFuzzerMutate(data, size, max_size);
	stream_read(&stream, data, size, INFLATED_MAX);
	if (one_in(2))
		stream_tell_truth(&stream);
	for (uint64_t times = 1 + random_below(3); times && stream.count; times--)
		mutate_part(&stream);
	size_t len = stream_write(&stream, data, max_size);
	stream_free(&stream);
	if (len > max_size)
		len = max_size;
	/* An append that was cut off. */
	return len && one_in(25) ? 1 + random_below(len) : len ? len : 1;
}

/* A section or a snapshot of one file in another. */
size_t LLVMFuzzerCustomCrossOver(const uint8_t *data1, size_t size1, const uint8_t *data2, size_t size2, uint8_t *out,
                                 size_t max_out_size, unsigned seed)
{
	struct stream one, two;
	random_state = (uint64_t)seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
	stream_read(&one, data1, size1, INFLATED_MAX);
	stream_read(&two, data2, size2, INFLATED_MAX);
	size_t at = two.count ? random_below(two.count) : 0;
	if (two.count && one_in(2)) {
		copy_snapshot(&one, &two, at);
	} else if (two.count) {
		for (size_t i = 0; i < one.count; i++) {
			if (one.parts[i].kind != two.parts[at].kind || one.parts[i].type != two.parts[at].type)
				continue;
			stream_remove(&one, i);
			stream_insert(&one, i, &two.parts[at]);
			break;
		}
	}
	size_t len = stream_write(&one, out, max_out_size);
	stream_free(&one);
	stream_free(&two);
	return len < max_out_size ? len : max_out_size;
}
