/* Which snapshots of a file a word means, where several processes are in it. */
#include "test_file_sample.h"

#include "vmsnap.h"

/* Two trees of a parent (10) and two children (11, 12), at times 1 and 2; then 10 alone at time
 * 3, without a label; then another process that got the number 11, at time 4. */
struct made {
	uint32_t pid, ppid;
	uint64_t start_time;
	int64_t taken;
	const char *label;
};
static const struct made all[] = {
	{ 10, 1, 100, 1, "before" }, { 11, 10, 110, 1, "before" }, { 12, 10, 120, 1, "before" },
	{ 10, 1, 100, 2, "after" },  { 11, 10, 110, 2, "after" },  { 12, 10, 120, 2, "after" },
	{ 10, 1, 100, 3, "" },       { 11, 1, 999, 4, "again" },   { 10, 1, 100, 5, "again..ten" },
};
enum { ALL = sizeof(all) / sizeof(all[0]) };

static struct vmsnap_file *file_of_all(uint8_t **bytes)
{
	struct vmsnap *snaps[ALL];
	struct vmsnap_file *file;
	size_t len;
	for (size_t i = 0; i < ALL; i++) {
		snaps[i] = sample_small(all[i].label);
		snaps[i]->info.pid = snaps[i]->info.tgid = all[i].pid;
		snaps[i]->info.ppid = all[i].ppid;
		snaps[i]->info.start_time = all[i].start_time;
		snaps[i]->info.taken = all[i].taken;
		snaps[i]->info.monotonic = all[i].taken;
	}
	*bytes = sample_bytes(snaps, ALL, &len);
	assert_int_equal(vmsnap_file_open_memory(*bytes, len, NULL, &file, NULL), VMSNAP_OK);
	for (size_t i = 0; i < ALL; i++)
		vmsnap_unref(snaps[i]);
	return file;
}

static void words_mean_one_snapshot(void **state)
{
	static const struct {
		const char *word;
		size_t index;
	} cases[] = {
		{ "1", 0 },
		{ "-1", 8 },
		{ "pid:12", 5 },
		{ "pid:10", 8 },
		{ "pid:10@1", 0 },
		{ "pid:10@2", 3 },
		{ "pid:10@-1", 8 },
		{ "pid:10@-2", 6 },
		{ "pid:11@1", 1 },
		{ "pid:11@3", 7 },
		{ "pid:11@before", 1 },
		{ "pid:12@after", 5 },
		{ "pid:12@label:after", 5 },
		{ "again", 7 },
		{ "label:again..ten", 8 },
		{ "pid:10@label:again..ten", 8 },
		{ "2..2", 1 },
	};
	uint8_t *bytes;
	struct vmsnap_file *file = file_of_all(&bytes);
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t index = 99;
		struct vmsnap_error err;
		if (vmsnap_file_find(file, cases[i].word, &index, &err))
			fail_msg("%s: %s", cases[i].word, err.message);
		if (index != cases[i].index)
			fail_msg("%s: %zu, not %zu", cases[i].word, index, cases[i].index);
	}
	vmsnap_file_close(file);
	free(bytes);
}

static void what_is_of_several_is_refused(void **state)
{
	static const struct {
		const char *word;
		int code;
		const char *says;
	} cases[] = {
		{ "before", VMSNAP_ERR_ARGUMENT, "several processes have the label \"before\" (11, 12, …)" },
		{ "label:after", VMSNAP_ERR_ARGUMENT, "@pid:11@after" },
		{ "pid:11", VMSNAP_ERR_ARGUMENT, "two processes had the number 11" },
		{ "1..3", VMSNAP_ERR_ARGUMENT, "1..3 are 3 snapshots" },
		{ "3..1", VMSNAP_ERR_ARGUMENT, "snapshot 1 comes before snapshot 3" },
		{ "pid:13", VMSNAP_ERR_NOT_FOUND, "no snapshot of process 13" },
		{ "pid:10@9", VMSNAP_ERR_NOT_FOUND, "the file holds 4 of it" },
		{ "pid:10@0", VMSNAP_ERR_NOT_FOUND, "" },
		{ "pid:10@nobody", VMSNAP_ERR_NOT_FOUND, "no snapshot of process 10 has the label \"nobody\"" },
		{ "pid:", VMSNAP_ERR_NOT_FOUND, "expected pid:PID" },
		{ "pid:x", VMSNAP_ERR_NOT_FOUND, "expected pid:PID" },
		{ "pid:10@", VMSNAP_ERR_NOT_FOUND, "expected the number or the label" },
		{ "1..", VMSNAP_ERR_NOT_FOUND, "" },
		{ "..1", VMSNAP_ERR_NOT_FOUND, "" },
		{ "1..99", VMSNAP_ERR_NOT_FOUND, "there is no snapshot 99" },
	};
	uint8_t *bytes;
	struct vmsnap_file *file = file_of_all(&bytes);
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t index;
		struct vmsnap_error err = { 0 };
		int rc = vmsnap_file_find(file, cases[i].word, &index, &err);
		if (rc != cases[i].code || !strstr(err.message, cases[i].says))
			fail_msg("%s: %d, %s", cases[i].word, rc, err.message);
	}
	vmsnap_file_close(file);
	free(bytes);
}

static void assert_selected(const struct vmsnap_file *file, const char *word, size_t first, size_t count)
{
	size_t at = 99, found = 99;
	struct vmsnap_error err;
	if (vmsnap_file_select(file, word, &at, &found, &err))
		fail_msg("%s: %s", word, err.message);
	assert_int_equal(at, first);
	assert_int_equal(found, count);
}

static void ranges_go_from_one_to_another(void **state)
{
	uint8_t *bytes;
	struct vmsnap_file *file = file_of_all(&bytes);
	(void)state;
	assert_selected(file, "4..6", 3, 3);
	assert_selected(file, "2..-1", 1, 8);
	assert_selected(file, "pid:11@1..pid:12@after", 1, 5);
	assert_selected(file, "7", 6, 1);
	vmsnap_file_close(file);
	free(bytes);
}

static void an_instant_is_what_was_taken_together(void **state)
{
	static const struct {
		size_t index, first, count;
	} cases[] = { { 0, 0, 3 }, { 2, 0, 3 }, { 4, 3, 3 }, { 6, 6, 1 }, { 7, 7, 1 }, { 8, 8, 1 } };
	uint8_t *bytes;
	struct vmsnap_file *file = file_of_all(&bytes);
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t first, count;
		assert_int_equal(vmsnap_file_instant(file, cases[i].index, &first, &count, NULL), VMSNAP_OK);
		assert_int_equal(first, cases[i].first);
		assert_int_equal(count, cases[i].count);
	}
	size_t first, count;
	assert_int_equal(vmsnap_file_instant(file, ALL, &first, &count, NULL), VMSNAP_ERR_NOT_FOUND);
	vmsnap_file_close(file);
	free(bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_mean_one_snapshot),
		cmocka_unit_test(what_is_of_several_is_refused),
		cmocka_unit_test(ranges_go_from_one_to_another),
		cmocka_unit_test(an_instant_is_what_was_taken_together),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
