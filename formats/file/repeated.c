#include "repeated.h"

#include <stdlib.h>
#include <string.h>

static int compare(const struct repeated_key *a, const struct repeated_key *b)
{
	if (a->len != b->len)
		return a->len < b->len ? -1 : 1;
	return a->len ? memcmp(a->bytes, b->bytes, a->len) : 0;
}

static int by_index(const void *x, const void *y)
{
	const struct repeated_key *a = x, *b = y;
	return (a->index > b->index) - (a->index < b->index);
}

static int by_bytes(const void *x, const void *y)
{
	int order = compare(x, y);
	return order ? order : by_index(x, y);
}

size_t repeated_mark(struct repeated_key *keys, size_t count)
{
	size_t again = 0;
	for (size_t i = 0; i < count; i++)
		keys[i].index = i;
	if (count)
		qsort(keys, count, sizeof(*keys), by_bytes);
	for (size_t i = 0; i < count; i++) {
		keys[i].again = i && !compare(&keys[i - 1], &keys[i]);
		again += keys[i].again;
	}
	if (count)
		qsort(keys, count, sizeof(*keys), by_index);
	return again;
}
