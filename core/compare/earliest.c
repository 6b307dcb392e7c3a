#include "earliest.h"

int earliest_make(struct earliest *times, size_t count, struct work *work)
{
	int rc = VMSNAP_OK;
	times->leaves = 1;
	while (times->leaves < count)
		times->leaves *= 2;
	times->least = work_array(work, 2 * times->leaves, sizeof(*times->least), &rc);
	for (size_t i = 0; !rc && i < 2 * times->leaves; i++)
		times->least[i] = UINT64_MAX;
	return rc;
}

void earliest_free(struct earliest *times, struct work *work)
{
	work_free(work, times->least, 2 * times->leaves, sizeof(*times->least));
	times->least = NULL;
}

void earliest_set(struct earliest *times, size_t index, uint64_t time)
{
	uint64_t *least = times->least;
	size_t at = times->leaves + index;
	least[at] = time;
	while (at /= 2)
		least[at] = least[2 * at] < least[2 * at + 1] ? least[2 * at] : least[2 * at + 1];
}

uint64_t earliest_get(const struct earliest *times, size_t index)
{
	return times->least[times->leaves + index];
}

size_t earliest_next(const struct earliest *times, size_t from, uint64_t before)
{
	const uint64_t *least = times->least;
	size_t at = times->leaves + from;
	if (from >= times->leaves)
		return SIZE_MAX;
	/* Up, until what lies to the right has one; then down to its first. */
	while (least[at] >= before) {
		while (at & 1)
			at /= 2;
		if (!at)
			return SIZE_MAX;
		at++;
	}
	while (at < times->leaves)
		at = 2 * at + (least[2 * at] >= before);
	return at - times->leaves;
}
