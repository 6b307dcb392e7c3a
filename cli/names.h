/* names.h - symbol names for a command, as its options want them. */
#ifndef VMSNAP_CLI_NAMES_H
#define VMSNAP_CLI_NAMES_H

#include "options.h"
#include "vmsnap.h"

/* NULL if not wanted or not to be had (which is said: what is shown without names
 * is still right). */
struct vmsnap_names *names_open(const struct options *options, const struct vmsnap *snap);
/* For what says nothing of files that were not believed.  To be freed with vmsnap_names_free(). */
struct vmsnap_names *names_quiet(const struct options *options, const struct vmsnap *snap);
/* If no debugger named anything in `snap`: uses what one named in another snapshot of
 * the program, too.  names and from may be NULL. */
void names_add_fallback(struct vmsnap_names *names, const struct vmsnap *snap, const struct vmsnap *from);
/* Says which files were not believed, and frees.  NULL is fine. */
void names_close(struct vmsnap_names *names);

#endif
