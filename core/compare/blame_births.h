/* blame_births.h - of which processes later snapshots are: since when these are there, what was before, and what was
 * forked of them, as forks and execs tell. */
#ifndef VMSNAP_BLAME_BIRTHS_H
#define VMSNAP_BLAME_BIRTHS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vmsnap.h"
#include "work.h"

struct blame_process {
	const struct vmsnap *before, *after; /* held; before NULL: there is none */
	struct vmsnap_fault_event born;      /* .time 0: it was there before */
	uint64_t executed;                   /* when it last did so meanwhile; 0: not */
	uint64_t seen;                       /* faults of it */
};
int32_t blame_number_of(const struct blame_process *process);
/* Since when what it does is its own doing, in the memory that its snapshot shows; 0: from the begin. */
uint64_t blame_since(const struct blame_process *process);

/* Whether it is known what it had before. */
bool blame_is_known(const struct blame_process *process);

/* Where among the events is what happened to a process. */
struct blame_birth {
	int32_t pid;
	size_t event;
};
struct blame_births {
	const struct vmsnap_fault_event *events;
	struct blame_birth *own;      /* by process, then in their order: it was forked, or executed a program */
	struct blame_birth *children; /* likewise: it forked */
	size_t own_count, own_room, child_count, child_room;
};
/* The events are those of the caller. */
int blame_births_make(struct blame_births *births, const struct vmsnap_fault_event *events, size_t count,
                      struct work *work);
void blame_births_free(struct blame_births *births, struct work *work);
/* Fills in what was before it, of these snapshots. */
void blame_births_find(const struct blame_births *births, struct blame_process *process,
                       const struct vmsnap *const *before, size_t before_count);
/* One after the other of the forks of a process; *at: 0 at first.  NULL: no more. */
const struct vmsnap_fault_event *blame_births_child(const struct blame_births *births, int32_t pid, size_t *at);

#endif
