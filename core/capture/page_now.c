/* page_now.c - the state of single pages, of a process that goes on as it does. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "error.h"
#include "mapcount.h"
#include "pagemap_again.h"
#include "procdir.h"

/* Leaves *fd open.  Returns 0, or errno; ESRCH: there is no memory behind it, or none
 * at that address (above the user's, nothing is read). */
static int read_entry(int procdir, uint64_t page, int *fd, uint64_t *entry)
{
	*fd = openat(procdir, "pagemap", O_RDONLY | O_CLOEXEC);
	if (*fd < 0)
		return errno;
	ssize_t got;
	do
		got = pread(*fd, entry, sizeof(*entry), (off_t)(page * sizeof(*entry)));
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return errno;
	return got == sizeof(*entry) ? 0 : ESRCH;
}

/* If the main thread has exited, another has the memory. */
static int find_entry(int procdir, pid_t pid, uint64_t page, int *fd, uint64_t *entry, struct vmsnap_error *err)
{
	int error = read_entry(procdir, page, fd, entry);
	if (error == ESRCH) {
		CLEANUP_CLOSE int living = procdir_living_thread(procdir);
		if (*fd >= 0)
			close(*fd);
		*fd = -1;
		*entry = 0;
		error = living < 0 ? ESRCH : read_entry(living, page, fd, entry);
		if (error == ESRCH && *fd >= 0)
			error = 0;
	}
	return error ? procdir_fail(error, pid, "pagemap", err) : VMSNAP_OK;
}

/* What only PAGEMAP_SCAN tells, or the zero page's number. */
static uint64_t more_flags(int fd, const struct address_range *page, uint64_t entry, struct pagemap_probe *probe)
{
	uint64_t flags = 0;
	struct page_region region = { 0 };
	int found = 0;
	if (!(entry & ENTRY_PRESENT))
		return 0;
	if (probe->zero_pfn && (entry & ENTRY_FRAME_MASK) == probe->zero_pfn)
		flags |= ENTRY_FLAG(VMSNAP_PAGE_ZERO);
	uint64_t table = (page->end - page->start) / sizeof(uint64_t);
	if (probe->huge_zero_pfn && (entry & ENTRY_FRAME_MASK) - probe->huge_zero_pfn < table)
		flags |= ENTRY_FLAG(VMSNAP_PAGE_ZERO | VMSNAP_PAGE_HUGE);
	if (!probe->scan)
		return flags;
	if (pagemap_scan(fd, page, SCAN_ZERO | SCAN_HUGE, 0, &region, 1, &found)) {
		/* Some kernels pass the probe and fail here. */
		probe->known.huge = false;
		probe->known.zero = probe->zero_pfn != 0;
		return flags;
	}
	return flags | (found ? pagemap_region_flags(&region) : 0);
}

/* An entry that does not say what it is: one page is to be settled, of how many that are in swap is of
 * no help.  Of a process of which nothing is in swap it is not there. */
static uint64_t settle(int procdir, int fd, uint64_t start, uint64_t page_size, bool frames, uint64_t entry)
{
	static const atomic_bool never;
	struct watchdog dog = { .on = false };
	struct pagemap_again again = { .memory = procdir,
		                       .pagemap = fd,
		                       .page_size = page_size,
		                       .frames = frames,
		                       .live = true,
		                       .cancel = &never,
		                       .dog = &dog };
	struct run run = { .head = start, .entry = entry };
	struct run_list one = { .items = &run, .count = 1 };
	if (!pagemap_unsettled(entry, frames) || pagemap_read_one_again(&again, &one))
		return entry;
	entry = again.runs.count ? again.runs.items[0].entry : 0;
	pagemap_again_free(&again);
	return entry;
}

/* Bit 56 of a page that is mapped by a PMD is about another; how often it is mapped itself is known to root.
 * Where nothing tells what is huge, any page may be. */
static void settle_exclusive(uint64_t *entry, int pagemap, uint64_t page, struct vmsnap_known *known)
{
	uint64_t frame = *entry & ENTRY_FRAME_MASK, count = 0, exclusive = ENTRY_FLAG(VMSNAP_PAGE_EXCLUSIVE);
	if (!(*entry & ENTRY_PRESENT) || (known->huge && entry_exclusive_known(*entry, known->pfn, false)))
		return;
	CLEANUP_CLOSE int fd = frame ? open("/proc/kpagecount", O_RDONLY | O_CLOEXEC) : -1;
	uint64_t again = 0;
	bool told = fd >= 0 && !mapcount_read(fd, frame, 1, &count) &&
	            pread(pagemap, &again, sizeof(again), (off_t)(page * sizeof(again))) == sizeof(again) &&
	            (again & ENTRY_PRESENT) && (again & ENTRY_FRAME_MASK) == frame && mapcount_is_exact();
	if (told)
		*entry = count == 1 ? *entry | exclusive : *entry & ~exclusive;
	else if (known->huge)
		known->exclusive = false;
	known->exclusive_huge = told && known->huge;
}

VMSNAP_API int vmsnap_page_now(pid_t pid, uint64_t address, struct vmsnap_run *page, struct vmsnap_known *known,
                               struct vmsnap_error *err)
{
	CLEANUP_CLOSE int procdir = -1, fd = -1;
	uint64_t page_size = (uint64_t)sysconf(_SC_PAGESIZE), start = address & ~(page_size - 1), entry = 0;
	int rc = procdir_open(pid, &procdir, err);
	rc = rc ? rc : find_entry(procdir, pid, address / page_size, &fd, &entry, err);
	if (rc)
		return rc;
	/* Tried out anew each time: nothing is kept, and it takes some 15 us. */
	struct pagemap_probe probe;
	rc = pagemap_probe(&probe, err);
	if (rc)
		return rc;
	struct address_range range = { start, start + page_size };
	entry = entry & ENTRY_POPULATED ? entry_normal(entry) : 0;
	entry = settle(procdir, fd, start, page_size, probe.known.pfn, entry);
	entry |= more_flags(fd, &range, entry, &probe);
	settle_exclusive(&entry, fd, address / page_size, &probe.known);
	*known = probe.known;
	if (!entry)
		return fail(err, VMSNAP_ERR_NOT_FOUND,
		            "the page of 0x%" PRIx64 " is absent or not mapped in process %d", address, (int)pid);
	run_describe(page_size, start, 1, entry, page);
	return VMSNAP_OK;
}

/* Returns 0 or errno.  Entries end where the kernel's do, above the user's addresses. */
static int read_entries(int procdir, uint64_t page, size_t count, uint64_t *entries)
{
	CLEANUP_CLOSE int fd = openat(procdir, "pagemap", O_RDONLY | O_CLOEXEC);
	size_t done = 0, size = count * sizeof(*entries);
	if (fd < 0)
		return errno;
	while (done < size) {
		ssize_t got = pread(fd, (char *)entries + done, size - done, (off_t)(page * sizeof(*entries) + done));
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return errno;
		if (got == 0)
			break;
		done += (size_t)got;
	}
	memset((char *)entries + done, 0, size - done);
	return done || !count ? 0 : ESRCH;
}

VMSNAP_API int vmsnap_pages_now(pid_t pid, uint64_t start, size_t count, uint64_t *entries, struct vmsnap_error *err)
{
	CLEANUP_CLOSE int procdir = -1;
	uint64_t page = start / (uint64_t)sysconf(_SC_PAGESIZE);
	if (count > SIZE_MAX / sizeof(*entries))
		return fail(err, VMSNAP_ERR_ARGUMENT, "%zu pages are more than there can be", count);
	int rc = procdir_open(pid, &procdir, err);
	if (rc)
		return rc;
	int error = read_entries(procdir, page, count, entries);
	if (error == ESRCH) {
		/* If the main thread has exited, another has the memory. */
		CLEANUP_CLOSE int living = procdir_living_thread(procdir);
		error = living < 0 ? ESRCH : read_entries(living, page, count, entries);
		/* Nothing is read above the user's addresses, where nothing is mapped. */
		if (error == ESRCH && living >= 0) {
			memset(entries, 0, count * sizeof(*entries));
			error = 0;
		}
	}
	if (error)
		return procdir_fail(error, pid, "pagemap", err);
	for (size_t i = 0; i < count; i++)
		entries[i] = entry_normal(entries[i]);
	return VMSNAP_OK;
}
