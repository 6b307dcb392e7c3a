/* sightings.h - which frames lie elsewhere in another snapshot, and where. */
#ifndef VMSNAP_SIGHTINGS_H
#define VMSNAP_SIGHTINGS_H

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

enum sightings_of {
	SIGHTINGS_ALL,
	SIGHTINGS_SHARED, /* only what others map too, in A and in B */
};

/* Frames that several places of one snapshot have (KSM) tell nothing and are left out.
 * later: the side that was taken later; its_unmatched: what the other one does not map there. */
int sightings_find(const struct vmsnap *a, const struct vmsnap *b, enum sightings_of of, const struct vmsnap *later,
                   const struct unmatched_list *its_unmatched, struct work *work, struct sightings *out);

#endif
