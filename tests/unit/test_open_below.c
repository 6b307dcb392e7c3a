/* Nothing leads out of the root: neither by the kernel's own way nor step by step. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "open_below.h"

struct place {
	char folder[32];
	int root;
};

/* A root with files and links in it, and beside it what must not be reached. */
static int setup(void **state)
{
	struct place *place = calloc(1, sizeof(*place));
	strcpy(place->folder, "/tmp/vmsnap-below-XXXXXX");
	int at = place && mkdtemp(place->folder) ? open(place->folder, O_PATH | O_DIRECTORY) : -1;
	static const char *const folders[] = { "root", "root/lib", "root/lib/deep", "root/usr" };
	static const char *const files[] = { "secret", "root/top", "root/lib/a.so", "root/lib/deep/b.so" };
	static const char *const links[][2] = {
		{ "/lib/a.so", "absolute" },     { "lib/a.so", "relative" },  { "../secret", "up" },
		{ "/../secret", "absolute-up" }, { "/etc/passwd", "passwd" }, { "/lib", "folder" },
		{ "../lib/deep", "usr/deep" },   { "loop", "loop" },          { "gone", "dangling" },
		{ "/", "slash" },                { "folder/deep", "twice" },  { ".", "dot" },
	};
	for (size_t i = 0; i < sizeof(folders) / sizeof(*folders); i++)
		assert_int_equal(mkdirat(at, folders[i], 0700), 0);
	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++)
		assert_int_equal(close(openat(at, files[i], O_WRONLY | O_CREAT, 0600)), 0);
	place->root = openat(at, "root", O_PATH | O_DIRECTORY);
	for (size_t i = 0; i < sizeof(links) / sizeof(*links); i++)
		assert_int_equal(symlinkat(links[i][0], place->root, links[i][1]), 0);
	close(at);
	*state = place;
	return 0;
}

static int teardown(void **state)
{
	struct place *place = *state;
	char command[64];
	close(place->root);
	snprintf(command, sizeof(command), "rm -rf '%s'", place->folder);
	int rc = system(command);
	free(place);
	return rc;
}

typedef int opener(int root, const char *path);
static opener *const OPENERS[] = { open_below, open_below_by_steps };

/* `file`, named below the root without a link, is what `path` opens. */
static void expect_opens(const struct place *place, const char *path, const char *file)
{
	struct stat found, meant;
	assert_int_equal(fstatat(place->root, file, &meant, AT_SYMLINK_NOFOLLOW), 0);
	for (size_t i = 0; i < 2; i++) {
		int fd = OPENERS[i](place->root, path);
		if (fd < 0)
			fail_msg("%s is not opened by way %zu: %s", path, i, strerror(errno));
		assert_int_equal(fstat(fd, &found), 0);
		assert_int_equal(found.st_ino, meant.st_ino);
		assert_int_equal(found.st_dev, meant.st_dev);
		close(fd);
	}
}

static void expect_error(const struct place *place, const char *path, int error)
{
	for (size_t i = 0; i < 2; i++) {
		errno = 0;
		assert_int_equal(OPENERS[i](place->root, path), -1);
		if (errno != error)
			fail_msg("%.40s by way %zu: %s", path, i, strerror(errno));
	}
}

static void plain_paths_are_found(void **state)
{
	expect_opens(*state, "/top", "top");
	expect_opens(*state, "top", "top");
	expect_opens(*state, "//lib/./deep///b.so", "lib/deep/b.so");
	expect_opens(*state, "/lib/deep/../a.so", "lib/a.so");
	expect_opens(*state, "/lib/", "lib");
	expect_opens(*state, "/", ".");
}

static void links_are_those_of_the_root(void **state)
{
	expect_opens(*state, "/absolute", "lib/a.so");
	expect_opens(*state, "/relative", "lib/a.so");
	expect_opens(*state, "/folder/a.so", "lib/a.so");
	expect_opens(*state, "/usr/deep/b.so", "lib/deep/b.so");
	expect_opens(*state, "/usr/deep/../a.so", "lib/a.so");
	expect_opens(*state, "/twice/b.so", "lib/deep/b.so");
	expect_opens(*state, "/slash/dot/slash/top", "top");
	expect_opens(*state, "/slash", ".");
}

static void nothing_leads_out(void **state)
{
	expect_error(*state, "/up", ENOENT);
	expect_error(*state, "/absolute-up", ENOENT);
	expect_error(*state, "/../secret", ENOENT);
	expect_error(*state, "/lib/../../secret", ENOENT);
	expect_error(*state, "/passwd", ENOENT);
	expect_opens(*state, "/..", ".");
	expect_opens(*state, "/../../top", "top");
}

static void what_is_no_path_is_an_error(void **state)
{
	expect_error(*state, "", ENOENT);
	expect_error(*state, "/dangling", ENOENT);
	expect_error(*state, "/loop", ELOOP);
	expect_error(*state, "/top/", ENOTDIR);
	expect_error(*state, "/top/..", ENOTDIR);
	expect_error(*state, "/absolute/x", ENOTDIR);
	char name[NAME_MAX + 3] = "/";
	memset(name + 1, 'n', NAME_MAX + 1);
	expect_error(*state, name, ENAMETOOLONG);
	char *path = malloc(PATH_MAX + 1);
	assert_non_null(path);
	for (size_t i = 0; i < PATH_MAX; i++)
		path[i] = "./"[i % 2];
	path[PATH_MAX] = '\0';
	expect_error(*state, path, ENAMETOOLONG);
	path[PATH_MAX - 1] = '\0';
	expect_opens(*state, path, ".");
	free(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(plain_paths_are_found, setup, teardown),
		cmocka_unit_test_setup_teardown(links_are_those_of_the_root, setup, teardown),
		cmocka_unit_test_setup_teardown(nothing_leads_out, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_no_path_is_an_error, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
