/* bpf_ring.h - the rings that programs in the kernel (bpf(2)) write into, one for each processor that is online, and
 * what comes out of them.  Knows nothing of what the programs write.
 *
 * One ring would do, and be a lock that all processors share. */
#ifndef VMSNAP_BPF_RING_H
#define VMSNAP_BPF_RING_H

#include <linux/bpf.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

struct bpf_ring {
	bool online;
	int fd;                 /* -1: the processor is not online, and the rest NULL */
	unsigned long *taken;   /* a page that we write to */
	unsigned long *written; /* a page that the kernel writes to, and the data behind it, twice; we may only read */
};
struct bpf_rings {
	struct bpf_ring *items; /* malloc'ed */
	size_t count, bytes;    /* by the number of a processor; bytes: of the data of each, a power of two */
	int map;                /* for the programs: by the number of a processor, its ring */
	int poll;               /* can be waited for: a ring that was empty is so no more */
};

static inline int bpf_call(int command, union bpf_attr *attr)
{
	return (int)syscall(SYS_bpf, command, attr, sizeof(*attr));
}

/* A map of one value that we see as memory of ours, zero now: 0 or errno; what is there then is to be closed. */
int bpf_value_open(int *map, void **out, size_t bytes);
/* bytes: at most; of many processors each has less.  0 or errno; then, too, it is to be closed. */
int bpf_rings_open(struct bpf_rings *rings, size_t bytes);
/* One for all processors, for what does not happen often: .items[0].  .map, .poll: none. */
int bpf_ring_open(struct bpf_rings *rings, size_t bytes);
void bpf_rings_close(struct bpf_rings *rings);
/* Calls fn with each record there is now, until it fails. */
int bpf_rings_drain(struct bpf_rings *rings, int (*fn)(void *ctx, const void *record, size_t size), void *ctx);

#endif
