/* sequences.h - random sequences of what a process may do to its memory, by a program that
 * knows what it did, and what the library has to say about it.
 *
 *   world.c       what is where, as the operations make it; knows no kernel and no library
 *   plan.c        which operation comes next
 *   worker.c      the process that does them
 *   engine.c      all questions to the library
 *   check_pair.c  requirements for two snapshots
 *   check_cow.c   requirements for a parent, a child and a base
 *   sequences.c   the run, one seed after the other
 *
 * Addresses are page numbers in one small arena, which lies where nobody else maps anything. */
#ifndef SEQUENCES_H
#define SEQUENCES_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "vmsnap.h"

enum { ARENA = 192, FILES = 2, FILE_PAGES = 64, OPS_MAX = 160 };
enum { NOWHERE = -1 };

/* ---- world.c ---- */

enum memory { NO_MEMORY, PRIVATE_ANON, SHARED_ANON, PRIVATE_FILE, SHARED_FILE };
enum touch { READ_IT = 1, WROTE_IT = 2, DROPPED_IT = 4 };
enum perm { MAY_READ = 1, MAY_WRITE = 2 };

/* One page of the arena. */
struct slot {
	uint8_t memory, perms;
	uint8_t touched; /* since the mark */
	uint16_t map;    /* which mmap() made it */
	uint16_t object; /* the file, or the shared memory; 0: none */
	uint16_t index;  /* page of the object, or of the mapping */
	int16_t origin;  /* where this very page was at the mark; NOWHERE: it is newer */
};
struct world {
	struct slot slots[ARENA];
	uint16_t maps; /* made so far */
};

enum op_kind { OP_MAP, OP_UNMAP, OP_MOVE, OP_PROTECT, OP_WRITE, OP_READ, OP_DROP, OP_FORK, OP_REAP, OP_CLEAR };
struct op {
	uint8_t kind, side; /* side: 0 parent, 1 child */
	uint8_t memory, perms;
	uint8_t file, down; /* down: from the last page to the first */
	int16_t at, count, to;
	int16_t size; /* OP_MOVE: pages afterwards, which may be more */
	int16_t step; /* OP_READ, OP_WRITE: every so many pages */
	int16_t index;
};

bool slot_is_private(const struct slot *slot);
bool slot_is_file(const struct slot *slot);
/* Whether the map of the process tells no difference, but for permissions. */
bool slots_look_alike(const struct slot *a, const struct slot *b);
/* How many slots from `at` on lie in one mapping. */
int world_run(const struct world *world, int at);
bool world_is_free(const struct world *world, int at, int count);
void world_mark(struct world *world);
void world_do(struct world *world, const struct op *op);
void op_print(FILE *out, const struct op *op);

/* ---- plan.c ---- */

uint64_t random_below(uint64_t *state, uint64_t end);
bool chance(uint64_t *state, unsigned percent);
/* One to three operations that belong together; returns how many. */
int plan_first(uint64_t *random, const struct world *world, struct op *out);
int plan_next(uint64_t *random, const struct world *world, struct op *out);
enum { PLAN_MAX = 3 };

/* ---- worker.c ---- */

struct worker {
	pid_t pid, child;
	int to[2]; /* to the parent and to the child */
};
bool worker_start(struct worker *worker);
void worker_end(struct worker *worker);
/* Whether all was done as it was meant; *failed is the operation that was not. */
bool worker_do(struct worker *worker, int side, const struct op *ops, int count, int *failed);
extern uintptr_t arena_start;
extern size_t page_bytes;

/* ---- requirements: sequences.c ---- */

/* What has to hold; the text is what --help says of it. */
#define REQUIREMENTS(X)                                                                                                \
	X(CAPTURE, "capture", "a snapshot has what pagemap has")                                                       \
	X(NOTHING, "nothing", "no fact where nothing ever was")                                                        \
	X(STAY, "stay", "a page that stayed: facts of itself alone")                                                   \
	X(NEW, "new", "a new page where nothing was: it appeared")                                                     \
	X(GONE, "gone", "unmapped: it vanished")                                                                       \
	X(MOVE, "move", "a moved page is compared with itself, not new, not changed")                                  \
	X(MOVE_OVER, "move_over", "the same, moved over other memory")                                                 \
	X(MOVED_FROM, "moved_from", "what moved away did not vanish")                                                  \
	X(REFILLED, "refilled", "new memory where other memory moved away from")                                       \
	X(REPLACED, "replaced", "another kind or file: new and gone, never the same page changed")                     \
	X(REPLACED_PERMS, "replaced_perms", "the same for other permissions, no frame the same")                       \
	X(FAKE_MOVE, "fake_move", "nothing is called moved that did not move")                                         \
	X(ROWS_MOVED, "rows_moved", "a row says that it moved")                                                        \
	X(ROWS_REPLACED, "rows_replaced", "a row says that it was replaced")                                           \
	X(ROWS_UNTRUE, "rows_untrue", "no row joins mappings that have nothing in common")                             \
	X(TOLD_COPIED, "told_copied", "all pages that were shared and copied are told as copied")                      \
	X(TOTALS, "totals", "totals are the sums of the ranges")                                                       \
	X(HISTORY, "history", "the history of a page says what the diff says")                                         \
	X(HISTORY_OLD, "history_old", "the same for addresses with nothing there any more")                            \
	X(COW, "cow", "the verdict on a page that stayed is what was done to it")                                      \
	X(COW_MOVE, "cow_move", "the same for pages that a side moved")                                                \
	X(COW_OLD, "cow_old", "no verdict of old places, but on what is there")                                        \
	X(COW_NEW, "cow_new", "new memory of one side is new there")                                                   \
	X(COW_GONE, "cow_gone", "what one side unmapped, it dropped")                                                  \
	X(COW_NO_BASE, "cow_no_base", "verdicts without a base")                                                       \
	X(COW_TOTALS, "cow_totals", "totals of verdicts are the sums of the ranges")                                   \
	X(COW_DIFF, "cow_diff", "verdicts do not contradict a diff of parent and child")
enum requirement {
#define X(id, name, text) id,
	REQUIREMENTS(X)
#undef X
	        REQUIREMENT_COUNT
};

/* Told of each page or row that is not as required; says it unless there were many. */
__attribute__((format(printf, 3, 4))) void broken(enum requirement which, int page, const char *format, ...);
/* Required, too, what circumstances tell, but no frame: see --help. */
extern bool strict;
/* How often chance made something look like a move, so that nothing was required of it. */
void note_coincidence(void);

/* ---- engine.c ---- */

/* A snapshot, and the world it is of. */
struct view {
	struct vmsnap *snap;
	struct world world;
	uint64_t pages[ARENA]; /* entries as of vmsnap_pages_read() */
	const char *name;
};
enum capture_result { CAPTURED, DISTURBED, CAPTURE_FAILED };
enum capture_result view_capture(struct view *view, pid_t pid, bool hide_frames);
void view_free(struct view *view);
bool can_see_frames(void);

/* What the library says of each page of the arena. */
struct told_diff {
	struct vmsnap_diff *diff;
	uint32_t changes[ARENA];
};
bool told_diff(const struct view *a, const struct view *b, struct told_diff *out);
void told_diff_free(struct told_diff *told);
enum { NOT_COMPARED = -1 };
/* The same from the history of one page, or NOT_COMPARED. */
int64_t told_history(const struct view *a, const struct view *b, int page);
/* How many private pages of all that is mapped outside the arena were copied. */
uint64_t copied_outside(const struct view *a, const struct view *b, bool (*is_copy)(uint64_t a, uint64_t b));
/* Bytes that the text says are copied. */
uint64_t told_copied(const struct told_diff *told);

enum { NO_VERDICT = VMSNAP_VERDICT_COUNT };
struct told_cow {
	struct vmsnap_cow *cow;
	int verdicts[ARENA]; /* the first, where several are told */
	uint32_t all[ARENA]; /* 1 << verdict, or-ed */
	bool inferred[ARENA];
	bool moved[ARENA]; /* the first is of memory that the parent has elsewhere */
};
bool told_cow(const struct view *parent, const struct view *child, const struct view *base, struct told_cow *out);
void told_cow_free(struct told_cow *told);

/* The arena's pages of a mapping: those from *first to before *end. */
void vma_pages(const struct vmsnap_vma *vma, int *first, int *end);
bool vma_has(const struct vmsnap_vma *vma, int page);
const char *changes_text(uint32_t changes);

/* ---- entries ---- */

#define ENTRY_PRESENT_BIT   (UINT64_C(1) << 63)
#define ENTRY_SWAPPED_BIT   (UINT64_C(1) << 62)
#define ENTRY_FILE_BIT      (UINT64_C(1) << 61)
#define ENTRY_ZERO_BIT      (UINT64_C(1) << 59)
#define ENTRY_EXCLUSIVE_BIT (UINT64_C(1) << 56)
#define ENTRY_DIRTY_BIT     (UINT64_C(1) << 55)
static inline uint64_t frame_of(uint64_t entry)
{
	return entry & (ENTRY_DIRTY_BIT - 1);
}
static inline bool is_present(uint64_t entry)
{
	return entry & ENTRY_PRESENT_BIT;
}
static inline bool is_there(uint64_t entry)
{
	return entry & (ENTRY_PRESENT_BIT | ENTRY_SWAPPED_BIT);
}
/* A frame that one process alone can have, or those that were forked from it. */
static inline bool is_own(uint64_t entry)
{
	return is_present(entry) && !(entry & (ENTRY_FILE_BIT | ENTRY_ZERO_BIT));
}
static inline bool same_own_frame(uint64_t a, uint64_t b)
{
	return is_own(a) && is_own(b) && frame_of(a) && frame_of(a) == frame_of(b);
}

/* ---- pairing.c ---- */

/* Which page of A each page of B was, as far as the snapshots can tell. */
struct pairing {
	const struct view *a, *b;
	bool frames;            /* known in both */
	uint64_t faults_left;   /* that may have given out frames again; UINT64_MAX: not known */
	bool definite[ARENA];   /* of B: its origin can be told */
	bool moved_away[ARENA]; /* of A: it is elsewhere in B, and that can be told */
	bool maybe_away[ARENA]; /* of A: it is elsewhere, or looks like it */
	/* Of new memory of B, by page of B and page of A: by chance it might be that one. */
	bool alike[ARENA][ARENA];
	bool has_alike[ARENA];
};
void pairing_make(struct pairing *pairing, const struct view *a, const struct view *b);
/* Whether the kernel gave pages other frames that nobody had written to. */
bool pairing_disturbed(const struct pairing *pairing);
/* New memory over old that differs in permissions alone: in all of the mapping, as B has it,
 * nothing is as it was, and no frame of several is the same. */
bool pairing_replaced_by_perms(const struct pairing *pairing, int page);

/* ---- check_pair.c ---- */

/* same_process: there is a history of it, too. */
void check_pair(const struct view *a, const struct view *b, bool same_process);

/* ---- check_cow.c ---- */

void check_cow(const struct view *parent, const struct view *child, const struct view *base);

#endif
