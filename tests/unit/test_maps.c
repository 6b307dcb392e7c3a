/* The text of maps, smaps, status and stat. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "maps.h"
#include "procdir.h"

static const struct {
	const char *line;
	struct vmsnap_vma vma;
} good_lines[] = {
	{ "55f2ce806000-55f2ce835000 r--p 00002000 fe:01 247101                     /usr/bin/bash",
	  { .start = 0x55f2ce806000,
	    .end = 0x55f2ce835000,
	    .offset = 0x2000,
	    .inode = 247101,
	    .dev_major = 0xfe,
	    .dev_minor = 1,
	    .perms = VMSNAP_PERM_READ,
	    .name = "/usr/bin/bash" } },
	{ "00400000-00401000 r-xs 00000000 00:00 0 ",
	  { .start = 0x400000,
	    .end = 0x401000,
	    .perms = VMSNAP_PERM_READ | VMSNAP_PERM_EXEC | VMSNAP_PERM_SHARED,
	    .name = "" } },
	{ "00400000-00401000 -w-p 00000000 00:00 0",
	  { .start = 0x400000, .end = 0x401000, .perms = VMSNAP_PERM_WRITE, .name = "" } },
	{ "ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0                  [vsyscall]",
	  { .start = 0xffffffffff600000, .end = 0xffffffffff601000, .perms = VMSNAP_PERM_EXEC, .name = "[vsyscall]" } },
	{ "7f0000000000-7f0000001000 rw-s 00000000 00:01 5                    /memfd:a b (deleted)",
	  { .start = 0x7f0000000000,
	    .end = 0x7f0000001000,
	    .inode = 5,
	    .dev_minor = 1,
	    .deleted = true,
	    .perms = VMSNAP_PERM_READ | VMSNAP_PERM_WRITE | VMSNAP_PERM_SHARED,
	    .name = "/memfd:a b (deleted)" } },
	{ "7f0000000000-7f0000001000 rw-s 00000000 00:01 0                          /SYSV00000000 (deleted)",
	  { .start = 0x7f0000000000,
	    .end = 0x7f0000001000,
	    .dev_minor = 1,
	    .deleted = true,
	    .perms = VMSNAP_PERM_READ | VMSNAP_PERM_WRITE | VMSNAP_PERM_SHARED,
	    .name = "/SYSV00000000 (deleted)" } },
	{ "1000-2000 ---p 00000000 00:00 0 [anon:a]b (deleted)",
	  { .start = 0x1000, .end = 0x2000, .name = "[anon:a]b (deleted)" } },
	{ "1000-2000 ---p 00000000 00:01 9 /a\\012b\\013\\c\x1b[2J\xff ",
	  { .start = 0x1000, .end = 0x2000, .dev_minor = 1, .inode = 9, .name = "/a\nb\\013\\c\x1b[2J\xff " } },
	{ "1000-2000 ---p 00000000 00:01 18446744073709551615 /x",
	  { .start = 0x1000, .end = 0x2000, .dev_minor = 1, .inode = UINT64_MAX, .name = "/x" } },
};

static void maps_line_gives_every_field(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(good_lines) / sizeof(good_lines[0]); i++) {
		const struct vmsnap_vma *want = &good_lines[i].vma;
		struct arena strings = { 0 };
		struct vmsnap_vma got;
		struct vmsnap_error err = { 0 };
		int rc = maps_parse_line(good_lines[i].line, strlen(good_lines[i].line), 7, 4096, &strings, &got, &err);
		if (rc)
			fail_msg("line %zu: %s", i, err.message);
		assert_int_equal(got.start, want->start);
		assert_int_equal(got.end, want->end);
		assert_int_equal(got.offset, want->offset);
		assert_int_equal(got.inode, want->inode);
		assert_int_equal(got.dev_major, want->dev_major);
		assert_int_equal(got.dev_minor, want->dev_minor);
		assert_int_equal(got.perms, want->perms);
		assert_int_equal(got.deleted, want->deleted);
		assert_string_equal(got.name, want->name);
		arena_free(&strings);
	}
}

static void maps_line_with_an_error_says_where_and_what(void **state)
{
	(void)state;
	static const struct {
		const char *line, *message;
	} bad[] = {
		{ "", "START-END" },
		{ "x", "START-END" },
		{ "1000", "START-END" },
		{ "1000-", "START-END" },
		{ "2000-1000 ---p 0 00:00 0", "START-END" },
		{ "10000000000000000-20000000000000000 ---p 0 00:00 0", "START-END" },
		{ "1000-2000 r-", "permissions" },
		{ "1000-2000 wr-p 0 00:00 0", "permissions" },
		{ "1000-2000 rwxx 0 00:00 0", "permissions" },
		{ "1000-2000 rwxp z 00:00 0", "offset" },
		{ "1000-2000 rwxp 0 00-00 0", "MAJOR:MINOR" },
		{ "1000-2000 rwxp 0 100000000:0 0", "MAJOR:MINOR" },
		{ "1000-2000 rwxp 0 0:0 x", "inode" },
		{ "1000-2000 rwxp 0 0:0 18446744073709551616", "inode" },
		{ "1000-2001 rwxp 0 0:0 0", "page size" },
		{ "1000-2000 rwxp 1 0:0 0", "page size" },
	};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct arena strings = { 0 };
		struct vmsnap_vma got;
		struct vmsnap_error err = { 0 };
		int rc = maps_parse_line(bad[i].line, strlen(bad[i].line), 42, 4096, &strings, &got, &err);
		if (rc != VMSNAP_ERR_PROC || !strstr(err.message, bad[i].message) || !strstr(err.message, "line 42"))
			fail_msg("line \"%s\": rc %d, %s", bad[i].line, rc, err.message);
		assert_int_equal(err.position, 42);
		arena_free(&strings);
	}
}

static void maps_every_truncation_parses_or_fails_cleanly(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(good_lines) / sizeof(good_lines[0]); i++) {
		for (size_t len = 0; len <= strlen(good_lines[i].line); len++) {
			/* A copy of just that length: a read beyond it is seen by the sanitizer. */
			char *line = test_malloc(len + 1);
			memcpy(line, good_lines[i].line, len);
			struct vmsnap *snap = snapshot_new();
			snap->info.page_size = 4096;
			int rc = maps_parse(line, len, snap, NULL);
			assert_true(rc == VMSNAP_OK || rc == VMSNAP_ERR_PROC);
			vmsnap_unref(snap);
			test_free(line);
		}
	}
}

/* Without a freeze one that grew meanwhile is told twice. */
static void maps_cut_where_they_overlap_take_their_offset_along(void **state)
{
	(void)state;
	static const char text[] = "10000-13000 r--p 00000000 08:01 77 /lib/x.so\n"
	                           "11000-16000 r--p 00001000 08:01 77 /lib/x.so\n"
	                           "20000-23000 rw-p 00000000 00:00 0 \n"
	                           "21000-26000 rw-p 00000000 00:00 0 \n";
	struct vmsnap *snap = snapshot_new();
	assert_non_null(snap);
	snap->info.page_size = 4096;
	assert_int_equal(maps_parse(text, sizeof(text) - 1, snap, NULL), VMSNAP_OK);
	assert_int_equal(snap->vma_count, 4);
	assert_int_equal(snap->vmas[1].start, 0x13000);
	assert_int_equal(snap->vmas[1].offset, 0x3000);
	assert_int_equal(snap->vmas[3].start, 0x23000);
	assert_int_equal(snap->vmas[3].offset, 0);
	vmsnap_unref(snap);
}

static void maps_ranges_joins_near_mappings_only(void **state)
{
	(void)state;
	static const char text[] = "1000-2000 r--p 0 0:0 0 \n3000-4000 r--p 0 0:0 0 /x\n"
	                           "105000-106000 r--p 0 0:0 0 \n300000-400000 r--p 0 0:0 0 \n";
	struct address_range *ranges;
	size_t count;
	assert_int_equal(maps_ranges(text, strlen(text), 0x101000, &ranges, &count, NULL), VMSNAP_OK);
	assert_int_equal(count, 2);
	assert_int_equal(ranges[0].start, 0x1000);
	assert_int_equal(ranges[0].end, 0x106000);
	assert_int_equal(ranges[1].start, 0x300000);
	assert_int_equal(ranges[1].end, 0x400000);
	free(ranges);
}

static void smaps_gives_vmas_values_and_flags(void **state)
{
	(void)state;
	static const char text[] =
	        "1000-2000 r--p 00000000 00:01 9 /a\n"
	        "Rss:                   4 kB\nTHPeligible:           0\nVmFlags: rd mr \n"
	        "2000-3000 rw-p 00000000 00:00 0 \n"
	        "Rss:                   8 kB\nTHPeligible:           1\nOnlyHere:   3 kB\nVmFlags: rd wr\n";
	struct vmsnap *snap = snapshot_new();
	struct vmsnap_error err = { 0 };
	snap->info.page_size = 4096;
	int rc = smaps_parse(text, strlen(text), snap, &err);
	if (rc)
		fail_msg("%s", err.message);
	assert_int_equal(vmsnap_vma_count(snap), 2);
	assert_int_equal(vmsnap_smaps_key_count(snap), 3);
	assert_string_equal(vmsnap_smaps_key(snap, 2), "OnlyHere");
	assert_int_equal(vmsnap_smaps_value(snap, 0, 0), 4096);
	assert_int_equal(vmsnap_smaps_value(snap, 1, 0), 8192);
	assert_int_equal(vmsnap_smaps_value(snap, 1, 1), 1);
	assert_true(vmsnap_smaps_value(snap, 0, 2) == UINT64_MAX);
	assert_int_equal(vmsnap_smaps_value(snap, 1, 2), 3 * 1024);
	assert_true(vmsnap_smaps_value(snap, 2, 0) == UINT64_MAX);
	assert_true(vmsnap_smaps_value(snap, 0, 3) == UINT64_MAX);
	assert_string_equal(vmsnap_smaps_flags(snap, 0), "rd mr");
	assert_string_equal(vmsnap_smaps_flags(snap, 1), "rd wr");
	assert_string_equal(vmsnap_smaps_flags(snap, 2), "");
	vmsnap_unref(snap);
}

static struct vmsnap *smaps_of(const char *text)
{
	struct vmsnap *snap = snapshot_new();
	struct vmsnap_error err = { 0 };
	assert_non_null(snap);
	snap->info.page_size = 4096;
	if (smaps_parse(text, strlen(text), snap, &err))
		fail_msg("%s", err.message);
	return snap;
}

static void expect_text(const struct vmsnap *snap, size_t vma, const char *key, const char *text)
{
	size_t k = 0;
	while (k < vmsnap_smaps_key_count(snap) && strcmp(vmsnap_smaps_key(snap, k), key) != 0)
		k++;
	const char *found = vmsnap_smaps_text(snap, vma, k);
	if (!found || strcmp(found, text) != 0)
		fail_msg("%s: \"%s\", expected \"%s\"", key, found ? found : "(none)", text);
	assert_true(vmsnap_smaps_value(snap, vma, k) == UINT64_MAX);
}

static void smaps_lines_without_a_number_are_kept_as_text(void **state)
{
	(void)state;
	/* The first as kernels of Android write them; the others are not known yet. */
	struct vmsnap *snap = smaps_of("1000-2000 rw-p 0 0:0 0 [anon:x]\n"
	                               "Name:           [anon:dalvik-main space (region space)]\n"
	                               "Rss: 4 kB\nTHPeligible:\nFoo: four kB\nBar: 3/5\nno colon \ndirty: 1 kB\n"
	                               "Wide: 99999999999999999999 kB\nMost: 18446744073709551615\n: nameless\n\n"
	                               "VmFlags:\n"
	                               "3000-4000 rw-p 0 0:0 0 \nTHPeligible: 1\nRss: 8 kB\nVmFlags: rd  \n");
	assert_int_equal(vmsnap_vma_count(snap), 2);
	expect_text(snap, 0, "Name", "[anon:dalvik-main space (region space)]");
	expect_text(snap, 0, "THPeligible", "");
	expect_text(snap, 0, "Foo", "four kB");
	expect_text(snap, 0, "Bar", "3/5");
	expect_text(snap, 0, "no colon ", "");
	expect_text(snap, 0, "Wide", "99999999999999999999 kB");
	expect_text(snap, 0, "Most", "18446744073709551615");
	expect_text(snap, 0, ": nameless", "");
	assert_string_equal(vmsnap_smaps_key(snap, 1), "Rss");
	assert_int_equal(vmsnap_smaps_value(snap, 0, 1), 4096);
	assert_null(vmsnap_smaps_text(snap, 0, 1));
	assert_int_equal(vmsnap_smaps_value(snap, 1, 1), 8192);
	assert_string_equal(vmsnap_smaps_key(snap, 2), "THPeligible");
	assert_int_equal(vmsnap_smaps_value(snap, 1, 2), 1);
	assert_null(vmsnap_smaps_text(snap, 1, 2));
	assert_string_equal(vmsnap_smaps_key(snap, 6), "dirty");
	assert_int_equal(vmsnap_smaps_value(snap, 0, 6), 1024);
	assert_string_equal(vmsnap_smaps_flags(snap, 0), "");
	assert_string_equal(vmsnap_smaps_flags(snap, 1), "rd");
	vmsnap_unref(snap);
}

/* Text that comes late, when there are more mappings than there was room for. */
static void smaps_text_of_many_mappings_stays_in_its_place(void **state)
{
	(void)state;
	enum { COUNT = 300, ROOM = 64 };
	char *text = test_malloc((size_t)COUNT * ROOM), *at = text;
	for (int i = 0; i < COUNT; i++)
		at += snprintf(at, ROOM,
		               i % 7 == 3 ? "%x000-%x000 rw-p 0 0:0 0\nA: 4 kB\nB: t%d\n"
		                          : "%x000-%x000 rw-p 0 0:0 0\nA: 4 kB\nB: %d kB\n",
		               (unsigned)i + 1, (unsigned)i + 2, i);
	struct vmsnap *snap = smaps_of(text);
	assert_int_equal(vmsnap_vma_count(snap), COUNT);
	for (int i = 0; i < COUNT; i++) {
		char expected[16];
		snprintf(expected, sizeof(expected), "t%d", i);
		if (i % 7 == 3)
			expect_text(snap, (size_t)i, "B", expected);
		else
			assert_int_equal(vmsnap_smaps_value(snap, (size_t)i, 1), (uint64_t)i * 1024);
	}
	vmsnap_unref(snap);
	test_free(text);
}

static void smaps_with_more_keys_than_any_kernel_writes_is_read_without_them(void **state)
{
	(void)state;
	char text[4096] = "1000-2000 r--p 0 0:1 9 /a\n";
	for (int i = 0; i < 200; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "Key%d: %d\n", i, i);
	struct vmsnap *snap = smaps_of(text);
	assert_int_equal(vmsnap_smaps_key_count(snap), 128);
	assert_int_equal(vmsnap_smaps_value(snap, 0, 127), 127);
	vmsnap_unref(snap);
}

static void smaps_mapping_that_is_malformed_is_an_error(void **state)
{
	(void)state;
	static const char text[] = "1000-2000 r--p 0 0:1 9 /a\nRss: 4 kB\n2000-3000 r--x 0 0:1 9 /b\n";
	struct vmsnap *snap = snapshot_new();
	struct vmsnap_error err = { 0 };
	snap->info.page_size = 4096;
	assert_int_equal(smaps_parse(text, strlen(text), snap, &err), VMSNAP_ERR_PROC);
	assert_int_equal(err.position, 3);
	vmsnap_unref(snap);
}

/* Whatever a line begins with, and whatever is in it: it is no mapping without two addresses. */
static void smaps_lines_that_begin_as_addresses_do_are_kept_as_text(void **state)
{
	(void)state;
	struct vmsnap *snap = smaps_of("1000-2000 rw-p 0 0:0 0 \nRss: 4 kB\nfancy new: 3\n2000 r--p\nab-cd: 5 kB\n"
	                               "dead-beefy x\n10 - 20 y: z\n"
	                               "3000-4000 rw-p 0 0:0 0 \nRss: 8 kB\n");
	assert_int_equal(vmsnap_vma_count(snap), 2);
	assert_int_equal(vmsnap_smaps_value(snap, 0, 0), 4096);
	assert_string_equal(vmsnap_smaps_key(snap, 1), "fancy new");
	assert_int_equal(vmsnap_smaps_value(snap, 0, 1), 3);
	expect_text(snap, 0, "2000 r--p", "");
	assert_string_equal(vmsnap_smaps_key(snap, 3), "ab-cd");
	assert_int_equal(vmsnap_smaps_value(snap, 0, 3), 5120);
	expect_text(snap, 0, "dead-beefy x", "");
	expect_text(snap, 0, "10 - 20 y", "z");
	assert_int_equal(vmsnap_smaps_value(snap, 1, 0), 8192);
	vmsnap_unref(snap);
}

/* A table of all keys for each mapping would be a hundred times the text. */
static void smaps_of_many_keys_and_mappings_without_them_is_an_error(void **state)
{
	enum { KEYS = 128, MAPPINGS = 100000, LINE = 32 };
	struct vmsnap *snap = snapshot_new();
	struct vmsnap_error err = { 0 };
	char *text = malloc((KEYS + MAPPINGS) * LINE), *at = text;
	(void)state;
	assert_non_null(text);
	for (int i = 0; i < MAPPINGS; i++) {
		at += sprintf(at, "%x000-%x000 r--p 0 0:0 0\n", 2 * i + 1, 2 * i + 2);
		for (int key = 0; !i && key < KEYS; key++)
			at += sprintf(at, "K%d:1\n", key);
	}
	snap->info.page_size = 4096;
	assert_int_equal(smaps_parse(text, (size_t)(at - text), snap, &err), VMSNAP_ERR_PROC);
	assert_string_equal(err.message, "smaps has mappings without the lines that others have");
	free(text);
	vmsnap_unref(snap);
}

/* Linux 2.6 told of them.  What smaps says of one is not said of its neighbour. */
static void mapping_of_no_bytes_is_left_out(void **state)
{
	(void)state;
	static const char text[] =
	        "41a02000-41a05000 ---p 00000000 00:00 0 \n41a05000-41a05000 rwxp 00000000 00:00 0 \n"
	        "7ffe00000000-7ffe00001000 rw-p 00000000 00:00 0                  [stack]\n";
	struct address_range *ranges;
	size_t count;
	struct vmsnap *snap = snapshot_new();
	assert_non_null(snap);
	snap->info.page_size = 4096;
	assert_int_equal(maps_parse(text, strlen(text), snap, NULL), VMSNAP_OK);
	assert_int_equal(snap->vma_count, 2);
	assert_int_equal(snap->vmas[1].start, 0x7ffe00000000);
	vmsnap_unref(snap);
	assert_int_equal(maps_ranges(text, strlen(text), 0, &ranges, &count, NULL), VMSNAP_OK);
	assert_int_equal(count, 2);
	free(ranges);
	snap = smaps_of("1000-2000 rw-p 0 0:0 0\nRss: 4 kB\n2000-2000 rw-p 0 0:0 0\nRss: 0 kB\n"
	                "2000-3000 rw-p 0 0:0 0\nRss: 8 kB\n");
	assert_int_equal(vmsnap_vma_count(snap), 2);
	assert_int_equal(vmsnap_smaps_value(snap, 0, 0), 4096);
	assert_int_equal(vmsnap_smaps_value(snap, 1, 0), 8192);
	vmsnap_unref(snap);
}

static void status_fields_are_sizes_numbers_or_text(void **state)
{
	(void)state;
	static const char text[] = "Name:\ta:b\nno colon\nVmRSS:\t    1788 kB\nThreads:\t12\nUid:\t1\t2\t3\t4\nEmpty:\n"
	                           "Huge:\t99999999999999999999 kB\nState:\tS (sleeping)";
	struct vmsnap *snap = snapshot_new();
	struct vmsnap_status_field f;
	snap->status = text;
	snap->status_len = strlen(text);
	assert_int_equal(vmsnap_status_count(snap), 7);
	assert_int_equal(vmsnap_status_find(snap, "VmRSS", &f), VMSNAP_OK);
	assert_true(f.is_size && !f.is_number);
	assert_int_equal(f.number, 1788 * 1024);
	assert_int_equal(vmsnap_status_find(snap, "Threads", &f), VMSNAP_OK);
	assert_true(f.is_number && !f.is_size);
	assert_int_equal(f.number, 12);
	assert_int_equal(vmsnap_status_find(snap, "Uid", &f), VMSNAP_OK);
	assert_true(!f.is_number && !f.is_size);
	assert_int_equal(f.text_len, strlen("1\t2\t3\t4"));
	assert_int_equal(vmsnap_status_find(snap, "Name", &f), VMSNAP_OK);
	assert_memory_equal(f.text, "a:b", 3);
	assert_int_equal(vmsnap_status_find(snap, "Empty", &f), VMSNAP_OK);
	assert_int_equal(f.text_len, 0);
	assert_int_equal(vmsnap_status_find(snap, "Huge", &f), VMSNAP_OK);
	assert_true(!f.is_size && !f.is_number);
	assert_int_equal(vmsnap_status_field(snap, 6, &f), VMSNAP_OK);
	assert_memory_equal(f.key, "State", 5);
	assert_int_equal(vmsnap_status_field(snap, 7, &f), VMSNAP_ERR_NOT_FOUND);
	assert_int_equal(vmsnap_status_find(snap, "VmRS", &f), VMSNAP_ERR_NOT_FOUND);
	vmsnap_unref(snap);
}

static void stat_is_read_after_the_last_parenthesis(void **state)
{
	(void)state;
	static const char text[] =
	        "12 (a) R 1 (b) S 77 1 1 0 -1 2097152 0 0 0 0 0 0 0 0 20 0 1 0 4711 1000 42 0 1 2 3 4 5 6 7 "
	        "8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 4096 8192 23 24 0\n";
	struct proc_stat stat;
	assert_int_equal(proc_stat_parse(text, strlen(text), &stat), VMSNAP_OK);
	assert_int_equal(stat.state, 'S');
	assert_int_equal(stat.ppid, 77);
	assert_true(stat.kernel_thread);
	assert_int_equal(stat.threads, 1);
	assert_int_equal(stat.start_time, 4711);
	assert_int_equal(stat.resident, 42);
	assert_int_equal(stat.arg_start, 4096);
	assert_int_equal(stat.arg_end, 8192);
	assert_int_equal(proc_stat_parse("12 (a", 5, &stat), VMSNAP_ERR_PROC);
	assert_int_equal(proc_stat_parse("12 (a) S 1", 10, &stat), VMSNAP_ERR_PROC);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(maps_line_gives_every_field),
		cmocka_unit_test(maps_line_with_an_error_says_where_and_what),
		cmocka_unit_test(maps_every_truncation_parses_or_fails_cleanly),
		cmocka_unit_test(maps_cut_where_they_overlap_take_their_offset_along),
		cmocka_unit_test(maps_ranges_joins_near_mappings_only),
		cmocka_unit_test(smaps_gives_vmas_values_and_flags),
		cmocka_unit_test(smaps_lines_without_a_number_are_kept_as_text),
		cmocka_unit_test(smaps_text_of_many_mappings_stays_in_its_place),
		cmocka_unit_test(smaps_with_more_keys_than_any_kernel_writes_is_read_without_them),
		cmocka_unit_test(smaps_mapping_that_is_malformed_is_an_error),
		cmocka_unit_test(smaps_lines_that_begin_as_addresses_do_are_kept_as_text),
		cmocka_unit_test(smaps_of_many_keys_and_mappings_without_them_is_an_error),
		cmocka_unit_test(mapping_of_no_bytes_is_left_out),
		cmocka_unit_test(status_fields_are_sizes_numbers_or_text),
		cmocka_unit_test(stat_is_read_after_the_last_parenthesis),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
