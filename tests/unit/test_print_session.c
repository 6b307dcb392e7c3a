/* Snapshots in memory as a table, and one page's way through them. */
#include "test_print_support.h"

#include "annotate.h"

static const uint32_t rw = VMSNAP_PERM_READ | VMSNAP_PERM_WRITE;
static const uint32_t shared = VMSNAP_PAGE_PRESENT, own = VMSNAP_PAGE_PRESENT | VMSNAP_PAGE_EXCLUSIVE;

static struct vmsnap *snapshot(uint32_t pid, uint64_t entry)
{
	struct vmsnap *snap = bare_snapshot();
	snap->info.pid = snap->info.tgid = pid;
	snap->info.start_time = 5;
	put_vma(snap, 0x10000, 0x14000, rw, 0, "[heap]");
	if (entry)
		put_pages(snap, 0x10000, 2, entry);
	return snap;
}

struct session {
	struct vmsnap *snaps[5];
	const char *names[5];
	size_t count;
};

/* s1 at the fork; the child copies the page, the parent then has it alone; the page
 * goes away; the last one saw no frames. */
static struct session session_new(void)
{
	struct session s = { .snaps = { snapshot(42, ENTRY(shared, 0x100)), snapshot(43, ENTRY(shared, 0x100)),
		                        snapshot(43, ENTRY(own, 0x200)), snapshot(42, 0), snapshot(43, ENTRY(own, 0)) },
		             .names = { "s1", "s1.child", "s2", "s3", "s4" },
		             .count = 5 };
	s.snaps[4]->info.known.pfn = false;
	return s;
}

static void session_free(struct session s)
{
	for (size_t i = 0; i < s.count; i++)
		vmsnap_unref(s.snaps[i]);
}

static struct catch *history(const struct session *s, uint64_t address, bool json, bool raw)
{
	struct catch *caught = catch_new();
	caught->out.style.json = json;
	caught->out.style.raw = raw;
	const struct vmsnap *const *snaps = (const struct vmsnap *const *)s->snaps;
	assert_int_equal(vmsnap_print_history(snaps, s->names, s->count, address, &caught->out, NULL), VMSNAP_OK);
	return caught;
}

static struct catch *list(const struct session *s, bool named, bool json, bool raw)
{
	struct catch *caught = catch_new();
	caught->out.style.json = json;
	caught->out.style.raw = raw;
	const struct vmsnap *const *snaps = (const struct vmsnap *const *)s->snaps;
	assert_int_equal(vmsnap_print_snapshots(snaps, named ? s->names : NULL, s->count, &caught->out, NULL),
	                 VMSNAP_OK);
	return caught;
}

static void history_compares_with_the_last_row_of_the_same_process(void **state)
{
	(void)state;
	struct session s = session_new();
	struct catch *caught = history(&s, 0x10123, false, false);
	assert_string_equal(caught->text, "SNAPSHOT PID STATE     PFN PHYSICAL FLAGS     WHAT HAPPENED\n"
	                                  "s1        42 present 0x100 0x100123\n"
	                                  "s1.child  43 present 0x100 0x100123\n"
	                                  "s2        43 present 0x200 0x200123 exclusive pfn_changed,became_exclusive\n"
	                                  "s3        42 absent                           vanished\n"
	                                  "s4        43 present     ?        ? exclusive pfn_changed?,written?\n");
	session_free(s);
}

static void history_json_tells_what_is_unknown(void **state)
{
	(void)state;
	struct session s = session_new();
	struct catch *caught = history(&s, 0x10123, true, false);
	assert_has(caught, "\"schema\": \"vmsnap.history/1\",\n \"address\": \"0x10123\",\n");
	assert_has(caught, "{\"snapshot\": \"s1\", \"pid\": 42, ");
	assert_has(
	        caught,
	        "\"state\": \"present\", \"pfn\": \"0x100\", \"swap\": null, \"physical\": \"0x100123\", "
	        "\"flags\": [], \"touched\": [], \"changes\": null, \"frames_compared\": null, \"moved_from\": null, "
	        "\"moved_to\": null, \"replaced\": null, \"not_compared\": null, \"writes_known\": null}");
	assert_has(caught,
	           "\"pfn\": \"0x200\", \"swap\": null, \"physical\": \"0x200123\", \"flags\": [\"exclusive\"], "
	           "\"touched\": [], \"changes\": [\"pfn_changed\", \"became_exclusive\"], "
	           "\"frames_compared\": true, \"moved_from\": null, "
	           "\"moved_to\": null, \"replaced\": false, \"not_compared\": null, \"writes_known\": true}");
	assert_has(caught, "\"pfn\": null, \"swap\": null, \"physical\": null, \"flags\": [\"exclusive\"], "
	                   "\"touched\": [], \"changes\": [], \"frames_compared\": false, \"moved_from\": null, "
	                   "\"moved_to\": null, \"replaced\": false, \"not_compared\": null, \"writes_known\": false}");
	session_free(s);
}

static void history_of_an_unmapped_address_says_so(void **state)
{
	(void)state;
	struct session s = session_new();
	assert_has(history(&s, 0x20000, false, true), "\ns1 42 unmapped - - - - -\n");
	assert_has(history(&s, UINT64_MAX, true, false),
	           "\"mapped\": false, \"mapping\": null, \"state\": \"unmapped\"");
	session_free(s);
}

static void history_says_what_gdb_touched(void **state)
{
	(void)state;
	struct session s = session_new();
	struct vmsnap_annotation touched = {
		0x10fff, 1, VMSNAP_ANNOTATION_DEBUGGER_WRITE, 0, 0, "", "breakpoint 2", ""
	};
	assert_int_equal(test_annotate(s.snaps[2], &touched, 1, NULL), VMSNAP_OK);
	struct catch *caught = history(&s, 0x10000, false, false);
	assert_has(caught, "0x200000 exclusive breakpoint 2 pfn_changed,became_exclusive\n");
	assert_has(history(&s, 0x10000, true, false), "\"touched\": [\"breakpoint 2\"], ");
	assert_lacks(history(&s, 0x11000, false, false), "breakpoint");
	session_free(s);
}

static void process_with_a_reused_pid_is_another(void **state)
{
	(void)state;
	struct session s = session_new();
	s.snaps[2]->info.start_time = 6;
	assert_lacks(history(&s, 0x10000, false, false), "pfn_changed,");
	session_free(s);
}

static void snapshots_are_listed_with_their_reasons(void **state)
{
	(void)state;
	struct session s = session_new();
	s.snaps[1]->info.reason = "fork in main() at demo.c:12";
	s.snaps[2]->info.label = "late";
	struct catch *caught = list(&s, true, false, false);
	assert_has(caught, "NAME     TAKEN        PID COMM RESIDENT WHY\n");
	assert_has(caught, "\ns1.child ");
	assert_has(caught, ":20.123  43 demo    8.00K fork in main() at demo.c:12\n");
	assert_has(caught, ":20.123  42 demo        0");
	caught = list(&s, false, false, true);
	assert_has(caught, "\nlate 2023-11-1");
	caught = list(&s, true, true, false);
	assert_has(caught, "\"schema\": \"vmsnap.snapshots/1\"");
	assert_has(caught,
	           "{\"name\": \"s1.child\", \"resident\": 8192, \"swapped\": 0, \"mappings\": 1, \"threads\": 0, "
	           "\"pid\": 43, ");
	assert_has(caught, "\"reason\": \"fork in main() at demo.c:12\", ");
	assert_has(caught, "\"reason\": null, ");
	session_free(s);
}

static void times_of_several_days_have_their_date(void **state)
{
	(void)state;
	struct session s = session_new();
	s.snaps[3]->info.taken += INT64_C(86400) * 1000000000;
	s.snaps[4]->info.taken = 0;
	struct catch *caught = list(&s, true, false, false);
	assert_has(caught, "\ns1       2023-11-1");
	assert_has(caught, "\ns4       ? ");
	session_free(s);
}

static void nothing_to_list_is_a_heading(void **state)
{
	(void)state;
	struct session none = { .count = 0 };
	assert_has(list(&none, true, false, false), "NAME");
	assert_has(list(&none, true, true, false), "\"snapshots\": []");
	assert_has(history(&none, 0, true, false), "\"rows\": []");
}

static void hostile_names_and_reasons_do_no_harm(void **state)
{
	(void)state;
	struct session s = session_new();
	s.names[0] = s.snaps[0]->info.reason = s.snaps[0]->info.comm = s.snaps[0]->info.label = HOSTILE;
	for (int json = 0; json <= 1; json++) {
		for (int raw = 0; raw <= 1; raw++) {
			assert_harmless(list(&s, true, json, raw));
			assert_harmless(list(&s, false, json, raw));
			assert_harmless(history(&s, 0x10000, json, raw));
		}
	}
	session_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(history_compares_with_the_last_row_of_the_same_process),
		cmocka_unit_test(history_json_tells_what_is_unknown),
		cmocka_unit_test(history_of_an_unmapped_address_says_so),
		cmocka_unit_test(history_says_what_gdb_touched),
		cmocka_unit_test(process_with_a_reused_pid_is_another),
		cmocka_unit_test(snapshots_are_listed_with_their_reasons),
		cmocka_unit_test(times_of_several_days_have_their_date),
		cmocka_unit_test(nothing_to_list_is_a_heading),
		cmocka_unit_test(hostile_names_and_reasons_do_no_harm),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
