/* test_status_kept.c - status as it was before our freeze: two lines of what it was, the rest as it is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "status_kept.h"

static void expect(char *now, char *before, const char *kept)
{
	struct vmsnap *snap = snapshot_new();
	struct proc_text is = { .text = now, .len = strlen(now) };
	struct proc_text was = { .text = before, .len = before ? strlen(before) : 0 };
	assert_int_equal(status_keep(snap, &is, before ? &was : NULL), VMSNAP_OK);
	assert_int_equal(snap->status_len, strlen(kept));
	assert_string_equal(snap->status, kept);
	vmsnap_unref(snap);
}

static void our_freeze_does_not_show(void **state)
{
	(void)state;
	expect((char[]){ "Name:\tx\nState:\tt (tracing stop)\nPid:\t1\nTracerPid:\t77\nVmSize:\t9 kB\n" },
	       (char[]){ "Name:\ty\nState:\tS (sleeping)\nPid:\t1\nTracerPid:\t0\nVmSize:\t8 kB\n" },
	       "Name:\tx\nState:\tS (sleeping)\nPid:\t1\nTracerPid:\t0\nVmSize:\t9 kB\n");
}

static void who_was_not_frozen_is_as_it_is(void **state)
{
	(void)state;
	expect((char[]){ "State:\tR (running)\nTracerPid:\t5\n" }, NULL, "State:\tR (running)\nTracerPid:\t5\n");
}

static void a_line_that_either_lacks_stays(void **state)
{
	(void)state;
	expect((char[]){ "State:\tt (tracing stop)\nTracerPid:\t77\n" }, (char[]){ "State:\tS (sleeping)\n" },
	       "State:\tS (sleeping)\nTracerPid:\t77\n");
	expect((char[]){ "Name:\tx\nTracerPid:\t77\n" }, (char[]){ "State:\tS (sleeping)\nTracerPid:\t0\n" },
	       "Name:\tx\nTracerPid:\t0\n");
	expect((char[]){ "TracerPid:\t7" }, (char[]){ "TracerPid:\t0\n" }, "TracerPid:\t0\n");
	/* In an order that no kernel has: one of the two. */
	expect((char[]){ "TracerPid:\t7\nState:\tt\n" }, (char[]){ "State:\tS\nTracerPid:\t0\n" },
	       "TracerPid:\t7\nState:\tS\n");
	expect((char[]){ "" }, (char[]){ "" }, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(our_freeze_does_not_show),
		cmocka_unit_test(who_was_not_frozen_is_as_it_is),
		cmocka_unit_test(a_line_that_either_lacks_stays),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
