/* snapshot_arg.h - what a word on the command line means as a snapshot: a file,
 * one of its snapshots, a live process or standard input. */
#ifndef VMSNAP_CLI_SNAPSHOT_ARG_H
#define VMSNAP_CLI_SNAPSHOT_ARG_H

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
};

void sources_init(struct sources *sources, const struct options *options);
/* A word that will be looked up; NULL is fine.  If it is a process, it is captured with the others. */
int sources_expect(struct sources *sources, const char *word);
void sources_close(struct sources *sources);

/* Each returns STATUS_OK, or STATUS_TROUBLE after saying why.  A file whose end is
 * damaged is read as far as it goes, and that is said. */
int snapshot_from_word(struct sources *sources, const char *word, struct vmsnap **out);

/* What a command that takes several is given: processes of one instant.  A file is its last
 * instant, FILE@FIRST..LAST must be one. */
struct chosen {
	struct vmsnap_set *set;
	struct vmsnap_set *rest; /* what the file has of that instant besides, or NULL: who they were, no more */
	bool one;                /* the word says which process: not a file or a range, which may hold a tree */
};
int set_from_word(struct sources *sources, const char *word, struct chosen *out);
/* Two words.  What is wrong with the second as a word is said before what is wrong with the first's pages. */
int sets_from_words(struct sources *sources, char *const words[2], struct chosen *a, struct chosen *b);
void chosen_drop(struct chosen *chosen);
/* Of `chosen` those go that the word of `other` leaves out, though they were there at its instant, too: it is
 * not known what became of them, and they did not go.  That is said. */
int chosen_leave_out(struct chosen *chosen, const struct chosen *other, const char *other_word);

/* The last two instants of a file, or of FILE@FIRST..LAST, of which *count are all the snapshots.
 * earlier->set is NULL if there is only one instant. */
int instants_from_word(struct sources *sources, const char *word, struct chosen *earlier, struct chosen *last,
                       size_t *count);
/* Beside a base out of a file, the other side of the same fork at the same instant, if the file has
 * it: of process `pid`, which began at `start_time`.  *out is NULL if not. */
int snapshot_beside(const struct options *options, const char *word, const struct vmsnap *base,
                    const struct vmsnap_info *process, struct vmsnap **out);
/* A whole file, for list and check; warn: say if its end is damaged.  *out is
 * closed by the caller. */
int file_from_word(const char *word, bool warn, struct vmsnap_file **out);

#endif
