#define _GNU_SOURCE
#include "contents_reading.h"

#include <errno.h>
#include <unistd.h>

#include "error.h"
#include "runs.h"

/* Pages that were there a moment ago: what went to swap since must not be asked for. */
static void read_present(struct contents_reading *reading, uint64_t address, size_t len)
{
	size_t page_size = (size_t)reading->page_size;
	struct page_batch *batch = keeper_batch(reading->keeper);
	for (size_t done = 0; done < len;) {
		char *to = batch->bytes + batch->count * page_size;
		ssize_t got = pread(reading->memory, to, len - done, (off_t)(address + done));
		if (got < 0 && errno == EINTR)
			continue;
		size_t whole = got > 0 ? (size_t)got & ~(page_size - 1) : 0;
		for (size_t at = 0; at < whole; at += page_size)
			batch->addresses[batch->count++] = address + done + at;
		/* A page that cannot be read (poisoned, a guard) is not known. */
		done += whole ? whole : page_size;
	}
}

/* No more pages than the batch has room for. */
static int read_pages(struct contents_reading *reading, uint64_t address, size_t pages)
{
	uint64_t entries[KEEPER_PAGES_MAX];
	ssize_t size = (ssize_t)(pages * sizeof(*entries));
	watchdog_kick(reading->dog);
	realtime_check(reading->realtime);
	if (atomic_load_explicit(reading->cancel, memory_order_relaxed))
		return fail(reading->err, VMSNAP_ERR_CANCELLED, "cancelled");
	if (pread(reading->pagemap, entries, (size_t)size, (off_t)(address / reading->page_size * 8)) != size)
		return VMSNAP_OK;
	for (size_t i = 0, end; i < pages; i = end) {
		bool present = entries[i] & ENTRY_PRESENT;
		for (end = i + 1; end < pages && !(entries[end] & ENTRY_PRESENT) == !present; end++)
			;
		if (present)
			read_present(reading, address + i * reading->page_size, (end - i) * reading->page_size);
	}
	return VMSNAP_OK;
}

int contents_read(struct contents_reading *reading, uint64_t start, uint64_t end)
{
	size_t page_size = (size_t)reading->page_size, room = KEEPER_BYTES / page_size;
	int rc = VMSNAP_OK;
	for (uint64_t at = start; !rc && at < end;) {
		uint64_t left = (end - at) / page_size;
		size_t free = room - keeper_batch(reading->keeper)->count;
		size_t pages = left < free ? (size_t)left : free;
		rc = read_pages(reading, at, pages);
		at += pages * page_size;
		/* Of one that is nearly full the rest is not worth reading by itself. */
		if (!rc && keeper_batch(reading->keeper)->count > room * 3 / 4)
			rc = keeper_give(reading->keeper, reading->err);
	}
	return rc;
}
