/* test_mutate.c - a file that is taken apart and put together is the same file, and
 * most of what the mutator makes of good files is met by the decoders, not by a
 * checksum. */
#define _GNU_SOURCE
#include <dirent.h>
#include <limits.h>
#include <string.h>

#include "fuzz.h"
#include "stream.h"

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);

enum { ROOM = 1 << 16, ROUNDS = 100 };

/* Stands in for libFuzzer's: one byte becomes another. */
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size)
{
	static unsigned state = 1;
	if (!size && max_size)
		data[size++] = 0;
	state = state * 1103515245 + 12345;
	if (size)
		data[(state >> 8) % size] ^= (uint8_t)(1u << (state >> 4 & 7));
	return size;
}

static size_t read_file(const char *path, uint8_t *bytes)
{
	FILE *file = fopen(path, "rb");
	FUZZ_CHECK(file);
	size_t len = fread(bytes, 1, ROOM, file);
	fclose(file);
	return len;
}

static void check_same_after_all(const char *path)
{
	static uint8_t bytes[ROOM], again[ROOM];
	struct stream stream;
	size_t len = read_file(path, bytes);
	/* Deflated payloads may become other bytes, so they are not opened here. */
	stream_read(&stream, bytes, len, 0);
	FUZZ_CHECK(stream_write(&stream, again, ROOM) == len && memcmp(bytes, again, len) == 0);
	stream_free(&stream);
}

struct counts {
	size_t made, opened, loaded, refused_by_checksum;
};

static void load_first(const struct vmsnap_file *file, struct counts *counts)
{
	struct vmsnap *snap;
	struct vmsnap_error err = { 0 };
	counts->opened++;
	if (!vmsnap_file_count(file))
		return;
	if (vmsnap_file_load(file, 0, &snap, &err)) {
		counts->refused_by_checksum += strstr(err.message, "checksum") != NULL;
		return;
	}
	counts->loaded++;
	vmsnap_unref(snap);
}

static void mutate_and_load(const char *path, struct counts *counts)
{
	static uint8_t bytes[ROOM];
	for (unsigned round = 0; round < ROUNDS; round++) {
		struct vmsnap_file *file;
		size_t len = read_file(path, bytes);
		len = LLVMFuzzerCustomMutator(bytes, len, ROOM, (unsigned)counts->made * 7919 + 1);
		FUZZ_CHECK(len <= ROOM);
		counts->made++;
		if (vmsnap_file_open_memory(bytes, len, NULL, &file, NULL))
			continue;
		load_first(file, counts);
		vmsnap_file_close(file);
	}
}

int main(int argc, char **argv)
{
	struct counts counts = { 0 };
	FUZZ_CHECK(argc == 2);
	DIR *folder = opendir(argv[1]);
	const struct dirent *entry;
	FUZZ_CHECK(folder);
	while ((entry = readdir(folder))) {
		char path[PATH_MAX];
		if (*entry->d_name == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", argv[1], entry->d_name);
		check_same_after_all(path);
		if (strncmp(entry->d_name, "good-", 5) == 0)
			mutate_and_load(path, &counts);
	}
	closedir(folder);
	printf("of %zu mutated files %zu open, the first snapshot of %zu loads, %zu have a wrong checksum\n",
	       counts.made, counts.opened, counts.loaded, counts.refused_by_checksum);
	FUZZ_CHECK(counts.made > 1000);
	FUZZ_CHECK(counts.opened > counts.made * 2 / 3 && counts.refused_by_checksum < counts.made / 10);
	/* Some break something, too. */
	FUZZ_CHECK(counts.loaded > counts.made / 4 && counts.loaded < counts.made * 9 / 10);
	return 0;
}
