/* facts.h - what two states of one page say.  The only place that decides these facts of docs/verdicts.md; pure.
 * What only layers or contents tell (written) is decided in writes.c. */
#ifndef VMSNAP_FACTS_H
#define VMSNAP_FACTS_H

#include "snapshot.h"
#include "zero_page.h"

/* What is known on both sides, and what is mapped. */
struct facts_context {
	bool states_unknown; /* of A or B: then the states of pages say nothing of what became of any */
	bool frames;         /* PFNs and swap slots of A and B can be compared */
	bool exclusive, soft_dirty, huge;
	bool exclusive_a; /* A knows what is exclusive */
	struct zero_known zero_a, zero_b;
	bool pfn_a, pfn_b; /* they know frames; whether these can be compared is another thing */
	bool exclusive_huge_a, exclusive_huge_b;
	bool same_file;    /* A and B map the same file here, privately */
	bool private_text; /* B maps a file privately, executable in A or B */
	bool shared_mapping;
	bool backed;   /* A and B map the same file or shared memory here: it has what is not mapped */
	bool doubtful; /* the mappings may be two different ones */
	bool plain;    /* memory without a file, private: asked for only where the zero page is not flagged */
};
/* The part that depends on the snapshots alone. */
struct facts_context facts_context_of(const struct vmsnap *a, const struct vmsnap *b);
/* PFNs mean something only until the next boot.  Of a process that was recorded elsewhere the boot may
 * be unknown: two such are taken to be of one, but not one of them and another. */
bool facts_same_boot(const struct vmsnap *a, const struct vmsnap *b);
bool facts_same_process(const struct vmsnap *a, const struct vmsnap *b);

/* 1 << enum vmsnap_page_change, or-ed; 0 if nothing changed.  Holds for a whole
 * range in which both entries count up by their steps. */
uint32_t page_facts(uint64_t a, uint64_t b, const struct facts_context *context);
/* What they come to: 1 << enum vmsnap_page_kind, or-ed. */
uint32_t page_kinds(uint32_t facts, uint64_t a, uint64_t b, const struct facts_context *context);
/* Whether a write to such a page of a private mapping makes a copy. */
static inline bool page_write_copies(uint64_t entry, bool exclusive_known)
{
	if (!(entry & ENTRY_PRESENT) || (entry & ENTRY_FLAG(VMSNAP_PAGE_ZERO)))
		return false;
	return (entry & ENTRY_FLAG(VMSNAP_PAGE_FILE)) || !exclusive_known ||
	       !(entry & ENTRY_FLAG(VMSNAP_PAGE_EXCLUSIVE));
}
/* Whether it may, though that says no.  Of a huge page of which the first one is not exclusive the
 * kernel copies whatever is written; of another, some may be others' too, and nobody knows. */
static inline bool page_write_may_copy(uint64_t entry)
{
	const uint64_t telling = ENTRY_PRESENT | ENTRY_FLAG(VMSNAP_PAGE_HUGE | VMSNAP_PAGE_EXCLUSIVE);
	return (entry & telling) == telling;
}

#endif
