#include "group_names.h"

#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "name_text.h"

enum counted { COUNT_SHARED, COUNT_OWN, COUNT_LOST };

/* One process. */
struct finding {
	struct group_names *found;
	const struct vmsnap *snap;
	struct vmsnap_names *names;
	struct naming naming;
	uint64_t page_size, start, end; /* of the range that is named */
	enum counted counted;
	size_t process;
	bool any;
	int rc; /* of work */
	struct vmsnap_error *err;
};

/* ---- the table --------------------------------------------------------------------------- */

static uint64_t hash_of(const char *name, const char *object)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);
	for (const char *at = name; *at; at++)
		hash = (hash ^ (unsigned char)*at) * UINT64_C(0x100000001b3);
	hash = (hash ^ 0xff) * UINT64_C(0x100000001b3);
	for (const char *at = object; *at; at++)
		hash = (hash ^ (unsigned char)*at) * UINT64_C(0x100000001b3);
	return hash ^ hash >> 29;
}

static size_t place_of(const struct group_names *found, const char *name, const char *object)
{
	size_t place = (size_t)hash_of(name, object) & (found->table_size - 1);
	for (uint32_t at; (at = found->table[place]); place = (place + 1) & (found->table_size - 1))
		if (!strcmp(found->items[at - 1].name, name) && !strcmp(found->items[at - 1].object, object))
			break;
	return place;
}

static int grow(struct group_names *found)
{
	size_t size = found->table_size ? 2 * found->table_size : 256;
	int rc = VMSNAP_OK;
	uint32_t *table = work_array(&found->text->work, size, sizeof(*table), &rc);
	if (rc)
		return rc;
	work_free(&found->text->work, found->table, found->table_size, sizeof(*table));
	found->table = table;
	found->table_size = size;
	for (size_t i = 0; i < found->count; i++)
		table[place_of(found, found->items[i].name, found->items[i].object)] = (uint32_t)i + 1;
	return rc;
}

static char *copied(struct work *work, const char *text, int *rc)
{
	size_t len = strlen(text) + 1;
	char *copy = work_array(work, len, 1, rc);
	return copy ? memcpy(copy, text, len) : NULL;
}

static int add_item(struct group_names *found, const char *name, const char *object, size_t *index)
{
	struct work *work = &found->text->work;
	int rc = found->count * 2 < found->table_size ? VMSNAP_OK : grow(found);
	if (rc)
		return rc;
	size_t place = place_of(found, name, object);
	if (found->table[place]) {
		*index = found->table[place] - 1;
		return rc;
	}
	if (!WORK_ROOM(work, found->items, found->count, &found->capacity, &rc))
		return rc;
	found->items[found->count] = (struct group_name){ .name = copied(work, name, &rc) };
	found->items[found->count].object = copied(work, object, &rc);
	*index = found->count++;
	found->table[place] = (uint32_t)found->count;
	return rc;
}

/* ---- one range --------------------------------------------------------------------------- */

static void count_name(struct finding *finding, const char *name, const char *object, uint64_t start, uint64_t end)
{
	size_t index = 0;
	finding->rc = add_item(finding->found, name, object, &index);
	if (finding->rc)
		return;
	struct group_name *item = &finding->found->items[index];
	bool again = item->last == finding->process + 1 && item->counted == (int)finding->counted;
	if (again && start < item->counted_to)
		start = item->counted_to;
	uint64_t bytes = start < end ? end - start : 0;
	*(finding->counted == COUNT_LOST     ? &item->lost
	  : finding->counted == COUNT_SHARED ? &item->shared
	                                     : &item->own) += bytes;
	item->processes += item->last != finding->process + 1;
	item->last = finding->process + 1;
	item->counted = (int)finding->counted;
	item->counted_to = end;
}

static bool take_name(void *ctx, const struct vmsnap_name *name)
{
	struct finding *finding = ctx;
	uint64_t mask = finding->page_size - 1, last = name->address + (name->size ? name->size - 1 : 0);
	uint64_t start = name->address & ~mask, end = (last | mask) + 1;
	if (!name->symbol)
		return true;
	start = start > finding->start ? start : finding->start;
	end = end < finding->end && end ? end : finding->end;
	if (start >= end)
		return true;
	char *words = name_words(&finding->naming, name, finding->found->text);
	if (words)
		count_name(finding, words, name->object ? name->object : "", start, end);
	name_words_free(words, finding->found->text);
	finding->any = true;
	return !finding->rc && !text_failed(finding->found->text);
}

/* Where nothing with a name of its own lies. */
static void take_mapping(struct finding *finding, size_t vma)
{
	struct vmsnap_name name = { .symbol = NULL };
	const struct vmsnap_vma *of = vmsnap_vma(finding->snap, vma);
	const char *called = *of->name ? of->name : "anonymous";
	if (!*of->name && finding->names && !vmsnap_name_of_mapping(finding->names, vma, &name))
		called = name.symbol ? name.symbol : name.object ? name.object : called;
	count_name(finding, called, "", finding->start, finding->end);
}

static bool take_range(struct finding *finding, uint64_t start, uint64_t end, size_t vma)
{
	finding->start = start;
	finding->end = end;
	finding->any = false;
	int rc = finding->names ? vmsnap_names_in(finding->names, start, end, take_name, finding, finding->err)
	                        : VMSNAP_ERR_NOT_FOUND;
	if (rc && rc != VMSNAP_ERR_NOT_FOUND && !finding->rc)
		finding->rc = rc;
	if (!finding->rc && !finding->any)
		take_mapping(finding, vma);
	return !finding->rc && !text_failed(finding->found->text);
}

static bool take_shared_or_own(void *ctx, const struct vmsnap_group_range *range)
{
	struct finding *finding = ctx;
	finding->counted = range->shared ? COUNT_SHARED : COUNT_OWN;
	return take_range(finding, range->start, range->end, range->vma);
}

/* ---- all of them ------------------------------------------------------------------------- */

static size_t vma_index(const struct vmsnap *snap, uint64_t address)
{
	const struct vmsnap_vma *first = vmsnap_vma(snap, 0), *at = vmsnap_vma_at(snap, address);
	return at ? (size_t)(at - first) : 0;
}

/* *next: the first range that may be of this process; they come in the order of processes. */
static void find_lost(struct finding *finding, const struct grouped *grouped, size_t *next)
{
	struct vmsnap_group_lost lost;
	finding->counted = COUNT_LOST;
	for (; grouped->change && !vmsnap_group_change_range(grouped->change, *next, &lost); ++*next) {
		if (lost.process > finding->process)
			return;
		if (lost.process == finding->process &&
		    !take_range(finding, lost.start, lost.end, vma_index(finding->snap, lost.start)))
			return;
	}
}

static int find_in_process(struct group_names *found, const struct grouped *grouped, struct vmsnap_names *names,
                           size_t index, size_t *next, struct vmsnap_error *err)
{
	struct vmsnap_group_process process;
	if (vmsnap_group_process(grouped->group, index, &process) || process.space != index)
		return VMSNAP_OK;
	int rc = names ? vmsnap_names_rebind(names, process.snap, err) : VMSNAP_OK;
	if (rc)
		return rc;
	struct finding finding = { .found = found,
		                   .snap = process.snap,
		                   .names = names,
		                   .naming = naming_of(names, process.snap, NULL, NULL),
		                   .page_size = vmsnap_info(process.snap)->page_size,
		                   .process = index,
		                   .err = err };
	rc = vmsnap_group_ranges(grouped->group, index, take_shared_or_own, &finding, err);
	if (!rc && !finding.rc)
		find_lost(&finding, grouped, next);
	rc = rc ? rc : finding.rc;
	bool of_work = rc == VMSNAP_ERR_TOO_LARGE || rc == VMSNAP_ERR_NO_MEMORY || rc == VMSNAP_ERR_CANCELLED;
	return of_work ? work_fail(&found->text->work, rc, err) : rc;
}

static int by_lost(const void *x, const void *y, const void *ctx)
{
	const struct group_name *a = x, *b = y;
	(void)ctx;
	if (a->lost != b->lost)
		return a->lost < b->lost ? 1 : -1;
	if (a->own != b->own)
		return a->own < b->own ? 1 : -1;
	return (a->shared < b->shared) - (a->shared > b->shared);
}

int group_names_find(struct group_names *found, struct text *text, const struct grouped *grouped,
                     struct vmsnap_names *names, struct vmsnap_error *err)
{
	size_t next = 0;
	int rc = VMSNAP_OK;
	*found = (struct group_names){ .text = text };
	for (size_t i = 0; !rc && i < vmsnap_group_count(grouped->group); i++)
		rc = find_in_process(found, grouped, names, i, &next, err);
	if (rc)
		return rc;
	rc = work_sort(&text->work, found->items, found->count, sizeof(*found->items), by_lost, NULL);
	return rc ? work_fail(&text->work, rc, err) : rc;
}

void group_names_free(struct group_names *found)
{
	struct work *work = &found->text->work;
	for (size_t i = 0; i < found->count; i++) {
		work_free(work, found->items[i].name, found->items[i].name ? strlen(found->items[i].name) + 1 : 0, 1);
		work_free(work, found->items[i].object, found->items[i].object ? strlen(found->items[i].object) + 1 : 0,
		          1);
	}
	work_free(work, found->items, found->capacity, sizeof(*found->items));
	work_free(work, found->table, found->table_size, sizeof(*found->table));
}
