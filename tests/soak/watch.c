/* watch.c - a process that is never still, captured again and again. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "../signals/hooks.h"
#include "board.h"
#include "look.h"
#include "self.h"

enum { MAY_STAND_MS = 1000, WARM_UP = 100, KEPT = 1 << 20 };

struct watched {
	pid_t pid;
	struct board *board;
	uint64_t seen[WORKS]; /* of board->done, when it was last looked at */
	struct numbers pauses;
	bool slow; /* this capture is, on purpose: how long it stands says nothing */
	uint64_t captures, stopped, with_smaps, slow_ones;
};

static void open_board(struct watched *watched, const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);
	watched->board = mmap(NULL, sizeof(struct board), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (fd < 0 || watched->board == MAP_FAILED)
		wrong("cannot open %s", path);
	close(fd);
}

/* ---- what holds at every instant ---- */

enum { IS_THERE = 3 }; /* of a pagemap entry's highest bits: present, swapped */

/* How many pages are there; they must be the first ones. */
static uint64_t pages_there(const struct vmsnap *snap, uint64_t start, const char *what)
{
	uint64_t entries[PAIR_PAGES], there = 0;
	vmsnap_pages_read(snap, start, PAIR_PAGES, entries);
	for (uint64_t i = 0; i < PAIR_PAGES; i++) {
		if (!(entries[i] >> 62 & IS_THERE))
			continue;
		if (there != i)
			wrong("%s has page %" PRIu64 ", and of those before it only %" PRIu64, what, i, there);
		there++;
	}
	return there;
}

static void check_pairs(const struct watched *watched, const struct vmsnap *snap)
{
	for (int pair = 0; pair < PAIRS; pair++) {
		uint64_t first = pages_there(snap, watched->board->first[pair], "first");
		uint64_t second = pages_there(snap, watched->board->second[pair], "second");
		if (first != second && first != second + 1)
			wrong("not of one instant: %" PRIu64 " pages of first, %" PRIu64 " of second", first, second);
	}
}

static void check_slots(const struct watched *watched, const struct vmsnap *snap)
{
	bool before = true;
	for (int slot = 0; slot < SLOTS; slot++) {
		uint64_t start = watched->board->slots + (uint64_t)slot * SLOT_PAGES * vmsnap_info(snap)->page_size;
		const struct vmsnap_vma *vma = vmsnap_vma_at(snap, start);
		if (!vma)
			wrong("slot %d is not mapped", slot);
		bool made = vma->perms & VMSNAP_PERM_WRITE;
		if (made && !before)
			wrong("slot %d is made, and the one before it is not", slot);
		before = made;
	}
}

static bool has_thread(const struct vmsnap *snap, uint32_t tid)
{
	for (size_t i = 0; i < vmsnap_thread_count(snap); i++)
		if (vmsnap_thread(snap, i)->tid == tid)
			return true;
	return false;
}

/* All threads that are always there; of the others there are not more than the kernel
 * counted while the process stood.  It counts those, too, that have ended and are not yet
 * reaped; they have no memory any more. */
static void check_threads(const struct watched *watched, const struct vmsnap *snap)
{
	struct vmsnap_status_field threads;
	if (vmsnap_status_find(snap, "Threads", &threads) || !threads.is_number)
		wrong("status does not say how many threads there are");
	if (vmsnap_thread_count(snap) > threads.number)
		wrong("%zu threads, and status says %" PRIu64, vmsnap_thread_count(snap), threads.number);
	for (int i = 0; i < THREADS; i++)
		if (!has_thread(snap, watched->board->tids[i]))
			wrong("thread %" PRIu32 " is missing", watched->board->tids[i]);
}

static void check_capture(struct watched *watched, const struct vmsnap *snap)
{
	const struct vmsnap_info *info = vmsnap_info(snap);
	if (info->freeze != VMSNAP_FREEZE_FULL || !info->consistent)
		wrong("not consistent: freeze %" PRIu32, info->freeze);
	if (info->pid != (uint32_t)watched->pid || !info->pause)
		wrong("identity: pid %" PRIu32 ", pause %" PRIu64, info->pid, info->pause);
	look_order(snap);
	check_pairs(watched, snap);
	check_slots(watched, snap);
	check_threads(watched, snap);
	if (vmsnap_smaps_key_count(snap)) {
		look_smaps(snap);
		watched->with_smaps++;
	}
	if (!watched->slow)
		numbers_add(&watched->pauses, info->pause);
	watched->captures++;
}

/* ---- what must hold afterwards ---- */

static bool all_advanced(const struct watched *watched)
{
	for (int work = 0; work < WORKS; work++)
		if (atomic_load(&watched->board->done[work]) == watched->seen[work])
			return false;
	return true;
}

/* Every worker of the process gets on, given time: other programs run here, too. */
static void await_progress(struct watched *watched)
{
	for (int tries = 0; !all_advanced(watched); tries++) {
		if (tries > 3000)
			wrong("some thread of the process does not get on any more");
		usleep(10000);
	}
	for (int work = 0; work < WORKS; work++)
		watched->seen[work] = atomic_load(&watched->board->done[work]);
	if (atomic_load(&watched->board->broken))
		wrong("the process found its own memory changed, or a call failed");
	if (atomic_load(&watched->board->lost))
		wrong("the process misses signals: %" PRIu64, atomic_load(&watched->board->lost));
}

/* Without such a question nobody watches any more once all stands. */
static bool never_cancelled(void *nothing)
{
	return nothing != NULL;
}

static struct vmsnap *capture(const struct watched *watched, unsigned flags)
{
	struct vmsnap_capture_options options = { .size = sizeof(options), .flags = flags, .freeze_timeout_ms = 10000 };
	options.cancelled = watched->slow ? never_cancelled : NULL;
	struct vmsnap_error err;
	struct vmsnap *snap;
	if (vmsnap_capture(watched->pid, &options, &snap, &err))
		wrong_with("capture", &err);
	return snap;
}

static void capture_running(struct watched *watched, unsigned flags)
{
	struct vmsnap *snap = capture(watched, flags);
	look_let_go(watched->pid, false);
	check_capture(watched, snap);
	vmsnap_unref(snap);
}

/* While it stands whoever watches over that looks at it again and again. */
static void capture_slowly(struct watched *watched)
{
	unsigned long rounds = hooks.rounds;
	hooks.every = 1;
	watched->slow = true;
	capture_running(watched, 0);
	watched->slow = false;
	hooks.every = 0;
	if (hooks.rounds == rounds)
		wrong("nobody watched over a slow capture");
	watched->slow_ones++;
}

/* Stopped by a signal the process stands still for us, too: what the kernel says of it
 * can be compared, and it must stay stopped. */
static void capture_stopped(struct watched *watched)
{
	if (kill(watched->pid, SIGSTOP))
		wrong("cannot stop the process");
	look_await_stop(watched->pid);
	uint64_t before = look_rollup(watched->pid);
	struct vmsnap *snap = capture(watched, 0);
	look_let_go(watched->pid, true);
	uint64_t resident = look_resident(snap), after = look_rollup(watched->pid);
	if (before != after)
		wrong("smaps_rollup of a stopped process changed: %" PRIu64 ", %" PRIu64, before, after);
	if (resident != before)
		wrong("%" PRIu64 " bytes resident, and smaps_rollup says %" PRIu64, resident, before);
	check_capture(watched, snap);
	vmsnap_unref(snap);
	watched->stopped++;
	if (kill(watched->pid, SIGCONT))
		wrong("cannot let the process go on");
}

/* ---- the run ---- */

static void tell(struct watched *watched)
{
	uint64_t middle = numbers_part(&watched->pauses, 500), most = numbers_part(&watched->pauses, 1000);
	uint64_t may = 50 * middle > MAY_STAND_MS * 1000000u ? 50 * middle : MAY_STAND_MS * 1000000u;
	printf("captures %" PRIu64 ", %" PRIu64 " with smaps, %" PRIu64 " of them stopped before, %" PRIu64
	       " slow on purpose\n",
	       watched->captures, watched->with_smaps, watched->stopped, watched->slow_ones);
	printf("paused: half %.2f ms at most, 99 %% %.2f ms, longest %.2f ms\n", (double)middle / 1e6,
	       (double)numbers_part(&watched->pauses, 990) / 1e6, (double)most / 1e6);
	printf("meanwhile: %" PRIu64 " threads and %" PRIu64 " children came and went, %" PRIu64
	       " laps of page pairs, %" PRIu64 " of slots, %" PRIu64 " other mappings, %" PRIu64 " signals\n",
	       watched->seen[WORK_THREADS], watched->seen[WORK_FORKS], watched->seen[WORK_PAIR],
	       watched->seen[WORK_SLOTS], watched->seen[WORK_NOISE], watched->seen[WORK_SIGNALS]);
	if (most > may)
		wrong("the process stood for %.1f ms", (double)most / 1e6);
}

int watch(int argc, char **argv)
{
	struct watched watched = { .pid = atoi(argv[0]) };
	uint64_t times = strtoull(argv[2], NULL, 10), end = now_ns() + strtoull(argv[3], NULL, 10) * 1000000000;
	struct self_before before = { 0 };
	(void)argc;
	open_board(&watched, argv[1]);
	numbers_init(&watched.pauses, KEPT);
	await_progress(&watched);
	while (watched.captures < WARM_UP + times || now_ns() < end) {
		if (watched.captures % 16 == 7)
			capture_stopped(&watched);
		else if (watched.captures % 64 == 5)
			capture_slowly(&watched);
		else
			capture_running(&watched, watched.captures % 4 == 1 ? VMSNAP_CAPTURE_SMAPS : 0u);
		if (watched.captures % 50 == 0)
			await_progress(&watched);
		if (watched.captures == WARM_UP)
			before = self_note();
	}
	await_progress(&watched);
	self_unchanged(&before, "capture 100");
	tell(&watched);
	numbers_free(&watched.pauses);
	munmap(watched.board, sizeof(struct board));
	return 0;
}
