/* compare.h - what two snapshots differ in, and what became of the pages of a fork.
 * Included by vmsnap.h, which tells what holds for all of it. */
#ifndef VMSNAP_COMPARE_API_H
#define VMSNAP_COMPARE_API_H

#include <vmsnap/snapshot.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- diff ---------------------------------------------------------------- */

enum vmsnap_vma_change {
	VMSNAP_VMA_CHANGE_ADDED,
	VMSNAP_VMA_CHANGE_REMOVED,
	VMSNAP_VMA_CHANGE_GROWN,
	VMSNAP_VMA_CHANGE_SHRUNK,
	VMSNAP_VMA_CHANGE_SPLIT,  /* one row for each part */
	VMSNAP_VMA_CHANGE_MERGED, /* one row for each part */
	VMSNAP_VMA_CHANGE_PROTECTION_CHANGED,
	VMSNAP_VMA_CHANGE_REPLACED, /* another mapping was put over it */
	VMSNAP_VMA_CHANGE_MOVED,
	VMSNAP_VMA_CHANGE_RENAMED,
	VMSNAP_VMA_CHANGE_COUNT
};

/* Facts about one page; several may hold at once. */
enum vmsnap_page_change {
	VMSNAP_CHANGE_APPEARED,    /* neither present nor swapped in A, one of them in B */
	VMSNAP_CHANGE_VANISHED,    /* the reverse */
	VMSNAP_CHANGE_PFN_CHANGED, /* present in both, known, and different */
	VMSNAP_CHANGE_BECAME_EXCLUSIVE,
	VMSNAP_CHANGE_BECAME_SHARED,
	VMSNAP_CHANGE_SWAPPED_OUT,    /* present in A, swapped in B */
	VMSNAP_CHANGE_SWAPPED_IN,     /* the reverse */
	VMSNAP_CHANGE_SWAP_MOVED,     /* swapped in both, in another slot */
	VMSNAP_CHANGE_ZERO_FILLED_IN, /* the zero page in A, another page in B */
	VMSNAP_CHANGE_PRIVATISED,     /* a file's page became a private copy */
	VMSNAP_CHANGE_SOFT_DIRTIED,
	VMSNAP_CHANGE_GUARDED,   /* a guard region's page in B only */
	VMSNAP_CHANGE_UNGUARDED, /* a guard region's page in A only */
	VMSNAP_CHANGE_COUNT
};

/* How to compare; where it is asked for it may be NULL.  Whatever it says, what is made of
 * snapshots of files takes no more memory than their limits leave (struct vmsnap_limits):
 * VMSNAP_ERR_TOO_LARGE. */
struct vmsnap_compare_options {
	size_t size;                  /* sizeof(struct vmsnap_compare_options) */
	bool (*cancelled)(void *ctx); /* asked now and then; NULL: never cancelled */
	void *cancel_ctx;
};

struct vmsnap_diff;
int vmsnap_diff_new(const struct vmsnap *a, const struct vmsnap *b, struct vmsnap_diff **out, struct vmsnap_error *err);
int vmsnap_diff_new_with(const struct vmsnap *a, const struct vmsnap *b, const struct vmsnap_compare_options *options,
                         struct vmsnap_diff **out, struct vmsnap_error *err);
void vmsnap_diff_free(struct vmsnap_diff *diff);
/* The snapshots it was made from. */
const struct vmsnap *vmsnap_diff_a(const struct vmsnap_diff *diff);
const struct vmsnap *vmsnap_diff_b(const struct vmsnap_diff *diff);

struct vmsnap_diff_vma {
	int change;                     /* enum vmsnap_vma_change */
	const struct vmsnap_vma *a, *b; /* NULL if there is none on that side */
};
size_t vmsnap_diff_vma_count(const struct vmsnap_diff *diff);
int vmsnap_diff_vma(const struct vmsnap_diff *diff, size_t index, struct vmsnap_diff_vma *out);

/* Neighbouring pages with the same facts, by their address in B (pages of a
 * moved mapping are compared with where they came from). */
struct vmsnap_diff_range {
	uint64_t start, end;
	uint32_t changes;             /* 1 << enum vmsnap_page_change, or-ed; never 0 */
	bool executable;              /* the mapping is executable in A or in B */
	bool touched;                 /* the debugger wrote here, says A or B: enum vmsnap_annotation_kind */
	const struct vmsnap_vma *vma; /* in B, else in A; NULL if in neither */
};
size_t vmsnap_diff_range_count(const struct vmsnap_diff *diff);
int vmsnap_diff_range(const struct vmsnap_diff *diff, size_t index, struct vmsnap_diff_range *out);

/* Pages by enum vmsnap_page_change, and VMA rows by enum vmsnap_vma_change. */
struct vmsnap_diff_totals {
	uint64_t pages[VMSNAP_CHANGE_COUNT];
	uint64_t vmas[VMSNAP_VMA_CHANGE_COUNT];
	uint64_t privatised_executable;
	uint64_t resident_a, resident_b;             /* pages */
	uint64_t touched;                            /* changed pages that the debugger wrote to */
	uint64_t touched_pages[VMSNAP_CHANGE_COUNT]; /* of .pages, those that it wrote to */
};
const struct vmsnap_diff_totals *vmsnap_diff_totals(const struct vmsnap_diff *diff);
/* Whether anything differs: VMAs, pages or status fields, but for the counts of
 * context switches, which our looking adds to. */
bool vmsnap_diff_any(const struct vmsnap_diff *diff);

/* Status fields that differ; a or b has key_len 0 if that side has no such line. */
struct vmsnap_diff_status {
	struct vmsnap_status_field a, b;
};
size_t vmsnap_diff_status_count(const struct vmsnap_diff *diff);
int vmsnap_diff_status(const struct vmsnap_diff *diff, size_t index, struct vmsnap_diff_status *out);
/* All fields, those that are the same too: A's in its order, then those that only B has;
 * calls fn for each until it returns false.  A key that comes twice in both is told twice.
 * b NULL: A's alone, one after another. */
int vmsnap_status_rows(const struct vmsnap *a, const struct vmsnap *b, const struct vmsnap_compare_options *options,
                       bool (*fn)(void *ctx, const struct vmsnap_diff_status *row), void *ctx,
                       struct vmsnap_error *err);

/* Each key of one status once, for where a key may not come twice: its first line, as for
 * vmsnap_status_find(), in the order of the lines.  The kernel writes none twice, a file may. */
int vmsnap_status_keys(const struct vmsnap *snap, const struct vmsnap_compare_options *options,
                       bool (*fn)(void *ctx, const struct vmsnap_status_field *field), void *ctx,
                       struct vmsnap_error *err);

const char *vmsnap_vma_change_name(int change);  /* "protection_changed" */
const char *vmsnap_page_change_name(int change); /* "pfn_changed" */

/* ---- copy-on-write verdicts (docs/verdicts.md) -------------------------- */

enum vmsnap_verdict {
	VMSNAP_VERDICT_SHARED, /* "shared": one frame, in both */
	VMSNAP_VERDICT_COPIED_BY_CHILD,
	VMSNAP_VERDICT_COPIED_BY_PARENT,
	VMSNAP_VERDICT_COPIED_BY_BOTH,
	VMSNAP_VERDICT_COPIED, /* by whom is unknown */
	VMSNAP_VERDICT_NEW_IN_CHILD,
	VMSNAP_VERDICT_NEW_IN_PARENT,
	VMSNAP_VERDICT_NEW_IN_BOTH, /* absent at the fork; each has a page of its own now */
	VMSNAP_VERDICT_ONLY_IN_CHILD,
	VMSNAP_VERDICT_ONLY_IN_PARENT,
	VMSNAP_VERDICT_ZERO_SHARED,
	VMSNAP_VERDICT_ZERO_WRITTEN_BY_CHILD,
	VMSNAP_VERDICT_ZERO_WRITTEN_BY_PARENT,
	VMSNAP_VERDICT_ZERO_WRITTEN_BY_BOTH,
	VMSNAP_VERDICT_DROPPED_BY_CHILD,
	VMSNAP_VERDICT_DROPPED_BY_PARENT,
	VMSNAP_VERDICT_DROPPED_BY_BOTH,
	VMSNAP_VERDICT_FILE,           /* "file": page cache, not yet copied by anyone */
	VMSNAP_VERDICT_SHARED_MAPPING, /* "shared_mapping": MAP_SHARED, never copied */
	VMSNAP_VERDICT_SWAPPED,        /* "swapped" */
	VMSNAP_VERDICT_UNKNOWN,
	VMSNAP_VERDICT_COUNT
};
const char *vmsnap_verdict_name(int verdict); /* "copied_by_child" */

struct vmsnap_cow;
/* base: the parent (or the child) at the fork, or NULL.  Borrows all three. */
int vmsnap_cow_new(const struct vmsnap *parent, const struct vmsnap *child, const struct vmsnap *base,
                   struct vmsnap_cow **out, struct vmsnap_error *err);
int vmsnap_cow_new_with(const struct vmsnap *parent, const struct vmsnap *child, const struct vmsnap *base,
                        const struct vmsnap_compare_options *options, struct vmsnap_cow **out,
                        struct vmsnap_error *err);
void vmsnap_cow_free(struct vmsnap_cow *cow);
/* The snapshots it was made from. */
const struct vmsnap *vmsnap_cow_parent(const struct vmsnap_cow *cow);
const struct vmsnap *vmsnap_cow_child(const struct vmsnap_cow *cow);
const struct vmsnap *vmsnap_cow_base(const struct vmsnap_cow *cow); /* NULL if none was given */

struct vmsnap_cow_range {
	uint64_t start, end;
	int verdict;                  /* enum vmsnap_verdict */
	bool inferred;                /* from exclusive bits or circumstances, not from PFNs */
	bool touched;                 /* the debugger wrote here, says one of the snapshots */
	const struct vmsnap_vma *vma; /* in the child, else in the parent, else in the base */
};
size_t vmsnap_cow_range_count(const struct vmsnap_cow *cow);
int vmsnap_cow_range(const struct vmsnap_cow *cow, size_t index, struct vmsnap_cow_range *out);
const uint64_t *vmsnap_cow_totals(const struct vmsnap_cow *cow); /* pages, by enum vmsnap_verdict */
/* Of these, the pages that the debugger wrote to. */
const uint64_t *vmsnap_cow_touched_totals(const struct vmsnap_cow *cow);
/* One line on what makes the verdicts doubtful ("not parent and child", "PFNs
 * of another boot", …); "" if nothing does. */
const char *vmsnap_cow_warning(const struct vmsnap_cow *cow);

#ifdef __cplusplus
}
#endif
#endif
