/* record.h - vmsnap record: the parts of a recording, and what they share.
 *
 *   cmd_record.c       what the words mean; the beginning and the end
 *   record_loop.c      when a snapshot is due: by time, growth, events
 *   record_take.c      one instant
 *   record_file.c      where it goes: a thread that writes, files that follow each other
 *   record_blame.c     page faults meanwhile (--blame)
 *   record_rounds.c    what is written, printed (--track without a file)
 *   record_command.c   the command that is run meanwhile
 *   record_tell.c      the running line, and the summary */
#ifndef VMSNAP_CLI_RECORD_H
#define VMSNAP_CLI_RECORD_H

#include <stdint.h>
#include <time.h>

#include "contents_arg.h"
#include "event_arg.h"
#include "options.h"
#include "output.h"
#include "process_choose.h"
#include "record_blame.h"
#include "record_command.h"
#include "record_file.h"
#include "say.h"
#include "vmsnap.h"

/* A process that is recorded, or was. */
struct recorded {
	pid_t pid;
	uint64_t start_time;
	int pidfd;    /* -1: this kernel has none (before Linux 5.3) */
	uint64_t rss; /* at its last snapshot, bytes */
	bool ended;
	bool told; /* by an event of the watch: its last state is taken, or cannot be */
};

/* How long pauses were: counts by their logarithm, in eighths of an octave. */
enum { PAUSE_STEPS = 8, PAUSE_SLOTS = 64 * PAUSE_STEPS };
struct pauses {
	uint32_t counts[PAUSE_SLOTS];
	uint64_t count, longest;
};

struct record {
	const struct options *options;
	struct event_arg on;
	const char *path; /* NULL: rounds are printed */
	struct contents_arg contents;
	struct processes chosen;
	struct recorded *processes;
	size_t process_count, process_room;
	struct vmsnap_watch *watch; /* NULL: nothing that happens is waited for */
	struct vmsnap_tracker *tracker;
	struct record_blame *blame; /* NULL: page faults are not watched */
	struct record_command command;
	struct record_file *file;
	unsigned to_skip; /* a snapshot for each pause that was too long */

	/* For the summary. */
	uint64_t began, instants, snapshots, skipped, late, forks, execs, exits, growths;
	uint64_t resident_first, resident_last;
	bool several; /* these are sums over processes, which may share some of it */
	struct pauses pauses;
	bool line_shown;
	uint64_t line_at;

	/* Rounds. */
	struct vmsnap_names *names; /* of the last one; NULL: none yet, or not wanted */
	struct output output;
};

/* STATUS_DIFFERENT, of these: there is nothing (more) to record; it was said why, if there is need. */
enum { RECORD_OVER = STATUS_DIFFERENT };

enum { NS_A_SECOND = 1000000000 };
static inline uint64_t record_now(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * NS_A_SECOND + (uint64_t)now.tv_nsec;
}

/* record_loop.c: until it is over. */
int record_loop(struct record *record);
/* Before there is a child. */
void record_notice_children(void);

/* record_take.c */
int record_add(struct record *record, pid_t pid);
struct recorded *record_find(struct record *record, pid_t pid);
/* As the kernel counts it, roughly, for next to nothing; bytes. */
uint64_t record_resident(pid_t pid);
size_t record_living(const struct record *record);
/* Looks who has ended. */
void record_note_ended(struct record *record);
/* All of them.  reason: NULL if it is just time. */
int record_instant(struct record *record, const char *reason);
int record_event(struct record *record, const struct vmsnap_watch_event *event);

/* record_rounds.c */
int record_round(struct record *record);
int record_first_round(struct record *record); /* it arms */

/* record_tell.c */
void pauses_add(struct pauses *pauses, uint64_t ns);
void record_line(struct record *record);
void record_line_clear(struct record *record);
void record_summary(struct record *record);

#endif
