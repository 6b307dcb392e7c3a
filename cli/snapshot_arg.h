/* snapshot_arg.h - what a word on the command line means as a snapshot: a file,
 * one of its snapshots, a live process or standard input. */
#ifndef VMSNAP_CLI_SNAPSHOT_ARG_H
#define VMSNAP_CLI_SNAPSHOT_ARG_H

#include <stdbool.h>
#include <sys/types.h>

#include "options.h"
#include "vmsnap.h"

/* Files stay open while words are looked up: standard input can be read once. */
struct sources {
	const struct options *options;
	struct vmsnap_file *standard_input;
};

void sources_init(struct sources *sources, const struct options *options);
void sources_close(struct sources *sources);

/* Each returns STATUS_OK, or STATUS_TROUBLE after saying why.  A file whose end is
 * damaged is read as far as it goes, and that is said. */
int snapshot_from_word(struct sources *sources, const char *word, struct vmsnap **out);
/* The two snapshots that one file stands for; command says which those are. */
enum pair { PAIR_LAST_TWO, PAIR_ONLY_TWO };
int snapshots_from_word(struct sources *sources, const char *word, enum pair pair, struct vmsnap **a,
                        struct vmsnap **b);
/* A whole file, for list and check; warn: say if its end is damaged.  *out is
 * closed by the caller. */
int file_from_word(const char *word, bool warn, struct vmsnap_file **out);

#endif
