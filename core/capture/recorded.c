#define _GNU_SOURCE
#include "recorded.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "cgroup.h"
#include "error.h"
#include "pagemap.h"
#include "scan.h"

enum { PAGE_SIZE_MIN = 4096, PAGE_SIZE_MAX = 1 << 30 };

static bool is_page_size(uint64_t size)
{
	return size >= PAGE_SIZE_MIN && size <= PAGE_SIZE_MAX && !(size & (size - 1));
}

/* The value of a line "Key: value", without blanks around it; empty if there is no such line. */
static struct cursor value_of(const struct proc_text *text, const char *key)
{
	size_t len = strlen(key);
	struct cursor c = { "", "" };
	if (text->len)
		c = (struct cursor){ text->text, text->text + text->len };
	while (c.at < c.end) {
		struct cursor line = take_until(&c, '\n');
		if ((size_t)(line.end - line.at) <= len || line.at[len] != ':' || memcmp(line.at, key, len) != 0)
			continue;
		line.at += len + 1;
		take_spaces(&line);
		while (line.end > line.at && strchr(" \t\r", line.end[-1]))
			line.end--;
		return line;
	}
	return (struct cursor){ c.end, c.end };
}

static int take_string(const struct proc_text *text, const char *key, struct vmsnap *snap, const char **out)
{
	struct cursor value = value_of(text, key);
	*out = arena_copy(&snap->strings, value.at, strnlen(value.at, (size_t)(value.end - value.at)));
	return *out ? VMSNAP_OK : VMSNAP_ERR_NO_MEMORY;
}

/* "1764185000.25": seconds since 1970; 0 if it is no time. */
static int64_t time_of(struct cursor value)
{
	const uint64_t second = 1000000000;
	uint64_t seconds, nanoseconds = 0;
	if (!take_decimal(&value, &seconds) || seconds > (uint64_t)INT64_MAX / second - 1)
		return 0;
	if (take_char(&value, '.'))
		for (uint64_t unit = second / 10; unit && value.at < value.end; unit /= 10, value.at++)
			nanoseconds += *value.at >= '0' && *value.at <= '9' ? (uint64_t)(*value.at - '0') * unit : 0;
	return (int64_t)(seconds * second + nanoseconds);
}

/* ---- the size of its pages ------------------------------------------------------------ */

/* Of all mappings but those of huge pages KernelPageSize is that of the kernel, and there is always
 * one that is not of huge pages: the stack, the program. */
static uint64_t size_by_smaps(const struct recorded_source *source)
{
	struct proc_text text = { 0 };
	uint64_t least = UINT64_MAX;
	if (source->read(source->ctx, "smaps", &text) == 0) {
		struct cursor c = { text.text, text.text + text.len };
		static const char key[] = "KernelPageSize:";
		while (c.at < c.end) {
			struct cursor line = take_until(&c, '\n');
			uint64_t kib;
			if ((size_t)(line.end - line.at) < sizeof(key) || memcmp(line.at, key, sizeof(key) - 1) != 0)
				continue;
			line.at += sizeof(key) - 1;
			take_spaces(&line);
			if (take_decimal(&line, &kib) && kib <= PAGE_SIZE_MAX / 1024 && is_page_size(kib * 1024))
				least = kib * 1024 < least ? kib * 1024 : least;
		}
	}
	proc_text_free(&text);
	return least == UINT64_MAX ? 0 : least;
}

/* The greatest size of which all borders and offsets are multiples: pages are that large at most. */
static uint64_t size_at_most(const struct proc_text *maps)
{
	struct cursor c = { maps->text, maps->text + maps->len };
	uint64_t bits = PAGE_SIZE_MAX;
	while (c.at < c.end) {
		struct cursor line = take_until(&c, '\n');
		uint64_t start, end, offset;
		if (!take_hex(&line, &start) || !take_char(&line, '-') || !take_hex(&line, &end))
			continue;
		bits |= start | end;
		take_spaces(&line);
		take_until(&line, ' ');
		if (take_hex(&line, &offset))
			bits |= offset;
	}
	return bits & -bits;
}

/* Mostly some mapping begins or ends where only the smallest pages do.  Where none does and nothing
 * else tells, this machine's size is as good as any that fits. */
static void choose_page_size(const struct recorded_source *source, const struct proc_text *maps,
                             struct vmsnap_info *info)
{
	uint64_t most = size_at_most(maps), size = size_by_smaps(source);
	if (!size && most <= PAGE_SIZE_MIN)
		size = PAGE_SIZE_MIN;
	info->page_size_assumed = !size;
	if (!size)
		size = (uint64_t)sysconf(_SC_PAGESIZE);
	while (info->page_size_assumed && size > most)
		size /= 2;
	info->page_size = size;
}

static int take_page_size(const struct recorded_source *source, const struct proc_text *maps,
                          const struct proc_text *text, struct vmsnap_info *info, struct vmsnap_error *err)
{
	struct cursor value = value_of(text, "Page-size");
	uint64_t size;
	if (value.at == value.end) {
		choose_page_size(source, maps, info);
		return VMSNAP_OK;
	}
	if (!take_decimal(&value, &size) || value.at != value.end || !is_page_size(size))
		return fail(err, VMSNAP_ERR_PROC,
		            "the folder's identity has no page size: expected a power of two from 4096 to 2^30");
	info->page_size = size;
	return VMSNAP_OK;
}

/* ---- who it was ----------------------------------------------------------------------- */

static int take_machine(const struct proc_text *text, struct vmsnap *snap)
{
	struct vmsnap_info *info = &snap->info;
	const struct {
		const char *key, **out;
	} strings[] = {
		{ "Host", &info->host },       { "Kernel", &info->kernel }, { "Arch", &info->arch },
		{ "Boot-id", &info->boot_id }, { "Exe", &info->exe },
	};
	for (size_t i = 0; i < sizeof(strings) / sizeof(strings[0]); i++)
		if (take_string(text, strings[i].key, snap, strings[i].out))
			return VMSNAP_ERR_NO_MEMORY;
	info->taken = time_of(value_of(text, "Taken"));
	struct cursor frame = value_of(text, "Zero-page");
	if (!take_hex(&frame, &info->zero_pfn) || frame.at != frame.end || info->zero_pfn > ENTRY_FRAME_MASK)
		info->zero_pfn = 0;
	info->monotonic = 0;
	return VMSNAP_OK;
}

/* The files of the folder that a process would be asked for, as far as they are there. */
static int take_process(const struct recorded_source *source, struct vmsnap *snap)
{
	struct vmsnap_info *info = &snap->info;
	struct proc_text text = { 0 };
	struct proc_stat stat;
	bool no_memory = false;
	if (source->read(source->ctx, "stat", &text) == 0 && !proc_stat_parse(text.text, text.len, &stat)) {
		info->start_time = stat.start_time;
		info->executed = proc_stat_executed(&stat);
	}
	if (source->read(source->ctx, "comm", &text) == 0 && text.len) {
		info->comm = arena_copy(&snap->strings, text.text, strcspn(text.text, "\n"));
		no_memory |= !info->comm;
	}
	if (source->read(source->ctx, "cmdline", &text) == 0 && text.len) {
		info->cmdline = arena_copy(&snap->strings, text.text, text.len);
		info->cmdline_len = text.len;
		no_memory |= !info->cmdline;
	}
	if (source->read(source->ctx, "cgroup", &text) == 0) {
		struct cursor path = cgroup_path(&text);
		info->cgroup = arena_copy(&snap->strings, path.at, strnlen(path.at, (size_t)(path.end - path.at)));
		no_memory |= !info->cgroup;
	}
	proc_text_free(&text);
	return no_memory ? VMSNAP_ERR_NO_MEMORY : VMSNAP_OK;
}

int recorded_identity(const struct recorded_source *source, const struct proc_text *maps, struct vmsnap *snap,
                      struct vmsnap_error *err)
{
	struct proc_text text = { 0 };
	int error = source->read(source->ctx, "identity", &text);
	if (error && error != ENOENT)
		return fail_sys(err, error, "cannot read identity in the folder");
	int rc = take_page_size(source, maps, &text, &snap->info, err);
	if (!rc && (take_machine(&text, snap) || take_process(source, snap)))
		rc = fail_no_memory(err);
	proc_text_free(&text);
	return rc;
}

/* Where nothing is a file's, what looks so is the huge zero page. */
static bool is_plain(const struct vmsnap_vma *vma)
{
	return vma && !(vma->perms & VMSNAP_PERM_SHARED) && !vma->inode && !vma->dev_major && !vma->dev_minor &&
	       (!*vma->name || !strcmp(vma->name, "[heap]") || !strncmp(vma->name, "[anon:", 6));
}

/* The frames beside the zero page's are the kernel's own: no run goes over it. */
static void mark_zero_pages(struct vmsnap *snap)
{
	for (size_t i = 0; i < snap->runs.count; i++) {
		struct run *run = &snap->runs.items[i];
		if (!(run->entry & ENTRY_PRESENT))
			continue;
		bool file = run->entry & ENTRY_FLAG(VMSNAP_PAGE_FILE);
		if (file ? is_plain(vmsnap_vma_at(snap, run_start(run)))
		         : (run->entry & ENTRY_FRAME_MASK) == snap->info.zero_pfn)
			run->entry |= ENTRY_FLAG(VMSNAP_PAGE_ZERO);
	}
}

void recorded_known(struct vmsnap *snap, uint64_t zero_pfn)
{
	struct vmsnap_known known = { .exclusive = pagemap_shows_exclusive(snap->info.kernel) };
	for (size_t i = 0; i < snap->runs.count; i++) {
		uint64_t entry = snap->runs.items[i].entry;
		known.pfn |= (entry & ENTRY_POPULATED) && (entry & ENTRY_FRAME_MASK);
		known.soft_dirty |= (entry & ENTRY_FLAG(VMSNAP_PAGE_SOFT_DIRTY)) != 0;
		known.exclusive |= (entry & ENTRY_FLAG(VMSNAP_PAGE_EXCLUSIVE)) != 0;
	}
	if (!snap->info.zero_pfn && zero_pfn && procdir_boot_is_ours(snap->info.boot_id))
		snap->info.zero_pfn = zero_pfn;
	known.zero = known.pfn && snap->info.zero_pfn;
	snap->info.known = known;
	if (known.zero)
		mark_zero_pages(snap);
}
