#include "aslr_items.h"

#include <string.h>

#include "backing.h"
#include "vma_names.h"

/* ---- kinds ------------------------------------------------------------------------- */

/* A core file tells names of files, and no inodes. */
static bool has_file(const struct vmsnap_vma *vma)
{
	return *vma->name == '/' || vma_has_file(vma->inode, vma->dev_major, vma->dev_minor);
}

static bool is_shared_memory(const struct vmsnap_vma *vma)
{
	return vma_names_shared_memory(vma) || (!has_file(vma) && vma->perms & VMSNAP_PERM_SHARED);
}

static int kind_by_name(const struct vmsnap_vma *vma)
{
	if (is_shared_memory(vma))
		return VMSNAP_ASLR_SHARED;
	if (has_file(vma))
		return VMSNAP_ASLR_FILE;
	if (!*vma->name || name_begins_with(vma->name, "[anon:"))
		return VMSNAP_ASLR_ANONYMOUS;
	if (!strcmp(vma->name, "[heap]"))
		return VMSNAP_ASLR_HEAP;
	return strcmp(vma->name, "[stack]") ? VMSNAP_ASLR_KERNEL : VMSNAP_ASLR_STACK;
}

/* Neighbours in the order of addresses that are of one program or library. */
struct segments {
	const struct vmsnap_vma *last; /* NULL: none */
	bool code;                     /* some of them is executable */
};

static void segments_add(struct segments *segments, const struct vmsnap_vma *vma)
{
	const struct vmsnap_vma *last = segments->last;
	bool more = last && !vma_file_order(last, vma) && (last->name == vma->name || !strcmp(last->name, vma->name));
	segments->code = (more && segments->code) || vma->perms & VMSNAP_PERM_EXEC;
	segments->last = vma;
}

/* Right behind the segments of what is executed lies what its file has no bytes for, if there is that; what was
 * mapped before may lie there, too, as the kernel puts a new mapping right below the last. */
static bool is_behind(const struct segments *segments, const struct vmsnap_vma *vma)
{
	return segments->last && segments->code && !*vma->name && segments->last->end == vma->start &&
	       !((segments->last->perms | vma->perms) & VMSNAP_PERM_SHARED) && vma->perms & VMSNAP_PERM_WRITE;
}

static bool is_guard(const struct aslr_item *below, const struct aslr_item *item)
{
	return below->kind == VMSNAP_ASLR_ANONYMOUS && below->end == item->start && !below->vma->perms;
}

static bool may_be_thread_stack(const struct aslr_item *item)
{
	return item->kind == VMSNAP_ASLR_ANONYMOUS && item->vma->perms & VMSNAP_PERM_WRITE;
}

static struct aslr_item *item_at(struct aslr_side *side, uint64_t address)
{
	size_t index = snapshot_vma_find(side->snap, address);
	bool inside = index < side->count && side->items[index].start <= address;
	return inside ? &side->items[index] : NULL;
}

static int find_thread_stacks(struct aslr_side *side, struct work *work)
{
	const struct vmsnap *snap = side->snap;
	uint32_t main_thread = snap->info.tgid ? snap->info.tgid : snap->info.pid;
	int rc = VMSNAP_OK;
	for (size_t i = 0; !rc && i < snap->thread_count; i++) {
		const struct vmsnap_thread *thread = &snap->threads[i];
		struct aslr_item *item = thread->stack_pointer ? item_at(side, thread->stack_pointer) : NULL;
		rc = work_step(work);
		if (!item || thread->tid == main_thread || !may_be_thread_stack(item))
			continue;
		item->kind = VMSNAP_ASLR_THREAD_STACK;
		if (item > side->items && is_guard(item - 1, item))
			item[-1].kind = VMSNAP_ASLR_THREAD_STACK;
	}
	return rc;
}

/* Each with the rest of its 64 MiB, which has no access yet. */
#define ARENA_BYTES (UINT64_C(64) << 20)
static int find_arenas(struct aslr_side *side, struct work *work)
{
	const struct vmsnap *snap = side->snap;
	int rc = VMSNAP_OK;
	for (size_t i = 0; !rc && i < snap->annotation_count; i++) {
		const struct vmsnap_annotation *heap = &snap->annotations[i];
		rc = work_step(work);
		if (heap->kind != VMSNAP_ANNOTATION_OTHER || strcmp(heap->type, VMSNAP_MALLOC_HEAP) != 0)
			continue;
		struct aslr_item *item = item_at(side, heap->address);
		if (!item || item->kind != VMSNAP_ASLR_ANONYMOUS || item->start != heap->address)
			continue;
		item->kind = VMSNAP_ASLR_ARENA;
		struct aslr_item *rest = item + 1;
		if (rest < side->items + side->count && rest->kind == VMSNAP_ASLR_ANONYMOUS && !rest->vma->perms &&
		    rest->start == item->end && rest->end - item->start <= ARENA_BYTES)
			rest->kind = VMSNAP_ASLR_ARENA;
	}
	return rc;
}

/* ---- names ------------------------------------------------------------------------- */

static size_t name_length(const struct vmsnap_vma *vma)
{
	static const char deleted[] = " (deleted)";
	size_t len = strlen(vma->name), end = sizeof(deleted) - 1;
	return vma->deleted && len > end && !strcmp(vma->name + len - end, deleted) ? len - end : len;
}

/* What is one name for all of its kind. */
static bool has_name(const struct aslr_item *item)
{
	return item->kind == VMSNAP_ASLR_FILE || item->kind == VMSNAP_ASLR_BEHIND || item->kind == VMSNAP_ASLR_SHARED ||
	       item->kind == VMSNAP_ASLR_KERNEL || item->kind == VMSNAP_ASLR_ANONYMOUS;
}
static int kind_of_name(const struct aslr_item *item)
{
	return item->kind == VMSNAP_ASLR_BEHIND ? VMSNAP_ASLR_FILE : item->kind;
}

/* One string that some items have, or all of a kind without any. */
struct naming {
	const struct vmsnap_vma *vma; /* whose name it is */
	uint32_t item;
	uint32_t same; /* the first item with the same string at the same place in memory */
	uint8_t kind;
};

static int by_place(const void *x, const void *y, const void *ctx)
{
	const struct naming *a = x, *b = y;
	(void)ctx;
	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	uintptr_t at_a = (uintptr_t)a->vma->name, at_b = (uintptr_t)b->vma->name;
	return (at_a > at_b) - (at_a < at_b);
}

static int by_string(const void *x, const void *y, const void *ctx)
{
	const struct naming *a = x, *b = y;
	(void)ctx;
	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	size_t len_a = name_length(a->vma), len_b = name_length(b->vma);
	int order = memcmp(a->vma->name, b->vma->name, len_a < len_b ? len_a : len_b);
	return order ? order : (len_a > len_b) - (len_a < len_b);
}

/* Behind the data of a file lies the memory that belongs to it. */
static const struct vmsnap_vma *named_by(const struct aslr_side *side, size_t index)
{
	const struct aslr_item *item = &side->items[index];
	return item->kind == VMSNAP_ASLR_BEHIND ? item[-1].vma : item->vma;
}

static int add_name(struct aslr_side *side, const struct vmsnap_vma *vma, bool named, int kind, struct work *work)
{
	int rc = VMSNAP_OK;
	if (!WORK_ROOM(work, side->names, side->name_count, &side->name_room, &rc))
		return rc;
	side->names[side->name_count++] = (struct aslr_name){ .bytes = named ? vma->name : "",
		                                              .len = named ? name_length(vma) : 0,
		                                              .group = ASLR_NONE,
		                                              .kind = (uint8_t)kind,
		                                              .vma = vma };
	return VMSNAP_OK;
}

static int name_anonymous(struct aslr_side *side, struct work *work)
{
	static const struct vmsnap_vma nameless = { .name = "" };
	for (size_t i = 0; i < side->name_count; i++) {
		const struct aslr_name *name = &side->names[i];
		if (name->kind != VMSNAP_ASLR_ANONYMOUS || name->len)
			continue;
		side->anonymous = (uint32_t)i;
		return VMSNAP_OK;
	}
	side->anonymous = (uint32_t)side->name_count;
	return add_name(side, &nameless, false, VMSNAP_ASLR_ANONYMOUS, work);
}

/* Those with a string in common come to the front, one for each; the others learn which that is. */
static size_t keep_distinct(struct aslr_side *side, struct naming *items, size_t count)
{
	size_t kept = 0;
	for (size_t i = 0; i < count; i++) {
		bool named = has_name(&side->items[items[i].item]);
		bool same = kept && items[kept - 1].kind == items[i].kind &&
		            (!named || items[kept - 1].vma->name == items[i].vma->name);
		if (!same)
			items[kept++] = items[i];
		side->items[items[i].item].name = items[kept - 1].item;
	}
	return kept;
}

/* Strings are compared once for each place in memory that one lies at: a file may have a long one for each of
 * its mappings, but then keeps it once. */
static int number_names(struct aslr_side *side, struct naming *items, size_t kept, struct work *work)
{
	int rc = work_sort(work, items, kept, sizeof(*items), by_string, NULL);
	for (size_t i = 0; !rc && i < kept; i++) {
		if (!i || by_string(&items[i - 1], &items[i], NULL))
			rc = add_name(side, items[i].vma, has_name(&side->items[items[i].item]), items[i].kind, work);
		items[i].same = (uint32_t)side->name_count - 1;
	}
	return rc;
}

static int name_all(struct aslr_side *side, struct naming *items, struct work *work)
{
	for (size_t i = 0; i < side->count; i++)
		items[i] = (struct naming){ .vma = named_by(side, i),
			                    .item = (uint32_t)i,
			                    .kind = (uint8_t)kind_of_name(&side->items[i]) };
	int rc = work_sort(work, items, side->count, sizeof(*items), by_place, NULL);
	if (rc)
		return rc;
	size_t kept = keep_distinct(side, items, side->count);
	rc = number_names(side, items, kept, work);
	uint32_t *number = work_array(work, side->count + 1, sizeof(*number), &rc);
	for (size_t i = 0; !rc && i < kept; i++)
		number[items[i].item] = items[i].same;
	for (size_t i = 0; !rc && i < side->count; i++)
		side->items[i].name = number[side->items[i].name];
	work_free(work, number, side->count + 1, sizeof(*number));
	return rc;
}

/* The file that was executed: where its code begins, else what is called so. */
static void find_program(struct aslr_side *side)
{
	const struct vmsnap_info *info = &side->snap->info;
	const struct aslr_item *code = info->start_code ? item_at(side, info->start_code) : NULL;
	if (code && code->kind == VMSNAP_ASLR_FILE) {
		side->names[code->name].program = true;
		return;
	}
	for (size_t i = 0; *info->exe && i < side->name_count; i++)
		if (side->names[i].kind == VMSNAP_ASLR_FILE && !strcmp(side->names[i].vma->name, info->exe)) {
			side->names[i].program = true;
			return;
		}
}

int aslr_side_init(struct aslr_side *side, const struct vmsnap *snap, struct work *work)
{
	struct segments segments = { NULL, false };
	int rc = VMSNAP_OK;
	*side = (struct aslr_side){ .snap = snap };
	if (snap->vma_count >= ASLR_NONE)
		return VMSNAP_ERR_TOO_LARGE;
	side->items = work_array(work, snap->vma_count + 1, sizeof(*side->items), &rc);
	side->room = snap->vma_count + 1;
	for (size_t i = 0; !rc && i < snap->vma_count; i++) {
		const struct vmsnap_vma *vma = &snap->vmas[i];
		int kind = kind_by_name(vma);
		if (kind == VMSNAP_ASLR_ANONYMOUS && is_behind(&segments, vma))
			kind = VMSNAP_ASLR_BEHIND;
		if (kind == VMSNAP_ASLR_FILE)
			segments_add(&segments, vma);
		side->items[i] =
		        (struct aslr_item){ vma->start, vma->end, vma->offset, vma, 0, ASLR_NONE, (uint8_t)kind };
		side->count++;
		rc = work_step(work);
	}
	rc = rc ? rc : find_thread_stacks(side, work);
	rc = rc ? rc : find_arenas(side, work);
	struct naming *namings = work_array(work, side->count + 1, sizeof(*namings), &rc);
	rc = rc ? rc : name_all(side, namings, work);
	work_free(work, namings, side->count + 1, sizeof(*namings));
	if (!rc)
		find_program(side);
	return rc ? rc : name_anonymous(side, work);
}

void aslr_side_free(struct aslr_side *side, struct work *work)
{
	work_free(work, side->items, side->room, sizeof(*side->items));
	work_free(work, side->names, side->name_room, sizeof(*side->names));
	*side = (struct aslr_side){ 0 };
}
