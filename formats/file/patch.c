#include "patch.h"

#include <stdlib.h>
#include <string.h>

/* ---- making one ---------------------------------------------------------------------- */

enum {
	WINDOW = 6,        /* bytes that are looked for */
	LEAST_ALIGNED = 4, /* to be copied: where only bytes between were replaced */
	LEAST_FOUND = 8,   /* and from anywhere else, which takes a few bytes to say */
};

/* Where in the base each window is that it has: of equal ones the first and the last, as of three thousand names that
 * are the same, and of which some are new, only from the first on all can be copied at once. */
struct windows {
	struct window {
		uint32_t first, last; /* plus 1 */
	} * places;
	unsigned bits;
};

static uint64_t window_hash(const struct windows *windows, const uint8_t *at)
{
	uint64_t bytes = 0;
	memcpy(&bytes, at, WINDOW);
	return bytes * UINT64_C(0x9e3779b97f4a7c15) >> (64 - windows->bits);
}

static bool windows_make(struct windows *windows, struct cursor base)
{
	size_t len = cursor_left(&base);
	for (windows->bits = 8; windows->bits < 24 && (size_t)1 << windows->bits < len;)
		windows->bits++;
	windows->places = calloc((size_t)1 << windows->bits, sizeof(*windows->places));
	if (!windows->places)
		return false;
	for (size_t i = 0; i + WINDOW <= len && i < UINT32_MAX; i++) {
		struct window *window = &windows->places[window_hash(windows, base.at + i)];
		window->last = (uint32_t)i + 1;
		window->first = window->first ? window->first : window->last;
	}
	return true;
}

static size_t alike(struct cursor base, size_t from, struct cursor to, size_t at)
{
	size_t count = 0, left = cursor_left(&to) - at;
	if (from >= cursor_left(&base))
		return 0;
	if (cursor_left(&base) - from < left)
		left = cursor_left(&base) - from;
	while (count < left && base.at[from + count] == to.at[at + count])
		count++;
	return count;
}

struct patch_draft {
	struct cursor base, to;
	struct windows windows;
	size_t written; /* of `to` */
	size_t behind;  /* in the base, what was copied last */
};

/* Bytes that are as at another place of the base, from `at` on; *from says where. */
static size_t find_alike(const struct patch_draft *draft, size_t at, size_t *from)
{
	*from = draft->behind + (at - draft->written);
	size_t count = alike(draft->base, *from, draft->to, at);
	if (count >= LEAST_ALIGNED)
		return count;
	if (cursor_left(&draft->to) - at < WINDOW)
		return 0;
	const struct window *window = &draft->windows.places[window_hash(&draft->windows, draft->to.at + at)];
	if (!window->last)
		return 0;
	*from = window->last - 1;
	count = alike(draft->base, *from, draft->to, at);
	if (window->first != window->last) {
		size_t from_first = alike(draft->base, window->first - 1, draft->to, at);
		*from = from_first > count ? window->first - 1 : *from;
		count = from_first > count ? from_first : count;
	}
	return count >= LEAST_FOUND ? count : 0;
}

/* New bytes up to `at`, and `count` from the base behind them. */
static void put_step(struct patch_draft *draft, size_t at, size_t from, size_t count, struct bytes *out)
{
	put_column(out, draft->to.at + draft->written, at - draft->written);
	draft->written = at + count;
	if (!count && draft->written == cursor_left(&draft->to))
		return;
	put_varint(out, count);
	put_varint(out, zigzag((uint64_t)from - (uint64_t)draft->behind));
	draft->behind = from + count;
}

static void put_steps(struct patch_draft *draft, struct bytes *out)
{
	size_t at = 0, len = cursor_left(&draft->to);
	while (at < len) {
		size_t from, count = find_alike(draft, at, &from);
		if (!count) {
			at++;
			continue;
		}
		while (at > draft->written && from && draft->base.at[from - 1] == draft->to.at[at - 1]) {
			at--;
			from--;
			count++;
		}
		put_step(draft, at, from, count, out);
		at += count;
	}
	if (draft->written < len)
		put_step(draft, len, 0, 0, out);
}

void patch_make(struct cursor base, struct cursor to, struct bytes *out)
{
	struct patch_draft draft = { .base = base, .to = to };
	if (windows_make(&draft.windows, base))
		put_steps(&draft, out);
	else
		out->failed = true;
	free(draft.windows.places);
}

/* ---- applying one -------------------------------------------------------------------- */

/* Most numbers of a patch are below 128. */
static inline bool take_small(struct cursor *patch, uint64_t *out)
{
	if (patch->at == patch->end || *patch->at & 0x80)
		return take_varint(patch, out);
	*out = *patch->at++;
	return true;
}

bool patch_apply(struct cursor base, struct cursor patch, uint64_t len, struct bytes *out)
{
	uint64_t behind = 0, all = cursor_left(&base);
	out->len = 0;
	if (len >= SIZE_MAX || !bytes_reserve(out, (size_t)len + 1)) {
		out->failed = true;
		return false;
	}
	while (out->len < len) {
		const uint8_t *fresh;
		uint64_t count, distance;
		if (!take_small(&patch, &count) || count > len - out->len || !take_bytes(&patch, count, &fresh))
			return false;
		memcpy(out->data + out->len, fresh, (size_t)count);
		out->len += (size_t)count;
		if (out->len == len)
			break;
		if (!take_small(&patch, &count) || !count || count > len - out->len || !take_small(&patch, &distance))
			return false;
		uint64_t from = behind + unzigzag(distance);
		if (from > all || count > all - from)
			return false;
		memcpy(out->data + out->len, base.at + from, (size_t)count);
		out->len += (size_t)count;
		behind = from + count;
	}
	return !cursor_left(&patch);
}
