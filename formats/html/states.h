/* states.h - what the report tells of a page at one instant, in five bits. */
#ifndef VMSNAP_HTML_STATES_H
#define VMSNAP_HTML_STATES_H

#include "vmsnap.h"

enum state {
	STATE_ABSENT,
	STATE_PRIVATE,
	STATE_SHARED, /* mapped by others, too; a write would copy it */
	STATE_FILE,
	STATE_SWAPPED,
	STATE_ZERO,
	STATE_PRESENT, /* of the process's own, or shared: not known */
	STATE_GUARD,
	STATE_LOOKS_SWAPPED,
	STATE_HUGE, /* the following are of huge pages: the state without is STATE_HUGE less, and 1 */
	STATE_HUGE_PRIVATE = STATE_HUGE,
	STATE_HUGE_SHARED,
	STATE_HUGE_FILE,
	STATE_HUGE_PRESENT,
	STATE_HUGE_ZERO,
	STATE_MARKER, /* of userfaultfd */
	STATE_MERGED, /* shared, with pages that hold the same (KSM) */
	STATE_UNREAD, /* nobody could read it; of a core file: it ends before that page */
	/* Of a core file, which tells no states: what it has of a page. */
	STATE_DUMPED,
	STATE_DUMP_HOLE,
	STATES
};
enum state state_of(const struct vmsnap *snap, const struct vmsnap_run *run);
/* The same of a run that begins at an address, as far as *end, where it may be another: which pages are merged stands
 * in a layer. */
enum state state_at(const struct vmsnap *snap, const struct vmsnap_run *run, uint64_t address, uint64_t *end);
const char *state_words(enum state state);
/* Of a core file, by enum vmsnap_page_dumped. */
enum state state_dumped(uint64_t dumped);
/* A page in this state, for who wants to know what comes of it. */
uint32_t state_flags(enum state state);

#endif
