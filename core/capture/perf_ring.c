#define _GNU_SOURCE
#include "perf_ring.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "error.h"

enum { RECORD_MAX = 1 << 16 }; /* the size of one has 16 bits */

int perf_event_open_fd(const struct perf_event_attr *attr, pid_t tid, int cpu)
{
	return (int)syscall(SYS_perf_event_open, attr, tid, cpu, -1, PERF_FLAG_FD_CLOEXEC);
}

static int open_ring(struct perf_ring *ring, unsigned cpu, size_t most)
{
	struct perf_event_attr attr = {
		.size = sizeof(attr),
		.type = PERF_TYPE_SOFTWARE,
		.config = PERF_COUNT_SW_DUMMY,
		.exclude_kernel = 1,
		.use_clockid = 1, /* all that write into one ring have one clock */
		.clockid = CLOCK_MONOTONIC,
		.watermark = 1,
	};
	size_t page = (size_t)sysconf(_SC_PAGESIZE), bytes = most;
	*ring = (struct perf_ring){ .cpu = cpu };
	attr.wakeup_watermark = (uint32_t)(bytes / 4);
	ring->fd = perf_event_open_fd(&attr, 0, (int)cpu);
	if (ring->fd < 0)
		return errno;
	/* What a user may lock for rings is little (perf_event_mlock_kb), and others may have some of it. */
	void *at = MAP_FAILED;
	for (; bytes >= page && at == MAP_FAILED; bytes /= 2) {
		at = mmap(NULL, page + bytes, PROT_READ | PROT_WRITE, MAP_SHARED, ring->fd, 0);
		ring->bytes = bytes;
	}
	if (at == MAP_FAILED) {
		int error = errno;
		close(ring->fd);
		return error;
	}
	ring->page = at;
	return 0;
}

int perf_rings_open(struct perf_rings *rings, size_t most, struct vmsnap_error *err)
{
	long cpus = sysconf(_SC_NPROCESSORS_CONF);
	*rings = (struct perf_rings){ .scratch = malloc(RECORD_MAX) };
	rings->items = calloc(cpus > 0 ? (size_t)cpus : 1, sizeof(*rings->items));
	if (!rings->items || !rings->scratch) {
		perf_rings_close(rings);
		return fail_no_memory(err);
	}
	for (long cpu = 0; cpu < cpus; cpu++) {
		int error = open_ring(&rings->items[rings->count], (unsigned)cpu, most);
		if (!error)
			rings->count++;
		else if (error != ENODEV) { /* that one is offline */
			perf_rings_close(rings);
			return fail_sys(err, error, "cannot watch page faults (perf_event_open)");
		}
	}
	return VMSNAP_OK;
}

void perf_rings_close(struct perf_rings *rings)
{
	for (size_t i = 0; i < rings->count; i++) {
		munmap(rings->items[i].page, (size_t)sysconf(_SC_PAGESIZE) + rings->items[i].bytes);
		close(rings->items[i].fd);
	}
	free(rings->items);
	free(rings->scratch);
	*rings = (struct perf_rings){ .items = NULL };
}

void perf_rings_wait(const struct perf_rings *rings, int another, int timeout_ms)
{
	struct pollfd *fds = calloc(rings->count + 1, sizeof(*fds));
	for (size_t i = 0; fds && i < rings->count; i++)
		fds[i] = (struct pollfd){ .fd = rings->items[i].fd, .events = POLLIN };
	if (fds) {
		fds[rings->count] = (struct pollfd){ .fd = another, .events = POLLIN };
		(void)poll(fds, rings->count + 1, timeout_ms);
	}
	free(fds);
}

/* The record at a place of the ring, in one piece. */
static const struct perf_event_header *record_at(const struct perf_rings *rings, const struct perf_ring *ring,
                                                 uint64_t at)
{
	const char *data = (const char *)ring->page + ring->page->data_offset;
	size_t from = (size_t)(at & (ring->bytes - 1)), left = ring->bytes - from;
	const struct perf_event_header *header = (const void *)(data + from);
	if (header->size <= left) /* they are aligned, so that a header never goes round the end */
		return header;
	memcpy(rings->scratch, data + from, left);
	memcpy((char *)rings->scratch + left, data, header->size - left);
	return rings->scratch;
}

static int drain(struct perf_rings *rings, const struct perf_ring *ring,
                 int (*fn)(void *ctx, const struct perf_event_header *record), void *ctx)
{
	uint64_t head = __atomic_load_n(&ring->page->data_head, __ATOMIC_ACQUIRE), tail = ring->page->data_tail;
	int rc = VMSNAP_OK;
	while (!rc && tail < head) {
		const struct perf_event_header *record = record_at(rings, ring, tail);
		if (record->size < sizeof(*record))
			break;
		tail += record->size;
		rc = fn(ctx, record);
	}
	__atomic_store_n(&ring->page->data_tail, tail, __ATOMIC_RELEASE);
	return rc;
}

int perf_rings_drain(struct perf_rings *rings, int (*fn)(void *ctx, const struct perf_event_header *record), void *ctx)
{
	int rc = VMSNAP_OK;
	for (size_t i = 0; !rc && i < rings->count; i++)
		rc = drain(rings, &rings->items[i], fn, ctx);
	return rc;
}
