/* page_class.h - what a page of the picture is; also what a text in its colour speaks of. */
#ifndef VMSNAP_PAGE_CLASS_H
#define VMSNAP_PAGE_CLASS_H

enum page_class {
	CLASS_HOLE, /* not mapped */
	CLASS_UNTOUCHED,
	CLASS_PRIVATE,
	CLASS_FILE,
	CLASS_SHARED,
	CLASS_UNREAD, /* nobody could read its state; of a core file: the file ends before it */
	/* Of a core file, where states are unknown: its bytes are there, or a hole is, which reads as zeros. */
	CLASS_DUMPED,
	CLASS_DUMP_HOLE,
	CLASS_SWAPPED,
	CLASS_EVENTS, /* the classes from here on are changes */
	CLASS_COPIED = CLASS_EVENTS,
	CLASS_NEW,
	CLASS_GONE,
	CLASS_WRITTEN, /* was there, and holds something else */
	CLASS_OTHER,   /* a change of another kind */
	CLASS_CHILD,   /* copied, by the child */
	CLASS_SWAPPED_OUT,
	CLASS_SWAPPED_IN,
	PAGE_CLASSES
};
const char *class_name(int page_class);
/* For people: "swapped out". */
const char *class_words(int page_class);
char class_letter(int page_class);

#endif
