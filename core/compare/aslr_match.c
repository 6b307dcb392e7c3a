#define _GNU_SOURCE
#include "aslr_match.h"

#include <string.h>

/* ---- pairs of equal keys ------------------------------------------------------------- */

/* What has equal keys on both sides is paired in its order. */
enum { KEYS = 3 };
struct slot {
	uint64_t key[KEYS], order;
	uint32_t index;
};

static int by_key(const void *x, const void *y, const void *ctx)
{
	const struct slot *a = x, *b = y;
	(void)ctx;
	for (int i = 0; i < KEYS; i++)
		if (a->key[i] != b->key[i])
			return a->key[i] < b->key[i] ? -1 : 1;
	return (a->order > b->order) - (a->order < b->order);
}

static int key_order(const struct slot *a, const struct slot *b)
{
	const struct slot x = { .key = { a->key[0], a->key[1], a->key[2] } };
	const struct slot y = { .key = { b->key[0], b->key[1], b->key[2] } };
	return by_key(&x, &y, NULL);
}

struct slots {
	struct slot *items;
	size_t count;
};

/* ---- files and names ------------------------------------------------------------------- */

static const char *last_part(const struct aslr_name *name, size_t *len)
{
	const char *slash = memrchr(name->bytes, '/', name->len);
	const char *part = slash ? slash + 1 : name->bytes;
	*len = name->len - (size_t)(part - name->bytes);
	return part;
}

static uint64_t hash_add(uint64_t hash, char c)
{
	return (hash ^ (unsigned char)c) * UINT64_C(0x100000001b3);
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* A separator and digits behind it are a version: libfoo.so.1.2, libfoo-2.31.so, python3.11. */
static size_t version_at(const char *part, size_t len, size_t at)
{
	bool separator = part[at] == '.' || part[at] == '-' || part[at] == '_';
	size_t end = at + 1;
	if (!separator || end >= len || !is_digit(part[end]))
		return at;
	while (end < len && is_digit(part[end]))
		end++;
	return end;
}

/* How names of two sides are the same, the surest first. */
enum name_rule { NAME_WHOLE, NAME_PROGRAM, NAME_LAST_PART, NAME_WITHOUT_VERSION, NAME_RULES };

static bool name_key(const struct aslr_name *name, int rule, struct slot *slot)
{
	size_t len = name->len;
	const char *bytes = name->bytes;
	uint64_t hash = UINT64_C(0xcbf29ce484222325), length = 0;
	if (rule != NAME_WHOLE && (name->kind != VMSNAP_ASLR_FILE || (rule == NAME_PROGRAM && !name->program)))
		return false;
	if (rule >= NAME_LAST_PART)
		bytes = last_part(name, &len);
	for (size_t i = 0; rule != NAME_PROGRAM && i < len; i++) {
		size_t end = rule == NAME_WITHOUT_VERSION ? version_at(bytes, len, i) : i;
		if (end > i) {
			i = end - 1;
			continue;
		}
		hash = hash_add(hash, bytes[i]);
		length++;
	}
	*slot = (struct slot){ .key = { hash, length, name->kind } };
	return true;
}

static int name_slots(const struct aslr_side *side, int rule, struct slots *out, struct work *work)
{
	int rc = VMSNAP_OK;
	out->count = 0;
	for (size_t i = 0; !rc && i < side->name_count; i++) {
		struct slot slot;
		rc = work_step(work);
		if (side->names[i].group != ASLR_NONE || !name_key(&side->names[i], rule, &slot))
			continue;
		slot.index = (uint32_t)i;
		slot.order = i;
		out->items[out->count++] = slot;
	}
	return rc ? rc : work_sort(work, out->items, out->count, sizeof(*out->items), by_key, NULL);
}

/* Hashes only propose. */
static bool same_bytes(const struct aslr_name *a, const struct aslr_name *b)
{
	return a->len == b->len && !memcmp(a->bytes, b->bytes, a->len);
}

static size_t equal_keys(const struct slots *slots, size_t from)
{
	size_t end = from + 1;
	while (end < slots->count && !key_order(&slots->items[from], &slots->items[end]))
		end++;
	return end - from;
}

/* What is not called so on both sides, but much the same, is one thing only if no other is called so, too. */
static void pair_names(struct aslr_side sides[ASLR_SIDES], const struct slots slots[ASLR_SIDES], int rule,
                       size_t *groups)
{
	for (size_t a = 0, b = 0; a < slots[ASLR_A].count && b < slots[ASLR_B].count;) {
		const struct slot *in_a = &slots[ASLR_A].items[a], *in_b = &slots[ASLR_B].items[b];
		int order = key_order(in_a, in_b);
		size_t count_a = equal_keys(&slots[ASLR_A], a), count_b = equal_keys(&slots[ASLR_B], b);
		struct aslr_name *name_a = &sides[ASLR_A].names[in_a->index];
		struct aslr_name *name_b = &sides[ASLR_B].names[in_b->index];
		bool one = count_a == 1 && count_b == 1;
		if (!order && one && (rule != NAME_WHOLE || same_bytes(name_a, name_b)))
			name_a->group = name_b->group = (uint32_t)(*groups)++;
		a += order <= 0 ? count_a : 0;
		b += order >= 0 ? count_b : 0;
	}
}

static int match_names(struct aslr_side sides[ASLR_SIDES], struct slots slots[ASLR_SIDES], size_t *groups,
                       struct work *work)
{
	int rc = VMSNAP_OK;
	*groups = 0;
	for (int rule = 0; !rc && rule < NAME_RULES; rule++) {
		for (int side = 0; !rc && side < ASLR_SIDES; side++)
			rc = name_slots(&sides[side], rule, &slots[side], work);
		if (!rc)
			pair_names(sides, slots, rule, groups);
	}
	for (int side = 0; !rc && side < ASLR_SIDES; side++)
		for (size_t i = 0; i < sides[side].name_count; i++)
			if (sides[side].names[i].group == ASLR_NONE)
				sides[side].names[i].group = (uint32_t)(*groups)++;
	return rc;
}

/* ---- mappings that one side has as several ------------------------------------------------ */

/* The items of one file, if they lie in the order of their offsets and none overlaps: it is mapped once. */
struct file_items {
	const uint32_t *index;
	size_t count;
	bool once;
};

static uint64_t offset_end(const struct aslr_item *item)
{
	return item->offset + (item->end - item->start);
}

static struct file_items file_items(const struct aslr_side *side, const uint32_t *index, size_t count)
{
	struct file_items of = { index, count, true };
	for (size_t i = 0; i < count; i++) {
		const struct aslr_item *item = &side->items[index[i]];
		of.once &= item->offset < offset_end(item);
		of.once &= !i || offset_end(&side->items[index[i - 1]]) <= item->offset;
	}
	return of;
}

/* Whether nothing but a change within a mapping divides two that follow each other. */
static bool is_cut(const struct aslr_item *below, const struct aslr_item *above)
{
	return below->end == above->start && offset_end(below) == above->offset &&
	       !((below->vma->perms ^ above->vma->perms) & VMSNAP_PERM_SHARED);
}

/* Whether both map one build of a file, as far as is known: the same bytes, divided otherwise perhaps. */
static bool one_build(const struct aslr_side sides[ASLR_SIDES], const struct file_items of[ASLR_SIDES])
{
	const struct aslr_item *a = sides[ASLR_A].items, *b = sides[ASLR_B].items;
	const struct vmsnap_vma *in_a = a[of[ASLR_A].index[0]].vma, *in_b = b[of[ASLR_B].index[0]].vma;
	if (in_a->build_id && in_b->build_id)
		return in_a->build_id_len == in_b->build_id_len &&
		       !memcmp(in_a->build_id, in_b->build_id, in_a->build_id_len);
	return a[of[ASLR_A].index[0]].offset == b[of[ASLR_B].index[0]].offset &&
	       offset_end(&a[of[ASLR_A].index[of[ASLR_A].count - 1]]) ==
	               offset_end(&b[of[ASLR_B].index[of[ASLR_B].count - 1]]);
}

struct cutting {
	struct aslr_item *items; /* the side's new ones; NULL: they are only counted */
	size_t count;
};

static void put_part(struct cutting *out, const struct aslr_item *item, uint64_t from, uint64_t to)
{
	if (out->items) {
		struct aslr_item *part = &out->items[out->count];
		*part = *item;
		part->start = item->start + (from - item->offset);
		part->end = item->start + (to - item->offset);
		part->offset = from;
	}
	out->count++;
}

/* The items of one side, each cut where the other one has cuts. */
static void cut_file(const struct aslr_side *side, const struct file_items *of, const struct aslr_side *other,
                     const struct file_items *of_other, struct cutting *out)
{
	size_t next = 1;
	for (size_t i = 0; i < of->count; i++) {
		const struct aslr_item *item = &side->items[of->index[i]];
		uint64_t from = item->offset;
		for (; next < of_other->count; next++) {
			const struct aslr_item *above = &other->items[of_other->index[next]];
			if (above->offset >= offset_end(item))
				break;
			if (above->offset > from && is_cut(&other->items[of_other->index[next - 1]], above)) {
				put_part(out, item, from, above->offset);
				from = above->offset;
			}
		}
		put_part(out, item, from, offset_end(item));
	}
}

static int by_group(const void *x, const void *y, const void *ctx)
{
	const struct aslr_side *side = ctx;
	const uint32_t *a = x, *b = y;
	uint32_t group_a = side->names[side->items[*a].name].group, group_b = side->names[side->items[*b].name].group;
	return group_a != group_b ? (group_a < group_b ? -1 : 1) : (*a > *b) - (*a < *b);
}

/* Files' items alone, those of one group together. */
static int files_in_order(const struct aslr_side *side, uint32_t *index, size_t *count, struct work *work)
{
	*count = 0;
	for (size_t i = 0; i < side->count; i++)
		if (side->items[i].kind == VMSNAP_ASLR_FILE)
			index[(*count)++] = (uint32_t)i;
	return work_sort(work, index, *count, sizeof(*index), by_group, side);
}

static uint32_t group_of(const struct aslr_side *side, uint32_t item)
{
	return side->names[side->items[item].name].group;
}

static size_t group_end(const struct aslr_side *side, const uint32_t *index, size_t count, size_t from)
{
	size_t end = from + 1;
	while (end < count && group_of(side, index[end]) == group_of(side, index[from]))
		end++;
	return end;
}

/* What the two sides have of the same files, in the same order; every file of a side comes into its cutting. */
static void cut_all(const struct aslr_side sides[ASLR_SIDES], uint32_t *const index[ASLR_SIDES],
                    const size_t count[ASLR_SIDES], struct cutting out[ASLR_SIDES])
{
	size_t at[ASLR_SIDES] = { 0, 0 };
	const struct file_items none = { NULL, 0, false };
	while (at[ASLR_A] < count[ASLR_A] || at[ASLR_B] < count[ASLR_B]) {
		struct file_items of[ASLR_SIDES] = { none, none };
		uint32_t least = ASLR_NONE;
		for (int side = 0; side < ASLR_SIDES; side++)
			if (at[side] < count[side] && group_of(&sides[side], index[side][at[side]]) < least)
				least = group_of(&sides[side], index[side][at[side]]);
		for (int side = 0; side < ASLR_SIDES; side++) {
			if (at[side] == count[side] || group_of(&sides[side], index[side][at[side]]) != least)
				continue;
			size_t end = group_end(&sides[side], index[side], count[side], at[side]);
			of[side] = file_items(&sides[side], index[side] + at[side], end - at[side]);
			at[side] = end;
		}
		bool cut = of[ASLR_A].once && of[ASLR_B].once && one_build(sides, of);
		for (int side = 0; side < ASLR_SIDES; side++)
			cut_file(&sides[side], &of[side], &sides[!side], cut ? &of[!side] : &none, &out[side]);
	}
}

static int by_start(const void *x, const void *y, const void *ctx)
{
	const struct aslr_item *a = x, *b = y;
	(void)ctx;
	return (a->start > b->start) - (a->start < b->start);
}

static int take_parts(struct aslr_side *side, size_t files, const struct cutting *parts, struct work *work)
{
	int rc = VMSNAP_OK;
	size_t room = side->count - files + parts->count + 1, count = 0;
	if (room >= ASLR_NONE)
		return VMSNAP_ERR_TOO_LARGE;
	struct aslr_item *items = work_array(work, room, sizeof(*items), &rc);
	if (rc)
		return rc;
	for (size_t i = 0; i < side->count; i++)
		if (side->items[i].kind != VMSNAP_ASLR_FILE)
			items[count++] = side->items[i];
	memcpy(items + count, parts->items, parts->count * sizeof(*items));
	count += parts->count;
	work_free(work, side->items, side->room, sizeof(*side->items));
	side->items = items;
	side->room = room;
	side->count = count;
	return work_sort(work, items, count, sizeof(*items), by_start, NULL);
}

static int cut_items(struct aslr_side sides[ASLR_SIDES], struct work *work)
{
	uint32_t *index[ASLR_SIDES] = { NULL, NULL };
	size_t files[ASLR_SIDES] = { 0, 0 }, room[ASLR_SIDES] = { sides[ASLR_A].count + 1, sides[ASLR_B].count + 1 };
	struct cutting parts[ASLR_SIDES] = { { NULL, 0 }, { NULL, 0 } };
	int rc = VMSNAP_OK;
	for (int side = 0; side < ASLR_SIDES; side++) {
		index[side] = work_array(work, room[side], sizeof(**index), &rc);
		rc = rc ? rc : files_in_order(&sides[side], index[side], &files[side], work);
	}
	if (!rc)
		cut_all(sides, index, files, parts);
	size_t made[ASLR_SIDES] = { parts[ASLR_A].count + 1, parts[ASLR_B].count + 1 };
	bool any = parts[ASLR_A].count > files[ASLR_A] || parts[ASLR_B].count > files[ASLR_B];
	for (int side = 0; !rc && any && side < ASLR_SIDES; side++)
		parts[side] = (struct cutting){ work_array(work, made[side], sizeof(struct aslr_item), &rc), 0 };
	if (!rc && any)
		cut_all(sides, index, files, parts);
	for (int side = 0; side < ASLR_SIDES; side++) {
		if (!rc && any)
			rc = take_parts(&sides[side], files[side], &parts[side], work);
		work_free(work, parts[side].items, made[side], sizeof(struct aslr_item));
		work_free(work, index[side], room[side], sizeof(**index));
	}
	return rc;
}

/* ---- mappings ---------------------------------------------------------------------------- */

/* By what two mappings are the same, the surest first. */
enum item_rule {
	ITEM_ADDRESS, /* of one layout: of two workers, one of whom may have been the other */
	ITEM_ALL,     /* what it is, where in the file it is, or below which file it lies, and size */
	ITEM_UNNAMED, /* of memory that a core file has without its name: above which file it lies */
	ITEM_PLACE,   /* as ITEM_ALL, but for the size */
	ITEM_SIZE,    /* of memory without a file, wherever */
	ITEM_ORDER,   /* the first with the first */
	ITEM_OFFSET,  /* of a file, whatever its permissions */
	ITEM_KIND,    /* of what there is one of: whatever its permissions */
	ITEM_RULES
};

static bool is_one_of_its_kind(const struct aslr_item *item)
{
	return item->kind == VMSNAP_ASLR_HEAP || item->kind == VMSNAP_ASLR_STACK || item->kind == VMSNAP_ASLR_BEHIND ||
	       item->kind == VMSNAP_ASLR_KERNEL;
}

static bool is_of_file(const struct aslr_item *item)
{
	return item->kind == VMSNAP_ASLR_FILE || item->kind == VMSNAP_ASLR_SHARED;
}

/* above: group of the file that lies above it. */
static bool item_key(const struct aslr_side *side, const struct aslr_item *item, uint32_t above, int rule,
                     struct slot *slot)
{
	bool of_file = is_of_file(item);
	uint64_t what = (uint64_t)side->names[item->name].group << 8 | item->kind, perms = item->vma->perms;
	uint64_t place = of_file ? item->offset : above, size = item->end - item->start;
	uint64_t exact = what << 8 | perms;
	const uint64_t keys[ITEM_RULES][KEYS] = {
		[ITEM_ADDRESS] = { what, item->start },
		[ITEM_ALL] = { exact, place, size },
		[ITEM_PLACE] = { exact, place },
		[ITEM_OFFSET] = { what, item->offset },
		[ITEM_SIZE] = { exact, size },
		[ITEM_ORDER] = { exact },
		[ITEM_KIND] = { what },
	};
	if ((rule == ITEM_OFFSET && !of_file) || (rule == ITEM_SIZE && of_file) ||
	    (rule == ITEM_KIND && !is_one_of_its_kind(item)))
		return false;
	*slot = (struct slot){ .key = { keys[rule][0], keys[rule][1], keys[rule][2] } };
	return true;
}

/* From the top down: the kernel puts new memory below the old, so that what came later comes last.  Of a file
 * from the bottom up. */
static int item_slots(const struct aslr_side *side, int rule, struct slots *out, struct work *work)
{
	uint32_t above = ASLR_NONE;
	int rc = VMSNAP_OK;
	out->count = 0;
	for (size_t i = side->count; !rc && i-- > 0;) {
		const struct aslr_item *item = &side->items[i];
		struct slot slot;
		rc = work_step(work);
		if (item->kind == VMSNAP_ASLR_FILE)
			above = side->names[item->name].group;
		if (item->partner != ASLR_NONE || !item_key(side, item, above, rule, &slot))
			continue;
		slot.index = (uint32_t)i;
		slot.order = is_of_file(item) ? i : side->count - i;
		out->items[out->count++] = slot;
	}
	return rc ? rc : work_sort(work, out->items, out->count, sizeof(*out->items), by_key, NULL);
}

/* A core file tells names of files, [stack] and [vdso]; [heap], [vvar] and what programs call their memory are nameless
 * there, and where malloc has its heaps it does not say. */
static bool may_be_unnamed(const struct aslr_item *item)
{
	return item->kind == VMSNAP_ASLR_ANONYMOUS || item->kind == VMSNAP_ASLR_HEAP ||
	       item->kind == VMSNAP_ASLR_ARENA || item->kind == VMSNAP_ASLR_KERNEL;
}

/* From the bottom up: the heap is what comes first above the program. */
static int unnamed_slots(const struct aslr_side *side, struct slots *out, struct work *work)
{
	uint64_t below = ASLR_NONE;
	int rc = VMSNAP_OK;
	out->count = 0;
	for (size_t i = 0; !rc && i < side->count; i++) {
		const struct aslr_item *item = &side->items[i];
		rc = work_step(work);
		if (item->kind == VMSNAP_ASLR_FILE)
			below = side->names[item->name].group;
		if (item->partner == ASLR_NONE && may_be_unnamed(item))
			out->items[out->count++] =
			        (struct slot){ .key = { below, item->vma->perms }, .order = i, .index = (uint32_t)i };
	}
	return rc ? rc : work_sort(work, out->items, out->count, sizeof(*out->items), by_key, NULL);
}

static void pair_items(struct aslr_side sides[ASLR_SIDES], const struct slots slots[ASLR_SIDES])
{
	for (size_t a = 0, b = 0; a < slots[ASLR_A].count && b < slots[ASLR_B].count;) {
		const struct slot *in_a = &slots[ASLR_A].items[a], *in_b = &slots[ASLR_B].items[b];
		int order = key_order(in_a, in_b);
		if (!order) {
			sides[ASLR_A].items[in_a->index].partner = in_b->index;
			sides[ASLR_B].items[in_b->index].partner = in_a->index;
		}
		a += order <= 0;
		b += order >= 0;
	}
}

/* Where execve() put the program and its stack is the same in a child, and by chance in no other. */
static bool one_layout(const struct vmsnap *a, const struct vmsnap *b)
{
	return a->info.start_code && a->info.start_stack && a->info.start_code == b->info.start_code &&
	       a->info.start_stack == b->info.start_stack;
}

static int match_by_rules(struct aslr_side sides[ASLR_SIDES], struct slots slots[ASLR_SIDES], int first,
                          struct work *work)
{
	int rc = VMSNAP_OK;
	bool unnamed = snapshot_is_core(sides[ASLR_A].snap) != snapshot_is_core(sides[ASLR_B].snap);
	for (int rule = first; !rc && rule < ITEM_RULES; rule++) {
		if (rule == ITEM_UNNAMED && !unnamed)
			continue;
		for (int side = 0; !rc && side < ASLR_SIDES; side++)
			rc = rule == ITEM_UNNAMED ? unnamed_slots(&sides[side], &slots[side], work)
			                          : item_slots(&sides[side], rule, &slots[side], work);
		if (!rc)
			pair_items(sides, slots);
	}
	return rc;
}

/* What lies behind a file on one side only came to lie there; it is memory like other. */
static bool free_from_files(struct aslr_side *side, uint32_t anonymous)
{
	bool any = false;
	for (size_t i = 0; i < side->count; i++) {
		struct aslr_item *item = &side->items[i];
		if (item->partner != ASLR_NONE || item->kind != VMSNAP_ASLR_BEHIND)
			continue;
		item->kind = VMSNAP_ASLR_ANONYMOUS;
		item->name = anonymous;
		any = true;
	}
	return any;
}

static int match_items(struct aslr_side sides[ASLR_SIDES], struct slots slots[ASLR_SIDES], struct work *work)
{
	int first = one_layout(sides[ASLR_A].snap, sides[ASLR_B].snap) ? ITEM_ADDRESS : ITEM_ALL;
	int rc = match_by_rules(sides, slots, first, work);
	bool any = false;
	for (int side = 0; !rc && side < ASLR_SIDES; side++)
		any |= free_from_files(&sides[side], sides[side].anonymous);
	return rc || !any ? rc : match_by_rules(sides, slots, first, work);
}

typedef int (*match_fn)(struct aslr_side sides[ASLR_SIDES], struct slots slots[ASLR_SIDES], size_t *groups,
                        struct work *work);

static int match_items_of(struct aslr_side sides[ASLR_SIDES], struct slots slots[ASLR_SIDES], size_t *groups,
                          struct work *work)
{
	(void)groups;
	return match_items(sides, slots, work);
}

/* With room for a slot for each item, or name: there are no more names than items. */
static int with_slots(struct aslr_side sides[ASLR_SIDES], match_fn match, size_t *groups, struct work *work)
{
	struct slots slots[ASLR_SIDES];
	int rc = VMSNAP_OK;
	for (int side = 0; side < ASLR_SIDES; side++)
		slots[side].items = work_array(work, sides[side].count + 1, sizeof(struct slot), &rc);
	rc = rc ? rc : match(sides, slots, groups, work);
	for (int side = 0; side < ASLR_SIDES; side++)
		work_free(work, slots[side].items, sides[side].count + 1, sizeof(struct slot));
	return rc;
}

int aslr_match(struct aslr_side sides[ASLR_SIDES], struct work *work, size_t *groups)
{
	int rc = with_slots(sides, match_names, groups, work);
	rc = rc ? rc : cut_items(sides, work);
	return rc ? rc : with_slots(sides, match_items_of, groups, work);
}
