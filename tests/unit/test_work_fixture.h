/* test_work_fixture.h - snapshots out of small files that say much, with a limit of what may be made of them. */
#ifndef TEST_WORK_FIXTURE_H
#define TEST_WORK_FIXTURE_H

#include "test_file_much.h"

#include "test_sanitized.h"

enum { MIB = 1 << 20, MANY = SANITIZED ? 100 * 1000 : 500 * 1000 };

static inline struct vmsnap *load_limited(struct made *made, uint64_t memory)
{
	struct vmsnap_limits limits = { .size = sizeof(limits), .memory = memory };
	struct vmsnap_file *file;
	struct vmsnap *snap;
	struct vmsnap_error err = { 0 };
	end_made(made);
	if (vmsnap_file_open_memory(made->bytes.data, made->bytes.len, &limits, &file, &err))
		fail_msg("%s", err.message);
	if (vmsnap_file_load(file, 0, &snap, &err))
		fail_msg("%s", err.message);
	vmsnap_file_close(file);
	bytes_free(&made->bytes);
	return snap;
}

static inline struct vmsnap *with_status(const char *line, size_t count, uint64_t memory)
{
	struct made made;
	begin_made(&made);
	add_plain(&made, SECTION_SNAP, "\x01\x02\x00\x10", 4);
	add_status(&made, line, count);
	add_no_vmas(&made);
	return load_limited(&made, memory);
}

static inline struct vmsnap *with_vmas(size_t count, uint64_t memory)
{
	struct made made;
	add_start(&made);
	add_vmas(&made, count);
	return load_limited(&made, memory);
}

/* A range each in a diff with nothing. */
static inline struct vmsnap *with_runs(size_t count, uint64_t memory)
{
	enum { SECTION = 65536 };
	struct made made;
	add_start(&made);
	add_no_vmas(&made);
	for (size_t i = 0; i < count; i += SECTION)
		add_apart(&made, 16 + 2 * i, count - i < SECTION ? count - i : SECTION);
	return load_limited(&made, memory);
}

static inline int write_nothing(void *ctx, const char *text, size_t len)
{
	(void)ctx, (void)text, (void)len;
	return 0;
}

static inline int print_both(const struct vmsnap *a, const struct vmsnap *b, struct vmsnap_error *err)
{
	struct vmsnap_output out = { .size = sizeof(out), .style.size = sizeof(out.style), .write = write_nothing };
	struct vmsnap_diff *diff;
	int rc = vmsnap_diff_new(a, b, &diff, err);
	if (rc)
		return rc;
	rc = vmsnap_print_diff(diff, NULL, 0, &out, err);
	vmsnap_diff_free(diff);
	return rc;
}

static inline void assert_too_large(int rc, const struct vmsnap_error *err)
{
	assert_int_equal(rc, VMSNAP_ERR_TOO_LARGE);
	assert_int_equal(err->code, VMSNAP_ERR_TOO_LARGE);
	assert_non_null(strstr(err->message, "too large"));
}

typedef struct vmsnap *(*make_fn)(size_t count, uint64_t memory);

static inline struct vmsnap *with_lines(size_t count, uint64_t memory)
{
	return with_status("a:1\n", count, memory);
}

#endif
