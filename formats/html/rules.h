/* rules.h - which class a page is drawn in, by its state at A and at B and whether its frame changed: what the
 * library's own comparison says of such a page, so that the page and the command line cannot disagree. */
#ifndef VMSNAP_HTML_RULES_H
#define VMSNAP_HTML_RULES_H

#include "states.h"
#include "work.h"

/* Whose memory: a page of a file that went is not what a page of anonymous memory that went is. */
enum rule_memory { RULE_ANONYMOUS, RULE_FILE, RULE_SHARED, RULE_MEMORIES };

/* What is drawn: the classes of the picture on a terminal, and some more. */
enum report_class {
	REPORT_UNTOUCHED,
	REPORT_PRIVATE,
	REPORT_FILE,
	REPORT_SHARED,
	REPORT_SWAPPED,
	REPORT_ZERO,
	REPORT_GUARD,
	REPORT_UNREAD,
	REPORT_DUMPED, /* of core files */
	REPORT_DUMP_HOLE,
	REPORT_COPIED, /* from here on: what happened */
	REPORT_CHILD,  /* copied by the child */
	REPORT_NEW,
	REPORT_GONE,
	REPORT_SWAPPED_OUT,
	REPORT_WRITTEN,
	REPORT_OTHER,
	REPORT_CLASSES
};
struct report_class_text {
	const char *name, *words, *letter;
};
const struct report_class_text *report_class_text(int report_class);

struct rules {
	uint8_t quiet[STATES];                             /* enum report_class, of a page to which nothing happened */
	uint8_t changed[RULE_MEMORIES][2][STATES][STATES]; /* frame changed, state at A, at B: at B, or what happened */
};
/* Of snapshots of which the same is known. */
int rules_make(struct rules *rules, const struct vmsnap_known *known, struct vmsnap_error *err);
enum rule_memory rule_memory_of(const struct vmsnap_vma *vma);
/* What a verdict is drawn as. */
int report_class_of_verdict(int verdict);

#endif
