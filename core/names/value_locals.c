#include "value_locals.h"

#include <string.h>

#include "annotation.h"

/* More at one address are not compared, and no more that overlap are looked through. */
enum { AT_ONE_MOST = 64, OVERLAP_MOST = 64 };

static bool is_variable(const struct vmsnap_annotation *name)
{
	return name->size && *name->symbol &&
	       (name->kind == VMSNAP_ANNOTATION_LOCAL || name->kind == VMSNAP_ANNOTATION_ARGUMENT ||
	        name->kind == VMSNAP_ANNOTATION_THREAD_LOCAL);
}

/* A frame's number is another one if others were called meanwhile.  A function that was left and called again at
 * the same place cannot be told from one that was not. */
static bool is_same(const struct vmsnap_annotation *x, const struct vmsnap_annotation *y)
{
	return x->address == y->address && x->size == y->size && x->kind == y->kind && x->tid == y->tid &&
	       !strcmp(x->symbol, y->symbol) && !strcmp(x->function, y->function) && !strcmp(x->type, y->type);
}

static bool was_there(const struct vmsnap *a, const struct vmsnap_annotation *name)
{
	size_t first = annotation_first_at(a, name->address);
	for (size_t i = first; i < a->annotation_count && i - first < AT_ONE_MOST; i++) {
		if (a->annotations[i].address != name->address)
			return false;
		if (is_same(&a->annotations[i], name))
			return true;
	}
	return false;
}

static const struct value_type *type_of(const struct value_locals *locals, const struct vmsnap_annotation *name)
{
	for (size_t i = 2; i-- > 0;) {
		const struct value_type *type = type_table_find(&locals->types[i], name->type, name->size);
		if (type)
			return type;
	}
	return NULL;
}

static int find_all(const struct vmsnap *a, const struct vmsnap *b, struct work *work, struct value_locals *locals)
{
	int rc = type_table_read(a->types, a->types_len, work, &locals->types[0]);
	rc = rc ? rc : type_table_read(b->types, b->types_len, work, &locals->types[1]);
	for (size_t i = 0; !rc && i < b->annotation_count; i++) {
		const struct vmsnap_annotation *name = &b->annotations[i];
		rc = work_step(work);
		if (rc || !is_variable(name) || !was_there(a, name))
			continue;
		if (!WORK_ROOM(work, locals->items, locals->count, &locals->room, &rc))
			break;
		work_count(work, locals->types[0].count + locals->types[1].count);
		locals->items[locals->count++] = (struct value_local){ name, type_of(locals, name) };
	}
	return rc;
}

int value_locals_find(const struct vmsnap *a, const struct vmsnap *b, struct work *work, struct value_locals *locals)
{
	*locals = (struct value_locals){ 0 };
	int rc = find_all(a, b, work, locals);
	if (rc)
		value_locals_free(locals, work);
	return rc;
}

void value_locals_free(struct value_locals *locals, struct work *work)
{
	for (size_t i = 0; i < 2; i++)
		type_table_free(&locals->types[i], work);
	work_free(work, locals->items, locals->room, sizeof(*locals->items));
	*locals = (struct value_locals){ 0 };
}

const struct value_local *value_locals_at(const struct value_locals *locals, uint64_t address)
{
	size_t low = 0, high = locals->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (locals->items[middle].name->address <= address)
			low = middle + 1;
		else
			high = middle;
	}
	for (size_t i = low; i > 0 && low - i < OVERLAP_MOST; i--) {
		const struct vmsnap_annotation *name = locals->items[i - 1].name;
		if (address - name->address < name->size)
			return &locals->items[i - 1];
	}
	return NULL;
}
