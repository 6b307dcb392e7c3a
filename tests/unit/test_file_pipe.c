/* Streams that can be read only once: as good as a file, in as little memory, and what has no
 * end is refused at once. */
#define _GNU_SOURCE
#include "test_file_made.h"

#include "test_file_folder.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "test_sanitized.h"

enum { KIB = 1 << 10, MIB = 1 << 20, PIPE_BYTES = 64 * KIB, WAIT_SECONDS = 300 };

/* ---- a writer ---- */

struct feed {
	const uint8_t *first; /* what comes first, then `rest` again and again */
	size_t first_len;
	const char *rest;
	uint64_t most, written; /* all told */
	int fd;
};

static void *feed_all(void *context)
{
	struct feed *feed = context;
	char block[4096];
	for (size_t i = 0; feed->rest && i < sizeof(block); i++)
		block[i] = feed->rest[i % 2];
	while (feed->written < feed->most) {
		bool begun = feed->written >= feed->first_len;
		const void *from = begun ? (const void *)block : feed->first + feed->written;
		uint64_t left = begun ? feed->most - feed->written : feed->first_len - feed->written;
		size_t now = left < sizeof(block) ? (size_t)left : sizeof(block);
		ssize_t n = write(feed->fd, from, now);
		if (n < 0)
			break;
		feed->written += (uint64_t)n;
	}
	close(feed->fd);
	return NULL;
}

/* Opens what the writer writes, and closes the pipe. */
static int open_fed(struct feed *feed, const struct vmsnap_limits *limits, struct vmsnap_file **file,
                    struct vmsnap_error *err)
{
	int ends[2];
	pthread_t thread;
	signal(SIGPIPE, SIG_IGN);
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	feed->fd = ends[1];
	assert_int_equal(pthread_create(&thread, NULL, feed_all, feed), 0);
	int rc = vmsnap_file_open_fd(ends[0], limits, file, err);
	close(ends[0]);
	pthread_join(thread, NULL);
	return rc;
}

/* A snapshot and, between its sections, one that nobody needs. */
static struct made made_with(size_t unneeded)
{
	struct made made;
	uint8_t *bytes = calloc(1, unneeded + 1);
	assert_non_null(bytes);
	add_start(&made);
	add_no_vmas(&made);
	add_section(&made,
	            (struct section){ .type = SECTION_TYPE('n', 'o', 'n', 'e'), .stored = unneeded, .raw = unneeded },
	            bytes);
	free(bytes);
	end_made(&made);
	return made;
}

static struct feed feed_of(const struct made *made)
{
	return (struct feed){ .first = made->bytes.data, .first_len = made->bytes.len, .most = made->bytes.len };
}

/* ---- without an end ---- */

static void what_is_not_ours_is_refused_at_its_first_bytes(void **state)
{
	(void)state;
	struct feed feed = { .rest = "y\n", .most = UINT64_MAX };
	struct vmsnap_file *file;
	struct vmsnap_error err = { 0 };
	assert_int_equal(open_fed(&feed, NULL, &file, &err), VMSNAP_ERR_NOT_SNAPSHOT);
	assert_true(feed.written <= MIB + 2 * PIPE_BYTES);
}

static void zeros_behind_a_header_are_refused_soon(void **state)
{
	(void)state;
	uint8_t header[STREAM_HEADER_BYTES];
	struct vmsnap_file *file;
	struct vmsnap_error err = { 0 };
	stream_header_write(header);
	struct feed feed = { .first = header, .first_len = sizeof(header), .rest = "\0\0", .most = UINT64_MAX };
	assert_int_equal(open_fed(&feed, NULL, &file, &err), VMSNAP_ERR_CORRUPT);
	assert_int_equal(err.position, STREAM_HEADER_BYTES);
	assert_true(feed.written <= 3 * MIB + PIPE_BYTES);
}

/* Damage of whatever length is passed over, but not what has no end. */
static void zeros_behind_a_whole_snapshot_are_read_up_to_the_limit(void **state)
{
	(void)state;
	enum { LIMIT = 5 * MIB };
	struct made made = made_with(0);
	struct feed feed = feed_of(&made);
	struct vmsnap_limits limits = { .size = sizeof(limits), .input_bytes = LIMIT };
	struct vmsnap_file *file;
	struct vmsnap_error err = { 0 };
	feed.rest = "\0\0";
	feed.most = UINT64_MAX;
	assert_int_equal(open_fed(&feed, &limits, &file, &err), VMSNAP_ERR_TOO_LARGE);
	assert_int_equal(err.position, LIMIT);
	assert_true(feed.written <= LIMIT + 2 * PIPE_BYTES);
	bytes_free(&made.bytes);
}

static void a_section_longer_than_the_limit_is_refused_soon(void **state)
{
	(void)state;
	uint8_t bytes[STREAM_HEADER_BYTES + SECTION_HEADER_BYTES];
	struct section section = { .type = SECTION_SNAP, .flags = SECTION_REQUIRED, .stored = UINT64_C(1) << 40 };
	struct vmsnap_file *file;
	struct vmsnap_error err = { 0 };
	stream_header_write(bytes);
	section_write(&section, bytes + STREAM_HEADER_BYTES);
	struct feed feed = { .first = bytes, .first_len = sizeof(bytes), .rest = "\0\0", .most = UINT64_MAX };
	assert_int_equal(open_fed(&feed, NULL, &file, &err), VMSNAP_ERR_TOO_LARGE);
	assert_int_equal(err.position, STREAM_HEADER_BYTES);
	assert_true(feed.written <= 3 * MIB + PIPE_BYTES);
}

static void a_stream_is_not_read_beyond_its_limit(void **state)
{
	(void)state;
	enum { EACH = 100 * KIB, LIMIT = 5 * MIB };
	struct made made = made_with(EACH);
	struct bytes many = { 0 };
	put_bytes(&many, made.bytes.data, made.bytes.len);
	while (many.len < 2 * LIMIT)
		put_bytes(&many, made.bytes.data, made.bytes.len);
	struct feed feed = { .first = many.data, .first_len = many.len, .most = many.len };
	struct vmsnap_limits limits = { .size = sizeof(limits), .input_bytes = LIMIT };
	struct vmsnap_file *file;
	struct vmsnap_error err = { 0 };
	assert_int_equal(open_fed(&feed, &limits, &file, &err), VMSNAP_ERR_TOO_LARGE);
	assert_int_equal(err.position, LIMIT);
	assert_true(feed.written <= LIMIT + 2 * PIPE_BYTES);
	bytes_free(&many);
	bytes_free(&made.bytes);
}

static bool at_once(void *ctx)
{
	(void)ctx;
	return true;
}

static void a_stream_is_not_read_when_it_is_not_wanted(void **state)
{
	(void)state;
	struct made made = made_with(0);
	struct feed feed = feed_of(&made);
	struct vmsnap_limits limits = { .size = sizeof(limits), .cancelled = at_once };
	struct vmsnap_file *file;
	struct vmsnap_error err = { 0 };
	assert_int_equal(open_fed(&feed, &limits, &file, &err), VMSNAP_ERR_CANCELLED);
	bytes_free(&made.bytes);
}

/* ---- as good as a file ---- */

static size_t open_descriptors(void)
{
	size_t count = 0;
	DIR *all = opendir("/proc/self/fd");
	assert_non_null(all);
	while (readdir(all))
		count++;
	closedir(all);
	return count;
}

static void expect_loads(struct made *made, const struct vmsnap_limits *limits)
{
	size_t before = open_descriptors();
	struct feed feed = feed_of(made);
	struct vmsnap_file *file;
	struct vmsnap *back;
	struct vmsnap_error err = { 0 };
	if (open_fed(&feed, limits, &file, &err))
		fail_msg("%s", err.message);
	assert_int_equal(vmsnap_file_count(file), 1);
	assert_int_equal(vmsnap_file_damage(file, NULL), VMSNAP_OK);
	if (vmsnap_file_load(file, 0, &back, &err))
		fail_msg("%s", err.message);
	assert_int_equal(vmsnap_info(back)->page_size, 4096);
	vmsnap_unref(back);
	vmsnap_file_close(file);
	assert_int_equal(open_descriptors(), before);
}

static void long_and_short_streams_are_read_whole(void **state)
{
	(void)state;
	static const size_t sizes[] = { 0, 1000, MIB - 300, MIB - 100, MIB, MIB + 1, 7 * MIB };
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		struct made made = made_with(sizes[i]);
		struct vmsnap_limits limits = { .size = sizeof(limits), .input_bytes = made.bytes.len };
		expect_loads(&made, &limits);
		bytes_free(&made.bytes);
	}
}

static void where_no_temporary_file_can_be_made_memory_serves(void **state)
{
	(void)state;
	struct made made = made_with(3 * MIB);
	setenv("TMPDIR", "/nonexistent", 1);
	expect_loads(&made, NULL);
	setenv("TMPDIR", "/proc", 1);
	expect_loads(&made, NULL);
	unsetenv("TMPDIR");
	bytes_free(&made.bytes);
}

/* What is whole before and behind the damage is found, as in a file. */
static void expect_two_around(const void *damage, size_t len, int code)
{
	struct made made = made_with(0);
	struct bytes two = { 0 };
	put_bytes(&two, made.bytes.data, made.bytes.len);
	put_bytes(&two, damage, len);
	put_bytes(&two, made.bytes.data, made.bytes.len);
	struct feed feed = { .first = two.data, .first_len = two.len, .most = two.len };
	struct vmsnap_file *file;
	struct vmsnap_error err = { 0 };
	assert_int_equal(open_fed(&feed, NULL, &file, &err), VMSNAP_OK);
	assert_int_equal(vmsnap_file_count(file), code == VMSNAP_ERR_TRUNCATED ? 1 : 2);
	assert_int_equal(vmsnap_file_damage(file, &err), code);
	assert_int_equal(err.position, made.bytes.len);
	vmsnap_file_close(file);
	bytes_free(&two);
	bytes_free(&made.bytes);
}

static void small_damage_is_passed_over_as_in_a_file(void **state)
{
	(void)state;
	uint8_t header[SECTION_HEADER_BYTES];
	struct section section = { .type = SECTION_SNAP, .flags = SECTION_REQUIRED, .stored = UINT64_C(1) << 40 };
	section_write(&section, header);
	expect_two_around("garbage", 7, VMSNAP_ERR_CORRUPT);
	expect_two_around(header, sizeof(header), VMSNAP_ERR_TRUNCATED);
}

/* What a file of these bytes gives, the damage told too. */
static void expect_as_of_file(const struct bytes *bytes, size_t broken)
{
	struct feed feed = { .first = bytes->data, .first_len = bytes->len, .most = bytes->len };
	struct vmsnap_file *from_pipe, *from_file;
	struct vmsnap *back;
	struct vmsnap_error err = { 0 }, as_file = { 0 };
	if (open_fed(&feed, NULL, &from_pipe, &err))
		fail_msg("%s", err.message);
	assert_int_equal(vmsnap_file_open_memory(bytes->data, bytes->len, NULL, &from_file, &err), VMSNAP_OK);
	assert_int_equal(vmsnap_file_count(from_pipe), vmsnap_file_count(from_file));
	assert_int_equal(vmsnap_file_damage(from_pipe, &err), vmsnap_file_damage(from_file, &as_file));
	assert_int_equal(err.position, as_file.position);
	for (size_t i = broken - 1; i <= broken + 1; i++) {
		int rc = vmsnap_file_load(from_pipe, i, &back, &err);
		if (!rc)
			vmsnap_unref(back);
		assert_int_equal(rc, vmsnap_file_load(from_file, i, &back, &as_file));
		if (!rc)
			vmsnap_unref(back);
	}
	vmsnap_file_close(from_pipe);
	vmsnap_file_close(from_file);
}

static void one_bit_costs_one_snapshot_however_many_follow(void **state)
{
	(void)state;
	enum { COUNT = 20 * 1000, BROKEN = 9 };
	static const size_t places[] = { 1, STREAM_HEADER_BYTES - 1, STREAM_HEADER_BYTES + 5 };
	struct made made = made_with(0);
	struct bytes many = { 0 };
	struct feed feed;
	struct vmsnap_file *file;
	for (size_t i = 0; i < COUNT; i++)
		put_bytes(&many, made.bytes.data, made.bytes.len);
	assert_true(many.len > 3 * MIB);
	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
		uint8_t *flipped = many.data + BROKEN * made.bytes.len + places[i];
		*flipped ^= 1;
		expect_as_of_file(&many, BROKEN);
		*flipped ^= 1;
	}
	/* Where nothing is whole before it, it may as well be without an end. */
	many.data[STREAM_HEADER_BYTES + 5] ^= 1;
	feed = (struct feed){ .first = many.data, .first_len = many.len, .most = many.len };
	assert_int_equal(open_fed(&feed, NULL, &file, NULL), VMSNAP_ERR_CORRUPT);
	assert_true(feed.written <= 3 * MIB + PIPE_BYTES);
	bytes_free(&many);
	bytes_free(&made.bytes);
}

/* In a process of its own: what it returns, and how much memory it took at most. */
static int apart(int (*work)(void *ctx), void *ctx, long *peak_kib)
{
	struct rusage usage;
	int status;
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (!pid)
		_exit(work(ctx));
	assert_int_equal(wait4(pid, &status, 0, &usage), pid);
	if (!WIFEXITED(status))
		fail_msg("ended by signal %d", WTERMSIG(status));
	*peak_kib = usage.ru_maxrss;
	return WEXITSTATUS(status);
}

static int load_first(int fd)
{
	struct vmsnap_file *file;
	struct vmsnap *back;
	if (vmsnap_file_open_fd(fd, NULL, &file, NULL) || vmsnap_file_load(file, 0, &back, NULL))
		return 1;
	vmsnap_unref(back);
	vmsnap_file_close(file);
	return 0;
}

/* The bytes are in a file, which cat(1) would read. */
static int load_file(void *ctx)
{
	return load_first(*(int *)ctx);
}

static int load_through_pipe(void *ctx)
{
	int ends[2];
	if (pipe(ends))
		return 2;
	if (!fork()) {
		close(ends[0]);
		char block[4096];
		for (ssize_t n; (n = read(*(int *)ctx, block, sizeof(block))) > 0;)
			if (write(ends[1], block, (size_t)n) != n)
				_exit(1);
		_exit(0);
	}
	close(ends[1]);
	return load_first(ends[0]);
}

static void a_stream_takes_no_more_memory_than_a_file(void **state)
{
	(void)state;
	enum { LARGE = 48 * MIB };
	struct made made = made_with(LARGE);
	FILE *large = tmpfile();
	long from_file, from_pipe;
	assert_non_null(large);
	int fd = fileno(large);
	assert_int_equal(write(fd, made.bytes.data, made.bytes.len), made.bytes.len);
	bytes_free(&made.bytes);
	lseek(fd, 0, SEEK_SET);
	assert_int_equal(apart(load_file, &fd, &from_file), 0);
	lseek(fd, 0, SEEK_SET);
	assert_int_equal(apart(load_through_pipe, &fd, &from_pipe), 0);
	fclose(large);
	if (!SANITIZED && from_pipe - from_file > 8 * KIB)
		fail_msg("%ld KiB more", from_pipe - from_file);
}

/* The signal that comes with it does not end the caller. */
static int load_with_small_files(void *ctx)
{
	struct rlimit limit = { MIB, MIB };
	struct vmsnap_file *file;
	struct vmsnap_error err = { 0 };
	struct feed feed = feed_of(ctx);
	if (setrlimit(RLIMIT_FSIZE, &limit))
		return 2;
	if (open_fed(&feed, NULL, &file, &err) != VMSNAP_ERR_SYSTEM || err.sys_errno != EFBIG)
		return 3;
	return strstr(err.message, "a copy of the input") ? 0 : 4;
}

static void a_copy_that_cannot_be_written_is_told(void **state)
{
	(void)state;
	struct made made = made_with(4 * MIB);
	long peak;
	assert_int_equal(apart(load_with_small_files, &made, &peak), 0);
	bytes_free(&made.bytes);
}

/* ---- only regular files ---- */

static void expect_kind(const char *where, const char *kind)
{
	struct vmsnap_limits limits = { .size = sizeof(limits), .regular_only = true };
	struct vmsnap_file *file;
	struct vmsnap_error err = { 0 };
	assert_int_equal(vmsnap_file_open(where, &limits, &file, &err), VMSNAP_ERR_ARGUMENT);
	bool what_is_read = strstr(err.message, "regular file") || strstr(err.message, "not a snapshot file");
	if (!strstr(err.message, kind) || !what_is_read)
		fail_msg("%s", err.message);
	int fd = open(where, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return; /* a socket */
	assert_int_equal(vmsnap_file_open_fd(fd, &limits, &file, &err), VMSNAP_ERR_ARGUMENT);
	close(fd);
}

static void pipes_and_devices_are_not_waited_for_if_so_asked(void **state)
{
	char link[PATH_MAX];
	(void)state;
	snprintf(link, sizeof(link), "%s/link", folder);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(symlink("a.vms", link), 0);
	expect_kind(path, "a pipe");
	expect_kind(link, "a pipe");
	expect_kind("/dev/zero", "a device");
	expect_kind(folder, "a folder");
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	snprintf(address.sun_path, sizeof(address.sun_path), "%.90s/sock", folder);
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	expect_kind(address.sun_path, "a socket");
	close(fd);
}

static void nor_are_they_written_to(void **state)
{
	char link[PATH_MAX], good[PATH_MAX];
	struct vmsnap_error err = { 0 };
	(void)state;
	snprintf(link, sizeof(link), "%s/link", folder);
	snprintf(good, sizeof(good), "%s/good.vms", folder);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(symlink("a.vms", link), 0);
	const char *const refused[] = { path, link, "/dev/null", "/dev/fd/1", "/dev/stdout" };
	for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++) {
		assert_int_equal(save_as(refused[i], VMSNAP_SAVE_REGULAR, &err), VMSNAP_ERR_ARGUMENT);
		if (!strstr(err.message, "regular file"))
			fail_msg("%s", err.message);
	}
	assert_int_equal(save_as(good, VMSNAP_SAVE_REGULAR, &err), VMSNAP_OK);
	assert_saved(good, 1);
}

static bool third_time(void *ctx)
{
	return ++*(int *)ctx == 3;
}

static void a_lock_of_another_is_waited_for_while_that_is_wanted(void **state)
{
	int asked = 0;
	struct vmsnap_save_options options = { .size = sizeof(options), .cancelled = third_time, .cancel_ctx = &asked };
	struct vmsnap_error err = { 0 };
	const struct vmsnap *const snaps[] = { snap };
	(void)state;
	assert_int_equal(save_as(path, 0, &err), VMSNAP_OK);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_int_equal(flock(fd, LOCK_EX), 0);
	assert_int_equal(vmsnap_save_with(path, snaps, 1, &options, &err), VMSNAP_ERR_CANCELLED);
	assert_int_equal(asked, 3);
	close(fd);
	/* And while it is written: nothing of it is seen. */
	asked = 0;
	assert_int_equal(vmsnap_save_with(path, snaps, 1, &options, &err), VMSNAP_ERR_CANCELLED);
	assert_string_equal(err.message, "cancelled");
	assert_saved(path, 1);
	assert_int_equal(count_names(folder), 1);
	asked = 3;
	assert_int_equal(vmsnap_save_with(path, snaps, 1, &options, &err), VMSNAP_OK);
	options.size--;
	assert_int_equal(vmsnap_save_with(path, snaps, 1, &options, &err), VMSNAP_ERR_ARGUMENT);
}

/* What waits for a pipe would wait for ever: SIGALRM ends the test. */
static int do_not_hang(void **state)
{
	(void)state;
	alarm(WAIT_SECONDS);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_not_ours_is_refused_at_its_first_bytes),
		cmocka_unit_test(zeros_behind_a_header_are_refused_soon),
		cmocka_unit_test(zeros_behind_a_whole_snapshot_are_read_up_to_the_limit),
		cmocka_unit_test(a_section_longer_than_the_limit_is_refused_soon),
		cmocka_unit_test(a_stream_is_not_read_beyond_its_limit),
		cmocka_unit_test(a_stream_is_not_read_when_it_is_not_wanted),
		cmocka_unit_test(long_and_short_streams_are_read_whole),
		cmocka_unit_test(where_no_temporary_file_can_be_made_memory_serves),
		cmocka_unit_test(small_damage_is_passed_over_as_in_a_file),
		cmocka_unit_test(one_bit_costs_one_snapshot_however_many_follow),
		cmocka_unit_test(a_stream_takes_no_more_memory_than_a_file),
		cmocka_unit_test(a_copy_that_cannot_be_written_is_told),
		in_folder(pipes_and_devices_are_not_waited_for_if_so_asked),
		in_folder(nor_are_they_written_to),
		in_folder(a_lock_of_another_is_waited_for_while_that_is_wanted),
	};
	return cmocka_run_group_tests(tests, do_not_hang, NULL);
}
