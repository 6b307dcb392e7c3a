#include "work.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"

int work_charge(struct work *work, uint64_t bytes)
{
	if (bytes > work_left(work))
		return VMSNAP_ERR_TOO_LARGE;
	work->used += bytes;
	return VMSNAP_OK;
}

int work_ask(struct work *work)
{
	work->steps = 0;
	return work->cancelled && work->cancelled(work->cancel_ctx) ? VMSNAP_ERR_CANCELLED : VMSNAP_OK;
}

/* Whether so many more bytes may be taken; *rc says why not. */
static bool may_take(struct work *work, size_t count, size_t item_size, int *rc)
{
	if (!*rc)
		*rc = count > SIZE_MAX / item_size ? VMSNAP_ERR_TOO_LARGE
		                                   : work_charge(work, (uint64_t)count * item_size);
	return !*rc;
}

void *work_array(struct work *work, size_t count, size_t item_size, int *rc)
{
	if (!may_take(work, count, item_size, rc))
		return NULL;
	void *array = calloc(count ? count : 1, item_size);
	if (!array) {
		work_release(work, (uint64_t)count * item_size);
		*rc = VMSNAP_ERR_NO_MEMORY;
	}
	return array;
}

void *work_grow(struct work *work, void *items, size_t count, size_t *capacity, size_t item_size, int *rc)
{
	if (*rc || count < *capacity)
		return items;
	size_t more = *capacity ? *capacity / 2 : 32;
	if (!may_take(work, more, item_size, rc))
		return items;
	void *grown = *capacity + more > SIZE_MAX / item_size ? NULL : realloc(items, (*capacity + more) * item_size);
	if (!grown) {
		work_release(work, (uint64_t)more * item_size);
		*rc = VMSNAP_ERR_NO_MEMORY;
		return items;
	}
	*capacity += more;
	return grown;
}

/* ---- sorting ---------------------------------------------------------------------- */

struct sort {
	struct work *work;
	size_t size;
	work_order_fn order;
	const void *ctx;
};

/* Merges two neighbouring sorted runs of `from` into `to`. */
static int merge(const struct sort *sort, const char *from, char *to, size_t left, size_t right)
{
	const char *a = from, *a_end = a + left * sort->size, *b = a_end, *b_end = b + right * sort->size;
	bool in_order = !right || !left || sort->order(b - sort->size, b, sort->ctx) <= 0;
	int rc = work_step(sort->work);
	while (!rc && !in_order && a < a_end && b < b_end) {
		const char **next = sort->order(a, b, sort->ctx) <= 0 ? &a : &b;
		memcpy(to, *next, sort->size);
		*next += sort->size;
		to += sort->size;
		rc = work_step(sort->work);
	}
	if (rc)
		return rc;
	memcpy(to, a, (size_t)(a_end - a));
	memcpy(to + (a_end - a), b, (size_t)(b_end - b));
	return VMSNAP_OK;
}

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Runs of one item, then of two, …; *items says where the result is. */
static int merge_all(const struct sort *sort, char **items, char *spare, size_t count)
{
	for (size_t width = 1; width < count; width *= 2) {
		for (size_t at = 0; at < count;) {
			size_t left = least(width, count - at), right = least(width, count - at - left);
			int rc = merge(sort, *items + at * sort->size, spare + at * sort->size, left, right);
			if (rc)
				return rc;
			at += left + right;
		}
		char *sorted = spare;
		spare = *items;
		*items = sorted;
	}
	return VMSNAP_OK;
}

static int in_order(const struct sort *sort, const char *items, size_t count, bool *yes)
{
	int rc = VMSNAP_OK;
	*yes = true;
	for (size_t i = 1; !rc && *yes && i < count; i++, items += sort->size) {
		*yes = sort->order(items, items + sort->size, sort->ctx) <= 0;
		rc = work_step(sort->work);
	}
	return rc;
}

int work_sort(struct work *work, void *items, size_t count, size_t item_size, work_order_fn order, const void *ctx)
{
	const struct sort sort = { work, item_size, order, ctx };
	bool sorted_already;
	int rc = in_order(&sort, items, count, &sorted_already);
	if (rc || sorted_already)
		return rc;
	char *sorted = items;
	void *spare = work_array(work, count, item_size, &rc);
	rc = rc ? rc : merge_all(&sort, &sorted, spare, count);
	if (!rc && sorted != items)
		memcpy(items, sorted, count * item_size);
	work_free(work, spare, count, item_size);
	return rc;
}

/* ---- telling ------------------------------------------------------------------------ */

int work_fail(const struct work *work, int code, struct vmsnap_error *err)
{
	if (code == VMSNAP_ERR_TOO_LARGE)
		return fail(err, code,
		            "too large: what is made of these snapshots would take more than the %" PRIu64
		            " bytes of memory that the limits of their files leave",
		            work->limit);
	if (code == VMSNAP_ERR_CANCELLED)
		return fail(err, code, "cancelled");
	return code == VMSNAP_ERR_NO_MEMORY ? fail_no_memory(err) : code;
}
