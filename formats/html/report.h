/* report.h - what a page is made of, gathered snapshot by snapshot. */
#ifndef VMSNAP_HTML_REPORT_H
#define VMSNAP_HTML_REPORT_H

#include "code_blamed.h"
#include "rules.h"
#include "strings.h"
#include "track.h"

/* A name on pages of a process that changed. */
struct report_name {
	uint64_t address, size;
	uint32_t symbol, kind, object; /* strings */
	uint32_t process;
};
enum { REPORT_NAMES_MAX = 20000, REPORT_NAMES_OF_RANGE = 4096 };

/* One mapping, as long as it stays as it is. */
struct report_vma {
	uint64_t page, end;          /* page numbers */
	uint64_t offset;             /* in the file, bytes */
	uint32_t perms, name, label; /* strings; label: what anonymous memory is known to be */
	uint8_t memory;              /* enum rule_memory */
	bool deleted;
	uint32_t first, last; /* instants */
};
/* From one instant of a process to the next: pages that moved, or other memory in the place of what was there. */
struct report_change {
	uint32_t instant;
	uint64_t from, page, pages; /* from: page, if other memory was put there */
	bool replaced;
};
/* Pages that a write would have copied at an instant, as a diff from there counts them. */
struct report_shared {
	uint32_t instant;
	uint64_t pages;
	bool more; /* perhaps: in huge pages */
};
/* A line of status: its value at each instant of the process. */
struct report_status {
	uint32_t key;
	uint32_t *values; /* strings, plus 1; 0: there is no such line */
	size_t room;
};
struct report_process {
	const struct vmsnap *last; /* held */
	uint32_t first_instant, last_instant;
	uint64_t age; /* at its first instant, in ns; 0: not known */
	struct track states;
	uint32_t frames_of;   /* plus 1: of the parent, whose frames of its first instant it has where none are told */
	struct track written; /* .work NULL: nothing was ever known of it */
	struct track touched; /* 1: a debugger had written to the page, as the snapshot of the instant tells */
	struct report_vma *vmas;
	size_t vma_count, vma_room;
	uint32_t *current; /* those of the last instant, by address */
	size_t current_count, current_room;
	struct report_change *changes;
	size_t change_count, change_room;
	struct report_shared *shared; /* of instants that another one of it follows, where that is known */
	size_t shared_count, shared_room;
	struct report_status *status;
	size_t status_count, status_room;
	struct vmsnap_names *names; /* of .last; NULL: none, or not wanted */
};
/* Of a verdict. */
enum fork_mark { FORK_INFERRED = 1, FORK_TOUCHED = 2 /* by a debugger: it is in no sum of what is lost */ };
/* A parent and its child, from the first instant at which both are there: with what they were like then. */
struct report_fork {
	uint32_t parent, child, base_instant;
	const struct vmsnap *parent_base, *child_base; /* held */
	struct track verdicts;                         /* plus 1; 0: no page */
	struct track inferred;                         /* enum fork_mark */
	uint32_t warning;                              /* a string: of the last instant */
};
struct report_instant {
	int64_t taken;
	int64_t monotonic; /* 0: not known */
	uint64_t pause;
	bool held;              /* it stood without that, held by whoever traces it */
	uint32_t label, reason; /* strings */
};
/* Which snapshot of the file is of which process, by instant. */
struct report_place {
	uint32_t instant, process;
	uint64_t number;
	uint64_t page_moves; /* as in struct vmsnap_info */
};

/* A variable, or a part of one, that changed from the instant before to this. */
struct report_value {
	uint64_t address, size;
	uint32_t process, instant;
	uint32_t name, type, object, before, now; /* strings */
};
enum { REPORT_VALUES_MAX = 20000, REPORT_BYTES_MAX = 4 << 20 };

struct vmsnap_html {
	struct vmsnap_html_options options;
	struct work work;
	struct strings strings;
	uint32_t host, kernel, arch, tool, title;
	uint64_t page_size;
	struct vmsnap_known known; /* what all of them know */
	struct report_instant *instants;
	size_t instant_count, instant_room;
	struct report_process *processes;
	size_t process_count, process_room;
	struct report_fork *forks;
	size_t fork_count, fork_room;
	struct report_place *places;
	size_t place_count, place_room;
	struct report_name *names;
	size_t name_count, name_room;
	bool names_left_out;
	struct spill bytes; /* that changed: see changed_bytes.c */
	uint64_t bytes_left_out, values_left_out;
	struct report_value *values;
	size_t value_count, value_room;
	struct report_place *compared; /* .instant of .process: what it holds is compared with what it held before */
	size_t compared_count, compared_room;
	struct report_code code;
	const struct vmsnap *newest; /* the last one that was added; its process holds it */
	bool ended;                  /* the last instant: no more comes */
	bool failed;
};

/* One more item at the end of an array, zeroed; NULL, and *rc says why. */
#define REPORT_ROOM(html, items, count, room, rc)                                                                      \
	report_room(&(html)->work, (void **)&(items), &(count), &(room), sizeof(*(items)), (rc))
void *report_room(struct work *work, void **items, size_t *count, size_t *room, size_t size, int *rc);

/* Each in a file of its name.
 * process.c: of one process, its state at one instant. */
int process_add(struct vmsnap_html *html, struct report_process *process, const struct vmsnap *snap,
                struct vmsnap_error *err);
void process_free(struct vmsnap_html *html, struct report_process *process);
/* fork.c: when all snapshots of an instant are there. */
int forks_add(struct vmsnap_html *html, struct vmsnap_error *err);
void fork_free(struct report_fork *fork);
/* page_names.c: what lies on pages that changed, and what else is called something. */
int names_of_pages(struct vmsnap_html *html, struct report_process *process, uint64_t start, uint64_t end,
                   struct vmsnap_error *err);
/* At the end: of all variables that may be written to.  A child has those of its parent. */
int names_to_search(struct vmsnap_html *html, struct vmsnap_error *err);
void names_sort(struct vmsnap_html *html, int *rc);
/* changed_bytes.c: what was held before, of process->last, and is now. */
int changed_bytes_add(struct vmsnap_html *html, struct report_process *process, const struct vmsnap *snap,
                      struct vmsnap_error *err);
/* head.c: the JSON of it. */
/* *_bytes: of each track, states, written and touched of each process and then verdicts of each fork and which of them
 * are inferred, and of each instant of it: how many bytes it has. */
int head_write(const struct vmsnap_html *html, const struct rules *rules, const uint64_t *value_bytes,
               const uint64_t *frame_bytes, vmsnap_write_fn write, void *ctx, struct vmsnap_error *err);

/* plain.c: what a browser shows that runs no scripts: a table of the snapshots. */
int plain_write(const struct vmsnap_html *html, vmsnap_write_fn write, void *ctx, struct vmsnap_error *err);

#endif
