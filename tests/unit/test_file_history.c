/* The history of a page through a file is that of the same snapshots in memory, but for what did not change, whatever
 * lies around the page. */
#define _GNU_SOURCE
#include <unistd.h>

#include "file_load.h"
#include "test_diff_fixture.h"

enum { SNAPS = 12, PAGES = 200 };

struct caught {
	char text[1 << 20];
	size_t len;
};

static int write_to(void *ctx, const char *text, size_t len)
{
	struct caught *caught = ctx;
	assert_true(caught->len + len < sizeof(caught->text));
	memcpy(caught->text + caught->len, text, len);
	caught->len += len;
	caught->text[caught->len] = '\0';
	return 0;
}

static struct vmsnap_output output_to(struct caught *caught)
{
	struct vmsnap_output output = { .size = sizeof(output), .write = write_to, .ctx = caught };
	output.style = (struct vmsnap_style){ .size = sizeof(output.style), .json = true };
	caught->len = 0;
	return output;
}

/* Scattered pages, enough for several sections, of which some change; the last mapping moves now and then. */
static struct vmsnap *make(size_t number, uint64_t *random, uint64_t *frames)
{
	struct vmsnap *snap = make_snap();
	uint64_t moved = number % 5 == 4 ? 4000 : 3000;
	snap->info.pid = 7;
	snap->info.comm = "demo";
	snap->info.taken = (int64_t)(1700000000 + number) * 1000000000;
	snap->info.boottime = (100 + number) * 1000000000;
	snap->info.faults = 50 * number;
	add_anon(snap, 16, 16 + PAGES, "rw-p", "[heap]");
	add_anon(snap, moved, moved + 40, "rw-p", "");
	for (size_t i = 0; i < PAGES; i++) {
		if (random_below(random, 8) == 0)
			frames[i] = random_below(random, 5) ? 10000 + random_below(random, 100000) : 0;
		if (frames[i])
			add_pages(snap, 16 + i, 1, OWNED(frames[i]));
	}
	for (size_t i = 0; i < 40; i++)
		add_pages(snap, moved + i, 1, OWNED(500000 + 3 * i));
	return snap;
}

/* Rows of a history are lines; of one in a file each ends with when it was taken, and its number. */
static size_t row_of(const char *line)
{
	const char *index = strstr(line, "\"index\": ");
	return index ? strtoul(index + strlen("\"index\": "), NULL, 10) : 0;
}

static const char *row_at(const char *text, size_t number)
{
	const char *line = strstr(text, "\n  {");
	while (line && number--)
		line = strstr(line + 1, "\n  {");
	return line ? line + 1 : NULL;
}

static bool same_until_taken(const char *in_file, const char *in_memory)
{
	/* What they are called is not the same. */
	in_file = strstr(in_file, "\"pid\"");
	in_memory = strstr(in_memory, "\"pid\"");
	const char *end = strstr(in_memory, "}\n");
	const char *other = strstr(in_memory, "},\n");
	end = other && (!end || other < end) ? other : end;
	return !strncmp(in_file, in_memory, (size_t)(end - in_memory));
}

static bool says_nothing(const char *row)
{
	const char *end = strchr(row, '\n');
	const char *changes = strstr(row, "\"changes\": []"),
	           *moved = strstr(row, "\"moved_from\": null, \"moved_to\": null, "
	                                "\"replaced\": false");
	return changes && changes < end && moved && moved < end;
}

static void compare_histories(const struct vmsnap_file *file, const struct vmsnap *const *snaps, uint64_t address,
                              struct caught *in_file, struct caught *in_memory)
{
	struct vmsnap_output output = output_to(in_file);
	assert_int_equal(vmsnap_print_file_history(file, NULL, address, &output, NULL), VMSNAP_OK);
	output = output_to(in_memory);
	assert_int_equal(vmsnap_print_history(snaps, NULL, SNAPS, address, &output, NULL), VMSNAP_OK);
	size_t next = 0;
	for (size_t i = 0; i < SNAPS; i++) {
		const char *expected = row_at(in_memory->text, i), *got = row_at(in_file->text, next);
		if (got && row_of(got) == i + 1) {
			assert_true(same_until_taken(got, expected));
			next++;
		} else {
			assert_true(says_nothing(expected));
		}
	}
	assert_null(row_at(in_file->text, next));
}

static void history_in(const char *path, unsigned flags)
{
	static struct caught in_file, in_memory;
	uint64_t frames[PAGES] = { 0 }, random = 88172645463325252;
	struct vmsnap *made[SNAPS];
	const struct vmsnap *snaps[SNAPS];
	struct vmsnap_file *file;
	for (size_t i = 0; i < SNAPS; i++)
		snaps[i] = made[i] = make(i, &random, frames);
	assert_int_equal(vmsnap_save(path, snaps, SNAPS, flags, NULL), VMSNAP_OK);
	assert_int_equal(vmsnap_file_open(path, NULL, &file, NULL), VMSNAP_OK);
	for (size_t page = 10; page < 16 + PAGES; page += 7)
		compare_histories(file, snaps, PAGE_AT(page), &in_file, &in_memory);
	for (size_t page = 2999; page < 4041; page += 13)
		compare_histories(file, snaps, PAGE_AT(page), &in_file, &in_memory);
	vmsnap_file_close(file);
	for (size_t i = 0; i < SNAPS; i++)
		vmsnap_unref(made[i]);
	assert_int_equal(unlink(path), 0);
}

static void it_is_that_of_the_snapshots_in_memory(void **state)
{
	char path[] = "/tmp/vmsnap-history-XXXXXX";
	(void)state;
	for (int delta = 0; delta < 2; delta++) {
		int fd = mkstemp(path);
		assert_true(fd >= 0);
		close(fd);
		history_in(path, delta ? VMSNAP_SAVE_DELTA : 0);
		memcpy(path + strlen(path) - 6, "XXXXXX", 6);
	}
}

/* Pages in several sections: only that of the address is read, and which one it is does not show. */
static void around_an_address_its_page_is_there(void **state)
{
	enum { MANY = 150000 };
	char path[] = "/tmp/vmsnap-history-XXXXXX";
	struct vmsnap *snap = make_snap();
	struct file_known around;
	struct vmsnap_file *file;
	(void)state;
	add_anon(snap, 16, 16 + 2 * MANY, "rw-p", "[heap]");
	for (uint64_t i = 0; i < MANY; i++)
		add_pages(snap, 16 + 2 * i, 1, OWNED(1 + (i * 7919) % 1000003));
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	close(fd);
	const struct vmsnap *snaps[] = { snap };
	assert_int_equal(vmsnap_save(path, snaps, 1, 0, NULL), VMSNAP_OK);
	assert_int_equal(vmsnap_file_open(path, NULL, &file, NULL), VMSNAP_OK);
	for (uint64_t page = 0; page < 16 + 2 * MANY + 4; page += 9973) {
		uint64_t expected, got;
		assert_int_equal(file_load_around(file, 0, PAGE_AT(page), NULL, 0, &around, NULL), VMSNAP_OK);
		vmsnap_pages_read(snap, PAGE_AT(page), 1, &expected);
		vmsnap_pages_read(around.snap, PAGE_AT(page), 1, &got);
		assert_int_equal(got, expected);
		assert_true(around.snap->runs.count <= 65536);
		vmsnap_unref(around.snap);
	}
	vmsnap_file_close(file);
	vmsnap_unref(snap);
	assert_int_equal(unlink(path), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_that_of_the_snapshots_in_memory),
		cmocka_unit_test(around_an_address_its_page_is_there),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
