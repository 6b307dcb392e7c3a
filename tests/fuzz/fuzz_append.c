/* fuzz_append.c - a snapshot is appended to a file of unknown origin.  What was
 * whole stays byte for byte; if nothing can be appended, the file stays as it was. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fuzz.h"
#include "model.h"
#include "snapshot.h"

enum { ENTRIES_MAX = 64, MEMORY_MAX = 4 << 20 };
static const struct vmsnap_limits limits = { .size = sizeof(limits), .memory = MEMORY_MAX };

/* In a folder of this process's own.  script/fuzz puts it in memory, so that fsync costs
 * nothing, and clears away what a process that crashed left there. */
static const char *file_name(void)
{
	static char name[PATH_MAX];
	if (!*name) {
		const char *parent = getenv("TMPDIR");
		snprintf(name, sizeof(name) - 5, "%s/vmsnap-fuzz-XXXXXX", parent && *parent ? parent : "/tmp");
		FUZZ_CHECK(mkdtemp(name));
		strcat(name, "/file");
	}
	return name;
}

/* Leaves no folder behind when the run ends as it should. */
__attribute__((destructor)) static void remove_folder(void)
{
	char folder[PATH_MAX];
	snprintf(folder, sizeof(folder), "%s", file_name());
	unlink(folder);
	*strrchr(folder, '/') = '\0';
	rmdir(folder);
}

static struct vmsnap *make_ours(void)
{
	struct vmsnap *snap = snapshot_new();
	FUZZ_CHECK(snap);
	snap->info.page_size = 4096;
	snap->info.label = "appended";
	snap->info.known.pfn = true;
	FUZZ_CHECK(!run_list_append(&snap->runs, 4096, 0x10000, 5, ENTRY_PRESENT | 77));
	return snap;
}

static void put_file(const uint8_t *data, size_t size)
{
	int fd = open(file_name(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	FUZZ_CHECK(fd >= 0 && write(fd, data, size) == (ssize_t)size && close(fd) == 0);
}

static uint8_t *get_file(size_t *size)
{
	struct stat st;
	int fd = open(file_name(), O_RDONLY | O_CLOEXEC);
	FUZZ_CHECK(fd >= 0 && fstat(fd, &st) == 0);
	*size = (size_t)st.st_size;
	uint8_t *bytes = malloc(*size + 1);
	FUZZ_CHECK(bytes && read(fd, bytes, *size) == (ssize_t)*size && close(fd) == 0);
	return bytes;
}

/* Every snapshot that could be found before is found now, where it was; those that
 * could be loaded give the same. */
static void check_kept(const struct vmsnap_file *before, const struct vmsnap_file *after)
{
	size_t count = vmsnap_file_count(before);
	FUZZ_CHECK(vmsnap_file_count(after) == count + 1);
	for (size_t i = 0; i < count && i < ENTRIES_MAX; i++) {
		struct vmsnap_file_entry a, b;
		struct vmsnap *snap_a, *snap_b;
		FUZZ_CHECK(vmsnap_file_entry(before, i, &a, NULL) == VMSNAP_OK);
		FUZZ_CHECK(vmsnap_file_entry(after, i, &b, NULL) == VMSNAP_OK);
		FUZZ_CHECK(a.offset == b.offset && a.bytes == b.bytes);
		int rc = vmsnap_file_load(before, i, &snap_a, NULL);
		FUZZ_CHECK(rc == vmsnap_file_load(after, i, &snap_b, NULL));
		if (rc)
			continue;
		model_check_same(snap_a, snap_b);
		vmsnap_unref(snap_a);
		vmsnap_unref(snap_b);
	}
}

static void check_appended(const uint8_t *data, size_t size, const struct vmsnap *ours, bool was_damaged,
                           const struct vmsnap_file *before)
{
	size_t now;
	uint8_t *bytes = get_file(&now);
	struct vmsnap_file *after;
	struct vmsnap *last;
	struct vmsnap_error err = { 0 };
	struct vmsnap_file_entry entry;
	FUZZ_CHECK(vmsnap_file_open_memory(bytes, now, &limits, &after, &err) == VMSNAP_OK);
	size_t count = vmsnap_file_count(after);
	FUZZ_CHECK(count && vmsnap_file_entry(after, count - 1, &entry, NULL) == VMSNAP_OK);
	FUZZ_CHECK(entry.offset + entry.bytes == now);
	/* What is before ours was there before; nothing but a torn end is gone.  To an
	 * empty file a header is added. */
	if (size) {
		FUZZ_CHECK(entry.offset <= size && memcmp(bytes, data, entry.offset) == 0);
		FUZZ_CHECK(entry.offset == size || was_damaged);
	}
	if (before)
		check_kept(before, after);
	FUZZ_CHECK(vmsnap_file_load(after, count - 1, &last, &err) == VMSNAP_OK);
	model_check_same(ours, last);
	vmsnap_unref(last);
	vmsnap_file_close(after);
	free(bytes);
}

static void check_untouched(const uint8_t *data, size_t size, int rc, const struct vmsnap_error *err)
{
	size_t now;
	uint8_t *bytes = get_file(&now);
	FUZZ_CHECK(now == size && (!size || memcmp(bytes, data, size) == 0));
	FUZZ_CHECK(err->code == rc && err->message[0]);
	free(bytes);
}

/* Once more, as what differs from that one: whatever stands before it. */
static void check_difference(const struct vmsnap *ours)
{
	const struct vmsnap *const snaps[] = { ours };
	struct vmsnap_error err = { 0 };
	FUZZ_CHECK(vmsnap_save(file_name(), snaps, 1, VMSNAP_SAVE_APPEND | VMSNAP_SAVE_DELTA, &err) == VMSNAP_OK);
	size_t now;
	uint8_t *bytes = get_file(&now);
	struct vmsnap_file *after;
	struct vmsnap *last;
	FUZZ_CHECK(vmsnap_file_open_memory(bytes, now, &limits, &after, &err) == VMSNAP_OK);
	FUZZ_CHECK(vmsnap_file_load(after, vmsnap_file_count(after) - 1, &last, &err) == VMSNAP_OK);
	model_check_same(ours, last);
	vmsnap_unref(last);
	vmsnap_file_close(after);
	free(bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct vmsnap_file *before = NULL;
	struct vmsnap_error err = { 0 };
	struct vmsnap *ours = make_ours();
	const struct vmsnap *snaps[] = { ours };
	put_file(data, size);
	int opened = vmsnap_file_open_memory(data, size, &limits, &before, &err);
	bool damaged = opened || vmsnap_file_damage(before, &err);
	int rc = vmsnap_save(file_name(), snaps, 1, VMSNAP_SAVE_APPEND, &err);
	if (rc)
		check_untouched(data, size, rc, &err);
	else {
		check_appended(data, size, ours, damaged, opened ? NULL : before);
		check_difference(ours);
	}
	/* To what is whole, one can append. */
	if (!damaged)
		FUZZ_CHECK(!rc);
	if (!opened)
		vmsnap_file_close(before);
	vmsnap_unref(ours);
	return 0;
}
