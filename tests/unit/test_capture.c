/* Capture through the API: recorded trees, and live children of this program. */
#include "test_children.h"

#include <dirent.h>
#include <stdatomic.h>

#include "runs.h"

/* ---- recorded trees --------------------------------------------------------------- */

struct tree {
	char path[64];
	int fd;
};

static void tree_write(const struct tree *tree, const char *name, const void *bytes, size_t len, off_t at)
{
	int fd = openat(tree->fd, name, O_WRONLY | O_CREAT, 0600);
	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, bytes, len, at), (ssize_t)len);
	close(fd);
}

static void tree_make(struct tree *tree)
{
	strcpy(tree->path, "/tmp/vmsnap-test.XXXXXX");
	assert_non_null(mkdtemp(tree->path));
	tree->fd = open(tree->path, O_RDONLY | O_DIRECTORY);
	assert_true(tree->fd >= 0);
	static const char maps[] = "10000000-10004000 rw-p 00000000 00:00 0                    [anon:arena]\n"
	                           "7f0000000000-7f0000002000 r-xp 00001000 08:01 77                 /lib/x.so\n"
	                           "ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0          [vsyscall]\n";
	static const char status[] = "Name:\trec\nPid:\t31\nTgid:\t30\nPPid:\t1\nUid:\t1\t1000\t1\t1\nNSpid:\t31\t5\n"
	                             "TracerPid:\t0\nVmRSS:\t 12 kB\n";
	uint64_t anon[] = { ENTRY_PRESENT | 5, ENTRY_PRESENT | 6, 0, ENTRY_SWAPPED | 2 | 40 << 5 };
	uint64_t file[] = { ENTRY_PRESENT | ENTRY_FLAG(VMSNAP_PAGE_FILE) | 1000 };
	tree_write(tree, "maps", maps, strlen(maps), 0);
	tree_write(tree, "status", status, strlen(status), 0);
	/* Sparse, as the kernel's own file. */
	tree_write(tree, "pagemap", anon, sizeof(anon), 0x10000000 / 4096 * 8);
	tree_write(tree, "pagemap", file, sizeof(file), (off_t)(0x7f0000001000 / 4096 * 8));
}

static void tree_remove(struct tree *tree)
{
	unlinkat(tree->fd, "maps", 0);
	unlinkat(tree->fd, "status", 0);
	unlinkat(tree->fd, "pagemap", 0);
	close(tree->fd);
	rmdir(tree->path);
}

static void recorded_tree_is_captured_as_it_stands(void **state)
{
	(void)state;
	struct tree tree;
	tree_make(&tree);
	struct vmsnap *snap;
	struct vmsnap_error err = { 0 };
	if (vmsnap_capture_at(tree.fd, NULL, &snap, &err))
		fail_msg("%s", err.message);
	const struct vmsnap_info *info = vmsnap_info(snap);
	assert_int_equal(info->pid, 31);
	assert_int_equal(info->tgid, 30);
	assert_int_equal(info->ppid, 1);
	assert_int_equal(info->uid, 1000);
	assert_int_equal(info->ns_pid, 5);
	assert_string_equal(info->comm, "rec");
	assert_int_equal(info->freeze, VMSNAP_FREEZE_NONE);
	assert_true(info->consistent && info->known.pfn && !info->known.soft_dirty && !info->known.zero);
	assert_null(info->cmdline);
	assert_int_equal(vmsnap_vma_count(snap), 3);
	struct vmsnap_run run;
	assert_int_equal(vmsnap_page_at(snap, 0x10001fff, &run), VMSNAP_OK);
	assert_int_equal(run.pfn, 6);
	assert_int_equal(vmsnap_page_at(snap, 0x10002000, &run), VMSNAP_ERR_NOT_FOUND);
	assert_int_equal(vmsnap_page_at(snap, 0x10003000, &run), VMSNAP_OK);
	assert_int_equal(run.swap_type, 2);
	assert_int_equal(run.swap_offset, 40);
	assert_int_equal(vmsnap_page_at(snap, 0x7f0000001000, &run), VMSNAP_OK);
	assert_int_equal(run.flags, VMSNAP_PAGE_PRESENT | VMSNAP_PAGE_FILE);
	vmsnap_unref(snap);
	tree_remove(&tree);
}

static void recorded_tree_without_pagemap_or_with_bad_maps_is_an_error(void **state)
{
	(void)state;
	struct tree tree;
	struct vmsnap *snap = NULL;
	struct vmsnap_error err = { 0 };
	tree_make(&tree);
	tree_write(&tree, "maps", "oops", 4, 0);
	assert_int_equal(vmsnap_capture_at(tree.fd, NULL, &snap, &err), VMSNAP_ERR_PROC);
	assert_int_equal(err.position, 1);
	unlinkat(tree.fd, "pagemap", 0);
	assert_true(vmsnap_capture_at(tree.fd, NULL, &snap, &err) < 0);
	assert_null(snap);
	tree_remove(&tree);
	assert_int_equal(vmsnap_capture_at(-1, NULL, &snap, &err), VMSNAP_ERR_SYSTEM);
}

/* ---- live processes ----------------------------------------------------------------- */

static void sleeping_child_is_frozen_and_goes_on_sleeping(void **state)
{
	(void)state;
	pid_t other = child_that(sleeps), pid = child_that(sleeps);
	kill(other, SIGKILL);
	struct vmsnap_capture_options options = { .size = sizeof(options), .label = "here" };
	struct vmsnap *snap = capture_ok(pid, &options);
	const struct vmsnap_info *info = vmsnap_info(snap);
	assert_int_equal(info->freeze, VMSNAP_FREEZE_FULL);
	assert_true(info->consistent && info->pause > 0);
	assert_int_equal(info->ppid, getpid());
	assert_string_equal(info->label, "here");
	struct vmsnap_status_field field;
	assert_int_equal(vmsnap_status_find(snap, "TracerPid", &field), VMSNAP_OK);
	assert_int_equal(field.number, 0); /* as it was before we looked */
	assert_int_equal(vmsnap_status_find(snap, "State", &field), VMSNAP_OK);
	assert_true(*field.text != 't');
	assert_int_equal(vmsnap_thread_count(snap), 1);
	vmsnap_unref(snap);
	wait_for_state(pid, 'S');
	end(pid);
	/* The other child's end is still there for its parent to see. */
	assert_int_equal(waitpid(other, NULL, 0), other);
}

static void stopped_child_stays_stopped(void **state)
{
	(void)state;
	pid_t pid = child_that(sleeps);
	kill(pid, SIGSTOP);
	wait_for_state(pid, 'T');
	struct vmsnap *snap = capture_ok(pid, NULL);
	assert_int_equal(vmsnap_info(snap)->freeze, VMSNAP_FREEZE_FULL);
	vmsnap_unref(snap);
	wait_for_state(pid, 'T');
	usleep(20000);
	assert_int_equal(state_of(pid), 'T');
	end(pid);
}

static void *capture_in_thread(void *argument)
{
	struct vmsnap *snap = NULL;
	pid_t pid = *(pid_t *)argument;
	/* However slow the machine is that the others are done on before. */
	struct vmsnap_capture_options patient = { .size = sizeof(patient), .freeze_timeout_ms = 60000 };
	long freeze = vmsnap_capture(pid, &patient, &snap, NULL) ? -1 : (long)vmsnap_info(snap)->freeze;
	vmsnap_unref(snap);
	return (void *)freeze;
}

static void captures_at_once_wait_for_each_other(void **state)
{
	(void)state;
	enum { COUNT = 8 };
	pid_t pid = child_that(sleeps);
	pthread_t threads[COUNT];
	for (int i = 0; i < COUNT; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, capture_in_thread, &pid), 0);
	for (int i = 0; i < COUNT; i++) {
		void *freeze;
		pthread_join(threads[i], &freeze);
		assert_int_equal((long)freeze, VMSNAP_FREEZE_FULL);
	}
	wait_for_state(pid, 'S');
	end(pid);
}

static void process_whose_main_thread_exited_is_captured_through_another(void **state)
{
	(void)state;
	pid_t pid = child_that(main_thread_exits);
	wait_for_state(pid, 'Z');
	struct vmsnap *snap = capture_ok(pid, NULL);
	struct vmsnap_sums sums;
	vmsnap_sum(snap, 0, UINT64_MAX, &sums);
	assert_true(sums.resident > 0);
	assert_int_equal(vmsnap_info(snap)->freeze, VMSNAP_FREEZE_FULL);
	assert_int_equal(vmsnap_info(snap)->tgid, pid);
	vmsnap_unref(snap);
	end(pid);
}

static void zombie_and_nobody_are_told_apart(void **state)
{
	(void)state;
	struct vmsnap *snap = NULL;
	struct vmsnap_error err = { 0 };
	pid_t pid = child_that(say_ready);
	wait_for_state(pid, 'Z');
	assert_int_equal(vmsnap_capture(pid, NULL, &snap, &err), VMSNAP_ERR_ZOMBIE);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(vmsnap_capture(pid, NULL, &snap, &err), VMSNAP_ERR_NO_PROCESS);
	assert_int_equal(vmsnap_capture(0, NULL, &snap, &err), VMSNAP_ERR_ARGUMENT);
	assert_int_equal(vmsnap_capture(-1, NULL, &snap, &err), VMSNAP_ERR_ARGUMENT);
	assert_null(snap);
}

static void own_process_is_captured_without_a_freeze(void **state)
{
	(void)state;
	struct vmsnap *snap = capture_ok(getpid(), NULL);
	assert_int_equal(vmsnap_info(snap)->freeze, VMSNAP_FREEZE_NONE);
	assert_int_equal(vmsnap_info(snap)->pause, 0);
	vmsnap_unref(snap);
}

static volatile sig_atomic_t counted;
static void count_signal(int number)
{
	(void)number;
	counted++;
}

/* Signals that arrive while it stands must all be delivered afterwards. */
static void counts_signals(int ready)
{
	struct sigaction action = { .sa_handler = count_signal };
	sigaction(SIGRTMIN, &action, NULL);
	sigset_t block, before;
	sigemptyset(&block);
	sigaddset(&block, SIGRTMIN);
	sigprocmask(SIG_BLOCK, &block, &before);
	say_ready(ready);
	for (;;) {
		sigsuspend(&before);
		if (counted >= 300)
			_exit(42);
	}
}

struct sender {
	pid_t pid;
	atomic_int captures; /* begun */
	atomic_bool done;
};

static void *send_signals(void *argument)
{
	struct sender *sender = argument;
	for (int i = 0; i < 300; i++) {
		/* In all of more than ten captures, however long one takes. */
		while (sender->captures <= i / 25)
			usleep(100);
		/* A real-time signal is queued; an ordinary one is pending once at most. */
		sigqueue(sender->pid, SIGRTMIN, (union sigval){ 0 });
		usleep(3000);
	}
	sender->done = true;
	return NULL;
}

static void signals_sent_meanwhile_are_not_lost(void **state)
{
	(void)state;
	pid_t pid = child_that(counts_signals);
	struct sender sender = { .pid = pid };
	pthread_t thread;
	pthread_create(&thread, NULL, send_signals, &sender);
	int captures = 0;
	while (!sender.done) {
		struct vmsnap *snap = NULL;
		sender.captures++;
		if (vmsnap_capture(pid, NULL, &snap, NULL) == VMSNAP_OK)
			captures++;
		vmsnap_unref(snap);
	}
	pthread_join(thread, NULL);
	assert_true(captures > 10);
	/* It may have ended in the middle of a capture: that end is ours to see. */
	int status = 0;
	pid_t ended = 0;
	for (int i = 0; i < 6000 && !ended; i++) {
		ended = waitpid(pid, &status, WNOHANG);
		usleep(10000);
	}
	assert_int_equal(ended, pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 42);
}

static void exits_soon(int ready)
{
	say_ready(ready);
	usleep(300);
	_exit(7);
}

static void child_that_exits_meanwhile_is_left_for_its_parent_to_reap(void **state)
{
	(void)state;
	for (int i = 0; i < 200; i++) {
		pid_t pid = child_that(exits_soon);
		int rc = VMSNAP_OK, status;
		while (!rc) {
			struct vmsnap *snap = NULL;
			rc = vmsnap_capture(pid, NULL, &snap, NULL);
			vmsnap_unref(snap);
		}
		assert_true(rc == VMSNAP_ERR_EXITED || rc == VMSNAP_ERR_ZOMBIE);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFEXITED(status));
		assert_int_equal(WEXITSTATUS(status), 7);
	}
}

static void has_much_memory(int ready)
{
	size_t len = UINT64_C(4) << 40;
	char *p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	for (size_t i = 0; p != MAP_FAILED && i < 60000; i++)
		p[i * 64 * 1024 * 1024 % len + i * 4096] = 1;
	sleeps(ready);
}

static bool at_once(void *ctx)
{
	++*(int *)ctx;
	return true;
}

static void cancelled_capture_says_so_and_lets_go(void **state)
{
	(void)state;
	pid_t pid = child_that(has_much_memory);
	int asked = 0;
	struct vmsnap_capture_options options = { .size = sizeof(options), .cancelled = at_once, .cancel_ctx = &asked };
	struct vmsnap *snap = NULL;
	struct vmsnap_error err = { 0 };
	int rc = vmsnap_capture(pid, &options, &snap, &err);
	assert_int_equal(rc, VMSNAP_ERR_CANCELLED);
	assert_true(asked > 0);
	wait_for_state(pid, 'S');
	end(pid);
}

/* ---- a process that nobody can seize ------------------------------------------------ */

static int told[2], traced[2];

static void *tell_number(void *unused)
{
	pid_t tid = (pid_t)syscall(SYS_gettid);
	if (write(told[1], &tid, sizeof(tid)) != sizeof(tid))
		_exit(1);
	for (;;)
		pause();
	return unused;
}

/* Until the test has ended the process, its parent: however slow the machine is, it stays
 * stuck.  But if nobody gives it up, the test shall fail and not hang. */
static void trace_without_a_look(void)
{
	pid_t tid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (read(told[0], &tid, sizeof(tid)) != sizeof(tid) || ptrace(PTRACE_SEIZE, tid, NULL, NULL) ||
	    write(traced[1], "", 1) != 1)
		_exit(1);
	sleep(60);
	_exit(0);
}

/* execve(2) waits for the end of a thread, which waits to be reaped by its tracer. */
static void is_stuck_in_exec(int ready)
{
	char byte;
	pthread_t thread;
	prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY);
	if (pipe(told) || pipe(traced))
		_exit(1);
	if (!fork())
		trace_without_a_look();
	pthread_create(&thread, NULL, tell_number, NULL);
	if (read(traced[0], &byte, 1) != 1)
		_exit(1);
	say_ready(ready);
	execl("/bin/sleep", "sleep", "60", NULL);
}

static pid_t child_stuck_in_exec(void)
{
	pid_t pid = child_that(is_stuck_in_exec);
	wait_for_state(pid, 'D');
	return pid;
}

static void process_that_cannot_be_seized_takes_no_longer_than_the_limit(void **state)
{
	(void)state;
	pid_t pid = child_stuck_in_exec();
	struct vmsnap_capture_options options = { .size = sizeof(options), .freeze_timeout_ms = 120 };
	struct vmsnap *snap = capture_ok(pid, &options);
	/* It is still what it was: we did not sit its exec out. */
	assert_int_equal(state_of(pid), 'D');
	assert_int_equal(vmsnap_info(snap)->freeze, VMSNAP_FREEZE_PARTIAL);
	/* But nothing of it stood. */
	assert_int_equal(vmsnap_info(snap)->pause, 0);
	assert_true(vmsnap_info(snap)->consistent && vmsnap_vma_count(snap) > 0);
	vmsnap_unref(snap);
	end(pid);
}

static bool second_time(void *ctx)
{
	return ++*(int *)ctx > 1;
}

static void capture_that_waits_for_a_seize_can_be_cancelled(void **state)
{
	(void)state;
	pid_t pid = child_stuck_in_exec();
	int asked = 0;
	struct vmsnap_capture_options options = {
		.size = sizeof(options), .cancelled = second_time, .cancel_ctx = &asked, .freeze_timeout_ms = 60000
	};
	struct vmsnap *snap = NULL;
	assert_int_equal(vmsnap_capture(pid, &options, &snap, NULL), VMSNAP_ERR_CANCELLED);
	assert_int_equal(state_of(pid), 'D');
	assert_null(snap);
	end(pid);
}

static bool presses_ctrl_z(void *ctx)
{
	if (++*(int *)ctx > 1) {
		kill(getpid(), SIGTSTP);
		kill(getpid(), SIGTTIN);
		kill(getpid(), SIGTTOU);
		*(int *)ctx += counted * 1000;
	}
	return false;
}

static void job_control_waits_for_the_release(void **state)
{
	(void)state;
	static const int numbers[] = { SIGTSTP, SIGTTIN, SIGTTOU };
	pid_t pid = child_stuck_in_exec();
	int asked = 0;
	struct vmsnap_capture_options options = {
		.size = sizeof(options), .cancelled = presses_ctrl_z, .cancel_ctx = &asked, .freeze_timeout_ms = 250
	};
	struct sigaction action = { .sa_handler = count_signal }, before[3];
	counted = 0;
	for (int i = 0; i < 3; i++)
		sigaction(numbers[i], &action, &before[i]);
	vmsnap_unref(capture_ok(pid, &options));
	for (int i = 0; i < 3; i++)
		sigaction(numbers[i], &before[i], NULL);
	assert_in_range(asked, 2, 999); /* none came while it was asked */
	assert_int_equal(counted, 3);
	end(pid);
}

/* ---- trees -------------------------------------------------------------------------- */

static void forks_a_chain(int ready)
{
	for (int depth = 0; depth < 3; depth++) {
		pid_t pid = fork();
		if (pid == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			continue;
		}
		for (;;)
			pause();
	}
	sleeps(ready);
}

static void tree_has_every_descendant_each_after_its_parent(void **state)
{
	(void)state;
	pid_t pid = child_that(forks_a_chain);
	struct vmsnap **snaps;
	struct vmsnap_error err = { 0 };
	size_t count;
	if (vmsnap_capture_tree(pid, NULL, &snaps, &count, &err))
		fail_msg("%s", err.message);
	assert_int_equal(count, 4);
	assert_int_equal(vmsnap_info(snaps[0])->pid, pid);
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(vmsnap_info(snaps[i])->freeze, VMSNAP_FREEZE_FULL);
		if (i)
			assert_int_equal(vmsnap_info(snaps[i])->ppid, vmsnap_info(snaps[i - 1])->pid);
		assert_int_equal(vmsnap_info(snaps[i])->taken, vmsnap_info(snaps[0])->taken);
		assert_int_equal(vmsnap_info(snaps[i])->monotonic, vmsnap_info(snaps[0])->monotonic);
	}
	vmsnap_unref_all(snaps, count);
	end(pid);
}

static void *ends_at_once(void *unused)
{
	return unused;
}

static void makes_threads_without_end(int ready)
{
	say_ready(ready);
	for (;;) {
		pthread_t thread;
		if (!pthread_create(&thread, NULL, ends_at_once, NULL))
			pthread_join(thread, NULL);
	}
}

/* A thread may be listed before its creator's stop told of it. */
static void threads_born_meanwhile_are_ours(void **state)
{
	(void)state;
	pid_t pid = child_that(makes_threads_without_end);
	for (int i = 0; i < 300; i++) {
		struct vmsnap **snaps;
		size_t count;
		assert_int_equal(vmsnap_capture_tree(pid, NULL, &snaps, &count, NULL), VMSNAP_OK);
		assert_int_equal(vmsnap_info(snaps[0])->freeze, VMSNAP_FREEZE_FULL);
		vmsnap_unref_all(snaps, count);
	}
	end(pid);
}

/* The number of a thread means its process, which then is named twice. */
static void a_threads_number_means_its_process(void **state)
{
	(void)state;
	pid_t pid = child_that(has_a_thread);
	char path[64];
	snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	DIR *tasks = opendir(path);
	assert_non_null(tasks);
	pid_t tid = 0;
	for (const struct dirent *task; (task = readdir(tasks));)
		if (atoi(task->d_name) > 0 && atoi(task->d_name) != (int)pid)
			tid = (pid_t)atoi(task->d_name);
	closedir(tasks);
	assert_true(tid > 0);
	struct vmsnap *snap = capture_ok(tid, NULL), **snaps;
	assert_int_equal(vmsnap_info(snap)->pid, pid);
	assert_int_equal(vmsnap_thread_count(snap), 2);
	vmsnap_unref(snap);
	const pid_t both[] = { tid, pid };
	size_t count;
	struct vmsnap_error err;
	assert_int_equal(vmsnap_capture_set(both, 1, NULL, &snaps, &count, &err), VMSNAP_OK);
	assert_int_equal(count, 1);
	assert_int_equal(vmsnap_info(snaps[0])->pid, pid);
	vmsnap_unref_all(snaps, count);
	assert_int_equal(vmsnap_capture_set(both, 2, NULL, &snaps, &count, &err), VMSNAP_ERR_ARGUMENT);
	assert_non_null(strstr(err.message, "named twice"));
	end(pid);
	assert_int_equal(vmsnap_capture(tid, NULL, &snap, &err), VMSNAP_ERR_NO_PROCESS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(recorded_tree_is_captured_as_it_stands),
		cmocka_unit_test(recorded_tree_without_pagemap_or_with_bad_maps_is_an_error),
		cmocka_unit_test(sleeping_child_is_frozen_and_goes_on_sleeping),
		cmocka_unit_test(stopped_child_stays_stopped),
		cmocka_unit_test(captures_at_once_wait_for_each_other),
		cmocka_unit_test(process_whose_main_thread_exited_is_captured_through_another),
		cmocka_unit_test(zombie_and_nobody_are_told_apart),
		cmocka_unit_test(own_process_is_captured_without_a_freeze),
		cmocka_unit_test(child_that_exits_meanwhile_is_left_for_its_parent_to_reap),
		cmocka_unit_test(signals_sent_meanwhile_are_not_lost),
		cmocka_unit_test(cancelled_capture_says_so_and_lets_go),
		cmocka_unit_test(process_that_cannot_be_seized_takes_no_longer_than_the_limit),
		cmocka_unit_test(capture_that_waits_for_a_seize_can_be_cancelled),
		cmocka_unit_test(job_control_waits_for_the_release),
		cmocka_unit_test(tree_has_every_descendant_each_after_its_parent),
		cmocka_unit_test(threads_born_meanwhile_are_ours),
		cmocka_unit_test(a_threads_number_means_its_process),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
