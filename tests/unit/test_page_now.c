/* The state of one page now, against the kernel's own pagemap. */
#include "test_children.h"
#include "test_skip.h"

#include <inttypes.h>

enum { PFN_BITS = 55 };

/* ---- what the kernel says -------------------------------------------------------- */

static uint64_t kernel_entry(pid_t pid, uint64_t address)
{
	char name[64];
	uint64_t entry = 0;
	snprintf(name, sizeof(name), "/proc/%d/pagemap", (int)pid);
	int fd = open(name, O_RDONLY);
	assert_true(fd >= 0);
	if (pread(fd, &entry, sizeof(entry), (off_t)(address / (uint64_t)sysconf(_SC_PAGESIZE) * 8)) < 0)
		entry = 0;
	close(fd);
	return entry;
}

static void assert_as_the_kernel_says(pid_t pid, uint64_t address, uint64_t *present, uint64_t *absent)
{
	struct vmsnap_run page = { 0 };
	struct vmsnap_known known;
	struct vmsnap_error err = { 0 };
	uint64_t entry = kernel_entry(pid, address), size = (uint64_t)sysconf(_SC_PAGESIZE);
	int rc = vmsnap_page_now(pid, address, &page, &known, &err);
	if (!(entry >> 63)) {
		/* Nothing of a sleeping program's is swapped or guarded in this test. */
		assert_int_equal(entry >> 62 & 1, 0);
		assert_int_equal(rc, VMSNAP_ERR_NOT_FOUND);
		++*absent;
		return;
	}
	++*present;
	assert_int_equal(rc, VMSNAP_OK);
	assert_true(page.start == (address & ~(size - 1)) && page.end == page.start + size);
	assert_true(page.pfn == (entry & ((UINT64_C(1) << PFN_BITS) - 1)));
	assert_int_equal(!!(page.flags & VMSNAP_PAGE_PRESENT), 1);
	assert_int_equal(!!(page.flags & VMSNAP_PAGE_FILE), entry >> 61 & 1);
	assert_int_equal(!!(page.flags & VMSNAP_PAGE_EXCLUSIVE), entry >> 56 & 1);
	assert_int_equal(!!(page.flags & VMSNAP_PAGE_SOFT_DIRTY), entry >> 55 & 1);
	/* The kernel shows it or not: root in a container may not see it. */
	assert_int_equal(known.pfn, page.pfn != 0);
}

static void every_page_of_a_child_is_as_the_kernel_says(void **state)
{
	(void)state;
	pid_t pid = child_that(sleeps);
	wait_for_state(pid, 'S'); /* what it does on its way there changes its stack */
	uint64_t start, end_of, present = 0, absent = 0, size = (uint64_t)sysconf(_SC_PAGESIZE);
	char line[4096], name[64];
	snprintf(name, sizeof(name), "/proc/%d/maps", (int)pid);
	FILE *maps = fopen(name, "re");
	assert_non_null(maps);
	while (fgets(line, sizeof(line), maps)) {
		if (sscanf(line, "%" SCNx64 "-%" SCNx64, &start, &end_of) != 2)
			continue;
		for (uint64_t at = start, last = 0; at < end_of && last < 512; at += size, last++)
			assert_as_the_kernel_says(pid, at + 17, &present, &absent);
	}
	fclose(maps);
	assert_true(present > 20 && absent > 20);
	end(pid);
}

enum { HUGE_BYTES = 2 << 20 };
static char *huge_memory;

static void copies_the_first_page(int ready)
{
	huge_memory[0] = 2;
	sleeps(ready);
}

static bool huge_page_now(size_t index, struct vmsnap_run *page, struct vmsnap_known *known)
{
	uint64_t at = (uintptr_t)huge_memory + index * (uint64_t)sysconf(_SC_PAGESIZE);
	assert_int_equal(vmsnap_page_now(getpid(), at, page, known, NULL), VMSNAP_OK);
	return page->flags & VMSNAP_PAGE_HUGE;
}

/* The kernel's bit of all of them is that of the first, which the child has no more. */
static void who_maps_a_huge_page_is_not_asked_of_its_first(void **state)
{
	(void)state;
	struct vmsnap_run page;
	struct vmsnap_known known;
	int flags = MAP_PRIVATE | MAP_ANONYMOUS;
	char *place = mmap(NULL, 2 * HUGE_BYTES, PROT_READ | PROT_WRITE, flags, -1, 0);
	assert_true(place != MAP_FAILED);
	huge_memory = (char *)(((uintptr_t)place + HUGE_BYTES - 1) & ~(uintptr_t)(HUGE_BYTES - 1));
	madvise(huge_memory, HUGE_BYTES, MADV_HUGEPAGE);
	memset(huge_memory, 1, HUGE_BYTES);
	if (!huge_page_now(1, &page, &known)) {
		munmap(place, 2 * HUGE_BYTES);
		skip_because("this machine makes no huge pages");
	}
	pid_t pid = child_that(copies_the_first_page);
	wait_for_state(pid, 'S');
	for (size_t index = 0; index < 2; index++) {
		if (!huge_page_now(index, &page, &known))
			continue; /* split meanwhile */
		if (known.pfn && known.exclusive) /* root is told, if kpagecount is there */
			assert_int_equal(!(page.flags & VMSNAP_PAGE_EXCLUSIVE), index);
		else
			assert_false(known.exclusive);
	}
	end(pid);
	munmap(place, 2 * HUGE_BYTES);
}

static void many_pages_are_as_each_of_them(void **state)
{
	(void)state;
	enum { COUNT = 64 };
	pid_t pid = child_that(sleeps);
	wait_for_state(pid, 'S');
	uint64_t entries[COUNT], before[COUNT], size = (uint64_t)sysconf(_SC_PAGESIZE), present = 0;
	uint64_t start = ((uintptr_t)__builtin_frame_address(0) & ~(size - 1)) - COUNT / 2 * size;
	/* Our own stack, which it has from us: what we write in between makes its page exclusive. */
	for (uint64_t i = 0; i < COUNT; i++)
		before[i] = kernel_entry(pid, start + i * size);
	assert_int_equal(vmsnap_pages_now(pid, start + 5, COUNT, entries, NULL), VMSNAP_OK);
	for (uint64_t i = 0; i < COUNT; i++) {
		assert_true(entries[i] == before[i] || entries[i] == kernel_entry(pid, start + i * size));
		present += entries[i] >> 63;
	}
	assert_true(present > 0);
	memset(entries, 1, sizeof(entries));
	assert_int_equal(vmsnap_pages_now(pid, UINT64_MAX - size, 2, entries, NULL), VMSNAP_OK);
	assert_true(entries[0] == 0 && entries[1] == 0 && entries[2] != 0);
	assert_int_equal(vmsnap_pages_now(pid, start, SIZE_MAX, entries, NULL), VMSNAP_ERR_ARGUMENT);
	end(pid);
	assert_int_equal(vmsnap_pages_now(pid, start, COUNT, entries, NULL), VMSNAP_ERR_NO_PROCESS);
}

/* ---- what only a closer look tells ------------------------------------------------ */

static char *pages; /* three: read, written, neither */

static void touches_two_of_three(int ready)
{
	(void)*(volatile char *)pages;
	pages[sysconf(_SC_PAGESIZE)] = 1;
	sleeps(ready);
}

static void zero_written_and_absent_pages_are_told_apart(void **state)
{
	(void)state;
	uint64_t size = (uint64_t)sysconf(_SC_PAGESIZE);
	pages = mmap(NULL, 3 * size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_true(pages != MAP_FAILED);
	madvise(pages, 3 * size, MADV_NOHUGEPAGE);
	pid_t pid = child_that(touches_two_of_three);
	struct vmsnap_run page;
	struct vmsnap_known known = { 0 };
	struct vmsnap_error err = { 0 };
	uint64_t at = (uintptr_t)pages;
	assert_int_equal(vmsnap_page_now(pid, at, &page, &known, &err), VMSNAP_OK);
	if (known.zero)
		assert_true(page.flags & VMSNAP_PAGE_ZERO);
	assert_false(page.flags & VMSNAP_PAGE_HUGE);
	assert_int_equal(vmsnap_page_now(pid, at + size, &page, &known, &err), VMSNAP_OK);
	assert_false(page.flags & VMSNAP_PAGE_ZERO);
	assert_true(page.flags & VMSNAP_PAGE_EXCLUSIVE);
	known = (struct vmsnap_known){ 0 };
	assert_int_equal(vmsnap_page_now(pid, at + 2 * size, &page, &known, &err), VMSNAP_ERR_NOT_FOUND);
	assert_true(known.exclusive); /* written also when the page is absent */
	assert_non_null(strstr(err.message, "absent"));
	/* What is known is what a capture knows. */
	struct vmsnap *snap = capture_ok(pid, NULL);
	assert_memory_equal(&known, &vmsnap_info(snap)->known, sizeof(known));
	vmsnap_unref(snap);
	end(pid);
	munmap(pages, 3 * size);
}

static void has_a_huge_page(int ready)
{
	uintptr_t huge = (uintptr_t)pages;
	madvise((void *)huge, 2 << 20, MADV_HUGEPAGE);
	memset((void *)huge, 1, 2 << 20);
	sleeps(ready);
}

/* Whether there is a huge page, says smaps. */
static bool kernel_has_huge(pid_t pid)
{
	char line[256], name[64];
	unsigned long kib, total = 0;
	snprintf(name, sizeof(name), "/proc/%d/smaps_rollup", (int)pid);
	FILE *file = fopen(name, "re");
	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "AnonHugePages: %lu kB", &kib) == 1)
			total += kib;
	if (file)
		fclose(file);
	return total != 0;
}

static void any_page_of_a_huge_one_is_huge(void **state)
{
	(void)state;
	size_t room = 4 << 20, huge = 2 << 20;
	char *all = mmap(NULL, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_true(all != MAP_FAILED);
	pages = all + (huge - (uintptr_t)all % huge) % huge;
	pid_t pid = child_that(has_a_huge_page);
	struct vmsnap_run page;
	struct vmsnap_known known = { 0 };
	bool there = kernel_has_huge(pid);
	for (size_t at = 0; at < huge; at += huge / 8) {
		assert_int_equal(vmsnap_page_now(pid, (uintptr_t)pages + at + 5, &page, &known, NULL), VMSNAP_OK);
		if (known.huge)
			assert_int_equal(!!(page.flags & VMSNAP_PAGE_HUGE), there);
	}
	end(pid);
	munmap(all, room);
	if (!there || !known.huge)
		skip_because("huge pages are off here, or cannot be seen");
}

static void addresses_in_no_mapping_are_not_found(void **state)
{
	(void)state;
	static const uint64_t nowhere[] = { 0,
		                            4096,
		                            UINT64_C(0x7fffffffffff),
		                            UINT64_C(1) << 47,
		                            UINT64_C(1) << 63,
		                            UINT64_C(0xffffffffff600000),
		                            UINT64_MAX };
	pid_t pid = child_that(sleeps);
	struct vmsnap_run page;
	struct vmsnap_known known;
	for (size_t i = 0; i < sizeof(nowhere) / sizeof(nowhere[0]); i++)
		assert_int_equal(vmsnap_page_now(pid, nowhere[i], &page, &known, NULL), VMSNAP_ERR_NOT_FOUND);
	end(pid);
}

/* ---- who can be asked -------------------------------------------------------------- */

static void process_whose_main_thread_exited_can_be_asked(void **state)
{
	(void)state;
	pid_t pid = child_that(main_thread_exits);
	wait_for_state(pid, 'Z');
	struct vmsnap_run page;
	struct vmsnap_known known;
	static volatile int there = 1;
	assert_int_equal(vmsnap_page_now(pid, (uintptr_t)&there, &page, &known, NULL), VMSNAP_OK);
	assert_true(page.flags & VMSNAP_PAGE_PRESENT);
	end(pid);
}

static void those_without_memory_are_told_apart(void **state)
{
	(void)state;
	struct vmsnap_run page;
	struct vmsnap_known known;
	struct vmsnap_error err = { 0 };
	pid_t pid = child_that(say_ready);
	wait_for_state(pid, 'Z');
	assert_int_equal(vmsnap_page_now(pid, 4096, &page, &known, &err), VMSNAP_ERR_ZOMBIE);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(vmsnap_page_now(pid, 4096, &page, &known, &err), VMSNAP_ERR_NO_PROCESS);
	assert_int_equal(vmsnap_page_now(0, 4096, &page, &known, &err), VMSNAP_ERR_ARGUMENT);
	assert_int_equal(vmsnap_page_now(-1, 4096, &page, &known, &err), VMSNAP_ERR_ARGUMENT);
	/* In a pid namespace of one's own there is no kthreadd. */
	char comm[32] = "";
	int fd = open("/proc/2/comm", O_RDONLY);
	if (fd >= 0 && read(fd, comm, sizeof(comm) - 1) > 0 && !strcmp(comm, "kthreadd\n"))
		assert_int_equal(vmsnap_page_now(2, 4096, &page, &known, &err), VMSNAP_ERR_KERNEL_THREAD);
	if (fd >= 0)
		close(fd);
}

static void stranger_without_permission_is_told_so(void **state)
{
	(void)state;
	if (geteuid())
		skip_because("not root: cannot become another user");
	pid_t target = child_that(sleeps), pid = fork();
	if (pid == 0) {
		struct vmsnap_run page;
		struct vmsnap_known known;
		if (setgid(65534) || setuid(65534))
			_exit(2);
		_exit(vmsnap_page_now(target, 4096, &page, &known, NULL) == VMSNAP_ERR_PERMISSION ? 0 : 1);
	}
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	end(target);
}

/* ---- a page beside its file --------------------------------------------------------- */

static char *mapped; /* of a file of two pages and a half: not touched, written, read */
enum { WRITTEN_AT = 70 };

static void writes_to_one_of_a_file(int ready)
{
	uint64_t size = (uint64_t)sysconf(_SC_PAGESIZE);
	madvise(mapped, 3 * size, MADV_RANDOM); /* nothing is mapped around what is touched */
	mapped[size + WRITTEN_AT] = 'X';
	(void)*(volatile char *)(mapped + 2 * size);
	sleeps(ready);
}

static void a_page_of_a_file_is_as_in_memory_and_as_in_the_file(void **state)
{
	(void)state;
	uint64_t size = (uint64_t)sysconf(_SC_PAGESIZE);
	char path[] = "/tmp/test_page_now_XXXXXX", memory[1 << 16], file[1 << 16], text[1 << 17];
	int fd = mkstemp(path);
	assert_true(fd >= 0 && size <= sizeof(file));
	memset(text, 'a', 2 * size);
	memset(text + 2 * size, 'b', size / 2);
	assert_true(write(fd, text, 2 * size + size / 2) == (ssize_t)(2 * size + size / 2));
	mapped = mmap(NULL, 3 * size, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	assert_true(mapped != MAP_FAILED);
	close(fd);
	pid_t pid = child_that(writes_to_one_of_a_file);
	struct vmsnap *snap;
	struct vmsnap_capture_options options = { .size = sizeof(options), .flags = VMSNAP_CAPTURE_NO_FREEZE };
	assert_int_equal(vmsnap_capture(pid, &options, &snap, NULL), VMSNAP_OK);
	uint64_t at = (uintptr_t)mapped;
	/* Of fault-around the kernel alone decides. */
	if (!(kernel_entry(pid, at) >> 63)) {
		assert_int_equal(vmsnap_file_page_now(snap, at, memory, file, NULL), VMSNAP_ERR_NOT_FOUND);
		assert_int_equal(kernel_entry(pid, at) >> 63, 0);
	}
	assert_int_equal(vmsnap_file_page_now(snap, at + size + 5, memory, file, NULL), VMSNAP_OK);
	assert_memory_equal(file, text + size, size);
	assert_true(memory[WRITTEN_AT] == 'X');
	memory[WRITTEN_AT] = 'a';
	assert_memory_equal(memory, file, size);
	assert_int_equal(vmsnap_file_page_now(snap, at + 2 * size, NULL, file, NULL), VMSNAP_OK);
	assert_memory_equal(file, text + 2 * size, size / 2);
	assert_true(file[size / 2] == 0 && file[size - 1] == 0);
	assert_int_equal(vmsnap_file_page_now(snap, at + 2 * size, memory, NULL, NULL), VMSNAP_OK);
	assert_memory_equal(memory, file, size);
	/* No page of a file, and another file in the place of its own. */
	assert_int_equal(vmsnap_file_page_now(snap, (uintptr_t)&fd, memory, file, NULL), VMSNAP_ERR_NOT_FOUND);
	assert_int_equal(unlink(path), 0);
	int rc = vmsnap_file_page_now(snap, at + size, NULL, file, NULL); /* with privilege it is found all the same */
	assert_true(rc == VMSNAP_ERR_NOT_FOUND || (rc == VMSNAP_OK && !memcmp(file, text, size)));
	end(pid);
	assert_true(vmsnap_file_page_now(snap, at + size, memory, file, NULL) < 0);
	vmsnap_unref(snap);
	munmap(mapped, 3 * size);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_page_of_a_child_is_as_the_kernel_says),
		cmocka_unit_test(who_maps_a_huge_page_is_not_asked_of_its_first),
		cmocka_unit_test(many_pages_are_as_each_of_them),
		cmocka_unit_test(a_page_of_a_file_is_as_in_memory_and_as_in_the_file),
		cmocka_unit_test(zero_written_and_absent_pages_are_told_apart),
		cmocka_unit_test(any_page_of_a_huge_one_is_huge),
		cmocka_unit_test(addresses_in_no_mapping_are_not_found),
		cmocka_unit_test(process_whose_main_thread_exited_can_be_asked),
		cmocka_unit_test(those_without_memory_are_told_apart),
		cmocka_unit_test(stranger_without_permission_is_told_so),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
