#include "vma_match.h"

#include <string.h>

static bool begins_with(const char *name, const char *prefix)
{
	return !strncmp(name, prefix, strlen(prefix));
}

bool vma_is_anonymous(const struct vmsnap_vma *vma)
{
	/* A SysV segment with id 0 has inode 0, but a name that is a path. */
	return !vma->inode && !vma->dev_major && !vma->dev_minor && vma->name[0] != '/';
}

bool vma_is_plain(const struct vmsnap_vma *vma)
{
	const char *name = vma->name;
	if (!vma_is_anonymous(vma))
		return false;
	/* [stack:TID] was written by Linux 3.4 to 4.4. */
	return !*name || !strcmp(name, "[heap]") || !strcmp(name, "[stack]") || begins_with(name, "[anon:") ||
	       begins_with(name, "[stack:");
}

bool vma_is_private_file(const struct vmsnap_vma *vma)
{
	if ((vma->perms & VMSNAP_PERM_SHARED) || vma_is_anonymous(vma))
		return false;
	/* Anonymous memory that shows a file: a private mapping of /dev/zero, and
	 * MAP_ANONYMOUS | MAP_HUGETLB. */
	return strcmp(vma->name, "/dev/zero") != 0 && !begins_with(vma->name, "/anon_hugepage");
}

bool vma_same_backing(const struct vmsnap_vma *a, const struct vmsnap_vma *b)
{
	if ((a->perms & VMSNAP_PERM_SHARED) != (b->perms & VMSNAP_PERM_SHARED))
		return false;
	if (vma_is_anonymous(a) || vma_is_anonymous(b)) {
		if (vma_is_plain(a) || vma_is_plain(b))
			return vma_is_plain(a) && vma_is_plain(b);
		return vma_is_anonymous(a) && vma_is_anonymous(b) && !strcmp(a->name, b->name);
	}
	return a->inode == b->inode && a->dev_major == b->dev_major && a->dev_minor == b->dev_minor &&
	       a->offset - a->start == b->offset - b->start;
}

/* What is gathered on the way: of each VMA, and there may be millions. */
struct partners {
	uint32_t first, last;
	uint32_t count : 31;
	uint32_t told : 1; /* some row, or the lack of one, accounts for this VMA */
};
#define VMAS_MAX ((size_t)INT32_MAX)
struct matching {
	const struct vmsnap *a, *b;
	struct partners *of_a, *of_b;
	struct part_list lost, gained;
	struct vma_match *out;
	struct work *work;
};

/* The next pair of VMAs that overlap; begin with { 0, 0, false }. */
struct overlap {
	size_t a, b;
	bool met;
};
static bool overlap_next(const struct matching *m, struct overlap *at)
{
	size_t count_a = m->a->vma_count, count_b = m->b->vma_count;
	while (at->a < count_a && at->b < count_b) {
		const struct vmsnap_vma *a = &m->a->vmas[at->a], *b = &m->b->vmas[at->b];
		if (!at->met && a->start < b->end && b->start < a->end) {
			at->met = true;
			return true;
		}
		at->met = false;
		if (a->end <= b->end)
			at->a++;
		else
			at->b++;
	}
	return false;
}

static bool same_at(const struct matching *m, const struct overlap *at)
{
	return vma_same_backing(&m->a->vmas[at->a], &m->b->vmas[at->b]);
}

static int add_row(const struct matching *m, int change, const struct vmsnap_vma *a, const struct vmsnap_vma *b)
{
	struct vma_match *out = m->out;
	int rc = work_step(m->work);
	struct vmsnap_diff_vma *rows = work_room(m->work, out->rows, out->count, &out->capacity, sizeof(*rows), &rc);
	if (!rows)
		return rc;
	out->rows = rows;
	rows[out->count++] = (struct vmsnap_diff_vma){ .change = change, .a = a, .b = b };
	return VMSNAP_OK;
}

static int add_row_if(const struct matching *m, bool holds, int change, const struct vmsnap_vma *a,
                      const struct vmsnap_vma *b)
{
	return holds ? add_row(m, change, a, b) : VMSNAP_OK;
}

static void add_partner(struct partners *of, size_t partner)
{
	if (!of->count++)
		of->first = (uint32_t)partner;
	of->last = (uint32_t)partner;
	of->told = true;
}

static void find_partners(const struct matching *m)
{
	for (struct overlap at = { 0 }; overlap_next(m, &at);) {
		if (!same_at(m, &at))
			continue;
		add_partner(&m->of_a[at.a], at.b);
		add_partner(&m->of_b[at.b], at.a);
	}
}

/* What happened to a mapping whatever became of its range. */
static int add_attributes(const struct matching *m, const struct vmsnap_vma *a, const struct vmsnap_vma *b)
{
	int rc = add_row_if(m, a->perms != b->perms, VMSNAP_VMA_CHANGE_PROTECTION_CHANGED, a, b);
	return rc ? rc : add_row_if(m, strcmp(a->name, b->name) != 0, VMSNAP_VMA_CHANGE_RENAMED, a, b);
}

/* The rows of one pair of partners.  In a chain of pairs (a mapping split, then
 * partly merged, …) the lowest pair tells how the start moved, the highest how
 * the end did. */
static int add_pair(const struct matching *m, const struct overlap *at)
{
	const struct vmsnap_vma *a = &m->a->vmas[at->a], *b = &m->b->vmas[at->b];
	const struct partners *of_a = &m->of_a[at->a], *of_b = &m->of_b[at->b];
	bool lowest = of_a->first == at->b && of_b->first == at->a;
	bool highest = of_a->last == at->b && of_b->last == at->a;
	bool grown = (lowest && b->start < a->start) || (highest && b->end > a->end);
	bool shrunk = (lowest && b->start > a->start) || (highest && b->end < a->end);
	int rc = add_row_if(m, of_a->count > 1, VMSNAP_VMA_CHANGE_SPLIT, a, b);
	rc = rc ? rc : add_row_if(m, of_b->count > 1, VMSNAP_VMA_CHANGE_MERGED, a, b);
	rc = rc ? rc : add_row_if(m, grown, VMSNAP_VMA_CHANGE_GROWN, a, b);
	rc = rc ? rc : add_row_if(m, shrunk, VMSNAP_VMA_CHANGE_SHRUNK, a, b);
	return rc ? rc : add_attributes(m, a, b);
}

static int add_part(struct part_list *parts, size_t vma, uint64_t start, uint64_t end, struct work *work)
{
	int rc = VMSNAP_OK;
	if (start >= end)
		return rc;
	struct part *items = work_room(work, parts->items, parts->count, &parts->capacity, sizeof(*items), &rc);
	if (!items)
		return rc;
	parts->items = items;
	items[parts->count++] = (struct part){ .vma = vma, .start = start, .end = end };
	return VMSNAP_OK;
}

/* The parts of `snap` in which `other` does not have the same mapping. */
static int find_parts(const struct vmsnap *snap, const struct vmsnap *other, struct part_list *parts, struct work *work)
{
	int rc = VMSNAP_OK;
	for (size_t i = 0, low = 0; !rc && i < snap->vma_count; i++) {
		const struct vmsnap_vma *vma = &snap->vmas[i];
		uint64_t at = vma->start;
		while (low < other->vma_count && other->vmas[low].end <= at)
			low++;
		for (size_t j = low; !rc && j < other->vma_count && other->vmas[j].start < vma->end; j++) {
			if (!vma_same_backing(vma, &other->vmas[j]))
				continue;
			rc = add_part(parts, i, at, other->vmas[j].start, work);
			at = other->vmas[j].end;
		}
		rc = rc ? rc : add_part(parts, i, at, vma->end, work);
		rc = rc ? rc : work_step(work);
	}
	return rc;
}

static int add_moves(const struct matching *m)
{
	const struct move_list *moves = &m->out->moves;
	int rc = VMSNAP_OK;
	for (size_t i = 0; !rc && i < moves->count; i++) {
		const struct move *move = &moves->items[i];
		const struct vmsnap_vma *a = &m->a->vmas[move->a], *b = &m->b->vmas[move->b];
		struct partners *of_a = &m->of_a[move->a], *of_b = &m->of_b[move->b];
		rc = add_row(m, VMSNAP_VMA_CHANGE_MOVED, a, b);
		/* Sizes say something if nothing of either stayed behind. */
		bool whole = !of_a->count && !of_b->count && move->from == a->start && move->to == b->start;
		uint64_t size_a = a->end - a->start, size_b = b->end - b->start;
		rc = rc ? rc : add_row_if(m, whole && size_b > size_a, VMSNAP_VMA_CHANGE_GROWN, a, b);
		rc = rc ? rc : add_row_if(m, whole && size_b < size_a, VMSNAP_VMA_CHANGE_SHRUNK, a, b);
		rc = rc ? rc : add_attributes(m, a, b);
		of_a->told = of_b->told = true;
	}
	return rc;
}

/* Whether any of [start, end) went elsewhere. */
static bool moved_away(const struct move_list *moves, uint64_t start, uint64_t end)
{
	size_t low = 0, high = moves->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (moves->items[middle].from + moves->items[middle].length <= start)
			low = middle + 1;
		else
			high = middle;
	}
	return low < moves->count && moves->items[low].from < end;
}

/* Something else lies where a mapping was, unless that went away by itself. */
static int add_replaced(const struct matching *m)
{
	int rc = VMSNAP_OK;
	for (struct overlap at = { 0 }; !rc && overlap_next(m, &at);) {
		const struct vmsnap_vma *a = &m->a->vmas[at.a], *b = &m->b->vmas[at.b];
		uint64_t start = a->start > b->start ? a->start : b->start, end = a->end < b->end ? a->end : b->end;
		if (same_at(m, &at) || moved_away(&m->out->moves, start, end))
			continue;
		rc = add_row(m, VMSNAP_VMA_CHANGE_REPLACED, a, b);
		m->of_a[at.a].told = m->of_b[at.b].told = true;
	}
	return rc;
}

static int add_untold(const struct matching *m)
{
	int rc = VMSNAP_OK;
	for (size_t i = 0; !rc && i < m->a->vma_count; i++)
		rc = add_row_if(m, !m->of_a[i].told, VMSNAP_VMA_CHANGE_REMOVED, &m->a->vmas[i], NULL);
	for (size_t i = 0; !rc && i < m->b->vma_count; i++)
		rc = add_row_if(m, !m->of_b[i].told, VMSNAP_VMA_CHANGE_ADDED, NULL, &m->b->vmas[i]);
	return rc;
}

static int compare_to(const void *x, const void *y, const void *ctx)
{
	const struct move *a = x, *b = y;
	(void)ctx;
	return (a->to > b->to) - (a->to < b->to);
}

static int find_moves(struct matching *m)
{
	struct vma_match *out = m->out;
	int rc = find_parts(m->a, m->b, &m->lost, m->work);
	rc = rc ? rc : find_parts(m->b, m->a, &m->gained, m->work);
	rc = rc ? rc : moves_find(m->a, &m->lost, m->b, &m->gained, m->work, &out->moves);
	if (rc || !out->moves.count)
		return rc;
	out->moves_to = work_array(m->work, out->moves.count, sizeof(*out->moves_to), &rc);
	if (rc)
		return rc;
	memcpy(out->moves_to, out->moves.items, out->moves.count * sizeof(*out->moves_to));
	return work_sort(m->work, out->moves_to, out->moves.count, sizeof(*out->moves_to), compare_to, NULL);
}

static int compare_rows(const void *x, const void *y, const void *ctx)
{
	const struct vmsnap_diff_vma *a = x, *b = y;
	(void)ctx;
	uint64_t at_a = a->b ? a->b->start : a->a->start, at_b = b->b ? b->b->start : b->a->start;
	if (at_a != at_b)
		return at_a < at_b ? -1 : 1;
	if (a->change != b->change)
		return a->change < b->change ? -1 : 1;
	uint64_t from_a = a->a ? a->a->start : 0, from_b = b->a ? b->a->start : 0;
	return (from_a > from_b) - (from_a < from_b);
}

static int match_all(struct matching *m)
{
	find_partners(m);
	int rc = VMSNAP_OK;
	for (struct overlap at = { 0 }; !rc && overlap_next(m, &at);)
		if (same_at(m, &at))
			rc = add_pair(m, &at);
	rc = rc ? rc : find_moves(m);
	rc = rc ? rc : add_moves(m);
	rc = rc ? rc : add_replaced(m);
	rc = rc ? rc : add_untold(m);
	return rc ? rc : work_sort(m->work, m->out->rows, m->out->count, sizeof(*m->out->rows), compare_rows, NULL);
}

int vma_match(const struct vmsnap *a, const struct vmsnap *b, struct work *work, struct vma_match *out)
{
	*out = (struct vma_match){ 0 };
	struct matching m = { .a = a, .b = b, .out = out, .work = work };
	int rc = a->vma_count > VMAS_MAX || b->vma_count > VMAS_MAX ? VMSNAP_ERR_TOO_LARGE : VMSNAP_OK;
	m.of_a = work_array(work, a->vma_count, sizeof(*m.of_a), &rc);
	m.of_b = work_array(work, b->vma_count, sizeof(*m.of_b), &rc);
	rc = rc ? rc : match_all(&m);
	work_free(work, m.of_a, a->vma_count, sizeof(*m.of_a));
	work_free(work, m.of_b, b->vma_count, sizeof(*m.of_b));
	work_free(work, m.lost.items, m.lost.capacity, sizeof(*m.lost.items));
	work_free(work, m.gained.items, m.gained.capacity, sizeof(*m.gained.items));
	if (rc)
		vma_match_free(out);
	return rc;
}

void vma_match_free(struct vma_match *match)
{
	free(match->rows);
	free(match->moves.items);
	free(match->moves_to);
	*match = (struct vma_match){ 0 };
}
