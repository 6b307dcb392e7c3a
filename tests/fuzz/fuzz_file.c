/* fuzz_file.c - a snapshot file of unknown origin: opened, loaded from memory and from a
 * descriptor, compared, written again. */
#define _GNU_SOURCE
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "compare.h"
#include "fuzz.h"
#include "model.h"

enum { ENTRIES_MAX = 64, GOOD_MAX = 4, MEMORY_MAX = 4 << 20 };

static const struct vmsnap_limits limits = { .size = sizeof(limits), .memory = MEMORY_MAX };

/* What a file may be refused for; each says where. */
static void check_error(int rc, const struct vmsnap_error *err, size_t size)
{
	FUZZ_CHECK(rc == VMSNAP_ERR_NOT_SNAPSHOT || rc == VMSNAP_ERR_NEWER || rc == VMSNAP_ERR_CORRUPT ||
	           rc == VMSNAP_ERR_TRUNCATED || rc == VMSNAP_ERR_TOO_LARGE);
	FUZZ_CHECK(err->code == rc && err->position <= size && err->message[0]);
	FUZZ_CHECK(strnlen(err->message, sizeof(err->message)) < sizeof(err->message));
}

static void check_entry(const struct vmsnap_file *file, size_t index, size_t size, uint64_t *end)
{
	struct vmsnap_file_entry entry;
	FUZZ_CHECK(vmsnap_file_entry(file, index, &entry, NULL) == VMSNAP_OK);
	FUZZ_CHECK(entry.offset >= *end && entry.bytes >= 80 && entry.offset <= size);
	FUZZ_CHECK(entry.bytes <= size - entry.offset);
	*end = entry.offset + entry.bytes;
}

/* NULL if it does not load. */
static struct vmsnap *load(const struct vmsnap_file *file, size_t index, size_t size)
{
	struct vmsnap *snap, *peeked;
	struct vmsnap_error err = { 0 };
	int rc = vmsnap_file_load(file, index, &snap, &err);
	if (rc) {
		check_error(rc, &err, size);
		if (!vmsnap_file_peek(file, index, &peeked, NULL))
			vmsnap_unref(peeked);
		return NULL;
	}
	FUZZ_CHECK(vmsnap_file_peek(file, index, &peeked, &err) == VMSNAP_OK);
	model_check(snap);
	model_check_same_info(snap, peeked);
	vmsnap_unref(peeked);
	return snap;
}

static void check_found(const struct vmsnap_file *file, const struct vmsnap *snap, size_t count)
{
	size_t index;
	FUZZ_CHECK(vmsnap_file_find(file, "1", &index, NULL) == VMSNAP_OK && index == 0);
	FUZZ_CHECK(vmsnap_file_find(file, "-1", &index, NULL) == VMSNAP_OK && index == count - 1);
	const char *label = vmsnap_info(snap)->label;
	if (strlen(label) > 100 || !*label)
		return;
	char which[120];
	snprintf(which, sizeof(which), "label:%s", label);
	int rc = vmsnap_file_find(file, which, &index, NULL);
	/* Others may have it, too. */
	FUZZ_CHECK(rc == VMSNAP_ERR_ARGUMENT || (rc == VMSNAP_OK && index < count));
}

static void check_selected(const struct vmsnap_file *file, const struct vmsnap *snap, size_t at, size_t count)
{
	size_t first = 0, found = 0;
	char which[40];
	FUZZ_CHECK(vmsnap_file_select(file, "1..-1", &first, &found, NULL) == VMSNAP_OK && !first && found == count);
	FUZZ_CHECK(vmsnap_file_instant(file, at, &first, &found, NULL) == VMSNAP_OK);
	FUZZ_CHECK(found && first <= at && at - first < found && found <= count - first);
	snprintf(which, sizeof(which), "pid:%u@-1", vmsnap_info(snap)->pid);
	FUZZ_CHECK(vmsnap_file_find(file, which, &first, NULL) == VMSNAP_OK && first >= at && first < count);
}

/* All that are of one instant with the first. */
static void check_set(struct vmsnap *const *snaps, size_t count)
{
	const struct vmsnap *together[GOOD_MAX];
	struct vmsnap_set *set;
	struct vmsnap_set_sums sums;
	struct vmsnap_set_diff *diff;
	struct vmsnap_set_cow *cow;
	size_t found = 0;
	for (size_t i = 0; i < count; i++)
		if (!i || vmsnap_same_instant(snaps[0], snaps[i]))
			together[found++] = snaps[i];
	if (!found || vmsnap_set_new(together, found, &set, NULL))
		return;
	FUZZ_CHECK(vmsnap_set_count(set) == found && vmsnap_set_same(set, snaps[0]) == snaps[0]);
	if (!vmsnap_set_sums(set, &sums, NULL))
		FUZZ_CHECK(sums.distinct <= sums.resident && sums.hidden <= sums.resident - sums.distinct);
	if (!vmsnap_set_diff_new(set, set, NULL, &diff, NULL)) {
		FUZZ_CHECK(vmsnap_set_diff_count(diff) == found && !vmsnap_set_diff_total(diff, VMSNAP_SET_TOTAL_CAME));
		vmsnap_set_diff_free(diff);
	}
	if (!vmsnap_set_cow_new(set, NULL, NULL, &cow, NULL)) {
		FUZZ_CHECK(vmsnap_set_cow_count(cow) == found && !vmsnap_set_cow_went(cow, 0));
		vmsnap_set_cow_free(cow);
	}
	vmsnap_set_free(set);
}

/* From a descriptor a file is read another way than from memory. */
static void check_descriptor(const uint8_t *data, size_t size, struct vmsnap *const *snaps, size_t count)
{
	struct vmsnap_file *file;
	struct vmsnap *again;
	int fd = memfd_create("fuzz", MFD_CLOEXEC);
	FUZZ_CHECK(fd >= 0 && write(fd, data, size) == (ssize_t)size && lseek(fd, 0, SEEK_SET) == 0);
	FUZZ_CHECK(vmsnap_file_open_fd(fd, &limits, &file, NULL) == VMSNAP_OK);
	FUZZ_CHECK(vmsnap_file_count(file) >= count);
	for (size_t i = 0; i < count; i++) {
		/* The stored form takes memory here, so the limit may be met earlier. */
		if (!snaps[i] || vmsnap_file_load(file, i, &again, NULL))
			continue;
		model_check_same(snaps[i], again);
		vmsnap_unref(again);
	}
	vmsnap_file_close(file);
	close(fd);
}

/* One after another they are made of others that are kept: they are what each is that is loaded alone. */
static void check_walked(const uint8_t *data, size_t size, struct vmsnap *const *snaps, size_t count)
{
	struct vmsnap_file *file;
	struct vmsnap_walk *walk;
	struct vmsnap *walked;
	FUZZ_CHECK(vmsnap_file_open_memory(data, size, &limits, &file, NULL) == VMSNAP_OK);
	FUZZ_CHECK(vmsnap_walk_new(file, 0, count, &walk, NULL) == VMSNAP_OK);
	for (size_t i = 0, index; i < count; i++) {
		/* The limit is that of what it is made of, and may be met here or there alone. */
		if (vmsnap_walk_next(walk, &walked, &index, NULL))
			continue;
		FUZZ_CHECK(index == i);
		if (snaps[i])
			model_check_same(snaps[i], walked);
		vmsnap_unref(walked);
	}
	FUZZ_CHECK(vmsnap_walk_next(walk, &walked, NULL, NULL) == VMSNAP_END);
	vmsnap_walk_free(walk);
	vmsnap_file_close(file);
}

/* What was read can be written, and is read back as it was. */
static void check_written(struct vmsnap *const *snaps, size_t count)
{
	struct vmsnap_file *file;
	struct vmsnap *again;
	struct vmsnap_error err = { 0 };
	const struct vmsnap *all[GOOD_MAX];
	for (size_t i = 0; i < count; i++)
		all[i] = snaps[i];
	int fd = memfd_create("fuzz", MFD_CLOEXEC);
	FUZZ_CHECK(fd >= 0 && vmsnap_write_fd(fd, all, count, &err) == VMSNAP_OK && lseek(fd, 0, SEEK_SET) == 0);
	FUZZ_CHECK(vmsnap_file_open_fd(fd, NULL, &file, &err) == VMSNAP_OK);
	FUZZ_CHECK(vmsnap_file_count(file) == count && vmsnap_file_damage(file, &err) == VMSNAP_OK);
	for (size_t i = 0; i < count; i++) {
		FUZZ_CHECK(vmsnap_file_load(file, i, &again, &err) == VMSNAP_OK);
		model_check_same(all[i], again);
		vmsnap_unref(again);
	}
	vmsnap_file_close(file);
	close(fd);
}

static void compare_all(struct vmsnap *const *snaps, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct vmsnap *next = snaps[(i + 1) % count];
		vmsnap_diff_free(compare_diff(snaps[i], next));
		vmsnap_cow_free(compare_cow(snaps[i], next, i % 2 ? snaps[0] : NULL));
	}
}

static void use_loaded(struct vmsnap *const *loaded, size_t count, uint32_t choice)
{
	struct vmsnap *good[GOOD_MAX];
	size_t goods = 0;
	for (size_t i = 0; i < count && goods < GOOD_MAX; i++)
		if (loaded[i])
			good[goods++] = loaded[i];
	compare_all(good, goods);
	check_set(good, goods);
	if (choice >> 24 & 1)
		check_written(good, goods);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct vmsnap_file *file;
	struct vmsnap *loaded[ENTRIES_MAX] = { 0 };
	struct vmsnap_error err = { 0 };
	uint32_t choice = fuzz_hash(data, size);
	uint64_t end = 16;
	int rc = vmsnap_file_open_memory(data, size, &limits, &file, &err);
	if (rc) {
		check_error(rc, &err, size);
		return 0;
	}
	rc = vmsnap_file_damage(file, &err);
	if (rc)
		check_error(rc, &err, size);
	size_t count = vmsnap_file_count(file), all = count;
	count = count < ENTRIES_MAX ? count : ENTRIES_MAX;
	for (size_t i = 0; i < count; i++) {
		check_entry(file, i, size, &end);
		loaded[i] = load(file, i, size);
		if (!loaded[i])
			continue;
		check_found(file, loaded[i], all);
		check_selected(file, loaded[i], i, all);
	}
	use_loaded(loaded, count, choice);
	if ((choice >> 25 & 3) == 3)
		check_descriptor(data, size, loaded, count);
	if (choice >> 27 & 1)
		check_walked(data, size, loaded, count);
	for (size_t i = 0; i < count; i++)
		vmsnap_unref(loaded[i]);
	vmsnap_file_close(file);
	return 0;
}
