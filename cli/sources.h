/* sources.h - where snapshots come from that words on the command line mean: files, standard input, live
 * processes.
 *
 * Each function returns STATUS_OK, or STATUS_TROUBLE after saying why.  A file whose end is damaged is read as
 * far as it goes, and that is said. */
#ifndef VMSNAP_CLI_SOURCES_H
#define VMSNAP_CLI_SOURCES_H

#include <stdbool.h>
#include <sys/types.h>

#include "options.h"
#include "process_arg.h"
#include "vmsnap.h"

/* Files stay open while words are looked up: standard input can be read once.  Live processes are
 * captured with the first of them, all at one instant. */
struct sources {
	const struct options *options;
	struct vmsnap_file *standard_input;
	struct processes processes; /* that are, or will be, captured */
	struct vmsnap **live;       /* one for each of them; NULL: not yet */
	bool contents;              /* what they hold is captured, too: private memory, or if its end is not 0 */
	struct vmsnap_range wanted; /* all that is in this range */
};

void sources_init(struct sources *sources, const struct options *options);
/* A word that will be looked up; NULL is fine.  If it is a process, it is captured with the others. */
int sources_expect(struct sources *sources, const char *word);
void sources_close(struct sources *sources);
/* A word that is a process, captured with all that are expected. */
int sources_capture(struct sources *sources, const char *word, struct vmsnap **out);
/* Standard input is read by the first word that names it and kept for others. */
int sources_open(struct sources *sources, const char *path, struct vmsnap_file **out);
void sources_release(const struct sources *sources, struct vmsnap_file *file);

/* A word that is no process: an existing file wins, and of several the one with the longest name, as both a
 * file's name and a label may hold '@'. */
struct place {
	char *path;        /* malloc'ed */
	const char *which; /* after the '@'; NULL: the last one */
};
int place_of_word(const char *word, struct place *place);
bool place_is_input(const char *path);
int file_open(const char *path, struct vmsnap_file **out);
int file_load(const char *word, const struct vmsnap_file *file, size_t index, struct vmsnap **out);
/* A whole file, for list and check; warn: say if its end is damaged.  *out is
 * closed by the caller. */
int file_from_word(const char *word, bool warn, struct vmsnap_file **out);

#endif
