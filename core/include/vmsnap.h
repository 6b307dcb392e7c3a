/* vmsnap.h - what happens to a Linux process's memory, page by page.
 *
 * The public interface of libvmsnap, in parts that are included below.  A snapshot
 * (struct vmsnap) is one process's address space at one instant; it never changes once
 * made, and lives until its last holder lets go of it (vmsnap_ref(), vmsnap_unref()).
 * What is made of snapshots (a diff, a cow, names) holds them itself.
 *
 * Conventions
 *   - Functions that can fail return VMSNAP_OK (0) or a negative VMSNAP_ERR_*,
 *     and describe the failure in *err, which may be NULL.  Outputs are written
 *     only on success.  Iterators return VMSNAP_END (1) after the last item.
 *   - Addresses and sizes are in bytes, times in nanoseconds.  Ranges are
 *     half-open, [start, end).
 *   - Names (paths, comm, labels) are bytes as the kernel gave them: they need
 *     not be UTF-8 and may hold control characters.
 *   - Strings and arrays reached through a snapshot live as long as it does.
 *   - The library prints nothing, never exits, and keeps no global state.  An
 *     object may be read by several threads at once, but for struct vmsnap_names,
 *     which reads files as it is asked: one thread at a time.
 *   - A call needs some 64 KiB of stack, one that looks up symbols 256 KiB: that
 *     is what elfutils may take.  Threads that it makes have stacks of their own
 *     size, whatever ulimit -s says.
 *   - Structs grow from version to version, at their ends.  One that begins with `size` is given
 *     by the program: set it to zero but for what is meant, and size to sizeof(it).  For others
 *     the size goes along with the call: functions whose name ends in _sized take it, and the
 *     inline functions without that end pass the size that this header knows.  What an older
 *     program gives is taken as zero beyond; what a newer one sets that this library does not
 *     know is an argument error; of what the library gives as much is filled as both know, and
 *     the rest of it is zero.  vmsnap_struct_size() is for those that the library owns.
 *   - Totals are asked for one by one, by enumerator: enumerations grow, too, at their ends.
 *   - "Unknown" is never 0: look at struct vmsnap_info, .known, before believing
 *     a PFN, a swap slot or a flag.
 */
#ifndef VMSNAP_H
#define VMSNAP_H

#include <vmsnap/abilities.h>
#include <vmsnap/aslr.h>
#include <vmsnap/blame.h>
#include <vmsnap/builder.h>
#include <vmsnap/capture.h>
#include <vmsnap/compare.h>
#include <vmsnap/contents.h>
#include <vmsnap/error.h>
#include <vmsnap/export.h>
#include <vmsnap/faults.h>
#include <vmsnap/file.h>
#include <vmsnap/group.h>
#include <vmsnap/html.h>
#include <vmsnap/names.h>
#include <vmsnap/print.h>
#include <vmsnap/repeat.h>
#include <vmsnap/self.h>
#include <vmsnap/series.h>
#include <vmsnap/set.h>
#include <vmsnap/snapshot.h>
#include <vmsnap/source.h>
#include <vmsnap/track.h>
#include <vmsnap/values.h>
#include <vmsnap/watch.h>
#include <vmsnap/who.h>

#endif
