/* test_maps_aside.c - a map read into memory that is there already, and compared with what it was. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "maps_aside.h"

enum { ROOM = 64 };

/* As `now` is read where it was `before`. */
static struct maps_aside read_it(char *before, const char *now, char *text, size_t room)
{
	static struct realtime no_realtime;
	struct proc_text was = { .text = before, .len = strlen(before) }, is = { .text = text, .room = room };
	int fd = memfd_create("maps", MFD_CLOEXEC);
	assert_int_equal(write(fd, now, strlen(now)), strlen(now));
	struct maps_aside aside = { .maps = fd, .before = &was, .realtime = &no_realtime, .text = &is };
	maps_aside_read(&aside);
	close(fd);
	aside.before = NULL;
	aside.text = NULL;
	return aside;
}

static void expect(char *before, const char *now, bool same)
{
	char text[ROOM];
	struct maps_aside aside = read_it(before, now, text, ROOM);
	assert_int_equal(aside.error, 0);
	assert_int_equal(aside.same, same);
	if (!same)
		assert_string_equal(text, now);
}

static void it_is_the_same_only_if_every_byte_is(void **state)
{
	(void)state;
	expect((char[]){ "1000-2000 rw-p\n" }, "1000-2000 rw-p\n", true);
	expect((char[]){ "" }, "", true);
	expect((char[]){ "1000-2000 rw-p\n" }, "1000-2000 r--p\n", false);
	expect((char[]){ "1000-2000 rw-p.\n" }, "1000-2000 rw-p\n\n", false);
	expect((char[]){ "1000-2000 rw-p\n" }, "1000-2000 rw-p\n3000-4000 rw-p\n", false);
	expect((char[]){ "1000-2000 rw-p\n3000-4000 rw-p\n" }, "1000-2000 rw-p\n", false);
	expect((char[]){ "1000-2000 rw-p\n" }, "", false);
}

/* Nothing is allocated while the target stands: whoever asked reads it again. */
static void what_does_not_fit_is_said_to(void **state)
{
	(void)state;
	char text[ROOM];
	struct maps_aside aside = read_it((char[]){ "1000-2000 rw-p\n" }, "1000-2000 rw-p\n3000-4000 rw-p\n", text, 20);
	assert_int_equal(aside.error, ENOSPC);
	assert_false(aside.same);
	assert_string_equal(text, "1000-2000 rw-p\n3000");
	/* The end is not seen without room for a byte more. */
	assert_int_equal(read_it((char[]){ "2000\n" }, "1000\n", text, 6).error, ENOSPC);
	assert_int_equal(read_it((char[]){ "2000\n" }, "1000\n", text, 7).error, 0);
}

/* Of that not even what it takes to hold it is needed, and of one that is long, little memory. */
static void what_is_the_same_needs_no_room(void **state)
{
	(void)state;
	enum { LONG = 3 * MAPS_ASIDE_BYTES + 5 };
	static char before[LONG + 1], now[LONG + 1], text[LONG + 64];
	memset(before, 'a', LONG);
	memset(now, 'a', LONG);
	struct maps_aside aside = read_it(before, now, text, 16);
	assert_true(aside.same);
	assert_int_equal(aside.error, 0);
	memset(text, 'x', sizeof(text));
	assert_true(read_it(before, now, text, sizeof(text)).same);
	assert_int_equal(text[MAPS_ASIDE_BYTES], 'x');
	for (size_t at = 0; at < LONG; at += MAPS_ASIDE_BYTES - 1) {
		now[at] = 'b';
		aside = read_it(before, now, text, sizeof(text));
		assert_false(aside.same);
		assert_int_equal(aside.error, 0);
		assert_string_equal(text, now);
		now[at] = 'a';
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_the_same_only_if_every_byte_is),
		cmocka_unit_test(what_does_not_fit_is_said_to),
		cmocka_unit_test(what_is_the_same_needs_no_room),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
