/* test_file_sample.h - snapshots made by hand for the tests of the file, and a
 * comparison that fails the test at the first thing that differs. */
#ifndef TEST_FILE_SAMPLE_H
#define TEST_FILE_SAMPLE_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "annotate.h"
#include "snapshot.h"

static uint64_t sample_seed = 1;
static inline uint64_t sample_random(uint64_t below)
{
	sample_seed ^= sample_seed << 13;
	sample_seed ^= sample_seed >> 7;
	sample_seed ^= sample_seed << 17;
	return sample_seed % below;
}

#define PRESENT   ENTRY_PRESENT
#define SWAPPED   ENTRY_SWAPPED
#define FLAG(f)   ENTRY_FLAG(VMSNAP_PAGE_##f)
#define TOP(size) (UINT64_MAX - (size) + 1) /* where the highest range may end */

static inline struct vmsnap *sample_empty(uint64_t page_size, const char *label)
{
	struct vmsnap *snap = snapshot_new();
	assert_non_null(snap);
	struct vmsnap_info *info = &snap->info;
	*info = (struct vmsnap_info){
		.pid = 4711,
		.tgid = 4711,
		.ppid = 1,
		.uid = 1000,
		.ns_pid = 7,
		.pid_namespace = 4026531836,
		.start_time = 83344,
		.page_size = page_size,
		.taken = 1763633520123456789,
		.monotonic = 12345678901234,
		.pause = 345678,
		.freeze = VMSNAP_FREEZE_FULL,
		.consistent = true,
		.known = { .pfn = true, .exclusive = true, .zero = true, .huge = true },
		.boot_id = "2f3e8a10-9a54-4a0b-b7cf-0e1c6d2e5f11",
		.host = "debian",
		.kernel = "6.18.0",
		.arch = "x86_64",
		.comm = "sleep",
		.exe = "/usr/bin/sleep",
		.tool = "vmsnap 0.1.0",
		.reason = "breakpoint 2, copy () at cat.c:17",
		.faults = 1234567,
		.page_size_assumed = true,
		.swap_in_use = 0,
		.cgroup = "/system.slice/a.service",
		.unit = "",
		.container = "",
		.machine_hash = "0123456789abcdef0123456789abcdef",
		.cmdline = "sleep\0"
		           "1000",
		.cmdline_len = 11,
		.exe_build_id = (const uint8_t *)"0123456789abcdefghij",
		.exe_build_id_len = 20,
	};
	info->label = arena_string(&snap->strings, label);
	snap->status = "Name:\tsleep\nVmRSS:\t    1024 kB\nThreads:\t1\n";
	snap->status_len = strlen(snap->status);
	return snap;
}

static inline void sample_add_run(struct vmsnap *snap, uint64_t start, uint64_t pages, uint64_t entry)
{
	assert_int_equal(run_list_append(&snap->runs, snap->info.page_size, start, pages, entry), VMSNAP_OK);
}

static inline struct vmsnap_vma *sample_add_vma(struct vmsnap *snap, uint64_t start, uint64_t end, const char *name)
{
	/* Room for as many again: one by one, a sanitizer copies each time. */
	size_t count = snap->vma_count;
	if (!(count & (count - 1))) {
		snap->vmas = realloc(snap->vmas, (count ? 2 * count : 1) * sizeof(*snap->vmas));
		assert_non_null(snap->vmas);
	}
	struct vmsnap_vma *vma = &snap->vmas[snap->vma_count++];
	*vma = (struct vmsnap_vma){ .start = start, .end = end, .name = name, .perms = VMSNAP_PERM_READ };
	return vma;
}

/* A few of everything, small. */
static inline struct vmsnap *sample_small(const char *label)
{
	struct vmsnap *snap = sample_empty(4096, label);
	struct vmsnap_vma *vma = sample_add_vma(snap, 0x55550000, 0x55558000, "/usr/bin/sl\x1b[2Jeep \xff (deleted)");
	*vma = (struct vmsnap_vma){ .start = vma->start,
		                    .end = vma->end,
		                    .name = vma->name,
		                    .offset = 0x2000,
		                    .inode = 248056,
		                    .dev_major = 254,
		                    .dev_minor = 3,
		                    .deleted = true,
		                    .perms = VMSNAP_PERM_READ | VMSNAP_PERM_EXEC,
		                    .build_id = (const uint8_t *)"0123456789abcdefghij",
		                    .build_id_len = 20 };
	sample_add_vma(snap, 0x55558000, 0x5555a000, "")->perms = VMSNAP_PERM_READ | VMSNAP_PERM_WRITE;
	sample_add_vma(snap, 0xffffffffff600000, 0xffffffffff601000, "[vsyscall]")->perms = VMSNAP_PERM_EXEC;
	sample_add_run(snap, 0x55550000, 3, PRESENT | FLAG(FILE) | 0x1234);
	sample_add_run(snap, 0x55553000, 1, PRESENT | FLAG(EXCLUSIVE) | 0x9999);
	sample_add_run(snap, 0x55556000, 2, SWAPPED | 3 | 77 << SWAP_TYPE_BITS);
	sample_add_run(snap, 0x55558000, 1, FLAG(GUARD));
	sample_add_run(snap, 0x55559000, 1, FLAG(UFFD_WP));
	snap->threads = calloc(2, sizeof(*snap->threads));
	assert_non_null(snap->threads);
	snap->thread_count = 2;
	snap->threads[0] = (struct vmsnap_thread){ .tid = 4711, .stack_pointer = 0x7ffc12345678, .comm = "sleep" };
	snap->threads[1] = (struct vmsnap_thread){ .tid = 4700, .missed = true, .comm = "\n\t" };
	return snap;
}

static inline void sample_add_smaps(struct vmsnap *snap)
{
	static const char *const keys[] = { "Rss", "THPeligible", "Pss_Dirty" };
	struct smaps *smaps = &snap->smaps;
	smaps->key_count = 3;
	smaps->keys = calloc(3, sizeof(*smaps->keys));
	smaps->values = calloc(snap->vma_count * 3 + 1, sizeof(*smaps->values));
	smaps->flags = calloc(snap->vma_count + 1, sizeof(*smaps->flags));
	smaps->texts = calloc(snap->vma_count * 3 + 1, sizeof(*smaps->texts));
	assert_true(smaps->keys && smaps->values && smaps->flags && smaps->texts);
	for (size_t i = 0; i < 3; i++)
		smaps->keys[i] = keys[i];
	for (size_t v = 0; v < snap->vma_count; v++) {
		smaps->values[v * 3] = sample_random(1 << 20) * 1024;
		smaps->values[v * 3 + 1] = sample_random(2);
		smaps->values[v * 3 + 2] = v % 2 ? UINT64_MAX : 4096;
		smaps->texts[v * 3 + 2] = v % 4 == 1 ? "[anon:a name]" : v % 4 == 3 ? "" : NULL;
		smaps->flags[v] = v % 3 ? "rd wr mr mw me ac sd" : "";
	}
}

/* What a debugger may have told, out of order. */
static inline void sample_add_names(struct vmsnap *snap)
{
	const struct vmsnap_annotation names[] = {
		{ 0x7ffc12345670, 8, VMSNAP_ANNOTATION_ARGUMENT, 4711, 1, "main", "argv", "char **" },
		{ 0x7ffc12345600, 64, VMSNAP_ANNOTATION_LOCAL, 4711, 0, "copy \x1b[2J\xff", "buffer", "char [64]" },
		{ 0x55550010, 1, VMSNAP_ANNOTATION_DEBUGGER_WRITE, 0, 0, NULL, "breakpoint 2", NULL },
		{ 0x55558000, 4, VMSNAP_ANNOTATION_THREAD_LOCAL, 4700, 0, "", "errno", "int" },
		{ UINT64_MAX, 0, VMSNAP_ANNOTATION_OTHER, UINT32_MAX, UINT32_MAX, "main", "", "int" },
	};
	struct vmsnap_error err = { 0 };
	if (test_annotate(snap, names, sizeof(names) / sizeof(names[0]), &err))
		fail_msg("%s", err.message);
}

static inline void assert_same_info(const struct vmsnap_info *a, const struct vmsnap_info *b)
{
	assert_int_equal(a->pid, b->pid);
	assert_int_equal(a->tgid, b->tgid);
	assert_int_equal(a->ppid, b->ppid);
	assert_int_equal(a->uid, b->uid);
	assert_int_equal(a->ns_pid, b->ns_pid);
	assert_int_equal(a->pid_namespace, b->pid_namespace);
	assert_int_equal(a->start_time, b->start_time);
	assert_int_equal(a->page_size, b->page_size);
	assert_true(a->taken == b->taken && a->monotonic == b->monotonic);
	assert_int_equal(a->pause, b->pause);
	assert_int_equal(a->freeze, b->freeze);
	assert_int_equal(a->consistent, b->consistent);
	assert_memory_equal(&a->known, &b->known, sizeof(a->known));
	assert_string_equal(a->boot_id, b->boot_id);
	assert_string_equal(a->host, b->host);
	assert_string_equal(a->kernel, b->kernel);
	assert_string_equal(a->arch, b->arch);
	assert_string_equal(a->comm, b->comm);
	assert_string_equal(a->exe, b->exe);
	assert_string_equal(a->label, b->label);
	assert_string_equal(a->tool, b->tool);
	assert_string_equal(a->reason, b->reason);
	assert_int_equal(a->faults, b->faults);
	assert_int_equal(a->page_size_assumed, b->page_size_assumed);
	assert_int_equal(a->swap_in_use, b->swap_in_use);
	assert_string_equal(a->cgroup, b->cgroup);
	assert_string_equal(a->machine_hash, b->machine_hash);
	assert_int_equal(!a->cmdline, !b->cmdline);
	assert_int_equal(a->cmdline_len, b->cmdline_len);
	if (a->cmdline_len)
		assert_memory_equal(a->cmdline, b->cmdline, a->cmdline_len);
	assert_int_equal(a->exe_build_id_len, b->exe_build_id_len);
	if (a->exe_build_id_len)
		assert_memory_equal(a->exe_build_id, b->exe_build_id, a->exe_build_id_len);
}

static inline void assert_same_vma(const struct vmsnap_vma *a, const struct vmsnap_vma *b)
{
	assert_true(a->start == b->start && a->end == b->end && a->offset == b->offset);
	assert_true(a->inode == b->inode && a->dev_major == b->dev_major && a->dev_minor == b->dev_minor);
	assert_int_equal(a->perms, b->perms);
	assert_int_equal(a->deleted, b->deleted);
	assert_string_equal(a->name, b->name);
	assert_int_equal(a->build_id_len, b->build_id_len);
	if (a->build_id_len)
		assert_memory_equal(a->build_id, b->build_id, a->build_id_len);
}

static inline void assert_same_runs(const struct vmsnap *a, const struct vmsnap *b)
{
	struct vmsnap_run_iter ia, ib;
	struct vmsnap_run ra, rb;
	vmsnap_run_iter_init(&ia, a, 0, UINT64_MAX);
	vmsnap_run_iter_init(&ib, b, 0, UINT64_MAX);
	for (;;) {
		int end = vmsnap_run_next(&ia, &ra);
		assert_int_equal(end, vmsnap_run_next(&ib, &rb));
		if (end == VMSNAP_END)
			return;
		if (ra.start != rb.start || ra.end != rb.end || ra.pfn != rb.pfn || ra.flags != rb.flags ||
		    ra.swap_offset != rb.swap_offset || ra.swap_type != rb.swap_type)
			fail_msg("run at %#llx, not as at %#llx", (unsigned long long)ra.start,
			         (unsigned long long)rb.start);
	}
}

static inline void assert_same_name(const struct vmsnap_annotation *a, const struct vmsnap_annotation *b)
{
	assert_true(a->address == b->address && a->size == b->size);
	assert_int_equal(a->kind, b->kind);
	assert_int_equal(a->tid, b->tid);
	assert_int_equal(a->frame, b->frame);
	assert_string_equal(a->function, b->function);
	assert_string_equal(a->symbol, b->symbol);
	assert_string_equal(a->type, b->type);
}

static inline void assert_same_rest(const struct vmsnap *a, const struct vmsnap *b)
{
	assert_int_equal(a->status_len, b->status_len);
	assert_memory_equal(a->status, b->status, a->status_len);
	assert_int_equal(a->thread_count, b->thread_count);
	for (size_t i = 0; i < a->thread_count; i++) {
		assert_int_equal(a->threads[i].tid, b->threads[i].tid);
		assert_int_equal(a->threads[i].missed, b->threads[i].missed);
		assert_int_equal(a->threads[i].stack_pointer, b->threads[i].stack_pointer);
		assert_string_equal(a->threads[i].comm, b->threads[i].comm);
	}
	assert_int_equal(vmsnap_annotation_count(a), vmsnap_annotation_count(b));
	for (size_t i = 0; i < vmsnap_annotation_count(a); i++)
		assert_same_name(vmsnap_annotation(a, i), vmsnap_annotation(b, i));
	size_t keys = vmsnap_smaps_key_count(a);
	assert_int_equal(keys, vmsnap_smaps_key_count(b));
	for (size_t k = 0; k < keys; k++)
		assert_string_equal(vmsnap_smaps_key(a, k), vmsnap_smaps_key(b, k));
	for (size_t v = 0; v < a->vma_count; v++) {
		assert_string_equal(vmsnap_smaps_flags(a, v), vmsnap_smaps_flags(b, v));
		for (size_t k = 0; k < keys; k++) {
			const char *x = vmsnap_smaps_text(a, v, k), *y = vmsnap_smaps_text(b, v, k);
			assert_true(vmsnap_smaps_value(a, v, k) == vmsnap_smaps_value(b, v, k));
			assert_int_equal(!x, !y);
			if (x)
				assert_string_equal(x, y);
		}
	}
}

static inline void assert_same(const struct vmsnap *a, const struct vmsnap *b)
{
	assert_same_info(&a->info, &b->info);
	assert_int_equal(a->vma_count, b->vma_count);
	for (size_t i = 0; i < a->vma_count; i++)
		assert_same_vma(&a->vmas[i], &b->vmas[i]);
	assert_same_runs(a, b);
	assert_same_rest(a, b);
}

/* What vmsnap_write_fd() writes, in memory. */
static inline uint8_t *sample_bytes(struct vmsnap *const *snaps, size_t count, size_t *len)
{
	struct vmsnap_error err = { 0 };
	FILE *file = tmpfile();
	assert_non_null(file);
	if (vmsnap_write_fd(fileno(file), (const struct vmsnap *const *)snaps, count, &err))
		fail_msg("%s", err.message);
	*len = (size_t)lseek(fileno(file), 0, SEEK_END);
	uint8_t *bytes = malloc(*len);
	assert_non_null(bytes);
	assert_int_equal(pread(fileno(file), bytes, *len, 0), *len);
	fclose(file);
	return bytes;
}

static inline struct vmsnap *sample_load(const uint8_t *bytes, size_t len, size_t index)
{
	struct vmsnap_file *file;
	struct vmsnap *snap;
	struct vmsnap_error err = { 0 };
	if (vmsnap_file_open_memory(bytes, len, NULL, &file, &err))
		fail_msg("%s", err.message);
	if (vmsnap_file_load(file, index, &snap, &err))
		fail_msg("%s", err.message);
	vmsnap_file_close(file);
	return snap;
}

enum { CODES = 5 };
static inline bool one_of_the_five(int code)
{
	static const int codes[CODES] = { VMSNAP_ERR_NOT_SNAPSHOT, VMSNAP_ERR_NEWER, VMSNAP_ERR_CORRUPT,
		                          VMSNAP_ERR_TRUNCATED, VMSNAP_ERR_TOO_LARGE };
	for (size_t i = 0; i < CODES; i++)
		if (codes[i] == code)
			return true;
	return false;
}

/* The five errors say where. */
static inline void assert_error(int code, const struct vmsnap_error *err, uint64_t len)
{
	char offset[64];
	snprintf(offset, sizeof(offset), "at offset %llu", (unsigned long long)err->position);
	if (!one_of_the_five(code) || err->code != code || err->position > len || !strstr(err->message, offset))
		fail_msg("code %d: %s", code, err->message);
}

/* A copy in its own allocation, so that a sanitizer sees a step over its end. */
static inline uint8_t *copy_of(const uint8_t *bytes, size_t len)
{
	uint8_t *copy = malloc(len ? len : 1);
	assert_non_null(copy);
	memcpy(copy, bytes, len);
	return copy;
}

static inline int open_bytes(const uint8_t *bytes, size_t len, struct vmsnap_error *err)
{
	struct vmsnap_file *file;
	int rc = vmsnap_file_open_memory(bytes, len, NULL, &file, err);
	if (!rc)
		vmsnap_file_close(file);
	return rc;
}

#endif
