/* Whether instructions of x86-64 read or write the memory that they name, by the bytes that as(1) makes of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "instruction_access.h"

struct line {
	const char *what, *bytes;
	enum instruction_access access;
};

static const struct line lines[] = {
	{ "mov %al,(%rdi)", "88 07", ACCESS_WRITES },
	{ "mov (%rdi),%al", "8a 07", ACCESS_READS },
	{ "movl $1,(%rdi)", "c7 07 01 00 00 00", ACCESS_WRITES },
	{ "mov %rax,8(%rdi)", "48 89 47 08", ACCESS_WRITES },
	{ "mov 8(%rdi),%rax", "48 8b 47 08", ACCESS_READS },
	{ "addq $1,(%rdi)", "48 83 07 01", ACCESS_WRITES },
	{ "cmpq $1,(%rdi)", "48 83 3f 01", ACCESS_READS },
	{ "add %rax,(%rdi)", "48 01 07", ACCESS_WRITES },
	{ "add (%rdi),%rax", "48 03 07", ACCESS_READS },
	{ "cmp %rax,(%rdi)", "48 39 07", ACCESS_READS },
	{ "test %eax,(%rdi)", "85 07", ACCESS_READS },
	{ "xchg %eax,(%rdi)", "87 07", ACCESS_WRITES },
	{ "lock cmpxchg %ecx,(%rdi)", "f0 0f b1 0f", ACCESS_WRITES },
	{ "lock xadd %eax,(%rdi)", "f0 0f c1 07", ACCESS_WRITES },
	{ "cmpxchg16b (%rdi)", "48 0f c7 0f", ACCESS_WRITES },
	{ "incl (%rdi)", "ff 07", ACCESS_WRITES },
	{ "negl (%rdi)", "f7 1f", ACCESS_WRITES },
	{ "mull (%rdi)", "f7 27", ACCESS_READS },
	{ "shll %cl,(%rdi)", "d3 27", ACCESS_WRITES },
	{ "sete (%rdi)", "0f 94 07", ACCESS_WRITES },
	{ "movzbl (%rdi),%eax", "0f b6 07", ACCESS_READS },
	{ "cmove (%rdi),%eax", "0f 44 07", ACCESS_READS },
	{ "bts %eax,(%rdi)", "0f ab 07", ACCESS_WRITES },
	{ "btl $3,(%rdi)", "0f ba 27 03", ACCESS_READS },
	{ "btrl $3,(%rdi)", "0f ba 37 03", ACCESS_WRITES },
	{ "push %rbx", "53", ACCESS_WRITES },
	{ "pop %rbx", "5b", ACCESS_READS },
	{ "push %r12", "41 54", ACCESS_WRITES },
	{ "push (%rdi)", "ff 37", ACCESS_UNKNOWN },
	{ "call somewhere", "e8 00 00 00 00", ACCESS_WRITES },
	{ "call *%rax", "ff d0", ACCESS_WRITES },
	{ "call *(%rax)", "ff 10", ACCESS_UNKNOWN },
	{ "jmp *(%rax)", "ff 20", ACCESS_READS },
	{ "ret", "c3", ACCESS_READS },
	{ "rep stos %rax,(%rdi)", "f3 48 ab", ACCESS_WRITES },
	{ "rep movsb", "f3 a4", ACCESS_COPIES },
	{ "movups %xmm0,(%rdi)", "0f 11 07", ACCESS_WRITES },
	{ "movups (%rdi),%xmm0", "0f 10 07", ACCESS_READS },
	{ "movdqa %xmm0,(%rdi)", "66 0f 7f 07", ACCESS_WRITES },
	{ "movq %xmm0,(%rdi)", "66 0f d6 07", ACCESS_WRITES },
	{ "movq (%rdi),%xmm0", "f3 0f 7e 07", ACCESS_READS },
	{ "movd %xmm0,(%rdi)", "66 0f 7e 07", ACCESS_WRITES },
	{ "movntdq %xmm0,(%rdi)", "66 0f e7 07", ACCESS_WRITES },
	{ "movnti %rax,(%rdi)", "48 0f c3 07", ACCESS_WRITES },
	{ "pextrd $1,%xmm0,(%rdi)", "66 0f 3a 16 07 01", ACCESS_WRITES },
	{ "pcmpistri $0,(%rdi),%xmm0", "66 0f 3a 63 07 00", ACCESS_READS },
	{ "movbe %eax,(%rdi)", "0f 38 f1 07", ACCESS_WRITES },
	{ "crc32l (%rdi),%eax", "f2 0f 38 f1 07", ACCESS_READS },
	{ "vmovdqu %ymm0,(%rdi)", "c5 fe 7f 07", ACCESS_WRITES },
	{ "vmovdqu (%rdi),%ymm0", "c5 fe 6f 07", ACCESS_READS },
	{ "vmovdqu64 %zmm0,(%rdi)", "62 f1 fe 48 7f 07", ACCESS_WRITES },
	{ "vmovdqu64 (%rdi),%zmm0", "62 f1 fe 48 6f 07", ACCESS_READS },
	{ "vextracti128 $1,%ymm0,(%rdi)", "c4 e3 7d 39 07 01", ACCESS_WRITES },
	{ "vpmaskmovd %ymm0,%ymm1,(%rdi)", "c4 e2 75 8e 07", ACCESS_WRITES },
	{ "kmovq %k0,(%rdi)", "c4 e1 f8 91 07", ACCESS_WRITES },
	{ "kmovq (%rdi),%k0", "c4 e1 f8 90 07", ACCESS_READS },
	{ "fstpl (%rdi)", "dd 1f", ACCESS_WRITES },
	{ "fldl (%rdi)", "dd 07", ACCESS_READS },
	{ "xsave (%rdi)", "0f ae 27", ACCESS_WRITES },
	{ "mov %rax,%rdi", "48 89 c7", ACCESS_UNKNOWN },
	{ "mov %fs:0x28,%rax", "64 48 8b 04 25 28 00 00 00", ACCESS_READS },
	{ "nothing", "", ACCESS_UNKNOWN },
	{ "only prefixes", "66 66 66 66 66 66 66 66 66 66 66 66 66 66 66 66 66 66", ACCESS_UNKNOWN },
	{ "cut", "0f", ACCESS_UNKNOWN },
	{ "cut", "62 f1 fe", ACCESS_UNKNOWN },
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

static void test_each_instruction(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		uint8_t bytes[32];
		size_t count = bytes_of(lines[i].bytes, bytes);
		if (instruction_access(bytes, count) != lines[i].access)
			fail_msg("%s: %d, not %d", lines[i].what, (int)instruction_access(bytes, count),
			         (int)lines[i].access);
	}
}

/* No byte beyond those that are there is looked at: a sanitizer would see it. */
static void test_all_that_is_cut_short(void **state)
{
	(void)state;
	for (unsigned first = 0; first < 256; first++)
		for (unsigned second = 0; second < 256; second++) {
			uint8_t bytes[2] = { (uint8_t)first, (uint8_t)second };
			(void)instruction_access(bytes, 1);
			(void)instruction_access(bytes, 2);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_instruction),
		cmocka_unit_test(test_all_that_is_cut_short),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
