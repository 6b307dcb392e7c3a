/* compare.h - what two snapshots differ in, and what became of the pages of a fork.
 * Included by vmsnap.h, which tells what holds for all of it. */
#ifndef VMSNAP_COMPARE_API_H
#define VMSNAP_COMPARE_API_H

#include <vmsnap/set.h>
#include <vmsnap/snapshot.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- what can be compared ------------------------------------------------- */

/* Why the pages of two snapshots are not compared one by one: they have nothing to do with each
 * other.  Their mappings and status lines are. */
enum vmsnap_relation {
	VMSNAP_RELATION_COMPARABLE,        /* nothing is against it */
	VMSNAP_RELATION_ONE_ADDRESS_SPACE, /* two processes that have one, at one instant */
	VMSNAP_RELATION_ANOTHER_PROGRAM,   /* one of them has executed another program since: no page was kept */
	VMSNAP_RELATION_ANOTHER_PROCESS,   /* the number of A's process was given to another since */
	VMSNAP_RELATION_COUNT
};
int vmsnap_relation(const struct vmsnap *a, const struct vmsnap *b);
const char *vmsnap_relation_name(int relation); /* "another_program" */

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
	/* Looks like that, but is no fact: pages are not treated so. */
	VMSNAP_VMA_CHANGE_POSSIBLY_MOVED,
	VMSNAP_VMA_CHANGE_POSSIBLY_REPLACED, /* none of its pages is left */
	VMSNAP_VMA_CHANGE_COUNT
};

/* Facts about one page; several may hold at once. */
enum vmsnap_page_change {
	VMSNAP_CHANGE_APPEARED,    /* neither present nor swapped in A, one of them in B */
	VMSNAP_CHANGE_VANISHED,    /* the reverse, but for NOT_MAPPED_NOW */
	VMSNAP_CHANGE_PFN_CHANGED, /* present in both, known, and different */
	VMSNAP_CHANGE_BECAME_EXCLUSIVE,
	VMSNAP_CHANGE_BECAME_SHARED,
	VMSNAP_CHANGE_SWAPPED_OUT,    /* present in A, swapped in B */
	VMSNAP_CHANGE_SWAPPED_IN,     /* the reverse */
	VMSNAP_CHANGE_SWAP_MOVED,     /* swapped in both, in another slot */
	VMSNAP_CHANGE_ZERO_FILLED_IN, /* the zero page in A, another page in B */
	VMSNAP_CHANGE_PRIVATISED,     /* a file's page became a private copy */
	VMSNAP_CHANGE_SOFT_DIRTIED,
	VMSNAP_CHANGE_GUARDED,           /* a guard region's page in B only */
	VMSNAP_CHANGE_UNGUARDED,         /* a guard region's page in A only */
	VMSNAP_CHANGE_WRITE_PROTECTED,   /* through userfaultfd in B only */
	VMSNAP_CHANGE_WRITE_UNPROTECTED, /* in A only, though the page is still there */
	VMSNAP_CHANGE_HUGE_SPLIT,        /* part of a huge page in A, not in B */
	VMSNAP_CHANGE_HUGE_COLLAPSED,    /* the reverse */
	/* As VANISHED, but of a file or of shared memory that is mapped there still: what the page held
	 * is where it was, in swap perhaps.  Page tables do not tell. */
	VMSNAP_CHANGE_NOT_MAPPED_NOW,
	/* There in both, and holds something else, by what the snapshots have of their contents; where those are not
	 * known, written to since A, by VMSNAP_LAYER_WRITTEN of B.  Where neither tells it may have been written to all
	 * the same: VMSNAP_TOTAL_WRITTEN_UNKNOWN. */
	VMSNAP_CHANGE_WRITTEN,
	VMSNAP_CHANGE_COUNT
};

/* What that comes to.  Several may hold where other memory lies in the place of A's.  None holds where nothing happened
 * to the page: that it BECAME_EXCLUSIVE or BECAME_SHARED is what another process did, a copy or a fork. */
enum vmsnap_page_kind {
	VMSNAP_KIND_NEW,    /* was not there, or was the zero page, and takes memory */
	VMSNAP_KIND_GONE,   /* A's page is no more */
	VMSNAP_KIND_COPIED, /* in another frame, and at A others had it too: a copy was written */
	VMSNAP_KIND_OTHER,  /* anything else: in another frame by the kernel's doing, guarded, … */
	/* Was there, was written to, and did not become a copy by that. */
	VMSNAP_KIND_WRITTEN,
	VMSNAP_KIND_SWAPPED, /* none of these, and it went to swap, came back from it, or moved within it */
	/* Was not there, and is a page of a file that is mapped privately, or the zero page: it takes no memory. */
	VMSNAP_KIND_MAPPED,
	VMSNAP_KIND_COUNT
};

/* How to compare; where it is asked for it may be NULL.  Whatever it says, what is made of
 * snapshots of files takes no more memory than their limits leave (struct vmsnap_limits):
 * VMSNAP_ERR_TOO_LARGE. */
struct vmsnap_compare_options {
	size_t size;                  /* sizeof(struct vmsnap_compare_options) */
	bool (*cancelled)(void *ctx); /* asked now and then; NULL: never cancelled */
	void *cancel_ctx;
	unsigned flags; /* enum vmsnap_compare_flag */
	/* Snapshots of the same process from between A and B, in any order: where what was written was tracked from
	 * one to the next, what was written in one of them or in B was written since A; and page faults that they
	 * have belong to what is told (vmsnap_diff_faults()).  Others are passed over. */
	const struct vmsnap *const *between;
	size_t between_count;
};
enum vmsnap_compare_flag {
	/* The caller has seen that another program was executed in between: where addresses are not
	 * randomised, as under a debugger, the snapshots may not tell. */
	VMSNAP_COMPARE_EXECUTED = 1,
	/* A diff tells of nothing but the pages that are VMSNAP_CHANGE_WRITTEN. */
	VMSNAP_COMPARE_WRITTEN_ONLY = 2,
	/* A diff tells of nothing but mappings, and reads no more pages than it takes to follow them: what it says
	 * of pages and of status lines, sums of them too, is nothing. */
	VMSNAP_COMPARE_VMAS_ONLY = 4,
};

struct vmsnap_diff;
int vmsnap_diff_new(const struct vmsnap *a, const struct vmsnap *b, struct vmsnap_diff **out, struct vmsnap_error *err);
int vmsnap_diff_new_with(const struct vmsnap *a, const struct vmsnap *b, const struct vmsnap_compare_options *options,
                         struct vmsnap_diff **out, struct vmsnap_error *err);
void vmsnap_diff_free(struct vmsnap_diff *diff);
/* The snapshots it was made from, which it holds. */
const struct vmsnap *vmsnap_diff_a(const struct vmsnap_diff *diff);
const struct vmsnap *vmsnap_diff_b(const struct vmsnap_diff *diff);

/* enum vmsnap_relation; unless it is comparable there are no ranges, and mappings are not followed
 * to other addresses. */
int vmsnap_diff_relation(const struct vmsnap_diff *diff);
/* vmsnap_memory_left() of both, without what it has taken itself. */
uint64_t vmsnap_diff_memory_left(const struct vmsnap_diff *diff);
/* Page faults that A, B and the snapshots in between have kept, of A's time and before, too; they live as long as the
 * diff does. NULL: none, or not of one process. */
struct vmsnap_faults;
const struct vmsnap_faults *vmsnap_diff_faults(const struct vmsnap_diff *diff);
/* How it was made: enum vmsnap_compare_flag. */
unsigned vmsnap_diff_flags(const struct vmsnap_diff *diff);

struct vmsnap_diff_vma {
	int change;                     /* enum vmsnap_vma_change */
	const struct vmsnap_vma *a, *b; /* NULL if there is none on that side */
	/* Of what moved, or possibly did: which part of A's mapping went where in B's.  0 for others. */
	uint64_t from, to, length;
};
size_t vmsnap_diff_vma_count(const struct vmsnap_diff *diff);
int vmsnap_diff_vma_sized(const struct vmsnap_diff *diff, size_t index, struct vmsnap_diff_vma *out, size_t size);
static inline int vmsnap_diff_vma(const struct vmsnap_diff *diff, size_t index, struct vmsnap_diff_vma *out)
{
	return vmsnap_diff_vma_sized(diff, index, out, sizeof(*out));
}

/* Neighbouring pages with the same facts, by their address in B (pages of a
 * moved mapping are compared with where they came from). */
struct vmsnap_diff_range {
	uint64_t start, end;
	uint32_t changes;             /* 1 << enum vmsnap_page_change, or-ed; never 0 */
	bool executable;              /* the mapping is executable in A or in B */
	bool touched;                 /* the debugger wrote here, says A or B: enum vmsnap_annotation_kind */
	bool moved;                   /* the pages came from another address: .from */
	const struct vmsnap_vma *vma; /* in B, else in A; NULL if in neither */
	uint32_t kinds;               /* 1 << enum vmsnap_page_kind, or-ed; 0: nothing happened to the pages */
	/* What was there at A, and is at B: of enum vmsnap_page_flag PRESENT, SWAPPED, GUARD, ZERO
	 * and FILE; 0: absent.  If A's page went because other memory was put there, before is what
	 * that memory was at A: 0 if it is new. */
	uint32_t before, after;
	uint64_t from; /* where the first one was in A; start if it did not move */
};
size_t vmsnap_diff_range_count(const struct vmsnap_diff *diff);
int vmsnap_diff_range_sized(const struct vmsnap_diff *diff, size_t index, struct vmsnap_diff_range *out, size_t size);
static inline int vmsnap_diff_range(const struct vmsnap_diff *diff, size_t index, struct vmsnap_diff_range *out)
{
	return vmsnap_diff_range_sized(diff, index, out, sizeof(*out));
}

/* Whether it is code that was written to: a page of a file became one of the process's own, or such a page, in a
 * mapping that may not be written to, was written to once more. */
static inline bool vmsnap_code_written(const struct vmsnap_diff_range *range)
{
	const uint32_t protect = VMSNAP_PERM_EXEC | VMSNAP_PERM_WRITE | VMSNAP_PERM_SHARED;
	const struct vmsnap_vma *vma = range->vma;
	bool of_file = vma && vma->inode && (vma->perms & protect) == VMSNAP_PERM_EXEC;
	bool again = of_file && (range->changes & 1u << VMSNAP_CHANGE_WRITTEN) && !(range->after & VMSNAP_PAGE_FILE);
	return range->executable && (again || (range->changes & 1u << VMSNAP_CHANGE_PRIVATISED));
}

/* Sums, in pages, and VMA rows; 0 for what there is not. */
uint64_t vmsnap_diff_pages(const struct vmsnap_diff *diff, int change);         /* enum vmsnap_page_change */
uint64_t vmsnap_diff_touched_pages(const struct vmsnap_diff *diff, int change); /* of them, those a debugger wrote to */
uint64_t vmsnap_diff_kind_pages(const struct vmsnap_diff *diff, int kind);      /* enum vmsnap_page_kind */
uint64_t vmsnap_diff_vma_rows(const struct vmsnap_diff *diff, int change);      /* enum vmsnap_vma_change */
enum vmsnap_diff_total {
	VMSNAP_TOTAL_RESIDENT_A,
	VMSNAP_TOTAL_RESIDENT_B,
	VMSNAP_TOTAL_SHARED_A, /* in A's writable private mappings, and a write would have copied them */
	VMSNAP_TOTAL_TOUCHED,  /* changed pages that the debugger wrote to */
	VMSNAP_TOTAL_PRIVATISED_EXECUTABLE,
	VMSNAP_TOTAL_SHARED_UNKNOWN_A, /* beside .._SHARED_A: a write may have copied them, or not */
	/* Pages of A and of B of which a fact cannot be told: there may be more than are counted. */
	VMSNAP_TOTAL_EXCLUSIVE_UNKNOWN, /* became_exclusive, became_shared */
	VMSNAP_TOTAL_SWAPPED_UNKNOWN,   /* appeared, vanished, swapped_out, swapped_in */
	/* Pages in writable private mappings, there in both, of which it is not known whether they were written to
	 * between: no state of a page changes by that, if it is its process's own. */
	VMSNAP_TOTAL_WRITTEN_UNKNOWN,
	VMSNAP_TOTAL_CODE_WRITTEN, /* vmsnap_code_written() */
	VMSNAP_TOTAL_COUNT
};
uint64_t vmsnap_diff_total(const struct vmsnap_diff *diff, int total);
const char *vmsnap_diff_total_name(int total); /* "resident_a" */
/* Where what lies at an address of B was in A; false: nowhere, it is new. */
bool vmsnap_diff_from(const struct vmsnap_diff *diff, uint64_t address, uint64_t *from);
/* Pages of [start, end) in B that were there at A, or at the place in A from which they came,
 * so that a write would have copied them: private, and others had them too. */
uint64_t vmsnap_diff_shared(const struct vmsnap_diff *diff, uint64_t start, uint64_t end);
/* Whether anything differs: VMAs, pages or status fields, but for the counts of
 * context switches, which our looking adds to, and SigQ. */
bool vmsnap_diff_any(const struct vmsnap_diff *diff);

/* Status fields that differ; a or b has key_len 0 if that side has no such line.  SigQ is of all
 * processes of the user, so a diff has nothing of it. */
struct vmsnap_diff_status {
	struct vmsnap_status_field a, b;
	bool incidental; /* looking at the process changes it, too: no difference by itself */
};
size_t vmsnap_diff_status_count(const struct vmsnap_diff *diff);
int vmsnap_diff_status_sized(const struct vmsnap_diff *diff, size_t index, struct vmsnap_diff_status *out, size_t size);
static inline int vmsnap_diff_status(const struct vmsnap_diff *diff, size_t index, struct vmsnap_diff_status *out)
{
	return vmsnap_diff_status_sized(diff, index, out, sizeof(*out));
}
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
const char *vmsnap_page_kind_name(int kind);     /* "copied" */

/* One page, as vmsnap_diff_new() would tell of it. */
struct vmsnap_page_diff {
	uint32_t changes; /* 1 << enum vmsnap_page_change, or-ed; 0: nothing */
	uint32_t kinds;   /* 1 << enum vmsnap_page_kind, or-ed */
	bool moved;       /* B's page was at another address, .from, in A */
	uint64_t from;
	bool moved_away; /* A's page is at another address, .to, in B: nothing is told of it here */
	uint64_t to;
	bool replaced;       /* other memory lies where A's did */
	bool frames_unknown; /* present in both, and whether in one frame cannot be told */
	int relation;        /* enum vmsnap_relation; unless it is comparable, nothing is told */
	bool writes_unknown; /* it may have been written to all the same: VMSNAP_TOTAL_WRITTEN_UNKNOWN */
};
int vmsnap_page_compare_sized(const struct vmsnap *a, const struct vmsnap *b, uint64_t address,
                              const struct vmsnap_compare_options *options, struct vmsnap_page_diff *out, size_t size,
                              struct vmsnap_error *err);
static inline int vmsnap_page_compare(const struct vmsnap *a, const struct vmsnap *b, uint64_t address,
                                      const struct vmsnap_compare_options *options, struct vmsnap_page_diff *out,
                                      struct vmsnap_error *err)
{
	return vmsnap_page_compare_sized(a, b, address, options, out, sizeof(*out), err);
}
/* The changes of a page of A and what vmsnap_page_now() said of it since (page NULL: absent), as
 * if its mapping had stayed.  *elsewhere: A has its frame at another address.  Then it may have
 * moved, which only a snapshot tells. */
uint32_t vmsnap_page_changes(const struct vmsnap *a, uint64_t address, const struct vmsnap_run *page,
                             const struct vmsnap_known *known, bool *elsewhere);

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
	VMSNAP_VERDICT_ZERO_SHARED, /* "zero_shared": read before the fork, written by nobody */
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
	/* The zero page, which was not there at the fork: read since. */
	VMSNAP_VERDICT_ZERO_IN_CHILD,
	VMSNAP_VERDICT_ZERO_IN_PARENT,
	VMSNAP_VERDICT_ZERO_IN_BOTH,
	VMSNAP_VERDICT_ZERO, /* "zero": the zero page, in one or both; whether since before the fork is unknown */
	VMSNAP_VERDICT_COUNT
};
const char *vmsnap_verdict_name(int verdict); /* "copied_by_child" */

struct vmsnap_cow;
/* base: best of the fork itself (see vmsnap_cow_new_between()), of others the parent before the fork; else as soon
 * after it as can be, or the child then; or NULL.  What was copied when a base was taken, it cannot tell by whom.  Of
 * one side alone, what it tells is inferred. */
int vmsnap_cow_new(const struct vmsnap *parent, const struct vmsnap *child, const struct vmsnap *base,
                   struct vmsnap_cow **out, struct vmsnap_error *err);
int vmsnap_cow_new_with(const struct vmsnap *parent, const struct vmsnap *child, const struct vmsnap *base,
                        const struct vmsnap_compare_options *options, struct vmsnap_cow **out,
                        struct vmsnap_error *err);
/* The same with both sides of the fork for a base, in either order, as they were at one instant: a
 * tree that was captured, or what a debugger held at the fork.  After a fork two tell more than one.
 * Either may be NULL. */
int vmsnap_cow_new_between(const struct vmsnap *parent, const struct vmsnap *child, const struct vmsnap *base,
                           const struct vmsnap *other, const struct vmsnap_compare_options *options,
                           struct vmsnap_cow **out, struct vmsnap_error *err);
void vmsnap_cow_free(struct vmsnap_cow *cow);
/* The snapshots it was made from, which it holds. */
const struct vmsnap *vmsnap_cow_parent(const struct vmsnap_cow *cow);
const struct vmsnap *vmsnap_cow_child(const struct vmsnap_cow *cow);
const struct vmsnap *vmsnap_cow_base(const struct vmsnap_cow *cow); /* NULL if none was given, or none that tells */
/* The child at the instant of the base, which is the parent then; NULL if only one of them was given,
 * or tells. */
const struct vmsnap *vmsnap_cow_base_other(const struct vmsnap_cow *cow);
/* enum vmsnap_relation of parent and child, also if their address space was one at two instants;
 * unless it is comparable there are no verdicts. */
int vmsnap_cow_relation(const struct vmsnap_cow *cow);
/* vmsnap_memory_left() of all of them, without what it has taken itself. */
uint64_t vmsnap_cow_memory_left(const struct vmsnap_cow *cow);

struct vmsnap_cow_range {
	uint64_t start, end;
	int verdict;                  /* enum vmsnap_verdict */
	bool inferred;                /* from exclusive bits or circumstances, not from PFNs */
	bool touched;                 /* the debugger wrote here, says one of the snapshots */
	bool moved;                   /* the child has it at another address than the parent, or either than the base */
	const struct vmsnap_vma *vma; /* in the child, else in the parent, else in the base */
	uint64_t parent_start, base_start; /* where it begins there; start if it did not move */
};
/* By address, which is the child's; of what it has not, the parent's.  Where the child moved
 * memory over other memory, both are told: all that is there now first, and then, from where it
 * begins on, what was there. */
size_t vmsnap_cow_range_count(const struct vmsnap_cow *cow);
int vmsnap_cow_range_sized(const struct vmsnap_cow *cow, size_t index, struct vmsnap_cow_range *out, size_t size);
static inline int vmsnap_cow_range(const struct vmsnap_cow *cow, size_t index, struct vmsnap_cow_range *out)
{
	return vmsnap_cow_range_sized(cow, index, out, sizeof(*out));
}
/* Pages; 0 for what there is not. */
uint64_t vmsnap_cow_pages(const struct vmsnap_cow *cow, int verdict);
uint64_t vmsnap_cow_touched_pages(const struct vmsnap_cow *cow, int verdict); /* of them, those a debugger wrote to */
/* One line on what makes the verdicts doubtful ("not parent and child", "PFNs
 * of another boot", …); "" if nothing does. */
const char *vmsnap_cow_warning(const struct vmsnap_cow *cow);

/* ---- trees of processes ----------------------------------------------------- */

/* Two sets: their processes are paired by who they are (vmsnap_same_process()), and each pair is
 * compared as vmsnap_diff_new() does; only sums are kept. */
struct vmsnap_set_diff;
int vmsnap_set_diff_new(const struct vmsnap_set *a, const struct vmsnap_set *b,
                        const struct vmsnap_compare_options *options, struct vmsnap_set_diff **out,
                        struct vmsnap_error *err);
void vmsnap_set_diff_free(struct vmsnap_set_diff *diff);

/* One process: those of B in B's order, then those that only A has. */
struct vmsnap_set_diff_row {
	const struct vmsnap *a, *b;      /* NULL: it is not there; held by the diff */
	bool differs;                    /* in both, and something does: vmsnap_diff_any() */
	bool copied_known;               /* frames of A and B can be compared */
	uint64_t vmas;                   /* changes of mappings */
	uint64_t resident_a, resident_b; /* bytes */
	int relation;                    /* of both: enum vmsnap_relation */
	bool was_there;                  /* only in B, but it had begun when A was taken: A was not asked for it */
	uint64_t written_unknown;        /* pages: VMSNAP_TOTAL_WRITTEN_UNKNOWN */
};
size_t vmsnap_set_diff_count(const struct vmsnap_set_diff *diff);
int vmsnap_set_diff_row_sized(const struct vmsnap_set_diff *diff, size_t index, struct vmsnap_set_diff_row *out,
                              size_t size);
static inline int vmsnap_set_diff_row(const struct vmsnap_set_diff *diff, size_t index, struct vmsnap_set_diff_row *out)
{
	return vmsnap_set_diff_row_sized(diff, index, out, sizeof(*out));
}
/* Pages of one process; enum vmsnap_page_kind.  0 for what there is not. */
uint64_t vmsnap_set_diff_pages(const struct vmsnap_set_diff *diff, size_t index, int kind);
/* Of all, in bytes: a frame that several processes map counts once. */
enum vmsnap_set_total {
	VMSNAP_SET_TOTAL_DISTINCT_A,
	VMSNAP_SET_TOTAL_DISTINCT_B,
	VMSNAP_SET_TOTAL_HIDDEN,  /* pages whose frames are not known: the others say the least then */
	VMSNAP_SET_TOTAL_COPIED,  /* frames of B: the copies */
	VMSNAP_SET_TOTAL_NEW,     /* frames of B */
	VMSNAP_SET_TOTAL_GONE,    /* frames of A */
	VMSNAP_SET_TOTAL_CAME,    /* frames that only processes have which are not in A */
	VMSNAP_SET_TOTAL_WENT,    /* the same of those that are not in B */
	VMSNAP_SET_TOTAL_WRITTEN, /* frames of B */
	VMSNAP_SET_TOTAL_COUNT
};
uint64_t vmsnap_set_diff_total(const struct vmsnap_set_diff *diff, int total);
bool vmsnap_set_diff_any(const struct vmsnap_set_diff *diff);

/* All forks of one set: each process and its parent, if that is in the set too, as
 * vmsnap_cow_new() compares them.  base: the same processes earlier, or NULL; of it the parent
 * serves. */
struct vmsnap_set_cow;
int vmsnap_set_cow_new(const struct vmsnap_set *set, const struct vmsnap_set *base,
                       const struct vmsnap_compare_options *options, struct vmsnap_set_cow **out,
                       struct vmsnap_error *err);
void vmsnap_set_cow_free(struct vmsnap_set_cow *cow);
struct vmsnap_set_cow_row {
	const struct vmsnap *child, *parent, *base; /* parent NULL: not in the set; held by the cow */
	bool came;                                  /* there is a base, and it is not in that */
	const char *warning;                        /* vmsnap_cow_warning() */
	uint64_t inferred; /* pages of which the verdict is inferred: struct vmsnap_cow_range */
	int relation;      /* to its parent, enum vmsnap_relation: unless it is comparable there are no verdicts */
	const struct vmsnap *base_child; /* the child in the base; or NULL */
};
size_t vmsnap_set_cow_count(const struct vmsnap_set_cow *cow);
int vmsnap_set_cow_row_sized(const struct vmsnap_set_cow *cow, size_t index, struct vmsnap_set_cow_row *out,
                             size_t size);
static inline int vmsnap_set_cow_row(const struct vmsnap_set_cow *cow, size_t index, struct vmsnap_set_cow_row *out)
{
	return vmsnap_set_cow_row_sized(cow, index, out, sizeof(*out));
}
/* Pages of one fork; of them, those a debugger wrote to; and of the others those of which the verdict is inferred. */
uint64_t vmsnap_set_cow_pages(const struct vmsnap_set_cow *cow, size_t index, int verdict);
uint64_t vmsnap_set_cow_touched_pages(const struct vmsnap_set_cow *cow, size_t index, int verdict);
uint64_t vmsnap_set_cow_inferred_pages(const struct vmsnap_set_cow *cow, size_t index, int verdict);
/* Bytes of all forks: a frame counts once, that of whoever copied or has it. */
uint64_t vmsnap_set_cow_distinct(const struct vmsnap_set_cow *cow, int verdict);
uint64_t vmsnap_set_cow_hidden(const struct vmsnap_set_cow *cow); /* bytes of pages whose frames are not known */
/* Processes that only the base has; NULL past the end. */
const struct vmsnap *vmsnap_set_cow_went(const struct vmsnap_set_cow *cow, size_t index);

#ifdef __cplusplus
}
#endif
#endif
