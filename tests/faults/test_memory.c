/* test_memory.c - each request for memory fails in turn: a clear error or the right
 * result, nothing leaked, no descriptor left open, the target let go. */
#define _GNU_SOURCE
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "memory.h"
#include "vmsnap.h"

/* Also what other libraries asked for.  It takes its time: once for a scenario. */
#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/lsan_interface.h>
static bool leaked(void)
{
	return __lsan_do_recoverable_leak_check();
}
enum { STRIDE = 3 }; /* whose bookkeeping makes each try ten times as long; without it all are tried */
#else
enum { STRIDE = 1 };
static bool leaked(void)
{
	return false;
}
#endif

/* What the scenarios work on. */
static char folder[] = "/tmp/vmsnap-memory-XXXXXX";
static char saved[64], made[64];
static pid_t target;
static struct vmsnap *parent, *child, *later, *holding;

static int discard(void *ctx, const char *text, size_t len)
{
	(void)text;
	*(size_t *)ctx += len;
	return 0;
}

static size_t printed;

static struct vmsnap_output output(bool json)
{
	struct vmsnap_output to = { .size = sizeof(to), .write = discard, .ctx = &printed };
	to.style = (struct vmsnap_style){ .size = sizeof(to.style), .width = 80, .unicode = true, .json = json };
	return to;
}

/* ---- scenarios: each does one thing and cleans up ---- */

static int capture(struct vmsnap_error *err)
{
	struct vmsnap_capture_options how = { .size = sizeof(how),
		                              .flags = VMSNAP_CAPTURE_SMAPS | VMSNAP_CAPTURE_DROP_OWN_MAPPINGS,
		                              .label = "a label",
		                              .reason = "a reason" };
	struct vmsnap *snap = NULL;
	int rc = vmsnap_capture(target, &how, &snap, err);
	assert_true(rc == VMSNAP_OK || !snap);
	if (!rc)
		assert_int_equal(vmsnap_vma_count(snap), vmsnap_vma_count(parent));
	vmsnap_unref(snap);
	return rc;
}

static int capture_contents(struct vmsnap_error *err)
{
	struct vmsnap_capture_options how = { .size = sizeof(how), .contents = VMSNAP_WANT_PRIVATE };
	struct vmsnap *snap = NULL;
	int rc = vmsnap_capture(target, &how, &snap, err);
	assert_true(rc == VMSNAP_OK ? vmsnap_contents_kind(snap) == VMSNAP_CONTENTS_BYTES : !snap);
	vmsnap_unref(snap);
	return rc;
}

/* From contents that lie in a file. */
static int with_contents(struct vmsnap_error *err)
{
	static char byte[1];
	struct vmsnap_file *file = NULL;
	struct vmsnap *snap = NULL;
	uint64_t start, end;
	size_t got;
	unlink(made);
	int rc = vmsnap_save(made, (const struct vmsnap *const *)&holding, 1, 0, err);
	rc = rc ? rc : vmsnap_save(made, (const struct vmsnap *const *)&holding, 1, VMSNAP_SAVE_APPEND, err);
	rc = rc ? rc : vmsnap_file_open(made, NULL, &file, err);
	rc = rc ? rc : vmsnap_file_load(file, 1, &snap, err);
	if (file)
		vmsnap_file_close(file);
	if (!rc) {
		assert_int_equal(vmsnap_contents_range(snap, 0, &start, &end), VMSNAP_OK);
		rc = vmsnap_contents_read(snap, start, byte, sizeof(byte), &got, err);
	}
	vmsnap_unref(snap);
	return rc;
}

/* One that cannot be made is done without. */
static int capture_by_threads(struct vmsnap_error *err)
{
	struct vmsnap_capture_options how = { .size = sizeof(how), .flags = VMSNAP_CAPTURE_REALTIME, .threads = 3 };
	struct vmsnap *snap = NULL;
	int rc = vmsnap_capture(target, &how, &snap, err);
	assert_true(rc == VMSNAP_OK ? vmsnap_vma_count(snap) == vmsnap_vma_count(parent) : !snap);
	vmsnap_unref(snap);
	return rc;
}

static int capture_tree(struct vmsnap_error *err)
{
	struct vmsnap **snaps = NULL;
	size_t count = 0;
	int rc = vmsnap_capture_tree(target, NULL, &snaps, &count, err);
	assert_true(rc == VMSNAP_OK ? count == 2 : !snaps && !count);
	vmsnap_unref_all(snaps, count);
	return rc;
}

static int page_now(struct vmsnap_error *err)
{
	struct vmsnap_run page;
	struct vmsnap_known known;
	return vmsnap_page_now(target, (uintptr_t)saved, &page, &known, err);
}

static int save(struct vmsnap_error *err)
{
	const struct vmsnap *snaps[] = { parent, child };
	unlink(made);
	int rc = vmsnap_save(made, snaps, 2, 0, err);
	assert_true(access(made, F_OK) == (rc ? -1 : 0));
	return rc;
}

static int save_over(struct vmsnap_error *err)
{
	const struct vmsnap *snaps[] = { parent };
	return vmsnap_save(saved, snaps, 1, 0, err);
}

static int append(struct vmsnap_error *err)
{
	const struct vmsnap *snaps[] = { later };
	return vmsnap_save(saved, snaps, 1, VMSNAP_SAVE_APPEND, err);
}

static int load(struct vmsnap_error *err)
{
	struct vmsnap_file *file = NULL;
	int rc = vmsnap_file_open(saved, NULL, &file, err);
	assert_true(rc == VMSNAP_OK || !file);
	for (size_t i = 0; !rc && i < vmsnap_file_count(file); i++) {
		struct vmsnap *snap = NULL;
		rc = vmsnap_file_load(file, i, &snap, err);
		assert_true(rc == VMSNAP_OK || !snap);
		vmsnap_unref(snap);
	}
	if (file)
		vmsnap_file_close(file);
	return rc;
}

static int look_into_file(struct vmsnap_error *err, bool json,
                          int (*print)(const struct vmsnap_file *, const struct vmsnap_output *, struct vmsnap_error *))
{
	struct vmsnap_output to = output(json);
	struct vmsnap_file *file = NULL;
	int rc = vmsnap_file_open(saved, NULL, &file, err);
	if (!rc)
		rc = print(file, &to, err);
	if (file)
		vmsnap_file_close(file);
	return rc;
}

static int list(struct vmsnap_error *err)
{
	int rc = look_into_file(err, false, vmsnap_print_list);
	return rc ? rc : look_into_file(err, true, vmsnap_print_list);
}

static int check(struct vmsnap_error *err)
{
	int rc = look_into_file(err, false, vmsnap_print_check);
	return rc ? rc : look_into_file(err, true, vmsnap_print_check);
}

static int print_one(struct vmsnap_error *err, bool json)
{
	struct vmsnap_output to = output(json);
	int rc = vmsnap_print_show(parent, &to, err);
	if (!rc)
		rc = vmsnap_print_pages(parent, 0, UINT64_MAX, false, &to, err);
	if (!rc)
		rc = vmsnap_print_map(parent, child, &to, err);
	if (!rc)
		rc = vmsnap_print_status(parent, child, &to, err);
	if (!rc)
		rc = vmsnap_print_page(parent, NULL, (uintptr_t)saved, &to, err);
	return rc;
}

static int print_all(struct vmsnap_error *err)
{
	int rc = print_one(err, false);
	return rc ? rc : print_one(err, true);
}

static int print_several(struct vmsnap_error *err)
{
	const struct vmsnap *snaps[] = { parent, later };
	struct vmsnap_output to = output(false);
	int rc = vmsnap_print_snapshots(snaps, NULL, 2, &to, err);
	return rc ? rc : vmsnap_print_history(snaps, NULL, 2, (uintptr_t)saved, &to, err);
}

static int compare(struct vmsnap_error *err)
{
	struct vmsnap_output to = output(false);
	struct vmsnap_diff *diff = NULL;
	int rc = vmsnap_diff_new(parent, later, &diff, err);
	assert_true(rc == VMSNAP_OK || !diff);
	if (!rc)
		rc = vmsnap_print_diff(diff, NULL, VMSNAP_PRINT_LONG, &to, err);
	to.style.json = true;
	if (!rc)
		rc = vmsnap_print_diff(diff, NULL, 0, &to, err);
	vmsnap_diff_free(diff);
	return rc;
}

static int judge_copies(struct vmsnap_error *err)
{
	struct vmsnap_output to = output(false);
	struct vmsnap_cow *cow = NULL;
	int rc = vmsnap_cow_new(parent, child, NULL, &cow, err);
	assert_true(rc == VMSNAP_OK || !cow);
	if (!rc)
		rc = vmsnap_print_cow(cow, NULL, VMSNAP_PRINT_LONG, &to, err);
	to.style.json = true;
	if (!rc)
		rc = vmsnap_print_cow(cow, NULL, 0, &to, err);
	vmsnap_cow_free(cow);
	return rc;
}

static int name_with(struct vmsnap_names *names, struct vmsnap_error *err)
{
	struct vmsnap_output to = output(false);
	struct vmsnap_cow *cow = NULL;
	int rc = vmsnap_print_page(parent, names, (uintptr_t)&target, &to, err);
	if (!rc)
		rc = vmsnap_print_page(parent, names, (uintptr_t)&discard, &to, err);
	if (!rc)
		rc = vmsnap_cow_new(parent, child, NULL, &cow, err);
	if (!rc)
		rc = vmsnap_print_cow(cow, names, VMSNAP_PRINT_LONG, &to, err);
	vmsnap_cow_free(cow);
	return rc;
}

static int name(struct vmsnap_error *err)
{
	struct vmsnap_names *names = NULL;
	int rc = vmsnap_names_new(parent, NULL, &names, err);
	assert_true(rc == VMSNAP_OK || !names);
	if (!rc)
		rc = name_with(names, err);
	if (!rc)
		rc = vmsnap_names_rebind(names, later, err);
	vmsnap_names_free(names);
	return rc;
}

static int add_names(struct vmsnap_error *err)
{
	struct vmsnap_annotation one = { .address = (uintptr_t)saved, .size = sizeof(saved), .symbol = "saved" };
	struct vmsnap_file *file = NULL;
	struct vmsnap *snap = NULL, *annotated = NULL;
	struct vmsnap_builder *builder = NULL;
	int rc = vmsnap_file_open(saved, NULL, &file, err);
	if (!rc)
		rc = vmsnap_file_load(file, 0, &snap, err);
	if (!rc)
		rc = vmsnap_builder_from(snap, &builder, err);
	if (!rc)
		rc = vmsnap_builder_add_annotations(builder, &one, 1, err);
	if (!rc)
		rc = vmsnap_builder_finish(builder, &annotated, err);
	vmsnap_builder_free(builder);
	vmsnap_unref(annotated);
	vmsnap_unref(snap);
	if (file)
		vmsnap_file_close(file);
	return rc;
}

/* ---- what must hold after each of them ---- */

static int open_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int count = 0;
	while (dir && readdir(dir))
		count++;
	closedir(dir);
	return count;
}

static bool target_sleeps(void)
{
	char path[64], text[4096];
	snprintf(path, sizeof(path), "/proc/%d/status", (int)target);
	FILE *status = fopen(path, "re");
	size_t len = status ? fread(text, 1, sizeof(text) - 1, status) : 0;
	text[len] = '\0';
	if (status)
		fclose(status);
	return strstr(text, "TracerPid:\t0\n") && strstr(text, "State:\tS");
}

/* Nobody traces it and it does not stand.  What was seized and had not stopped yet, the
 * kernel lets go when the thread of the capture ends, right behind pthread_join(). */
static bool target_runs(void)
{
	for (int tries = 0; tries < 1000; tries++) {
		if (target_sleeps())
			return true;
		usleep(1000);
	}
	return false;
}

static bool is_clear(int rc, const struct vmsnap_error *err)
{
	bool one_line = err->message[0] && !strchr(err->message, '\n');
	return one_line && err->code == rc && (rc == VMSNAP_ERR_NO_MEMORY || rc == VMSNAP_ERR_SYSTEM);
}

static void each_request_fails(int (*scenario)(struct vmsnap_error *))
{
	struct vmsnap_error err = { 0 };
	unsigned long number = 1, errors = 0;
	/* Once without, so that what is kept for good is there. */
	memory_fail_at(0);
	assert_int_equal(scenario(&err), VMSNAP_OK);
	for (bool failed = true; failed; errors += failed, number += STRIDE) {
		long live = memory_live();
		int descriptors = open_descriptors();
		err = (struct vmsnap_error){ 0 };
		memory_fail_at(number);
		int rc = scenario(&err);
		failed = memory_failed();
		memory_fail_at(0);
		if (rc && (!failed || !is_clear(rc, &err)))
			fail_msg("request %lu: error %d, \"%s\"", number, rc, err.message);
		if (memory_live() != live)
			fail_msg("request %lu: %ld blocks leaked (error %d)", number, memory_live() - live, rc);
		if (open_descriptors() != descriptors)
			fail_msg("request %lu: descriptors left open (error %d)", number, rc);
		if (!target_runs())
			fail_msg("request %lu: the target was not let go (error %d)", number, rc);
	}
	print_message("%lu requests failed in turn\n", errors);
	assert_true(errors > 0);
	assert_false(leaked());
}

#define TEST(scenario)                                                                                                 \
	static void without_memory_##scenario(void **state)                                                            \
	{                                                                                                              \
		(void)state;                                                                                           \
		each_request_fails(scenario);                                                                          \
	}
TEST(capture)
TEST(capture_by_threads)
TEST(capture_contents)
TEST(with_contents)
TEST(capture_tree)
TEST(page_now)
TEST(save)
TEST(save_over)
TEST(append)
TEST(load)
TEST(list)
TEST(check)
TEST(print_all)
TEST(print_several)
TEST(compare)
TEST(judge_copies)
TEST(name)
TEST(add_names)

/* A process with a child, both asleep. */
static void start_target(void)
{
	int ready[2];
	char byte = 0;
	assert_int_equal(pipe(ready), 0);
	target = fork();
	if (!target) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (!fork())
			prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (write(ready[1], &byte, 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	for (int i = 0; i < 2; i++)
		assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	close(ready[1]);
	assert_true(target_runs());
}

/* What pages hold that nobody has. */
static void make_holding(void)
{
	enum { PAGES = 64, SIZE = 4096 };
	struct vmsnap_builder *builder = NULL;
	struct vmsnap_info info = { .pid = 7, .tgid = 7, .page_size = SIZE };
	static char pages[PAGES * SIZE];
	for (size_t i = 0; i < PAGES; i++)
		pages[i * SIZE] = (char)(i + 1);
	assert_int_equal(vmsnap_builder_new(&info, &builder, NULL), VMSNAP_OK);
	assert_int_equal(vmsnap_builder_add_contents(builder, NULL, 0x10000, pages, sizeof(pages), NULL), VMSNAP_OK);
	assert_int_equal(vmsnap_builder_finish(builder, &holding, NULL), VMSNAP_OK);
	vmsnap_builder_free(builder);
}

static int set_up(void **state)
{
	(void)state;
	struct vmsnap **snaps;
	size_t count;
	assert_non_null(mkdtemp(folder));
	snprintf(saved, sizeof(saved), "%s/saved.vms", folder);
	snprintf(made, sizeof(made), "%s/made.vms", folder);
	start_target();
	assert_int_equal(vmsnap_capture_tree(target, NULL, &snaps, &count, NULL), VMSNAP_OK);
	assert_int_equal(count, 2);
	parent = snaps[0];
	child = snaps[1];
	free(snaps);
	assert_int_equal(vmsnap_capture(target, NULL, &later, NULL), VMSNAP_OK);
	make_holding();
	struct vmsnap_error err;
	return save_over(&err);
}

static int tear_down(void **state)
{
	(void)state;
	vmsnap_unref(parent);
	vmsnap_unref(child);
	vmsnap_unref(later);
	vmsnap_unref(holding);
	kill(target, SIGKILL);
	waitpid(target, NULL, 0);
	unlink(saved);
	unlink(made);
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_memory_capture_by_threads),
		cmocka_unit_test(without_memory_capture),
		cmocka_unit_test(without_memory_capture_contents),
		cmocka_unit_test(without_memory_with_contents),
		cmocka_unit_test(without_memory_capture_tree),
		cmocka_unit_test(without_memory_page_now),
		cmocka_unit_test(without_memory_save),
		cmocka_unit_test(without_memory_save_over),
		cmocka_unit_test(without_memory_append),
		cmocka_unit_test(without_memory_load),
		cmocka_unit_test(without_memory_list),
		cmocka_unit_test(without_memory_check),
		cmocka_unit_test(without_memory_print_all),
		cmocka_unit_test(without_memory_print_several),
		cmocka_unit_test(without_memory_compare),
		cmocka_unit_test(without_memory_judge_copies),
		cmocka_unit_test(without_memory_name),
		cmocka_unit_test(without_memory_add_names),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
