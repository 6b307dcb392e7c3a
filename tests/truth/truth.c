/* truth.c - page states as the kernel's own files tell them, and what vmsnap says of the same pages.
 *
 * Linked statically, and shares no code with vmsnap: it reads pagemap, PAGEMAP_SCAN, kpagecount and
 * /proc/swaps by itself.  A process is stopped; its pages are read, vmsnap looks, and they are read
 * again, while the kernel goes on to move and to swap them.  What reads the same before and after must
 * be what vmsnap says; of the rest, vmsnap must not say what it cannot have been.
 *
 * truth compare VMSNAP FOLDER UID PID...   each as root, and as UID
 * truth compact                            compacts memory until it is ended
 * truth hold MIB                           a process of ours with memory that is worth compacting
 *
 * Exit status: 0 all agree, 1 something is wrong, 2 it could not be done. */
#define _GNU_SOURCE
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef MADV_PAGEOUT
#define MADV_PAGEOUT 21 /* Linux 5.4 */
#endif
#ifndef SYS_process_madvise
#define SYS_process_madvise 440 /* Linux 5.10 */
#endif
#ifndef MADV_COLD
#define MADV_COLD 20
#endif

#define BIT(n) (UINT64_C(1) << (n))
/* Documentation/admin-guide/mm/pagemap.rst */
enum { SOFT_DIRTY = 55, EXCLUSIVE = 56, UFFD_WP = 57, GUARD = 58, FILE_PAGE = 61, SWAPPED = 62, PRESENT = 63 };
#define FRAME (BIT(55) - 1)
enum { CATEGORY_PRESENT = 8, CATEGORY_SWAPPED = 16, CATEGORY_ZERO = 32, CATEGORY_HUGE = 64 };
struct scan {
	uint64_t size, flags, start, end, walk_end, vec, vec_len, max_pages;
	uint64_t inverted, mask, anyof, returned;
};
struct region {
	uint64_t start, end, categories;
};

static uint64_t page_size;

static _Noreturn __attribute__((format(printf, 1, 2))) void fail(const char *format, ...)
{
	va_list args;
	va_start(args, format);
	fprintf(stderr, "truth: ");
	vfprintf(stderr, format, args);
	fprintf(stderr, "\n");
	va_end(args);
	exit(2);
}

static void *more(void *items, size_t count, size_t size)
{
	if (count && (count & (count - 1)))
		return items; /* there is room up to the next power of two */
	items = realloc(items, (count ? count * 2 : 1) * size);
	if (!items)
		fail("no memory");
	return items;
}

/* ---- a look at all pages of a process ------------------------------------------------ */

struct page {
	uint64_t at, entry;
	bool zero, huge;
};
struct look {
	struct page *pages;
	size_t count;
};

static int open_proc(pid_t pid, const char *name)
{
	char path[64];
	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	return open(path, O_RDONLY | O_CLOEXEC);
}

static void add_region(struct look *look, int fd, const struct region *region)
{
	enum { CHUNK = 4096 };
	static uint64_t entries[CHUNK];
	for (uint64_t at = region->start; at < region->end;) {
		uint64_t count = (region->end - at) / page_size;
		count = count < CHUNK ? count : CHUNK;
		ssize_t got = pread(fd, entries, count * 8, (off_t)(at / page_size * 8));
		if (got <= 0)
			return;
		for (uint64_t i = 0; i < (uint64_t)got / 8; i++, at += page_size) {
			if (!(entries[i] & (BIT(PRESENT) | BIT(SWAPPED))))
				continue;
			look->pages = more(look->pages, look->count, sizeof(*look->pages));
			look->pages[look->count++] = (struct page){ at, entries[i], region->categories & CATEGORY_ZERO,
				                                    region->categories & CATEGORY_HUGE };
		}
	}
}

/* One region a call is slow; what ends a scan is that the list does not come back full. */
static void add_mapping(struct look *look, int fd, uint64_t start, uint64_t end)
{
	enum { ROOM = 4096 };
	static struct region regions[ROOM];
	const uint64_t there = CATEGORY_PRESENT | CATEGORY_SWAPPED;
	for (long found = ROOM; found == ROOM && start < end;) {
		struct scan scan = { .size = sizeof(scan),
			             .start = start,
			             .end = end,
			             .vec = (uintptr_t)regions,
			             .vec_len = ROOM,
			             .anyof = there,
			             .returned = there | CATEGORY_ZERO | CATEGORY_HUGE };
		found = ioctl(fd, _IOWR('f', 16, struct scan), &scan);
		if (found < 0)
			fail("PAGEMAP_SCAN: %s (it needs Linux 6.7)", strerror(errno));
		for (long i = 0; i < found; i++)
			add_region(look, fd, &regions[i]);
		start = found ? regions[found - 1].end : end;
	}
}

static struct look look_at(pid_t pid)
{
	struct look look = { NULL, 0 };
	char line[8192];
	int fd = open_proc(pid, "pagemap"), maps_fd = open_proc(pid, "maps");
	FILE *maps = maps_fd < 0 ? NULL : fdopen(maps_fd, "r");
	if (fd < 0 || !maps)
		fail("process %d: %s", (int)pid, strerror(errno));
	while (fgets(line, sizeof(line), maps)) {
		uint64_t start, end;
		if (sscanf(line, "%" SCNx64 "-%" SCNx64 " ", &start, &end) == 2 && !(start >> 63))
			add_mapping(&look, fd, start, end);
	}
	fclose(maps);
	close(fd);
	return look;
}

/* The files that tell more of the pages of one process, which stands still. */
struct proof {
	int kpagecount, pagemap;
	unsigned areas; /* of swap */
};

/* ---- what else root is told ------------------------------------------------------------ */

/* Types of swap areas are given from 0 on.  Those of a machine with as many as this test makes are low. */
static unsigned swap_areas(void)
{
	char line[512];
	unsigned lines = 0;
	FILE *swaps = fopen("/proc/swaps", "r");
	while (swaps && fgets(line, sizeof(line), swaps))
		lines++;
	if (swaps)
		fclose(swaps);
	return lines ? lines - 1 : 0;
}

/* How often the frame of a page is mapped.  UINT64_MAX: unknown, as without CAP_SYS_ADMIN, or it has gone
 * elsewhere since. */
static uint64_t mapped(const struct proof *proof, const struct page *page)
{
	uint64_t counts[2], entry;
	if (!(page->entry & FRAME))
		return UINT64_MAX;
	for (int i = 0; i < 2; i++)
		if (pread(proof->kpagecount, &counts[i], 8, (off_t)((page->entry & FRAME) * 8)) != 8 ||
		    pread(proof->pagemap, &entry, 8, (off_t)(page->at / page_size * 8)) != 8 || entry != page->entry)
			return UINT64_MAX;
	return counts[0] == counts[1] ? counts[0] : UINT64_MAX;
}

enum what { ABSENT, HERE, IN_SWAP, GUARDED, SPECIAL };

static enum what what_is(const struct page *page, unsigned areas)
{
	if (!page)
		return ABSENT;
	if (page->entry & BIT(PRESENT))
		return HERE;
	if (page->entry & BIT(GUARD))
		return GUARDED;
	/* Areas that were taken away leave gaps: twice as many as there are, and some. */
	return areas && (page->entry & 31) < 2 * areas + 4 ? IN_SWAP : SPECIAL;
}

/* ---- what vmsnap says ------------------------------------------------------------------- */

struct said {
	uint64_t at, pages;
	char state[16], frame[40], flags[128];
};

static int run_as(uid_t uid, char *const argv[], int out)
{
	pid_t pid = fork();
	if (!pid) {
		if (uid && (setgroups(0, NULL) || setgid(uid) || setuid(uid)))
			_exit(126);
		if (out >= 0)
			dup2(out, 1);
		execv(argv[0], argv);
		_exit(127);
	}
	int status = -1;
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static bool capture(const char *vmsnap, uid_t uid, pid_t pid, const char *file)
{
	char number[16];
	snprintf(number, sizeof(number), "%d", (int)pid);
	unlink(file);
	char *argv[] = { (char *)vmsnap, "capture", "-q", number, "-o", (char *)file, NULL };
	return run_as(uid, argv, -1) == 0;
}

static struct said *read_file(const char *vmsnap, const char *file, size_t *count)
{
	char command[16384], line[1024];
	struct said *said = NULL;
	*count = 0;
	snprintf(command, sizeof(command), "'%s' pages --raw -n -o START,PAGES,STATE,PFN/SWAP,FLAGS '%s'", vmsnap,
	         file);
	FILE *in = popen(command, "r");
	while (in && fgets(line, sizeof(line), in)) {
		struct said one = { .flags = "" };
		if (sscanf(line, "%" SCNx64 " %" SCNu64 " %15s %39s %127s", &one.at, &one.pages, one.state, one.frame,
		           one.flags) < 3)
			fail("vmsnap pages wrote: %s", line);
		said = more(said, *count, sizeof(*said));
		said[(*count)++] = one;
	}
	if (!in || pclose(in))
		fail("vmsnap pages %s failed", file);
	return said;
}

static bool has_flag(const struct said *said, const char *flag)
{
	size_t len = strlen(flag);
	for (const char *at = said->flags; (at = strstr(at, flag)); at += len)
		if ((at == said->flags || at[-1] == ',') && (at[len] == ',' || !at[len]))
			return true;
	return false;
}

/* ---- comparing ---------------------------------------------------------------------------- */

static struct {
	uint64_t pages, moved, wrong, no_frame, no_exclusive, no_swap, undecided;
} sums;

static const char *user;

static void wrong(uint64_t at, const struct page *before, const struct page *after, const struct said *said,
                  const char *why)
{
	if (++sums.wrong > 20)
		return;
	printf("WRONG as %s: %" PRIx64 ": %s: before %016" PRIx64 ", after %016" PRIx64 ", vmsnap: %s %s %s\n", user,
	       at, why, before ? before->entry : 0, after ? after->entry : 0, said ? said->state : "absent",
	       said ? said->frame : "", said ? said->flags : "");
}

static bool is_state(const struct said *said, const char *state)
{
	return said && !strcmp(said->state, state);
}

/* Where the page of this run is, as vmsnap would write it; false: it says that this is unknown. */
static bool frame_said(const struct said *said, uint64_t at, uint64_t *frame)
{
	uint64_t skip = (at - said->at) / page_size;
	unsigned type;
	if (sscanf(said->frame, "%u:0x%" SCNx64, &type, frame) == 2) {
		*frame = (*frame + skip) << 5 | type;
		return true;
	}
	if (sscanf(said->frame, "0x%" SCNx64, frame) != 1)
		return false;
	*frame += skip;
	return true;
}

static void compare_present(const struct page *page, const struct page *after, const struct said *said,
                            const struct proof *proof)
{
	uint64_t frame, real = page->entry & FRAME;
	bool exclusive = has_flag(said, "exclusive");
	if (!is_state(said, "present")) {
		wrong(page->at, page, after, said, "it is present");
		return;
	}
	if (!frame_said(said, page->at, &frame))
		sums.no_frame++;
	else if (frame != real)
		wrong(page->at, page, after, said, "another frame");
	if (has_flag(said, "zero") != page->zero || has_flag(said, "huge") != page->huge)
		wrong(page->at, page, after, said, "zero or huge");
	if (!page->zero && has_flag(said, "file") != !!(page->entry & BIT(FILE_PAGE)))
		wrong(page->at, page, after, said, "of a file or not");
	if (has_flag(said, "uffd_wp") != !!(page->entry & BIT(UFFD_WP)))
		wrong(page->at, page, after, said, "write-protected or not");
	if (has_flag(said, "exclusive?")) {
		sums.no_exclusive++;
		return;
	}
	/* Others map and unmap a file at any time, and it may have been so for a moment. */
	uint64_t count = page->zero ? UINT64_MAX : mapped(proof, page);
	bool bit = page->entry & BIT(EXCLUSIVE), counts = count != UINT64_MAX;
	if (page->entry & BIT(FILE_PAGE))
		sums.undecided += exclusive != bit;
	else if (counts ? exclusive != (count == 1) : exclusive != bit)
		wrong(page->at, page, after, said, "exclusive or not");
}

static void compare_steady(const struct page *page, const struct page *after, const struct said *said,
                           const struct proof *proof)
{
	uint64_t slot;
	switch (what_is(page, proof->areas)) {
	case HERE:
		compare_present(page, after, said, proof);
		break;
	case IN_SWAP:
		if (is_state(said, "swapped?"))
			sums.no_swap++;
		else if (!is_state(said, "swapped"))
			wrong(page->at, page, after, said, "it is in swap");
		else if (frame_said(said, page->at, &slot) && slot != (page->entry & FRAME))
			wrong(page->at, page, after, said, "another slot");
		break;
	case GUARDED:
		if (!is_state(said, "guard"))
			wrong(page->at, page, after, said, "it is guarded");
		break;
	case SPECIAL:
	case ABSENT:
		sums.no_swap += is_state(said, "swapped?");
		if (is_state(said, "swapped"))
			wrong(page->at, page, after, said, "it is not in swap");
		break;
	}
}

/* The kernel did something to it meanwhile.  No process ran: nothing came, and nothing came out of swap but into
 * a huge page, or because others read it: whoever looks at command lines (ps) does; it may be in another slot since. */
static void compare_moved(const struct page *before, const struct page *after, const struct said *said, unsigned areas)
{
	const struct page *any = before ? before : after;
	enum what was = what_is(before, areas), is = what_is(after, areas);
	sums.moved++;
	if (is_state(said, "swapped") && was != IN_SWAP && is != IN_SWAP)
		wrong(any->at, before, after, said, "it cannot have been in swap");
	bool other_slot = was == IN_SWAP && is == IN_SWAP;
	if (is_state(said, "present") && was != HERE && is != HERE && was != SPECIAL && is != SPECIAL && !other_slot)
		wrong(any->at, before, after, said, "it cannot have been present");
	if (!said && before && after && was != SPECIAL && is != SPECIAL)
		wrong(any->at, before, after, said, "it was there all the time");
}

static void compare_page(const struct page *before, const struct page *after, const struct said *said,
                         const struct proof *proof)
{
	sums.pages++;
	if (before && after && before->entry == after->entry && before->zero == after->zero &&
	    before->huge == after->huge)
		compare_steady(before, after, said, proof);
	else
		compare_moved(before, after, said, proof->areas);
}

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static void compare_all(const struct look *before, const struct look *after, const struct said *said, size_t count,
                        const struct proof *proof)
{
	size_t a = 0, b = 0, s = 0;
	for (uint64_t from = 0;;) {
		while (s < count && said[s].at + said[s].pages * page_size <= from)
			s++;
		uint64_t at_a = a < before->count ? before->pages[a].at : UINT64_MAX;
		uint64_t at_b = b < after->count ? after->pages[b].at : UINT64_MAX;
		uint64_t at_s = s < count ? said[s].at > from ? said[s].at : from : UINT64_MAX;
		uint64_t at = least(least(at_a, at_b), at_s);
		if (at == UINT64_MAX)
			break;
		const struct page *in_a = at_a == at ? &before->pages[a++] : NULL;
		const struct page *in_b = at_b == at ? &after->pages[b++] : NULL;
		if (in_a || in_b)
			compare_page(in_a, in_b, at_s == at ? &said[s] : NULL, proof);
		else if (strcmp(said[s].state, "marker")) /* what is not there at all */
			wrong(at, NULL, NULL, &said[s], "nothing is there");
		from = at + page_size;
	}
}

/* ---- what makes the kernel move pages ------------------------------------------------------ */

static void page_out(pid_t pid, unsigned *seed)
{
	char line[8192];
	int pidfd = (int)syscall(SYS_pidfd_open, pid, 0), fd = open_proc(pid, "maps");
	FILE *maps = fd < 0 ? NULL : fdopen(fd, "r");
	while (maps && pidfd >= 0 && fgets(line, sizeof(line), maps)) {
		uint64_t start, end;
		char perms[8];
		if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %7s", &start, &end, perms) != 3 || start >> 63)
			continue;
		if (perms[3] != 'p' || rand_r(seed) % 4)
			continue;
		uint64_t pages = (end - start) / page_size, some = (uint64_t)rand_r(seed) % 256 + 1;
		uint64_t first = pages > some ? (uint64_t)rand_r(seed) % (pages - some) : 0;
		struct iovec range = { (void *)(uintptr_t)(start + first * page_size), least(some, pages) * page_size };
		syscall(SYS_process_madvise, pidfd, &range, 1, MADV_PAGEOUT, 0);
	}
	if (maps)
		fclose(maps);
	if (pidfd >= 0)
		close(pidfd);
}

static void compact(void)
{
	int fd = open("/proc/sys/vm/compact_memory", O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, "1", 1) != 1)
		fail("cannot compact memory: %s", strerror(errno));
	close(fd);
}

static _Noreturn void compact_for_ever(void)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;; usleep(1000))
		compact();
}

/* Pages out what it has, again and again, for as long as it is looked at. */
static pid_t churn(pid_t pid)
{
	pid_t child = fork();
	if (child)
		return child;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (unsigned seed = (unsigned)getpid();; usleep(200))
		page_out(pid, &seed);
}

/* ---- one process after the other ------------------------------------------------------------ */

static bool all_stopped(pid_t pid)
{
	char path[64], text[512];
	bool stopped = true;
	snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	DIR *tasks = opendir(path);
	for (struct dirent *task; tasks && (task = readdir(tasks));) {
		if (!isdigit((unsigned char)task->d_name[0]))
			continue;
		snprintf(path, sizeof(path), "task/%.20s/stat", task->d_name);
		int fd = open_proc(pid, path);
		ssize_t len = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
		text[len > 0 ? len : 0] = '\0';
		const char *end = strrchr(text, ')');
		stopped &= !end || strchr("TtZX", end[2]);
		if (fd >= 0)
			close(fd);
	}
	if (tasks)
		closedir(tasks);
	return tasks && stopped;
}

static bool stop(pid_t pid)
{
	if (kill(pid, SIGSTOP))
		return false;
	for (int tries = 0; tries < 2000; tries++, usleep(500))
		if (all_stopped(pid))
			return true;
	return false;
}

/* Whether it could be compared: a process of a server may be gone. */
static bool compare_process(const char *vmsnap, const char *folder, uid_t uid, pid_t pid)
{
	char file[4096];
	struct look before = look_at(pid);
	snprintf(file, sizeof(file), "%s/truth.%d.%u.vms", folder, (int)pid, (unsigned)uid);
	bool done = capture(vmsnap, uid, pid, file);
	struct proof proof = { open("/proc/kpagecount", O_RDONLY | O_CLOEXEC), open_proc(pid, "pagemap"),
		               swap_areas() };
	struct look after = look_at(pid);
	size_t count;
	struct said *said = done ? read_file(vmsnap, file, &count) : NULL;
	user = uid ? "the owner" : "root";
	if (done)
		compare_all(&before, &after, said, count, &proof);
	unlink(file);
	close(proof.kpagecount);
	close(proof.pagemap);
	free(before.pages);
	free(after.pages);
	free(said);
	return done;
}

static int compare(int argc, char **argv)
{
	const char *vmsnap = argv[2], *folder = argv[3];
	uid_t uid = (uid_t)strtoul(argv[4], NULL, 10);
	unsigned failed = 0;
	for (int i = 5; i < argc; i++) {
		pid_t pid = (pid_t)strtol(argv[i], NULL, 10);
		if (!stop(pid)) {
			kill(pid, SIGCONT);
			continue;
		}
		pid_t moving = churn(pid);
		failed += !compare_process(vmsnap, folder, 0, pid);
		failed += uid && !compare_process(vmsnap, folder, uid, pid);
		kill(moving, SIGKILL);
		waitpid(moving, NULL, 0);
		kill(pid, SIGCONT);
	}
	printf("%" PRIu64 " page states, %" PRIu64 " of them changed meanwhile; %" PRIu64
	       " of files that others took or gave "
	       "up; unknown: %" PRIu64 " frames, %" PRIu64 " exclusive, %" PRIu64
	       " in swap or not; %u captures failed; "
	       "%" PRIu64 " wrong\n",
	       sums.pages, sums.moved, sums.undecided, sums.no_frame, sums.no_exclusive, sums.no_swap, failed,
	       sums.wrong);
	return sums.wrong ? 1 : 0;
}

/* ---- a process of ours ------------------------------------------------------------------- */

/* Memory with holes, which compaction moves; some of it locked, so that it is never in swap; some in huge
 * pages that a child has in part.  Touches it again and again, so that it comes back from swap. */
static int hold(int argc, char **argv)
{
	size_t half = (argc > 2 ? strtoul(argv[2], NULL, 10) : 64) << 19, huge = 2 << 20;
	int flags = MAP_PRIVATE | MAP_ANONYMOUS;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	char *memory = mmap(NULL, 2 * half + 8 * huge, PROT_READ | PROT_WRITE, flags, -1, 0);
	if (memory == MAP_FAILED)
		fail("no memory");
	char *aligned = (char *)(((uintptr_t)memory + 2 * half + huge) & ~(huge - 1));
	madvise(memory, 2 * half, MADV_NOHUGEPAGE);
	madvise(aligned, 4 * huge, MADV_HUGEPAGE);
	for (size_t at = 0; at < 2 * half; at += page_size)
		memory[at] = 1;
	for (size_t at = 0; at < 4 * huge; at += page_size)
		aligned[at] = 1;
	for (size_t at = 0; at < 2 * half; at += 2 * page_size)
		madvise(memory + at, page_size, MADV_DONTNEED);
	if (!fork()) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		aligned[huge] = 2;
		aligned[2 * huge + 17 * page_size] = 2;
		madvise(aligned + 3 * huge, 8 * page_size, MADV_DONTNEED);
		for (;;)
			pause();
	}
	syscall(SYS_mlock2, memory, half, 1 /* MLOCK_ONFAULT */);
	printf("ready\n");
	fflush(stdout);
	for (size_t at = half + page_size;; at += 2 * page_size) {
		if (at >= 2 * half)
			at = half + page_size;
		if (*(volatile char *)(memory + at) != 1)
			fail("memory that changed");
		usleep(20);
	}
}

int main(int argc, char **argv)
{
	page_size = (uint64_t)sysconf(_SC_PAGESIZE);
	if (argc > 4 && !strcmp(argv[1], "compare"))
		return compare(argc, argv);
	if (argc > 1 && !strcmp(argv[1], "compact"))
		compact_for_ever();
	if (argc > 1 && !strcmp(argv[1], "hold"))
		return hold(argc, argv);
	fail("truth compare VMSNAP FOLDER UID PID... | compact | hold MIB");
}
