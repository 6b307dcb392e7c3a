/* Whom pages are blamed on, by faults and what became of memory as they are told. */
#include "test_diff_fixture.h"

#include "blame_births.h"
#include "blame_heaps.h"
#include "earliest.h"

enum { PID = 7, CHILD = 8, BEFORE = 1000, AFTER = 2000 };

/* Pages 1 to `pages` of [heap], each in a frame from there on. */
static struct vmsnap *snap_of(uint32_t pid, int64_t time, uint64_t pages, uint64_t frame)
{
	struct vmsnap *snap = make_snap();
	snap->info.pid = snap->info.tgid = pid;
	snap->info.start_time = pid;
	snap->info.monotonic = time;
	snap->info.faults = UINT64_MAX;
	add_anon(snap, 1, 100, "rw-p", "[heap]");
	for (uint64_t page = 1; page <= pages; page++)
		add_pages(snap, page, 1, OWNED(frame + page));
	return snap;
}

static struct vmsnap_faults_builder *begun(uint64_t lost)
{
	struct vmsnap_faults_builder *builder = NULL;
	const struct vmsnap_faults_info info = {
		.begin = BEFORE - 100,
		.end = AFTER + 100,
		.lost = lost,
		.flags = VMSNAP_FAULTS_KINDS | VMSNAP_FAULTS_KERNEL | VMSNAP_FAULTS_CHILDREN | VMSNAP_FAULTS_MEMORY,
	};
	assert_int_equal(vmsnap_faults_builder_new(NULL, &builder, NULL), VMSNAP_OK);
	assert_int_equal(vmsnap_faults_builder_set(builder, &info, NULL), VMSNAP_OK);
	return builder;
}

static void writes(struct vmsnap_faults_builder *builder, int32_t pid, uint64_t time, uint64_t page)
{
	const struct vmsnap_fault fault = { .time = time,
		                            .address = PAGE_AT(page) + 8,
		                            .pid = pid,
		                            .tid = pid,
		                            .syscall = -1,
		                            .kind = VMSNAP_FAULT_WRITE_NEW };
	assert_int_equal(vmsnap_faults_builder_add(builder, &fault, NULL, 0, NULL), VMSNAP_OK);
}

static void happens(struct vmsnap_faults_builder *builder, int kind, int32_t pid, uint64_t time, int32_t child)
{
	const struct vmsnap_fault_event event = { .kind = kind, .pid = pid, .time = time, .child = child };
	assert_int_equal(vmsnap_faults_builder_add_event(builder, &event, NULL), VMSNAP_OK);
}

static void becomes(struct vmsnap_faults_builder *builder, int kind, int32_t pid, uint64_t time, uint64_t start,
                    uint64_t end, uint64_t to)
{
	const struct vmsnap_memory_event event = {
		.kind = kind, .pid = pid, .time = time, .start = start, .end = end, .to = to
	};
	assert_int_equal(vmsnap_faults_builder_add_memory_event(builder, &event, NULL), VMSNAP_OK);
}

static struct vmsnap_blame *blamed(struct vmsnap_faults_builder *builder, const struct vmsnap *const *before,
                                   size_t before_count, const struct vmsnap *const *after, size_t after_count)
{
	struct vmsnap_faults *faults = NULL;
	struct vmsnap_blame *blame = NULL;
	assert_int_equal(vmsnap_faults_builder_finish(builder, &faults, NULL), VMSNAP_OK);
	vmsnap_faults_builder_free(builder);
	assert_int_equal(vmsnap_blame_new(before, before_count, after, after_count, faults, NULL, &blame, NULL),
	                 VMSNAP_OK);
	vmsnap_faults_unref(faults);
	return blame;
}

enum { NOT_TOLD = -1, UNSEEN, SEEN, SEVERAL };
static int told_of(const struct vmsnap_blame *blame, const struct vmsnap *snap, uint64_t page)
{
	const struct vmsnap_blamed *item;
	for (size_t i = 0; (item = vmsnap_blame_at(blame, i)); i++)
		if (item->snap == snap && item->start <= PAGE_AT(page) && PAGE_AT(page) < item->end)
			return !item->count ? UNSEEN : item->count > 1 || item->doubtful ? SEVERAL : SEEN;
	return NOT_TOLD;
}

static void what_is_given_back_is_unseen_and_what_may_be_is_one_of_several(void **state)
{
	(void)state;
	struct vmsnap *before = snap_of(PID, BEFORE, 0, 0), *after = snap_of(PID, AFTER, 4, 100);
	struct vmsnap_faults_builder *builder = begun(0);
	for (uint64_t page = 1; page <= 4; page++)
		writes(builder, PID, 1100 + page, page);
	becomes(builder, VMSNAP_MEMORY_EVENT_FREED, PID, 1200, PAGE_AT(1), PAGE_AT(2), 0);
	becomes(builder, VMSNAP_MEMORY_EVENT_GIVEN_BACK, PID, 1200, PAGE_AT(2), PAGE_AT(4), 0);
	writes(builder, PID, 1300, 3);
	struct vmsnap_blame *blame = blamed(builder, (const struct vmsnap *const[]){ before }, 1,
	                                    (const struct vmsnap *const[]){ after }, 1);
	static const int expected[] = { SEVERAL, UNSEEN, SEEN, SEEN };
	for (uint64_t page = 1; page <= 4; page++)
		assert_int_equal(told_of(blame, after, page), expected[page - 1]);
	vmsnap_blame_free(blame);
	vmsnap_unref(before);
	vmsnap_unref(after);
}

/* By another thread, while the call was at it. */
static void what_is_written_while_it_is_given_back_is_one_of_several(void **state)
{
	(void)state;
	struct vmsnap *before = snap_of(PID, BEFORE, 0, 0), *after = snap_of(PID, AFTER, 3, 100);
	struct vmsnap_faults_builder *builder = begun(0);
	static const uint64_t times[] = { 1199, 1250, 1301 };
	static const int expected[] = { UNSEEN, SEVERAL, SEEN };
	for (uint64_t page = 1; page <= 3; page++)
		writes(builder, PID, times[page - 1], page);
	becomes(builder, VMSNAP_MEMORY_EVENT_GIVEN_BACK, PID, 1200, PAGE_AT(1), PAGE_AT(4), 1300);
	struct vmsnap_blame *blame = blamed(builder, (const struct vmsnap *const[]){ before }, 1,
	                                    (const struct vmsnap *const[]){ after }, 1);
	for (uint64_t page = 1; page <= 3; page++)
		assert_int_equal(told_of(blame, after, page), expected[page - 1]);
	vmsnap_blame_free(blame);
	vmsnap_unref(before);
	vmsnap_unref(after);
}

/* Another process may have copied it for this one; what is still shared nobody copied. */
static void what_was_written_before_a_fork_and_is_its_own_is_one_of_several(void **state)
{
	(void)state;
	struct vmsnap *before = snap_of(PID, BEFORE, 0, 0), *after = snap_of(PID, AFTER, 2, 100);
	add_pages(after, 3, 1, ANON(103));
	struct vmsnap_faults_builder *builder = begun(0);
	for (uint64_t page = 1; page <= 3; page++)
		writes(builder, PID, page == 2 ? 1300 : 1100, page);
	happens(builder, VMSNAP_FAULT_EVENT_FORK, PID, 1200, CHILD);
	struct vmsnap_blame *blame = blamed(builder, (const struct vmsnap *const[]){ before }, 1,
	                                    (const struct vmsnap *const[]){ after }, 1);
	static const int expected[] = { SEVERAL, SEEN, SEEN };
	for (uint64_t page = 1; page <= 3; page++)
		assert_int_equal(told_of(blame, after, page), expected[page - 1]);
	vmsnap_blame_free(blame);
	vmsnap_unref(before);
	vmsnap_unref(after);
}

/* Both have one for themselves, and neither wrote to it since: then somebody else did. */
static void what_a_child_has_for_itself_is_its_parents_only_if_that_one_wrote_since(void **state)
{
	(void)state;
	struct vmsnap *before = snap_of(PID, BEFORE, 0, 0), *parent = snap_of(PID, AFTER, 2, 100),
	              *child = snap_of(CHILD, AFTER, 2, 200);
	add_pages(parent, 3, 1, ANON(103));
	add_pages(child, 3, 1, ANON(103));
	struct vmsnap_faults_builder *builder = begun(0);
	for (uint64_t page = 1; page <= 3; page++)
		writes(builder, PID, 1100, page);
	happens(builder, VMSNAP_FAULT_EVENT_FORK, PID, 1200, CHILD);
	writes(builder, PID, 1300, 2);
	struct vmsnap_blame *blame = blamed(builder, (const struct vmsnap *const[]){ before }, 1,
	                                    (const struct vmsnap *const[]){ parent, child }, 2);
	const struct vmsnap_blamed *item;
	size_t seen = 0;
	for (size_t i = 0; (item = vmsnap_blame_at(blame, i)); i++)
		if (item->snap == child) {
			assert_int_equal(item->inherited, item->start != PAGE_AT(1));
			assert_int_equal(item->count, 0);
			seen++;
		}
	assert_int_equal(seen, 2);
	vmsnap_blame_free(blame);
	vmsnap_unref(before);
	vmsnap_unref(parent);
	vmsnap_unref(child);
}

static void what_a_ring_may_give_back_later_is_one_of_several(void **state)
{
	(void)state;
	struct vmsnap *before = snap_of(PID, BEFORE, 0, 0), *after = snap_of(PID, AFTER, 2, 100);
	struct vmsnap_faults_builder *builder = begun(0);
	writes(builder, PID, 1100, 1);
	becomes(builder, VMSNAP_MEMORY_EVENT_FREED, PID, 1200, 0, UINT64_MAX, UINT64_MAX);
	writes(builder, PID, 1300, 2);
	struct vmsnap_blame *blame = blamed(builder, (const struct vmsnap *const[]){ before }, 1,
	                                    (const struct vmsnap *const[]){ after }, 1);
	assert_int_equal(told_of(blame, after, 1), SEVERAL);
	assert_int_equal(told_of(blame, after, 2), SEVERAL);
	vmsnap_blame_free(blame);
	vmsnap_unref(before);
	vmsnap_unref(after);
}

static struct vmsnap *huge_snap_of(int64_t time, uint64_t frame, uint64_t page_moves)
{
	struct vmsnap *snap = snap_of(PID, time, 0, 0);
	snap->info.page_moves = page_moves;
	snap->info.known.huge = true;
	add_anon(snap, 512, 512, "rw-p", "");
	for (uint64_t page = 512; frame && page < 1024; page++)
		add_pages(snap, page, 1, OWNED(frame + page) | ENTRY_FLAG(VMSNAP_PAGE_HUGE));
	return snap;
}

/* The kernel tells of nobody for whom it makes huge pages, but how many it made. */
static void of_a_huge_page_that_the_kernel_may_have_made_only_what_was_touched_is_known(void **state)
{
	(void)state;
	for (uint64_t made = 0; made < 2; made++) {
		struct vmsnap *before = huge_snap_of(BEFORE, 0, 5), *after = huge_snap_of(AFTER, 5120, 5 + made);
		struct vmsnap_faults_builder *builder = begun(0);
		writes(builder, PID, 1100, 600);
		struct vmsnap_blame *blame = blamed(builder, (const struct vmsnap *const[]){ before }, 1,
		                                    (const struct vmsnap *const[]){ after }, 1);
		assert_int_equal(told_of(blame, after, 600), SEEN);
		for (uint64_t page = 512; page < 1024; page += 511)
			assert_int_equal(told_of(blame, after, page), made ? SEVERAL : SEEN);
		vmsnap_blame_free(blame);
		vmsnap_unref(before);
		vmsnap_unref(after);
	}
}

/* The one before had it lower, and then far higher. */
static void the_heap_of_a_program_executed_before_does_not_matter(void **state)
{
	(void)state;
	struct vmsnap_faults_builder *builder = begun(0);
	becomes(builder, VMSNAP_MEMORY_EVENT_HEAP_END, PID, 1100, PAGE_AT(5000), PAGE_AT(5000), 0);
	happens(builder, VMSNAP_FAULT_EVENT_EXEC, PID, 1200, 0);
	becomes(builder, VMSNAP_MEMORY_EVENT_HEAP_END, PID, 1400, PAGE_AT(40), PAGE_AT(40), 0);
	struct vmsnap_faults *faults = NULL;
	assert_int_equal(vmsnap_faults_builder_finish(builder, &faults, NULL), VMSNAP_OK);
	vmsnap_faults_builder_free(builder);
	const struct blame_heap given[] = { { .pid = PID, .from = BEFORE, .top = PAGE_AT(9000) },
		                            { .pid = PID, .from = AFTER, .top = PAGE_AT(45) } };
	struct work work = { .limit = WORK_UNLIMITED };
	struct memory_owners owners;
	struct blame_heaps heaps;
	assert_int_equal(memory_owners_make(&owners, faults, &work), VMSNAP_OK);
	assert_int_equal(blame_heaps_make(&heaps, faults, &owners, given, 2, &work), VMSNAP_OK);
	assert_true(blame_heap_top(&heaps, PID, 1150) == PAGE_AT(9000));
	assert_true(blame_heap_top(&heaps, PID, 1400) == PAGE_AT(45));
	assert_true(blame_heap_top(&heaps, CHILD, 1400) == 0);
	blame_heaps_free(&heaps, &work);
	memory_owners_free(&owners, &work);
	vmsnap_faults_unref(faults);
}

static void pages_of_who_has_anothers_memory_are_told_once(void **state)
{
	(void)state;
	struct vmsnap *before = snap_of(PID, BEFORE, 0, 0), *parent = snap_of(PID, AFTER, 2, 100),
	              *child = snap_of(CHILD, AFTER, 2, 100);
	struct vmsnap_faults_builder *builder = begun(0);
	happens(builder, VMSNAP_FAULT_EVENT_FORK, PID, 1100, CHILD);
	becomes(builder, VMSNAP_MEMORY_EVENT_SHARED, CHILD, 1100, 0, 0, PID);
	writes(builder, CHILD, 1200, 1);
	struct vmsnap_faults *faults = NULL;
	assert_int_equal(vmsnap_faults_builder_finish(builder, &faults, NULL), VMSNAP_OK);
	vmsnap_faults_builder_free(builder);
	const struct vmsnap *both[] = { parent, child };
	for (size_t alone = 0; alone < 2; alone++) {
		struct vmsnap_blame *blame = NULL;
		assert_int_equal(vmsnap_blame_new((const struct vmsnap *const[]){ before }, 1, both + alone, 2 - alone,
		                                  faults, NULL, &blame, NULL),
		                 VMSNAP_OK);
		const struct vmsnap *teller = both[alone];
		assert_int_equal(told_of(blame, teller, 1), SEEN);
		assert_int_equal(told_of(blame, teller, 2), UNSEEN);
		assert_int_equal(told_of(blame, both[!alone], 1), NOT_TOLD);
		vmsnap_blame_free(blame);
	}
	vmsnap_faults_unref(faults);
	vmsnap_unref(before);
	vmsnap_unref(parent);
	vmsnap_unref(child);
}

static void the_next_that_is_earlier_is_found(void **state)
{
	(void)state;
	struct work work = { .limit = WORK_UNLIMITED };
	for (size_t count = 1; count < 40; count++) {
		struct earliest times = { 0 };
		assert_int_equal(earliest_make(&times, count, &work), VMSNAP_OK);
		for (size_t i = 0; i < count; i++)
			earliest_set(&times, i, i % 3 ? i * 7919 % 23 : UINT64_MAX);
		for (size_t from = 0; from <= count; from++)
			for (uint64_t before = 0; before < 24; before++) {
				size_t at = from;
				while (at < count && earliest_get(&times, at) >= before)
					at++;
				assert_true(earliest_next(&times, from, before) == (at < count ? at : SIZE_MAX));
			}
		earliest_free(&times, &work);
	}
}

#define FORKS(TIME, PARENT, WHOM)                                                                                      \
	{                                                                                                              \
		.time = (TIME), .pid = (PARENT), .child = (WHOM), .kind = VMSNAP_FAULT_EVENT_FORK                      \
	}
#define EXECUTES(TIME, WHO)                                                                                            \
	{                                                                                                              \
		.time = (TIME), .pid = (WHO), .kind = VMSNAP_FAULT_EVENT_EXEC                                          \
	}
enum { MOST_EVENTS = 4, GRANDCHILD = 9 };

/* Of events, the first process has a snapshot from before. */
static void what_a_process_began_with_is_its_parents_or_that_ones_parents(void **state)
{
	(void)state;
	static const struct {
		struct vmsnap_fault_event events[MOST_EVENTS];
		int32_t pid;
		uint64_t born, executed;
		bool before;
	} cases[] = {
		{ { FORKS(1, PID, CHILD) }, CHILD, 1, 0, true },
		{ { FORKS(1, PID, CHILD), FORKS(2, CHILD, GRANDCHILD) }, GRANDCHILD, 2, 0, true },
		{ { FORKS(2, CHILD, GRANDCHILD), FORKS(3, PID, CHILD) }, GRANDCHILD, 2, 0, false },
		{ { FORKS(1, PID, CHILD), FORKS(2, GRANDCHILD, CHILD) },
		  CHILD,
		  2,
		  0,
		  false }, /* the number is another's */
		{ { FORKS(1, PID, CHILD), EXECUTES(2, CHILD), EXECUTES(3, CHILD) }, CHILD, 1, 3, true },
		{ { EXECUTES(1, PID), FORKS(2, PID, CHILD) }, CHILD, 2, 1, true },
		{ { FORKS(1, PID, CHILD), EXECUTES(2, PID) }, CHILD, 1, 0, true },
		{ { FORKS(1, PID, CHILD), EXECUTES(2, PID) }, PID, 0, 2, true },
	};
	struct vmsnap *before = snap_of(PID, BEFORE, 0, 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct blame_process process = { .after = snap_of((uint32_t)cases[i].pid, AFTER, 0, 0) };
		struct work work = { .limit = WORK_UNLIMITED };
		struct blame_births births;
		size_t count = 0;
		while (count < MOST_EVENTS && cases[i].events[count].time)
			count++;
		assert_int_equal(blame_births_make(&births, cases[i].events, count, &work), VMSNAP_OK);
		blame_births_find(&births, &process, (const struct vmsnap *const[]){ before }, 1);
		assert_int_equal(process.born.time, cases[i].born);
		assert_int_equal(process.executed, cases[i].executed);
		assert_true(process.before == (cases[i].before ? before : NULL));
		blame_births_free(&births, &work);
		assert_int_equal(work.used, 0);
		vmsnap_unref(process.before);
		vmsnap_unref(process.after);
	}
	vmsnap_unref(before);
}

static void children_are_told_of_in_their_order(void **state)
{
	(void)state;
	static const struct vmsnap_fault_event events[] = { FORKS(1, CHILD, 20), FORKS(2, PID, 30), EXECUTES(3, PID),
		                                            FORKS(4, CHILD, 21), FORKS(5, PID, 29) };
	struct work work = { .limit = WORK_UNLIMITED };
	struct blame_births births;
	size_t at = 0;
	assert_int_equal(blame_births_make(&births, events, sizeof(events) / sizeof(*events), &work), VMSNAP_OK);
	assert_int_equal(blame_births_child(&births, PID, &at)->child, 30);
	assert_int_equal(blame_births_child(&births, PID, &at)->child, 29);
	assert_null(blame_births_child(&births, PID, &at));
	at = 0;
	assert_null(blame_births_child(&births, GRANDCHILD, &at));
	blame_births_free(&births, &work);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_given_back_is_unseen_and_what_may_be_is_one_of_several),
		cmocka_unit_test(what_is_written_while_it_is_given_back_is_one_of_several),
		cmocka_unit_test(what_was_written_before_a_fork_and_is_its_own_is_one_of_several),
		cmocka_unit_test(what_a_child_has_for_itself_is_its_parents_only_if_that_one_wrote_since),
		cmocka_unit_test(what_a_ring_may_give_back_later_is_one_of_several),
		cmocka_unit_test(of_a_huge_page_that_the_kernel_may_have_made_only_what_was_touched_is_known),
		cmocka_unit_test(the_heap_of_a_program_executed_before_does_not_matter),
		cmocka_unit_test(pages_of_who_has_anothers_memory_are_told_once),
		cmocka_unit_test(the_next_that_is_earlier_is_found),
		cmocka_unit_test(what_a_process_began_with_is_its_parents_or_that_ones_parents),
		cmocka_unit_test(children_are_told_of_in_their_order),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
