/* A series for people: which columns there are, what stands at a row's end, pictures, names that nobody vouches for. */
#include "sparkline.h"
#include "test_print_support.h"

enum { MOST = 8 };
#define SECOND INT64_C(1000000000)
#define MIB    (UINT64_C(1) << 20)

struct session {
	struct vmsnap *snaps[MOST];
	size_t count;
};

static struct vmsnap *add(struct session *session)
{
	struct vmsnap *snap = bare_snapshot();
	snap->info.taken += (int64_t)session->count * 10 * SECOND;
	snap->info.boottime = (uint64_t)(100 * SECOND + (int64_t)session->count * 10 * SECOND);
	session->snaps[session->count++] = snap;
	return snap;
}

/* A heap of so many MiB, and a file if its name is not NULL. */
static void add_sized(struct session *session, uint64_t heap, const char *name)
{
	uint32_t rw = VMSNAP_PERM_READ | VMSNAP_PERM_WRITE;
	struct vmsnap *snap = add(session);
	put_vma(snap, 64 * MIB, (64 + heap) * MIB, rw, 0, "[heap]");
	if (name)
		put_vma(snap, 512 * MIB, 516 * MIB, rw, 9, name);
	put_pages(snap, 64 * MIB, heap * MIB / PAGE, ENTRY(VMSNAP_PAGE_PRESENT | VMSNAP_PAGE_EXCLUSIVE, 0x1000));
	if (name)
		put_pages(snap, 512 * MIB, 4 * MIB / PAGE, ENTRY(VMSNAP_PAGE_PRESENT | VMSNAP_PAGE_FILE, 0x9000));
}

static struct catch *print(const struct session *session, int by, uint64_t min, bool json, unsigned width)
{
	struct catch *caught = catch_new();
	const struct vmsnap_series_options options = { .size = sizeof(options), .by = by };
	const struct vmsnap *snaps[MOST];
	struct vmsnap_series *series;
	for (size_t i = 0; i < session->count; i++)
		snaps[i] = session->snaps[i];
	caught->out.style.json = json;
	caught->out.style.width = width;
	assert_int_equal(vmsnap_series_of(snaps, session->count, &options, &series, NULL), VMSNAP_OK);
	assert_int_equal(vmsnap_print_series(series, min, &caught->out, &caught->err), VMSNAP_OK);
	vmsnap_series_close(series);
	return caught;
}

static void free_session(struct session *session)
{
	for (size_t i = 0; i < session->count; i++)
		vmsnap_unref(session->snaps[i]);
}

static void rows_say_what_grew_came_and_went(void **state)
{
	struct session s = { 0 };
	(void)state;
	add_sized(&s, 2, NULL);
	add_sized(&s, 22, "/usr/lib/libx.so");
	add_sized(&s, 23, NULL);
	struct catch *caught = print(&s, VMSNAP_SERIES_BY_MAPPING, MIB, false, 0);
	assert_has(caught, " RESIDENT [heap] libx.so");
	assert_has(caught, "[heap] +20.0M, libx.so +4.00M (came), 1 came\n");
	assert_has(caught, "libx.so -4.00M (went), [heap] +1.00M, 1 went\n");
	assert_has(caught, "3 snapshots in 20.0 s\n");
	assert_has(caught, "[heap]                   ▁██   2.00M →   23.0M  +21.0M, 1.05M/s\n");
	assert_has(caught, "libx.so                   █        0 →       0, at most 4.00M\n");
	caught = print(&s, VMSNAP_SERIES_BY_MAPPING, 8 * MIB, false, 0);
	assert_lacks(caught, "libx.so +");
	assert_has(caught, "1 more changed, each by less than 8.00M\n");
	free_session(&s);
}

static void what_has_no_column_is_in_others(void **state)
{
	struct session s = { 0 };
	(void)state;
	add_sized(&s, 2, "/usr/lib/libx.so");
	add_sized(&s, 4, "/usr/lib/libx.so");
	struct catch *caught = print(&s, VMSNAP_SERIES_BY_MAPPING, MIB, false, 0);
	assert_has(caught, " RESIDENT [heap] OTHERS");
	assert_has(caught, "    6.00M  2.00M  4.00M\n");
	/* States are no parts of a whole. */
	assert_lacks(print(&s, VMSNAP_SERIES_BY_STATE, MIB, false, 0), "OTHERS");
	free_session(&s);
}

static void in_json_lines_that_changed_are_told(void **state)
{
	struct session s = { 0 };
	(void)state;
	add_sized(&s, 2, "/usr/lib/libx.so");
	add_sized(&s, 4, "/usr/lib/libx.so");
	struct catch *caught = print(&s, VMSNAP_SERIES_BY_MAPPING, 0, true, 0);
	assert_has(caught, "\"schema\": \"vmsnap.series/1\",\n \"by\": \"mapping\",\n \"min\": 0,\n");
	assert_has(caught, "\"first\": true, \"elapsed_us\": null, ");
	assert_has(caught, "\"first\": false, \"elapsed_us\": 10000000.000, ");
	assert_has(caught, "\"delta\": 2097152, \"rate\": 209715, \"lines\": [{\"id\": 1, \"name\": \"[heap]\", ");
	assert_has(caught, "\"changes\": [\"grown\"], \"moved_from\": null, \"into\": null}], \"blame\": null, \"error\": null}\n");
	free_session(&s);
}

static void names_and_headings_cannot_do_harm(void **state)
{
	struct session s = { 0 };
	(void)state;
	add_sized(&s, 2, NULL);
	add_sized(&s, 2, HOSTILE);
	for (int by = 0; by < VMSNAP_SERIES_BY_COUNT; by++)
		for (int json = 0; json < 2; json++)
			for (unsigned width = 0; width <= 120; width += 40)
				assert_harmless(print(&s, by, 0, json, width));
	free_session(&s);
}

static void two_files_of_one_name_have_two_headings(void **state)
{
	struct session s = { 0 };
	uint32_t rw = VMSNAP_PERM_READ | VMSNAP_PERM_WRITE;
	(void)state;
	for (uint64_t pages = 256; pages <= 1024; pages += 768) {
		struct vmsnap *snap = add(&s);
		put_vma(snap, 64 * MIB, 72 * MIB, rw, 7, "/old/libx.so");
		put_vma(snap, 80 * MIB, 88 * MIB, rw, 8, "/new/libx.so");
		put_pages(snap, 64 * MIB, pages, ENTRY(VMSNAP_PAGE_PRESENT | VMSNAP_PAGE_FILE, 0x1000));
		put_pages(snap, 80 * MIB, pages, ENTRY(VMSNAP_PAGE_PRESENT | VMSNAP_PAGE_FILE, 0x9000));
	}
	assert_has(print(&s, VMSNAP_SERIES_BY_MAPPING, MIB, false, 0), " libx.so /old/libx.so");
	free_session(&s);
}

static void several_processes_are_not_mixed_up(void **state)
{
	struct session s = { 0 };
	struct catch *caught = catch_new();
	struct vmsnap_series *series;
	(void)state;
	add_sized(&s, 2, NULL);
	add_sized(&s, 2, NULL);
	s.snaps[1]->info.pid = 43;
	const struct vmsnap *snaps[] = { s.snaps[0], s.snaps[1] };
	assert_int_equal(vmsnap_series_of(snaps, 2, NULL, &series, NULL), VMSNAP_OK);
	assert_int_equal(vmsnap_print_series(series, 0, &caught->out, &caught->err), VMSNAP_ERR_ARGUMENT);
	assert_non_null(strstr(caught->err.message, "there are 2 processes: 42 (demo), 43 (demo); choose one"));
	assert_int_equal(caught->len, 0);
	vmsnap_series_close(series);
	caught = print(&s, VMSNAP_SERIES_BY_PROCESS, 0, false, 0);
	assert_has(caught, "RSS_SUM 43_demo 42_demo ");
	free_session(&s);
}

static void a_picture_goes_from_the_lowest_to_the_highest(void **state)
{
	char out[SPARKLINE_ROOM];
	const uint64_t values[] = { 10, 20, 17, UINT64_MAX };
	(void)state;
	sparkline(out, values, 3, true);
	assert_string_equal(out, "▁█▆");
	sparkline(out, values, 3, false);
	assert_string_equal(out, "096");
	/* What is absent is nothing. */
	sparkline(out, values, 4, false);
	assert_string_equal(out, "598 ");
	sparkline(out, values, 1, true);
	assert_string_equal(out, "▄");
	sparkline(out, (const uint64_t[]){ 0, UINT64_MAX - 1 }, 2, true);
	assert_string_equal(out, "▁█");
	sparkline(out, values, 0, true);
	assert_string_equal(out, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_say_what_grew_came_and_went),
		cmocka_unit_test(what_has_no_column_is_in_others),
		cmocka_unit_test(in_json_lines_that_changed_are_told),
		cmocka_unit_test(names_and_headings_cannot_do_harm),
		cmocka_unit_test(two_files_of_one_name_have_two_headings),
		cmocka_unit_test(several_processes_are_not_mixed_up),
		cmocka_unit_test(a_picture_goes_from_the_lowest_to_the_highest),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
