#include "names_annotations.h"

#include <stdlib.h>
#include <string.h>

#include "error.h"

int annotation_kind(const struct vmsnap_annotation *name)
{
	switch (name->kind) {
	case VMSNAP_ANNOTATION_LOCAL:
		return VMSNAP_NAME_LOCAL;
	case VMSNAP_ANNOTATION_ARGUMENT:
		return VMSNAP_NAME_ARGUMENT;
	case VMSNAP_ANNOTATION_THREAD_LOCAL:
		return VMSNAP_NAME_THREAD_LOCAL;
	default:
		return strcmp(name->type, VMSNAP_MALLOC_HEAP) ? VMSNAP_NAME_OTHER_SYMBOL : VMSNAP_NAME_MALLOC_HEAP;
	}
}

static int order_of(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

/* What makes a variable the same in two snapshots; also where it is told. */
static int same_variable(const struct annotation_item *x, const struct annotation_item *y)
{
	const struct vmsnap_annotation *a = x->name, *b = y->name;
	int order = order_of(a->address, b->address);
	order = order ? order : order_of(y->end, x->end);
	order = order ? order : order_of(a->kind, b->kind);
	order = order ? order : strcmp(a->function, b->function);
	return order ? order : strcmp(a->symbol, b->symbol);
}

static int by_place(const void *a, const void *b)
{
	const struct annotation_item *x = a, *y = b;
	int order = same_variable(x, y);
	order = order ? order : order_of(x->source, y->source);
	order = order ? order : order_of(x->name->frame, y->name->frame);
	return order ? order : order_of(x->name->tid, y->name->tid);
}

static void take(struct annotation_names *c, const struct vmsnap *snap, size_t source)
{
	const struct vmsnap_annotation *name;
	for (size_t i = 0; (name = vmsnap_annotation(snap, i)); i++) {
		uint64_t size = name->size ? name->size : 1;
		/* Of another snapshot, heaps are not known to be there still. */
		if (source && annotation_kind(name) == VMSNAP_NAME_MALLOC_HEAP)
			continue;
		if (name->kind == VMSNAP_ANNOTATION_DEBUGGER_WRITE || name->kind >= VMSNAP_ANNOTATION_KIND_COUNT ||
		    !*name->symbol || size > UINT64_MAX - name->address)
			continue;
		c->items[c->count++] = (struct annotation_item){ name, name->address + size, source };
	}
}

/* Items in order: drops what a snapshot before has too, and exact repetitions. */
static void drop_repeated(struct annotation_names *c)
{
	size_t kept = 0, first = 0; /* first: where the variable begins among the kept */
	for (size_t i = 0; i < c->count; i++) {
		const struct annotation_item item = c->items[i];
		if (!kept || same_variable(&c->items[first], &item)) {
			first = kept;
		} else {
			const struct annotation_item *last = &c->items[kept - 1];
			if (item.source != last->source ||
			    (item.name->frame == last->name->frame && item.name->tid == last->name->tid))
				continue;
		}
		c->items[kept++] = item;
	}
	c->count = kept;
}

/* See ANNOTATION_DEPTH_MAX. */
static void drop_crowded(struct annotation_names *c)
{
	uint64_t ends[ANNOTATION_DEPTH_MAX]; /* of names that may reach beyond the next one's start */
	size_t depth = 0, kept = 0;
	for (size_t i = 0; i < c->count; i++) {
		const struct annotation_item item = c->items[i];
		size_t left = 0;
		for (size_t k = 0; depth == ANNOTATION_DEPTH_MAX && k < depth; k++)
			if (ends[k] > item.name->address)
				ends[left++] = ends[k];
		depth = depth == ANNOTATION_DEPTH_MAX ? left : depth;
		if (depth == ANNOTATION_DEPTH_MAX) {
			c->crowded = true;
			continue;
		}
		ends[depth++] = item.end;
		c->items[kept++] = item;
	}
	c->count = kept;
}

int annotation_collect(struct annotation_names *c, const struct vmsnap *const *snaps, size_t count)
{
	size_t room = 0;
	*c = (struct annotation_names){ 0 };
	for (size_t i = 0; i < count; i++)
		room += vmsnap_annotation_count(snaps[i]);
	if (!room)
		return VMSNAP_OK;
	c->items = malloc(room * sizeof(*c->items));
	if (!c->items)
		return VMSNAP_ERR_NO_MEMORY;
	for (size_t i = 0; i < count; i++)
		take(c, snaps[i], i);
	qsort(c->items, c->count, sizeof(*c->items), by_place);
	drop_repeated(c);
	drop_crowded(c);
	if (name_ranges_init(&c->ranges, c->count)) {
		annotation_free(c);
		return VMSNAP_ERR_NO_MEMORY;
	}
	for (size_t i = 0; i < c->count; i++)
		name_ranges_set(&c->ranges, i, c->items[i].end);
	name_ranges_settle(&c->ranges);
	return VMSNAP_OK;
}

void annotation_free(struct annotation_names *c)
{
	free(c->items);
	name_ranges_free(&c->ranges);
	*c = (struct annotation_names){ 0 };
}

/* Index of the first item that begins above the address. */
static size_t first_above(const struct annotation_names *c, uint64_t address)
{
	size_t low = 0, high = c->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (c->items[middle].name->address <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Index of the first item in the same place as the one at `index`. */
static size_t first_in_place(const struct annotation_names *c, size_t index)
{
	const struct annotation_item *wanted = &c->items[index];
	size_t low = 0, high = index;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct annotation_item *item = &c->items[middle];
		if (item->name->address < wanted->name->address ||
		    (item->name->address == wanted->name->address && item->end > wanted->end))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

const struct vmsnap_annotation *annotation_at(const struct annotation_names *c, uint64_t address)
{
	size_t index = name_ranges_previous(&c->ranges, first_above(c, address), address);
	return index < c->count ? c->items[first_in_place(c, index)].name : NULL;
}
