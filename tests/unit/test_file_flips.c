/* Golden files with one bit wrong, and cut off at every length: what a reader gives is
 * what was written, or a clear error.  Address space is limited, so that a reader that
 * believes a spoiled length fails. */
#include "test_file_sample.h"

#include <dirent.h>
#include <limits.h>
#include <sys/resource.h>

#include "section.h"
#include "test_sanitized.h"
#include "test_skip.h"

enum {
	ALLOWED = 64 << 20,
	SNAPSHOTS_MAX = 8,
	/* Larger files, and all with sanitizers: one bit of each byte, chosen by chance. */
	IN_FULL_BYTES = SANITIZED ? 0 : 4096,
};

struct original {
	char name[NAME_MAX + 1];
	uint8_t *bytes;
	size_t len, count;
	struct vmsnap *snaps[SNAPSHOTS_MAX];
	struct vmsnap_file_entry entries[SNAPSHOTS_MAX];
	uint8_t *skipped; /* 1 for each byte of a payload that this version does not read */
};

static const struct vmsnap_limits limits = { .size = sizeof(limits), .memory = ALLOWED };

static bool known_type(uint32_t type)
{
	static const uint32_t known[] = { SECTION_SNAP, SECTION_STAT,  SECTION_VMAS, SECTION_PAGE, SECTION_THRD,
		                          SECTION_SMAP, SECTION_NAME,  SECTION_WRIT, SECTION_KPAG, SECTION_NODE,
		                          SECTION_HASH, SECTION_TYPES, SECTION_EVNT, SECTION_MEVT, SECTION_DELT };
	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (type == known[i])
			return true;
	return false;
}

/* Of a HASH of a later time the bytes are not read. */
static void mark_skipped(struct original *original, const struct vmsnap_file_entry *entry, bool contents)
{
	uint64_t at = entry->offset, end = at + entry->bytes - END_BYTES;
	struct section section;
	while (at < end) {
		assert_true(section_read(original->bytes + at, &section));
		at += SECTION_HEADER_BYTES;
		if (!known_type(section.type) && !(contents && section.type == SECTION_CONT))
			memset(original->skipped + at, 1, section.stored);
		at += section.stored;
	}
}

static void read_bytes(struct original *original)
{
	char path[PATH_MAX];
	snprintf(path, sizeof(path), "%s/golden/%s", TESTS_DIR, original->name);
	FILE *file = fopen(path, "rb");
	assert_non_null(file);
	assert_int_equal(fseek(file, 0, SEEK_END), 0);
	original->len = (size_t)ftell(file);
	rewind(file);
	original->bytes = malloc(original->len + 1);
	original->skipped = calloc(original->len + 1, 1);
	assert_true(original->bytes && original->skipped);
	assert_int_equal(fread(original->bytes, 1, original->len, file), original->len);
	fclose(file);
}

static void load_original(struct original *original, const char *name)
{
	struct vmsnap_file *file;
	*original = (struct original){ 0 };
	snprintf(original->name, sizeof(original->name), "%s", name);
	read_bytes(original);
	assert_int_equal(vmsnap_file_open_memory(original->bytes, original->len, &limits, &file, NULL), VMSNAP_OK);
	original->count = vmsnap_file_count(file);
	assert_true(original->count <= SNAPSHOTS_MAX);
	for (size_t i = 0; i < original->count; i++) {
		assert_int_equal(vmsnap_file_entry(file, i, &original->entries[i], NULL), VMSNAP_OK);
		assert_int_equal(vmsnap_file_load(file, i, &original->snaps[i], NULL), VMSNAP_OK);
		mark_skipped(original, &original->entries[i],
		             vmsnap_contents_kind(original->snaps[i]) == VMSNAP_CONTENTS_BYTES);
	}
	vmsnap_file_close(file);
}

static void free_original(struct original *original)
{
	for (size_t i = 0; i < original->count; i++)
		vmsnap_unref(original->snaps[i]);
	free(original->bytes);
	free(original->skipped);
}

/* The snapshot that began there; one that did not is an invention. */
static const struct vmsnap *snapshot_at(const struct original *original, uint64_t offset)
{
	for (size_t i = 0; i < original->count; i++)
		if (original->entries[i].offset == offset)
			return original->snaps[i];
	fail_msg("%s: a snapshot at %llu, where none was", original->name, (unsigned long long)offset);
	return NULL;
}

/* What loads is as it was.  Returns how many that are. */
static size_t compare_loaded(const struct original *original, const struct vmsnap_file *file, size_t len)
{
	size_t good = 0;
	for (size_t i = 0; i < vmsnap_file_count(file); i++) {
		struct vmsnap *back;
		struct vmsnap_file_entry entry;
		struct vmsnap_error err = { 0 };
		assert_int_equal(vmsnap_file_entry(file, i, &entry, NULL), VMSNAP_OK);
		int rc = vmsnap_file_load(file, i, &back, &err);
		if (rc) {
			assert_error(rc, &err, len);
			continue;
		}
		assert_same(snapshot_at(original, entry.offset), back);
		vmsnap_unref(back);
		good++;
	}
	return good;
}

/* Whether the file is whole and gives all that was written. */
static bool gives_all(const struct original *original, const uint8_t *bytes, size_t len)
{
	struct vmsnap_file *file;
	struct vmsnap_error err = { 0 };
	int rc = vmsnap_file_open_memory(bytes, len, &limits, &file, &err);
	if (rc) {
		assert_error(rc, &err, len);
		return false;
	}
	int damage = vmsnap_file_damage(file, &err);
	if (damage)
		assert_error(damage, &err, len);
	size_t good = compare_loaded(original, file, len);
	vmsnap_file_close(file);
	return !damage && good == original->count;
}

static void flip(const struct original *original, size_t bit, uint8_t *bytes)
{
	size_t byte = bit / 8;
	memcpy(bytes, original->bytes, original->len);
	bytes[byte] ^= (uint8_t)(1u << bit % 8);
	/* A flip is noticed wherever anything was read. */
	if (gives_all(original, bytes, original->len) != (original->skipped[byte] != 0))
		fail_msg("%s: bit %zu of byte %zu", original->name, bit % 8, byte);
}

static void flip_all(const struct original *original)
{
	uint8_t *bytes = malloc(original->len ? original->len : 1);
	assert_non_null(bytes);
	for (size_t byte = 0; byte < original->len; byte++) {
		size_t one = original->len > IN_FULL_BYTES ? sample_random(8) : 8;
		for (size_t bit = 0; bit < 8; bit++)
			if (one == 8 || one == bit)
				flip(original, byte * 8 + bit, bytes);
	}
	free(bytes);
}

/* Cut between two snapshots or behind a header, a file is whole again. */
static bool whole_at(const struct original *original, size_t len)
{
	size_t at = 0, i = 0;
	while (at < len) {
		if (i < original->count && original->entries[i].offset == at)
			at += original->entries[i++].bytes;
		else
			at += STREAM_HEADER_BYTES;
	}
	return at == len;
}

static void cut_at(const struct original *original, size_t len)
{
	struct vmsnap_file *file;
	struct vmsnap_error err = { 0 };
	size_t before = 0;
	while (before < original->count && original->entries[before].offset + original->entries[before].bytes <= len)
		before++;
	/* In an allocation of its own: nothing may be read behind the end. */
	uint8_t *bytes = copy_of(original->bytes, len);
	int rc = vmsnap_file_open_memory(bytes, len, &limits, &file, &err);
	if (rc) {
		assert_int_equal(before, 0);
		assert_int_equal(rc, len ? VMSNAP_ERR_TRUNCATED : VMSNAP_ERR_NOT_SNAPSHOT);
		assert_error(rc, &err, len);
	} else {
		rc = vmsnap_file_damage(file, &err);
		assert_int_equal(vmsnap_file_count(file), before);
		assert_int_equal(compare_loaded(original, file, len), before);
		if (rc ? rc != VMSNAP_ERR_TRUNCATED || err.position > len : !whole_at(original, len))
			fail_msg("%s cut at %zu: code %d", original->name, len, rc);
		vmsnap_file_close(file);
	}
	free(bytes);
}

static size_t each_golden(const char *prefix, void (*fn)(const char *name))
{
	DIR *folder = opendir(TESTS_DIR "/golden");
	const struct dirent *entry;
	size_t count = 0;
	assert_non_null(folder);
	while ((entry = readdir(folder))) {
		const char *dot = strrchr(entry->d_name, '.');
		if (!dot || strcmp(dot, ".vms") != 0 || strncmp(entry->d_name, prefix, strlen(prefix)) != 0)
			continue;
		fn(entry->d_name);
		count++;
	}
	closedir(folder);
	return count;
}

/* ---- tests ---- */

static void flip_file(const char *name)
{
	struct original original;
	load_original(&original, name);
	flip_all(&original);
	free_original(&original);
}

static void every_flipped_bit_is_noticed(void **state)
{
	(void)state;
	assert_true(each_golden("good-", flip_file) >= 20);
}

static void cut_file(const char *name)
{
	struct original original;
	load_original(&original, name);
	for (size_t len = 0; len < original.len; len++)
		cut_at(&original, len);
	free_original(&original);
}

static void every_truncation_keeps_what_is_whole(void **state)
{
	(void)state;
	assert_true(each_golden("good-", cut_file) >= 20);
}

/* Already damaged ones are damaged further: an error, or what another reader would
 * say; but no crash, and no memory. */
static void flip_bad_file(const char *name)
{
	struct original bad = { 0 };
	snprintf(bad.name, sizeof(bad.name), "%s", name);
	read_bytes(&bad);
	for (size_t byte = 0; byte < bad.len; byte++) {
		struct vmsnap_file *file;
		struct vmsnap_error err = { 0 };
		uint8_t bit = (uint8_t)(1u << sample_random(8));
		bad.bytes[byte] ^= bit;
		int rc = vmsnap_file_open_memory(bad.bytes, bad.len, &limits, &file, &err);
		if (rc)
			assert_error(rc, &err, bad.len);
		for (size_t i = 0; !rc && i < vmsnap_file_count(file); i++) {
			struct vmsnap *snap;
			int loaded = vmsnap_file_load(file, i, &snap, &err);
			if (loaded)
				assert_error(loaded, &err, bad.len);
			else
				vmsnap_unref(snap);
		}
		if (!rc)
			vmsnap_file_close(file);
		bad.bytes[byte] ^= bit;
	}
	free_original(&bad);
}

static void damage_upon_damage_is_an_error(void **state)
{
	(void)state;
	assert_true(each_golden("bad-", flip_bad_file) >= 50);
}

static void all_of_it_took_less_than_64_mib(void **state)
{
	(void)state;
	struct rusage usage;
	if (SANITIZED)
		skip_because("what a sanitizer takes for itself is not to be counted");
	assert_int_equal(getrusage(RUSAGE_SELF, &usage), 0);
	assert_true(usage.ru_maxrss * 1024 < ALLOWED);
}

/* What is allocated but not touched counts too. */
static int limit_address_space(void **state)
{
	(void)state;
	unsigned long pages = 0;
	struct rlimit limit;
	FILE *statm = fopen("/proc/self/statm", "r");
	assert_non_null(statm);
	assert_int_equal(fscanf(statm, "%lu", &pages), 1);
	fclose(statm);
	limit.rlim_cur = limit.rlim_max = pages * (unsigned long)sysconf(_SC_PAGESIZE) + ALLOWED;
	/* A sanitizer's shadow takes terabytes of it. */
	return SANITIZED ? 0 : setrlimit(RLIMIT_AS, &limit);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_flipped_bit_is_noticed),
		cmocka_unit_test(every_truncation_keeps_what_is_whole),
		cmocka_unit_test(damage_upon_damage_is_an_error),
		cmocka_unit_test(all_of_it_took_less_than_64_mib),
	};
	return cmocka_run_group_tests(tests, limit_address_space, NULL);
}
