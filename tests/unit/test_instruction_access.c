/* Whether instructions read or write the memory that they name, by the bytes that as(1) makes of them. */
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

static const struct line x86_lines[] = {
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

static const struct line arm64_lines[] = {
	{ "strb w0, [x1]", "20 00 00 39", ACCESS_WRITES },
	{ "ldrb w0, [x1]", "20 00 40 39", ACCESS_READS },
	{ "str x0, [x1, #8]", "20 04 00 f9", ACCESS_WRITES },
	{ "ldr x0, [x1, #8]", "20 04 40 f9", ACCESS_READS },
	{ "ldrsw x0, [x1]", "20 00 80 b9", ACCESS_READS },
	{ "ldrsh w0, [x1]", "20 00 c0 79", ACCESS_READS },
	{ "stur w0, [x1, #-4]", "20 c0 1f b8", ACCESS_WRITES },
	{ "ldur w0, [x1, #-4]", "20 c0 5f b8", ACCESS_READS },
	{ "str x0, [x1], #8", "20 84 00 f8", ACCESS_WRITES },
	{ "ldr x0, [x1, #8]!", "20 8c 40 f8", ACCESS_READS },
	{ "str x0, [x1, x2, lsl #3]", "20 78 22 f8", ACCESS_WRITES },
	{ "ldr x0, [x1, x2, lsl #3]", "20 78 62 f8", ACCESS_READS },
	{ "prfm pldl1keep, [x1]", "20 00 80 f9", ACCESS_UNKNOWN },
	{ "prfm pldl1keep, [x1, x2]", "20 68 a2 f8", ACCESS_UNKNOWN },
	{ "prfum pldl1keep, [x1, #-8]", "20 80 9f f8", ACCESS_UNKNOWN },
	{ "str q0, [x1]", "20 00 80 3d", ACCESS_WRITES },
	{ "ldr q0, [x1]", "20 00 c0 3d", ACCESS_READS },
	{ "str q0, [x1, x2]", "20 68 a2 3c", ACCESS_WRITES },
	{ "ldr q0, [x1, x2]", "20 68 e2 3c", ACCESS_READS },
	{ "stur q0, [x1, #-16]", "20 00 9f 3c", ACCESS_WRITES },
	{ "ldur q0, [x1, #-16]", "20 00 df 3c", ACCESS_READS },
	{ "str d0, [x1]", "20 00 00 fd", ACCESS_WRITES },
	{ "ldr d0, [x1]", "20 00 40 fd", ACCESS_READS },
	{ "str b0, [x1], #1", "20 14 00 3c", ACCESS_WRITES },
	{ "stp x0, x1, [sp, #-16]!", "e0 07 bf a9", ACCESS_WRITES },
	{ "ldp x0, x1, [sp], #16", "e0 07 c1 a8", ACCESS_READS },
	{ "stp q0, q1, [x2]", "40 04 00 ad", ACCESS_WRITES },
	{ "ldp q0, q1, [x2]", "40 04 40 ad", ACCESS_READS },
	{ "stnp x0, x1, [x2]", "40 04 00 a8", ACCESS_WRITES },
	{ "ldnp x0, x1, [x2]", "40 04 40 a8", ACCESS_READS },
	{ "ldpsw x0, x1, [x2]", "40 04 40 69", ACCESS_READS },
	{ "ldr x0, .", "00 00 00 58", ACCESS_READS },
	{ "ldrsw x0, .", "00 00 00 98", ACCESS_READS },
	{ "ldr q0, .", "00 00 00 9c", ACCESS_READS },
	{ "prfm pldl1keep, .", "00 00 00 d8", ACCESS_UNKNOWN },
	{ "ldxr x0, [x1]", "20 7c 5f c8", ACCESS_READS },
	{ "stxr w0, x1, [x2]", "41 7c 00 c8", ACCESS_WRITES },
	{ "ldaxp x0, x1, [x2]", "40 84 7f c8", ACCESS_READS },
	{ "stlxp w0, x1, x3, [x2]", "41 8c 20 c8", ACCESS_WRITES },
	{ "ldar x0, [x1]", "20 fc df c8", ACCESS_READS },
	{ "stlr x0, [x1]", "20 fc 9f c8", ACCESS_WRITES },
	{ "cas x0, x1, [x2]", "41 7c a0 c8", ACCESS_WRITES },
	{ "casal w0, w1, [x2]", "41 fc e0 88", ACCESS_WRITES },
	{ "casp x0, x1, x2, x3, [x4]", "82 7c 20 48", ACCESS_WRITES },
	{ "ldadd x0, x1, [x2]", "41 00 20 f8", ACCESS_WRITES },
	{ "stadd x0, [x2]", "5f 00 20 f8", ACCESS_WRITES },
	{ "swpal x0, x1, [x2]", "41 80 e0 f8", ACCESS_WRITES },
	{ "ldsetb w0, w1, [x2]", "41 30 20 38", ACCESS_WRITES },
	{ "ldapr x0, [x1]", "20 c0 bf f8", ACCESS_READS },
	{ "ld1 {v0.16b}, [x0]", "00 70 40 4c", ACCESS_READS },
	{ "st1 {v0.16b}, [x0], #16", "00 70 9f 4c", ACCESS_WRITES },
	{ "ld1 {v0.b}[0], [x0]", "00 00 40 0d", ACCESS_READS },
	{ "st1 {v0.b}[0], [x0]", "00 00 00 0d", ACCESS_WRITES },
	{ "ld4 {v0.4s,v1.4s,v2.4s,v3.4s}, [x0]", "00 08 40 4c", ACCESS_READS },
	{ "ld1r {v0.4s}, [x0]", "00 c8 40 4d", ACCESS_READS },
	{ "dc zva, x0", "20 74 0b d5", ACCESS_WRITES },
	{ "dc civac, x0", "20 7e 0b d5", ACCESS_UNKNOWN },
	{ "ldraa x0, [x1]", "20 04 20 f8", ACCESS_READS },
	{ "ldapur x0, [x1, #1]", "20 10 40 d9", ACCESS_UNKNOWN },
	{ "stg x0, [x1]", "20 08 20 d9", ACCESS_UNKNOWN },
	{ "ldtr x0, [x1]", "20 08 40 f8", ACCESS_READS },
	{ "sttr x0, [x1]", "20 08 00 f8", ACCESS_WRITES },
	{ "add x0, x1, x2", "20 00 02 8b", ACCESS_UNKNOWN },
	{ "mov x0, x1", "e0 03 01 aa", ACCESS_UNKNOWN },
	{ "ret", "c0 03 5f d6", ACCESS_UNKNOWN },
	{ "bl .", "00 00 00 94", ACCESS_UNKNOWN },
	{ "nop", "1f 20 03 d5", ACCESS_UNKNOWN },
	{ "svc #0", "01 00 00 d4", ACCESS_UNKNOWN },
	{ "cut", "20 00 00", ACCESS_UNKNOWN },
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

typedef enum instruction_access (*decoder)(const uint8_t *bytes, size_t len);

static void expect_each(decoder decode, const struct line *lines, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		uint8_t bytes[32];
		size_t len = bytes_of(lines[i].bytes, bytes);
		enum instruction_access found = decode(bytes, len);
		if (found != lines[i].access)
			fail_msg("%s: %d, not %d", lines[i].what, (int)found, (int)lines[i].access);
	}
}

static void test_each_instruction(void **state)
{
	(void)state;
	expect_each(instruction_access_x86, x86_lines, sizeof(x86_lines) / sizeof(x86_lines[0]));
	expect_each(instruction_access_arm64, arm64_lines, sizeof(arm64_lines) / sizeof(arm64_lines[0]));
}

/* No byte beyond those that are there is looked at: a sanitizer would see it. */
static void test_all_that_is_cut_short(void **state)
{
	(void)state;
	for (unsigned first = 0; first < 256; first++)
		for (unsigned second = 0; second < 256; second++) {
			uint8_t bytes[2] = { (uint8_t)first, (uint8_t)second };
			(void)instruction_access_x86(bytes, 1);
			(void)instruction_access_x86(bytes, 2);
			(void)instruction_access_arm64(bytes, 2);
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
