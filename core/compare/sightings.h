/* sightings.h - which frames lie elsewhere in another snapshot, and where. */
#ifndef VMSNAP_SIGHTINGS_H
#define VMSNAP_SIGHTINGS_H

#include "same_runs.h"
#include "snapshot.h"
#include "unmatched.h"
#include "work.h"

/* So many pages, at `from` in A and at `to` in B, with the same frames. */
struct sighting {
	uint64_t from, to, pages;
};
struct sightings {
	struct sighting *items;
	size_t count, capacity;
	/* What the later of the two took page faults for, at the least, without these pages. */
	uint64_t faults;
};

/* What is looked for. */
struct sightings_search {
	const struct vmsnap *a, *b;
	bool shared_only;                           /* only what others map too, in A and in B */
	const struct vmsnap *later;                 /* the side that was taken later */
	const struct unmatched_list *its_unmatched; /* what the other one does not map there */
	/* Only what these page faults do not explain: none, if all that is new may have come by them. */
	bool unexplained_only;
	uint64_t faults;
};
/* Frames that several places of one snapshot have (KSM) tell nothing and are left out.  same: what both have
 * alike is added to it, as far as it was met. */
int sightings_find(const struct sightings_search *search, struct work *work, struct same_runs *same,
                   struct sightings *out);

#endif
