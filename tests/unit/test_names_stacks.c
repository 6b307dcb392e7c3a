/* Which memory is whose stack. */
#define _GNU_SOURCE
#include "names_make.h"

#define THREAD(number, pointer, name)                                                                                  \
	{                                                                                                              \
		.tid = (number), .stack_pointer = (pointer), .comm = (name)                                            \
	}
static struct vmsnap_thread THREADS[] = {
	THREAD(100, BASE + 0x1800, "main"),      THREAD(101, BASE + 0x11800, "wor\nker"),
	THREAD(102, BASE + 0x21800, "lone"),     THREAD(103, 0, "running"),
	THREAD(104, BASE + 0x31800, "upper"),    THREAD(105, BASE + 0x35800, "lower"),
	THREAD(106, BASE + 0x41100, "crowd"),    THREAD(107, BASE + 0x41200, "crowd"),
	THREAD(108, BASE + 0x51100, "in heap"),  THREAD(109, BASE + 0x61100, "in shared"),
	THREAD(110, BASE + 0x900000, "nowhere"),
};

static void add_run(struct vmsnap *snap, uint64_t start, uint64_t pages, uint64_t flags)
{
	assert_int_equal(run_list_append(&snap->runs, 4096, start, pages, ENTRY_FLAG(flags)), 0);
}

static struct vmsnap *snapshot(void)
{
	struct vmsnap *snap = made_snapshot();
	const uint32_t rw = VMSNAP_PERM_READ | VMSNAP_PERM_WRITE;
	made_vma(snap, BASE, BASE + 0x4000, rw, "[stack]");
	made_vma(snap, BASE + 0x10000, BASE + 0x14000, rw, "");
	made_vma(snap, BASE + 0x20000, BASE + 0x24000, rw, "[anon:stack]");
	/* Two stacks in one mapping, with a guard region between them. */
	made_vma(snap, BASE + 0x30000, BASE + 0x38000, rw, "");
	made_vma(snap, BASE + 0x40000, BASE + 0x44000, rw, "");
	made_vma(snap, BASE + 0x50000, BASE + 0x54000, rw, "[heap]");
	made_vma(snap, BASE + 0x60000, BASE + 0x64000, rw | VMSNAP_PERM_SHARED, "");
	add_run(snap, BASE + 0x30000, 1, VMSNAP_PAGE_GUARD);
	add_run(snap, BASE + 0x31000, 1, VMSNAP_PAGE_PRESENT);
	add_run(snap, BASE + 0x34000, 1, VMSNAP_PAGE_GUARD);
	add_run(snap, BASE + 0x35000, 1, VMSNAP_PAGE_PRESENT);
	snap->threads = malloc(sizeof(THREADS));
	assert_non_null(snap->threads);
	memcpy(snap->threads, THREADS, sizeof(THREADS));
	snap->thread_count = sizeof(THREADS) / sizeof(*THREADS);
	return snap;
}

static void expect_stack(uint64_t address, const char *symbol, uint64_t start, uint64_t end)
{
	struct vmsnap *snap = snapshot();
	struct vmsnap_names *names = made_names(snap, NULL);
	struct vmsnap_name name;
	int rc = vmsnap_name_at(names, address, &name);
	if (symbol) {
		assert_int_equal(rc, VMSNAP_OK);
		assert_int_equal(name.kind, VMSNAP_NAME_THREAD_STACK);
		assert_string_equal(name.symbol, symbol);
		assert_true(name.address == start && name.size == end - start);
	} else {
		assert_true(rc == VMSNAP_ERR_NOT_FOUND || name.kind == VMSNAP_NAME_MAPPING);
	}
	vmsnap_names_free(names);
	vmsnap_unref(snap);
}

static void thread_stack_is_the_mapping_of_its_stack_pointer(void **state)
{
	(void)state;
	expect_stack(BASE + 0x10000, "stack of thread 101 (wor\nker)", BASE + 0x10000, BASE + 0x14000);
	expect_stack(BASE + 0x13fff, "stack of thread 101 (wor\nker)", BASE + 0x10000, BASE + 0x14000);
	expect_stack(BASE + 0x14000, NULL, 0, 0);
	expect_stack(BASE + 0x20000, "stack of thread 102 (lone)", BASE + 0x20000, BASE + 0x24000);
}

static void guard_regions_part_stacks_in_one_mapping(void **state)
{
	(void)state;
	expect_stack(BASE + 0x31000, "stack of thread 104 (upper)", BASE + 0x31000, BASE + 0x34000);
	expect_stack(BASE + 0x37fff, "stack of thread 105 (lower)", BASE + 0x35000, BASE + 0x38000);
	expect_stack(BASE + 0x34000, NULL, 0, 0);
	expect_stack(BASE + 0x30000, NULL, 0, 0);
}

static void memory_of_two_stack_pointers_is_nobodys_stack(void **state)
{
	(void)state;
	expect_stack(BASE + 0x41100, NULL, 0, 0);
}

static void main_stack_heap_and_shared_memory_keep_their_names(void **state)
{
	(void)state;
	expect_stack(BASE + 0x1800, NULL, 0, 0);
	expect_stack(BASE + 0x51100, NULL, 0, 0);
	expect_stack(BASE + 0x61100, NULL, 0, 0);
}

static void names_in_tells_the_stacks_of_a_range(void **state)
{
	(void)state;
	struct vmsnap *snap = snapshot();
	struct vmsnap_names *names = made_names(snap, NULL);
	expect_names_in(names, BASE + 0x12000, BASE + 0x13000, "stack of thread 101 (wor\nker)");
	expect_names_in(names, BASE + 0x30000, BASE + 0x36000,
	                "stack of thread 104 (upper) stack of thread 105 (lower)");
	expect_names_in(names, BASE + 0x14000, BASE + 0x20000, "");
	vmsnap_names_free(names);
	vmsnap_unref(snap);
}

/* Of a child with one thread, which runs on what was thread 102's stack. */
static void stacks_that_a_fork_left_behind_are_called_as_in_the_parent(void **state)
{
	(void)state;
	struct vmsnap *parent = snapshot(), *child = snapshot(), *stranger = snapshot();
	struct vmsnap_name name;
	parent->info.pid = parent->info.tgid = 100;
	stranger->info.pid = stranger->info.tgid = 99;
	child->info.pid = child->info.tgid = 200;
	child->info.ppid = 100;
	child->threads[0] = (struct vmsnap_thread)THREAD(201, BASE + 0x31800, "own");
	child->thread_count = 1;
	struct vmsnap_names *names = made_names(child, NULL);
	assert_int_equal(vmsnap_names_add_fallback(names, stranger, NULL), VMSNAP_OK);
	assert_int_equal(vmsnap_name_of_mapping(names, 1, &name), VMSNAP_ERR_NOT_FOUND);
	for (int twice = 0; twice < 2; twice++)
		assert_int_equal(vmsnap_names_add_fallback(names, parent, NULL), VMSNAP_OK);
	assert_int_equal(vmsnap_name_of_mapping(names, 1, &name), VMSNAP_OK);
	assert_string_equal(name.symbol, "stack of thread 101 (wor\nker)");
	assert_int_equal(vmsnap_name_at(names, BASE + 0x35000, &name), VMSNAP_OK);
	assert_string_equal(name.symbol, "stack of thread 105 (lower)");
	assert_int_equal(vmsnap_name_at(names, BASE + 0x31000, &name), VMSNAP_OK);
	assert_string_equal(name.symbol, "stack of thread 201 (own)");
	assert_int_equal(vmsnap_names_rebind(names, child, NULL), VMSNAP_OK);
	assert_int_equal(vmsnap_name_of_mapping(names, 1, &name), VMSNAP_ERR_NOT_FOUND);
	vmsnap_names_free(names);
	/* The child mapped something larger there. */
	child->vmas[1].end += 0x1000;
	names = made_names(child, NULL);
	assert_int_equal(vmsnap_names_add_fallback(names, parent, NULL), VMSNAP_OK);
	assert_int_equal(vmsnap_name_of_mapping(names, 1, &name), VMSNAP_ERR_NOT_FOUND);
	vmsnap_names_free(names);
	vmsnap_unref(parent);
	vmsnap_unref(child);
	vmsnap_unref(stranger);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(thread_stack_is_the_mapping_of_its_stack_pointer),
		cmocka_unit_test(guard_regions_part_stacks_in_one_mapping),
		cmocka_unit_test(memory_of_two_stack_pointers_is_nobodys_stack),
		cmocka_unit_test(main_stack_heap_and_shared_memory_keep_their_names),
		cmocka_unit_test(names_in_tells_the_stacks_of_a_range),
		cmocka_unit_test(stacks_that_a_fork_left_behind_are_called_as_in_the_parent),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
