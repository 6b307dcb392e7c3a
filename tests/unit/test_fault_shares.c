/* Page faults of several processes, given to the snapshots of each. */
#include "test_file_sample.h"

#include "faults.h"

enum { PARENT = 7, CHILD = 8, SHORT = 9, OTHER = 10 };
static const uint64_t frames[] = { 0x401010, 0x401100 };

static struct vmsnap *snap_of(uint32_t pid, uint64_t when)
{
	struct vmsnap_builder *builder;
	struct vmsnap_error err;
	struct vmsnap *snap;
	struct vmsnap_info info = { .pid = pid, .tgid = pid, .start_time = pid, .page_size = 4096 };
	info.monotonic = (int64_t)when;
	info.comm = "made";
	assert_int_equal(vmsnap_builder_new(&info, &builder, &err), VMSNAP_OK);
	assert_int_equal(vmsnap_builder_finish(builder, &snap, &err), VMSNAP_OK);
	vmsnap_builder_free(builder);
	return snap;
}

struct watched {
	struct vmsnap_faults_builder *builder;
	uint32_t object;
};

static struct watched watched_new(uint64_t begin, uint64_t end, uint64_t lost)
{
	struct watched watched = { 0 };
	struct vmsnap_faults_info info = { .begin = begin, .end = end, .lost = lost };
	info.flags = VMSNAP_FAULTS_CHILDREN | VMSNAP_FAULTS_KERNEL;
	struct vmsnap_fault_object object = { .path = "/bin/made", .start = 0x401000, .end = 0x402000 };
	assert_int_equal(vmsnap_faults_builder_new(NULL, &watched.builder, NULL), VMSNAP_OK);
	assert_int_equal(vmsnap_faults_builder_set(watched.builder, &info, NULL), VMSNAP_OK);
	assert_int_equal(vmsnap_faults_builder_add_object(watched.builder, &object, &watched.object, NULL), VMSNAP_OK);
	assert_int_equal(vmsnap_faults_builder_add_syscall(watched.builder, 0, "read", NULL), VMSNAP_OK);
	assert_int_equal(vmsnap_faults_builder_add_syscall(watched.builder, 1, "write", NULL), VMSNAP_OK);
	return watched;
}

static void happens(const struct watched *watched, int32_t pid, uint64_t time, int32_t call)
{
	const struct vmsnap_fault fault = { .time = time, .pid = pid, .tid = pid, .syscall = call, .ip = frames[0] };
	const struct vmsnap_fault_code code = { .address = frames[0], .pid = (uint32_t)pid, .function = "set" };
	assert_int_equal(vmsnap_faults_builder_add(watched->builder, &fault, frames, 2, NULL), VMSNAP_OK);
	assert_int_equal(vmsnap_faults_builder_add_code(watched->builder, &code, NULL), VMSNAP_OK);
}

static void forks(const struct watched *watched, uint64_t time, int32_t pid, int32_t child)
{
	const struct vmsnap_fault_event fork = { .time = time, .pid = pid, .child = child };
	assert_int_equal(vmsnap_faults_builder_add_event(watched->builder, &fork, NULL), VMSNAP_OK);
}

static void come(struct vmsnap_fault_shares *shares, const struct watched *watched)
{
	struct vmsnap_faults *faults;
	assert_int_equal(vmsnap_faults_builder_finish(watched->builder, &faults, NULL), VMSNAP_OK);
	vmsnap_faults_builder_free(watched->builder);
	assert_int_equal(vmsnap_fault_shares_add(shares, faults, NULL), VMSNAP_OK);
	vmsnap_faults_unref(faults);
}

/* To the snapshots of so many processes, which are taken over. */
static void give(struct vmsnap_fault_shares *shares, unsigned flags, size_t count, struct vmsnap **snaps)
{
	struct vmsnap *out[4];
	assert_int_equal(vmsnap_fault_shares_give(shares, (const struct vmsnap *const *)snaps, count, flags, out, NULL),
	                 VMSNAP_OK);
	for (size_t i = 0; i < count; i++) {
		vmsnap_unref(snaps[i]);
		snaps[i] = out[i];
	}
}

static void drop(struct vmsnap **snaps, size_t count)
{
	for (size_t i = 0; i < count; i++)
		vmsnap_unref(snaps[i]);
}

static struct vmsnap_fault_shares *begun(uint64_t when)
{
	struct vmsnap_fault_shares *shares;
	struct vmsnap *first[] = { snap_of(PARENT, when) };
	struct watched none = watched_new(0, when, 0);
	assert_int_equal(vmsnap_fault_shares_new(&shares, NULL), VMSNAP_OK);
	happens(&none, PARENT, when - 1, -1);
	come(shares, &none);
	give(shares, VMSNAP_FAULT_SHARES_ALL, 1, first);
	assert_null(vmsnap_faults_of(first[0])); /* what was before the first nobody can make anything of */
	assert_int_equal(vmsnap_fault_shares_left(shares), 0);
	drop(first, 1);
	return shares;
}

static void each_process_has_its_own_until_its_snapshot(void **state)
{
	(void)state;
	struct vmsnap_fault_shares *shares = begun(100);
	struct watched watched = watched_new(100, 210, 0);
	forks(&watched, 120, PARENT, CHILD);
	happens(&watched, PARENT, 110, 0);
	happens(&watched, CHILD, 130, -1);
	happens(&watched, PARENT, 205, -1); /* later than the snapshot */
	come(shares, &watched);
	struct vmsnap *snaps[] = { snap_of(CHILD, 200), snap_of(PARENT, 200) };
	give(shares, VMSNAP_FAULT_SHARES_ALL, 2, snaps);
	const struct vmsnap_faults *child = vmsnap_faults_of(snaps[0]), *parent = vmsnap_faults_of(snaps[1]);
	int32_t number;
	assert_int_equal(vmsnap_faults_count(child), 1);
	assert_int_equal(vmsnap_faults_at(child, 0)->pid, CHILD);
	assert_int_equal(vmsnap_faults_info(child)->begin, 120);
	assert_int_equal(vmsnap_faults_info(child)->pid, CHILD);
	assert_int_equal(vmsnap_faults_event(child, 0)->child, CHILD);
	assert_string_equal(vmsnap_faults_code_at(child, CHILD, frames[0])->function, "set");
	assert_null(vmsnap_faults_code_at(child, PARENT, frames[0]));
	assert_null(vmsnap_faults_syscall(child, 0, &number));
	assert_int_equal(vmsnap_faults_count(parent), 1);
	assert_int_equal(vmsnap_faults_info(parent)->begin, 100);
	assert_int_equal(vmsnap_faults_info(parent)->end, 200);
	assert_int_equal(vmsnap_faults_event(parent, 0)->child, CHILD);
	assert_string_equal(vmsnap_faults_syscall(parent, 0, &number), "read");
	assert_null(vmsnap_faults_syscall(parent, 1, &number)); /* write(2) had none */
	assert_int_equal(vmsnap_fault_shares_left(shares), 1);
	drop(snaps, 2);
	struct vmsnap *next[] = { snap_of(PARENT, 300) };
	give(shares, VMSNAP_FAULT_SHARES_ALL, 1, next);
	assert_int_equal(vmsnap_faults_count(vmsnap_faults_of(next[0])), 1);
	assert_int_equal(vmsnap_faults_at(vmsnap_faults_of(next[0]), 0)->time, 205);
	assert_int_equal(vmsnap_fault_shares_left(shares), 0);
	drop(next, 1);
	vmsnap_fault_shares_free(shares);
}

static void who_has_ended_leaves_them_to_a_parent(void **state)
{
	(void)state;
	struct vmsnap_fault_shares *shares = begun(100);
	struct watched watched = watched_new(100, 210, 0);
	forks(&watched, 110, PARENT, CHILD);
	forks(&watched, 120, CHILD, SHORT);
	happens(&watched, SHORT, 130, -1);
	happens(&watched, CHILD, 140, -1);
	come(shares, &watched);
	struct vmsnap *snaps[] = { snap_of(PARENT, 200), snap_of(CHILD, 200) };
	give(shares, VMSNAP_FAULT_SHARES_ALL, 2, snaps);
	const struct vmsnap_faults *child = vmsnap_faults_of(snaps[1]);
	assert_int_equal(vmsnap_faults_count(vmsnap_faults_of(snaps[0])), 0);
	assert_int_equal(vmsnap_faults_count(child), 2);
	assert_int_equal(vmsnap_faults_at(child, 0)->pid, SHORT);
	assert_string_equal(vmsnap_faults_code_at(child, SHORT, frames[0])->function, "set");
	drop(snaps, 2);
	vmsnap_fault_shares_free(shares);
}

static void at_an_event_those_of_others_wait(void **state)
{
	(void)state;
	struct vmsnap_fault_shares *shares = begun(100);
	struct watched watched = watched_new(100, 210, 4);
	forks(&watched, 110, PARENT, CHILD);
	happens(&watched, PARENT, 120, -1);
	happens(&watched, CHILD, 130, -1);
	come(shares, &watched);
	struct vmsnap *one[] = { snap_of(CHILD, 200) };
	give(shares, 0, 1, one);
	assert_int_equal(vmsnap_faults_count(vmsnap_faults_of(one[0])), 1);
	assert_int_equal(vmsnap_faults_info(vmsnap_faults_of(one[0]))->lost, 4);
	assert_int_equal(vmsnap_fault_shares_left(shares), 1);
	drop(one, 1);
	struct watched more = watched_new(210, 310, 2);
	happens(&more, CHILD, 220, -1);
	come(shares, &more);
	struct vmsnap *both[] = { snap_of(PARENT, 300), snap_of(CHILD, 300) };
	give(shares, VMSNAP_FAULT_SHARES_ALL, 2, both);
	const struct vmsnap_faults_info *parent = vmsnap_faults_info(vmsnap_faults_of(both[0]));
	const struct vmsnap_faults_info *child = vmsnap_faults_info(vmsnap_faults_of(both[1]));
	/* Each has what was lost since its own snapshot before. */
	assert_true(parent->begin == 100 && parent->count == 1 && parent->lost == 6);
	assert_true(child->begin == 200 && child->count == 1 && child->lost == 2);
	drop(both, 2);
	vmsnap_fault_shares_free(shares);
}

static void who_was_found_later_begins_with_its_first_snapshot(void **state)
{
	(void)state;
	struct vmsnap_fault_shares *shares = begun(100);
	struct watched watched = watched_new(100, 210, 0);
	happens(&watched, OTHER, 150, -1);
	come(shares, &watched);
	struct vmsnap *snaps[] = { snap_of(PARENT, 200), snap_of(OTHER, 200) };
	give(shares, VMSNAP_FAULT_SHARES_ALL, 2, snaps);
	assert_int_equal(vmsnap_faults_count(vmsnap_faults_of(snaps[0])), 0);
	assert_null(vmsnap_faults_of(snaps[1]));
	drop(snaps, 2);
	struct watched more = watched_new(210, 310, UINT64_MAX);
	happens(&more, OTHER, 250, -1);
	come(shares, &more);
	struct vmsnap *next[] = { snap_of(OTHER, 300) };
	give(shares, VMSNAP_FAULT_SHARES_ALL, 1, next);
	assert_int_equal(vmsnap_faults_count(vmsnap_faults_of(next[0])), 1);
	assert_true(vmsnap_faults_info(vmsnap_faults_of(next[0]))->lost == UINT64_MAX);
	drop(next, 1);
	vmsnap_fault_shares_free(shares);
}

static void those_of_one_instant_are_one_again(void **state)
{
	(void)state;
	struct vmsnap_fault_shares *shares = begun(100);
	struct watched watched = watched_new(100, 210, 5);
	forks(&watched, 120, PARENT, CHILD);
	happens(&watched, PARENT, 110, 0);
	happens(&watched, CHILD, 130, -1);
	come(shares, &watched);
	struct vmsnap *snaps[] = { snap_of(PARENT, 200), snap_of(CHILD, 200) };
	give(shares, VMSNAP_FAULT_SHARES_ALL, 2, snaps);
	const struct vmsnap_faults *parts[] = { vmsnap_faults_of(snaps[0]), vmsnap_faults_of(snaps[1]) };
	struct vmsnap_faults *all;
	assert_int_equal(faults_of_processes(parts, 2, &all, NULL), VMSNAP_OK);
	assert_int_equal(vmsnap_faults_count(all), 2);
	assert_int_equal(vmsnap_faults_info(all)->lost, 5);
	assert_int_equal(vmsnap_faults_info(all)->pid, 0);
	assert_int_equal(vmsnap_faults_event(all, 0)->child, CHILD);
	assert_null(vmsnap_faults_event(all, 1)); /* both know of the fork, which was one */
	assert_string_equal(vmsnap_faults_code_at(all, CHILD, frames[0])->function, "set");
	assert_string_equal(vmsnap_faults_syscall_name(all, 0), "read");
	vmsnap_faults_unref(all);
	drop(snaps, 2);
	vmsnap_fault_shares_free(shares);
}

static struct watched memory_told(uint64_t begin, uint64_t end, uint64_t lost, unsigned flags)
{
	const struct vmsnap_memory_event given_back = { .time = end - 20, .pid = PARENT, .start = 4096, .end = 8192 };
	const struct vmsnap_faults_info info = { .begin = begin, .end = end, .lost = lost, .flags = flags };
	struct watched watched = watched_new(begin, end, lost);
	assert_int_equal(vmsnap_faults_builder_set(watched.builder, &info, NULL), VMSNAP_OK);
	assert_int_equal(vmsnap_faults_builder_add_memory_event(watched.builder, &given_back, NULL), VMSNAP_OK);
	return watched;
}

static void what_became_of_memory_is_missing_only_in_the_step_in_which_it_was_lost(void **state)
{
	(void)state;
	static const struct {
		uint64_t lost;
		unsigned flags;
	} steps[] = { { 0, VMSNAP_FAULTS_MEMORY }, { 1, 0 }, { 0, VMSNAP_FAULTS_MEMORY } };
	struct vmsnap_fault_shares *shares = begun(100);
	for (size_t i = 0; i < 3; i++) {
		uint64_t begin = 100 + i * 100;
		struct watched watched = memory_told(begin, begin + 100, steps[i].lost, steps[i].flags);
		struct vmsnap *snaps[] = { snap_of(PARENT, begin + 90) };
		come(shares, &watched);
		give(shares, VMSNAP_FAULT_SHARES_ALL, 1, snaps);
		const struct vmsnap_faults *faults = vmsnap_faults_of(snaps[0]);
		assert_int_equal(vmsnap_faults_info(faults)->flags, steps[i].flags);
		assert_int_equal(vmsnap_faults_info(faults)->lost, steps[i].lost);
		assert_int_equal(vmsnap_faults_memory_event(faults, 0)->time, begin + 80);
		assert_null(vmsnap_faults_memory_event(faults, 1));
		drop(snaps, 1);
	}
	vmsnap_fault_shares_free(shares);
}

static void who_owns_memory_is_told_what_others_do_to_it(void **state)
{
	(void)state;
	static const struct vmsnap_memory_event shared = { .time = 120,
		                                           .pid = CHILD,
		                                           .kind = VMSNAP_MEMORY_EVENT_SHARED,
		                                           .to = PARENT },
	                                        given_back = { .time = 240, .pid = CHILD, .start = 4096, .end = 8192 };
	struct vmsnap_fault_shares *shares = begun(100);
	struct watched first = watched_new(100, 200, 0), second = watched_new(200, 300, 0);
	forks(&first, 120, PARENT, CHILD);
	assert_int_equal(vmsnap_faults_builder_add_memory_event(first.builder, &shared, NULL), VMSNAP_OK);
	come(shares, &first);
	struct vmsnap *snaps[] = { snap_of(PARENT, 190), snap_of(CHILD, 190) };
	give(shares, VMSNAP_FAULT_SHARES_ALL, 2, snaps);
	drop(snaps, 2);
	assert_int_equal(vmsnap_faults_builder_add_memory_event(second.builder, &given_back, NULL), VMSNAP_OK);
	come(shares, &second);
	struct vmsnap *next[] = { snap_of(PARENT, 290), snap_of(CHILD, 290) };
	give(shares, VMSNAP_FAULT_SHARES_ALL, 2, next);
	for (size_t i = 0; i < 2; i++) {
		const struct vmsnap_memory_event *told = vmsnap_faults_memory_event(vmsnap_faults_of(next[i]), 1);
		assert_true(told && told->time == 240 && told->pid == (i ? CHILD : PARENT));
	}
	drop(next, 2);
	vmsnap_fault_shares_free(shares);
}

static void share_memory(const struct watched *watched, uint64_t time, int32_t pid, int32_t with)
{
	const struct vmsnap_memory_event event = {
		.time = time, .pid = pid, .to = (uint64_t)with, .kind = VMSNAP_MEMORY_EVENT_SHARED
	};
	assert_int_equal(vmsnap_faults_builder_add_memory_event(watched->builder, &event, NULL), VMSNAP_OK);
}

static void assert_shared_at(const struct vmsnap *snap, size_t index, uint64_t time)
{
	const struct vmsnap_memory_event *event = vmsnap_faults_memory_event(vmsnap_faults_of(snap), index);
	assert_non_null(event);
	assert_int_equal(event->kind, VMSNAP_MEMORY_EVENT_SHARED);
	assert_int_equal(event->pid, CHILD);
	assert_int_equal(event->to, PARENT);
	assert_int_equal(event->time, time);
}

/* The watch tells it once more where it begins anew, which is after the snapshot. */
static void who_has_anothers_memory_is_told_with_each_snapshot(void **state)
{
	(void)state;
	struct vmsnap_fault_shares *shares = begun(100);
	struct watched first = watched_new(100, 210, 0), second = watched_new(210, 310, 0);
	forks(&first, 120, PARENT, CHILD);
	share_memory(&first, 120, CHILD, PARENT);
	happens(&first, CHILD, 205, -1);
	come(shares, &first);
	struct vmsnap *snaps[] = { snap_of(CHILD, 200), snap_of(PARENT, 200) };
	give(shares, VMSNAP_FAULT_SHARES_ALL, 2, snaps);
	assert_shared_at(snaps[1], 0, 120);
	assert_null(vmsnap_faults_memory_event(vmsnap_faults_of(snaps[1]), 1));
	drop(snaps, 2);
	share_memory(&second, 210, CHILD, PARENT);
	come(shares, &second);
	struct vmsnap *later[] = { snap_of(CHILD, 300), snap_of(PARENT, 300) };
	give(shares, VMSNAP_FAULT_SHARES_ALL, 2, later);
	for (size_t i = 0; i < 2; i++) {
		assert_shared_at(later[i], 0, 200);
		assert_shared_at(later[i], 1, 210);
		assert_null(vmsnap_faults_memory_event(vmsnap_faults_of(later[i]), 2));
	}
	drop(later, 2);
	vmsnap_fault_shares_free(shares);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_process_has_its_own_until_its_snapshot),
		cmocka_unit_test(who_has_ended_leaves_them_to_a_parent),
		cmocka_unit_test(at_an_event_those_of_others_wait),
		cmocka_unit_test(who_was_found_later_begins_with_its_first_snapshot),
		cmocka_unit_test(those_of_one_instant_are_one_again),
		cmocka_unit_test(who_owns_memory_is_told_what_others_do_to_it),
		cmocka_unit_test(what_became_of_memory_is_missing_only_in_the_step_in_which_it_was_lost),
		cmocka_unit_test(who_has_anothers_memory_is_told_with_each_snapshot),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
