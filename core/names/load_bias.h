/* load_bias.h - where the segments of one file lie in memory, told from its
 * program headers and its mappings alone. */
#ifndef VMSNAP_LOAD_BIAS_H
#define VMSNAP_LOAD_BIAS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mapped_object.h"

/* Finds the bias of each member of the object.  A mapping that no segment explains
 * (the file read as data, a hole between segments) stays unplaced.  A file that is
 * mapped twice has a bias for each time. */
int load_bias_members(const struct vmsnap *snap, struct object *object);
/* The ranges of a placed member; of an anonymous VMA that lies where a file with
 * this bias has its .bss.  Both in address order. */
size_t load_bias_file_ranges(const struct vmsnap *snap, struct object *object, const struct member *member,
                             struct segment_range ranges[ELF_LOADS_MAX]);
size_t load_bias_bss_ranges(const struct vmsnap *snap, struct object *object, uint64_t bias,
                            const struct vmsnap_vma *vma, struct segment_range ranges[ELF_LOADS_MAX]);

#endif
