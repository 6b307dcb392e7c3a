/* test_contents_memory.c - what it takes to write what pages hold: a process that may have only so much more. */
#include "test_diff_fixture.h"
#include "test_sanitized.h"
#include "test_skip.h"

#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PAGES = 2000000, FIRST = 16 };

/* No two pages alike; only their hashes are known, and so nothing is packed. */
static struct vmsnap *make_large(void)
{
	struct vmsnap *snap = make_snap();
	add_anon(snap, FIRST, FIRST + PAGES, "rw-p", "");
	assert_int_equal(vmsnap_store_new(&snap->contents.store, NULL), VMSNAP_OK);
	for (uint64_t i = 0; i < PAGES; i++) {
		struct page_hash hash = { (i + 1) * UINT64_C(0x9e3779b97f4a7c15), ~i };
		uint32_t number;
		assert_int_equal(store_put(snap->contents.store, &hash, NULL, PAGE, &number), VMSNAP_OK);
		assert_int_equal(contents_add(&snap->contents, PAGE, PAGE_AT(FIRST + i), number), VMSNAP_OK);
	}
	contents_trim(&snap->contents);
	return snap;
}

static uint64_t size_now(void)
{
	unsigned long pages = 0;
	FILE *file = fopen("/proc/self/statm", "re");
	assert_non_null(file);
	assert_int_equal(fscanf(file, "%lu", &pages), 1);
	fclose(file);
	return (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

static int save_with(const struct vmsnap *snap, uint64_t bytes_a_page)
{
	enum { ELSE = 6 << 20 };
	struct vmsnap_error err;
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		uint64_t most = size_now() + PAGES * bytes_a_page + ELSE;
		struct rlimit limit = { most, most };
		setrlimit(RLIMIT_AS, &limit);
		_exit(vmsnap_save("/dev/null", &snap, 1, 0, &err));
	}
	int status = -1;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

/* 4 bytes of addresses to find it by its number, which are only used of a page that is there twice, and a bit. */
static void a_page_takes_little_while_it_is_written(void **state)
{
	(void)state;
	if (SANITIZED)
		skip_because("a sanitizer needs more address space than can be allowed");
	struct vmsnap *snap = make_large();
	assert_int_equal(save_with(snap, 4 + 1), 0);
	/* The limit is one. */
	assert_int_not_equal(save_with(snap, 0), 0);
	/* And the store: 28 bytes, and a number in a table that is filled to three fifths at the least. */
	assert_true(vmsnap_store_memory(snap->contents.store) < PAGES * UINT64_C(35));
	vmsnap_unref(snap);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(a_page_takes_little_while_it_is_written) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
