/* contents_wanted.h - of which pages a capture keeps what they hold.  Reads nothing. */
#ifndef VMSNAP_CONTENTS_WANTED_H
#define VMSNAP_CONTENTS_WANTED_H

#include "snapshot.h"

enum { CONTENTS_WANTED_MASK = VMSNAP_WANT_UNDUMPED - 1 };

/* flags: VmFlags of smaps; "": not known, or none. */
bool contents_wants_mapping(const struct vmsnap_capture_options *options, const struct vmsnap_vma *vma,
                            const char *flags);
/* Of a mapping that is wanted. */
bool contents_wants_state(const struct vmsnap_capture_options *options, const struct vmsnap_vma *vma, uint64_t entry);
/* MADV_DONTDUMP. */
bool contents_flags_undumped(const char *flags);

/* Returns not 0 to end, which is passed on. */
typedef int (*contents_range_fn)(void *ctx, uint64_t start, uint64_t end);
/* What of [start, end) is in none of the ranges that are to be left out. */
int contents_outside_excluded(const struct vmsnap_capture_options *options, uint64_t page_size, uint64_t start,
                              uint64_t end, contents_range_fn fn, void *ctx);

#endif
