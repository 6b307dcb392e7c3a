/* forks.c - random forks, one seed after the other.
 *
 * A sequence is a seed.  Its processes wait for one operation after the other; none runs by itself,
 * so that all of them stand at one instant whenever they are looked at. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "admin_set.h"
#include "forks.h"

static bool frames_seen;

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
	bool counted = now->page_moves && now->page_moves != UINT64_MAX;
	j->still = base && vmsnap_info(base)->page_moves == now->page_moves && (counted || hide || !frames_seen);
	if (!hide && frames_seen && (mode == BEFORE || mode == AT))
		j->counts = j->still ? &tally.doubts : &tally.moved;
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
static bool run_one(uint64_t seed, bool no_frames, bool merging)
{
	struct looks looks = { 0 };
	seed_now = random_state = seed;
	log_count = 0;
	told_of_seed = false;
	with_huge_pages = chance(15);
	with_merging = merging;
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

static double percent(struct doubts doubts)
{
	return doubts.pages ? 100.0 * (double)doubts.doubtful / (double)doubts.pages : 0;
}

static bool report(uint64_t failed)
{
	for (int i = 0; i < VMSNAP_VERDICT_COUNT; i++)
		if (tally.verdicts[i])
			printf("%10" PRIu64 " %s\n", tally.verdicts[i], vmsnap_verdict_name(i));
	if (tally.merged)
		printf("KSM had merged %" PRIu64 " pages at the most\n", tally.merged);
	printf("with frames and a base at or before the fork %.2f %% of %" PRIu64
	       " pages are unknown or copied; where the kernel moved pages meanwhile, %.2f %% of %" PRIu64 "\n",
	       percent(tally.doubts), tally.doubts.pages, percent(tally.moved), tally.moved.pages);
	printf("%" PRIu64
	       " pages were at places to which memory was moved, or from which, and nothing was said of that\n",
	       tally.apart);
	printf("%" PRIu64 " forks, %" PRIu64 " pages: %" PRIu64 " verdicts contradict what was done, %" PRIu64
	       " of them where the kernel moved pages meanwhile; %" PRIu64 " sequences broke off\n",
	       tally.forks, tally.pages, tally.wrong, tally.wrong_moved, failed);
	return !tally.wrong && percent(tally.doubts) <= 2 && failed * 50 <= tally.forks;
}

int main(int argc, char **argv)
{
	static const struct option known[] = {
		{ "count", required_argument, NULL, 'c' },
		{ "seed", required_argument, NULL, 's' },
		{ "no-frames", no_argument, NULL, 'n' },
		{ "show", required_argument, NULL, 'w' },
		{ "base", required_argument, NULL, 'b' },
		{ "merging", no_argument, NULL, 'm' },
		{ 0 },
	};
	uint64_t count = 1000, seed = 1, failed = 0;
	bool no_frames = false, merging = false;
	for (int option; (option = getopt_long(argc, argv, "", known, NULL)) != -1;) {
		if (option == 'c')
			count = strtoull(optarg, NULL, 10);
		else if (option == 's')
			seed = strtoull(optarg, NULL, 10);
		else if (option == 'n')
			no_frames = true;
		else if (option == 'm')
			merging = true;
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
	if (merging && !merging_is_on()) {
		printf("SKIP: KSM is off\n");
		return SKIPPED;
	}
	for (uint64_t i = 0; i < count; i++)
		failed += !run_one(seed + i, no_frames, merging);
	return report(failed) ? 0 : 1;
}
