/* source.h - makes snapshots of processes that somebody else reads: on another machine, through the remote half of
 * a debugger, say.
 * Included by vmsnap.h, which tells what holds for all of it. */
#ifndef VMSNAP_SOURCE_API_H
#define VMSNAP_SOURCE_API_H

#include <vmsnap/capture.h>

#ifdef __cplusplus
extern "C" {
#endif

struct vmsnap_capture_source {
	size_t size; /* sizeof(struct vmsnap_capture_source) */
	/* Reads of a file of its /proc/PID, by its name there, from `offset` on: gives how many bytes, at most len;
	 * 0 at the end of the file; -errno.  Files are those of a recorded folder (docs/recorded.md), as far as they
	 * are there (-ENOENT): "identity" says whose machine it is; if contents are wanted "mem"; and for build IDs of
	 * what is executed "map_files/START-END", as the kernel calls them, of each file the beginning.
	 * "pagemap": -EINVAL or -EOVERFLOW says that this offset cannot be asked for; the states of these pages are not
	 * known then (vmsnap_page_unread()), and those of none if it cannot be read at all; but for mappings of which
	 * smaps says one thing of all their pages.  -ECANCELED ends all. */
	int64_t (*read)(void *ctx, const char *name, uint64_t offset, void *into, size_t len);
	void *ctx;
	bool held; /* none of its threads runs meanwhile: a debugger holds them */
	/* Its threads, and where their stacks are (0: not known); NULL: nobody tells. */
	const uint32_t *tids;
	const uint64_t *stack_pointers;
	size_t thread_count;
};

/* Of options, what takes effect is: VMSNAP_CAPTURE_SMAPS, label, reason, cancelled, and of contents all but hashes
 * and tracking (VMSNAP_ERR_ARGUMENT).  Nothing of it is taken for this machine's.  Mappings of more than 1 GiB of which
 * smaps says that nothing is there are not read: see vmsnap_page_unread(). */
int vmsnap_capture_from(const struct vmsnap_capture_source *source, const struct vmsnap_capture_options *options,
                        struct vmsnap **out, struct vmsnap_error *err);

#ifdef __cplusplus
}
#endif
#endif
