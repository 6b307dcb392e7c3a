/* Bytes of a process that lives, of which no page appears, is copied or waited for because of it. */
#include "test_pages_of.h"

#include "process_bytes.h"

static char *memory;
static size_t page;

static void map_pages(int fd, size_t count)
{
	page = (size_t)sysconf(_SC_PAGESIZE);
	memory = mmap(NULL, count * page, PROT_READ | PROT_WRITE, fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_PRIVATE,
	              fd, 0);
	assert_ptr_not_equal(memory, MAP_FAILED);
	madvise(memory, count * page, MADV_NOHUGEPAGE);
}

static void write_second_page(int ready)
{
	memory[page] = 'w';
	sleeps(ready);
}

static void write_first_page(int ready)
{
	memory[0] = 'f';
	sleeps(ready);
}

static pid_t standing(void (*act)(int ready), struct pages_of *pages)
{
	pid_t pid = child_that(act);
	wait_for_state(pid, 'S');
	*pages = pages_of(pid);
	return pid;
}

static void what_is_not_there_is_not_read(void **state)
{
	(void)state;
	struct pages_of before;
	char bytes[8];
	map_pages(-1, 3);
	pid_t pid = standing(write_second_page, &before);
	uintptr_t at = (uintptr_t)memory;
	assert_false(process_bytes((uint32_t)pid, at, bytes, 8));
	assert_false(process_bytes((uint32_t)pid, at + page - 4, bytes, 8));
	assert_false(process_bytes((uint32_t)pid, at + 2 * page - 4, bytes, 8));
	assert_int_equal(process_bytes_some((uint32_t)pid, at + 2 * page - 4, bytes, 8), 4);
	assert_int_equal(process_bytes_some((uint32_t)pid, at + 2 * page, bytes, 8), 0);
	assert_true(process_bytes((uint32_t)pid, at + page, bytes, 8));
	assert_int_equal(bytes[0], 'w');
	assert_same_pages(pid, &before);
	end(pid);
	munmap(memory, 3 * page);
}

static void a_files_page_is_not_mapped(void **state)
{
	(void)state;
	struct pages_of before;
	char bytes[8];
	FILE *file = tmpfile();
	assert_non_null(file);
	page = (size_t)sysconf(_SC_PAGESIZE);
	assert_int_equal(ftruncate(fileno(file), (off_t)(2 * page)), 0);
	map_pages(fileno(file), 2);
	madvise(memory, 2 * page, MADV_RANDOM); /* none around the one that is written */
	pid_t pid = standing(write_second_page, &before);
	assert_false(process_bytes((uint32_t)pid, (uintptr_t)memory, bytes, 8));
	assert_same_pages(pid, &before);
	end(pid);
	munmap(memory, 2 * page);
	fclose(file);
}

static bool is_shared(pid_t pid)
{
	char path[64];
	uint64_t entry = 0;
	snprintf(path, sizeof(path), "/proc/%d/pagemap", (int)pid);
	int pagemap = open(path, O_RDONLY | O_CLOEXEC);
	assert_int_equal(pread(pagemap, &entry, sizeof(entry), (off_t)((uintptr_t)memory / page * sizeof(entry))),
	                 sizeof(entry));
	close(pagemap);
	assert_int_equal(entry >> 63, 1);
	return !(entry >> 56 & 1);
}

/* process_vm_readv(2) would have the child make one of its own; and who reads a page thrice has whoever writes last
 * copy it. */
static void a_page_that_a_fork_shares_is_not_copied(void **state)
{
	(void)state;
	struct pages_of before;
	char bytes[8] = "";
	map_pages(-1, 1);
	memory[0] = 'p';
	pid_t pid = standing(sleeps, &before);
	assert_true(is_shared(pid));
	for (int i = 0; i < 8; i++)
		assert_true(process_bytes((uint32_t)pid, (uintptr_t)memory, bytes, 8));
	assert_int_equal(bytes[0], 'p');
	assert_true(is_shared(pid));
	assert_same_pages(pid, &before);
	end(pid);
	munmap(memory, page);
}

static void of_who_is_gone_nothing_is_read(void **state)
{
	(void)state;
	char bytes[8];
	map_pages(-1, 1);
	pid_t pid = child_that(write_first_page);
	assert_true(process_bytes((uint32_t)pid, (uintptr_t)memory, bytes, 8));
	assert_int_equal(bytes[0], 'f');
	end(pid);
	assert_false(process_bytes((uint32_t)pid, (uintptr_t)memory, bytes, 8));
	assert_false(process_bytes((uint32_t)getpid(), UINT64_MAX - 4, bytes, 8));
	assert_false(process_bytes((uint32_t)getpid(), UINT64_MAX - page, bytes, 8));
	munmap(memory, page);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_not_there_is_not_read),
		cmocka_unit_test(a_files_page_is_not_mapped),
		cmocka_unit_test(a_page_that_a_fork_shares_is_not_copied),
		cmocka_unit_test(of_who_is_gone_nothing_is_read),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
