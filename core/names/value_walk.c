#define _GNU_SOURCE
#include "value_walk.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum {
	NESTED_MAX = 64,
	TEXT_WHOLE = 256, /* a text is looked at as a whole up to this size */
	TEXT_SHORT = 40,  /* and told as a whole up to this */
	TEXT_AROUND = 8,  /* of a longer one so much is told around what differs */
	RUN_GAP = 8,      /* bytes that differ are told together if no more equal ones lie between */
	RUN_TEXT = 64,
	RUN_BYTES = 8, /* as many as fit a line twice */
};

/* Where something may be: a member without a size reaches up to the limit. */
struct place {
	const struct value_type *type;
	uint64_t offset, limit;
};

/* ---- numbers --------------------------------------------------------------------------- */

uint64_t value_number(const uint8_t *bytes, size_t len, bool big_endian)
{
	uint64_t value = 0;
	for (size_t i = 0; i < len; i++)
		value = value << 8 | bytes[big_endian ? i : len - 1 - i];
	return value;
}

uint64_t value_bits(const uint8_t *bytes, uint32_t bit_offset, uint32_t bit_size, bool big_endian)
{
	uint64_t value = 0;
	for (uint32_t i = 0; i < bit_size; i++) {
		uint32_t bit = bit_offset + (big_endian ? i : bit_size - 1 - i);
		value = value << 1 | (bytes[bit / 8] >> (big_endian ? 7 - bit % 8 : bit % 8) & 1);
	}
	return value;
}

/* ---- what differs ----------------------------------------------------------------------- */

static bool step(struct value_walk *w)
{
	w->steps -= w->steps ? 1 : 0;
	return w->steps;
}

/* Whether anything in the part of it that is looked at does. */
static bool differs(const struct value_walk *w, uint64_t low, uint64_t high)
{
	low = low > w->start ? low : w->start;
	high = high < w->end ? high : w->end;
	return low < high && memcmp(w->bytes[VALUE_BEFORE] + (low - w->start), w->bytes[VALUE_AFTER] + (low - w->start),
	                            (size_t)(high - low)) != 0;
}

/* Whether something before the window differs, too: then it was told there. */
static bool was_told(const struct value_walk *w, uint64_t low)
{
	enum { BACK_MAX = TEXT_WHOLE };
	uint8_t before[BACK_MAX], after[BACK_MAX];
	if (low >= w->start || w->start - low > BACK_MAX)
		return false;
	size_t len = (size_t)(w->start - low);
	return w->read(w->ctx, VALUE_BEFORE, low, before, len) && w->read(w->ctx, VALUE_AFTER, low, after, len) &&
	       memcmp(before, after, len) != 0;
}

static uint64_t end_of(uint64_t offset, uint64_t size)
{
	return size > UINT64_MAX - offset ? UINT64_MAX : offset + size;
}

/* ---- paths ------------------------------------------------------------------------------ */

__attribute__((format(printf, 2, 3))) static size_t path_add(struct value_walk *w, const char *format, ...)
{
	size_t before = w->path_len, room = sizeof(w->path) - before;
	va_list args;
	va_start(args, format);
	int len = vsnprintf(w->path + before, room, format, args);
	va_end(args);
	if (len >= 0 && (size_t)len < room) {
		w->path_len += (size_t)len;
	} else { /* deeper names are left out */
		w->path_len = sizeof(w->path) - 1;
		memcpy(w->path + w->path_len - 3, "...", 4);
	}
	return before;
}

static void path_back(struct value_walk *w, size_t len)
{
	w->path_len = len;
	w->path[len] = '\0';
}

/* ---- leaves ----------------------------------------------------------------------------- */

static void emit(struct value_walk *w, const struct value_leaf *leaf)
{
	struct value_leaf told = *leaf;
	if (leaf->size > UINT64_MAX - leaf->offset)
		return; /* the last of 2^61 elements, say: no variable is so large, but a type may say so */
	told.path = w->path;
	w->emit(w->ctx, &told);
}

static void walk_scalar(struct value_walk *w, const struct place *p)
{
	const struct value_type *type = p->type;
	uint64_t size = type->significant ? type->significant : type->size;
	if (!differs(w, p->offset, end_of(p->offset, size)) || was_told(w, p->offset))
		return;
	emit(w, &(struct value_leaf){ .type = type, .offset = p->offset, .size = type->size });
}

static void walk_bits(struct value_walk *w, const struct place *p, const struct value_member *member)
{
	uint8_t bytes[VALUE_SIDES][9] = { { 0 } };
	uint64_t first = p->offset - member->offset + member->bit_offset / 8;
	uint32_t shift = (uint32_t)(member->bit_offset % 8);
	size_t size = (shift + member->bit_size + 7) / 8;
	bool known = true, big = member->type->big_endian;
	if (size > 9 || !differs(w, first, end_of(first, size)))
		return;
	for (int side = 0; side < VALUE_SIDES; side++)
		known = known && w->read(w->ctx, side, first, bytes[side], size);
	if (known && value_bits(bytes[VALUE_BEFORE], shift, member->bit_size, big) ==
	                     value_bits(bytes[VALUE_AFTER], shift, member->bit_size, big))
		return;
	/* It was told before if it differs by what lies before the window. */
	for (uint64_t i = w->start > first ? w->start - first : size; i < size; i++)
		bytes[VALUE_BEFORE][i] = bytes[VALUE_AFTER][i] = 0;
	if (known && first < w->start &&
	    value_bits(bytes[VALUE_BEFORE], shift, member->bit_size, big) !=
	            value_bits(bytes[VALUE_AFTER], shift, member->bit_size, big))
		return;
	emit(w, &(struct value_leaf){ .type = member->type,
	                              .offset = first,
	                              .size = size,
	                              .bit_offset = shift,
	                              .bit_size = member->bit_size });
}

/* The next bytes that differ, from *at on, up to `most` of them; false: none before the end. */
static bool next_run(const struct value_walk *w, uint64_t *at, uint64_t end, uint64_t most, uint64_t *last)
{
	const uint8_t *before = w->bytes[VALUE_BEFORE], *after = w->bytes[VALUE_AFTER];
	uint64_t i = (*at > w->start ? *at : w->start) - w->start, stop = (end < w->end ? end : w->end) - w->start;
	if (end <= w->start)
		return false;
	while (i < stop && before[i] == after[i])
		i++;
	if (i >= stop)
		return false;
	*at = *last = w->start + i;
	for (uint64_t k = i + 1; k < stop && k - i < most && k - (*last - w->start) <= RUN_GAP; k++)
		if (before[k] != after[k])
			*last = w->start + k;
	return true;
}

static void walk_bytes(struct value_walk *w, const struct place *p)
{
	uint64_t size = p->type->size, end = size ? end_of(p->offset, size) : p->limit, last;
	if (size && size <= 8) {
		walk_scalar(w, p);
		return;
	}
	for (uint64_t at = p->offset; step(w) && next_run(w, &at, end, RUN_BYTES, &last); at = last + 1) {
		size_t mark = path_add(w, "+%" PRIu64, at - p->offset);
		emit(w, &(struct value_leaf){ .type = p->type, .offset = at, .size = last - at + 1, .is_bytes = true });
		path_back(w, mark);
	}
}

/* ---- text ------------------------------------------------------------------------------- */

/* Printable, with what texts have in them; up to a NUL, if there is one. */
static bool is_text(const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len && bytes[i]; i++)
		if (bytes[i] == 0x7f || (bytes[i] < 0x20 && !strchr("\t\n\r\x1b", bytes[i])))
			return false;
	return true;
}

static void emit_part(struct value_walk *w, const struct place *p, uint64_t first, uint64_t last, bool text)
{
	uint64_t from = first - p->offset, to = last - p->offset;
	size_t mark =
	        from == to ? path_add(w, "[%" PRIu64 "]", from) : path_add(w, "[%" PRIu64 "..%" PRIu64 "]", from, to);
	/* One alone is a character. */
	emit(w, &(struct value_leaf){ .type = from == to ? p->type->element : p->type,
	                              .offset = first,
	                              .size = last - first + 1,
	                              .is_text = text && from != to,
	                              .is_bytes = !text && from != to });
	path_back(w, mark);
}

/* One that is short enough; how many bytes of it that tells of: 0 if it is none. */
static uint64_t walk_text(struct value_walk *w, const struct place *p, uint64_t size)
{
	uint8_t bytes[VALUE_SIDES][TEXT_WHOLE];
	size_t len[VALUE_SIDES], first = 0, last;
	for (int side = 0; side < VALUE_SIDES; side++) {
		if (!w->read(w->ctx, side, p->offset, bytes[side], (size_t)size) || !is_text(bytes[side], size))
			return 0;
		len[side] = strnlen((const char *)bytes[side], size);
	}
	size_t most = len[0] > len[1] ? len[0] : len[1], least = len[0] < len[1] ? len[0] : len[1];
	while (first < least && bytes[0][first] == bytes[1][first])
		first++;
	if (first == most) /* what differs lies behind the end of it */
		return 0;
	if (was_told(w, p->offset))
		return most;
	if (most <= TEXT_SHORT) {
		emit(w, &(struct value_leaf){ .type = p->type, .offset = p->offset, .size = size, .is_text = true });
		return most;
	}
	last = most - 1;
	while (len[0] == len[1] && last > first && bytes[0][last] == bytes[1][last])
		last--;
	first = first > TEXT_AROUND ? first - TEXT_AROUND : 0;
	last = last + TEXT_AROUND < size ? last + TEXT_AROUND : (size_t)size - 1;
	emit_part(w, p, p->offset + first, p->offset + last, true);
	return most;
}

static void walk_characters(struct value_walk *w, const struct place *p, uint64_t size)
{
	uint64_t end = end_of(p->offset, size), last, text_end = size <= TEXT_WHOLE ? walk_text(w, p, size) : 0;
	for (uint64_t at = p->offset + text_end; step(w) && next_run(w, &at, end, RUN_TEXT, &last); at = last + 1) {
		size_t len = (size_t)(last - at + 1), from = (size_t)(at - w->start);
		bool text = size > TEXT_WHOLE && len > 1 && is_text(w->bytes[VALUE_BEFORE] + from, len) &&
		            is_text(w->bytes[VALUE_AFTER] + from, len);
		if (!text && len > RUN_BYTES)
			last = at + RUN_BYTES - 1;
		emit_part(w, p, at, last, text);
	}
}

/* ---- what has parts --------------------------------------------------------------------- */

static void walk(struct value_walk *w, const struct place *p, int depth);

static void walk_array(struct value_walk *w, const struct place *p, int depth)
{
	const struct value_type *element = p->type->element;
	uint64_t stride = element->size, room = p->limit > p->offset ? p->limit - p->offset : 0;
	uint64_t count = p->type->count && stride ? p->type->count : stride ? room / stride : 0;
	bool characters = element->kind == TYPE_CHAR || element->kind == TYPE_UCHAR;
	if (!count)
		return;
	if (characters) {
		walk_characters(w, p, count);
		return;
	}
	uint64_t first = w->start > p->offset ? (w->start - p->offset) / stride : 0;
	uint64_t past = w->end > p->offset ? (w->end - p->offset - 1) / stride + 1 : 0;
	past = past < count ? past : count;
	for (uint64_t i = first; i < past && step(w); i++) {
		uint64_t at = p->offset + i * stride;
		if (!differs(w, at, end_of(at, stride)))
			continue;
		size_t mark = path_add(w, "[%" PRIu64 "]", i);
		walk(w, &(struct place){ element, at, end_of(at, stride) }, depth + 1);
		path_back(w, mark);
	}
}

static uint64_t first_bit(const struct value_member *member)
{
	return member->bit_size                  ? member->bit_offset
	       : member->offset > UINT64_MAX / 8 ? UINT64_MAX
	                                         : member->offset * 8;
}

/* Where the member that follows this one begins; the limit of the whole, if none does. */
static uint64_t limit_of(const struct place *p, size_t index)
{
	const struct value_type *type = p->type;
	uint64_t mine = type->members[index].offset;
	if (type->kind != TYPE_STRUCT)
		return p->limit;
	for (size_t i = index + 1; i < type->member_count; i++)
		if (type->members[i].offset > mine)
			return end_of(p->offset, type->members[i].offset);
	return p->limit;
}

/* "std::_Vector_base<...>": what the C++ library has its classes made of, by names that are nobody else's, tells people
 * nothing. */
static bool is_librarys_own(const struct value_member *member)
{
	const char *last = member->name;
	int depth = 0;
	for (const char *at = member->name; *at; at++) {
		depth += (*at == '<') - (*at == '>');
		if (!depth && at[0] == ':' && at[1] == ':')
			last = at + 2;
	}
	return member->is_base && *last == '_';
}

static void walk_member(struct value_walk *w, const struct place *p, size_t index, int depth)
{
	const struct value_member *member = &p->type->members[index];
	struct place at = { member->type, end_of(p->offset, member->offset), 0 };
	/* Without a size it may be anywhere up to the next one. */
	at.limit = member->type->size ? end_of(at.offset, member->type->size) : limit_of(p, index);
	bool flexible = member->type->kind == TYPE_STRUCT && index + 1 == p->type->member_count;
	if (flexible && p->limit > at.limit)
		at.limit = p->limit;
	/* "circle.Shape::id": the member of a base. */
	bool in_base = w->path_len > 1 && w->path[w->path_len - 1] == ':';
	size_t mark = is_librarys_own(member) ? w->path_len
	                                      : path_add(w, "%s%s%s", *member->name && !in_base ? "." : "",
	                                                 member->name, member->is_base ? "::" : "");
	if (member->bit_size)
		walk_bits(w, &at, member);
	else
		walk(w, &at, depth + 1);
	path_back(w, mark);
}

static bool is_covered(const struct value_type *type, uint64_t offset)
{
	for (size_t i = 0; i < type->member_count; i++) {
		const struct value_member *m = &type->members[i];
		uint64_t first = first_bit(m) / 8;
		uint64_t size = m->bit_size ? (m->bit_offset % 8 + m->bit_size + 7) / 8 : m->type->size;
		if (offset >= first && offset - first < size)
			return true;
	}
	return false;
}

/* What of a class is where only the running program knows. */
static void walk_uncovered(struct value_walk *w, const struct place *p)
{
	uint64_t end = end_of(p->offset, p->type->size), last;
	for (uint64_t at = p->offset; step(w) && next_run(w, &at, end, 1, &last); at = last + 1) {
		if (is_covered(p->type, at - p->offset))
			continue;
		size_t mark = path_add(w, "+%" PRIu64, at - p->offset);
		emit(w, &(struct value_leaf){ .type = p->type, .offset = at, .size = 1, .is_bytes = true });
		path_back(w, mark);
	}
}

static void walk_members(struct value_walk *w, const struct place *p, int depth)
{
	for (size_t i = 0; i < p->type->member_count && step(w); i++)
		walk_member(w, p, i, depth);
	if (p->type->incomplete)
		walk_uncovered(w, p);
}

/* Index of the variant that is there; 0: not known. */
static size_t variant_of(struct value_walk *w, const struct place *p, int side)
{
	const struct value_member *discriminant = &p->type->members[0];
	uint8_t bytes[8];
	size_t other = 0, size = (size_t)discriminant->type->size;
	if (!w->read(w->ctx, side, end_of(p->offset, discriminant->offset), bytes, size))
		return 0;
	uint64_t value = value_number(bytes, size, discriminant->type->big_endian);
	for (size_t i = 1; i < p->type->member_count; i++) {
		if (!p->type->members[i].is_default && p->type->members[i].value == value)
			return i;
		other = p->type->members[i].is_default ? i : other;
	}
	return other;
}

static void walk_variant(struct value_walk *w, const struct place *p, int depth)
{
	size_t before = variant_of(w, p, VALUE_BEFORE), after = variant_of(w, p, VALUE_AFTER);
	const struct value_member *discriminant = &p->type->members[0];
	uint64_t at = end_of(p->offset, discriminant->offset);
	if (before && before == after) {
		walk_member(w, p, before, depth);
		return;
	}
	if (differs(w, at, end_of(at, discriminant->type->size)) && !was_told(w, at))
		emit(w, &(struct value_leaf){ .type = p->type, .offset = at, .size = discriminant->type->size });
}

static void walk(struct value_walk *w, const struct place *p, int depth)
{
	const struct value_type *type = p->type;
	if (type->size && !differs(w, p->offset, p->limit))
		return;
	if (depth > NESTED_MAX || !step(w))
		return;
	switch (type->kind) {
	case TYPE_BYTES:
		walk_bytes(w, p);
		break;
	case TYPE_ARRAY:
		walk_array(w, p, depth);
		break;
	case TYPE_STRUCT:
	case TYPE_UNION:
		walk_members(w, p, depth);
		break;
	case TYPE_VARIANT:
		walk_variant(w, p, depth);
		break;
	default:
		if (type->size)
			walk_scalar(w, p);
	}
}

void value_walk_window(struct value_walk *w)
{
	path_back(w, 0);
	walk(w, &(struct place){ w->type, 0, w->size }, 0);
}
