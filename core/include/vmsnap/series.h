/* series.h - snapshots in time: what grew, what came and went, how fast; and what a fork costs as it goes on.
 * Included by vmsnap.h, which tells what holds for all of it. */
#ifndef VMSNAP_SERIES_API_H
#define VMSNAP_SERIES_API_H

#include <vmsnap/compare.h>
#include <vmsnap/file.h>
#include <vmsnap/names.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A series goes over snapshots once, in their order, and has no more of them in memory than the two of each process
 * that are compared. */
struct vmsnap_series;

/* What it is counted by: a line is followed from step to step. */
enum vmsnap_series_by {
	/* Mappings, wherever they are moved to, as they grow, shrink, or are split; the parts of one that was split
	 * are one line. */
	VMSNAP_SERIES_BY_MAPPING,
	VMSNAP_SERIES_BY_KIND,    /* enum vmsnap_mapping_kind; mapped files are read for their .bss */
	VMSNAP_SERIES_BY_PROCESS, /* a step is an instant, with all that was captured then */
	VMSNAP_SERIES_BY_STATE,   /* the members of struct vmsnap_sums; a page may be in several */
	VMSNAP_SERIES_BY_COUNT
};
const char *vmsnap_series_by_name(int by); /* "mapping" */

struct vmsnap_series_options {
	size_t size;                  /* sizeof(struct vmsnap_series_options) */
	int by;                       /* enum vmsnap_series_by */
	size_t first, count;          /* of the snapshots; count 0: to the last */
	uint32_t pid;                 /* only of processes with this number; 0: all */
	bool (*cancelled)(void *ctx); /* asked now and then; NULL: never cancelled */
	void *cancel_ctx;
};
/* Of a file, which must outlive it; looks only at who its snapshots are of.  options may be NULL. */
int vmsnap_series_open(const struct vmsnap_file *file, const struct vmsnap_series_options *options,
                       struct vmsnap_series **out, struct vmsnap_error *err);
/* Of snapshots that are in memory, which it holds. */
int vmsnap_series_of(const struct vmsnap *const *snaps, size_t count, const struct vmsnap_series_options *options,
                     struct vmsnap_series **out, struct vmsnap_error *err);
void vmsnap_series_close(struct vmsnap_series *series);
int vmsnap_series_by(const struct vmsnap_series *series); /* enum vmsnap_series_by */

/* The processes that it has snapshots of, in the order of their first ones. */
struct vmsnap_series_process {
	uint32_t pid;
	uint64_t start_time;
	size_t first, last, count; /* of their snapshots: numbers of the first and the last, from 0 on; how many */
	const char *comm;          /* in the first of them; the series' own */
};
size_t vmsnap_series_process_count(const struct vmsnap_series *series);
int vmsnap_series_process_sized(const struct vmsnap_series *series, size_t index, struct vmsnap_series_process *out,
                                size_t size);
static inline int vmsnap_series_process(const struct vmsnap_series *series, size_t index,
                                        struct vmsnap_series_process *out)
{
	return vmsnap_series_process_sized(series, index, out, sizeof(*out));
}

/* Goes to the next step; VMSNAP_END after the last.  A snapshot that cannot be read is a failure, and the call after
 * it goes on with the next: vmsnap_series_at() tells which it was. */
int vmsnap_series_next(struct vmsnap_series *series, struct vmsnap_error *err);
/* The snapshot that was read last, or could not be. */
size_t vmsnap_series_at(const struct vmsnap_series *series);

/* What is known of the step. */
struct vmsnap_series_step {
	size_t index;                /* of its first snapshot, from 0 on */
	size_t snapshots;            /* so many: 1, or by process those of the instant */
	const struct vmsnap *snap;   /* the first of them; the series' until the next step */
	const struct vmsnap *before; /* the one of the same process before; NULL: there is none */
	int relation;                /* to it, enum vmsnap_relation; unless it is comparable all lines are new */
	bool elapsed_known; /* since then; it is not if clocks went backwards, or nobody knows when it was taken */
	uint64_t elapsed;   /* ns */
	struct vmsnap_sums sums, sums_before; /* of all snapshots of the step; a page counts for each process */
	size_t vmas;
};
int vmsnap_series_step_sized(const struct vmsnap_series *series, struct vmsnap_series_step *out, size_t size);
static inline int vmsnap_series_step(const struct vmsnap_series *series, struct vmsnap_series_step *out)
{
	return vmsnap_series_step_sized(series, out, sizeof(*out));
}

struct vmsnap_series_line {
	uint64_t id;      /* the same for the same line through the whole series, from 1 on */
	const char *name; /* of the mapping, "" if it has none; of the kind; of the state; of the process, its comm */
	uint32_t pid;     /* of its process */
	uint64_t start;   /* of a mapping: of its lowest part */
	uint64_t end;     /* of its highest */
	size_t vmas;      /* so many mappings */
	uint64_t bytes, bytes_before; /* resident; of core files size; of a state, in it; before: 0: it is new */
	struct vmsnap_sums sums, sums_before; /* of a state: of the whole process */
	/* 1 << enum vmsnap_vma_change, or-ed: what happened since the step before.  ADDED: it came, which is not
	 * said in the first step; REMOVED: it is here no more, and in no later step.  Of a process that comes to:
	 * no later snapshot is of it.  MERGED with REMOVED: it became part of `into`. */
	uint32_t changes;
	uint64_t from; /* MOVED: where it was, as far as its lowest part goes; else start */
	uint64_t into; /* id */
};
/* By address, or as the enumeration goes, or in the order in which processes came; then those that went. */
size_t vmsnap_series_line_count(const struct vmsnap_series *series);
int vmsnap_series_line_sized(const struct vmsnap_series *series, size_t index, struct vmsnap_series_line *out,
                             size_t size);
static inline int vmsnap_series_line(const struct vmsnap_series *series, size_t index, struct vmsnap_series_line *out)
{
	return vmsnap_series_line_sized(series, index, out, sizeof(*out));
}
/* What became of pages since the step before, and the page faults that did it, where some are kept (record --blame);
 * by process, of all of the instant.  VMSNAP_ERR_NOT_FOUND: none are.  To be freed (vmsnap_blame_free()). */
struct vmsnap_blame;
int vmsnap_series_blame(const struct vmsnap_series *series, struct vmsnap_blame **out, struct vmsnap_error *err);

/* ---- a fork as it goes on --------------------------------------------------------- */

/* Each child that is there beside its parent at some instant, and every later one at which both are.  The base of all
 * verdicts of a fork is the first of these instants, both sides; but if much had been copied by then, the parent
 * of before the fork, where the instant before has it: that tells by whom.  Memory: the snapshots of two instants, and
 * those of each child's base. */
struct vmsnap_series_forks;
int vmsnap_series_forks_open(const struct vmsnap_file *file, const struct vmsnap_series_options *options /* by: 0 */,
                             struct vmsnap_series_forks **out, struct vmsnap_error *err);
int vmsnap_series_forks_of(const struct vmsnap *const *snaps, size_t count, const struct vmsnap_series_options *options,
                           struct vmsnap_series_forks **out, struct vmsnap_error *err);
void vmsnap_series_forks_close(struct vmsnap_series_forks *forks);
/* The next child at the next instant; VMSNAP_END after the last.  Failures as for vmsnap_series_next(). */
int vmsnap_series_forks_next(struct vmsnap_series_forks *forks, struct vmsnap_error *err);
size_t vmsnap_series_forks_at(const struct vmsnap_series_forks *forks);

struct vmsnap_series_fork {
	uint64_t fork;        /* which fork of the series, from 1 on */
	size_t parent, child; /* their snapshots, from 0 on */
	uint32_t parent_pid, child_pid;
	bool first;            /* it is the first of this fork */
	int relation;          /* enum vmsnap_relation; unless it is comparable nothing below is told */
	bool since_known;      /* since the fork, to 10 ms, by the start of the child */
	uint64_t since;        /* ns */
	bool elapsed_known;    /* since the step of this fork before */
	uint64_t elapsed;      /* ns */
	bool has_base, before; /* there is one, which is the parent before the fork */
	/* Bytes: each page once, whoever copied it; and new memory. */
	uint64_t by_child, by_parent, by_both, by_unknown, copied;
	uint64_t new_in_child, new_in_parent;
	uint64_t alone;         /* only one has it: new, or dropped by the other */
	uint64_t shared;        /* both have it still, and it can be copied yet */
	uint64_t inferred;      /* of copied and new, where that is inferred */
	uint64_t unknown;       /* what cannot be told */
	uint64_t copied_before; /* .copied of the step of this fork before */
	const char *warning;    /* vmsnap_cow_warning(); until the next step */
};
int vmsnap_series_fork_sized(const struct vmsnap_series_forks *forks, struct vmsnap_series_fork *out, size_t size);
static inline int vmsnap_series_fork(const struct vmsnap_series_forks *forks, struct vmsnap_series_fork *out)
{
	return vmsnap_series_fork_sized(forks, out, sizeof(*out));
}
/* The verdicts that this is made of; until the next step.  NULL: there are none. */
const struct vmsnap_cow *vmsnap_series_fork_cow(const struct vmsnap_series_forks *forks);

#ifdef __cplusplus
}
#endif
#endif
