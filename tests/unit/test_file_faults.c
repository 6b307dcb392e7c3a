/* Page faults in files: what comes back, how much room they take, and copies without them. */
#include "test_file_folder.h"

#include "test_faults.h"

static struct vmsnap *with_faults(const struct vmsnap_faults *faults)
{
	struct vmsnap_builder *builder;
	struct vmsnap *made;
	assert_int_equal(vmsnap_builder_from(snap, &builder, NULL), VMSNAP_OK);
	assert_int_equal(vmsnap_builder_set_faults(builder, faults, NULL), VMSNAP_OK);
	assert_int_equal(vmsnap_builder_finish(builder, &made, NULL), VMSNAP_OK);
	vmsnap_builder_free(builder);
	return made;
}

static struct vmsnap *loaded(size_t index)
{
	struct vmsnap_file *file;
	struct vmsnap *made = NULL;
	struct vmsnap_error err = { 0 };
	if (vmsnap_file_open(path, NULL, &file, &err) || vmsnap_file_load(file, index, &made, &err))
		fail_msg("%s", err.message);
	vmsnap_file_close(file);
	return made;
}

static uint64_t saved(const struct vmsnap *const *snaps, size_t count, unsigned flags)
{
	struct stat st;
	assert_int_equal(vmsnap_save(path, snaps, count, flags, NULL), VMSNAP_OK);
	assert_int_equal(stat(path, &st), 0);
	return (uint64_t)st.st_size;
}

static void come_back(const struct vmsnap_faults *faults)
{
	struct vmsnap *made = with_faults(faults), *back;
	saved((const struct vmsnap *const[]){ made }, 1, 0);
	back = loaded(0);
	assert_same_faults(vmsnap_faults_of(back), faults);
	vmsnap_unref(back);
	vmsnap_unref(made);
}

static void what_is_saved_comes_back(void **state)
{
	(void)state;
	static const size_t counts[] = { 0, 1, 2, 3, 1000, 70000 };
	for (size_t i = 0; i < sizeof(counts) / sizeof(*counts); i++) {
		struct vmsnap_faults *faults = faults_made(counts[i]);
		come_back(faults);
		vmsnap_faults_unref(faults);
	}
	struct vmsnap *none;
	saved((const struct vmsnap *const[]){ snap }, 1, 0);
	none = loaded(0);
	assert_null(vmsnap_faults_of(none));
	vmsnap_unref(none);
}

static uint64_t any(void)
{
	uint64_t random = sample_random(UINT64_MAX);
	return random >> sample_random(64);
}

/* Of all that a fault can be, each at random; times and addresses anywhere. */
static struct vmsnap_faults *random_faults(void)
{
	struct vmsnap_faults_builder *builder;
	struct vmsnap_faults *faults;
	struct vmsnap_faults_info info = { .begin = any() / 2, .lost = sample_random(2) ? any() : UINT64_MAX };
	uint64_t frames[VMSNAP_FAULT_FRAMES_MAX];
	char name[64];
	info.end = info.begin + any() / 2;
	info.flags = (uint32_t)sample_random(32);
	assert_int_equal(vmsnap_faults_builder_new(NULL, &builder, NULL), VMSNAP_OK);
	assert_int_equal(vmsnap_faults_builder_set(builder, &info, NULL), VMSNAP_OK);
	for (uint64_t left = sample_random(400); left; left--) {
		struct vmsnap_fault fault = { .time = any(), .address = any(), .ip = any() };
		size_t count = sample_random(8) ? sample_random(6) : sample_random(VMSNAP_FAULT_FRAMES_MAX + 1);
		for (size_t i = 0; i < count; i++)
			frames[i] = sample_random(5) ? sample_random(7) : any();
		fault.ip = count && sample_random(3) ? frames[0] : fault.ip;
		fault.pid = (int32_t)sample_random(3);
		fault.tid = (int32_t)(sample_random(3) ? sample_random(4) : INT32_MAX);
		fault.syscall = (int32_t)(sample_random(4) ? -1 : (int32_t)(any() & INT32_MAX) - 2);
		fault.kind = (uint8_t)sample_random(VMSNAP_FAULT_KIND_COUNT);
		fault.flags = (uint8_t)sample_random(4);
		assert_int_equal(vmsnap_faults_builder_add(builder, &fault, frames, count, NULL), VMSNAP_OK);
	}
	uint64_t objects = sample_random(5);
	for (uint64_t left = objects; left; left--) {
		uint32_t index;
		const uint8_t id[255] = { (uint8_t)any() };
		struct vmsnap_fault_object object = { .path = left & 1 ? "/bin/x" : "",
			                              .start = any(),
			                              .offset = any() };
		object.end = object.start + sample_random(UINT64_MAX - object.start);
		object.build_id = id;
		object.build_id_len = sample_random(256);
		assert_int_equal(vmsnap_faults_builder_add_object(builder, &object, &index, NULL), VMSNAP_OK);
	}
	for (uint64_t left = sample_random(50); left; left--) {
		struct vmsnap_fault_code code = { .address = any(), .line = (uint32_t)any(), .function = name };
		snprintf(name, sizeof(name), "f%d\x1b\xff", (int)sample_random(9));
		code.pid = (uint32_t)sample_random(3);
		code.begin = sample_random(2) ? 0 : sample_random(code.address + 1);
		code.object = objects && sample_random(2) ? (uint32_t)sample_random(objects) : UINT32_MAX;
		assert_int_equal(vmsnap_faults_builder_add_code(builder, &code, NULL), VMSNAP_OK);
		assert_int_equal(vmsnap_faults_builder_add_syscall(builder, (int32_t)(any() & INT32_MAX), name, NULL),
		                 VMSNAP_OK);
		assert_int_equal(vmsnap_faults_builder_add_thread(builder, (int32_t)sample_random(4),
		                                                  (int32_t)sample_random(4), name, NULL),
		                 VMSNAP_OK);
	}
	for (uint64_t left = sample_random(3) * sample_random(50); left; left--) {
		struct vmsnap_memory_event event = { .time = any(), .start = any(), .pid = (int32_t)sample_random(3) };
		event.end = event.start + sample_random(UINT64_MAX - event.start);
		assert_int_equal(vmsnap_faults_builder_add_memory_event(builder, &event, NULL), VMSNAP_OK);
	}
	assert_int_equal(vmsnap_faults_builder_finish(builder, &faults, NULL), VMSNAP_OK);
	vmsnap_faults_builder_free(builder);
	return faults;
}

static void whatever_it_is(void **state)
{
	(void)state;
	for (int i = 0; i < 300; i++) {
		struct vmsnap_faults *faults = random_faults();
		come_back(faults);
		vmsnap_faults_unref(faults);
	}
}

/* As of a server that writes here and there: a microsecond apart, any of a gigabyte's pages, 500 stacks of 12 calls. */
static void event_takes_less_than_12_bytes(void **state)
{
	(void)state;
	enum { EVENTS = 50000, STACKS = 500, DEPTH = 12 };
	static uint64_t stacks[STACKS][DEPTH];
	struct vmsnap_faults_builder *builder;
	struct vmsnap_faults *faults;
	uint64_t time = UINT64_C(123456789012);
	for (size_t i = 0; i < STACKS; i++)
		for (size_t k = 0; k < DEPTH; k++)
			stacks[i][k] = 0x555555000000 + 16 * ((i >> (DEPTH - 1 - k)) * 31 + k);
	assert_int_equal(vmsnap_faults_builder_new(NULL, &builder, NULL), VMSNAP_OK);
	for (size_t i = 0; i < EVENTS; i++) {
		size_t which = sample_random(STACKS);
		struct vmsnap_fault fault = { .time = time += 1000 + sample_random(100000), .pid = 9, .syscall = -1 };
		fault.address = 0x7f0000000000 + sample_random(1 << 30);
		fault.tid = 9 + (int32_t)sample_random(4);
		fault.ip = stacks[which][0];
		fault.kind = (uint8_t)(2 + sample_random(2));
		assert_int_equal(vmsnap_faults_builder_add(builder, &fault, stacks[which], DEPTH, NULL), VMSNAP_OK);
	}
	assert_int_equal(vmsnap_faults_builder_finish(builder, &faults, NULL), VMSNAP_OK);
	vmsnap_faults_builder_free(builder);
	struct vmsnap *made = with_faults(faults);
	uint64_t without = saved((const struct vmsnap *const[]){ snap }, 1, 0);
	uint64_t with = saved((const struct vmsnap *const[]){ made }, 1, 0);
	print_message("%.2f bytes an event\n", (double)(with - without) / EVENTS);
	assert_true(with - without < UINT64_C(12) * EVENTS);
	struct vmsnap *back = loaded(0);
	assert_same_faults(vmsnap_faults_of(back), faults);
	vmsnap_unref(back);
	vmsnap_unref(made);
	vmsnap_faults_unref(faults);
}

static void differences_have_their_own(void **state)
{
	(void)state;
	struct vmsnap_faults *few = faults_made(10), *many = faults_made(500);
	struct vmsnap *first = with_faults(few), *second = with_faults(many);
	const struct vmsnap *const all[] = { snap, first, second, snap, second };
	const struct vmsnap_faults *const expected[] = { NULL, few, many, NULL, many };
	saved(all, 5, VMSNAP_SAVE_DELTA);
	for (size_t i = 0; i < 5; i++) {
		struct vmsnap *back = loaded(i);
		if (expected[i])
			assert_same_faults(vmsnap_faults_of(back), expected[i]);
		else
			assert_null(vmsnap_faults_of(back));
		vmsnap_unref(back);
	}
	vmsnap_unref(first);
	vmsnap_unref(second);
	vmsnap_faults_unref(few);
	vmsnap_faults_unref(many);
}

static const struct vmsnap_faults *copied(unsigned strip, struct vmsnap **out)
{
	char from[sizeof(path) + 8];
	struct vmsnap_file *file;
	snprintf(from, sizeof(from), "%s.from", path);
	assert_int_equal(rename(path, from), 0);
	assert_int_equal(vmsnap_file_open(from, NULL, &file, NULL), VMSNAP_OK);
	const struct vmsnap_copy_source source = { file, 0, 1 };
	const struct vmsnap_copy_options options = { .size = sizeof(options), .strip = strip };
	assert_int_equal(vmsnap_copy(path, &source, 1, &options, NULL, NULL), VMSNAP_OK);
	vmsnap_file_close(file);
	*out = loaded(0);
	assert_int_equal(rename(from, path), 0);
	return vmsnap_faults_of(*out);
}

static void copies_have_them_unless_they_are_taken_away(void **state)
{
	(void)state;
	struct vmsnap_faults *faults = faults_made(100);
	struct vmsnap *made = with_faults(faults), *back;
	saved((const struct vmsnap *const[]){ made }, 1, 0);
	assert_same_faults(copied(0, &back), faults);
	vmsnap_unref(back);
	assert_same_faults(copied(VMSNAP_STRIP_PFNS | VMSNAP_STRIP_CMDLINE | VMSNAP_STRIP_HOST, &back), faults);
	vmsnap_unref(back);
	const struct vmsnap_faults *nameless = copied(VMSNAP_STRIP_NAMES, &back);
	assert_int_equal(vmsnap_faults_count(nameless), 100);
	assert_null(vmsnap_faults_code(nameless, 0));
	vmsnap_unref(back);
	assert_null(copied(VMSNAP_STRIP_FAULTS, &back));
	vmsnap_unref(back);
	vmsnap_unref(made);
	vmsnap_faults_unref(faults);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_is_saved_comes_back, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(whatever_it_is, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(event_takes_less_than_12_bytes, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(differences_have_their_own, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(copies_have_them_unless_they_are_taken_away, make_folder,
		                                remove_folder),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
