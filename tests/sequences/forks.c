/* forks.c - random forks: a parent, its child, and others that both fork before and after.  What is
 * said of who shares and who copied is held against what each of them did to its memory.
 *
 * A sequence is a seed.  Its processes wait for one operation after the other; none runs by itself,
 * so that all of them stand at one instant whenever they are looked at. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "admin_set.h"
#include "vmsnap.h"

/* Not in older headers. */
enum {
	ADVICE_PAGEOUT = 21,
	ADVICE_POPULATE_READ = 22,
	ADVICE_POPULATE_WRITE = 23,
	ADVICE_COLLAPSE = 25,
	ADVICE_GUARD_INSTALL = 102,
	ADVICE_GUARD_REMOVE = 103
};

enum { PROCESSES = 8, SKIPPED = 77, TICK_NS = 10000000 };

/* ---- the memory: some regions at places of their own ---------------------------------------- */

enum region { PLAIN, SPECIAL, OF_FILE, MOVABLE, HUGE_PAGES, REGIONS };
enum { PAGES_MAX = 512 };
static const int region_pages[REGIONS] = { 40, 16, 16, 16, PAGES_MAX };
static const uint64_t region_starts[REGIONS] = { UINT64_C(0x210000000000), UINT64_C(0x211000000000),
	                                         UINT64_C(0x212000000000), UINT64_C(0x213000000000),
	                                         UINT64_C(0x214000000000) };
static const uint64_t moved_start = UINT64_C(0x215000000000);
enum { PAGE_BYTES = 4096 };

enum state { ABSENT, READ, OWN, MAYBE_READ }; /* READ: the zero page, or the file's */
enum { DID_WRITE = 1, DID_DROP = 2, DID_READ = 4, WAS_MERGED = 8, DID_COLLAPSE = 16 };

struct page {
	uint8_t state;
	uint8_t did;    /* since the fork that is judged */
	bool uncertain; /* given to the kernel (MADV_FREE): it may be gone */
	bool unsure;    /* MADV_COLLAPSE may have filled it with zeros, or not */
	uint32_t content;
};
struct process {
	pid_t pid;
	int parent;
	bool mapped[REGIONS], moved, no_fork, wiped, mergeable, guarded;
	struct page pages[REGIONS][PAGES_MAX];
};

/* ---- operations, and those who do them ------------------------------------------------------ */

enum op_kind { OP_WRITE, OP_READ, OP_ADVISE, OP_MOVE, OP_FORK, OP_KINDS };
struct op {
	int kind, region, at, count;
	int advice;
	int other;        /* OP_FORK: which process the child is */
	uint32_t content; /* of the first page; the others count up, but for 1 */
};
struct answer {
	int error;
	pid_t pid;
};

static int sockets[PROCESSES][2];
static int data_file;
static struct process processes[PROCESSES];
static bool with_huge_pages, frames_seen;

static char *address_of(bool moved, int region, int page)
{
	uint64_t start = region == MOVABLE && moved ? moved_start : region_starts[region];
	return (char *)(uintptr_t)(start + (uint64_t)page * PAGE_BYTES);
}

static bool map_all(bool huge)
{
	for (int i = 0; i < REGIONS; i++) {
		size_t size = (size_t)region_pages[i] * PAGE_BYTES;
		int flags = MAP_PRIVATE | MAP_FIXED_NOREPLACE | (i == OF_FILE ? 0 : MAP_ANONYMOUS);
		if (i == HUGE_PAGES && !huge)
			continue;
		void *at = mmap((void *)(uintptr_t)region_starts[i], size, PROT_READ | PROT_WRITE, flags,
		                i == OF_FILE ? data_file : -1, 0);
		if (at == MAP_FAILED)
			return false;
		madvise(at, size, i == HUGE_PAGES ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
	}
	return true;
}

static int touch(const struct op *op, bool moved)
{
	for (int i = 0; i < op->count; i++) {
		volatile uint32_t *page = (void *)address_of(moved, op->region, op->at + i);
		if (op->kind == OP_WRITE)
			*page = op->content == 1 ? 1 : op->content + (uint32_t)i;
		else
			(void)*page;
	}
	return 0;
}

static int move(bool *moved)
{
	size_t size = (size_t)region_pages[MOVABLE] * PAGE_BYTES;
	void *from = address_of(*moved, MOVABLE, 0), *to = address_of(!*moved, MOVABLE, 0);
	if (mremap(from, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, to) == MAP_FAILED)
		return errno;
	*moved = !*moved;
	return 0;
}

static void serve(int self, bool moved);

static struct answer fork_one(const struct op *op, int *self, bool moved)
{
	pid_t before = getpid(), pid = fork();
	if (pid)
		return (struct answer){ pid < 0 ? errno : 0, pid };
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != before)
		_exit(0);
	*self = op->other;
	(void)moved;
	return (struct answer){ 0, getpid() };
}

static struct answer perform(const struct op *op, int *self, bool *moved)
{
	switch (op->kind) {
	case OP_FORK:
		return fork_one(op, self, *moved);
	case OP_MOVE:
		return (struct answer){ move(moved), 0 };
	case OP_ADVISE:
		return (struct answer){ madvise(address_of(*moved, op->region, op->at), (size_t)op->count * PAGE_BYTES,
			                        op->advice)
			                        ? errno
			                        : 0,
			                0 };
	default:
		return (struct answer){ touch(op, *moved), 0 };
	}
}

static void serve(int self, bool moved)
{
	/* Not in memory that matters to anybody. */
	struct op op;
	for (;;) {
		ssize_t got = recv(sockets[self][1], &op, sizeof(op), 0);
		if (got < 0 && errno == EINTR)
			continue;
		if (got != sizeof(op))
			_exit(0);
		struct answer answer = perform(&op, &self, &moved);
		if (send(sockets[self][1], &answer, sizeof(answer), MSG_NOSIGNAL) < 0)
			_exit(0);
	}
}

/* ---- the driver's side of it ---------------------------------------------------------------- */

static uint64_t seed_now;
static int log_count;
static char log_lines[400][120];
static bool told_of_seed;

__attribute__((format(printf, 1, 2))) static void note(const char *format, ...)
{
	va_list args;
	if (log_count == 400)
		return;
	va_start(args, format);
	vsnprintf(log_lines[log_count++], sizeof(log_lines[0]), format, args);
	va_end(args);
}

static bool receive(int process, struct answer *answer)
{
	ssize_t got;
	while ((got = recv(sockets[process][0], answer, sizeof(*answer), 0)) < 0 && errno == EINTR)
		;
	return got == sizeof(*answer);
}

static bool ask(int process, const struct op *op, struct answer *answer)
{
	return send(sockets[process][0], op, sizeof(*op), MSG_NOSIGNAL) == sizeof(*op) && receive(process, answer);
}

static uint64_t random_state;
static int below(int end)
{
	uint64_t z = (random_state += UINT64_C(0x9e3779b97f4a7c15));
	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return (int)((z ^ (z >> 31)) % (uint64_t)end);
}
static bool chance(int percent)
{
	return below(100) < percent;
}

/* ---- what an operation does, as the driver knows it ------------------------------------------ */

static void wrote(struct page *page, uint32_t content)
{
	page->state = OWN;
	page->did |= DID_WRITE;
	page->uncertain = false;
	page->content = content;
}

static void was_read(struct page *page)
{
	if (page->state != OWN)
		page->state = READ;
	page->did |= DID_READ;
}

static void dropped(struct page *page)
{
	*page = (struct page){ .state = ABSENT, .did = page->did | DID_DROP };
}

static void advised(struct page *page, const struct op *op)
{
	switch (op->advice) {
	case MADV_DONTNEED:
	case ADVICE_GUARD_INSTALL:
		dropped(page);
		break;
	case MADV_FREE:
		page->uncertain |= page->state == OWN;
		break;
	case ADVICE_POPULATE_READ:
		was_read(page);
		break;
	case ADVICE_POPULATE_WRITE:
		wrote(page, page->state == OWN ? page->content : op->region == OF_FILE ? UINT32_MAX : 0);
		break;
	case ADVICE_COLLAPSE:
		page->unsure |= page->state != OWN;
		page->did |= DID_COLLAPSE;
		break;
	default:
		break;
	}
}

static void keep_account(struct process *process, const struct op *op)
{
	for (int i = 0; i < op->count; i++) {
		struct page *page = &process->pages[op->region][op->at + i];
		if (op->kind == OP_WRITE)
			wrote(page, op->content == 1 ? 1 : op->content + (uint32_t)i);
		else if (op->kind == OP_READ)
			was_read(page);
		else
			advised(page, op);
	}
	if (op->kind == OP_MOVE)
		process->moved = !process->moved;
	if (op->kind != OP_ADVISE)
		return;
	if (op->advice == MADV_DONTFORK || op->advice == MADV_DOFORK)
		process->no_fork = op->advice == MADV_DONTFORK;
	if (op->advice == MADV_WIPEONFORK || op->advice == MADV_KEEPONFORK)
		process->wiped = op->advice == MADV_WIPEONFORK;
	if (op->advice == ADVICE_GUARD_INSTALL)
		process->guarded = true;
	if (op->advice == ADVICE_GUARD_REMOVE)
		process->guarded = false;
}

/* ---- which operation comes next ------------------------------------------------------------- */

static uint32_t next_content;

static void some_range(struct op *op)
{
	int pages = region_pages[op->region];
	op->at = below(pages);
	op->count = 1 + below(pages - op->at);
	if (op->count > 24)
		op->count = 1 + below(24);
}

static const int plain_advice[] = {
	MADV_DONTNEED,        MADV_DONTNEED,         MADV_FREE,     ADVICE_PAGEOUT, MADV_COLD,
	ADVICE_POPULATE_READ, ADVICE_POPULATE_WRITE, MADV_WILLNEED, MADV_RANDOM,    MADV_SEQUENTIAL,
	MADV_NORMAL,          MADV_DONTDUMP,         MADV_DODUMP
};
static const int special_advice[] = { MADV_DONTFORK,   MADV_DOFORK,          MADV_WIPEONFORK,
	                              MADV_KEEPONFORK, ADVICE_GUARD_INSTALL, ADVICE_GUARD_REMOVE,
	                              MADV_DONTNEED,   MADV_MERGEABLE,       MADV_UNMERGEABLE };
#define SOME_OF(list) (list)[below((int)(sizeof(list) / sizeof((list)[0])))]

static struct op plan(const struct process *process)
{
	struct op op = { .kind = OP_WRITE, .region = below(100) < 55 ? PLAIN : below(HUGE_PAGES) };
	if (with_huge_pages && chance(25))
		op.region = HUGE_PAGES;
	int choice = below(100);
	op.kind = choice < 45 ? OP_WRITE : choice < 60 ? OP_READ : choice < 90 ? OP_ADVISE : OP_MOVE;
	some_range(&op);
	op.content = chance(10) ? 1 : next_content;
	next_content += PAGES_MAX;
	if (op.kind == OP_MOVE)
		op = (struct op){ .kind = OP_MOVE, .region = MOVABLE };
	if (op.kind == OP_ADVISE)
		op.advice = op.region == SPECIAL ? SOME_OF(special_advice) : SOME_OF(plain_advice);
	if (op.kind == OP_ADVISE && op.region == HUGE_PAGES && chance(30)) {
		op.advice = ADVICE_COLLAPSE;
		op.at = 0;
		op.count = PAGES_MAX;
	}
	if (op.region == SPECIAL && op.kind == OP_ADVISE && op.advice != MADV_DONTNEED) {
		op.at = 0;
		op.count = region_pages[SPECIAL];
	}
	/* Of a file, what MADV_FREE is for is refused. */
	if (!process->mapped[op.region] ||
	    (op.region == SPECIAL && process->guarded && op.advice != ADVICE_GUARD_REMOVE))
		op = (struct op){
			.kind = OP_WRITE, .region = PLAIN, .at = op.at % 8, .count = 1, .content = op.content
		};
	return op;
}

static const char *const op_names[OP_KINDS] = { "write", "read", "madvise", "mremap", "fork" };

static bool act(int who, const struct op *op)
{
	struct answer answer;
	if (!ask(who, op, &answer))
		return false;
	note("process %d: %s region %d, %d+%d, advice %d, content %u%s", who, op_names[op->kind], op->region, op->at,
	     op->count, op->advice, op->content, answer.error ? " (refused)" : "");
	if (!answer.error)
		keep_account(&processes[who], op);
	return true;
}

static bool act_some(int who, int least, int most)
{
	for (int i = least + below(most - least + 1); i > 0; i--) {
		struct op op = plan(&processes[who]);
		if (!act(who, &op))
			return false;
	}
	return true;
}

/* ---- forks ----------------------------------------------------------------------------------- */

static void inherit(int parent, int child)
{
	struct process *of_child = &processes[child];
	*of_child = processes[parent];
	of_child->parent = parent;
	for (int region = 0; region < REGIONS; region++)
		for (int i = 0; i < region_pages[region]; i++) {
			struct page *page = &of_child->pages[region][i];
			bool lost = region == SPECIAL && (processes[parent].no_fork || processes[parent].wiped);
			page->did = 0;
			if (lost && page->state == OWN)
				dropped(page);
			else if (lost)
				page->state = ABSENT;
			else if (page->state == READ)
				page->state = MAYBE_READ; /* page tables without private pages are not copied */
		}
	if (processes[parent].no_fork)
		of_child->mapped[SPECIAL] = of_child->no_fork = false;
	of_child->guarded &= !processes[parent].wiped;
}

static int free_slot(void)
{
	for (int i = 1; i < PROCESSES; i++)
		if (!processes[i].pid)
			return i;
	return -1;
}

static bool fork_from(int parent, int child)
{
	struct op op = { .kind = OP_FORK, .other = child };
	struct answer answer, of_child;
	if (!ask(parent, &op, &answer) || answer.error || !receive(child, &of_child))
		return false;
	inherit(parent, child);
	processes[child].pid = answer.pid;
	note("process %d forks %d", parent, child);
	return true;
}

/* ---- looking ---------------------------------------------------------------------------------- */

static bool can_see_frames(void)
{
	uint64_t entry = 0;
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	bool ok = fd >= 0 && pread(fd, &entry, 8, (off_t)((uintptr_t)&entry / PAGE_BYTES * 8)) == 8;
	if (fd >= 0)
		close(fd);
	return ok && (entry & ((UINT64_C(1) << 55) - 1));
}

static struct vmsnap *look(int process, bool hide)
{
	struct vmsnap_capture_options options = { .size = sizeof(options), .freeze_timeout_ms = 10000 };
	struct vmsnap_error err;
	struct vmsnap *snap = NULL;
	if (hide)
		admin_set(false);
	if (vmsnap_capture(processes[process].pid, &options, &snap, &err))
		printf("cannot capture: %s\n", err.message);
	if (hide)
		admin_set(true);
	return snap;
}

/* Both at one instant. */
static bool look_at_both(int parent, int child, bool hide, struct vmsnap **of_parent, struct vmsnap **of_child)
{
	struct vmsnap_capture_options options = { .size = sizeof(options), .freeze_timeout_ms = 10000 };
	struct vmsnap_error err;
	struct vmsnap **snaps = NULL;
	size_t count = 0;
	if (hide)
		admin_set(false);
	if (vmsnap_capture_tree(processes[parent].pid, &options, &snaps, &count, &err))
		printf("cannot capture: %s\n", err.message);
	if (hide)
		admin_set(true);
	for (size_t i = 0; i < count; i++) {
		pid_t pid = (pid_t)vmsnap_info(snaps[i])->tgid;
		if (pid == processes[parent].pid)
			*of_parent = vmsnap_ref(snaps[i]);
		else if (pid == processes[child].pid)
			*of_child = vmsnap_ref(snaps[i]);
	}
	vmsnap_unref_all(snaps, count);
	return *of_parent && *of_child;
}

/* Both sides as a debugger holds them at the fork. */
static bool look_at_the_fork(int parent, int child, bool hide, struct vmsnap **base, struct vmsnap **other)
{
	struct op op = { .kind = OP_FORK, .other = child };
	struct answer answer, of_child;
	pid_t pid = processes[parent].pid;
	unsigned long born = 0;
	int status;
	if (ptrace(PTRACE_SEIZE, pid, 0, PTRACE_O_TRACEFORK) ||
	    send(sockets[parent][0], &op, sizeof(op), MSG_NOSIGNAL) != sizeof(op))
		return false;
	if (waitpid(pid, &status, __WALL) != pid || ptrace(PTRACE_GETEVENTMSG, pid, 0, &born) ||
	    waitpid((pid_t)born, &status, __WALL) != (pid_t)born)
		return false;
	inherit(parent, child);
	processes[child].pid = (pid_t)born;
	*base = look(parent, hide);
	*other = look(child, hide);
	ptrace(PTRACE_DETACH, (pid_t)born, 0, 0);
	ptrace(PTRACE_DETACH, pid, 0, 0);
	note("process %d forks %d, held by us", parent, child);
	return receive(parent, &answer) && !answer.error && receive(child, &of_child) && *base && *other;
}

/* ---- what was said against what was done -------------------------------------------------------- */

static struct tally {
	uint64_t forks, pages, wrong, moved, doubtful, counted;
	uint64_t verdicts[VMSNAP_VERDICT_COUNT];
} tally;
static int shown, show_most = 3;

/* What is known of one page. */
struct known {
	int at; /* enum state, in the parent at the fork */
	bool of_file;
	bool at_uncertain;
	const struct page *parent, *child;
	bool made_before; /* by the parent, between the base and the fork */
};

static bool made(const struct page *page)
{
	return page->did & (DID_WRITE | DID_COLLAPSE | WAS_MERGED);
}

static bool lost(const struct page *page)
{
	return (page->did & DID_DROP) || page->uncertain;
}

/* Whether it is not so; each side is named only if it did that. */
static bool contradicts(int verdict, bool inferred, const struct known *k)
{
	bool parent_made = made(k->parent), child_made = made(k->child);
	bool was_own = k->at == OWN, was_bare = k->at != OWN || k->at_uncertain;
	bool was_read = k->at == READ || k->at == MAYBE_READ || k->at_uncertain;
	bool was_absent = k->at == ABSENT || k->at == MAYBE_READ || k->at_uncertain;
	switch (verdict) {
	case VMSNAP_VERDICT_SHARED:
		return !inferred &&
		       (k->parent->state != OWN || k->child->state != OWN || k->parent->content != k->child->content) &&
		       !k->parent->uncertain && !k->child->uncertain;
	case VMSNAP_VERDICT_COPIED_BY_CHILD:
		return !child_made || !(was_own || k->of_file);
	case VMSNAP_VERDICT_COPIED_BY_PARENT:
		return (!parent_made && !(inferred && k->made_before)) || !(was_own || k->of_file);
	case VMSNAP_VERDICT_COPIED_BY_BOTH:
		return !parent_made || !child_made || !(was_own || k->of_file);
	case VMSNAP_VERDICT_COPIED:
		return !inferred && (!was_own || !(parent_made || child_made));
	case VMSNAP_VERDICT_NEW_IN_CHILD:
		return !child_made || (!inferred && !was_absent);
	case VMSNAP_VERDICT_NEW_IN_PARENT:
		return (!parent_made && !(inferred && k->made_before)) || (!inferred && !was_absent);
	case VMSNAP_VERDICT_NEW_IN_BOTH:
		return !child_made || !parent_made || (!inferred && !was_absent);
	case VMSNAP_VERDICT_ONLY_IN_CHILD:
		return k->child->state != OWN || (k->parent->state == OWN && !k->parent->uncertain);
	case VMSNAP_VERDICT_ONLY_IN_PARENT:
		return k->parent->state != OWN || (k->child->state == OWN && !k->child->uncertain);
	case VMSNAP_VERDICT_ZERO_SHARED:
		return !inferred && !was_read;
	case VMSNAP_VERDICT_ZERO_IN_CHILD:
		return !inferred ? !was_absent || !(k->child->did & DID_READ)
		                 : !was_read && !(k->child->did & DID_READ);
	case VMSNAP_VERDICT_ZERO_IN_PARENT:
		return !inferred ? !was_absent || !(k->parent->did & DID_READ)
		                 : !was_read && !(k->parent->did & DID_READ);
	case VMSNAP_VERDICT_ZERO_IN_BOTH:
		return !inferred && (!was_absent || !(k->parent->did & k->child->did & DID_READ));
	case VMSNAP_VERDICT_ZERO_WRITTEN_BY_CHILD:
		return !child_made || (!inferred && !was_read);
	case VMSNAP_VERDICT_ZERO_WRITTEN_BY_PARENT:
		return (!parent_made && !(inferred && k->made_before)) || (!inferred && !was_read);
	case VMSNAP_VERDICT_ZERO_WRITTEN_BY_BOTH:
		return !child_made || !parent_made || (!inferred && !was_read);
	case VMSNAP_VERDICT_DROPPED_BY_CHILD:
		return !lost(k->child) || !was_own;
	case VMSNAP_VERDICT_DROPPED_BY_PARENT:
		return !lost(k->parent) || !was_own;
	case VMSNAP_VERDICT_DROPPED_BY_BOTH:
		return !inferred && (!lost(k->parent) || !lost(k->child) || !was_own);
	case VMSNAP_VERDICT_FILE:
		return !k->of_file || (k->parent->state == OWN && k->child->state == OWN);
	case VMSNAP_VERDICT_SHARED_MAPPING:
		return true;
	default:
		(void)was_bare;
		return false;
	}
}

struct judged {
	int parent, child;
	struct process at_fork; /* the parent then */
	const char *base_name;
	bool still;  /* the kernel moved no pages between the base and now */
	bool counts; /* for how much is unknown */
};

static void say_wrong(const struct judged *j, const struct vmsnap_cow_range *range, int region, int page,
                      const struct known *k, const char *warning)
{
	tally.wrong += j->still;
	tally.moved += !j->still;
	if (!told_of_seed && ++shown > show_most)
		return;
	if (shown > show_most)
		return;
	if (!told_of_seed) {
		printf("seed %" PRIu64 ", parent %d, child %d, base %s; %s\n", seed_now, j->parent, j->child,
		       j->base_name, warning);
		for (int i = 0; i < log_count; i++)
			printf("    %s\n", log_lines[i]);
	}
	told_of_seed = true;
	printf("  region %d, page %d: %s%s, but at the fork %d%s, parent did %d is %d, child did %d is %d\n", region,
	       page, vmsnap_verdict_name(range->verdict), range->inferred ? " (inferred)" : "", k->at,
	       k->at_uncertain ? "?" : "", k->parent->did, k->parent->state, k->child->did, k->child->state);
}

static void check_page(const struct judged *j, const struct vmsnap_cow_range *range, int region, int page,
                       const char *warning)
{
	const struct page *at = &j->at_fork.pages[region][page];
	struct known k = { .at = at->state,
		           .at_uncertain = at->uncertain,
		           .of_file = region == OF_FILE,
		           .parent = &processes[j->parent].pages[region][page],
		           .child = &processes[j->child].pages[region][page] };
	k.made_before = made(at);
	if (at->unsure || k.parent->unsure || k.child->unsure)
		return;
	tally.pages++;
	tally.verdicts[range->verdict]++;
	if (j->counts) {
		tally.counted++;
		tally.doubtful += range->verdict == VMSNAP_VERDICT_UNKNOWN || range->verdict == VMSNAP_VERDICT_COPIED;
	}
	if (contradicts(range->verdict, range->inferred, &k))
		say_wrong(j, range, region, page, &k, warning);
}

/* Which region an address of the child is in. */
static int region_at(uint64_t address, bool moved)
{
	for (int i = 0; i < REGIONS; i++) {
		uint64_t start = (uint64_t)(uintptr_t)address_of(moved, i, 0);
		if (address >= start && address - start < (uint64_t)region_pages[i] * PAGE_BYTES)
			return i;
	}
	return -1;
}

static void check_ranges(const struct judged *j, struct vmsnap_cow *cow)
{
	struct vmsnap_cow_range range;
	const struct process *child = &processes[j->child], *parent = &processes[j->parent];
	for (size_t i = 0; !vmsnap_cow_range(cow, i, &range); i++)
		for (uint64_t at = range.start; at < range.end; at += PAGE_BYTES) {
			int region = region_at(at, child->moved);
			/* Where frames do not tell what moved, two places are told of one page. */
			if (region < 0 || (region == MOVABLE && parent->moved != child->moved && !range.moved) ||
			    (region == MOVABLE && j->at_fork.moved != child->moved && !range.moved))
				continue;
			uint64_t start = (uint64_t)(uintptr_t)address_of(child->moved, region, 0);
			check_page(j, &range, region, (int)((at - start) / PAGE_BYTES), vmsnap_cow_warning(cow));
		}
}

/* ---- one sequence ------------------------------------------------------------------------------ */

enum base_mode {
	NO_BASE,
	BEFORE,
	BEFORE_AND_ON,
	SAME_TICK,
	AT,
	CHILD_AT,
	PARENT_AFTER,
	CHILD_AFTER,
	BOTH_AFTER,
	BASE_MODES
};
static const char *const base_names[BASE_MODES] = { "none",        "before",      "before, and on", "in the same tick",
	                                            "at the fork", "child, born", "parent, after",  "child, after",
	                                            "both, after" };

static void wait_a_tick(void)
{
	struct timespec time = { 0, TICK_NS + TICK_NS / 5 };
	nanosleep(&time, NULL);
}

struct looks {
	struct vmsnap *base, *other, *parent, *child;
};

static void forget(struct looks *looks)
{
	vmsnap_unref(looks->base);
	vmsnap_unref(looks->other);
	vmsnap_unref(looks->parent);
	vmsnap_unref(looks->child);
	*looks = (struct looks){ 0 };
}

static void begin_anew(int process)
{
	for (int region = 0; region < REGIONS; region++)
		for (int i = 0; i < region_pages[region]; i++)
			processes[process].pages[region][i].did = 0;
}

/* The fork, and a base before, at or after it. */
static bool fork_with_base(struct judged *j, enum base_mode mode, bool hide, struct looks *looks)
{
	bool before = mode == BEFORE || mode == BEFORE_AND_ON || mode == SAME_TICK;
	begin_anew(j->parent);
	if (before && !(looks->base = look(j->parent, hide)))
		return false;
	if (before)
		note("base: process %d", j->parent);
	if (mode == BEFORE_AND_ON && !act_some(j->parent, 1, 6))
		return false;
	if (mode == BEFORE || mode == BEFORE_AND_ON)
		wait_a_tick();
	j->at_fork = processes[j->parent];
	begin_anew(j->parent);
	if (mode == AT || mode == CHILD_AT)
		return look_at_the_fork(j->parent, j->child, hide, &looks->base, &looks->other);
	return fork_from(j->parent, j->child);
}

static bool others_act(const struct judged *j)
{
	int slot = free_slot();
	int who = chance(50) ? j->parent : j->child;
	if (slot < 0 || !chance(35))
		return true;
	if (!fork_from(who, slot))
		return false;
	return !chance(50) || act_some(slot, 1, 3);
}

static bool both_act(const struct judged *j, int rounds)
{
	for (int i = 0; i < rounds; i++)
		if (!act_some(chance(50) ? j->parent : j->child, 1, 3) || !others_act(j))
			return false;
	return true;
}

static bool base_after(struct judged *j, enum base_mode mode, bool hide, struct looks *looks)
{
	if (mode < PARENT_AFTER)
		return true;
	if (!both_act(j, below(4)))
		return false;
	if (chance(50))
		wait_a_tick();
	if (mode == PARENT_AFTER && !(looks->base = look(j->parent, hide)))
		return false;
	if (mode == CHILD_AFTER && !(looks->other = look(j->child, hide)))
		return false;
	if (mode == BOTH_AFTER && !look_at_both(j->parent, j->child, hide, &looks->base, &looks->other))
		return false;
	note("base: %s", base_names[mode]);
	return true;
}

static bool judge(struct judged *j, enum base_mode mode, bool hide, struct looks *looks)
{
	j->base_name = base_names[mode];
	if (!fork_with_base(j, mode, hide, looks))
		return false;
	if (mode == CHILD_AT) {
		vmsnap_unref(looks->base);
		looks->base = NULL;
	}
	if (!base_after(j, mode, hide, looks) || !both_act(j, 1 + below(6)))
		return false;
	struct vmsnap_cow *cow;
	struct vmsnap_error err;
	if (!look_at_both(j->parent, j->child, hide, &looks->parent, &looks->child))
		return false;
	if (vmsnap_cow_new_between(looks->parent, looks->child, looks->base, looks->other, NULL, &cow, &err)) {
		printf("no verdicts: %s\n", err.message);
		return false;
	}
	const struct vmsnap_info *now = vmsnap_info(looks->parent);
	const struct vmsnap *base = vmsnap_cow_base(cow);
	j->still =
	        base && vmsnap_info(base)->page_moves == now->page_moves && (now->page_moves || hide || !frames_seen);
	j->counts = j->still && !hide && frames_seen && (mode == BEFORE || mode == AT);
	check_ranges(j, cow);
	tally.forks++;
	vmsnap_cow_free(cow);
	return true;
}

static bool begin(void)
{
	memset(processes, 0, sizeof(processes));
	for (int i = 0; i < PROCESSES; i++)
		if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets[i]))
			return false;
	pid_t driver = getpid(), pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != driver)
			_exit(0);
		signal(SIGCHLD, SIG_IGN);
		if (!map_all(with_huge_pages))
			_exit(1);
		serve(0, false);
	}
	processes[0].pid = pid;
	for (int i = 0; i < REGIONS; i++)
		processes[0].mapped[i] = i != HUGE_PAGES || with_huge_pages;
	return pid > 0;
}

static void end(void)
{
	for (int i = PROCESSES - 1; i >= 0; i--)
		if (processes[i].pid)
			kill(processes[i].pid, SIGKILL);
	if (processes[0].pid > 0)
		waitpid(processes[0].pid, NULL, 0);
	for (int i = 0; i < PROCESSES; i++) {
		close(sockets[i][0]);
		close(sockets[i][1]);
	}
}

static bool fill(void)
{
	struct op all = { .kind = OP_WRITE, .region = PLAIN, .count = region_pages[PLAIN] / 2, .content = 1000 };
	struct op movable = { .kind = OP_WRITE, .region = MOVABLE, .count = region_pages[MOVABLE], .content = 2000 };
	struct op huge = { .kind = OP_WRITE, .region = HUGE_PAGES, .count = PAGES_MAX, .content = 3000 };
	next_content = 10000;
	return act(0, &all) && act(0, &movable) && (!with_huge_pages || act(0, &huge)) && act_some(0, 1, 8);
}

static int mode_asked = -1;

/* One to three forks in a row, of which each may be judged; others are forked beside them. */
static bool run_one(uint64_t seed, bool no_frames)
{
	struct looks looks = { 0 };
	seed_now = random_state = seed;
	log_count = 0;
	told_of_seed = false;
	with_huge_pages = chance(15);
	bool hide = no_frames || chance(20), good = begin() && fill();
	for (int level = 0, parent = 0, levels = 1 + below(3); good && level < levels; level++) {
		int child = free_slot();
		if (child < 0)
			break;
		if (chance(30) && child + 1 < PROCESSES && fork_from(parent, child + 1))
			good = act_some(chance(50) ? parent : child + 1, 1, 4);
		struct judged j = { .parent = parent, .child = child };
		int mode = mode_asked >= 0 ? mode_asked : below(BASE_MODES);
		good = good && judge(&j, (enum base_mode)mode, hide, &looks);
		forget(&looks);
		parent = chance(60) ? child : parent;
	}
	end();
	return good;
}

static bool report(uint64_t failed)
{
	for (int i = 0; i < VMSNAP_VERDICT_COUNT; i++)
		if (tally.verdicts[i])
			printf("%10" PRIu64 " %s\n", tally.verdicts[i], vmsnap_verdict_name(i));
	double doubtful = tally.counted ? 100.0 * (double)tally.doubtful / (double)tally.counted : 0;
	printf("%" PRIu64 " verdicts contradict what was done where the kernel moved pages meanwhile\n", tally.moved);
	printf("%" PRIu64 " forks, %" PRIu64 " pages: %" PRIu64
	       " verdicts contradict what was done; with frames and a base "
	       "at or before the fork %.2f %% of %" PRIu64 " are unknown or copied; %" PRIu64 " sequences broke off\n",
	       tally.forks, tally.pages, tally.wrong, doubtful, tally.counted, failed);
	/* A frame that was let go by moving its page may be given to a copy of that page. */
	return !tally.wrong && tally.moved * 500 <= tally.forks && doubtful <= 2 && failed * 50 <= tally.forks;
}

int main(int argc, char **argv)
{
	static const struct option known[] = {
		{ "count", required_argument, NULL, 'c' }, { "seed", required_argument, NULL, 's' },
		{ "no-frames", no_argument, NULL, 'n' },   { "show", required_argument, NULL, 'w' },
		{ "base", required_argument, NULL, 'b' },  { 0 },
	};
	uint64_t count = 1000, seed = 1, failed = 0;
	bool no_frames = false;
	for (int option; (option = getopt_long(argc, argv, "", known, NULL)) != -1;) {
		if (option == 'c')
			count = strtoull(optarg, NULL, 10);
		else if (option == 's')
			seed = strtoull(optarg, NULL, 10);
		else if (option == 'n')
			no_frames = true;
		else if (option == 'w')
			show_most = atoi(optarg);
		else if (option == 'b')
			mode_asked = atoi(optarg);
		else
			return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (sysconf(_SC_PAGESIZE) != PAGE_BYTES) {
		printf("SKIP: pages of another size\n");
		return SKIPPED;
	}
	data_file = memfd_create("forks", MFD_CLOEXEC);
	if (data_file < 0 || ftruncate(data_file, (off_t)PAGES_MAX * PAGE_BYTES))
		return SKIPPED;
	frames_seen = can_see_frames();
	for (uint64_t i = 0; i < count; i++)
		failed += !run_one(seed + i, no_frames);
	return report(failed) ? 0 : 1;
}
