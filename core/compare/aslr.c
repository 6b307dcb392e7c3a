/* aslr.c - what two runs of one program differ in, mapping by mapping: vmsnap_aslr_new(). */
#include <stdlib.h>
#include <string.h>

#include "aslr_contents.h"
#include "backing.h"
#include "error.h"
#include "options.h"
#include "spare.h"
#include "vma_match.h"

struct vmsnap_aslr {
	const struct vmsnap *a, *b;
	struct vmsnap_aslr_row *rows;
	size_t count, room;
	struct vmsnap_aslr_sums *groups, all;
	size_t group_count;
	bool any, contents_known;
	uint64_t memory; /* what it takes */
};

#define NAME_OF(names, which)                                                                                          \
	((which) >= 0 && (size_t)(which) < sizeof(names) / sizeof(*(names)) ? (names)[which] : NULL)

VMSNAP_API const char *vmsnap_aslr_kind_name(int kind)
{
	static const char *const names[VMSNAP_ASLR_KIND_COUNT] = { "file",      "behind",       "heap",
		                                                   "stack",     "thread_stack", "arena",
		                                                   "anonymous", "shared",       "kernel" };
	return NAME_OF(names, kind);
}

VMSNAP_API const char *vmsnap_aslr_difference_name(int difference)
{
	static const char *const names[VMSNAP_ASLR_DIFFERENCE_COUNT] = { "only_a",      "only_b",  "size",
		                                                         "permissions", "name",    "build_id",
		                                                         "resident",    "private", "swapped",
		                                                         "contents" };
	return NAME_OF(names, difference);
}

struct comparing {
	struct vmsnap_aslr *aslr;
	struct aslr_side sides[ASLR_SIDES];
	struct aslr_contents contents;
	struct work work;
	struct vmsnap_error *err;
};

/* ---- one mapping ------------------------------------------------------------------- */

static struct vmsnap_aslr_side side_of(const struct vmsnap *snap, const struct aslr_item *item)
{
	struct vmsnap_sums sums;
	vmsnap_sum(snap, item->start, item->end, &sums);
	struct vmsnap_aslr_side side = { .size = item->end - item->start,
		                         .resident = sums.resident,
		                         .swapped = sums.swapped,
		                         .exclusive = sums.exclusive,
		                         .exclusive_unknown = sums.exclusive_unknown,
		                         .swapped_unknown = sums.swap_unknown + sums.swapped_unknown };
	/* No page of a file is the zero page. */
	if (!(item->vma->perms & VMSNAP_PERM_SHARED))
		side.private_bytes = sums.resident - sums.file - sums.zero + sums.swapped;
	return side;
}

static uint32_t if_differs(bool differs, int difference)
{
	return differs ? 1u << difference : 0;
}

/* Of memory without a file, by a core file. */
static bool is_unnamed(const struct comparing *all, int side, const struct aslr_item *item)
{
	return snapshot_is_core(all->sides[side].snap) && !*item->vma->name;
}

static bool names_differ(const struct comparing *all, const struct aslr_item *a, const struct aslr_item *b)
{
	if (is_unnamed(all, ASLR_A, a) != is_unnamed(all, ASLR_B, b))
		return false;
	const struct aslr_name *in_a = &all->sides[ASLR_A].names[a->name], *in_b = &all->sides[ASLR_B].names[b->name];
	return in_a->len != in_b->len || memcmp(in_a->bytes, in_b->bytes, in_a->len) != 0;
}

static bool builds_differ(const struct vmsnap_vma *a, const struct vmsnap_vma *b)
{
	return a->build_id && b->build_id &&
	       (a->build_id_len != b->build_id_len || memcmp(a->build_id, b->build_id, a->build_id_len) != 0);
}

/* Which pages there were, a core file does not tell. */
static bool states_told(const struct comparing *all)
{
	return !all->sides[ASLR_A].snap->info.known.states_unknown &&
	       !all->sides[ASLR_B].snap->info.known.states_unknown;
}

static uint32_t differences(const struct comparing *all, const struct vmsnap_aslr_row *row, const struct aslr_item *a,
                            const struct aslr_item *b)
{
	const struct vmsnap_aslr_side *in_a = &row->in_a, *in_b = &row->in_b;
	bool told = states_told(all);
	return if_differs(in_a->size != in_b->size, VMSNAP_ASLR_SIZE) |
	       if_differs(vma_perms_differ(a->vma, b->vma) != 0, VMSNAP_ASLR_PERMISSIONS) |
	       if_differs(names_differ(all, a, b), VMSNAP_ASLR_NAME) |
	       if_differs(builds_differ(a->vma, b->vma), VMSNAP_ASLR_BUILD_ID) |
	       if_differs(told && in_a->resident != in_b->resident, VMSNAP_ASLR_RESIDENT) |
	       if_differs(told && in_a->private_bytes != in_b->private_bytes, VMSNAP_ASLR_PRIVATE) |
	       if_differs(told && in_a->swapped != in_b->swapped, VMSNAP_ASLR_SWAPPED) |
	       if_differs(row->contents.same + row->contents.same_but_addresses != row->contents.compared,
	                  VMSNAP_ASLR_CONTENTS);
}

static void fill_side(const struct comparing *all, int which, const struct aslr_item *item, struct vmsnap_aslr_row *row)
{
	if (!item)
		return;
	*(which == ASLR_A ? &row->a : &row->b) = item->vma;
	*(which == ASLR_A ? &row->start_a : &row->start_b) = item->start;
	*(which == ASLR_A ? &row->end_a : &row->end_b) = item->end;
	*(which == ASLR_A ? &row->in_a : &row->in_b) = side_of(all->sides[which].snap, item);
	row->kind = item->kind;
	row->group = all->sides[which].names[item->name].group;
}

/* That nothing is there says nothing where it would not be told. */
static bool is_left_out(const struct comparing *all, const struct aslr_item *a, const struct aslr_item *b)
{
	return (!a && core_leaves_out(all->sides[ASLR_A].snap, b->vma)) ||
	       (!b && core_leaves_out(all->sides[ASLR_B].snap, a->vma));
}

/* What it is, and of which group, says the side that has names for it. */
static void fill_sides(const struct comparing *all, const struct aslr_item *a, const struct aslr_item *b,
                       struct vmsnap_aslr_row *row)
{
	bool a_names = snapshot_is_core(all->sides[ASLR_B].snap);
	fill_side(all, a_names ? ASLR_B : ASLR_A, a_names ? b : a, row);
	fill_side(all, a_names ? ASLR_A : ASLR_B, a_names ? a : b, row);
}

/* Either may be NULL. */
static int add_row(struct comparing *all, const struct aslr_item *a, const struct aslr_item *b)
{
	if (is_left_out(all, a, b))
		return VMSNAP_OK;
	struct vmsnap_aslr *aslr = all->aslr;
	struct vmsnap_aslr_row row = { 0 };
	int rc = work_step(&all->work);
	fill_sides(all, a, b, &row);
	if (!WORK_ROOM(&all->work, aslr->rows, aslr->count, &aslr->room, &rc))
		return work_fail(&all->work, rc, all->err);
	if (a && b)
		rc = aslr_contents_compare(&all->contents, a, b, &row.contents, all->err);
	row.differs = a && b ? differences(all, &row, a, b) : 1u << (a ? VMSNAP_ASLR_ONLY_A : VMSNAP_ASLR_ONLY_B);
	aslr->any |= row.differs != 0;
	aslr->rows[aslr->count++] = row;
	return rc;
}

/* ---- all of them --------------------------------------------------------------------- */

/* What A alone has from `next` on, up to what is matched. */
static int add_only_a(struct comparing *all, size_t *next)
{
	const struct aslr_side *a = &all->sides[ASLR_A];
	int rc = VMSNAP_OK;
	for (; !rc && *next < a->count && a->items[*next].partner == ASLR_NONE; (*next)++)
		rc = add_row(all, &a->items[*next], NULL);
	return rc;
}

static int add_rows(struct comparing *all)
{
	const struct aslr_side *a = &all->sides[ASLR_A], *b = &all->sides[ASLR_B];
	size_t next = 0;
	int rc = add_only_a(all, &next);
	for (size_t i = 0; !rc && i < b->count; i++) {
		uint32_t partner = b->items[i].partner;
		rc = add_row(all, partner == ASLR_NONE ? NULL : &a->items[partner], &b->items[i]);
		if (partner == ASLR_NONE)
			continue;
		next = (size_t)partner + 1;
		rc = rc ? rc : add_only_a(all, &next);
	}
	return rc;
}

static void add_side(struct vmsnap_aslr_side *to, const struct vmsnap_aslr_side *more)
{
	to->size += more->size;
	to->resident += more->resident;
	to->swapped += more->swapped;
	to->private_bytes += more->private_bytes;
	to->exclusive += more->exclusive;
	to->exclusive_unknown += more->exclusive_unknown;
	to->swapped_unknown += more->swapped_unknown;
}

static void add_sums(struct vmsnap_aslr_sums *sums, const struct vmsnap_aslr_row *row)
{
	add_side(&sums->in_a, &row->in_a);
	add_side(&sums->in_b, &row->in_b);
	sums->contents.compared += row->contents.compared;
	sums->contents.same += row->contents.same;
	sums->contents.same_but_addresses += row->contents.same_but_addresses;
	sums->only_a += !row->b;
	sums->only_b += !row->a;
	sums->both += row->a && row->b;
	sums->differ += row->a && row->b && row->differs;
}

static void sum_up(struct comparing *all)
{
	struct vmsnap_aslr *aslr = all->aslr;
	aslr->all = (struct vmsnap_aslr_sums){ .name_a = "", .name_b = "", .kind = VMSNAP_ASLR_KIND_COUNT };
	for (size_t i = 0; i < aslr->group_count; i++)
		aslr->groups[i] = (struct vmsnap_aslr_sums){ .name_a = "", .name_b = "" };
	for (int side = 0; side < ASLR_SIDES; side++)
		for (size_t i = 0; i < all->sides[side].name_count; i++) {
			const struct aslr_name *name = &all->sides[side].names[i];
			struct vmsnap_aslr_sums *sums = &aslr->groups[name->group];
			*(side == ASLR_A ? &sums->name_a : &sums->name_b) = name->vma->name;
			sums->kind = name->kind;
		}
	for (size_t i = 0; i < aslr->count; i++) {
		add_sums(&aslr->groups[aslr->rows[i].group], &aslr->rows[i]);
		add_sums(&aslr->all, &aslr->rows[i]);
	}
}

static int compare_all(struct comparing *all)
{
	struct vmsnap_aslr *aslr = all->aslr;
	int rc = aslr_side_init(&all->sides[ASLR_A], aslr->a, &all->work);
	rc = rc ? rc : aslr_side_init(&all->sides[ASLR_B], aslr->b, &all->work);
	rc = rc ? rc : aslr_match(all->sides, &all->work, &aslr->group_count);
	rc = rc ? rc : aslr_contents_init(&all->contents, all->sides, &all->work);
	aslr->groups = work_array(&all->work, aslr->group_count + 1, sizeof(*aslr->groups), &rc);
	if (rc)
		return work_fail(&all->work, rc, all->err);
	aslr->contents_known = all->contents.known;
	rc = add_rows(all);
	if (!rc)
		sum_up(all);
	return rc;
}

VMSNAP_API int vmsnap_aslr_new(const struct vmsnap *a, const struct vmsnap *b,
                               const struct vmsnap_compare_options *options, struct vmsnap_aslr **out,
                               struct vmsnap_error *err)
{
	struct comparing all = { .err = err };
	if (!a || !b || !out)
		return fail(err, VMSNAP_ERR_ARGUMENT, "two snapshots are compared");
	int rc = work_with(&all.work, (const struct vmsnap *[]){ a, b }, 2, options, err);
	if (rc)
		return rc;
	all.aslr = calloc(1, sizeof(*all.aslr));
	if (!all.aslr)
		return fail_no_memory(err);
	all.aslr->a = vmsnap_ref(a);
	all.aslr->b = vmsnap_ref(b);
	rc = compare_all(&all);
	aslr_contents_free(&all.contents);
	for (int side = 0; side < ASLR_SIDES; side++)
		aslr_side_free(&all.sides[side], &all.work);
	all.aslr->memory = all.work.used;
	if (rc)
		vmsnap_aslr_free(all.aslr);
	else
		*out = all.aslr;
	return rc;
}

VMSNAP_API void vmsnap_aslr_free(struct vmsnap_aslr *aslr)
{
	if (!aslr)
		return;
	vmsnap_unref(aslr->a);
	vmsnap_unref(aslr->b);
	free(aslr->rows);
	free(aslr->groups);
	free(aslr);
}

/* ---- what is asked of it ---------------------------------------------------------------- */

VMSNAP_API const struct vmsnap *vmsnap_aslr_a(const struct vmsnap_aslr *aslr)
{
	return aslr->a;
}

VMSNAP_API const struct vmsnap *vmsnap_aslr_b(const struct vmsnap_aslr *aslr)
{
	return aslr->b;
}

VMSNAP_API uint64_t vmsnap_aslr_memory_left(const struct vmsnap_aslr *aslr)
{
	struct work work = work_on((const struct vmsnap *[]){ aslr->a, aslr->b }, 2);
	work.used = aslr->memory;
	return work.limit == WORK_UNLIMITED ? WORK_UNLIMITED : work_left(&work);
}

VMSNAP_API bool vmsnap_aslr_any(const struct vmsnap_aslr *aslr)
{
	return aslr->any;
}

VMSNAP_API bool vmsnap_aslr_contents_known(const struct vmsnap_aslr *aslr)
{
	return aslr->contents_known;
}

VMSNAP_API size_t vmsnap_aslr_count(const struct vmsnap_aslr *aslr)
{
	return aslr->count;
}

VMSNAP_API int vmsnap_aslr_row_sized(const struct vmsnap_aslr *aslr, size_t index, struct vmsnap_aslr_row *out,
                                     size_t size)
{
	if (index >= aslr->count)
		return VMSNAP_ERR_NOT_FOUND;
	struct_give(out, size, &aslr->rows[index], sizeof(aslr->rows[index]));
	return VMSNAP_OK;
}

VMSNAP_API size_t vmsnap_aslr_group_count(const struct vmsnap_aslr *aslr)
{
	return aslr->group_count;
}

VMSNAP_API int vmsnap_aslr_group_sized(const struct vmsnap_aslr *aslr, size_t group, struct vmsnap_aslr_sums *out,
                                       size_t size)
{
	if (group != VMSNAP_ASLR_ALL && group >= aslr->group_count)
		return VMSNAP_ERR_NOT_FOUND;
	struct_give(out, size, group == VMSNAP_ASLR_ALL ? &aslr->all : &aslr->groups[group], sizeof(*out));
	return VMSNAP_OK;
}
