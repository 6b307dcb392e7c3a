#define _GNU_SOURCE
#include "process_bytes.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "error.h"
#include "runs.h"
#include "vmsnap.h"

struct reading {
	int memory, pagemap;
	size_t page_size;
};

static int open_file(uint32_t pid, const char *name)
{
	char path[64];
	snprintf(path, sizeof(path), "/proc/%u/%s", (unsigned)pid, name);
	return open(path, O_RDONLY | O_CLOEXEC);
}

/* Of one page.  One that a fork shares goes back to where it was: see vmsnap_put_back(). */
static bool read_within(const struct reading *reading, uint64_t address, void *out, size_t len)
{
	uint64_t entry, owned = ENTRY_FLAG(VMSNAP_PAGE_FILE | VMSNAP_PAGE_EXCLUSIVE);
	off_t at = (off_t)(address / reading->page_size * sizeof(entry));
	if (pread(reading->pagemap, &entry, sizeof(entry), at) != (ssize_t)sizeof(entry))
		return false;
	entry = entry_normal(entry);
	if (!(entry & ENTRY_PRESENT))
		return false;
	bool whole = pread(reading->memory, out, len, (off_t)address) == (ssize_t)len;
	if (!(entry & owned))
		vmsnap_put_back(false);
	return whole;
}

size_t process_bytes_some(uint32_t pid, uint64_t address, void *out, size_t len)
{
	CLEANUP_CLOSE int memory = open_file(pid, "mem"), pagemap = open_file(pid, "pagemap");
	struct reading reading = { memory, pagemap, (size_t)sysconf(_SC_PAGESIZE) };
	size_t got = 0;
	while (memory >= 0 && pagemap >= 0 && got < len) {
		size_t left = reading.page_size - (size_t)((address + got) % reading.page_size);
		size_t part = left < len - got ? left : len - got;
		if (!read_within(&reading, address + got, (char *)out + got, part))
			break;
		got += part;
	}
	return got;
}

bool process_bytes(uint32_t pid, uint64_t address, void *out, size_t len)
{
	return process_bytes_some(pid, address, out, len) == len;
}
