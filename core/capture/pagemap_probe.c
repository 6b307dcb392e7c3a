/* pagemap_probe.c - what this kernel and our rights let us know of pages. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "error.h"
#include "pagemap.h"

bool pagemap_shows_exclusive(const char *release)
{
	unsigned major, minor;
	if (sscanf(release, "%u.%u", &major, &minor) != 2)
		return false;
	return major > 4 || (major == 4 && minor >= 2);
}

static bool kernel_shows_exclusive(void)
{
	struct utsname name;
	return !uname(&name) && pagemap_shows_exclusive(name.release);
}

static bool one_zero_page(void)
{
	/* s390x and mips have several zero pages of different colours. */
#if defined(__x86_64__) || defined(__i386__) || defined(__aarch64__)
	return true;
#else
	return false;
#endif
}

static void probe_page(int fd, volatile char *page, size_t page_size, struct pagemap_probe *probe)
{
	uint64_t entry = 0;
	off_t at = (off_t)((uintptr_t)page / page_size * 8);
	/* Read before it is ever written: the zero page. */
	(void)page[0];
	if (pread(fd, &entry, sizeof(entry), at) == sizeof(entry) && (entry & ENTRY_PRESENT)) {
		probe->known.pfn = (entry & ENTRY_FRAME_MASK) != 0;
		if (one_zero_page())
			probe->zero_pfn = entry & ENTRY_FRAME_MASK;
	}
	struct page_region region = { 0 };
	struct address_range range = { (uintptr_t)page, (uintptr_t)page + page_size };
	int found, error = pagemap_scan(fd, &range, SCAN_ZERO | SCAN_PRESENT, 0, &region, 1, &found);
	probe->scan = !error && found == 1 && (region.categories & SCAN_PRESENT);
	/* A new mapping is soft-dirty once it is written, wherever the bit exists. */
	page[0] = 1;
	if (pread(fd, &entry, sizeof(entry), at) == sizeof(entry))
		probe->known.soft_dirty = entry & ENTRY_FLAG(VMSNAP_PAGE_SOFT_DIRTY);
}

/* Where PAGEMAP_SCAN does not tell: a huge page that was only read, and that is nobody's own.  There is one on a
 * machine, and who has had it keeps it where it is until he ends. */
static uint64_t find_huge_zero(int fd, size_t page_size)
{
	size_t pages = page_size / sizeof(uint64_t), huge = pages * page_size;
	uint64_t entries[2] = { 0 }, found = 0;
	char *memory = mmap(NULL, 2 * huge, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (memory == MAP_FAILED)
		return 0;
	volatile char *page = memory + (huge - (uintptr_t)memory % huge) % huge;
	off_t at = (off_t)((uintptr_t)page / page_size * sizeof(uint64_t));
	if (!madvise(memory, 2 * huge, MADV_HUGEPAGE)) {
		(void)page[0];
		if (pread(fd, entries, sizeof(entries), at) == sizeof(entries))
			found = entries[0] & ENTRY_FRAME_MASK;
	}
	munmap(memory, 2 * huge);
	bool whole = found && found % pages == 0 && (entries[1] & ENTRY_FRAME_MASK) == found + 1;
	return whole && !(entries[0] & ENTRY_FLAG(VMSNAP_PAGE_EXCLUSIVE)) ? found : 0;
}

int pagemap_probe(struct pagemap_probe *out, struct vmsnap_error *err)
{
	*out = (struct pagemap_probe){ 0 };
	CLEANUP_CLOSE int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	if (fd < 0 && (errno == EMFILE || errno == ENFILE))
		return fail_sys(err, errno, "cannot open /proc/self/pagemap; raise the limit with ulimit -n");
	if (fd < 0)
		return fail_sys(err, errno,
		                "cannot open /proc/self/pagemap (is /proc mounted, does the kernel have "
		                "CONFIG_PROC_PAGE_MONITOR?)");
	size_t page_size = (size_t)sysconf(_SC_PAGESIZE);
	void *page = mmap(NULL, page_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (page == MAP_FAILED)
		return fail_no_memory(err);
	probe_page(fd, page, page_size, out);
	munmap(page, page_size);
	if (!out->scan && out->known.pfn)
		out->huge_zero_pfn = find_huge_zero(fd, page_size);
	out->known.exclusive = kernel_shows_exclusive();
	out->known.huge = out->scan;
	out->known.zero = out->scan || out->zero_pfn;
	return VMSNAP_OK;
}
