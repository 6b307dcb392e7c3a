/* maps.h - the text of /proc/PID/maps and smaps.  Knows the text; opens nothing.
 * Source: proc_pid_maps(5), Documentation/filesystems/proc.rst. */
#ifndef VMSNAP_MAPS_H
#define VMSNAP_MAPS_H

#include "snapshot.h"

struct address_range {
	uint64_t start, end;
};

/* One line without its newline.  Strings go to the arena.  err->position is
 * lineno.  A mapping of no bytes is given as it is: it is for the caller to leave out. */
int maps_parse_line(const char *line, size_t len, uint64_t lineno, uint64_t page_size, struct arena *strings,
                    struct vmsnap_vma *out, struct vmsnap_error *err);
/* All of maps, into snap->vmas. */
int maps_parse(const char *text, size_t len, struct vmsnap *snap, struct vmsnap_error *err);
/* All of smaps, into snap->vmas and snap->smaps.  What its lines may be grows from kernel to kernel:
 * what is no number is kept as text, and only the lines of mappings must be well formed. */
int smaps_parse(const char *text, size_t len, struct vmsnap *snap, struct vmsnap_error *err);
/* Only the ranges, VMAs less than `join` bytes apart taken as one: what has to be
 * known while the target stands.  *out is malloc'ed. */
int maps_ranges(const char *text, size_t len, uint64_t join, struct address_range **out, size_t *count,
                struct vmsnap_error *err);
/* What of some ranges is in none of the others, both as maps_ranges() makes them.  *out is malloc'ed. */
int maps_ranges_without(const struct address_range *ranges, size_t count, const struct address_range *others,
                        size_t other_count, struct address_range **out, size_t *out_count);

#endif
