/* program_start.h - when the program that a process runs began, as files count time: what of
 * its files changed later may not be what it has mapped.  A file that is written to in place
 * keeps its inode, and the process sees the new bytes where it has no copy of its own. */
#ifndef VMSNAP_PROGRAM_START_H
#define VMSNAP_PROGRAM_START_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

/* ns since 1970; INT64_MAX: unknown, and then nothing has changed since, as far as we know. */
#define PROGRAM_START_UNKNOWN INT64_MAX

/* Of a process of this boot, which /proc/PID need not show any more (procdir -1).  A forked
 * process has mapped its files when its parent did: as long as the parent lives and runs the
 * same program, its start counts, and so on.  That this is so tell the places of arguments and
 * environment, which an exec chooses anew.  start_time: clock ticks after boot. */
int64_t program_start(int procdir, uint64_t start_time);
/* When this machine began, on the same clock. */
int64_t program_start_of_boot(void);

/* When the file changed last, or its name, owner or links did, as far as can be told: ns since
 * 1970.  A program cannot set that time, as it can the modification time; but of a file that
 * was deleted it tells when that was, and then the modification time counts. */
int64_t file_changed(const struct stat *st);

/* When it was written to last, as its owner likes to say. */
int64_t file_written(const struct stat *st);
/* Whether that was after the program began.  Change times are those of the last timer tick;
 * start times are cut to clock ticks: what happened within both of them was, as where a program
 * is run that has just been compiled, before. */
bool program_start_before(int64_t start, const struct stat *st);

/* Whether it was written to then, as far as its modification time tells, which a program can set. */
bool program_start_before_write(int64_t start, const struct stat *st);

/* Nothing writes to a file while it runs as a program (ETXTBSY), so that its change time says
 * nothing of its contents.  Linux 6.11 and 6.12 let it happen, until 6.11.11 and 6.12.2. */
bool program_start_guards_exe(const char *kernel);

#endif
