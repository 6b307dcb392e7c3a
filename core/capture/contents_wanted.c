#include "contents_wanted.h"

#include <string.h>

#include "pattern.h"

static bool has_flag(const char *flags, const char *flag)
{
	for (; *flags; flags += strcspn(flags, " "), flags += strspn(flags, " "))
		if (!strncmp(flags, flag, 2) && (flags[2] == ' ' || !flags[2]))
			return true;
	return false;
}

/* Memory of devices, and what the kernel shows of itself: reading it may do anything, or nothing. */
static bool is_device(const char *flags, const struct vmsnap_vma *vma)
{
	return has_flag(flags, "io") || has_flag(flags, "pf") || !strncmp(vma->name, "[vvar", 5) ||
	       !strcmp(vma->name, "[vsyscall]");
}

/* memfd_secret(2): not even the kernel may look at it. */
static bool is_secret(const struct vmsnap_vma *vma)
{
	return !strncmp(vma->name, "/secretmem", 10);
}

static bool is_excluded(const struct vmsnap_capture_options *options, const struct vmsnap_vma *vma)
{
	for (size_t i = 0; i < options->exclude_count; i++)
		if (pattern_fits(options->exclude[i], vma->name))
			return true;
	return false;
}

bool contents_flags_undumped(const char *flags)
{
	return has_flag(flags, "dd");
}

bool contents_wants_mapping(const struct vmsnap_capture_options *options, const struct vmsnap_vma *vma,
                            const char *flags)
{
	const uint32_t access = VMSNAP_PERM_READ | VMSNAP_PERM_WRITE | VMSNAP_PERM_EXEC;
	bool undumped = options->contents & VMSNAP_WANT_UNDUMPED;
	if (is_device(flags, vma) || is_excluded(options, vma))
		return false;
	if (!undumped && (contents_flags_undumped(flags) || !(vma->perms & access) || is_secret(vma)))
		return false;
	return (options->contents & CONTENTS_WANTED_MASK) == VMSNAP_WANT_ALL || !(vma->perms & VMSNAP_PERM_SHARED);
}

/* Of a file that is mapped to be written to, what was not written yet as well: it is little, and tells what
 * a variable was before. */
bool contents_wants_state(const struct vmsnap_capture_options *options, const struct vmsnap_vma *vma, uint64_t entry)
{
	if (!(entry & ENTRY_PRESENT) || entry & ENTRY_FLAG(VMSNAP_PAGE_ZERO))
		return false;
	bool clean = entry & ENTRY_FLAG(VMSNAP_PAGE_FILE);
	return !clean || vma->perms & VMSNAP_PERM_WRITE ||
	       (options->contents & CONTENTS_WANTED_MASK) == VMSNAP_WANT_ALL;
}

int contents_outside_excluded(const struct vmsnap_capture_options *options, uint64_t page_size, uint64_t start,
                              uint64_t end, contents_range_fn fn, void *ctx)
{
	uint64_t mask = page_size - 1;
	int rc = VMSNAP_OK;
	while (!rc && start < end) {
		uint64_t until = end, next = end;
		for (size_t i = 0; i < options->exclude_range_count; i++) {
			const struct vmsnap_range *range = &options->exclude_ranges[i];
			uint64_t from = range->start & ~mask, to = (range->end + mask) & ~mask;
			to = to < range->end ? UINT64_MAX & ~mask : to;
			if (from >= to || to <= start || from >= until)
				continue;
			until = from > start ? from : start;
			next = to;
		}
		if (until > start)
			rc = fn(ctx, start, until);
		start = until == end ? end : next;
	}
	return rc;
}
