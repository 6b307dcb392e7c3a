/* fuzz_core.c - a core file of unknown origin: opened from memory and from a descriptor, as a file with holes, too;
 * what it becomes is looked at, printed, compared with itself, and written to a file of ours. */
#define _GNU_SOURCE
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"
#include "look.h"
#include "model.h"

enum { MEMORY_MAX = 4 << 20, HOLE = 1 << 20, PAGES_LOOKED_AT = 64 };

static const struct vmsnap_limits limits = { .size = sizeof(limits), .memory = MEMORY_MAX, .input_bytes = MEMORY_MAX };

static void check_error(int rc, const struct vmsnap_error *err)
{
	FUZZ_CHECK(rc == VMSNAP_ERR_NOT_SNAPSHOT || rc == VMSNAP_ERR_NEWER || rc == VMSNAP_ERR_CORRUPT ||
	           rc == VMSNAP_ERR_TRUNCATED || rc == VMSNAP_ERR_TOO_LARGE);
	FUZZ_CHECK(err->code == rc && err->message[0]);
}

/* NULL: it is refused. */
static struct vmsnap *load(int rc, struct vmsnap_file *file, const struct vmsnap_error *err)
{
	struct vmsnap *snap, *peeked;
	if (rc) {
		check_error(rc, err);
		return NULL;
	}
	bool one = vmsnap_file_count(file) == 1 && !vmsnap_file_load(file, 0, &snap, NULL);
	if (one) {
		FUZZ_CHECK(!vmsnap_file_peek(file, 0, &peeked, NULL));
		vmsnap_unref(peeked);
	}
	vmsnap_file_close(file);
	if (one && vmsnap_info(snap)->source != VMSNAP_SOURCE_CORE) {
		vmsnap_unref(snap); /* a file of ours: fuzz_file's */
		one = false;
	}
	return one ? snap : NULL;
}

/* Bytes, where there are any, are read though the file is closed, and have the hash that is told. */
static void check_contents(const struct vmsnap *snap)
{
	static uint8_t bytes[64 * 1024];
	uint64_t page_size = vmsnap_info(snap)->page_size, start, end, at = 0, last = 0;
	uint8_t hash[VMSNAP_CONTENTS_HASH_SIZE];
	size_t got;
	for (size_t i = 0; i < PAGES_LOOKED_AT && !vmsnap_contents_range(snap, at, &start, &end); i++) {
		FUZZ_CHECK(start >= last && (end > start || !end));
		FUZZ_CHECK(vmsnap_contents_held(snap, start, &at) == VMSNAP_HELD_BYTES && at > start);
		FUZZ_CHECK(!vmsnap_contents_read(snap, start, bytes, page_size, &got, NULL) && got == page_size);
		FUZZ_CHECK(!vmsnap_contents_hash(snap, start, hash));
		last = end;
		if (!end)
			break;
		at = end;
	}
}

static void check_same_contents(const struct vmsnap *a, const struct vmsnap *b)
{
	uint64_t at = 0, start, end;
	bool differ;
	for (size_t i = 0; i < PAGES_LOOKED_AT && !vmsnap_contents_compare(a, b, at, &start, &end, &differ); i++) {
		FUZZ_CHECK(!differ && end - 1 >= start);
		if (!end)
			break;
		at = end;
	}
}

static struct vmsnap *written_again(const struct vmsnap *snap)
{
	struct vmsnap_error err = { 0 };
	struct vmsnap_file *file;
	struct vmsnap *again;
	int fd = memfd_create("written", MFD_CLOEXEC);
	FUZZ_CHECK(fd >= 0);
	int rc = vmsnap_write_fd(fd, &snap, 1, &err);
	FUZZ_CHECK(!rc || err.message[0]);
	if (rc) {
		close(fd);
		return NULL;
	}
	FUZZ_CHECK(lseek(fd, 0, SEEK_SET) == 0 && !vmsnap_file_open_fd(fd, NULL, &file, &err));
	FUZZ_CHECK(!vmsnap_file_load(file, 0, &again, &err));
	vmsnap_file_close(file);
	close(fd);
	return again;
}

static void check(struct vmsnap *snap, uint32_t choice)
{
	model_check(snap);
	check_contents(snap);
	struct vmsnap *again = written_again(snap);
	if (again) {
		model_check(again);
		FUZZ_CHECK(vmsnap_vma_count(again) == vmsnap_vma_count(snap));
		check_same_contents(snap, again);
	}
	look_at_all(&snap, 1, choice);
	vmsnap_unref(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct vmsnap_error err = { 0 };
	struct vmsnap_file *file = NULL;
	int fd = memfd_create("core", MFD_CLOEXEC);
	FUZZ_CHECK(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	FUZZ_CHECK(!ftruncate(fd, (off_t)size + HOLE) && lseek(fd, 0, SEEK_SET) == 0);
	int rc = vmsnap_file_open_memory(data, size, &limits, &file, &err);
	struct vmsnap *of_memory = load(rc, file, &err);
	rc = vmsnap_file_open_fd(fd, &limits, &file, &err);
	struct vmsnap *of_file = load(rc, file, &err);
	FUZZ_CHECK(lseek(fd, 0, SEEK_CUR) == 0);
	close(fd);
	if (of_memory)
		check(of_memory, fuzz_hash(data, size));
	if (of_file)
		check(of_file, fuzz_hash(data, size) + 1);
	if (of_memory && of_file && vmsnap_info(of_memory)->page_size == vmsnap_info(of_file)->page_size)
		check_same_contents(of_memory, of_file);
	vmsnap_unref(of_memory);
	vmsnap_unref(of_file);
	return 0;
}
