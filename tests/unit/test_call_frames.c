/* Who called, by unwind tables: as gcc's own unwinder says of this program, and each instruction of tables that are
 * made up.  Both are read of this process, and of a child which has none of its pages of files, and gets none. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#if defined(__x86_64__)

#include <elf.h>
#include <execinfo.h>
#include <sys/mman.h>
#include <sys/sysinfo.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <linux/magic.h>

#include "call_frames.h"
#include "call_rule.h"
#include "process_bytes.h"
#include "test_pages_of.h"

/* ---- this program ----------------------------------------------------------------------- */

enum { MOST = CALL_FRAMES_MAX + 2, WORDS = 256 };
struct seen {
	size_t count, outside, backtrace_count;
	bool child_too;
	uint64_t callers[CALL_FRAMES_MAX];
	void *backtrace[MOST];
	uint64_t words[WORDS];
};

#define FUNCTION __attribute__((noinline)) int

FUNCTION look(struct seen *seen);
FUNCTION with_array(struct seen *seen, size_t room);
FUNCTION plain(struct seen *seen, int a, int b);

/* Where something is in swap, files that lie on memory, or may, are not read: that would fetch it. */
static bool files_may_be_refused(void)
{
	struct sysinfo info;
	struct statfs root;
	return sysinfo(&info) || statfs("/", &root) ||
	       (info.freeswap < info.totalswap && ((uint32_t)root.f_type == (uint32_t)TMPFS_MAGIC ||
	                                           (uint32_t)root.f_type == (uint32_t)OVERLAYFS_SUPER_MAGIC));
}

/* Of a child that stands where we do.  Inlined, with a sanitizer, it would make the frame of look() larger than all
 * words that are kept of the stack. */
__attribute__((noinline)) static void find_in_child(struct call_state state, const struct seen *seen)
{
	struct call_frames frames = { .next = 0 };
	uint64_t callers[CALL_FRAMES_MAX];
	size_t outside;
	pid_t pid = child_that(sleeps);
	wait_for_state(pid, 'S');
	struct pages_of before = pages_of(pid);
	state.pid = (uint32_t)pid;
	size_t count = call_frames_find(&frames, &state, callers, &outside);
	assert_in_range(count, files_may_be_refused() ? 0 : seen->count, seen->count);
	assert_memory_equal(callers, seen->callers, count * sizeof(*callers));
	call_frames_free(&frames);
	assert_same_pages(pid, &before);
	end(pid);
}

FUNCTION look(struct seen *seen)
{
	struct call_state state = { .pid = (uint32_t)getpid(), .words = seen->words, .count = WORDS };
	struct call_frames frames = { .next = 0 };
	__asm__ volatile("lea 0(%%rip), %0\n\tmov %%rsp, %1\n\tmov %%rbp, %2"
	                 : "=&r"(state.at), "=&r"(state.sp), "=&r"(state.bp));
	/* Not memcpy(): a sanitizer knows which of it are variables. */
	assert_true(process_bytes(state.pid, state.sp, seen->words, sizeof(seen->words)));
	seen->backtrace_count = (size_t)backtrace(seen->backtrace, MOST);
	seen->count = call_frames_find(&frames, &state, seen->callers, &seen->outside);
	call_frames_free(&frames);
	if (seen->child_too)
		find_in_child(state, seen);
	return (int)seen->count;
}

/* The frame's size is not known: it is counted from rbp. */
FUNCTION with_array(struct seen *seen, size_t room)
{
	volatile char *bytes = __builtin_alloca(room);
	bytes[0] = 1;
	return look(seen) + bytes[0];
}

FUNCTION plain(struct seen *seen, int a, int b)
{
	return with_array(seen, (size_t)(a + b)) + a * b;
}

static struct seen *sorting;

static int compare(const void *a, const void *b)
{
	if (!sorting->backtrace_count)
		plain(sorting, 3, 4);
	return (*(const char *)a > *(const char *)b) - (*(const char *)a < *(const char *)b);
}

static void assert_agree(const struct seen *seen, size_t least)
{
	assert_in_range(seen->count, least, CALL_FRAMES_MAX);
	assert_int_equal(seen->outside, seen->count);
	/* Before the first caller is the function itself, and with a sanitizer its own backtrace(). */
	size_t first = 1;
	while (first < 3 && seen->callers[0] + 1 != (uintptr_t)seen->backtrace[first])
		first++;
	assert_true(seen->backtrace_count >= first + seen->count);
	for (size_t i = 0; i < seen->count; i++)
		assert_int_equal(seen->callers[i] + 1, (uintptr_t)seen->backtrace[first + i]);
}

static void test_callers_are_those_of_gccs_unwinder(void **state)
{
	(void)state;
	struct seen seen = { .count = 0 };
	plain(&seen, 20, 30);
	assert_agree(&seen, 3);
}

static void sort(struct seen *seen)
{
	char letters[] = "cab";
	sorting = seen;
	qsort(letters, 3, 1, compare);
	assert_string_equal(letters, "abc");
	assert_agree(seen, 3);
}

static void test_callers_through_a_function_of_the_library(void **state)
{
	(void)state;
	struct seen seen = { .count = 0 };
	sort(&seen);
}

static void test_no_page_of_the_tables_appears(void **state)
{
	(void)state;
	struct seen seen = { .child_too = true };
	sort(&seen);
}

/* ---- made up ---------------------------------------------------------------------------- */

enum { CODE = 0x100, INDEX = 0x200, TABLES = 0x280, PAGE_BYTES = 4096, LENGTH = 32 };

/* Of one function: 32 bytes long, code in units of 1, data in units of -8; at its begin the frame is rsp + 8, and the
 * return address 8 below it. */
struct line {
	const char *what, *instructions;
	unsigned at;
	bool known;
	struct call_rule rule;
};

static const struct line lines[] = {
	{ "nothing", "", 0, true, { .frame = 8, .ra = -8 } },
	{ "push", "41 0e 10", 0, true, { .frame = 8, .ra = -8 } },
	{ "behind push", "41 0e 10", 1, true, { .frame = 16, .ra = -8 } },
	{ "rbp is kept", "41 0e 10 86 02", 1, true, { .frame = 16, .ra = -8, .bp_saved = true, .bp = -16 } },
	{ "by rbp", "43 0d 06", 3, true, { .from_bp = true, .frame = 8, .ra = -8 } },
	{ "by rbp and so much", "43 0c 06 10", 3, true, { .from_bp = true, .frame = 16, .ra = -8 } },
	{ "a byte further", "02 04 0e 20", 4, true, { .frame = 32, .ra = -8 } },
	{ "not yet", "02 04 0e 20", 3, true, { .frame = 8, .ra = -8 } },
	{ "two bytes further", "03 05 00 0e 20", 5, true, { .frame = 32, .ra = -8 } },
	{ "four bytes further", "04 06 00 00 00 0e 20", 6, true, { .frame = 32, .ra = -8 } },
	{ "a long number", "0e a0 06", 0, true, { .frame = 800, .ra = -8 } },
	{ "as it was", "86 02 0a 41 0e 10 c6 41 0b", 1, true, { .frame = 16, .ra = -8 } },
	{ "as it was, again",
	  "86 02 0a 41 0e 10 c6 41 0b",
	  2,
	  true,
	  { .frame = 8, .ra = -8, .bp_saved = true, .bp = -16 } },
	{ "the long words", "05 06 02 41 06 06", 0, true, { .frame = 8, .ra = -8, .bp_saved = true, .bp = -16 } },
	{ "restored", "05 06 02 41 06 06", 1, true, { .frame = 8, .ra = -8 } },
	{ "rbp is lost", "07 06", 0, true, { .frame = 8, .ra = -8, .bp_lost = true } },
	{ "rbp is the same", "07 06 08 06", 0, true, { .frame = 8, .ra = -8 } },
	{ "rbp is in a register", "09 06 03", 0, true, { .frame = 8, .ra = -8, .bp_lost = true } },
	{ "rbp by an expression", "10 06 02 77 08", 0, true, { .frame = 8, .ra = -8, .bp_lost = true } },
	{ "another register", "83 03", 0, true, { .frame = 8, .ra = -8 } },
	{ "arguments", "2e 10", 0, true, { .frame = 8, .ra = -8 } },
	{ "the last byte", "", LENGTH - 1, true, { .frame = 8, .ra = -8 } },
	{ "behind it", "", LENGTH, false, { .frame = 0 } },
	{ "the frame by an expression", "0f 02 77 08", 0, false, { .frame = 0 } },
	{ "of another register", "0d 03", 0, false, { .frame = 0 } },
	{ "no return address", "07 10", 0, false, { .frame = 0 } },
	{ "what is no instruction", "3f", 0, false, { .frame = 0 } },
	{ "nothing was kept", "0b", 0, false, { .frame = 0 } },
	{ "kept too often", "0a 0a 0a 0a 0a 0a 0a 0a 0a", 0, false, { .frame = 0 } },
	{ "a number without end", "0e ff ff ff ff ff ff ff ff ff ff ff 01", 0, false, { .frame = 0 } },
	{ "cut off", "04 01 00", 1, false, { .frame = 0 } },
	{ "an expression beyond the end", "10 06 7f 00", 0, false, { .frame = 0 } },
};

static size_t bytes_of(const char *text, uint8_t *bytes)
{
	size_t count = 0;
	unsigned byte;
	int used;
	while (sscanf(text, "%x%n", &byte, &used) == 1) {
		bytes[count++] = (uint8_t)byte;
		text += used;
	}
	return count;
}

static void put_offset(uint8_t *page, size_t at, int64_t value)
{
	int32_t offset = (int32_t)value;
	memcpy(page + at, &offset, sizeof(offset));
}

static void put_headers(uint8_t *page)
{
	const Elf64_Ehdr elf = { .e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64 },
		                 .e_phoff = sizeof(elf),
		                 .e_phentsize = sizeof(Elf64_Phdr),
		                 .e_phnum = 2 };
	const Elf64_Phdr segments[] = { { .p_type = PT_LOAD, .p_vaddr = 0 },
		                        { .p_type = PT_GNU_EH_FRAME, .p_vaddr = INDEX } };
	memcpy(page, &elf, sizeof(elf));
	memcpy(page + sizeof(elf), segments, sizeof(segments));
}

/* One CIE, "zR"; one FDE, which is no longer than its instructions. */
static void put_tables(uint8_t *page, const char *instructions)
{
	static const uint8_t index[] = { 1, 0x1b, 3, 0x3b, 0, 0, 0, 0, 1 },
	                     common[] = { 20,   0,    0,  0, 0,    0,  0, 0, 1,    'z', 'R', 0,
		                          0x01, 0x78, 16, 1, 0x1b, 12, 7, 8, 0x90, 1,   0,   0 };
	size_t own = TABLES + sizeof(common);
	memcpy(page + INDEX, index, sizeof(index));
	put_offset(page, INDEX + 12, CODE - INDEX);
	put_offset(page, INDEX + 16, (int64_t)own - INDEX);
	memcpy(page + TABLES, common, sizeof(common));
	size_t count = bytes_of(instructions, page + own + 17);
	put_offset(page, own, (int64_t)(13 + count));
	put_offset(page, own + 4, (int64_t)(own + 4 - TABLES));
	put_offset(page, own + 8, CODE - (int64_t)(own + 8));
	put_offset(page, own + 12, LENGTH);
}

static bool same_rule(const struct call_rule *a, const struct call_rule *b)
{
	return a->from_bp == b->from_bp && a->frame == b->frame && a->ra == b->ra && a->bp_saved == b->bp_saved &&
	       a->bp_lost == b->bp_lost && (!a->bp_saved || a->bp == b->bp);
}

/* The page is the last that can be read. */
static void test_each_call_frame_instruction(void **state)
{
	(void)state;
	uint8_t *page = mmap(NULL, 2 * PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(page, MAP_FAILED);
	assert_int_equal(mprotect(page + PAGE_BYTES, PAGE_BYTES, PROT_NONE), 0);
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		struct call_object object = { .pid = (uint32_t)getpid(), .base = (uintptr_t)page };
		struct call_rule rule = { .frame = 0 };
		memset(page, 0, PAGE_BYTES);
		put_headers(page);
		put_tables(page, lines[i].instructions);
		call_table_find(&object);
		assert_int_equal(object.count, 1);
		bool known = call_rule_find(&object, (uintptr_t)page + CODE + lines[i].at, &rule);
		if (known != lines[i].known || !same_rule(&rule, &lines[i].rule))
			fail_msg("%s: %s, frame %s%+d, return address %+d", lines[i].what, known ? "known" : "unknown",
			         rule.from_bp ? "rbp" : "rsp", (int)rule.frame, (int)rule.ra);
	}
	munmap(page, 2 * PAGE_BYTES);
}

static void test_what_is_no_program_has_no_tables(void **state)
{
	(void)state;
	struct call_object object = { .pid = (uint32_t)getpid(), .base = 16 };
	struct call_rule rule = { .frame = 0 };
	call_table_find(&object);
	assert_int_equal(object.count, 0);
	assert_false(call_rule_find(&object, 16, &rule));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_callers_are_those_of_gccs_unwinder),
		cmocka_unit_test(test_callers_through_a_function_of_the_library),
		cmocka_unit_test(test_no_page_of_the_tables_appears),
		cmocka_unit_test(test_each_call_frame_instruction),
		cmocka_unit_test(test_what_is_no_program_has_no_tables),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

#else

#include "call_frames.h"

/* Nothing is told there. */
static void test_nobody_called(void **state)
{
	(void)state;
	struct call_frames frames = { .next = 0 };
	const uint64_t words[4] = { 0 };
	const struct call_state here = { .pid = 1, .at = 16, .sp = 32, .words = words, .count = 4 };
	uint64_t callers[CALL_FRAMES_MAX];
	size_t outside;
	assert_int_equal(call_frames_find(&frames, &here, callers, &outside), 0);
	call_frames_free(&frames);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_nobody_called) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}

#endif
