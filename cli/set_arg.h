/* set_arg.h - what a word on the command line means where several processes may: a tree of one instant, or two
 * instants of a file. */
#ifndef VMSNAP_CLI_SET_ARG_H
#define VMSNAP_CLI_SET_ARG_H

#include "between.h"
#include "sources.h"

/* What a command that takes several is given: processes of one instant.  A file is its last
 * instant, FILE@FIRST..LAST must be one. */
struct chosen {
	struct vmsnap_set *set;
	struct vmsnap_set *rest; /* what the file has of that instant besides, or NULL: who they were, no more */
	bool one;                /* the word says which process: not a file or a range, which may hold a tree */
	struct between between;  /* of two words of one file and one process, with the later: what lies between them */
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

#endif
