/* forks_act.c - what the driver has the processes do, and what it knows of their memory then. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "forks.h"

struct process processes[PROCESSES];
bool with_huge_pages, with_merging;

/* ---- the driver's side of it ---------------------------------------------------------------- */

uint64_t seed_now;
int log_count;
char log_lines[400][120];
bool told_of_seed;

__attribute__((format(printf, 1, 2))) void note(const char *format, ...)
{
	va_list args;
	if (log_count == 400)
		return;
	va_start(args, format);
	vsnprintf(log_lines[log_count++], sizeof(log_lines[0]), format, args);
	va_end(args);
}

bool receive(int process, struct answer *answer)
{
	ssize_t got;
	while ((got = recv(sockets[process][0], answer, sizeof(*answer), 0)) < 0 && errno == EINTR)
		;
	return got == sizeof(*answer);
}

bool ask(int process, const struct op *op, struct answer *answer)
{
	return send(sockets[process][0], op, sizeof(*op), MSG_NOSIGNAL) == sizeof(*op) && receive(process, answer);
}

uint64_t random_state;
int below(int end)
{
	uint64_t z = (random_state += UINT64_C(0x9e3779b97f4a7c15));
	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return (int)((z ^ (z >> 31)) % (uint64_t)end);
}
bool chance(int percent)
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

uint32_t next_content;

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

static const int merging_advice[] = { MADV_MERGEABLE, MADV_MERGEABLE, MADV_MERGEABLE, MADV_UNMERGEABLE };

/* Of the whole region. */
static struct op plan_merging(void)
{
	struct op op = { .kind = OP_ADVISE, .region = below(HUGE_PAGES), .advice = SOME_OF(merging_advice) };
	op.count = region_pages[op.region];
	return op;
}

static struct op plan(const struct process *process)
{
	if (with_merging && chance(15)) {
		struct op op = plan_merging();
		if (process->mapped[op.region] && !(op.region == SPECIAL && process->guarded))
			return op;
	}
	struct op op = { .kind = OP_WRITE, .region = below(100) < 55 ? PLAIN : below(HUGE_PAGES) };
	if (with_huge_pages && chance(25))
		op.region = HUGE_PAGES;
	int choice = below(100);
	op.kind = choice < 45 ? OP_WRITE : choice < 60 ? OP_READ : choice < 90 ? OP_ADVISE : OP_MOVE;
	some_range(&op);
	op.content = chance(with_merging ? 50 : 10) ? 1 : next_content;
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

bool act(int who, const struct op *op)
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

bool act_some(int who, int least, int most)
{
	for (int i = least + below(most - least + 1); i > 0; i--) {
		struct op op = plan(&processes[who]);
		if (!act(who, &op))
			return false;
		if (with_merging && chance(10))
			wait_for_merges();
	}
	return true;
}

static uint64_t read_number(const char *path)
{
	char text[32] = "";
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t len = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);
	if (fd >= 0)
		close(fd);
	return len > 0 ? strtoull(text, NULL, 10) : 0;
}

bool merging_is_on(void)
{
	return read_number("/sys/kernel/mm/ksm/run") == 1;
}

void wait_for_merges(void)
{
	/* A page is merged when it was the same in two looks, and another one like it was met. */
	enum { ROUNDS = 3, MS_MOST = 1000 };
	const char *rounds = "/sys/kernel/mm/ksm/full_scans";
	uint64_t end = read_number(rounds) + ROUNDS;
	for (int i = 0; i < MS_MOST / 5 && read_number(rounds) < end; i++)
		nanosleep(&(struct timespec){ 0, 5000000 }, NULL);
	uint64_t merged = read_number("/sys/kernel/mm/ksm/pages_sharing");
	note("KSM has merged %" PRIu64 " pages", merged);
	tally.merged = merged > tally.merged ? merged : tally.merged;
}

/* ---- forks ----------------------------------------------------------------------------------- */

void inherit(int parent, int child)
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

int free_slot(void)
{
	for (int i = 1; i < PROCESSES; i++)
		if (!processes[i].pid)
			return i;
	return -1;
}

bool fork_from(int parent, int child)
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
