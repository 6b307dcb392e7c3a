/* Page faults as tests make them: a few calls of functions whose names say who they are. */
#ifndef TEST_FAULTS_H
#define TEST_FAULTS_H

#include <string.h>

enum { MADE_STACKS = 3 };

/* read(2) into a buffer, with nobody's call chain known; set() below main(); get() below set(). */
static inline struct vmsnap_faults *faults_made(size_t count)
{
	static const uint64_t stacks[MADE_STACKS][3] = { { 0 },
		                                         { 0x401010, 0x401100 },
		                                         { 0x401020, 0x401010, 0x401100 } };
	static const size_t lengths[MADE_STACKS] = { 0, 2, 3 };
	static const uint8_t id[] = { 1, 2, 3, 4 };
	struct vmsnap_faults_builder *builder = NULL;
	struct vmsnap_faults *faults = NULL;
	struct vmsnap_faults_info info = { .begin = 1000, .end = 5000000, .lost = 3, .pid = 7 };
	info.flags = VMSNAP_FAULTS_KINDS | VMSNAP_FAULTS_KERNEL | VMSNAP_FAULTS_MEMORY;
	struct vmsnap_fault_object object = { .path = "/bin/made", .build_id = id, .build_id_len = sizeof(id) };
	object.start = 0x401000;
	object.end = 0x402000;
	object.offset = 0x1000;
	uint32_t index = 99;
	assert_int_equal(vmsnap_faults_builder_new(NULL, &builder, NULL), VMSNAP_OK);
	assert_int_equal(vmsnap_faults_builder_set(builder, &info, NULL), VMSNAP_OK);
	assert_int_equal(vmsnap_faults_builder_add_object(builder, &object, &index, NULL), VMSNAP_OK);
	assert_int_equal(index, 0);
	for (size_t i = count; i-- > 0;) {
		size_t which = i % MADE_STACKS;
		struct vmsnap_fault fault = { .time = 1000 + i * 100, .pid = 7, .tid = 7 + (int)(i % 2) };
		fault.address = 0x7f0000000000 + (i * 7919 % count) * 4096 + i % 4096;
		fault.ip = which ? stacks[which][0] : 0x401099;
		fault.syscall = which ? -1 : 0;
		fault.kind = (uint8_t)(i % 2 ? VMSNAP_FAULT_WRITE_PROTECTED : VMSNAP_FAULT_WRITE_NEW);
		assert_int_equal(vmsnap_faults_builder_add(builder, &fault, stacks[which], lengths[which], NULL),
		                 VMSNAP_OK);
	}
	static const struct vmsnap_fault_code code[] = {
		{ .address = 0x401100, .begin = 0x4010f0, .function = "main", .file = "made.c", .line = 30 },
		{ .address = 0x401010, .begin = 0x401000, .function = "set", .file = "made.c", .line = 10 },
		{ .address = 0x401020, .begin = 0x401020, .function = "get", .file = "made.c", .line = 20 },
		{ .address = 0x401020, .pid = 8, .function = "other", .object = UINT32_MAX },
		{ .address = 0x401099, .begin = 0x401090, .function = "set;\n", .file = "" },
	};
	for (size_t i = 0; i < sizeof(code) / sizeof(*code); i++)
		assert_int_equal(vmsnap_faults_builder_add_code(builder, &code[i], NULL), VMSNAP_OK);
	assert_int_equal(vmsnap_faults_builder_add_thread(builder, 7, 8, "worker", NULL), VMSNAP_OK);
	assert_int_equal(vmsnap_faults_builder_add_thread(builder, 7, 7, "made", NULL), VMSNAP_OK);
	assert_int_equal(vmsnap_faults_builder_add_syscall(builder, 0, "read", NULL), VMSNAP_OK);
	const struct vmsnap_fault_event exec = { .time = 2000, .pid = 9, .child = 5, .kind = VMSNAP_FAULT_EVENT_EXEC };
	const struct vmsnap_fault_event fork = { .time = 1999, .pid = 7, .child = 9 };
	assert_int_equal(vmsnap_faults_builder_add_event(builder, &exec, NULL), VMSNAP_OK);
	assert_int_equal(vmsnap_faults_builder_add_event(builder, &fork, NULL), VMSNAP_OK);
	static const struct vmsnap_memory_event memory[] = {
		{ .time = 2100,
		  .pid = 7,
		  .kind = VMSNAP_MEMORY_EVENT_MOVED,
		  .start = 0x7f0000000000,
		  .end = 0x7f0000001000,
		  .to = 0x7f0000100000 },
		{ .time = 1000,
		  .pid = 7,
		  .kind = VMSNAP_MEMORY_EVENT_GIVEN_BACK,
		  .start = 0x7f0000002000,
		  .end = UINT64_MAX },
		{ .time = 1999, .pid = 9, .kind = VMSNAP_MEMORY_EVENT_SHARED, .to = 7 },
	};
	for (size_t i = 0; i < sizeof(memory) / sizeof(*memory); i++)
		assert_int_equal(vmsnap_faults_builder_add_memory_event(builder, &memory[i], NULL), VMSNAP_OK);
	assert_int_equal(vmsnap_faults_builder_finish(builder, &faults, NULL), VMSNAP_OK);
	vmsnap_faults_builder_free(builder);
	return faults;
}

/* That two have the same in them. */
static inline void assert_same_faults(const struct vmsnap_faults *a, const struct vmsnap_faults *b)
{
	assert_non_null(a);
	assert_non_null(b);
	const struct vmsnap_faults_info *left = vmsnap_faults_info(a), *right = vmsnap_faults_info(b);
	assert_true(left->begin == right->begin && left->end == right->end && left->lost == right->lost);
	assert_true(left->flags == right->flags && left->pid == right->pid && left->count == right->count);
	for (size_t i = 0; i < vmsnap_faults_count(a); i++) {
		struct vmsnap_fault one = *vmsnap_faults_at(a, i), other = *vmsnap_faults_at(b, i);
		size_t count, others;
		const uint64_t *frames = vmsnap_faults_stack(a, one.stack, &count);
		const uint64_t *second = vmsnap_faults_stack(b, other.stack, &others);
		assert_int_equal(count, others);
		if (count)
			assert_memory_equal(frames, second, count * sizeof(*frames));
		one.stack = other.stack = 0;
		assert_memory_equal(&one, &other, sizeof(one));
	}
	for (size_t i = 0; vmsnap_faults_code(a, i) || vmsnap_faults_code(b, i); i++) {
		const struct vmsnap_fault_code *one = vmsnap_faults_code(a, i), *other = vmsnap_faults_code(b, i);
		assert_true(one && other && one->address == other->address && one->pid == other->pid);
		assert_true(one->line == other->line && one->begin == other->begin && one->object == other->object);
		assert_string_equal(one->function, other->function);
		assert_string_equal(one->file, other->file);
	}
	for (size_t i = 0; vmsnap_faults_object(a, i) || vmsnap_faults_object(b, i); i++) {
		const struct vmsnap_fault_object *one = vmsnap_faults_object(a, i), *other = vmsnap_faults_object(b, i);
		assert_true(one && other && one->start == other->start && one->end == other->end);
		assert_true(one->offset == other->offset && one->build_id_len == other->build_id_len);
		assert_string_equal(one->path, other->path);
		if (one->build_id_len)
			assert_memory_equal(one->build_id, other->build_id, one->build_id_len);
	}
	for (size_t i = 0; vmsnap_faults_thread(a, i) || vmsnap_faults_thread(b, i); i++) {
		const struct vmsnap_fault_thread *one = vmsnap_faults_thread(a, i), *other = vmsnap_faults_thread(b, i);
		assert_true(one && other && one->pid == other->pid && one->tid == other->tid);
		assert_string_equal(one->comm, other->comm);
	}
	for (size_t i = 0; vmsnap_faults_event(a, i) || vmsnap_faults_event(b, i); i++) {
		const struct vmsnap_fault_event *one = vmsnap_faults_event(a, i), *other = vmsnap_faults_event(b, i);
		assert_true(one && other && one->time == other->time && one->pid == other->pid);
		assert_true(one->child == other->child && one->kind == other->kind);
	}
	for (size_t i = 0; vmsnap_faults_memory_event(a, i) || vmsnap_faults_memory_event(b, i); i++) {
		assert_true(vmsnap_faults_memory_event(a, i) && vmsnap_faults_memory_event(b, i));
		assert_memory_equal(vmsnap_faults_memory_event(a, i), vmsnap_faults_memory_event(b, i),
		                    sizeof(struct vmsnap_memory_event));
	}
	int32_t number, other;
	for (size_t i = 0; vmsnap_faults_syscall(a, i, &number) || vmsnap_faults_syscall(b, i, &other); i++) {
		assert_string_equal(vmsnap_faults_syscall(a, i, &number), vmsnap_faults_syscall(b, i, &other));
		assert_int_equal(number, other);
	}
}

#endif
