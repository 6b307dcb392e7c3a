/* In other programs: a call needs no more stack than vmsnap.h says, and our own threads
 * have theirs whatever the limit is. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "test_print_support.h"
#include "test_sanitized.h"
#include "test_skip.h"
#include "thread.h"

/* What vmsnap.h says, but for what the C library wants for itself. */
enum { CALL_BYTES = 64 << 10 };

static struct catch *caught;

static void *do_much(void *failed)
{
	struct vmsnap *snaps[2] = { NULL, NULL };
	struct vmsnap_file *file = NULL;
	struct vmsnap_diff *diff = NULL;
	char path[] = "/tmp/vmsnap-stack-XXXXXX";
	int fd = mkstemp(path), rc = fd < 0;
	struct vmsnap_error *err = &caught->err;
	for (int i = 0; !rc && i < 2; i++)
		rc = vmsnap_capture(getpid(), NULL, &snaps[i], err);
	const struct vmsnap *const *both = (const struct vmsnap *const *)snaps;
	if (!rc)
		rc = vmsnap_write_fd(fd, both, 2, err);
	if (!rc)
		rc = vmsnap_file_open(path, NULL, &file, err);
	if (!rc)
		rc = vmsnap_print_list(file, &caught->out, err);
	if (!rc)
		rc = vmsnap_print_check(file, &caught->out, err);
	if (!rc)
		rc = vmsnap_print_show(snaps[0], &caught->out, err);
	if (!rc)
		rc = vmsnap_print_map(snaps[0], NULL, &caught->out, err);
	if (!rc)
		rc = vmsnap_diff_new(snaps[0], snaps[1], &diff, err);
	vmsnap_diff_free(diff);
	vmsnap_file_close(file);
	vmsnap_unref(snaps[0]);
	vmsnap_unref(snaps[1]);
	if (fd >= 0)
		unlink(path);
	*(int *)failed = rc;
	return NULL;
}

static void calls_fit_into_a_small_stack(void **state)
{
	(void)state;
	if (SANITIZED)
		skip_because("a sanitizer needs more stack");
	pthread_attr_t attributes;
	pthread_t thread;
	int failed = 1;
	caught = catch_new();
	pthread_attr_init(&attributes);
	assert_int_equal(pthread_attr_setstacksize(&attributes, CALL_BYTES + (size_t)sysconf(_SC_THREAD_STACK_MIN)), 0);
	assert_int_equal(pthread_create(&thread, &attributes, do_much, &failed), 0);
	pthread_join(thread, NULL);
	pthread_attr_destroy(&attributes);
	if (failed)
		fail_msg("%s", caught->err.message);
}

static void *take_much(void *touched)
{
	volatile char stack[300 << 10];
	for (size_t i = 0; i < sizeof(stack); i += PAGE)
		stack[i] = 1;
	*(int *)touched = stack[0];
	return NULL;
}

static void our_threads_have_a_stack_of_their_own(void **state)
{
	(void)state;
	pthread_attr_t small;
	pthread_t thread;
	int touched = 0;
	/* What the C library read from the limit when the program began. */
	assert_int_equal(pthread_getattr_default_np(&small), 0);
	assert_int_equal(pthread_attr_setstacksize(&small, 128 << 10), 0);
	assert_int_equal(pthread_setattr_default_np(&small), 0);
	assert_int_equal(thread_start(&thread, take_much, &touched), 0);
	pthread_join(thread, NULL);
	assert_int_equal(touched, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(calls_fit_into_a_small_stack),
		cmocka_unit_test(our_threads_have_a_stack_of_their_own),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
