/* fork_arg.h - the fork that a file of many instants tells of, as vmsnap record makes one. */
#ifndef VMSNAP_CLI_FORK_ARG_H
#define VMSNAP_CLI_FORK_ARG_H

#include "set_arg.h"

/* The newest instant of the file that holds a parent and its child, and as base the one that is nearest to their fork:
 * the first that holds both, or, is that the same, the parent before it.  file NULL: no instant holds both, or the word
 * names no whole file; then the others are empty. */
struct fork_found {
	struct chosen tree, base;
	struct vmsnap_file *file; /* for sources_release() */
	size_t first, end;        /* its snapshots between base and tree */
};
int fork_from_word(struct sources *sources, const char *word, struct fork_found *out);

#endif
