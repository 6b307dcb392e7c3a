/* self_capture.c - a capture of oneself: into memory that is there, by system calls alone (self_memory.h). */
#define _GNU_SOURCE
#include <fcntl.h>
#include <time.h>

#include "error.h"
#include "raw_syscall.h"
#include "scan.h"
#include "self_memory.h"

enum { RUSAGE_OF_THREAD = 1 }; /* RUSAGE_THREAD, <sys/resource.h> */

/* ---- files of /proc ------------------------------------------------------------------- */

static long open_file(const char *path)
{
	long fd;
	do
		fd = raw_syscall4(SYS_openat, AT_FDCWD, (long)path, O_RDONLY | O_CLOEXEC, 0);
	while (fd == -EINTR);
	return fd;
}

/* Of the calling thread: the first one may have ended, and then its own show no memory.  Linux 3.17. */
static long open_own(const char *of_thread, const char *of_process)
{
	long fd = open_file(of_thread);
	return fd == -ENOENT ? open_file(of_process) : fd;
}

static void close_file(long fd)
{
	(void)raw_syscall4(SYS_close, fd, 0, 0, 0);
}

/* As much as there is room for.  -errno. */
static long read_open(long fd, char *to, size_t room)
{
	size_t at = 0;
	while (at < room) {
		long got = raw_syscall4(SYS_read, fd, (long)(to + at), (long)(room - at), 0);
		if (got < 0 && got != -EINTR)
			return got;
		if (!got)
			break;
		at += got > 0 ? (size_t)got : 0;
	}
	return (long)at;
}

static long read_file(const char *path, char *to, size_t room)
{
	long fd = open_file(path);
	if (fd < 0)
		return fd;
	long got = read_open(fd, to, room);
	close_file(fd);
	return got;
}

static int64_t clock_now(int which)
{
	struct timespec now = { 0 };
	(void)raw_syscall4(SYS_clock_gettime, which, (long)&now, 0, 0);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* struct rusage as the kernel has it: two times of two words each, and fourteen words. */
static uint64_t faults_now(void)
{
	enum { WORDS = 18, MINOR = 8, MAJOR = 9 };
	long usage[WORDS];
	usage[MINOR] = usage[MAJOR] = 0;
	(void)raw_syscall4(SYS_getrusage, RUSAGE_OF_THREAD, (long)usage, 0, 0);
	return (uint64_t)(usage[MINOR] + usage[MAJOR]);
}

/* ---- text ----------------------------------------------------------------------------- */

const char *self_line(const char *text, size_t len, const char *key, size_t *line_len)
{
	for (size_t at = 0; at < len;) {
		size_t end = at, same = 0;
		while (end < len && text[end] != '\n')
			end++;
		while (key[same] && at + same < end && text[at + same] == key[same])
			same++;
		if (!key[same]) {
			at += same;
			while (at < end && (text[at] == ' ' || text[at] == '\t'))
				at++;
			*line_len = end - at;
			return text + at;
		}
		at = end + 1;
	}
	*line_len = 0;
	return NULL;
}

uint64_t self_number(const char *text, size_t len, const char *key, unsigned index)
{
	size_t line_len;
	uint64_t value = UINT64_MAX;
	const char *line = self_line(text, len, key, &line_len);
	struct cursor c = { line, line + line_len };
	for (unsigned i = 0; line && i <= index; i++) {
		take_spaces(&c);
		if (!take_decimal(&c, &value))
			return UINT64_MAX;
	}
	return value;
}

uint64_t self_stat_field(const struct vmsnap_self *self, unsigned index)
{
	struct cursor c = { self->stat, self->stat + self->stat_len };
	uint64_t value = 0;
	for (const char *at = c.at; at < c.end; at++)
		c.at = *at == ')' ? at + 1 : c.at;
	for (unsigned field = 3; field < index; field++) {
		take_spaces(&c);
		while (c.at < c.end && *c.at != ' ')
			c.at++;
	}
	take_spaces(&c);
	return take_decimal(&c, &value) ? value : 0;
}

static bool take_perms(struct cursor *c, uint32_t *perms)
{
	const char *p = c->at;
	if (c->end - p < 5 || p[4] != ' ')
		return false;
	*perms = (p[0] == 'r' ? VMSNAP_PERM_READ : 0u) | (p[1] == 'w' ? VMSNAP_PERM_WRITE : 0u) |
	         (p[2] == 'x' ? VMSNAP_PERM_EXEC : 0u) | (p[3] == 's' ? VMSNAP_PERM_SHARED : 0u);
	c->at += 5;
	return true;
}

/* "55d0-55d2 r-xp 00002000 fe:01 1234      /bin/x" */
static bool take_vma(const struct vmsnap_self *self, struct cursor c, struct self_vma *out)
{
	uint64_t dev_major, dev_minor;
	if (!take_hex(&c, &out->start) || !take_char(&c, '-') || !take_hex(&c, &out->end) || !take_char(&c, ' ') ||
	    !take_perms(&c, &out->perms) || !take_hex(&c, &out->offset) || !take_char(&c, ' ') ||
	    !take_hex(&c, &dev_major) || !take_char(&c, ':') || !take_hex(&c, &dev_minor) || !take_char(&c, ' ') ||
	    !take_decimal(&c, &out->inode))
		return false;
	take_spaces(&c);
	out->dev_major = (uint32_t)dev_major;
	out->dev_minor = (uint32_t)dev_minor;
	out->name = (uint32_t)(c.at - self->text);
	out->name_len = (uint32_t)(c.end - c.at);
	return true;
}

/* ---- the map -------------------------------------------------------------------------- */

static char *aligned(char *at)
{
	return at + (-(uintptr_t)at & 15);
}

/* Whole lines, as many as there is room for them and for what is made of each. */
static int take_maps(struct vmsnap_self *self)
{
	self->text = self_room(self);
	size_t room = (size_t)(self_end(self) - self->text) / 2;
	room = room < UINT32_MAX ? room : UINT32_MAX;
	long fd = open_own("/proc/thread-self/maps", "/proc/self/maps");
	long got = fd < 0 ? fd : read_open(fd, self->text, room);
	if (fd >= 0)
		close_file(fd);
	if (got < 0)
		return (int)-got;
	self->text_len = (size_t)got;
	self->vmas = (struct self_vma *)(void *)aligned(self->text + got);
	self->vma_count = 0;
	bool cut = self->text_len == room;
	size_t at = 0, most = (size_t)(self_end(self) - (char *)self->vmas) / sizeof(*self->vmas);
	for (size_t end = 0; at < self->text_len && self->vma_count < most; at = end + 1) {
		for (end = at; end < self->text_len && self->text[end] != '\n';)
			end++;
		struct self_vma *vma = &self->vmas[self->vma_count];
		if (end == self->text_len || !take_vma(self, (struct cursor){ self->text + at, self->text + end }, vma))
			break;
		self->vma_count += vma->end > vma->start;
	}
	if (cut || at < self->text_len)
		self->told.known_until = self->vma_count ? self->vmas[self->vma_count - 1].end : self->page_size;
	self->text_len = at < self->text_len ? at : self->text_len;
	self->runs = (struct run *)(void *)aligned((char *)(self->vmas + self->vma_count));
	self->run_count = 0;
	char *begin = (char *)self->runs, *end = self_end(self);
	self->run_room = end > begin ? (size_t)(end - begin) / sizeof(*self->runs) : 0;
	return 0;
}

/* Whether maps reads as it did, as far as it was kept. */
static int maps_again(struct vmsnap_self *self, bool *same)
{
	long fd = open_own("/proc/thread-self/maps", "/proc/self/maps"), got = 0;
	size_t at = 0;
	*same = true;
	if (fd < 0)
		return (int)-fd;
	while (*same && at < self->text_len) {
		got = read_open(fd, self->buffer, sizeof(self->buffer));
		if (got <= 0)
			break;
		size_t left = self->text_len - at, count = (size_t)got < left ? (size_t)got : left;
		for (size_t i = 0; i < count; i++)
			*same &= self->buffer[i] == self->text[at + i];
		*same &= (size_t)got <= left || self->told.known_until;
		at += count;
	}
	*same &= at == self->text_len;
	if (*same && !self->told.known_until)
		*same = read_open(fd, self->buffer, 1) == 0;
	close_file(fd);
	return got < 0 ? (int)-got : 0;
}

/* ---- pages ---------------------------------------------------------------------------- */

/* Where PAGEMAP_SCAN does not tell it, by the frame. */
static uint64_t zero_flags(const struct vmsnap_self *self, uint64_t entry)
{
	const struct pagemap_probe *probe = &self->probe;
	uint64_t frame = entry & ENTRY_FRAME_MASK, whole = self->page_size / sizeof(uint64_t);
	if (probe->scan || !(entry & ENTRY_PRESENT) || !frame)
		return 0;
	if (frame == probe->zero_pfn)
		return ENTRY_FLAG(VMSNAP_PAGE_ZERO);
	bool huge = probe->huge_zero_pfn && frame - probe->huge_zero_pfn < whole;
	return huge ? ENTRY_FLAG(VMSNAP_PAGE_ZERO | VMSNAP_PAGE_HUGE) : 0;
}

/* False if there is no room. */
static bool append(struct vmsnap_self *self, uint64_t address, uint64_t entry)
{
	struct run *last = self->run_count ? &self->runs[self->run_count - 1] : NULL;
	struct run next = { address, entry };
	if (last && run_pages(last) < RUN_PAGES_MAX && run_continues(last, &next, self->page_size)) {
		last->head++;
		return true;
	}
	if (self->run_count == self->run_room)
		return false;
	self->runs[self->run_count++] = next;
	return true;
}

static void cut_at(struct vmsnap_self *self, uint64_t address)
{
	uint64_t *until = &self->told.known_until;
	if (!*until || address < *until)
		*until = address;
}

/* Entries of some pages, with flags that a scan told of them.  0, an errno; *full: without room for them. */
static int take_entries(struct vmsnap_self *self, long fd, uint64_t start, uint64_t end, uint64_t marks, bool *full)
{
	uint64_t size = self->page_size;
	while (start < end && !*full) {
		uint64_t count = (end - start) / size < SELF_ENTRIES ? (end - start) / size : SELF_ENTRIES;
		long got = raw_syscall4(SYS_pread64, fd, (long)self->entries, (long)(count * sizeof(uint64_t)),
		                        (long)(start / size * sizeof(uint64_t)));
		if (got == -EINTR)
			continue;
		if (got <= 0)
			return (int)-got; /* above the user's addresses there are none */
		for (uint64_t i = 0; i < (uint64_t)got / sizeof(uint64_t) && !*full; i++, start += size) {
			uint64_t entry = entry_normal(self->entries[i]);
			if (!(self->entries[i] & ENTRY_POPULATED) || !entry)
				continue;
			entry |= entry & ENTRY_PRESENT ? marks | zero_flags(self, entry) : 0;
			*full = !append(self, start, entry);
			if (*full)
				cut_at(self, start);
		}
	}
	return 0;
}

/* Only what a scan names is read: what is empty may be terabytes. */
static int take_scanned(struct vmsnap_self *self, long fd, struct address_range range, bool *full)
{
	enum { THERE = SCAN_PRESENT | SCAN_SWAPPED, TOLD = THERE | SCAN_ZERO | SCAN_HUGE };
	while (range.start < range.end && !*full) {
		struct scan_args args;
		args.size = sizeof(args);
		args.flags = args.walk_end = args.max_pages = args.category_inverted = args.category_mask = 0;
		args.start = range.start;
		args.end = range.end;
		args.vec = (uintptr_t)self->regions;
		args.vec_len = SELF_REGIONS;
		args.category_anyof_mask = THERE;
		args.return_mask = TOLD;
		long found = raw_syscall4(SYS_ioctl, fd, (long)SCAN_IOCTL, (long)&args, 0);
		if (found == -EINTR)
			continue;
		if (found < 0)
			return (int)-found;
		for (long i = 0; i < found && !*full; i++) {
			const struct page_region *region = &self->regions[i];
			uint64_t marks = region->categories & SCAN_ZERO ? ENTRY_FLAG(VMSNAP_PAGE_ZERO) : 0;
			marks |= region->categories & SCAN_HUGE ? ENTRY_FLAG(VMSNAP_PAGE_HUGE) : 0;
			int error = take_entries(self, fd, region->start, region->end, marks, full);
			if (error)
				return error;
		}
		if (found < SELF_REGIONS)
			break;
		range.start = self->regions[found - 1].end;
	}
	return 0;
}

static int take_pages(struct vmsnap_self *self)
{
	long fd = open_own("/proc/thread-self/pagemap", "/proc/self/pagemap");
	bool full = false;
	int error = fd < 0 ? (int)-fd : 0;
	for (size_t i = 0; i < self->vma_count && !error && !full; i++) {
		const struct self_vma *vma = &self->vmas[i];
		if (vma->start >> 63)
			break; /* [vsyscall] is the kernel's */
		struct address_range range = { vma->start, vma->end };
		error = self->probe.scan ? take_scanned(self, fd, range, &full)
		                         : take_entries(self, fd, vma->start, vma->end, 0, &full);
	}
	if (fd >= 0)
		close_file(fd);
	return error;
}

/* ---- what cannot be told --------------------------------------------------------------- */

/* Without frames a page that looks swapped may be a marker, or just on its way to another frame (pagemap_again.h):
 * it is in swap if as many look so as are. */
static void doubt_swapped(struct vmsnap_self *self)
{
	uint64_t swapped = 0, told = self_number(self->status, self->status_len, "VmSwap:", 0);
	for (size_t i = 0; i < self->run_count; i++)
		swapped += self->runs[i].entry & ENTRY_SWAPPED ? run_pages(&self->runs[i]) : 0;
	if (self->probe.known.pfn || (told != UINT64_MAX && told * 1024 / self->page_size == swapped))
		return;
	for (size_t i = 0; i < self->run_count; i++)
		self->runs[i].entry |= self->runs[i].entry & ENTRY_SWAPPED ? ENTRY_DOUBTFUL : 0;
}

/* Without PAGEMAP_SCAN: what a PMD may map, as in pagemap_marks.c, where it is said more closely. */
static void mark_perhaps_huge(struct vmsnap_self *self)
{
	uint64_t whole = self->page_size / sizeof(uint64_t), plain = 0;
	if (self->probe.scan)
		return;
	for (size_t i = 0; i < self->run_count; i++) {
		struct run *run = &self->runs[i], before = i ? self->runs[i - 1] : (struct run){ 0, 0 };
		before.entry = plain;
		plain = run->entry;
		bool goes_on = i && run_continues(&before, run, self->page_size);
		if ((plain & ENTRY_PRESENT) && !(plain & ENTRY_FLAG(VMSNAP_PAGE_ZERO)) &&
		    (goes_on || run_pages(run) >= whole))
			run->entry |= ENTRY_FLAG(VMSNAP_PAGE_HUGE);
	}
}

/* ---- all of it ------------------------------------------------------------------------- */

int self_acquire(struct vmsnap_self *self)
{
	if (!self || self->magic != SELF_MAGIC || self->pid != (uint32_t)raw_syscall4(SYS_getpid, 0, 0, 0, 0))
		return VMSNAP_ERR_ARGUMENT;
	return atomic_exchange(&self->busy, true) ? VMSNAP_ERR_CANCELLED : VMSNAP_OK;
}

void self_release(struct vmsnap_self *self)
{
	atomic_store(&self->busy, false);
}

static int take_words(struct vmsnap_self *self)
{
	long status = read_file("/proc/self/status", self->status, sizeof(self->status));
	long stat = status < 0 ? status : read_file("/proc/self/stat", self->stat, sizeof(self->stat));
	if (stat < 0)
		return (int)-stat;
	self->status_len = (size_t)status;
	self->stat_len = (size_t)stat;
	return 0;
}

static int take(struct vmsnap_self *self)
{
	int error = take_words(self);
	error = error ? error : take_maps(self);
	error = error ? error : take_pages(self);
	error = error ? error : maps_again(self, &self->consistent);
	if (!error) {
		doubt_swapped(self);
		mark_perhaps_huge(self);
	}
	return error;
}

VMSNAP_API int vmsnap_capture_self(struct vmsnap_self *self)
{
	int rc = self_acquire(self);
	if (rc)
		return rc;
	struct vmsnap_self_told *told = &self->told;
	told->taken = false;
	told->known_until = 0;
	self->taken = clock_now(CLOCK_REALTIME);
	self->monotonic = clock_now(CLOCK_MONOTONIC);
	self->boottime = (uint64_t)clock_now(CLOCK_BOOTTIME);
	uint64_t faults = faults_now();
	told->system_error = take(self);
	told->page_faults = faults_now() - faults;
	told->nanoseconds = (uint64_t)(clock_now(CLOCK_MONOTONIC) - self->monotonic);
	told->taken = !told->system_error;
	told->bytes = self->bytes;
	told->used = told->taken ? (uint64_t)((char *)(self->runs + self->run_count) - (char *)self) : 0;
	rc = told->taken ? VMSNAP_OK : VMSNAP_ERR_SYSTEM;
	self_release(self);
	return rc;
}

VMSNAP_API void vmsnap_self_told_sized(const struct vmsnap_self *self, struct vmsnap_self_told *out, size_t size)
{
	const char *from = (const char *)&self->told;
	char *to = (char *)out;
	for (size_t i = 0; i < size; i++)
		to[i] = i < sizeof(self->told) ? from[i] : 0;
}
