/* Real-time priority while somebody waits: who has it, for how long, and what is left of it. */
#include "test_children.h"

#include <dirent.h>
#include <sched.h>
#include <sys/resource.h>
#include <time.h>

#include "clock.h"
#include "realtime.h"
#include "test_skip.h"

static int policy(void)
{
	return sched_getscheduler(0) & ~SCHED_RESET_ON_FORK;
}

static pid_t self(void)
{
	return (pid_t)syscall(SYS_gettid);
}

/* In a process of its own: what one may not have there is no matter of ours. */
static int in_a_child(int (*act)(void))
{
	int status;
	pid_t pid = fork();
	if (!pid)
		_exit(act());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void need_realtime(void)
{
	struct realtime realtime;
	realtime_init(&realtime);
	if (!realtime.permitted)
		skip_because("real-time priority: this user may not have it");
}

static void begins_and_ends(void **state)
{
	(void)state;
	struct realtime realtime;
	need_realtime();
	realtime_init(&realtime);
	realtime_add(&realtime, self());
	assert_int_equal(policy(), SCHED_OTHER);
	realtime_begin(&realtime);
	assert_true(realtime_is_on(&realtime));
	assert_int_equal(sched_getscheduler(0), SCHED_FIFO | SCHED_RESET_ON_FORK);
	realtime_check(&realtime);
	realtime_end(&realtime);
	assert_int_equal(policy(), SCHED_OTHER);
	realtime_end(&realtime);
	realtime_begin(&realtime);
	assert_int_equal(policy(), SCHED_FIFO);
	realtime_end(&realtime);
	assert_int_equal(policy(), SCHED_OTHER);
}

static void ends_when_the_time_is_up(void **state)
{
	(void)state;
	struct realtime realtime;
	need_realtime();
	realtime_init(&realtime);
	realtime_add(&realtime, self());
	realtime_begin(&realtime);
	uint64_t began = monotonic_now();
	while (monotonic_now() - began <= REALTIME_MS * UINT64_C(1000000))
		nanosleep(&(struct timespec){ .tv_nsec = 10000000 }, NULL);
	realtime_check(&realtime);
	assert_int_equal(policy(), SCHED_OTHER);
	realtime_begin(&realtime);
	assert_int_equal(policy(), SCHED_OTHER); /* once a capture */
}

static void *forks(void *status)
{
	int own = policy();
	pid_t pid = fork();
	if (!pid)
		_exit(policy());
	waitpid(pid, status, 0);
	return (void *)(uintptr_t)own;
}

static void is_not_inherited_by_a_fork(void **state)
{
	(void)state;
	struct realtime realtime;
	int status = -1;
	need_realtime();
	realtime_init(&realtime);
	realtime_add(&realtime, self());
	realtime_begin(&realtime);
	int own = (int)(uintptr_t)forks(&status);
	realtime_end(&realtime);
	assert_int_equal(own, SCHED_FIFO);
	assert_int_equal(status, SCHED_OTHER << 8);
}

static int with_a_limit(void)
{
	struct rlimit limit = { 150000, 150000 }; /* us; SIGXCPU would be the program's */
	struct realtime realtime;
	if (setrlimit(RLIMIT_RTTIME, &limit))
		return 2;
	realtime_init(&realtime);
	return realtime.permitted;
}

static void is_not_asked_for_where_its_time_is_limited(void **state)
{
	(void)state;
	need_realtime();
	assert_int_equal(in_a_child(with_a_limit), 0);
}

static int with_one_already(void)
{
	struct realtime realtime;
	struct sched_param high = { .sched_priority = 7 }, now = { 0 };
	if (sched_setscheduler(0, SCHED_RR, &high))
		return 2;
	realtime_init(&realtime);
	realtime.permitted = true;
	realtime_add(&realtime, self());
	realtime_begin(&realtime);
	realtime_end(&realtime);
	return sched_getparam(0, &now) || policy() != SCHED_RR || now.sched_priority != 7 || realtime.count;
}

static void who_has_another_keeps_it(void **state)
{
	(void)state;
	need_realtime();
	assert_int_equal(in_a_child(with_one_already), 0);
}

static size_t own_threads(void)
{
	size_t count = 0;
	DIR *dir = opendir("/proc/self/task");
	assert_non_null(dir);
	for (struct dirent *entry; (entry = readdir(dir));)
		count += entry->d_name[0] != '.';
	closedir(dir);
	return count;
}

static void has_memory(int ready)
{
	size_t bytes = 64 << 20;
	char *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	for (size_t at = 0; memory != MAP_FAILED && at < bytes; at += 4096)
		memory[at] = 1;
	sleeps(ready);
}

static int captures_in_batch(void)
{
	struct sched_param none = { 0 };
	struct vmsnap_capture_options options = { .size = sizeof(options),
		                                  .flags = VMSNAP_CAPTURE_REALTIME,
		                                  .threads = 3 };
	pid_t pid = child_that(has_memory);
	sched_setscheduler(0, SCHED_BATCH, &none);
	setpriority(PRIO_PROCESS, 0, 3);
	size_t before = own_threads();
	vmsnap_unref(capture_ok(pid, &options));
	end(pid);
	return sched_getscheduler(0) != SCHED_BATCH || getpriority(PRIO_PROCESS, 0) != 3 || own_threads() != before;
}

static void capture_leaves_its_caller_as_it_was(void **state)
{
	(void)state;
	assert_int_equal(in_a_child(captures_in_batch), 0);
}

/* While it stands, a look from outside. */
static bool someone_is(pid_t pid, int wanted)
{
	char path[64];
	bool found = false;
	snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	DIR *dir = opendir(path);
	for (struct dirent *entry; dir && (entry = readdir(dir));)
		found |= entry->d_name[0] != '.' &&
		         (sched_getscheduler(atoi(entry->d_name)) & ~SCHED_RESET_ON_FORK) == wanted;
	if (dir)
		closedir(dir);
	return found;
}

static void who_is_killed_leaves_the_target_running(void **state)
{
	(void)state;
	enum { ROUNDS = 20 };
	need_realtime();
	pid_t pid = child_that(has_memory);
	int met = 0;
	for (int round = 0; round < ROUNDS; round++) {
		pid_t capturing = fork();
		if (!capturing) {
			struct vmsnap_capture_options options = { .size = sizeof(options),
				                                  .flags = VMSNAP_CAPTURE_REALTIME,
				                                  .threads = (unsigned)round % 4 };
			for (;;)
				vmsnap_unref(capture_ok(pid, &options));
		}
		for (int look = 0; look < 400 && !someone_is(capturing, SCHED_FIFO); look++)
			usleep(100);
		met += someone_is(capturing, SCHED_FIFO);
		end(capturing);
		assert_false(someone_is(capturing, SCHED_FIFO));
		wait_for_state(pid, 'S');
	}
	print_message("killed %d of %d times at real-time priority\n", met, ROUNDS);
	end(pid);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(begins_and_ends),
		cmocka_unit_test(ends_when_the_time_is_up),
		cmocka_unit_test(is_not_inherited_by_a_fork),
		cmocka_unit_test(is_not_asked_for_where_its_time_is_limited),
		cmocka_unit_test(who_has_another_keeps_it),
		cmocka_unit_test(capture_leaves_its_caller_as_it_was),
		cmocka_unit_test(who_is_killed_leaves_the_target_running),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
