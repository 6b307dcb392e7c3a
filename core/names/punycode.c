#include "punycode.h"

#include <string.h>

static uint64_t adapt(uint64_t delta, uint64_t count, bool first)
{
	uint64_t k = 0;
	delta = first ? delta / 700 : delta / 2;
	for (delta += delta / count; delta > 455; k += 36)
		delta /= 35;
	return k + 36 * delta / (delta + 38);
}

/* One number of variable length; false if it is damaged. */
static bool take_delta(const char **at, const char *end, uint64_t bias, uint64_t *index)
{
	uint64_t weight = 1;
	for (uint64_t k = 36;; k += 36) {
		if (*at == end || weight > UINT32_MAX)
			return false;
		char c = *(*at)++;
		uint64_t digit = c >= 'a' && c <= 'z' ? (uint64_t)(c - 'a') : (uint64_t)(c - '0') + 26;
		uint64_t low = k <= bias ? 1 : k >= bias + 26 ? 26 : k - bias;
		if (digit >= 36)
			return false;
		*index += digit * weight;
		if (digit < low)
			return *index <= UINT32_MAX;
		weight *= 36 - low;
	}
}

bool punycode_decode(const char *bytes, size_t len, uint32_t codes[PUNYCODE_MAX], size_t *count)
{
	const char *end = bytes + len, *at = bytes;
	for (const char *c = bytes; c < end; c++)
		at = *c == '_' ? c + 1 : at;
	*count = 0;
	if (at - bytes > PUNYCODE_MAX)
		return false;
	for (const char *c = bytes; c + 1 < at; c++)
		codes[(*count)++] = (uint8_t)*c;
	uint64_t code = 128, index = 0, bias = 72;
	for (bool first = true; at < end; first = false) {
		uint64_t before = index, length = *count + 1;
		if (length > PUNYCODE_MAX || !take_delta(&at, end, bias, &index))
			return false;
		bias = adapt(index - before, length, first);
		code += index / length;
		index %= length;
		if (code > 0x10ffff)
			return false;
		memmove(codes + index + 1, codes + index, (*count - index) * sizeof(*codes));
		codes[index++] = (uint32_t)code;
		(*count)++;
	}
	return true;
}
