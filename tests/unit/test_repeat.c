/* Captures of one process again and again: what is not read again is what a whole capture would tell. */
#include "test_children.h"

#include <sys/stat.h>

static char *file_made; /* mapped by the child */

static void writes_to_a_page(void)
{
	static char pages[64 * 4096];
	for (size_t i = 0; i < sizeof(pages); i += 4096)
		pages[i] = 1;
}

static void maps_memory(void)
{
	if (mmap(NULL, 1 << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED)
		_exit(1);
}

static void is_called_otherwise(void)
{
	prctl(PR_SET_NAME, "otherwise");
}

static void forks(void)
{
	pid_t parent = getpid();
	if (syscall(SYS_fork))
		return;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent) /* it was killed before */
		_exit(0);
	for (;;)
		pause();
}

static void executes(void)
{
	execlp("sleep", "sleep", "1000", (char *)NULL);
	_exit(1);
}

static void does_nothing(void)
{
}

static void *second_thread_of(void *unused)
{
	(void)unused;
	for (;;)
		pause();
	return NULL;
}

static void makes_a_thread(void)
{
	pthread_t thread;
	pthread_create(&thread, NULL, second_thread_of, NULL);
}

/* One that its tracer lets go on for one step. */
static void (*step)(void);

static void takes_the_step(int ready)
{
	int fd = file_made ? open(file_made, O_RDONLY) : -1;
	if (fd >= 0 && mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0) == MAP_FAILED)
		_exit(1);
	ptrace(PTRACE_TRACEME, 0, NULL, NULL);
	say_ready(ready);
	raise(SIGSTOP);
	step();
	raise(SIGSTOP);
}

static pid_t child_about_to(void (*act)(void))
{
	step = act;
	pid_t pid = child_that(takes_the_step);
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSTOPPED(status));
	return pid;
}

static void go_on(pid_t pid)
{
	int status;
	assert_int_equal(ptrace(PTRACE_CONT, pid, NULL, NULL), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSTOPPED(status));
}

static struct vmsnap *again(struct vmsnap_repeat *repeat)
{
	struct vmsnap_capture_options options = { .size = sizeof(options), .label = "a hit", .reason = "here" };
	struct vmsnap *snap = NULL;
	struct vmsnap_error err = { 0 };
	if (vmsnap_repeat_capture(repeat, &options, "; others ran", &snap, &err))
		fail_msg("%s", err.message);
	return snap;
}

static struct vmsnap_repeat *repeat_of(pid_t pid)
{
	struct vmsnap_repeat *repeat = NULL;
	assert_int_equal(vmsnap_repeat_new(pid, &repeat, NULL), 0);
	return repeat;
}

/* ---- that two tell the same ------------------------------------------------------------- */

static void same_mappings(const struct vmsnap *a, const struct vmsnap *b)
{
	assert_int_equal(vmsnap_vma_count(a), vmsnap_vma_count(b));
	for (size_t i = 0; i < vmsnap_vma_count(a); i++) {
		const struct vmsnap_vma *left = vmsnap_vma(a, i), *right = vmsnap_vma(b, i);
		assert_int_equal(left->start, right->start);
		assert_int_equal(left->end, right->end);
		assert_int_equal(left->perms, right->perms);
		assert_string_equal(left->name, right->name);
		assert_int_equal(left->build_id_len, right->build_id_len);
		assert_memory_equal(left->build_id_len ? left->build_id : (const uint8_t *)"",
		                    left->build_id_len ? right->build_id : (const uint8_t *)"", left->build_id_len);
	}
}

/* Of pages that nobody else has, as whoever maps libraries meanwhile changes what theirs look like. */
static void same_pages(const struct vmsnap *a, const struct vmsnap *b)
{
	const uint32_t told = VMSNAP_PAGE_PRESENT | VMSNAP_PAGE_SWAPPED | VMSNAP_PAGE_FILE | VMSNAP_PAGE_ZERO;
	for (size_t i = 0; i < vmsnap_vma_count(a); i++) {
		const struct vmsnap_vma *vma = vmsnap_vma(a, i);
		for (uint64_t at = vma->start; at < vma->end && vma->perms & VMSNAP_PERM_WRITE; at += 4096) {
			struct vmsnap_run left = { 0 }, right = { 0 };
			assert_int_equal(vmsnap_page_at(a, at, &left), vmsnap_page_at(b, at, &right));
			assert_int_equal(left.flags & told, right.flags & told);
		}
	}
}

static void same_threads(const struct vmsnap *a, const struct vmsnap *b)
{
	assert_int_equal(vmsnap_thread_count(a), vmsnap_thread_count(b));
	for (size_t i = 0; i < vmsnap_thread_count(a); i++) {
		assert_int_equal(vmsnap_thread(a, i)->tid, vmsnap_thread(b, i)->tid);
		assert_int_equal(vmsnap_thread(a, i)->stack_pointer, vmsnap_thread(b, i)->stack_pointer);
		assert_string_equal(vmsnap_thread(a, i)->comm, vmsnap_thread(b, i)->comm);
	}
}

static void same_info(const struct vmsnap_info *a, const struct vmsnap_info *b)
{
	const char *strings[][2] = { { a->comm, b->comm },     { a->exe, b->exe },
		                     { a->host, b->host },     { a->boot_id, b->boot_id },
		                     { a->cgroup, b->cgroup }, { a->kernel, b->kernel },
		                     { a->tool, b->tool },     { a->machine_hash, b->machine_hash } };
	for (size_t i = 0; i < sizeof(strings) / sizeof(*strings); i++)
		assert_string_equal(strings[i][0], strings[i][1]);
	assert_int_equal(a->pid, b->pid);
	assert_int_equal(a->ppid, b->ppid);
	assert_int_equal(a->uid, b->uid);
	assert_int_equal(a->start_time, b->start_time);
	assert_int_equal(a->start_stack, b->start_stack);
	assert_int_equal(a->freeze, b->freeze);
	assert_int_equal(a->consistent, b->consistent);
	assert_int_equal(a->faults, b->faults);
	assert_int_equal(a->cmdline_len, b->cmdline_len);
	assert_memory_equal(a->cmdline, b->cmdline, a->cmdline_len);
	assert_memory_equal(&a->known, &b->known, sizeof(a->known));
}

/* It stands: nothing of it changes in between. */
static void tells_what_a_whole_one_does(const struct vmsnap *snap, pid_t pid)
{
	struct vmsnap_capture_options options = { .size = sizeof(options), .flags = VMSNAP_CAPTURE_BRIEF };
	struct vmsnap *whole = capture_ok(pid, &options);
	same_info(vmsnap_info(snap), vmsnap_info(whole));
	same_mappings(snap, whole);
	same_pages(snap, whole);
	same_threads(snap, whole);
	vmsnap_unref(whole);
}

/* How many of three were brief: before the step, before it once more, after it. */
static uint64_t brief_after(void (*act)(void), bool follows)
{
	pid_t pid = child_about_to(act);
	struct vmsnap_repeat *repeat = repeat_of(pid);
	for (int i = 0; i < 3; i++) {
		if (i == 2)
			go_on(pid);
		struct vmsnap *snap = again(repeat);
		assert_string_equal(vmsnap_info(snap)->label, "a hit");
		assert_string_equal(vmsnap_info(snap)->reason, "here");
		if (i < 2 || follows)
			tells_what_a_whole_one_does(snap, pid);
		vmsnap_unref(snap);
		if (i == 1)
			assert_int_equal(vmsnap_repeat_brief(repeat), 1);
	}
	uint64_t brief = vmsnap_repeat_brief(repeat);
	vmsnap_repeat_free(repeat);
	kill(pid, SIGKILL);
	while (waitpid(pid, NULL, 0) == pid)
		;
	return brief;
}

/* A child is as large as we are: with a sanitizer's shadow larger than what is read briefly. */
static bool we_are_large(void)
{
	unsigned long pages = 0;
	FILE *file = fopen("/proc/self/statm", "re");
	bool large = !file || fscanf(file, "%lu", &pages) != 1 || pages > (1UL << 30) / 4096 / 2;
	if (file)
		fclose(file);
	if (large)
		print_message("SKIP: this program has too much memory: it has a sanitizer\n");
	return large;
}

/* Root is told which pages KSM merged, so that as long as there are some, of whomever, all is read. */
static bool some_are_merged(void)
{
	static const char *const files[] = { "pages_shared", "ksm_zero_pages" };
	bool some = false;
	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		char name[64], first = '0';
		snprintf(name, sizeof(name), "/sys/kernel/mm/ksm/%s", files[i]);
		FILE *file = fopen(name, "re");
		some |= file && fread(&first, 1, 1, file) == 1 && first != '0';
		if (file)
			fclose(file);
	}
	if (some)
		print_message("SKIP: KSM has merged pages of this machine's processes\n");
	return some;
}

static void what_only_writes_is_read_briefly(void **state)
{
	(void)state;
	if (we_are_large() || some_are_merged())
		skip();
	assert_int_equal(brief_after(does_nothing, true), 2);
	assert_int_equal(brief_after(writes_to_a_page, true), 2);
}

static void what_changed_otherwise_is_read_in_full(void **state)
{
	(void)state;
	if (we_are_large() || some_are_merged())
		skip();
	assert_int_equal(brief_after(maps_memory, true), 1);
	assert_int_equal(brief_after(is_called_otherwise, true), 1);
	assert_int_equal(brief_after(executes, true), 1);
	assert_int_equal(brief_after(forks, true), 1);
	/* The new thread is nobody's. */
	assert_int_equal(brief_after(makes_a_thread, false), 1);
}

static void a_file_that_is_written_to_is_judged_anew(void **state)
{
	(void)state;
	if (we_are_large() || some_are_merged())
		skip();
	char name[] = "/tmp/test_repeat_XXXXXX";
	int fd = mkstemp(name);
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, 4096), 0);
	usleep(50000); /* a file's time is as coarse as the kernel's ticks */
	file_made = name;
	pid_t pid = child_about_to(does_nothing);
	file_made = NULL;
	struct vmsnap_repeat *repeat = repeat_of(pid);
	vmsnap_unref(again(repeat));
	vmsnap_unref(again(repeat));
	assert_int_equal(vmsnap_repeat_brief(repeat), 1);
	assert_int_equal(pwrite(fd, "x", 1, 0), 1);
	assert_int_equal(fchmod(fd, 0640), 0);
	vmsnap_unref(again(repeat));
	assert_int_equal(vmsnap_repeat_brief(repeat), 1);
	vmsnap_repeat_free(repeat);
	unlink(name);
	close(fd);
	end(pid);
}

static void snapshots_outlive_the_one_that_they_were_made_with(void **state)
{
	(void)state;
	if (we_are_large() || some_are_merged())
		skip();
	pid_t pid = child_about_to(does_nothing);
	struct vmsnap_repeat *repeat = repeat_of(pid);
	struct vmsnap *first = again(repeat), *second = again(repeat), *third = again(repeat);
	assert_true(vmsnap_same_code(first, second));
	assert_true(vmsnap_same_code(second, third));
	vmsnap_unref(first);
	vmsnap_unref(third);
	vmsnap_repeat_free(repeat);
	tells_what_a_whole_one_does(second, pid);
	vmsnap_unref(second);
	end(pid);
}

static void one_that_is_not_debugged_is_read_in_full(void **state)
{
	(void)state;
	pid_t pid = child_that(sleeps);
	struct vmsnap_repeat *repeat = repeat_of(pid);
	for (int i = 0; i < 3; i++) {
		struct vmsnap *snap = again(repeat);
		assert_int_equal(vmsnap_info(snap)->freeze, VMSNAP_FREEZE_FULL);
		vmsnap_unref(snap);
	}
	assert_int_equal(vmsnap_repeat_brief(repeat), 0);
	vmsnap_repeat_free(repeat);
	end(pid);
}

static void threads_that_run_are_told(void **state)
{
	(void)state;
	if (we_are_large() || some_are_merged())
		skip();
	pid_t pid = child_that(has_a_thread);
	struct vmsnap *before = capture_ok(pid, NULL);
	pid_t second = (pid_t)vmsnap_thread(before, 1)->tid;
	int status;
	assert_int_equal(ptrace(PTRACE_SEIZE, pid, NULL, NULL), 0);
	assert_int_equal(ptrace(PTRACE_INTERRUPT, pid, NULL, NULL), 0);
	assert_int_equal(waitpid(pid, &status, __WALL), pid);
	assert_int_equal(ptrace(PTRACE_SEIZE, second, NULL, NULL), 0);
	struct vmsnap_repeat *repeat = repeat_of(pid);
	for (int i = 0; i < 3; i++) {
		struct vmsnap *snap = again(repeat);
		assert_int_equal(vmsnap_info(snap)->freeze, VMSNAP_FREEZE_NONE);
		assert_string_equal(vmsnap_info(snap)->reason, "here; others ran");
		same_mappings(snap, before);
		/* Of one that runs just now nobody knows where its stack is. */
		assert_int_equal(vmsnap_thread_count(snap), 2);
		assert_int_equal(vmsnap_thread(snap, 1)->tid, second);
		assert_string_equal(vmsnap_thread(snap, 1)->comm, vmsnap_thread(before, 1)->comm);
		vmsnap_unref(snap);
	}
	assert_int_equal(vmsnap_repeat_brief(repeat), 2);
	vmsnap_repeat_free(repeat);
	vmsnap_unref(before);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(second, NULL, __WALL), second);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void one_that_has_ended_is_an_error(void **state)
{
	(void)state;
	pid_t pid = child_about_to(does_nothing);
	struct vmsnap_repeat *repeat = repeat_of(pid);
	vmsnap_unref(again(repeat));
	end(pid);
	struct vmsnap *snap = NULL;
	assert_int_equal(vmsnap_repeat_capture(repeat, NULL, NULL, &snap, NULL), VMSNAP_ERR_EXITED);
	assert_null(snap);
	vmsnap_repeat_free(repeat);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_only_writes_is_read_briefly),
		cmocka_unit_test(what_changed_otherwise_is_read_in_full),
		cmocka_unit_test(a_file_that_is_written_to_is_judged_anew),
		cmocka_unit_test(snapshots_outlive_the_one_that_they_were_made_with),
		cmocka_unit_test(one_that_is_not_debugged_is_read_in_full),
		cmocka_unit_test(threads_that_run_are_told),
		cmocka_unit_test(one_that_has_ended_is_an_error),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
