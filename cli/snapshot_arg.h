/* snapshot_arg.h - what a word on the command line means as a snapshot: a file,
 * one of its snapshots, a live process or standard input. */
#ifndef VMSNAP_CLI_SNAPSHOT_ARG_H
#define VMSNAP_CLI_SNAPSHOT_ARG_H

#include "sources.h"

/* Each returns STATUS_OK, or STATUS_TROUBLE after saying why. */
int snapshot_from_word(struct sources *sources, const char *word, struct vmsnap **out);
/* Whether it is of a core file, so that only what pages hold can be compared with it; nothing is said of what cannot be
 * read. */
bool word_is_of_core(const char *word);
/* Whether a word means as many snapshots as there are: FILE@FIRST..LAST. */
bool word_is_several(const char *word);
/* What a word means, one snapshot after the other; fn gets what each is called, and holds it no longer. */
typedef int (*snapshot_fn)(void *ctx, const char *name, const struct vmsnap *snap);
int snapshots_from_word(struct sources *sources, const char *word, snapshot_fn fn, void *ctx);
/* Beside a base out of a file, the other side of the same fork at the same instant, if the file has
 * it: of process `pid`, which began at `start_time`.  *out is NULL if not. */
int snapshot_beside(const struct options *options, const char *word, const struct vmsnap *base,
                    const struct vmsnap_info *process, struct vmsnap **out);

#endif
