/* writes.h - whether pages of B were written since A, as far as anything tells: what they hold, in both, or
 * who tracked them in between.  No state of a page changes when a process writes to what is its own. */
#ifndef VMSNAP_WRITES_H
#define VMSNAP_WRITES_H

#include "snapshot.h"

enum writes_answer {
	WRITES_UNKNOWN,
	WRITES_NONE, /* it holds what it did; perhaps the same was written to it */
	WRITES_SOME,
};
struct writes {
	const struct vmsnap *a, *b;
	bool told; /* of some pages: otherwise there is nothing to ask */
	bool contents;
	/* Of B what was written since A was tracked, by itself or with those between; or since a time after A: then
	 * it tells what was written, but not what was not. */
	bool tracked, whole;
	const struct vmsnap *const *between; /* from A to B, of the same process */
	size_t between_count;
	/* Nothing was written between A and B: they are of one instant.  Then pages in one frame are one. */
	bool one_instant, one_look;
	bool frames; /* can be compared */
	/* What contents said last, of pages at one address in both: nothing from `asked` to `start`. */
	bool differ;
	uint64_t asked, start, last;
};
/* options: NULL, or what has those between; it is held no longer than the result is used. */
struct writes writes_between(const struct vmsnap *a, const struct vmsnap *b,
                             const struct vmsnap_compare_options *options);

/* Of the page at `at` in B and that at at + shift in A, both of which are there.  Lowers *until to where the answer
 * may change. */
enum writes_answer writes_at(struct writes *writes, uint64_t at, uint64_t shift, uint64_t *until);

/* What contents alone tell of it, of pages at one address in both; whether they are there is not asked. */
enum writes_answer writes_contents_at(struct writes *writes, uint64_t at, uint64_t *until);

/* Of a page that is there in both, in a writable private mapping, whether a write to it would show in nothing that
 * snapshots tell without being asked for more. */
static inline bool writes_hide(uint64_t a, uint64_t b)
{
	const uint64_t others = ENTRY_FLAG(VMSNAP_PAGE_FILE | VMSNAP_PAGE_ZERO);
	return (a & ENTRY_POPULATED) && (b & ENTRY_POPULATED) && !((a | b) & others);
}
/* Whether it is the same page at the same instant. */
static inline bool writes_none_between(const struct writes *writes, uint64_t a, uint64_t b)
{
	return writes->one_look || (writes->one_instant && writes->frames && a == b && (a & ENTRY_FRAME_MASK));
}

#endif
