#include "dwarf_bytes.h"

#include <string.h>

enum { VARINT_MAX = 10 };

struct dwarf_cursor dwarf_cursor_at(const struct dwarf_sections *sections, enum dwarf_section_id id, uint64_t at,
                                    uint64_t end)
{
	const struct dwarf_section *s = &sections->at[id];
	end = end < s->len ? end : s->len;
	return (struct dwarf_cursor){ .bytes = s->bytes,
		                      .at = at,
		                      .end = end,
		                      .big_endian = sections->big_endian,
		                      .failed = !s->bytes || at > end };
}

const uint8_t *dwarf_take(struct dwarf_cursor *c, uint64_t len)
{
	if (c->failed || len > c->end - c->at) {
		c->failed = true;
		return NULL;
	}
	const uint8_t *bytes = c->bytes + c->at;
	c->at += len;
	return bytes;
}

uint64_t dwarf_take_number(struct dwarf_cursor *c, unsigned len)
{
	const uint8_t *bytes = dwarf_take(c, len);
	uint64_t value = 0;
	for (unsigned i = 0; bytes && i < len; i++)
		value = value << 8 | bytes[c->big_endian ? i : len - 1 - i];
	return value;
}

uint64_t dwarf_take_uleb(struct dwarf_cursor *c)
{
	uint64_t value = 0;
	for (unsigned i = 0; i < VARINT_MAX; i++) {
		const uint8_t *byte = dwarf_take(c, 1);
		if (!byte)
			return 0;
		value |= i < 9 || *byte < 2 ? (uint64_t)(*byte & 0x7f) << 7 * i : 0;
		if (!(*byte & 0x80))
			return value;
	}
	c->failed = true;
	return 0;
}

uint64_t dwarf_take_sleb(struct dwarf_cursor *c)
{
	uint64_t value = 0;
	for (unsigned i = 0; i < VARINT_MAX; i++) {
		const uint8_t *byte = dwarf_take(c, 1);
		if (!byte)
			return 0;
		value |= (uint64_t)(*byte & 0x7f) << 7 * i;
		if (*byte & 0x80)
			continue;
		unsigned bits = 7 * (i + 1);
		return *byte & 0x40 && bits < 64 ? value | UINT64_MAX << bits : value;
	}
	c->failed = true;
	return 0;
}

const uint8_t *dwarf_take_string(struct dwarf_cursor *c)
{
	const uint8_t *start = c->failed ? NULL : c->bytes + c->at;
	const uint8_t *nul = start && c->at < c->end ? memchr(start, 0, (size_t)(c->end - c->at)) : NULL;
	if (!nul) {
		c->failed = true;
		return NULL;
	}
	c->at += (uint64_t)(nul - start) + 1;
	return start;
}
