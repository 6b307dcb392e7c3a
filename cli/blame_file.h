/* blame_file.h - blame of snapshots in files: page faults that were kept with them, and keeping them. */
#ifndef VMSNAP_CLI_BLAME_FILE_H
#define VMSNAP_CLI_BLAME_FILE_H

#include "options.h"
#include "vmsnap.h"

/* FILE or FILE@WHICH: of the last snapshots in it that have faults, and those of their processes before.  Prints what
 * blame did when it watched. */
int blame_of_file(const struct options *options, const char *word, int by);

/* Keeps what was watched: all snapshots, those from before first; with each of the later ones the faults of its
 * process, and what was forked and executed other programs meanwhile. */
int blame_save(const char *path, struct vmsnap *const *before, size_t before_count, struct vmsnap *const *after,
               size_t after_count, const struct vmsnap_faults *faults);

#endif
