/* fork_began.h - at which instant of a file copying is seen to have begun. */
#ifndef VMSNAP_CLI_FORK_BEGAN_H
#define VMSNAP_CLI_FORK_BEGAN_H

#include "set_arg.h"

/* Says at which instant between the base, which both sides are in, and the tree a fork has first lost more than at the
 * base: from and to are snapshots of the file, behind the base and at the tree.  Of more than one fork nothing is said.
 */
void fork_began(const struct vmsnap_file *file, size_t from, size_t to, const struct chosen *tree,
                const struct chosen *base);

#endif
