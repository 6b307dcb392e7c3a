/* blame_looking.h - one process while it is found out which faults made its pages what they are: what the modules share
 * that each know one thing of that. */
#ifndef VMSNAP_BLAME_LOOKING_H
#define VMSNAP_BLAME_LOOKING_H

#include "blame_births.h"
#include "blame_index.h"
#include "blame_ranges.h"

struct vmsnap_blame {
	struct vmsnap_faults *faults;
	bool stored; /* they come with the snapshots */
	struct blame_process *processes;
	size_t process_count;
	struct vmsnap_blamed *items;
	size_t count, room;
	uint32_t *picked;
	size_t picked_count, picked_room;
	uint64_t untold; /* faults of those of which nobody tells what they gave back */
	struct work work;
};

/* One of those that items are explained by; NULL: there is none. */
static inline const struct vmsnap_fault *blame_picked(const struct vmsnap_blame *blame, size_t index)
{
	return index < blame->picked_count ? vmsnap_faults_at(blame->faults, blame->picked[index]) : NULL;
}

enum { BLAME_CHILDREN_MOST = 64 };
struct blame_looking {
	struct vmsnap_blame *blame;
	const struct blame_index *index;
	const struct blame_process *process;
	struct blame_whose whose;
	bool lost;            /* something was */
	bool hidden;          /* there may have been faults that were not seen */
	bool memory;          /* what became of memory without a fault is told */
	bool maybe_collapsed; /* the kernel may have made huge pages of small ones, of whomever */
	struct blame_gone gone;
	uint64_t last_fork, fork_before;       /* that one; 0: there is none */
	size_t forks;                          /* of it, meanwhile: after each, each page can be copied once more */
	int32_t children[BLAME_CHILDREN_MOST]; /* the first of these */
	int rc;
};

/* Adds one process after the other: blame_process.c. */
int blame_process(struct vmsnap_blame *blame, const struct blame_index *index, const struct blame_births *births,
                  const struct blame_process *process, const struct vmsnap_blame_options *options,
                  struct vmsnap_error *err);

/* All pages that changed; diff NULL: all are new: blame_join.c. */
void blame_join(struct blame_looking *looking, const struct vmsnap_diff *diff);

/* Which faults explain small pages, each for itself, that were at `from` before; and what is kept of that:
 * blame_pages.c. */
void blame_pages(struct blame_looking *looking, uint64_t start, uint64_t end, uint64_t from, int became);
void blame_put(struct blame_looking *looking, uint64_t start, uint64_t end, int became, const struct blame_picks *picks,
               bool inherited);

/* And huge ones, or what is left of those: blame_huge.c. */
void blame_huge(struct blame_looking *looking, uint64_t start, uint64_t end, uint64_t from, int became);
bool blame_is_huge(const struct vmsnap *snap, uint64_t page);

/* What may have been by faults that nobody told of, of the items from the first of this process on: blame_doubt.c. */
void blame_doubt(struct blame_looking *looking, size_t first);
/* Of each process: .seen. */
int blame_count_seen(struct vmsnap_blame *blame);

#endif
