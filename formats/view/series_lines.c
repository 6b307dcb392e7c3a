#include "series_lines.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "sums.h"
#include "vma_find.h"

/* ---- mappings: which line each one belongs to ------------------------------------------ */

/* From one snapshot to the next; indexes are of VMAs of b, and of lines of a. */
struct following {
	const struct vmsnap *a, *b;     /* a NULL: there is none before, or it has nothing to do with b */
	const uint32_t *line_of;        /* of a's VMAs */
	const struct series_lines *old; /* a's */
	uint32_t *origin;               /* 1 + the line it comes from; 0: none */
	bool *settled;                  /* what has its place told */
	uint32_t *changes;              /* what happened to it */
	uint64_t *from;                 /* where it was, if it moved */
	uint32_t *became;               /* of the old lines: 1 + the new one */
	uint64_t *into;                 /* of the old lines: the number of the one they became part of */
	struct series_lines lines;      /* b's */
	uint32_t *of_b;                 /* their VMAs */
	uint64_t *ids;
	struct work *work;
};

static size_t index_of(const struct vmsnap *snap, const struct vmsnap_vma *vma)
{
	return vma_find(snap, vma->start);
}

/* Of several the oldest goes on. */
static void continue_line(struct following *f, size_t b, uint32_t line)
{
	uint32_t now = f->origin[b];
	if (now && now - 1 != line) {
		uint64_t is = f->old->items[now - 1].id, other = f->old->items[line].id;
		uint32_t ends = is < other ? line : now - 1;
		f->into[ends] = is < other ? is : other;
		line = is < other ? now - 1 : line;
	}
	f->origin[b] = line + 1;
}

static bool is_move(int change)
{
	return change == VMSNAP_VMA_CHANGE_MOVED;
}

/* Whether the row is about a mapping that is there in both, where it was. */
static bool stays(const struct vmsnap_diff_vma *row)
{
	return row->a && row->b && !is_move(row->change) && row->change != VMSNAP_VMA_CHANGE_POSSIBLY_MOVED &&
	       row->change != VMSNAP_VMA_CHANGE_REPLACED;
}

/* Rows about a move may be followed by others of the same two mappings, which lie at other addresses. */
static bool overlap(const struct vmsnap_vma *a, const struct vmsnap_vma *b)
{
	return a->start < b->end && b->start < a->end;
}

static int follow_rows(struct following *f, const struct vmsnap_diff *diff)
{
	struct vmsnap_diff_vma row;
	int rc = VMSNAP_OK;
	for (size_t i = 0; !rc && !vmsnap_diff_vma(diff, i, &row); i++) {
		if (!row.b)
			continue;
		size_t b = index_of(f->b, row.b);
		f->changes[b] |= 1u << row.change;
		if (stays(&row) && overlap(row.a, row.b))
			continue_line(f, b, f->line_of[index_of(f->a, row.a)]);
		f->settled[b] |= row.change == VMSNAP_VMA_CHANGE_REPLACED || row.change == VMSNAP_VMA_CHANGE_ADDED ||
		                 (is_move(row.change) && row.length >= row.b->end - row.b->start);
		rc = work_step(f->work);
	}
	return rc;
}

/* What lies where it lay has no row. */
static int follow_same(struct following *f)
{
	size_t count = vmsnap_vma_count(f->b), at = 0;
	int rc = VMSNAP_OK;
	for (size_t i = 0; !rc && i < count; i++) {
		const struct vmsnap_vma *b = vmsnap_vma(f->b, i), *a;
		while ((a = vmsnap_vma(f->a, at)) && a->start < b->start)
			at++;
		if (a && a->start == b->start && a->end == b->end && !f->origin[i] && !f->settled[i])
			f->origin[i] = f->line_of[at] + 1;
		rc = work_step(f->work);
	}
	return rc;
}

/* What is not where something was comes from elsewhere. */
static int follow_moves(struct following *f, const struct vmsnap_diff *diff)
{
	struct vmsnap_diff_vma row;
	int rc = VMSNAP_OK;
	for (size_t i = 0; !rc && !vmsnap_diff_vma(diff, i, &row); i++) {
		rc = work_step(f->work);
		if (!row.a || !row.b || !is_move(row.change))
			continue;
		size_t b = index_of(f->b, row.b);
		uint32_t line = f->line_of[index_of(f->a, row.a)];
		f->from[b] = f->from[b] ? f->from[b] : row.from;
		if (!f->origin[b] || f->changes[b] & 1u << VMSNAP_VMA_CHANGE_MERGED)
			continue_line(f, b, line);
	}
	return rc;
}

static int follow(struct following *f, const struct vmsnap_series_options *options, struct vmsnap_error *err)
{
	const struct vmsnap_compare_options how = { .size = sizeof(how),
		                                    .cancelled = options->cancelled,
		                                    .cancel_ctx = options->cancel_ctx,
		                                    .flags = VMSNAP_COMPARE_VMAS_ONLY };
	struct vmsnap_diff *diff;
	int rc = vmsnap_diff_new_with(f->a, f->b, &how, &diff, err);
	if (rc)
		return rc;
	rc = follow_rows(f, diff);
	rc = rc ? rc : follow_same(f);
	rc = rc ? rc : follow_moves(f, diff);
	vmsnap_diff_free(diff);
	return rc ? work_fail(f->work, rc, err) : VMSNAP_OK;
}

/* ---- mappings: the lines --------------------------------------------------------------- */

static struct vmsnap_series_line *add_line(struct following *f, int *rc)
{
	struct series_lines *lines = &f->lines;
	if (!WORK_ROOM(f->work, lines->items, lines->count, &lines->capacity, rc))
		return NULL;
	lines->items[lines->count] = (struct vmsnap_series_line){ .name = "" };
	return &lines->items[lines->count++];
}

/* A new line, or that of which another part is there already. */
static int line_of_vma(struct following *f, size_t b, uint32_t *out)
{
	uint32_t origin = f->origin[b];
	const struct vmsnap_vma *vma = vmsnap_vma(f->b, b);
	int rc = VMSNAP_OK;
	if (origin && f->became[origin - 1]) {
		*out = f->became[origin - 1] - 1;
		return rc;
	}
	struct vmsnap_series_line *line = add_line(f, &rc);
	if (!line)
		return rc;
	*out = (uint32_t)f->lines.count - 1;
	line->name = vma->name;
	line->pid = vmsnap_info(f->b)->pid;
	line->start = vma->start;
	line->from = f->from[b] ? f->from[b] : vma->start;
	if (origin) {
		const struct vmsnap_series_line *old = &f->old->items[origin - 1];
		f->became[origin - 1] = *out + 1;
		line->id = old->id;
		line->bytes_before = old->bytes;
		line->sums_before = old->sums;
	} else {
		line->id = ++*f->ids;
		line->changes = f->a || f->old ? 1u << VMSNAP_VMA_CHANGE_ADDED : 0;
	}
	return rc;
}

static int make_lines(struct following *f, struct vmsnap_sums *all)
{
	int rc = VMSNAP_OK;
	for (size_t i = 0; !rc && i < vmsnap_vma_count(f->b); i++) {
		const struct vmsnap_vma *vma = vmsnap_vma(f->b, i);
		struct vmsnap_sums sums;
		uint32_t at = 0;
		rc = line_of_vma(f, i, &at);
		if (rc)
			break;
		struct vmsnap_series_line *line = &f->lines.items[at];
		vmsnap_sum(f->b, vma->start, vma->end, &sums);
		work_count(f->work, (size_t)(sums.resident >> 20));
		sums_add(&line->sums, &sums);
		sums_add(all, &sums);
		line->bytes = sums_counted(f->b, &line->sums);
		line->end = vma->end;
		line->vmas++;
		line->changes |= f->changes[i] & ~(1u << VMSNAP_VMA_CHANGE_ADDED);
		f->of_b[i] = at;
		rc = work_step(f->work);
	}
	f->lines.live = f->lines.count;
	return rc;
}

/* Pages that are there though nothing is mapped, of a process that ran. */
static void sum_gaps(const struct vmsnap *snap, struct vmsnap_sums *all)
{
	uint64_t at = 0;
	for (size_t i = 0; i <= vmsnap_vma_count(snap); i++) {
		const struct vmsnap_vma *vma = vmsnap_vma(snap, i);
		uint64_t end = vma ? vma->start : UINT64_MAX;
		struct vmsnap_run_iter it;
		struct vmsnap_run run;
		struct vmsnap_sums sums;
		vmsnap_run_iter_init(&it, snap, at, end);
		if (at < end && vmsnap_run_next(&it, &run) == VMSNAP_OK) {
			vmsnap_sum(snap, at, end, &sums);
			sums_add(all, &sums);
		}
		at = vma ? vma->end : end;
	}
}

static int add_those_that_went(struct following *f)
{
	int rc = VMSNAP_OK;
	for (size_t i = 0; f->old && !rc && i < f->old->live; i++) {
		const struct vmsnap_series_line *old = &f->old->items[i];
		if (f->became && f->became[i])
			continue;
		struct vmsnap_series_line *line = add_line(f, &rc);
		if (!line)
			break;
		*line = (struct vmsnap_series_line){ .id = old->id, .name = old->name, .pid = old->pid };
		line->start = line->from = old->start;
		line->end = old->end;
		line->vmas = old->vmas;
		line->bytes_before = old->bytes;
		line->sums_before = old->sums;
		line->changes = 1u << VMSNAP_VMA_CHANGE_REMOVED;
		line->into = f->into ? f->into[i] : 0;
		line->changes |= line->into ? 1u << VMSNAP_VMA_CHANGE_MERGED : 0;
		rc = work_step(f->work);
	}
	return rc;
}

static int make_room(struct following *f)
{
	int rc = VMSNAP_OK;
	size_t vmas = vmsnap_vma_count(f->b), old = f->old ? f->old->live : 0;
	f->origin = work_array(f->work, vmas, sizeof(*f->origin), &rc);
	f->settled = work_array(f->work, vmas, sizeof(*f->settled), &rc);
	f->changes = work_array(f->work, vmas, sizeof(*f->changes), &rc);
	f->from = work_array(f->work, vmas, sizeof(*f->from), &rc);
	f->of_b = work_array(f->work, vmas, sizeof(*f->of_b), &rc);
	f->became = work_array(f->work, old, sizeof(*f->became), &rc);
	f->into = work_array(f->work, old, sizeof(*f->into), &rc);
	return rc;
}

static void give_back(struct following *f)
{
	free(f->origin);
	free(f->settled);
	free(f->changes);
	free(f->from);
	free(f->became);
	free(f->into);
}

/* What the arrays come to is counted while they are made; those that stay are fewer than the snapshot's own. */
static int follow_mappings(struct series_member *member, struct vmsnap *snap, bool apart,
                           const struct vmsnap_series_options *options, uint64_t *ids, struct work *work,
                           struct vmsnap_error *err)
{
	struct following f = { .a = apart ? NULL : member->snap,
		               .b = snap,
		               .line_of = member->line_of,
		               .old = member->snap ? &member->lines : NULL,
		               .ids = ids,
		               .work = work };
	int rc = make_room(&f);
	rc = rc ? work_fail(work, rc, err) : VMSNAP_OK;
	rc = rc || !f.a ? rc : follow(&f, options, err);
	if (!rc) {
		rc = make_lines(&f, &member->sums);
		rc = rc ? rc : add_those_that_went(&f);
		rc = rc ? work_fail(work, rc, err) : VMSNAP_OK;
	}
	give_back(&f);
	if (rc) {
		free(f.of_b);
		free(f.lines.items);
		return rc;
	}
	sum_gaps(snap, &member->sums);
	free(member->line_of);
	free(member->lines.items);
	member->line_of = f.of_b;
	member->lines = f.lines;
	return rc;
}

/* ---- kinds and states -------------------------------------------------------------------- */

/* Lines that are always there, the first with number 1. */
static int begin_fixed(struct series_member *member, size_t count, const char *(*name)(int), uint32_t pid)
{
	struct series_lines *lines = &member->lines;
	if (!lines->items) {
		lines->items = calloc(count, sizeof(*lines->items));
		if (!lines->items)
			return VMSNAP_ERR_NO_MEMORY;
		lines->count = lines->live = lines->capacity = count;
	}
	for (size_t i = 0; i < count; i++) {
		struct vmsnap_series_line *line = &lines->items[i];
		*line = (struct vmsnap_series_line){ .id = i + 1,
			                             .name = name((int)i),
			                             .pid = pid,
			                             .bytes_before = line->bytes,
			                             .sums_before = line->sums };
	}
	return VMSNAP_OK;
}

/* What was read of files is kept from one snapshot to the next.  Without names the .bss of files is anonymous. */
static struct vmsnap_names *names_of(struct series_member *member, const struct vmsnap *snap,
                                     const struct vmsnap_series_options *options)
{
	if (member->names && !vmsnap_names_rebind(member->names, snap, NULL))
		return member->names;
	vmsnap_names_free(member->names);
	member->names = NULL;
	if (vmsnap_names_new(snap, NULL, &member->names, NULL))
		return NULL;
	vmsnap_names_set_cancelled(member->names, options->cancelled, options->cancel_ctx);
	return member->names;
}

static int sum_kinds(struct series_member *member, const struct vmsnap *snap,
                     const struct vmsnap_series_options *options, struct work *work, struct vmsnap_error *err)
{
	size_t count = vmsnap_vma_count(snap);
	int rc = VMSNAP_OK;
	uint8_t *kinds = work_array(work, count, sizeof(*kinds), &rc);
	rc = rc ? work_fail(work, rc, err) : vmsnap_mapping_kinds(snap, names_of(member, snap, options), kinds, err);
	for (size_t i = 0; !rc && i < count; i++) {
		const struct vmsnap_vma *vma = vmsnap_vma(snap, i);
		struct vmsnap_sums sums;
		vmsnap_sum(snap, vma->start, vma->end, &sums);
		struct vmsnap_series_line *line = &member->lines.items[kinds[i]];
		line->start = line->vmas ? line->start : vma->start;
		line->end = vma->end;
		line->vmas++;
		sums_add(&line->sums, &sums);
		sums_add(&member->sums, &sums);
		line->bytes = sums_counted(snap, &line->sums);
		rc = work_step(work) ? work_fail(work, VMSNAP_ERR_CANCELLED, err) : VMSNAP_OK;
	}
	work_free(work, kinds, count, sizeof(*kinds));
	sum_gaps(snap, &member->sums);
	return rc;
}

static const struct {
	const char *name;
	size_t at;
} states[] = {
	{ "exclusive", offsetof(struct vmsnap_sums, exclusive) },
	{ "exclusive_unknown", offsetof(struct vmsnap_sums, exclusive_unknown) },
	{ "file", offsetof(struct vmsnap_sums, file) },
	{ "zero", offsetof(struct vmsnap_sums, zero) },
	{ "huge", offsetof(struct vmsnap_sums, huge) },
	{ "swapped", offsetof(struct vmsnap_sums, swapped) },
	{ "swapped_unknown", offsetof(struct vmsnap_sums, swapped_unknown) },
	{ "swap_unknown", offsetof(struct vmsnap_sums, swap_unknown) },
	{ "guard", offsetof(struct vmsnap_sums, guard) },
};
enum { STATES = sizeof(states) / sizeof(states[0]) };

static const char *state_name(int state)
{
	return states[state].name;
}

static void sum_states(struct series_member *member, const struct vmsnap *snap)
{
	vmsnap_sum(snap, 0, UINT64_MAX, &member->sums);
	for (size_t i = 0; i < STATES; i++) {
		struct vmsnap_series_line *line = &member->lines.items[i];
		memcpy(&line->bytes, (const char *)&member->sums + states[i].at, sizeof(line->bytes));
		line->sums = member->sums;
	}
}

static int add_fixed(struct series_member *member, int by, const struct vmsnap *snap,
                     const struct vmsnap_series_options *options, struct work *work, struct vmsnap_error *err)
{
	bool kinds = by == VMSNAP_SERIES_BY_KIND;
	int rc = begin_fixed(member, kinds ? VMSNAP_MAPPING_KIND_COUNT : STATES,
	                     kinds ? vmsnap_mapping_kind_name : state_name, vmsnap_info(snap)->pid);
	if (rc)
		return fail_no_memory(err);
	if (kinds)
		return sum_kinds(member, snap, options, work, err);
	sum_states(member, snap);
	return rc;
}

/* ---- one more snapshot --------------------------------------------------------------------- */

static int add_lines(struct series_member *member, int by, struct vmsnap *snap, bool apart,
                     const struct vmsnap_series_options *options, uint64_t *ids, struct vmsnap_error *err)
{
	const struct vmsnap *both[] = { member->snap, snap };
	struct work work = { .limit = vmsnap_memory_left(both, 2),
		             .cancelled = options->cancelled,
		             .cancel_ctx = options->cancel_ctx };
	if (by == VMSNAP_SERIES_BY_MAPPING)
		return follow_mappings(member, snap, apart, options, ids, &work, err);
	return add_fixed(member, by, snap, options, &work, err);
}

/* Nothing can be said of it but that; what follows begins anew. */
static int begin_anew(struct series_member *member, struct vmsnap *snap, int rc)
{
	vmsnap_unref(snap);
	series_member_drop(member);
	return rc;
}

int series_member_add(struct series_member *member, int by, struct vmsnap *snap,
                      const struct vmsnap_series_options *options, uint64_t *ids, struct vmsnap_error *err)
{
	bool one_size = !member->snap || vmsnap_info(member->snap)->page_size == vmsnap_info(snap)->page_size;
	int relation = !member->snap ? VMSNAP_RELATION_COMPARABLE
	               : one_size    ? vmsnap_relation(member->snap, snap)
	                             : VMSNAP_RELATION_ANOTHER_PROGRAM;
	member->sums_before = member->sums;
	member->sums = (struct vmsnap_sums){ 0 };
	int rc = add_lines(member, by, snap, relation != VMSNAP_RELATION_COMPARABLE, options, ids, err);
	if (rc)
		return begin_anew(member, snap, rc);
	vmsnap_unref(member->before);
	member->before = member->snap;
	member->snap = snap;
	member->relation = relation;
	return VMSNAP_OK;
}

void series_member_drop(struct series_member *member)
{
	vmsnap_names_free(member->names);
	vmsnap_unref(member->snap);
	vmsnap_unref(member->before);
	free(member->line_of);
	free(member->lines.items);
	*member = (struct series_member){ 0 };
}
