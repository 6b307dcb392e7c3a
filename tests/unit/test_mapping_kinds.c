/* What people call each mapping. */
#define _GNU_SOURCE
#include "names_make.h"

static const uint32_t R = VMSNAP_PERM_READ, RW = VMSNAP_PERM_READ | VMSNAP_PERM_WRITE,
                      RX = VMSNAP_PERM_READ | VMSNAP_PERM_EXEC;

static struct vmsnap_vma *put(struct vmsnap *snap, uint32_t perms, const char *name, uint64_t inode)
{
	uint64_t start = snap->vma_count ? snap->vmas[snap->vma_count - 1].end + 0x10000 : BASE;
	struct vmsnap_vma *vma = made_vma(snap, start, start + 0x4000, perms, name);
	vma->inode = inode;
	vma->dev_minor = inode ? 1 : 0;
	return vma;
}

static void expect_kinds(const struct vmsnap *snap, struct vmsnap_names *names, const char *expected)
{
	uint8_t kinds[64];
	char text[1024] = "";
	struct vmsnap_error err = { 0 };
	assert_true(vmsnap_vma_count(snap) <= sizeof(kinds));
	assert_int_equal(vmsnap_mapping_kinds(snap, names, kinds, &err), VMSNAP_OK);
	for (size_t i = 0; i < vmsnap_vma_count(snap); i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s", i ? " " : "",
		         vmsnap_mapping_kind_name(kinds[i]));
	assert_string_equal(text, expected);
}

static void files_are_programs_libraries_shared_memory_or_files(void **state)
{
	(void)state;
	struct vmsnap *snap = made_snapshot();
	snap->info.exe = "/bin/demo (deleted)";
	put(snap, RX, "/bin/demo (deleted)", 1);
	put(snap, RW, "/bin/demo (deleted)", 1);
	put(snap, RX, "/bin/demo", 2); /* another file of that name */
	put(snap, R, "/lib/a.so", 3);
	put(snap, RX, "/lib/a.so", 3);
	put(snap, R, "/usr/lib/locale/C.utf8/LC_CTYPE", 4);
	put(snap, RW | VMSNAP_PERM_SHARED, "/memfd:ring (deleted)", 5);
	put(snap, RX | VMSNAP_PERM_SHARED, "/memfd:jit (deleted)", 6);
	put(snap, RW | VMSNAP_PERM_SHARED, "/dev/zero (deleted)", 7);
	put(snap, RW | VMSNAP_PERM_SHARED, "/SYSV00000000 (deleted)", 0)->dev_minor = 1;
	put(snap, RW | VMSNAP_PERM_SHARED, "/var/lib/data", 8);
	put(snap, RW | VMSNAP_PERM_SHARED, "[anon_shmem:ring]", 9);
	expect_kinds(snap, NULL,
	             "program program library library library file shared shared shared shared file shared");
	vmsnap_unref(snap);
}

static void the_program_is_where_its_code_lies(void **state)
{
	(void)state;
	struct vmsnap *snap = made_snapshot();
	snap->info.exe = "/memfd:payload (deleted)";
	snap->info.start_code = put(snap, RX, "/memfd:payload (deleted)", 5)->start + 8;
	put(snap, R, "/memfd:payload (deleted)", 5);
	put(snap, R, "/memfd:payload (deleted)", 6);
	expect_kinds(snap, NULL, "program program shared");
	vmsnap_unref(snap);
}

static void names_of_the_kernel_tell_what_they_name(void **state)
{
	(void)state;
	struct vmsnap *snap = made_snapshot();
	const char *const given[] = { "[heap]", "[stack]",  "[stack:12]", "[vvar]",    "[vdso]",
		                      "",       "[anon:x]", "[uprobes]",  "[vsyscall]" };
	for (size_t i = 0; i < sizeof(given) / sizeof(*given); i++)
		put(snap, RW, given[i], 0);
	put(snap, RW | VMSNAP_PERM_SHARED, "", 0);
	expect_kinds(snap, NULL, "heap stack thread_stack vdso vdso anonymous anonymous vdso vdso shared");
	vmsnap_unref(snap);
}

static void stacks_of_threads_have_guards(void **state)
{
	(void)state;
	static const struct vmsnap_thread threads[] = { { .tid = 100, .stack_pointer = 0x7f0000000100 },
		                                        { .tid = 101, .stack_pointer = BASE + 0x5800 } };
	struct vmsnap *snap = made_snapshot();
	made_vma(snap, BASE, BASE + 0x1000, 0, "");
	made_vma(snap, BASE + 0x1000, BASE + 0x6000, RW, "");
	made_vma(snap, BASE + 0x10000, BASE + 0x11000, 0, "");
	snap->threads = malloc(sizeof(threads));
	assert_non_null(snap->threads);
	memcpy(snap->threads, threads, sizeof(threads));
	snap->thread_count = 2;
	expect_kinds(snap, NULL, "thread_stack thread_stack anonymous");
	vmsnap_unref(snap);
}

/* A heap of malloc's lies at a multiple of 64 MiB. */
static void arenas_are_heaps_and_what_is_reserved(void **state)
{
	(void)state;
	const uint64_t heap = UINT64_C(0x7f0040000000);
	struct vmsnap *snap = made_snapshot();
	made_vma(snap, heap, heap + 0x21000, RW, "");
	made_vma(snap, heap + 0x21000, heap + (64 << 20), 0, "");
	snap->annotations = calloc(1, sizeof(*snap->annotations));
	assert_non_null(snap->annotations);
	snap->annotations[snap->annotation_count++] = (struct vmsnap_annotation){ .address = heap,
		                                                                  .size = 0x21000,
		                                                                  .kind = VMSNAP_ANNOTATION_OTHER,
		                                                                  .function = "",
		                                                                  .symbol = "malloc heap",
		                                                                  .type = VMSNAP_MALLOC_HEAP };
	expect_kinds(snap, NULL, "arena arena");
	vmsnap_unref(snap);
}

static void bss_is_of_its_file_if_that_may_be_read(void **state)
{
	struct place *place = *state;
	place_lib(place, "/lib/made.so", &(struct lib){ .id = 3 });
	struct vmsnap *snap = made_snapshot();
	made_mapping(snap, BASE, "/lib/made.so", 3);
	struct vmsnap_names *names = made_names(snap, place->root);
	expect_kinds(snap, NULL, "library library anonymous");
	expect_kinds(snap, names, "library library library");
	/* What lies behind it is merged with it, and is most of it. */
	snap->vmas[2].end += 0x100000;
	expect_kinds(snap, names, "library library anonymous");
	struct vmsnap *other = made_snapshot();
	uint8_t kinds[4];
	assert_int_equal(vmsnap_mapping_kinds(other, names, kinds, NULL), VMSNAP_ERR_ARGUMENT);
	vmsnap_unref(other);
	vmsnap_names_free(names);
	vmsnap_unref(snap);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_are_programs_libraries_shared_memory_or_files),
		cmocka_unit_test(the_program_is_where_its_code_lies),
		cmocka_unit_test(names_of_the_kernel_tell_what_they_name),
		cmocka_unit_test(stacks_of_threads_have_guards),
		cmocka_unit_test(arenas_are_heaps_and_what_is_reserved),
		cmocka_unit_test_setup_teardown(bss_is_of_its_file_if_that_may_be_read, place_setup, place_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
