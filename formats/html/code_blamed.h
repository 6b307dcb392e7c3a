/* code_blamed.h - which code copied, made and wrote pages: of snapshots that page faults are kept with. */
#ifndef VMSNAP_HTML_CODE_BLAMED_H
#define VMSNAP_HTML_CODE_BLAMED_H

#include "vmsnap.h"

struct json;
struct vmsnap_html;

/* What explains a range of pages, in the order of the page's data. */
enum { CODE_COPIED, CODE_NEW, CODE_WRITTEN };
enum { CODE_UNSEEN, CODE_SEVERAL, CODE_STACKS };
enum { CODE_ROWS_MAX = 200000 };
#define CODE_LOST_MAX (UINT64_C(1) << 52) /* numbers that a browser knows exactly */
struct report_blamed {
	uint32_t instant, process, value;
	uint32_t stack; /* CODE_UNSEEN, CODE_SEVERAL, or CODE_STACKS and the number of a stack */
	uint64_t page, pages;
};
struct report_stack {
	uint32_t first, count;   /* in frames: strings, innermost first */
	uint32_t file, line;     /* of the function that had the fault, or called the kernel: a string; 0: not known */
	uint32_t function;       /* which that is: a string */
	uint32_t faults, number; /* which it was there, to find it again */
	int32_t syscall;
};
struct report_watched {
	uint32_t instant;
	uint64_t lost, faults;
};
struct report_code {
	/* Of each process the latest before this instant, and those of this one; held. */
	const struct vmsnap **before, **now;
	size_t before_count, before_room, now_count, now_room;
	struct report_watched *watched;
	size_t watched_count, watched_room;
	struct report_blamed *blamed;
	size_t blamed_count, blamed_room;
	struct report_stack *stacks;
	size_t stack_count, stack_room;
	uint32_t *frames;
	size_t frame_count, frame_room;
	uint64_t left_out; /* pages of rows that are too many */
};

int code_note(struct vmsnap_html *html, const struct vmsnap *snap, struct vmsnap_error *err);
/* All of an instant were noted. */
int code_end_instant(struct vmsnap_html *html, struct vmsnap_error *err);
void code_write(const struct vmsnap_html *html, struct json *json);
void code_free(struct vmsnap_html *html);

#endif
