#include "sparkline.h"

#include <string.h>

static const char *const blocks[] = { "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█" };
static const char *const digits[] = { "0", "1", "2", "3", "4", "5", "6", "7", "8", "9" };

/* The share of [low, high] in steps; 128 bits, as a size may be as large as any. */
static unsigned level(uint64_t value, uint64_t low, uint64_t high, unsigned levels)
{
	if (low == high)
		return levels / 2 - 1;
	return (unsigned)(((unsigned __int128)(value - low) * (levels - 1) + (high - low) / 2) / (high - low));
}

void sparkline(char out[SPARKLINE_ROOM], const uint64_t *values, size_t count, bool unicode)
{
	uint64_t low = UINT64_MAX, high = 0;
	size_t used = 0;
	const char *const *glyphs = unicode ? blocks : digits;
	unsigned levels = unicode ? sizeof(blocks) / sizeof(*blocks) : sizeof(digits) / sizeof(*digits);
	for (size_t i = 0; i < count; i++) {
		if (values[i] == UINT64_MAX) {
			low = 0;
			continue;
		}
		low = values[i] < low ? values[i] : low;
		high = values[i] > high ? values[i] : high;
	}
	for (size_t i = 0; i < count && i < SPARKLINE_MOST; i++) {
		const char *glyph = values[i] == UINT64_MAX ? " " : glyphs[level(values[i], low, high, levels)];
		size_t len = strlen(glyph);
		memcpy(out + used, glyph, len);
		used += len;
	}
	out[used] = '\0';
}
