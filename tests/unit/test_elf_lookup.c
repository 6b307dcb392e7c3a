/* What an ELF file's own symbol table says, against this program, which is one. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vmsnap.h"

enum { NAME_CUT = 200 };

static _Thread_local volatile int quiet_thread_local[3] = { 7, 8, 9 };
extern _Thread_local volatile char loud_thread_local;
_Thread_local volatile char loud_thread_local = 1;
extern const char bytes_to_find[16];
const char bytes_to_find[16] = "fifteen letters";

static char self[4096];

struct seen {
	uint64_t quiet, loud;
	size_t count;
	size_t most;
};

static bool see(void *ctx, const struct vmsnap_elf_symbol *symbol)
{
	struct seen *seen = ctx;
	assert_true(strlen(symbol->name) <= NAME_CUT && symbol->size > 0);
	if (strcmp(symbol->name, "quiet_thread_local") == 0) {
		seen->quiet = symbol->value + 1;
		assert_int_equal(symbol->size, sizeof(quiet_thread_local));
		assert_true(symbol->local);
	}
	if (strcmp(symbol->name, "loud_thread_local") == 0) {
		seen->loud = symbol->value + 1;
		assert_false(symbol->local);
	}
	return ++seen->count != seen->most;
}

static void thread_local_variables_are_where_they_are(void **state)
{
	(void)state;
	struct seen seen = { 0 };
	struct vmsnap_elf_tls tls = { .size = sizeof(tls) };
	assert_int_equal(vmsnap_elf_thread_locals(self, &tls, see, &seen, NULL), VMSNAP_OK);
	assert_true(tls.complete && seen.quiet && seen.loud);
	assert_true((uintptr_t)&loud_thread_local - (uintptr_t)quiet_thread_local == seen.loud - seen.quiet);
#ifdef __x86_64__
	/* The thread pointer is what pthread_self() gives here. */
	assert_true((uintptr_t)pthread_self() - tls.below_pointer + seen.quiet - 1 == (uintptr_t)quiet_thread_local);
#else
	assert_int_equal(tls.below_pointer, 0);
#endif
}

static void whoever_has_seen_enough_says_so(void **state)
{
	(void)state;
	struct seen seen = { .most = 1 };
	struct vmsnap_elf_tls tls = { .size = sizeof(tls) };
	assert_int_equal(vmsnap_elf_thread_locals(self, &tls, see, &seen, NULL), VMSNAP_OK);
	assert_int_equal(seen.count, 1);
	tls.size = 0;
	assert_int_equal(vmsnap_elf_thread_locals(self, &tls, see, &seen, NULL), VMSNAP_ERR_ARGUMENT);
}

static void a_symbol_lies_where_its_bytes_are(void **state)
{
	(void)state;
	uint64_t offset = 0;
	char bytes[sizeof(bytes_to_find)];
	assert_int_equal(vmsnap_elf_symbol_offset(self, "bytes_to_find", &offset, NULL), VMSNAP_OK);
	int fd = open(self, O_RDONLY);
	assert_int_equal(pread(fd, bytes, sizeof(bytes), (off_t)offset), sizeof(bytes));
	close(fd);
	assert_memory_equal(bytes, bytes_to_find, sizeof(bytes));
	assert_int_equal(vmsnap_elf_symbol_offset(self, "bytes_to_fin", &offset, NULL), VMSNAP_ERR_NOT_FOUND);
	/* Defined elsewhere. */
	assert_int_equal(vmsnap_elf_symbol_offset(self, "getpid", &offset, NULL), VMSNAP_ERR_NOT_FOUND);
}

static void what_is_no_elf_file_is_said(void **state)
{
	(void)state;
	uint64_t offset;
	struct vmsnap_error err;
	assert_int_equal(vmsnap_elf_symbol_offset("/nowhere", "x", &offset, &err), VMSNAP_ERR_SYSTEM);
	assert_int_equal(vmsnap_elf_symbol_offset("relative", "x", &offset, &err), VMSNAP_ERR_SYSTEM);
	assert_int_equal(vmsnap_elf_symbol_offset("/dev/zero", "x", &offset, &err), VMSNAP_ERR_SYSTEM);
	assert_int_equal(vmsnap_elf_symbol_offset("/etc/passwd", "x", &offset, &err), VMSNAP_ERR_NOT_FOUND);
}

static bool pass_over(void *ctx, const struct vmsnap_elf_symbol *symbol)
{
	*(size_t *)ctx += strlen(symbol->name);
	return true;
}

/* Of a copy: the header, the program headers and whatever the tables hold, changed. */
static void damaged_files_do_no_harm(void **state)
{
	(void)state;
	char path[] = "/tmp/vmsnap-elf-XXXXXX";
	struct stat status;
	int from = open(self, O_RDONLY), to = mkstemp(path);
	assert_true(from >= 0 && to >= 0 && fstat(from, &status) == 0);
	size_t size = (size_t)status.st_size, sum = 0;
	unsigned char *bytes = malloc(size);
	assert_true(bytes && read(from, bytes, size) == (ssize_t)size);
	close(from);
	unsigned seed = 1;
	for (int round = 0; round < 300; round++) {
		/* Mostly the headers, which lie at both ends. */
		size_t at = (size_t)rand_r(&seed) % 4096;
		at = round % 2 ? at % size : size - 1 - at % size;
		unsigned char before = bytes[at];
		bytes[at] = round % 3 ? (unsigned char)rand_r(&seed) : 0xff;
		size_t length = round % 5 ? size : (size_t)rand_r(&seed) % size;
		assert_int_equal(ftruncate(to, 0), 0);
		assert_int_equal(pwrite(to, bytes, length, 0), (ssize_t)length);
		struct vmsnap_elf_tls tls = { .size = sizeof(tls) };
		uint64_t offset;
		vmsnap_elf_thread_locals(path, &tls, pass_over, &sum, NULL);
		vmsnap_elf_symbol_offset(path, "bytes_to_find", &offset, NULL);
		bytes[at] = before;
	}
	assert_true(sum > 0);
	free(bytes);
	close(to);
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(thread_local_variables_are_where_they_are),
		cmocka_unit_test(whoever_has_seen_enough_says_so),
		cmocka_unit_test(a_symbol_lies_where_its_bytes_are),
		cmocka_unit_test(what_is_no_elf_file_is_said),
		cmocka_unit_test(damaged_files_do_no_harm),
	};
	ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);
	return len > 0 ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
