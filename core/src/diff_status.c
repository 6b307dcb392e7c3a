#include "diff_status.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct line {
	struct vmsnap_status_field field;
	size_t index;
};

/* All fields, read one after another: asking for the n-th one reads all before
 * it again, and a hostile file may have millions. */
static struct line *read_lines(const struct vmsnap *snap, size_t *count)
{
	size_t total = vmsnap_status_count(snap);
	struct line *lines = total < SIZE_MAX / sizeof(*lines) ? calloc(total + 1, sizeof(*lines)) : NULL;
	struct vmsnap rest = { .status = snap->status, .status_len = snap->status_len };
	for (*count = 0; lines && *count < total; (*count)++) {
		struct vmsnap_status_field *field = &lines[*count].field;
		if (vmsnap_status_field(&rest, 0, field))
			break;
		lines[*count].index = *count;
		const char *end = field->text + field->text_len;
		rest.status_len -= (size_t)(end - rest.status);
		rest.status = end;
	}
	return lines;
}

static int compare_bytes(const char *a, size_t len_a, const char *b, size_t len_b)
{
	size_t common = len_a < len_b ? len_a : len_b;
	int order = common ? memcmp(a, b, common) : 0;
	return order ? order : (len_a > len_b) - (len_a < len_b);
}

static int compare_keys(const struct line *a, const struct line *b)
{
	return compare_bytes(a->field.key, a->field.key_len, b->field.key, b->field.key_len);
}

static int by_key(const void *x, const void *y)
{
	const struct line *a = x, *b = y;
	int order = compare_keys(a, b);
	return order ? order : (a->index > b->index) - (a->index < b->index);
}

static int by_index(const void *x, const void *y)
{
	const struct line *a = x, *b = y;
	return (a->index > b->index) - (a->index < b->index);
}

struct partner {
	const struct line *a, *b;
};

static int by_order(const void *x, const void *y)
{
	const struct partner *a = x, *b = y;
	if (!a->a != !b->a)
		return a->a ? -1 : 1;
	return a->a ? by_index(a->a, b->a) : by_index(a->b, b->b);
}

/* Merges two lists sorted by key.  A key that comes twice is met twice. */
static size_t pair_up(const struct line *a, size_t count_a, const struct line *b, size_t count_b, struct partner *out)
{
	size_t i = 0, j = 0, count = 0;
	while (i < count_a || j < count_b) {
		int order = i == count_a ? 1 : j == count_b ? -1 : compare_keys(&a[i], &b[j]);
		struct partner pair = { order <= 0 ? &a[i] : NULL, order >= 0 ? &b[j] : NULL };
		i += order <= 0;
		j += order >= 0;
		if (pair.a && pair.b &&
		    !compare_bytes(pair.a->field.text, pair.a->field.text_len, pair.b->field.text,
		                   pair.b->field.text_len))
			continue;
		out[count++] = pair;
	}
	return count;
}

int diff_status(const struct vmsnap *a, const struct vmsnap *b, struct vmsnap_diff_status **out, size_t *count)
{
	size_t count_a = 0, count_b = 0;
	struct line *lines_a = read_lines(a, &count_a), *lines_b = read_lines(b, &count_b);
	struct partner *pairs = calloc(count_a + count_b + 1, sizeof(*pairs));
	struct vmsnap_diff_status *rows = NULL;
	if (lines_a && lines_b && pairs) {
		qsort(lines_a, count_a, sizeof(*lines_a), by_key);
		qsort(lines_b, count_b, sizeof(*lines_b), by_key);
		*count = pair_up(lines_a, count_a, lines_b, count_b, pairs);
		qsort(pairs, *count, sizeof(*pairs), by_order);
		rows = calloc(*count + 1, sizeof(*rows));
	}
	for (size_t i = 0; rows && i < *count; i++) {
		if (pairs[i].a)
			rows[i].a = pairs[i].a->field;
		if (pairs[i].b)
			rows[i].b = pairs[i].b->field;
	}
	free(lines_a);
	free(lines_b);
	free(pairs);
	if (!rows)
		return VMSNAP_ERR_NO_MEMORY;
	*out = rows;
	return VMSNAP_OK;
}
