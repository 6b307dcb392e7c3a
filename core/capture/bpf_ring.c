#define _GNU_SOURCE
#include "bpf_ring.h"

#include <errno.h>
#include <sched.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/mman.h>

#include "clock.h"

static size_t page_size(void)
{
	return (size_t)sysconf(_SC_PAGESIZE);
}

static int open_ring(struct bpf_rings *rings)
{
	union bpf_attr attr = { .map_type = BPF_MAP_TYPE_RINGBUF, .max_entries = (unsigned)rings->bytes };
	struct bpf_ring *ring = &rings->items[rings->count];
	size_t page = page_size();
	*ring = (struct bpf_ring){ .fd = bpf_call(BPF_MAP_CREATE, &attr) };
	if (ring->fd < 0)
		return errno;
	rings->count++;
	void *at = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED, ring->fd, 0);
	if (at == MAP_FAILED)
		return errno;
	ring->taken = at;
	at = mmap(NULL, page + 2 * rings->bytes, PROT_READ, MAP_SHARED, ring->fd, (off_t)page);
	if (at == MAP_FAILED)
		return errno;
	ring->written = at;
	return 0;
}

static int hand_over(const struct bpf_rings *rings, size_t index)
{
	const struct bpf_ring *ring = &rings->items[index];
	unsigned key = (unsigned)index;
	union bpf_attr attr = { .map_fd = (unsigned)rings->map, .key = (uintptr_t)&key, .value = (uintptr_t)&ring->fd };
	struct epoll_event event = { .events = EPOLLIN };
	return bpf_call(BPF_MAP_UPDATE_ELEM, &attr) || epoll_ctl(rings->poll, EPOLL_CTL_ADD, ring->fd, &event) ? errno
	                                                                                                       : 0;
}

/* The kernel wants one of those that it will hold before the map of them is made. */
static int open_map(struct bpf_rings *rings)
{
	union bpf_attr attr = {
		.map_type = BPF_MAP_TYPE_ARRAY_OF_MAPS,
		.key_size = sizeof(unsigned),
		.value_size = sizeof(unsigned),
		.max_entries = (unsigned)rings->count,
		.inner_map_fd = (unsigned)rings->items[0].fd,
	};
	rings->map = bpf_call(BPF_MAP_CREATE, &attr);
	rings->poll = epoll_create1(EPOLL_CLOEXEC);
	int error = rings->map < 0 || rings->poll < 0 ? errno : 0;
	for (size_t i = 0; !error && i < rings->count; i++)
		error = hand_over(rings, i);
	return error;
}

int bpf_rings_open(struct bpf_rings *rings, size_t bytes)
{
	long cpus = sysconf(_SC_NPROCESSORS_CONF);
	*rings = (struct bpf_rings){ .bytes = bytes, .map = -1, .poll = -1 };
	rings->items = calloc(cpus > 0 ? (size_t)cpus : 1, sizeof(*rings->items));
	int error = rings->items ? 0 : ENOMEM;
	for (long cpu = 0; !error && (cpu < cpus || !cpu); cpu++)
		error = open_ring(rings);
	return error ? error : open_map(rings);
}

void bpf_rings_close(struct bpf_rings *rings)
{
	for (size_t i = 0; i < rings->count; i++) {
		const struct bpf_ring *ring = &rings->items[i];
		if (ring->taken)
			munmap(ring->taken, page_size());
		if (ring->written)
			munmap(ring->written, page_size() + 2 * rings->bytes);
		close(ring->fd);
	}
	if (rings->map >= 0)
		close(rings->map);
	if (rings->poll >= 0)
		close(rings->poll);
	free(rings->items);
	*rings = (struct bpf_rings){ .map = -1, .poll = -1 };
}

/* How long it is, once it is whole: it is being written where another processor has been interrupted in between, and
 * all that is behind it would not be seen if it were not waited for.  UINT32_MAX: that took too long. */
static uint32_t length_of(const uint32_t *header)
{
	enum { PATIENCE_NS = 200000000 };
	uint64_t begun = 0;
	for (;;) {
		uint32_t length = __atomic_load_n(header, __ATOMIC_ACQUIRE);
		if (!(length & BPF_RINGBUF_BUSY_BIT))
			return length;
		uint64_t now = monotonic_now();
		begun = begun ? begun : now;
		if (now - begun > PATIENCE_NS)
			return UINT32_MAX;
		sched_yield();
	}
}

/* A record that goes round the end is in one piece: the data is mapped twice in a row. */
static int drain(const struct bpf_rings *rings, const struct bpf_ring *ring,
                 int (*fn)(void *ctx, const void *record, size_t size), void *ctx)
{
	unsigned long head = __atomic_load_n(ring->written, __ATOMIC_ACQUIRE), tail = *ring->taken;
	const char *data = (const char *)ring->written + page_size();
	int rc = 0;
	while (!rc && tail < head) {
		const char *record = data + (tail & (rings->bytes - 1));
		uint32_t length = length_of((const uint32_t *)record);
		if (length == UINT32_MAX)
			break;
		size_t size = length & ~(uint32_t)BPF_RINGBUF_DISCARD_BIT;
		if (!(length & BPF_RINGBUF_DISCARD_BIT))
			rc = fn(ctx, record + BPF_RINGBUF_HDR_SZ, size);
		tail += (BPF_RINGBUF_HDR_SZ + size + 7) & ~(size_t)7;
	}
	__atomic_store_n(ring->taken, tail, __ATOMIC_RELEASE);
	return rc;
}

int bpf_rings_drain(struct bpf_rings *rings, int (*fn)(void *ctx, const void *record, size_t size), void *ctx)
{
	int rc = 0;
	for (size_t i = 0; !rc && i < rings->count; i++)
		rc = drain(rings, &rings->items[i], fn, ctx);
	return rc;
}
