#include "file_deflate.h"

#include <stdlib.h>
#include <string.h>

/* The input pointers of zlib become const with this. */
#define ZLIB_CONST
#include <zlib.h>

#include "dictionary.h"

enum {
	TRY_ALL_BYTES = 128 * 1024, /* above, trying everything takes milliseconds */
	PART_MIN_BYTES = 160,       /* below, a block of its own costs more than it saves */
	SLACK_BYTES = 64 * PAYLOAD_CUTS,
	LEVEL_SMALL = 6, /* 9 is half a percent smaller, in three times the time */
	LEVEL_CHOOSE = 4,
	SAMPLES = 2048,
	INCOMPRESSIBLE_VALUES = 100, /* of 256; Huffman codes would save less than a sixth */
};

struct part {
	size_t start, len;
	int level, strategy;
};

struct deflater {
	z_stream stream;
	struct bytes trial;
	struct part parts[PAYLOAD_CUTS + 1];
	size_t part_count;
};

void payload_clear(struct payload *payload)
{
	payload->bytes.len = 0;
	payload->cut_count = 0;
}

void payload_free(struct payload *payload)
{
	bytes_free(&payload->bytes);
	payload->cut_count = 0;
}

void payload_cut(struct payload *payload)
{
	if (payload->cut_count < PAYLOAD_CUTS)
		payload->cuts[payload->cut_count++] = payload->bytes.len;
}

struct deflater *deflater_new(void)
{
	struct deflater *deflater = calloc(1, sizeof(*deflater));
	if (deflater && deflateInit2(&deflater->stream, 9, Z_DEFLATED, 15, 9, Z_DEFAULT_STRATEGY) != Z_OK) {
		free(deflater);
		return NULL;
	}
	return deflater;
}

void deflater_free(struct deflater *deflater)
{
	if (!deflater)
		return;
	deflateEnd(&deflater->stream);
	bytes_free(&deflater->trial);
	free(deflater);
}

/* Parts of the payload between the cuts; small ones are joined to the next. */
static void find_parts(struct deflater *deflater, const struct payload *payload, size_t min)
{
	size_t start = 0, total = payload->bytes.len;
	deflater->part_count = 0;
	for (size_t i = 0; i < payload->cut_count; i++) {
		size_t cut = payload->cuts[i];
		if (cut - start < min || total - cut < min)
			continue;
		deflater->parts[deflater->part_count++] = (struct part){ .start = start, .len = cut - start };
		start = cut;
	}
	deflater->parts[deflater->part_count++] = (struct part){ .start = start, .len = total - start };
}

static void set_all(struct deflater *deflater, int level, int strategy)
{
	for (size_t i = 0; i < deflater->part_count; i++) {
		deflater->parts[i].level = level;
		deflater->parts[i].strategy = strategy;
	}
}

/* One zlib stream of the parts, each in blocks of its own. */
static bool deflate_parts(struct deflater *deflater, const uint8_t *data, const struct part *parts, size_t count,
                          bool dictionary, struct bytes *out)
{
	z_stream *stream = &deflater->stream;
	size_t total = parts[count - 1].start + parts[count - 1].len - parts[0].start;
	out->len = 0;
	if (!bytes_reserve(out, (size_t)compressBound((uLong)total) + SLACK_BYTES))
		return false;
	if (deflateReset(stream) != Z_OK || deflateParams(stream, parts[0].level, parts[0].strategy) != Z_OK)
		return false;
	if (dictionary && deflateSetDictionary(stream, (const Bytef *)dictionary_text, DICTIONARY_BYTES) != Z_OK)
		return false;
	stream->next_out = out->data;
	stream->avail_out = (uInt)out->room;
	for (size_t i = 0; i < count; i++) {
		bool last = i == count - 1;
		if (i && deflateParams(stream, parts[i].level, parts[i].strategy) != Z_OK)
			return false;
		stream->next_in = data + parts[i].start;
		stream->avail_in = (uInt)parts[i].len;
		if (deflate(stream, last ? Z_FINISH : Z_BLOCK) != (last ? Z_STREAM_END : Z_OK))
			return false;
	}
	out->len = out->room - stream->avail_out;
	return true;
}

/* Keeps the smaller of what is in `out` and what the present parts give. */
static void try_parts(struct deflater *deflater, const uint8_t *data, bool dictionary, struct bytes *out)
{
	struct bytes *trial = &deflater->trial;
	if (!deflate_parts(deflater, data, deflater->parts, deflater->part_count, dictionary, trial))
		return;
	if (out->len && trial->len >= out->len)
		return;
	struct bytes smaller = *trial;
	*trial = *out;
	*out = smaller;
}

/* Each part's own best strategy, as if it stood alone. */
static void choose_strategies(struct deflater *deflater, const uint8_t *data)
{
	static const int strategies[] = { Z_DEFAULT_STRATEGY, Z_FILTERED, Z_RLE, Z_HUFFMAN_ONLY };
	for (size_t i = 0; i < deflater->part_count; i++) {
		struct part part = deflater->parts[i];
		part.level = LEVEL_CHOOSE;
		size_t best = SIZE_MAX;
		for (size_t k = 0; k < sizeof(strategies) / sizeof(*strategies); k++) {
			part.strategy = strategies[k];
			if (!deflate_parts(deflater, data, &part, 1, false, &deflater->trial) ||
			    deflater->trial.len >= best)
				continue;
			best = deflater->trial.len;
			deflater->parts[i].strategy = part.strategy;
		}
	}
}

static void deflate_small(struct deflater *deflater, const struct payload *payload, bool text, struct bytes *out)
{
	const uint8_t *data = payload->bytes.data;
	find_parts(deflater, payload, PART_MIN_BYTES);
	set_all(deflater, LEVEL_SMALL, Z_DEFAULT_STRATEGY);
	try_parts(deflater, data, text, out);
	if (payload->bytes.len > TRY_ALL_BYTES)
		return;
	bool parts = deflater->part_count > 1; /* otherwise that was the whole */
	if (!text && parts) {
		choose_strategies(deflater, data);
		try_parts(deflater, data, text, out);
	}
	if (parts) {
		find_parts(deflater, payload, SIZE_MAX);
		set_all(deflater, LEVEL_SMALL, Z_DEFAULT_STRATEGY);
		try_parts(deflater, data, text, out);
	}
	if (text) /* 4 bytes less, if the dictionary did not help */
		try_parts(deflater, data, false, out);
	else {
		set_all(deflater, LEVEL_SMALL, Z_RLE);
		try_parts(deflater, data, text, out);
	}
}

/* What a look at some of the bytes says: all much alike (runs), anything at all
 * (nothing to gain), or between (short codes for the frequent ones).  Searching
 * for repetitions would take longer than the capture did. */
static void guess(struct part *part, const uint8_t *data)
{
	uint32_t seen[256] = { 0 }, top = 0;
	size_t step = part->len / SAMPLES + 1;
	uint64_t count = 0, pairs = 0;
	for (size_t i = 0; i < part->len; i += step, count++)
		seen[data[part->start + i]]++;
	for (size_t i = 0; i < 256; i++) {
		pairs += (uint64_t)seen[i] * (seen[i] ? seen[i] - 1 : 0);
		if (seen[i] > top)
			top = seen[i];
	}
	/* count²/pairs is the number of equally frequent values that would agree
	 * as often. */
	part->level = 1;
	part->strategy = Z_HUFFMAN_ONLY;
	if (top > count / 2)
		part->strategy = Z_RLE;
	else if (pairs * INCOMPRESSIBLE_VALUES < count * count)
		part->level = 0;
}

static void deflate_fast(struct deflater *deflater, const struct payload *payload, struct bytes *out)
{
	find_parts(deflater, payload, PART_MIN_BYTES);
	for (size_t i = 0; i < deflater->part_count; i++)
		guess(&deflater->parts[i], payload->bytes.data);
	deflate_parts(deflater, payload->bytes.data, deflater->parts, deflater->part_count, false, out);
}

bool deflate_payload(struct deflater *deflater, const struct payload *payload, enum deflate_effort effort,
                     struct bytes *out)
{
	out->len = 0;
	/* zlib counts in unsigned int; what is so large is stored. */
	if (!payload->bytes.len || payload->bytes.len > INT32_MAX / 2)
		return false;
	if (effort == DEFLATE_FAST)
		deflate_fast(deflater, payload, out);
	else
		deflate_small(deflater, payload, effort == DEFLATE_SMALL_TEXT, out);
	return out->len && out->len < payload->bytes.len;
}

static int inflate_all(z_stream *stream, size_t stored_len, size_t raw_len, struct work *work)
{
	enum { CHUNK = 1 << 24 }; /* zlib counts in unsigned int; and somebody may wait */
	int rc = Z_OK;
	while (rc == Z_OK) {
		if (work_ask(work))
			return VMSNAP_ERR_CANCELLED;
		if (!stream->avail_in && stored_len) {
			stream->avail_in = stored_len < CHUNK ? (uInt)stored_len : CHUNK;
			stored_len -= stream->avail_in;
		}
		if (!stream->avail_out && raw_len) {
			stream->avail_out = raw_len < CHUNK ? (uInt)raw_len : CHUNK;
			raw_len -= stream->avail_out;
		}
		rc = inflate(stream, Z_NO_FLUSH);
		if (rc == Z_NEED_DICT && stream->adler == DICTIONARY_ADLER)
			rc = inflateSetDictionary(stream, (const Bytef *)dictionary_text, DICTIONARY_BYTES);
	}
	bool all = rc == Z_STREAM_END && !stream->avail_in && !stored_len && !stream->avail_out && !raw_len;
	return all ? VMSNAP_OK : rc == Z_MEM_ERROR ? VMSNAP_ERR_NO_MEMORY : VMSNAP_ERR_CORRUPT;
}

int inflate_payload(const uint8_t *stored, size_t stored_len, uint8_t *raw, size_t raw_len, struct work *work)
{
	z_stream stream = { .next_in = stored, .next_out = raw };
	uint8_t nothing;
	if (!raw_len) /* zlib wants a place even for nothing */
		stream.next_out = &nothing;
	if (inflateInit(&stream) != Z_OK)
		return VMSNAP_ERR_NO_MEMORY;
	int rc = inflate_all(&stream, stored_len, raw_len, work);
	inflateEnd(&stream);
	return rc;
}
