/* forks.h - random forks: a parent, its child, and others that both fork before and after.  What is
 * said of who shares and who copied is held against what each of them did to its memory.
 *
 *   forks_worker.c  the processes, which do one operation after the other
 *   forks_act.c     which operation comes next, and what it does, as the driver knows it
 *   forks_judge.c   what was said against what was done
 *   forks.c         the run: one seed after the other
 */
#ifndef FORKS_H
#define FORKS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "vmsnap.h"

/* Not in older headers. */
enum {
	ADVICE_PAGEOUT = 21,
	ADVICE_POPULATE_READ = 22,
	ADVICE_POPULATE_WRITE = 23,
	ADVICE_COLLAPSE = 25,
	ADVICE_GUARD_INSTALL = 102,
	ADVICE_GUARD_REMOVE = 103
};
enum { PROCESSES = 8, SKIPPED = 77, TICK_NS = 10000000 };

/* ---- the memory: some regions at places of their own: forks_worker.c ---- */

enum region { PLAIN, SPECIAL, OF_FILE, MOVABLE, HUGE_PAGES, REGIONS };
enum { PAGES_MAX = 512 };
enum { PAGE_BYTES = 4096 };
extern const int region_pages[REGIONS];
/* MOVABLE is at one of two places. */
char *address_of(bool moved, int region, int page);

enum state { ABSENT, READ, OWN, MAYBE_READ }; /* READ: the zero page, or the file's */
enum { DID_WRITE = 1, DID_DROP = 2, DID_READ = 4, DID_COLLAPSE = 8 };

struct page {
	uint8_t state;
	uint8_t did;    /* since the fork that is judged */
	bool uncertain; /* given to the kernel (MADV_FREE): it may be gone */
	bool unsure;    /* MADV_COLLAPSE may have filled it with zeros, or not */
	uint32_t content;
};
struct process {
	pid_t pid;
	int parent;
	bool mapped[REGIONS], moved, no_fork, wiped, mergeable, guarded;
	struct page pages[REGIONS][PAGES_MAX];
};
/* ---- operations ---- */

enum op_kind { OP_WRITE, OP_READ, OP_ADVISE, OP_MOVE, OP_FORK, OP_KINDS };
struct op {
	int kind, region, at, count;
	int advice;
	int other;        /* OP_FORK: which process the child is */
	uint32_t content; /* of the first page; the others count up, but for 1 */
};
struct answer {
	int error;
	pid_t pid;
};
extern int sockets[PROCESSES][2]; /* the driver's end, and the process's */
extern int data_file;
bool map_all(bool huge);
void serve(int self, bool moved);

/* ---- what they did: forks_act.c ---- */

extern struct process processes[PROCESSES];
extern bool with_huge_pages;
extern bool with_merging; /* pages are equal more often, and KSM is waited for */

extern uint64_t seed_now, random_state;
extern uint32_t next_content;
extern int log_count;
extern char log_lines[400][120];
extern bool told_of_seed;
__attribute__((format(printf, 1, 2))) void note(const char *format, ...);
int below(int end);
bool chance(int percent);

bool receive(int process, struct answer *answer);
bool ask(int process, const struct op *op, struct answer *answer);
bool act(int who, const struct op *op);
bool act_some(int who, int least, int most);
/* Whether KSM merges pages on this machine; until it has looked at all pages often enough to do so. */
bool merging_is_on(void);
void wait_for_merges(void);
void inherit(int parent, int child);
int free_slot(void);
bool fork_from(int parent, int child);

/* ---- what was said against it: forks_judge.c ---- */

/* Of pages with frames and a base before or at the fork: how many there are, and are unknown or copied. */
struct doubts {
	uint64_t pages, doubtful;
};
extern struct tally {
	uint64_t forks, pages, wrong, merged;
	uint64_t apart;              /* of the pages, where not all have had MOVABLE all the time */
	uint64_t wrong_moved;        /* of the wrong, where the kernel moved pages since the base */
	struct doubts doubts, moved; /* where it did not, and where it did */
	uint64_t verdicts[VMSNAP_VERDICT_COUNT];
} tally;
/* How many sequences with a wrong verdict are told in full. */
extern int show_most;

struct judged {
	int parent, child;
	struct process at_fork; /* the parent then */
	const char *base_name;
	bool still;            /* the kernel moved no pages between the base and now */
	struct doubts *counts; /* for how much is unknown; or NULL */
};

void check_ranges(const struct judged *j, struct vmsnap_cow *cow);

#endif
