#define _GNU_SOURCE
#include "bpf_ring.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/mman.h>

#include "clock.h"
#include "error.h"

static size_t page_size(void)
{
	return (size_t)sysconf(_SC_PAGESIZE);
}

int bpf_value_open(int *map, void **out, size_t bytes)
{
	union bpf_attr attr = {
		.map_type = BPF_MAP_TYPE_ARRAY,
		.key_size = sizeof(unsigned),
		.value_size = (unsigned)bytes,
		.max_entries = 1,
		.map_flags = BPF_F_MMAPABLE,
	};
	*map = bpf_call(BPF_MAP_CREATE, &attr);
	void *at = *map < 0 ? MAP_FAILED : mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, *map, 0);
	if (at == MAP_FAILED)
		return errno;
	*out = at;
	return 0;
}

static int open_ring(const struct bpf_rings *rings, struct bpf_ring *ring)
{
	union bpf_attr attr = { .map_type = BPF_MAP_TYPE_RINGBUF, .max_entries = (unsigned)rings->bytes };
	size_t page = page_size();
	ring->fd = bpf_call(BPF_MAP_CREATE, &attr);
	if (ring->fd < 0)
		return errno;
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
	size_t any = 0;
	while (any + 1 < rings->count && rings->items[any].fd < 0)
		any++;
	union bpf_attr attr = {
		.map_type = BPF_MAP_TYPE_ARRAY_OF_MAPS,
		.key_size = sizeof(unsigned),
		.value_size = sizeof(unsigned),
		.max_entries = (unsigned)rings->count,
		.inner_map_fd = (unsigned)rings->items[any].fd,
	};
	rings->map = bpf_call(BPF_MAP_CREATE, &attr);
	rings->poll = epoll_create1(EPOLL_CLOEXEC);
	int error = rings->map < 0 || rings->poll < 0 ? errno : 0;
	for (size_t i = 0; !error && i < rings->count; i++)
		error = rings->items[i].fd < 0 ? 0 : hand_over(rings, i);
	return error;
}

/* One that cannot be taken off has no such file.  What is told on one that comes meanwhile is counted as lost. */
static bool is_online(size_t cpu)
{
	char path[64], yes = '1';
	snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%zu", cpu);
	if (access(path, F_OK))
		return cpu == 0;
	snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%zu/online", cpu);
	CLEANUP_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 || read(fd, &yes, 1) != 1 || yes == '1';
}

/* The kernel takes the memory at once, all of it. */
static size_t bytes_of_each(size_t most, size_t online)
{
	const size_t all = (size_t)256 << 20;
	while (most > page_size() && most * online > all)
		most /= 2;
	return most;
}

int bpf_rings_open(struct bpf_rings *rings, size_t bytes)
{
	long cpus = sysconf(_SC_NPROCESSORS_CONF);
	size_t online = 0, count = cpus > 0 ? (size_t)cpus : 1;
	*rings = (struct bpf_rings){ .map = -1, .poll = -1 };
	rings->items = calloc(count, sizeof(*rings->items));
	if (!rings->items)
		return ENOMEM;
	rings->count = count;
	for (size_t i = 0; i < count; i++) {
		rings->items[i].online = is_online(i);
		rings->items[i].fd = -1;
		online += rings->items[i].online;
	}
	rings->bytes = bytes_of_each(bytes, online);
	int error = 0;
	for (size_t i = 0; !error && i < count; i++)
		error = rings->items[i].online ? open_ring(rings, &rings->items[i]) : 0;
	return error ? error : open_map(rings);
}

int bpf_ring_open(struct bpf_rings *rings, size_t bytes)
{
	*rings = (struct bpf_rings){ .map = -1, .poll = -1, .bytes = bytes };
	rings->items = calloc(1, sizeof(*rings->items));
	if (!rings->items)
		return ENOMEM;
	rings->count = 1;
	rings->items[0] = (struct bpf_ring){ .online = true, .fd = -1 };
	return open_ring(rings, &rings->items[0]);
}

void bpf_rings_close(struct bpf_rings *rings)
{
	for (size_t i = 0; i < rings->count; i++) {
		const struct bpf_ring *ring = &rings->items[i];
		if (ring->taken)
			munmap(ring->taken, page_size());
		if (ring->written)
			munmap(ring->written, page_size() + 2 * rings->bytes);
		if (ring->fd >= 0)
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
	if (!ring->written)
		return 0;
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
