#include "name_ranges.h"

#include <stdlib.h>

#include "error.h"

int name_ranges_init(struct name_ranges *s, size_t count)
{
	*s = (struct name_ranges){ .count = count, .leaves = 1 };
	if (!count)
		return VMSNAP_OK;
	while (s->leaves < count)
		s->leaves *= 2;
	s->tree = calloc(2 * s->leaves, sizeof(*s->tree));
	if (!s->tree)
		*s = (struct name_ranges){ 0 };
	return s->tree ? VMSNAP_OK : VMSNAP_ERR_NO_MEMORY;
}

void name_ranges_settle(struct name_ranges *s)
{
	for (size_t i = s->tree ? s->leaves - 1 : 0; i > 0; i--)
		s->tree[i] = s->tree[2 * i] > s->tree[2 * i + 1] ? s->tree[2 * i] : s->tree[2 * i + 1];
}

void name_ranges_free(struct name_ranges *s)
{
	free(s->tree);
	*s = (struct name_ranges){ 0 };
}

size_t name_ranges_next(const struct name_ranges *s, size_t from, uint64_t address)
{
	if (from >= s->count)
		return s->count;
	size_t at = s->leaves + from;
	while (s->tree[at] <= address) {
		/* To the subtree on the right: up while we are a right child. */
		while (at & 1)
			at /= 2;
		if (!at)
			return s->count;
		at++;
	}
	while (at < s->leaves)
		at = s->tree[2 * at] > address ? 2 * at : 2 * at + 1;
	return at - s->leaves;
}

size_t name_ranges_previous(const struct name_ranges *s, size_t below, uint64_t address)
{
	if (!s->count || !below)
		return s->count;
	size_t at = s->leaves + (below < s->count ? below : s->count) - 1;
	while (s->tree[at] <= address) {
		while (at > 1 && !(at & 1))
			at /= 2;
		if (at == 1)
			return s->count;
		at--;
	}
	while (at < s->leaves)
		at = s->tree[2 * at + 1] > address ? 2 * at + 1 : 2 * at;
	return at - s->leaves;
}
