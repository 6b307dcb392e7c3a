/* series_arg.h - what a word on the command line means as a series: a file, all of it, of one process, or from one
 * snapshot to another. */
#ifndef VMSNAP_CLI_SERIES_ARG_H
#define VMSNAP_CLI_SERIES_ARG_H

#include "sources.h"

/* Which snapshots of the file; .file is closed by the caller.  pid 0: of any process. */
struct series_arg {
	struct vmsnap_file *file;
	size_t first, count;
	uint32_t pid;
};
/* FILE, FILE@FIRST..LAST, FILE@pid:PID, FILE@pid:PID@FIRST..LAST, FILE@WHICH.  STATUS_OK, or STATUS_TROUBLE after
 * saying why. */
int series_from_word(const struct options *options, const char *word, struct series_arg *out);
/* Of a file that is open, in which all is meant, what stands behind its @; NULL: nothing does.  word: the whole, for
 * what is said. */
int series_choose(const char *word, const char *which, struct series_arg *out);

#endif
